"""The project of notebook 03: twenty-four forecasters, one prediction."""

from __future__ import annotations

import numpy as np
from sklearn.base import clone
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.svm import SVR
from sklearn.tree import DecisionTreeRegressor

from course_lib.common import checks
from course_lib.ensembling.weights import nnls_weights
from course_lib.exercises.engine.project import Project

_TAUGHT, _KNOWN, _NEW = 150, 80, 600
_KINDS = (Ridge(1.0), Ridge(100.0), KNeighborsRegressor(5), KNeighborsRegressor(1), SVR(C=300.0, epsilon=5.0),
          DecisionTreeRegressor(random_state=0), RandomForestRegressor(5, random_state=0))
_SEES = (slice(0, 4), slice(2, 6), slice(4, 8))  # what is measured of a person differs from clinic to clinic
_REPORTS = {"plain": lambda p: p, "biased": lambda p: p + 60, "wide": lambda p: 2 * p - 150,
            "capped": lambda p: np.minimum(p, 160), "log": lambda p: 40 * np.log(np.maximum(p, 10)),
            "reversed": lambda p: 300 - p}
_ORDER = ("plain", "plain", "plain", "biased", "log", "wide", "plain", "capped", "plain", "reversed")


def _draw_clinics(rng):
    x = rng.standard_normal((_TAUGHT + _KNOWN + _NEW, 8))
    signal = x @ (rng.permutation([1, 1, 1, 1, 0.7, 0.7, 0.7, 0.7]) * rng.choice([-1, 1], 8))
    signal += np.sin(2 * x[:, 0]) + 0.7 * x[:, 1] * x[:, 5]
    y = 150 + 60 * signal / signal.std() + rng.normal(0, 15, len(x))
    taught, rest = slice(_TAUGHT), slice(_TAUGHT, None)
    told = [clone(kind).fit(x[taught, sees], y[taught]).predict(x[rest, sees])
            for kind in _KINDS for sees in _SEES]
    told = [_REPORTS[_ORDER[number % len(_ORDER)]](values) for number, values in enumerate(told)]
    told = np.stack(told + [rng.normal(150, 60, _KNOWN + _NEW) for _ in range(3)])
    y = y[rest]
    return ({"predictions": told[:, :_KNOWN], "y": y[:_KNOWN], "new_predictions": told[:, _KNOWN:]},
            {"y": y[_KNOWN:]})


def _minus_rmse(given, hidden, answer):
    answer = checks.array("answer", answer, given["new_predictions"].shape[1:], low=-1e6, high=1e6).astype(float)
    return -min(np.sqrt(((answer - hidden["y"]) ** 2).mean()), hidden["y"].std())


def _best_linear(given, hidden):
    inputs = np.vstack([given["new_predictions"], np.ones(_NEW)]).T
    return inputs @ np.linalg.lstsq(inputs, hidden["y"], rcond=None)[0]


PROJECT = Project(
    id="03.project",
    title="Twenty-four forecasters",
    statement="24 models of different kinds predict how far a disease will have gone; some are nearly alike, "
              "some are biased, scaled, or worthless. Given: `predictions` (24, 80), what they say of 80 people "
              "that none was trained on; `y` (80,), the truth about these; `new_predictions` (24, 600), what "
              "they say of 600 other people. Hand in 600 predictions for these, numbers between -1e6 and 1e6. "
              "Judged by the root mean squared error, the lower the better; an error above the standard "
              "deviation of the truth counts as that. 100 is the best weighted sum with a constant, fitted to "
              "the truth about the 600. Not allowed: to draw the instance again and read the truth.",
    draw=_draw_clinics,
    measure=_minus_rmse,
    floor=lambda given, _rng: np.full(_NEW, given["y"].mean()),
    baseline=lambda given: given["new_predictions"].mean(axis=0),
    par=lambda given: nnls_weights(given["predictions"], given["y"]) @ given["new_predictions"],
    best=_best_linear,
)
