"""Runs a learner's function on an exercise's cases, and judges the answers as pure data."""

from __future__ import annotations

import copy
import linecache
import numbers
import pickle
import traceback
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Answer:
    """What a function made of one case."""

    output: Any = None  # numbers, NumPy arrays, lists and dicts of these
    complaint: str = ""  # why it does not count, whatever the output: an exception, an input changed in place
    shared: str = ""  # why it does not count although the output is right: it is (part of) an input


@dataclass(frozen=True)
class Verdict:
    """The judgement on a function's answers to all cases."""

    case: int | None = None  # the first case, from 0, that is wrong; None: all are right
    complaint: str = ""
    hint: str = ""
    mistake: int | None = None  # index in Exercise.wrong of the known mistake behind it


class NotWritten(Exception):
    """The function is still the stub that raises NotImplementedError."""


def run(exercise, function, *, cases, bridge=None):
    """Give copies of each case's values, by position, to a function.

    Parameters
    ----------
    exercise : Exercise
    function : callable
    cases : list of dict
    bridge : Bridge, optional
        Turns arrays into tensors and back; None leaves them NumPy arrays.

    Returns
    -------
    list of Answer

    Raises
    ------
    NotWritten
        If the function is still a stub.
    """
    return [_run_case(exercise, function, case, bridge) for case in cases]


def _run_case(exercise, function, case, bridge):
    given = {name: copy.deepcopy(value) for name, value in case.items()}
    given |= {name: np.random.default_rng(given[name]) for name in exercise.seeded}
    if bridge:
        given = {name: bridge.into(value) for name, value in given.items()}
    before = {name: pickle.dumps(value) for name, value in _inputs(exercise, given, bridge).items()}
    try:
        with warnings.catch_warnings(action="ignore"):  # they hold paths, which stored outputs must not
            output = function(*given.values())
        if output is None:
            return Answer(complaint="your function returned None: is the `return` missing?")
        if bridge and not bridge.is_tensor(output):
            return Answer(complaint=f"expected a {bridge.noun}, got {_kind(output)}")
        output = bridge.out_of(output) if bridge else output
    except Exception as error:
        return Answer(complaint=_one_line(function, error))
    for name, value in _inputs(exercise, given, bridge).items():
        if pickle.dumps(value) != before[name]:
            return Answer(output, f"your function changes its input `{name}` in place: make a new array")
        if not bridge and any(np.may_share_memory(a, b) for a in _arrays(output) for b in _arrays(value)):
            return Answer(output, shared=f"you return the input `{name}` itself, not a copy: both change together")
    return Answer(output)


def _inputs(exercise, given, bridge):
    return {name: bridge.out_of(value) if bridge else value
            for name, value in given.items() if name not in exercise.seeded}


def _arrays(value):
    if isinstance(value, np.ndarray):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [array for item in items for array in _arrays(item)]


def _one_line(function, error):
    """Type, message and place of an exception; raises NotWritten for that of a stub."""
    home = getattr(getattr(function, "__code__", None), "co_filename", None)
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    lines = [line for file, line in frames if file == home]
    source = linecache.getline(home, lines[-1]).strip() if lines else ""
    # PyTorch raises NotImplementedError too, for a missing kernel: the type alone does not make a stub
    if type(error) is NotImplementedError and frames[-1][0] == home and "raise" in (source or "raise"):
        raise NotWritten from None
    message = shorten((str(error).strip().splitlines() or ["no message"])[0], 160)
    place = f" (line {lines[-1]}: {source})" if source else ""
    return f"{type(error).__name__}: {message}{place}"


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
    case, complaint = _first_wrong(exercise, cases, answers)
    if case is None:
        return Verdict()
    alike = []  # known mistakes with the same outputs, first those that also hand back the same inputs
    for index, wrong in enumerate(exercise.wrong):
        theirs = run(exercise, wrong.function, cases=cases)
        if exercise.verify:
            same = _first_wrong(exercise, cases, theirs) == (case, complaint)
        else:
            same = all(a.complaint == b.complaint and not compare(b.output, a.output, exercise.tolerance)
                       for a, b in zip(answers, theirs, strict=True))
        if same:
            alike.append(([a.shared for a in answers] != [b.shared for b in theirs], index))
    if alike:
        _, index = min(alike)
        return Verdict(case, complaint, exercise.wrong[index].hint, index)
    return Verdict(case, complaint)


def _first_wrong(exercise, cases, answers):
    for index, answer in enumerate(answers):
        if answer.complaint:
            return index, answer.complaint
    outputs = [answer.output for answer in answers]
    if exercise.verify:
        return exercise.verify(cases, outputs) or (None, "")
    right = [answer.output for answer in run(exercise, exercise.reference, cases=cases)]
    for index, (expected, got) in enumerate(zip(right, outputs, strict=True)):
        complaint = compare(expected, got, exercise.tolerance)
        if complaint:
            return index, complaint
    return next(((index, answer.shared) for index, answer in enumerate(answers) if answer.shared), (None, ""))


def compare(expected, got, tolerance):
    """What is wrong with an output, in words; empty if it equals the expected one.

    Parameters
    ----------
    expected : number, array, or list of these
    got : object
    tolerance : float
        Largest relative or absolute difference.

    Returns
    -------
    str
    """
    if isinstance(expected, list):
        if not isinstance(got, (list, tuple)) or len(got) != len(expected):
            return f"expected a list of {len(expected)}, got {_kind(got)}"
        texts = [compare(*pair, tolerance) for pair in zip(expected, got, strict=True)]
        return next((f"item {index}: {text}" for index, text in enumerate(texts) if text), "")
    if isinstance(expected, numbers.Real):
        got = got[()] if isinstance(got, np.ndarray) and got.ndim == 0 else got  # what a tensor without axes becomes
        if not isinstance(got, numbers.Real) or isinstance(got, bool):
            return f"expected a number, got {_kind(got)}"
        if not np.isclose(float(got), expected, rtol=tolerance, atol=tolerance, equal_nan=True):
            return f"expected {show(expected)}, got {show(float(got))}"
        return ""
    if not isinstance(got, np.ndarray) or got.shape != expected.shape:
        return f"expected an array of shape {expected.shape}, got {_kind(got)}"
    if got.dtype.kind.replace("u", "i") != expected.dtype.kind.replace("u", "i"):  # any whole numbers will do
        return f"expected an array of {expected.dtype}, got {got.dtype}"
    if not np.allclose(got, expected, rtol=tolerance, atol=tolerance, equal_nan=True):  # NaN equals only NaN
        return f"expected {show(expected)}, got {show(got)}"
    return ""


def _kind(value):
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    return f"a {type(value).__name__}" + (f" of {len(value)}" if isinstance(value, (list, tuple)) else "")


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


def shorten(text, limit):
    """The text, cut to at most `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
