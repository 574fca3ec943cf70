"""The project of notebook 10: a schedule of learning rates for tasks that nobody has seen."""

from __future__ import annotations

import numpy as np

from course_lib.common import checks
from course_lib.exercises.engine.project import Project

_HIDDEN, _SHOWN, _SIZE, _STEPS, _HIGHEST = 40, 3, 16, 500, 10_000


def _draw_family(rng):
    count, around = _SHOWN + _HIDDEN, np.array([-0.4, 0.4])
    family = {"sharpest": 10 ** (rng.uniform(-2, 3) + around), "condition": 10 ** rng.uniform(2.7, 3.3),
              "level": 10 ** (rng.uniform(-1.3, -0.8) + around)}
    sharpest, level = (np.exp(rng.uniform(*np.log(family[name]), (count, 1))) for name in ("sharpest", "level"))
    curvature = sharpest * family["condition"] ** -rng.random((count, _SIZE))
    tasks = {"curvature": curvature, "noise": level * np.sqrt(curvature),
             "start": rng.normal(size=curvature.shape) * np.sqrt(2 / _SIZE / curvature)}
    return (family | {name: values[:_SHOWN] for name, values in tasks.items()},
            {name: values[_SHOWN:] for name, values in tasks.items()})


def _loss(tasks, w):
    return (tasks["curvature"] * w**2).sum(axis=1) / 2


def _minus_log_loss(tasks, rates):
    w, v, rng = tasks["start"], 0, np.random.default_rng(0)
    with np.errstate(over="ignore", invalid="ignore"):
        for rate in rates:
            v = 0.9 * v - rate * (tasks["curvature"] * w + tasks["noise"] * rng.normal(size=w.shape))
            w = w + v
        loss, first = _loss(tasks, w), _loss(tasks, tasks["start"])
    return -np.log(np.where(loss < first, loss, first)).mean()


def _measure(_given, hidden, answer):
    return _minus_log_loss(hidden, checks.array("answer", answer, (_STEPS,), low=0, high=_HIGHEST).astype(float))


def _peaks(tasks):
    """From far too small to far too large for the sharpest direction of all."""
    return 10.0 ** np.arange(-2, 2.1, 0.25) / tasks["curvature"].max()


def _best_of(tasks, schedules):
    return max(schedules, key=lambda rates: _minus_log_loss(tasks, rates))


def _warm_up_and_cosine(peak):
    time = (np.arange(_STEPS) + 0.5) / _STEPS
    cosine = (1 + np.cos(np.pi * np.maximum(0, time - 0.1) / 0.9)) / 2
    return peak * np.minimum(10 * time, cosine)


def _between(logs):
    """Rates whose logarithm is linear between points, evenly spaced in time."""
    time = np.linspace(0, len(logs) - 1, _STEPS)
    return np.minimum(np.exp(np.interp(time, range(len(logs)), logs)), _HIGHEST)


def _searched(tasks):
    """By random changes of nine points, from a cubic decay."""
    rng = np.random.default_rng(0)
    starts = np.log(_peaks(tasks))[:, None] + 3 * np.log(np.linspace(1, 0.1, 9))
    found, logs = max(((_minus_log_loss(tasks, _between(logs)), logs) for logs in starts), key=lambda pair: pair[0])
    for spread in np.geomspace(1, 0.1, 150):
        other = logs + spread * rng.normal(size=9) * (rng.random(9) < 0.4)
        value = _minus_log_loss(tasks, _between(other))
        if value > found:
            logs, found = other, value
    return _between(logs)


PROJECT = Project(
    id="10.project",
    title="One schedule for all of them",
    statement="A task: bring down sum(curvature * w**2) / 2, from w = start. Each of 500 steps does "
              "v = 0.9 * v - rate * (curvature * w + noise * N(0, 1)), w = w + v; v is 0 at first. Given, of "
              "three tasks: `curvature`, `start`, `noise`, (3, 16) each; and how all were drawn: c and s are "
              "log-uniform in the ranges `sharpest` and `level`, U is uniform in [0, 1]; curvature = c / "
              "`condition` ** U, start = N(0, 1) / sqrt(8 * curvature), noise = s * sqrt(curvature). Hand in one "
              "schedule for all: 500 learning rates, 0 to 10,000. Judged by the mean log of the final loss on 40 "
              "hidden tasks, the lower the better; above its first value a loss counts as that. Not allowed: to "
              "draw the hidden tasks again.",
    draw=_draw_family,
    measure=_measure,
    floor=lambda _given, _rng: np.zeros(_STEPS),
    baseline=lambda given: _best_of(given, [np.full(_STEPS, rate) for rate in 10.0 ** np.arange(-6, 3)]),
    par=lambda given: _best_of(given, [_warm_up_and_cosine(peak) for peak in _peaks(given)]),
    best=lambda _given, hidden: _searched(hidden),
)
