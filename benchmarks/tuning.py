"""What an agent that tunes learning rates reaches on tasks it never saw, beside schedules and searches; both twins.

    python benchmarks/tuning.py                        both frameworks, 10 seeds
    python benchmarks/tuning.py --frameworks keras     one of them
    python benchmarks/tuning.py --train keras          train the agents that the course ships, anew

Each seed has an agent, training tasks and unseen tasks of its own. A figure is the difference of mean logarithms of
the test loss, another's less the agent's: above 0 the agent is ahead, .05 is five per cent. ± is the half-width of the
95% interval of the mean over the seeds (Student's t).
"""

import argparse
import importlib

import numpy as np
from scipy.stats import t as student
from side_by_side import report, table

from course_lib.tuning import experiments, trained
from course_lib.tuning.config import TuningConfig
from course_lib.tuning.env import TrainingVectorEnv
from course_lib.tuning.schedules import SCHEDULES
from course_lib.tuning.tasks import TaskConfig

NOISY = TaskConfig(examples=(40, 200), noise=(0.3, 0.3))  # few examples, three labels in ten by lot
LOST = 1e6  # the loss of a run that has none any more
CLEAN = TaskConfig(examples=(400, 1_000), noise=(0.0, 0.0))


def on_unseen_tasks(tuning, dqn, peaks, seed, tasks=96):
    """Yield (what, value) of one agent on each kind of task that it has not seen."""
    history, seconds = experiments.train_tuner(tuning, dqn, seed=seed)
    yield "processor seconds of training", seconds
    for place, (kind, config) in enumerate(experiments.UNSEEN.items()):
        drawn = experiments.draw_tasks(config, count=tasks, seed=10_000 + 100 * seed + place)
        found = experiments.compare(tuning, history.agent, peaks, drawn, seed=seed)
        agent = found["agent"].figures()
        for name in peaks:
            other = found[name].figures()
            yield f"{kind}: {name}, test loss", other["test"] - agent["test"]
            yield f"{kind}: {name}, validation loss", other["validation"] - agent["validation"]
            yield f"{kind}: {name}, points of test accuracy", 100 * (agent["test accuracy"] - other["test accuracy"])
        yield f"{kind}: any first rate, constant less agent", (found["constant, any rate"].figures()["test"]
                                                              - found["agent, any first rate"].figures()["test"])
        yield f"{kind}: agent from any first rate less from a good one", (
            found["agent, any first rate"].figures()["test"] - agent["test"])
        if kind == "synthetic":
            searched = experiments.search_each(tuning, drawn[:32], seed=seed)
            one = experiments.compare(tuning, history.agent, {"constant": peaks["constant"]}, drawn[:32], seed=seed)
            searched["TPE, 16"] = search_by_tpe(tuning, drawn[:32], seed=seed), 16
            for name, (played, runs) in searched.items():
                yield f"new tasks: {name} ({runs:.2g} runs)", played.figures()["test"] - one["agent"].figures()["test"]


def search_by_tpe(tuning, tasks, *, schedule="cosine", trials=16, seed=0):
    """The best of some runs on each task, their peaks proposed by Optuna's tree of Parzen estimators: a `Played`."""
    import optuna  # here: --train, which the notebook names, does without

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    config = TuningConfig()
    env = TrainingVectorEnv(tuning, tasks, config, num_envs=len(tasks))
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


def with_all_knobs(tuning, dqn, seed, tasks=96):
    """Yield (what, value) of an agent that also sets weight decay, dropout, clipping and the end."""
    one, _ = experiments.train_tuner(tuning, dqn, seed=seed)
    config = TuningConfig(regularise=True)
    more, _ = experiments.train_tuner(tuning, dqn, config, seed=seed)
    kinds = {"few examples, wrong labels": NOISY, "many examples, right labels": CLEAN, **experiments.UNSEEN}
    for place, (kind, of) in enumerate(kinds.items()):
        drawn = experiments.draw_tasks(of, count=tasks, seed=20_000 + 100 * seed + place)
        played = [experiments.play(TrainingVectorEnv(tuning, drawn, which, num_envs=tasks), history.agent, seed=seed)
                  for which, history in ((TuningConfig(), one), (config, more))]
        yield f"all knobs, {kind}: test loss, rate alone less all", (
            played[0].figures()["test"] - played[1].figures()["test"])
        yield f"all knobs, {kind}: share of the run", float(1 - np.isnan(played[1].rates).mean())


def main():
    """Run the frameworks one after the other and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frameworks", nargs="+", choices=("pytorch", "keras"), default=["pytorch", "keras"])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--train", choices=("pytorch", "keras"), help="train what the course ships, and no more")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    twins = {name: [importlib.import_module(f"course_lib.{topic}.in_{name}") for topic in ("tuning", "dqn")]
             for name in ([options.train] if options.train else options.frameworks if options.inside else [])}
    if options.train:
        trained.train(*twins[options.train])
    elif not options.inside:
        table(__file__, options.frameworks, ["--seeds", str(options.seeds)])
    else:
        tuning, dqn = twins[options.frameworks[0]]
        peaks, found = trained.load_peaks(), {}
        for seed in range(options.seeds):
            more = with_all_knobs(tuning, dqn, seed) if seed < 3 else ()
            for what, value in (*on_unseen_tasks(tuning, dqn, peaks, seed), *more):
                found.setdefault(what, []).append(value)
        for what, values in found.items():
            n = len(values)
            half = student.ppf(0.975, n - 1) * np.std(values, ddof=1) / np.sqrt(n) if n > 1 else 0
            report(what, np.mean(values), half)


if __name__ == "__main__":
    main()
