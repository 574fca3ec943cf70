"""Weights of ensembles: worked by hand, then against other ways to the same minimum."""

import numpy as np
import pytest
from scipy.optimize import minimize

from course_lib.ensembling import reference
from course_lib.ensembling.weights import (
    greedy_ensemble_selection,
    nnls_weights,
    simplex_weights,
    squared_error,
    two_model_weight,
)
from course_lib.networks.scores import log_loss


@pytest.fixture
def models():
    """Predictions (4, 200) of four models, and the targets."""
    rng = np.random.default_rng(0)
    y = rng.normal(size=200)
    return y + rng.normal(size=(4, 200)) * np.array([[0.5], [0.6], [1.0], [2.0]]) + 0.3 * rng.normal(size=200), y


@pytest.mark.parametrize(("first", "second", "alpha"), [
    ([1, 2, 3], [0, 0, 0], 1.0),  # the first is right
    ([0, 0, 0], [1, 2, 3], 0.0),
    ([2, 3, 4], [0, 1, 2], 0.5),  # one above, one below
    ([2, 2, 3], [1, 0, 3], 0.8),  # d = 1, 2, 0; (1*0 + 2*2) / (1 + 4)
    ([5, 5, 5], [5, 5, 5], 0.5),  # no weight is better than another
])
def test_two_models_by_hand(first, second, alpha):
    assert two_model_weight([1, 2, 3], first, second) == pytest.approx(alpha)


def test_two_models_on_the_same_side_are_clipped():
    assert two_model_weight([0, 0], [1, 1], [2, 2]) == 1.0  # 2 would be better still


def test_no_other_weight_of_two_models_is_better(models):
    (first, second, *_), y = models
    alpha = two_model_weight(y, first, second)
    others = [squared_error(a * first + (1 - a) * second, y) for a in np.linspace(0, 1, 1001)]
    assert squared_error(alpha * first + (1 - alpha) * second, y) <= min(others)
    assert 0 < alpha < 1


def test_nnls_by_hand_and_by_projected_gradient(models):
    assert nnls_weights([[1, 0], [0, 1]], [3, -2]) == pytest.approx([3, 0])
    predictions, y = models
    weights = nnls_weights(predictions, y)
    assert weights == pytest.approx(reference.nnls_weights(predictions, y), abs=1e-6)
    assert (weights >= 0).all() and weights[3] < 0.05 < weights[0]


def test_the_simplex_has_no_better_weights(models):
    predictions, y = models
    for shift in (0, 100):  # far from zero the solution is the same: the weights sum to 1
        weights = simplex_weights(predictions + shift, y + shift)
        found = minimize(lambda w: squared_error(w @ predictions, y), np.full(4, 0.25), bounds=[(0, 1)] * 4,
                         constraints={"type": "eq", "fun": lambda w: w.sum() - 1}, options={"ftol": 1e-12})
        assert weights == pytest.approx(found.x, abs=1e-4)
        assert weights.sum() == pytest.approx(1) and (weights >= 0).all()


def test_simplex_weights_of_a_perfect_model_and_of_one_model():
    assert simplex_weights([[1, 2, 3], [0, 0, 9]], [1, 2, 3]) == pytest.approx([1, 0], abs=1e-6)
    assert simplex_weights([[4.0, 5.0]], [4.0, 5.0]) == pytest.approx([1])


def test_greedy_selection_by_hand():
    # First the model that errs least, then the one that balances it, then the first again (a tie goes to the first).
    assert greedy_ensemble_selection([[1.0, 1.0], [-2.0, -2.0]], [0, 0], rounds=3) == pytest.approx([2 / 3, 1 / 3])
    assert greedy_ensemble_selection([[1.0], [1.0]], [0], rounds=2) == pytest.approx([1, 0])


def test_greedy_selection_comes_near_the_simplex(models):
    predictions, y = models
    greedy = squared_error(greedy_ensemble_selection(predictions, y, rounds=200) @ predictions, y)
    assert greedy == pytest.approx(squared_error(simplex_weights(predictions, y) @ predictions, y), rel=1e-3)
    counts = greedy_ensemble_selection(predictions, y, rounds=20) * 20
    assert counts == pytest.approx(reference.greedy_counts(predictions, y, 20))


def test_greedy_selection_of_classifiers_by_log_loss():
    sure, wrong, fair = [[0.9, 0.1], [0.1, 0.9]], [[0.1, 0.9], [0.9, 0.1]], [[0.5, 0.5], [0.5, 0.5]]
    y = np.array([0, 1])
    assert greedy_ensemble_selection([wrong, fair, sure], y, rounds=5, loss=log_loss) == pytest.approx([0, 0, 1])


@pytest.mark.parametrize("call", [
    lambda: two_model_weight([1, 2], [1, 2], [1, 2, 3]),
    lambda: two_model_weight([], [], []),
    lambda: nnls_weights(np.ones((3, 2)), np.ones(3)),  # transposed
    lambda: simplex_weights(np.ones(3), np.ones(3)),
    lambda: greedy_ensemble_selection(np.ones((2, 3)), np.ones(2)),
    lambda: greedy_ensemble_selection(np.ones((2, 3)), np.ones(3), rounds=0),
    lambda: greedy_ensemble_selection(np.ones((2, 3)), np.ones(3), rounds=2.5),
    lambda: greedy_ensemble_selection([[np.nan, 1.0]], np.ones(2)),
    lambda: two_model_weight([1, 2], [1, np.nan], [1, 2]),
])
def test_shapes_that_do_not_fit_are_refused(call):
    with pytest.raises(ValueError, match="expected .*got"):
        call()
