"""By hand: one step of each remedy."""

import numpy as np

from course_lib.training.reference import adam_step, clip_by_norm, dropout, early_stopping


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


def test_stopping_by_hand():
    assert early_stopping([5, 4, 4, 3.9, 4, 3.95, 1], 2) == (3, 5)  # as low as before is no new lowest
    assert early_stopping([5, 6, 7, 1], 2) == (0, 2)  # what comes after the stop is never seen
    assert early_stopping([1.0], 3) == (0, 0)
