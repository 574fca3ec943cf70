"""What an agent that tunes learning rates reaches on tasks it never saw, beside schedules and searches.

    python benchmarks/study.py tuning_rates
    python benchmarks/tuning.py --train keras     train the agents that the course ships, anew

Each seed has an agent, training tasks and unseen tasks of its own. A figure is the difference of mean logarithms of
the test loss, another's less the agent's, in hundredths: above 0 the agent is ahead, 5 is about five per cent.
"""

import argparse
import json
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from benchmark import Benchmark, twins

from course_lib.dqn.config import DQNConfig
from course_lib.tuning import trained
from course_lib.tuning.config import TUNER, TuningConfig
from course_lib.tuning.env import TrainingVectorEnv
from course_lib.tuning.games import GameTuningEnv
from course_lib.tuning.tasks import TaskConfig, draw_task

PEAKS = (1e-3, 0.3)  # between them a search looks for a learning rate
# What the agent never saw: wider networks, other data, and networks of two hidden layers.
UNSEEN = {"synthetic": TaskConfig(widths=(24, 48)),
          "digits": TaskConfig(sources=("digits",), widths=(24, 48)),
          "breast cancer, wine": TaskConfig(sources=("breast cancer", "wine"), widths=(24, 48)),
          "docstrings": TaskConfig(sources=("docstrings",), widths=(24, 48)),
          "two hidden layers": TaskConfig(sources=("synthetic", "digits"), widths=(16, 32), layers=2)}
# For one training of a game's agent at a time: there are few decisions, so many updates after each.
GAME_TUNER = DQNConfig(hidden=(32,), learning_rate=2e-3, batch_size=64, gamma=0.97, n_step=3, huber_delta=1.0, tau=0.01,
                       warmup_steps=200, train_every=1, updates_per_block=8, epsilon_end=0.1, epsilon_steps=1_000,
                       total_steps=2_000, eval_every=10_000_000)
NOISY = TaskConfig(examples=(40, 200), noise=(0.3, 0.3))  # few examples, three labels in ten random
CLEAN = TaskConfig(examples=(400, 1_000), noise=(0.0, 0.0))
ALL = TuningConfig(regularise=True)
LOST = 1e6  # the loss of a run that has none any more


def step_decay(steps, *, drops=2, factor=0.1):
    """The peak, multiplied by `factor` after each of `drops` + 1 equal parts of the run (He et al. 2016)."""
    return factor ** (np.arange(steps) * (drops + 1) // steps).astype(float)


def cosine(steps):
    """From the peak down to almost 0 along half a cosine (Loshchilov & Hutter 2017, eq. 5)."""
    return 0.5 * (1 + np.cos(np.pi * np.arange(steps) / steps))


def one_cycle(steps, *, warmup=0.3, first=1 / 25, last=1e-4 / 25):
    """Up from a share `first` to the peak in a share `warmup` of the run, then down to `last` (Smith & Topin 2018)."""
    step, top = np.arange(steps), warmup * steps - 1
    up = np.clip(step / max(top, 1e-9), 0, 1)
    down = np.clip((step - top) / max(steps - 1 - top, 1e-9), 0, 1)
    rising = first + (1 - first) * (1 - np.cos(np.pi * up)) / 2
    return np.where(step <= top, rising, last + (1 - last) * (1 + np.cos(np.pi * down)) / 2)


SCHEDULES = {"constant": np.ones, "step": step_decay, "cosine": cosine, "one-cycle": one_cycle}  # shares of a peak


def random_rates(rng, count, bounds):
    """Learning rates (count,) drawn between two bounds on a logarithmic scale."""
    return np.exp(rng.uniform(*np.log(bounds), size=count))


def random_search(curves):
    """The best of R runs by its last loss, and what that costs in decisions; losses (R, T)."""
    return int(curves[:, -1].argmin()), curves.size


def successive_halving(curves, *, rungs=(0.25, 0.5), keep=0.5):
    """As `random_search`, but after each of some shares of the run only a share of the runs goes on."""
    alive, time, spent = np.arange(len(curves)), 0, 0
    for rung in rungs:
        until = max(int(np.ceil(rung * curves.shape[1])), 1)
        spent, time = spent + len(alive) * (until - time), until
        best = curves[alive, until - 1].argsort(kind="stable")
        alive = alive[best[: int(np.ceil(keep * len(alive)))]]
    spent += len(alive) * (curves.shape[1] - time)
    return int(alive[curves[alive, -1].argmin()]), spent


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
    """One run in each copy, with learning rates, (T,) or (T, copies), or with an agent; by default each task in turn.

    The same seed gives the same runs, whoever decides.
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


def train_tuner(nets, dqn, config=None, settings=TUNER, *, tasks=None, seed=0, num_envs=64):
    """An agent that tunes, trained on synthetic tasks: the `History`."""
    env = TrainingVectorEnv(nets, tasks or draw_tasks(seed=seed), config, num_envs=num_envs)
    return dqn.train(env, settings, seed=seed, eval_env=False)


def search_peaks(nets, config=None, *, tasks=None, runs=5_000, peaks=20, seed=0):
    """For each schedule the peak that does best on training tasks, by a search of as many runs as an agent's training.

    Each peak is tried on as many tasks.
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


def on_unseen_tasks(framework, seeds, tasks=96):
    """By how many hundredths an agent's mean logarithm of the test loss is lower than a schedule's.

    Agents, each with training tasks and unseen tasks of its own (96 of a kind), trained for 100,000 decisions. A
    schedule's peak comes from a random search of 5,000 runs on synthetic tasks, as many as an agent learns from;
    then everybody has one run on each task, with the same first weights and batches.
    """
    nets, dqn = twins(framework, "networks", "dqn")
    peaks = trained.load_peaks()
    for seed in range(seeds):
        history = train_tuner(nets, dqn, seed=seed)
        for place, (kind, config) in enumerate(UNSEEN.items()):
            drawn = draw_tasks(config, count=tasks, seed=10_000 + 100 * seed + place)
            found = {name: played.figures() for name, played in
                     compare(nets, history.agent, peaks, drawn, seed=seed).items()}
            agent = found["agent"]
            ahead = {name: found[name]["test"] - agent["test"] for name in peaks}
            ahead["a constant, both from any first rate"] = (found["constant, any rate"]["test"]
                                                             - found["agent, any first rate"]["test"])
            ahead |= {f"points of test accuracy above {name}": agent["test accuracy"] - found[name]["test accuracy"]
                      for name in peaks}
            for name, value in ahead.items():
                yield {"lower than with": name, "tasks": kind, "seed": seed, "hundredths": 100 * value}


def against_searches(framework, seeds, tasks=32):
    """The same measure against searches on each of 32 new synthetic tasks, which spend more runs there.

    A cosine's peak drawn at random, the best of several, what halving leaves, and Optuna's tree of Parzen estimators.
    The agent's own training is 5,000 runs.
    """
    nets, dqn = twins(framework, "networks", "dqn")
    peaks = {"constant": trained.load_peaks()["constant"]}
    for seed in range(seeds):
        history = train_tuner(nets, dqn, seed=seed)
        drawn = draw_tasks(UNSEEN["synthetic"], count=tasks, seed=10_000 + 100 * seed)
        agent = compare(nets, history.agent, peaks, drawn, seed=seed)["agent"].figures()["test"]
        searched = search_each(nets, drawn, seed=seed)
        searched["TPE, 16"] = search_by_tpe(nets, drawn, seed=seed), 16
        for name, (played, runs) in searched.items():
            yield {"search": name, "seed": seed, "hundredths": 100 * (played.figures()["test"] - agent),
                   "runs on a task": runs}


def search_by_tpe(nets, tasks, *, schedule="cosine", trials=16, seed=0):
    """The best of some runs on each task, their peaks proposed by Optuna's tree of Parzen estimators: a `Played`."""
    import optuna  # here: nothing else needs it

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    config = TuningConfig()
    env = TrainingVectorEnv(nets, tasks, config, num_envs=len(tasks))
    between = {"peak": optuna.distributions.FloatDistribution(*PEAKS, log=True)}
    studies = [optuna.create_study(sampler=optuna.samplers.TPESampler(n_startup_trials=5, seed=seed * 1_000 + i))
               for i in range(len(tasks))]
    runs = []
    for trial in range(trials):
        asked = [study.ask(between) for study in studies]
        peaks = [one.params["peak"] for one in asked]
        runs.append(play(env, np.multiply.outer(SCHEDULES[schedule](config.decisions), peaks),
                                     seed=seed * 1_000 + trial))
        for study, one, loss in zip(studies, asked, runs[-1].losses[-1], strict=True):
            study.tell(one, float(loss) if np.isfinite(loss) else LOST)
    last = np.array([run.losses[-1] for run in runs])
    best = np.where(np.isfinite(last), last, LOST).argmin(axis=0), np.arange(len(tasks))
    losses, rates = (np.array([getattr(run, name).T for run in runs])[best].T for name in ("losses", "rates"))
    ends = (np.array([getattr(run, name) for run in runs])[best] for name in ("accuracy", "test_loss", "test_accuracy"))
    return Played(losses, rates, *ends)


def with_all_knobs(framework, seeds, tasks=96):
    """By how many hundredths its mean log test loss is lower than that of an agent of the rate alone."""
    nets, dqn = twins(framework, "networks", "dqn")
    kinds = {"few examples, wrong labels": NOISY, "many examples, right labels": CLEAN, **UNSEEN}
    for seed in range(seeds):
        one, more = (train_tuner(nets, dqn, config, seed=seed) for config in (None, ALL))
        for place, (kind, of) in enumerate(kinds.items()):
            drawn = draw_tasks(of, count=tasks, seed=20_000 + 100 * seed + place)
            played = [play(TrainingVectorEnv(nets, drawn, which, num_envs=tasks), history.agent,
                                       seed=seed) for which, history in ((TuningConfig(), one), (ALL, more))]
            rate, knobs = (each.figures()["test"] for each in played)
            yield {"tasks": kind, "seed": seed, "hundredths": 100 * (rate - knobs),
                   "share of the run": 1 - np.isnan(played[1].rates).mean()}


@cache
def canary(framework, config=None):
    """Updates by what random decisions bring, a schedule, and what the untrained agent's values are."""
    nets, dqn = twins(framework, "networks", "dqn")
    tasks, short = draw_tasks(count=16, seed=0), replace(config or TuningConfig(), decisions=4)
    settings = replace(TUNER, warmup_steps=32, total_steps=128, epsilon_end=1.0)
    history = train_tuner(nets, dqn, short, settings, tasks=tasks, num_envs=8)
    env = TrainingVectorEnv(nets, tasks[:8], short, num_envs=8)
    played = play(env, 0.03 * SCHEDULES["cosine"](4)).figures()
    values = history.agent.q_values(env.reset(seed=0)[0])
    return {"first loss": history.losses[0], "last loss": history.losses[-1], "value": values.mean(),
            "spread": values.std(), "test": played["test"], "validation": played["validation"]}


TASKS = {"training": TaskConfig(), "unseen": UNSEEN, "agent": TUNER, "run": TuningConfig(),
         "peaks": trained.load_peaks()}
STUDIES = {
    "tuning_rates": Benchmark(
        title="An agent that tunes learning rates, beside schedules",
        settings=TASKS, rows=on_unseen_tasks, canary=canary, down=("lower than with", "framework"), across=("tasks",),
        seeds=10),
    "tuning_searches": Benchmark(
        title="An agent that tunes learning rates, beside searches",
        settings=TASKS, rows=against_searches, canary=canary, down=("search",), seeds=10),
    "tuning_knobs": Benchmark(
        title="An agent that also sets weight decay, dropout, clipping and the end",
        settings=TASKS | {"run": ALL, "noisy": NOISY, "clean": CLEAN}, rows=with_all_knobs, down=("tasks",), seeds=3,
        canary=lambda framework: canary(framework, ALL))}



def train(nets, dqn):
    """Train what the course ships for a framework anew; the peaks too, if there are none."""
    for kind, config in (("rate", TuningConfig()), ("knobs", ALL)):
        train_tuner(nets, dqn, config).agent.save(trained.path(dqn, kind))
    dqn.train(GameTuningEnv(dqn), GAME_TUNER, seed=0, eval_env=False).agent.save(trained.path(dqn, "game"))
    if not trained.PEAKS.exists():
        trained.PEAKS.write_text(json.dumps(search_peaks(nets), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", choices=("pytorch", "keras"), required=True, help="train what the course ships")
    train(*twins(parser.parse_args().train, "networks", "dqn"))
