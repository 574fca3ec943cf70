"""How much models differ, and what that is worth."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.common import checks
from course_lib.ensembling import reference


class Ambiguity(NamedTuple):
    """The parts of an ensemble's squared error: `ensemble` = `members` - `ambiguity`, exactly."""

    ensemble: float  # squared error of the weighted mean
    members: float  # weighted mean of the members' squared errors
    ambiguity: float  # weighted mean of the members' squared distances from the weighted mean


def ambiguity_decomposition(predictions, y, weights=None):
    """Split the squared error of a weighted mean into what its members err and how much they differ.

    Parameters
    ----------
    predictions : array (M, N)
    y : array (N,)
    weights : array (M,), optional
        Of sum 1; by default all alike.

    Returns
    -------
    Ambiguity

    References
    ----------
    Krogh & Vedelsby 1995, "Neural network ensembles, cross validation, and active learning", eqs. 5 and 6.
    """
    predictions, y = _checked(predictions, "y", y)
    weights = np.full(len(predictions), 1 / len(predictions)) if weights is None else checks.array(
        "weights", weights, predictions.shape[:1])
    if not np.isclose(weights.sum(), 1):
        raise ValueError(f"weights: expected {len(predictions)} of sum 1, got {weights}")
    mean = weights @ predictions
    return Ambiguity(float(((mean - y) ** 2).mean()), float(weights @ ((predictions - y) ** 2).mean(axis=1)),
                     reference.ambiguity(predictions, weights))


def error_correlation(predictions, y):
    """Correlations (M, M) between the errors of models, of predictions (M, N) and targets (N,)."""
    predictions, y = _checked(predictions, "y", y)
    errors = predictions - y
    if (np.ptp(errors, axis=1) == 0).any():
        raise ValueError("predictions: expected errors that vary, got a model whose errors are all alike")
    return np.corrcoef(errors)


def bias_variance(predictions, truth):
    """Squared bias and variance, means over examples, of models trained on different samples.

    Parameters
    ----------
    predictions : array (R, N)
        Of R models of one kind.
    truth : array (N,)
        The targets without their noise.

    Returns
    -------
    (float, float)
        Their sum is the mean squared distance of the models from the truth.

    References
    ----------
    Geman et al. 1992, "Neural networks and the bias/variance dilemma", section 3.1.
    """
    predictions, truth = _checked(predictions, "truth", truth)
    mean = predictions.mean(axis=0)
    return float(((mean - truth) ** 2).mean()), float(predictions.var(axis=0).mean())


def _checked(predictions, name, targets):
    predictions = checks.array("predictions", predictions, ("M", "N")).astype(float)
    return predictions, checks.array(name, targets, predictions.shape[1:]).astype(float)
