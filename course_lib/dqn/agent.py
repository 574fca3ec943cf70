"""What the agents of both frameworks do alike, in NumPy."""

from __future__ import annotations

import numpy as np

from course_lib.common import checkpoint, checks
from course_lib.dqn.config import DQNConfig
from course_lib.dqn.replay import Batch


class BaseAgent:
    """The part of `DQNAgent` that knows no framework; a twin adds the networks and the update."""

    def __init__(self, obs_shape, n_actions, config, device, custom):
        if not (config is None or isinstance(config, DQNConfig)):
            raise ValueError(f"config: expected a DQNConfig or None, got {type(config).__name__}")
        checks.sizes(obs_shape=tuple(obs_shape), n_actions=n_actions)
        self.obs_shape, self.n_actions = tuple(map(int, obs_shape)), int(n_actions)
        self.config, self.device, self.custom = config or DQNConfig(), device, custom
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
        if isinstance(obs, np.ndarray) and obs.shape == self.obs_shape:
            raise ValueError(f"obs: expected shape (B, {', '.join(map(str, self.obs_shape))}), got {obs.shape}; "
                             "obs[None] makes a batch of one observation")
        obs = checks.array("obs", obs, ("B", *self.obs_shape))
        if not 0 <= epsilon <= 1:
            raise ValueError(f"epsilon: expected a number in [0, 1], got {epsilon!r}")
        if epsilon == 0:
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
        action = checks.array("action", batch.action, ("B",), kind="whole", low=0, high=self.n_actions - 1)
        found = {"action": action, "terminated": checks.array("terminated", batch.terminated, action.shape, low=0,
                                                              high=1)}
        for name, shape in (("obs", self.obs_shape), ("next_obs", self.obs_shape), ("reward", ()), ("discount", ())):
            values = checks.array(name, getattr(batch, name), (len(action), *shape))
            found[name] = checks.float32(name, values)
        found["terminated"] = found["terminated"].astype(np.float32)
        return self.update_block(Batch(**{name: values[None] for name, values in found.items()}))

    def fit_scale(self, obs):
        """Scale observations from now on by one over their standard deviation in `obs` (N, *obs_shape)."""
        checks.float32("obs", obs)
        std = obs.std(axis=0, dtype=np.float64)
        self.scale = np.where(std > 1e-6, 1 / np.maximum(std, 1e-6), 1.0).astype(np.float32)

    def save(self, path):
        """Write the agent to one file, atomically."""
        checkpoint.save(path, {
            "kind": "DQNAgent", "framework": type(self).__module__, "obs_shape": list(self.obs_shape),
            "n_actions": self.n_actions, "config": self.config.as_dict(), "custom": self.custom,
            "state": self.state()})

    @classmethod
    def load(cls, path, *, network=None, device="cpu"):
        """Read an agent that `save` wrote; a custom `network` must be given again."""
        data = checkpoint.load_object(path, "DQNAgent", cls.__module__, ("obs_shape", "n_actions", "config", "state"))
        config, custom = DQNConfig.from_dict(data["config"]), data.get("custom", network is not None)
        if custom != (network is not None):
            raise ValueError(f"network: expected {'the function' if custom else 'None, as'} that {path} was saved "
                             f"with, got {network!r}")
        if not custom:
            sizes = [int(np.prod(data["obs_shape"])), *config.hidden, data["n_actions"]]
            expected = sum((inputs + 1) * units for inputs, units in zip(sizes[:-1], sizes[1:], strict=True))
            if expected != (got := sum(values.size for values in data["state"]["q"])):
                raise ValueError(f"{path}: expected {expected:,} weights, as its settings say, got {got:,}")
        agent = cls(data["obs_shape"], data["n_actions"], config, network=network, device=device)
        agent.restore(data["state"])
        return agent

    def restore(self, state):
        """Put back what `state` returned; a ValueError if that is of another network."""
        now = self.state()
        if not isinstance(state, dict) or state.keys() != now.keys():
            raise ValueError(f"state: expected a dict of {', '.join(now)}, got {list(state)}")
        for name in ("q", "target", "scale"):
            expected, got = ([np.shape(part) for part in values[name]] for values in (now, state))
            if expected != got:
                raise ValueError(f"state: expected {name} of shapes {expected}, got {got}")
        self._restore(state)

    def _scaled(self, block):
        obs, next_obs = ((field * self.scale).astype(np.float32, copy=False) for field in (block.obs, block.next_obs))
        return block._replace(obs=obs, next_obs=next_obs)

    def _check_network(self):
        try:
            shape = self.q_values(np.zeros((2, *self.obs_shape), np.float32)).shape
        except (RuntimeError, TypeError, ValueError) as error:
            raise ValueError(f"network: expected one of float32 weights for observations {self.obs_shape}, got "
                             f"{type(error).__name__}: {str(error).splitlines()[0]}") from error
        if shape != (2, self.n_actions):
            raise ValueError(f"network: expected action values of shape (2, {self.n_actions}) for "
                             f"2 observations, got {shape}")
