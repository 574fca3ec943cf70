"""What a study is before it is measured: `study.py` makes it, and each topic's file here declares its own."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from sklearn.model_selection import StratifiedKFold

from course_lib.common import backends, data

FOLDS = 5
TOPICS = ("dqn", "pruning", "ensembling", "gan", "fusion", "merging", "applications", "recommendation", "training",
          "tuning", "classroom")


@dataclass(frozen=True)
class Benchmark:
    title: str
    settings: dict  # what decides the outcome: dataclasses and plain values
    # rows(framework, seeds, **options) yields flat dicts: the case, "seed", what was measured; its docstring says what
    rows: Callable
    canary: Callable | None  # canary(framework) returns {figure: number} in a few seconds
    down: tuple[str, ...]  # the columns that name a case, and where they stand in a table
    across: tuple[str, ...] = ("framework",)
    seeds: int = 5
    frameworks: tuple[str, ...] = ("pytorch", "keras")  # each in a process of its own
    quick: tuple[str, ...] | None = None  # those whose canary a test repeats; by default all
    options: dict = field(default_factory=dict)  # {name: default}
    stored: bool = True  # False: only measured when asked for by name

    @property
    def about(self):
        """What is measured, and how."""
        return " ".join(inspect.getdoc(getattr(self.rows, "func", self.rows)).split())


def twins(framework, *topics):
    """The twins of topics."""
    if framework == "keras":
        backends.triton_before_tensorflow()
    return [importlib.import_module(f"course_lib.{topic}.in_{framework}") for topic in topics]


def drawn(name, seed, count=8_000):
    """So many training images, or the digits, divided by the seed."""
    found = data.load(name, seed=seed)
    if name == "digits":
        return found
    chosen = np.random.default_rng(seed).permutation(len(found.x_train))[:count]
    return replace(found, x_train=found.x_train[chosen], y_train=found.y_train[chosen])


def tenth(images, seed, train=5_000, test=2_000):
    """One of ten parts of the images, no image in two: so many to train with, and so many for tests."""
    found = data.load(images)
    x, y = np.concatenate([found.x_train, found.x_test]), np.concatenate([found.y_train, found.y_test])
    rows = np.array_split(np.random.default_rng(0).permutation(len(y)), 10)[seed]
    learned, tested = rows[:train], rows[train:train + test]
    return replace(found, x_train=x[learned], y_train=y[learned], x_test=x[tested], y_test=y[tested])


def divided(seed):
    """The digits, divided anew by cross-validation: each five seeds test on every digit once."""
    found = data.load("digits")
    x, y = np.concatenate([found.x_train, found.x_test]), np.concatenate([found.y_train, found.y_test])
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed // FOLDS).split(x, y)
    train, test = list(folds)[seed % FOLDS]
    return replace(found, x_train=x[train], y_train=y[train], x_test=x[test], y_test=y[test])


def few(count=300):
    """Some digits."""
    found = data.load("digits")
    return replace(found, x_train=found.x_train[:count], y_train=found.y_train[:count])


def timed(function, clock=time.process_time):
    """What a function returns, and its seconds: of the processor, by default."""
    started = clock()
    return function(), clock() - started


def plain(value):
    """The value as JSON knows it: dataclasses and tuples become objects and lists."""
    def known(other):
        return dataclasses.asdict(other) if dataclasses.is_dataclass(other) else other.tolist()

    return json.loads(json.dumps(value, default=known))


def all_benchmarks(topics=TOPICS):
    """{name: Benchmark} of these topics."""
    found = {}
    for topic in topics:
        found |= importlib.import_module(topic).STUDIES
    return found
