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
    """Normalised product (N, C) of the probabilities (M, N, C) of M experts.

    References
    ----------
    Hinton 2002, "Training products of experts by minimizing contrastive divergence", eq. 1.
    """
    return softmax(np.log(np.maximum(probabilities, 1e-12)).sum(axis=0))


def gated_unit(features, kernels, biases, gate_kernel, gate_bias):
    """A gate (B, M, U) that mixes what each of M branches says, neuron by neuron.

    Parameters
    ----------
    features : list of arrays (B, F_m)
        Of each branch.
    kernels, biases : lists of arrays (F_m, U) and (U,)
    gate_kernel, gate_bias : array (sum of F_m, M * U) and (M * U,)

    Returns
    -------
    array (B, U), array (B, M, U)
        The fused features, and the gates, which sum to 1 over the branches. With two branches these are the sigmoid z
        and 1 - z of the paper.

    References
    ----------
    Arevalo et al. 2017, "Gated multimodal units for information fusion", section 3.1.
    """
    hidden = np.stack([np.tanh(values @ kernel + bias)
                       for values, kernel, bias in zip(features, kernels, biases, strict=True)], axis=1)  # (B, M, U)
    scores = np.concatenate(features, axis=1) @ gate_kernel + gate_bias  # (B, M * U)
    gates = softmax(scores.reshape(hidden.shape).swapaxes(1, 2)).swapaxes(1, 2)
    return (gates * hidden).sum(axis=1), gates


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
