"""The formulas of fusion, worked by hand."""

import numpy as np

from course_lib.fusion import reference


def test_a_step_of_the_gate_goes_down_the_slope_of_its_loss():
    rng = np.random.default_rng(0)
    w, x, (first, second, y) = rng.normal(size=3), rng.normal(size=(6, 3)), rng.random((3, 6, 2))

    def loss(w):
        z = 1 / (1 + np.exp(-x @ w))[:, None]
        return np.mean((z * first + (1 - z) * second - y) ** 2)

    slope = [(loss(w + 1e-6 * axis) - loss(w - 1e-6 * axis)) / 2e-6 for axis in np.eye(3)]
    np.testing.assert_allclose(reference.gate_step(w, x, first, second, y, 0.1), w - 0.1 * np.array(slope), atol=1e-8)


def test_attention_by_hand():
    weights, mean = reference.attention(np.array([[2.0, 0, 0, 0]]), np.array([[[np.log(3.0), 0, 0, 0], [0, 9, 9, 9]]]),
                                        np.array([[[4.0], [8.0]]]))
    np.testing.assert_allclose(weights, [[0.75, 0.25]])  # 2 * log 3 / sqrt(4)
    np.testing.assert_allclose(mean, [[5.0]])


def test_top_k_gates_by_hand():
    scores = np.log([[1.0, 2.0, 3.0], [5.0, 5.0, 1.0]])
    np.testing.assert_allclose(reference.top_k_gates(scores, 2), [[0, 0.4, 0.6], [0.5, 0.5, 0]])
    np.testing.assert_allclose(reference.top_k_gates(scores, 1), [[0, 0, 1], [1, 0, 0]])  # a tie: the first
    np.testing.assert_allclose(reference.top_k_gates(scores, 3), reference.softmax(scores))
