"""The hyper-parameters of training a classifier, shared by both frameworks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from course_lib.common.fields import require, whole


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
    """Examples as float32 and classes as int64; a ValueError unless `x` (N, ...) and `y` (N,) are that."""
    x, y = np.asarray(x), np.asarray(y)
    if y.ndim != 1 or y.dtype.kind not in "iu":
        raise ValueError("y: expected one whole number for each example, its class, "
                         f"got {y.dtype} of shape {y.shape}")
    if x.ndim < 2 or len(x) != len(y) or not len(x):
        raise ValueError(f"x: expected {len(y)} examples (at least one) as in y, got shape {x.shape}")
    if n_classes is not None and not 0 <= y.min() <= y.max() < n_classes:
        raise ValueError(f"y: expected classes from 0 to {n_classes - 1}, got {y.min()} to {y.max()}")
    return x.astype(np.float32, copy=False), y.astype(np.int64)
