"""Pruning in PyTorch; `in_keras` is the same file in Keras."""

from __future__ import annotations

import copy
import math

import numpy as np
import torch
from torch import nn
from torch.nn.utils import parametrize

from course_lib.common import checkpoint
from course_lib.networks.in_pytorch import predict
from course_lib.pruning.config import PruningConfig
from course_lib.pruning.schedules import polynomial_sparsity
from course_lib.pruning.scores import magnitude_mask
from course_lib.pruning.structure import check_keep, check_layer, check_masks, check_saved, kept_inputs

__all__ = ["PruningConfig", "apply_masks", "collect_activations", "get_kernels", "gradual_pruning", "group_lasso",
           "load", "save", "set_layer", "shrink", "sparsity"]

WEIGHTED, NORMS = (nn.Linear, nn.Conv2d), (nn.BatchNorm1d, nn.BatchNorm2d)
PASSED = (nn.ReLU, nn.Dropout, nn.MaxPool2d, nn.AvgPool2d, nn.Flatten, nn.Unflatten, nn.Identity)


def get_kernels(model):
    """Copies of the kernels as arrays: dense (inputs, units), convolution (height, width, inputs, filters)."""
    return [_to_array(layer.weight) for layer in _weighted(model)]


def set_layer(model, index, kernel, bias=None):
    """Overwrite the kernel, and the bias if one is given, of the weighted layer number `index`; a mask stays."""
    layer = _weighted(model)[index]
    with torch.no_grad():
        check_layer(kernel, bias, _to_array(layer.weight).shape)
        _trained(layer).copy_(_from_array(kernel))
        if bias is not None:
            layer.bias.copy_(torch.as_tensor(bias))


def apply_masks(model, masks):
    """Set the kernels to 0 where their mask is False, now and through all further training.

    Parameters
    ----------
    model : network
    masks : list of bool arrays
        One for each kernel, shaped as `get_kernels` returns it. New masks take the place of earlier ones.
    """
    layers = _weighted(model)
    check_masks(masks, get_kernels(model))
    for layer, mask in zip(layers, masks, strict=True):
        mask = _from_array(mask).to(layer.bias.device)
        with torch.no_grad():
            _trained(layer).mul_(mask)
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
    layers = _weighted(model)
    found = {layer: [] for layer in layers}

    def note(layer, args, output):
        found[layer].append((_channels_last(args[0]), _channels_last(output)))

    hooks = [layer.register_forward_hook(note) for layer in layers]
    try:
        predict(model, x)
    finally:
        for hook in hooks:
            hook.remove()
    return [tuple(np.concatenate(parts) for parts in zip(*found[layer], strict=True)) for layer in layers]


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
    keep = check_keep(keep, [layer.weight.shape[0] for layer in weighted])
    layers, before = [], None  # units of the weighted layer before, and which are kept
    for layer in model:
        if isinstance(layer, WEIGHTED):
            kept = keep[weighted.index(layer)]
            layers.append(_cut(layer, _still_there(before, layer.weight.shape[1]), kept))
            before = len(layer.bias), kept
        elif isinstance(layer, NORMS):
            layers.append(_cut_norm(layer, _still_there(before, layer.num_features)))
        else:
            layers.append(copy.deepcopy(layer))
    return nn.Sequential(*layers).train(model.training)


def save(model, path):
    """Write the weights and masks of a network to one file, atomically."""
    layers = _weighted(model)
    masked = all(parametrize.is_parametrized(layer) for layer in layers)
    masks = [_to_array(layer.parametrizations.weight[0].mask) for layer in layers] if masked else None
    weights = {name: values.numpy(force=True) for name, values in _trained_state(model).items()}
    checkpoint.save(path, {"kind": "pruned network", "framework": __name__, "masks": masks, "weights": weights,
                           "shapes": [list(kernel.shape) for kernel in get_kernels(model)]})


@torch.no_grad()
def load(model, path):
    """Read what `save` wrote into a network of the same layers; its masks and its sparsity are those saved.

    Raises
    ------
    ValueError
        If the file holds something else, or another network.
    """
    data = checkpoint.load(path)
    check_saved(path, data, __name__, get_kernels(model))
    for name, values in _trained_state(model).items():
        values.copy_(torch.from_numpy(data["weights"][name]))
    apply_masks(model, data["masks"] or [np.ones(kernel.shape, bool) for kernel in get_kernels(model)])


def _weighted(model):
    """The dense and convolutional layers of a network, or a ValueError if it is not one that can be pruned."""
    layers = list(model) if isinstance(model, nn.Sequential) else []
    found = [layer for layer in layers if isinstance(layer, WEIGHTED)]
    strange = [type(layer).__name__ for layer in layers if not isinstance(layer, (*WEIGHTED, *NORMS, *PASSED))]
    strange += ["a convolution with groups" for layer in found if getattr(layer, "groups", 1) != 1]
    strange += ["a layer without bias" for layer in found if layer.bias is None]
    strange += [f"a {type(layer).__name__} that has seen no input" for layer in found
                if nn.parameter.is_lazy(layer.weight)]
    if strange or not found:
        raise ValueError("model: expected a torch.nn.Sequential of Linear and Conv2d layers, BatchNorm, ReLU, Dropout, "
                         f"pooling and Flatten, got {', '.join(strange) or type(model).__name__}")
    return found


def _trained(layer):
    """The tensor that training changes: the weight itself, or what a mask is laid on."""
    return layer.parametrizations.weight.original if parametrize.is_parametrized(layer) else layer.weight


def _still_there(before, inputs):
    return np.arange(inputs) if before is None else kept_inputs(before[1], before[0], inputs, channels_first=True)


def _trained_state(model):
    """All that a network has learned, by the names that it has without masks."""
    state = {name.replace("parametrizations.weight.original", "weight"): v for name, v in model.state_dict().items()}
    return {name: values for name, values in state.items() if not name.endswith(".mask")}


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


def _to_array(weight):
    axes = (1, 0) if weight.dim() == 2 else (2, 3, 1, 0)
    return np.ascontiguousarray(weight.detach().cpu().permute(axes).numpy())


def _from_array(kernel):
    axes = (1, 0) if np.ndim(kernel) == 2 else (3, 2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(np.transpose(kernel, axes)))


def _channels_last(tensor):
    return (tensor.movedim(1, -1) if tensor.dim() > 2 else tensor).cpu().numpy().copy()  # a ReLU may work in place
