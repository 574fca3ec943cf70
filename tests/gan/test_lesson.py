"""The networks, losses, steps and loop that lesson 04 shows come to the same images as the library's."""

from pathlib import Path

import nbformat
import numpy as np
import pytest

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "04_gan.ipynb"
WANTED = ("import torch", "from torch", "import keras", "from keras", "from course_lib.common.keras", "class Player",
          "class Generator", "class Discriminator", "def ", "# shown: course_lib.gan.in_")
B, STEPS = 16, 3  # rounding decides the sign of tiny gradients, and Adam makes whole steps of them


def lesson(gan):
    """What the cells of this framework define, and those of both."""
    names, mark = {"np": np, "gan": gan}, f"%%{gan.__name__.rpartition('in_')[2]}\n"
    for cell in nbformat.read(NOTEBOOK, 4).cells:
        source = cell.source.removeprefix(mark)
        if cell.cell_type == "code" and not source.startswith("%%"):
            for part in source.split("\n\n\n"):
                if part.startswith(WANTED) and not part.startswith("def draw"):
                    exec(part, names)
    return names


def weights(network, *parts):
    """The weights of these parts of a network, in their order; all without names."""
    found = []
    for part in [getattr(network, name) for name in parts] or [network]:
        found += part.parameters() if hasattr(part, "parameters") else part.weights
    return found


def copy(ours, theirs):
    """Give one network the weights of another."""
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs):
        if hasattr(mine, "assign"):
            mine.assign(other)
        else:
            mine.data.copy_(other.data)


@pytest.mark.parametrize("r1", [0.0, 1.0])
def test_the_lessons_players_take_the_librarys_steps(twin, r1):
    gan = twin("gan")
    names, config = lesson(gan), gan.GANConfig(hidden=(256, 256), latent_size=32, r1=r1, average=0.0, batch_size=B)
    library, players = gan.GAN((8, 8), 0, config), names["new_networks"](seed=1)
    copy(weights(library.generator, "start", "body"), weights(players[0]))
    copy(weights(library.discriminator, "body", "score"), weights(players[1]))
    losses = names["losses_with_r1" if r1 else "losses"](*players)
    forger, expert = (names["Player"](player, loss) for player, loss in zip(players, reversed(losses)))
    rng = np.random.default_rng(0)
    real, mix = rng.uniform(-1, 1, (STEPS, 1, B, 8, 8)).astype(np.float32), np.zeros((STEPS, 1, B), np.float32)
    z, labels = rng.standard_normal((STEPS, 2, B, 32), np.float32), np.zeros((STEPS, 1, B), np.int64)
    same = z[0, 0]
    before = names["outputs_of"](players[0], same)
    for step in range(STEPS):
        expert.step(real[step, 0].reshape(B, 64), z[step, 0])
        forger.step(z[step, 1])
    library.update_block(real, labels, z, mix)
    mine, theirs = names["outputs_of"](players[0], same), library.generate(same, labels[0, 0], averaged=False)
    moved, off = (np.abs(mine - other).mean() for other in (before, theirs.reshape(B, 64)))
    assert moved > 0.05 and off < 0.03 * moved


def test_the_lessons_loop_plays_and_keeps_what_it_should(twin):
    names = lesson(twin("gan"))
    images = np.random.default_rng(0).uniform(-1, 1, (20, 64)).astype(np.float32)
    generator, film = names["play"](images, 3, 0, kept=(1, 3))
    assert [each.shape for each in film] == [(10, 64)] * 2 and np.abs(film[1] - film[0]).max() > 1e-3
    same = np.random.default_rng(0).standard_normal((10, 32), np.float32)
    np.testing.assert_allclose(film[-1], names["outputs_of"](generator, same), atol=1e-6)


def test_the_lessons_convolutional_networks_are_the_librarys(twin):
    gan = twin("gan")
    config = gan.GANConfig(network="conv", filters=32, latent_size=64)
    ours, theirs = (gan.GAN((28, 28), 10, config, networks=networks) for networks in (lesson(gan)["new_players"], None))
    for name, last in (("generator", "start"), ("discriminator", "score")):
        mine, other = getattr(ours, name), getattr(theirs, name)
        copy(weights(other, "body", last, "label"), weights(mine, "body", last.replace("score", "real"), "label"))
    z, labels = np.random.default_rng(0).standard_normal((B, 64), np.float32), np.arange(B) % 10
    images = ours.generate(z, labels, averaged=False)
    np.testing.assert_allclose(images, theirs.generate(z, labels, averaged=False), atol=1e-5)
    np.testing.assert_allclose(ours.logits(images, labels), theirs.logits(images, labels), atol=1e-4)
    assert images.std() > 0.05
