"""Taking a network apart in PyTorch, and putting weights into it; `layers_in_keras` is the same file in Keras."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn.utils import parametrize

from course_lib.networks.config import check_examples, readable_errors
from course_lib.networks.layers import check_layer, check_layers, check_no_norms

__all__ = ["array_to_kernel", "collect_activations", "get_kernels", "get_layers", "kernel_to_array", "set_layer",
           "set_layers", "soft_update", "trained_kernel", "weighted_layers"]

WEIGHTED, NORMS = (nn.Linear, nn.Conv2d), (nn.BatchNorm1d, nn.BatchNorm2d)
PASSED = (nn.ReLU, nn.Dropout, nn.MaxPool2d, nn.AvgPool2d, nn.Flatten, nn.Unflatten, nn.Identity)


def weighted_layers(model):
    """The dense and convolutional layers of a network, or a ValueError if there is anything in it that is not known."""
    layers = list(model) if isinstance(model, nn.Sequential) else []
    found = [layer for layer in layers if isinstance(layer, WEIGHTED)]
    strange = [type(layer).__name__ for layer in layers if not isinstance(layer, (*WEIGHTED, *NORMS, *PASSED))]
    strange += ["a convolution with groups" for layer in found if getattr(layer, "groups", 1) != 1]
    strange += ["a layer without bias" for layer in found if layer.bias is None]
    strange += [f"a {type(layer).__name__} that has seen no input" for layer in found
                if nn.parameter.is_lazy(layer.weight)]
    strange += [f"a {type(layer).__name__} whose weight something else computes" for layer in found
                if "weight" not in layer._parameters and not _masked(layer)]
    weights = [id(trained_kernel(layer)) for layer in found if "weight" in layer._parameters or _masked(layer)]
    if len(set(map(id, layers))) < len(layers) or len(set(weights)) < len(weights):
        strange.append("a layer or a weight that is used twice")
    if not strange:
        strange = _misplaced(layers)
    if strange or not found:
        raise ValueError("model: expected a torch.nn.Sequential of Linear and Conv2d layers, BatchNorm, ReLU, Dropout, "
                         f"pooling and Flatten, got {', '.join(strange) or type(model).__name__}")
    return found


def get_kernels(model):
    """Copies of the kernels as arrays: dense (inputs, units), convolution (height, width, inputs, filters)."""
    return [kernel_to_array(layer.weight) for layer in weighted_layers(model)]


def get_layers(model):
    """Copies of the weights, [(kernel, bias (units,)), ...], kernels as from `get_kernels`; not with BatchNorm."""
    found = [(kernel_to_array(layer.weight), layer.bias.numpy(force=True).copy()) for layer in weighted_layers(model)]
    check_no_norms(model, NORMS)
    return found


def set_layer(model, index, kernel, bias=None):
    """Overwrite the kernel, and the bias if one is given, of the weighted layer number `index`; a mask stays."""
    layer = weighted_layers(model)[index]
    kernel, bias = check_layer(kernel, bias, kernel_to_array(layer.weight).shape)
    with torch.no_grad():
        trained_kernel(layer).copy_(array_to_kernel(kernel))
        if _masked(layer):
            trained_kernel(layer).mul_(layer.parametrizations.weight[0].mask)
        if bias is not None:
            layer.bias.copy_(torch.as_tensor(bias))


def set_layers(model, layers):
    """Write weights, as from `get_layers`, into a dense network of the same widths, and return it."""
    for index, (kernel, bias) in enumerate(check_layers(layers, like=get_layers(model))):
        set_layer(model, index, kernel, bias)
    return model


@torch.no_grad()
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
    layers, x = weighted_layers(model), check_examples(x)
    found = {layer: [] for layer in layers}

    def note(layer, args, output):
        found[layer].append((_channels_last(layer, args[0]), _channels_last(layer, output)))

    hooks = [layer.register_forward_hook(note) for layer in layers]
    training, device = model.training, layers[0].bias.device
    try:
        model.eval()
        with readable_errors([x]):
            for part in torch.as_tensor(x).split(batch_size):
                model(part.to(device))
    finally:
        model.train(training)
        for hook in hooks:
            hook.remove()
    return [tuple(np.concatenate(parts) for parts in zip(*found[layer], strict=True)) for layer in layers]


@torch.no_grad()
def soft_update(target_weights, weights, tau):
    """Move each target weight a share `tau` of the way to its online weight, in place.

    References
    ----------
    Lillicrap et al. 2016, "Continuous control with deep reinforcement learning", algorithm 1.
    """
    for old, new in zip(target_weights, weights, strict=True):
        old.lerp_(new, tau)  # old + tau * (new - old)


def trained_kernel(layer):
    """The tensor that training changes: the kernel itself, or what a mask is laid on."""
    return layer.parametrizations.weight.original if parametrize.is_parametrized(layer) else layer.weight


def kernel_to_array(weight):
    """A copy of a layer's weight as an array, its neurons on the last axis."""
    axes = (1, 0) if weight.dim() == 2 else (2, 3, 1, 0)
    return np.ascontiguousarray(weight.detach().cpu().permute(axes).numpy())


def array_to_kernel(kernel):
    """A tensor of the framework's own layout, of an array with its neurons on the last axis."""
    axes = (1, 0) if np.ndim(kernel) == 2 else (3, 2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(np.transpose(kernel, axes)))


def _masked(layer):
    """Whether a layer's weight is computed by a mask of this course and by nothing else."""
    steps = layer.parametrizations.weight if parametrize.is_parametrized(layer, "weight") else []
    return len(steps) == 1 and hasattr(steps[0], "mask")


def _misplaced(layers):
    """Layers that would mix up which neuron is which, in words."""
    last, flat, found = None, False, []  # the weighted layer before, and whether its outputs were flattened since
    for layer in layers:
        name = type(layer).__name__
        if isinstance(layer, nn.Flatten):
            flat = True
            found += [f"{layer}"] if (layer.start_dim, layer.end_dim) != (1, -1) else []
        elif isinstance(layer, nn.Unflatten) and last:
            found.append("an Unflatten behind a weighted layer")
        elif isinstance(layer, (nn.MaxPool2d, nn.AvgPool2d, nn.BatchNorm2d)) and isinstance(last, nn.Linear):
            found.append(f"a {name} behind a Linear")
        elif isinstance(layer, WEIGHTED):
            if isinstance(layer, nn.Linear) and isinstance(last, nn.Conv2d) and not flat:
                found.append("a Linear behind a Conv2d with no Flatten in between")
            last, flat = layer, False
    return found


def _channels_last(layer, tensor):
    """What a layer got or made, with its neurons on the last axis; a copy, for a ReLU may work in place."""
    return (tensor.movedim(1, -1) if isinstance(layer, nn.Conv2d) else tensor).cpu().numpy().copy()
