"""What both frameworks check of a layer's weights: kernels are laid out as in Keras, in both."""

from __future__ import annotations

import numpy as np


def check_layer(kernel, bias, shape):
    """Raise a ValueError unless a kernel has this shape, and a bias (or None) one entry for each neuron."""
    if np.shape(kernel) != tuple(shape):
        raise ValueError(f"kernel: expected shape {tuple(shape)}, got {np.shape(kernel)}")
    if bias is not None and np.shape(bias) != tuple(shape[-1:]):
        raise ValueError(f"bias: expected shape {tuple(shape[-1:])}, got {np.shape(bias)}")


def check_layers(layers, like=None):
    """The layers as arrays; a ValueError unless they follow on each other, and have the shapes of those of `like`."""
    layers = [(np.asarray(kernel), np.asarray(bias)) for kernel, bias in layers]
    for index, (kernel, bias) in enumerate(layers):
        inputs = layers[index - 1][1].shape if index else kernel.shape[:1]
        if kernel.shape != (*inputs, *bias.shape) or bias.ndim != 1:
            raise ValueError(f"layers[{index}]: expected a kernel (inputs, units) and a bias (units,) that follow on "
                             f"the layer before, got shapes {kernel.shape} and {bias.shape}")
    shapes, expected = [kernel.shape for kernel, _ in layers], [np.shape(kernel) for kernel, _ in like or layers]
    if not layers or shapes != expected:
        raise ValueError(f"layers: expected kernels of shapes {expected}, got {shapes}")
    return layers
