"""What lesson 09 computes in the open is what the library, the frameworks and its studies compute."""

from collections import Counter

import numpy as np
import pytest
import training as benchmark
from babel import Locale
from lessons import define
from scipy.ndimage import map_coordinates
from sklearn.datasets import load_digits
from sklearn.feature_extraction.text import HashingVectorizer

from course_lib.training import reference
from course_lib.training.tasks import Task, batches, first_weights

RULES = {"SGD": "sgd", "SGD with momentum": "momentum", "RMSprop": "rmsprop", "Adam": "adam"}
WANTED = {*RULES.values(), "dog", "adam_with_l2", "adamw", "clipped", "stacked", "constant", "cosine", "warm_up",
          "warm_up_and_cosine", "digits", "names", "LANGUAGES", "found", "often", "WORDS", "HASH", "descend",
          "range_test", "shifted", "remedied"}


def framework_of(module):
    return module.__name__.rpartition("in_")[2]


def lesson(nets=None):
    """What its cells define."""
    names = {"np": np, "seed": 0, "nets": nets, "Counter": Counter, "Locale": Locale, "Task": Task, "batches": batches,
             "load_digits": load_digits, "HashingVectorizer": HashingVectorizer, "map_coordinates": map_coordinates,
             "first_weights": first_weights, "dropout_masks": reference.dropout_masks}
    return define("09_training", framework_of(nets) if nets else "neither", WANTED, names)


def test_its_rules_and_schedules():
    names, rng = lesson(), np.random.default_rng(0)
    rules = [(names[own], benchmark.RULES[name]) for name, own in RULES.items()] + [(names["dog"], benchmark.dog)]
    for ours, theirs in rules:
        w, mine, other = rng.normal(size=(3, 40)), {}, {}
        for t in range(1, 6):
            g = rng.normal(size=w.shape)
            step = ours(g, w, mine, t)
            np.testing.assert_allclose(step, theirs(g, w, other, t))
            w = w - 0.1 * step
    for name, schedule in benchmark.SCHEDULES.items():
        ours = names[name.replace("-", "_").replace(" ", "_")]
        np.testing.assert_allclose([ours(share) for share in np.linspace(0, 1, 21)],
                                   [schedule(share) for share in np.linspace(0, 1, 21)])


def test_its_penalty_decay_and_clipping_by_hand():
    names, rng = lesson(), np.random.default_rng(0)
    g, w = rng.normal(size=(2, 3, 40))
    np.testing.assert_allclose(names["adam_with_l2"](0.2)(g, w, {}, 1), names["adam"](g + 0.4 * w, w, {}, 1))
    np.testing.assert_allclose(names["adamw"](0.2)(g, w, {}, 1), names["adam"](g, w, {}, 1) + 0.2 * w)
    g *= np.array([[10], [1], [0]])
    cut = names["clipped"](names["sgd"], 12.0)(g, w, {}, 1)
    for own, wanted in zip(cut, g, strict=True):
        np.testing.assert_allclose(own, reference.clip_by_norm([wanted], 12.0)[0])
    assert np.linalg.norm(cut, axis=1).round(6)[0] == 12 and (cut[1:] == g[1:]).all()


@pytest.mark.parametrize("task, options", [("digits", {}), ("digits", {"count": 30, "layers": 3, "units": 32,
                                                                       "gain": 1.5}), ("names", {})])
def test_its_tasks(task, options):
    ours, theirs = (make(7, **options) for make in (lesson()[task], getattr(benchmark, task)))
    for part in ("x", "y", "x_val", "y_val", "x_test", "y_test"):
        np.testing.assert_array_equal(getattr(ours, part), getattr(theirs, part))
    for one, other in zip(ours.weights, theirs.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_it_descends_as_the_studies_do(nets):
    names, tasks = lesson(nets), [benchmark.digits(own) for own in range(3)]
    seen = names["descend"](names["momentum"], tasks, [0.01, 0.03], 40, names["cosine"], every=10)
    batch = []
    runs = benchmark.descend(nets, benchmark.momentum, tasks, [0.01, 0.03], steps=40, schedule=benchmark.cosine,
                             seen=batch)
    assert seen.shape == (3, 4, 2, 3)
    np.testing.assert_allclose(seen[1:, -1], benchmark.losses(runs, tasks, "val"), rtol=1e-4)
    np.testing.assert_allclose(seen[0].reshape(4, 6), batch[9::10], rtol=1e-4)
    tried, smooth, suggested = names["range_test"](names["sgd"], tasks)
    np.testing.assert_allclose(suggested, benchmark.range_test(nets, benchmark.sgd, tasks))
    assert tried.shape == (100,) and smooth.shape == (100, 3)
    np.testing.assert_allclose(smooth[1], [(0.9 * first + second) / 1.9 for first, second in zip(*names["descend"](
        names["sgd"], tasks, [1e-5], 100, lambda share: 1e6**share, every=1)[0, :2, 0], strict=True)], rtol=1e-5)


def test_its_remedies_are_those_of_the_study(nets):
    names, tasks = lesson(nets), [benchmark.digits(own) for own in range(2)]
    ways = {"none": {}, "L1": {"l1": 0.003}, "L2": {"l2": 0.05}, "dropout": {"dropout": 0.5},
            "augmentation": {"shift": 0.5}}
    found = names["remedied"](tasks, ways, 0.02, looks=4)
    wanted = benchmark.try_out(nets, tasks, ways, 0.02, looks=4)
    for number, own in enumerate(found.values()):
        np.testing.assert_allclose(own, wanted[:2, :, number], rtol=1e-3)


@pytest.mark.parametrize("decay", [0.0, 2.0])
def test_its_optimizer_and_its_loop(nets, decay):
    """The same weights and losses as by the framework's own AdamW."""
    names, task, rng = lesson(nets), benchmark.digits(0), np.random.default_rng(0)
    ours, theirs = (names["make_network"]() for _ in range(2))
    losses, wanted = names["fit"](ours, task, steps=40, rate=0.01, decay=decay), []
    rows = [rng.integers(len(task.y), size=16) for _ in range(40)]
    if framework_of(nets) == "keras":
        import keras
        theirs.compile(keras.optimizers.AdamW(0.01, decay, epsilon=1e-8),
                       keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False)
        for some in rows:
            theirs.reset_metrics()
            wanted.append((theirs.train_on_batch(task.x[some], task.y[some]),
                           theirs.evaluate(task.x_val, task.y_val, batch_size=300, verbose=0)))
        ours, theirs = ours.get_weights(), theirs.get_weights()
    else:
        import torch
        optimizer = torch.optim.AdamW(theirs.parameters(), 0.01, weight_decay=decay)
        x, y, x_val, y_val = map(torch.as_tensor, (task.x, task.y, task.x_val, task.y_val))
        for some in rows:
            optimizer.zero_grad()
            loss = torch.nn.CrossEntropyLoss()(theirs(x[some]), y[some])
            loss.backward()
            optimizer.step()
            wanted.append((float(loss), float(torch.nn.CrossEntropyLoss()(theirs(x_val), y_val))))
        ours, theirs = ([part.detach().numpy() for part in net.parameters()] for net in (ours, theirs))
    np.testing.assert_allclose(losses, wanted, rtol=2e-3)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-4)
    assert losses[-1, 0] < 0.5 * losses[0, 0]


def test_two_tasks_by_hand(nets):
    names, rng = lesson(nets), np.random.default_rng(0)
    outputs = rng.normal(size=(2, 4, 12)).astype(np.float32)
    y = np.array([[[1, 3], [np.nan, 9], [0, np.nan], [np.nan, 0]], [[np.nan, 1]] * 4], np.float32)
    wanted = []
    for scores, classes in zip(outputs, y, strict=True):
        total = 0
        for number, head in enumerate((scores[:, :2], scores[:, 2:])):
            own = [np.log(np.exp(row).sum()) - row[int(one)] for row, one in zip(head, classes[:, number], strict=True)
                   if np.isfinite(one)]
            total += np.mean(own) if own else 0
        wanted.append(total)
    tensor = nets.TrainingRuns(benchmark.stacked([benchmark.digits(0).weights]))._tensor
    np.testing.assert_allclose(np.asarray(names["two_task_loss"](tensor(outputs), tensor(y))), wanted, rtol=1e-5)
