"""The project of notebook 01: across a frozen lake, of which only the map is known."""

from __future__ import annotations

import numpy as np

from course_lib.common import checks
from course_lib.dqn.envs import GridWorld
from course_lib.dqn.reference import value_iteration
from course_lib.exercises.engine.project import Project

_SIZE = 8
_STILL = np.zeros((_SIZE**2, 4))


def _draw_lake(rng):
    while True:
        cells = rng.choice(list(".#P~"), (_SIZE, _SIZE), p=[0.25, 0.05, 0.15, 0.55])
        top = rng.choice([0, -1])
        cells[top, 0], cells[-1 - top, -1] = "S", "G"
        gamma = float(rng.choice([0.96, 0.97, 0.98]))
        given = {"map": ["".join(row) for row in cells[:, ::rng.choice([-1, 1])]], "gamma": gamma,
                 "slip": float(rng.choice([0.2, 0.25])), "step_reward": round(gamma - 1, 2)}  # to stay is worth -1
        still, best = (_return(given, {}, table) for table in (_STILL, _optimal(given)))
        if still > -0.97 or best < -0.3:
            continue
        hasty, wary = ((_return(given, {}, _optimal(given, share)) - still) / (best - still) for share in (0, 0.5))
        if 0.25 < hasty < 0.55 and 0.65 < wary < 0.88:  # to care about the ice pays
            return given, {}


def _model(given, slip):
    """Chances (S, 4, S) of the next cell and expected rewards (S, 4), where ice lets one slip so often."""
    kind = type("Lake", (GridWorld,), {"MAP": given["map"]})
    dry, icy = (kind(slip=chance, step_reward=given["step_reward"]) for chance in (0, slip))
    ice = np.array(list(dry.cells)) == "~"
    return (np.where(ice[:, None, None], icy.probability, dry.probability),
            np.where(ice[:, None], icy.reward, dry.reward))


def _optimal(given, share=1):
    """Action values where ice has this share of its slip; rounded, so that equals are so on every machine."""
    return np.round(value_iteration(*_model(given, share * given["slip"]), given["gamma"], tolerance=1e-7), 5)


def _return(given, _hidden, answer):
    probability, reward = _model(given, given["slip"])
    actions = checks.array("answer", answer, reward.shape).argmax(axis=1)
    chosen = np.arange(len(reward)), actions
    values = np.linalg.solve(np.eye(len(reward)) - given["gamma"] * probability[chosen], reward[chosen])
    return values["".join(given["map"]).index("S")]


PROJECT = Project(
    id="01.project",
    title="Across the frozen lake",
    statement="Given: `map`, 8 texts of 8 cells: S start, G goal, P pit, # wall, . ground, ~ ice; `slip`, "
              "`step_reward`, `gamma`. The actions are up, right, down, left. On ice a move goes to each of its "
              "two sides with chance `slip`; elsewhere it goes where it should. A move into a wall or off the map "
              "leads nowhere. Each step gives `step_reward`; to arrive at the goal gives 1 more, in a pit 1 less, "
              "and either ends the episode. Hand in action values (64, 4), cells row by row from the top. Judged "
              "by the exact expected discounted return, from S, of the policy that is greedy in them (the first "
              "of equals). 100 is an optimal policy. Not allowed: to call the project's own functions.",
    draw=_draw_lake,
    measure=_return,
    floor=lambda _given, _rng: _STILL,
    baseline=lambda given: _optimal(given, 0),  # a shortest path around the pits
    par=lambda given: _optimal(given, 0.5),
    best=lambda given, _hidden: _optimal(given),
)
