"""Shrinking with a refit, in NumPy and in a network."""

import numpy as np
import pytest

from course_lib.common import data
from course_lib.pruning.information import gaussian_mi_selection, shrink_and_refit


@pytest.fixture(scope="module")
def digits():
    return data.load("digits")


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
