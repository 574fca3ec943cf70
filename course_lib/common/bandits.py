"""Contextual bandits: choosing an expert, or a way to weight experts, when only the chosen one's reward is seen."""

from __future__ import annotations

import numpy as np

from course_lib.common.config import whole


class LinearArms:
    """Ridge regression of each arm's reward on the context, kept up to date one observation at a time.

    Parameters
    ----------
    arms, size : int
        Number of arms, and of numbers in a context; a constant 1 is added to it.
    ridge : float
        Penalty on squared coefficients.
    """

    def __init__(self, arms, size, *, ridge=1.0):
        if not (whole(arms, 1) and whole(size, 0) and ridge > 0):
            raise ValueError("arms, size, ridge: expected whole numbers >= 1 and >= 0, and a number > 0, "
                             f"got {arms}, {size} and {ridge}")
        self.arms, self.size = arms, size
        self.inverse = np.repeat(np.eye(size + 1)[None] / ridge, arms, axis=0)  # (arms, size + 1, size + 1)
        self.sums = np.zeros((arms, size + 1))

    def predict(self, context):
        """Expected rewards (arms,), and how uncertain each is: the standard error at unit noise (arms,)."""
        x = self._with_one(context)
        spread = self.inverse @ x  # (arms, size + 1)
        return np.einsum("ai,ai->a", spread, self.sums), np.sqrt(spread @ x)

    def learn(self, context, arm, reward):
        """Take in one observation: the inverse is updated by the formula of Sherman and Morrison."""
        x = self._with_one(context)
        spread = self.inverse[arm] @ x
        self.inverse[arm] -= np.outer(spread, spread) / (1 + x @ spread)
        self.sums[arm] += reward * x

    def _with_one(self, context):
        context = np.asarray(context, float)
        if context.shape != (self.size,):
            raise ValueError(f"context: expected shape {(self.size,)}, got {context.shape}")
        return np.append(context, 1.0)


class EpsilonGreedy:
    """Mostly the arm with the highest expected reward, sometimes any.

    Parameters
    ----------
    arms, size, ridge
        As in `LinearArms`.
    epsilon : float
        Share of random choices.
    seed : int
    """

    def __init__(self, arms, size, *, epsilon=0.1, ridge=1.0, seed=0):
        if not 0 <= epsilon <= 1:
            raise ValueError(f"epsilon: expected a number in [0, 1], got {epsilon}")
        self.model, self.epsilon, self.rng = LinearArms(arms, size, ridge=ridge), epsilon, np.random.default_rng(seed)

    def choose(self, context):
        """The arm to try next."""
        if self.rng.random() < self.epsilon:
            return int(self.rng.integers(self.model.arms))
        return self.best(context)

    def best(self, context):
        """The arm that seems best, without exploring."""
        return int(self.model.predict(context)[0].argmax())

    def learn(self, context, arm, reward):
        """Take in the reward of the chosen arm."""
        self.model.learn(context, arm, reward)


class LinUCB(EpsilonGreedy):
    """The arm that could be best: expected reward plus `width` standard errors.

    References
    ----------
    Li et al. 2010, "A contextual-bandit approach to personalized news article recommendation", algorithm 1.
    """

    def __init__(self, arms, size, *, width=1.0, ridge=1.0):
        if width < 0:
            raise ValueError(f"width: expected a number >= 0, got {width}")
        super().__init__(arms, size, epsilon=0.0, ridge=ridge)
        self.width = width

    def choose(self, context):
        """The arm with the highest upper confidence bound."""
        expected, error = self.model.predict(context)
        return int((expected + self.width * error).argmax())


def play(policy, contexts, rewards):
    """Let a policy choose an arm for one context after another; it sees the reward of its choice only.

    Parameters
    ----------
    policy : object
        With `choose(context)` and `learn(context, arm, reward)`.
    contexts : array (T, D)
    rewards : array (T, arms)
        Of every arm, of which one a row is read.

    Returns
    -------
    integer array (T,)
        The arms chosen.
    """
    contexts, rewards = np.asarray(contexts, float), np.asarray(rewards, float)
    if contexts.ndim != 2 or rewards.ndim != 2 or len(contexts) != len(rewards):
        raise ValueError(f"contexts, rewards: expected shapes (T, D) and (T, arms), got {contexts.shape} and "
                         f"{rewards.shape}")
    chosen = np.empty(len(contexts), int)
    for i, context in enumerate(contexts):
        chosen[i] = policy.choose(context)
        policy.learn(context, chosen[i], rewards[i, chosen[i]])
    return chosen
