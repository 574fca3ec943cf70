"""Many training runs at once in Keras, each with its own hyper-parameters; `in_pytorch` is the same in PyTorch."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from course_lib.common.keras_steps import make_steps
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
        self.device = device
        with keras.device(device):
            self._net, self._optimizer = _Networks(weights), _EachItsOwn(len(weights[0]), momentum)
            self._net.compile(self._optimizer, jit_compile=False)
            self._optimizer.build(self._net.trainable_variables)
            self._steps = make_steps(self._net, lambda i, x, y: (x[i], y[i]))
            self._steps_kept = make_steps(self._net, lambda i, x, y, kept: ((x[i], kept[i]), y[i]))

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
        runs, steps = self._net.decay.shape, len(x)
        self._optimizer.rate.assign(np.asarray(learning_rate, np.float32))
        self._net.decay.assign(np.zeros(runs) if weight_decay is None else weight_decay)
        self._optimizer.max_norm.assign(np.full(runs, np.inf) if max_norm is None else max_norm)
        self._net.total.assign(np.zeros(runs))
        self._optimizer.norms.assign(np.zeros(runs))
        arrays = np.asarray(x, np.float32), np.asarray(y, np.int32)
        with keras.device(self.device):
            if kept is None:
                self._steps(steps, *arrays)
            else:
                self._steps_kept(steps, *arrays, np.asarray(kept, np.float32))
        return tuple(ops.convert_to_numpy(total) / steps for total in (self._net.total, self._optimizer.norms))

    def evaluate(self, x, y):
        """Loss (K,) and accuracy (K,) of every run on its own examples x (K, N, F) of classes y (K, N)."""
        with keras.device(self.device):
            logits = self._net(ops.convert_to_tensor(np.asarray(x, np.float32)))
            losses = _cross_entropy(logits, ops.convert_to_tensor(np.asarray(y, np.int32)))
        right = ops.convert_to_numpy(logits).argmax(axis=-1) == np.asarray(y)
        return ops.convert_to_numpy(losses), right.mean(axis=1, dtype=np.float32)

    def weights(self):
        """The weights now, as a list of arrays like that of the beginning."""
        return [np.array(ops.convert_to_numpy(part)) for part in self._net.trainable_variables]

    def restart(self, runs, weights):
        """Begin some runs, an integer array (R,), anew from weights of shapes (R, ...), without any momentum."""
        for now, velocity, part in zip(self._net.trainable_variables, self._optimizer.velocities, weights, strict=True):
            for variable, values in ((now, part), (velocity, 0)):
                changed = np.array(ops.convert_to_numpy(variable))
                changed[runs] = values
                variable.assign(changed)


class _Networks(keras.Model):
    """The model that Keras trains: all runs, and the sum of their losses."""

    def __init__(self, weights):
        super().__init__(name="runs")
        for values in weights:
            self.add_weight(shape=values.shape, initializer="zeros").assign(values)
        runs = weights[0].shape[:1]
        self.decay, self.total = (self.add_weight(shape=runs, initializer="zeros", trainable=False) for _ in range(2))
        self.built = True

    def call(self, inputs):
        x, kept = inputs if isinstance(inputs, (tuple, list)) else (inputs, None)
        first, bias, second, last = self.trainable_variables
        hidden = ops.relu(ops.matmul(x, first) + bias[:, None])  # (K, B, H): each run its own kernel
        return ops.matmul(hidden if kept is None else hidden * kept, second) + last[:, None]

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        losses = _cross_entropy(y_pred, y)
        self.total.assign_add(losses)
        kernels = self.trainable_variables[::2]
        squares = sum(ops.sum(ops.square(kernel), axis=(1, 2)) for kernel in kernels)
        return ops.sum(losses + self.decay * squares)


class _EachItsOwn(keras.optimizers.Optimizer):
    """Gradient descent with momentum, where each run has its own learning rate and largest norm."""

    def __init__(self, runs, momentum):
        super().__init__(learning_rate=1.0, name="each_its_own")
        self.momentum = momentum
        self.rate, self.max_norm, self.norms = (
            self.add_variable((runs,), initializer="zeros", name=name) for name in ("rate", "max_norm", "norms"))

    def build(self, variables):
        if not self.built:
            super().build(variables)
            self.velocities = [self.add_variable_from_reference(part, "velocity") for part in variables]

    def apply(self, grads, trainable_variables=None):
        norms = ops.sqrt(sum(ops.sum(ops.square(ops.reshape(part, (part.shape[0], -1))), axis=1) for part in grads))
        self.norms.assign_add(norms)
        share = ops.minimum(1.0, self.max_norm / ops.maximum(norms, 1e-12))
        return super().apply([part * _as(share, part) for part in grads], trainable_variables)

    def update_step(self, gradient, variable, learning_rate):
        velocity = self.velocities[self._get_variable_index(variable)]
        velocity.assign(self.momentum * velocity + gradient)
        variable.assign(variable - _as(self.rate, variable) * velocity)


def _as(numbers, like):
    """Numbers (K,) with as many dimensions as a tensor (K, ...)."""
    return ops.reshape(numbers, (-1, *[1] * (len(like.shape) - 1)))


def _cross_entropy(logits, y):
    return ops.mean(ops.sparse_categorical_crossentropy(y, logits, from_logits=True), axis=-1)
