"""The hyper-parameters of training a classifier, shared by both frameworks."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass

import numpy as np

from course_lib.common import checks
from course_lib.common.config import Config


@dataclass(frozen=True)
class TrainingConfig(Config):
    """Hyper-parameters of one training run; the defaults suit the digits of scikit-learn.

    Raises
    ------
    ValueError
        If a field is outside its range; the message names the field, what was expected and what came.
    """

    learning_rate: float = 1e-3  # Adam's first step size; it falls to 0 along half a cosine
    batch_size: int = 64  # examples per update
    epochs: int = 30  # passes over the training data
    l2: float = 0.0  # what a sum of squared kernel entries of 1 adds to the loss
    weight_decay: float = 0.0  # share by which kernels shrink in an update, times the learning rate: AdamW

    RANGES = {"[1, inf)": ("batch_size", "epochs"), "(0, inf)": ("learning_rate",), "[0, inf)": ("l2", "weight_decay")}

    def updates(self, examples):
        """Updates in a whole run over so many training examples."""
        return self.epochs * -(-examples // self.batch_size)


def check_data(x, y, n_classes=None):
    """Examples as float32 and classes as int64; a ValueError unless `x` (N, ...) and `y` (N,) are that.

    A tuple `x` holds an array for each input of a network that has several, and comes back as one.
    """
    x = check_examples(x)
    return x, checks.classes("y", y, len(x[0] if isinstance(x, tuple) else x), n_classes)


def check_targets(x, y, loss, n_classes):
    """`check_data` for the cross-entropy, where `loss` is None; else examples and targets (N, ...) as float32."""
    if loss is None:
        return check_data(x, y, n_classes)
    x = check_examples(x)
    count = len(x[0] if isinstance(x, tuple) else x)
    return x, checks.float32("y", checks.array("y", y, (count, ...)))


def check_examples(x):
    """Examples as float32; a ValueError unless `x` (N, ...), or each array of a tuple, is that, with N > 0."""
    if isinstance(x, tuple):
        parts = tuple(check_examples(part) for part in x)
        if len({len(part) for part in parts}) != 1:
            raise ValueError(f"x: expected arrays of as many examples each, got {[part.shape for part in parts]}")
        return parts
    return checks.float32("x", checks.array("x", x, ("N", "inputs", ...)))


def as_inputs(x):
    """The arrays that a network gets, one for each of its inputs, as a list of float32."""
    x = check_examples(x)
    return [np.ascontiguousarray(part) for part in (x if isinstance(x, tuple) else (x,))]


@contextlib.contextmanager
def readable_errors(x):
    """Say what a network was given if it fails on its first examples, a tuple or list of arrays."""
    try:
        yield
    except (RuntimeError, ValueError, IndexError, TypeError, AttributeError) as error:
        if own := re.search(r"\w+: expected .+, got [^\n]+", str(error)):  # a network of the course has said it
            raise ValueError(own.group()) from error
        shapes = " and ".join(str(tuple(part.shape)) for part in x)
        raise ValueError(f"x: expected float32 numbers of the shape that the network was made for, got shape {shapes}; "
                         "the network's own words stand above") from error


def check_image(input_shape, filters):
    """A ValueError unless images of this shape are left with a pixel after halving them once for each convolution."""
    checks.sizes(input_shape=input_shape)
    if len(input_shape) != 2 or min(input_shape) < 2 ** len(filters):
        raise ValueError(f"input_shape: expected (height, width) of at least {2 ** len(filters)} for {len(filters)} "
                         f"convolutions, each followed by 2x2 pooling, got {tuple(input_shape)}")


def check_batches(config, examples, normalised):
    """A ValueError if a network with BatchNorm would be trained on a batch of one example, which has no variance."""
    if normalised and examples % config.batch_size == 1:
        raise ValueError(f"batch_size: expected no batch of a single example, since the network has BatchNorm, got "
                         f"{config.batch_size} for {examples} examples")
