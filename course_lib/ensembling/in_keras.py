"""Ensembles of networks in Keras 3, all members in one pass; `in_pytorch` is the same file in PyTorch."""

from __future__ import annotations

import functools

import keras
import numpy as np
from keras import layers, ops

from course_lib.common import checks
from course_lib.ensembling import estimators
from course_lib.ensembling.members import shared_kernel, train
from course_lib.ensembling.uncertainty import VARIANCE_FLOOR
from course_lib.networks.side_by_side_in_keras import TrainingRuns, cross_entropy, forward

__all__ = ["BatchEnsemble", "DeepEnsemble", "NetClassifier", "NetRegressor", "cross_entropy", "forward", "gaussian_nll",
           "make_batch_ensemble", "over_members", "predict_members", "squared_error", "train_members"]

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


class BatchEnsemble(layers.Layer):
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
        self.kernel, self.first = (self.add_weight(values.shape, initializer=lambda shape, dtype, values=values: values)
                                   for values in (kernel, first))
        self.second, self.bias = (self.add_weight((members, units), initializer=name) for name in ("ones", "zeros"))

    def call(self, x):
        """From inputs to (B, M, units)."""
        x = x if len(x.shape) == 3 else x[:, None]  # (B, inputs), alike for all members, or (B, M, inputs)
        return ops.matmul(x * self.first, self.kernel) * self.second + self.bias


def make_batch_ensemble(inputs, outputs, *, hidden=(64, 64), members=8, seed=0):
    """One ReLU network that imitates M (TabM, but for the last layer, which is shared, too).

    From inputs (B, inputs) to the members' outputs (B, M, outputs). Train it by `networks.train` with a loss that is a
    mean over members, so that each learns from its own errors.
    """
    checks.sizes(inputs=inputs, outputs=outputs, hidden=hidden, members=members)
    sizes, stack = [inputs, *hidden, outputs], [keras.Input((inputs,))]
    for i, (before, units) in enumerate(zip(sizes[:-1], sizes[1:], strict=True)):
        stack += [BatchEnsemble(before, units, members, signs=i == 0, seed=100 * seed + i), layers.ReLU()]
    return keras.Sequential(stack[:-1])


def over_members(loss):
    """A loss for `networks.train` from one of members, as `cross_entropy` is: the mean over members.

    It takes targets (B,) and outputs (B, M, ...), as a network of `make_batch_ensemble` gives them.
    """
    return lambda y, outputs: ops.mean(loss(ops.moveaxis(outputs, 1, 0), ops.tile(y[None], (outputs.shape[1], 1))))


class NetRegressor(estimators.Regressor):
    """A dense network, or the mean of several, as a scikit-learn regressor."""

    _train, _outputs, _loss = map(staticmethod, (train_members, predict_members, squared_error))


class NetClassifier(estimators.Classifier):
    """A dense network, or the mean of several, as a scikit-learn classifier."""

    _train, _outputs, _loss = map(staticmethod, (train_members, predict_members, cross_entropy))


class DeepEnsemble(estimators.DeepRegressor):
    """Networks that each give a mean and a variance, and their mixture, as a scikit-learn regressor."""

    _train, _outputs, _loss = map(staticmethod, (train_members, predict_members, gaussian_nll))
