"""The project of notebook 06: three networks, each of which forgot what the others know."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPClassifier

from course_lib.common import checks
from course_lib.exercises.engine.project import Project
from course_lib.merging.weights import average
from course_lib.networks.layers import check_layers

_BASE, _TRAIN, _SHOWN, _GUESS = 300, 900, 40, 0.1


def _draw_specialists(rng):
    x, y = load_digits(return_X_y=True)
    while True:
        order = rng.permutation(len(y))
        x, y, task = x[order], y[order], rng.permutation([0, 0, 0, 1, 1, 1, 2, 2, 2, 2])[y[order]]
        rows = [np.flatnonzero(task[:_TRAIN] == number) for number in range(3)]
        base = _taught(_untaught(int(rng.integers(2**31))), x[:_BASE] / 16, y[:_BASE], 1)
        networks = [_layers(_taught(base, x[each] / 16, y[each], 8)) for each in rows]
        given = {"base": _layers(base), "networks": networks,
                 "images": np.stack([x[each[:_SHOWN]] / 16 for each in rows])}
        hidden = {"x_train": x[:_TRAIN] / 16, "y_train": y[:_TRAIN], "x": x[_TRAIN:] / 16, "y": y[_TRAIN:],
                  "task": task[_TRAIN:]}
        mean, merged = (_worst_accuracy(given, hidden, answer(given)) for answer in (_mean, _regression_mean))
        if 0.28 < mean < 0.57 and 0.69 < merged < 0.87:  # otherwise the mean does too well or too badly
            return given, hidden


def _untaught(seed):
    return MLPClassifier((32,), learning_rate_init=0.01, batch_size=50, random_state=seed)


def _taught(net, x, y, epochs):
    net = deepcopy(net)
    for _ in range(epochs):
        net.partial_fit(x, y, classes=range(10))
    return net


def _layers(net):
    return list(zip(net.coefs_, net.intercepts_, strict=True))


def _hidden_layer(layers, x):
    return np.maximum(x @ layers[0][0] + layers[0][1], 0)


def _worst_accuracy(given, hidden, answer):
    layers = [[checks.array("answer", each, np.shape(each), low=-1e6, high=1e6).astype(float) for each in layer]
              for layer in check_layers(answer, like=given["base"])]
    scores = _hidden_layer(layers, hidden["x"]) @ layers[1][0] + layers[1][1]
    right = scores.argmax(axis=1) == hidden["y"]
    return max(_GUESS, min(right[hidden["task"] == number].mean() for number in range(3)))


def _mean(given):
    return average(given["networks"])


def _regression_mean(given, alpha=1.0):
    """For each layer, what answers to every network's inputs as that network does, near the mean (RegMean)."""
    inputs, merged = [given["images"], [*map(_hidden_layer, given["networks"], given["images"])]], []
    for index, (kernel, bias) in enumerate(_mean(given)):
        missing = [x @ (network[index][0] - kernel) + network[index][1] - bias
                   for x, network in zip(inputs[index], given["networks"], strict=True)]
        change = Ridge(alpha).fit(np.vstack(inputs[index]), np.vstack(missing))
        merged.append((kernel + change.coef_.T, bias + change.intercept_))
    return merged


def _random_layers(given, rng):
    return [(rng.normal(0, 0.3, kernel.shape), np.zeros(len(bias))) for kernel, bias in given["base"]]


PROJECT = Project(
    id="06.project",
    title="Three specialists, one network",
    statement="A network was trained on digits for a moment; each of three copies then learned three or four of "
              "the ten classes, and forgot the others. Given: `base` and `networks` (a list of 3), each a list of "
              "layers [(kernel (64, 32), bias (32,)), (kernel (32, 10), bias (10,))] with a ReLU in between; "
              "`images` (3, 40, 64), without labels, 40 that each copy was trained on. Hand in one list of layers "
              "of these shapes, numbers between -1e6 and 1e6. Judged by the accuracy on new images of that copy's "
              "classes where it is lowest; below 0.1 counts as 0.1. 100 is a network trained on 900 labelled "
              "images. Not allowed: other digits, such as those of scikit-learn, or to draw the instance again.",
    draw=_draw_specialists,
    measure=_worst_accuracy,
    floor=_random_layers,
    baseline=_mean,
    par=_regression_mean,
    best=lambda _given, hidden: _layers(_taught(_untaught(0), hidden["x_train"], hidden["y_train"], 60)),
)
