"""The hyper-parameters of training a classifier, shared by both frameworks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from course_lib.common.config import require, whole


@dataclass(frozen=True)
class TrainingConfig:
    """Hyper-parameters of one training run; the defaults suit the digits of scikit-learn.

    Raises
    ------
    ValueError
        If a field is outside its range; the message names the field, what was expected and what came.
    """

    learning_rate: float = 1e-3  # Adam's first step size; it falls to 0 along half a cosine
    batch_size: int = 64  # examples per update
    epochs: int = 30  # passes over the training data
    l2: float = 0.0  # what a sum of squared kernel entries of 1 adds to the loss: weight decay

    def __post_init__(self):
        for name in ("batch_size", "epochs"):
            require(self, name, lambda v: whole(v, 1), "a whole number >= 1")
        require(self, "learning_rate", lambda v: 0 < v < np.inf, "a number > 0")
        require(self, "l2", lambda v: v >= 0, "a number >= 0")

    def updates(self, examples):
        """Updates in a whole run over so many training examples."""
        return self.epochs * -(-examples // self.batch_size)


def check_data(x, y, n_classes=None):
    """Examples as float32 and classes as int64; a ValueError unless `x` (N, ...) and `y` (N,) are that.

    A tuple `x` holds an array for each input of a network that has several, and comes back as one.
    """
    y = np.asarray(y)
    if y.ndim != 1 or y.dtype.kind not in "iu":
        raise ValueError("y: expected one whole number for each example, its class, "
                         f"got {y.dtype} of shape {y.shape}")
    x = check_examples(x, len(y))
    if n_classes is not None and not 0 <= y.min() <= y.max() < n_classes:
        raise ValueError(f"y: expected classes from 0 to {n_classes - 1}, got {y.min()} to {y.max()}")
    return x, y.astype(np.int64)


def check_targets(x, y, loss, n_classes):
    """`check_data` for the cross-entropy, where `loss` is None; else examples and targets (N, ...) as float32."""
    if loss is None:
        return check_data(x, y, n_classes)
    return check_examples(x, len(y)), np.asarray(y, np.float32)


def check_examples(x, count):
    """Examples as float32; a ValueError unless `x` (N, ...), or each array of a tuple, holds `count` of them."""
    if isinstance(x, tuple):
        return tuple(check_examples(part, count) for part in x)
    x = np.asarray(x)
    if x.ndim < 2 or len(x) != count or not len(x):
        raise ValueError(f"x: expected {count} examples (at least one) as in y, got shape {x.shape}")
    return x.astype(np.float32, copy=False)


def as_inputs(x):
    """The arrays that a network gets, one for each of its inputs, as a list of float32."""
    return [np.ascontiguousarray(part, np.float32) for part in (x if isinstance(x, tuple) else (x,))]
