"""Fusing what experts say: their probabilities, or forecasts."""

from __future__ import annotations

import numpy as np


def weighted(predictions, weights=None):
    """The weighted mean of the experts' predictions.

    Parameters
    ----------
    predictions : array (M, N, ...)
        Of each expert: probabilities (N, C), or forecasts (N,).
    weights : array (M,) or (M, N), optional
        One for each expert, or one for each expert and example; of sum 1 over the experts. By default equal. Forecasts
        may have negative ones.

    Returns
    -------
    array (N, ...)
    """
    predictions = check_predictions(predictions)
    weights = np.full(len(predictions), 1 / len(predictions)) if weights is None else np.asarray(weights, float)
    if weights.shape not in (predictions.shape[:1], predictions.shape[:2]) or not np.allclose(weights.sum(axis=0), 1):
        raise ValueError(f"weights: expected shape {predictions.shape[:1]} or {predictions.shape[:2]} and sums of 1 "
                         f"over the experts, got shape {weights.shape} and sums {weights.sum(axis=0)}")
    return (weights.reshape(weights.shape + (1,) * (predictions.ndim - weights.ndim)) * predictions).sum(axis=0)


def product_of_experts(probabilities, weights=None):
    """The product of the experts' probabilities, made to sum to 1: every expert has a veto.

    Parameters
    ----------
    probabilities : array (M, N, C)
    weights : array (M,), optional
        Exponents; by default 1, as if the experts' evidence were independent.

    Returns
    -------
    array (N, C)

    References
    ----------
    Hinton 2002, "Training products of experts by minimizing contrastive divergence", eq. 1.
    """
    probabilities = check_predictions(probabilities, classes=True)
    weights = np.ones(len(probabilities)) if weights is None else np.asarray(weights, float)
    if weights.shape != probabilities.shape[:1]:
        raise ValueError(f"weights: expected shape {probabilities.shape[:1]}, got {weights.shape}")
    logs = np.tensordot(weights, np.log(np.maximum(probabilities, 1e-12)), axes=1)  # (N, C)
    return _normalised(np.exp(logs - logs.max(axis=1, keepdims=True)))


def median(probabilities):
    """The median of the experts' probabilities, class by class, made to sum to 1: a minority cannot move it far.

    Parameters
    ----------
    probabilities : array (M, N, C)

    Returns
    -------
    array (N, C)
    """
    found = np.median(check_predictions(probabilities, classes=True), axis=0)
    # Where experts are sure of different classes, every median can be 0: then no class is preferred.
    return _normalised(np.where(found.sum(axis=1, keepdims=True) > 0, found, 1.0))


def best_alpha(first, second, y):
    """The share of the second expert that gives the lowest log-loss: a mean of two is convex in it.

    Parameters
    ----------
    first, second : array (N, C)
        Probabilities on held-out examples, which neither the experts nor the final test have seen.
    y : integer array (N,)

    Returns
    -------
    float
        In [0, 1].
    """
    from scipy.optimize import minimize_scalar

    both, y = check_predictions([first, second], classes=True), np.asarray(y)
    if y.shape != both.shape[1:2] or y.dtype.kind not in "iu" or not 0 <= y.min() <= y.max() < both.shape[2]:
        raise ValueError(f"y: expected for each of {both.shape[1]} examples a class below {both.shape[2]}, "
                         f"got {y.dtype} of shape {y.shape}: {np.unique(y)[:20]}")
    one, two = both[:, np.arange(len(y)), y]
    found = minimize_scalar(lambda share: -np.log(np.maximum((1 - share) * one + share * two, 1e-12)).mean(),
                            bounds=(0, 1), method="bounded", options={"xatol": 1e-4})
    return float(found.x)


def check_predictions(predictions, *, classes=False):
    """The predictions of all experts as one array; a ValueError unless they fit together."""
    shapes = {np.shape(one) for one in predictions}
    if len(shapes) != 1 or not next(iter(shapes)):
        raise ValueError(f"predictions: expected the same shape (N, ...) of every expert, got {sorted(shapes)}")
    found = np.asarray(predictions, float)
    if not np.isfinite(found).all():
        raise ValueError("predictions: expected finite numbers, got NaN or infinity")
    if classes and (found.ndim != 3 or found.min() < 0 or not np.allclose(found.sum(axis=2), 1, atol=1e-3)):
        raise ValueError("probabilities: expected shape (experts, N, classes), none negative, each row of sum 1, "
                         f"got shape {found.shape} and values from {found.min():.3g} to {found.max():.3g}")
    return found


def _normalised(values):
    return values / values.sum(axis=1, keepdims=True)
