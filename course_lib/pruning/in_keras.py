"""Pruning in Keras 3, on any backend; `in_pytorch` is the same file in PyTorch."""

from __future__ import annotations

import math

import keras
import numpy as np
from keras import layers, ops

from course_lib.common import checkpoint
from course_lib.pruning.config import PruningConfig
from course_lib.pruning.schedules import polynomial_sparsity
from course_lib.pruning.scores import magnitude_mask
from course_lib.pruning.structure import check_keep, check_layer, check_masks, check_saved, kept_inputs

__all__ = ["PruningConfig", "apply_masks", "collect_activations", "get_kernels", "gradual_pruning", "group_lasso",
           "load", "save", "set_layer", "shrink", "sparsity"]

WEIGHTED, NORMS = (layers.Dense, layers.Conv2D), (layers.BatchNormalization,)
PASSED = (layers.ReLU, layers.Dropout, layers.MaxPooling2D, layers.AveragePooling2D, layers.Flatten, layers.Reshape)


def get_kernels(model):
    """Copies of the kernels as arrays: dense (inputs, units), convolution (height, width, inputs, filters)."""
    return [_to_array(layer.kernel) for layer in _weighted(model)]


def set_layer(model, index, kernel, bias=None):
    """Overwrite the kernel, and the bias if one is given, of the weighted layer number `index`; a mask stays."""
    layer = _weighted(model)[index]
    check_layer(kernel, bias, layer.kernel.shape)
    held = layer.kernel.constraint or (lambda kernel: kernel)
    layer.kernel.assign(held(ops.convert_to_tensor(kernel, "float32")))
    if bias is not None:
        layer.bias.assign(bias)


def apply_masks(model, masks):
    """Set the kernels to 0 where their mask is False, now and through all further training.

    Parameters
    ----------
    model : network
    masks : list of bool arrays
        One for each kernel, shaped as `get_kernels` returns it. New masks take the place of earlier ones.
    """
    check_masks(masks, get_kernels(model))
    new = False
    for layer, mask in zip(_weighted(model), masks, strict=True):
        if isinstance(layer.kernel.constraint, _Masked):
            layer.kernel.constraint.mask.assign(mask)
        else:
            layer.kernel.constraint, new = _Masked(mask), True
        layer.kernel.assign(layer.kernel.constraint(layer.kernel))
    if new and model.compiled:  # what was compiled before knows of no constraint
        model.make_train_function(force=True)


class _Masked(keras.constraints.Constraint):
    """What Keras does to a kernel after each update: 0 where the mask is False."""

    def __init__(self, mask):
        self.mask = keras.Variable(mask, dtype="float32", trainable=False)

    def __call__(self, kernel):
        return kernel * self.mask


def sparsity(model):
    """Share of kernel entries that are exactly 0."""
    kernels = get_kernels(model)
    return sum(int((kernel == 0).sum()) for kernel in kernels) / sum(kernel.size for kernel in kernels)


def gradual_pruning(config):
    """A callback for `networks.train` that raises the sparsity step by step, while the other weights make up for it.

    Parameters
    ----------
    config : PruningConfig

    Returns
    -------
    callable

    References
    ----------
    Zhu & Gupta 2017, "To prune, or not to prune".
    """
    start = 0.0  # what is pruned already

    def callback(model, step, updates):
        nonlocal start
        begin, end = math.ceil(config.begin * updates), math.ceil(config.end * updates)
        if step == 0:
            start = sparsity(model)
        if step in (0, end) or (begin <= step < end and (step - begin) % config.prune_every == 0):
            now = polynomial_sparsity(step, begin, max(end, begin + 1), config.sparsity, initial=start)
            apply_masks(model, magnitude_mask(get_kernels(model), now, scope=config.scope))

    return callback


def group_lasso(strength):
    """A penalty for `networks.train` that presses whole neurons to zero: the norms of their incoming weights.

    Parameters
    ----------
    strength : float
        What a norm of 1 adds to the loss.

    Returns
    -------
    callable
        `penalty(kernel)` is `strength` times the sum of the neurons' Euclidean norms.

    References
    ----------
    Yuan & Lin 2006, "Model selection and estimation in regression with grouped variables", eq. 2.1; Wen et al. 2016,
    "Learning structured sparsity in deep neural networks", eq. 2.
    """

    def penalty(kernel):
        axes = tuple(range(len(kernel.shape) - 1))
        return strength * ops.sum(ops.sqrt(ops.sum(ops.square(kernel), axis=axes) + 1e-12))

    return penalty


def collect_activations(model, x):
    """What goes into each weighted layer, and what it makes of that before its ReLU.

    Parameters
    ----------
    model : network
    x : array (N, *input_shape)

    Returns
    -------
    list of (array (N, ...), array (N, ...))
        Inputs and pre-activations of each weighted layer. Feature maps are (N, height, width, channels).
    """
    weighted, found = _weighted(model), []
    for start in range(0, len(x), 1000):
        values, parts = ops.convert_to_tensor(x[start: start + 1000]), []
        for layer in model.layers:
            inputs, values = values, layer(values, training=False)
            if isinstance(layer, WEIGHTED):
                parts.append((_to_array(inputs), _to_array(_linear(layer, inputs))))
        found.append(parts)
    return [tuple(np.concatenate(pieces) for pieces in zip(*(parts[i] for parts in found), strict=True))
            for i in range(len(weighted))]


def shrink(model, keep):
    """A smaller network that has only the neurons and filters to keep; the given one stays as it is.

    Parameters
    ----------
    model : network
        A Sequential of dense and convolutional layers, with ReLU, dropout, pooling, flattening and BatchNorm.
    keep : list of integer arrays, or None
        For each weighted layer but the last: the neurons or filters to keep; None for all.

    Returns
    -------
    network
        Where all others were silent (zero) it gives the same outputs.

    Raises
    ------
    ValueError
        For other networks, or neurons that are not there.
    """
    weighted = _weighted(model)
    keep = check_keep(keep, [layer.bias.shape[0] for layer in weighted])
    stack, weights, before = [keras.Input(model.input_shape[1:])], [], None  # units of the weighted layer before, kept
    for layer in model.layers:
        config = layer.get_config()
        if isinstance(layer, WEIGHTED):
            kept, rows = keep[weighted.index(layer)], _still_there(before, layer.kernel.shape[-2])
            config["units" if isinstance(layer, layers.Dense) else "filters"] = len(kept)
            kernel, bias = map(_to_array, (layer.kernel, layer.bias))
            weights.append([kernel[..., rows, :][..., kept], bias[kept]])
            before = len(bias), kept
        else:
            rows = _still_there(before, layer.gamma.shape[0]) if isinstance(layer, NORMS) else None
            weights.append([values[rows] for values in layer.get_weights()] if rows is not None else [])
        stack.append(type(layer).from_config(config))
    small = keras.Sequential(stack)
    for layer, values in zip(small.layers, weights, strict=True):
        if values:
            layer.set_weights(values)
    return small


def save(model, path):
    """Write the weights and masks of a network to one file, atomically."""
    constraints = [layer.kernel.constraint for layer in _weighted(model)]
    masks = [_to_array(found.mask) for found in constraints] if all(constraints) else None
    checkpoint.save(path, {"kind": "pruned network", "framework": __name__, "masks": masks,
                           "weights": model.get_weights(),
                           "shapes": [list(kernel.shape) for kernel in get_kernels(model)]})


def load(model, path):
    """Read what `save` wrote into a network of the same layers; its masks and its sparsity are those saved.

    Raises
    ------
    ValueError
        If the file holds something else, or another network.
    """
    data = checkpoint.load(path)
    check_saved(path, data, __name__, get_kernels(model))
    model.set_weights(data["weights"])
    masks = data["masks"] or [np.ones(kernel.shape, bool) for kernel in get_kernels(model)]
    apply_masks(model, [mask.astype(bool) for mask in masks])


def _weighted(model):
    """The dense and convolutional layers of a network, or a ValueError if it is not one that can be pruned."""
    if isinstance(model, keras.Sequential) and not model.built:
        raise ValueError("model: expected a keras.Sequential that knows its input shape (begin it with keras.Input), "
                         "got one that is not built")
    stack = model.layers if isinstance(model, keras.Sequential) else []
    found = [layer for layer in stack if isinstance(layer, WEIGHTED)]
    strange = [type(layer).__name__ for layer in stack if not isinstance(layer, (*WEIGHTED, *NORMS, *PASSED))]
    strange += ["a convolution with groups" for layer in found if getattr(layer, "groups", 1) != 1]
    strange += ["a layer without bias" for layer in found if layer.bias is None]
    strange += ["BatchNormalization without scale" for layer in stack if isinstance(layer, NORMS) and not layer.scale]
    strange += [f"the activation {layer.activation.__name__}" for layer in found
                if layer.activation not in (keras.activations.linear, keras.activations.relu)]
    if strange or not found:
        raise ValueError("model: expected a keras.Sequential of Dense and Conv2D layers, BatchNormalization, ReLU, "
                         f"Dropout, pooling and Flatten, got {', '.join(strange) or type(model).__name__}")
    return found


def _linear(layer, inputs):
    """What a layer makes of its inputs before its activation function."""
    activation, layer.activation = layer.activation, keras.activations.linear
    try:
        return layer(inputs)
    finally:
        layer.activation = activation


def _still_there(before, inputs):
    return np.arange(inputs) if before is None else kept_inputs(before[1], before[0], inputs, channels_first=False)


def _to_array(tensor):
    return np.array(ops.convert_to_numpy(tensor))
