"""Contextual bandits: the regression against scikit-learn's, and that exploring finds what is best."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from course_lib.common.bandits import LinearBandit, play


def test_each_arms_regression_is_scikit_learns():
    rng = np.random.default_rng(0)
    bandit, x, arms, rewards = LinearBandit(3, models=2, ridge=0.5), rng.normal(size=(40, 3)), \
        rng.integers(2, size=40), rng.normal(size=40)
    for rows in (slice(25), slice(25, 40)):
        bandit.learn(x[rows, None], arms[rows], rewards[rows])
    for arm in range(2):
        fitted = Ridge(alpha=0.5, fit_intercept=False).fit(x[arms == arm], rewards[arms == arm])
        assert bandit.coefficients[arm] == pytest.approx(fitted.coef_)
        assert bandit.precision[arm] == pytest.approx(x[arms == arm].T @ x[arms == arm] + 0.5 * np.eye(3))


@pytest.mark.parametrize("by", ["ucb", "thompson"])
def test_arms_with_models_of_their_own_are_arms_of_one_model_with_blocks(by):
    rng = np.random.default_rng(1)
    apart, together = LinearBandit(2, models=3, by=by, width=0.5), LinearBandit(6, by=by, width=0.5)
    apart.rng = together.rng = type("Same", (), {"normal": lambda self, size: np.ones(size)})()
    for _ in range(30):
        x, rewards = rng.normal(size=(4, 1, 2)), rng.normal(size=4)
        blocks = np.stack([np.kron(np.eye(3), one) for one in x])  # (4, 3 arms, 3 * 2)
        chosen = apart.choose(x)
        assert chosen.tolist() == together.choose(blocks).tolist()
        apart.learn(x, chosen, rewards)
        together.learn(blocks, chosen, rewards)
    assert apart.coefficients.ravel() == pytest.approx(together.coefficients[0])


def test_ucb_by_hand():
    bandit, nothing = LinearBandit(1, models=2, width=1.5), np.ones((1, 1, 1))
    assert bandit.choose(nothing) == [0]  # both are unknown: the first
    bandit.learn(nothing, np.array([0]), np.array([1.0]))  # mean 1/2 under a ridge of 1, standard error 1/sqrt(2)
    assert bandit.coefficients.tolist() == [[0.5], [0.0]]
    assert bandit.choose(nothing) == [0]  # 0.5 + 1.5 * 0.71 against 0 + 1.5
    bandit.learn(nothing, np.array([0]), np.array([-1.0]))
    assert bandit.choose(nothing) == [1]  # 0 + 1.5 * 0.58 against 0 + 1.5
    assert bandit.greedy().choose(nothing) == [0]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("options", [{}, {"by": "thompson"}])
def test_the_better_arm_of_each_context_is_found(options, seed):
    rng = np.random.default_rng(seed)
    contexts = rng.choice([-1.0, 1.0], size=(600, 1))
    rewards = (rng.random((600, 2)) < np.where([[1, -1]] * contexts > 0, 0.9, 0.2)).astype(float)
    bandit = LinearBandit(2, models=2, seed=seed, **options)
    chosen = play(bandit, np.column_stack([contexts, np.ones(600)])[:, None], rewards)
    best = (contexts[:, 0] < 0).astype(int)
    assert (chosen[-200:] == best[-200:]).mean() > 0.85
    assert bandit.greedy().choose(np.array([[[1.0, 1]], [[-1, 1]]])).tolist() == [0, 1]


def test_only_the_chosen_arms_reward_is_read():
    contexts, rewards = np.ones((50, 1, 1)), np.random.default_rng(0).random((50, 3))
    options = {"models": 3, "by": "thompson", "seed": 1}
    chosen = play(LinearBandit(1, **options), contexts, rewards)
    hidden = np.full_like(rewards, np.nan)
    hidden[np.arange(50), chosen] = rewards[np.arange(50), chosen]
    assert np.array_equal(play(LinearBandit(1, **options), contexts, hidden), chosen)
    assert len(set(chosen)) == 3


@pytest.mark.parametrize("call, message", [
    (lambda: LinearBandit(2, models=0), "models: expected a whole number >= 1, got 0"),
    *((lambda options=options: LinearBandit(2, **options), "by, width, ridge: expected")
      for options in ({"by": "luck"}, {"width": -1}, {"ridge": 0})),
    (lambda: LinearBandit(2).choose([[[1.0]]]), r"contexts: expected shape \(B, arms, 2\), got \(1, 1, 1\)"),
])
def test_what_does_not_fit(call, message):
    with pytest.raises(ValueError, match=message):
        call()
