"""The mark for a function's answers, from the cases that `check` shows and from those that nobody sees."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from course_lib.classroom.solutions import function_name
from course_lib.exercises.engine import judge
from course_lib.exercises.engine.exercise import SEED
from course_lib.exercises.engine.registry import find

HIDDEN_DRAWS = 3  # of cases that nobody sees


@dataclass(frozen=True)
class Mark:
    """What came of one exercise."""

    id: str  # of the exercise, or of the written question
    points: float
    most: float
    state: str  # "right", "wrong", "not written", "missing", "stopped", "to be read" (by a person)
    comment: str = ""  # for the student; it says nothing of cases that are not shown
    mistake: int | None = None  # which of the exercise's known mistakes it is


@functools.lru_cache(maxsize=1_024)
def keys(exercise_id, seed):
    """The answer keys of the cases that `check` shows, and of those that nobody sees: a list of `judge.AnswerKey`."""
    exercise = find(exercise_id)
    return [judge.AnswerKey(exercise, exercise.draw(one)) for one in (SEED, *(seed + i for i in range(HIDDEN_DRAWS)))]


def judged(exercise, most, answers, seed):
    """The mark for a function's answers.

    Parameters
    ----------
    exercise : Exercise
    most : float
        Points.
    answers : list of lists of judge.Answer
        To the cases of each of `keys`.
    seed : int

    Returns
    -------
    Mark
    """
    for number, (key, part) in enumerate(zip(keys(exercise.id, seed), answers, strict=True)):
        verdict = _judged(key, part)
        if verdict.case is not None:
            name = function_name(exercise)
            where = ("Right on the examples that `check` tries, and wrong on others." if number else
                     f'Wrong on example {verdict.case + 1}: `check("{exercise.id}", {name})` says more.')
            hint = verdict.hint if not number or verdict.mistake is not None else ""  # no word about hidden cases
            text = f"{where} {hint}"
            return Mark(exercise.id, 0.0, most, "wrong", text.strip(), verdict.mistake)
    return Mark(exercise.id, most, most, "right", "Right.")


def _judged(key, answers):
    try:
        return key.judge(answers)
    except Exception:  # an exercise's own check may stumble over what nobody foresaw
        return judge.Verdict(0, "an answer that cannot be judged")
