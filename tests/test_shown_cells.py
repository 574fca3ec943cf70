"""What a notebook shows as the heart of an algorithm is the library's own code.

Below `%%pytorch` or `%%keras` such a cell names what it shows: `# shown: course_lib.dqn.in_pytorch.td_loss`
(several names: separated by commas, or one such line above each function).
"""

import ast
import difflib
import re
from pathlib import Path
from textwrap import indent

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
HEADER = re.compile(r"^# shown: *(.*?) *$", re.MULTILINE)
FRAMEWORK = {"%%pytorch": "in_pytorch", "%%keras": "in_keras"}
DEFINITION = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def shown_names(cell):
    """The full names in the headers of a code cell."""
    found = HEADER.findall(cell.source) if cell.cell_type == "code" else []
    return [name.strip() for line in found for name in line.split(",")]


def definition(source, name):
    """The definition of a function, a class or a method ("DQNAgent.act") in a source, or None."""
    node = ast.parse(source)
    for part in name.split("."):
        node = next((n for n in node.body if isinstance(n, DEFINITION) and n.name == part), None)
        if node is None:
            return None
    return node


def bare(node):
    """The syntax tree without docstrings, comments and layout, as text."""
    for inner in ast.walk(node):
        if isinstance(inner, DEFINITION) and ast.get_docstring(inner) is not None:
            inner.body = inner.body[1:] or [ast.Pass()]
    return ast.unparse(node)


def library_source(name, root):
    """The source of the module that a full name begins with (or None), and the name inside it."""
    parts = name.split(".")
    for size in range(len(parts) - 1, 0, -1):
        path = root.joinpath(*parts[:size]).with_suffix(".py")
        if path.is_file():
            return path.read_text(encoding="utf-8"), ".".join(parts[size:])
    return None, ""


def cell_problems(cell, root=ROOT):
    """What is wrong with the shown functions of one cell, in words."""
    problems, magic = [], cell.source.split("\n", 1)[0].strip()
    code = cell.source.partition("\n")[2] if magic in FRAMEWORK else cell.source
    for name in shown_names(cell):
        twin = re.search(r"\.(?:\w+_)?(in_(?:pytorch|keras))\.", name)
        if (twin and twin[1]) != FRAMEWORK.get(magic):
            problems.append(f"{name}: stands in a cell of {magic if magic in FRAMEWORK else 'no framework'}")
        source, inside = library_source(name, root)
        original = definition(source, inside) if source else None
        shown = definition(code, inside.rpartition(".")[2]) if original else None
        if original is None:
            problems.append(f"{name}: there is no such function in the library")
        elif shown is None:
            problems.append(f"{name}: the cell does not define it")
        elif bare(shown) != bare(original):
            pair = bare(original).splitlines(), bare(shown).splitlines()
            problems.append("\n".join([f"{name}: differs", *difflib.unified_diff(*pair, "library", "cell")]))
    return problems


def unpaired(notebook):
    """Names shown for one framework and not for the other."""
    names = {name for cell in notebook.cells for name in shown_names(cell)}
    other = {"in_pytorch": "in_keras", "in_keras": "in_pytorch"}
    return sorted(n for n in names if re.sub("in_(pytorch|keras)", lambda m: other[m[0]], n) not in names)


def test_there_are_notebooks():
    assert any(path.stem == "01_dqn" for path in NOTEBOOKS)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_shows_what_the_library_runs(path):
    notebook = nbformat.read(str(path), as_version=4)
    if path.stem not in ("00_start_here", "teacher_dashboard"):  # they teach no algorithm
        assert any(map(shown_names, notebook.cells)), "shows no function of the library"
    assert [problem for cell in notebook.cells for problem in cell_problems(cell)] == []
    assert unpaired(notebook) == []


# The rules themselves, on a small library of their own.

LIBRARY = '''
@torch.no_grad()
def act(obs, *, epsilon=0.1):
    """Choose an action."""
    return obs + epsilon  # a comment


class Agent:
    """Acts."""

    def update(self, batch):
        """Learn."""
        return batch
'''
ACT = "@torch.no_grad()\ndef act(obs, *, epsilon=0.1):\n    return (obs + epsilon)\n"
UPDATE = 'def update(self, batch):\n    "Other words."\n    return batch\n'
HEAD = "%%pytorch\n# shown: lib.toy.in_pytorch."


@pytest.fixture
def root(tmp_path):
    for file in ("in_pytorch.py", "in_keras.py", "scores.py"):
        path = tmp_path / "lib/toy" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(LIBRARY, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("source", [
    f"{HEAD}act\n{ACT}",
    f"{HEAD}act\nimport torch\n\n# another comment\n{ACT}\nact(1)",
    f"{HEAD}act, lib.toy.in_pytorch.Agent.update\n{ACT}{UPDATE}",
    f"{HEAD}act\n{ACT}\n# shown: lib.toy.in_pytorch.Agent\nclass Agent:\n{indent(UPDATE, '    ')}",
    f"# shown: lib.toy.scores.act\n{ACT}",
    "%%pytorch\nact = None",
])
def test_good_cells(root, source):
    assert cell_problems(new_code_cell(source), root) == []


@pytest.mark.parametrize(("source", "problem"), [
    (f"{HEAD}act\n{ACT.replace('0.1', '0.2')}", "differs"),
    (f"{HEAD}act\n{ACT.replace('@torch.no_grad()', '')}", "differs"),
    (f"{HEAD}act\n{ACT.replace('obs +', 'obs -')}", "differs"),
    (f"{HEAD}act\n{ACT.replace('return', 'print(obs); return')}", "differs"),
    (f"{HEAD}act\nact = 1", "does not define"),
    (f"{HEAD}act, lib.toy.in_pytorch.Agent\n{ACT}", "does not define"),
    (f"{HEAD}atc\n{ACT}", "no such function"),
    (f"%%pytorch\n# shown: lib.toys.in_pytorch.act\n{ACT}", "no such function"),
    (f"%%keras\n# shown: lib.toy.in_pytorch.act\n{ACT}", "cell of %%keras"),
    (f"# shown: lib.toy.in_keras.act\n{ACT}", "cell of no framework"),
    (f"%%keras\n# shown: lib.toy.scores.act\n{ACT}", "cell of %%keras"),
])
def test_bad_cells(root, source, problem):
    (found,) = cell_problems(new_code_cell(source), root)
    assert problem in found


def test_unpaired():
    shown = "a.in_pytorch.f, a.in_pytorch.g", "a.in_keras.f"
    cells = [new_code_cell(f"# shown: {names}") for names in shown]
    assert unpaired(new_notebook(cells=cells)) == ["a.in_pytorch.g"]
    assert unpaired(new_notebook(cells=[new_code_cell("# shown: a.in_keras.f")])) == ["a.in_keras.f"]
    assert unpaired(new_notebook(cells=[new_code_cell("# shown: a.scores.f")])) == []
