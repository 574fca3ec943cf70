"""`in_pytorch.py` and `in_keras.py` of a topic can be laid side by side, and so other files with these endings; and the
library stays small.

Read with `ast`: no framework is needed.
"""

import ast
from collections import Counter
from pathlib import Path

import pytest

LIBRARY = Path(__file__).resolve().parents[1] / "course_lib"
PAIRS = sorted({str(path.relative_to(LIBRARY)).removesuffix(ending) for ending in ("in_pytorch.py", "in_keras.py")
                for path in LIBRARY.glob(f"*/*{ending}")})
# Methods whose name a framework prescribes: they have no counterpart.
HOOKS = {"forward", "call", "build", "compute_loss", "compute_output_shape", "get_config", "train_step"}
MOST = {"file": 320, "function": 45, "package": 1820}  # lines
BROAD = {"fusion": 2850,  # six kinds of networks, weights, choice, safety, and five applications
         "classroom": 1900,  # assignments, a sandbox, grading, nbgrader's grade book, a dashboard
         "recommendation": 1920}  # a shop and a log, four uses, baselines, metrics, off-policy evaluation


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


def too_long(sources):
    """Which of the sources {name: text} break the limits of size, in words."""
    lines = {name: len(source.splitlines()) for name, source in sources.items()}
    problems = [f"{name}: {n} lines; at most {MOST['file']}" for name, n in lines.items() if n > MOST["file"]]
    for name, source in sources.items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                n = node.end_lineno - node.lineno + 1
                if n > MOST["function"]:
                    problems.append(f"{name}, {node.name}: {n} lines; at most {MOST['function']}")
    packages = Counter()
    for name, n in lines.items():
        packages[str(Path(name).parent)] += n
    most = {name: BROAD.get(name, MOST["package"]) for name in packages}
    problems += [f"{name}: {n} lines; at most {most[name]}" for name, n in packages.items()
                 if n > most[name] and name != "exercises"]  # which grows with each topic, a file or two at a time
    return problems


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
    function = "def f():\n" + "    x = 1\n" * 44
    assert too_long({"a": function, "b": "x = 1\n" * 320}) == []
    assert len(too_long({"a": function + "    x = 1\n"})) == 1
    assert len(too_long({"a": "x = 1\n" * 321})) == 1
    full = {f"topic/{n}": "x = 1\n" * 300 for n in range(6)}
    assert too_long(full | {"topic/last": "x = 1\n" * 20, "other/a": "x = 1\n"}) == []
    assert len(too_long(full | {"topic/last": "x = 1\n" * 21})) == 1
