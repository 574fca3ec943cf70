"""Adversarial inputs, in Keras 3; `in_pytorch` is the same file in PyTorch."""

from __future__ import annotations

import numpy as np
from keras import ops

from course_lib.applications.robustness import check_attack
from course_lib.common.keras_steps import value_and_gradient
from course_lib.networks.in_keras import predict

__all__ = ["fgsm"]


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

    moved, y, attacked = check_attack(predict(model, x), x, y, attacked, step)
    gradients = value_and_gradient(loss, *map(ops.convert_to_tensor, moved))[1]
    for m, gradient in enumerate(gradients):
        if m in attacked:
            moved[m] = np.clip(moved[m] + step * np.sign(ops.convert_to_numpy(gradient)), 0, 1)
    return tuple(moved) if isinstance(x, tuple) else moved[0]
