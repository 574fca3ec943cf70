"""The mark for a function's answers, from the cases that `check` shows and from those that nobody sees."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from course_lib.classroom.solutions import function_name
from course_lib.exercises.engine import judge, wire
from course_lib.exercises.engine.exercise import SEED
from course_lib.exercises.engine.project import class_number, class_seed
from course_lib.exercises.engine.registry import digest, find

HIDDEN_DRAWS = 3  # of cases that nobody sees
HALF = 2 / 3  # of the hidden cases, from which on a function gets half of its points
RIGHT, PARTLY, OTHERS = ("Right.", "Right on the examples that `check` tries, and on most others.",
                         "Right on the examples that `check` tries, and wrong on others.")


@dataclass(frozen=True)
class Mark:
    """What came of one exercise, project or written question."""

    id: str
    points: float
    most: float
    state: str  # "right", "partly", "wrong", "not written", "missing", "stopped", "to be read" (by a person)
    comment: str = ""  # for the student; it says nothing of cases that are not shown
    mistake: int | None = None  # which of the exercise's known mistakes it is: for the teacher alone


@functools.lru_cache(maxsize=1_024)
def shown_key(exercise_id):
    """The answer key of the cases that `check` shows."""
    exercise = find(exercise_id)
    return judge.AnswerKey(exercise, exercise.draw(SEED))


@functools.lru_cache(maxsize=1_024)
def hidden_key(exercise_id, seed):
    """The answer key of the cases that nobody sees."""
    exercise = find(exercise_id)
    return judge.AnswerKey(exercise, [case for i in range(HIDDEN_DRAWS) for case in exercise.draw(seed + i)])


def shown_verdict(exercise_id, answers):
    """The verdict on answers to the shown cases, a list of judge.Answer."""
    return _judged(shown_key(exercise_id), answers)


def wrong_on_shown(exercise, most, verdict):
    """The mark for a function that is wrong on a case that `check` shows: with that case, and a hint."""
    case = shown_key(exercise.id).cases[verdict.case]
    inputs = judge.shorten(", ".join(f"{name}={judge.show(value)}" for name, value in case.items()), 300)
    call = f"{function_name(exercise)}({inputs})"
    text = f"Wrong on example {verdict.case + 1}, {call}: {verdict.complaint}. {verdict.hint}"
    return Mark(exercise.id, 0.0, most, "wrong", text.strip(), verdict.mistake)


def on_hidden(exercise, most, seed, answers):
    """The mark for a function that is right on all cases that `check` shows.

    What is said of the hidden cases is one of three sentences: whatever a function does on them, it cannot tell them.

    Parameters
    ----------
    exercise : Exercise
    most : float
        Points.
    seed : int
    answers : list of judge.Answer, or None
        None: it came to no end.

    Returns
    -------
    Mark
    """
    key = hidden_key(exercise.id, seed)
    if answers is None:
        return Mark(exercise.id, 0.0, most, "wrong", OTHERS)
    verdict = _judged(key, answers)
    if verdict.case is None:
        return Mark(exercise.id, most, most, "right", RIGHT)
    if not exercise.verify and _share(key, answers) >= HALF:
        return Mark(exercise.id, most / 2, most, "partly", PARTLY, verdict.mistake)
    return Mark(exercise.id, 0.0, most, "wrong", OTHERS, verdict.mistake)


def _share(key, answers):
    wrong = sum(bool(answer.complaint or answer.shared or judge.compare(right, answer.output, key.exercise.tolerance))
                for right, answer in zip(key.right, answers, strict=True))
    return 1 - wrong / len(answers)


def _judged(key, answers):
    try:
        return key.judge(answers)
    except Exception:  # an exercise's own check may stumble over what nobody foresaw
        return judge.Verdict(0, "an answer that cannot be judged")


def read_answers(answers, count):
    """What came from the sandbox as a list of `judge.Answer`, or None if it is none."""
    if type(answers) is not list or len(answers) != count:
        return None
    read = []
    for answer in answers:
        if type(answer) is not dict or not all(type(answer.get(name)) is str for name in ("complaint", "shared")):
            return None
        try:
            output = wire.decode(answer.get("output"))
        except wire.NotPlain as error:
            read.append(judge.Answer(complaint=f"an answer that cannot be read: {error}"))
            continue
        if output is None and not answer["complaint"]:
            return None
        read.append(judge.Answer(output, answer["complaint"], answer["shared"]))
    return read


def project_mark(task, most, left, seed, student):
    """The mark for what `hand_in` left in a notebook, a dict or None: it grows with the score."""
    if left is None:
        return Mark(task.id, 0.0, most, "not written", "Nothing was handed in with `hand_in`.")
    own = class_seed(seed, task.id, class_number(student))
    if left.get("given") != digest(task.instance(own)[0]):
        return Mark(task.id, 0.0, most, "to be read", "An answer for another name, or another course, than this one.")
    try:
        answer = wire.decode(left.get("answer"))
        score, points = task.score(answer, own), task.points(answer, most, own)
    except (ValueError, TypeError) as error:
        return Mark(task.id, 0.0, most, "wrong", judge.shorten(str(error), 200))
    state = "right" if points == most else "partly" if points > 0 else "wrong"
    comment = f"Score {score:.0f}: par is {task.scores(own)['par']:.0f}, the best known 100."
    return Mark(task.id, points, most, state, comment)
