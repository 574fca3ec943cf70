"""What both frameworks check of a layer's weights: kernels are laid out as in Keras, in both."""

from __future__ import annotations

import numpy as np

from course_lib.common import checks


def check_layer(kernel, bias, shape):
    """A kernel of this shape and a bias (or None) of one entry for each neuron, as float32, or a ValueError."""
    kernel = checks.float32("kernel", checks.array("kernel", kernel, tuple(shape)))
    return kernel, None if bias is None else checks.float32("bias", checks.array("bias", bias, tuple(shape[-1:])))


def check_no_norms(layers, norms):
    """A ValueError if a layer is a normalisation: its means and scales would stay behind where the weights go."""
    found = [type(layer).__name__ for layer in layers if isinstance(layer, norms)]
    if found:
        raise ValueError(f"model: expected a network without normalisation, which a kernel and a bias do not hold, "
                         f"got {', '.join(found)}")


def check_layers(layers, like=None):
    """The layers as arrays; a ValueError unless they follow on each other, and have the shapes of those of `like`."""
    try:
        pairs = [(kernel, bias) for kernel, bias in layers]
    except (TypeError, ValueError) as error:
        raise ValueError(f"layers: expected pairs of a kernel and a bias, got {layers!r:.80}") from error
    layers = [(checks.array(f"layers[{index}]", kernel, ("inputs", "units")),
               checks.array(f"layers[{index}]", bias, ("units",))) for index, (kernel, bias) in enumerate(pairs)]
    for index, (kernel, bias) in enumerate(layers):
        inputs = layers[index - 1][1].shape if index else kernel.shape[:1]
        if kernel.shape != (*inputs, *bias.shape) or bias.ndim != 1:
            raise ValueError(f"layers[{index}]: expected a kernel (inputs, units) and a bias (units,) that follow on "
                             f"the layer before, got shapes {kernel.shape} and {bias.shape}")
    shapes, expected = [kernel.shape for kernel, _ in layers], [np.shape(kernel) for kernel, _ in like or layers]
    if not layers or shapes != expected:
        raise ValueError(f"layers: expected kernels of shapes {expected}, got {shapes}")
    return layers
