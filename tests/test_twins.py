"""`in_pytorch.py` and `in_keras.py` of a topic can be laid side by side, and so other files with these endings; and the
library stays small.

Read with `ast`: no framework is needed.
"""

import ast
import io
import tokenize
from collections import Counter
from pathlib import Path

import pytest

LIBRARY = Path(__file__).resolve().parents[1] / "course_lib"
PAIRS = sorted({str(path.relative_to(LIBRARY)).removesuffix(ending) for ending in ("in_pytorch.py", "in_keras.py")
                for path in LIBRARY.glob(f"*/*{ending}")})
# Methods whose name a framework prescribes: they have no counterpart.
HOOKS = {"forward", "call", "build", "compute_loss", "compute_output_shape", "get_config", "train_step"}
MOST = {"file": 320, "function": 45, "file of exercises": 450,  # lines of code; exercises are mostly data
        "exercises": 5900, "classroom": 1984, "the rest": 6364}


def is_public(node):
    return not node.name.startswith("_")


def definitions(tree):
    """Yield (full name, node) of the public functions, classes and their public methods, in order."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and is_public(node):
            yield node.name, node
            for inner in node.body if isinstance(node, ast.ClassDef) else []:
                if isinstance(inner, ast.FunctionDef) and inner.name not in HOOKS:
                    if is_public(inner) or inner.name == "__init__":
                        yield f"{node.name}.{inner.name}", inner


def exported(tree):
    """The names in __all__, in order."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return []


def signature(node):
    """Names, kinds and defaults of the arguments, as text; of a class, nothing."""
    if isinstance(node, ast.ClassDef):
        return ""
    arguments = node.args
    for argument in ast.walk(arguments):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    kinds = [name for name in map(ast.unparse, node.decorator_list)
             if name in ("property", "classmethod", "staticmethod")]
    return " ".join([*kinds, f"({ast.unparse(arguments)})"])


def summary(node):
    """The docstring up to its first empty line, on one line."""
    return " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split())


def differences(pytorch, keras):
    """How the sources of two twins differ in what a learner sees from outside, in words."""
    trees = ast.parse(pytorch), ast.parse(keras)
    first, second = (dict(definitions(tree)) for tree in trees)
    problems = [f"only in PyTorch: {name}" for name in first if name not in second]
    problems += [f"only in Keras: {name}" for name in second if name not in first]
    common = [name for name in first if name in second]
    if common != [name for name in second if name in first]:
        problems.append(f"order: PyTorch {list(first)}, Keras {list(second)}")
    for name in common:
        for what in (signature, summary):
            ours, theirs = what(first[name]), what(second[name])
            if ours != theirs:
                problems.append(f"{what.__name__} of {name}: PyTorch {ours}, Keras {theirs}")
    for title, tree, found in zip(("PyTorch", "Keras"), trees, (first, second), strict=True):
        problems += [f"{title}: no docstring: {name}" for name, node in found.items()
                     if not summary(node) and not name.endswith("__init__")]
        missing = [name for name in found if "." not in name and name not in exported(tree)]
        problems += [f"{title}: not in __all__: {name}" for name in missing]
    if exported(trees[0]) != exported(trees[1]):
        problems.append(f"__all__: PyTorch {exported(trees[0])}, Keras {exported(trees[1])}")
    return problems


def code_lines(node, source):
    """The numbers of the lines inside a node that hold code: no blank lines, comments or docstrings."""
    documented = ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef
    docstrings, lines = set(), set()
    for inner in ast.walk(node):
        if isinstance(inner, documented) and ast.get_docstring(inner):
            docstrings.update(range(inner.body[0].lineno, inner.body[0].end_lineno + 1))
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if tokenize.tok_name[token.type] in ("NAME", "NUMBER", "OP", "STRING", "FSTRING_START", "FSTRING_MIDDLE"):
            lines.update(range(token.start[0], token.end[0] + 1))
    first, last = (1, float("inf")) if isinstance(node, ast.Module) else (node.lineno, node.end_lineno)
    return {line for line in lines - docstrings if first <= line <= last}


def too_long(sources):
    """Which of the sources {name: text} break the limits of size, in words."""
    problems, rooms = [], Counter()
    for name, source in sources.items():
        tree = ast.parse(source)
        n = len(code_lines(tree, source))
        room = Path(name).parts[0]
        rooms[room if room in MOST else "the rest"] += n
        most = MOST["file of exercises" if room == "exercises" else "file"]
        problems += [f"{name}: {n} lines of code; at most {most}"] * (n > most)
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                n = len(code_lines(node, source))
                if n > MOST["function"]:
                    problems.append(f"{name}, {node.name}: {n} lines of code; at most {MOST['function']}")
    return problems + [f"{room}: {n} lines of code; at most {MOST[room]}"
                       for room, n in rooms.items() if n > MOST[room]]


def test_there_are_topics():
    assert {"dqn/", "gan/", "gan/networks_"} <= set(PAIRS)


@pytest.mark.parametrize("start", PAIRS)
def test_twins(start):
    pair = [LIBRARY / f"{start}in_{name}.py" for name in ("pytorch", "keras")]
    assert [path.name for path in pair if not path.exists()] == []
    assert differences(*(path.read_text(encoding="utf-8") for path in pair)) == []


def test_the_library_is_small():
    files = sorted(LIBRARY.rglob("*.py"))
    assert files
    sources = {str(path.relative_to(LIBRARY)): path.read_text(encoding="utf-8") for path in files}
    assert too_long(sources) == []


# The rules themselves.

GOOD = '''
__all__ = ["Batch", "Agent", "loss"]

def loss(q, target, *, delta=1.0):
    """Squared error.

    More words.
    """

class Agent:
    """Acts."""
    def __init__(self, net): pass
    def act(self, obs):
        """Choose."""
    @property
    def steps(self):
        """Count."""
    def _private(self): pass

def _helper(): pass
'''


def test_good_twins():
    other = GOOD
    for old, new in [("More words.", "Other words."), ("_helper()", "_other(x)"), ("obs)", "obs: int)"),
                     ("class Agent:", "class Agent(keras.Model):"), ("_private(self)", "call(self, x)")]:
        assert old in other
        other = other.replace(old, new)
    assert differences(GOOD, other) == []


@pytest.mark.parametrize(("old", "new", "problem"), [
    ("def loss", "def los", "only in PyTorch: loss"),
    ("def act", "def choose", "only in Keras: Agent.choose"),
    ("_helper", "helper", "only in Keras: helper"),
    ("target, *", "wanted, *", "signature of loss"),
    ("delta=1.0", "delta=2.0", "signature of loss"),
    (", *, delta", ", delta", "signature of loss"),
    ("(self, net)", "(self)", "signature of Agent.__init__"),
    ("    @property\n", "", "signature of Agent.steps"),
    ("Squared error.", "Huber's error.", "summary of loss"),
    ('"""Choose."""', "pass", "Keras: no docstring: Agent.act"),
    ('"Batch", ', "", "__all__"),
    ('"Agent", "loss"', '"loss", "Agent"', "__all__"),
    (', "loss"', "", "Keras: not in __all__: loss"),
])
def test_bad_twins(old, new, problem):
    bad = GOOD.replace(old, new)
    assert bad != GOOD
    assert any(problem in found for found in differences(GOOD, bad))


def test_order_counts():
    swapped = '"""Twin."""\ndef b():\n    """B."""\ndef a():\n    """A."""\n__all__ = ["a", "b"]'
    ordered = '"""Twin."""\ndef a():\n    """A."""\ndef b():\n    """B."""\n__all__ = ["a", "b"]'
    assert differences(ordered, ordered) == []
    (problem,) = differences(ordered, swapped)
    assert problem.startswith("order")


def test_sizes():
    function = 'def f():\n    """A docstring."""\n' + "    x = 1  # and\n\n    # a comment\n" * 44
    assert too_long({"a": function, "b": "x = (\n1)\n" * 140}) == []
    assert len(too_long({"a": function + "    x = 1\n"})) == 1
    assert len(too_long({"a": "x = 1\n" * 321})) == 1
    full = {f"topic{n}/a": "x = 1\n" * 297 for n in range(20)} | {"more/a": "x = 1\n" * 240, "more/b": "x = 1\n" * 184}
    assert too_long(full | {"exercises/engine/a": "x = 1\n"}) == []
    assert len(too_long(full | {"other/a": "x = 1\n"})) == 1
