"""Taking a network apart in Keras, and putting weights into it; `layers_in_pytorch` is the same file in PyTorch."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers as klayers
from keras import ops

from course_lib.networks.config import check_examples, readable_errors
from course_lib.networks.layers import check_layer, check_layers, check_no_norms

__all__ = ["array_to_kernel", "collect_activations", "get_kernels", "get_layers", "kernel_to_array", "set_layer",
           "set_layers", "soft_update", "trained_kernel", "weighted_layers"]

WEIGHTED, NORMS = (klayers.Dense, klayers.Conv2D), (klayers.BatchNormalization,)
PASSED = (klayers.ReLU, klayers.Dropout, klayers.MaxPooling2D, klayers.AveragePooling2D, klayers.Flatten,
          klayers.Reshape)


def weighted_layers(model):
    """The dense and convolutional layers of a network, or a ValueError if there is anything in it that is not known."""
    if isinstance(model, keras.Sequential) and not model.built:
        raise ValueError("model: expected a keras.Sequential that knows its input shape (begin it with keras.Input), "
                         "got one that is not built")
    stack = model.layers if isinstance(model, keras.Sequential) else []
    found = [layer for layer in stack if isinstance(layer, WEIGHTED)]
    strange = [type(layer).__name__ for layer in stack if not isinstance(layer, (*WEIGHTED, *NORMS, *PASSED))]
    strange += ["a convolution with groups" for layer in found if getattr(layer, "groups", 1) != 1]
    strange += ["a layer without bias" for layer in found if layer.bias is None]
    strange += ["BatchNormalization without scale" for layer in stack if isinstance(layer, NORMS) and not layer.scale]
    strange += [f"the activation {getattr(layer.activation, '__name__', layer.activation)}" for layer in found
                if layer.activation not in (keras.activations.linear, keras.activations.relu)]
    strange += [f"a {type(layer).__name__} with LoRA or quantized" for layer in found
                if getattr(layer, "lora_enabled", False) or getattr(layer, "quantization_mode", None)]
    strange += [f"a {type(layer).__name__} with channels first" for layer in stack
                if getattr(layer, "data_format", "channels_last") == "channels_first"
                or isinstance(layer, NORMS) and layer.axis not in (-1, len(layer.input.shape) - 1)]
    if found:
        strange += ["a Reshape behind a weighted layer" for layer in stack[stack.index(found[0]):]
                    if isinstance(layer, klayers.Reshape)]
    if len(set(map(id, stack))) < len(stack) or len({id(layer.kernel) for layer in found}) < len(found):
        strange.append("a layer or a weight that is used twice")
    if strange or not found:
        raise ValueError("model: expected a keras.Sequential of Dense and Conv2D layers, BatchNormalization, ReLU, "
                         f"Dropout, pooling and Flatten, got {', '.join(strange) or type(model).__name__}")
    return found


def get_kernels(model):
    """Copies of the kernels as arrays: dense (inputs, units), convolution (height, width, inputs, filters)."""
    return [kernel_to_array(layer.kernel) for layer in weighted_layers(model)]


def get_layers(model):
    """Copies of the weights, [(kernel, bias (units,)), ...], kernels as from `get_kernels`; not with BatchNorm."""
    found = [(kernel_to_array(layer.kernel), kernel_to_array(layer.bias)) for layer in weighted_layers(model)]
    check_no_norms(model.layers, NORMS)
    return found


def set_layer(model, index, kernel, bias=None):
    """Overwrite the kernel, and the bias if one is given, of the weighted layer number `index`; a mask stays."""
    layer = weighted_layers(model)[index]
    kernel, bias = check_layer(kernel, bias, layer.kernel.shape)
    mask = getattr(layer.kernel.constraint, "mask", 1.0)
    trained_kernel(layer).assign(array_to_kernel(kernel) * mask)
    if bias is not None:
        layer.bias.assign(bias)


def set_layers(model, layers):
    """Write weights, as from `get_layers`, into a dense network of the same widths, and return it."""
    for index, (kernel, bias) in enumerate(check_layers(layers, like=get_layers(model))):
        set_layer(model, index, kernel, bias)
    return model


def collect_activations(model, x, *, batch_size=1000):
    """What goes into each weighted layer, and what it makes of that before its ReLU.

    Parameters
    ----------
    model : network
    x : array (N, *input_shape)
    batch_size : int

    Returns
    -------
    list of (array (N, ...), array (N, ...))
        Inputs and pre-activations of each weighted layer. Feature maps are (N, height, width, channels).
    """
    weighted, x, found = weighted_layers(model), check_examples(x), []
    with readable_errors([x]):
        for start in range(0, len(x), batch_size):
            values, parts = ops.convert_to_tensor(x[start: start + batch_size]), []
            for layer in model.layers:
                inputs, values = values, layer(values, training=False)
                if isinstance(layer, WEIGHTED):
                    parts.append((kernel_to_array(inputs), kernel_to_array(_linear(layer, inputs))))
            found.append(parts)
    return [tuple(np.concatenate(pieces) for pieces in zip(*(parts[i] for parts in found), strict=True))
            for i in range(len(weighted))]


def soft_update(target_weights, weights, tau):
    """Move each target weight a share `tau` of the way to its online weight, in place.

    References
    ----------
    Lillicrap et al. 2016, "Continuous control with deep reinforcement learning", algorithm 1.
    """
    for old, new in zip(target_weights, weights, strict=True):
        old.assign(old + tau * (new - old))


def trained_kernel(layer):
    """The tensor that training changes: the kernel itself, or what a mask is laid on."""
    return layer.kernel


def kernel_to_array(weight):
    """A copy of a layer's weight as an array, its neurons on the last axis."""
    return np.array(ops.convert_to_numpy(weight))


def array_to_kernel(kernel):
    """A tensor of the framework's own layout, of an array with its neurons on the last axis."""
    return ops.convert_to_tensor(kernel, "float32")


def _linear(layer, inputs):
    """What a layer makes of its inputs before its activation function."""
    activation, layer.activation = layer.activation, keras.activations.linear
    try:
        return layer(inputs)
    finally:
        layer.activation = activation
