"""The formulas of fusion in NumPy, as short as they can be; what the exercises of notebook 05 ask for."""

from __future__ import annotations

import numpy as np


def softmax(scores):
    """Along the last axis."""
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def best_alpha(first, second, y):
    """The alpha in [0, 1] of alpha * first + (1 - alpha) * second with the least squared error to y, of one shape."""
    apart = first - second
    return float(np.clip((apart * (y - second)).sum() / (apart ** 2).sum(), 0, 1))


def product_of_experts(probabilities):
    """Normalised product (N, C) of the probabilities (M, N, C) of M experts, none of which is 0.

    References
    ----------
    Hinton 2002, "Training products of experts by minimizing contrastive divergence", eq. 1.
    """
    return softmax(np.log(probabilities).sum(axis=0))


def gate_step(w, x, first, second, y, rate):
    """The weights (F,) of a gate after one step of gradient descent, of this learning rate.

    The gate z = sigmoid(x @ w), for x (B, F), mixes what two experts say, z * first + (1 - z) * second; the loss is the
    mean squared error to y. All three have shape (B, C).
    """
    z, apart = 1 / (1 + np.exp(-(x @ w))), first - second
    error = second + z[:, None] * apart - y
    slope = 2 * (error * apart).sum(axis=1) * z * (1 - z) / error.size  # by x @ w, (B,)
    return w - rate * x.T @ slope


def attention(query, keys, values):
    """Weights (B, M) of M experts, and the mean (B, U) of their values under them.

    Parameters
    ----------
    query : array (B, D)
    keys : array (B, M, D)
    values : array (B, M, U)

    References
    ----------
    Vaswani et al. 2017, "Attention is all you need", eq. 1.
    """
    weights = softmax((keys @ query[:, :, None])[..., 0] / np.sqrt(query.shape[1]))
    return weights, (weights[..., None] * values).sum(axis=1)


def top_k_gates(scores, k):
    """Softmax over the k largest of the scores (B, M) in each row; the others get 0.

    References
    ----------
    Shazeer et al. 2017, "Outrageously large neural networks: the sparsely-gated mixture-of-experts layer", eq. 3 and 5.
    """
    kept = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    masked = np.full_like(scores, -np.inf)
    np.put_along_axis(masked, kept, np.take_along_axis(scores, kept, axis=1), axis=1)
    return softmax(masked)
