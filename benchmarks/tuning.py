"""What an agent that tunes learning rates reaches on tasks it never saw, beside schedules and searches.

`python benchmarks/tuning.py --train keras` trains the agents that the course ships, anew.
"""

import argparse
from dataclasses import dataclass, replace

import dacbench_peer
import numpy as np
import training
from benchmark import Benchmark, twins

from course_lib.dqn.config import DQNConfig
from course_lib.tuning import trained
from course_lib.tuning.config import TUNER, TuningConfig
from course_lib.tuning.env import WORST, TrainingVectorEnv
from course_lib.tuning.games import PLAYER, GameTuningEnv
from course_lib.tuning.tasks import TaskConfig, draw_task, trimmed

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
KINDS = {**UNSEEN, "few examples, wrong labels": NOISY, "many examples, right labels": CLEAN}
SEARCHED = 5_000  # runs that an agent learns from, and that the search for a schedule's peak may make
AGENTS = {"agent": (TuningConfig(), TUNER.gamma), "agent, gamma 1": (TuningConfig(), 1.0),
          "all knobs": (ALL, TUNER.gamma), "all knobs, no bonus": (replace(ALL, bonus=0.0), TUNER.gamma),
          "all knobs, gamma 1": (ALL, 1.0)}
GAME_STARTS = (0.0003, 0.01, 0.3)  # first rates of the game's agent
COSINES = (0.01, 0.01 * 10**0.5, 0.1)  # peaks that one may try without a search
LOST = 1e6  # the loss of a run that has none any more


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


SCHEDULES = {"constant": np.ones, "cosine": cosine, "one-cycle": one_cycle}  # shares of a peak


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


def search_peaks(nets, config=None, *, tasks=None, runs=SEARCHED, peaks=20, seed=0):
    """For each schedule the peak that does best on training tasks, by a search of as many runs as an agent's training.

    Each peak is tried on as many tasks.
    """
    tasks, tried = tasks or draw_tasks(seed=seed), random_rates(np.random.default_rng(seed), peaks, PEAKS)
    env = TrainingVectorEnv(nets, tasks, config, num_envs=runs // peaks)
    steps = env.config.decisions
    return {name: float(min(tried, key=lambda peak: play(env, peak * schedule(steps), seed=seed).figures()[
        "validation"])) for name, schedule in SCHEDULES.items()}


def searched(nets, tasks, config=None, *, schedule="cosine", trials=16, seed=0):
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
        found[name] = of_runs(played, np.arange(n) * trials + chosen), float(spent.mean() / config.decisions)
    return found


def of_runs(played, rows):
    """Some of the runs."""
    return Played(played.losses[:, rows], played.rates[:, rows], played.accuracy[rows], played.test_loss[rows],
                  played.test_accuracy[rows])


def by_tpe(nets, tasks, *, schedule="cosine", trials=16, seed=0):
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
            study.tell(one, float(loss))
    return best_of(runs)


def best_of(runs, *, after=1.0):
    """Of each task the run with the lowest validation loss after a share of the decisions: a `Played` of several."""
    losses = np.array([run.losses[round(after * len(run.losses)) - 1] for run in runs])
    best = np.where(np.isfinite(losses), losses, LOST).argmin(axis=0), np.arange(losses.shape[1])
    losses, rates = (np.array([getattr(run, name).T for run in runs])[best].T for name in ("losses", "rates"))
    ends = (np.array([getattr(run, name) for run in runs])[best] for name in ("accuracy", "test_loss", "test_accuracy"))
    return Played(losses, rates, *ends)


def by_population(nets, tasks, config=None, *, members=16, every=4, share=0.2, seed=0):
    """Population based training, once: of each task the best of its members by the last validation loss, a `Played`.

    Members begin at random rates. After each `every` decisions the worst share of them takes the weights, the momentum
    and the rate of one of the best share, drawn at random, and multiplies the rate by .8 or 1.2: Jaderberg et al. 2017,
    "Population based training of neural networks", section 4.1.1.
    """
    config, n, rng = config or TuningConfig(), len(tasks), np.random.default_rng(seed)
    env = TrainingVectorEnv(nets, tasks, config, num_envs=n * members)
    env.reset(seed=seed, options={"tasks": np.repeat(np.arange(n), members)})
    now, count = random_rates(rng, n * members, PEAKS), round(share * members)
    losses, rates = np.empty((2, config.decisions, n * members))  # of the weights that each member has now
    for decision in range(config.decisions):
        if decision and decision % every == 0:
            for task in range(n):
                order = task * members + env.loss[task * members:(task + 1) * members].argsort(kind="stable")
                given, taken = rng.choice(order[:count], size=count), order[-count:]
                for part in (*env.runs.state, losses.T, rates.T):
                    part[taken] = part[given]
                now[taken] = now[given] * rng.choice([0.8, 1.2], size=count)
        _, _, over, *_ = env.advance(now)
        assert decision == config.decisions - 1 or not over.any(), "a member lost its numbers"
        losses[decision], rates[decision] = env.loss, env.rate
    played = Played(losses, rates, env.accuracy.copy(), *env.test())
    return of_runs(played, np.arange(n) * members + played.losses[-1].reshape(n, members).argmin(axis=1))


def without_rate(nets, tasks, descended, config=None):
    """A run on each task by a method without a rate, as long as the others: a `Played` with but the last losses."""
    config, tasks = config or TuningConfig(), trimmed(tasks)
    runs = descended(nets, tasks, steps=config.decisions * config.steps)
    (loss, accuracy), (test, right) = (training.losses(runs, tasks, part)[:, 0] for part in ("val", "test"))
    loss, test = np.clip([loss, test], 1e-3, WORST)
    return Played(loss[None], np.ones((1, len(tasks))), accuracy, test, right)


def by_dog(nets, tasks, steps):
    """With DoG, averaged."""
    return training.descend(nets, training.dog, tasks, [1.0], steps=steps, average=8)


def by_prodigy(nets, tasks, steps):
    """With Prodigy and a cosine."""
    from prodigyopt import Prodigy

    return training.descend_with(nets, Prodigy, tasks, [1.0], steps=steps, schedule=training.cosine)


def rivals(nets, agents, peaks, tasks, config=None, *, seed=0, searches=True):
    """Who trains networks on some tasks: {who: (Played, runs spent before all tasks, runs spent on each)}.

    All have the same first weights; one run each has the same batches, but where an optimizer sets its own rate.
    """
    config, n = config or TuningConfig(), len(tasks)
    env = TrainingVectorEnv(nets, tasks, config, num_envs=n)
    shapes, one = {name: schedule(config.decisions) for name, schedule in SCHEDULES.items()}, {}
    for name, agent in agents.items():  # from any first rate
        knobs = replace(config, regularise=AGENTS[name][0].regularise)
        one[name] = play(TrainingVectorEnv(nets, tasks, knobs, num_envs=n), agent, seed=seed)
    one |= {name: play(env, peak * shapes[name], seed=seed) for name, peak in peaks.items()}
    known = TrainingVectorEnv(nets, tasks, replace(config, start=(0.01, 0.01)), num_envs=n)
    one["agent from .01"] = play(known, agents["agent"], seed=seed)
    found = {name: (played, SEARCHED, 1) for name, played in one.items()}
    for name in ("constant", "cosine"):
        found[f"{name} at .01"] = play(env, 0.01 * shapes[name], seed=seed), 0, 1
    found["DoG"] = without_rate(nets, tasks, by_dog, config), 0, 1
    found["Prodigy, cosine"] = without_rate(nets, tasks, by_prodigy, config), 0, 1
    three = [one[name] for name in ("agent", "cosine", "one-cycle")]
    found["best of three"] = best_of(three), 3 * SEARCHED, 3
    found["best of three after a quarter"] = best_of(three, after=0.25), 3 * SEARCHED, 1.5
    found["best of three cosines"] = best_of([play(env, peak * shapes["cosine"], seed=seed) for peak in COSINES]), 0, 3
    if searches:
        found |= {name: (played, 0, runs) for name, (played, runs) in searched(nets, tasks, config, seed=seed).items()}
        found["TPE, 16"] = by_tpe(nets, tasks, seed=seed), 0, 16
        found["population of 16"] = by_population(nets, tasks, config, seed=seed), 0, 16
    return found


def of_seed(nets, dqn, seed, tasks=64):
    """The rows of one seed."""
    pool = draw_tasks(seed=seed)
    agents = {name: train_tuner(nets, dqn, config, replace(TUNER, gamma=gamma), tasks=pool, seed=seed).agent
              for name, (config, gamma) in AGENTS.items()}
    peaks = search_peaks(nets, tasks=pool, seed=seed)
    for place, (kind, config) in enumerate(KINDS.items()):
        drawn = draw_tasks(config, count=tasks, seed=10_000 + 100 * seed + place)
        for name, (played, before, runs) in rivals(nets, agents, peaks, drawn, seed=seed,
                                                   searches=kind in UNSEEN).items():
            used = 1 - np.isnan(played.rates).mean()
            yield {"tasks": kind, "who": name, "seed": seed, "log test loss": 100 * played.figures()["test"],
                   "accuracy": 100 * played.figures()["test accuracy"], "runs before": before,
                   "runs on a task": float(runs * used), "peak": peaks.get(name)}


def by_rival(framework, seeds):
    """Mean logarithm of the test loss in hundredths, and test accuracy in per cent, on 64 tasks of a kind a seed.

    By the seed agents, their 256 training tasks, the peaks of schedules, each the best of 20 on 250 of these tasks, and
    all other tasks differ. "Runs before" were spent once: on training an agent, or on the search for a schedule's peak.
    Everybody has 200 steps a run. Agents begin at any rate from .001 to .3; the best of three are of the agent, the
    cosine and one-cycle, by the validation loss. Losses are cut at .001 and 5. The tasks of digits, text and tables are
    drawn anew from these data sets: the intervals do not span other data.
    """
    for seed in range(seeds):
        yield from of_seed(*twins(framework, "networks", "dqn"), seed)


def canary(framework):
    """What random decisions bring, what an untrained agent's values are, a schedule, a search, a population and DoG."""
    nets, dqn = twins(framework, "networks", "dqn")
    tasks, short, found = draw_tasks(count=16, seed=0), TuningConfig(decisions=4), {}
    settings = replace(TUNER, warmup_steps=32, total_steps=128, epsilon_end=1.0)
    for name, config in (("rate", short), ("all knobs", replace(short, regularise=True))):
        history = train_tuner(nets, dqn, config, settings, tasks=tasks, num_envs=8)
        values = history.agent.q_values(TrainingVectorEnv(nets, tasks[:8], config, num_envs=8).reset(seed=0)[0])
        found |= {f"{name}, last loss": history.losses[-1], f"{name}, value": values.mean(),
                  f"{name}, spread": values.std()}
    env, few = TrainingVectorEnv(nets, tasks[:8], short, num_envs=8), tasks[:4]
    played = {"cosine": play(env, 0.03 * SCHEDULES["cosine"](4)), "DoG": without_rate(nets, few, by_dog, short),
              "halving": searched(nets, few, short, trials=4)["halving, 4"][0],
              "population": by_population(nets, few, short, members=4, every=1)}
    return found | {name: own.figures()["test"] for name, own in played.items()}


def trained_game(dqn, decide, rate, seed):
    """How long the pole stays up after a training from a first rate; `decide(obs)` gives an action, or None."""
    game = GameTuningEnv(dqn)
    obs, _ = game.reset(seed=seed, options={"rate": rate})
    for _ in range(game.decisions):
        action = decide(obs)
        obs, *_ = game.advance(rate) if action is None else game.step(action)
    return game.test()


def to_hundredth(obs):
    """A blind rule: towards a learning rate of .01, and no further."""
    gap = (np.log(0.01) - obs[3]) / np.log(3)
    return 2 if gap > 0.5 else 0 if gap < -0.5 else 1


def by_game(framework, seeds, trainings=10):
    """Steps that the pole stays up after 10,000 steps of CartPole, a mean of ten trainings of a DQN.

    By the seed a tuner, trained in 200 trainings of its own, and the ten trainings differ; all deciders have these ten.
    The blind rule moves any learning rate towards .01.
    """
    [dqn] = twins(framework, "dqn")
    for seed in range(seeds):
        tuner = dqn.train(GameTuningEnv(dqn), GAME_TUNER, seed=seed, eval_env=False).agent
        dice = np.random.default_rng(seed)
        deciders = {"left alone": lambda obs: None, "random decisions": lambda obs, dice=dice: int(dice.integers(3)),
                    "blind rule": to_hundredth, "tuned": lambda obs, tuner=tuner: int(tuner.act(obs[None])[0])}
        for rate in GAME_STARTS:
            for who, decide in deciders.items():
                yield {"first rate": rate, "who": who, "seed": seed, "steps": float(np.mean(
                    [trained_game(dqn, decide, rate, 1_000 * seed + own) for own in range(trainings)]))}


def game_canary(framework):
    """What a short training of the game's agent with three decisions looks like."""
    [dqn] = twins(framework, "dqn")
    game, found = GameTuningEnv(dqn, decisions=3), {}
    game.reset(seed=0, options={"rate": 0.003})
    for time, action in enumerate((2, 1, 0)):
        obs, *_ = game.step(action)
        found[f"loss after decision {time + 1}"] = game.loss
    return found | {"observed": float(obs.sum())}


STUDIES = {
    "tuning_rivals": Benchmark(
        title="Who trains small networks best, and what it costs", rows=by_rival, canary=canary, down=("tasks", "who"),
        seeds=8, settings={"training": TaskConfig(), "unseen": KINDS, "agent": TUNER, "agents": AGENTS, "peaks": PEAKS,
                           "cosines": COSINES}),
    "tuning_game": Benchmark(
        title="An agent that tunes another one, which learns to balance", rows=by_game, canary=game_canary,
        down=("first rate", "who"), seeds=5, settings={"tuner": GAME_TUNER, "player": PLAYER, "starts": GAME_STARTS}),
    "tuning_toysgd": dacbench_peer.STUDY}


def train(nets, dqn):
    """Train what the course ships for a framework anew."""
    for kind, name in (("rate", "agent"), ("knobs", "all knobs, gamma 1")):
        config, gamma = AGENTS[name]
        train_tuner(nets, dqn, config, replace(TUNER, gamma=gamma)).agent.save(trained.path(dqn, kind))
    dqn.train(GameTuningEnv(dqn), GAME_TUNER, seed=0, eval_env=False).agent.save(trained.path(dqn, "game"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", choices=("pytorch", "keras"), required=True, help="train what the course ships")
    train(*twins(parser.parse_args().train, "networks", "dqn"))
