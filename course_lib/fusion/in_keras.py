"""Fusing networks in Keras 3: their features, their weights, their knowledge; `in_pytorch` is the same in PyTorch."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from course_lib.common.keras_steps import value_and_gradient
from course_lib.fusion.inputs import check_attack, check_lesson
from course_lib.fusion.networks_in_keras import (
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
from course_lib.networks.in_keras import train

__all__ = ["AttentionFusion", "ConcatFusion", "CrossStitch", "GatedFusion", "MixtureOfExperts", "SharedTrunk",
           "distill", "distillation_loss", "features", "fgsm", "get_layers", "hidden_activations",
           "load_balancing_loss", "set_layers", "top_k_gates"]


def features(nets):
    """A classifier without its last layer: what it has seen before it decides. It shares the weights."""
    return keras.Sequential([keras.Input(nets.input_shape[1:]), *nets.layers[:-1]])


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
    soft, student = (ops.log_softmax(values / temperature, axis=1) for values in (teacher_logits, logits))
    divergence = ops.mean(ops.sum(ops.exp(soft) * (soft - student), axis=1))
    hard = ops.mean(ops.sparse_categorical_crossentropy(y, logits, from_logits=True))
    return share * temperature**2 * divergence + (1 - share) * hard


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
        y = ops.cast(targets[:, -1], "int32")
        return distillation_loss(logits, targets[:, :-1], y, temperature=temperature, share=share)

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
    def loss(*parts):
        logits = model(list(parts) if len(parts) > 1 else parts[0], training=False)
        return ops.sparse_categorical_crossentropy(ops.convert_to_tensor(y), logits, from_logits=True)

    moved = as_inputs(x)
    attacked = check_attack(moved, y, attacked)
    gradients = value_and_gradient(loss, *map(ops.convert_to_tensor, moved))[1]
    for m, gradient in enumerate(gradients):
        if m in attacked:
            moved[m] = np.clip(moved[m] + step * np.sign(ops.convert_to_numpy(gradient)), 0, 1)
    return tuple(moved) if isinstance(x, tuple) else moved[0]


def get_layers(model):
    """The weights of a dense network as `fusion.weights` wants them: [(kernel (inputs, units), bias (units,)), ...]."""
    return [tuple(values.copy() for values in layer.get_weights()) for layer in dense_layers(model)]


def set_layers(model, layers):
    """Write weights, as from `get_layers`, into a dense network of the same widths, and return it."""
    layers = check_layers(layers, like=get_layers(model))
    for layer, weights in zip(dense_layers(model), layers, strict=True):
        layer.set_weights(weights)
    return model


def hidden_activations(model, x):
    """What the hidden neurons of a dense ReLU network make of inputs x (N, *input_shape): arrays (N, units)."""
    values, found = ops.convert_to_tensor(np.asarray(x, np.float32).reshape(len(x), -1)), []
    for layer in dense_layers(model)[:-1]:
        values = ops.relu(layer(values))
        found.append(ops.convert_to_numpy(values))
    return found
