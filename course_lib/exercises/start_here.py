"""The exercise of notebook 00: small enough to be solved there and then."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.engine.exercise import Exercise, Topic, WrongAnswer


def mean_squared_error(prediction, y):
    """Of predictions (n, 1) and targets (n,)."""
    return float(((prediction[:, 0] - y) ** 2).mean())


def _predictions(rng):
    return [dict(prediction=np.array([[1.0], [2.0], [4.0]]), y=np.array([1.0, 0.0, 3.0])),  # (0 + 4 + 1) / 3
            *(dict(prediction=rng.normal(size=(n, 1)), y=rng.normal(size=n)) for n in (4, 7))]


def _table(prediction, y):
    return prediction - y


ERROR = Exercise(
    id="00.mean_squared_error",
    title="How far off, on average",
    statement="`prediction` (n, 1) is what a network says of n patients, `y` (n,) what is true. Return the mean of the "
              "squared errors, one error a patient.",
    reference=mean_squared_error,
    cases=_predictions,
    hints=(
        "Both should have shape (n,) before you subtract.",
        "prediction[:, 0] is the only column of `prediction`.",
        "((prediction[:, 0] - y) ** 2).mean()",
    ),
    wrong=(
        WrongAnswer(lambda prediction, y: float((_table(prediction, y) ** 2).mean()),
                    "(n, 1) less (n,) is a table (n, n), each prediction against each target: take prediction[:, 0]."),
        WrongAnswer(lambda prediction, y: float((_table(prediction[:, 0], y) ** 2).sum()),
                    "That is the sum of the squared errors: divide by how many there are."),
        WrongAnswer(lambda prediction, y: float(np.abs(_table(prediction[:, 0], y)).mean()),
                    "That is the mean absolute error: square instead."),
        WrongAnswer(lambda prediction, y: float(np.sqrt((_table(prediction[:, 0], y) ** 2).mean())),
                    "That is the root of it: leave the root out."),
        WrongAnswer(lambda prediction, y: float(_table(prediction[:, 0], y).mean() ** 2),
                    "Square each error, then take the mean: errors of both signs cancel otherwise."),
    ),
)

TOPIC = Topic(number="00", package="start_here", title="Start here", exercises=(ERROR,))
