"""Shrinking with a refit, in NumPy and in a network."""

import numpy as np
import pytest

from course_lib.pruning.information import gaussian_mi_selection, shrink_and_refit


def test_keeping_all_neurons_changes_nothing(pruning, nets, digits):
    model = nets.make_mlp((8, 8), 10, hidden=(12, 8), seed=0)
    same = shrink_and_refit(nets, pruning, model, digits.x_train, (12, 8))
    expected = nets.predict(model, digits.x_test)
    np.testing.assert_allclose(nets.predict(same, digits.x_test), expected, atol=0.02)


def test_the_refitted_network_is_smaller_and_reads_more_than_one_just_cut(pruning, nets, digits):
    model, sizes = nets.make_mlp((8, 8), 10, hidden=(60, 40, 30), seed=0), (20, 15, 9)
    nets.train(model, digits.x_train, digits.y_train, nets.TrainingConfig(epochs=5), seed=0)
    small = shrink_and_refit(nets, pruning, model, digits.x_train, sizes)
    assert [kernel.shape for kernel in nets.get_kernels(small)] == [(64, 20), (20, 15), (15, 9), (9, 10)]
    layers = nets.collect_activations(model, digits.x_train)[1:]
    bare = pruning.shrink(model, [gaussian_mi_selection(*layer, size) for layer, size in zip(layers, sizes)])
    accuracies = [nets.accuracy(network, digits.x_test, digits.y_test) for network in (bare, small)]
    assert accuracies[0] < accuracies[1] - 0.1


def test_other_networks_and_sizes_are_refused(pruning, nets, digits):
    with pytest.raises(ValueError, match="sizes: expected 2, one for each hidden layer, got 1"):
        shrink_and_refit(nets, pruning, nets.make_mlp((8, 8), 10), digits.x_train, (3,))
    with pytest.raises(ValueError, match="model: expected a dense network"):
        shrink_and_refit(nets, pruning, nets.make_cnn((8, 8), 10), digits.x_train[:50], (3, 3, 3))


def test_inputs_can_go_too(pruning, nets, digits):
    model, flat = nets.make_mlp((8, 8), 10, hidden=(60, 40), seed=0), digits.x_test.reshape(-1, 64)
    nets.train(model, digits.x_train, digits.y_train, nets.TrainingConfig(epochs=5), seed=0)
    pixels = np.random.default_rng(0).permutation(64)[:30]
    small = pruning.shrink(model, [None, None], inputs=pixels)
    blank = np.zeros_like(flat)
    blank[:, pixels] = flat[:, pixels]
    np.testing.assert_allclose(nets.predict(small, flat[:, pixels]), nets.predict(model, blank.reshape(-1, 8, 8)),
                               atol=1e-5)
    refitted = shrink_and_refit(nets, pruning, model, digits.x_train, (50, 30), inputs=pixels)
    assert [kernel.shape for kernel in nets.get_kernels(refitted)] == [(30, 50), (50, 30), (30, 10)]
    bare, better = (nets.accuracy(network, flat[:, pixels], digits.y_test) for network in (small, refitted))
    assert bare < better - 0.05
    # Each layer is the best fit to what it really gets, not to what it got before the inputs went.
    x = digits.x_train.reshape(-1, 64)
    wanted = nets.collect_activations(model, digits.x_train)[2][1]
    got, outputs = nets.collect_activations(refitted, x[:, pixels])[2]
    best, *_ = np.linalg.lstsq(np.column_stack([got, np.ones(len(got))]), wanted, rcond=None)
    least = ((np.column_stack([got, np.ones(len(got))]) @ best - wanted) ** 2).mean()
    assert ((outputs - wanted) ** 2).mean() < 1.02 * least


@pytest.mark.parametrize(("inputs", "message"), [
    ([0, 0], "inputs: expected different numbers, got [0 0]"), ([64], "inputs: expected numbers from 0 to 63"),
    ([], "inputs: expected shape (inputs,), got (0,)"), ([0.5], "inputs: expected whole numbers, got float64")])
def test_inputs_that_are_not_there_are_refused(pruning, nets, inputs, message):
    with pytest.raises(ValueError) as error:
        pruning.shrink(nets.make_mlp((8, 8), 10), [None, None], inputs=inputs)
    assert message in str(error.value)


def test_a_convolution_keeps_its_inputs(pruning, nets):
    with pytest.raises(ValueError, match="inputs: expected a network whose first layer is dense"):
        pruning.shrink(nets.make_cnn((8, 8), 10), [None] * 3, inputs=[1])
