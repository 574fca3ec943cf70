"""Exercises whose functions get and return tensors, in Keras."""

import numpy as np
import pytest

from course_lib.common import framework
from course_lib.exercises import check, find, solution
from course_lib.exercises.engine import registry

pytest.importorskip("keras")
TENSORS = [name for name, exercise in registry.EXERCISES.items() if exercise.tensors]


def package(name):
    return next(topic.package for topic in registry.TOPICS if find(name) in topic.exercises)


@pytest.fixture(autouse=True)
def fw(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS_FILE", str(tmp_path / "progress.json"))
    monkeypatch.delenv("COURSE_FRAMEWORK", raising=False)
    monkeypatch.setattr(framework, "_current", None)
    return framework.use("keras")


def outcome(capsys, function, name="01.td_target"):
    check(name, function)
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("name", TENSORS)
def test_the_twin_passes(capsys, fw, name):
    twin = getattr(fw.load(package(name)), find(name).reference.__name__)
    assert outcome(capsys, twin, name) == [f"✓ {name}: all {len(find(name).draw())} cases"]


@pytest.mark.parametrize("name", TENSORS)
def test_the_solution_passes(capsys, fw, name):
    solution(name)
    source = capsys.readouterr().out
    assert source.startswith(f"# course_lib.{package(name)}.in_keras.")
    namespace = dict(vars(fw.load(package(name))))
    exec(source, namespace)
    assert outcome(capsys, namespace[find(name).reference.__name__], name)[0].startswith("✓")


def bootstraps_past_the_end(r, d, t, q):
    from keras import ops

    return r + d * ops.max(q, axis=1)


def test_output_is_the_one_that_pytorch_gives(capsys):
    assert outcome(capsys, bootstraps_past_the_end) == [
        "✗ 01.td_target: case 2 of 7: expected [1.], got [3.7]",
        "  td_target(reward=[1.], discount=[0.9], terminated=[1.], next_q=[[2., 3.]])",
        "  Hint: You bootstrapped past a terminal state: nothing follows where terminated is 1."]


def test_double_mistakes_are_recognised(capsys):
    from keras import ops

    def squeeze_forgotten(r, d, t, online, target):
        best = ops.expand_dims(ops.argmax(online, axis=1), 1)
        return r + d * (1 - t) * ops.take_along_axis(target, best, axis=1)

    def columns(r, d, t, online, target):
        return r + d * (1 - t) * ops.take(target, ops.argmax(online, axis=1), axis=1)

    wrong = find("01.double_td_target").wrong
    assert outcome(capsys, squeeze_forgotten, "01.double_td_target")[-1] == f"  Hint: {wrong[5].hint}"
    assert outcome(capsys, columns, "01.double_td_target")[-1] == f"  Hint: {wrong[4].hint}"


def test_wrong_kinds_of_output(capsys):
    from keras import ops

    right = find("01.td_target").reference
    assert "expected a tensor, got an array of shape (1,)" in outcome(
        capsys, lambda *given: right(*(ops.convert_to_numpy(value) for value in given)))[0]
    assert "returned None" in outcome(capsys, lambda *given: None)[0]
    assert "expected an array of float32, got int32" in outcome(capsys, lambda r, *_: ops.cast(r, "int32"))[0]


def test_tensors_are_what_the_function_gets(capsys):
    from keras import backend, ops

    seen = []
    outcome(capsys, lambda *given: seen.extend(given))
    assert {backend.standardize_dtype(value.dtype) for value in seen} == {"float32"}
    assert all(ops.is_tensor(value) for value in seen)
    assert not any(isinstance(value, np.ndarray) for value in seen)
