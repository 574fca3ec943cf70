"""What the studies compare: run for run on the same tasks; schedules against PyTorch's own; searches by hand."""

from dataclasses import replace

import numpy as np
import pytest
import tuning as benchmark
from tuning import (
    SCHEDULES,
    Played,
    compare,
    cosine,
    draw_tasks,
    one_cycle,
    play,
    random_rates,
    random_search,
    search_each,
    search_peaks,
    step_decay,
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


def test_comparing_is_paired_and_counts_what_is_spent(nets, tasks):
    peaks = {"constant": 0.02, "cosine": 0.05}
    found = compare(nets, Always(1), peaks, tasks, SHORT, seed=2)
    assert list(found) == ["constant", "cosine", "agent", "agent, any first rate", "constant, any rate"]
    np.testing.assert_allclose(found["agent"].losses, found["constant"].losses, rtol=1e-4)  # it keeps the rate
    assert (found["agent, any first rate"].rates[0] != 0.02).all()
    searched = search_each(nets, tasks, SHORT, trials=8, seed=2)
    best = {name: figures.losses[-1] for name, (figures, _) in searched.items()}
    assert (best["random search, 8"] <= best["random search, 4"]).all()
    assert (best["random search, 4"] <= best["one at random"]).all()
    assert {name: runs for name, (_, runs) in searched.items()} == {
        "one at random": 1, "random search, 2": 2, "random search, 4": 4, "random search, 8": 8,
        "halving, 8": (8 + 4 + 2 * 2) / 4}
    assert (best["halving, 8"] >= best["random search, 8"]).all()


def test_peaks_are_the_best_of_what_was_tried(nets, tasks, monkeypatch):
    tried = []
    monkeypatch.setattr(benchmark, "play", lambda env, rates, seed: tried.append((env.num_envs, rates)) or Played(
        np.abs(np.log(rates.max() / 0.02)) * np.ones((4, 1)) + 1, rates, *np.ones((3, 1))))
    peaks = search_peaks(nets, SHORT, tasks=tasks, runs=60, peaks=10)
    of = [float(rates.max()) for _, rates in tried[:10]]
    assert len(tried) == 40 and {n for n, _ in tried} == {6}
    assert peaks["constant"] == min(of, key=lambda peak: abs(np.log(peak / 0.02)))


def test_a_short_training_moves_the_agent(nets, twin, tasks):
    settings = replace(TUNER, warmup_steps=64, total_steps=256)
    history = train_tuner(nets, twin("dqn"), SHORT, settings, tasks=tasks, num_envs=8)
    assert history.updates > 0 and history.steps >= 256
    fresh = twin("dqn").DQNAgent((8,), 3, settings, seed=0)
    obs = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)
    assert np.abs(history.agent.q_values(obs) - fresh.q_values(obs)).max() > 0.01


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
    np.testing.assert_allclose(step_decay(steps, drops=4, factor=0.5), by_pytorch(
        lambda o: make.MultiStepLR(o, [-(-k * steps // 5) for k in range(1, 5)], gamma=0.5)), atol=1e-9)
    np.testing.assert_allclose(one_cycle(steps)[:-1], by_pytorch(
        lambda o: make.OneCycleLR(o, max_lr=1.0, total_steps=steps, cycle_momentum=False))[:-1], atol=1e-9)
    assert (SCHEDULES["constant"](steps) == 1).all()


def test_shares_of_a_peak():
    for name, schedule in SCHEDULES.items():
        assert schedule(40).shape == (40,) and schedule(40).max() <= 1 and (schedule(1) > 0).all(), name
    np.testing.assert_allclose(step_decay(6), [1, 1, 0.1, 0.1, 0.01, 0.01])


CURVES = np.array([[9, 5, 4, 4], [8, 6, 6, 1], [7, 7, 2, 3], [6, 8, 7, 5], [5, 9, 9, 9]])


def test_halving_by_hand():
    assert random_search(CURVES) == (1, 20)
    # after one decision runs 4, 3, 2 are the best three, after two decisions 2 and 3 of them
    assert successive_halving(CURVES) == (2, 5 + 3 + 2 * 2)
    assert successive_halving(CURVES, rungs=(0.5,)) == (1, 10 + 3 * 2)
    assert successive_halving(CURVES, rungs=(), keep=0.5) == random_search(CURVES)


def test_rates_are_drawn_on_a_logarithmic_scale():
    rates = random_rates(np.random.default_rng(0), 4_000, (1e-3, 1e-1))
    assert 1e-3 <= rates.min() < 1.05e-3 and 0.95e-1 < rates.max() <= 1e-1
    assert (rates < 1e-2).mean() == pytest.approx(0.5, abs=0.03)
