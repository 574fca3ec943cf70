"""Shrinking with a refit, in NumPy and in a network."""

import numpy as np
import pytest

from course_lib.common import data
from course_lib.pruning import experiments


@pytest.fixture(scope="module")
def digits():
    return experiments.split(data.load("digits"))


def test_keeping_all_neurons_changes_nothing(pruning, nets, digits):
    model = nets.make_mlp((8, 8), 10, hidden=(12, 8), seed=0)
    same = experiments.shrink_and_refit(nets, pruning, model, digits.x, (12, 8))
    expected = nets.predict(model, digits.x_test)
    np.testing.assert_allclose(nets.predict(same, digits.x_test), expected, atol=0.02)


def test_the_refitted_network_is_smaller_and_reads_more_than_one_just_cut(pruning, nets, digits):
    model = experiments.trained(nets, digits, nets.TrainingConfig(epochs=5), 0, hidden=(60, 40, 30))
    small = experiments.shrink_and_refit(nets, pruning, model, digits.x, (20, 15, 9))
    assert [kernel.shape for kernel in nets.get_kernels(small)] == [(64, 20), (20, 15), (15, 9), (9, 10)]
    bare = experiments.shrink_by("information about the next layer", nets, pruning, model, digits, (20, 15, 9))
    accuracies = [nets.accuracy(network, digits.x_test, digits.y_test) for network in (bare, small)]
    assert accuracies[0] < accuracies[1] - 0.1


def test_the_norm_takes_the_kernels_in_their_order():
    kernels = [np.diag([1.0, 3, 2]), np.array([[5.0, 1], [0, 1], [0, 1]])]
    choose = experiments.chooser("norm", np.zeros(4, int), kernels)
    np.testing.assert_array_equal(np.sort(choose(np.ones((4, 3)), None, 2)), [1, 2])
    np.testing.assert_array_equal(choose(np.ones((4, 2)), None, 1), [0])


def test_other_networks_and_sizes_are_refused(pruning, nets, digits):
    with pytest.raises(ValueError, match="sizes: expected 2, one for each hidden layer, got 1"):
        experiments.shrink_and_refit(nets, pruning, nets.make_mlp((8, 8), 10), digits.x, (3,))
    with pytest.raises(ValueError, match="model: expected a dense network"):
        experiments.shrink_and_refit(nets, pruning, nets.make_cnn((8, 8), 10), digits.x[:50], (3, 3, 3))
    with pytest.raises(ValueError, match="criterion: expected one of random"):
        experiments.chooser("best", digits.y, [])
