"""Who recommends without a network: at random, by linear bandits, by a rule that knows everything."""

from __future__ import annotations

import numpy as np

from course_lib.common import checks
from course_lib.common.bandits import LinearBandit
from course_lib.common.config import whole
from course_lib.recommendation.shop import SIZE


class Random:
    """Any item, each as likely."""

    def __init__(self, items, *, seed=0):
        self.items, self.rng = items, np.random.default_rng(checks.seed(seed))

    def act(self, obs):
        """Actions (B,) for observations (B, 22)."""
        return self.rng.integers(self.items, size=len(obs))


class ItemBandit(LinearBandit):
    """A `LinearBandit` whose arms are a catalog's items: one vector of coefficients for all of them.

    Parameters
    ----------
    catalog : Catalog
    options
        Of `LinearBandit`: `by`, `width`, `epsilon`, `ridge`, `seed`.
    """

    def __init__(self, catalog, **options):
        super().__init__(contexts(np.zeros((1, 3 * SIZE + 4)), catalog).shape[2], **options)
        self.catalog = catalog

    def act(self, obs):
        """Actions (B,) for observations (B, 22)."""
        return self.choose(contexts(obs, self.catalog))

    def learn(self, obs, actions, rewards):
        """Take in what showing items (B,) earned."""
        super().learn(contexts(obs, self.catalog), actions, rewards)

    def on(self, catalog):
        """The same regression, choosing from another catalog without further doubt."""
        other = self.greedy()
        other.catalog = catalog
        return other


def contexts(obs, catalog):
    """What a linear model sees of each pair, (B, N, 16): the item, how it meets the visitor, the visitor's state."""
    obs = np.asarray(obs, float)
    vectors = obs[:, : 3 * SIZE].reshape(-1, 3, SIZE) @ catalog.embedding.T  # (B, 3, N)
    pairs = np.concatenate([vectors, np.maximum(vectors[:, 2:], 0)], axis=1).swapaxes(1, 2)  # (B, N, 4)
    items, state = catalog.features, obs[:, 3 * SIZE :][:, None].repeat(len(catalog), axis=1)
    items = np.broadcast_to(np.column_stack([items, np.ones(len(items))]), (len(obs), *items.shape[:1], 9))
    return np.concatenate([items, pairs, state[..., :3]], axis=2)


def learn_online(bandit, env, *, steps, seed=0):
    """Let a bandit recommend, and learn, for so many steps of all visitors of a `RecommendationVectorEnv`."""
    if not whole(steps, 1):
        raise ValueError(f"steps: expected a whole number >= 1, got {steps!r}")
    obs, _ = env.reset(seed=seed)
    fresh = np.zeros(env.num_envs, bool)
    for _ in range(steps):
        actions = bandit.act(obs)
        after, rewards, terminated, *_ = env.step(actions)
        if not fresh.all():  # where all visitors are new, nothing was shown
            bandit.learn(obs[~fresh], actions[~fresh], rewards[~fresh])
        obs, fresh = after, terminated & ~fresh
    return bandit


class OracleMyopic:
    """The item with the largest expected reward now, of one who can look into every visitor.

    No model of what an item earns at once can be better. `penalty` takes that times the hook away first.
    """

    def __init__(self, env, *, penalty=0.0):
        self.env, self.penalty = env, penalty

    def act(self, obs):
        """Actions (B,) for the visitors whom `env` has now."""
        return (self.env.expected_rewards() - self.penalty * self.env.catalog.hook).argmax(axis=1)
