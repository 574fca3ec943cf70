"""Ensembles of networks in PyTorch, all members in one pass; `in_keras` is the same file in Keras."""

from __future__ import annotations

import functools

import numpy as np
import torch
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from course_lib.ensembling import estimators
from course_lib.ensembling.members import orders, train
from course_lib.ensembling.uncertainty import VARIANCE_FLOOR
from course_lib.networks.config import check_data
from course_lib.networks.side_by_side_in_pytorch import TrainingRuns, cross_entropy, forward

__all__ = ["DeepEnsemble", "NetClassifier", "NetRegressor", "cross_entropy", "forward", "gaussian_nll",
           "predict_members", "squared_error", "train_averaged", "train_members"]

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
