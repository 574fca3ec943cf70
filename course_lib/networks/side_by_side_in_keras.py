"""Many training runs at once, each with its own hyper-parameters, in Keras; `side_by_side_in_pytorch` is the twin."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from course_lib.common.keras_steps import make_steps
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
        x = ops.relu(x) if i else x
        x = x * kept if i == last and kept is not None else x
        x = ops.matmul(x, weights[i]) + weights[i + 1][:, None]  # K matrix products: (K, B, F) @ (K, F, H)
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
        self.device = device
        with keras.device(device):
            self._net, self._optimizer = _Networks(weights), _EachItsOwn(len(weights[0]), optimizer, momentum)
            self._net.compile(self._optimizer, jit_compile=False)
            self._optimizer.build(self._net.trainable_variables)
            self._steps = make_steps(self._net, lambda i, x, y: (x[i], y[i]))
            self._steps_kept = make_steps(self._net, lambda i, x, y, kept: ((x[i], kept[i]), y[i]))

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
        runs, steps, net, optimizer = len(learning_rate), len(x), self._net, self._optimizer
        for variable, values, absent in ((optimizer.rate, learning_rate, 0), (net.l1, l1, 0), (net.l2, l2, 0),
                                         (optimizer.max_norm, max_norm, np.inf), (net.total, None, 0),
                                         (optimizer.max_value, max_value, np.inf), (optimizer.norms, None, 0)):
            variable.assign(np.full(runs, absent, np.float32) if values is None else np.asarray(values, np.float32))
        arrays = np.asarray(x, np.float32), np.asarray(y, np.int32)
        with keras.device(self.device):
            if kept is None:
                self._steps(steps, *arrays)
            else:
                self._steps_kept(steps, *arrays, np.asarray(kept, np.float32))
        return tuple(ops.convert_to_numpy(total) / steps for total in (net.total, optimizer.norms))

    def predict(self, x):
        """Logits (K, N, C) of every run for its own examples x (K, N, F)."""
        with keras.device(self.device):
            return ops.convert_to_numpy(self._net(ops.convert_to_tensor(np.asarray(x, np.float32))))

    def evaluate(self, x, y):
        """Loss (K,) and accuracy (K,) of every run on its own examples x (K, N, F) of classes y (K, N)."""
        logits, y = self.predict(x), np.asarray(y, np.int32)
        with keras.device(self.device):
            losses = ops.convert_to_numpy(_cross_entropy(ops.convert_to_tensor(logits), ops.convert_to_tensor(y)))
        return losses, (logits.argmax(axis=-1) == y).mean(axis=1, dtype=np.float32)

    def weights(self):
        """The weights now, as a list of arrays like that of the beginning."""
        return [np.array(ops.convert_to_numpy(part)) for part in self._net.trainable_variables]

    def restart(self, runs, weights):
        """Begin some runs, an integer array (R,), anew from weights of shapes (R, ...), without any momentum."""
        optimizer = self._optimizer
        fresh = [(optimizer.count, 0), *((part, 0) for part in optimizer.first + optimizer.second)]
        for variable, values in [*zip(self._net.trainable_variables, weights, strict=True), *fresh]:
            changed = np.array(ops.convert_to_numpy(variable))
            changed[runs] = values
            variable.assign(changed)


class _Networks(keras.Model):
    """The model that Keras trains: all runs, and the sum of their losses."""

    def __init__(self, weights):
        super().__init__(name="runs")
        for values in weights:
            self.add_weight(shape=values.shape, initializer="zeros").assign(values)
        self.l1, self.l2, self.total = (
            self.add_weight(shape=weights[0].shape[:1], initializer="zeros", trainable=False) for _ in range(3))
        self.built = True

    def call(self, inputs):
        x, kept = inputs if isinstance(inputs, (tuple, list)) else (inputs, None)
        return forward(self.trainable_variables, x, kept)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        losses = _cross_entropy(y_pred, y)
        self.total.assign_add(losses)
        kernels = self.trainable_variables[::2]
        absolute, squares = (sum(ops.sum(of(kernel), axis=(1, 2)) for kernel in kernels)
                             for of in (ops.abs, ops.square))
        return ops.sum(losses + self.l1 * absolute + self.l2 * squares)


class _EachItsOwn(keras.optimizers.Optimizer):
    """Gradient descent where each run has its own learning rate and largest gradient."""

    def __init__(self, runs, kind, momentum):
        super().__init__(learning_rate=1.0, name="each_its_own")
        self.kind, self.momentum = kind, momentum
        self.rate, self.max_norm, self.max_value, self.norms, self.count = (
            self.add_variable((runs,), initializer="zeros", name=name)
            for name in ("rate", "max_norm", "max_value", "norms", "count"))

    def build(self, variables):
        if not self.built:
            super().build(variables)
            self.first, self.second = ([self.add_variable_from_reference(part, name) for part in variables]
                                       for name in ("first", "second"))

    def apply(self, grads, trainable_variables=None):
        norms = ops.sqrt(sum(ops.sum(ops.square(ops.reshape(part, (part.shape[0], -1))), axis=1) for part in grads))
        self.norms.assign_add(norms)
        self.count.assign_add(ops.ones_like(norms))
        share = ops.minimum(1.0, self.max_norm / ops.maximum(norms, 1e-12))
        grads = [part * _as(share, part) for part in grads]
        return super().apply([ops.clip(part, -_as(self.max_value, part), _as(self.max_value, part)) for part in grads],
                             trainable_variables)

    def update_step(self, gradient, variable, learning_rate):
        index = self._get_variable_index(variable)
        variable.assign(variable - _as(self.rate, variable) * self._direction(index, gradient))

    def _direction(self, index, gradient):
        first, second = self.first[index], self.second[index]
        if self.kind == "sgd":
            first.assign(self.momentum * first + gradient)
            return ops.convert_to_tensor(first)
        memory = 0.9 if self.kind == "rmsprop" else 0.999
        second.assign(memory * second + (1 - memory) * ops.square(gradient))
        if self.kind == "rmsprop":
            return gradient / (ops.sqrt(second) + EPSILON)
        first.assign(0.9 * first + 0.1 * gradient)
        count = _as(self.count, gradient)
        return first / (1 - 0.9**count) / (ops.sqrt(second / (1 - 0.999**count)) + EPSILON)


def _as(numbers, like):
    """Numbers (K,) with as many dimensions as a tensor (K, ...)."""
    return ops.reshape(numbers, (-1, *[1] * (len(like.shape) - 1)))


def _cross_entropy(logits, y):
    return ops.mean(ops.sparse_categorical_crossentropy(y, logits, from_logits=True), axis=-1)
