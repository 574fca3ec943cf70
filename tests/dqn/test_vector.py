"""Vector environments that reset on the next step, and a single one made of them."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

from course_lib.dqn.vector import NextStepVectorEnv, Single


class Counting(NextStepVectorEnv):
    """Action 1 counts on, from a random number; at 5 the episode ends, and after four steps it is cut off."""

    def __init__(self, num_envs=3):
        super().__init__(num_envs, gym.spaces.Box(0, 10, (2,), np.float32), 2)

    def start(self, options):
        self.least, self.count, self.time = options.get("least", 0), np.zeros(self.num_envs), np.zeros(self.num_envs)
        super().start(options)

    def begin(self, new):
        self.count[new], self.time[new] = self.np_random.integers(self.least, 4, size=len(new)), 0

    def act(self, actions):
        self.count, self.time = self.count + actions, self.time + 1
        return self.count * 10, self.count >= 5, self.time == 4, {"odd": self.count % 2 == 1}

    def observe(self):
        return np.stack([self.count, self.time], axis=1).astype(np.float32)


def test_a_copy_whose_episode_is_over_begins_another_at_the_next_step():
    env = Counting()
    assert env.metadata["autoreset_mode"] == AutoresetMode.NEXT_STEP
    assert env.observation_space.shape == (3, 2) and env.action_space == gym.spaces.MultiDiscrete([2, 2, 2])
    obs, infos = env.reset(seed=0)
    assert obs in env.observation_space and infos == {} and not env.over.any()
    env.count[:] = [4, 0, 3]
    ones = np.array([1, 0, 1])
    obs, reward, terminated, truncated, infos = env.step(ones)
    assert obs.tolist() == [[5, 1], [0, 1], [4, 1]] and reward.tolist() == [50, 0, 40]
    assert terminated.tolist() == env.over.tolist() == [True, False, False] and not truncated.any()
    obs, reward, terminated, truncated, infos = env.step(ones)  # the first copy begins, the last one ends
    assert obs[0, 1] == 0 and obs[1:].tolist() == [[0, 2], [5, 2]] and obs[0, 0] < 4
    assert reward.tolist() == [0, 0, 50] and terminated.tolist() == [False, False, True] and not truncated.any()
    assert infos["odd"].tolist() == [False, False, True]
    env.count[0] = 0
    for cut in ([False, False, False], [False, True, False], [False, False, False]):
        obs, reward, terminated, truncated, _ = env.step(np.zeros(3, int))
        assert truncated.tolist() == cut and not terminated.any() and env.over.tolist() == cut
    assert obs[:, 1].tolist() == [3, 0, 2]


def test_seeds_and_options():
    env = Counting(50)
    first, again, other = (env.reset(seed=seed)[0] for seed in (1, 1, 2))
    assert (first == again).all() and (first != other).any() and (env.reset()[0] != other).any()
    assert set(env.reset(seed=0, options={"least": 3})[0][:, 0]) == {3}


@pytest.mark.parametrize("actions", [[0, 1], [0, 1, 2], [-1, 0, 0], [[0], [1], [1]], [0.0, 1.0, 1.0], [0.5, 0, 0], 1])
def test_what_is_no_action(actions):
    env = Counting()
    env.reset(seed=0)
    with pytest.raises(ValueError, match="actions: expected 3 whole numbers from 0 to 1, got "):
        env.step(actions)
    assert not env.time.any()


@pytest.mark.parametrize("number", [0, 1.5, -1, True])
def test_what_is_no_number_of_copies(number):
    with pytest.raises(ValueError, match="num_envs: expected a whole number >= 1, got"):
        Counting(number)


def test_one_copy_is_an_ordinary_environment():
    env = Single(Counting(1))
    check_env(env, skip_render_check=True)
    obs, infos = env.reset(seed=3, options={"least": 3})
    assert obs.tolist() == [3, 0] and infos == {}
    obs, reward, terminated, truncated, infos = env.step(1)
    assert (reward, terminated, truncated, infos["odd"]) == (40, False, False, False) and obs.tolist() == [4, 1]
    assert type(reward) is float and type(terminated) is type(truncated) is bool
    assert env.step(np.int64(1))[2] is True
    with pytest.raises(ValueError, match="expected a call of reset first; there is no episode, or it is over"):
        env.step(0)
    for action in (2, -1, 0.5, [1]):
        with pytest.raises(ValueError, match="action: expected a whole number from 0 to 1, got "):
            env.step(action)


def test_a_step_needs_an_episode_and_one_copy():
    with pytest.raises(ValueError, match="expected a call of reset first"):
        Single(Counting(1)).step(0)
    with pytest.raises(ValueError, match="vector: expected one copy, got 3"):
        Single(Counting())
