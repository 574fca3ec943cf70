"""Ensembles of networks in Keras 3, all members in one pass; `in_pytorch` is the same file in PyTorch."""

from __future__ import annotations

import functools

import keras
import numpy as np
from keras import ops

from course_lib.common.keras_steps import make_steps
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
        values = ops.relu(ops.matmul(values, kernel) + bias)
    kernel, bias = layers[-1]
    return ops.matmul(values, kernel) + bias


def squared_error(outputs, y):
    """Mean squared error (M,) of outputs (M, B, 1) for targets (M, B)."""
    return ops.mean(ops.square(outputs[..., 0] - y), axis=-1)


def cross_entropy(outputs, y):
    """Mean cross-entropy (M,) of logits (M, B, C) for classes (M, B)."""
    return ops.mean(ops.sparse_categorical_crossentropy(y, outputs, from_logits=True), axis=-1)


def gaussian_nll(outputs, y):
    """Mean negative log-likelihood (M,), less its constant, of targets (M, B) under the Gaussians of outputs (M, B, 2).

    References
    ----------
    Lakshminarayanan et al. 2017, "Simple and scalable predictive uncertainty estimation using deep ensembles", eq. 1.
    """
    mean, variance = outputs[..., 0], ops.softplus(outputs[..., 1]) + VARIANCE_FLOOR
    return ops.mean(0.5 * ops.log(variance) + 0.5 * ops.square(y - mean) / variance, axis=-1)


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
        known = ops.cast(ops.logical_not(ops.isnan(y[..., task])), "float32")
        target = ops.nan_to_num(y[..., task])
        if classes:
            losses = ops.sparse_categorical_crossentropy(ops.cast(target, "int32"), part, from_logits=True)
        else:
            losses = ops.square(part[..., 0] - target)
        total = total + ops.mean(losses * known, axis=-1)
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
    order = orders(rows, seeds, updates, config.batch_size)
    with keras.device(device):
        learner = _Learner(members, loss, config.l2)
        schedule = keras.optimizers.schedules.CosineDecay(config.learning_rate, updates)
        learner.compile(keras.optimizers.Adam(schedule, epsilon=1e-7), jit_compile=False)
        _run(learner, x, y, order)
    kernels, biases = ([ops.convert_to_numpy(values) for values in group] for group in learner.now[:2])
    return Members(kernels, biases, members.mean, members.scale)


def predict_members(members, x, *, device="cpu", batch_size=1000):
    """Outputs (M, N, outputs) of all members as an array, of inputs x (N, inputs)."""
    with keras.device(device):
        kernels, biases = ([ops.convert_to_tensor(values) for values in group] for group in members[:2])
        now = Members(kernels, biases, *map(ops.convert_to_tensor, members[2:]))
        parts = [forward(now, ops.convert_to_tensor(x[i: i + batch_size])) for i in range(0, len(x), batch_size)]
        return np.concatenate([ops.convert_to_numpy(part) for part in parts], axis=1)


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


class MultiTaskNet(estimators.MultiTask):
    """A dense network, or the mean of several, with one head for each task on a trunk that all share."""

    _train, _outputs = map(staticmethod, (train_members, predict_members))

    @property
    def _loss(self):
        return functools.partial(multi_task_loss, heads=tuple(self.heads))


class _Learner(keras.Model):
    """The model that Keras trains: all members, and the sum of their losses."""

    def __init__(self, members, loss, l2):
        super().__init__(name="members")
        kernels, biases = ([self._weight(values) for values in group] for group in members[:2])
        self.now = Members(kernels, biases, *map(ops.convert_to_tensor, members[2:]))
        self.loss_of, self.l2 = loss, l2
        self.built = True

    def _weight(self, values):
        weight = self.add_weight(shape=values.shape, initializer="zeros")
        weight.assign(values)
        return weight

    def call(self, x):
        return forward(self.now, x)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        total = ops.sum(self.loss_of(y_pred, ops.convert_to_tensor(y)))  # no member's loss depends on another's weights
        return total + self.l2 * sum(ops.sum(ops.square(kernel)) for kernel in self.now.kernels)


def _run(learner, x, y, order, *, compiled=True):
    """Train on the batches that `order` (updates, M, B) names."""
    first = np.arange(len(y))[:, None] * y.shape[1]  # where each member's targets begin, (M, 1)
    steps = make_steps(learner, lambda i, x, y, order: (ops.take(x, order[i], 0), ops.take(y, first + order[i], 0)),
                       compiled=compiled)
    steps(len(order), x, y.reshape(-1, *y.shape[2:]), order)
