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
