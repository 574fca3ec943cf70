"""Vector environments in one NumPy step, and one copy of them as an ordinary environment."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from course_lib.common.config import whole


class NextStepVectorEnv(VectorEnv):
    """Copies of an environment in one NumPy step; one whose episode is over begins another at the next step.

    That step ignores the copy's action, returns the first observation of the new episode and the reward 0, and ends
    nothing: Gymnasium's `AutoresetMode.NEXT_STEP`. `over`, bool (num_envs,), says where the next step only begins.

    A subclass has three methods, and `start` if a reset does more than to begin everywhere:

    - `begin(new)` begins an episode in some copies, whose numbers are the integer array `new`.
    - `act(actions)` takes a step in every copy, and returns the reward, terminated, truncated, (num_envs,) each, and
      a dict of such arrays. All are new: where an episode was over before, zeros are written into them.
    - `observe()` returns what is seen now, (num_envs, ...), as a new array.

    Parameters
    ----------
    num_envs : int
    observation_space : Box
        Of one copy.
    actions : int
        How many there are, counted from 0.

    Raises
    ------
    ValueError
        If `num_envs` is no whole number >= 1.
    """

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.NEXT_STEP}

    def __init__(self, num_envs, observation_space, actions):
        if not whole(num_envs, 1):
            raise ValueError(f"num_envs: expected a whole number >= 1, got {num_envs!r}")
        self.num_envs, self.over = num_envs, None
        self.single_observation_space, self.single_action_space = observation_space, gym.spaces.Discrete(actions)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def reset(self, *, seed=None, options=None):
        """Begin an episode in every copy; returns observations (num_envs, ...) and {}."""
        super().reset(seed=seed)
        self.start(options or {})
        self.over = np.zeros(self.num_envs, bool)
        return self.observe(), {}

    def step(self, actions):
        """Take one step in every copy; returns the usual five values.

        Raises
        ------
        ValueError
            If `actions` are not num_envs whole numbers from 0 on, below the number of actions; or before `reset`.
        """
        if self.over is None:
            raise ValueError("step: expected a call of reset first, got none")
        actions, count = np.asarray(actions), self.single_action_space.n
        if actions.shape != (self.num_envs,) or actions.dtype.kind not in "iu" or not (
                0 <= actions.min() <= actions.max() < count):
            raise ValueError(f"actions: expected {self.num_envs} whole numbers from 0 to {count - 1}, got {actions!r}")
        return self.finish(*self.act(actions))

    def finish(self, reward, terminated, truncated, infos):
        """What `step` returns, after what `act` returned: where an episode was over before, another one begins."""
        if self.over.any():
            self.begin(np.flatnonzero(self.over))
            for values in (reward, terminated, truncated, *infos.values()):
                values[self.over] = 0
        self.over = terminated | truncated
        return self.observe(), reward, terminated, truncated, infos

    def start(self, options):
        """Prepare for, and begin, an episode in every copy; `options` (a dict) are those of `reset`."""
        self.begin(np.arange(self.num_envs))


class Single(gym.Env):
    """A vector environment of one copy as an ordinary environment.

    Parameters
    ----------
    vector : NextStepVectorEnv
        It remains at hand as `vector`, with arrays whose first axis is one long.

    Raises
    ------
    ValueError
        If it has more than one copy.
    """

    metadata = {"render_modes": []}

    def __init__(self, vector):
        if vector.num_envs != 1:
            raise ValueError(f"vector: expected one copy, got {vector.num_envs}")
        self.vector = vector
        self.observation_space, self.action_space = vector.single_observation_space, vector.single_action_space

    def reset(self, *, seed=None, options=None):
        """Begin an episode; `options` are those of the vector environment."""
        super().reset(seed=seed)
        return self.vector.reset(seed=seed, options=options)[0][0], {}

    def step(self, action):
        """Take one step; returns the usual five values.

        Raises
        ------
        ValueError
            If `action` is not in the space, or there is no episode.
        """
        if not self.action_space.contains(action):
            raise ValueError(f"action: expected a whole number from 0 to {self.action_space.n - 1}, got {action!r}")
        if self.vector.over is None or self.vector.over[0]:
            raise ValueError("step: expected a call of reset first; there is no episode, or it is over")
        obs, reward, terminated, truncated, infos = self.vector.step(np.array([action]))
        return (obs[0], float(reward[0]), bool(terminated[0]), bool(truncated[0]),
                {name: value[0] for name, value in infos.items()})
