"""The project of notebook 02: one weight of twenty may stay, and nothing is trained afterwards."""

from __future__ import annotations

import numpy as np
from scipy.special import softmax
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

from course_lib.common import checks
from course_lib.exercises.engine.project import Project

_KNOWN, _SHARE, _LUCK = 900, 0.05, 0.2  # random masks seldom reach an accuracy of 0.2


def _draw_network(rng):
    images, digits = load_digits(return_X_y=True)
    while True:
        order = rng.permutation(len(images))
        x, y = images[order] / 16, digits[order]
        network = MLPClassifier((64,), alpha=1e-3, batch_size=50, learning_rate_init=3e-3,
                                random_state=int(rng.integers(2**31)))
        for _ in range(12):
            network.partial_fit(x[:_KNOWN], y[:_KNOWN], classes=range(10))
        kernels, biases = ([np.round(values, 4) for values in parts]
                           for parts in (network.coefs_, network.intercepts_))
        given = {"kernels": kernels, "biases": biases, "x": x[:_KNOWN], "y": y[:_KNOWN],
                 "budget": round(_SHARE * sum(kernel.size for kernel in kernels))}
        hidden = {"x": x[_KNOWN:], "y": y[_KNOWN:]}
        if 0.35 < _accuracy(given, hidden, _by_magnitude(given)) < 0.5:  # so that all are about as difficult
            return given, hidden


def _outputs(given, masks, x):
    first, second = (kernel * mask for kernel, mask in zip(given["kernels"], masks, strict=True))
    neurons = np.maximum(x @ first + given["biases"][0], 0)
    return neurons, neurons @ second + given["biases"][1]


def _accuracy(given, hidden, answer):
    if not isinstance(answer, (list, tuple)) or len(answer) != 2:
        length = f" of length {len(answer)}" if hasattr(answer, "__len__") else ""
        raise ValueError(f"answer: expected a list of two masks, got {type(answer).__name__}{length}")
    masks = [checks.array(f"answer[{number}]", mask, kernel.shape, kind="flags")
             for number, (mask, kernel) in enumerate(zip(answer, given["kernels"], strict=True))]
    if (stay := sum(mask.sum() for mask in masks)) > given["budget"]:
        raise ValueError(f"answer: expected at most {given['budget']} weights to stay, got {stay:,}")
    return max((_outputs(given, masks, hidden["x"])[1].argmax(axis=1) == hidden["y"]).mean(), _LUCK)


def _largest(scores, count):
    flat = np.concatenate([score.ravel() for score in scores])
    stay = np.zeros(flat.size, bool)
    stay[np.argsort(-flat, kind="stable")[:count]] = True
    parts = np.split(stay, [scores[0].size])
    return [part.reshape(score.shape) for part, score in zip(parts, scores, strict=True)]


def _by_magnitude(given):
    return _largest([np.abs(kernel) for kernel in given["kernels"]], given["budget"])


def _slopes(seen, masks):
    """The derivative of the log-loss by each entry of the masks."""
    neurons, outputs = _outputs(seen, masks, seen["x"])
    error = (softmax(outputs, axis=1) - np.eye(10)[seen["y"]]) / len(outputs)
    back = error @ (seen["kernels"][1] * masks[1]).T * (neurons > 0)
    return [seen["kernels"][0] * (seen["x"].T @ back), seen["kernels"][1] * (neurons.T @ error)]


def _by_taylor(seen, steps=40):
    """In steps, those weights go that the loss depends on least, to first order."""
    masks = [np.ones(kernel.shape, bool) for kernel in seen["kernels"]]
    for left in range(steps - 1, -1, -1):
        effects = [np.abs(slope) * mask for slope, mask in zip(_slopes(seen, masks), masks, strict=True)]
        masks = _largest(effects, round(seen["budget"] / _SHARE ** (left / steps)))
    return masks


def _by_descent(given, hidden):
    """Scores descend the loss, also those of weights now gone (Ramanujan et al. 2020); the best on the way."""
    seen, found = given | hidden, []
    scores = [mask.astype(float) for mask in _by_taylor(seen, 100)]
    speeds = [np.zeros(score.shape) for score in scores]
    for rate in np.linspace(0.5, 0, 600):
        found.append(_largest(scores, given["budget"]))
        slopes = _slopes(seen, found[-1])
        speeds = [0.9 * speed - rate * slope for speed, slope in zip(speeds, slopes, strict=True)]
        scores = [score + speed for score, speed in zip(scores, speeds, strict=True)]
    return max(found, key=lambda masks: _accuracy(given, hidden, masks))


PROJECT = Project(
    id="02.project",
    title="One weight of twenty",
    statement="A network, 64 pixels to 64 ReLU neurons to 10 logits, was trained on small images of digits. "
              "Given: `kernels`, (64, 64) and (64, 10); `biases`, (64,) and (10,); the training images `x` "
              "(900, 64), pixels from 0 to 1, with their digits `y` (900,); and `budget`, 237, a twentieth of the "
              "weights. Hand in a list of two masks, bool arrays shaped like the kernels, True at the weights "
              "that stay, at most `budget` in both together; the others become 0, and the biases all stay. Judged "
              "by the accuracy of the masked network, without retraining, on 897 hidden images; less than 0.2 "
              "counts as 0.2. Not allowed: to use other digits than `x`, or to draw the instance again.",
    draw=_draw_network,
    measure=_accuracy,
    floor=lambda given, rng: _largest([rng.random(kernel.shape) for kernel in given["kernels"]], given["budget"]),
    baseline=_by_magnitude,
    par=_by_taylor,
    best=_by_descent,
)
