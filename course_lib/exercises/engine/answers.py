"""Gives an exercise's cases to a learner's function, and notes what it makes of them.

This file imports nothing of the course, for it also runs where a classroom keeps the course out of reach.
"""

from __future__ import annotations

import contextlib
import copy
import linecache
import numbers
import pickle
import traceback
import warnings
from collections import deque
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Answer:
    """What a function made of one case."""

    output: Any = None  # numbers, NumPy arrays, lists and dicts of these
    complaint: str = ""  # why it does not count, whatever the output: an exception, an input changed in place
    shared: str = ""  # why it does not count although the output is right: it is (part of) an input


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
        output = plain(output, bridge)
    except Exception as error:
        return Answer(complaint=_one_line(function, error))
    for name, value in _inputs(exercise, given, bridge).items():
        if pickle.dumps(value) != before[name]:
            return Answer(output, f"your function changes its input `{name}` in place: make a new array")
        if not bridge and any(np.may_share_memory(a, b) for a in _arrays(output) for b in _arrays(value)):
            return Answer(output, shared=f"you return the input `{name}` itself, not a copy: both change together")
    return Answer(output)


def plain(value, bridge=None):
    """Tensors, data frames and other things that can be an array, as arrays; in lists, tuples and dicts too.

    What is like a number, list, tuple or dict (a Fraction, a range, a named tuple, ...) becomes one.
    """
    if bridge and bridge.is_tensor(value):
        return bridge.out_of(value)
    if isinstance(value, tuple):
        return tuple(plain(entry, bridge) for entry in value)
    if isinstance(value, (list, range, deque)):
        return [plain(entry, bridge) for entry in value]
    if isinstance(value, dict):
        return {name: plain(entry, bridge) for name, entry in value.items()}
    if isinstance(value, (numbers.Real, Decimal)) and not isinstance(value, (bool, np.generic)):
        return int(value) if isinstance(value, numbers.Integral) else float(value)
    if isinstance(value, np.ndarray) and value.dtype.kind == "O" and value.ndim:
        with contextlib.suppress(TypeError, ValueError):  # of fractions, say
            return value.astype(float)
    if hasattr(value, "__array__") and not isinstance(value, (np.ndarray, np.generic)):
        return np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
    return value


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


def kind(value):
    """What a value is, in words."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}" if value.dtype.kind in "fiub" else (
            "an array of objects" if value.dtype.kind == "O" else f"an array of {value.dtype}")
    return f"a {type(value).__name__}" + (f" of {len(value)}" if isinstance(value, (list, tuple)) else "")


def shorten(text, limit):
    """The text, cut to at most `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
