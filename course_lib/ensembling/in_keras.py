"""Ensembles of networks in Keras 3, all members in one pass; `in_pytorch` is the same file in PyTorch."""

from __future__ import annotations

import functools

import keras
import numpy as np
from keras import ops

from course_lib.ensembling import estimators
from course_lib.ensembling.members import orders, train
from course_lib.ensembling.uncertainty import VARIANCE_FLOOR
from course_lib.networks.config import check_data
from course_lib.networks.side_by_side_in_keras import TrainingRuns, cross_entropy, forward

__all__ = ["DeepEnsemble", "NetClassifier", "NetRegressor", "cross_entropy", "forward", "gaussian_nll",
           "predict_members", "squared_error", "train_averaged", "train_members"]

train_members = functools.partial(train, TrainingRuns, late_correction=True)


def squared_error(outputs, y):
    """Mean squared error (M,) of outputs (M, B, 1) for targets (M, B)."""
    return ops.mean(ops.square(outputs[..., 0] - y), axis=-1)


def gaussian_nll(outputs, y):
    """Mean negative log-likelihood (M,), less its constant, of targets (M, B) under the Gaussians of outputs (M, B, 2).

    References
    ----------
    Lakshminarayanan et al. 2017, "Simple and scalable predictive uncertainty estimation using deep ensembles", eq. 1.
    """
    mean, variance = outputs[..., 0], ops.softplus(outputs[..., 1]) + VARIANCE_FLOOR
    return ops.mean(0.5 * ops.log(variance) + 0.5 * ops.square(y - mean) / variance, axis=-1)


def predict_members(members, x, *, device="cpu", batch_size=1000):
    """Outputs (M, N, outputs) of all members as an array, of inputs x (N, inputs)."""
    with keras.device(device):
        *weights, mean, scale = map(ops.convert_to_tensor, (*members.weights, *members[1:]))
        batches = (ops.convert_to_tensor(x[i: i + batch_size]) for i in range(0, len(x), batch_size))
        parts = [forward(weights, (batch - mean) / scale) for batch in batches]
        return np.concatenate(list(map(ops.convert_to_numpy, parts)), axis=1)


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
    optimizer = keras.optimizers.Adam(config.learning_rate, epsilon=1e-7, use_ema=True, ema_momentum=decay)
    model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False)
    x, y = check_data(x, y)
    for (rows,) in orders([np.arange(len(x))], [seed], config.updates(len(x)), config.batch_size):
        model.train_on_batch(x[rows], y[rows])
    averaged, last = keras.models.clone_model(model), model.get_weights()
    optimizer.finalize_variable_values(model.trainable_variables)  # puts the average in their place
    averaged.set_weights(model.get_weights())
    model.set_weights(last)
    return averaged


class NetRegressor(estimators.Regressor):
    """A dense network, or the mean of several, as a scikit-learn regressor."""

    _train, _outputs, _loss = map(staticmethod, (train_members, predict_members, squared_error))


class NetClassifier(estimators.Classifier):
    """A dense network, or the mean of several, as a scikit-learn classifier."""

    _train, _outputs, _loss = map(staticmethod, (train_members, predict_members, cross_entropy))


class DeepEnsemble(estimators.DeepRegressor):
    """Networks that each give a mean and a variance, and their mixture, as a scikit-learn regressor."""

    _train, _outputs, _loss = map(staticmethod, (train_members, predict_members, gaussian_nll))
