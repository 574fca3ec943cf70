"""What lesson 06 computes in the open is what the library computes."""

import numpy as np
import pytest
from lessons import define

from course_lib.common import data
from course_lib.merging import weights

WANTED = {"logits", "mean_of", "permuted", "greedy_soup", "flat", "shaped", "task_arithmetic", "ties", "regmean"}


def network(seed, sizes=(4, 6, 5, 3)):
    rng = np.random.default_rng(seed)
    return [(rng.normal(size=(inputs, units)), rng.normal(size=units))
            for inputs, units in zip(sizes[:-1], sizes[1:], strict=True)]


def lesson(framework="neither"):
    """What its cells define, with networks that are drawn."""
    base, experts = network(0), [network(seed) for seed in (1, 2, 3)]
    flat = [np.concatenate([values.ravel() for layer in layers for values in layer]) for layers in (base, *experts)]
    names = {"np": np, "seed": 0, "base": base, "experts": experts, "vectors": np.array(flat[1:]) - flat[0]}
    return define("06_merging", framework, WANTED, names)


def same(ours, theirs):
    for mine, other in zip(ours, theirs, strict=True):
        for one, two in zip(mine, other, strict=True):
            np.testing.assert_allclose(one, two, atol=1e-8)


def test_means_and_orders():
    names, (first, second) = lesson(), (network(1), network(2))
    same(names["mean_of"]([first, second]), weights.average([first, second]))
    same(names["mean_of"]([first, second], [0.3, 0.7]), weights.average([first, second], [0.3, 0.7]))
    orders = weights.match_weights(second, first)
    same(names["permuted"](second, orders), weights.permute(second, orders))
    x = np.random.default_rng(0).normal(size=(7, 2, 2))
    np.testing.assert_allclose(names["logits"](names["permuted"](second, orders), x), names["logits"](second, x))


def test_soups():
    names, networks = lesson(), [network(seed) for seed in range(5)]
    for score in (lambda layers: -np.abs(layers[0][0]).sum(), lambda layers: layers[1][0].max()):
        same(names["greedy_soup"](networks, score), weights.greedy_soup(networks, score)[0])


@pytest.mark.parametrize("scale", [-1.0, 0.3, 1.0])
def test_task_vectors(scale):
    names = lesson()
    same(names["task_arithmetic"](scale), weights.task_arithmetic(names["base"], names["experts"], scale))
    for keep in (0.2, 0.8):
        same(names["ties"](keep, scale), weights.ties(names["base"], names["experts"], keep=keep, scale=scale))


def test_regmean():
    names, rng = lesson(), np.random.default_rng(0)
    inputs = [rng.normal(size=(40, 4)) for _ in range(3)]
    for mine, other in zip(names["regmean"](names["experts"], inputs),
                           weights.regmean(names["experts"], inputs), strict=True):
        np.testing.assert_allclose(mine[0], other[0], atol=1e-3)


def test_the_adapter_and_a_step_of_its_training(twin):
    merging, nets, digits = twin("merging"), twin("networks"), data.load("digits")
    names = lesson(merging.__name__.rpartition("in_")[2])
    layers = nets.get_layers(nets.make_mlp((8, 8), 10, hidden=(32,), seed=1))
    ours, theirs = names["LoRA"](layers), merging.LoRA(layers)
    x, y = digits.x_train[:64], digits.y_train[:64]
    np.testing.assert_allclose(nets.predict(ours, x), nets.predict(theirs, x), atol=1e-5)
    down = list(theirs.down) if hasattr(theirs, "down") else [part[2] for part in theirs.parts]
    for mine, other in zip(ours.a, down, strict=True):
        mine.assign(other) if hasattr(mine, "assign") else mine.data.copy_(other.data)
    names["train"](ours, x, y, epochs=1)
    nets.train(theirs, x, y, nets.TrainingConfig(epochs=1, batch_size=64, learning_rate=1e-2))
    for mine, other, before in zip(names["merged"](ours), theirs.merged(), layers, strict=True):
        step = np.abs(other[0] - before[0]).mean()
        assert step > 1e-3 and np.abs(mine[0] - other[0]).mean() < 0.01 * step
        np.testing.assert_array_equal(mine[1], before[1])


def test_a_step_of_distillation(twin):
    merging, nets, digits = twin("merging"), twin("networks"), data.load("digits")
    names = lesson(merging.__name__.rpartition("in_")[2])
    x, y = digits.x_train[:64], digits.y_train[:64]
    teacher = np.random.default_rng(0).normal(size=(64, 10)).astype(np.float32)
    ours, theirs = (nets.make_mlp((8, 8), 10, hidden=(16,), seed=1) for _ in range(2))
    before = nets.get_layers(ours)
    names["distil"](ours, x, teacher, y, epochs=1, share=0.7)
    merging.distill(theirs, x, y, teacher, nets.TrainingConfig(epochs=1, learning_rate=3e-3), share=0.7)
    for mine, other, start in zip(nets.get_layers(ours), nets.get_layers(theirs), before, strict=True):
        step = np.abs(other[0] - start[0]).mean()
        assert step > 1e-3 and np.abs(mine[0] - other[0]).mean() < 0.01 * step
