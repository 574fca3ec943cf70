"""How the tests are split, and how one framework is put out of sight."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import imports_keras

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


@pytest.fixture
def runner():
    return load(TESTS / "run_all.py")


@pytest.mark.parametrize(("frameworks", "only", "light", "keras", "notebooks"), [
    (["pytorch", "keras"], "", True, True, ["pytorch", "keras"]), (["pytorch"], "", True, False, ["pytorch"]),
    (["pytorch", "keras"], "pytorch", True, False, ["pytorch"]), (["pytorch", "keras"], "keras", True, True, ["keras"]),
])
def test_every_test_file_and_notebook_has_a_job(runner, frameworks, only, light, keras, notebooks):
    jobs = runner.plan(frameworks, only)
    tests = [arguments for name, (arguments, _) in jobs.items() if name.startswith("tests: ")]
    assert tests and all(arguments[-2:] == ["-m", "not slow"] for arguments in tests)
    assert {variables.get("COURSE_TEST_ONLY", "") for _, variables in jobs.values()} == {only}
    files = {str(path.relative_to(TESTS.parent)) for path in TESTS.glob("**/test_*.py")}
    for group, wanted in (("light", light), ("keras", keras)):
        paths = [path for arguments, _ in jobs.values() if group in arguments for path in arguments[:arguments.index(
            "--group")]]
        covered = {file for file in files for path in paths if file == path or file.startswith(path + os.sep)}
        unread = {str(path.relative_to(TESTS.parent)) for path in TESTS.glob("test_*.py")
                  if group == "light" and imports_keras(path)}
        assert covered == (files - unread if wanted else set()) and len(paths) == len(set(paths))
    books = {str(path.relative_to(TESTS.parent)) for path in (TESTS.parent / "notebooks").glob("*.ipynb")}
    assert sorted((arguments[0], variables["COURSE_FRAMEWORK"]) for arguments, variables in jobs.values()
                  if "--nbval" in arguments) == sorted((book, name) for book in books for name in notebooks)


def test_without_notebooks_there_is_no_plan(runner, tmp_path):
    with pytest.raises(FileNotFoundError, match="expected notebooks"):
        runner.plan(["pytorch"], "", tmp_path)


@pytest.mark.parametrize(("output", "found"), [
    ("....\n4 passed in 0.02s", (4, 0, 0)),
    ("1 failed, 2 passed, 3 skipped, 9 deselected in 61.5s (0:01:01)", (2, 1, 3)),
    ("2 errors in 0.5s", (0, 2, 0)), ("no tests ran in 0.01s", (0, 0, 0)), ("Killed", (0, 0, 0)),
    ("3 passed in 1s of a printed line\n1 passed in 0.10s\n", (1, 0, 0)),
])
def test_counts(runner, output, found):
    assert runner.counts(output) == found


@pytest.mark.parametrize(("name", "status", "passed", "failed", "good"), [
    ("tests: dqn", 0, 3, 0, True), ("tests: dqn", 1, 3, 1, False), ("tests: dqn", 0, 0, 0, False),
    ("tests: dqn", 5, 0, 0, True), ("notebook: 01_dqn, keras", 5, 0, 0, False), ("tests: dqn", 2, 0, 1, False),
    ("tests: dqn", None, 9, 0, False), ("tests: dqn", -9, 9, 0, False),
])
def test_what_counts_as_passed(runner, name, status, passed, failed, good):
    assert runner.went_well(name, status, passed, failed) is good


def test_a_folder_may_skip_all_its_tests_and_a_notebook_may_not(runner):
    assert runner.went_well("tests: lab", 0, 0, 0, 2) and not runner.went_well("notebook: 01_dqn, keras", 0, 0, 0, 2)
    assert not runner.went_well("tests: lab", 1, 0, 1, 2)


def test_the_time_left_follows_the_pace(runner):
    expected = {"a": 100.0, "b": 50.0, "c": 50.0}
    assert runner.left(expected, {}, 2) == 100 and runner.left(expected, {"a": 200.0}, 2) == 100
    assert runner.left({"a": 300.0, "b": 2.0}, {}, 2) == 300 and runner.left({"a": 1.0}, {"a": 9.0}, 2) == 0


def test_jobs_run_longest_first_and_a_failing_one_stops_none(runner, monkeypatch, tmp_path, capsys):
    started = []

    def run(self, name, arguments, variables):
        started.append(name)
        return {"tests: b": (1, "1 failed, 2 passed in 1s", 1.0), "tests: c": (None, "Stopped", 9.0)}.get(
            name, (0, "3 passed, 1 skipped in 1s", 1.0))

    monkeypatch.setattr(runner.Runner, "run", run)
    jobs = {name: ([], {}) for name in ("tests: a", "tests: b", "tests: c", "tests: d")}
    totals, failed, took = runner.run_jobs(jobs, 1, {"tests: c": 80, "tests: a": 10, "tests: b": 20}, tmp_path)
    assert started == ["tests: c", "tests: d", "tests: b", "tests: a"]
    assert totals == [8, 2, 2] and sorted(failed) == ["tests: b", "tests: c"] and set(took) == set(jobs)
    printed = capsys.readouterr().out
    assert "tests: b\n1 failed, 2 passed in 1s" in printed and "[4/4] tests: a: passed, 3 in 1 s" in printed


def test_a_job_that_takes_too_long_is_ended(runner, monkeypatch, tmp_path):
    monkeypatch.setattr(runner, "LONGEST", 0.5)
    (tmp_path / "test_it.py").write_text("import time\ndef test_it():\n    time.sleep(60)\n", encoding="utf-8")
    status, output, seconds = runner.Runner(tmp_path).run("tests: it", [str(tmp_path / "test_it.py")], {})
    assert status is None and "took more than 0.5 s" in output and seconds < 30


@pytest.mark.parametrize(("failed", "status", "ending"), [
    ([], 0, ["All passed, in 0.0 min.", "5 passed, 0 failed, 1 skipped"]),
    (["tests: dqn"], 1, ["FAILED: tests: dqn, in 0.0 min.", "5 passed, 0 failed, 1 skipped"]),
])
def test_the_last_lines_say_how_it_ended(runner, monkeypatch, capsys, failed, status, ending):
    monkeypatch.setattr(runner, "run_jobs", lambda *arguments: ([5, 0, 1], failed, {}))
    with pytest.raises(SystemExit) as stopped:
        runner.main([])
    assert stopped.value.code == status and capsys.readouterr().out.splitlines()[-2:] == ending
