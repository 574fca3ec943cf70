"""By hand: one step of each remedy."""

import numpy as np
import pytest

from course_lib.training.reference import adam_step, clip_by_norm, dropout, early_stopping
from course_lib.training.remedies import EarlyStopping


def test_clipping_by_hand():
    clipped = clip_by_norm([np.array([3.0]), np.array([[0.0, 4.0]])], 1.0)
    np.testing.assert_allclose(clipped[0], [0.6])
    np.testing.assert_allclose(clipped[1], [[0, 0.8]])
    for gradients in ([np.array([0.3, 0.4])], [np.zeros(2)]):
        np.testing.assert_array_equal(clip_by_norm(gradients, 1.0)[0], gradients[0])


def test_dropout_by_hand():
    np.testing.assert_allclose(dropout(np.array([1.0, 2, 3]), np.array([0.1, 0.25, 0.9]), 0.25), [0, 2 / 0.75, 4])


def test_the_first_step_of_adam_is_the_learning_rate():
    weights, mean, square = adam_step(np.ones(2), np.array([5.0, -0.01]), np.zeros(2), np.zeros(2), 1, 0.1)
    np.testing.assert_allclose(weights, [0.9, 1.1], rtol=1e-5)
    np.testing.assert_allclose(mean, [0.5, -0.001])
    np.testing.assert_allclose(square, [0.025, 1e-7])


@pytest.mark.parametrize("seed", range(5))
def test_stopping_is_what_the_class_does(seed):
    losses = np.abs(np.linspace(-1, 1, 25)) + np.random.default_rng(seed).normal(0, 0.2, 25)
    stopping, over = EarlyStopping(4), []
    for loss in losses:
        over.append(bool(stopping.update(np.array([loss]))[0]))
    best, stopped = early_stopping(losses, 4)
    assert best == stopping.best[0] and stopped == (over.index(True) if any(over) else 24)
