"""What fused networks get: an input for each expert."""

from __future__ import annotations

import numpy as np

from course_lib.common.config import whole
from course_lib.common.seeding import spawn


def check_fusion(experts, input_shapes):
    """The shape of each expert's input; a ValueError unless there is one for each, or one for all."""
    shapes = [tuple(shape) for shape in input_shapes]
    if len(experts) < 1 or len(shapes) not in (1, len(experts)):
        raise ValueError(f"input_shapes: expected one for each of {len(experts)} experts, or a single one, "
                         f"got {input_shapes}")
    return shapes * (len(experts) // len(shapes))


def check_mixture(k, balance, experts):
    """How many of so many experts count: k, or all if it is None; a ValueError if that, or the balance, cannot be."""
    if k is not None and not (whole(k, 1) and k <= experts):
        raise ValueError(f"k: expected None or a whole number from 1 to {experts}, the number of experts, got {k!r}")
    if not balance >= 0:
        raise ValueError(f"balance: expected a number >= 0, got {balance!r}")
    return experts if k is None else k


def check_trunk(input_shapes):
    """As many shapes as there are inputs; a ValueError unless one network can look at all of them."""
    if len({tuple(shape) for shape in input_shapes}) != 1:
        raise ValueError(f"input_shapes: expected shapes that are all alike, for one trunk, got {input_shapes}")
    return len(input_shapes)


def check_columns(widths):
    """A ValueError unless the columns have layers of the same widths, given for each column as a list."""
    if any(own != widths[0] or not own for own in widths):
        raise ValueError(f"experts: expected dense networks with layers of the same widths, got {widths}")


def check_fits(look, shape):
    """What `look()`, an expert's look at an input of this shape, gives; a ValueError unless it is (B, features)."""
    try:
        found = look()
    except Exception as error:
        raise ValueError(f"experts: expected networks that take their inputs; one fails with shape {shape}: {error}"
                         ) from error
    if len(found.shape) != 2:
        raise ValueError(f"experts: expected networks from inputs {shape} to features (B, F), got {found.shape}")
    return found


def check_attack(parts, y, attacked):
    """Which inputs are attacked: these, or all if it is None; a ValueError if there are no such ones."""
    inputs, y = len(parts), np.asarray(y)
    if attacked is not None and not all(whole(m, 0) and m < inputs for m in attacked):
        raise ValueError(f"attacked: expected None or numbers of inputs, 0 to {inputs - 1}, got {attacked}")
    if y.ndim != 1 or y.dtype.kind not in "iu" or not len(y) or {len(part) for part in parts} != {len(y)}:
        raise ValueError("x, y: expected arrays (N, ...) and classes (N,), N > 0, got shapes "
                         f"{[part.shape for part in parts]} and {y.dtype} of shape {y.shape}")
    return range(inputs) if attacked is None else attacked


def check_lesson(teacher_logits, y, temperature, share):
    """A ValueError unless a student can learn from these: logits (N, C), classes (N,), and a share in [0, 1]."""
    shape, y = np.shape(teacher_logits), np.asarray(y)
    if len(shape) != 2 or y.shape != shape[:1] or y.dtype.kind not in "iu" or not 0 <= y.min() <= y.max() < shape[1]:
        raise ValueError("teacher_logits, y: expected shapes (N, C) and (N,), and classes below C, "
                         f"got {shape} and {y.dtype} of shape {y.shape}")
    if not (temperature > 0 and 0 <= share <= 1):
        raise ValueError("temperature, share: expected a number > 0 and one in [0, 1], "
                         f"got {temperature} and {share}")


def seeds_of(seed, n):
    """Seeds for the layers of a network, small enough for Keras, which multiplies them."""
    return [own % 1_000_000 for own in spawn(seed, n)]


def halves(images):
    """The left and the right half of images (N, height, width), as a tuple."""
    width = images.shape[2]
    return images[:, :, :width // 2], images[:, :, width // 2:]


def with_missing(x, y):
    """Training data in which each example also appears with each one of its inputs missing: all zeros.

    Parameters
    ----------
    x : tuple of M arrays (N, ...)
    y : array (N,)

    Returns
    -------
    tuple of arrays ((M + 1) * N, ...), array ((M + 1) * N,)

    References
    ----------
    Neverova et al. 2016, "ModDrop: adaptive multi-modal gesture recognition", with every case instead of random ones.
    """
    inputs = tuple(np.concatenate([part if missing != m else np.zeros_like(part) for missing in (None, *range(len(x)))])
                   for m, part in enumerate(x))
    return inputs, np.tile(y, len(x) + 1)
