"""Exercises whose functions get and return tensors, in each framework."""

import importlib
import re
from types import SimpleNamespace

import numpy as np
import pytest

from course_lib.common import framework
from course_lib.exercises import check, find, solution
from course_lib.exercises.engine import registry

TENSORS = [name for name, exercise in registry.EXERCISES.items() if exercise.tensors]


def package(name):
    return next(topic.package for topic in registry.TOPICS if find(name) in topic.exercises)


@pytest.fixture(params=["pytorch", pytest.param("keras", marks=pytest.mark.keras)], autouse=True)
def fw(request, tmp_path, monkeypatch):
    pytest.importorskip({"pytorch": "torch"}.get(request.param, request.param))
    monkeypatch.setenv("COURSE_PROGRESS_FILE", str(tmp_path / "progress.json"))
    monkeypatch.delenv("COURSE_FRAMEWORK", raising=False)
    monkeypatch.setattr(framework, "_current", None)
    return framework.use(request.param)


@pytest.fixture
def ops(fw):
    """What a learner would call, by one name for both frameworks."""
    if fw.name == "pytorch":
        import torch

        return SimpleNamespace(
            max=lambda q: q.max(dim=1).values, kept=lambda q: q.max(dim=1, keepdim=True).values,
            largest=lambda q: q.max(), argmax=lambda q: q.argmax(dim=1), columns=lambda q, index: q[:, index],
            gather=lambda q, index: q.gather(1, index[:, None]), whole=lambda x: x.long(), as_float=lambda x: x,
            array=lambda x: x.numpy(),
            double=lambda q: q.double().requires_grad_(), is_tensor=torch.is_tensor,
            dtype=lambda x: str(x.dtype).removeprefix("torch."))
    keras = importlib.import_module("keras")
    backend, ops = keras.backend, keras.ops

    return SimpleNamespace(
        max=lambda q: ops.max(q, axis=1), kept=lambda q: ops.max(q, axis=1, keepdims=True), largest=ops.max,
        argmax=lambda q: ops.argmax(q, axis=1), columns=lambda q, index: ops.take(q, index, axis=1),
        gather=lambda q, index: ops.take_along_axis(q, ops.expand_dims(index, 1), axis=1),
        whole=lambda x: ops.cast(x, "int32"),
        as_float=lambda x: ops.cast(x, "float32"), array=ops.convert_to_numpy, double=lambda q: ops.cast(q, "float64"),
        is_tensor=lambda x: ops.is_tensor(x) and not isinstance(x, np.ndarray),
        dtype=lambda x: backend.standardize_dtype(x.dtype))


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
    assert re.match(rf"# course_lib\.\w+\.(\w+_)?in_{fw.name}\.", source)
    namespace = dict(vars(fw.load(package(name))))
    exec(source, namespace)
    assert outcome(capsys, namespace[find(name).reference.__name__], name)[0].startswith("✓")


@pytest.mark.parametrize(("change", "index"), [
    (lambda ops, r, d, t, q: r + d * ops.max(q), 0),
    (lambda ops, r, d, t, q: r + d * (1 - t) * ops.largest(q), 6),
    (lambda ops, r, d, t, q: r + d * (1 - t) * ops.kept(q), 7),
    (lambda ops, r, d, t, q: r + d * (1 - t) * ops.as_float(ops.argmax(q)), 15),
])
def test_mistakes_made_with_tensors_are_recognised(capsys, ops, change, index):
    lines = outcome(capsys, lambda *given: change(ops, *given))
    assert lines[0].startswith("✗") and lines[-1] == f"  Hint: {find('01.td_target').wrong[index].hint}"


def test_double_mistakes_are_recognised(capsys, ops):
    def squeeze_forgotten(r, d, t, online, target):
        return r + d * (1 - t) * ops.gather(target, ops.argmax(online))

    def columns(r, d, t, online, target):
        return r + d * (1 - t) * ops.columns(target, ops.argmax(online))

    wrong = find("01.double_td_target").wrong
    assert outcome(capsys, squeeze_forgotten, "01.double_td_target")[-1] == f"  Hint: {wrong[6].hint}"
    assert outcome(capsys, columns, "01.double_td_target")[-1] == f"  Hint: {wrong[5].hint}"


def test_the_output_is_the_same_in_both(capsys, ops):
    assert outcome(capsys, lambda r, d, t, q: r + d * ops.max(q)) == [
        "✗ 01.td_target: case 2 of 7: expected [1.], got [3.7]",
        "  td_target(reward=[1.], discount=[0.9], terminated=[1.], next_q=[[2., 3.]])",
        "  Hint: You bootstrapped past a terminal state: nothing follows where terminated is 1."]


def test_wrong_kinds_of_output(capsys, fw, ops):
    right = find("01.td_target").reference
    assert outcome(capsys, lambda *given: right(*map(ops.array, given)))[0].startswith("✓")  # whatever holds them
    assert "returned None" in outcome(capsys, lambda *given: None)[0]
    assert "AttributeError" in outcome(capsys, lambda r, d, t, q: q.maximum_of_all())[0]
    if fw.name == "pytorch":  # TensorFlow's tensors cannot be changed
        assert "changes its input `reward` in place" in outcome(capsys, lambda r, *_: r.add_(1))[0]


def test_gradients_and_other_dtypes_do_not_matter(capsys, ops):
    def right(r, d, t, q):
        r, d, t, q = map(ops.double, (r, d, t, q))
        return r + d * (1 - t) * ops.max(q)

    assert outcome(capsys, right)[0].startswith("✓")


def test_tensors_are_what_the_function_gets(capsys, ops):
    seen = []
    outcome(capsys, lambda *given: seen.extend(given))
    assert seen and all(ops.is_tensor(value) and ops.dtype(value) == "float32" for value in seen)


def test_check_before_use_says_so(monkeypatch):
    monkeypatch.setattr(framework, "_current", None)
    with pytest.raises(RuntimeError, match="use"):
        check("01.td_target", np.add)
