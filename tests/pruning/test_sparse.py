"""Training that is sparse from the start: where connections go, and the derivatives that say so."""

import numpy as np
import pytest

from course_lib.common import data
from course_lib.pruning.derivatives import derivatives
from course_lib.pruning.reference import drop_and_grow
from course_lib.pruning.sparse import erk_densities, random_masks, share_to_move


def test_the_weakest_go_and_the_best_come():
    kernel = np.array([[0.5, -0.1, 0.0], [0.0, 0.9, -0.3]])
    mask = np.array([[1, 1, 0], [0, 1, 1]], bool)
    score = np.array([[9.0, 9.0, 0.2], [0.7, 9.0, 0.0]])
    assert drop_and_grow(kernel, mask, score, 0).tolist() == mask.tolist()
    # -0.1 goes and may come back; -0.3 has the lowest score of all
    assert drop_and_grow(kernel, mask, score, 2).tolist() == [[True, True, False], [True, True, False]]
    kernel, mask, score = np.array([-5.0, 1, 2, 0]), np.arange(4) < 3, np.array([0, 0, 0, 1.0])
    assert drop_and_grow(kernel, mask, score, 1).tolist() == [True, False, True, True]


def test_small_layers_keep_more():
    # 1,100 weights; in proportion to (100 + 10) / 1000 and (10 + 10) / 100
    assert erk_densities([(100, 10), (10, 10)], 0.8) == pytest.approx([0.11 * 220 / 130, 0.2 * 220 / 130])
    assert erk_densities([(100, 10), (10, 10)], 0.3) == pytest.approx([0.67, 1.0])  # 118 % of the small one it cannot
    masks = random_masks([(100, 10), (10, 10)], 0.3, np.random.default_rng(0))
    assert [mask.sum() for mask in masks] == [670, 100] and not masks[0][:67].all()
    with pytest.raises(ValueError, match="sparsity: expected a number from 0 to 1, got 2"):
        erk_densities([(2, 2)], 2)


def test_ever_fewer_move():
    assert [share_to_move(t, 0.3) for t in (0, 0.5, 1, 2)] == pytest.approx([0.3, 0.15, 0, 0])


def test_derivatives_of_one_layer_by_hand():
    x, y = np.array([[1.0, 2.0], [3.0, 0.0]]), np.array([0, 1])
    kernel = np.zeros((2, 2))  # so both classes have probability 1/2
    [first], [second] = derivatives([(x, x @ kernel)], [kernel], y)
    np.testing.assert_allclose(first, [[(-0.5 * 1 + 0.5 * 3) / 2, (0.5 * 1 - 0.5 * 3) / 2], [-0.5, 0.5]])
    np.testing.assert_allclose(second, [[0.25 * (1 + 9) / 2] * 2, [0.25 * 4 / 2] * 2])


def test_second_derivatives_of_a_hidden_layer_by_hand():
    x, kernels = np.array([[2.0]]), [np.array([[1.0, -3.0]]), np.array([[1.0, -2.0], [4.0, 4.0]])]
    hidden = np.array([[2.0, -6.0]])  # the second neuron does not fire
    layers = [(x, hidden), (np.maximum(hidden, 0), np.array([[0.0, 0.0]]))]
    _, (second, last) = derivatives(layers, kernels, np.array([0]))
    np.testing.assert_allclose(last, [[0.25 * 4, 0.25 * 4], [0, 0]])  # p (1 - p) times the squared input
    np.testing.assert_allclose(second, [[4 * 0.25 * (1 + 4), 0]])  # x^2 times the sum of p (1 - p) w^2


def test_rigl_grows_where_the_gradient_is_largest_either_way(monkeypatch):
    from course_lib.pruning import sparse

    kernel, gradient, grown = np.ones((3, 4)), np.arange(12.0).reshape(3, 4) - 6, []
    monkeypatch.setattr(sparse, "derivatives", lambda layers, kernels, y: ([gradient], None))
    monkeypatch.setattr(sparse, "drop_and_grow", lambda kernel, mask, score, count: grown.append(score) or mask)
    callback = sparse.moving(sparse_config(), np.zeros((5, 3)), np.zeros(5, int), 0, lambda model: [kernel],
                             lambda model, x: None, lambda model, masks: None)
    for step in range(3):
        callback(None, step, 10)
    np.testing.assert_array_equal(grown, [np.abs(gradient)])


def sparse_config():
    from course_lib.pruning.config import SparseConfig

    return SparseConfig(sparsity=0.5, move_every=2)


def loss(layers, x, y):
    for kernel, bias in layers[:-1]:
        x = np.maximum(x @ kernel + bias, 0)
    logits = x @ layers[-1][0] + layers[-1][1]
    return (np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(y)), y]).mean()


def test_derivatives_are_those_of_the_loss(nets):
    rng = np.random.default_rng(0)
    x, y = rng.uniform(size=(40, 2, 3)).astype(np.float32), rng.integers(0, 3, 40)
    model = nets.make_mlp((2, 3), 3, hidden=(5, 4), seed=1)
    weights = [(kernel.astype(float), bias.astype(float)) for kernel, bias in nets.get_layers(model)]
    first, second = derivatives(nets.collect_activations(model, x), nets.get_kernels(model), y)
    for index, (kernel, _) in enumerate(weights):
        for place in ((0, 0), (3, 2)):
            def shifted(by, kernel=kernel, place=place):
                kernel[place] += by
                found = loss(weights, x.reshape(40, -1), y)
                kernel[place] -= by
                return found

            slope = (shifted(1e-5) - shifted(-1e-5)) / 2e-5
            assert first[index][place] == pytest.approx(slope, abs=1e-6)
            if index == 2:  # below it the diagonal leaves something out
                bend = (shifted(1e-3) - 2 * shifted(0) + shifted(-1e-3)) / 1e-6
                assert second[index][place] == pytest.approx(bend, rel=1e-3)


def test_only_dense_networks_have_them(nets):
    model, x = nets.make_cnn((8, 8), 10), np.ones((3, 8, 8), np.float32)
    with pytest.raises(ValueError, match="model: expected a dense network"):
        derivatives(nets.collect_activations(model, x), nets.get_kernels(model), np.arange(3))


@pytest.mark.parametrize("grow", ["gradient", "random", "nowhere"])
def test_a_network_stays_sparse_and_its_connections_move(pruning, nets, grow):
    digits = data.load("digits")
    x, y = digits.x_train[:256], digits.y_train[:256]
    model, seen = nets.make_mlp((8, 8), 10, hidden=(30, 20), seed=0), []

    def note(model, step, updates):
        seen.append([kernel != 0 for kernel in nets.get_kernels(model)])

    move = pruning.sparse_training(pruning.SparseConfig(sparsity=0.8, grow=grow, move_every=4), x, y, seed=0)
    losses = nets.train(model, x, y, nets.TrainingConfig(epochs=6, batch_size=32), seed=0, callbacks=[move, note])
    assert losses[-1] < losses[0]
    sizes = [sum(mask.sum() for mask in masks) for masks in seen]
    assert 0.2 * 2720 - 2 <= max(sizes) <= 0.2 * 2720 + 2  # what has just come is still 0
    changed = sum((first & ~last).sum() for first, last in zip(seen[0], seen[-1]))
    assert changed == 0 if grow == "nowhere" else changed > 20
    assert all(np.array_equal(*pair) for pair in zip(seen[-10], seen[-1]))  # the last quarter moves no more


def test_what_comes_back_begins_at_zero(pruning, nets):
    x = np.random.default_rng(0).uniform(size=(64, 8, 8)).astype(np.float32)
    model, y = nets.make_mlp((8, 8), 10, hidden=(5,), seed=0), np.arange(64) % 10
    kernels = nets.get_kernels(model)
    config = nets.TrainingConfig(epochs=2, batch_size=16)
    nets.train(model, x, y, config, callbacks=[lambda model, step, updates: pruning.apply_masks(
        model, [np.arange(kernel.size).reshape(kernel.shape) % 2 == 0 for kernel in kernels]) if step == 4 else None])
    pruning.apply_masks(model, [np.ones(kernel.shape, bool) for kernel in kernels])
    for kernel in nets.get_kernels(model):
        assert (kernel.ravel()[1::2] == 0).all() and (kernel.ravel()[::2] != 0).any()
