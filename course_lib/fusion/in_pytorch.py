"""Fusing networks in PyTorch: their features, their weights, their knowledge; `in_keras` is the same file in Keras."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from course_lib.fusion.inputs import check_attack, check_lesson
from course_lib.fusion.networks_in_pytorch import (
    AttentionFusion,
    ConcatFusion,
    CrossStitch,
    GatedFusion,
    MixtureOfExperts,
    SharedTrunk,
    dense_layers,
    load_balancing_loss,
    top_k_gates,
)
from course_lib.fusion.weights import check_layers
from course_lib.networks.config import as_inputs
from course_lib.networks.in_pytorch import train

__all__ = ["AttentionFusion", "ConcatFusion", "CrossStitch", "GatedFusion", "MixtureOfExperts", "SharedTrunk",
           "distill", "distillation_loss", "features", "fgsm", "get_layers", "hidden_activations",
           "load_balancing_loss", "set_layers", "top_k_gates"]


def features(nets):
    """A classifier without its last layer: what it has seen before it decides. It shares the weights."""
    return nn.Sequential(*list(nets)[:-1])


def distillation_loss(logits, teacher_logits, y, *, temperature=4.0, share=0.9):
    """Means over B of share * temperature^2 * KL(teacher || student), both softened, + (1 - share) * cross-entropy.

    Parameters
    ----------
    logits, teacher_logits : tensor (B, C)
    y : integer tensor (B,)
    temperature, share : float

    References
    ----------
    Hinton et al. 2015, "Distilling the knowledge in a neural network", section 2.
    """
    soft, student = (F.log_softmax(values / temperature, dim=1) for values in (teacher_logits, logits))
    divergence = (soft.exp() * (soft - student)).sum(dim=1).mean()
    return share * temperature**2 * divergence + (1 - share) * F.cross_entropy(logits, y)


def distill(student, x, y, teacher_logits, config=None, *, temperature=4.0, share=0.9, seed=0):
    """Train a network, in place, to say what a teacher says: another network, or a whole ensemble.

    Parameters
    ----------
    student : network
    x : array (N, *input_shape), or tuple of them
    y : integer array (N,)
    teacher_logits : array (N, C)
        Of an ensemble, the logarithm of its mean probabilities.
    config : TrainingConfig, optional
    temperature, share, seed
        As in `distillation_loss` and `train`.

    Returns
    -------
    list of float
        The mean loss of each epoch.
    """
    check_lesson(teacher_logits, y, temperature, share)

    def loss(targets, logits):
        return distillation_loss(logits, targets[:, :-1], targets[:, -1].long(), temperature=temperature, share=share)

    return train(student, x, np.column_stack([teacher_logits, y]), config, seed=seed, loss=loss)


def fgsm(model, x, y, *, step, attacked=None):
    """Adversarial inputs: each number moves by `step` towards where the loss rises, the fast gradient sign method.

    Parameters
    ----------
    model : network
    x : array (N, *input_shape), or tuple of them
        Numbers from 0 to 1.
    y : integer array (N,)
    step : float
    attacked : sequence of int, optional
        Which inputs of a tuple the attacker can reach; by default all.

    Returns
    -------
    array or tuple of arrays
        As `x`, clipped to [0, 1].

    References
    ----------
    Goodfellow et al. 2015, "Explaining and harnessing adversarial examples", section 4.
    """
    moved = as_inputs(x)
    attacked = check_attack(moved, y, attacked)
    parts = [torch.as_tensor(part).requires_grad_() for part in moved]
    loss = F.cross_entropy(model.eval()(*parts), torch.as_tensor(np.asarray(y, np.int64)))
    for m, gradient in enumerate(torch.autograd.grad(loss, parts)):
        if m in attacked:
            moved[m] = np.clip(moved[m] + step * np.sign(gradient.numpy()), 0, 1)
    return tuple(moved) if isinstance(x, tuple) else moved[0]


def get_layers(model):
    """The weights of a dense network as `fusion.weights` wants them: [(kernel (inputs, units), bias (units,)), ...]."""
    return [(layer.weight.numpy(force=True).T.copy(), layer.bias.numpy(force=True).copy())
            for layer in dense_layers(model)]


@torch.no_grad()
def set_layers(model, layers):
    """Write weights, as from `get_layers`, into a dense network of the same widths, and return it."""
    layers = check_layers(layers, like=get_layers(model))
    for layer, (kernel, bias) in zip(dense_layers(model), layers, strict=True):
        layer.weight.copy_(torch.as_tensor(np.asarray(kernel).T))
        layer.bias.copy_(torch.as_tensor(np.asarray(bias)))
    return model


@torch.no_grad()
def hidden_activations(model, x):
    """What the hidden neurons of a dense ReLU network make of inputs x (N, *input_shape): arrays (N, units)."""
    values, found = torch.as_tensor(np.asarray(x, np.float32)).flatten(1), []
    for layer in dense_layers(model)[:-1]:
        values = F.relu(layer(values))
        found.append(values.numpy(force=True))
    return found
