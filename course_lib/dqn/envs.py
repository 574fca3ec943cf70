"""Environments: vectorising, checking and wrapping Gymnasium's, and a grid world small enough to see."""

from __future__ import annotations

from dataclasses import replace

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv

from course_lib.common import checks
from course_lib.common.config import whole
from course_lib.dqn.acrobot import AcrobotVectorEnv


def make_vec(env_id, num_envs, **kwargs):
    """Make parallel copies of a registered environment, in one NumPy step where there is such a version.

    Gymnasium ships one for CartPole-v1 and this course one for Acrobot-v1 (used unless `kwargs` ask for more
    than it offers); the others run one after the other.
    """
    if not whole(num_envs, 1):
        raise ValueError(f"num_envs: expected a whole number >= 1, got {num_envs!r}")
    spec = gym.spec(env_id)
    if spec.id == "Acrobot-v1" and kwargs.keys() <= {"max_episode_steps"}:
        spec = replace(spec, vector_entry_point=AcrobotVectorEnv)
    mode = "vector_entry_point" if spec.vector_entry_point else "sync"
    return gym.make_vec(spec, num_envs=num_envs, vectorization_mode=mode, **kwargs)


def as_vector(env):
    """Return `env` if it is a vector environment, else a vector environment that holds just it."""
    if isinstance(env, VectorEnv):
        mode = env.metadata.get("autoreset_mode")
        if mode not in (AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP):
            raise ValueError('env: expected metadata["autoreset_mode"] to be AutoresetMode.NEXT_STEP or SAME_STEP, '
                             f"got {mode}")
        return env
    _require_env(env)
    return SyncVectorEnv([lambda: env])


def check_spaces(env):
    """Shape of one observation and number of actions, or a ValueError for spaces that DQN cannot use."""
    _require_env(env)
    obs_space = getattr(env, "single_observation_space", env.observation_space)
    action_space = getattr(env, "single_action_space", env.action_space)
    if not isinstance(obs_space, gym.spaces.Box) or not obs_space.shape:
        raise ValueError(f"observation space: expected Box of at least one dimension, got {obs_space}; "
                         "gymnasium.wrappers.FlattenObservation turns most spaces into one")
    if not isinstance(action_space, gym.spaces.Discrete) or action_space.start != 0:
        raise ValueError(f"action space: expected Discrete(n) counted from 0, got {action_space}; "
                         "DQN takes the maximum over a list of actions")
    return obs_space.shape, int(action_space.n)


def check_obs(env, obs, when):
    """A ValueError unless observations of a vector environment are finite, and what its space's dtype can hold."""
    obs, space = np.asarray(obs), env.single_observation_space
    if obs.shape != (env.num_envs, *space.shape) or not np.can_cast(obs.dtype, space.dtype, "same_kind"):
        raise ValueError(f"env: expected observations {(env.num_envs, *space.shape)} of {space.dtype}, as its space "
                         f"says, got {obs.shape} of {obs.dtype} {when}")
    if not np.isfinite(obs.astype(space.dtype, copy=False)).all():
        raise ValueError(f"env: expected finite observations, got NaN or infinity {when}")


def check_step(env, step, when):
    """What a vector environment's `step` gave, flags as bool; a ValueError if it is not what it should be."""
    obs, reward, terminated, truncated, infos = step
    check_obs(env, obs, when)
    shape = (env.num_envs,)
    try:
        reward = checks.array("rewards", reward, shape)
        if not all(type(flags) is np.ndarray and flags.dtype == bool and flags.shape == shape
                   for flags in (terminated, truncated)):  # as they nearly always are, and each step counts
            terminated, truncated = (checks.array("terminated, truncated", flags, shape, kind="flags")
                                     for flags in (terminated, truncated))
    except ValueError as error:
        raise ValueError(f"env: {error} {when}") from error
    return obs, reward, terminated, truncated, infos


def identity(env):
    """What an environment is: its name, the arguments that it was made with, and its wrappers, as plain data."""
    inner = getattr(env, "envs", [env])[0]
    spec = inner.spec
    made = {} if spec is None else {"max_episode_steps": spec.max_episode_steps} | spec.kwargs
    return {"environment": spec.id if spec else None, "environment's wrappers": [repr(env), repr(inner)],
            "environment's arguments": {name: _plain(value) for name, value in sorted(made.items()) if name not in
                                        ("num_envs", "vectorization_mode", "render_mode")}}


def _plain(value):
    if isinstance(value, dict):
        return {str(name): _plain(entry) for name, entry in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.generic):
        return value.item()
    return value if value is None or isinstance(value, (bool, int, float, str)) else repr(type(value))


def _require_env(env):
    if not isinstance(env, (gym.Env, VectorEnv)):
        raise ValueError(f"env: expected a Gymnasium environment, single or vector, got {type(env).__name__}; "
                         "pass gymnasium.make('CartPole-v1'), not its name")


def final_observations(next_obs, infos):
    """Replace what SAME_STEP autoreset put in place of an ended episode's last observation.

    Under NEXT_STEP (Gymnasium's default) nothing was replaced: the next step is the reset.
    """
    if "final_obs" not in infos:
        return next_obs
    last = next_obs.copy()
    for i in np.flatnonzero(infos["_final_obs"]):
        last[i] = infos["final_obs"][i]
    return last


class GridWorld(gym.Env):
    """A grid with walls, one goal (+1, ends the episode) and pits (-1, end it too); each step costs 0.04.

    The observation is one-hot over the cells, so that a linear network is a table. Actions are up, right,
    down, left; with chance `slip` the move goes to one of its two sides. `probability` and `reward` are
    the model that value iteration needs. `noise` is the standard deviation of a Gaussian added to each
    reward: it changes no expected value, but makes values harder to estimate.

    References
    ----------
    After the 4x3 world of Russell & Norvig, "Artificial Intelligence", chapter 17.
    """

    MAP = ("...G",
           ".#.P",
           "S...")
    MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))

    def __init__(self, *, slip=0.1, step_reward=-0.04, noise=0.0, explore_starts=False):
        self.rows, self.cols = len(self.MAP), len(self.MAP[0])
        self.cells = "".join(self.MAP)
        self.n_states = self.rows * self.cols
        self.slip, self.step_reward, self.noise, self.explore_starts = slip, step_reward, noise, explore_starts
        self.observation_space = gym.spaces.Box(0.0, 1.0, (self.n_states,), np.float32)
        self.action_space = gym.spaces.Discrete(4)
        self.state = None
        self.ends = np.array([cell in "GP" for cell in self.cells])
        self.probability, self.reward = self._model()

    def _move(self, state, action):
        row, col = divmod(state, self.cols)
        row, col = row + self.MOVES[action][0], col + self.MOVES[action][1]
        inside = 0 <= row < self.rows and 0 <= col < self.cols and self.MAP[row][col] != "#"
        return row * self.cols + col if inside else state

    def _model(self):
        self.outcomes = np.zeros((self.n_states, 4, self.n_states))  # chances of the cell arrived at
        for state in range(self.n_states):
            for action in range(4):
                for turn, chance in ((0, 1 - 2 * self.slip), (-1, self.slip), (1, self.slip)):
                    self.outcomes[state, action, self._move(state, (action + turn) % 4)] += chance
        prize = np.array([{"G": 1.0, "P": -1.0}.get(cell, 0.0) for cell in self.cells]) + self.step_reward
        live = np.array([cell not in "GP#" for cell in self.cells])
        probability = self.outcomes * live[:, None, None] * ~self.ends  # arriving at an end has no future
        return probability, (self.outcomes @ prize) * live[:, None]

    def _obs(self):
        return np.eye(self.n_states, dtype=np.float32)[self.state]

    def reset(self, *, seed=None, options=None):
        """Start at S, or with `explore_starts` at any cell that is neither wall nor end."""
        super().reset(seed=seed)
        starts = [i for i, cell in enumerate(self.cells) if cell in (".S" if self.explore_starts else "S")]
        self.state = int(self.np_random.choice(starts))
        return self._obs(), {}

    def step(self, action):
        """Move, perhaps slipping; returns the usual five values."""
        if self.state is None or not self.action_space.contains(action):
            raise ValueError(f"step: expected a call of reset first, and an action from 0 to 3, got {action!r}")
        before = self.state
        self.state = int(self.np_random.choice(self.n_states, p=self.outcomes[before, action]))
        reward = self.step_reward + {"G": 1.0, "P": -1.0}.get(self.cells[self.state], 0.0)
        if self.noise:
            reward += self.noise * self.np_random.normal()
        return self._obs(), reward, bool(self.ends[self.state]), False, {}
