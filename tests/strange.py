"""Arrays and numbers as people hand them over: of other types, shapes and contents than were meant."""

import numpy as np


def _put(value):
    def change(array, rng):
        changed = np.array(array, float)
        if changed.size:
            changed.flat[rng.integers(changed.size)] = value
        return changed

    return change


def _cast(dtype):
    def change(array, rng):
        with np.errstate(invalid="ignore"):
            return np.asarray(array).astype(dtype)

    return change


def _ragged(array, rng):
    rows = np.asarray(array).tolist()
    return [*rows[:-1], [*rows[-1], 0.5]] if isinstance(rows[-1], list) else [[1.0], [1.0, 2.0]]


def _frame(array, rng):
    import pandas

    return pandas.DataFrame(array) if np.ndim(array) == 2 else pandas.Series(np.ravel(array))


def _tensor(array, rng):
    import torch

    return torch.as_tensor(np.array(array))


ARRAYS = {
    "as it is": lambda array, rng: array, "a list": lambda array, rng: np.asarray(array).tolist(),
    "a tuple": lambda array, rng: tuple(np.asarray(array).tolist()), "of pandas": _frame, "a tensor": _tensor,
    "NaN in it": _put(np.nan), "infinity in it": _put(np.inf), "minus infinity in it": _put(-np.inf),
    "1e39 in it": _put(1e39), "-1 in it": _put(-1), "1000 in it": _put(1000), "1/2 in it": _put(0.5),
    **{f"as {dtype}": _cast(dtype) for dtype in ("uint8", "int8", "int64", "bool", "float16", "float32", "object",
                                                  "str", "complex128")},
    "one row less": lambda array, rng: np.asarray(array)[:-1], "no rows": lambda array, rng: np.asarray(array)[:0],
    "one row": lambda array, rng: np.asarray(array)[:1],
    "one axis more": lambda array, rng: np.asarray(array)[..., None],
    "transposed": lambda array, rng: np.transpose(array), "flat": lambda array, rng: np.ravel(array),
    "all alike": lambda array, rng: np.full_like(array, np.asarray(array).flat[0]),
    "all 0": lambda array, rng: np.zeros_like(array), "masked": lambda array, rng: np.ma.masked_equal(array, 0),
    "ragged": _ragged, "None": lambda array, rng: None, "a text": lambda array, rng: "abc",
    "a number": lambda array, rng: 3, "a dict": lambda array, rng: {"a": 1},
}
NUMBERS = {"as it is": lambda value, rng: value, "of NumPy": lambda value, rng: np.asarray(value)[()],
           **{repr(value): lambda _, rng, value=value: value
              for value in (-1, 0, 1, 2, 0.5, 1.5, np.nan, np.inf, None, "3", True, [1], 1e39)}}


def plain(value, *, finite=True):
    """What a strange value stands for, as int64, bool or float64; None if it stands for no (finite) numbers."""
    if isinstance(value, np.ma.MaskedArray) or value is None or isinstance(value, (str, dict)):
        return None
    try:
        array = np.asarray(value)
        if array.dtype.kind == "O":
            array = np.array(array.tolist())
    except ValueError:
        return None
    if array.dtype.kind in "iub":
        return array if array.dtype.kind == "b" else array.astype(np.int64)
    wanted = np.isfinite(array) if finite and array.dtype.kind == "f" else ~np.isnan(array)
    return array.astype(np.float64) if array.dtype.kind == "f" and wanted.all() else None


def same(one, other, rtol=0.02):
    """Whether two results, perhaps nested, are equal up to what float16 rounds, and all their numbers finite."""
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(same(a, b, rtol) for a, b in zip(one, other, strict=True))
    one, other = np.asarray(one, float), np.asarray(other, float)
    return one.shape == other.shape and np.isfinite(one).all() and np.allclose(one, other, rtol=rtol, atol=rtol)
