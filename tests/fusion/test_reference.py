"""The formulas of fusion, worked by hand."""

import numpy as np

from course_lib.fusion import reference


def test_gated_unit_of_two_branches_is_the_papers():
    rng = np.random.default_rng(0)
    features = [rng.normal(size=(5, 3)), rng.normal(size=(5, 2))]
    kernels, biases = [rng.normal(size=(3, 4)), rng.normal(size=(2, 4))], [rng.normal(size=4), rng.normal(size=4)]
    gate, shift = rng.normal(size=(5, 8)), rng.normal(size=8)
    fused, gates = reference.gated_unit(features, kernels, biases, gate, shift)
    # Arevalo et al.: z = sigmoid(W [x1, x2]), h = z * tanh(W1 x1) + (1 - z) * tanh(W2 x2)
    scores = np.concatenate(features, axis=1) @ gate + shift
    z = 1 / (1 + np.exp(-(scores[:, :4] - scores[:, 4:])))
    first, second = (np.tanh(x @ kernel + bias) for x, kernel, bias in zip(features, kernels, biases, strict=True))
    np.testing.assert_allclose(fused, z * first + (1 - z) * second)
    np.testing.assert_allclose(gates[:, 0], z)


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
