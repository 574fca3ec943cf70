"""Pruning in PyTorch; `in_keras` is the same file in Keras."""

from __future__ import annotations

import copy
import math

import numpy as np
import torch
from torch import nn
from torch.nn.utils import parametrize

from course_lib.networks.layers_in_pytorch import (
    NORMS,
    WEIGHTED,
    array_to_kernel,
    get_kernels,
    trained_kernel,
    weighted_layers,
)
from course_lib.pruning.config import PruningConfig
from course_lib.pruning.schedules import polynomial_sparsity
from course_lib.pruning.scores import magnitude_mask
from course_lib.pruning.structure import check_keep, check_masks, kept_inputs

__all__ = ["PruningConfig", "apply_masks", "gradual_pruning", "group_lasso", "shrink", "sparsity"]


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
        with torch.no_grad():
            trained_kernel(layer).mul_(mask)
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
        return strength * (kernel.flatten(1).square().sum(1) + 1e-12).sqrt().sum()

    return penalty


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
    weighted = weighted_layers(model)
    keep = check_keep(keep, [layer.weight.shape[0] for layer in weighted])
    layers, before = [], None  # units of the weighted layer before, which are kept, and whether they are channels
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
