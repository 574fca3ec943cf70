"""Judges a function's answers to an exercise's cases, as pure data."""

from __future__ import annotations

import numbers
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from course_lib.exercises.engine.answers import Answer, NotWritten, kind, run, shorten

__all__ = ["Answer", "AnswerKey", "NotWritten", "Verdict", "compare", "judge", "run", "shorten", "show"]


@dataclass(frozen=True)
class Verdict:
    """The judgement on a function's answers to all cases."""

    case: int | None = None  # the first case, from 0, that is wrong; None: all are right
    complaint: str = ""
    hint: str = ""
    mistake: int | None = None  # index in Exercise.wrong of the known mistake behind it


def judge(exercise, cases, answers):
    """Judge the answers to cases; where one is wrong, look for the known mistake behind it.

    Parameters
    ----------
    exercise : Exercise
    cases : list of dict
    answers : list of Answer

    Returns
    -------
    Verdict
    """
    return AnswerKey(exercise, cases).judge(answers)


class AnswerKey:
    """What is right on some cases, and what each known mistake makes of them: computed once, for many learners."""

    def __init__(self, exercise, cases):
        self.exercise, self.cases = exercise, cases

    @cached_property
    def right(self):
        """The right outputs."""
        return [answer.output for answer in run(self.exercise, self.exercise.reference, cases=self.cases)]

    @cached_property
    def mistakes(self):
        """For each known mistake its answers."""
        return [run(self.exercise, wrong.function, cases=self.cases) for wrong in self.exercise.wrong]

    def judge(self, answers):
        """The `Verdict` on a learner's answers, a list of Answer."""
        exercise = self.exercise
        case, complaint = self._first_wrong(answers)
        if case is None:
            return Verdict()
        alike = []  # known mistakes with the same outputs, first those that also hand back the same inputs
        for index, theirs in enumerate(self.mistakes):
            if exercise.verify:
                same = self._first_wrong(theirs) == (case, complaint)
            else:
                same = all(a.complaint == b.complaint and not compare(b.output, a.output, exercise.tolerance)
                           for a, b in zip(answers, theirs, strict=True))
            if same:
                alike.append(([a.shared for a in answers] != [b.shared for b in theirs], index))
        if alike:
            _, index = min(alike)
            return Verdict(case, complaint, exercise.wrong[index].hint, index)
        return Verdict(case, complaint)

    def _first_wrong(self, answers):
        for index, answer in enumerate(answers):
            if answer.complaint:
                return index, answer.complaint
        outputs = [answer.output for answer in answers]
        if self.exercise.verify:
            return self.exercise.verify(self.cases, outputs) or (None, "")
        for index, (expected, got) in enumerate(zip(self.right, outputs, strict=True)):
            complaint = compare(expected, got, self.exercise.tolerance)
            if complaint:
                return index, complaint
        return next(((index, answer.shared) for index, answer in enumerate(answers) if answer.shared), (None, ""))


def compare(expected, got, tolerance):
    """What is wrong with an output, in words; empty if it equals the expected one.

    Parameters
    ----------
    expected : number, array, or list or tuple of these
    got : object
    tolerance : float
        Largest relative or absolute difference.

    Returns
    -------
    str
    """
    if isinstance(expected, (list, tuple)):
        if not isinstance(got, (list, tuple)) or len(got) != len(expected):
            return f"expected a list of {len(expected)}, got {kind(got)}"
        texts = [compare(*pair, tolerance) for pair in zip(expected, got, strict=True)]
        return next((f"item {index}: {text}" for index, text in enumerate(texts) if text), "")
    if isinstance(expected, numbers.Real):
        got = got[()] if isinstance(got, np.ndarray) and got.ndim == 0 else got  # what a tensor without axes becomes
        if not isinstance(got, numbers.Real) or isinstance(got, bool):
            return f"expected a number, got {kind(got)}"
        if not np.isclose(float(got), expected, rtol=tolerance, atol=tolerance, equal_nan=True):
            return f"expected {show(expected)}, got {show(float(got))}"
        return ""
    if not isinstance(got, np.ndarray) or got.shape != expected.shape:
        return f"expected an array of shape {expected.shape}, got {kind(got)}"
    if got.dtype.kind.replace("u", "i") != expected.dtype.kind.replace("u", "i"):  # any whole numbers will do
        return f"expected an array of {expected.dtype}, got {got.dtype}"
    if not np.allclose(got, expected, rtol=tolerance, atol=tolerance, equal_nan=True):  # NaN equals only NaN
        return f"expected {show(expected)}, got {show(got)}"
    return ""


def show(value):
    """A value in one short line."""
    if isinstance(value, np.ndarray):
        text = np.array2string(value, precision=4, separator=", ", threshold=24, edgeitems=4)
    elif isinstance(value, dict):
        text = "{" + ", ".join(f"{name}: {show(item)}" for name, item in value.items()) + "}"
    elif isinstance(value, (list, tuple)):
        text = "[" + ", ".join(map(show, value)) + "]"
    else:
        text = f"{value + 0.0:.6g}" if isinstance(value, float) else repr(value)  # + 0.0: -0 is 0
    return shorten(" ".join(text.split()), 90)
