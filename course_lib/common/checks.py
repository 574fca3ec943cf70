"""What is handed over is checked here, once, where it enters: shape, dtype, NaN and infinity, range."""

from __future__ import annotations

from numbers import Real

import numpy as np

from course_lib.common.config import whole


def array(name, value, shape, *, kind="real", finite=True, low=-np.inf, high=np.inf):
    """A value as an array, or a ValueError that says what was expected and what came.

    Parameters
    ----------
    name : str
        What the message calls it.
    value : array-like
        Also a list, a data frame or a tensor.
    shape : tuple
        For each axis its length, or a str, which stands for any length above 0; `...` at the end: any more axes.
    kind : "real", "whole" or "flags"
        Real numbers keep their floating dtype, anything else becomes float64; whole numbers become int64, and only
        integers are such; flags become bool, and only booleans and the numbers 0 and 1 are such.
    finite : bool
        Whether NaN and infinity are refused.
    low, high : float
        The range, both ends included.

    Returns
    -------
    array
    """
    found = _as_array(name, value)
    axes = [axis for axis in shape if axis is not Ellipsis]
    fits = found.ndim == len(shape) if axes == list(shape) else found.ndim >= len(axes)
    for length, axis in zip(found.shape, axes, strict=False):
        fits = fits and (length > 0 if isinstance(axis, str) else length == axis)
    if not fits:
        raise ValueError(f"{name}: expected shape {_words(shape)}, got {found.shape}")
    found = _CONVERT[kind](name, found)
    if finite and kind == "real" and not np.isfinite(found).all():
        raise ValueError(f"{name}: expected finite numbers, got NaN or infinity in {(~np.isfinite(found)).sum():,} of "
                         f"{found.size:,}")
    if (low, high) != (-np.inf, np.inf) and found.size and not (
            found.min() >= low and found.max() <= high) and not np.isnan(found).any():
        wanted = f">= {low:g}" if high == np.inf else f"from {low:g} to {high:g}"
        got = f"{found.min():g} to {found.max():g}" if found.ndim else f"{found:g}"
        raise ValueError(f"{name}: expected {'numbers' if found.ndim else 'a number'} {wanted}, got {got}")
    return found


def classes(name, value, count, n_classes=None):
    """Classes (count,) as int64, counted from 0 and below `n_classes`."""
    return array(name, value, (count,), kind="whole", low=0, high=np.inf if n_classes is None else n_classes - 1)


def probabilities(name, value, shape):
    """Probabilities, of sum 1 along the last axis."""
    found = array(name, value, shape, low=0)
    sums = found.sum(axis=-1)
    if not np.allclose(sums, 1, atol=1e-3):
        raise ValueError(f"{name}: expected rows of sum 1, got sums from {sums.min():.3g} to {sums.max():.3g}")
    return found


def float32(name, value):
    """Examples (N, ...) as float32; a ValueError if it cannot hold them or tell them apart.

    Near 1e9 float32 knows every 64th number only: what varies by less around a large offset would become a constant.
    """
    with np.errstate(over="ignore"):
        found = np.asarray(value).astype(np.float32, copy=False)
    if found is value or found.dtype == np.asarray(value).dtype or not found.size:
        return found
    if not np.isfinite(found).all():
        raise ValueError(f"{name}: expected numbers that float32 can hold, below 3.4e38, got {np.abs(value).max():g}")
    span, offset = np.ptp(value, axis=0).astype(float), np.abs(found).max(axis=0)
    if np.any((span > 0) & (span < 100 * np.spacing(offset))):
        raise ValueError(f"{name}: expected numbers that float32 can tell apart, got some that vary by {span.max():g} "
                         f"around {offset.max():g}; subtract their mean first")
    return found


def number(name, value, *, low=-np.inf, high=np.inf):
    """A finite real number in this range, both ends included, as a float."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (Real, np.ndarray)):
        raise ValueError(f"{name}: expected a number, got {value!r}")
    return float(array(name, value, (), low=low, high=high))


def seed(value, name="seed"):
    """A seed as an int; a ValueError unless it is a whole number in [0, 2**32), which every framework accepts."""
    if not whole(value, 0) or value >= 2**32:
        raise ValueError(f"{name}: expected a whole number from 0 to 2**32 - 1, got {value!r}")
    return int(value)


def sizes(**named):
    """A ValueError unless every named value is a whole number >= 1, or a tuple of such."""
    for name, value in named.items():
        entries = value if isinstance(value, tuple) else (value,)
        if not all(whole(entry, 1) for entry in entries):
            raise ValueError(f"{name}: expected {'whole numbers' if isinstance(value, tuple) else 'a whole number'} "
                             f">= 1, got {value!r}")


def callbacks(value):
    """A ValueError unless it is a list of functions."""
    if not isinstance(value, (list, tuple)) or not all(map(callable, value)):
        raise ValueError(f"callbacks: expected a list of functions, got {value!r}")
    return value


def still_finite(arrays, where, *, loss=0.0):
    """Stop a long run: a FloatingPointError once its loss or one of its weights is NaN or infinite.

    Parameters
    ----------
    arrays : iterable of arrays
        The weights.
    where : str
        Such as "after 1,000 updates".
    loss : float
    """
    if not np.isfinite(loss):
        raise FloatingPointError(f"training {where}: expected a finite loss, got {loss}; {_ADVICE}")
    if not all(np.isfinite(values).all() for values in arrays):
        raise FloatingPointError(f"training {where}: expected finite weights, got NaN or infinity; {_ADVICE}")


_ADVICE = "a smaller learning rate, or clipping the gradient, may help"


def _as_array(name, value):
    if any(map(np.ma.isMaskedArray, value if isinstance(value, (list, tuple)) else (value,))):
        raise ValueError(f"{name}: expected an array without a mask, got a masked one; .filled(...) makes such")
    try:
        return np.asarray(value)
    except Exception as error:  # ragged lists, tensors on a GPU or with a gradient, and whatever else has no array
        trouble = "with rows of different shapes" if "inhomogeneous" in str(error) else f"that has none: {error}"
        raise ValueError(f"{name}: expected an array, got {type(value).__name__} {trouble:.200}") from error


def _words(shape):
    entries = ["..." if axis is Ellipsis else str(axis) for axis in shape]
    return f"({', '.join(entries)}{',' if len(entries) == 1 else ''})"


def _real(name, found):
    if found.dtype.kind == "O":
        found = _from_objects(name, found)
    if found.dtype.kind not in "fiub":
        raise ValueError(f"{name}: expected real numbers, got {found.dtype}")
    return found if found.dtype in (np.float32, np.float64) else found.astype(np.float64)


def _whole(name, found):
    if found.dtype.kind == "O":
        found = _from_objects(name, found)
    if found.dtype.kind not in "iu" or (found.dtype == np.uint64 and found.size and found.max() >= 2**63):
        raise ValueError(f"{name}: expected whole numbers, got {found.dtype}")
    return found.astype(np.int64)


def _flags(name, found):
    if found.dtype.kind not in "biuf" or not (found.dtype == bool or np.isin(found, (0, 1)).all()):
        raise ValueError(f"{name}: expected True or False, or 0 and 1, got {found.dtype}")
    return found.astype(bool)


def _from_objects(name, found):
    """Numbers that came as Python objects, as in a column of a data frame."""
    plain = np.array(found.tolist()) if found.size else found
    if plain.shape != found.shape or plain.dtype.kind not in "fiub":
        raise ValueError(f"{name}: expected numbers, got objects such as {type(found.flat[0]).__name__}"
                         if found.size else f"{name}: expected numbers, got none")
    return plain


_CONVERT = {"real": _real, "whole": _whole, "flags": _flags}
