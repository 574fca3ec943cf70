"""Small pieces of pruning in NumPy, to read and to write oneself."""

from __future__ import annotations

import numpy as np


def cut_dense(kernel, bias, next_kernel, keep):
    """Remove the neurons of a dense layer that are not in `keep`.

    Parameters
    ----------
    kernel : array (inputs, n)
    bias : array (n,)
    next_kernel : array (n, outputs)
        That of the layer that the neurons lead to.
    keep : integer array (k,)

    Returns
    -------
    list of arrays: (inputs, k), (k,), (k, outputs)
    """
    keep = np.asarray(keep)
    return [kernel[:, keep], bias[keep], next_kernel[keep]]


def drop_and_grow(kernel, mask, score, count):
    """Move connections: those of smallest magnitude go, and as many come where the score is highest.

    Parameters
    ----------
    kernel : array
    mask : bool array like `kernel`
        True where there is a connection.
    score : array like `kernel`
        The gradient's magnitude for RigL, random numbers for SET.
    count : int
        How many; at most as many as there are, and as there is room for.

    Returns
    -------
    bool array

    References
    ----------
    Evci et al. 2020, "Rigging the lottery: making all tickets winners", algorithm 1 (RigL); Mocanu et al. 2018,
    "Scalable training of artificial neural networks with adaptive sparse connectivity", algorithm 2 (SET).
    """
    new = mask.ravel().copy()
    weak = np.where(mask, np.abs(kernel), np.inf).ravel()
    new[np.argsort(weak, kind="stable")[:count]] = False
    best = np.where(new, -np.inf, score.ravel())
    new[np.argsort(best, kind="stable")[::-1][:count]] = True
    return new.reshape(mask.shape)


def global_mask(kernels, sparsity):
    """Masks that are False at the share `sparsity` of all weights that is smallest; `scores.magnitude_mask` does more.

    Parameters
    ----------
    kernels : list of arrays
        Without equal magnitudes.
    sparsity : float in [0, 1)

    Returns
    -------
    list of bool arrays
    """
    magnitudes = np.sort(np.concatenate([np.abs(kernel).ravel() for kernel in kernels]))
    threshold = magnitudes[round(sparsity * magnitudes.size)]
    return [np.abs(kernel) >= threshold for kernel in kernels]


def least_squares(kept, preactivations):
    """Kernel and bias that lead from `kept` (N, k) nearest to `preactivations` (N, m).

    Returns
    -------
    list of arrays: (k, m), (m,)

    References
    ----------
    He, Zhang & Sun 2017, "Channel pruning for accelerating very deep neural networks", eq. 4.
    """
    with_ones = np.column_stack([kept, np.ones(len(kept))])
    solution, *_ = np.linalg.lstsq(with_ones, preactivations, rcond=None)
    return [solution[:-1], solution[-1]]
