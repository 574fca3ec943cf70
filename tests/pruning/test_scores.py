"""Masks and scores: cases worked out by hand, and what other libraries say."""

import numpy as np
import pytest

from course_lib.pruning import scores
from course_lib.pruning.schedules import polynomial_sparsity
from course_lib.pruning.scores import binned_entropy, class_mutual_information, lamp_scores, magnitude_mask

SMALL = [np.array([[0.1, -0.4]]), np.array([[0.3], [-0.2]])]


@pytest.mark.parametrize(("scope", "expected"), [
    ("global", [[[False, True]], [[True], [False]]]),
    ("layer", [[[False, True]], [[True], [False]]]),
])
def test_half_of_four_weights(scope, expected):
    assert [mask.tolist() for mask in magnitude_mask(SMALL, 0.5, scope=scope)] == expected


def test_scopes_differ_where_layers_do():
    kernels = [np.array([[1.0, 2.0]]), np.array([[0.1], [0.2]])]
    assert [m.ravel().tolist() for m in magnitude_mask(kernels, 0.5)] == [[True, True], [False, False]]
    assert [m.ravel().tolist() for m in magnitude_mask(kernels, 0.5, scope="layer")] == [[False, True], [False, True]]
    assert [m.ravel().tolist() for m in magnitude_mask(kernels, 0.5, scope="lamp")] == [[False, True], [False, True]]
    assert [m.ravel().tolist() for m in magnitude_mask(kernels, [0.0, 1.0], scope="layer")] == [
        [True, True], [False, False]]


def test_lamp_scores_by_hand():
    np.testing.assert_allclose(lamp_scores(np.array([[2.0, -1.0], [0.0, 3.0]])), [[4 / 13, 1 / 14], [0, 1]])


@pytest.mark.parametrize("scope", ["global", "layer", "lamp"])
def test_exactly_k_remain_even_among_equals(scope):
    kernels = [np.ones((4, 3)), -np.ones((3, 5)), np.zeros((5, 2))]
    for share in (0, 0.1, 0.37, 0.5, 0.99, 1):
        left = sum(int(mask.sum()) for mask in magnitude_mask(kernels, share, scope=scope))
        expected = sum(k.size - round(share * k.size) for k in kernels) if scope == "layer" else 37 - round(share * 37)
        assert left == expected


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.99])
def test_masks_agree_with_torch_prune(share):
    torch = pytest.importorskip("torch")
    from torch.nn.utils import prune

    rng = np.random.default_rng(0)
    kernels = [rng.normal(size=(20, 30)), rng.normal(size=(30, 10))]
    layers = [torch.nn.Linear(*kernel.shape) for kernel in kernels]
    for layer, kernel in zip(layers, kernels):
        layer.weight = torch.nn.Parameter(torch.tensor(kernel.T.copy()))
    prune.global_unstructured([(layer, "weight") for layer in layers], prune.L1Unstructured, amount=share)
    for layer, mask in zip(layers, magnitude_mask(kernels, share)):
        np.testing.assert_array_equal(layer.weight_mask.numpy().T.astype(bool), mask)
    for kernel, mask in zip(kernels, magnitude_mask(kernels, share, scope="layer")):
        layer = torch.nn.Linear(*kernel.shape)
        layer.weight = torch.nn.Parameter(torch.tensor(kernel.T.copy()))
        prune.l1_unstructured(layer, "weight", amount=share)
        np.testing.assert_array_equal(layer.weight_mask.numpy().T.astype(bool), mask)


@pytest.mark.parametrize(("share", "scope", "message"), [
    (1.1, "global", "sparsity: expected a number from 0 to 1, got 1.1"),
    (-0.1, "layer", "sparsity: expected a number from 0 to 1, got -0.1"),
    (0.5, "best", "scope: expected one of global, layer, lamp, got 'best'"),
    ([0.1, 0.2], "global", "expected one number"), ([0.1], "layer", r"sparsity: expected shape \(2,\)")])
def test_impossible_masks_are_refused(share, scope, message):
    with pytest.raises(ValueError, match=message):
        magnitude_mask(SMALL, share, scope=scope)


def test_the_cubic_schedule():
    assert polynomial_sparsity(0, 10, 30, 0.8) == polynomial_sparsity(10, 10, 30, 0.8) == 0
    assert polynomial_sparsity(20, 10, 30, 0.8) == pytest.approx(0.8 - 0.8 / 8)
    assert polynomial_sparsity(20, 10, 30, 0.8, initial=0.4, power=1) == pytest.approx(0.6)
    assert polynomial_sparsity(30, 10, 30, 0.8) == polynomial_sparsity(99, 10, 30, 0.8) == 0.8
    with pytest.raises(ValueError, match="begin < end"):
        polynomial_sparsity(0, 10, 10, 0.8)


def test_entropy_by_hand():
    activations = np.array([[0, 0, 1], [0, 0, 2], [0, 3, 3], [0, 3, 4]], float)  # constant, a coin, four values
    np.testing.assert_allclose(binned_entropy(activations, bins=4, corrected=False), [0, 1, 2])
    bias = np.array([0, 1, 3]) / (2 * 4 * np.log(2))
    np.testing.assert_allclose(binned_entropy(activations, bins=4), [0, 1, 2] + bias)


def test_exact_zeros_have_a_bin_of_their_own_and_widths_are_shared():
    activations = np.array([[0.0, 1.0], [1e-6, 9.0], [0.0, 5.0]])
    codes = scores._bins(activations, 3)
    assert codes[0, 0] == codes[2, 0] == 0 and codes[1, 0] == 1
    assert codes[:, 1].tolist() == [1, 3, 2]  # [0, 3), [3, 6), [6, 9]
    np.testing.assert_array_equal(binned_entropy(np.zeros((5, 2)), corrected=False), 0)


def test_mutual_information_agrees_with_scikit_learn():
    from sklearn.metrics import mutual_info_score

    rng = np.random.default_rng(0)
    labels = rng.integers(0, 5, 400)
    activations = np.maximum(rng.normal(size=(400, 6)) + labels[:, None] * np.linspace(0, 1, 6), 0)
    found = class_mutual_information(activations, labels, bins=8, corrected=False)
    codes = scores._bins(activations, 8)
    expected = [mutual_info_score(labels, column) / np.log(2) for column in codes.T]
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert found[-1] > 2 * found[0]


def test_the_correction_takes_the_bias_off():
    rng = np.random.default_rng(0)
    plain, corrected = np.array([[found.mean() for found in (
        class_mutual_information(activations, labels, bins=4, corrected=c) for c in (False, True))]
        for activations, labels in ((rng.uniform(size=(200, 50)), rng.integers(0, 10, 200)) for _ in range(20))]).T
    assert plain.mean() == pytest.approx((4 - 1) * (10 - 1) / (2 * 200) / np.log(2), rel=0.1)  # nothing but bias
    assert abs(corrected.mean()) < 0.1 * plain.mean()


@pytest.mark.parametrize("labels", [np.zeros(3), np.zeros((4, 2), int), np.zeros(5, int)])
def test_wrong_labels_are_refused(labels):
    with pytest.raises(ValueError, match=r"labels: expected (shape \(4,\)|whole numbers)"):
        class_mutual_information(np.ones((4, 2)), labels)
    for bad in (np.ones(4), np.zeros((0, 3)), np.array([[1.0, np.nan]])):
        with pytest.raises(ValueError, match="activations: expected (shape|finite numbers)"):
            binned_entropy(bad)
    for kernels in (np.ones((2, 2)), [], [np.array([np.nan])]):
        with pytest.raises(ValueError, match=r"kernels: expected a list|kernels\[0\]: expected finite"):
            magnitude_mask(kernels, 0.5)
