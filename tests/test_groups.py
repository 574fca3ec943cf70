"""How the tests are split, and how one framework is put out of sight."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("source", "keras"), [
    ("import keras", True),
    ("import tensorflow as tf", True),
    ("def test():\n    from keras import ops", True),
    ("from course_lib.dqn import in_keras", True),
    ("from course_lib.dqn.in_keras import td_loss", True),
    ("import pytest\nkeras = pytest.importorskip('keras')", True),
    ("from pytest import importorskip\nimportorskip('tensorflow.math')", True),
    ("import numpy\nname = 'in_keras'\nuse('keras')", False),
    ("import pytest\npytest.importorskip('torch')", False),
])
def test_a_file_that_imports_keras_is_found(tmp_path, source, keras):
    path = tmp_path / "test_it.py"
    path.write_text(source, encoding="utf-8")
    assert load(TESTS / "conftest.py").imports_keras(path) is keras


@pytest.mark.parametrize(("only", "hidden"), [("pytorch", ["keras", "tensorflow"]), ("keras", ["torch"])])
def test_one_framework_is_out_of_sight(tmp_path, only, hidden):
    for name in ("torch", "keras", "tensorflow"):
        (tmp_path / f"{name}.py").write_text("", encoding="utf-8")
    code = """if True:
        import importlib.util, sys
        names = ["keras", "tensorflow", "torch"]
        print([name for name in names if importlib.util.find_spec(name) is None or name in sys.modules])
        for name in names:
            try:
                __import__(name)
            except ModuleNotFoundError as error:
                print(error.name)
    """
    variables = {"PYTHONPATH": f"{TESTS / 'only_one'}{os.pathsep}{tmp_path}", "COURSE_TEST_ONLY": only}
    shown = subprocess.run([sys.executable, "-c", code], env={**os.environ, **variables},
                           capture_output=True, text=True, check=True)
    assert shown.stdout.splitlines() == [str(hidden), *hidden]


@pytest.mark.parametrize(("frameworks", "only", "titles"), [
    (["pytorch", "keras"], "", ["tests", "tests of Keras", "notebooks in pytorch", "notebooks in keras"]),
    (["pytorch"], "", ["tests", "notebooks in pytorch"]),
    (["pytorch", "keras"], "pytorch", ["tests", "notebooks in pytorch"]),
    (["pytorch", "keras"], "keras", ["tests", "tests of Keras", "notebooks in keras"]),
])
def test_plan(frameworks, only, titles):
    plan = load(TESTS / "run_all.py").groups(frameworks, only)
    assert [title for title, _, _ in plan] == titles
    assert {variables.get("COURSE_TEST_ONLY", "") for _, _, variables in plan} == {only}
    assert [variables["COURSE_FRAMEWORK"] for _, _, variables in plan if "COURSE_FRAMEWORK" in variables] == [
        title.split()[-1] for title in titles if title.startswith("notebooks")]


@pytest.mark.parametrize(("failing", "status", "line"), [
    ("tests", 1, "FAILED in 0 s. tests: FAILED; notebooks in pytorch: passed"),
    ("notebooks in pytorch", 1, "FAILED in 0 s. tests: passed; notebooks in pytorch: FAILED"),
    (None, 0, "All passed in 0 s. tests: passed; notebooks in pytorch: passed"),
])
def test_one_failing_group_fails_all_and_stops_none(monkeypatch, capsys, failing, status, line):
    run_all = load(TESTS / "run_all.py")
    monkeypatch.setattr(run_all, "find_spec", lambda name: name == "torch" or None)
    monkeypatch.setattr(run_all, "run", lambda title, *rest: title != failing)
    with pytest.raises(SystemExit) as stopped:
        run_all.main()
    assert stopped.value.code == status
    assert capsys.readouterr().out.splitlines()[-1] == line


def test_without_notebooks_their_group_fails(monkeypatch):
    run_all = load(TESTS / "run_all.py")
    monkeypatch.setattr(run_all, "NOTEBOOKS", [])
    assert run_all.run("notebooks in pytorch", [], {}) is False
