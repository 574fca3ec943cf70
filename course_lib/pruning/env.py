"""Dividing a budget among the layers of a network, as an environment for reinforcement learning."""

from __future__ import annotations

import gymnasium as gym
import numpy as np


class SparsityEnv(gym.Env):
    """An episode passes over the layers of a network; each action says how much of one layer to spend or prune.

    An action is a level: level 0 takes the least that is feasible for this layer, the highest level the most. So
    every episode ends on budget. The reward is 0 but for the last step's, `evaluate(choices)`.

    The observation has shape (layers + 3,): which layer it is (one-hot), the bounds for it, and the choice before.

    Parameters
    ----------
    layers : int
        Layers to choose for.
    bounds : callable
        `bounds(choices)` returns the least and the most feasible choice for the next layer, after the choices
        made so far: see `sparsity_bounds`.
    evaluate : callable
        `evaluate(choices)` returns the reward of a whole list of choices, such as the validation accuracy. It is
        asked once for equal choices; `evaluations` counts how often.
    levels : int
        Number of actions.

    References
    ----------
    After He et al. 2018, "AMC: AutoML for model compression", section 3.2, with discrete levels.
    """

    def __init__(self, layers, bounds, evaluate, *, levels=9):
        if levels < 2 or layers < 1:
            raise ValueError(f"layers, levels: expected at least 1 and 2, got {layers} and {levels}")
        self.layers, self.bounds, self.evaluate, self.levels = layers, bounds, evaluate, levels
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (layers + 3,), np.float32)
        self.action_space = gym.spaces.Discrete(levels)
        self.results, self.choices = {}, []  # the reward of every list of choices that was evaluated

    @property
    def evaluations(self):
        """How many different lists of choices were evaluated."""
        return len(self.results)

    @property
    def best(self):
        """The best list of choices so far, and its reward."""
        if not self.results:
            raise ValueError("best: nothing was evaluated yet; play an episode first")
        choices = max(self.results, key=self.results.get)
        return list(choices), self.results[choices]

    def reset(self, *, seed=None, options=None):
        """Begin at the first layer."""
        super().reset(seed=seed)
        self.choices = []
        return self._obs(), {}

    def step(self, action):
        """Choose for one layer; returns the usual five values."""
        if not self.action_space.contains(action):
            raise ValueError(f"action: expected a whole number from 0 to {self.levels - 1}, got {action!r}")
        least, most = self.bounds(self.choices)
        self.choices.append(least + (most - least) * int(action) / (self.levels - 1))
        terminated, reward = len(self.choices) == self.layers, 0.0
        if terminated:
            key = tuple(self.choices)
            if key not in self.results:
                self.results[key] = float(self.evaluate(list(key)))
            reward = self.results[key]
        return self._obs(), reward, terminated, False, {}

    def _obs(self):
        done = len(self.choices)
        which = np.eye(self.layers + 1, self.layers)[done]
        bounds = self.bounds(self.choices) if done < self.layers else (0.0, 0.0)
        return np.array([*which, *bounds, self.choices[-1] if done else 0.0], np.float32)


def sparsity_bounds(sizes, total, *, most=0.99):
    """Bounds for `SparsityEnv`: the sparsity of each layer, so that that of the whole network is `total`.

    Parameters
    ----------
    sizes : sequence of int
        Weights of each layer.
    total : float
        Sparsity of the whole network.
    most : float
        Highest sparsity of a layer.

    Returns
    -------
    callable
        `bounds(choices)` -> (least, most) for the next layer.
    """
    sizes = np.asarray(sizes, float)
    if not 0 <= total <= most <= 1:
        raise ValueError(f"total: expected 0 <= total <= most <= 1, got total {total} and most {most}")

    def bounds(choices):
        i = len(choices)
        left = total * sizes.sum() - sizes[:i] @ np.asarray(choices)  # weights still to be pruned
        least = (left - most * sizes[i + 1:].sum()) / sizes[i]
        return float(np.clip(least, 0, most)), float(np.clip(left / sizes[i], 0, most))

    return bounds
