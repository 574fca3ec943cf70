"""Many training runs at once in PyTorch, each with its own hyper-parameters; `in_keras` is the same in Keras."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F

from course_lib.common.device import one_thread
from course_lib.tuning.runs import check_runs

__all__ = ["TrainingRuns"]


class TrainingRuns:
    """K dense networks with one hidden layer, trained side by side by gradient descent with momentum.

    One matrix product does the step of all of them. No network's loss depends on another's weights, so each learns as
    if it were alone.

    Parameters
    ----------
    weights : list of arrays
        Kernels (K, F, H), biases (K, H), kernels (K, H, C), biases (K, C).
    momentum : float
        In [0, 1).
    device : str
    """

    def __init__(self, weights, *, momentum=0.9, device="cpu"):
        weights = check_runs(weights, momentum)
        self.momentum, self.device = momentum, torch.device(device)
        self._weights = [torch.tensor(part, device=self.device, requires_grad=True) for part in weights]
        self._velocity = [torch.zeros_like(part) for part in self._weights]

    def train(self, x, y, learning_rate, *, weight_decay=None, max_norm=None, kept=None):
        """S steps of every run, in place.

        Parameters
        ----------
        x : array (S, K, B, F)
        y : integer array (S, K, B)
        learning_rate : array (K,)
        weight_decay : array (K,), optional
            What a sum of squared kernel entries of 1 adds to a run's loss.
        max_norm : array (K,), optional
            A gradient with a larger norm, over all weights of a run, is scaled down to it.
        kept : array (S, K, B, H), optional
            By what the hidden units are multiplied: for dropout, 0 or 1 over the share that is kept.

        Returns
        -------
        array (K,), array (K,)
            Each run's loss and its gradient's norm (before clipping), means over the steps.

        References
        ----------
        Momentum: Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning", eq. 1-2.
        Clipping: Pascanu et al. 2013, "On the difficulty of training recurrent neural networks", algorithm 1.
        """
        x, y = self._tensor(x), torch.as_tensor(np.asarray(y), device=self.device)
        rate, decay, most = (None if part is None else self._tensor(part) for part in (
            learning_rate, weight_decay, max_norm))
        kept = [None] * len(x) if kept is None else self._tensor(kept)
        found = []
        with one_thread():
            for step in range(len(x)):
                losses = self._losses(x[step], y[step], kept[step])
                total = losses.sum()
                if decay is not None:
                    squares = sum(kernel.square().sum(dim=(1, 2)) for kernel in self._weights[::2])
                    total = total + (decay * squares).sum()
                gradients = torch.autograd.grad(total, self._weights)
                norms = torch.sqrt(sum(part.flatten(1).square().sum(dim=1) for part in gradients))
                share = 1 if most is None else (most / norms.clamp_min(1e-12)).clamp_max(1)
                self._move(gradients, rate, share)
                found.append(torch.stack([losses.detach(), norms]))
        return tuple(torch.stack(found).mean(dim=0).numpy(force=True))

    @torch.no_grad()
    def evaluate(self, x, y):
        """Loss (K,) and accuracy (K,) of every run on its own examples x (K, N, F) of classes y (K, N)."""
        logits, y = self._logits(self._tensor(x)), torch.as_tensor(np.asarray(y), device=self.device)
        losses = F.cross_entropy(logits.movedim(-1, 1), y, reduction="none").mean(dim=1)
        right = (logits.argmax(dim=-1) == y).float().mean(dim=1)
        return losses.numpy(force=True), right.numpy(force=True)

    def weights(self):
        """The weights now, as a list of arrays like that of the beginning."""
        return [part.numpy(force=True).copy() for part in self._weights]

    @torch.no_grad()
    def restart(self, runs, weights):
        """Begin some runs, an integer array (R,), anew from weights of shapes (R, ...), without any momentum."""
        for now, velocity, part in zip(self._weights, self._velocity, weights, strict=True):
            now[runs] = self._tensor(part)
            velocity[runs] = 0

    @torch.no_grad()
    def _move(self, gradients, rate, share):
        for now, velocity, gradient in zip(self._weights, self._velocity, gradients, strict=True):
            ones = (-1, *[1] * (now.ndim - 1))
            step = gradient if isinstance(share, int) else gradient * share.view(ones)
            velocity.mul_(self.momentum).add_(step)
            now.sub_(rate.view(ones) * velocity)

    def _logits(self, x, kept=None):
        first, bias, second, last = self._weights
        hidden = torch.relu(torch.baddbmm(bias[:, None], x, first))  # (K, B, H): each run its own kernel
        return torch.baddbmm(last[:, None], hidden if kept is None else hidden * kept, second)

    def _losses(self, x, y, kept):
        return F.cross_entropy(self._logits(x, kept).movedim(-1, 1), y, reduction="none").mean(dim=1)

    def _tensor(self, part):
        return torch.as_tensor(np.asarray(part, np.float32), device=self.device)
