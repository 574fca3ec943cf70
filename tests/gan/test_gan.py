"""What a GAN does in either framework: it learns, samples, resumes and refuses."""

import dataclasses

import gan as study
import numpy as np
import pytest

from course_lib.common import data
from course_lib.gan.config import GANConfig
from course_lib.gan.metrics import frechet_distance

SMALL = GANConfig(hidden=(16,), latent_size=4, batch_size=8, steps=6, record_every=3)
RNG = np.random.default_rng(0)
X, Y = RNG.random((30, 8, 8), np.float32), np.arange(30) % 3


@pytest.fixture
def gan_twin(twin):
    return twin("gan")


def weights(gan):
    state = gan.state()
    return [values for name in ("generator", "discriminator", "averaged") for values in state[name] if values.size > 1]


GAMES = {"R1": {}, "minimax": {"objective": "minimax", "r1": 0.0},
         "WGAN-GP": {"objective": "wasserstein", "r1": 0.0, "gradient_penalty": 10.0, "discriminator_steps": 2},
         "hinge + spectral norm": {"objective": "hinge", "r1": 0.0, "spectral_norm": True},
         "R3GAN": {"objective": "relativistic", "r2": 1.0}, "conv": {"network": "conv", "filters": 4}}


@pytest.mark.parametrize("game", GAMES)
def test_every_weight_moves(gan_twin, game):
    gan = gan_twin.GAN((8, 8), 3, dataclasses.replace(SMALL, **GAMES[game]))
    before = [np.copy(values) for values in weights(gan)]
    history = gan.fit(X, Y)
    assert len(before) > 12
    assert all(not np.array_equal(old, new) for old, new in zip(before, weights(gan), strict=True))
    assert history.step == [0, 3, 6] == [round(step) for step in history.step]
    assert np.isnan(history.d_loss[0]) and np.isfinite(history.d_loss[1:] + history.g_loss[1:]).all()
    samples = np.array(history.samples)
    assert samples.shape == (3, 300, 8, 8) and 0 <= samples.min() < samples.max() <= 1


def test_samples_follow_label_seed_and_latents(gan_twin):
    gan = gan_twin.GAN((8, 8), 3, SMALL)
    labels = np.array([0, 1, 2, 0])
    images = gan.sample(labels, seed=4)
    assert images.shape == (4, 8, 8) and images.min() >= 0 and images.max() <= 1
    np.testing.assert_array_equal(images, gan.sample(labels, seed=4))
    assert not np.array_equal(images, gan.sample(labels, seed=5))
    same = gan.sample(labels, latents=np.zeros((4, 4)))
    np.testing.assert_allclose(same[0], same[3], atol=1e-6)
    assert np.abs(same[0] - same[1]).max() > 1e-3


def test_the_same_seed_gives_the_same_run_and_another_seed_another(gan_twin):
    first, second, third = (gan_twin.GAN((8, 8), 3, SMALL, seed=seed) for seed in (1, 1, 2))
    histories = [gan.fit(X, Y, seed=seed) for gan, seed in ((first, 5), (second, 5), (third, 5))]
    assert histories[0].d_loss[1:] == histories[1].d_loss[1:] != histories[2].d_loss[1:]
    np.testing.assert_array_equal(first.sample(Y), second.sample(Y))


def test_interrupted_saved_and_resumed_is_the_same(gan_twin, tmp_path):
    whole = gan_twin.GAN((8, 8), 3, SMALL)
    whole.fit(X, Y)
    half = gan_twin.GAN((8, 8), 3, SMALL)
    half.fit(X, Y, steps=2)  # not where an entry is made
    half.save(tmp_path / "gan.npz")
    resumed = gan_twin.GAN.load(tmp_path / "gan.npz")
    assert resumed.config == SMALL and resumed.steps == 2
    np.testing.assert_allclose(half.sample(Y), resumed.sample(Y), atol=1e-6)
    resumed.fit(X, Y, steps=4)
    np.testing.assert_allclose(whole.sample(Y), resumed.sample(Y), atol=1e-6)
    np.testing.assert_allclose(whole.score(X, Y), resumed.score(X, Y), atol=1e-5)


def test_record_every_does_not_change_the_training(gan_twin):
    images = []
    for every in (1, 4, 100):
        gan = gan_twin.GAN((8, 8), 3, dataclasses.replace(SMALL, record_every=every))
        history = gan.fit(X, Y)
        images.append(gan.sample(Y))
        assert history.step == sorted({*range(0, 7, every), 6})
    np.testing.assert_allclose(images[1:], images[:1] * 2, atol=1e-6)


def test_a_state_is_a_copy_and_can_be_gone_back_to(gan_twin):
    gan = gan_twin.GAN((8, 8), 3, SMALL)
    fresh, whole = gan.state(), []
    for _ in range(2):
        gan.fit(X, Y)
        whole.append(gan.sample(Y))
        gan.restore(fresh)
    np.testing.assert_allclose(*whole, atol=1e-6)


def test_what_the_history_says(gan_twin):
    gan = gan_twin.GAN((8, 8), 3, SMALL)
    history = gan.fit(X, Y)
    latents = np.random.default_rng([0, 1]).standard_normal((300, 4), np.float32)
    last = gan.sample(history.labels, latents=latents, averaged=False)
    np.testing.assert_allclose(history.samples[-1], last, atol=1e-6)
    pairs = gan.score(X, Y)[:, None] > gan.score(last, history.labels)
    assert history.auc[-1] == pytest.approx(pairs.mean(), abs=1e-3)
    moved = np.square(last - history.samples[-2]).sum((1, 2)).mean() / X.var(axis=0).sum()
    assert history.movement[-1] == pytest.approx(np.sqrt(moved), rel=1e-3) and np.isnan(history.movement[0])


def test_no_average_is_the_generator_itself(gan_twin):
    gan = gan_twin.GAN((8, 8), 3, dataclasses.replace(SMALL, average=0.0))
    gan.fit(X, Y)
    np.testing.assert_array_equal(gan.sample(Y), gan.sample(Y, averaged=False))


def test_divergence_ends_training_and_keeps_the_history(gan_twin):
    from course_lib.gan.diagnosis import diagnose

    gan = gan_twin.GAN((8, 8), 3, dataclasses.replace(SMALL, learning_rate=1e30, steps=60))
    history = gan.fit(X, Y)
    assert 2 <= len(history.step) < 21 and [finding.name for finding in diagnose(history)] == ["divergence"]


def test_loading_needs_the_networks_that_were_saved(gan_twin, tmp_path):
    def networks(shape, n_classes, config, seed):
        other = dataclasses.replace(config, hidden=(5, 7, 6))
        return gan_twin.Generator(shape, n_classes, other), gan_twin.Discriminator(shape, n_classes, other)

    gan_twin.GAN((8, 8), 3, SMALL, networks=networks).save(tmp_path / "gan.npz")
    with pytest.raises(ValueError, match="networks: expected the function that .* was saved with, got None"):
        gan_twin.GAN.load(tmp_path / "gan.npz")


def test_a_callback_stops_training(gan_twin):
    gan = gan_twin.GAN((8, 8), 3, SMALL)
    assert gan.fit(X, Y, callbacks=[lambda history: history.step[-1] >= 3]).step == [0, 3]


def test_points_without_classes(gan_twin):
    gan = gan_twin.GAN((2,), 0, SMALL)
    history = gan.fit(RNG.normal(5, 3, (40, 2)))
    assert gan.sample(np.zeros(7, int)).shape == (7, 2) and history.samples[-1].shape == (300, 2)


def test_own_networks(gan_twin):
    def networks(shape, n_classes, config, seed):
        bigger = dataclasses.replace(config, hidden=(5, 7))
        return gan_twin.Generator(shape, n_classes, bigger, seed=seed), gan_twin.Discriminator(shape, n_classes, bigger)

    gan = gan_twin.GAN((8, 8), 3, SMALL, networks=networks)
    gan.fit(X, Y)
    assert 7 in {size for values in gan.state()["discriminator"] for size in values.shape}


def test_it_learns_one_gaussian(gan_twin):
    x = RNG.normal((3, -1), (0.5, 1), (2000, 2))
    config = GANConfig(hidden=(32, 32), latent_size=4, steps=2000, record_every=2000, learning_rate=2e-3, r1=0.1,
                       average=0.99)
    gan = gan_twin.GAN((2,), 0, config)
    gan.fit(x)
    samples = gan.sample(np.zeros(2000, int))
    assert samples.mean(0) == pytest.approx([3, -1], abs=0.3) and samples.std(0) == pytest.approx([0.5, 1], rel=0.4)


@pytest.mark.parametrize(("call", "message"), [
    (lambda t: t.GAN((8, 8, 3), 3), "expected \\(height, width\\) or \\(features,\\)"),
    (lambda t: t.GAN((6, 8), 3, GANConfig(network="conv")), "multiples of 4, got \\(6, 8\\)"),
    (lambda t: t.GAN((8, 8), 3, {"r1": 1}), "expected a GANConfig or None, got dict"),
    (lambda t: t.GAN((8, 8), 3, SMALL).fit(X * 255, Y), "expected images in \\[0, 1\\]"),
    (lambda t: t.GAN((8, 8), 3, SMALL).fit(X), "one of 3, got None"),
    (lambda t: t.GAN((8, 8), 3, SMALL).fit(X, Y + 1), "labels: expected numbers from 0 to 2, got 1 to 3"),
    (lambda t: t.GAN((8, 8), 3, SMALL).fit(X[:, :4], Y), "got \\(30, 4, 8\\)"),
    (lambda t: t.GAN((8, 8), 3, SMALL).fit(X, Y[:5]), "one class for each of 30 examples, got 5"),
    (lambda t: t.GAN((8, 8), 3, SMALL).fit(X[:4], Y[:4]), "at least 6 examples, .* got 4 examples"),
    (lambda t: t.GAN((8, 8), 3, SMALL).fit(X, Y, steps=-3), "steps >= 0, got 30 examples and -3 steps"),
    (lambda t: t.GAN((8, 8), 3, SMALL).sample(3), "expected shape \\(M,\\)"),
    (lambda t: t.GAN((8, 8), 3, SMALL).sample(Y, latents=np.zeros((2, 4))), "shape \\(30, 4\\), got \\(2, 4\\)"),
])
def test_what_does_not_fit_is_refused(gan_twin, call, message):
    with pytest.raises(ValueError, match=message):
        call(gan_twin)


def test_a_file_of_something_else_is_refused(gan_twin, tmp_path):
    from course_lib.common import checkpoint

    checkpoint.save(tmp_path / "other.npz", {"kind": "DQNAgent", "framework": "x"})
    with pytest.raises(ValueError, match="expected a GAN saved by course_lib.gan.in_.*, got DQNAgent saved by x"):
        gan_twin.GAN.load(tmp_path / "other.npz")


@pytest.mark.parametrize(("fields", "message"), [
    ({"objective": "least squares"}, "expected one of minimax, .*, got 'least squares'"),
    ({"network": "transformer"}, "expected one of dense, conv"), ({"r1": -1}, "a number >= 0"),
    ({"average": 1}, r"a number in \[0, 1\)"), ({"hidden": ()}, "a tuple of whole numbers"), ({"steps": 0}, ">= 1"),
    ({"spectral_norm": 1}, "True or False")])
def test_hyper_parameters_are_checked(fields, message):
    with pytest.raises(ValueError, match=message):
        GANConfig(**fields)


@pytest.mark.parametrize("game", GAMES)
def test_a_run_depends_on_its_seed_alone(gan_twin, game):
    made = []
    for seed in (5, 5, 6):
        gan = gan_twin.GAN((8, 8), 3, dataclasses.replace(SMALL, **GAMES[game]), seed=seed)
        gan.fit(X, Y)
        made.append(gan.sample(Y, averaged=False))
    np.testing.assert_array_equal(made[0], made[1])
    assert np.abs(made[0] - made[2]).max() > 1e-2


@pytest.mark.parametrize("name", ["hinge + spectral norm", "WGAN-GP", "R3GAN"])
def test_objectives_that_the_notebook_does_not_train_bring_images_nearer_to_digits(gan_twin, name):
    digits = data.load("digits")
    config = dataclasses.replace(study.GAMES[name], hidden=(64,), latent_size=8, learning_rate=5e-3, average=0.0,
                                 steps=100, record_every=100)
    gan = gan_twin.GAN((8, 8), 10, config)
    distances = []
    for steps in (0, 100):
        gan.fit(digits.x_train, digits.y_train, steps=steps)
        made = gan.sample(digits.y_train[:600])
        distances.append(frechet_distance(digits.x_train.reshape(-1, 64), made.reshape(-1, 64)))
    assert distances[1] < distances[0] / 2
