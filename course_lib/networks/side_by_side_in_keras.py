"""Many training runs at once, each with its own hyper-parameters, in Keras; `side_by_side_in_pytorch` is the twin."""

from __future__ import annotations

from functools import partial

import keras
import numpy as np
from keras import ops

from course_lib.common.keras_steps import in_one_graph, value_and_gradient
from course_lib.networks import side_by_side

__all__ = ["TrainingRuns", "cross_entropy", "forward"]


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
        x = ops.matmul(x, weights[i]) + ops.expand_dims(weights[i + 1], 1)  # K matrix products: (K, B, F) @ (K, F, H)
    return x


def cross_entropy(outputs, y):
    """Mean cross-entropy (K,) of logits (K, B, C) for classes (K, B)."""
    return ops.mean(ops.sparse_categorical_crossentropy(y, outputs, from_logits=True), axis=-1)


class TrainingRuns(side_by_side.Runs):
    """K dense ReLU networks of one shape, trained side by side by gradient descent: see `side_by_side.Runs`."""

    _ops, _forward, _cross_entropy = ops, staticmethod(forward), staticmethod(cross_entropy)
    _tensor, _compiled, _take, _loop = map(staticmethod, (
        ops.convert_to_tensor, in_one_graph, partial(ops.take, axis=0), partial(ops.fori_loop, 0)))

    def _running(self):
        return keras.device(self.device)

    @staticmethod
    def _array(tensor):
        return np.array(ops.convert_to_numpy(tensor))  # a copy: what some backends give cannot be written to

    @staticmethod
    def _gradients(function, *weights):
        losses, gradients = value_and_gradient(function, *weights)
        return ops.stop_gradient(losses), [ops.stop_gradient(part) for part in gradients]
