"""The project of notebook 05: whom to believe, and how much, when everything is noisy."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from course_lib.common import checks
from course_lib.exercises.engine.project import Project
from course_lib.networks.scores import log_loss

_CLASSES, _VALIDATION, _NEW = 6, 200, 1000
_SIGNAL = np.array([2.4, 2.0, 2.6, 2.2, 2.0])
_SENSITIVITY = np.array([2.0, 1.0, 4.0, 1.0, 2.0])  # how much each expert suffers from noise
_SHARPNESS = np.array([1.0, 0.4, 1.0, 2.5, 1.0])  # the fourth expert is overconfident, the second one is timid
_SHARED = np.array([1.5, 0, 0, 1.5, 0])  # the first and the fourth err together


def _draw_experts(rng):
    experts, count = len(_SIGNAL), _VALIDATION + _NEW
    y, noise = rng.integers(_CLASSES, size=count), rng.gamma(1.0, 1.2, (count, experts))
    spread = np.sqrt(1 + (_SENSITIVITY * noise) ** 2)
    seen = np.eye(_CLASSES)[y][:, None] * _SIGNAL[:, None]
    seen = seen + _SHARED[:, None] * rng.normal(size=(count, 1, _CLASSES))
    seen = seen + spread[..., None] * rng.normal(size=seen.shape)  # (images, experts, classes)
    covariance = spread[:, None] ** 2 * np.eye(experts) + np.outer(_SHARED, _SHARED)
    posterior = softmax(np.einsum("m,nmk,nkc->nc", _SIGNAL, np.linalg.inv(covariance), seen), axis=1)
    said = seen * (_SHARPNESS * _SIGNAL)[:, None]
    said[:, 3, rng.integers(_CLASSES)] += 3  # two experts have a favourite class
    said[:, 4, rng.integers(_CLASSES)] += 4
    first, second = rng.choice(_CLASSES, 2, replace=False)
    said[:, 2, [first, second]] = said[:, 2, [second, first]]  # one takes two classes for each other
    said, old, new = softmax(said, axis=2).swapaxes(0, 1), slice(_VALIDATION), slice(_VALIDATION, None)
    return ({"probabilities": said[:, old], "noise": noise[old], "y": y[old], "new_probabilities": said[:, new],
             "new_noise": noise[new]}, {"y": y[new], "posterior": posterior[new]})


def _minus_log_loss(given, hidden, answer):
    answer = checks.probabilities("answer", answer, given["new_probabilities"].shape[1:]).astype(float)
    answer = answer / answer.sum(axis=1, keepdims=True)
    return -min(log_loss(np.maximum(answer, 1e-6), hidden["y"]), np.log(_CLASSES))


def _pool(weights, probabilities, noise):
    """The weighted sum (N, C) of log-probabilities, where noise takes weight away."""
    return np.einsum("m,nm,mnc->nc", weights, 1 / (1 + noise), np.log(np.maximum(probabilities, 1e-30)))


def _fitted_pool(given):
    def loss(weights):
        scores = log_softmax(_pool(weights, given["probabilities"], given["noise"]), axis=1)
        return -scores[np.arange(_VALIDATION), given["y"]].mean()

    weights = minimize(loss, np.full(len(_SIGNAL), 0.2), bounds=[(0, None)] * len(_SIGNAL)).x
    return softmax(_pool(weights, given["new_probabilities"], given["new_noise"]), axis=1)


PROJECT = Project(
    id="05.project",
    title="Five experts in the noise",
    statement="Five experts say which of 6 classes an image shows. Each has a camera of its own, and a measured "
              "noise level, from which each suffers differently. One is overconfident, others have habits of "
              "their own. Given, of 200 validation images: `probabilities` (5, 200, 6), `noise` (200, 5), the "
              "classes `y` (200,); of 1,000 new ones: `new_probabilities` (5, 1000, 6), `new_noise` (1000, 5). "
              "Hand in the fused probabilities (1000, 6), rows of sum 1. Judged by the log-loss, the lower the "
              "better, with probabilities below 1e-6 raised to that; a loss above ln 6, that of a guess, counts "
              "as ln 6. Not allowed: to draw the instance again and read the new classes.",
    draw=_draw_experts,
    measure=_minus_log_loss,
    floor=lambda _given, _rng: np.full((_NEW, _CLASSES), 1 / _CLASSES),
    baseline=lambda given: given["new_probabilities"].mean(axis=0),
    par=_fitted_pool,
    best=lambda _given, hidden: hidden["posterior"],
)
