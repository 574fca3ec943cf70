import numpy as np
import pytest

from course_lib.ensembling.diversity import ambiguity_decomposition, bias_variance, error_correlation


def test_the_ambiguity_decomposition_is_exact():
    rng = np.random.default_rng(0)
    for _ in range(20):
        predictions, y = rng.normal(size=(5, 30)), 3 * rng.normal(size=30)
        weights = rng.dirichlet(np.ones(5))
        found = ambiguity_decomposition(predictions, y, weights)
        assert found.ensemble == pytest.approx(found.members - found.ambiguity, abs=1e-12)
        assert found.ensemble == pytest.approx(((weights @ predictions - y) ** 2).mean())
        assert found.ambiguity > 0.1


def test_ambiguity_by_hand():
    # Errors 1 and 3 below, squared 1 and 9; the mean errs by 2; both are 1 away from it.
    assert ambiguity_decomposition([[1.0], [3.0]], [0.0]) == pytest.approx((4, 5, 1))


@pytest.mark.parametrize("weights", [[1.0], [0.5, 0.6], [0.5, 0.3, 0.2]])
def test_weights_of_another_sum_or_number_are_refused(weights):
    with pytest.raises(ValueError, match=r"weights: expected (2 of sum 1|shape \(2,\))"):
        ambiguity_decomposition([[1.0], [3.0]], [0.0], weights)


def test_correlation_by_hand():
    y = np.array([1.0, 2.0, 3.0])
    correlation = error_correlation(y + np.array([[1, -1, 0], [2, -2, 0], [-1, 1, 0]]), y)
    assert correlation == pytest.approx(np.array([[1, 1, -1], [1, 1, -1], [-1, -1, 1]]))


def test_bias_and_variance_add_up():
    rng = np.random.default_rng(0)
    predictions, truth = rng.normal(size=(7, 20)), rng.normal(size=20)
    bias, variance = bias_variance(predictions, truth)
    assert bias + variance == pytest.approx(((predictions - truth) ** 2).mean())
    assert bias_variance([[1.0], [3.0]], [0.0]) == pytest.approx((4, 1))
