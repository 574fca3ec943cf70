"""What the networks of a tuning environment are to learn: many small tasks of one shape, so that they train as one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_wine, make_classification

from course_lib.common.fields import require, whole

FEATURES, CLASSES, UNITS, HELD_OUT = 64, 10, 64, 180  # every task is filled up to these
NEVER = -30.0  # the bias of a class that a task has not
REAL = {"digits": load_digits, "breast cancer": load_breast_cancer, "wine": load_wine}


@dataclass(frozen=True)
class TaskConfig:
    """What tasks are drawn from.

    Raises
    ------
    ValueError
        If a field is outside its range.
    """

    sources: tuple[str, ...] = ("digits", "synthetic")  # of these and "breast cancer", "wine", each as likely
    examples: tuple[int, int] = (100, 1_000)  # to train with, at most as many as there are
    widths: tuple[int, int] = (16, 48)  # hidden units
    noise: tuple[float, float] = (0.0, 0.3)  # share of training labels that are drawn by lot

    def __post_init__(self):
        require(self, "sources", lambda v: v and set(v) <= {*REAL, "synthetic"},
                f"some of {', '.join(REAL)}, synthetic")
        require(self, "examples", lambda v: whole(v[0], 1) and whole(v[1], v[0]), "whole numbers 1 <= least <= most")
        require(self, "widths", lambda v: whole(v[0], 1) and whole(v[1], v[0]) and v[1] <= UNITS,
                f"whole numbers 1 <= least <= most <= {UNITS}")
        require(self, "noise", lambda v: 0 <= v[0] <= v[1] <= 1, "numbers 0 <= least <= most <= 1")


@dataclass(frozen=True)
class Task:
    """Examples x (N, 64), standardised and filled up with zeros, their classes y (N,), and a network's first weights.

    Validation and test examples are 180 each; of a small data set each stands there several times.
    """

    source: str
    x: np.ndarray
    y: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    weights: list  # kernel (64, 64), bias (64,), kernel (64, 10), bias (10,): units and classes not there never act


def draw_task(rng, config=None):
    """A `Task` drawn by a NumPy generator from what `config`, a `TaskConfig`, allows."""
    config = config or TaskConfig()
    source = config.sources[rng.integers(len(config.sources))]
    x, y = _synthetic(rng) if source == "synthetic" else REAL[source](return_X_y=True)
    order, held = rng.permutation(len(x)), min(HELD_OUT, len(x) // 4)
    held = max(part for part in (45, 60, 90, 180) if part <= max(held, 45))  # parts of 180: whole repeats
    val, test, train = np.split(order, [held, 2 * held])
    train = train[: rng.integers(min(config.examples[0], len(train)), min(config.examples[1], len(train)) + 1)]
    mean, scale = x[train].mean(axis=0), x[train].std(axis=0) + 1e-6
    inputs = np.zeros((len(x), FEATURES), np.float32)
    inputs[:, : x.shape[1]] = np.clip((x - mean) / scale, -5, 5)
    labels, classes = y[train].copy(), int(y.max()) + 1
    wrong = rng.random(len(train)) < rng.uniform(*config.noise)
    labels[wrong] = rng.integers(classes, size=wrong.sum())
    held_out = [values[np.resize(rows, HELD_OUT)] for rows in (val, test) for values in (inputs, y)]
    weights = first_weights(rng, x.shape[1], int(rng.integers(config.widths[0], config.widths[1] + 1)), classes)
    return Task(source, inputs[train], labels, *held_out, weights)


def first_weights(rng, features, units, classes):
    """Kernels and biases of a dense network with one hidden layer, filled up to 64 inputs, 64 units and 10 classes.

    Kernels are uniform in +-sqrt(6/inputs) (He et al. 2015, eq. 10). An input that is always 0, a unit without kernels
    and a class with a bias of -30 have no gradient to speak of: the network learns as if they were not there.
    """
    first, second = np.zeros((FEATURES, UNITS), np.float32), np.zeros((UNITS, CLASSES), np.float32)
    first[:features, :units] = rng.uniform(-1, 1, (features, units)) * np.sqrt(6 / features)
    second[:units, :classes] = rng.uniform(-1, 1, (units, classes)) * np.sqrt(6 / units)
    last = np.full(CLASSES, NEVER, np.float32)
    last[:classes] = 0
    return [first, np.zeros(UNITS, np.float32), second, last]


def _synthetic(rng):
    """Clusters in a few of up to 64 dimensions, for 2 to 10 classes."""
    classes, informative = int(rng.integers(2, 11)), int(rng.integers(5, 13))
    return make_classification(1_000, n_features=int(rng.integers(16, 65)), n_informative=informative, n_redundant=2,
                               n_classes=classes, n_clusters_per_class=1, class_sep=float(rng.uniform(0.5, 2)),
                               random_state=int(rng.integers(2**31)))
