"""As `test_borders`, for what only Keras has."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from keras import layers  # noqa: E402

from course_lib.dqn import in_keras as dqn  # noqa: E402
from course_lib.dqn.config import DQNConfig  # noqa: E402
from course_lib.networks import in_keras as nets  # noqa: E402
from course_lib.networks.config import TrainingConfig  # noqa: E402
from course_lib.pruning import in_keras as pruning  # noqa: E402

rng = np.random.default_rng(0)


def test_a_target_network_that_shares_weights():
    same = dqn.make_q_network((4,), 2, hidden=(8,))
    body = keras.layers.Dense(8, activation="relu")

    def shares_its_body(obs_shape, n_actions, seed):
        return keras.Sequential([keras.Input(obs_shape), body, keras.layers.Dense(n_actions)])

    for network in (lambda obs_shape, n_actions, seed: same, shares_its_body):
        with pytest.raises(ValueError, match="network: expected a function that makes new weights"):
            dqn.DQNAgent((4,), 2, DQNConfig(hidden=(8,)), network=network)


def test_keras_networks_that_cannot_be_taken_apart():
    lora = layers.Dense(8)
    lora.build((None, 4))
    lora.enable_lora(2)
    for shape, stack, message in (
            ((1, 6, 6), [layers.Conv2D(4, 3, data_format="channels_first"), layers.Flatten(), layers.Dense(2)],
             "channels first"),
            ((6, 6, 1), [layers.Conv2D(4, 3), layers.BatchNormalization(axis=1), layers.Flatten(), layers.Dense(2)],
             "channels first"),
            ((4,), [lora, layers.Dense(2)], "with LoRA"),
            ((6, 6, 1), [layers.Conv2D(16, 3), layers.Reshape((16, 16)), layers.Dense(2)], "Reshape behind")):
        with pytest.raises(ValueError, match=f"model: expected .*{message}"):
            nets.get_kernels(keras.Sequential([keras.Input(shape), *stack]))


def test_a_keras_layer_keeps_its_own_constraint_and_regularizer():
    def make(**options):
        return keras.Sequential([keras.Input((4,)), layers.Dense(8, activation="relu", **options), layers.Dense(2)])

    x, y = rng.normal(size=(128, 4)), np.arange(128) % 2
    model = make(kernel_constraint=keras.constraints.MaxNorm(0.5))
    masks = [np.ones((4, 8), bool), np.ones((8, 2), bool)]
    masks[0][0] = False
    pruning.apply_masks(model, masks)
    nets.train(model, x, y, TrainingConfig(epochs=3, learning_rate=0.1))
    kernel = nets.get_kernels(model)[0]
    assert np.linalg.norm(kernel, axis=0).max() < 0.501 and not kernel[0].any() and kernel[1].any()
    kernels = []
    for options in ({}, {"kernel_regularizer": keras.regularizers.L2(1.0)}):
        model = make(**options)
        nets.train(model, x, y, TrainingConfig(epochs=20, learning_rate=0.02, l2=1e-6))
        kernels.append(np.abs(nets.get_kernels(model)[0]).mean())
    assert kernels[1] < 0.5 * kernels[0]
