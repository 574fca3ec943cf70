"""Fusing predictions: hand-worked cases, and what fusion must not depend on."""

import numpy as np
import pytest

from course_lib.fusion import outputs, reference

TWO = np.array([[[0.8, 0.2], [0.5, 0.5]], [[0.4, 0.6], [0.9, 0.1]]])  # (experts, examples, classes)


def drawn(seed, shape=(3, 40, 5)):
    return reference.softmax(2 * np.random.default_rng(seed).normal(size=shape))


def test_weighted_means():
    np.testing.assert_allclose(outputs.weighted(TWO), [[0.6, 0.4], [0.7, 0.3]])
    np.testing.assert_allclose(outputs.weighted(TWO, [0.75, 0.25]), [[0.7, 0.3], [0.6, 0.4]])
    np.testing.assert_allclose(outputs.weighted(TWO, [[1, 0], [0, 1]]), [[0.8, 0.2], [0.9, 0.1]])
    np.testing.assert_allclose(outputs.weighted([[1.0, 2.0], [3.0, 6.0]], [0.5, 0.5]), [2, 4])  # forecasts


def test_product_of_experts():
    found = outputs.product_of_experts(TWO)
    np.testing.assert_allclose(found[0], [0.32 / 0.44, 0.12 / 0.44])
    np.testing.assert_allclose(found[1], [0.9, 0.1])  # an expert without an opinion changes nothing
    many = drawn(0)
    np.testing.assert_allclose(outputs.product_of_experts(many),
                               many.prod(axis=0) / many.prod(axis=0).sum(axis=1, keepdims=True))


def test_every_expert_has_a_veto_in_a_product_and_none_in_a_median():
    sure, silly = np.array([[0.99, 0.01]]), np.array([[0.0, 1.0]])
    assert outputs.product_of_experts([sure, sure, silly])[0, 1] > 0.99
    np.testing.assert_allclose(outputs.median([sure, sure, silly]), sure)


def test_median_of_experts_who_are_sure_of_different_classes():
    np.testing.assert_allclose(outputs.median(np.eye(3)[:, None, :]), np.full((1, 3), 1 / 3))


@pytest.mark.parametrize("fuse", [outputs.weighted, outputs.product_of_experts, outputs.median])
def test_fused_probabilities_are_probabilities_and_the_order_of_experts_does_not_matter(fuse):
    many = drawn(1)
    np.testing.assert_allclose(fuse(many).sum(axis=1), 1)
    np.testing.assert_allclose(fuse(many), fuse(many[::-1]))
    np.testing.assert_allclose(fuse(many[:1]), many[0])


def test_best_alpha_is_the_best_of_a_fine_grid():
    rng = np.random.default_rng(2)
    y = rng.integers(3, size=400)
    good, fair = (reference.softmax(rng.normal(size=(400, 3)) + size * np.eye(3)[y]) for size in (2, 1))

    def loss(alpha):
        return -np.log((alpha * good + (1 - alpha) * fair)[np.arange(400), y]).mean()

    grid = np.linspace(0, 1, 1001)
    assert outputs.best_alpha(good, fair, y) == pytest.approx(grid[np.argmin([loss(alpha) for alpha in grid])],
                                                              abs=2e-3)
    assert outputs.best_alpha(fair, good, y) == pytest.approx(1 - outputs.best_alpha(good, fair, y), abs=2e-3)
    assert outputs.best_alpha(good, np.full((400, 3), 1 / 3), y) > 0.5


@pytest.mark.parametrize("call, message", [
    (lambda: outputs.weighted([[1.0], [1.0, 2.0]]), "rows of different shapes"),
    (lambda: outputs.weighted([]), "expected shape"),
    (lambda: outputs.weighted(TWO, [0.5, 0.6]), "sums of 1"),
    (lambda: outputs.weighted(TWO, [1.0]), r"expected shape \(2,\)"),
    (lambda: outputs.weighted([[1.0], [np.nan]]), "finite"),
    (lambda: outputs.median(TWO * 2), "each row of sum 1"),
    (lambda: outputs.product_of_experts(np.log(TWO)), "none negative"),
    (lambda: outputs.best_alpha(TWO[0], TWO[1], [0.0, 1.0]), "y: expected whole numbers, got float64"),
    (lambda: outputs.best_alpha(TWO[0], TWO[1], [0]), "y: expected shape \\(2,\\)"),
])
def test_what_does_not_fit(call, message):
    with pytest.raises(ValueError, match=message):
        call()
