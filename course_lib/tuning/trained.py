"""Agents that have learned to tune, shipped with the course: one of each kind for each framework."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from course_lib.tuning.config import TUNER, TuningConfig
from course_lib.tuning.experiments import search_peaks, train_tuner
from course_lib.tuning.games import GAME_TUNER, GameTuningEnv

FOLDER = Path(__file__).with_name("agents")
SEED = 0


@dataclass(frozen=True)
class Shipped:
    """Agents by what they decide on, and the peaks of schedules that a search of the same cost has found."""

    rate: object  # the learning rate: 100,000 decisions of `TrainingVectorEnv`
    knobs: object  # weight decay, dropout, clipping and the end as well: as many, with `regularise`
    game: object  # the learning rate of a game's agent: 2,000 decisions of `GameTuningEnv`
    peaks: dict


def load(dqn):
    """The agents of a framework, a `Shipped`; `dqn` is its twin."""
    agents = {kind: dqn.DQNAgent.load(_path(dqn, kind)) for kind in ("rate", "knobs", "game")}
    return Shipped(**agents, peaks=load_peaks())


def load_peaks():
    """The best peak of each schedule on training tasks, by a search of as many runs as an agent learns from."""
    return json.loads((FOLDER / "peaks.json").read_text(encoding="utf-8"))


def train(nets, dqn, *, log=print):
    """Train the agents of a framework anew, and put them where `load` finds them; the peaks too, if there are none."""
    FOLDER.mkdir(exist_ok=True)
    for kind, config in (("rate", TuningConfig()), ("knobs", TuningConfig(regularise=True))):
        history, seconds = train_tuner(nets, dqn, config, TUNER, seed=SEED)
        history.agent.save(_path(dqn, kind))
        log(f"{kind}: {history.steps:,} decisions in {seconds:.0f} processor seconds")
    history = dqn.train(GameTuningEnv(dqn), GAME_TUNER, seed=SEED, eval_env=False)
    history.agent.save(_path(dqn, "game"))
    log(f"game: {history.steps:,} decisions")
    if not (FOLDER / "peaks.json").exists():
        (FOLDER / "peaks.json").write_text(json.dumps(search_peaks(nets, seed=SEED), indent=1) + "\n",
                                           encoding="utf-8")


def _path(dqn, kind):
    return FOLDER / f"{kind}_{dqn.__name__.rpartition('.')[2]}.npz"
