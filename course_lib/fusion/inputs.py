"""What fused networks get: an input for each expert."""

from __future__ import annotations

from course_lib.common import checks
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
    checks.number("balance", balance, low=0)
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


def seeds_of(seed, n):
    """Seeds for the layers of a network, small enough for Keras, which multiplies them."""
    return [own % 1_000_000 for own in spawn(seed, n)]


def halves(images):
    """The left and the right half of images (N, height, width), as a tuple."""
    width = images.shape[2]
    return images[:, :, :width // 2], images[:, :, width // 2:]
