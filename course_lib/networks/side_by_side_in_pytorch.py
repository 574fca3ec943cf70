"""Many training runs at once, each with its own hyper-parameters, in PyTorch; `side_by_side_in_keras` is the twin."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F

from course_lib.common.devices import one_thread
from course_lib.networks.side_by_side import EPSILON, check_runs

__all__ = ["TrainingRuns", "forward"]


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


class TrainingRuns:
    """K dense ReLU networks of one shape, trained side by side by gradient descent.

    One matrix product does the step of all of them. No network's loss depends on another's weights, so each learns as
    if it were alone.

    Parameters
    ----------
    weights : list of arrays
        Kernels (K, F, H) and biases (K, H) of each layer in turn; the last layer gives logits.
    optimizer : "sgd", "rmsprop" or "adam"
    momentum : float
        In [0, 1); for "sgd".
    device : str

    References
    ----------
    Momentum: Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning", eq. 1-2, but
    with the learning rate outside the velocity, as PyTorch has it: a new rate acts at once.
    RMSprop: Tieleman & Hinton 2012, "Lecture 6.5", with a memory of .9. Adam: Kingma & Ba 2015, algorithm 1.
    """

    def __init__(self, weights, *, optimizer="sgd", momentum=0.9, device="cpu"):
        weights = check_runs(weights, optimizer, momentum)
        self.optimizer, self.momentum, self.device = optimizer, momentum, torch.device(device)
        self._weights = [torch.tensor(part, device=self.device, requires_grad=True) for part in weights]
        self._first, self._second = ([torch.zeros_like(part) for part in self._weights] for _ in range(2))
        self._count = torch.zeros(len(weights[0]), device=self.device)

    def train(self, x, y, learning_rate, *, l1=None, l2=None, max_norm=None, max_value=None, kept=None):
        """S steps of every run, in place.

        Parameters
        ----------
        x : array (S, K, B, F)
        y : integer array (S, K, B)
        learning_rate : array (K,)
        l1, l2 : array (K,), optional
            What a sum of absolute (of squared) kernel entries of 1 adds to a run's loss.
        max_norm, max_value : array (K,), optional
            A gradient with a larger norm, over all weights of a run, is scaled down to it; then each entry is cut.
        kept : array (S, K, B, H), optional
            By what the last hidden units are multiplied: for dropout, 0 or 1 over the share that is kept.

        Returns
        -------
        array (K,), array (K,)
            Each run's loss without penalties and its gradient's norm before clipping, means over the steps.

        References
        ----------
        Clipping: Pascanu et al. 2013, "On the difficulty of training recurrent neural networks", algorithm 1.
        """
        x, y = self._tensor(x), torch.as_tensor(np.asarray(y), device=self.device)
        rate, l1, l2, max_norm, max_value = (None if part is None else self._tensor(part) for part in (
            learning_rate, l1, l2, max_norm, max_value))
        kept = [None] * len(x) if kept is None else self._tensor(kept)
        found = []
        with one_thread():
            for step in range(len(x)):
                losses = _cross_entropy(forward(self._weights, x[step], kept[step]), y[step])
                gradients = torch.autograd.grad(losses.sum() + self._penalties(l1, l2), self._weights)
                norms = torch.sqrt(sum(part.flatten(1).square().sum(dim=1) for part in gradients))
                if max_norm is not None:
                    share = (max_norm / norms.clamp_min(1e-12)).clamp_max(1)
                    gradients = [part * _as(share, part) for part in gradients]
                if max_value is not None:
                    gradients = [part.clamp(-_as(max_value, part), _as(max_value, part)) for part in gradients]
                self._move(gradients, rate)
                found.append(torch.stack([losses.detach(), norms]))
        return tuple(torch.stack(found).mean(dim=0).numpy(force=True))

    @torch.no_grad()
    def predict(self, x):
        """Logits (K, N, C) of every run for its own examples x (K, N, F)."""
        return forward(self._weights, self._tensor(x)).numpy(force=True)

    @torch.no_grad()
    def evaluate(self, x, y):
        """Loss (K,) and accuracy (K,) of every run on its own examples x (K, N, F) of classes y (K, N)."""
        logits, y = forward(self._weights, self._tensor(x)), torch.as_tensor(np.asarray(y), device=self.device)
        right = (logits.argmax(dim=-1) == y).float().mean(dim=1)
        return _cross_entropy(logits, y).numpy(force=True), right.numpy(force=True)

    def weights(self):
        """The weights now, as a list of arrays like that of the beginning."""
        return [part.numpy(force=True).copy() for part in self._weights]

    @torch.no_grad()
    def restart(self, runs, weights):
        """Begin some runs, an integer array (R,), anew from weights of shapes (R, ...), without any momentum."""
        self._count[runs] = 0
        for now, first, second, part in zip(self._weights, self._first, self._second, weights, strict=True):
            now[runs] = self._tensor(part)
            first[runs] = second[runs] = 0

    @torch.no_grad()
    def _move(self, gradients, rate):
        self._count += 1
        for now, first, second, gradient in zip(self._weights, self._first, self._second, gradients, strict=True):
            now.sub_(_as(rate, now) * self._direction(first, second, gradient))

    def _direction(self, first, second, gradient):
        if self.optimizer == "sgd":
            return first.mul_(self.momentum).add_(gradient)
        if self.optimizer == "rmsprop":
            return gradient / (second.lerp_(gradient.square(), 0.1).sqrt() + EPSILON)
        count = _as(self._count, gradient)
        mean, square = first.lerp_(gradient, 0.1), second.lerp_(gradient.square(), 0.001)
        return mean / (1 - 0.9**count) / ((square / (1 - 0.999**count)).sqrt() + EPSILON)

    def _penalties(self, l1, l2):
        total, kernels = 0.0, self._weights[::2]
        for strength, of in ((l1, torch.abs), (l2, torch.square)):
            if strength is not None:
                total = total + (strength * sum(of(kernel).sum(dim=(1, 2)) for kernel in kernels)).sum()
        return total

    def _tensor(self, part):
        return torch.as_tensor(np.asarray(part, np.float32), device=self.device)


def _as(numbers, like):
    """Numbers (K,) with as many dimensions as a tensor (K, ...)."""
    return numbers.view(-1, *[1] * (like.ndim - 1))


def _cross_entropy(logits, y):
    return F.cross_entropy(logits.movedim(-1, 1), y, reduction="none").mean(dim=1)
