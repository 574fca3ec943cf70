"""The hygiene of notebooks: what would make a comparison of outputs pass by accident, or a page untidy."""

import ast
import re
import subprocess
import symtable
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbval.plugin import find_comment_markers, find_metadata_tags, get_sanitize_patterns

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LARGEST = 3_000_000  # bytes
MACHINE_PATH = re.compile(r"(?<![\w.~/:-])/(?:home|root|tmp|Users|work|mnt|opt|var|private)/\w"
                          r"|\b[A-Za-z]:\\+Users\\|/site-packages/|\bipykernel_\d+")
# nbval takes a mark only if it stands alone on its line; the reason follows on the next.
KEPT = {"because", "jupyter", "tags"}  # of a cell's metadata: why it is not compared, whether it is folded
MARK = re.compile(r"^[ \t]*#+[ \t]*(?:NBVAL|PYTEST_VALIDATE)_\w+(.*)$", re.MULTILINE)
REASON = re.compile(r"^[ \t]*#[ \t]*because:?[ \t]+\S+[ \t]+\S", re.MULTILINE | re.IGNORECASE)
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
METADATA = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
WIDGET = "application/vnd.jupyter.widget-view+json"


def code_cells(notebook):
    return [(number, cell) for number, cell in enumerate(notebook.cells) if cell.cell_type == "code"]


def options(cell):
    """What nbval makes of the marks of a cell: for example {"check": False}."""
    return {**dict(find_metadata_tags(cell.metadata)), **dict(find_comment_markers(cell.source))}


def is_compared(cell):
    found = options(cell)
    return cell.execution_count is not None and found.get("check", True) and not found.get("skip")


def texts(cell):
    """Everything of a cell that a reader could see, but for pictures."""
    yield cell.source
    for output in cell.get("outputs", []):
        yield output.get("text", "")
        yield from output.get("traceback", [])
        yield from (str(value) for kind, value in output.get("data", {}).items()
                    if not kind.startswith(("image/", "video/")) or kind == "image/svg+xml")


def unexecuted(notebook):
    return [f"cell {n}: not executed" for n, cell in code_cells(notebook) if cell.execution_count is None]


def out_of_order(notebook):
    counts = [cell.execution_count for _, cell in code_cells(notebook)]
    wanted = list(range(1, len(counts) + 1))
    return [] if counts == wanted or None in counts else [f"execution counts {counts}: not 1, 2, ..."]


def trailing_semicolon(notebook):
    return [f"cell {n}: ends with `;`, which nbval does not honour" for n, cell in code_cells(notebook)
            if re.sub(r"\s*#.*$", "", cell.source.rstrip().rpartition("\n")[2]).rstrip().endswith(";")]


def unexplained_mark(notebook):
    problems = []
    for n, cell in code_cells(notebook):
        if any(rest.strip() for rest in MARK.findall(cell.source)):
            problems.append(f"cell {n}: nbval overlooks a mark that does not stand alone on its line")
        told = REASON.search(cell.source) or len(str(cell.metadata.get("because", "")).split()) > 1
        if (options(cell) or MARK.search(cell.source)) and not told:
            problems.append(f"cell {n}: a mark for nbval without a reason, in its metadata or as `# because: ...`")
    return problems


def stored_error(notebook):
    return [f"cell {n}: a stored error" for n, cell in code_cells(notebook)
            if not options(cell).get("check_exception")
            and any(output.output_type == "error" for output in cell.outputs)]


def stderr(notebook):
    return [f"cell {n}: output on stderr" for n, cell in code_cells(notebook)
            if any(output.get("name") == "stderr" for output in cell.outputs)]


def machine_path(notebook):
    return [f"cell {n}: a path of one machine: {found[0]}" for n, cell in enumerate(notebook.cells)
            for text in texts(cell) if (found := MACHINE_PATH.search(text))]


def hardly_compared(notebook):
    cells = [cell for _, cell in code_cells(notebook)]
    compared = sum(map(is_compared, cells))
    few = not cells or compared < len(cells) / 2
    return [f"only {compared} of {len(cells)} code cells are compared"] if few else []


def too_large(notebook):
    size = len(nbformat.writes(notebook).encode())
    return [f"{size:,} bytes; at most {LARGEST:,}"] if size > LARGEST else []


def untidy_metadata(notebook):
    problems = []
    if notebook.metadata != METADATA:
        problems.append(f"metadata: expected {METADATA}, got {notebook.metadata}")
    for n, cell in enumerate(notebook.cells):
        if extra := set(cell.metadata) - KEPT:
            problems.append(f"cell {n}: metadata {sorted(extra)}")
        if any(WIDGET in output.get("data", {}) for output in cell.get("outputs", [])):
            problems.append(f"cell {n}: a stored widget, shown as an error when the notebook is opened")
    return problems


def no_duration(notebook):
    first = next((cell.source for cell in notebook.cells if cell.cell_type == "markdown"), "")
    return [] if re.search(r"\bminutes?\b", first) else ["the first text does not say how many minutes"]


def lonely_framework_cell(notebook):
    def chosen(cell):
        first = (cell.source.split("\n", 1)[0].split() or [""])[0] if cell.cell_type == "code" else ""
        return first if first in ("%%pytorch", "%%keras") else ""

    kinds = [*map(chosen, notebook.cells), ""]
    problems = [f"cell {n}: %%pytorch without %%keras right below" for n, kind in enumerate(kinds)
                if kind == "%%pytorch" and kinds[n + 1] != "%%keras"]
    return problems + [f"cell {n}: %%keras without %%pytorch right above" for n, kind in enumerate(kinds)
                       if kind == "%%keras" and (n == 0 or kinds[n - 1] != "%%pytorch")]


def undefined_names(notebook, framework):
    """What the cells that run in a framework use, and neither they nor Python define."""
    other = {"pytorch": "%%keras", "keras": "%%pytorch"}[framework]
    script = "\n".join(cell.source.removeprefix(f"%%{framework}") for _, cell in code_cells(notebook)
                       if not cell.source.startswith(other))
    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F821", "--output-format", "concise", "-"]
    found = subprocess.run(ruff, input=script, capture_output=True, encoding="utf-8").stdout
    assert "F821" in found or "All checks passed" in found, found
    return re.findall(r"Undefined name `(\w+)`", found)


CLOCKS = {"perf_counter", "perf_counter_ns", "monotonic", "monotonic_ns", "process_time", "process_time_ns",
          "thread_time", "time_ns", "timeit", "default_timer", "measure_latency", "eval_seconds"}


def timed_claim(notebook):
    """Claims that depend on a clock: they would stop a notebook on a busy computer."""
    trees = [(n, ast.parse(re.sub(r"^%%?", "# ", cell.source, flags=re.M))) for n, cell in code_cells(notebook)]
    timed = set()

    def depends(node):
        return any(isinstance(part, ast.Name) and part.id in timed
                   or isinstance(part, ast.Attribute) and (part.attr in CLOCKS or ast.unparse(part) == "time.time")
                   or isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id in CLOCKS
                   for part in ast.walk(node))

    def names(target):
        if isinstance(target, (ast.Tuple, ast.List)):
            return set().union(*map(names, target.elts))
        while isinstance(target, (ast.Subscript, ast.Attribute, ast.Starred)):
            target = target.value
        return {target.id} if isinstance(target, ast.Name) else set()

    problems = []
    for n, tree in trees:
        for node in [*ast.walk(tree), *ast.walk(tree)]:  # a name may be used above where it is set, as in a loop
            if isinstance(node, ast.Assign) and depends(node.value):
                timed.update(*map(names, node.targets))
            elif isinstance(node, (ast.AugAssign, ast.AnnAssign, ast.NamedExpr)) and node.value and depends(node.value):
                timed.update(names(node.target))
            elif isinstance(node, (ast.For, ast.comprehension)) and depends(node.iter):
                timed.update(names(node.target))
            elif isinstance(node, ast.FunctionDef) and depends(node):
                timed.add(node.name)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(
                    node.func.value, ast.Name) and any(map(depends, node.args)) and node.func.attr in (
                    "append", "extend", "add", "update", "setdefault", "insert"):
                timed.add(node.func.value.id)
        problems += [f"cell {n}: the claim {ast.unparse(call.args[0])} depends on a clock" for call in ast.walk(tree)
                     if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "claim"
                     and len(call.args) > 1 and depends(call.args[1])]
    return problems


def broken_panel(notebook):
    """Panels that read, also by way of other functions, what a later cell binds anew: moved then, they fail or lie."""
    tables = [(n, symtable.symtable(re.sub(r"^%%?", "# ", cell.source, flags=re.M), f"cell {n}", "exec"), cell.source)
              for n, cell in code_cells(notebook)]

    def read_in(table):
        own = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global()}
        return own.union(*map(read_in, table.get_children()))

    reads, problems = {}, []
    for place, (n, table, source) in enumerate(tables):
        reads |= {child.get_name(): read_in(child) for child in table.get_children()}
        for draw in re.findall(r"\bpanel\((\w+)", source):
            used, waiting = set(), [draw]
            while waiting:
                new = reads.get(waiting.pop(), set()) - used
                used, waiting = used | new, [*waiting, *new]
            for later, other, _ in tables[place + 1:]:
                bound = {symbol.get_name() for symbol in other.get_symbols() if symbol.is_assigned()}
                problems += [f"cell {n}: {draw} reads {name}, which cell {later} binds anew" for name in bound & used]
    return problems


def picture_without_alt(notebook):
    """Pictures that say nothing to those who cannot see them."""
    return [f"cell {number}: a picture without alt text" for number, cell in code_cells(notebook)
            for output in cell.outputs if "image/png" in output.get("data", {})
            and not output.get("metadata", {}).get("image/png", {}).get("alt")]


RULES = [unexecuted, out_of_order, trailing_semicolon, unexplained_mark, stored_error, stderr, machine_path,
         hardly_compared, too_large, untidy_metadata, no_duration, lonely_framework_cell, timed_claim,
         broken_panel, picture_without_alt]


def test_there_are_notebooks():
    names = [path.stem for path in NOTEBOOKS]
    assert "00_start_here" in names and "01_dqn" in names, names


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook(path, rule):
    assert rule(nbformat.read(str(path), as_version=4)) == []


@pytest.mark.parametrize("framework", ["pytorch", "keras"])
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_names_are_defined(path, framework):
    assert undefined_names(nbformat.read(str(path), as_version=4), framework) == []


def test_undefined_names_are_found():
    book = notebook(code("%%pytorch\nimport torch"), code("%%keras\nx = keras.ops"), code("torch.ones(x)"))
    assert undefined_names(book, "pytorch") == ["x"] and undefined_names(book, "keras") == ["keras", "torch"]


# The rules themselves: a clean notebook breaks none, and each bad one breaks just the rule it is made for.

def code(source="1", *outputs, count=1, **metadata):
    return new_code_cell(source, execution_count=count, outputs=list(outputs), metadata=metadata)


def notebook(*cells, duration="Takes two minutes.", **metadata):
    return new_notebook(cells=[new_markdown_cell(duration), *cells], metadata={**METADATA, **metadata})


def text(content):
    return new_output("display_data", {"text/plain": content})


def clean():
    ignored = "# NBVAL_IGNORE_OUTPUT\n# because: it shows this machine's hardware\ndevices()"
    error = new_output("error", ename="ZeroDivisionError")
    return notebook(code("a = 1; b = 2  # one; two;\na", text("1")), code(ignored, text("cpu"), count=2),
                    code("%%pytorch\nx = 1", count=3), code("%%keras\nx = 1", count=4),
                    code("# because: that is the bug\n1 / 0", error, count=5, tags=["raises-exception"]),
                    code("start = perf_counter()\nclaim('more', 2 > 1, seconds=perf_counter() - start)", count=6),
                    code("print('see /home, https://example.org/home/x, ../tmp/x')", count=7),
                    code("at = 2\ndef draw(x):\n    here = x + at\n    return here\npanel(draw, x=1)", count=8),
                    code("here = [at for at in (1, 2)]\ndef draw(at):\n    return at", count=9))


NO_REASON = "# NBVAL_IGNORE_OUTPUT\n1"
BAD = [
    (unexecuted, notebook(code(), code(count=None))),
    (out_of_order, notebook(code(), code(count=3))),
    (out_of_order, notebook(code(count=2), code(count=1))),
    (trailing_semicolon, notebook(code("plot(1);"))),
    (trailing_semicolon, notebook(code("plot(1);  # quiet \n\n"))),
    (unexplained_mark, notebook(code(NO_REASON), code(count=2))),
    (unexplained_mark, notebook(code("# NBVAL_SKIP\n1"), code(count=2))),
    (unexplained_mark, notebook(code("# NBVAL_IGNORE_OUTPUT\n# because\n1"), code(count=2))),
    (unexplained_mark, notebook(code("# NBVAL_IGNORE_OUTPUT: because it ticks\n# because: it ticks\n1"))),
    (unexplained_mark, notebook(code(tags=["nbval-ignore-output"]), code(count=2))),
    (unexplained_mark, notebook(code(tags=["nbval-skip"]), code(count=2))),
    (unexplained_mark, notebook(code(tags=["raises-exception"]))),
    (stored_error, notebook(code("1 / 0", new_output("error", ename="ZeroDivisionError")))),
    (stderr, notebook(code("warn()", new_output("stream", name="stderr", text="careful")))),
    (machine_path, notebook(code("open('/home/ann/x')"))),
    (machine_path, notebook(code("p", text("PosixPath('/home/x')")))),
    (machine_path, notebook(code("p", new_output("stream", text="saved to /tmp/x\n")))),
    (machine_path, notebook(code("p", text(r"C:\Users\ann")))),
    (machine_path, notebook(code("p", new_output("display_data", {"text/html": "<i>/Users/ann/x</i>"})))),
    (machine_path, notebook(new_markdown_cell("look into /home/ann/course"), code())),
    (hardly_compared, notebook(code("# NBVAL_IGNORE_OUTPUT\n# because: the clock ticks\n1"),
                               code("# NBVAL_SKIP\n# because: it is slow\n1", count=2), code(count=3))),
    (hardly_compared, notebook()),
    (too_large, notebook(code("p", text("x" * 3_000_000)))),
    (untidy_metadata, notebook(code(), kernelspec={**KERNEL, "name": "course"})),
    (untidy_metadata, notebook(code(), widgets={})),
    (untidy_metadata, notebook(code(execution={"iopub.status.busy": "2026-01-01T00:00:00Z"}))),
    (untidy_metadata, notebook(code("p", new_output("display_data", {WIDGET: {"model_id": "1"}})))),
    (no_duration, notebook(code(), duration="# Deep Q-learning")),
    (lonely_framework_cell, notebook(code("%%pytorch\n1"), code(count=2))),
    (lonely_framework_cell, notebook(code("%%keras\n1"))),
    (lonely_framework_cell, notebook(code("%%pytorch\n1"), new_markdown_cell("x"),
                                     code("%%keras\n1", count=2))),
    (lonely_framework_cell, notebook(code("%%pytorch\n1"), code("%%keras\n1", count=2),
                                     code("%%keras\n1", count=3))),
    (timed_claim, notebook(code("start = time.perf_counter()\nclaim('fast', time.monotonic() < start + 1)"))),
    (timed_claim, notebook(code("took = []\ntook.append(perf_counter())\nbest = min(took)"),
                           code("claim('fast', bool(best < 1))", count=2))),
    (timed_claim, notebook(code("def run():\n    return perf_counter()\nfor a in [run()]:\n    claim('fast', a < 1)"))),
    (broken_panel, notebook(code("at = 2\ndef draw(x):\n    return x + at\npanel(draw, x=1)"),
                            code("at = 3", count=2))),
    (broken_panel, notebook(code("def of(x):\n    return [x + a for a in at]\nat = [2]"),
                            code("panel(lambda x: 1)\ndef draw(x):\n    return of(x)\npanel(draw, x=1)", count=2),
                            code("for at in range(3):\n    print(at)", count=3))),
    (picture_without_alt, notebook(code("p", new_output("display_data", {"image/png": "x"})))),
    (timed_claim, notebook(code("a, b = nets.measure_latency([x, y], images)\nclaim('faster', b < a)"))),
]


def test_clean_notebook_breaks_no_rule():
    assert {rule.__name__: rule(clean()) for rule in RULES} == {rule.__name__: [] for rule in RULES}


@pytest.mark.parametrize(("rule", "bad"), BAD, ids=[f"{rule.__name__}{n}" for n, (rule, _) in enumerate(BAD)])
def test_bad_notebook_breaks_its_rule_alone(rule, bad):
    assert [found.__name__ for found in RULES if found(bad)] == [rule.__name__]


def test_every_rule_has_a_bad_notebook():
    assert {rule for rule, _ in BAD} == set(RULES)


@pytest.mark.parametrize(("output", "left"), [
    ("<object at 0x7f3cc5ba71e0>", "<object at ADDRESS>"),
    (" 40%|####      | 40/100 [00:01<00:02, 25.3it/s]", "PROGRESS"),
    ("40it [00:01, 25.3it/s]", "PROGRESS"),
    ("Time: 1.25 s\nreturn: 475", "Time: DURATION\nreturn: 475"),
    (r"VBox((Image(value=b'\x89PNG', format='png'),))", "VBox((Image(value=PICTURE, format='png'),))"),
    ("✓ 40% of 100 [1, 2] in 0x12, Time: 3", "✓ 40% of 100 [1, 2] in 0x12, Time: 3"),
    ("a|b|c 3/4\nmean 1.5 s", "a|b|c 3/4\nmean 1.5 s"),
    ("✓ a is below b (a 0.31; b 0.5)\n✓ it settles", "✓ a is below b (FIGURES)\n✓ it settles"),
    ("✓ f(x) is above (or at) 1 (x 0.95, 95 % interval 0.9 to 1)", "✓ f(x) is above (or at) 1 (FIGURES)"),
    ("it is below b (a 0.31)", "it is below b (a 0.31)"),
])
def test_sanitizing(output, left):
    patterns = get_sanitize_patterns((ROOT / "tests/nbval_sanitize.cfg").read_text(encoding="utf-8"))
    for pattern, replacement in patterns:
        output = re.sub(pattern, replacement, output)
    assert output == left
