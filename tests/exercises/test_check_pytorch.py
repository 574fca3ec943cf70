"""Exercises whose functions get and return tensors, in PyTorch."""

import numpy as np
import pytest

from course_lib.common import framework
from course_lib.exercises import check, find, solution
from course_lib.exercises.engine import registry

torch = pytest.importorskip("torch")
TENSORS = [name for name, exercise in registry.EXERCISES.items() if exercise.tensors]


def package(name):
    return next(topic.package for topic in registry.TOPICS if find(name) in topic.exercises)


@pytest.fixture(autouse=True)
def fw(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS_FILE", str(tmp_path / "progress.json"))
    monkeypatch.delenv("COURSE_FRAMEWORK", raising=False)
    monkeypatch.setattr(framework, "_current", None)
    return framework.use("pytorch")


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
    assert source.startswith(f"# course_lib.{package(name)}.in_pytorch.")
    namespace = dict(vars(fw.load(package(name))))
    exec(source, namespace)
    assert outcome(capsys, namespace[find(name).reference.__name__], name)[0].startswith("✓")


MISTAKES = [  # (what the learner writes, index of the known mistake)
    (lambda r, d, t, q: r + d * q.max(dim=1).values, 0),
    (lambda r, d, t, q: r + d * (1 - t) * q.max(), 6),
    (lambda r, d, t, q: r + d * (1 - t) * q.max(dim=1, keepdim=True).values, 7),
    (lambda r, d, t, q: r + d * (1 - t) * q.argmax(dim=1), 9),
]


@pytest.mark.parametrize(("function", "index"), MISTAKES)
def test_mistakes_made_with_tensors_are_recognised(capsys, function, index):
    lines = outcome(capsys, function)
    assert lines[0].startswith("✗") and lines[-1] == f"  Hint: {find('01.td_target').wrong[index].hint}"


def test_double_mistakes_are_recognised(capsys):
    def squeeze_forgotten(r, d, t, online, target):
        return r + d * (1 - t) * target.gather(1, online.argmax(1, keepdim=True))

    def columns(r, d, t, online, target):
        return r + d * (1 - t) * target[:, online.argmax(1)]

    wrong = find("01.double_td_target").wrong
    assert outcome(capsys, squeeze_forgotten, "01.double_td_target")[-1] == f"  Hint: {wrong[5].hint}"
    assert outcome(capsys, columns, "01.double_td_target")[-1] == f"  Hint: {wrong[4].hint}"


def test_output_is_the_one_that_keras_gives(capsys):
    assert outcome(capsys, MISTAKES[0][0]) == [
        "✗ 01.td_target: case 2 of 7: expected [1.], got [3.7]",
        "  td_target(reward=[1.], discount=[0.9], terminated=[1.], next_q=[[2., 3.]])",
        "  Hint: You bootstrapped past a terminal state: nothing follows where terminated is 1."]


def test_wrong_kinds_of_output(capsys):
    right = find("01.td_target").reference
    assert "expected a PyTorch tensor, got an array of shape (1,)" in outcome(
        capsys, lambda *given: right(*(value.numpy() for value in given)))[0]
    assert "returned None" in outcome(capsys, lambda *given: None)[0]
    assert "expected an array of float32, got int64" in outcome(capsys, lambda r, *_: (r * 2).long())[0]
    assert "changes its input `reward` in place" in outcome(capsys, lambda r, *_: r.add_(1))[0]
    assert "AttributeError" in outcome(capsys, lambda r, d, t, q: q.maximum_of_all())[0]


def test_gradients_and_other_dtypes_do_not_matter(capsys):
    def right(r, d, t, q):
        q = q.double().requires_grad_()
        return r + d * (1 - t) * q.amax(dim=1)

    assert outcome(capsys, right)[0].startswith("✓")


def test_tensors_are_what_the_function_gets(capsys):
    seen = []
    outcome(capsys, lambda *given: seen.extend(given))
    assert all(torch.is_tensor(value) and value.dtype == torch.float32 for value in seen) and seen


def test_check_before_use_says_so(monkeypatch):
    monkeypatch.setattr(framework, "_current", None)
    with pytest.raises(RuntimeError, match="use"):
        check("01.td_target", np.add)
