"""Who recommends without a network: at random, by popularity, by linear bandits, by a rule that knows everything."""

from __future__ import annotations

import numpy as np

from course_lib.common.config import whole
from course_lib.recommendation.shop import SIZE


class ByLot:
    """Any item, each as likely."""

    def __init__(self, items, *, seed=0):
        self.items, self.rng = items, np.random.default_rng(seed)

    def act(self, obs):
        """Actions (B,) for observations (B, 22)."""
        return self.rng.integers(self.items, size=len(obs))


class Popular:
    """The items that sold best, in turn; with `repeats` always the best one.

    Parameters
    ----------
    sold : array (N,)
        How often each item was bought where everything was shown alike.
    steps : int
        Of a session, as in `ShopConfig`.
    """

    def __init__(self, sold, *, steps, repeats=False):
        self.ranking, self.steps, self.repeats = np.argsort(-np.asarray(sold), kind="stable"), steps, repeats

    def act(self, obs):
        """Actions (B,) for observations (B, 22)."""
        time = np.rint(np.asarray(obs)[:, 3 * SIZE + 1] * self.steps).astype(int)
        return self.ranking[(0 if self.repeats else time) % len(self.ranking) + 0 * time]


class LinearBandit:
    """Ridge regression of the reward on what is known of a visitor and an item; it chooses by that, and by doubt.

    Parameters
    ----------
    catalog : Catalog
    by : "ucb" or "thompson"
        The first chooses what is best if it is `width` standard errors better than expected; the second what is best
        under coefficients drawn from what is likely.
    width : float
        Of the doubt; 0 follows the regression alone.
    ridge : float
        Penalty on squared coefficients.
    seed : int

    References
    ----------
    Li et al. 2010, "A contextual-bandit approach to personalized news article recommendation", as algorithm 1, which
    has a vector of coefficients for each item, but with one for all; Agrawal & Goyal 2013, "Thompson sampling for
    contextual bandits with linear payoffs", algorithm 1.
    """

    def __init__(self, catalog, *, by="ucb", width=1.0, ridge=1.0, seed=0):
        if by not in ("ucb", "thompson") or not width >= 0 or not ridge > 0:
            raise ValueError('by, width, ridge: expected "ucb" or "thompson", a number >= 0 and one > 0, '
                             f"got {by!r}, {width} and {ridge}")
        self.catalog, self.by, self.width, self.rng = catalog, by, width, np.random.default_rng(seed)
        size = contexts(np.zeros((1, 3 * SIZE + 4)), catalog).shape[2]
        self.precision, self.sums = ridge * np.eye(size), np.zeros(size)

    def act(self, obs):
        """Actions (B,) for observations (B, 22)."""
        x, covariance = contexts(obs, self.catalog), np.linalg.inv(self.precision)
        mean = covariance @ self.sums
        if self.by == "thompson":
            root = np.linalg.cholesky(covariance)
            drawn = mean + self.width * self.rng.normal(size=(len(x), len(mean))) @ root.T  # (B, D)
            return np.einsum("bnd,bd->bn", x, drawn).argmax(axis=1)
        doubt = np.sqrt(np.einsum("bnd,de,bne->bn", x, covariance, x, optimize=True))
        return (x @ mean + self.width * doubt).argmax(axis=1)

    def learn(self, obs, actions, rewards):
        """Take in what showing items (B,) earned."""
        x = contexts(obs, self.catalog)[np.arange(len(actions)), actions]
        self.precision += x.T @ x
        self.sums += x.T @ rewards

    def on(self, catalog):
        """The same regression, choosing from another catalog without further doubt."""
        other = LinearBandit(catalog, width=0.0)
        other.precision, other.sums = self.precision, self.sums
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


class Penalised:
    """What an agent would show, but for a penalty times the hook: a hand-made remedy for one who looks no further."""

    def __init__(self, agent, catalog, penalty):
        self.agent, self.catalog, self.penalty = agent, catalog, penalty

    def act(self, obs):
        """Actions (B,) for observations (B, 22)."""
        return (self.agent.q_values(obs) - self.penalty * self.catalog.hook).argmax(axis=1)
