"""What small networks that are trained side by side are to learn: tasks of one shape, and batches of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FEATURES, CLASSES, UNITS, HELD_OUT = 64, 10, 64, 180  # every task of a tuning environment is filled up to these
NEVER = -30.0  # the bias of a class that a task has not


@dataclass(frozen=True)
class Task:
    """Examples x (N, 64) and their classes y (N,), and a network's first weights.

    Examples are standardised, scaled and filled up with zeros. Validation and test examples are 180 each; of a
    small data set each stands there several times.
    """

    source: str
    x: np.ndarray
    y: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    weights: list  # kernel (64, 64), bias (64,) ... kernel (64, 10), bias (10,): units and classes not there never act


def first_weights(rng, sizes):
    """Kernels and biases of a dense network, filled up to 64 inputs, 64 units a hidden layer and 10 classes.

    Kernels are uniform in +-sqrt(6/inputs) (He et al. 2015, eq. 10). An input that is always 0, a unit without kernels
    and a class with a bias of -30 have no gradient to speak of: the network learns as if they were not there.

    Parameters
    ----------
    rng : numpy.random.Generator
    sizes : list of int
        Inputs, units of each hidden layer, classes.
    """
    weights, full = [], [FEATURES, *[UNITS] * (len(sizes) - 2), CLASSES]
    for inputs, outputs, rows, columns in zip(sizes[:-1], sizes[1:], full[:-1], full[1:], strict=True):
        kernel = np.zeros((rows, columns), np.float32)
        kernel[:inputs, :outputs] = rng.uniform(-1, 1, (inputs, outputs)) * np.sqrt(6 / inputs)
        weights += [kernel, np.zeros(columns, np.float32)]
    weights[-1][sizes[-1]:] = NEVER
    return weights


def batches(tasks, rng, steps, size):
    """Examples (S, K, B, F) and classes (S, K, B), drawn at random from the training examples of each of K tasks."""
    shares = rng.random((len(tasks), steps, size))  # as many numbers for each task, however many examples it has
    rows = [(own * len(task.y)).astype(int) for task, own in zip(tasks, shares, strict=True)]
    return (np.stack([task.x[own] for task, own in zip(tasks, rows, strict=True)], axis=1),
            np.stack([task.y[own] for task, own in zip(tasks, rows, strict=True)], axis=1))
