"""The same weights give the same activations and outputs in PyTorch and in Keras."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras

RNG = np.random.default_rng(0)
CLASSES, B = 3, 9
X = RNG.normal(size=(B, 2, 3)).astype(np.float32)


def test_layers_and_activations_are_the_same_in_both():
    from course_lib.merging import weights
    from course_lib.networks import in_keras as keras_nets
    from course_lib.networks import in_pytorch as torch_nets

    layers = keras_nets.get_layers(keras_nets.make_mlp((2, 3), CLASSES, hidden=(5, 4), seed=0))
    twins = torch_nets, keras_nets
    nets = [twin.set_layers(twin.make_mlp((2, 3), CLASSES, hidden=(5, 4), seed=9), weights.permute(layers, [
        [4, 2, 0, 1, 3], [3, 2, 0, 1]])) for twin in twins]
    for first, second in zip(*(twin.get_layers(net) for twin, net in zip(twins, nets, strict=True)), strict=True):
        np.testing.assert_array_equal(first[0], second[0])
        np.testing.assert_array_equal(first[1], second[1])
    hidden = [[into for into, _ in twin.collect_activations(net, X)[1:]] for twin, net in zip(twins, nets, strict=True)]
    for first, second in zip(*hidden, strict=True):
        np.testing.assert_allclose(first, second, atol=1e-6)
    outputs = [twin.predict(net, X) for twin, net in zip(twins, nets, strict=True)]
    np.testing.assert_allclose(*outputs, atol=1e-5)
    np.testing.assert_allclose(hidden[0][-1] @ layers[-1][0][[3, 2, 0, 1]] + layers[-1][1], outputs[0], atol=1e-5)


def test_recurrent_networks():
    from course_lib.networks import in_keras, in_pytorch

    theirs, ours = (module.make_rnn((4, 3), CLASSES, units=5, seed=1) for module in (in_pytorch, in_keras))
    kernel, recurrent, bias = ours.layers[0].get_weights()  # Keras: update, reset, candidate; PyTorch: reset, update
    bias = np.asarray(RNG.normal(size=bias.shape), np.float32)
    ours.layers[0].set_weights([kernel, recurrent, bias])
    order = np.r_[5:10, 0:5, 10:15]
    with torch.no_grad():
        for parameter, values in zip(theirs[0].parameters(), (kernel.T, recurrent.T, *bias), strict=True):
            parameter.copy_(torch.tensor(values[order]))
        theirs[1].weight.copy_(torch.tensor(keras.ops.convert_to_numpy(ours.layers[1].kernel).T))
    x = RNG.normal(size=(B, 4, 3)).astype(np.float32)
    np.testing.assert_allclose(in_pytorch.predict(theirs, x), in_keras.predict(ours, x), atol=1e-5)
