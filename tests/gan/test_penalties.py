"""The gradient penalties against finite differences, and that training pulls the gradient where it should be."""

import dataclasses

import numpy as np
import pytest

from course_lib.gan.config import GANConfig

CONFIG = GANConfig(hidden=(16, 16), latent_size=4, batch_size=32)
RNG = np.random.default_rng(0)
X, Y = RNG.uniform(-1, 1, (6, 4, 4)).astype(np.float32), np.arange(6) % 2
WEIGHTS_OF = {"R1": {"r1": 2.0}, "R2": {"r1": 0.0, "r2": 2.0}, "gradient penalty": {"r1": 0.0, "gradient_penalty": 2.0}}


def tensors(twin, *arrays):
    if twin.__name__.endswith("keras"):
        import keras

        return [keras.ops.convert_to_tensor(array) for array in arrays]
    import torch

    return [torch.as_tensor(array) for array in arrays]


def number(value):
    return float(value.detach()) if hasattr(value, "detach") else float(value)


def numerical_gradient(gan, x, step=1e-2):
    """Of each logit by its image, by central differences."""
    found = np.empty(x.shape)
    for place in np.ndindex(x.shape[1:]):
        shifted = [x.copy(), x.copy()]
        for sign, values in zip((-1, 1), shifted):
            values[(slice(None), *place)] += sign * step
        found[(slice(None), *place)] = (gan.logits(shifted[1], Y) - gan.logits(shifted[0], Y)) / (2 * step)
    return found


@pytest.fixture
def made(twin):
    """A twin, and a GAN of it."""
    module = twin("gan")
    gan = module.GAN((4, 4), 2, CONFIG)
    return module, gan


def test_input_gradient_is_that_of_finite_differences(made):
    module, gan = made
    logits, gradient = module.input_gradient(gan.discriminator, *tensors(module, X, Y))
    expected = numerical_gradient(gan, X, step=1e-3)
    gradient = np.array(gradient.detach() if hasattr(gradient, "detach") else gradient)
    np.testing.assert_allclose(np.array(logits.detach() if hasattr(logits, "detach") else logits), gan.logits(X, Y),
                               atol=1e-6)
    assert np.abs(gradient - expected).mean() < 2e-3 < 0.05 < np.abs(expected).mean()


@pytest.mark.parametrize("name", WEIGHTS_OF)
def test_penalties_are_those_of_finite_differences(made, name):
    module, gan = made
    fake, mix = RNG.uniform(-1, 1, X.shape).astype(np.float32), RNG.random(len(X), np.float32)
    real, fakes, labels, mixes = tensors(module, X, fake, Y, mix)
    total, bare = (number(module.discriminator_objective(
        gan.discriminator, real, fakes, labels, mixes, dataclasses.replace(CONFIG, **fields)))
        for fields in (WEIGHTS_OF[name], {"r1": 0.0}))
    share = mix[:, None, None]
    where = {"R1": X, "R2": fake, "gradient penalty": share * X + (1 - share) * fake}[name]
    norms = np.sqrt((numerical_gradient(gan, where, step=1e-3) ** 2).sum((1, 2)))
    expected = ((norms - 1) ** 2).mean() if name == "gradient penalty" else (norms**2).mean() / 2
    assert total - bare == pytest.approx(2 * expected, rel=0.02)


def test_training_pulls_the_gradient_to_where_the_penalty_wants_it(twin):
    """A discriminator with hardly anything to learn but its penalty."""
    module, norms = twin("gan"), {}
    for name, fields in (("none", {}), ("R1", {"r1": 100.0}), ("gradient penalty", {"gradient_penalty": 100.0})):
        config = dataclasses.replace(CONFIG, **{"r1": 0.0, **fields}, steps=150, record_every=150,
                                     learning_rate=5e-3)
        gan = module.GAN((4, 4), 2, config)
        gan.fit((X + 1) / 2, Y)
        norms[name] = np.sqrt((numerical_gradient(gan, X, step=1e-3) ** 2).sum((1, 2))).mean()
    assert norms["R1"] < 0.2 < 0.5 < norms["none"]
    assert norms["gradient penalty"] == pytest.approx(1, abs=0.3)


def test_spectral_norm_divides_by_the_largest_singular_value(twin):
    module = twin("gan")
    config = dataclasses.replace(CONFIG, spectral_norm=True, r1=0.0)
    gan = module.GAN((4, 4), 0, config)
    gan.fit((X + 1) / 2, steps=20)
    steep = 0.0
    for _ in range(200):
        first = RNG.uniform(-1, 1, X.shape).astype(np.float32)
        second = first + 1e-2 * RNG.normal(size=X.shape).astype(np.float32)
        rise = np.abs(gan.logits(first, Y) - gan.logits(second, Y))
        steep = max(steep, (rise / np.linalg.norm((first - second).reshape(6, -1), axis=1)).max())
    assert 0.01 < steep <= 1.05  # a product of three layers with norm 1 and leaky ReLUs cannot be steeper than 1
