"""Contextual bandits: choosing what to try next, when only the chosen arm's reward is seen."""

from __future__ import annotations

from copy import copy

import numpy as np

from course_lib.common import checks


class LinearBandit:
    """Ridge regression of an arm's reward on its context; arms are chosen by that, and by how unsure it is.

    Parameters
    ----------
    size : int
        Of a context.
    models : int
        As many as there are arms: each has coefficients of its own, as in Li et al.'s algorithm 1. With one, all arms
        have the same coefficients, and differ in their contexts.
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
    Li et al. 2010, "A contextual-bandit approach to personalized news article recommendation"; Agrawal & Goyal 2013,
    "Thompson sampling for contextual bandits with linear payoffs", algorithm 1.
    """

    def __init__(self, size, *, models=1, by="ucb", width=1.0, ridge=1.0, seed=0):
        checks.sizes(size=size, models=models)
        if by not in ("ucb", "thompson") or not (0 <= width < np.inf and 0 < ridge < np.inf):
            raise ValueError('by, width, ridge: expected "ucb" or "thompson", a number >= 0 and one > 0, '
                             f"got {by!r}, {width} and {ridge}")
        self.by, self.width, self.rng = by, width, np.random.default_rng(checks.seed(seed))
        self.precision, self.sums = np.tile(ridge * np.eye(size), (models, 1, 1)), np.zeros((models, size))

    @property
    def coefficients(self):
        """Of each model, (models, size)."""
        return np.linalg.solve(self.precision, self.sums[..., None])[..., 0]

    def choose(self, contexts):
        """Arms (B,) for contexts (B, arms, size), or (B, 1, size) if models that differ look at the same."""
        contexts = checks.array("contexts", contexts, ("B", "arms", self.sums.shape[1]))
        covariance, likely = np.linalg.inv(self.precision), self.coefficients
        if self.by == "thompson":
            drawn = self.rng.normal(size=(len(contexts), *likely.shape))
            likely = likely + self.width * np.einsum("kde,bke->bkd", np.linalg.cholesky(covariance), drawn)
        bounds = (contexts * likely).sum(axis=2)  # (B, arms)
        if self.by == "ucb":
            spread = (contexts.swapaxes(0, 1) @ covariance).swapaxes(0, 1)  # (B, arms, size)
            bounds = bounds + self.width * np.sqrt((spread * contexts).sum(axis=2))
        return bounds.argmax(axis=1)

    def learn(self, contexts, chosen, rewards):
        """Take in rewards (B,) of arms (B,), chosen for contexts as in `choose`."""
        contexts = checks.array("contexts", contexts, ("B", "arms", self.sums.shape[1]))
        models, rows = len(self.sums), np.arange(len(contexts))
        arms = max(models, contexts.shape[1])
        chosen = checks.array("chosen", chosen, rows.shape, kind="whole", low=0, high=arms - 1)
        rewards = checks.array("rewards", rewards, rows.shape)
        x = np.broadcast_to(contexts, (len(rows), arms, self.sums.shape[1]))[rows, chosen]
        for model in range(models):
            own = (chosen == model) | (models == 1)
            self.precision[model] += x[own].T @ x[own]
            self.sums[model] += x[own].T @ rewards[own]

    def greedy(self):
        """The same bandit, but it follows the regression alone."""
        other = copy(self)
        other.by, other.width = "ucb", 0.0
        return other


def play(bandit, contexts, rewards):
    """Let a `LinearBandit` choose an arm for one context after another; it sees the reward of its choice only.

    Parameters
    ----------
    bandit : LinearBandit
    contexts : array (T, arms or 1, size)
    rewards : array (T, arms)
        Of every arm, of which one a row is read.

    Returns
    -------
    integer array (T,)
        The arms chosen.
    """
    found = []
    for context, earned in zip(contexts, rewards, strict=True):
        found.append(chosen := bandit.choose(context[None]))
        bandit.learn(context[None], chosen, earned[chosen])
    return np.concatenate(found)
