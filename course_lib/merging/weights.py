"""Merging networks in the space of their weights: matching neurons, moving them, soups.

A network is a list of layers (kernel (inputs, units), bias (units,)) with any elementwise activation in between, as
`networks.get_layers` returns it. Its hidden neurons may be put in any order without changing what it computes.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment, linprog
from scipy.sparse import eye_array, kron, vstack
from scipy.spatial.distance import cdist

from course_lib.common import checks
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


def match_activations(activations, target):
    """Orders for `permute` under which each neuron answers to inputs as its partner in another network does.

    Parameters
    ----------
    activations, target : list of arrays (N, units)
        Of each hidden layer, for the same N inputs.

    Returns
    -------
    list of integer arrays
        The pairing of each layer with the highest sum of correlations.

    References
    ----------
    Li et al. 2015, "Convergent learning: do different neural networks learn the same representations?", section 3.
    """
    activations, target = _layers("activations", activations), _layers("target", target)
    shapes = [np.shape(values) for values in target]
    if [np.shape(values) for values in activations] != shapes or any(len(shape) != 2 for shape in shapes):
        raise ValueError(f"activations: expected arrays (N, units) of shapes {shapes} as in target, "
                         f"got {[np.shape(values) for values in activations]}")
    distances = (cdist(np.transpose(theirs), np.transpose(ours), "correlation")
                 for ours, theirs in zip(activations, target, strict=True))
    return [linear_sum_assignment(np.nan_to_num(each, nan=1.0))[1] for each in distances]  # NaN: a dead neuron


def transport(layers, activations, target):
    """Carry a network over to the neurons of another one, which may have other widths.

    Each neuron is sent, in parts, to neurons that answer to inputs as it does: the plan of least cost that serves all
    alike. A new neuron takes the mean incoming weights of what it gets; outgoing weights are split as the neuron is, so
    that a network that has each neuron twice computes the same as one that has it once. (The paper copies them.)

    Parameters
    ----------
    layers : list of (array (inputs, units), array (units,))
    activations, target : lists of arrays (N, units)
        Of each hidden layer, of this network and of the other one, for the same N inputs.

    Returns
    -------
    list of (array, array)
        With the other network's widths.

    References
    ----------
    Singh & Jaggi 2020, "Model fusion via optimal transport", algorithm 1 with activations as ground metric.
    """
    layers = check_layers(layers)
    activations, target = _layers("activations", activations), _layers("target", target)
    sizes, wanted = [[len(bias) for _, bias in layers[:-1]], [np.shape(values)[1] for values in target]]
    given = [np.shape(values) for values in activations]
    if [shape[1] for shape in given] != sizes or len(wanted) != len(sizes) or {
            len(values) for values in (*activations, *target)} != {given[0][0]}:
        raise ValueError(f"activations, target: expected arrays (N, units) of {len(sizes)} hidden layers, those of "
                         f"activations with {sizes} units, got shapes {given} and {[np.shape(v) for v in target]}")
    split, found = np.eye(len(layers[0][0])), []
    for index, (kernel, bias) in enumerate(layers):
        plan = _plan(activations[index], target[index]) if index < len(sizes) else np.eye(len(bias))
        gathered = plan / plan.sum(axis=0)
        found.append((split.T @ kernel @ gathered, bias @ gathered))
        split = plan / plan.sum(axis=1, keepdims=True)
    return found


def average(networks, weights=None):
    """A weighted mean of networks, weight by weight: with equal weights a uniform soup, with two a point between them.

    References
    ----------
    Wortsman et al. 2022, "Model soups: averaging weights of multiple fine-tuned models improves accuracy without
    increasing inference time", section 2.
    """
    if not isinstance(networks, (list, tuple)) or not networks:
        raise ValueError(f"networks: expected a list of at least one, got {networks!r:.80}")
    networks = [check_layers(layers, like=networks[0]) for layers in networks]
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
    if not isinstance(networks, (list, tuple)) or not networks:
        raise ValueError(f"networks: expected a list of at least one, got {networks!r:.80}")
    scores = checks.array("score", [score(layers) for layers in networks], (len(networks),))
    order = [int(index) for index in np.argsort(scores)[::-1]]
    chosen, best = order[:1], scores[order[0]]
    for index in order[1:]:
        tried = score(average([networks[i] for i in [*chosen, index]]))
        if tried >= best:
            chosen, best = [*chosen, index], tried
    return average([networks[i] for i in chosen]), chosen


def _plan(ours, theirs):
    """How much of each of our neurons goes to each of theirs, (our units, their units), at least cost."""
    cost = cdist(np.transpose(ours), np.transpose(theirs), "sqeuclidean")
    n, m = cost.shape
    leaving, coming = kron(eye_array(n), np.ones((1, m))), kron(np.ones((1, n)), eye_array(m))
    solved = linprog(cost.ravel(), A_eq=vstack([leaving, coming]), b_eq=np.repeat([1 / n, 1 / m], [n, m]))
    if solved.x is None:
        raise ValueError(f"activations: expected such as a plan can be found for, got: {solved.message}")
    return np.maximum(solved.x.reshape(n, m), 0)


def _layers(name, arrays):
    """What the neurons of each hidden layer say, as arrays of numbers whose squares do not overflow."""
    return [checks.array(f"{name}[{index}]", values, ("N", "units"), low=-1e30, high=1e30) for
            index, values in enumerate(arrays)]
