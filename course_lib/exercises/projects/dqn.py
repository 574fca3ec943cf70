"""The project of notebook 01: across a frozen lake, of which only the map is known."""

from __future__ import annotations

import numpy as np

from course_lib.common import checks
from course_lib.dqn.envs import GridWorld
from course_lib.dqn.reference import value_iteration
from course_lib.exercises.engine.project import Project

_SIZE = 8


def _draw_lake(rng):
    while True:
        cells = rng.choice(list(".#P~"), (_SIZE, _SIZE), p=[0.25, 0.05, 0.15, 0.55])
        top = rng.choice([0, -1])
        cells[top, 0], cells[-1 - top, -1] = "S", "G"
        gamma = float(rng.choice([0.96, 0.97, 0.98]))
        given = {"map": ["".join(row) for row in cells[:, ::rng.choice([-1, 1])]], "gamma": gamma,
                 "slip": float(rng.choice([0.2, 0.25])), "step_reward": round(gamma - 1, 2)}  # to stay is worth -1
        still, *tables = np.zeros((_SIZE**2, 4)), *(_action_values(given, given["slip"] * share) for share in (0, 0.5, 1))
        floor, hasty, careful, best = (_return(given, {}, table) for table in (still, *tables))
        if (floor < -0.97 and best > -0.3 and 0.25 < (hasty - floor) / (best - floor) < 0.55
                and 0.65 < (careful - floor) / (best - floor) < 0.88):  # otherwise to care about ice does not pay
            return given, {}


def _model(given, slip):
    """Chances (S, 4, S) of the next cell and expected rewards (S, 4), where ice lets one slip so often."""
    kind = type("Lake", (GridWorld,), {"MAP": given["map"]})
    dry, icy = (kind(slip=chance, step_reward=given["step_reward"]) for chance in (0, slip))
    ice = np.array(list(dry.cells)) == "~"
    return (np.where(ice[:, None, None], icy.probability, dry.probability),
            np.where(ice[:, None], icy.reward, dry.reward))


def _action_values(given, slip):
    """By value iteration; rounded, so that which of two equals comes first is the same everywhere."""
    return np.round(value_iteration(*_model(given, slip), given["gamma"]), 9)


def _return(given, _hidden, answer):
    probability, reward = _model(given, given["slip"])
    actions = checks.array("answer", answer, reward.shape).argmax(axis=1)
    chosen = np.arange(len(reward)), actions
    values = np.linalg.solve(np.eye(len(reward)) - given["gamma"] * probability[chosen], reward[chosen])
    return values["".join(given["map"]).index("S")]


PROJECT = Project(
    id="01.project",
    title="Across the frozen lake",
    statement="TODO",
    draw=_draw_lake,
    measure=_return,
    floor=lambda given, _rng: np.zeros((_SIZE**2, 4)),
    baseline=lambda given: _action_values(given, 0),  # a shortest path around the pits
    par=lambda given: _action_values(given, given["slip"] / 2),
    best=lambda given, _hidden: _action_values(given, given["slip"]),
)
