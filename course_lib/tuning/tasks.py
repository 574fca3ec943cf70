"""What the networks of a tuning environment are to learn: many small tasks of one shape, so that they train as one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_wine, make_classification

from course_lib.common.config import Config, require
from course_lib.training.tasks import CLASSES, FEATURES, HELD_OUT, UNITS, Task, first_weights
from course_lib.tuning.texts import load_docstrings

REAL = {"digits": load_digits, "breast cancer": load_breast_cancer, "wine": load_wine, "docstrings": load_docstrings}


@dataclass(frozen=True)
class TaskConfig(Config):
    """What tasks are drawn from.

    Raises
    ------
    ValueError
        If a field is outside its range.
    """

    sources: tuple[str, ...] = ("synthetic",)  # or some of `REAL`; each as likely
    examples: tuple[int, int] = (40, 1_000)  # to train with, at most as many as there are
    widths: tuple[int, int] = (8, 24)  # hidden units of a layer
    layers: int = 1  # hidden layers
    noise: tuple[float, float] = (0.0, 0.3)  # share of training labels that are redrawn at random
    scale: tuple[float, float] = (0.3, 3.0)  # of the inputs: by it they are multiplied, after standardisation

    RANGES = {"[1, inf)": ("examples", "widths", "layers"), "[0, 1]": ("noise",), "(0, inf)": ("scale",)}
    CHOICES = {"sources": (*REAL, "synthetic")}

    def __post_init__(self):
        super().__post_init__()
        require(self, "sources", bool, "at least one")
        for name in ("examples", "widths", "noise", "scale"):
            require(self, name, lambda v: v[0] <= v[1], "least <= most")
        require(self, "widths", lambda v: v[1] <= UNITS, f"at most {UNITS} units")


def draw_task(rng, config=None):
    """A `Task` drawn by a NumPy generator from what `config`, a `TaskConfig`, allows."""
    config = config or TaskConfig()
    source = config.sources[rng.integers(len(config.sources))]
    x, y = _synthetic(rng) if source == "synthetic" else REAL[source](return_X_y=True)
    order, held = rng.permutation(len(x)), min(HELD_OUT, len(x) // 4)
    held = max(part for part in (45, 60, 90, 180) if part <= max(held, 45))  # parts of 180: whole repeats
    val, test, train = np.split(order, [held, 2 * held])
    train = train[: rng.integers(min(config.examples[0], len(train)), min(config.examples[1], len(train)) + 1)]
    mean, scale = x[train].mean(axis=0), x[train].std(axis=0) + 1e-6
    inputs = np.zeros((len(x), FEATURES), np.float32)
    inputs[:, : x.shape[1]] = np.clip((x - mean) / scale, -5, 5) * np.exp(rng.uniform(*np.log(config.scale)))
    labels, classes = y[train].copy(), int(y.max()) + 1
    wrong = rng.random(len(train)) < rng.uniform(*config.noise)
    labels[wrong] = rng.integers(classes, size=wrong.sum())
    held_out = [values[np.resize(rows, HELD_OUT)] for rows in (val, test) for values in (inputs, y)]
    units = int(rng.integers(config.widths[0], config.widths[1] + 1))
    weights = first_weights(rng, [x.shape[1], *[units] * config.layers, classes])
    return Task(source, inputs[train], labels, *held_out, weights)


def trimmed(tasks):
    """The same tasks, without the inputs and hidden units that none of them has: less to multiply."""
    if len({len(task.weights) for task in tasks}) != 1:
        raise ValueError("tasks: expected networks of as many layers, got tasks with "
                         f"{sorted({len(task.weights) // 2 for task in tasks})} kernels")
    features, units = (1 + max(np.flatnonzero(task.weights[0].any(axis=axis))[-1] for task in tasks) for axis in (1, 0))

    def less(task):
        inputs = {name: np.ascontiguousarray(getattr(task, name)[:, :features]) for name in ("x", "x_val", "x_test")}
        most, last = ([features, *[units] * (len(task.weights) // 2 - 1)], len(task.weights) - 2)
        weights = [part if i > last else part[: most[i // 2], : CLASSES if i == last else units] if part.ndim == 2
                   else part[:units] for i, part in enumerate(task.weights)]
        return replace(task, weights=weights, **inputs)

    return [less(task) for task in tasks]


def _synthetic(rng):
    """1,000 examples of 2 to 10 classes: a cluster for each, in 4 to 12 dimensions, and some to many sums of those."""
    classes, informative = int(np.exp(rng.uniform(np.log(2), np.log(11)))), int(rng.integers(4, 13))
    features = int(rng.integers(informative + 2, FEATURES + 1))
    return make_classification(1_000, n_features=features, n_informative=informative,
                               n_redundant=int(rng.integers(features - informative + 1)), n_classes=classes,
                               n_clusters_per_class=1, flip_y=0, class_sep=float(np.exp(rng.uniform(-0.7, 1.1))),
                               random_state=int(rng.integers(2**31)))
