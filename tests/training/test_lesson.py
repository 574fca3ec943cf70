"""What lesson 09 computes in the open is what the library, the frameworks and its studies compute."""

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
import training as benchmark
from babel import Locale
from lessons import define
from scipy.ndimage import map_coordinates
from scipy.special import softmax
from sklearn import metrics
from sklearn.datasets import load_digits
from sklearn.feature_extraction.text import HashingVectorizer

from course_lib.training import reference
from course_lib.training.tasks import Task, batches, first_weights

RULES = {"SGD": "sgd", "SGD with momentum": "momentum", "RMSprop": "rmsprop", "Adam": "adam"}
WANTED = {*RULES.values(), "dog", "adam_with_l2", "adamw", "clipped", "stacked", "constant", "cosine", "warm_up",
          "warm_up_and_cosine", "digits", "names", "LANGUAGES", "found", "often", "WORDS", "HASH", "descend",
          "range_test", "shifted", "remedied", "mean_f1", "at_temperature", "loss_of", "best_temperature",
          "with_second_task"}


def framework_of(module):
    return module.__name__.rpartition("in_")[2]


def lesson(nets=None):
    """What its cells define."""
    names = {"np": np, "metrics": metrics, "seed": 0, "nets": nets, "Counter": Counter, "Locale": Locale, "Task": Task,
             "batches": batches, "load_digits": load_digits, "HashingVectorizer": HashingVectorizer,
             "map_coordinates": map_coordinates,
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
    seen, batch = names["descend"](names["momentum"], tasks, [0.01, 0.03], 40, names["cosine"], every=10), []
    runs = benchmark.descend(nets, benchmark.momentum, tasks, [0.01, 0.03], steps=40, schedule=benchmark.cosine,
                             seen=batch)
    assert seen["batch"].shape == (4, 2, 3)
    last = seen["loss"][-1], seen["accuracy"][-1]
    np.testing.assert_allclose(last, benchmark.losses(runs, tasks, "val"), rtol=1e-4)
    np.testing.assert_allclose(seen["batch"].reshape(4, 6), batch[9::10], rtol=1e-4)
    assert names["descend"](names["sgd"], tasks, [1e6], 40)["loss"][-1].min() > 100  # it explodes
    tried, smooth, suggested = names["range_test"](names["sgd"], tasks)
    np.testing.assert_allclose(suggested, benchmark.range_test(nets, benchmark.sgd, tasks))
    assert tried.shape == (100,) and smooth.shape == (100, 3)
    batch = names["descend"](names["sgd"], tasks, [1e-5], 100, lambda share: 1e6**share, every=1)["batch"][:, 0]
    np.testing.assert_allclose(smooth[1], (0.9 * batch[0] + batch[1]) / 1.9, rtol=1e-5)
    own = names["descend"](names["sgd"], tasks, [suggested])["loss"][-1]
    wanted = benchmark.descend(nets, benchmark.sgd, tasks, [suggested], steps=200)
    np.testing.assert_allclose(own, benchmark.losses(wanted, tasks, "val")[0], rtol=1e-3)


def test_its_remedies_are_those_of_the_study(nets):
    names, tasks = lesson(nets), [benchmark.digits(own) for own in range(2)]
    ways = [{}, {"l1": 0.003}, {"l2": 0.05}, {"dropout": 0.5}, {"shift": 0.5}]
    ways = {number: way | {"rate": 0.02 + 0.01 * number} for number, way in enumerate(ways)}
    found, wanted = names["remedied"](tasks, ways, looks=4), benchmark.try_out(nets, tasks, ways, looks=4)
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


def test_what_its_two_tasks_are_told():
    """Of fifty images whether they are even, of all the second label."""
    told = {}

    class Runs:
        def __init__(self, weights, *, momentum, loss):
            told["shapes"] = [part.shape for part in weights]

        def train(self, x, y, rate):
            told.update(x=x, y=y, rate=rate)

        def predict(self, x):
            told["asked"] = np.array(x)
            return np.eye(12)[[[1, 1, 1, 0]] * 2] + np.eye(12)[[[5, 3, 6, 4]] * 2]  # (2, 4, 12)

    tasks = [benchmark.digits(own, 900) for own in range(2)]
    tasks = [Task("", task.x, task.y, task.x_val, task.y_val, task.x_test[:4], np.array([1, 3, 2, 8]), [])
             for task in tasks]
    names = lesson()
    names.update(nets=SimpleNamespace(TrainingRuns=Runs), two_task_loss=None)
    for kind, second in (("alone", None), ("which digit", lambda y: y), ("which pair", lambda y: y // 2)):
        own, other = names["with_second_task"](kind, tasks, steps=30)
        for number, task in enumerate(tasks):
            place = {row.tobytes(): index for index, row in enumerate(task.x)}
            rows = np.array([[place[row.tobytes()] for row in step] for step in told["x"][:, number]])
            even, more = told["y"][:, number].transpose(2, 0, 1)
            assert set(rows[:, :16].ravel()) == set(range(50)) and rows[:, 16:].max() > 800
            np.testing.assert_array_equal(even[:, :16], task.y[rows[:, :16]] % 2)
            assert np.isnan(even[:, 16:]).all()
            np.testing.assert_array_equal(more, second(task.y[rows]) if second else np.full(rows.shape, np.nan))
        np.testing.assert_array_equal(told["asked"], [task.x_test for task in tasks])
        assert told["shapes"][2] == (2, 64, 12) and list(own) == [75, 75] and list(other) == [100, 100]
    names["with_second_task"]("a random number", tasks, steps=30)
    assert set(np.unique(told["y"][..., 1])) == set(range(10))


def test_its_thresholds_and_temperatures_by_hand():
    names, rng = lesson(), np.random.default_rng(0)
    y_val, y_test = np.array([1, 0, 1, 0]), np.array([1, 0, 0, 1])
    val, test = np.array([0.3, 0.1, 0.2, 0.15]), np.array([0.4, 0.1, 0.25, 0.19])
    both = [np.stack([1 - part, part], axis=1) for part in (val, test)]  # (names, 2)
    assert names["mean_f1"](both[0], y_val, both[1], y_test, 0.5) == pytest.approx((2 / 3 + 0) / 2)
    at = names["mean_f1"](both[0][:, 1:], y_val == 0, both[1][:, 1:], y_test == 0)
    assert at == pytest.approx(2 * (1 / 2) * (1 / 2) / 1)  # .2 is the best on validation names: two said, one of two
    logits = rng.normal(size=(40, 5)) * 4
    p, y = softmax(logits, axis=1), rng.integers(5, size=40)
    np.testing.assert_allclose(names["at_temperature"](p, 2.5), softmax(logits / 2.5, axis=1))
    assert names["loss_of"](p, y) == pytest.approx(metrics.log_loss(y, p))
    y = np.array([rng.choice(5, p=own) for own in np.tile(softmax(logits / 2, axis=1), (50, 1))])
    assert 1.7 < names["best_temperature"](np.tile(p, (50, 1)), y) < 2.3
