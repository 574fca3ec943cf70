"""Ensembles of networks in PyTorch, all members in one pass; `in_keras` is the same file in Keras."""

from __future__ import annotations

import functools

import numpy as np
import torch
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from course_lib.ensembling import estimators
from course_lib.ensembling.members import Members, orders
from course_lib.ensembling.uncertainty import VARIANCE_FLOOR
from course_lib.networks.config import check_data

__all__ = ["DeepEnsemble", "MultiTaskNet", "NetClassifier", "NetRegressor", "cross_entropy", "forward", "gaussian_nll",
           "multi_task_loss", "predict_members", "squared_error", "train_averaged", "train_members"]


def forward(members, x):
    """Outputs (M, N, outputs) of all members at once, of inputs (N, inputs) that they share or (M, N, inputs)."""
    values = (x - members.mean) / members.scale  # (M, N, inputs): each scales for itself
    layers = list(zip(members.kernels, members.biases, strict=True))
    for kernel, bias in layers[:-1]:  # (M, N, inputs) @ (M, inputs, units): each member its own kernel
        values = torch.relu(torch.baddbmm(bias, values, kernel))
    kernel, bias = layers[-1]
    return torch.baddbmm(bias, values, kernel)


def squared_error(outputs, y):
    """Mean squared error (M,) of outputs (M, B, 1) for targets (M, B)."""
    return (outputs[..., 0] - y).square().mean(-1)


def cross_entropy(outputs, y):
    """Mean cross-entropy (M,) of logits (M, B, C) for classes (M, B)."""
    return F.cross_entropy(outputs.movedim(-1, 1), y, reduction="none").mean(-1)


def gaussian_nll(outputs, y):
    """Mean negative log-likelihood (M,), less its constant, of targets (M, B) under the Gaussians of outputs (M, B, 2).

    References
    ----------
    Lakshminarayanan et al. 2017, "Simple and scalable predictive uncertainty estimation using deep ensembles", eq. 1.
    """
    mean, variance = outputs[..., 0], F.softplus(outputs[..., 1]) + VARIANCE_FLOOR
    return (0.5 * variance.log() + 0.5 * (y - mean).square() / variance).mean(-1)


def multi_task_loss(outputs, y, *, heads):
    """Sum over tasks (M,) of the mean loss, to which examples without a target for the task add nothing.

    Parameters
    ----------
    outputs : tensor (M, B, units of all heads)
    y : tensor (M, B, tasks)
        NaN where an example has no target.
    heads : tuple
        For each task the number of its classes, or None for a number to predict.
    """
    total, start = 0.0, 0
    for task, classes in enumerate(heads):
        part, start = outputs[..., start: start + (classes or 1)], start + (classes or 1)
        known = ~y[..., task].isnan()
        target = y[..., task].nan_to_num()
        if classes:
            losses = F.cross_entropy(part.movedim(-1, 1), target.long(), reduction="none")
        else:
            losses = (part[..., 0] - target).square()
        total = total + (losses * known).mean(-1)
    return total


def train_members(members, x, y, rows, seeds, config, loss, *, device="cpu"):
    """Train all members at once with Adam, each on its own rows in its own order.

    Parameters
    ----------
    members : Members
        They stay as they are.
    x : array (N, inputs)
    y : array (M, N, ...)
        Each member's targets.
    rows : list of M integer arrays
    seeds : list of M int
        Of the order of the examples.
    config : TrainingConfig
    loss : callable
        `loss(outputs, targets)` of tensors (M, B, outputs) and (M, B, ...) is (M,), one loss a member.
    device : str

    Returns
    -------
    Members
    """
    updates = config.updates(max(map(len, rows)))
    order = torch.from_numpy(orders(rows, seeds, updates, config.batch_size)).to(device)
    x, y = (torch.as_tensor(values, device=device) for values in (x, y))
    now, member = _tensors(members, device), torch.arange(len(rows), device=device)[:, None]
    trained = [tensor.requires_grad_() for tensor in (*now.kernels, *now.biases)]
    optimizer = torch.optim.Adam(trained, lr=config.learning_rate, eps=1e-7, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, updates)
    for batch in order:  # (M, B)
        total = loss(forward(now, x[batch]), y[member, batch]).sum()
        if config.l2:
            total = total + config.l2 * sum(kernel.square().sum() for kernel in now.kernels)
        optimizer.zero_grad()
        total.backward()  # no member's loss depends on another's weights: each gets its own gradient
        optimizer.step()
        schedule.step()
    kernels, biases = ([tensor.numpy(force=True) for tensor in group] for group in now[:2])
    return Members(kernels, biases, members.mean, members.scale)


@torch.no_grad()
def predict_members(members, x, *, device="cpu", batch_size=1000):
    """Outputs (M, N, outputs) of all members as an array, of inputs x (N, inputs)."""
    now = _tensors(members, device)
    parts = torch.as_tensor(x, device=device).split(batch_size)
    return torch.cat([forward(now, part) for part in parts], dim=1).numpy(force=True)


def train_averaged(model, x, y, config, *, seed=0, decay=0.99):
    """Train a classifier at a constant learning rate; a second network holds the moving average of its weights.

    Parameters
    ----------
    model : network
        As `networks.make_mlp` makes it; it is trained in place.
    x : array (N, *input_shape)
    y : integer array (N,)
    config : TrainingConfig
        Its `learning_rate` does not fall, its `l2` is not used.
    seed : int
        Of the order of the examples.
    decay : float
        The average keeps this share of itself at each update and takes the rest from the network.

    Returns
    -------
    network

    References
    ----------
    Polyak & Juditsky 1992, "Acceleration of stochastic approximation by averaging"; Izmailov et al. 2018, "Averaging
    weights leads to wider optima and better generalization". Both weigh all updates alike; this average forgets.
    """
    averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay))
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate, eps=1e-7)
    x, y = (torch.as_tensor(array) for array in check_data(x, y))
    for (rows,) in orders([np.arange(len(x))], [seed], config.updates(len(x)), config.batch_size):
        loss = F.cross_entropy(model(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        averaged.update_parameters(model)
    return averaged.module


class NetRegressor(estimators.Regressor):
    """A dense network, or the mean of several, as a scikit-learn regressor."""

    _train, _outputs, _loss = map(staticmethod, (train_members, predict_members, squared_error))


class NetClassifier(estimators.Classifier):
    """A dense network, or the mean of several, as a scikit-learn classifier."""

    _train, _outputs, _loss = map(staticmethod, (train_members, predict_members, cross_entropy))


class DeepEnsemble(estimators.DeepRegressor):
    """Networks that each give a mean and a variance, and their mixture, as a scikit-learn regressor."""

    _train, _outputs, _loss = map(staticmethod, (train_members, predict_members, gaussian_nll))


class MultiTaskNet(estimators.MultiTask):
    """A dense network, or the mean of several, with one head for each task on a trunk that all share."""

    _train, _outputs = map(staticmethod, (train_members, predict_members))

    @property
    def _loss(self):
        return functools.partial(multi_task_loss, heads=tuple(self.heads))


def _tensors(members, device):
    kernels, biases, *scaling = members
    kernels, biases = ([torch.tensor(values, device=device) for values in group] for group in (kernels, biases))
    return Members(kernels, biases, *(torch.as_tensor(values, device=device) for values in scaling))
