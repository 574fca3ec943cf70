"""The same weights give the same numbers in NumPy, in PyTorch and in Keras: outputs, losses, gradients, one step."""

import importlib

import numpy as np
import pytest

from course_lib.ensembling import reference
from course_lib.ensembling.members import make_members
from course_lib.ensembling.uncertainty import variance_of
from course_lib.networks.config import TrainingConfig

torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras

M, N, INPUTS = 3, 40, 5
RNG = np.random.default_rng(0)
X = RNG.normal(2, 3, (N, INPUTS)).astype(np.float32)
ROWS = [np.arange(N), np.arange(20), np.arange(10, 40)]


def members(outputs):
    made = make_members(X, ROWS, [INPUTS, 8, 7, outputs], [1, 2, 3])
    made.weights[-2][:] *= 10
    for bias in made.weights[1::2]:
        bias[:] = RNG.normal(size=bias.shape)
    return made


def by_hand(made, x):
    """Outputs (M, N, outputs) network by network."""
    found = []
    for m in range(M):
        values = (x - made.mean[m]) / made.scale[m]
        for kernel, bias in zip(made.weights[:-2:2], made.weights[1:-2:2]):
            values = np.maximum(values @ kernel[m] + bias[m], 0)
        found.append(values @ made.weights[-2][m] + made.weights[-1][m])
    return np.array(found)


def softmax_error(outputs, y):
    exponent = np.exp(outputs - outputs.max(-1, keepdims=True))
    return -np.log(np.take_along_axis(exponent / exponent.sum(-1, keepdims=True), y[..., None], -1))[..., 0]


def gaussian(outputs, y):
    nll = [reference.gaussian_nll(target, found[:, 0], variance_of(found[:, 1])) for found, target in zip(outputs, y)]
    return np.array(nll) - 0.5 * np.log(2 * np.pi)


NUMBERS, CLASSES = RNG.normal(size=(M, N)).astype(np.float32), RNG.integers(0, 3, (M, N))
CASES = {
    "squared_error": (1, NUMBERS, lambda outputs, y: ((outputs[..., 0] - y) ** 2).mean(-1)),
    "cross_entropy": (3, CLASSES, lambda outputs, y: softmax_error(outputs, y).mean(-1)),
    "gaussian_nll": (2, NUMBERS, gaussian),
}


def twins():
    from course_lib.ensembling import in_keras, in_pytorch

    return in_pytorch, in_keras


def train_twin(framework):
    return importlib.import_module(f"course_lib.networks.in_{framework}")


def test_outputs_are_those_of_each_network_alone():
    made = members(2)
    expected = by_hand(made, X)
    for twin in twins():
        assert twin.predict_members(made, X, batch_size=7) == pytest.approx(expected, abs=1e-4)
        assert twin.predict_members(made, X) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("name", CASES)
def test_losses_and_gradients_agree(name):
    outputs, y, by_numpy = CASES[name]
    made, (in_pytorch, in_keras) = members(outputs), twins()

    seen = (X - made.mean) / made.scale
    weights = [torch.tensor(part, requires_grad=True) for part in made.weights]
    ours = getattr(in_pytorch, name)(in_pytorch.forward(weights, torch.tensor(seen)), torch.tensor(y))
    gradients = torch.autograd.grad(ours.sum(), weights)
    theirs = getattr(in_keras, name)(in_keras.forward(made.weights, seen), y)
    assert ours.detach().numpy() == pytest.approx(by_numpy(by_hand(made, X), y), rel=1e-4)
    assert keras.ops.convert_to_numpy(theirs) == pytest.approx(ours.detach().numpy(), rel=1e-5, abs=1e-5)
    for twin in twins():  # one step on all examples
        runs = twin.TrainingRuns(made.weights, loss=getattr(twin, name))
        runs.train(X, y, np.full(M, 0.5), rows=np.tile(np.arange(N), (1, M, 1)), mean=made.mean, scale=made.scale)
        for old, new, gradient in zip(made.weights, runs.weights(), gradients):
            assert new == pytest.approx(old - 0.5 * gradient.numpy(), rel=1e-5, abs=1e-5)  # some are near 100


def test_training_leads_to_nearly_the_same_networks():
    """Same start, same order: Adam differs in the last bits only, and a short training keeps them together."""
    made, config = members(1), TrainingConfig(epochs=5, batch_size=8, learning_rate=3e-3, l2=1e-2)
    trained = [twin.train_members(made, X, NUMBERS, ROWS, [1, 2, 3], config, twin.squared_error) for twin in twins()]
    outputs = [twin.predict_members(found, X) for twin, found in zip(twins(), trained)]
    assert outputs[0] == pytest.approx(outputs[1], abs=1e-3)
    assert np.abs(outputs[0] - by_hand(made, X)).max() > 0.1


def test_compiled_training_is_plain_training(monkeypatch):
    _, in_keras = twins()
    made, config, found = members(1), TrainingConfig(epochs=2, batch_size=8, learning_rate=1e-2, l2=1e-3), []
    for _ in range(2):
        trained = in_keras.train_members(made, X, NUMBERS, ROWS, [1, 2, 3], config, in_keras.squared_error)
        found.append(trained.weights)
        monkeypatch.setattr(in_keras.TrainingRuns, "_compiled", staticmethod(lambda steps: steps))
    for compiled, plain in zip(*found):
        assert compiled == pytest.approx(plain, abs=1e-5)


def test_a_batch_ensemble_is_as_many_networks_by_hand():
    """Kernel, first and second scales, and bias of each layer: y = (x * first) @ kernel * second + bias."""
    given, outputs, steps = RNG.normal(size=(7, INPUTS)).astype(np.float32), [], []
    y = RNG.integers(0, 3, 7)
    for twin, networks in zip(twins(), ("pytorch", "keras")):
        model = twin.make_batch_ensemble(INPUTS, 3, hidden=(6,), members=M, seed=4)
        parts = list(model.parameters()) if networks == "pytorch" else model.weights
        arrays = [part.detach().numpy() if networks == "pytorch" else part.numpy() for part in parts]
        assert set(np.unique(arrays[1])) == {-1.0, 1.0} and (arrays[5] == 1).all()  # random signs, but not in the head
        new = [np.random.default_rng(i).normal(size=part.shape).astype(np.float32) for i, part in enumerate(arrays)]
        with torch.no_grad():
            for part, values in zip(parts, new):
                part.copy_(torch.tensor(values)) if networks == "pytorch" else part.assign(values)
        found = train_twin(networks).predict(model, given)
        hidden = np.maximum((given[:, None] * new[1]) @ new[0] * new[2] + new[3], 0)
        assert found == pytest.approx((hidden * new[5]) @ new[4] * new[6] + new[7], abs=1e-4)
        assert found.shape == (7, M, 3)
        loss = twin.over_members(twin.cross_entropy)
        tensors = (torch.tensor(y), torch.tensor(found)) if networks == "pytorch" else (y.astype("float32"), found)
        outputs.append(float(loss(*tensors)))
        errors = softmax_error(np.moveaxis(found, 1, 0), np.tile(y, (M, 1)))
        assert outputs[-1] == pytest.approx(errors.mean(), rel=1e-4)
        config = TrainingConfig(epochs=3, batch_size=4, learning_rate=1e-2)
        losses = train_twin(networks).train(model, given, y.astype(np.float32), config, seed=1, loss=loss)
        steps.append(train_twin(networks).predict(model, given))
        assert losses[-1] < losses[0] and np.abs(steps[-1] - found).max() > 0.01
    assert outputs[0] == pytest.approx(outputs[1], rel=1e-5)
    assert steps[0] == pytest.approx(steps[1], abs=1e-3)


def test_members_of_a_batch_ensemble_share_only_the_kernels():
    """The gradient of one member's loss reaches its own scales and bias, no other's, and the kernels."""
    model = twins()[0].make_batch_ensemble(INPUTS, 2, hidden=(6,), members=M, seed=0)
    model(torch.tensor(X))[:, 1].square().sum().backward()
    for layer in (model[0], model[2]):
        assert layer.kernel.grad.abs().max() > 0
        for part in (layer.first, layer.second, layer.bias):
            assert part.grad[1].abs().max() > 0 and part.grad[[0, 2]].abs().max() == 0


@pytest.mark.parametrize("settings, message", [
    (dict(members=0), "members: expected a whole number >= 1, got 0"),
    (dict(hidden=(4, 0)), "hidden: expected whole numbers >= 1"),
    (dict(hidden=4.5), "hidden: expected a whole number >= 1, got 4.5"),
])
def test_a_batch_ensemble_that_makes_no_sense_is_refused(settings, message):
    for twin in twins():
        with pytest.raises(ValueError, match=message):
            twin.make_batch_ensemble(3, 2, **settings)
