"""The same weights give the same numbers in NumPy, in PyTorch and in Keras: outputs, losses, penalties, gradients."""

import numpy as np
import pytest

from course_lib.gan import reference
from course_lib.gan.config import GANConfig

torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")
pytestmark = pytest.mark.keras

RNG = np.random.default_rng(0)
NETWORKS = {"dense": GANConfig(hidden=(12, 9), latent_size=5),
            "conv": GANConfig(network="conv", filters=6, latent_size=5)}
GAMES = {
    "non-saturating + R1": {"r1": 0.3},
    "R3GAN": {"objective": "relativistic", "r1": 0.3, "r2": 0.2},
    "WGAN-GP": {"objective": "wasserstein", "r1": 0, "gradient_penalty": 10},
    "hinge + spectral norm": {"objective": "hinge", "r1": 0, "spectral_norm": True},
}
B, SHAPE = 7, (8, 8)
LABELS = RNG.integers(0, 3, B)
REAL, FAKE = RNG.uniform(-1, 1, (2, B, *SHAPE)).astype(np.float32)
MIX = RNG.random(B).astype(np.float32)
Z = RNG.normal(size=(B, 5)).astype(np.float32)


def twins():
    from course_lib.gan import in_keras, in_pytorch

    return in_pytorch, in_keras


def to_torch(name, array, network, width):
    """A Keras array in PyTorch's layout. Flattened feature maps (2, 2, channels) have their channels first there."""
    channels = width // 4

    def reorder(values):
        return values.reshape(*values.shape[:-1], 4, channels).swapaxes(-1, -2).reshape(values.shape)

    flat = network == "conv" and array.shape[-1] == width and array.ndim < 3
    if "label" in name:
        return reorder(array) if flat else array
    if name == "score.weight" and network == "conv":
        return reorder(array.T)
    if array.ndim == 4:
        return array.transpose(3, 2, 0, 1)  # the same permutation for transposed kernels, whose axes 2 and 3 are turned
    return reorder(array).T if flat and array.ndim == 2 else reorder(array) if flat else array.T


def named(torch_net, keras_net):
    """Pairs of a PyTorch parameter's name and the Keras variable that corresponds."""
    def order(part):
        ends = getattr(part, "start", None) or part.score
        return [*part.body.trainable_variables, *ends.trainable_variables, *part.label.trainable_variables]

    names = [name for name, _ in torch_net.named_parameters()]
    parts = [[name for name in names if name.startswith(start)] for start in ("body", ("start", "score"), "label")]
    parts = [sorted(part, key=lambda name: (name.split(".")[:2] if name.startswith("body") else [], "bias" in name))
             for part in parts]
    return list(zip([name for part in parts for name in part], order(keras_net), strict=True))


def pair(kind, network, **fields):
    """The same network in both frameworks, with the same weights, and how to compare its gradients."""
    import dataclasses

    config = dataclasses.replace(NETWORKS[network], **fields)
    made = [getattr(twin, kind)(SHAPE, 3, config, seed=1) for twin in twins()]
    inputs = (Z if kind == "Generator" else REAL), LABELS
    made[1](*map(keras.ops.convert_to_tensor, inputs))
    width = {"dense": 0, "conv": 4 * config.filters}[network]
    parameters = dict(made[0].named_parameters())
    for name, variable in named(*made):
        value = RNG.normal(0, 0.3, variable.shape).astype(np.float32)
        variable.assign(value)
        with torch.no_grad():
            parameters[name].copy_(torch.as_tensor(to_torch(plain(name), value, network, width).copy()))
    return made, config, width


def plain(name):
    return name.replace("parametrizations.weight.original", "weight")


def compare_gradients(made, losses, network, width, tape):
    losses[0].backward()
    parameters = dict(made[0].named_parameters())
    variables = named(*made)
    for (name, _), gradient in zip(variables, tape.gradient(losses[1], [variable for _, variable in variables])):
        gradient = to_torch(plain(name), keras.ops.convert_to_numpy(gradient), network, width)
        np.testing.assert_allclose(parameters[name].grad.numpy(), gradient, rtol=1e-4, atol=2e-5, err_msg=name)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("kind", ["Generator", "Discriminator"])
def test_initial_weights_are_drawn_from_the_same_range(kind, network):
    import dataclasses

    config = dataclasses.replace(NETWORKS[network], hidden=(120, 90), filters=60, latent_size=50)
    made = [getattr(twin, kind)(SHAPE, 30, config, seed=1) for twin in twins()]
    made[1](keras.ops.zeros((2, 50) if kind == "Generator" else (2, *SHAPE)), keras.ops.zeros(2, "int32"))
    parameters = dict(made[0].named_parameters())
    for name, variable in named(*made):
        ours, theirs = (np.abs(values).max() for values in (parameters[name].detach().numpy(), variable.numpy()))
        assert ours == pytest.approx(theirs, rel=0.1), name


@pytest.mark.parametrize("objective", reference.OBJECTIVES)
def test_losses_are_those_of_the_reference(objective):
    real, fake = RNG.normal(0, 3, (2, 50)).astype(np.float32)
    for name in ("discriminator_loss", "generator_loss"):
        expected = getattr(reference, name)(real, fake, objective)
        for twin, tensor in zip(twins(), (torch.as_tensor, keras.ops.convert_to_tensor)):
            found = float(getattr(twin, name)(tensor(real), tensor(fake), objective))
            assert found == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("network", NETWORKS)
def test_generators_make_the_same_images_and_learn_alike(network):
    import tensorflow as tf

    made, _, width = pair("Generator", network)
    images = made[0](torch.as_tensor(Z), torch.as_tensor(LABELS))
    with tf.GradientTape() as tape:
        theirs = made[1](tf.constant(Z), tf.constant(LABELS))
        loss = tf.reduce_mean(theirs * REAL)
    np.testing.assert_allclose(images.detach().numpy(), theirs.numpy(), atol=1e-5)
    assert images.shape == (B, *SHAPE) and images.std() > 0.05
    compare_gradients(made, ((images * torch.as_tensor(REAL)).mean(), loss), network, width, tape)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("game", GAMES)
def test_discriminators_have_the_same_objective_and_gradient(network, game):
    import tensorflow as tf

    made, config, width = pair("Discriminator", network, **GAMES[game])
    ours, theirs = ([make(array) for array in (REAL, FAKE, LABELS, MIX)] for make in (torch.as_tensor, tf.constant))
    if config.spectral_norm:
        for _ in range(200):  # power iteration starts elsewhere in each framework
            made[0].train()(ours[0], ours[2])
            made[1](theirs[0], theirs[2], training=True)
        made[0].eval()
    loss = twins()[0].discriminator_objective(made[0], *ours, config)
    with tf.GradientTape() as tape:
        expected = twins()[1].discriminator_objective(made[1], *theirs, config)
    assert loss.item() == pytest.approx(float(expected), rel=1e-5)
    compare_gradients(made, (loss, expected), network, width, tape)


@pytest.mark.parametrize("game", [name for name in GAMES if "spectral" not in name])
def test_players_take_the_same_steps(game):
    """A GAN of each framework, from the same weights on the same batches; Adam divides by small numbers: hence 1e-3."""
    config = GANConfig(hidden=(12, 9), latent_size=5, discriminator_steps=2, average=0.3, **GAMES[game])
    ours, theirs = (twin.GAN(SHAPE, 3, config) for twin in twins())
    for name in ("generator", "discriminator"):
        networks = getattr(ours, name), getattr(theirs, name)
        parameters = dict(networks[0].named_parameters())
        for key, variable in named(*networks):
            with torch.no_grad():
                parameters[key].copy_(torch.as_tensor(to_torch(key, variable.numpy(), "dense", 0).copy()))
    ours.averaged.load_state_dict(ours.generator.state_dict())
    x, y = (REAL + 1) / 2, LABELS
    first, second = ours.fit(x, y, steps=20), theirs.fit(x, y, steps=20)
    assert first.d_loss[1:] == pytest.approx(second.d_loss[1:], abs=1e-4)
    assert first.g_loss[1:] == pytest.approx(second.g_loss[1:], abs=1e-4)
    for averaged in (True, False):
        images = [gan.sample(LABELS, averaged=averaged) for gan in (ours, theirs)]
        np.testing.assert_allclose(*images, atol=1e-3)
    assert ours.steps == theirs.steps == 20
