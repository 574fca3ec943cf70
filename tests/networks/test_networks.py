"""Small networks of either framework: trained, and taken apart."""

import numpy as np
import pytest

from course_lib.networks.config import TrainingConfig
from course_lib.networks.scores import log_loss

CONFIG = TrainingConfig(epochs=8, learning_rate=3e-3)


def test_a_recurrent_network_reads_rows(nets, digits):
    model = nets.make_rnn((8, 8), 10, units=32, seed=1)
    losses = nets.train(model, digits.x_train, digits.y_train, CONFIG)
    assert losses[-1] < losses[0] / 2 and nets.accuracy(model, digits.x_test, digits.y_test) > 0.7
    upside_down = digits.x_test[:, ::-1]
    assert np.abs(nets.predict(model, upside_down) - nets.predict(model, digits.x_test)).max() > 0.1
    again, other = (nets.make_rnn((8, 8), 10, units=32, seed=seed) for seed in (1, 2))
    first = nets.predict(nets.make_rnn((8, 8), 10, units=32, seed=1), digits.x_test)
    np.testing.assert_array_equal(nets.predict(again, digits.x_test), first)
    assert np.abs(nets.predict(other, digits.x_test) - first).max() > 0.01


def test_layers_that_do_not_fit_are_refused_and_nothing_is_written(nets):
    model = nets.make_mlp((8, 8), 10, hidden=(4,))
    layers = nets.get_layers(model)
    wrong = [(kernel, bias[:1]) for kernel, bias in layers]
    for given in (wrong, layers[:1], nets.get_layers(nets.make_mlp((8, 8), 10, hidden=(5,)))):
        with pytest.raises(ValueError, match="layers"):
            nets.set_layers(model, given)
    for (kernel, bias), (same, too) in zip(layers, nets.get_layers(model), strict=True):
        np.testing.assert_array_equal(kernel, same)
        np.testing.assert_array_equal(bias, too)


def test_log_loss_by_hand():
    said, y = np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]]), np.array([0, 1])
    assert log_loss(said, y) == pytest.approx(-(np.log(0.5) + np.log(0.1)) / 2)
    assert log_loss(np.array([said, said[::-1]]), y) == pytest.approx(
        [-np.log(0.05) / 2, -(np.log(0.1) + np.log(0.3)) / 2])
    assert np.isfinite(log_loss(np.array([[0.0, 1.0]]), np.array([0])))
    for wrong in (np.array([True, False]), np.array([-1, 0]), np.array([1, 3]), y[:1]):  # bools would be a mask
        with pytest.raises(ValueError, match="y: expected (shape|whole numbers|numbers from 0 to 2)"):
            log_loss(said, wrong)


def test_weights_are_not_taken_from_what_normalises(twin):
    """Its means and scales would be lost: averaged, permuted or carried on, the network would be another."""
    nets = twin("networks")
    if nets.__name__.endswith("in_pytorch"):
        from torch import nn

        model = nn.Sequential(nn.Flatten(), nn.Linear(64, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 10))
    else:
        import keras
        from keras import layers

        model = keras.Sequential([keras.Input((8, 8)), layers.Flatten(), layers.Dense(6), layers.BatchNormalization(),
                                  layers.ReLU(), layers.Dense(10)])
    dense = nets.get_layers(nets.make_mlp((8, 8), 10, hidden=(6,)))
    for call in (lambda: nets.get_layers(model), lambda: nets.set_layers(model, dense)):
        with pytest.raises(ValueError, match="without normalisation, .*, got BatchNorm"):
            call()
