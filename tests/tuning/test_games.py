"""A game agent's training as an environment."""

from dataclasses import replace

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from course_lib.tuning import games
from course_lib.tuning.games import LONGEST, PLAYER, GameTuningEnv

QUICK = replace(PLAYER, hidden=(16,), warmup_steps=64, updates_per_block=4)


@pytest.fixture
def env(twin):
    return GameTuningEnv(twin("dqn"), QUICK, decisions=3, steps=200, episodes=2)


@pytest.mark.filterwarnings("ignore:.*Not able to test alternative render modes")
def test_gymnasium_finds_nothing_wrong(env):
    check_env(env)


def test_one_episode_is_one_training(env):
    obs, _ = env.reset(seed=0, options={"rate": 0.01})
    start, weights = env.score, [part.copy() for part in env.trainer.agent.state()["q"]]
    assert obs[0] == pytest.approx(start) and obs[3] == pytest.approx(np.log(0.01)) and obs[4] == 0
    rewards = []
    for time, action in enumerate((2, 1, 0), 1):
        seen = len(env.trainer.history.losses)
        obs, reward, terminated, truncated, _ = env.step(action)
        rewards.append(reward)
        assert env.rate == pytest.approx((0.03, 0.03, 0.009)[time - 1]) and obs[1] == pytest.approx(reward)
        assert obs[2] == pytest.approx(np.log(np.mean(env.trainer.history.losses[seen:])), abs=1e-4)
        assert env.trainer.history.steps >= 200 * time and obs[4] == pytest.approx(time / 3)
        assert terminated == (time == 3) and not truncated
    assert 0 < env.score <= 1 and 0 < env.test() <= LONGEST
    assert sum(rewards) == pytest.approx(env.score - start) and obs[0] == pytest.approx(env.score)
    assert max(np.abs(a - b).max() for a, b in zip(env.trainer.agent.state()["q"], weights)) > 1e-3
    assert env.reset(seed=1)[0][4] == 0 and 1e-4 <= env.rate <= 0.3


def test_the_learning_rate_is_the_optimizers(env):
    moved = []
    for rate in (1e-5, 1.0):
        env.reset(seed=3, options={"rate": 0.01})
        env.advance(0.01)
        before = np.concatenate([part.ravel() for part in env.trainer.agent.state()["q"]])
        env.advance(rate)
        moved.append(np.abs(np.concatenate([part.ravel() for part in env.trainer.agent.state()["q"]]) - before).max())
    assert moved[0] < 1e-3 and moved[1] > 0.5


def test_rates_have_bounds_and_it_is_judged_by_other_episodes(env, monkeypatch):
    asked = []
    env.reset(seed=0)
    for rate, wanted in ((5.0, 1.0), (1e-9, 1e-5)):
        env.advance(rate)
        assert env.rate == wanted
    monkeypatch.setattr(games, "evaluate", lambda agent, env, episodes, seed: asked.append(
        (agent, env.num_envs, episodes, seed)) or np.array([3.0, 4.0]))
    assert env.test() == 3.5 and asked == [(env.trainer.agent, 32, 32, 1_000_003)]


def test_what_is_no_action(env):
    env.reset(seed=0)
    with pytest.raises(ValueError, match="action: expected a whole number from 0 to 2, got 3"):
        env.step(3)
