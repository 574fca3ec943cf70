"""Matching, walking and averaging in the space of weights: hand-worked cases, then planted ones."""

import itertools

import numpy as np
import pytest

from course_lib.merging import weights


def network(sizes, seed):
    rng = np.random.default_rng(seed)
    return [(rng.normal(size=(inputs, units)), rng.normal(size=units))
            for inputs, units in zip(sizes[:-1], sizes[1:], strict=True)]


def activations(layers, x):
    found = []
    for kernel, bias in layers:
        x = np.maximum(x @ kernel + bias, 0)
        found.append(x)
    return found


def outputs(layers, x):
    kernel, bias = layers[-1]
    return ([x, *activations(layers[:-1], x)])[-1] @ kernel + bias


def shuffled(layers, seed):
    rng = np.random.default_rng(seed)
    return weights.permute(layers, [rng.permutation(len(bias)) for _, bias in layers[:-1]])


def same(first, second):
    return all(np.array_equal(one, two) for pair in zip(first, second, strict=True) for one, two in zip(*pair,
                                                                                                     strict=True))


def test_permute_moves_neurons_with_all_their_weights():
    layers = [(np.array([[1.0, 2, 3]]), np.array([10.0, 20, 30])), (np.array([[4.0], [5], [6]]), np.array([7.0]))]
    (kernel, bias), (following, last) = weights.permute(layers, [[2, 0, 1]])
    assert kernel.tolist() == [[3, 1, 2]] and bias.tolist() == [30, 10, 20]
    assert following.tolist() == [[6], [4], [5]] and last.tolist() == [7]


@pytest.mark.parametrize("sizes", [(4, 7, 3), (5, 8, 6, 2), (3, 5, 5, 5, 4)])
def test_a_permuted_network_computes_the_same(sizes):
    layers, x = network(sizes, 0), np.random.default_rng(1).normal(size=(50, sizes[0]))
    moved = shuffled(layers, 2)
    assert not same(layers, moved)
    np.testing.assert_allclose(outputs(moved, x), outputs(layers, x), atol=1e-12)


@pytest.mark.parametrize("orders, message", [
    ([], "expected 1, one for each layer but the last, got 0"),
    ([[0, 1]], r"orders\[0\]: expected shape \(3,\), got \(2,\)"),
    ([[0, 1, 1]], "each number from 0 to 2 once")])
def test_orders_that_are_none(orders, message):
    with pytest.raises(ValueError, match=message):
        weights.permute(network((2, 3, 1), 0), orders)


@pytest.mark.parametrize("sizes", [(4, 9, 3), (6, 12, 10, 3), (5, 8, 8, 8, 2)])
def test_a_shuffled_network_is_put_back(sizes):
    layers = network(sizes, 3)
    moved = shuffled(layers, 4)
    assert same(weights.permute(moved, weights.match_weights(moved, layers)), layers)


def test_one_hidden_layer_is_matched_as_well_as_any_order_could():
    layers, target = network((3, 6, 2), 6), network((3, 6, 2), 7)

    def likeness(order):
        return sum((one * two).sum() for pair in zip(weights.permute(layers, [order]), target, strict=True)
                   for one, two in zip(*pair, strict=True))

    best = max(likeness(list(order)) for order in itertools.permutations(range(6)))
    assert likeness(weights.match_weights(layers, target)[0]) == pytest.approx(best)


def test_no_single_swap_improves_the_matching_of_deep_networks():
    layers, target = network((4, 7, 7, 3), 8), network((4, 7, 7, 3), 9)

    def likeness(orders):
        return sum((one * two).sum() for pair in zip(weights.permute(layers, orders), target, strict=True)
                   for one, two in zip(*pair, strict=True))

    orders = weights.match_weights(layers, target)
    found = likeness(orders)
    assert found > likeness([np.arange(7)] * 2)
    for index, (i, j) in itertools.product(range(2), itertools.combinations(range(7), 2)):
        tried = [order.copy() for order in orders]
        tried[index][[i, j]] = tried[index][[j, i]]
        assert likeness(tried) <= found + 1e-9


def test_between_two_networks():
    first, second = network((2, 3, 1), 12), network((2, 3, 1), 13)
    assert same(weights.average([first, second], [1, 0]), first)
    np.testing.assert_allclose(weights.average([first, second])[0][0], (first[0][0] + second[0][0]) / 2)
    np.testing.assert_allclose(weights.average([first, second], [0.9, 0.1])[0][1],
                               0.9 * first[0][1] + 0.1 * second[0][1])


def test_a_soup_takes_only_what_does_not_harm():
    def scalar(value):
        return [(np.array([[value]]), np.array([0.0]))]

    networks = [scalar(value) for value in (9.0, 1.0, -6.0, 3.0)]
    soup, chosen = weights.greedy_soup(networks, lambda layers: -abs(layers[0][0].item() - 2.5))
    # 3 is .5 off; with 1 it is .5 off on the other side; with 9 or with -6 beside them it would be further off
    assert chosen == [3, 1] and soup[0][0].item() == 2
    best, alone = weights.greedy_soup(networks[:1], lambda layers: 0.0)
    assert alone == [0] and best[0][0].item() == 9


def test_what_does_not_fit():
    first = network((2, 3, 1), 0)
    for call in (lambda: weights.match_weights(first, network((2, 4, 1), 0)),
                 lambda: weights.average([first, network((2, 4, 1), 0)])):
        with pytest.raises(ValueError, match=r"expected kernels of shapes \[\(2, "):
            call()
    with pytest.raises(ValueError, match=r"layers\[1\]: expected a kernel"):
        weights.average([[first[0], first[0]], first])
    with pytest.raises(ValueError, match="2 numbers of sum 1"):
        weights.average([first, first], [1, 1])
    for call in (lambda: weights.task_arithmetic(first, [network((2, 4, 1), 0)]),
                 lambda: weights.ties(first, [network((2, 4, 1), 0)]),
                 lambda: weights.regmean([first, network((2, 4, 1), 0)], [np.ones((5, 2))] * 2)):
        with pytest.raises(ValueError, match=r"expected kernels of shapes \[\(2, "):
            call()
    for call, message in (
            (lambda: weights.task_arithmetic(first, []), "networks: expected a list of at least one"),
            (lambda: weights.task_arithmetic(first, [first], np.inf), "scale: expected"),
            (lambda: weights.ties(first, [first], keep=0), "keep: expected"),
            (lambda: weights.regmean([first], [np.ones((5, 3))]), r"inputs\[0\]: expected shape \(N, 2\)"),
            (lambda: weights.regmean([first, first], [np.ones((5, 2))]), "an array for each of 2 experts, got 1"),
            (lambda: weights.regmean([first], [np.ones((5, 2))], shrink=2), "shrink: expected")):
        with pytest.raises(ValueError, match=message):
            call()


def vector(*numbers):
    """A network of one kernel."""
    return [(np.array([numbers], float), np.zeros(len(numbers)))]


def test_task_vectors_by_hand():
    base, experts = vector(1, 1, 1), [vector(3, 1, 0), vector(1, 2, 0)]
    assert weights.task_arithmetic(base, experts)[0][0].tolist() == [[3, 2, -1]]
    assert weights.task_arithmetic(base, experts, 0.5)[0][0].tolist() == [[2, 1.5, 0]]
    assert weights.task_arithmetic(base, experts[:1], -1)[0][0].tolist() == [[-1, 1, 2]]  # unlearned


def test_ties_by_hand():
    base = vector(0, 0, 0, 0)
    experts = [vector(4, 1, 0.5, -3), vector(2, -5, 0.1, 4), vector(-1, -1, 6, 1)]
    # All weights (biases are 0 and agree with nothing): signs of the sums 5, -5, 6.6, 2; means of those that agree.
    assert weights.ties(base, experts, keep=1)[0][0] == pytest.approx(np.array([[3, -3, 2.2, 2.5]]))
    # The largest quarter of each, two of eight with the biases: 4 and -3; -5 and 4.
    trimmed = weights.ties(base, experts[:2], keep=0.25, scale=2.0)[0][0]
    assert trimmed == pytest.approx(np.array([[8, -10, 0, 8]]))  # of -3 and 4, 4 is elected


def test_regmean_is_the_least_squares_answer():
    rng = np.random.default_rng(3)
    experts = [network((4, 3), seed) for seed in (1, 2)]
    inputs = [rng.normal(size=(50, 4)), 2 * rng.normal(size=(30, 4))]
    kernel, bias = weights.regmean(experts, inputs, shrink=0.0)[0]
    rows = np.vstack([np.column_stack([x, np.ones(len(x))]) for x in inputs])
    wanted = np.vstack([outputs(expert, x) for expert, x in zip(experts, inputs, strict=True)])
    np.testing.assert_allclose(np.vstack([kernel, bias]), np.linalg.lstsq(rows, wanted, rcond=None)[0], atol=1e-4)


def test_regmean_weighs_experts_by_what_they_saw():
    experts = [network((3, 5, 2), seed) for seed in (1, 2)]
    x = np.random.default_rng(4).normal(size=(40, 3))
    for merged, other in zip(weights.regmean([experts[0]] * 2, [x, 3 * x], shrink=0.5), experts[0], strict=True):
        np.testing.assert_allclose(merged[0], other[0], atol=1e-8)
    kernel = weights.regmean(experts, [x, 3 * x], shrink=1.0)[0][0]  # each weight by itself: 1 to 9
    np.testing.assert_allclose(kernel, (experts[0][0][0] + 9 * experts[1][0][0]) / 10, atol=1e-4)
    second = weights.regmean(experts, [x, x], shrink=0.0)[1][0]  # the second layer sees what each one's first makes
    seen = [np.column_stack([activations(layers[:-1], x)[0], np.ones(40)]) for layers in experts]
    wanted = np.vstack([outputs(layers, x) for layers in experts])
    np.testing.assert_allclose(second, np.linalg.lstsq(np.vstack(seen), wanted, rcond=None)[0][:-1], atol=1e-3)
