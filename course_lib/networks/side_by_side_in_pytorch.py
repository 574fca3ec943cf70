"""Many training runs at once, each with its own hyper-parameters, in PyTorch; `side_by_side_in_keras` is the twin."""

from __future__ import annotations

from functools import partial

import torch
from torch.nn import functional as F

from course_lib.common.devices import one_thread
from course_lib.networks import side_by_side

__all__ = ["TrainingRuns", "cross_entropy", "forward"]


def forward(weights, x, kept=None):
    """Logits (K, B, C) of K dense ReLU networks, each for its own inputs x (K, B, F).

    Parameters
    ----------
    weights : list of tensors
        Kernels (K, F, H) and biases (K, H) of each layer in turn.
    x : tensor (K, B, F)
    kept : tensor (K, B, H), optional
        By what the last hidden units are multiplied.
    """
    last = len(weights) - 2
    for i in range(0, len(weights), 2):
        x = torch.relu(x) if i else x
        x = x * kept if i == last and kept is not None else x
        x = torch.baddbmm(weights[i + 1][:, None], x, weights[i])  # K matrix products: (K, B, F) @ (K, F, H)
    return x


def cross_entropy(outputs, y):
    """Mean cross-entropy (K,) of logits (K, B, C) for classes (K, B)."""
    return F.cross_entropy(outputs.movedim(-1, 1), y.long(), reduction="none").mean(-1)


class TrainingRuns(side_by_side.Runs):
    """K dense ReLU networks of one shape, trained side by side by gradient descent: see `side_by_side.Runs`."""

    _ops, _forward, _cross_entropy = torch, staticmethod(forward), staticmethod(cross_entropy)
    _running, _compiled, _take, _array = map(staticmethod, (
        one_thread, lambda steps: steps, lambda values, rows: values[rows], partial(torch.Tensor.numpy, force=True)))

    def _tensor(self, values):
        return torch.as_tensor(values, device=self.device)

    @staticmethod
    def _loop(steps, step, state):
        for i in range(steps):
            state = step(i, state)
        return state

    @staticmethod
    def _gradients(function, *weights):
        weights = [part.requires_grad_() for part in weights]
        losses = function(*weights)
        return losses.detach(), torch.autograd.grad(losses.sum(), weights)
