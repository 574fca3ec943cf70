"""Comparisons: run for run on the same tasks; and that an agent learns to tune."""

from dataclasses import replace

import numpy as np
import pytest

from course_lib.tuning import experiments
from course_lib.tuning.config import TUNER, TuningConfig
from course_lib.tuning.env import TrainingVectorEnv
from course_lib.tuning.experiments import Played, compare, draw_tasks, play, search_each, search_peaks, train_tuner
from course_lib.tuning.tasks import TaskConfig

SHORT = TuningConfig(decisions=4, steps=5)


class Always:
    def __init__(self, action):
        self.action = action

    def act(self, obs, epsilon=0.0, rng=None):
        return np.full(len(obs), self.action)


@pytest.fixture
def nets(twin):
    return twin("networks")


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
    monkeypatch.setattr(experiments, "play", lambda env, rates, seed: tried.append((env.num_envs, rates)) or Played(
        np.abs(np.log(rates.max() / 0.02)) * np.ones((4, 1)) + 1, rates, *np.ones((3, 1))))
    peaks = search_peaks(nets, SHORT, tasks=tasks, runs=60, peaks=10)
    of = [float(rates.max()) for _, rates in tried[:10]]
    assert len(tried) == 40 and {n for n, _ in tried} == {6}
    assert peaks["constant"] == min(of, key=lambda peak: abs(np.log(peak / 0.02)))


def test_a_short_training_moves_the_agent(nets, twin, tasks):
    settings = replace(TUNER, warmup_steps=64, total_steps=256)
    history, seconds = train_tuner(nets, twin("dqn"), SHORT, settings, tasks=tasks, num_envs=8)
    assert history.updates > 0 and history.steps >= 256 and seconds > 0
    fresh = twin("dqn").DQNAgent((8,), 3, settings, seed=0)
    obs = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)
    assert np.abs(history.agent.q_values(obs) - fresh.q_values(obs)).max() > 0.01
