"""What a mark says: of each known mistake its hint, of hidden cases nothing."""

from dataclasses import replace

import nbformat
import pytest
from students import right_functions, student_notebook

from course_lib.classroom import grading, sandbox
from course_lib.classroom.assignments import TOPICS, default_points, topic_of
from course_lib.classroom.grading import Result, Terms, grade_one
from course_lib.classroom.marks import (
    OTHERS,
    PARTLY,
    RIGHT,
    Mark,
    hidden_key,
    on_hidden,
    shown_key,
    shown_verdict,
    wrong_on_shown,
)
from course_lib.classroom.simulated import simulated_results
from course_lib.exercises.engine import judge
from course_lib.exercises.engine.registry import EXERCISES, solution

SEED, NAME = 11, "02_pruning"
GRADED = [exercise for topic in TOPICS for exercise in topic.graded.EXERCISES]
FIRST, SECOND = topic_of(NAME).graded.EXERCISES
every_exercise = pytest.mark.parametrize("exercise", GRADED, ids=lambda exercise: exercise.id)


def by_hand(exercise, function):
    """The mark without a sandbox."""
    shown, hidden = (judge.run(exercise, function, cases=key.cases)
                     for key in (shown_key(exercise.id), hidden_key(exercise.id, SEED)))
    verdict = shown_verdict(exercise.id, shown)
    if verdict.case is not None:
        return wrong_on_shown(exercise, 10.0, verdict)
    return on_hidden(exercise, 10.0, SEED, hidden)


def graded(tmp_path, functions, assignment=NAME, terms=None, **more):
    nbformat.write(student_notebook(assignment, functions, **more), tmp_path / f"{assignment}.ipynb")
    return grade_one(tmp_path, "student", assignment, terms or Terms.of(
        assignment, seed=SEED, limits=sandbox.Limits(seconds=3)))


@every_exercise
def test_right_and_each_known_mistake(exercise):
    assert by_hand(exercise, exercise.reference) == Mark(exercise.id, 10.0, 10.0, "right", RIGHT)
    for index, wrong in enumerate(exercise.wrong):
        mark = by_hand(exercise, wrong.function)
        assert (mark.points, mark.state, mark.mistake) == (0.0, "wrong", index)
        assert mark.comment.endswith(wrong.hint) and mark.comment.startswith("Wrong on example ")


def test_what_is_graded_is_not_public():
    """Neither ids nor functions are those of the lessons, and nobody is shown a solution."""
    assert len(TOPICS) == 10 and all(len(topic.graded.EXERCISES) >= 2 and len(topic.graded.QUESTIONS) >= 2
                                     and topic.project for topic in TOPICS)
    public = {exercise.name for exercise in EXERCISES.values()}
    assert not public & {exercise.name for exercise in GRADED}
    for exercise in GRADED:
        with pytest.raises(ValueError, match="on which a class is graded"):
            solution(exercise.id)


@every_exercise
def test_hidden_cases_differ_with_the_seed_and_from_the_shown(exercise):
    shown, *hidden = (repr([sorted(case.items()) for case in key.cases])
                      for key in (shown_key(exercise.id), hidden_key(exercise.id, SEED), hidden_key(exercise.id, 99)))
    assert len({shown, *hidden}) == 3
    cases = [{repr(case) for case in key.cases} for key in (shown_key(exercise.id), hidden_key(exercise.id, SEED))]
    assert len(cases[1] - cases[0]) >= 9


def test_who_is_right_on_most_of_the_hidden_has_half():
    key = hidden_key(FIRST.id, SEED)
    right = [judge.Answer(output) for output in key.right]
    wrong = judge.Answer("no answer")
    share = [on_hidden(FIRST, 10.0, SEED, [*right[:len(right) - n], *[wrong] * n]) for n in range(len(right) + 1)]
    assert [mark.comment for mark in share] == [RIGHT] + [
        PARTLY if 1 - n / len(right) >= 2 / 3 else OTHERS for n in range(1, len(right) + 1)]
    assert {mark.comment: mark.points for mark in share} == {RIGHT: 10, PARTLY: 5, OTHERS: 0}


def test_what_is_wrong_on_a_shown_example_is_shown():
    mark = by_hand(FIRST, lambda *given: "no answer")
    case = shown_key(FIRST.id).cases[0]
    assert mark.comment.startswith("Wrong on example 1, my_" + FIRST.name) and "got a str" in mark.comment
    assert all(f"{name}=" in mark.comment for name in case)


HEAD, _, BODY = right_functions(NAME)[FIRST.name].partition("\n")
MY = HEAD[4:HEAD.index("(")]


@pytest.mark.parametrize(("source", "state", "comment"), [
    (f"{HEAD}\n    raise NotImplementedError()", "not written", "Not written yet."),
    (f"{HEAD.replace('my_', '')}\n    return 0.0", "missing", f"There is no function {MY}."),
    (f"{HEAD[:-1]}\n    return 0.0", "missing", "Cell 1 ended with SyntaxError"),
    (f"import no_such_module\n{HEAD}\n    return 0.0", "missing", "Cell 1 ended with ModuleNotFoundError"),
    (f"{MY} = 3", "missing", f"There is no function {MY}."),
    (f"{HEAD}\n    return 1 / 0", "wrong", "Wrong on example 1"),
    (f"{HEAD}\n    while True: pass", "stopped", f"{MY} took longer than 3 s."),
    (f"{HEAD}\n    import os\n    os._exit(3)", "stopped", f"{MY} ended its process."),
    (f"{HEAD}\n    pass", "wrong", "Wrong on example 1"),
    (f"%matplotlib inline\n!ls\nimport numpy as np\n{HEAD}\n{BODY}", "right", RIGHT),
])
def test_states(tmp_path, source, state, comment):
    functions = right_functions(NAME) | {FIRST.name: "# above"}
    result = graded(tmp_path, functions, before=[source])
    mark = result.marks[0]
    assert (mark.state, mark.points) == (state, 10.0 if state == "right" else 0.0)
    assert comment in mark.comment
    assert result.points == 10 + mark.points  # the other is as good as ever


def test_written_answers_are_for_people(tmp_path):
    result = graded(tmp_path, {}, words="Because.")
    assert [mark.state for mark in result.marks if "." not in mark.id] == ["to be read"] * 2
    assert result.points == 0 and result.most == 50


def test_a_helper_that_is_defined_anew_counts_as_it_was(tmp_path):
    """As when the notebook runs in order; in the end, both functions would use the second one."""
    functions = right_functions(NAME)
    for number, exercise in enumerate((FIRST, SECOND)):
        head, _, body = functions[exercise.name].partition("\n")
        plain = head.replace("my_", "plain_")
        functions[exercise.name] = (f"def helper(right):\n    return right if right[0] == {number} else None\n\n\n"
                                    f"{plain}\n{body}\n\n\n{head}\n    return helper(({number}, {plain[4:-1]}))[1]")
    assert graded(tmp_path, functions).points == 20


def test_a_framework_that_is_missing_is_no_fault_of_the_students(tmp_path, monkeypatch):
    monkeypatch.setattr(grading, "find_spec", lambda name: None)
    result = graded(tmp_path, {}, "01_dqn", framework="keras")
    assert not result.graded and result.problem == (
        "not graded: the submission uses keras, which is not installed here")
    assert result.most == sum(default_points(topic_of("01_dqn")).values())


def test_a_sandbox_that_does_not_start_is_no_fault_of_the_students(tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox, "_command", lambda *given: ["false"])
    result = graded(tmp_path, {}, terms=Terms.of(NAME, way=sandbox.Way(False, False)))
    assert not result.graded and "the sandbox did not start" in result.problem


def test_a_fault_of_the_grader_is_no_fault_of_the_students(tmp_path, monkeypatch):
    monkeypatch.setattr(grading, "_other_marks", lambda *given: 1 / 0)
    result = graded(tmp_path, {})
    assert not result.graded and result.problem == "not graded: ZeroDivisionError in the grader"


def test_results_survive_their_file(tmp_path):
    result = graded(tmp_path, right_functions(NAME))
    assert Result.from_json(result.as_json()) == result
    assert result.points == 20 and result.seconds > 0 and result.way == str(sandbox.best_way())


def test_the_fingerprint_tells_what_a_grade_depends_on(tmp_path):
    nbformat.write(student_notebook(NAME, {}), tmp_path / f"{NAME}.ipynb")
    terms, read = Terms.of(NAME, seed=SEED), grading.submissions.read(tmp_path, NAME)
    others = [replace(terms, seed=SEED + 1), replace(terms, limits=replace(terms.limits, seconds=4)),
              replace(terms, points=terms.points | {FIRST.id: 3.0}), replace(terms, late=0.5),
              replace(terms, handed_out=terms.handed_out[:-1])]
    digests = [one.fingerprint(read, NAME) for one in (terms, *others)] + [
        terms.fingerprint(replace(read, digest="another"), NAME), terms.fingerprint(read, "03_ensembling")]
    assert len({*digests, Terms.of(NAME, seed=SEED).fingerprint(read, NAME)}) == len(digests)


def test_a_simulated_class():
    results = simulated_results(NAME, students=40, seed=3)
    assert [result.points for result in results] == [result.points for result in simulated_results(
        NAME, students=40, seed=3)]
    states = [mark.state for result in results for mark in result.marks]
    assert {"right", "wrong", "not written", "to be read", "partly", "missing"} <= set(states)
    assert 0 < sum(result.points for result in results) < 40 * 40
    assert all(mark.mistake is not None for result in results for mark in result.marks if mark.state == "wrong")
