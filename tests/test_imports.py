"""Importing is cheap and changes nothing, and dependencies point one way."""

import ast
import graphlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "course_lib"
FRAMEWORKS = {"torch", "tensorflow", "keras", "jax"}
FILES = sorted(LIBRARY.rglob("*.py"))
FLOORS = {"common": 0, "networks": 1, "dqn": 2, "exercises": 4, "classroom": 5}  # what is not named is a topic, on 3
BELOW = {("applications", "fusion"), ("tuning", "training")}  # the topics that may use another one


def fresh(code):
    """What `code` prints as JSON in a fresh interpreter."""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def module_name(file):
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_import_is_fast_and_brings_no_framework():
    code = ("import time; start = time.perf_counter()\n"
            "import course_lib; seconds = time.perf_counter() - start\n"
            "import json, sys; print(json.dumps([seconds, sorted(sys.modules)]))")
    runs = [fresh(code) for _ in range(5)]
    assert min(seconds for seconds, _ in runs) < 0.3
    heavy = FRAMEWORKS | {"numpy", "matplotlib", "IPython", "sklearn", "gymnasium"}
    assert not heavy & set(runs[0][1])


def test_importing_every_module_but_the_twins_brings_no_framework_and_changes_nothing():
    modules = [module_name(file) for file in FILES if not file.stem.endswith(("in_pytorch", "in_keras"))]
    assert "course_lib.common.devices" in modules
    code = f"""
import importlib, json, os, random, sys
import matplotlib, numpy as np
import gymnasium, sklearn.model_selection  # theirs, not ours
np.random.seed(3); random.seed(3)
before = dict(os.environ), dict(matplotlib.rcParams), str(np.random.get_state()), random.getstate()
for name in {modules!r}:
    importlib.import_module(name)
after = dict(os.environ), dict(matplotlib.rcParams), str(np.random.get_state()), random.getstate()
print(json.dumps([[a == b for a, b in zip(before, after)], sorted(set(sys.modules) & {FRAMEWORKS!r})]))
"""
    unchanged, frameworks = fresh(code)
    assert unchanged == [True, True, True, True]  # environment, rcParams, NumPy's and Python's generators
    assert frameworks == []


# --- the direction of dependencies, read off the source


def imports(tree):
    """Pairs of (module imported, whether inside a function) in a syntax tree; `from a import b` gives a.b."""
    inside = {id(n) for f in ast.walk(tree) if isinstance(f, (ast.FunctionDef, ast.AsyncFunctionDef))
              for n in ast.walk(f)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield from ((f"{base}.{alias.name}", id(node) in inside) for alias in node.names)


def complaints(relative, source):
    """What is wrong with the imports of one file of the library, given as its path inside course_lib."""
    owner, stem = (relative.parts[0] if len(relative.parts) > 1 else "common"), relative.stem
    floor = FLOORS.get(owner, 3)
    twin = next((ending for ending in ("in_pytorch", "in_keras") if stem.endswith(ending)), None)
    for name, local in imports(ast.parse(source)):
        parts = name.split(".")
        if name.startswith("."):
            yield f"{name}: relative import"
        elif parts[0] == "course_lib":
            target = parts[1] if len(parts) > 1 and (LIBRARY / parts[1]).is_dir() else "common"
            if target != owner and FLOORS.get(target, 3) >= floor and (owner, target) not in BELOW:
                yield f"{name}: {owner} is on floor {floor}, {target} not below it"
            if twin and any(p.endswith(("in_pytorch", "in_keras")) and not p.endswith(twin) for p in parts[2:3]):
                yield f"{name}: a twin imports the other twin"
            if any(part.startswith("_") for part in parts):
                yield f"{name}: a private name of another file"
        elif parts[0] in FRAMEWORKS and not local:
            allowed = {"in_pytorch": {"torch"}, "in_keras": {"keras"}}.get(twin, set())
            if parts[0] not in allowed:
                yield f"{name}: a framework outside its twin"
        if floor in (1, 2, 3) and twin == "in_pytorch" and parts[0] in FRAMEWORKS - {"torch"}:
            yield f"{name}: the PyTorch twin needs only PyTorch"


def circle(sources):
    """The modules of a circle of imports among files {module: source}, those inside functions too; else None."""
    graph = {}
    for module, source in sources.items():
        found = [name for name, _ in imports(ast.parse(source))]
        graph[module] = {one if one in sources else one.rpartition(".")[0] for one in found} & set(sources)
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return error.args[1]


def test_no_circle():
    assert circle({module_name(file): file.read_text(encoding="utf-8") for file in FILES}) is None
    assert circle({"a.b": "def f():\n    from a import c", "a.c": "import a.d", "a.d": "from a.b import f"})


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(LIBRARY)))
def test_dependencies_point_one_way(file):
    assert list(complaints(file.relative_to(LIBRARY), file.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("path, source", [
    ("common/data.py", "from course_lib.dqn import replay"),
    ("common/data.py", "def f():\n    import course_lib.pruning.scores"),
    ("common/data.py", "from course_lib import exercises"),
    ("common/data.py", "import torch"),
    ("pruning/env.py", "from course_lib.gan import config"),
    ("pruning/env.py", "from course_lib import exercises"),
    ("pruning/env.py", "from .. import gan"),
    ("fusion/env.py", "from course_lib.applications import robustness"),
    ("merging/weights.py", "from course_lib.fusion import outputs"),
    ("networks/config.py", "from course_lib.dqn import config"),
    ("exercises/dqn.py", "from course_lib.classroom import grading"),
    ("common/data.py", "from course_lib.common.files import _part"),
    ("pruning/scores.py", "import keras"),
    ("dqn/in_keras.py", "from course_lib.dqn.in_pytorch import td_target"),
    ("dqn/in_keras.py", "from course_lib.dqn import in_pytorch"),
    ("dqn/in_keras.py", "import tensorflow as tf"),
    ("dqn/in_pytorch.py", "def f():\n    import keras"),
])
def test_each_rule_catches_what_it_forbids(path, source):
    assert len(list(complaints(Path(path), source))) == 1


@pytest.mark.parametrize("path, source", [
    ("pruning/env.py", "from course_lib.common import data\nfrom course_lib.dqn import config"),
    ("pruning/in_keras.py", "import keras\nfrom course_lib.dqn import in_keras"),
    ("dqn/in_keras.py", "def compiled():\n    import tensorflow"),
    ("exercises/dqn.py", "from course_lib.dqn import reference"),
    ("applications/robustness.py", "from course_lib.fusion import outputs"),
    ("tuning/env.py", "from course_lib.training import tasks"),
    ("pruning/in_keras.py", "from course_lib.networks import layers_in_keras"),
])
def test_what_is_allowed_passes(path, source):
    assert list(complaints(Path(path), source)) == []
