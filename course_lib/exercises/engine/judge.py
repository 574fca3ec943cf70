"""Judges a function's answers to an exercise's cases, as pure data."""

from __future__ import annotations

import numbers
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from course_lib.exercises.engine import diagnoses
from course_lib.exercises.engine.answers import Answer, NotWritten, kind, plain, run, shorten

__all__ = ["Answer", "AnswerKey", "NotWritten", "Verdict", "compare", "judge", "plain", "run", "shorten", "show"]


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

    def judge(self, answers, *, unused=lambda: None):
        """The `Verdict` on a learner's answers, a list of Answer.

        What explains every case comes first, then what holds of every wrong case, then what explains the first one.
        `unused()` may name a parameter that the learner's function makes no use of.
        """
        case, complaint = self._first_wrong(answers)
        if case is None:
            return Verdict()
        known, certain = self._known(answers, case, complaint)
        if known is not None and certain:
            return Verdict(case, complaint, self.exercise.wrong[known].hint, known)
        hint = diagnoses.of_exception(complaint) or self._diagnosis(answers, case, certain=True)
        if not hint and not self.exercise.verify and (name := unused()):
            hint = f"Your result does not depend on `{name}`."
        if not hint and known is not None:
            return Verdict(case, complaint, self.exercise.wrong[known].hint, known)
        return Verdict(case, complaint, hint or self._diagnosis(answers, case, certain=False))

    def _known(self, answers, case, complaint):
        """The known mistake that explains the first wrong case, or None; and whether it explains all the others too.

        Of several the one that explains most; if they explain equally many of the wrong cases, and not all, none.
        """
        found, wrong = [], self._wrong(answers, case)
        if not wrong:  # right, but an input is handed back: no mistake explains that
            return None, False
        for index, theirs in enumerate(self.mistakes):
            if self.exercise.verify:
                fits = [self._first_wrong(theirs) == (case, complaint)]
            else:
                fits = [self.same(a, b) for a, b in zip(answers, theirs, strict=True)]
            if fits[0 if self.exercise.verify else case]:
                shared = [a.shared for a in answers] != [b.shared for b in theirs]
                found.append((-sum(fits), shared, index, fits))
        found.sort()
        if found and all(found[0][3]):
            return found[0][2], True
        if not found or len(found) > 1 and found[1][0] == found[0][0]:
            return None, False
        alike = [i for i in wrong if found[0][3][i]]
        entries = sum(_entries(answers[i].output) for i in alike)  # few that agree can be chance
        enough = alike == wrong or entries >= 12 or (entries >= 3 and 2 * len(alike) >= len(wrong))
        return (found[0][2], False) if enough else (None, False)

    def _wrong(self, answers, first):
        """The cases, from the first wrong one on, whose answers are wrong."""
        if self.exercise.verify:
            return [first]
        return [i for i in range(first, len(answers)) if answers[i].complaint or compare(
            self.right[i], answers[i].output, self.exercise.tolerance)]

    def same(self, one, other):
        """Whether two answers are equal; of two exceptions, whether they are of one type."""
        kinds = [answer.complaint.partition(":")[0] for answer in (one, other)]
        if any(kind.endswith(("Error", "Exception")) for kind in kinds):
            return kinds[0] == kinds[1]
        return one.complaint == other.complaint and not compare(other.output, one.output, self.exercise.tolerance)

    def _diagnosis(self, answers, case, *, certain):
        if self.exercise.verify:
            return ""
        got = [answer.output for answer in answers]
        failing = [index for index in self._wrong(answers, case) if not answers[index].complaint]
        if certain and any(answer.complaint for answer in answers):
            return ""
        return diagnoses.of_outputs(self.cases, self.right, got, failing, certain=certain)

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


def _entries(output):
    """How many numbers an output is made of."""
    return sum(map(_entries, output)) if isinstance(output, (list, tuple)) else np.size(output)


def compare(expected, got, tolerance):
    """What is wrong with an output, in words; empty if it equals the expected one, whatever holds the numbers.

    Parameters
    ----------
    expected : number, array, or list or tuple of these
    got : object
        Lists, tuples and arrays are alike, and so are integers, floats and booleans of the same value.
    tolerance : float
        Largest relative or absolute difference.

    Returns
    -------
    str
    """
    if isinstance(expected, (list, tuple)):
        several = isinstance(got, (list, tuple)) or isinstance(got, np.ndarray) and got.ndim > 0
        if not several or len(got) != len(expected):
            return f"expected a list of {len(expected)}, got {kind(got)}"
        texts = [compare(*pair, tolerance) for pair in zip(expected, got, strict=True)]
        return next((f"item {index}: {text}" for index, text in enumerate(texts) if text), "")
    single = isinstance(expected, numbers.Real)
    wanted = np.asarray(expected)
    try:
        found = np.asarray(got)
    except ValueError:  # rows of different lengths
        found = None
    if found is None or found.dtype.kind not in "fiub" or found.shape != wanted.shape or isinstance(got, bool):
        shaped = isinstance(got, (list, tuple)) and found is not None and found.dtype.kind in "fiub"
        there = f"a {type(got).__name__} of shape {found.shape}" if shaped else kind(got)
        return f"expected {'a number' if single else f'an array of shape {wanted.shape}'}, got {there}"
    close = np.isclose(found.astype(float), wanted.astype(float), rtol=tolerance, atol=tolerance, equal_nan=True)
    return "" if close.all() else _difference(wanted, found, close)


def _difference(expected, got, close):
    """Both values, or of larger arrays the first row that differs, in words that differ."""
    where, count = "", int((~close).sum())
    if expected.size > 6 and expected.ndim:
        row = tuple(np.argwhere(~close)[0][: max(1, expected.ndim - (expected.shape[-1] <= 6))].tolist())
        where = f"at [{', '.join(map(str, row))}]: "
        rest = f"; {count} of {expected.size} entries differ"
        expected, got = expected[row], got[row]
    else:
        rest = ""
    for digits in (4, 6, 9, 17):
        texts = [show(value, digits) for value in (expected, got)]
        if texts[0] != texts[1]:
            break
    return f"{where}expected {texts[0]}, got {texts[1]}{rest}"


def show(value, digits=4):
    """A value in one short line."""
    if isinstance(value, np.ndarray) and value.ndim:
        text = np.array2string(value, precision=digits, separator=", ", threshold=24, edgeitems=4)
    elif isinstance(value, dict):
        text = "{" + ", ".join(f"{name}: {show(item)}" for name, item in value.items()) + "}"
    elif isinstance(value, (list, tuple)):
        text = "[" + ", ".join(map(show, value)) + "]"
    else:
        value = value.item() if isinstance(value, (np.ndarray, np.generic)) else value
        text = f"{value + 0.0:.{max(digits, 6)}g}" if isinstance(value, float) else repr(value)  # + 0.0: -0 is 0
    return shorten(" ".join(text.split()), 90)
