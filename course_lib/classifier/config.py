"""The hyper-parameters of training a classifier, shared by both frameworks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


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
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"TrainingConfig.{name}: expected a whole number >= 1, got {value!r}")
        if not isinstance(self.l2, (int, float)) or self.l2 < 0:
            raise ValueError(f"TrainingConfig.l2: expected a number >= 0, got {self.l2!r}")
        if not isinstance(self.learning_rate, (int, float)) or self.learning_rate <= 0:
            raise ValueError(f"TrainingConfig.learning_rate: expected a number > 0, got {self.learning_rate!r}")

    def updates(self, examples):
        """Updates in a whole run over so many training examples."""
        return self.epochs * -(-examples // self.batch_size)


def check_data(x, y):
    """Raise a ValueError unless `x` (N, ...) and `y` (N,) are examples and their classes."""
    if np.ndim(y) != 1 or np.asarray(y).dtype.kind not in "iu":
        raise ValueError("y: expected one whole number for each example, its class, "
                         f"got {np.asarray(y).dtype} of shape {np.shape(y)}")
    if np.ndim(x) < 2 or len(x) != len(y) or not len(x):
        raise ValueError(f"x: expected {len(y)} examples (at least one) as in y, got shape {np.shape(x)}")
