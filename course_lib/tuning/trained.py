"""Agents that have learned to tune, shipped with the course: one of each kind for each framework."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).with_name("agents")


def path(dqn, kind):
    """Where the agent of a framework is."""
    return FOLDER / f"{kind}_{dqn.__name__.rpartition('.')[2]}.npz"


def load(dqn, kind="rate"):
    """An agent; `dqn` is its framework's twin.

    Parameters
    ----------
    dqn : module
    kind : str
        "rate" decides on the learning rate, 100,000 decisions of `TrainingVectorEnv`; "knobs" on weight decay, dropout,
        clipping and the end as well: as many, with `regularise` and without a discount; "game" on the learning rate of
        a game's agent, 2,000 decisions of `GameTuningEnv`.
    """
    return dqn.DQNAgent.load(path(dqn, kind))

