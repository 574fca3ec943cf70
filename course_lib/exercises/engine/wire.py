"""Values as JSON and back, with their exact types; what is read may have been written by anybody.

This file imports nothing of the course, for it also runs in the sandbox. Only plain data comes out of `decode`.
"""

from __future__ import annotations

import base64
import math

import numpy as np

DTYPES = {"|b1": 1, "|i1": 1, "|u1": 1, "<i2": 2, "<u2": 2, "<i4": 4, "<u4": 4, "<i8": 8, "<u8": 8, "<f2": 2, "<f4": 4,
          "<f8": 8}  # the bytes of a number
MIME = "application/vnd.learn-prune-fuse+json"  # in a notebook's output: what `hand_in` was given
MOST_ITEMS = 100_000  # in all lists and dicts of a value together
MOST_NESTED = 20


class NotPlain(ValueError):
    """A value is not made of numbers, texts, arrays, lists, tuples and dicts; the text says what it is."""


def encode(value, nested=0):
    """A value as what `json.dumps(..., allow_nan=False)` takes.

    Raises
    ------
    NotPlain
    """
    if nested > MOST_NESTED:
        raise NotPlain(f"lists more than {MOST_NESTED} deep")
    kind = type(value)
    if value is None or kind in (bool, str):
        return value
    if kind is int:
        if abs(value) >= 1 << 63:
            raise NotPlain("a whole number of more than 63 bits")
        return value
    if kind is float:
        return value if math.isfinite(value) else {"float": repr(value)}
    if kind is list:
        return [encode(item, nested + 1) for item in value]
    if kind is tuple:
        return {"tuple": [encode(item, nested + 1) for item in value]}
    if kind is dict and all(type(name) is str for name in value):
        return {"dict": [[name, encode(item, nested + 1)] for name, item in value.items()]}
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biuf":
        array = np.array(value, "<f8" if value.dtype.itemsize > 8 else value.dtype.newbyteorder("<"), order="C")
        return {"array": [array.dtype.str, list(array.shape), base64.b64encode(array.tobytes()).decode()],
                "scalar": isinstance(value, np.generic)}
    raise NotPlain(f"a {kind.__name__}" + (f" of {value.dtype}" if isinstance(value, np.ndarray) else ""))


def decode(data):
    """The value that `encode` was given.

    Raises
    ------
    NotPlain
        If `encode` never writes such data.
    """
    left = [MOST_ITEMS]
    try:
        return _decode(data, 0, left)
    except (TypeError, ValueError, KeyError, IndexError, OverflowError, MemoryError) as error:
        raise error if isinstance(error, NotPlain) else NotPlain("damaged data") from None


def _decode(data, nested, left):
    left[0] -= 1
    if nested > MOST_NESTED or left[0] < 0:
        raise NotPlain("too many or too deep lists")
    if data is None or type(data) in (bool, str, float):
        return data
    if type(data) is int and abs(data) < 1 << 63:
        return data
    if type(data) is list:
        return [_decode(item, nested + 1, left) for item in data]
    if type(data) is not dict:
        raise NotPlain("damaged data")
    if data.keys() == {"float"} and data["float"] in ("nan", "inf", "-inf"):
        return float(data["float"])
    if data.keys() == {"tuple"} and type(data["tuple"]) is list:
        return tuple(_decode(item, nested + 1, left) for item in data["tuple"])
    if data.keys() == {"dict"} and type(data["dict"]) is list:
        pairs = [(name, _decode(item, nested + 1, left)) for name, item in data["dict"]]
        if all(type(name) is str for name, _ in pairs):
            return dict(pairs)
    if data.keys() == {"array", "scalar"} and type(data["array"]) is list and len(data["array"]) == 3:
        return _array(*data["array"], scalar=data["scalar"])
    raise NotPlain("damaged data")


def _array(dtype, shape, text, *, scalar):
    """Nothing is made, and no dtype is read, before its size is known to fit."""
    if type(dtype) is not str or dtype not in DTYPES or type(shape) is not list or len(shape) > 16 or type(
            text) is not str or not all(type(size) is int and 0 <= size < 1 << 40 for size in shape):
        raise NotPlain("damaged data")
    size = math.prod(shape) * DTYPES[dtype]
    if len(text) != (size + 2) // 3 * 4:
        raise NotPlain("damaged data")
    raw = base64.b64decode(text, validate=True)
    if len(raw) != size or dtype == "|b1" and raw.strip(b"\0\1"):
        raise NotPlain("damaged data")
    array = np.frombuffer(raw, dtype).reshape(shape).copy()
    return array[()] if scalar is True and not array.ndim else array
