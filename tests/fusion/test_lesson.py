"""What lesson 05 shows, its step, its fusions and its mixture, computes what the library's computes."""

import ast
from dataclasses import replace
from itertools import permutations, product
from pathlib import Path

import fusion as study
import nbformat
import numpy as np
import pytest

from course_lib.dqn.config import DQNConfig
from course_lib.fusion.inputs import halves
from course_lib.networks.config import TrainingConfig

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "05_fusion.ipynb"
SHAPES = [(8, 4), (8, 4)]


def lesson(twin):
    """What the cells of a framework define."""
    framework = twin.__name__.rpartition("in_")[2]
    names, mark = {"np": np, "seed": 0}, f"%%{framework}\n"
    for cell in nbformat.read(NOTEBOOK, 4).cells:
        if cell.cell_type == "code" and cell.source.startswith(mark):
            exec(cell.source.removeprefix(mark), names)
    return names


def weights(net):
    return list(net.parameters()) if hasattr(net, "parameters") else list(net.weights)


def layers(net):
    """Its layers: a kernel with its bias, or what stands alone."""
    found, left = [], weights(net)
    while left:
        first = left.pop(0)
        found.append([first, left.pop(0)] if left and len(left[0].shape) == 1 else [first])
    return found


def give(to, values):
    for mine, value in zip(to, values, strict=True):
        if hasattr(mine, "assign"):
            mine.assign(value)
        else:
            mine.data.copy_(mine.new_tensor(np.asarray(value)))


def arrays(layer):
    return [values.detach().numpy().copy() if hasattr(values, "detach") else values.numpy() for values in layer]


def same_function(nets, ours, theirs, inputs):
    """Whether some assignment of our layers' weights to the library's of the same shape gives the same outputs."""
    rng = np.random.default_rng(0)
    for layer in layers(ours):
        give(layer, [rng.normal(0, 0.3, values.shape) for values in layer])
    wanted, by_shape = nets.predict(ours, inputs), {}
    for side, net in enumerate((ours, theirs)):
        for layer in layers(net):
            by_shape.setdefault(tuple(tuple(values.shape) for values in layer), ([], []))[side].append(layer)
    assert all(len(mine) == len(other) for mine, other in by_shape.values())
    for orders in product(*(permutations(mine) for mine, _ in by_shape.values())):
        for (_, other), order in zip(by_shape.values(), orders, strict=True):
            for layer, source in zip(other, order, strict=True):
                give(layer, arrays(source))
        if np.allclose(nets.predict(theirs, inputs), wanted, atol=1e-4):
            return np.ptp(wanted) > 0.5
    return False


@pytest.mark.parametrize(("name", "form"), [
    ("concatenation", "ConcatFusion"), ("shared trunk", "SharedTrunk"), ("attention", "AttentionFusion"),
    ("gated", "GatedFusion"), ("cross-stitch", "CrossStitch")])
def test_the_lessons_fusions_are_the_librarys(twin, digits, name, form):
    fusion, nets = twin("fusion"), twin("networks")
    hidden = (64, 64) if form == "CrossStitch" else (64,)
    experts = [fusion.features(nets.make_mlp((8, 4), 10, hidden=hidden, seed=seed)) for seed in (0, 1)]
    theirs = getattr(fusion, form)(experts[0] if form == "SharedTrunk" else experts, SHAPES, 10)
    ours, inputs = lesson(fusion)["new_fusions"]()[name], halves(digits.x_test[:20])
    assert same_function(nets, ours, theirs, inputs)
    assert not np.allclose(nets.predict(ours, inputs), nets.predict(ours, inputs[::-1]), atol=1e-2)


@pytest.mark.parametrize("options", [
    {"k": 1}, {"k": 1, "switch": True, "balance": 0.5}, {"k": 2, "balance": 0.1}, {"k": 4}])
def test_the_lessons_mixture_is_the_librarys(twin, digits, options):
    fusion, nets = twin("fusion"), twin("networks")
    ours, x = lesson(fusion)["Mixture"](**options), digits.x_test[:50]
    nets.predict(ours, x)
    theirs = fusion.MixtureOfExperts(list(ours.experts), [(8, 8)], **options)
    gates = {tuple(values.shape): values for values in weights(ours.gate)}
    for values in weights(theirs):
        if tuple(values.shape) in gates:
            give([values], arrays([gates[tuple(values.shape)]]))
    np.testing.assert_allclose(nets.predict(ours, x), nets.predict(theirs, x), atol=1e-5)
    extra = []
    for net in (ours, theirs):
        if hasattr(net, "parameters"):
            net.train()(weights(net)[0].new_tensor(x))
            extra.append(float(net.auxiliary_loss.detach() if options.get("balance") else 0))
        else:
            net(x, training=True)
            extra.append(float(sum(net.losses)))
    assert extra[0] == pytest.approx(extra[1], abs=1e-5) and (extra[0] > 0) == ("balance" in options)


def test_the_lessons_step_is_the_librarys_first(twin, digits):
    nets, names = twin("networks"), lesson(twin("fusion"))
    half, y = halves(digits.x_train[:64])[0], digits.y_train[:64]
    expert = names["new_expert"]()
    other = nets.make_mlp((8, 4), 10, hidden=(64,))
    give(weights(other), arrays(weights(expert)))
    before = arrays(weights(expert))
    names["train"](expert, (half,), y, epochs=1)
    nets.train(other, half, y, nets.TrainingConfig(epochs=1, batch_size=64, learning_rate=3e-3))
    for mine, theirs, start in zip(arrays(weights(expert)), arrays(weights(other)), before, strict=True):
        step = np.abs(mine - start).mean()
        assert step > 1e-3 and np.abs(mine - theirs).mean() < 0.01 * step  # Adam's epsilon is 1e-8 here, 1e-7 there


def test_the_lesson_and_the_studies_have_the_same_settings_and_cameras(digits):
    names = {"np": np, "replace": replace, "DQNConfig": DQNConfig, "TrainingConfig": TrainingConfig}
    wanted = {"TRAINING", "CHOOSER", "PLANNER", "second_camera"}
    for cell in nbformat.read(NOTEBOOK, 4).cells:
        if cell.cell_type == "code" and not cell.source.startswith("%%"):
            for part in ast.parse(cell.source).body:
                made = {getattr(each, "id", "") for each in getattr(part, "targets", ())} | {getattr(part, "name", "")}
                if made & wanted:
                    exec(ast.unparse(part), names)
    assert (names["TRAINING"], names["CHOOSER"], names["PLANNER"]) == (study.EXPERT, study.CHOOSER, study.PLANNER)
    images = digits.x_test[:20]
    np.testing.assert_array_equal(names["second_camera"](images), study.other_camera(images, np.ones(20, bool)))
