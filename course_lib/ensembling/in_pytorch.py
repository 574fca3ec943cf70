"""Ensembles of networks in PyTorch, all members in one pass; `in_keras` is the same file in Keras."""

from __future__ import annotations

import functools

import torch
from torch import nn
from torch.nn import functional as F

from course_lib.common import checks
from course_lib.ensembling import estimators
from course_lib.ensembling.members import shared_kernel, train
from course_lib.ensembling.uncertainty import VARIANCE_FLOOR
from course_lib.networks.side_by_side_in_pytorch import TrainingRuns, cross_entropy, forward

__all__ = ["BatchEnsemble", "DeepEnsemble", "NetClassifier", "NetRegressor", "cross_entropy", "forward", "gaussian_nll",
           "make_batch_ensemble", "over_members", "predict_members", "squared_error", "train_members"]

train_members = functools.partial(train, TrainingRuns)


def squared_error(outputs, y):
    """Mean squared error (M,) of outputs (M, B, 1) for targets (M, B)."""
    return (outputs[..., 0] - y).square().mean(-1)


def gaussian_nll(outputs, y):
    """Mean negative log-likelihood (M,), less its constant, of targets (M, B) under the Gaussians of outputs (M, B, 2).

    References
    ----------
    Lakshminarayanan et al. 2017, "Simple and scalable predictive uncertainty estimation using deep ensembles", eq. 1.
    """
    mean, variance = outputs[..., 0], F.softplus(outputs[..., 1]) + VARIANCE_FLOOR
    return (0.5 * variance.log() + 0.5 * (y - mean).square() / variance).mean(-1)


def predict_members(members, x, *, device="cpu", batch_size=1000):
    """Outputs (M, N, outputs) of all members as an array, of inputs x (N, inputs)."""
    *weights, mean, scale, x = (torch.as_tensor(part, device=device) for part in (*members.weights, *members[1:], x))
    return torch.cat([forward(weights, (part - mean) / scale) for part in x.split(batch_size)], 1).numpy(force=True)


class BatchEnsemble(nn.Module):
    """A dense layer of which M members share the kernel; what it gets and gives is scaled by each member's own numbers.

    Parameters
    ----------
    inputs, units, members : int
    signs : bool
        Whether the first scales start at -1 or 1 at random, as TabM's first layer has it; else at 1.
    seed : int

    References
    ----------
    Wen et al. 2020, "BatchEnsemble: an alternative approach to efficient ensemble and lifelong learning", eq. 5;
    Gorishniy et al. 2025, "TabM: advancing tabular deep learning with parameter-efficient ensembling", section 3.2.
    """

    def __init__(self, inputs, units, members, *, signs=False, seed=0):
        super().__init__()
        kernel, first = shared_kernel(inputs, units, members, signs, seed)
        self.kernel, self.first = nn.Parameter(torch.tensor(kernel)), nn.Parameter(torch.tensor(first))
        self.second, self.bias = nn.Parameter(torch.ones(members, units)), nn.Parameter(torch.zeros(members, units))

    def forward(self, x):
        """From inputs to (B, M, units)."""
        x = x if x.dim() == 3 else x[:, None]  # (B, inputs), alike for all members, or (B, M, inputs)
        return (x * self.first) @ self.kernel * self.second + self.bias


def make_batch_ensemble(inputs, outputs, *, hidden=(64, 64), members=8, seed=0):
    """One ReLU network that imitates M (TabM, but for the last layer, which is shared, too).

    From inputs (B, inputs) to the members' outputs (B, M, outputs). Train it by `networks.train` with a loss that is a
    mean over members, so that each learns from its own errors.
    """
    checks.sizes(inputs=inputs, outputs=outputs, hidden=hidden, members=members)
    sizes, layers = [inputs, *hidden, outputs], []
    for i, (before, units) in enumerate(zip(sizes[:-1], sizes[1:], strict=True)):
        layers += [BatchEnsemble(before, units, members, signs=i == 0, seed=100 * seed + i), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def over_members(loss):
    """A loss for `networks.train` from one of members, as `cross_entropy` is: the mean over members.

    It takes targets (B,) and outputs (B, M, ...), as a network of `make_batch_ensemble` gives them.
    """
    return lambda y, outputs: loss(outputs.movedim(1, 0), y.expand(outputs.shape[1], -1)).mean()


class NetRegressor(estimators.Regressor):
    """A dense network, or the mean of several, as a scikit-learn regressor."""

    _train, _outputs, _loss = map(staticmethod, (train_members, predict_members, squared_error))


class NetClassifier(estimators.Classifier):
    """A dense network, or the mean of several, as a scikit-learn classifier."""

    _train, _outputs, _loss = map(staticmethod, (train_members, predict_members, cross_entropy))


class DeepEnsemble(estimators.DeepRegressor):
    """Networks that each give a mean and a variance, and their mixture, as a scikit-learn regressor."""

    _train, _outputs, _loss = map(staticmethod, (train_members, predict_members, gaussian_nll))
