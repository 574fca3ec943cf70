"""Adversarial inputs, in PyTorch; `in_keras` is the same file in Keras."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F

from course_lib.applications.robustness import check_attack
from course_lib.networks.in_pytorch import predict

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
    moved, y, attacked = check_attack(predict(model, x), x, y, attacked, step)
    parts = [torch.as_tensor(part).requires_grad_() for part in moved]
    loss = F.cross_entropy(model.eval()(*parts), torch.as_tensor(y))
    for m, gradient in enumerate(torch.autograd.grad(loss, parts)):
        if m in attacked:
            moved[m] = np.clip(moved[m] + step * np.sign(gradient.numpy()), 0, 1)
    return tuple(moved) if isinstance(x, tuple) else moved[0]
