"""What notebook 10 and the benchmark compare: an agent, schedules and searches, run for run on the same tasks."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from course_lib.tuning.config import TUNER, TuningConfig
from course_lib.tuning.env import TrainingVectorEnv
from course_lib.tuning.schedules import SCHEDULES
from course_lib.tuning.search import random_rates, random_search, successive_halving
from course_lib.tuning.tasks import TaskConfig, draw_task

PEAKS = (1e-3, 0.3)  # between them a search looks for a learning rate
# What the agent never saw: wider networks, other data, and networks of two hidden layers.
UNSEEN = {"synthetic": TaskConfig(widths=(24, 48)),
          "digits": TaskConfig(sources=("digits",), widths=(24, 48)),
          "breast cancer, wine": TaskConfig(sources=("breast cancer", "wine"), widths=(24, 48)),
          "docstrings": TaskConfig(sources=("docstrings",), widths=(24, 48)),
          "two hidden layers": TaskConfig(sources=("synthetic", "digits"), widths=(16, 32), layers=2)}


@dataclass
class Played:
    """What became of R runs: losses after each decision and learning rates, (T, R); at the end, (R,) each."""

    losses: np.ndarray
    rates: np.ndarray
    accuracy: np.ndarray
    test_loss: np.ndarray
    test_accuracy: np.ndarray

    def figures(self):
        """Means over the runs: of the logarithm of both losses, and of both accuracies."""
        return {"validation": float(np.log(self.losses[-1]).mean()), "test": float(np.log(self.test_loss).mean()),
                "accuracy": float(self.accuracy.mean()), "test accuracy": float(self.test_accuracy.mean())}


def draw_tasks(config=None, *, count=256, seed=0):
    """A list of so many tasks."""
    rng = np.random.default_rng(seed)
    return [draw_task(rng, config) for _ in range(count)]


def play(env, decide, *, seed=0, tasks=None):
    """One run in each copy of a `TrainingVectorEnv`, with learning rates or with an agent.

    Parameters
    ----------
    env : TrainingVectorEnv
    decide : array (T,) or (T, num_envs) of learning rates, or an agent
    seed : int
        The same seed gives the same runs, whoever decides.
    tasks : integer array (num_envs,), optional
        Which tasks; by default each in turn.

    Returns
    -------
    Played
    """
    tasks = np.arange(env.num_envs) % len(env.pool) if tasks is None else tasks
    obs, _ = env.reset(seed=seed, options={"tasks": tasks})
    ended, final = np.zeros(env.num_envs, bool), np.zeros((4, env.num_envs))
    losses, rates = np.empty((2, env.config.decisions, env.num_envs))
    for t in range(env.config.decisions):
        if hasattr(decide, "act"):
            obs, _, over, *_ = env.step(decide.act(obs))
        else:
            obs, _, over, *_ = env.advance(np.broadcast_to(decide[t], env.num_envs))
        losses[t], rates[t] = np.where(ended, final[0], env.loss), np.where(ended, np.nan, env.rate)
        now = over & ~ended  # what comes after the end of a run is another one
        if now.any():
            final[:, now] = np.array([env.loss, env.accuracy, *env.test()])[:, now]
        ended |= over
    return Played(losses, rates, *final[1:])


def train_tuner(nets, dqn, config=None, settings=TUNER, *, tasks=None, seed=0, num_envs=64, watch=()):
    """An agent that tunes, trained on synthetic tasks; the `History` and processor seconds."""
    start = time.process_time()
    env = TrainingVectorEnv(nets, tasks or draw_tasks(seed=seed), config, num_envs=num_envs)
    history = dqn.train(env, settings, seed=seed, eval_env=False, callbacks=watch)
    return history, time.process_time() - start


def search_peaks(nets, config=None, *, tasks=None, runs=5_000, peaks=20, seed=0):
    """For each of `SCHEDULES`, the peak that does best on training tasks: {name: peak}.

    A search of `runs` runs in all: as many as the agent's training has. Each peak is tried on as many tasks.
    """
    tasks, tried = tasks or draw_tasks(seed=seed), random_rates(np.random.default_rng(seed), peaks, PEAKS)
    env = TrainingVectorEnv(nets, tasks, config, num_envs=runs // peaks)
    steps = env.config.decisions
    return {name: float(min(tried, key=lambda peak: play(env, peak * schedule(steps), seed=seed).figures()[
        "validation"])) for name, schedule in SCHEDULES.items()}


def compare(nets, agent, peaks, tasks, config=None, *, seed=0):
    """An agent and schedules on the same tasks, one run each: {who: Played}.

    The agent begins with the best constant rate of `peaks`, which a search has paid for, and with a random rate between
    `PEAKS`, which costs nothing.
    """
    config, n = replace(config or TuningConfig(), regularise=False), len(tasks)
    env = TrainingVectorEnv(nets, tasks, config, num_envs=n)
    found = {name: play(env, peak * SCHEDULES[name](config.decisions), seed=seed) for name, peak in peaks.items()}
    for name, start in (("agent", (peaks["constant"],) * 2), ("agent, any first rate", PEAKS)):
        env.config = replace(config, start=start)
        found[name] = play(env, agent, seed=seed)
    rates = random_rates(np.random.default_rng(seed), n, PEAKS)
    return found | {"constant, any rate": play(env, np.tile(rates, (config.decisions, 1)), seed=seed)}


def search_each(nets, tasks, config=None, *, schedule="cosine", trials=16, seed=0):
    """What searches reach that may make up to `trials` runs on each task: {search: (Played, runs spent on a task)}."""
    config, n = config or TuningConfig(), len(tasks)
    env = TrainingVectorEnv(nets, tasks, config, num_envs=n * trials)
    peaks = random_rates(np.random.default_rng(seed), n * trials, PEAKS)
    played = play(env, np.multiply.outer(SCHEDULES[schedule](config.decisions), peaks), seed=seed,
                  tasks=np.repeat(np.arange(n), trials))
    found, curves = {}, played.losses.T.reshape(n, trials, config.decisions)
    for name, search in (("one at random", lambda own: random_search(own[:1])),
                         ("random search, 2", lambda own: random_search(own[:2])),
                         ("random search, 4", lambda own: random_search(own[:4])),
                         (f"random search, {trials}", random_search), (f"halving, {trials}", successive_halving)):
        chosen, spent = np.array([search(own) for own in curves]).T
        rows = np.arange(n) * trials + chosen
        best = Played(played.losses[:, rows], played.rates[:, rows], played.accuracy[rows], played.test_loss[rows],
                      played.test_accuracy[rows])
        found[name] = best, float(spent.mean() / config.decisions)
    return found
