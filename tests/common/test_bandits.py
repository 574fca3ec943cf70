"""Contextual bandits: the regression against scikit-learn's, and that exploring finds what is best."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from course_lib.common import bandits


def test_each_arms_regression_is_scikit_learns():
    rng = np.random.default_rng(0)
    model, x, arms, rewards = bandits.LinearArms(2, 3, ridge=0.5), rng.normal(size=(40, 3)), rng.integers(2, size=40), \
        rng.normal(size=40)
    for row in zip(x, arms, rewards, strict=True):
        model.learn(*row)
    new = rng.normal(size=3)
    for arm in range(2):
        with_one = np.column_stack([x, np.ones(40)])[arms == arm]
        fitted = Ridge(alpha=0.5, fit_intercept=False).fit(with_one, rewards[arms == arm])
        expected, error = (values[arm] for values in model.predict(new))
        assert expected == pytest.approx(fitted.predict([np.append(new, 1)])[0])
        covariance = np.linalg.inv(with_one.T @ with_one + 0.5 * np.eye(4))
        assert error == pytest.approx(np.sqrt(np.append(new, 1) @ covariance @ np.append(new, 1)))


def test_ucb_by_hand():
    policy = bandits.LinUCB(2, 0, width=1.5)
    assert policy.choose([]) == 0  # both are unknown: the first
    policy.learn([], 0, 1.0)  # one reward of 1: mean 1/2 under a ridge of 1, standard error 1/sqrt(2)
    assert policy.model.predict([])[0].tolist() == [0.5, 0.0]
    assert policy.choose([]) == 0  # 0.5 + 1.5 * 0.71 against 0 + 1.5
    policy.learn([], 0, -1.0)
    assert policy.choose([]) == 1  # 0 + 1.5 * 0.58 against 0 + 1.5
    assert policy.best([]) == 0


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("make", [bandits.LinUCB, bandits.EpsilonGreedy])
def test_the_better_arm_of_each_context_is_found(make, seed):
    rng = np.random.default_rng(seed)
    contexts = rng.choice([-1.0, 1.0], size=(600, 1))
    rewards = (rng.random((600, 2)) < np.where([[1, -1]] * contexts > 0, 0.9, 0.2)).astype(float)
    policy = make(2, 1)
    chosen = bandits.play(policy, contexts, rewards)
    best = (contexts[:, 0] < 0).astype(int)
    assert (chosen[-200:] == best[-200:]).mean() > 0.85 and [policy.best([1.0]), policy.best([-1.0])] == [0, 1]


def test_only_the_chosen_arms_reward_is_read():
    contexts, rewards = np.zeros((50, 1)), np.random.default_rng(0).random((50, 3))
    chosen = bandits.play(bandits.EpsilonGreedy(3, 1, seed=1), contexts, rewards)
    hidden = np.full_like(rewards, np.nan)
    hidden[np.arange(50), chosen] = rewards[np.arange(50), chosen]
    assert np.array_equal(bandits.play(bandits.EpsilonGreedy(3, 1, seed=1), contexts, hidden), chosen)
    assert len(set(chosen)) == 3


@pytest.mark.parametrize("call, message", [
    (lambda: bandits.LinearArms(0, 2), "got 0, 2 and 1.0"),
    (lambda: bandits.LinUCB(2, 2, width=-1), "width: expected a number >= 0"),
    (lambda: bandits.EpsilonGreedy(2, 2, epsilon=2), r"epsilon: expected a number in \[0, 1\]"),
    (lambda: bandits.LinUCB(2, 2).choose([1.0]), r"context: expected shape \(2,\), got \(1,\)"),
    (lambda: bandits.play(bandits.LinUCB(2, 1), [1.0], [[1.0, 0.0]]), r"expected shapes \(T, D\)"),
])
def test_what_does_not_fit(call, message):
    with pytest.raises(ValueError, match=message):
        call()
