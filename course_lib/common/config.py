"""The fields of a dataclass of hyper-parameters: checked, and as plain data."""

from __future__ import annotations

from dataclasses import asdict
from numbers import Integral


def require(config, name, holds, expected):
    """Raise a ValueError unless `holds(value)` is true of the field `name`.

    Parameters
    ----------
    config : dataclass instance
    name : str
    holds : callable
        A TypeError in it, as from comparing a str with a number, counts as false.
    expected : str
        What the message says was expected.
    """
    value = getattr(config, name)
    try:
        fine = holds(value)
    except TypeError:
        fine = False
    if not fine:
        raise ValueError(f"{type(config).__name__}.{name}: expected {expected}, got {value!r}")


def whole(value, least):
    """Whether a value is a whole number, Python's or NumPy's, of at least `least`."""
    return isinstance(value, Integral) and not isinstance(value, bool) and value >= least


class Fields:
    """Gives a dataclass of plain values and tuples a form that a checkpoint can hold."""

    def as_dict(self):
        """The fields as plain data: tuples become lists."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, fields):
        """The inverse of `as_dict`."""
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()})
