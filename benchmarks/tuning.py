"""What an agent that tunes learning rates reaches on tasks it never saw, beside schedules and searches.

    python benchmarks/study.py tuning_rates
    python benchmarks/tuning.py --train keras     train the agents that the course ships, anew

Each seed has an agent, training tasks and unseen tasks of its own. A figure is the difference of mean logarithms of
the test loss, another's less the agent's, in hundredths: above 0 the agent is ahead, 5 is about five per cent.
"""

import argparse
from dataclasses import replace
from functools import cache

import numpy as np
from benchmark import Benchmark, twins

from course_lib.tuning import experiments, trained
from course_lib.tuning.config import TUNER, TuningConfig
from course_lib.tuning.env import TrainingVectorEnv
from course_lib.tuning.schedules import SCHEDULES
from course_lib.tuning.tasks import TaskConfig

NOISY = TaskConfig(examples=(40, 200), noise=(0.3, 0.3))  # few examples, three labels in ten random
CLEAN = TaskConfig(examples=(400, 1_000), noise=(0.0, 0.0))
ALL = TuningConfig(regularise=True)
LOST = 1e6  # the loss of a run that has none any more


def on_unseen_tasks(framework, seeds, tasks=96):
    """By how many hundredths an agent's mean logarithm of the test loss is lower than a schedule's.

    Agents, each with training tasks and unseen tasks of its own (96 of a kind), trained for 100,000 decisions. A
    schedule's peak comes from a random search of 5,000 runs on synthetic tasks, as many as an agent learns from;
    then everybody has one run on each task, with the same first weights and batches.
    """
    nets, dqn = twins(framework, "networks", "dqn")
    peaks = trained.load_peaks()
    for seed in range(seeds):
        history, _ = experiments.train_tuner(nets, dqn, seed=seed)
        for place, (kind, config) in enumerate(experiments.UNSEEN.items()):
            drawn = experiments.draw_tasks(config, count=tasks, seed=10_000 + 100 * seed + place)
            found = {name: played.figures() for name, played in
                     experiments.compare(nets, history.agent, peaks, drawn, seed=seed).items()}
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
        history, _ = experiments.train_tuner(nets, dqn, seed=seed)
        drawn = experiments.draw_tasks(experiments.UNSEEN["synthetic"], count=tasks, seed=10_000 + 100 * seed)
        agent = experiments.compare(nets, history.agent, peaks, drawn, seed=seed)["agent"].figures()["test"]
        searched = experiments.search_each(nets, drawn, seed=seed)
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
    between = {"peak": optuna.distributions.FloatDistribution(*experiments.PEAKS, log=True)}
    studies = [optuna.create_study(sampler=optuna.samplers.TPESampler(n_startup_trials=5, seed=seed * 1_000 + i))
               for i in range(len(tasks))]
    runs = []
    for trial in range(trials):
        asked = [study.ask(between) for study in studies]
        peaks = [one.params["peak"] for one in asked]
        runs.append(experiments.play(env, np.multiply.outer(SCHEDULES[schedule](config.decisions), peaks),
                                     seed=seed * 1_000 + trial))
        for study, one, loss in zip(studies, asked, runs[-1].losses[-1], strict=True):
            study.tell(one, float(loss) if np.isfinite(loss) else LOST)
    last = np.array([run.losses[-1] for run in runs])
    best = np.where(np.isfinite(last), last, LOST).argmin(axis=0), np.arange(len(tasks))
    losses, rates = (np.array([getattr(run, name).T for run in runs])[best].T for name in ("losses", "rates"))
    ends = (np.array([getattr(run, name) for run in runs])[best] for name in ("accuracy", "test_loss", "test_accuracy"))
    return experiments.Played(losses, rates, *ends)


def with_all_knobs(framework, seeds, tasks=96):
    """By how many hundredths its mean log test loss is lower than that of an agent of the rate alone."""
    nets, dqn = twins(framework, "networks", "dqn")
    kinds = {"few examples, wrong labels": NOISY, "many examples, right labels": CLEAN, **experiments.UNSEEN}
    for seed in range(seeds):
        one, more = (experiments.train_tuner(nets, dqn, config, seed=seed)[0] for config in (None, ALL))
        for place, (kind, of) in enumerate(kinds.items()):
            drawn = experiments.draw_tasks(of, count=tasks, seed=20_000 + 100 * seed + place)
            played = [experiments.play(TrainingVectorEnv(nets, drawn, which, num_envs=tasks), history.agent,
                                       seed=seed) for which, history in ((TuningConfig(), one), (ALL, more))]
            rate, knobs = (each.figures()["test"] for each in played)
            yield {"tasks": kind, "seed": seed, "hundredths": 100 * (rate - knobs),
                   "share of the run": 1 - np.isnan(played[1].rates).mean()}


@cache
def canary(framework, config=None):
    """Updates by what random decisions bring, a schedule, and what the untrained agent's values are."""
    nets, dqn = twins(framework, "networks", "dqn")
    tasks, short = experiments.draw_tasks(count=16, seed=0), replace(config or TuningConfig(), decisions=4)
    settings = replace(TUNER, warmup_steps=32, total_steps=128, epsilon_end=1.0)
    history, _ = experiments.train_tuner(nets, dqn, short, settings, tasks=tasks, num_envs=8)
    env = TrainingVectorEnv(nets, tasks[:8], short, num_envs=8)
    played = experiments.play(env, 0.03 * SCHEDULES["cosine"](4)).figures()
    values = history.agent.q_values(env.reset(seed=0)[0])
    return {"first loss": history.losses[0], "last loss": history.losses[-1], "value": values.mean(),
            "spread": values.std(), "test": played["test"], "validation": played["validation"]}


TASKS = {"training": TaskConfig(), "unseen": experiments.UNSEEN, "agent": TUNER, "run": TuningConfig(),
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

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", choices=("pytorch", "keras"), required=True, help="train what the course ships")
    trained.train(*twins(parser.parse_args().train, "networks", "dqn"))
