"""The same weights give the same numbers in NumPy, in PyTorch and in Keras: outputs, losses, gradients, steps."""

import numpy as np
import pytest

from course_lib.fusion import reference

torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras

RNG = np.random.default_rng(0)
SHAPES, CLASSES, B = [(2, 3), (2, 3)], 3, 9
X = tuple(RNG.normal(size=(B, *shape)).astype(np.float32) for shape in SHAPES)
Y = RNG.integers(0, CLASSES, B)
FORMS = {
    "ConcatFusion": {"hidden": (10,)}, "GatedFusion": {"units": 7}, "AttentionFusion": {"units": 7},
    "MixtureOfExperts": {"hidden": (8,)}, "MixtureOfExperts, top 1": {"hidden": (8,), "k": 1, "balance": 0.5},
    "MixtureOfExperts, Switch": {"hidden": (8,), "k": 1, "switch": True, "balance": 0.5},
    "SharedTrunk": {"hidden": (10,)}, "CrossStitch": {},
}


def twins():
    from course_lib.fusion import in_keras, in_pytorch

    return in_pytorch, in_keras


def experts(twin, form):
    """Networks with features of 5 and 6 numbers, or with logits: no two of their kernels have the same shape."""
    make_mlp = __import__(twin.__name__.replace(".fusion.", ".networks."), fromlist=["make_mlp"]).make_mlp
    widths = [(12, 13)] * 2 if form == "CrossStitch" else [(5,), (6,)]
    made = [make_mlp(shape, CLASSES, hidden=hidden, seed=sum(hidden))
            for shape, hidden in zip(SHAPES, widths, strict=True)]
    return made if "Mixture" in form else [twin.features(one) for one in made]


def dense_layers(net):
    """Those of a network, in the order in which they were made, by the shape of their kernel."""
    if isinstance(net, torch.nn.Module):
        found = [layer for layer in net.modules() if isinstance(layer, torch.nn.Linear)]
        return sorted(((layer.weight.shape[::-1], layer) for layer in found), key=lambda pair: pair[0])
    from course_lib.networks.in_keras import _leaves

    found = [layer for layer in _leaves(net) if hasattr(layer, "kernel")]
    found.sort(key=lambda layer: int(f"0{layer.name.rpartition('_')[2]}".replace("dense", "")))
    return sorted(((tuple(layer.kernel.shape), layer) for layer in found), key=lambda pair: pair[0])


def pair(form):
    """A fused network in both frameworks, with the weights of Keras in both."""
    name, made = form.split(",")[0], []
    for twin in twins():
        given = experts(twin, form)
        given = given[0] if name == "SharedTrunk" else given
        classes = {} if name == "MixtureOfExperts" else {"n_classes": CLASSES}
        made.append(getattr(twin, name)(given, input_shapes=SHAPES, **classes, **FORMS[form], seed=3))
    theirs, ours = (dense_layers(net) for net in made)
    assert [tuple(shape) for shape, _ in theirs] == [shape for shape, _ in ours] and len(ours) >= 3
    with torch.no_grad():
        for (_, layer), (_, source) in zip(theirs, ours, strict=True):
            source.bias.assign(RNG.normal(size=source.bias.shape))
            layer.weight.copy_(torch.tensor(keras.ops.convert_to_numpy(source.kernel).T))
            layer.bias.copy_(torch.tensor(keras.ops.convert_to_numpy(source.bias)))
    return made


def predictions(net):
    if isinstance(net, torch.nn.Module):
        return net(*map(torch.tensor, X)).detach().numpy()
    return np.array(net(list(X)))


def step(net, rate):
    """One step of gradient descent on the cross-entropy and the network's own losses."""
    from course_lib.networks import in_pytorch

    if isinstance(net, torch.nn.Module):
        loss = in_pytorch._cross_entropy(torch.tensor(Y), net.train()(*map(torch.tensor, X)))
        (loss + in_pytorch._penalties(net, 0.0, None)).backward()
        with torch.no_grad():
            for parameter in net.parameters():
                parameter -= rate * parameter.grad
    else:
        net.compile(keras.optimizers.SGD(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        net.train_on_batch(list(X), Y)


@pytest.mark.parametrize("form", FORMS)
def test_outputs_and_a_step(form):
    made = pair(form)
    first, second = (predictions(net) for net in made)
    np.testing.assert_allclose(first, second, atol=1e-5)
    for net in made:
        step(net, 0.1)
    for (shape, layer), (_, other) in zip(*(dense_layers(net) for net in made), strict=True):
        np.testing.assert_allclose(layer.weight.detach().numpy().T, keras.ops.convert_to_numpy(other.kernel), atol=1e-5,
                                   err_msg=f"{shape}")
    moved = [predictions(net) for net in made]
    np.testing.assert_allclose(*moved, atol=1e-5)
    assert np.abs(moved[0] - first).max() > 1e-2


def test_the_gated_unit_is_the_papers_and_attention_the_reference():
    net = pair("GatedFusion")[0].eval()
    with torch.no_grad():
        seen = [values.numpy() for values in net.experts(*map(torch.tensor, X))]
    weights = {name: [(layer.weight.detach().numpy().T, layer.bias.detach().numpy()) for layer in layers]
               for name, layers in (("branches", net.branches), ("gate", [net.gate]), ("head", [net.head]))}
    scores = np.concatenate(seen, axis=1) @ weights["gate"][0][0] + weights["gate"][0][1]
    z = 1 / (1 + np.exp(scores[:, 7:] - scores[:, :7]))  # Arevalo et al., section 3.1: two branches, 7 units
    first, second = (np.tanh(x @ kernel + bias) for x, (kernel, bias) in zip(seen, weights["branches"], strict=True))
    fused = z * first + (1 - z) * second
    np.testing.assert_allclose(predictions(net), fused @ weights["head"][0][0] + weights["head"][0][1], atol=1e-5)
    np.testing.assert_allclose(net.gates(*X)[:, 0], z, atol=1e-6)

    net = pair("AttentionFusion")[0].eval()
    with torch.no_grad():
        seen = net.experts(*map(torch.tensor, X))
        query = net.query(torch.cat(seen, dim=1)).numpy()
        keys, values = (np.stack([layer(x).numpy() for layer, x in zip(layers, seen, strict=True)], axis=1)
                        for layers in (net.keys, net.values))
        _, mean = reference.attention(query, keys, values)
        expected = net.head(torch.tensor(mean, dtype=torch.float32)).numpy()
    np.testing.assert_allclose(predictions(net), expected, atol=1e-5)


@pytest.mark.parametrize(("form", "look"), [
    ("GatedFusion", "gates"), ("MixtureOfExperts", "gates"),
    ("MixtureOfExperts, top 1", "gates")])
def test_what_a_network_looks_at(form, look):
    first, second = (getattr(net, look)(*X) for net in pair(form))
    np.testing.assert_allclose(first, second, atol=1e-5)
    np.testing.assert_allclose(first.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("k", [1, 2, 4])
def test_gates(k):
    scores = RNG.normal(size=(20, 4)).astype(np.float32)
    kept = reference.top_k_gates(scores, k)
    for twin, tensor in zip(twins(), (torch.tensor, keras.ops.convert_to_tensor), strict=True):
        np.testing.assert_allclose(np.array(twin.top_k_gates(tensor(scores), k)), kept, atol=1e-6)
        np.testing.assert_allclose(np.array(twin.top_k_gates(tensor(scores), k, switch=True)),
                                   np.where(kept > 0, reference.softmax(scores), 0), atol=1e-6)


@pytest.mark.parametrize(("odds", "k", "expected"), [
    ([[3, 1], [1, 3]], 1, 1), ([[3, 1], [3, 1]], 1, 2 * 0.75), ([[3, 1], [3, 1]], 2, 1)])  # the last: both are asked
def test_balance_by_hand(odds, k, expected):
    scores = np.log(np.array(odds, np.float32))
    for twin, tensor in zip(twins(), (torch.tensor, keras.ops.convert_to_tensor), strict=True):
        assert float(twin.load_balancing_loss(tensor(scores), k)) == pytest.approx(expected, abs=1e-6)


def test_adversarial_inputs():
    first, second = pair("GatedFusion")
    bounded = tuple(0.5 + 0.1 * part for part in X)
    from course_lib.applications import in_keras, in_pytorch

    moved = [twin.fgsm(net, bounded, Y, step=0.01)
             for twin, net in zip((in_pytorch, in_keras), (first, second), strict=True)]
    for one, other, part in zip(*moved, bounded, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
        assert np.abs(one - part).max() > 0.009
