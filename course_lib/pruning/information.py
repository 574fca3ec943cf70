"""Choosing neurons by what they tell about the next layer, and making the next layer do without the others."""

from __future__ import annotations

import numpy as np

from course_lib.common import checks
from course_lib.common.config import whole


def gaussian_mi_selection(activations, preactivations, k, *, noise=0.1):
    """Pick k neurons, one after the other: each time the one that adds most to what is known of the next layer.

    If all were jointly Gaussian, neuron j would add -1/2 log(1 - r^2) nats to those chosen, r^2 being the share of
    j's remaining variance that the pre-activations explain. So redundancy counts, and so do the outgoing weights.

    Parameters
    ----------
    activations : array (N, n)
        Outputs of the layer.
    preactivations : array (N, m)
        What the next layer makes of them, before its ReLU.
    k : int
        Neurons to keep, 1 to n.
    noise : float
        Variance added to each pre-activation, as a share of their mean variance, so that no information is infinite.

    Returns
    -------
    integer array (k,)
        In the order of choice: the first ones are the most informative, so a prefix is a smaller selection.

    References
    ----------
    Cover & Thomas 2006, theorem 8.4.1 (entropy of a Gaussian); Krause, Singh & Guestrin 2008, "Near-optimal
    sensor placements in Gaussian processes" (the greedy choice).
    """
    a, z = _examples("activations", activations), _examples("preactivations", preactivations)
    if not whole(k, 1) or k > a.shape[1] or not 0 <= noise < np.inf:
        raise ValueError(f"k, noise: expected 1 to {a.shape[1]} neurons to keep and a number >= 0, "
                         f"got {k!r} and {noise!r}")
    cov_a, cov_az, cov_z = _covariances(a, z)
    cov_z += noise * max(np.trace(cov_z) / len(cov_z), np.finfo(float).tiny) * np.eye(len(cov_z))
    least = 1e-9 * max(cov_a.diagonal().max(), np.finfo(float).tiny)
    chosen = []
    for _ in range(k):
        variance = np.maximum(cov_a.diagonal(), least)
        share = np.einsum("jm,mj->j", cov_az, np.linalg.solve(cov_z, cov_az.T)) / variance  # r^2 of each neuron
        share[chosen] = -1.0
        best = int(share.argmax())
        chosen.append(best)
        to_a, to_z = (cov[best] / np.sqrt(variance[best]) for cov in (cov_a, cov_az))
        cov_a = cov_a - np.outer(to_a, to_a)  # all covariances given the chosen neuron
        cov_az = cov_az - np.outer(to_a, to_z)
        cov_z = cov_z - np.outer(to_z, to_z)
    return np.array(chosen)


def least_squares_reconstruction(kept, preactivations, *, ridge=1e-4):
    """The kernel and bias with which the kept neurons reproduce the next layer's pre-activations best.

    Parameters
    ----------
    kept : array (N, k)
        Activations of the neurons that stay.
    preactivations : array (N, m)
        The next layer's, before any neuron went.
    ridge : float
        Penalty on the kernel's squares, as a share of the mean variance of `kept`.

    Returns
    -------
    array (k, m), array (m,)
        Kernel and bias; not penalised is the bias.

    References
    ----------
    He, Zhang & Sun 2017, "Channel pruning for accelerating very deep neural networks", eq. 4.
    """
    a, z = _examples("kept", kept), _examples("preactivations", preactivations)
    cov_a, cov_az, _ = _covariances(a, z)
    penalty = ridge * max(np.trace(cov_a) / len(cov_a), np.finfo(float).tiny)
    kernel = np.linalg.solve(cov_a + penalty * np.eye(len(cov_a)), cov_az)
    return kernel, z.mean(axis=0) - a.mean(axis=0) @ kernel


def _examples(name, array):
    array = checks.array(name, array, ("examples", "neurons")).astype(np.float64)
    if len(array) < 2:
        raise ValueError(f"{name}: expected shape (examples, neurons) with at least 2 examples, got {array.shape}")
    return array


def _covariances(a, z):
    """Covariances of a with itself, of a with z, and of z with itself."""
    if len(a) != len(z):
        raise ValueError(f"expected as many examples in both, got {len(a)} activations and {len(z)} preactivations")
    a, z = a - a.mean(axis=0), z - z.mean(axis=0)
    return a.T @ a / len(a), a.T @ z / len(a), z.T @ z / len(a)
