"""What the studies compare: run for run on the same tasks; schedules against PyTorch's own; searches by hand."""

import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import tuning as benchmark
from tuning import (
    SCHEDULES,
    Played,
    cosine,
    draw_tasks,
    one_cycle,
    play,
    random_rates,
    random_search,
    search_peaks,
    searched,
    successive_halving,
    train_tuner,
)

from course_lib.tuning.config import TUNER, TuningConfig
from course_lib.tuning.env import TrainingVectorEnv
from course_lib.tuning.tasks import TaskConfig

SHORT = TuningConfig(decisions=4, steps=5)


class Always:
    def __init__(self, action):
        self.action = action

    def act(self, obs, epsilon=0.0, rng=None):
        return np.full(len(obs), self.action)


@pytest.fixture(scope="module")
def tasks():
    return draw_tasks(TaskConfig(scale=(1, 1)), count=6, seed=3)


def test_whoever_decides_has_the_same_runs(nets, tasks):
    env = TrainingVectorEnv(nets, tasks, replace(SHORT, start=(0.01, 0.01)), num_envs=6)
    by_agent, by_rates = play(env, Always(1), seed=5), play(env, np.full(4, 0.01), seed=5)
    np.testing.assert_allclose(by_agent.losses, by_rates.losses, rtol=1e-5)
    np.testing.assert_allclose(by_agent.test_accuracy, by_rates.test_accuracy)
    falling = play(env, Always(0), seed=5)
    np.testing.assert_allclose(falling.rates, np.outer(0.01 * 0.4 ** np.arange(1, 5), np.ones(6)))
    each = play(env, np.tile([[0.01] * 3 + [0.1] * 3], (4, 1)), seed=5)
    np.testing.assert_allclose(each.losses[:, :3], by_rates.losses[:, :3], rtol=1e-4)
    assert np.abs(each.losses[:, 3:] - by_rates.losses[:, 3:]).min() > 1e-4
    np.testing.assert_allclose([env.tasks[i].x.sum() for i in range(6)], [task.x.sum() for task in env.pool])


def test_the_end_of_a_run_is_its_own(nets, tasks):
    env = TrainingVectorEnv(nets, tasks, replace(SHORT, regularise=True, start=(0.01, 0.01)), num_envs=6)

    class StopsSecond(Always):
        def __init__(self):
            self.time = 0

        def act(self, obs, epsilon=0.0, rng=None):
            self.time += 1
            return np.where(np.arange(len(obs)) % 2 & (self.time == 2), 9, 1)

    stopped, whole = play(env, StopsSecond(), seed=1), play(env, Always(1), seed=1)
    np.testing.assert_allclose(stopped.losses[:, ::2], whole.losses[:, ::2], rtol=1e-4)
    np.testing.assert_allclose(stopped.losses[0], whole.losses[0], rtol=1e-4)
    np.testing.assert_allclose(stopped.losses[1:, 1::2], np.tile(whole.losses[:1, 1::2], (3, 1)), rtol=1e-4)
    assert np.isnan(stopped.rates[2:, 1::2]).all() and not np.isnan(stopped.rates[:, ::2]).any()


def test_searches_choose_among_the_same_runs_and_count_what_they_spend(nets, tasks):
    found = searched(nets, tasks, SHORT, trials=8, seed=2)
    peaks = random_rates(np.random.default_rng(2), 48, benchmark.PEAKS)
    env = TrainingVectorEnv(nets, tasks, SHORT, num_envs=48)
    runs = play(env, np.multiply.outer(cosine(4), peaks), seed=2, tasks=np.repeat(np.arange(6), 8))
    losses = runs.losses.reshape(4, 6, 8)
    chosen = {"one at random": np.zeros(6, int), "halving, 8": [successive_halving(own)[0] for own in losses.transpose(
        1, 2, 0)]} | {f"random search, {n}": losses[-1, :, :n].argmin(axis=1) for n in (2, 4, 8)}
    spent = {"one at random": 1, "random search, 2": 2, "random search, 4": 4, "random search, 8": 8,
             "halving, 8": (8 + 4 + 2 * 2) / 4}
    assert {name: cost for name, (_, cost) in found.items()} == spent
    for name, (best, _) in found.items():
        rows = np.arange(6) * 8 + chosen[name]
        np.testing.assert_allclose(best.losses, runs.losses[:, rows], rtol=1e-4, err_msg=name)
        np.testing.assert_allclose(best.rates[0], peaks[rows], err_msg=name)
        np.testing.assert_allclose(best.test_loss, runs.test_loss[rows], rtol=1e-4, err_msg=name)


def test_rivals_have_the_same_runs_and_their_costs(nets, tasks, monkeypatch):
    asked = {}
    monkeypatch.setattr(benchmark, "by_tpe", lambda nets, tasks, seed: asked.update(tpe=seed) or "TPE")
    monkeypatch.setattr(benchmark, "by_population", lambda nets, tasks, config, seed: asked.update(
        population=(config, seed)) or "population")
    monkeypatch.setattr(benchmark, "without_rate", lambda nets, tasks, by, config: asked.update({by: config}) or by)
    config, peaks = replace(SHORT, start=(0.02, 0.02)), {"constant": 0.03, "cosine": 0.05, "one-cycle": 0.07}
    agents = dict(zip(benchmark.AGENTS, map(Always, (0, 1, 3, 5, 7)), strict=True))  # the last three: all knobs
    found = benchmark.rivals(nets, agents, peaks, tasks, config, seed=2)
    assert {name: rest for name, (_, *rest) in found.items()} == {
        **dict.fromkeys((*benchmark.AGENTS, "constant", "cosine", "one-cycle", "agent from .01"), [5_000, 1]),
        "constant at .01": [0, 1], "cosine at .01": [0, 1], "DoG": [0, 1], "Prodigy, cosine": [0, 1],
        "best of three": [15_000, 3], "best of three after a quarter": [15_000, 1.5], "best of three cosines": [0, 3],
        "one at random": [0, 1], "random search, 2": [0, 2], "random search, 4": [0, 4], "random search, 16": [0, 16],
        "halving, 16": [0, (16 + 8 + 4 * 2) / 4], "TPE, 16": [0, 16], "population of 16": [0, 16]}
    assert asked == {"tpe": 2, "population": (config, 2), benchmark.by_dog: config, benchmark.by_prodigy: config}
    played = {name: run for name, (run, *_) in found.items() if isinstance(run, Played)}
    env, falling = TrainingVectorEnv(nets, tasks, config, num_envs=6), 0.4 ** np.arange(1, 5)
    for name, rates in (
            ("agent", 0.02 * falling), ("agent, gamma 1", 0.02 * np.ones(4)), ("agent from .01", 0.01 * falling),
            ("constant", 0.03 * np.ones(4)), ("cosine", 0.05 * cosine(4)), ("one-cycle", 0.07 * one_cycle(4)),
            ("constant at .01", 0.01 * np.ones(4)), ("cosine at .01", 0.01 * cosine(4))):
        np.testing.assert_allclose(played[name].losses, play(env, rates, seed=2).losses, rtol=1e-4, err_msg=name)
    for name in ("all knobs", "all knobs, no bonus", "all knobs, gamma 1"):
        knobs = TrainingVectorEnv(nets, tasks, replace(config, regularise=True), num_envs=6)
        np.testing.assert_allclose(played[name].losses, play(knobs, agents[name], seed=2).losses, rtol=1e-4)
    quarter = np.array([played[name].losses[0] for name in ("agent", "cosine", "one-cycle")]).argmin(axis=0)
    three = np.array([played[name].losses[-1] for name in ("agent", "cosine", "one-cycle")])
    np.testing.assert_allclose(played["best of three"].losses[-1], three.min(axis=0))
    np.testing.assert_allclose(played["best of three after a quarter"].losses[-1], three[quarter, np.arange(6)])
    cosines = [play(env, peak * cosine(4), seed=2).losses[-1] for peak in benchmark.COSINES]
    np.testing.assert_allclose(played["best of three cosines"].losses[-1], np.min(cosines, axis=0), rtol=1e-4)
    assert "TPE, 16" not in benchmark.rivals(nets, agents, peaks, tasks, config, searches=False)


def test_the_rows_of_a_seed(monkeypatch):
    """Each agent learns from the seed's tasks with its own settings; peaks are searched there; test figures count."""
    trained, asked = [], []
    monkeypatch.setattr(benchmark, "train_tuner", lambda nets, dqn, config, settings, tasks, seed: trained.append(
        (config, settings, tasks, seed)) or SimpleNamespace(agent=len(trained)))
    monkeypatch.setattr(benchmark, "search_peaks", lambda nets, tasks, seed: {"who": (tasks, seed)})
    monkeypatch.setattr(benchmark, "draw_tasks", lambda config=None, count=256, seed=0: (config, count, seed))

    def rivals(nets, agents, peaks, tasks, seed, searches):
        asked.append((agents, peaks, tasks, seed, searches))
        rates = np.array([[0.1, 0.1], [0.1, np.nan], [0.1, np.nan], [0.1, np.nan]])
        ends = np.full(2, 0.3), np.array([1.0, np.e]), np.array([0.5, 0.7])
        return {"who": (Played(np.ones((4, 2)), rates, *ends), 7, 3)}

    monkeypatch.setattr(benchmark, "rivals", rivals)
    rows, pool = list(benchmark.of_seed("nets", "dqn", 3)), (None, 256, 3)
    assert trained == [(config, replace(TUNER, gamma=gamma), pool, 3) for config, gamma in benchmark.AGENTS.values()]
    assert [settings.gamma for _, settings, *_ in trained] == [0.94, 1.0, 0.94, 0.94, 1.0]
    assert [config.regularise for config, *_ in trained] == [False, False, True, True, True]
    assert [config.bonus for config, *_ in trained] == [1, 1, 1, 0, 1]
    agents = dict(zip(benchmark.AGENTS, (1, 2, 3, 4, 5), strict=True))
    assert asked == [(agents, {"who": (pool, 3)}, (config, 64, 10_300 + place), 3, kind in benchmark.UNSEEN)
                     for place, (kind, config) in enumerate(benchmark.KINDS.items())]
    assert [row["tasks"] for row in rows] == list(benchmark.KINDS) and len(rows) == 7
    assert {key: rows[0][key] for key in ("who", "seed", "runs before", "peak")} == {
        "who": "who", "seed": 3, "runs before": 7, "peak": (pool, 3)}
    measured = rows[0]["log test loss"], rows[0]["accuracy"], rows[0]["runs on a task"]
    assert measured == pytest.approx((50, 60, 3 * 5 / 8))


def test_peaks_are_proposed_and_judged(nets, tasks, monkeypatch):
    """TPE is told the validation loss of what it asked for, of each task its own, and the best run counts."""
    told, samplers, proposed = [], [], iter(np.repeat([[0.01], [0.02], [0.03]], 6, axis=1).ravel().tolist())

    class Study:
        def ask(self, between):
            assert between["peak"].low == 1e-3 and between["peak"].log
            return SimpleNamespace(params={"peak": next(proposed)})

        def tell(self, one, loss):
            told.append((one.params["peak"], loss))

    optuna = SimpleNamespace(
        logging=SimpleNamespace(set_verbosity=lambda level: None, WARNING=0),
        create_study=lambda sampler: samplers.append(sampler) or Study(),
        distributions=SimpleNamespace(FloatDistribution=lambda low, high, log: SimpleNamespace(low=low, log=log)),
        samplers=SimpleNamespace(TPESampler=lambda n_startup_trials, seed: (n_startup_trials, seed)))
    monkeypatch.setitem(sys.modules, "optuna", optuna)
    found = benchmark.by_tpe(nets, tasks, trials=3, seed=4)
    env, full = TrainingVectorEnv(nets, tasks, num_envs=6), cosine(20)
    runs = [play(env, peak * full, seed=4_000 + trial) for trial, peak in enumerate((0.01, 0.02, 0.03))]
    np.testing.assert_allclose([loss for _, loss in told], np.concatenate([run.losses[-1] for run in runs]), rtol=1e-4)
    assert samplers == [(5, 4_000 + task) for task in range(6)]
    assert [peak for peak, _ in told] == [*[0.01] * 6, *[0.02] * 6, *[0.03] * 6]
    np.testing.assert_allclose(found.losses[-1], np.min([run.losses[-1] for run in runs], axis=0), rtol=1e-4)


def test_the_best_of_runs_by_hand():
    ends = np.array([[1, 2], [10, 20], [100, 200]])
    first = Played(np.array([[1, 4], [3, 2], [5, np.nan], [2, 1.0]]), np.full((4, 2), 0.1), *ends)
    other = Played(np.array([[2, 3], [2, 3], [4, 4], [3, 2.0]]), np.full((4, 2), 0.2), *(ends + 2))
    for after, chosen in ((1.0, [0, 0]), (0.25, [0, 1]), (0.75, [1, 1])):
        best = benchmark.best_of([first, other], after=after)
        np.testing.assert_array_equal(best.rates[0], 0.1 + 0.1 * np.array(chosen))
        np.testing.assert_array_equal([best.accuracy, best.test_loss, best.test_accuracy], ends + 2 * np.array(chosen))
        assert best.losses.shape == (4, 2)


def test_means_over_runs():
    ends = np.array([0.1, 0.3]), np.array([np.e, np.e**2]), np.array([0.6, 1.0])
    played = Played(np.array([[9.0, 9.0], [1.0, np.e]]), np.ones((2, 2)), *ends)
    assert played.figures() == pytest.approx({"validation": 0.5, "test": 1.5, "accuracy": 0.2, "test accuracy": 0.8})


def test_a_run_without_a_rate_is_as_long_as_others_and_judged_as_they_are(nets, tasks):
    calls = []

    def steady(nets, tasks, steps):
        calls.append(steps)
        return benchmark.training.descend(nets, benchmark.training.momentum, tasks, [0.01], steps=steps)

    found = benchmark.without_rate(nets, tasks, steady, SHORT)
    trim = benchmark.trimmed(tasks)
    runs = steady(nets, trim, 20)
    (loss, right), (test, test_right) = (benchmark.training.losses(runs, trim, part)[:, 0] for part in ("val", "test"))
    assert calls == [20, 20] and found.losses.shape == (1, 6)
    for ours, wanted in zip((found.losses[0], found.accuracy, found.test_loss, found.test_accuracy),
                            (loss, right, test, test_right), strict=True):
        np.testing.assert_allclose(ours, wanted, rtol=1e-5)
    lost = benchmark.without_rate(nets, tasks, lambda nets, tasks, steps: benchmark.training.descend(
        nets, benchmark.training.momentum, tasks, [1e6], steps=steps), SHORT)
    assert lost.test_loss.max() == lost.losses.max() == 5.0
    calls.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(benchmark.training, "descend", lambda *rest, **options: calls.append((rest[1:], options)))
        benchmark.by_dog(nets, "tasks", 20)
        prodigy = SimpleNamespace(Prodigy="Prodigy")
        patch.setitem(sys.modules, "prodigyopt", prodigy)
        patch.setattr(benchmark.training, "descend_with", lambda *rest, **options: calls.append((rest[1:], options)))
        benchmark.by_prodigy(nets, "tasks", 20)
    assert calls == [((benchmark.training.dog, "tasks", [1.0]), {"steps": 20, "average": 8}),
                     (("Prodigy", "tasks", [1.0]), {"steps": 20, "schedule": benchmark.training.cosine})]


def test_a_population_copies_its_best(nets, tasks):
    """With all rates fixed to one that does nothing and one that learns, the learning one takes over."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(benchmark, "random_rates", lambda rng, count, bounds: np.resize([1e-5, 1e-5, 0.02, 1e-5], count))
        found = benchmark.by_population(nets, tasks, replace(SHORT, decisions=8), members=4, every=2, seed=0)
        alone = benchmark.by_population(nets, tasks, replace(SHORT, decisions=8), members=4, every=99, seed=0)
    assert found.losses.shape == (8, 6)
    np.testing.assert_allclose(alone.rates, np.full((8, 6), 0.02))
    # who is best in the end has come from the one that learned, whose rate was multiplied by .8 or 1.2 if it moved
    np.testing.assert_allclose(found.rates[:2], 0.02)
    known = np.outer(0.8 ** np.arange(4), 1.2 ** np.arange(4)).ravel()
    assert (np.abs(np.log(found.rates[..., None] / 0.02 / known)).min(axis=-1) < 1e-6).all()
    assert found.losses[-1].mean() < alone.losses[0].mean()


def test_a_population_has_its_own_seed_and_is_judged_by_test_examples(nets, tasks):
    first, other = (benchmark.by_population(nets, tasks, SHORT, members=4, every=9, seed=seed) for seed in (0, 1))
    for seed, found in ((0, first), (1, other)):
        rates = random_rates(np.random.default_rng(seed), 24, benchmark.PEAKS)
        env = TrainingVectorEnv(nets, tasks, SHORT, num_envs=24)
        runs = play(env, np.tile(rates, (4, 1)), seed=seed, tasks=np.repeat(np.arange(6), 4))
        best = np.arange(6) * 4 + runs.losses[-1].reshape(6, 4).argmin(axis=1)
        for name in ("accuracy", "test_loss", "test_accuracy"):
            np.testing.assert_allclose(getattr(found, name), getattr(runs, name)[best], rtol=1e-4)


def test_the_copied_network_goes_on_where_the_best_was(nets, tasks, monkeypatch):
    """After copying, worst and best have one loss, and momentum of the one becomes that of the other."""
    seen = []

    class Watched(TrainingVectorEnv):
        def advance(self, rates, stop=False):
            seen.append(([part.copy() for part in self.runs.state], np.asarray(rates).copy(), self.loss.copy()))
            return super().advance(rates, stop)

    monkeypatch.setattr(benchmark, "TrainingVectorEnv", Watched)
    benchmark.by_population(nets, tasks[:1], SHORT, members=4, every=2, seed=0)
    before, after = seen[1], seen[2]
    order = after[2].argsort(kind="stable")
    best, worst = order[0], order[-1]
    for part in after[0][:2]:
        np.testing.assert_array_equal(part[worst], part[best])
    assert round(after[1][worst] / before[1][best], 6) in (0.8, 1.2)
    assert (after[1][order[:-1]] == before[1][order[:-1]]).all()


def test_peaks_are_the_best_of_what_was_tried(nets, tasks, monkeypatch):
    tried, wanted = [], iter((0.02,) * 10 + (0.05,) * 10 + (0.1,) * 10)
    monkeypatch.setattr(benchmark, "play", lambda env, rates, seed: tried.append((env, rates, seed)) or Played(
        np.abs(np.log(rates.max() / next(wanted))) * np.ones((4, 1)) + 1, rates, *np.ones((3, 1))))
    peaks = search_peaks(nets, SHORT, tasks=tasks, runs=60, peaks=10, seed=2)
    drawn = random_rates(np.random.default_rng(2), 10, benchmark.PEAKS)
    assert len(tried) == 30 and all(env.num_envs == 6 and env.config == SHORT and seed == 2 for env, _, seed in tried)
    assert all(np.array_equal(a.x, b.x) for env, *_ in tried for a, b in zip(
        env.pool, benchmark.trimmed(tasks), strict=True))
    for (_, rates, _), (peak, schedule) in zip(tried, [(peak, schedule) for schedule in SCHEDULES.values()
                                                       for peak in drawn], strict=True):
        np.testing.assert_allclose(rates, peak * schedule(4))
    for name, best in (("constant", 0.02), ("cosine", 0.05), ("one-cycle", 0.1)):
        assert peaks[name] == min(drawn, key=lambda peak: abs(np.log(peak * SCHEDULES[name](4).max() / best)))


def test_a_short_training_moves_the_agent(nets, twin, tasks):
    settings = replace(TUNER, warmup_steps=64, total_steps=256)
    history = train_tuner(nets, twin("dqn"), SHORT, settings, tasks=tasks, num_envs=8)
    assert history.updates > 0 and history.steps >= 256
    fresh = twin("dqn").DQNAgent((8,), 3, settings, seed=0)
    obs = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)
    assert np.abs(history.agent.q_values(obs) - fresh.q_values(obs)).max() > 0.01


def test_a_training_has_its_own_tasks_settings_and_seed(nets, tasks):
    asked = []
    dqn = SimpleNamespace(train=lambda env, settings, **rest: asked.append((env, settings, rest)))
    train_tuner(nets, dqn, SHORT, "settings", tasks=tasks, seed=3, num_envs=8)
    [(env, settings, rest)] = asked
    assert (env.config, env.num_envs, len(env.pool), settings) == (SHORT, 8, 6, "settings")
    assert rest == {"seed": 3, "eval_env": False}


def test_what_is_shipped_is_trained_as_its_study_says(monkeypatch):
    saved, trained = [], []
    agent = SimpleNamespace(save=saved.append)
    monkeypatch.setattr(benchmark, "train_tuner", lambda nets, dqn, config, settings: trained.append(
        (config.regularise, settings.gamma)) or SimpleNamespace(agent=agent))
    dqn = SimpleNamespace(__name__="course_lib.dqn.in_pytorch", train=lambda env, settings, **rest: trained.append(
        (settings, rest)) or SimpleNamespace(agent=agent))
    benchmark.train("nets", dqn)
    assert trained == [(False, 0.94), (True, 1.0), (benchmark.GAME_TUNER, {"seed": 0, "eval_env": False})]
    assert [path.stem for path in saved] == ["rate_in_pytorch", "knobs_in_pytorch", "game_in_pytorch"]


def test_who_decides_on_a_games_rate(monkeypatch):
    """All have the same trainings and first rates; the tuner of a seed is its own."""
    played, trained = [], []

    class Game:
        decisions = 3

        def __init__(self, dqn):
            self.rates = []

        def reset(self, *, seed, options):
            self.seed, self.first = seed, options["rate"]
            return np.array([0.5, 0, 0, np.log(self.first), 0]), {}

        def advance(self, rate):
            self.rates.append(rate)
            return np.array([0.5, 0, 0, np.log(rate), 0]), 0, False, False, {}

        def step(self, action):
            return self.advance((self.rates or [self.first])[-1] * (0.3, 1, 3)[action])

        def test(self):
            played.append((self.seed, self.first, [round(float(rate), 6) for rate in self.rates]))
            return 100 * len(played)

    def train(env, settings, seed, eval_env):
        trained.append((settings, seed))
        return SimpleNamespace(agent=Always(1 + seed))

    dqn = SimpleNamespace(train=train)
    monkeypatch.setattr(benchmark, "GameTuningEnv", Game)
    monkeypatch.setattr(benchmark, "twins", lambda framework, topic: [dqn])
    rows = list(benchmark.by_game("neither", 2, trainings=2))
    assert trained == [(benchmark.GAME_TUNER, 0), (benchmark.GAME_TUNER, 1)]
    assert [(row["first rate"], row["who"], row["seed"]) for row in rows] == [
        (rate, who, seed) for seed in (0, 1) for rate in benchmark.GAME_STARTS
        for who in ("left alone", "random decisions", "blind rule", "tuned")]
    assert [seed for seed, *_ in played] == [0, 1] * 12 + [1_000, 1_001] * 12
    assert rows[0]["steps"] == 150 and rows[1]["steps"] == 350
    by_who = {(row["who"], row["seed"], row["first rate"]): played[2 * i][2] for i, row in enumerate(rows)}
    for start in benchmark.GAME_STARTS:
        assert by_who["left alone", 0, start] == [start] * 3 and by_who["tuned", 0, start] == [start] * 3
        assert by_who["tuned", 1, start] == [round(start * 3**k, 6) for k in (1, 2, 3)]
    assert by_who["blind rule", 0, 0.0003] == [0.0009, 0.0027, 0.0081]
    assert by_who["blind rule", 0, 0.01] == [0.01] * 3 and by_who["blind rule", 0, 0.3] == [0.09, 0.027, 0.0081]
    assert len({rate for (who, *_), rates in by_who.items() if who == "random decisions" for rate in rates}) > 6


@pytest.mark.parametrize("steps", [5, 20, 33])
def test_they_are_what_pytorch_has(steps):
    torch = pytest.importorskip("torch")
    make = torch.optim.lr_scheduler

    def by_pytorch(scheduler):
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        scheduler, rates = scheduler(optimizer), []
        for _ in range(steps):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        return rates

    np.testing.assert_allclose(cosine(steps), by_pytorch(lambda o: make.CosineAnnealingLR(o, steps)), atol=1e-9)
    np.testing.assert_allclose(one_cycle(steps)[:-1], by_pytorch(
        lambda o: make.OneCycleLR(o, max_lr=1.0, total_steps=steps, cycle_momentum=False))[:-1], atol=1e-9)
    assert (SCHEDULES["constant"](steps) == 1).all()


def test_shares_of_a_peak():
    for name, schedule in SCHEDULES.items():
        assert schedule(40).shape == (40,) and schedule(40).max() <= 1 and (schedule(1) > 0).all(), name


CURVES = np.array([[9, 5, 4, 4], [8, 6, 6, 1], [7, 7, 2, 3], [6, 8, 7, 5], [5, 9, 9, 9]])


def test_halving_by_hand():
    assert random_search(CURVES) == (1, 20)
    # after one decision runs 4, 3, 2 are the best three, after two decisions 2 and 3 of them
    assert successive_halving(CURVES) == (2, 5 + 3 + 2 * 2)
    assert successive_halving(CURVES, rungs=(0.5,)) == (1, 10 + 3 * 2)
    assert successive_halving(CURVES, rungs=(), keep=0.5) == random_search(CURVES)
    # half of five decisions are three; run 1 is best at them, run 2 later; run 0 was lowest on the way
    curves = np.array([[9, 0, 3, 9, 6], [9, 9, 1, 9, 5], [9, 9, 9, 0, 0], [9, 9, 8, 8, 1.0]])
    assert successive_halving(curves, rungs=(0.5,)) == (1, 4 * 3 + 2 * 2)


def test_rates_are_drawn_on_a_logarithmic_scale():
    rates = random_rates(np.random.default_rng(0), 4_000, (1e-3, 1e-1))
    assert 1e-3 <= rates.min() < 1.05e-3 and 0.95e-1 < rates.max() <= 1e-1
    assert (rates < 1e-2).mean() == pytest.approx(0.5, abs=0.03)
