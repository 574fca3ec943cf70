"""What the agents of both frameworks do alike, in NumPy."""

from __future__ import annotations

import numpy as np

from course_lib.common import checkpoint
from course_lib.dqn.config import DQNConfig
from course_lib.dqn.replay import Batch


class BaseAgent:
    """The part of `DQNAgent` that knows no framework; a twin adds the networks and the update."""

    def __init__(self, obs_shape, n_actions, config, device):
        if not (config is None or isinstance(config, DQNConfig)):
            raise ValueError(f"config: expected a DQNConfig or None, got {type(config).__name__}")
        self.obs_shape, self.n_actions = tuple(obs_shape), int(n_actions)
        self.config, self.device = config or DQNConfig(), device
        self.scale = np.ones(self.obs_shape, np.float32)  # observations are multiplied by it
        self.updates = 0

    def act(self, obs, epsilon=0.0, rng=None):
        """Epsilon-greedy actions.

        Parameters
        ----------
        obs : array (B, *obs_shape)
        epsilon : float
            Chance of a random action, for each row on its own.
        rng : np.random.Generator
            Needed if epsilon > 0.

        Returns
        -------
        array (B,) of int64
        """
        if np.shape(obs)[1:] != self.obs_shape or not np.ndim(obs):
            raise ValueError(f"obs: expected shape (B, {', '.join(map(str, self.obs_shape))}), got {np.shape(obs)}; "
                             "obs[None] makes a batch of one observation")
        if epsilon <= 0:
            return self.q_values(obs).argmax(axis=1)
        if rng is None:
            raise ValueError("rng: expected a np.random.Generator, got None; epsilon > 0 draws random actions")
        explore = rng.random(len(obs)) < epsilon
        random_actions = rng.integers(0, self.n_actions, len(obs))
        if explore.all():
            return random_actions
        return np.where(explore, random_actions, self.q_values(obs).argmax(axis=1))

    def update(self, batch):
        """One gradient step on a `Batch` of arrays (B, ...); returns the loss before it."""
        obs, action, reward, next_obs, terminated, discount = (np.asarray(field)[None] for field in batch)
        return self.update_block(Batch(obs, action.astype(np.int64), reward.astype(np.float32), next_obs,
                                       terminated.astype(np.float32), discount.astype(np.float32)))

    def fit_scale(self, obs):
        """Scale observations from now on by one over their standard deviation in `obs` (N, *obs_shape)."""
        std = obs.std(axis=0, dtype=np.float64)
        self.scale = np.where(std > 1e-6, 1 / np.maximum(std, 1e-6), 1.0).astype(np.float32)

    def save(self, path):
        """Write the agent to one file, atomically."""
        checkpoint.save(path, {
            "kind": "DQNAgent", "framework": type(self).__module__, "obs_shape": list(self.obs_shape),
            "n_actions": self.n_actions, "config": self.config.as_dict(), "state": self.state()})

    @classmethod
    def load(cls, path, *, network=None, device="cpu"):
        """Read an agent that `save` wrote; a custom `network` must be given again."""
        data = checkpoint.load(path)
        if data.get("kind") != "DQNAgent" or data["framework"] != cls.__module__:
            raise ValueError(f"{path}: expected a DQNAgent saved by {cls.__module__}, "
                             f"got {data.get('kind')} saved by {data.get('framework')}")
        agent = cls(data["obs_shape"], data["n_actions"], DQNConfig.from_dict(data["config"]),
                    network=network, device=device)
        agent.restore(data["state"])
        return agent

    def _scaled(self, block):
        obs, next_obs = ((field * self.scale).astype(np.float32, copy=False) for field in (block.obs, block.next_obs))
        return block._replace(obs=obs, next_obs=next_obs)

    def _check_network(self):
        shape = self.q_values(np.zeros((2, *self.obs_shape), np.float32)).shape
        if shape != (2, self.n_actions):
            raise ValueError(f"network: expected action values of shape (2, {self.n_actions}) for "
                             f"2 observations, got {shape}")
