"""Pruning in Keras 3, on any backend; `in_pytorch` is the same file in PyTorch."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers, ops

from course_lib.networks.layers_in_keras import (
    NORMS,
    WEIGHTED,
    collect_activations,
    get_kernels,
    kernel_to_array,
    weighted_layers,
)
from course_lib.pruning.config import PruningConfig, SparseConfig
from course_lib.pruning.schedules import gradual
from course_lib.pruning.sparse import moving
from course_lib.pruning.structure import check_inputs, check_keep, check_masks, kept_inputs

__all__ = ["PruningConfig", "SparseConfig", "apply_masks", "gradual_pruning", "group_lasso", "shrink",
           "sparse_training", "sparsity"]


def apply_masks(model, masks):
    """Set the kernels to 0 where their mask is False, now and through all further training.

    Parameters
    ----------
    model : network
    masks : list of bool arrays
        One for each kernel, shaped as `get_kernels` returns it. New masks take the place of earlier ones.
    """
    masks, new = check_masks(masks, get_kernels(model)), False
    for layer, mask in zip(weighted_layers(model), masks, strict=True):
        if isinstance(layer.kernel.constraint, _Masked):
            layer.kernel.constraint.mask.assign(mask)
        else:
            layer.kernel.constraint, new = _Masked(mask, layer.kernel.constraint), True
        layer.kernel.assign(layer.kernel.constraint(layer.kernel))
    if new and model.compiled:  # what was compiled before knows of no constraint
        model.make_train_function(force=True)


class _Masked(keras.constraints.Constraint):
    """What Keras does to a kernel after each update: what the layer's own constraint does, and 0 where the mask is."""

    def __init__(self, mask, own=None):
        self.mask, self.own = keras.Variable(mask, dtype="float32", trainable=False), own

    def __call__(self, kernel):
        return (self.own(kernel) if self.own else kernel) * self.mask


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
    return gradual(config, get_kernels, apply_masks)


def sparse_training(config, x, y, *, seed=0):
    """A callback for `networks.train` that keeps a network sparse from start to end, and moves its connections.

    Parameters
    ----------
    config : SparseConfig
    x : array (N, *input_shape)
    y : integer array (N,)
        What the network is trained on: by the gradient of some of it connections grow. The network is dense.
    seed : int
        Of the first connections, and of the examples drawn.

    Returns
    -------
    callable

    References
    ----------
    Evci et al. 2020, "Rigging the lottery: making all tickets winners", algorithm 1; Mocanu et al. 2018, "Scalable
    training of artificial neural networks with adaptive sparse connectivity inspired by network science".
    """
    return moving(config, x, y, seed, get_kernels, collect_activations, apply_masks)


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


def shrink(model, keep, *, inputs=None):
    """A smaller network that has only the neurons and filters to keep; the given one stays as it is.

    Parameters
    ----------
    model : network
        A Sequential of dense and convolutional layers, with ReLU, dropout, pooling, flattening and BatchNorm.
    keep : list of integer arrays, or None
        For each weighted layer but the last: the neurons or filters to keep; None for all.
    inputs : integer array (k,), optional
        Of a network whose first layer is dense: the inputs to keep. The smaller network then takes
        `x.reshape(len(x), -1)[:, inputs]`.

    Returns
    -------
    network
        Where all others were silent (zero) it gives the same outputs.

    Raises
    ------
    ValueError
        For other networks, or neurons that are not there.
    """
    weighted = weighted_layers(model)
    keep = check_keep(keep, [layer.bias.shape[0] for layer in weighted])
    kernel = weighted[0].kernel
    inputs = check_inputs(inputs, kernel.shape)
    before = None if inputs is None else (kernel.shape[0], inputs)  # units of the weighted layer before, those kept
    stack, weights = [keras.Input(model.input_shape[1:] if inputs is None else (len(inputs),))], []
    for layer in model.layers:
        config = layer.get_config()
        if isinstance(layer, WEIGHTED):
            kept, rows = keep[weighted.index(layer)], _still_there(before, layer.kernel.shape[-2])
            config["units" if isinstance(layer, layers.Dense) else "filters"] = len(kept)
            kernel, bias = map(kernel_to_array, (layer.kernel, layer.bias))
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


def _still_there(before, inputs):
    return np.arange(inputs) if before is None else kept_inputs(before[1], before[0], inputs, channels_first=False)
