"""Which weights and neurons can go: magnitude, entropy and mutual information, in NumPy.

Kernels are laid out as in Keras, in both frameworks: dense (inputs, units), convolution (height, width, inputs,
filters). The last axis counts the neurons.
"""

from __future__ import annotations

import numpy as np

from course_lib.common import checks
from course_lib.common.config import whole
from course_lib.pruning.config import SCOPES


def lamp_scores(kernel):
    """Squared weights, each over the sum of those in its layer that are not smaller.

    Parameters
    ----------
    kernel : array

    Returns
    -------
    array like `kernel`, float64
        The largest weight scores 1 in every layer (unless all are 0), so that no layer is emptied.

    References
    ----------
    Lee et al. 2021, "Layer-adaptive sparsity for the magnitude-based pruning", eq. 4.
    """
    kernel = _kernels([kernel])[0]
    squared = kernel.astype(np.float64).ravel() ** 2
    order = np.argsort(squared, kind="stable")
    remaining = np.cumsum(squared[order][::-1])[::-1]
    scores = np.empty_like(squared)
    scores[order] = squared[order] / np.maximum(remaining, np.finfo(float).tiny)
    return scores.reshape(kernel.shape)


def magnitude_mask(kernels, sparsity, *, scope="global"):
    """Masks that are False at the weights of smallest magnitude.

    Parameters
    ----------
    kernels : list of arrays
    sparsity : float, or one for each kernel with scope "layer"
        Share to prune, in [0, 1]; the number of weights is rounded. Of equal weights the first ones go, so the
        number is exact.
    scope : "global", "layer" or "lamp"
        Weights compete with all others, with those of their layer, or with all others by their LAMP score.

    Returns
    -------
    list of bool arrays, shaped like `kernels`

    References
    ----------
    Han et al. 2015, "Learning both weights and connections for efficient neural networks".
    """
    kernels = _kernels(kernels)
    if scope not in SCOPES:
        raise ValueError(f"scope: expected one of {', '.join(SCOPES)}, got {scope!r}")
    shares = checks.array("sparsity", sparsity, (len(kernels),) if np.ndim(sparsity) else (), low=0, high=1)
    shares = np.broadcast_to(shares, len(kernels))
    if scope == "layer":
        return [_smallest_off(np.abs(kernel), share) for kernel, share in zip(kernels, shares, strict=True)]
    if np.ndim(sparsity):
        raise ValueError(f'sparsity: expected one number with scope "{scope}", got {sparsity}')
    scores = [np.abs(kernel) if scope == "global" else lamp_scores(kernel) for kernel in kernels]
    flat = _smallest_off(np.concatenate([score.ravel() for score in scores]), shares[0])
    parts = np.split(flat, np.cumsum([kernel.size for kernel in kernels])[:-1])
    return [part.reshape(kernel.shape) for part, kernel in zip(parts, kernels, strict=True)]


def _kernels(kernels):
    if not isinstance(kernels, (list, tuple)) or not len(kernels):
        raise ValueError(f"kernels: expected a list of arrays, at least one, got {type(kernels).__name__}")
    return [checks.array(f"kernels[{index}]", kernel, ("inputs", ...)) for index, kernel in enumerate(kernels)]


def _smallest_off(scores, share):
    """True but for the `share` of entries with the smallest scores, the first ones among equals."""
    mask = np.ones(scores.size, bool)
    mask[np.argsort(scores, axis=None, kind="stable")[: round(share * scores.size)]] = False
    return mask.reshape(scores.shape)


def _bins(activations, bins):
    """The bin of each activation, (N, n): 0 for an exact 0, then equal widths shared by all neurons."""
    activations = checks.array("activations", activations, ("examples", "neurons")).astype(np.float64)
    if not whole(bins, 1):
        raise ValueError(f"bins: expected a whole number >= 1, got {bins!r}")
    live = activations[activations != 0]
    if not live.size:
        return np.zeros(activations.shape, int)
    low, width = live.min(), (live.max() - live.min()) / bins or 1.0
    found = 1 + np.minimum((activations - low) // width, bins - 1).astype(int)
    return np.where(activations == 0, 0, found)


def entropy(counts):
    """Entropy in bits of the frequencies of outcomes, from how often each was counted.

    Parameters
    ----------
    counts : array (..., K)

    Returns
    -------
    array (...,)

    References
    ----------
    Shannon 1948, "A mathematical theory of communication", section 6.
    """
    counts = np.asarray(counts, float)
    p = counts / counts.sum(axis=-1, keepdims=True)
    return -(p * np.log2(np.where(p > 0, p, 1.0))).sum(axis=-1)


def mutual_information(table):
    """Mutual information in bits of two quantities, from how often each pair of outcomes was counted.

    Parameters
    ----------
    table : array (..., K, C)

    Returns
    -------
    array (...,)

    References
    ----------
    Cover & Thomas 2006, eq. 2.28; the same as H(X) + H(Y) - H(X, Y), eq. 2.45.
    """
    table = np.asarray(table, float)
    p = table / table.sum(axis=(-2, -1), keepdims=True)
    if_independent = p.sum(axis=-1, keepdims=True) * p.sum(axis=-2, keepdims=True)
    ratio = np.where(p > 0, p, 1.0) / np.where(p > 0, if_independent, 1.0)
    return (p * np.log2(ratio)).sum(axis=(-2, -1))


def binned_entropy(activations, *, bins=30, corrected=True):
    """How unpredictable each neuron is: the entropy of its binned activation, in bits.

    Parameters
    ----------
    activations : array (N, n)
        N examples, n neurons.
    bins : int
        Bins of equal width between the smallest and the largest activation of the layer. Exact zeros, of which a
        ReLU makes many, get a bin of their own.
    corrected : bool
        Add Miller and Madow's (K - 1) / 2N nats, K being the bins that occur: few examples look too predictable.

    Returns
    -------
    array (n,)

    References
    ----------
    Shannon 1948; Miller 1955, "Note on the bias of information estimates".
    """
    codes = _bins(activations, bins)
    counts = np.stack([np.bincount(column, minlength=bins + 1) for column in codes.T])
    return entropy(counts) + ((counts > 0).sum(axis=1) - 1) / (2 * len(codes) * np.log(2)) * corrected


def class_mutual_information(activations, labels, *, bins=30, corrected=True):
    """How much each neuron's binned activation tells about the class, in bits.

    Parameters
    ----------
    activations : array (N, n)
    labels : integer array (N,)
    bins : int
        As in `binned_entropy`.
    corrected : bool
        Take off the bias by Miller and Madow, which for K bins and C classes that occur in all combinations is
        (K - 1)(C - 1) / 2N nats: with few examples everything seems to tell something.

    Returns
    -------
    array (n,)
        H(activation) + H(class) - H(activation, class); corrected values can be slightly below 0.

    References
    ----------
    Cover & Thomas 2006, eq. 2.45; Paninski 2003, "Estimation of entropy and mutual information" (the bias).
    """
    activations = checks.array("activations", activations, ("examples", "neurons"))
    labels = checks.array("labels", labels, (len(activations),), kind="whole")
    codes, (_, classes) = _bins(activations, bins), np.unique(labels, return_inverse=True)
    kinds = classes.max() + 1
    joint = np.stack([np.bincount(column * kinds + classes, minlength=(bins + 1) * kinds) for column in codes.T])
    table = joint.reshape(len(joint), bins + 1, kinds)
    occurring = [(counts > 0).sum(axis=-1) for counts in (joint, table.sum(axis=2), table.sum(axis=1))]
    bias = (occurring[0] - occurring[1] - occurring[2] + 1) / (2 * len(codes) * np.log(2))
    return mutual_information(table) - bias * corrected


def live_neurons(kernels, *, tolerance=0.05):
    """The neurons of each layer whose incoming weights are not all about zero.

    Parameters
    ----------
    kernels : list of arrays
    tolerance : float
        A neuron is live if the Euclidean norm of its incoming weights is above this share of its layer's largest.
        Biases are not looked at: a neuron without weights may still send a constant, which `shrink` would take away.

    Returns
    -------
    list of integer arrays
    """
    tolerance = checks.number("tolerance", tolerance, low=0, high=1)
    kernels = _kernels(kernels)
    norms = [np.sqrt((kernel.astype(np.float64) ** 2).sum(axis=tuple(range(kernel.ndim - 1)))) for kernel in kernels]
    return [np.flatnonzero(norm > tolerance * norm.max()) for norm in norms]
