"""The environment that divides a budget: every episode ends on it."""

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from course_lib.pruning.env import SparsityEnv, sparsity_bounds

SIZES = [235_200, 30_000, 1_000]


def play(env, rng):
    obs, _ = env.reset()
    assert env.observation_space.contains(obs)
    total, terminated = 0.0, False
    while not terminated:
        obs, reward, terminated, truncated, _ = env.step(int(rng.integers(env.levels)))
        assert env.observation_space.contains(obs) and not truncated
        total += reward
    return env.choices, total


@pytest.mark.parametrize("total", [0.0, 0.5, 0.9, 0.98])
def test_every_episode_prunes_exactly_as_much_as_asked(total):
    env, rng = SparsityEnv(3, sparsity_bounds(SIZES, total), lambda choices: -np.ptp(choices)), np.random.default_rng(0)
    for _ in range(100):
        choices, reward = play(env, rng)
        assert np.dot(choices, SIZES) == pytest.approx(total * sum(SIZES))
        assert min(choices) >= 0 and max(choices) <= 0.99
        assert reward == -np.ptp(choices)
    assert env.best[1] == max(env.results.values()) and env.evaluations == len(env.results)


def test_levels_reach_from_the_least_to_the_most():
    env = SparsityEnv(2, sparsity_bounds([10, 30], 0.5, most=0.6), sum, levels=3)
    env.reset()
    for action, expected in ((0, 0.2), (2, 0.6)):
        env.reset()
        env.step(action)
        assert env.choices == pytest.approx([expected])  # the second layer can give at most 18 of the 20
    np.testing.assert_allclose(env.reset()[0], [1, 0, 0.2, 0.6, 0])


def test_equal_choices_are_evaluated_once():
    asked = []
    env = SparsityEnv(2, sparsity_bounds([10, 10], 0.5), lambda choices: asked.append(choices) or 1.0)
    for _ in range(3):
        env.reset()
        env.step(4)
        assert env.step(0)[1:4] == (1.0, True, False)
    assert len(asked) == env.evaluations == 1


def test_gymnasium_finds_no_fault():
    check_env(SparsityEnv(3, sparsity_bounds(SIZES, 0.9), sum), skip_render_check=True)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="total <= most"):
        sparsity_bounds(SIZES, 0.995)
    with pytest.raises(ValueError, match="levels"):
        SparsityEnv(3, sparsity_bounds(SIZES, 0.9), sum, levels=1)
    env = SparsityEnv(3, sparsity_bounds(SIZES, 0.9), sum)
    env.reset()
    with pytest.raises(ValueError, match="action: expected a whole number from 0 to 8, got 9"):
        env.step(9)
