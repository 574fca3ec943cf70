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
    moved, x = shuffled(layers, 4), np.random.default_rng(5).normal(size=(200, sizes[0]))
    assert same(weights.permute(moved, weights.match_weights(moved, layers)), layers)
    orders = weights.match_activations(activations(moved[:-1], x), activations(layers[:-1], x))
    assert same(weights.permute(moved, orders), layers)


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


def test_activations_are_matched_by_correlation_not_by_size():
    rng = np.random.default_rng(10)
    target = rng.normal(size=(300, 3))
    ours = np.stack([5 * target[:, 2] + 100, 0.01 * target[:, 0], target[:, 1] + rng.normal(size=300)], axis=1)
    assert weights.match_activations([ours], [target])[0].tolist() == [1, 2, 0]
    # The first is large and a bit of both, the second the very twin of target 0: by covariance 10 > 6 + 1, yet
    # by correlation .86 < .51 + 1.
    ours = np.stack([10 * target[:, 0] + 6 * target[:, 1], target[:, 0]], axis=1)
    assert weights.match_activations([ours], [target[:, :2]])[0].tolist() == [1, 0]


def test_a_dead_neuron_does_not_spoil_the_matching():
    target = np.random.default_rng(11).normal(size=(50, 2))
    ours = np.stack([np.zeros(50), target[:, 0]], axis=1)
    assert weights.match_activations([ours], [target])[0].tolist() == [1, 0]


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


def test_transport_counts_squared_distances():
    # Our neurons answer (0, 0) and (1, 0) to two inputs, theirs (1, 0) and (2.5, 1). In order: distances 1 + 1.8,
    # squares 1 + 3.25. Crosswise: 2.7 + 0 and 7.25 + 0. Squares, as in the paper's W_2, keep the order.
    ours, theirs = np.array([[0.0, 1], [0, 0]]), np.array([[1, 2.5], [0, 1]])
    layers = [(np.array([[1.0, 2]]), np.array([3.0, 4])), (np.array([[5.0], [6]]), np.array([7.0]))]
    (kernel, bias), (outgoing, _) = weights.transport(layers, [ours], [theirs])
    np.testing.assert_allclose(kernel, [[1, 2]], atol=1e-9)
    np.testing.assert_allclose(bias, [3, 4], atol=1e-9)
    np.testing.assert_allclose(outgoing, [[5], [6]], atol=1e-9)


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
    with pytest.raises(ValueError, match="as in target"):
        weights.match_activations([np.zeros((5, 2))], [np.zeros((5, 3))])


def doubled(layers):
    """Each hidden neuron twice, with half of its outgoing weights: the same function."""
    found, before = [], 1
    for index, (kernel, bias) in enumerate(layers):
        after = 2 if index < len(layers) - 1 else 1
        found.append((np.tile(kernel, (before, after)) / before, np.tile(bias, after)))
        before = after
    return found


def test_transport_between_a_network_and_its_double_changes_nothing():
    narrow, x = network((5, 7, 4, 3), 0), np.random.default_rng(1).normal(size=(200, 5))
    wide = shuffled(doubled(narrow), 2)
    seen = {name: activations(net[:-1], x) for name, net in (("narrow", narrow), ("wide", wide))}
    np.testing.assert_allclose(outputs(wide, x), outputs(narrow, x), atol=1e-9)
    for start, first, second in ((narrow, "narrow", "wide"), (wide, "wide", "narrow")):
        carried = weights.transport(start, seen[first], seen[second])
        np.testing.assert_allclose(outputs(carried, x), outputs(narrow, x), atol=1e-9)
        for (kernel, bias), (found, shift) in zip(narrow if second == "narrow" else wide, carried, strict=True):
            np.testing.assert_allclose(found, kernel, atol=1e-9)  # not just the same function: the same scale
            np.testing.assert_allclose(shift, bias, atol=1e-9)
        assert [len(bias) for _, bias in carried] == [len(bias) for _, bias in (wide if first == "narrow" else narrow)]


def test_transport_of_equal_widths_is_a_permutation():
    layers, x = network((5, 7, 4, 3), 0), np.random.default_rng(1).normal(size=(200, 5))
    moved = shuffled(layers, 3)
    carried = weights.transport(moved, activations(moved[:-1], x), activations(layers[:-1], x))
    for (kernel, bias), (found, shift) in zip(layers, carried, strict=True):
        np.testing.assert_allclose(found, kernel, atol=1e-9)
        np.testing.assert_allclose(shift, bias, atol=1e-9)


def test_transport_refuses_what_does_not_fit():
    layers, x = network((5, 7, 4, 3), 0), np.random.default_rng(1).normal(size=(20, 5))
    seen = activations(layers[:-1], x)
    with pytest.raises(ValueError, match=r"expected arrays \(N, units\) of 2 hidden layers.*\(20, 4\), \(20, 7\)"):
        weights.transport(layers, seen[::-1], seen)
    with pytest.raises(ValueError, match="2 hidden layers"):
        weights.transport(layers, seen, seen[:1])
    with pytest.raises(ValueError, match="2 hidden layers"):
        weights.transport(layers, seen, [values[:10] for values in seen])
