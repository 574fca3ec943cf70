"""Honest notebooks with full marks, each made odd in one way: `oddities("02_pruning")`.

They tell whether honest work is lost. Nothing of the grader is used here: a notebook is the teacher's own, with its
solutions and with answers in words. What is odd stands, where it can, in the very cell of a function, so that the
function is lost where the oddity is not understood.

All run in Jupyter from top to bottom as they should, but for what students hand in nevertheless: cells with errors
("stray ..."), damaged ones, and files that Jupyter itself does not open but that are plainly a notebook (zeros at the
end, UTF-16, a byte order mark). A helper that changes later counts as it was when its function was checked.
"""

import ast
import copy
import io
import json
import re
import textwrap
import zipfile
from dataclasses import dataclass
from numbers import Real

import nbformat
import numpy as np

from course_lib.classroom.assignments import build, topic_of, uses_tensors
from course_lib.classroom.solutions import function_name
from course_lib.exercises.engine.judge import AnswerKey

PIXEL = ("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
         "gg==")
EMPTY = "YOUR ANSWER HERE"


def oddities(assignment):
    """Yield a name, the bytes of a file, and where it lies in `submitted/NAME/ASSIGNMENT/`."""
    work = Work(assignment)
    for part in (editors, formats, files, ipython, orders, ways, values, libraries, written, names, stray, damaged):
        for name, made, *path in part(work):
            yield name, made if isinstance(made, bytes) else written_out(made), *(path or [f"{assignment}.ipynb"])


def written_out(notebook, *, lines=True, **options):
    """The bytes of a file as Jupyter writes it: sources as lists of lines."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook["cells"]:
        if lines and isinstance(cell, dict) and isinstance(cell.get("source"), str):
            cell["source"] = cell["source"].splitlines(keepends=True)
    return (json.dumps(notebook, **{"indent": 1, "ensure_ascii": False, **options}) + "\n").encode()


def code(source, **more):
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source, **more}


def markdown(source, **more):
    return {"cell_type": "markdown", "metadata": {}, "source": source, **more}


@dataclass(frozen=True)
class Function:
    """A function that a student has written, right."""

    id: str  # of its cell
    name: str
    source: str
    parameters: tuple
    case: dict  # of its first example
    right: object  # the answer to it; None if several are right
    tensors: bool

    @property
    def given(self):
        """Its parameters, as a call has them."""
        return ", ".join(self.parameters)

    @property
    def head(self):
        return f"def {self.name}({self.given}):\n"

    @property
    def body(self):
        """Its lines, indented."""
        return self.source.partition("\n")[2] + "\n"

    @property
    def plain(self):
        """Its source under another name."""
        return self.source.replace(f"def {self.name}(", f"def plain_{self.id}(", 1) + "\n"

    @property
    def call(self):
        return f"plain_{self.id}({self.given})"

    def as_(self, answer, above=""):
        """A function that makes something else of the right answer, which stands for `{}`."""
        return f"{above}{self.plain}\n\n{self.head}    return {answer.replace('{}', self.call)}\n"

    @property
    def draft(self):
        """A first try, wrong: it must not count."""
        return f"{self.head}    return 0.125\n"


class Work:
    """A full-marks notebook, and what can be changed in it."""

    def __init__(self, assignment):
        self.assignment, topic = assignment, topic_of(assignment)
        self.tensors = uses_tensors(topic)
        self.notebook = json.loads(nbformat.writes(build(topic), version=4))
        graded = topic.graded.EXERCISES if hasattr(type(topic), "graded") else topic.exercises
        exercises = {function_name(exercise): exercise for exercise in graded}
        self.functions, self.questions, count = [], [], 0
        for cell in self.notebook["cells"]:
            source, settings = "".join(cell["source"]), cell["metadata"].get("nbgrader", {})
            source = re.sub(r"\n### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS", "", source, flags=re.DOTALL)
            if cell["cell_type"] == "code" and not source.startswith("def "):  # a project is left as it was handed out
                source = re.sub(r"### BEGIN SOLUTION.*?### END SOLUTION", "", source, flags=re.DOTALL)
            cell["source"] = re.sub(r"[ \t]*### (BEGIN|END) SOLUTION\n?", "", source).rstrip("\n")
            if cell["cell_type"] == "code":
                count += 1
                cell["execution_count"] = count
            if not settings.get("solution"):
                continue
            if cell["cell_type"] == "markdown":
                self.questions.append(settings["grade_id"])
                cell["source"] = (f"My answer to number {len(self.questions)}: with few examples much is chance, and "
                                  "what is learnt late costs more.")
            elif re.match(r"def \w+\([\w, ]*\):\n", cell["source"]) and len(ast.parse(cell["source"]).body) == 1:
                self.functions.append(_function(settings["grade_id"], cell["source"], exercises))
        self.functions.sort(key=lambda function: function.tensors)
        self.first, self.second, *self.others = self.functions

    def fresh(self):
        return copy.deepcopy(self.notebook)

    def at(self, notebook, grade_id):
        """The place of a cell."""
        return next(place for place, cell in enumerate(notebook["cells"])
                    if _grade_id(cell) == grade_id)

    def cell(self, notebook, grade_id):
        return notebook["cells"][self.at(notebook, grade_id)]

    def answered(self, sources, notebook=None):
        """With other sources in these cells, {grade_id: source}."""
        notebook = notebook or self.fresh()
        for grade_id, source in sources.items():
            self.cell(notebook, grade_id)["source"] = source
        return notebook

    def inside(self, above="", below=""):
        """With something above and below the function in its own cell."""
        return self.answered({self.first.id: f"{above}{self.first.source}\n{below}"})

    def using(self, line, above="", below=""):
        """With a line in the function, and something above it in its cell."""
        line = line.replace("\n", "\n    ")  # textwrap.indent would also indent after a line separator
        return self.answered({self.first.id: f"{above}{self.first.head}    {line}\n{self.first.body}{below}"})

    def adding(self, *cells, before=None, after=None, notebook=None):
        """With more cells, at the end by default."""
        notebook = notebook or self.fresh()
        place = len(notebook["cells"])
        if before or after:
            place = self.at(notebook, before or after) + bool(after)
        notebook["cells"][place:place] = cells
        return notebook

    def each(self, change, notebook=None):
        """With each cell changed."""
        notebook = notebook or self.fresh()
        for cell in notebook["cells"]:
            change(cell)
        return notebook


def _grade_id(cell):
    """The name of a cell in the teacher's notebook; an empty text if it has none."""
    return (cell["metadata"].get("nbgrader") or {}).get("grade_id", "")


def _function(grade_id, source, exercises):
    name, = re.findall(r"\Adef (\w+)", source)
    parameters = tuple(argument.arg for argument in ast.parse(source).body[0].args.args)
    exercise = exercises.get(name)
    if exercise is None:
        return Function(grade_id, name, source, parameters, {}, None, True)
    cases = exercise.draw()
    open_ended = exercise.verify or exercise.seeded or exercise.tensors
    right = None if open_ended else AnswerKey(exercise, cases).right[0]
    return Function(grade_id, name, source, parameters, cases[0], right, bool(exercise.tensors))


# Editors


def _no_metadata(cell):
    cell["metadata"] = {}


def _no_id(cell):
    cell.pop("id", None)


def _bare(cell):
    _no_metadata(cell)
    _no_id(cell)


def _more(**more):
    return lambda cell: cell["metadata"].update(copy.deepcopy(more))


def _colab(cell):
    cell["metadata"] |= {"id": "xK3bq9ZzLm0_", "colab": {"base_uri": "https://localhost:8080/", "height": 34},
                         "outputId": "5b1f6c2e-0d51-4a0e-f1c6-3b1d4a1c0d2f"}
    _no_id(cell)


def editors(work):
    yield "as handed out", work.fresh()
    yield "metadata of cells emptied", work.each(_no_metadata)
    yield "metadata of cells and ids emptied", work.each(_bare)
    yield "vs code", work.each(_more(vscode={"languageId": "python"})) | {"metadata": {
        "language_info": {"name": "python", "version": "3.11.7", "file_extension": ".py"}, "orig_nbformat": 4}}
    yield "vs code, metadata lost", work.each(_bare) | {"nbformat_minor": 2, "metadata": {
        "interpreter": {"hash": "31f2aee4e71d21fbe5cf8b01ff0e069b9275f58929596ceb00d14d90e3e16cd6"},
        "kernelspec": {"display_name": ".venv", "language": "python", "name": "python3"}}}
    colab = {"nbformat_minor": 0, "metadata": {
        "colab": {"name": "homework.ipynb", "provenance": [], "toc_visible": True}, "accelerator": "GPU",
        "kernelspec": {"name": "python3", "display_name": "Python 3"}}}
    yield "colab", work.each(_colab) | colab
    yield "colab, metadata lost", work.each(_colab, work.each(_no_metadata)) | colab
    form = work.inside("#@title My answer { display-mode: \"form\" }\n")
    work.cell(form, work.first.id)["metadata"] |= {"cellView": "form", "id": "q0"}
    yield "colab form", form

    def databricks(cell):
        cell["metadata"]["application/vnd.databricks.v1+cell"] = {
            "cellMetadata": {"rowLimit": 10_000}, "inputWidgets": {}, "nuid": "2f0c", "showTitle": False, "title": ""}
        if cell["cell_type"] == "code":
            cell["execution_count"] = 0
        _no_id(cell)

    yield "databricks", work.each(databricks) | {"nbformat_minor": 0, "metadata": {
        "application/vnd.databricks.v1+notebook": {"language": "python", "notebookName": "homework", "widgets": {}},
        "language_info": {"name": "python"}}}
    yield "kaggle", work.each(_more(_uuid="d629ff2d", _cell_guid="b1076dfc", trusted=True)) | {"metadata": {
        "kaggle": {"accelerator": "none", "dataSources": []}, "language_info": {"name": "python"}}}
    yield "jupyterlab 4", work.each(_more(editable=True, tags=["mine"], slideshow={"slide_type": "slide"},
                                          jupyter={"source_hidden": False, "outputs_hidden": False}))
    yield "classic", work.each(_no_id, work.each(_more(collapsed=True, scrolled=False, deletable=False))) | {
        "nbformat_minor": 2, "metadata": {"anaconda-cloud": {}, "celltoolbar": "Create Assignment", "toc": {
            "base_numbering": 1}, "kernelspec": {"display_name": "Python [conda env:base] *", "name": "conda-base-py",
                                                 "language": "python"}}}
    yield "deepnote", work.each(_more(cell_id="0001", deepnote_cell_type="code", source_hash="b62")) | {
        "metadata": {"deepnote": {}, "deepnote_notebook_id": "77"}}
    yield "no metadata of the notebook", work.fresh() | {"metadata": {}}
    widgets = {"application/vnd.jupyter.widget-state+json": {"state": {}, "version_major": 2, "version_minor": 0}}
    yield "state of widgets", work.fresh() | {"metadata": work.notebook["metadata"] | {"widgets": widgets}}


# The format of notebooks


def formats(work):
    yield "ids missing in 4.5", work.each(_no_id)
    yield "ids all alike", work.each(lambda cell: cell.update(id="a"))
    yield "4.0", work.each(_no_id) | {"nbformat_minor": 0}
    yield "4.4 with ids", work.fresh() | {"nbformat_minor": 4}
    with_heading = work.each(_no_id) | {"nbformat_minor": 0}
    with_heading["cells"].insert(0, {"cell_type": "heading", "level": 2, "metadata": {}, "source": "Homework"})
    yield "a heading cell", with_heading
    yield "version 3", _version_3(work.fresh())
    yield "version 3, with headings", _version_3(with_heading)
    yield "a raw cell", work.adding({"cell_type": "raw", "metadata": {"format": "text/x-rst"}, "source": "Notes\n==="},
                                    before=work.first.id)
    yield "a raw cell with a first try", work.adding({"cell_type": "raw", "metadata": {}, "source": work.first.draft},
                                                     after=work.first.id)
    yield "sources as texts", written_out(work.fresh(), lines=False)
    yield "sources as lists", written_out(work.fresh())
    yield "in one line", written_out(work.fresh(), indent=None, separators=(",", ":"))
    yield "no outputs", work.each(lambda cell: cell.pop("outputs", None))
    yield "no execution counts", work.each(lambda cell: cell.pop("execution_count", None))
    yield "execution counts null", work.each(lambda cell: cell.update(execution_count=None)
                                             if cell["cell_type"] == "code" else None)
    yield "nbgrader null in a new cell", work.adding(code("x = 1", metadata={"nbgrader": None}), before=work.first.id)
    nulled = work.fresh()
    for grade_id in (work.first.id, work.questions[0]):
        work.cell(nulled, grade_id)["metadata"] = {"nbgrader": None}
    yield "nbgrader null in answers", nulled
    without = code("")
    del without["source"]
    yield "a cell without source", work.adding(without, before=work.first.id)
    yield "an empty list as source", work.adding(code([]), before=work.first.id)
    yield "an attachment", work.adding(markdown("![a](attachment:a.png)", attachments={"a.png": {"image/png": PIXEL}}),
                                       before=work.first.id)
    rich = work.fresh()
    work.cell(rich, work.first.id)["outputs"] = [
        {"output_type": "stream", "name": "stdout", "text": ["seen\n"] * 2_000},
        {"output_type": "display_data", "metadata": {}, "data": {"image/png": PIXEL * 2_000}},
        {"output_type": "error", "ename": "ValueError", "evalue": "of before", "traceback": ["\x1b[31mError\x1b[0m"]}]
    yield "large outputs", rich
    yield "empty cells", work.adding(code(""), code("\n\n"), markdown(""), before=work.first.id)
    yield "cells that hold a comment", work.adding(code("# %%"), code("# only a word"), before=work.first.id)


def _version_3(notebook):
    cells = []
    for cell in notebook["cells"]:
        cell.pop("id", None)
        if cell["cell_type"] == "code":
            cell = {"cell_type": "code", "input": cell["source"].splitlines(keepends=True), "language": "python",
                    "metadata": cell["metadata"], "outputs": [], "prompt_number": 1, "collapsed": False}
        cells.append(cell)
    return (json.dumps({"metadata": {"name": "homework"}, "nbformat": 3, "nbformat_minor": 0,
                        "worksheets": [{"cells": cells, "metadata": {}}]}, indent=1) + "\n").encode()


# Bytes and letters


def files(work):
    raw = written_out(work.fresh())
    yield "zeros at the end", raw + b"\0" * 512
    yield "lines at the end", raw + b"\n\n \r\n\n"
    yield "lines end with return and newline, in the file", raw.replace(b"\n", b"\r\n")
    yield "lines end with return and newline, in sources", work.each(_ends("\r\n"))
    yield "lines end with return, in sources", written_out(work.each(_ends("\r")), lines=False)
    yield "tabs", work.each(lambda cell: cell.update(source=cell["source"].replace("    ", "\t"))
                            if cell["cell_type"] == "code" else None)
    yield "spaces at the ends of lines", work.each(_ends("  \n"))
    # inside a text these letters are data, and no line ends there
    yield "line separator in a text", work.using('assert len("a\u2028b") == 3')
    yield "line separator in a comment", work.using("# a note\u2028and more of it, if x")
    yield "next line in a text", work.using('assert len("a\x85b\x1cc") == 5')
    yield "form feed between functions", work.inside("one = 1\n\x0c\n")
    yield "form feed in a text", work.using('assert len("a\x0cb") == 3')
    yield "line separator in an answer", work.answered({work.questions[0]: "It is chance.\u2028That is all."})
    yield "no-break spaces in an answer", work.answered({work.questions[0]: "It\xa0is\u200b chance."})
    yield "utf-8 with a mark", b"\xef\xbb\xbf" + raw
    yield "utf-16, little end first", b"\xff\xfe" + raw.decode().encode("utf-16-le")
    yield "utf-16, big end first", b"\xfe\xff" + raw.decode().encode("utf-16-be")
    latin = work.using('assert "größer" != "café"')
    yield "latin letters", latin
    yield "latin letters, escaped", written_out(latin, ensure_ascii=True)
    emoji = work.using('assert len("\U0001f600") == 1  # \U0001f44d')
    yield "emoji", emoji
    yield "emoji, escaped", written_out(emoji, ensure_ascii=True)
    yield "greek names", work.using("Δθ = 1", "α = 2\n")
    yield "a line on the coding", work.inside("# -*- coding: utf-8 -*-\n")


def _ends(end):
    return lambda cell: cell.update(source=cell["source"].replace("\n", end))


# What IPython adds to Python


def ipython(work):
    f = work.first
    for line in ("%matplotlib inline", "%load_ext autoreload\n%autoreload 2", "%pwd", "here = %pwd", "!echo hello",
                 "!!echo hello", "listed = !ls", "%time x = 1", "%timeit -n1 -r1 sum(range(9))", "%env WORD=1",
                 '%config InlineBackend.figure_format = "retina"', "np.log2?", "?np.log2", "np.log2??",
                 'get_ipython().run_line_magic("matplotlib", "inline")', 'get_ipython().system("echo hello")',
                 "import asyncio\nawait asyncio.sleep(0)", "async def one():\n    return 1\nONE = await one()"):
        yield f"line {_letters(line)}", work.inside(f"{line}\n")
    yield "np.log2? below the answer", work.inside(below="\nnp.log2?")
    yield "a shell line in an if", work.inside("if True:\n    !echo hello\n")
    yield "a shell line in a loop", work.inside('for word in ("a", "b"):\n    !echo {word}\n')
    yield "a shell line, indented, with its value", work.inside("if True:\n    listed = !ls\nassert len(listed) >= 0\n")
    yield "an indented magic", work.inside("if True:\n    %time x = 1\n")
    yield "time gives a value that is used", work.using("assert LIMIT == 4", "%time LIMIT = 4\n")
    yield "await gives a value that is used", work.using(
        "assert LIMIT == 4", "import asyncio\nasync def four():\n    await asyncio.sleep(0)\n    return 4\n"
        "LIMIT = await four()\n")
    yield "pip", work.inside("!pip --version\n")
    yield "a line that begins with a remainder", work.inside("left = (10\n% 4)\nassert left == 2\n")
    yield "a text with lines like magics", work.using(
        "assert len(TEXT) == 27", 'TEXT = """\n!important\n%percent\n?what\n"""\n')
    yield "time above the answer", work.inside("%%time\n")
    yield "time above the answer, after an empty line", work.inside("\n%%time\n\n")
    yield "capture above the answer", work.inside("%%capture\n")
    yield "capture with a name above the answer", work.inside("%%capture shown\n", "print('shown')\n")
    for magic in ("%%script false --no-raise-error", "%%bash\nexit 0", "%%markdown", "%%html", "%%writefile draft.py",
                  "%%latex", "%%javascript"):
        yield f"a first try below {_letters(magic)}", work.adding(code(f"{magic}\n{f.draft}"), after=f.id)
    yield "a script cell", work.adding(code("%%bash\nfor i in 1 2; do\n  echo $i\ndone"), before=f.id)
    for chosen, other in (("pytorch", "keras"), ("keras", "pytorch")):
        if not work.tensors:
            choose = code(f'from course_lib import use\n\nframework = use("{chosen}").name')
            notebook = work.answered({f.id: f"%%{chosen}\n{f.source}"})
            work.adding(code(f"%%{other}\n{f.draft}"), after=f.id, notebook=notebook)
            yield f"cells for either framework, {chosen}", work.adding(choose, before=f.id, notebook=notebook)
    if work.tensors:
        both = work.answered({f.id: f"%%pytorch\n{f.source}"})
        yield "cells for either framework", work.adding(code(f"%%keras\n{f.draft}"), after=f.id, notebook=both)
        yield "framework with its type", _choosing(work, 'framework: str = "keras"')
        yield "framework by another name", _choosing(work, 'CHOICE = "pytorch"\nframework = CHOICE')
        yield "framework by another name, keras", _choosing(work, 'CHOICE = "keras"\nframework = CHOICE')
        yield "framework in brackets", _choosing(work, "framework = ('keras')")
    yield "display", work.inside("display(1)\nfrom IPython.display import Markdown, display\n"
                                 "display(Markdown('*a*'))\n")
    yield "the output of before", work.adding(code("40 + 2"), code("LIMIT = _"), before=f.id,
                                              notebook=work.using("assert LIMIT == 42"))


def _choosing(work, source):
    notebook = work.fresh()
    cell = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code" and "framework = " in cell["source"])
    cell["source"] = source
    return notebook


def _letters(text):
    """A text as part of a name."""
    text = {"?np.log2": "question np.log2", "np.log2?": "np.log2 question", "np.log2??": "np.log2 two questions",
            "!!echo hello": "two shell echo hello"}.get(text, text)
    return " ".join(re.findall(r"[\w.]+", text.replace("!", "shell ").replace("\n", " ")))[:60].rstrip(". ")


# The order of cells, and copies


def orders(work):
    f, g = work.first, work.second
    stub = f"{f.head}    # YOUR CODE HERE\n    raise NotImplementedError()"
    question = work.questions[0]

    def copied(grade_id, empty):
        notebook = work.fresh()
        place = work.at(notebook, grade_id)
        notebook["cells"].insert(place, copy.deepcopy(notebook["cells"][place]) | {"source": empty})
        return notebook

    yield "answer's cell doubled, written in the second", copied(f.id, stub)
    yield "answer's cell doubled, alike", copied(f.id, f.source)
    yield "answer in words doubled, written in the second", copied(question, EMPTY)
    both = copied(question, EMPTY)
    place = work.at(both, question)
    both["cells"][place:place + 2] = both["cells"][place:place + 2][::-1]
    yield "answer in words doubled, written in the first", both

    def helped(function, number):
        return (f"def H():\n    return {number}\n",
                f"{function.head}    assert H() == {number}\n{function.body}")

    (one, first), (two, second) = helped(f, 1), helped(g, 2)
    twice = work.answered({f.id: first, g.id: second})
    yield "one helper twice", work.adding(code(two), before=g.id, notebook=work.adding(code(one), before=f.id,
                                                                                       notebook=twice))
    yield "one helper twice, in the answers' cells", work.answered({f.id: f"{one}\n{first}", g.id: f"{two}\n{second}"})
    yield "a constant twice", work.answered({
        f.id: f"BASE = 1\n{f.head}    assert BASE == 1\n{f.body}",
        g.id: f"BASE = 'two'\n{g.head}    assert BASE == 'two'\n{g.body}"})
    yield "a helper's name used for something else later", work.adding(
        code(f"plain_{f.id} = [1, 2]"), notebook=work.answered({f.id: f.as_("{}")}))
    yield "a helper deleted later", work.adding(code(f"del plain_{f.id}"), notebook=work.answered({f.id: f.as_("{}")}))
    wrapper = f"{f.head}    return {f.call}"
    yield "a helper below its use", work.adding(code(f.plain), after=f.id, notebook=work.answered({f.id: wrapper}))
    yield "a helper below its use, in one cell", work.answered({f.id: f"{wrapper}\n\n{f.plain}"})
    yield "an answer redefined later", work.adding(code(f.as_("{}")))
    yield "a first try above", work.adding(code(f.draft), before=f.id)
    yield "a first try above, in its cell", work.inside(f"{f.draft}\n\n")
    yield "a stub above, the answer in a new cell", work.adding(code(f.source), after=f.id,
                                                               notebook=work.answered({f.id: stub}))
    yield "a stub above, in its cell", work.inside(f"{stub}\n\n")
    stubs = work.answered({one.id: f"{one.head}    raise NotImplementedError()" for one in work.functions})
    everything = "\n\n\n".join(one.source for one in work.functions)
    yield "stubs left, all functions in one cell at the end", work.adding(code(everything), notebook=stubs)
    checks = [cell for cell in work.notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("points")
              and cell["cell_type"] == "code"]
    rest = [cell for cell in work.notebook["cells"] if cell not in checks and _grade_id(cell) not in [
        one.id for one in work.functions]]
    yield "all functions in one cell at the end", work.fresh() | {"cells": [*rest, code(everything), *checks]}
    early = work.fresh()
    places = sorted(work.at(early, one.id) for one in work.functions)
    early["cells"][places[0]] = code(everything)
    for place in places[:0:-1]:
        early["cells"].pop(place)
    yield "all functions in one cell, early", early
    script = "\n\n".join(cell["source"] for cell in work.notebook["cells"] if cell["cell_type"] == "code")
    texts = [cell for cell in work.notebook["cells"] if cell["cell_type"] != "code"]
    yield "all code in one cell", work.fresh() | {"cells": [code(script), *texts]}
    moved = work.fresh()
    begin, end = work.at(moved, f"{f.id}-text"), work.at(moved, f"{f.id}-tests") + 1
    moved["cells"] += [moved["cells"].pop(begin) for _ in range(end - begin)]
    yield "an exercise moved to the end", moved
    questions = [cell for cell in work.notebook["cells"] if _grade_id(cell).startswith("question-")]
    yield "questions moved to the beginning", work.fresh() | {
        "cells": [*questions, *(cell for cell in work.notebook["cells"] if cell not in questions)]}
    early = work.fresh()
    early["cells"].insert(0, early["cells"].pop(work.at(early, f.id)))
    yield "an answer above the imports", early
    yield "texts and checks deleted", work.fresh() | {"cells": [
        cell for cell in work.fresh()["cells"] if not re.search("-text$|-tests$|^about$", _grade_id(cell))]}
    if not work.tensors:
        names = work.cell(work.notebook, "setup")["source"].replace("import numpy as np", "import numpy\nnp = numpy")
        imports = code(f"import math\n{names}")
        yield "imports of one's own", work.fresh() | {"cells": [
            imports if _grade_id(cell) == "setup" else cell for cell in work.fresh()["cells"]]}
    check = work.cell(work.notebook, f"{f.id}-tests")["source"]
    yield "the check in the answer's cell", work.inside(below=f"\n{check}")
    split = work.answered({f.id: f.plain})
    yield "an answer in two cells", work.adding(code(wrapper), after=f.id, notebook=split)
    yield "one answer calls another", work.answered({g.id: g.as_("{}", f"helper_of_mine = {f.name}\n")})


# Ways to write a function


def ways(work):
    f = work.first

    def way(source):
        return work.answered({f.id: textwrap.dedent(source)})

    def after(source):
        return work.answered({f.id: f"{f.plain}\n\n{textwrap.dedent(source)}"})

    given, call, name = f.given, f.call, f.name
    yield "lambda", after(f"{name} = lambda {given}: {call}")
    yield "another name for it", after(f"{name} = plain_{f.id}")
    yield "a class with a call", after(f"""
        class Answer:
            def __call__(self, {given}):
                return {call}

        {name} = Answer()""")
    yield "a method", after(f"""
        class Solver:
            base = 2

            def solve(self, {given}):
                assert self.base == 2
                return {call}

        {name} = Solver().solve""")
    yield "a static method", after(f"""
        class Solver:
            @staticmethod
            def solve({given}):
                return {call}

        {name} = Solver.solve""")
    yield "partial", after(f"""
        from functools import partial

        def general(base, {given}):
            assert base == 2
            return {call}

        {name} = partial(general, 2)""")
    yield "a decorator", work.inside(textwrap.dedent("""
        import functools

        def logged(function):
            @functools.wraps(function)
            def wrapper(*given, **more):
                return function(*given, **more)
            return wrapper

        @logged
        """))
    yield "a decorator without a name", work.inside(textwrap.dedent("""
        def logged(function):
            return lambda *given: function(*given)

        @logged
        """))
    cached = next((one for one in work.functions if one.case and all(isinstance(value, Real) for value in
                                                                     one.case.values())), None)
    if cached:
        yield "a cache", work.answered({cached.id: f"from functools import lru_cache\n\n@lru_cache(maxsize=None)\n"
                                                   f"{cached.source}"})
    yield "a helper with a cache", work.using("assert two() == 2", "import functools\n\n@functools.cache\ndef two():\n"
                                                                    "    return 2\n\n")
    yield "a nested function", way(f"{f.head}    def inside({given}):\n{textwrap.indent(f.body, '    ')}"
                                   f"    return inside({given})\n")
    yield "a closure", after(f"def make():\n    base = 2\n    def made({given}):\n        assert base == 2\n"
                             f"        return {call}\n    return made\n\n{name} = make()")
    yield "a constant", work.using("assert np.isfinite(TINY)", "TINY = 1e-12\n")
    yield "a global that counts", work.using("global calls\ncalls += 1", "calls = 0\n")
    yield "recursion", after(f"{f.head}    def again(left):\n        return again(left - 1) if left else {call}\n\n"
                             "    return again(5)")
    yield "a generator", after(f"def answers({given}):\n    yield {call}\n\n{f.head}    return next(answers({given}))")
    typed = ", ".join(f"{one}: Any" for one in f.parameters)
    yield "types", way(f"from typing import Any\n\ndef {name}({typed}) -> Any:\n{f.body}")
    yield "annotations from the future", work.inside("from __future__ import annotations\n\n")
    yield "a docstring", way(f'{f.head}    r"""Right, I hope: $\\log_2 p$.\n\nReturns\n-------\nx\n    """\n{f.body}')
    yield "any arguments", after(f"def {name}(*given):\n    return plain_{f.id}(*given)")
    yield "one more argument", way(f"def {name}({given}, *, verbose=False):\n{f.body}")
    yield "defaults", way(f"def {name}({', '.join(f'{one}=None' for one in f.parameters)}):\n{f.body}")
    renamed = ", ".join(f"x{number}" for number, _ in enumerate(f.parameters))
    yield "other names of arguments", after(f"def {name}({renamed}):\n    return plain_{f.id}({renamed})")
    yield "in an if of the main module", way("if __name__ == '__main__':\n" + textwrap.indent(f.source, "    "))
    yield "in a try", way("try:\n    import numba_or_what\nexcept ImportError:\n" + textwrap.indent(f.source, "    "))
    yield "a data class", after("from dataclasses import dataclass\n\n@dataclass\nclass Given:\n    all: tuple\n\n"
                                f"{f.head}    return plain_{f.id}(*Given(({given},)).all)")
    yield "match", after(f"{f.head}    match ({given},):\n        case [*all_of_them]:\n            "
                         f"return plain_{f.id}(*all_of_them)")
    yield "asserts below", work.inside(below=f"\nassert callable({name})\n")
    yield "one line of two statements", work.using("x = 1; y = 2", "import math; import sys\n")


# Kinds of values


def values(work):
    """The same numbers, held by something else; `check` finds them right."""
    known = [one for one in work.functions if one.right is not None]

    def pick(*tests):
        return next((one for test in tests for one in known if test(one.right)), None)

    def full(part):
        return isinstance(part, np.ndarray) and part.ndim > 0

    number = pick(lambda right: isinstance(right, (float, np.floating)))
    several = pick(lambda right: isinstance(right, (list, tuple)) and len(right) > 1)
    parts = pick(lambda right: isinstance(right, (list, tuple)) and right and all(map(full, right)) and all(
        part.dtype.kind == "f" for part in right), lambda right: full(right) and right.dtype.kind == "f")
    mapping = pick(lambda right: isinstance(right, dict))
    if number:
        for name, answer, above in (
                ("Fraction", "Fraction(float({}))", "from fractions import Fraction\n\n"),
                ("Decimal", "Decimal(float({}))", "from decimal import Decimal\n\n"),
                ("longdouble", "np.longdouble({})", ""), ("float32", "np.float32({})", ""),
                ("float64", "np.float64({})", ""), ("an array without axes", "np.array({})", ""),
                ("a big-endian array without axes", "np.array({}, '>f8')", ""),
                ("a float of one's own", "Bits({})", "class Bits(float):\n    pass\n\n")):
            yield f"number as {name}", work.answered({number.id: number.as_(answer, above)})
    if several:
        length = len(several.right)
        for name, answer, above in (
                ("tuple", "tuple({})", ""), ("deque", "deque({})", "from collections import deque\n\n"),
                ("a list of one's own", "Row({})", "class Row(list):\n    pass\n\n"),
                ("namedtuple", "named({})", "from collections import namedtuple\n\ndef named(parts):\n    parts = list("
                 "parts)\n    return namedtuple('Named', [f'part{i}' for i in range(len(parts))])(*parts)\n\n")):
            yield f"list of {length} as {name}", work.answered({several.id: several.as_(answer, above)})
    if parts:
        for name, convert, above in (
                ("big-endian", "part.astype('>f8')", ""), ("float32", "part.astype(np.float32)", ""),
                ("longdouble", "part.astype(np.longdouble)", ""), ("fortran's order", "np.asfortranarray(part)", ""),
                ("a view", "np.repeat(part, 2, axis=0)[::2]", ""), ("lists", "part.tolist()", ""),
                ("objects", "part.astype(object)", ""), ("read-only", "locked(part)",
                 "def locked(part):\n    part = part.copy()\n    part.setflags(write=False)\n    return part\n\n"),
                ("an array of one's own", "part.copy().view(Mine)", "class Mine(np.ndarray):\n    pass\n\n"),
                ("fractions", "np.vectorize(Fraction, otypes=[object])(part)", "from fractions import Fraction\n\n")):
            whole = convert.replace("part", "{}") if full(parts.right) else f"[{convert} for part in {{}}]"
            yield f"arrays as {name}", work.answered({parts.id: parts.as_(whole, above)})
    if mapping:
        for name, answer, above in (("OrderedDict", "OrderedDict({})", "from collections import OrderedDict\n\n"),
                                    ("defaultdict", "defaultdict(list, {})", "from collections import defaultdict\n\n"),
                                    ("a dict of one's own", "Row({})", "class Row(dict):\n    pass\n\n")):
            yield f"dict as {name}", work.answered({mapping.id: mapping.as_(answer, above)})


# Libraries


def libraries(work):
    f = work.first
    few = min(work.functions, key=lambda one: len(one.source))
    unpacked = f"plain_{few.id}(*given)"
    jobs = f"def job(given):\n    return {unpacked}\n\n"
    yield "a plot", work.inside("import matplotlib.pyplot as plt\n\nplt.plot([0, 1], [1, 0])\nplt.title('Mine')\n"
                                "plt.show()\n\n")
    yield "a plot saved", work.inside("import matplotlib.pyplot as plt\n\nfigure, axes = plt.subplots()\n"
                                      "axes.bar([0, 1], [1, 2])\nfigure.savefig('mine.png');\n\n")
    yield "tempfile", work.using("with tempfile.TemporaryFile() as file:\n    assert file.write(b'abc') == 3",
                                 "import tempfile\n\n")
    yield "a temporary folder", work.inside("import os, tempfile\n\nwith tempfile.TemporaryDirectory() as folder:\n"
                                            "    open(os.path.join(folder, 'a'), 'w').write('a')\n\n")
    yield "a file written and read", work.inside("from pathlib import Path\n\nPath('notes.txt').write_text('a')\n"
                                                 "assert Path('notes.txt').read_text() == 'a'\n\n")
    yield "a pool of processes", work.answered({few.id: f"from multiprocessing import Pool\n\n{few.plain}\n{jobs}"
                                                f"{few.head}    with Pool(2) as pool:\n        "
                                                f"return pool.map(job, [({few.given},)])[0]\n"})
    yield "a pool of processes in its cell", work.using(
        "assert SQUARES == [0, 1, 4]", "from multiprocessing import Pool\n\ndef square(x):\n    return x * x\n\n"
        "with Pool(2) as pool:\n    SQUARES = pool.map(square, range(3))\n\n")
    yield "an executor of processes", work.answered({
        few.id: f"from concurrent.futures import ProcessPoolExecutor\n\n{few.plain}\n{jobs}{few.head}    "
                f"with ProcessPoolExecutor(1) as pool:\n        return pool.submit(job, ({few.given},)).result()\n"})
    yield "an executor of threads", work.answered({
        few.id: f"from concurrent.futures import ThreadPoolExecutor\n\n{few.plain}\n{jobs}{few.head}    "
                f"with ThreadPoolExecutor(4) as pool:\n        return pool.submit(job, ({few.given},)).result()\n"})
    yield "joblib", work.answered({few.id: f"from joblib import Parallel, delayed\n\n{few.plain}\n{jobs}{few.head}    "
                                           f"return Parallel(n_jobs=1)([delayed(job)(({few.given},))])[0]\n"})
    yield "pickle of one's own function", work.answered({
        f.id: f"import pickle\n\n{f.plain}\n{f.head}    return pickle.loads(pickle.dumps(plain_{f.id}))({f.given})\n"})
    yield "pickle of one's own class", work.using(
        "assert pickle.loads(pickle.dumps(Box(3))).held == 3",
        "import pickle\n\nclass Box:\n    def __init__(self, held):\n        self.held = held\n\n")
    yield "the source of one's own function", work.answered({f.id: f.as_("{}", "import inspect\n\n") + (
        f"\nassert 'return' in inspect.getsource({f.name})\n")})
    yield "logging", work.using("logging.info('called')", "import logging\n\nlogging.basicConfig(level='INFO')\n\n")
    yield "warnings", work.using("warnings.warn('careful')", "import warnings\n\nwarnings.simplefilter('always')\n\n")
    yield "random", work.using("assert 0 <= random.random() < 1",
                               "import random\n\nrandom.seed(0)\nnp.random.seed(0)\n\n")
    yield "pandas", work.using("assert TABLE.a.sum() == 3", "import pandas as pd\n\n"
                               "TABLE = pd.DataFrame({'a': [1, 2]})\nTABLE.head()\n\n")
    yield "scipy", work.using("assert special.xlogy(0, 0) == 0", "from scipy import special\n\n")
    yield "environment", work.using("assert os.environ['MINE'] == '1'", "import os\n\nos.environ['MINE'] = '1'\n"
                                                                        "os.environ.get('HOME')\n\n")
    yield "a thousand lines", work.inside(below="\nfor i in range(1_000):\n    print('line', i)\n")
    yield "prints in the function", work.using("print('called with', locals())")
    yield "widgets", work.inside("import ipywidgets as widgets\n\nslider = widgets.IntSlider(3)\nslider\n\n")
    yield "a bar of progress", work.inside("from tqdm.auto import tqdm\n\nfor _ in tqdm(range(3)):\n    pass\n\n")
    yield "time and sleep", work.inside("import time\n\ntime.sleep(.2)\n\n")
    yield "a thread that has ended", work.inside("import threading\n\nthread = threading.Thread(target=print)\n"
                                                 "thread.start()\nthread.join()\n\n")
    yield "a process that has ended", work.inside("import subprocess, sys\n\nsubprocess.run([sys.executable, '-c', "
                                                  "'print(1)'], capture_output=True)\n\n")
    yield "settings of numpy", work.inside("np.set_printoptions(precision=3, suppress=True)\n\n")
    yield "Python's own modules", work.inside(
        "import math, statistics, typing, enum, abc, json, re, itertools, heapq, bisect, sqlite3, decimal\n\n")


# Answers in words


def written(work):
    question, last = work.questions[0], work.questions[-1]
    text = "By chance some come out more often than others, and that looks like a relation."
    left = {question: EMPTY}
    yield "words below the question, in a new cell", work.adding(markdown(text), after=question,
                                                               notebook=work.answered(left))
    yield "words above the answer's cell", work.adding(markdown(text), before=question, notebook=work.answered(left))
    replaced = work.fresh()
    for grade_id in work.questions:
        replaced["cells"][work.at(replaced, grade_id)] = markdown(text)
    yield "words in cells of one's own in the place of the answers'", replaced
    deleted = work.answered({question: EMPTY})
    deleted["cells"].pop(work.at(deleted, question))
    yield "words in a new cell, the answer's deleted", work.adding(markdown(text), after=f"{question}-text",
                                                                 notebook=deleted)
    both = "\n\n".join(f"**{grade_id}**: {text}" for grade_id in work.questions)
    yield "words for both in one cell at the end", work.adding(
        markdown(both), notebook=work.answered(dict.fromkeys(work.questions, EMPTY)))
    tests = work.answered(left)
    place = max(work.at(tests, f"{function.id}-tests") for function in work.functions)
    tests["cells"][place] = markdown(text, metadata=tests["cells"][place]["metadata"])
    yield "words in the place of a check", tests
    yield "words in the question's own cell", work.answered({
        f"{question}-text": work.cell(work.notebook, f"{question}-text")["source"] + f"\n\n{text}", question: EMPTY})
    typed = work.answered(left)
    work.cell(typed, question).update(code(f"# {text}", metadata=work.cell(typed, question)["metadata"]))
    yield "words in a code cell", typed
    typed = work.fresh()
    work.cell(typed, question)["cell_type"] = "raw"
    yield "words in a raw cell", typed
    for name, source in {
            "a heading and a text": f"# My answer\n\n{text}", "an image": "![curve](https://example.org/curve.png)",
            "latex": r"$$I(X; Y) = \sum_{x, y} p \log_2 \frac{p}{p_x p_y}$$", "a table": "|a|b|\n|-|-|\n|1|2|",
            "markup": "<b>Because</b> of <i>chance</i>.<br>", "one word": "Chance.", "another language": "Weil Zufall.",
            "text below what was there": f"{EMPTY}\n\n{text}", "code": "```python\nx = 1\n```",
            "a line like a magic": "%%timing is all", "a list": "- chance\n- few examples"}.items():
        yield f"words as {name}", work.answered({question: source})
    attached = work.answered({last: "![mine](attachment:mine.png)"})
    work.cell(attached, last)["attachments"] = {"mine.png": {"image/png": PIXEL}}
    yield "words as an attached image", attached


# Names of files


def names(work):
    raw, name = written_out(work.fresh()), work.assignment
    for title, path in {
            "a second download": f"{name} (1).ipynb", "a second download, with a line": f"{name}-1.ipynb",
            "final": f"{name}_final.ipynb", "a copy": f"Copy of {name}.ipynb", "jupyter's copy": f"{name}-Copy1.ipynb",
            "capital ending": f"{name}.IPYNB", "capitals": f"{name.upper()}.ipynb",
            "a student's name before": f"ann_{name}.ipynb",
            "a student's name after": f"{name}_ann_müller.ipynb", "a subfolder": f"{name}/{name}.ipynb",
            "a subfolder and another name": f"my work/{name} (2).ipynb"}.items():
        yield f"file as {title}", raw, path
    mac = b"\0\5\x16\7\0\2\0\0Mac OS X        "
    yield "zip of a mac", _zip({f"{name}.ipynb": raw, f"__MACOSX/._{name}.ipynb": mac, ".DS_Store": b"\0\0\0\1Bud1"}), (
        f"{name}.zip")
    yield "zip with a folder", _zip({f"{name}/": b"", f"{name}/{name}.ipynb": raw}), f"{name}.zip"
    before = written_out(work.answered({work.first.id: work.first.draft}))
    yield "zip with a checkpoint", _zip({f".ipynb_checkpoints/{name}-checkpoint.ipynb": before,
                                         f"{name}.ipynb": raw}), f"{name}.zip"


def _zip(contents):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in contents.items():
            archive.writestr(zipfile.ZipInfo(path, (2026, 1, 2, 3, 4, 6)), content)
    return file.getvalue()


# Cells with errors, and damaged ones


def stray(work):
    for name, source in {"a division by zero": "1/0", "an unknown name": "undefined_name + 1", "no Python": "for in :(",
                         "an unknown module": "import a_module_that_is_not_there", "an assert": "assert False, 'why?'",
                         "a check of nothing": 'check("99.nothing", print)'}.items():
        yield f"stray {name}", work.adding(code(source), before=work.first.id)
    yield "stray error in the answer's cell", work.inside(below="\nprint(undefined_name)")


def damaged(work):
    for name, cell in {"an unknown kind": {"cell_type": "sql", "metadata": {}, "source": "select 1"},
                       "no kind": {"metadata": {}, "source": "x"}, "a number": 3, "null": None,
                       "no metadata": {"cell_type": "markdown", "source": "Notes"},
                       "metadata null": code("x = 1", metadata=None), "source null": code(None),
                       "outputs null": code("x = 1", outputs=None)}.items():
        notebook = work.fresh()
        notebook["cells"].insert(2, cell)
        yield f"damaged {name}", notebook
