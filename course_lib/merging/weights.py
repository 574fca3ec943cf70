"""Merging networks in the space of their weights: matching neurons, soups, and experts trained on from one base.

A network is a list of layers (kernel (inputs, units), bias (units,)) with any elementwise activation in between, as
`networks.get_layers` returns it. Its hidden neurons may be put in any order without changing what it computes.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from course_lib.common import checks
from course_lib.merging import reference
from course_lib.networks.layers import check_layers


def permute(layers, orders):
    """Put the hidden neurons of a network in another order; it computes the same.

    Parameters
    ----------
    layers : list of (array (inputs, units), array (units,))
    orders : list of integer arrays (units,)
        For each layer but the last: entry i names the neuron that moves to place i.

    Returns
    -------
    list of (array, array)

    Raises
    ------
    ValueError
        If an entry of `orders` is no permutation of its layer's neurons.
    """
    layers = check_layers(layers)
    if len(orders) != len(layers) - 1:
        raise ValueError(f"orders: expected {len(layers) - 1}, one for each layer but the last, got {len(orders)}")
    before, found = np.arange(len(layers[0][0])), []
    for index, (kernel, bias) in enumerate(layers):
        order = np.arange(len(bias)) if index == len(orders) else checks.array(
            f"orders[{index}]", orders[index], (len(bias),), kind="whole")
        if not np.array_equal(np.sort(order), np.arange(len(bias))):
            raise ValueError(f"orders[{index}]: expected each number from 0 to {len(bias) - 1} once, got {order}")
        found.append((kernel[before][:, order], bias[order]))
        before = order
    return found


def match_weights(layers, target, *, seed=0, sweeps=100):
    """Orders for `permute` under which the weights of a network resemble those of another one most.

    Layer by layer, in random order, again and again: the best order of a layer's neurons, while those of its neighbours
    hold still, is a linear assignment. It ends when a whole sweep changes nothing; no better than a local optimum.

    Parameters
    ----------
    layers, target : list of (array (inputs, units), array (units,))
        Networks of the same widths.
    seed : int
        Of the order in which layers get their turn.
    sweeps : int
        At most so many.

    Returns
    -------
    list of integer arrays

    References
    ----------
    Ainsworth et al. 2022, "Git Re-Basin: merging models modulo permutation symmetries", algorithm 1.
    """
    layers, target = check_layers(layers), check_layers(target, like=layers)
    checks.sizes(sweeps=sweeps)
    rng, orders = np.random.default_rng(checks.seed(seed)), [np.arange(len(bias)) for _, bias in layers[:-1]]
    for _ in range(sweeps):
        moved = False
        for index in rng.permutation(len(orders)):
            before = orders[index - 1] if index else np.arange(len(layers[0][0]))
            after = orders[index + 1] if index + 1 < len(orders) else np.arange(len(layers[-1][1]))
            incoming = target[index][0].T @ layers[index][0][before]  # (target's neurons, ours)
            outgoing = target[index + 1][0] @ layers[index + 1][0][:, after].T
            alike = incoming + outgoing + np.outer(target[index][1], layers[index][1])
            order = linear_sum_assignment(alike, maximize=True)[1]
            moved |= not np.array_equal(order, orders[index])
            orders[index] = order
        if not moved:
            break
    return orders


def average(networks, weights=None):
    """A weighted mean of networks, weight by weight: with equal weights a uniform soup, with two a point between them.

    References
    ----------
    Wortsman et al. 2022, "Model soups: averaging weights of multiple fine-tuned models improves accuracy without
    increasing inference time", section 2.
    """
    networks = _alike(networks)
    weights = np.full(len(networks), 1 / len(networks)) if weights is None else checks.array(
        "weights", weights, (len(networks),))
    if not np.isclose(weights.sum(), 1):
        raise ValueError(f"weights: expected {len(networks)} numbers of sum 1, got {weights}")
    return [tuple(np.tensordot(weights, np.stack(arrays), axes=1) for arrays in zip(*parts, strict=True))
            for parts in zip(*networks, strict=True)]


def greedy_soup(networks, score):
    """Average the best network with each further one that does not make the soup worse.

    Parameters
    ----------
    networks : list of networks
    score : callable
        `score(layers)`, on held-out data; higher is better.

    Returns
    -------
    layers, list of int
        The soup, and which networks are in it, the best one first.

    References
    ----------
    Wortsman et al. 2022, recipe 1.
    """
    networks = _alike(networks)
    scores = checks.array("score", [score(layers) for layers in networks], (len(networks),))
    order = [int(index) for index in np.argsort(-scores, kind="stable")]
    chosen, best = order[:1], scores[order[0]]
    for index in order[1:]:
        tried = score(average([networks[i] for i in [*chosen, index]]))
        if tried >= best:
            chosen, best = [*chosen, index], tried
    return average([networks[i] for i in chosen]), chosen


def task_arithmetic(base, experts, scale=1.0):
    """The base plus `scale` times the sum of the task vectors, each an expert minus the base.

    Parameters
    ----------
    base : list of (array (inputs, units), array (units,))
    experts : list of networks
        Of the base's shapes: the base, trained on, each on a task of its own.
    scale : float
        Below 0 the tasks are unlearned ("negation").

    Returns
    -------
    list of (array, array)

    References
    ----------
    Ilharco et al. 2023, "Editing models with task arithmetic", section 2.
    """
    return _moved(base, experts, lambda vectors: checks.number("scale", scale) * vectors.sum(axis=0))


def ties(base, experts, *, keep=0.2, scale=1.0):
    """Task arithmetic without conflicts: trim, elect a sign, and average those that agree.

    Parameters
    ----------
    base, experts
        As in `task_arithmetic`.
    keep : float, in (0, 1]
        The share of each task vector that is kept, of the largest sizes; the rest becomes 0.
    scale : float

    References
    ----------
    Yadav et al. 2023, "TIES-merging: resolving interference when merging models", algorithm 1.
    """
    checks.number("keep", keep, low=1e-6, high=1)

    def merged(vectors):
        sizes = np.abs(vectors)
        least = np.quantile(sizes, 1 - keep, axis=1, keepdims=True, method="higher") if keep < 1 else 0
        trimmed = np.where(sizes >= least, vectors, 0)
        agree = trimmed * np.sign(trimmed.sum(axis=0)) > 0
        return checks.number("scale", scale) * (trimmed * agree).sum(axis=0) / np.maximum(agree.sum(axis=0), 1)

    return _moved(base, experts, merged)


def regmean(experts, inputs, *, shrink=0.1):
    """The layers whose outputs are nearest to the experts', each on its own inputs: least squares, in closed form.

    Parameters
    ----------
    experts : list of networks
    inputs : list of arrays (N_m, features)
        Some of each expert's data, flat; only X^T X of each layer's inputs is used. A ReLU stands between layers.
    shrink : float, in [0, 1]
        How far the entries of X^T X off its diagonal are shrunk: 1 weighs each weight by itself.

    References
    ----------
    Jin et al. 2023, "Dataless knowledge fusion by merging weights of language models", eq. 2.
    """
    experts = _alike(experts)
    checks.number("shrink", shrink, low=0, high=1)
    if len(inputs) != len(experts):
        raise ValueError(f"inputs: expected an array for each of {len(experts)} experts, got {len(inputs)}")
    seen = [checks.array(f"inputs[{m}]", x, ("N", len(layers[0][0]))) for m, (x, layers) in enumerate(
        zip(inputs, experts, strict=True))]
    found = []
    for parts in zip(*experts, strict=True):  # layer by layer
        rows = [np.column_stack([x, np.ones(len(x))]) for x in seen]
        grams = [(1 - shrink) * (x.T @ x) + shrink * np.diag((x**2).sum(axis=0)) for x in rows]
        ridge = 1e-6 * np.trace(np.mean(grams, axis=0)) / len(grams[0])  # where nobody has seen anything: their mean
        roots = [np.linalg.cholesky(gram + ridge * np.eye(len(gram))).T for gram in grams]  # inputs of these X^T X
        solved = reference.regmean(roots, [np.vstack(part) for part in parts])
        found.append((solved[:-1], solved[-1]))
        seen = [np.maximum(x @ kernel + bias, 0) for x, (kernel, bias) in zip(seen, parts, strict=True)]
    return found


def _alike(networks, like=None):
    """Networks of the same shapes."""
    if not isinstance(networks, (list, tuple)) or not networks:
        raise ValueError(f"networks: expected a list of at least one, got {networks!r:.80}")
    return [check_layers(layers, like=like or networks[0]) for layers in networks]


def _moved(base, experts, merge):
    """The base plus what `merge` makes of the task vectors, an array (experts, weights of the network)."""
    base = check_layers(base)
    flat = np.concatenate([values.ravel() for layer in base for values in layer])
    vectors = np.array([np.concatenate([values.ravel() for layer in expert for values in layer])
                        for expert in _alike(experts, base)]) - flat
    parts = np.split(flat + merge(vectors), np.cumsum([values.size for layer in base for values in layer])[:-1])
    return [(parts[2 * i].reshape(kernel.shape), parts[2 * i + 1]) for i, (kernel, _) in enumerate(base)]
