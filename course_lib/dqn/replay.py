"""Experience replay: a preallocated ring of transitions, and the window that builds n-step ones."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Batch(NamedTuple):
    """Transitions as arrays that share their leading axes, (B,) or (U, B) for U batches in a block."""

    obs: np.ndarray  # (..., *obs_shape)
    action: np.ndarray  # (...) int64
    reward: np.ndarray  # (...) float32: the discounted sum of the n rewards
    next_obs: np.ndarray  # (..., *obs_shape): the observation n steps later
    terminated: np.ndarray  # (...) float32: 1 where the episode truly ended; truncation counts as 0
    discount: np.ndarray  # (...) float32: gamma to the power of the steps between obs and next_obs


class ReplayBuffer:
    """A ring of the latest transitions (Lin 1992; Mnih et al. 2015, algorithm 1).

    Parameters
    ----------
    capacity : int
        Transitions kept; the oldest are overwritten.
    obs_shape : tuple of int
    obs_dtype : dtype
        How observations are stored (images fit as uint8).
    """

    def __init__(self, capacity, obs_shape, obs_dtype=np.float32):
        if capacity < 1:
            raise ValueError(f"capacity: expected a whole number >= 1, got {capacity!r}")
        self.capacity, self.size, self.position = int(capacity), 0, 0
        self.storage = Batch(
            obs=np.zeros((capacity, *obs_shape), obs_dtype),
            action=np.zeros(capacity, np.int64),
            reward=np.zeros(capacity, np.float32),
            next_obs=np.zeros((capacity, *obs_shape), obs_dtype),
            terminated=np.zeros(capacity, np.float32),
            discount=np.zeros(capacity, np.float32),
        )

    def __len__(self):
        return self.size

    def add(self, batch):
        """Store the transitions of a `Batch` with one leading axis, oldest first."""
        count = len(batch.action)
        for name, stored, new in zip(Batch._fields, self.storage, batch, strict=True):
            if not np.can_cast(np.asarray(new).dtype, stored.dtype, "same_kind"):
                raise ValueError(f"{name}: expected {stored.dtype}, as this buffer stores it, got "
                                 f"{np.asarray(new).dtype}")
        rows = (self.position + np.arange(count)) % self.capacity
        for stored, new in zip(self.storage, batch, strict=True):
            stored[rows] = new
        self.position = (self.position + count) % self.capacity
        self.size = min(self.size + count, self.capacity)

    def sample(self, rng, shape, *, rewarded=0.0):
        """Draw transitions with replacement: uniformly, or a share of them from those with a reward above 0 alone.

        Parameters
        ----------
        rng : np.random.Generator
        shape : int or tuple of int
            B for a batch, (U, B) for a block of U batches.
        rewarded : float
            That share: more often seen, rare rewards are learned faster, but also taken for likelier than they are.

        Returns
        -------
        Batch
            Copies with leading axes `shape`.
        """
        if self.size == 0:
            raise ValueError("the replay buffer is empty: add transitions before sampling")
        rows = rng.integers(0, self.size, size=shape)
        rare = np.flatnonzero(self.storage.reward[: self.size] > 0) if rewarded else ()
        if len(rare):
            rows = np.where(rng.random(shape) < rewarded, rare[rng.integers(0, len(rare), size=shape)], rows)
        return Batch(*(np.take(field, rows, axis=0) for field in self.storage))

    def state(self):
        """The content as a dict of arrays and numbers, for a checkpoint."""
        fields = {name: field[: self.size].copy() for name, field in self.storage._asdict().items()}
        return {"position": self.position, "size": self.size, "fields": fields}

    def restore(self, state):
        """Put back what `state` returned."""
        self.position, self.size = state["position"], state["size"]
        for name, values in state["fields"].items():
            getattr(self.storage, name)[: self.size] = values


class NStepWindow:
    """Turns single steps of parallel environments into n-step transitions (Sutton & Barto 2018, eq. 7.1).

    A transition is complete after `n` steps, or earlier where its episode ends. Ending by truncation still
    bootstraps from the last observation, with the discount of the steps really taken.

    Parameters
    ----------
    n : int
    gamma : float
    num_envs : int
    obs_shape, obs_dtype
        As in `ReplayBuffer`.
    """

    def __init__(self, n, gamma, num_envs, obs_shape, obs_dtype=np.float32):
        self.n, self.gamma, self.time = n, gamma, 0
        self.obs = np.zeros((n, num_envs, *obs_shape), obs_dtype)
        self.action = np.zeros((n, num_envs), np.int64)
        self.reward = np.zeros((n, num_envs))
        self.discount = np.zeros((n, num_envs))
        self.open = np.zeros((n, num_envs), bool)

    def push(self, obs, action, reward, next_obs, terminated, truncated, valid):
        """Take in one vector step; arrays with leading axis (num_envs,), `valid` False where it was a reset.

        Returns
        -------
        Batch
            The transitions that this step completed, possibly none.
        """
        newest, oldest = self.time % self.n, (self.time + 1) % self.n
        self.obs[newest], self.action[newest] = obs, action
        self.reward[newest], self.discount[newest], self.open[newest] = 0.0, 1.0, valid
        self.reward += self.discount * reward
        self.discount *= self.gamma
        complete = self.open & (terminated | truncated)
        complete[oldest] = self.open[oldest]
        self.open &= ~complete
        self.time += 1
        env = np.nonzero(complete)[1]
        return Batch(self.obs[complete], self.action[complete], self.reward[complete], next_obs[env],
                     terminated[env], self.discount[complete])

    def clear(self):
        """Forget the transitions that are not complete yet."""
        self.open[:], self.time = False, 0
