"""Each exercise: the stub, the reference, every known mistake. No framework is imported here."""

import ast
import itertools
import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import nbformat
import numpy as np
import pytest

from course_lib.exercises import check, solution
from course_lib.exercises.engine import judge, registry
from course_lib.exercises.engine.exercise import Exercise, WrongAnswer

EXERCISES = list(registry.EXERCISES.values())
IN_CLASS = [exercise for topic in registry.TOPICS if topic.is_graded for exercise in topic.graded.EXERCISES]
by_id = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
those_in_class_too = pytest.mark.parametrize("exercise", EXERCISES + IN_CLASS, ids=lambda exercise: exercise.id)
MISTAKES = [pytest.param(exercise, index, id=f"{exercise.id}-{index}")
            for exercise in EXERCISES for index in range(len(exercise.wrong))]


@pytest.fixture(autouse=True)
def no_progress_of_others(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS_FILE", str(tmp_path / "progress.json"))


@pytest.fixture
def in_numpy(monkeypatch):
    """Let tensor exercises take NumPy arrays, so that no framework is needed."""
    plain = {name: replace(exercise, tensors=False) for name, exercise in registry.EXERCISES.items()}
    monkeypatch.setattr(registry, "EXERCISES", plain)


def verdict(exercise, function, seed=0):
    cases = exercise.draw(seed)
    return judge.judge(exercise, cases, judge.run(exercise, function, cases=cases))


def test_ids_of_notebook_01():
    assert [exercise.id for exercise in EXERCISES if exercise.id.startswith("01.")] == [
        "01.td_target", "01.soft_update", "01.replay_sample", "01.epsilon_at", "01.n_step_return",
        "01.double_td_target"]


@pytest.mark.parametrize(("name", "expected"), [
    ("01.td_target", [[3.7], [1.0], [0.0, 7.0], [4.0, -1.0]]),
    ("01.double_td_target", [[2.0], [1.0]]),
    ("01.epsilon_at", [1.0, 0.55, 0.1, 0.1, 0.1]),
    ("01.n_step_return", [3.0, 4.0, 3.0, 1.0, 3.0]),
    ("01.soft_update", [[[1.0, 9.0]], [[2.0], [[4.0, 6.0]]]]),
    ("05.product_of_experts", [[[0.8, 0.2]], [[0.7, 0.2, 0.1]]]),
    ("05.gate_step", [[0.25], [-0.125]]),
    ("05.top_k_gates", [[[0, 0.4, 0.6]], [[0, 0, 1], [1, 0, 0]], [[0.4, 0.1, 0.2, 0.3]]]),
    ("05.alpha", [0.5, 1.0, 0.0, 1.0]),
    ("05.attention", [[[[0.75, 0.25]], [[3.0]]]]),
    ("06.matching_order", [[2, 0, 1], [1, 0], [1, 0], [1, 0]]),
    ("06.regmean", [[[4.0]], [[5.0], [2.0]]]),
    ("06.barrier", [0.0, 2.5, 0.0, 0.0, 3.25, 1.75]),
    ("06.distillation_loss", [np.log(4 / 3) / 2, np.log(4), 4 * (np.log(8 / 3) * 2 / 3 + np.log(4 / 9) / 3),
                              np.log(10 / 9) / 2]),
    ("08.ndcg", [0.5 / (1 + 1 / np.log2(3)), 1.0, (1 / np.log2(5) + 1) / 2]),
    ("08.linucb_step", [[1, [[1, 0], [0, 5]], [1, 2]], [0, [[2, 0], [0, 1]], [1.5, 0]]]),
    ("08.ips_and_snips", [[1.125, 9 / 7], [0.5, 1.0], [18.0, 2.0]]),
    ("08.fatigue", [[0.5, 1.0], [0.0, 1.75], [0.0, 0.0, 0.0]]),
])
def test_first_answers_by_hand(name, expected):
    exercise = registry.find(name)
    answers = judge.run(exercise, exercise.reference, cases=exercise.draw())
    outputs = [a.output if isinstance(a.output, (list, tuple, float)) else a.output.tolist() for a in answers]
    for got, right in zip(outputs, expected, strict=False):
        flat = zip(got, right, strict=True) if isinstance(got, (list, tuple)) else [(got, right)]
        for one, other in flat:
            np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7)


@by_id
def test_stub_is_not_written_yet(exercise, in_numpy, capsys, tmp_path):
    def stub(*arguments):
        raise NotImplementedError("your code here")

    assert check(exercise.id, stub) is None
    assert capsys.readouterr().out == f"… {exercise.id}: not written yet\n"
    assert not list(tmp_path.iterdir())  # nothing is recorded


@by_id
def test_reference_passes(exercise, in_numpy, capsys):
    assert check(exercise.id, exercise.reference) is None
    assert capsys.readouterr().out == f"✓ {exercise.id}: all {len(exercise.draw())} cases\n"


@pytest.mark.parametrize(("exercise", "index"), MISTAKES)
def test_each_mistake_fails_with_its_own_hint(exercise, index, in_numpy, capsys):
    check(exercise.id, exercise.wrong[index].function)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"✗ {exercise.id}: case ")
    assert lines[-1] == f"  Hint: {exercise.wrong[index].hint}"


@those_in_class_too
def test_other_seeds_judge_alike(exercise):
    for seed in range(1, 6):
        key = judge.AnswerKey(exercise, exercise.draw(seed))
        assert key.judge(judge.run(exercise, exercise.reference, cases=key.cases)) == judge.Verdict()
        for index, wrong in enumerate(exercise.wrong):
            assert key.judge(judge.run(exercise, wrong.function, cases=key.cases)).mistake == index


@those_in_class_too
def test_exercise_is_complete(exercise):
    assert len(exercise.wrong) >= 3 and len(exercise.hints) >= 2
    hints = [wrong.hint for wrong in exercise.wrong]
    assert len(set(hints)) == len(hints)
    assert exercise.statement.endswith(".") and len(exercise.statement) <= 900
    assert all(len(hint) <= 120 for hint in hints)
    assert exercise.draw(3) is not exercise.draw(3)
    assert repr(exercise.draw(3)) == repr(exercise.draw(3))


@by_id
def test_solution_passes_its_own_check(exercise, in_numpy, capsys):
    solution(exercise.id)
    source = capsys.readouterr().out
    home = vars(sys.modules[exercise.reference.__module__])
    namespace = {"np": np} | {name: home[name] for name in home if f"`{name}`" in exercise.statement}
    exec(source, namespace)
    assert source.startswith(f"# {exercise.reference.__module__}.{exercise.reference.__name__}\ndef ")
    assert verdict(exercise, namespace[exercise.reference.__name__]) == judge.Verdict()


def as_json(value):
    """Cases must survive JSON, for the classroom's sandbox."""
    if isinstance(value, np.ndarray):
        return {"values": value.tolist(), "dtype": str(value.dtype)}
    if isinstance(value, dict):
        return {name: as_json(item) for name, item in value.items()}
    return [as_json(item) for item in value] if isinstance(value, (list, tuple)) else value


def from_json(value):
    if isinstance(value, dict) and value.keys() == {"values", "dtype"}:
        return np.array(value["values"], value["dtype"])
    if isinstance(value, dict):
        return {name: from_json(item) for name, item in value.items()}
    return [from_json(item) for item in value] if isinstance(value, list) else value


@those_in_class_too
def test_cases_and_outputs_are_plain_data(exercise):
    cases = exercise.draw()
    copies = from_json(json.loads(json.dumps(as_json(cases))))
    answers = judge.run(exercise, exercise.reference, cases=copies)
    back = [judge.Answer(from_json(json.loads(json.dumps(as_json(answer.output))))) for answer in answers]
    assert judge.judge(exercise, cases, back) == judge.Verdict()


def test_seats_of_neurons_do_not_tie():
    exercise = registry.find("06.matching_order")
    for case in [case for seed in range(11) for case in exercise.draw(seed)]:
        kernel, bias, other, shift = case.values()
        table = other.T @ kernel + np.outer(shift, bias)
        orders = list(itertools.permutations(range(len(bias))))
        sums = np.array([table[range(len(bias)), order].sum() for order in orders])
        assert np.diff(np.sort(sums))[-1] > 1e-6
        assert orders[sums.argmax()] == tuple(exercise.reference(**case))


def test_replay_verdict_does_not_prescribe_the_draw():
    def by_choice(rng, storage, size, batch_size):
        rows = rng.choice(size, batch_size)
        return {name: stored[rows] for name, stored in storage.items()}

    def by_uniform(rng, storage, size, batch_size):
        rows = (rng.random(batch_size) * size).astype(int)
        return {name: stored[rows] for name, stored in storage.items()}

    def never_first(rng, storage, size, batch_size):
        rows = rng.integers(1, size, batch_size)
        return {name: stored[rows] for name, stored in storage.items()}

    def lopsided(rng, storage, size, batch_size):
        rows = (rng.random(batch_size) ** 2 * size).astype(int)
        return {name: stored[rows] for name, stored in storage.items()}

    replay = registry.find("01.replay_sample")
    beyond = verdict(replay, replay.wrong[0].function)
    assert beyond.complaint == "the batch holds empty rows, which were never filled"
    assert verdict(replay, by_choice) == verdict(replay, by_uniform) == judge.Verdict()
    assert verdict(replay, never_first).complaint == "row 0 of 8 filled rows is never drawn"
    assert verdict(replay, lopsided).complaint == "not all filled rows are equally likely"


@pytest.mark.parametrize(("change", "complaint"), [
    (lambda batch: batch | {"reward": batch["reward"][:-1]}, "the field reward"),
    (lambda batch: {"obs": batch["obs"]}, "expected a dict with the fields obs, action, reward"),
    (lambda batch: list(batch.values()), "expected a dict with the fields obs, action, reward"),
    (lambda batch: batch | {"reward": batch["reward"] + 1}, "not in the storage"),
])
def test_replay_verdict_on_the_form(change, complaint):
    replay = registry.find("01.replay_sample")
    result = verdict(replay, lambda *given: change(replay.reference(*given)))
    assert result.case == 0 and complaint in result.complaint


@pytest.mark.parametrize("name", ["title", "statement", "hints", "wrong"])
def test_exercise_refuses_what_is_empty(name):
    fields = dict(id="99.f", title="t", statement="s", reference=abs, cases=list, hints=("h",),
                  wrong=(WrongAnswer(abs, "h"),))
    Exercise(**fields)
    with pytest.raises(ValueError, match=f"99.f.*{name}"):
        Exercise(**fields | {name: type(fields[name])()})


@pytest.mark.parametrize("topic", registry.TOPICS, ids=lambda topic: topic.number)
def test_a_notebook_asks_for_what_the_exercises_are(topic):
    """Each exercise of a topic stands once in its notebook: a stub with the exercise's name and parameters."""
    path = Path(__file__).parents[2] / "notebooks" / f"{topic.number}_{topic.package}.ipynb"
    cells = [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    stubs = {found[1]: (found[2], source) for source in cells
             if (found := re.search(r'^check\("([\w.]+)", (\w+)\)$', source, re.MULTILINE))}
    assert list(stubs) == [exercise.id for exercise in topic.exercises] + [topic.project_id] * bool(topic.project_id)
    for exercise in topic.exercises:
        name, source = stubs[exercise.id]
        (stub,) = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
        assert name == stub.name == f"my_{exercise.name}"
        assert [argument.arg for argument in stub.args.args] == list(exercise.draw()[0])
    assert not topic.questions or f'quiz("{topic.number}")' in cells
