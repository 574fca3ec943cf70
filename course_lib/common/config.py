"""Hyper-parameters in a dataclass: each field is checked by its type and its range, and goes into a checkpoint."""

from __future__ import annotations

import dataclasses
import functools
import math
import types
import typing
from numbers import Integral, Real

import numpy as np


def whole(value, least):
    """Whether a value is a whole number, Python's or NumPy's, of at least `least`."""
    return isinstance(value, Integral) and not isinstance(value, bool) and value >= least


def require(config, name, holds, expected):
    """Raise a ValueError unless `holds(value)` is true of the field `name`.

    Parameters
    ----------
    config : dataclass instance
    name : str
    holds : callable
        A TypeError or IndexError in it, as from comparing a str with a number, counts as false.
    expected : str
        What the message says was expected.
    """
    value = getattr(config, name)
    try:
        fine = holds(value)
    except (TypeError, IndexError):
        fine = False
    if not fine:
        raise ValueError(f"{type(config).__name__}.{name}: expected {expected}, got {value!r}")


class Config:
    """The base of a frozen dataclass of hyper-parameters.

    Fields are annotated `bool`, `int`, `float`, `str`, a tuple of one of them, or one of these `| None`; numbers are
    finite. `RANGES` names the fields of a range, {"[0, 1)": ("gamma", ...)} (of a tuple: of each entry), `CHOICES` the
    values that a str may have.

    Raises
    ------
    ValueError
        If a field is something else; the message names the field, what was expected and what came.
    """

    RANGES = {}
    CHOICES = {}

    def __post_init__(self):
        ranges = {name: text for text, names in self.RANGES.items() for name in names}
        hints = _hints(type(self))
        for field in dataclasses.fields(self):
            name = field.name
            holds, expected = _rule(hints[name], ranges.get(name, "(-inf, inf)"), self.CHOICES.get(name))
            require(self, name, holds, expected)

    def as_dict(self):
        """The fields as plain data: tuples become lists."""
        fields = dataclasses.asdict(self).items()
        return {name: list(value) if isinstance(value, tuple) else value for name, value in fields}

    @classmethod
    def from_dict(cls, fields):
        """The inverse of `as_dict`; a ValueError if a field is missing, or one is not known."""
        expected = {field.name for field in dataclasses.fields(cls)}
        if fields.keys() != expected:
            raise ValueError(f"{cls.__name__}: expected the fields of this version of the course, got "
                             f"{sorted(fields.keys() - expected) or 'none'} besides, and without "
                             f"{sorted(expected - fields.keys()) or 'none'}")
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()})


_hints = functools.cache(typing.get_type_hints)


def _rule(kind, text, choices):
    """What must hold of a value, and how to say that: for a type, a range such as "[0, 1)", and a list of values."""
    if isinstance(kind, types.UnionType):
        holds, expected = _rule(typing.get_args(kind)[0], text, choices)
        return lambda value: value is None or holds(value), f"None or {expected}"
    if typing.get_origin(kind) is tuple:
        entries = typing.get_args(kind)
        holds, expected = _rule(entries[0], text, choices)
        size = None if entries[-1] is Ellipsis else len(entries)
        return (lambda value: isinstance(value, tuple) and size in (None, len(value)) and all(map(holds, value)),
                f"a tuple{f' of {size}' if size else ''}, each entry {expected}")
    if kind is bool:
        return lambda value: isinstance(value, (bool, np.bool_)), "True or False"
    if kind is str:
        return lambda value: isinstance(value, str) and value in choices, f"one of {', '.join(choices)}"
    low, high = map(float, text[1:-1].split(","))
    number = Integral if kind is int else Real

    def holds(value):
        return (isinstance(value, number) and not isinstance(value, (bool, np.bool_)) and math.isfinite(value)
                and (low < value or (text[0] == "[" and value == low))
                and (value < high or (text[-1] == "]" and value == high)))

    words = "a whole number" if kind is int else "a number"
    if high < math.inf:
        return holds, f"{words} in {text}"
    return holds, words if low == -math.inf else f"{words} {'>=' if text[0] == '[' else '>'} {low:g}"
