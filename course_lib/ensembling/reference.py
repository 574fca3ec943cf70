"""The formulas of ensembling, as short as NumPy allows: what the exercises of notebook 03 ask for.

The library checks what it is given, and then calls them. Only `nnls_weights` is another way to the same weights:
`weights.nnls_weights` is SciPy's active-set method, which no one would write in an exercise.
"""

from __future__ import annotations

import numpy as np


def two_model_weight(y, first, second):
    """The weight in [0, 1] of the first of two models that differ, all arrays (N,); see `weights.two_model_weight`."""
    difference = first - second
    alpha = difference @ (y - second) / (difference @ difference)
    return float(np.clip(alpha, 0, 1))


def nnls_weights(predictions, y):
    """Weights >= 0 (M,) of the weighted sum of predictions (M, N) nearest to y (N,): projected gradient descent."""
    weights, step = np.zeros(len(predictions)), 1 / np.linalg.norm(predictions, 2) ** 2
    for _ in range(5_000):
        weights = np.maximum(weights - step * predictions @ (weights @ predictions - y), 0)
    return weights


def out_of_fold(x, y, fold):
    """For each row of x (N, d), what a linear model fitted on the rows of other folds (N,) predicts: (N,)."""
    predictions = np.empty(len(y))
    for number in np.unique(fold):
        held = fold == number
        coefficients = np.linalg.lstsq(x[~held], y[~held], rcond=None)[0]
        predictions[held] = x[held] @ coefficients
    return predictions


def greedy_counts(predictions, y, rounds, loss=None):
    """How often each of M models (M, N) is added if always the one is that helps the mean most: integers (M,).

    What helps is judged by the squared error, or by `loss(predictions, y)`, as in `weights.greedy_ensemble_selection`.
    """
    counts, total = np.zeros(len(predictions), int), np.zeros_like(predictions[0])
    for done in range(rounds):
        mean = (total + predictions) / (done + 1)
        best = np.argmin(loss(mean, y) if loss else ((mean - y) ** 2).mean(axis=1))
        counts[best] += 1
        total = total + predictions[best]
    return counts


def gaussian_nll(y, mean, variance):
    """Mean negative log-likelihood of targets (N,) under Gaussians of these means and variances (N,), in nats."""
    return float((0.5 * np.log(2 * np.pi * variance) + 0.5 * (y - mean) ** 2 / variance).mean())


def ambiguity(predictions, weights):
    """Weighted mean of the squared distances of M models (M, N) from their weighted mean, also mean over examples."""
    mean = weights @ predictions
    return float(weights @ ((predictions - mean) ** 2).mean(axis=1))
