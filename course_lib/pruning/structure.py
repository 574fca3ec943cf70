"""What both frameworks check, and which inputs of a layer belong to the neurons that stay."""

from __future__ import annotations

import numpy as np

from course_lib.common import checks


def check_masks(masks, kernels):
    """The masks as bool arrays; a ValueError unless there is one for each kernel, of its shape."""
    if not isinstance(masks, (list, tuple)) or len(masks) != len(kernels):
        raise ValueError(f"masks: expected a list of {len(kernels)}, one for each kernel, got "
                         f"{len(masks) if isinstance(masks, (list, tuple)) else type(masks).__name__}")
    return [checks.array(f"masks[{index}]", mask, kernel.shape, kind="flags")
            for index, (mask, kernel) in enumerate(zip(masks, kernels, strict=True))]


def check_keep(keep, units):
    """The neurons to keep in each weighted layer, sorted; the last layer keeps all.

    Parameters
    ----------
    keep : list of integer arrays or None
        For each layer but the last.
    units : list of int
        Neurons of each weighted layer.

    Returns
    -------
    list of integer arrays
    """
    if not isinstance(keep, (list, tuple)) or len(keep) != len(units) - 1:
        raise ValueError(f"keep: expected a list of {len(units) - 1}, one for each layer but the last, got "
                         f"{len(keep) if isinstance(keep, (list, tuple)) else type(keep).__name__}")
    found = []
    for index, (kept, count) in enumerate(zip([*keep, None], units, strict=True)):
        kept = np.arange(count) if kept is None else checks.array(f"keep[{index}]", kept, ("neurons",), kind="whole",
                                                                  low=0, high=count - 1)
        if len(np.unique(kept)) != len(kept):
            raise ValueError(f"keep[{index}]: expected different numbers, got {kept}")
        found.append(np.sort(kept))
    return found


def check_inputs(inputs, kernel_shape):
    """The inputs to keep, in their order, for a first layer with such a kernel; all where there are none given."""
    if inputs is None:
        return None
    if len(kernel_shape) != 2:
        raise ValueError("inputs: expected a network whose first layer is dense, got one with a convolution")
    found = checks.array("inputs", inputs, ("inputs",), kind="whole", low=0, high=kernel_shape[0] - 1)
    if len(np.unique(found)) != len(found):
        raise ValueError(f"inputs: expected different numbers, got {found}")
    return found


def kept_inputs(kept, units, inputs, *, channels_first):
    """Which inputs of a layer come from kept neurons of the layer before, flattened or not.

    Parameters
    ----------
    kept : integer array
    units : int
        Neurons or filters that the layer before had.
    inputs : int
        Inputs of this layer: as many, or a multiple if feature maps were flattened in between.
    channels_first : bool
        The order of flattened feature maps: (channels, pixels) in PyTorch, (pixels, channels) in Keras.

    Returns
    -------
    integer array
    """
    if inputs % units or inputs < units:
        raise ValueError(f"model: expected a layer of {units} neurons to lead to as many inputs, or to a multiple of "
                         f"them after flattening, got {inputs}")
    pixels = inputs // units
    if channels_first:
        return (kept[:, None] * pixels + np.arange(pixels)).ravel()
    return (np.arange(pixels)[:, None] * units + kept).ravel()
