"""What training runs that go side by side need in both frameworks: checks, batches, and masks for dropout."""

from __future__ import annotations

import numpy as np


def check_runs(weights, momentum):
    """The weights of K runs as float32 arrays; a ValueError if they do not fit together."""
    weights = [np.asarray(part, np.float32) for part in weights]
    shapes = [part.shape for part in weights]
    fine = [len(shape) for shape in shapes] == [3, 2, 3, 2]
    if fine:
        (runs, features, units), classes = shapes[0], shapes[2][2]
        fine = runs and shapes == [(runs, features, units), (runs, units), (runs, units, classes), (runs, classes)]
    if not fine:
        raise ValueError("weights: expected kernels (K, F, H), biases (K, H), kernels (K, H, C), biases (K, C), K > 0, "
                         f"got {shapes}")
    if not 0 <= momentum < 1:
        raise ValueError(f"momentum: expected a number in [0, 1), got {momentum!r}")
    return weights


def batches(tasks, rng, steps, size):
    """Examples (S, K, B, F) and classes (S, K, B), drawn by lot from the training examples of each of K tasks."""
    rows = [rng.integers(len(task.y), size=(steps, size)) for task in tasks]
    return (np.stack([task.x[own] for task, own in zip(tasks, rows, strict=True)], axis=1),
            np.stack([task.y[own] for task, own in zip(tasks, rows, strict=True)], axis=1))


def dropout_masks(rng, rates, shape):
    """0 or 1/(1 - rate), (S, K, B, H), for rates (K,) of units that are left out; None if all rates are 0.

    References
    ----------
    Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting", section 10: scaled
    while training, so that nothing changes for predictions.
    """
    rates = np.asarray(rates, np.float32)[:, None, None]
    if not rates.any():
        return None
    return (rng.random(shape, np.float32) >= rates) / (1 - rates)
