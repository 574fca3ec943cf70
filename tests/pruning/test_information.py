"""Choosing neurons by information, and least squares: cases with a known answer."""

from itertools import combinations

import numpy as np
import pytest

from course_lib.pruning import reference
from course_lib.pruning.information import gaussian_mi_selection, least_squares_reconstruction
from course_lib.pruning.scores import magnitude_mask


def layer(rng, neurons=8, outputs=4, examples=500):
    activations = np.maximum(rng.normal(size=(examples, neurons)) @ rng.normal(size=(neurons, neurons)), 0)
    return activations, activations @ rng.normal(size=(neurons, outputs)) + rng.normal(size=outputs)


def information(activations, preactivations, chosen, noise=0.1):
    """I(A_chosen; Z) in nats from determinants of covariances: slow, and by another formula."""
    z = preactivations - preactivations.mean(axis=0)
    a = (activations - activations.mean(axis=0))[:, list(chosen)]
    n, m = len(z), z.shape[1]
    cov_z = z.T @ z / n
    cov_z += noise * np.trace(cov_z) / m * np.eye(m)
    joint = np.block([[a.T @ a / n, a.T @ z / n], [z.T @ a / n, cov_z]])
    log_det = [np.linalg.slogdet(matrix)[1] for matrix in (a.T @ a / n, cov_z, joint)]
    return (log_det[0] + log_det[1] - log_det[2]) / 2


def test_each_choice_adds_the_most_information():
    activations, preactivations = layer(np.random.default_rng(0))
    chosen = gaussian_mi_selection(activations, preactivations, 5).tolist()
    for i in range(5):
        gains = {j: information(activations, preactivations, [*chosen[:i], j])
                 for j in range(8) if j not in chosen[:i]}
        assert max(gains, key=gains.get) == chosen[i]


def test_greedy_is_nearer_to_the_best_of_all_than_to_chance():
    shares = []
    for seed in range(20):
        activations, preactivations = layer(np.random.default_rng(seed))
        found = information(activations, preactivations, gaussian_mi_selection(activations, preactivations, 3))
        every = [information(activations, preactivations, chosen) for chosen in combinations(range(8), 3)]
        shares.append((found - np.mean(every)) / (max(every) - np.mean(every)))
    assert np.median(shares) > 0.8 and min(shares) > 0


def test_a_copy_a_silent_and_an_unused_neuron_come_last():
    rng = np.random.default_rng(0)
    activations = rng.normal(size=(500, 6))
    activations[:, 1] = 2 * activations[:, 0]  # a copy
    activations[:, 3] = 0  # silent
    kernel = rng.normal(size=(6, 4))
    kernel[5] = 0  # leads nowhere
    order = gaussian_mi_selection(activations, activations @ kernel, 6).tolist()
    assert set(order[:3]) < {0, 1, 2, 4} and len({0, 1} & set(order[:3])) == 1
    assert sorted(order) == list(range(6)) and order[-1] == 3


def test_units_do_not_matter():
    activations, preactivations = layer(np.random.default_rng(1))
    first = gaussian_mi_selection(activations, preactivations, 4)
    np.testing.assert_array_equal(first, gaussian_mi_selection(activations * np.arange(1, 9), preactivations, 4))


def test_all_neurons_reproduce_the_layer_exactly():
    rng = np.random.default_rng(0)
    activations, kernel, bias = rng.normal(size=(300, 5)), rng.normal(size=(5, 3)), rng.normal(size=3)
    found = least_squares_reconstruction(activations, activations @ kernel + bias, ridge=1e-12)
    np.testing.assert_allclose(found[0], kernel, atol=1e-6)
    np.testing.assert_allclose(found[1], bias, atol=1e-6)


def test_the_rest_is_what_lstsq_finds():
    activations, preactivations = layer(np.random.default_rng(2))
    kept = activations[:, :4]
    kernel, bias = least_squares_reconstruction(kept, preactivations, ridge=1e-12)
    expected = np.linalg.lstsq(np.c_[kept, np.ones(len(kept))], preactivations, rcond=None)[0]
    np.testing.assert_allclose(np.vstack([kernel, bias]), expected, atol=1e-6)
    shrunk, _ = least_squares_reconstruction(kept, preactivations, ridge=1.0)
    assert np.abs(shrunk).sum() < 0.9 * np.abs(kernel).sum()


def test_what_cannot_be_is_refused():
    a, z = np.ones((5, 3)), np.ones((5, 2))
    for k in (0, 4):
        with pytest.raises(ValueError, match="k: expected 1 to 3"):
            gaussian_mi_selection(a, z, k)
    with pytest.raises(ValueError, match="as many examples"):
        gaussian_mi_selection(a, z[:4], 2)
    with pytest.raises(ValueError, match="as many examples"):
        least_squares_reconstruction(a, z[:4])
    with pytest.raises(ValueError, match="kept: expected shape"):
        least_squares_reconstruction(np.ones(5), z)


def test_what_learners_write_agrees_with_the_library():
    rng = np.random.default_rng(0)
    activations, preactivations = layer(rng)
    for ours, theirs in zip(reference.least_squares(activations[:, :5], preactivations),
                            least_squares_reconstruction(activations[:, :5], preactivations, ridge=0.0)):
        np.testing.assert_allclose(ours, theirs, atol=1e-8)
    kernels = [rng.normal(size=(7, 5)), rng.normal(size=(5, 3))]
    for share in (0, 0.2, 0.5, 0.97):
        for ours, theirs in zip(reference.global_mask(kernels, share), magnitude_mask(kernels, share)):
            np.testing.assert_array_equal(ours, theirs)
