"""Training steps of Keras models in one graph. That they are the steps one by one is tested with each topic."""

import logging

import numpy as np
import pytest

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras


def test_many_models_are_trained_without_a_warning(caplog):
    from course_lib.common.keras_steps import make_steps

    x = np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32)
    logging.getLogger("tensorflow").propagate = True
    losses = []
    for _ in range(8):  # TensorFlow would warn at the fifth
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse", jit_compile=False)
        steps = make_steps(model, lambda i, x: (x[4 * i: 4 * i + 4], x[4 * i: 4 * i + 4, :1]))
        losses.append(steps(3, x))
    assert np.isfinite(losses).all() and not [record for record in caplog.records if "retracing" in record.getMessage()]


def test_the_gradient_of_the_sum_by_each_input():
    from course_lib.common.keras_steps import value_and_gradient

    x, y = (keras.ops.convert_to_tensor(np.float32(values)) for values in ([[1, 2], [3, 4]], [[5, 6], [7, 8]]))
    outputs, (by_x, by_y) = value_and_gradient(lambda x, y: keras.ops.sum(x * x * y, axis=1), x, y)
    assert keras.ops.convert_to_numpy(outputs).tolist() == [1 * 5 + 4 * 6, 9 * 7 + 16 * 8]
    assert keras.ops.convert_to_numpy(by_x).tolist() == [[10, 24], [42, 64]]  # 2xy
    assert keras.ops.convert_to_numpy(by_y).tolist() == [[1, 4], [9, 16]]
