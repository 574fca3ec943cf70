"""Off-policy evaluation: what another policy would have earned, from what was logged under this one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from course_lib.common import checks
from course_lib.recommendation import reference


@dataclass(frozen=True)
class Estimate:
    """A mean reward, how sure it is, and on how much of the log it rests."""

    value: float
    low: float  # of a 95 % interval, from the normal approximation; it knows nothing of a bias
    high: float
    effective_sample_size: float  # Kish: (sum of weights)^2 / sum of squared weights; as good as so many equal ones


def inverse_propensity(rewards, wanted, logged):
    """IPS: the mean of rewards, each weighted by how much likelier the other policy makes the action taken.

    Parameters
    ----------
    rewards : array (N,)
    wanted, logged : array (N,)
        Probability of the logged action under the policy to be judged, and under the one that logged.

    Returns
    -------
    Estimate

    References
    ----------
    Horvitz & Thompson 1952; Dudík et al. 2014, "Doubly robust policy evaluation and optimization".
    """
    rewards, weights = _logged(rewards, wanted, logged)
    return _estimate(weights * rewards, weights)


def self_normalised(rewards, wanted, logged):
    """SNIPS: as IPS, divided by the mean weight: a little biased, and far steadier.

    References
    ----------
    Swaminathan & Joachims 2015, "The self-normalized estimator for counterfactual learning".
    """
    rewards, weights = _logged(rewards, wanted, logged)
    mean = weights.mean()
    if mean == 0:
        raise ValueError("wanted: expected some logged action that the policy to be judged could take, got none")
    value = reference.ips_and_snips(rewards, np.asarray(wanted, float), np.asarray(logged, float))[1]
    return _estimate(value + weights * (rewards - value) / mean, weights)  # linearised: the delta method


def direct(expected, policy):
    """DM: what a model expects the policy to earn; as good as the model, and no interval shows its bias.

    Parameters
    ----------
    expected : array (N, A)
        The model's reward for each action.
    policy : array (N, A)
        Probabilities of the policy to be judged.
    """
    return _estimate(_under(policy, expected), np.ones(len(np.asarray(expected))))


def doubly_robust(rewards, actions, wanted, logged, expected, policy):
    """DR: the direct method, corrected by IPS where the log shows the model's error.

    Parameters
    ----------
    rewards, wanted, logged, expected, policy
        As in `inverse_propensity` and `direct`.
    actions : integer array (N,)

    References
    ----------
    Dudík et al. 2014. Unbiased if the propensities are right or the model is.
    """
    rewards, weights = _logged(rewards, wanted, logged)
    value = _under(policy, expected)
    actions = checks.classes("actions", actions, len(value), np.shape(policy)[1])
    if len(value) != len(rewards):
        raise ValueError(f"policy: expected a row for each of {len(rewards)} rewards, got {len(value)}")
    predicted = np.asarray(expected, float)[np.arange(len(value)), actions]
    return _estimate(value + weights * (rewards - predicted), weights)


def per_decision(rewards, wanted, logged):
    """Per-decision IPS: each reward weighted by the ratios up to it, not by those after it.

    Parameters
    ----------
    rewards, wanted, logged : array (N, T)
        Of N sessions; where one is over already, rewards 0 and both probabilities 1.

    References
    ----------
    Precup, Sutton & Singh 2000, section 4.
    """
    rewards, weights = _logged(rewards, wanted, logged, axes=2)
    weights = weights.cumprod(axis=1)  # (N, T)
    return _estimate((weights * rewards).sum(axis=1), weights[:, -1])


def _logged(rewards, wanted, logged, axes=1):
    """Rewards, and the ratio of both probabilities, of one shape with so many axes."""
    rewards = checks.array("rewards", rewards, ("N", "T")[:axes]).astype(float)
    wanted = checks.array("wanted", wanted, rewards.shape, low=0, high=1).astype(float)
    logged = checks.array("logged", logged, rewards.shape, low=0, high=1).astype(float)
    if not logged.all():
        raise ValueError(f"logged: expected probabilities above 0, as the action was taken, got 0 in "
                         f"{(logged == 0).sum():,} of {logged.size:,}")
    return rewards, wanted / logged


def _under(policy, expected):
    policy = checks.probabilities("policy", policy, ("N", "A")).astype(float)
    expected = checks.array("expected", expected, policy.shape).astype(float)
    return (policy * expected).sum(axis=1)


def _estimate(terms, weights):
    value, error = terms.mean(), terms.std(ddof=1) / np.sqrt(len(terms)) if len(terms) > 1 else np.inf
    total = weights.sum()
    size = total**2 / (weights**2).sum() if total > 0 else 0.0
    return Estimate(float(value), float(value - 1.96 * error), float(value + 1.96 * error), float(size))
