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
    noise = checks.number("noise", noise, low=0)
    if not whole(k, 1) or k > a.shape[1]:
        raise ValueError(f"k: expected 1 to {a.shape[1]} neurons to keep, got {k!r}")
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
    penalty = ridge * (np.trace(cov_a) / len(cov_a) or 1.0)
    kernel = np.linalg.solve(cov_a + penalty * np.eye(len(cov_a)), cov_az)
    return kernel, z.mean(axis=0) - a.mean(axis=0) @ kernel


def shrink_and_refit(nets, pruning, model, x, sizes, choose=gaussian_mi_selection, *, inputs=None):
    """A smaller dense network: neurons are chosen, and the next layer is refitted, layer by layer.

    Each layer is refitted to the pre-activations of the *whole* network, so that it also makes up for what the
    layers before it lost.

    Parameters
    ----------
    nets, pruning : modules
        Twins, as `fw.load("networks")` and `fw.load("pruning")` return them.
    model : network
        Dense.
    x : array (N, *input_shape)
        Examples to choose and refit by; their classes are not needed.
    sizes : sequence of int
        Neurons to keep in each hidden layer.
    choose : callable
        `choose(activations, preactivations, k)` returns the numbers of k neurons, from the activations (N, n) of a
        layer and the pre-activations (N, m) of the next one.
    inputs : integer array (k,), optional
        The inputs to keep, as in `shrink`; then the first layer is refitted, too.

    Returns
    -------
    network
    """
    keep, fitted = choose_and_refit(nets.collect_activations(model, x), sizes, choose, inputs=inputs)
    small = pruning.shrink(model, keep, inputs=inputs)
    for index, (kernel, bias) in enumerate(fitted, start=inputs is None):
        nets.set_layer(small, index, kernel, bias)
    return small


def choose_and_refit(layers, sizes, choose=gaussian_mi_selection, *, inputs=None):
    """The part of `shrink_and_refit` that needs no framework.

    Parameters
    ----------
    layers : list of (array (N, n), array (N, m))
        What `collect_activations` returns for a dense ReLU network.
    sizes, choose, inputs
        As in `shrink_and_refit`.

    Returns
    -------
    list of integer arrays, list of (array (k, m), array (m,))
        The neurons to keep in each hidden layer, and the new kernel and bias of each layer, of the first one only
        if inputs are chosen.
    """
    if len(sizes) != len(layers) - 1:
        raise ValueError(f"sizes: expected {len(layers) - 1}, one for each hidden layer, got {len(sizes)}")
    check_dense(layers)
    keep, fitted, outputs = [], [], layers[0][1]
    if inputs is not None:
        pixels = layers[0][0].reshape(len(outputs), -1)[:, inputs]
        fitted.append(_refit(pixels, outputs))
        outputs = pixels @ fitted[0][0] + fitted[0][1]
    for size, (_, wanted) in zip(sizes, layers[1:], strict=True):
        activations = np.maximum(outputs, 0)
        chosen = np.sort(choose(activations, wanted, size))
        if fitted:  # of the layer before, only these neurons stay
            fitted[-1] = tuple(values[..., chosen] for values in fitted[-1])
        fitted.append(_refit(activations[:, chosen], wanted))
        keep.append(chosen)
        outputs = activations[:, chosen] @ fitted[-1][0] + fitted[-1][1]
    return keep, fitted


def _refit(kept, preactivations):
    return tuple(values.astype(np.float32) for values in least_squares_reconstruction(kept, preactivations))


def check_dense(layers):
    """A ValueError unless these inputs and pre-activations are those of a dense ReLU network."""
    if layers[0][1].ndim != 2 or not all(out.shape == into.shape and np.allclose(np.maximum(out, 0), into, atol=1e-3)
                                         for (_, out), (into, _) in zip(layers[:-1], layers[1:], strict=True)):
        raise ValueError("model: expected a dense network with nothing but a ReLU between its layers")


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
