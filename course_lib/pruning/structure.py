"""What both frameworks check, and which inputs of a layer belong to the neurons that stay."""

from __future__ import annotations

import numpy as np


def check_masks(masks, kernels):
    """Raise a ValueError unless there is a bool mask for each kernel, of its shape."""
    got = [(np.asarray(mask).dtype.name, np.shape(mask)) for mask in masks]
    expected = [("bool", kernel.shape) for kernel in kernels]
    if got != expected:
        raise ValueError(f"masks: expected one for each kernel, {expected}, got {got}")


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
    if len(keep) != len(units) - 1:
        raise ValueError(f"keep: expected {len(units) - 1} entries, one for each layer but the last, got {len(keep)}")
    found = []
    for index, (kept, count) in enumerate(zip([*keep, None], units, strict=True)):
        kept = np.arange(count) if kept is None else np.asarray(kept)
        if kept.ndim != 1 or not kept.size or kept.dtype.kind not in "iu":
            raise ValueError(f"keep[{index}]: expected a list of at least one neuron by number, got {kept!r}")
        if kept.min() < 0 or kept.max() >= count or len(np.unique(kept)) != len(kept):
            raise ValueError(f"keep[{index}]: expected different numbers from 0 to {count - 1}, got {kept}")
        found.append(np.sort(kept))
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
