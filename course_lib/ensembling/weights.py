"""How much each model should count in an ensemble: weights from its predictions."""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from course_lib.common import checks
from course_lib.common.config import whole
from course_lib.ensembling import reference


def two_model_weight(y, first, second):
    """The weight alpha in [0, 1] of the first of two models for which alpha * first + (1 - alpha) * second errs least.

    The minimum of sum (y - alpha * first - (1 - alpha) * second)^2 is at alpha = sum d (y - second) / sum d^2 with
    d = first - second, or at the end of [0, 1] that is nearer to it.

    Parameters
    ----------
    y, first, second : arrays (N,)
        Targets and the predictions of the two models, for examples that neither was trained on.

    Returns
    -------
    float
        1/2 if both predict the same, for then no weight is better than another.
    """
    (first, second), y = _matrix([first, second], y)
    return 0.5 if np.array_equal(first, second) else reference.two_model_weight(y, first, second)


def nnls_weights(predictions, y):
    """Weights >= 0, of any sum, for which the weighted sum of predictions has the least squared error.

    Parameters
    ----------
    predictions : array (M, N)
        Of M models, for examples that they were not trained on.
    y : array (N,)

    Returns
    -------
    array (M,)

    References
    ----------
    Breiman 1996, "Stacked regressions"; Lawson & Hanson 1974, "Solving least squares problems", chapter 23.
    """
    predictions, y = _matrix(predictions, y)
    return nnls(predictions.T, y)[0]


def simplex_weights(predictions, y):
    """Weights >= 0 of sum 1 for which the weighted mean of predictions has the least squared error.

    If the weights sum to 1, the error is the weighted mean of the models' errors. So one non-negative least squares
    problem, of these errors and a row of ones that asks for a sum of 1, has its solution along the best weights.

    Parameters
    ----------
    predictions : array (M, N)
        Of M models, for examples that they were not trained on.
    y : array (N,)

    Returns
    -------
    array (M,)
    """
    predictions, y = _matrix(predictions, y)
    errors = (predictions - y).T  # (N, M)
    size = np.abs(errors).max() or 1.0
    along = nnls(np.vstack([errors / (size * np.sqrt(len(y))), np.ones(len(predictions))]), np.append(0 * y, 1.0))[0]
    return along / along.sum()


def squared_error(predictions, y):
    """Mean squared error of predictions (..., N) for targets (N,): (...)."""
    return ((predictions - y) ** 2).mean(axis=-1)


def greedy_ensemble_selection(predictions, y, *, rounds=50, loss=squared_error):
    """Weights from adding models one by one, with repetition, always the one that helps the mean most.

    Parameters
    ----------
    predictions : array (M, N) or (M, N, C)
        Of M models, for examples that they were not trained on.
    y : array (N,)
    rounds : int
        How often a model is added.
    loss : callable
        `loss(predictions, y)` of an array (M, N, ...) is (M,): `squared_error` or `log_loss`.

    Returns
    -------
    array (M,)
        How often each was added, as a share of the rounds.

    References
    ----------
    Caruana et al. 2004, "Ensemble selection from libraries of models", section 2.
    """
    predictions, y = _matrix(predictions, y, most=3)
    if not whole(rounds, 1):
        raise ValueError(f"rounds: expected a whole number >= 1, got {rounds!r}")
    counts, total = np.zeros(len(predictions)), np.zeros_like(predictions[0])
    for done in range(rounds):
        best = int(np.argmin(loss((total + predictions) / (done + 1), y)))
        counts[best], total = counts[best] + 1, total + predictions[best]
    return counts / rounds


def _matrix(predictions, y, *, most=2):
    predictions = checks.array("predictions", predictions, ("models", "examples", ...)[:most]).astype(float)
    if predictions.ndim > most:
        raise ValueError(f"predictions: expected at most {most} axes, got shape {predictions.shape}")
    kind = "whole" if predictions.ndim == 3 else "real"  # of classifiers, y are classes
    return predictions, checks.array("y", y, predictions.shape[1:2], kind=kind)
