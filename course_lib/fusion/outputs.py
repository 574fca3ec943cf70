"""Fusing what experts say: their probabilities, or forecasts."""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

from course_lib.common import checks
from course_lib.fusion import reference
from course_lib.networks.scores import log_loss


def opinions(nets, experts, inputs):
    """What classifiers say of their inputs, one array (N, ...) for each: probabilities (M, N, C).

    `nets` is a twin of `networks`.
    """
    return np.stack([softmax(nets.predict(model, x), axis=-1) for model, x in zip(experts, inputs, strict=True)])


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
    weights = np.full(len(predictions), 1 / len(predictions)) if weights is None else checks.array(
        "weights", weights, ("M", ...))
    if weights.shape not in (predictions.shape[:1], predictions.shape[:2]) or not np.allclose(weights.sum(axis=0), 1):
        raise ValueError(f"weights: expected shape {predictions.shape[:1]} or {predictions.shape[:2]} and sums of 1 "
                         f"over the experts, got shape {weights.shape} and sums {weights.sum(axis=0)}")
    return (weights.reshape(weights.shape + (1,) * (predictions.ndim - weights.ndim)) * predictions).sum(axis=0)


def product_of_experts(probabilities):
    """The product of the experts' probabilities, made to sum to 1: every expert has a veto.

    Parameters
    ----------
    probabilities : array (M, N, C)

    Returns
    -------
    array (N, C)

    References
    ----------
    Hinton 2002, "Training products of experts by minimizing contrastive divergence", eq. 1.
    """
    return reference.product_of_experts(np.maximum(check_predictions(probabilities, classes=True), 1e-12))


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
    found = np.where(found.sum(axis=1, keepdims=True) > 0, found, 1.0)
    return found / found.sum(axis=1, keepdims=True)


def best_alpha(first, second, y):
    """The alpha of alpha * first + (1 - alpha) * second with the lowest log-loss, which is convex in it.

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

    one, two = check_predictions([first, second], classes=True)
    found = minimize_scalar(lambda alpha: log_loss(alpha * one + (1 - alpha) * two, y), bounds=(0, 1),
                            method="bounded", options={"xatol": 1e-4})
    return float(found.x)


def check_predictions(predictions, *, classes=False):
    """The predictions of all experts as one array; a ValueError unless they fit together."""
    found = checks.array("predictions", predictions, ("experts", "N", ...)).astype(float)
    if classes and (found.ndim != 3 or found.min() < 0 or not np.allclose(found.sum(axis=2), 1, atol=1e-3)):
        raise ValueError("probabilities: expected shape (experts, N, classes), none negative, each row of sum 1, "
                         f"got shape {found.shape} and values from {found.min():.3g} to {found.max():.3g}")
    return found
