"""Pruning in PyTorch; `in_keras` is the same file in Keras."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import nn
from torch.nn.utils import parametrize

from course_lib.networks.layers_in_pytorch import (
    NORMS,
    WEIGHTED,
    array_to_kernel,
    collect_activations,
    get_kernels,
    trained_kernel,
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
    layers = weighted_layers(model)
    for layer, mask in zip(layers, check_masks(masks, get_kernels(model)), strict=True):
        mask = array_to_kernel(mask).to(layer.bias.device)
        with torch.no_grad():  # behind a mask the trained values may have moved: what comes back begins at 0
            trained_kernel(layer).copy_(layer.weight * mask)
        if parametrize.is_parametrized(layer, "weight"):
            layer.parametrizations.weight[0].mask = mask
        else:
            parametrize.register_parametrization(layer, "weight", _Masked(mask))


class _Masked(nn.Module):
    """What PyTorch computes a weight by: the trained values where the mask is True, else 0."""

    def __init__(self, mask):
        super().__init__()
        self.register_buffer("mask", mask)

    def forward(self, weight):
        return weight * self.mask

    def right_inverse(self, weight):
        return weight


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
        return strength * (kernel.flatten(1).square().sum(1) + 1e-12).sqrt().sum()

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
    keep = check_keep(keep, [layer.weight.shape[0] for layer in weighted])
    kernel = weighted[0].weight
    inputs = check_inputs(inputs, kernel.shape[::-1])
    # Units of the weighted layer before, which of them are kept, and whether they are channels.
    layers, before = [], None if inputs is None else (kernel.shape[1], inputs, False)
    for layer in model:
        if isinstance(layer, WEIGHTED):
            kept = keep[weighted.index(layer)]
            layers.append(_cut(layer, _still_there(before, layer.weight.shape[1]), kept))
            before = len(layer.bias), kept, isinstance(layer, nn.Conv2d)
        elif isinstance(layer, NORMS):
            layers.append(_cut_norm(layer, _still_there(before, layer.num_features)))
        else:
            layers.append(copy.deepcopy(layer))
    return nn.Sequential(*layers).train(model.training)


def _still_there(before, inputs):
    return np.arange(inputs) if before is None else kept_inputs(before[1], before[0], inputs, channels_first=before[2])


def _cut(layer, rows, units):
    """A dense or convolutional layer with only some inputs and units."""
    weight, bias = layer.weight.detach()[units][:, rows], layer.bias.detach()[units]
    if isinstance(layer, nn.Conv2d):
        new = nn.Conv2d(weight.shape[1], len(bias), layer.kernel_size, layer.stride, layer.padding, layer.dilation,
                        padding_mode=layer.padding_mode)
    else:
        new = nn.Linear(weight.shape[1], len(bias))
    new.weight, new.bias = nn.Parameter(weight.clone()), nn.Parameter(bias.clone())
    return new


def _cut_norm(layer, units):
    """A BatchNorm layer with only some channels."""
    new = type(layer)(len(units), layer.eps, layer.momentum, layer.affine, layer.track_running_stats)
    state = layer.state_dict().items()
    new.load_state_dict({name: values[units] if values.dim() else values for name, values in state})
    return new.to(next(iter(layer.state_dict().values()), torch.empty(0)).device)
