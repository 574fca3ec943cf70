"""What a mark says: of each known mistake its hint, of hidden cases nothing."""

from dataclasses import replace

import nbformat
import pytest
from students import right_functions, student_notebook

from course_lib.classroom import grading, sandbox
from course_lib.classroom.assignments import default_points, topic_of
from course_lib.classroom.grading import Result, grade_file
from course_lib.classroom.marks import HIDDEN_DRAWS, Mark, judged, keys
from course_lib.classroom.simulated import simulated_results
from course_lib.exercises.engine import judge
from course_lib.exercises.engine.registry import EXERCISES, find

SEED = 11


def judged_by_hand(exercise, function):
    answers = [judge.run(exercise, function, cases=key.cases) for key in keys(exercise.id, SEED)]
    return judged(exercise, 10.0, answers, SEED)


def graded(tmp_path, functions, assignment="02_pruning", **more):
    path = tmp_path / "a.ipynb"
    nbformat.write(student_notebook(assignment, functions, **more), path)
    return grade_file(path, "student", assignment, seed=SEED, limits=sandbox.Limits(seconds=3))


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda exercise: exercise.id)
def test_right_and_each_known_mistake(exercise):
    assert judged_by_hand(exercise, exercise.reference) == Mark(exercise.id, 10.0, 10.0, "right", "Right.")
    for index, wrong in enumerate(exercise.wrong):
        mark = judged_by_hand(exercise, wrong.function)
        assert (mark.points, mark.state, mark.mistake) == (0.0, "wrong", index)
        assert mark.comment.endswith(wrong.hint)


def test_hidden_cases_differ_with_the_seed_and_from_the_shown():
    for exercise in EXERCISES.values():
        shown, *hidden = keys(exercise.id, SEED)
        assert len(hidden) == HIDDEN_DRAWS
        texts = [{repr(case) for case in key.cases} for key in (shown, *hidden, keys(exercise.id, SEED + 100)[1])]
        assert all(one - other for one in texts[1:] for other in texts if one is not other), exercise.id


def test_right_on_the_shown_alone_is_not_right():
    exercise = find("02.entropy")
    shown = {repr(case["counts"]): answer for case, answer in zip(
        keys("02.entropy", SEED)[0].cases, keys("02.entropy", SEED)[0].right, strict=True)}
    mark = judged_by_hand(exercise, lambda counts: shown.get(repr(counts), 0.0))
    assert mark.state == "wrong" and mark.comment == (
        "Right on the examples that `check` tries, and wrong on others.")


@pytest.mark.parametrize(("source", "state", "comment"), [
    ("def my_entropy(counts):\n    raise NotImplementedError()", "not written", "Not written yet."),
    ("def entropy(counts):\n    return 0.0", "missing", "There is no function my_entropy."),
    ("def my_entropy(counts)\n    return 0.0", "missing", "Cell 1 ended with SyntaxError."),
    ("import no_such_module\ndef my_entropy(counts):\n    return 0.0", "missing",
     "Cell 1 ended with ModuleNotFoundError."),
    ("my_entropy = 3", "missing", "There is no function my_entropy."),
    ("def my_entropy(counts):\n    return 1 / 0", "wrong",
     'Wrong on example 1: `check("02.entropy", my_entropy)` says more.'),
    ("def my_entropy(counts):\n    while True: pass", "stopped", "my_entropy took longer than 3 s."),
    ("def my_entropy(counts):\n    import os\n    os._exit(3)", "stopped", "my_entropy ended its process (3)."),
    ("def my_entropy(counts):\n    pass", "wrong", "Wrong on example 1"),
    ("%matplotlib inline\n!ls\nimport numpy\ndef my_entropy(counts):\n    p = counts / counts.sum()\n"
     "    p = p[p > 0]\n    return -(p * numpy.log2(p)).sum()", "right", "Right."),
])
def test_states(tmp_path, source, state, comment):
    functions = right_functions("02_pruning")
    del functions["entropy"]
    result = graded(tmp_path, functions | ({"entropy": "# above"}), before=[source])
    mark = result.marks[0]
    assert (mark.state, mark.points) == (state, 10.0 if state == "right" else 0.0)
    assert comment in mark.comment
    assert result.points == 50 + mark.points  # the others are as good as ever


def test_written_answers_are_for_people(tmp_path):
    result = graded(tmp_path, {}, words="Because.")
    assert [mark.state for mark in result.marks if "." not in mark.id] == ["to be read"] * 2
    assert result.points == 0 and result.most == 70


def test_help_that_an_exercise_allows_is_there(tmp_path):
    functions = right_functions("05_fusion")
    assert "softmax(" in functions["product_of_experts"] and "top_k_gates(" in functions["load_balancing_loss"]
    assert graded(tmp_path, functions, "05_fusion").points == 40


def test_help_that_would_be_the_answer_is_not(tmp_path):
    functions = right_functions("05_fusion") | {
        "top_k_gates": "def my_top_k_gates(scores, k):\n    return top_k_gates(scores, k)"}
    result = graded(tmp_path, functions, "05_fusion")
    assert [mark.id for mark in result.marks if not mark.points and "." in mark.id] == ["05.top_k_gates"]


def test_a_framework_that_is_missing_is_no_fault_of_the_students(tmp_path, monkeypatch):
    monkeypatch.setattr(grading, "find_spec", lambda name: None)
    result = graded(tmp_path, {}, "01_dqn", framework="keras")
    assert not result.graded and result.problem == (
        "not graded: the submission uses keras, which is not installed here")
    assert result.most == sum(default_points(topic_of("01_dqn")).values())


def test_a_sandbox_that_does_not_start_is_no_fault_of_the_students(tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox, "_command", lambda *given: ["false"])
    result = graded(tmp_path, {})
    assert not result.graded and "the sandbox did not start" in result.problem


def test_a_fault_of_the_grader_is_no_fault_of_the_students(tmp_path, monkeypatch):
    monkeypatch.setattr(grading, "_mark", lambda *given: 1 / 0)
    result = graded(tmp_path, {})
    assert not result.graded and result.problem == "not graded: ZeroDivisionError in the grader"


def test_results_survive_their_file(tmp_path):
    result = graded(tmp_path, right_functions("02_pruning"))
    assert Result.from_json(result.as_json()) == result
    assert result.points == 60 and result.seconds > 0 and result.way == str(sandbox.best_way())


def test_the_fingerprint_tells_what_a_grade_depends_on(tmp_path):
    first = graded(tmp_path, {})
    assert graded(tmp_path, {}).digest == first.digest
    path, limits = tmp_path / "a.ipynb", sandbox.Limits(seconds=3)
    points = default_points(topic_of("02_pruning")) | {"02.entropy": 3.0}
    others = [grade_file(path, "student", "02_pruning", seed=SEED + 1, limits=limits),
              grade_file(path, "student", "02_pruning", seed=SEED, limits=replace(limits, seconds=4)),
              grade_file(path, "student", "02_pruning", seed=SEED, limits=limits, points=points),
              graded(tmp_path, {}, words="x")]
    assert len({result.digest for result in (first, *others)}) == 5
    assert others[2].marks[0].most == 3 and len(others[2].marks) == 8


def test_a_simulated_class():
    results = simulated_results("02_pruning", students=20, seed=3)
    assert [result.points for result in results] == [result.points for result in simulated_results(
        "02_pruning", students=20, seed=3)]
    states = [mark.state for result in results for mark in result.marks]
    assert {"right", "wrong", "not written", "to be read"} <= set(states)
    assert 0 < sum(result.points for result in results) < 20 * 60
    assert all(mark.mistake is not None for result in results for mark in result.marks if mark.state == "wrong")
