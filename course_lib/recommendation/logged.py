"""Logs of the simulated shop under a known policy, for judging another one by them, where the truth is known too."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import softmax

from course_lib.recommendation import ope
from course_lib.recommendation.env import RecommendationVectorEnv
from course_lib.recommendation.policies import ItemBandit, contexts
from course_lib.recommendation.shop import SIZE


class Soft:
    """Chooses items at random, with odds e^(sharpness * (share * profile + (1 - share) * a fixed vector) . embedding).

    Parameters
    ----------
    catalog : Catalog
    personal : float
        The share of the visitor's profile, in [0, 1]; what remains is that of the shop's own taste.
    sharpness : float
        0 makes all alike; the larger the more certain.
    """

    def __init__(self, catalog, *, personal, sharpness=2.0):
        if not 0 <= personal <= 1 or not sharpness >= 0:
            raise ValueError(f"personal, sharpness: expected a number in [0, 1] and one >= 0, got {personal} and "
                             f"{sharpness}")
        self.catalog, self.personal, self.sharpness = catalog, personal, sharpness

    def probabilities(self, obs):
        """Of each item, (B, N), for observations (B, 22)."""
        liked = self.personal * np.asarray(obs)[:, :SIZE] + (1 - self.personal) * np.eye(SIZE)[0]
        odds = self.sharpness * liked @ self.catalog.embedding.T
        return softmax(odds, axis=1)

    def sample(self, obs, rng):
        """Actions (B,) by these probabilities."""
        ends = self.probabilities(obs).cumsum(axis=1)
        return (rng.random((len(ends), 1)) * ends[:, -1:] > ends).sum(axis=1)


class FirstSteps(NamedTuple):
    """The first step of N sessions, as logged, and what another policy would have done and earned."""

    obs: np.ndarray  # (N, 22)
    actions: np.ndarray  # (N,)
    rewards: np.ndarray  # (N,)
    logged: np.ndarray  # (N,) probabilities of the actions under the policy that logged
    wanted: np.ndarray  # (N,) ... under the one to be judged
    policy: np.ndarray  # (N, A) all probabilities of the latter
    truth: float  # what it earns from these visitors, on average


def first_steps(catalog, old, new, config=None, *, sessions=20_000, seed=0):
    """A log of first steps under a policy `old`, for judging a policy `new`; both are `Soft`."""
    env, rng = RecommendationVectorEnv(catalog, config, num_envs=sessions), np.random.default_rng(seed)
    obs, _ = env.reset(seed=seed)
    before, policy, rows = old.probabilities(obs), new.probabilities(obs), np.arange(sessions)
    actions, expected = old.sample(obs, rng), env.expected_rewards()
    rewards = env.step(actions)[1]
    return FirstSteps(obs, actions, rewards, before[rows, actions], policy[rows, actions], policy,
                      float((policy * expected).sum(axis=1).mean()))


def estimates(log, catalog, *, ridge=1.0):
    """What the estimators of `ope` say of a log of `first_steps`: {name: Estimate}, and "naive", what it earned itself.

    The model of the reward is a ridge regression, of each half of the log learned on the other half.
    """
    model, size = np.zeros_like(log.policy), len(log.rewards)
    for test in (np.arange(size) % 2 == 0, np.arange(size) % 2 == 1):
        learner = ItemBandit(catalog, ridge=ridge)
        learner.learn(log.obs[~test], log.actions[~test], log.rewards[~test])
        for rows in np.array_split(np.flatnonzero(test), max(1, size // 5_000)):
            model[rows] = contexts(log.obs[rows], catalog) @ learner.coefficients[0]
    return {"naive": ope.inverse_propensity(log.rewards, log.logged, log.logged),
            "IPS": ope.inverse_propensity(log.rewards, log.wanted, log.logged),
            "SNIPS": ope.self_normalised(log.rewards, log.wanted, log.logged),
            "direct method": ope.direct(model, log.policy),
            "doubly robust": ope.doubly_robust(log.rewards, log.actions, log.wanted, log.logged, model, log.policy)}


def sessions(catalog, old, new, config=None, *, count=5_000, seed=0):
    """Whole sessions under `old`: rewards, probabilities under `new` and under `old`, all (count, steps).

    Where a session is over, rewards are 0 and both probabilities 1, as `ope.per_decision` wants it.
    """
    env, rng = RecommendationVectorEnv(catalog, config, num_envs=count), np.random.default_rng(seed)
    (obs, _), rows, alive, found = env.reset(seed=seed), np.arange(count), np.ones(count, bool), []
    for _ in range(env.config.steps):
        actions = old.sample(obs, rng)
        wanted, logged = (policy.probabilities(obs)[rows, actions] for policy in (new, old))
        obs, reward, terminated, *_ = env.step(actions)
        found.append((np.where(alive, reward, 0), np.where(alive, wanted, 1), np.where(alive, logged, 1)))
        alive = alive & ~terminated
    return tuple(np.stack(part, axis=1) for part in zip(*found, strict=True))
