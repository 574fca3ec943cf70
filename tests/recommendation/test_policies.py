"""Who recommends without a network."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from course_lib.dqn.loop import evaluate
from course_lib.recommendation.env import RecommendationVectorEnv
from course_lib.recommendation.policies import (
    ItemBandit,
    OracleMyopic,
    Random,
    contexts,
    learn_online,
)
from course_lib.recommendation.reference import linucb_step
from course_lib.recommendation.shop import ShopConfig, simulate_catalog

CATALOG = simulate_catalog(20, seed=0)


def earned(policy, env=None, sessions=1_000):
    env = env or RecommendationVectorEnv(CATALOG, num_envs=sessions)
    return evaluate(policy, env, sessions, seed=5).mean()


def some_observations(steps=4, n=30):
    env, rng = RecommendationVectorEnv(CATALOG, num_envs=n), np.random.default_rng(0)
    obs, _ = env.reset(seed=0)
    for _ in range(steps):
        obs = env.step(rng.integers(20, size=n))[0]
    return obs


def test_contexts_by_hand():
    obs = some_observations()
    found = contexts(obs, CATALOG)
    item = CATALOG.features[7]
    expected = [*item, 1, obs[2, :6] @ item[:6], obs[2, 6:12] @ item[:6], obs[2, 12:18] @ item[:6],
                max(0, obs[2, 12:18] @ item[:6]), *obs[2, 18:21]]
    np.testing.assert_allclose(found[2, 7], expected, rtol=1e-5, atol=1e-6)
    assert found.shape == (30, 20, 16)


def test_a_bandit_learns_a_ridge_regression():
    obs, rng = some_observations(), np.random.default_rng(1)
    actions, rewards = rng.integers(20, size=30), rng.random(30)
    bandit = ItemBandit(CATALOG, width=0.0, ridge=2.0)
    bandit.learn(obs[:10], actions[:10], rewards[:10])
    bandit.learn(obs[10:], actions[10:], rewards[10:])
    x = contexts(obs, CATALOG)
    model = Ridge(2.0, fit_intercept=False).fit(x[np.arange(30), actions], rewards)
    np.testing.assert_allclose(bandit.coefficients[0], model.coef_, atol=1e-8)
    np.testing.assert_array_equal(bandit.act(obs), (x @ model.coef_).argmax(axis=1))
    other = simulate_catalog(9, seed=3)
    np.testing.assert_array_equal(bandit.on(other).act(obs), (contexts(obs, other) @ model.coef_).argmax(axis=1))


def test_a_bandit_does_what_the_exercise_does():
    obs, rng = some_observations(), np.random.default_rng(2)
    bandit, rewards = ItemBandit(CATALOG, width=0.7), rng.random((30, 20))
    precision, sums = np.eye(16), np.zeros(16)
    for one, earned in zip(obs, rewards, strict=True):
        action = bandit.act(one[None])
        item, precision, sums = linucb_step(precision, sums, contexts(one[None], CATALOG)[0], earned, 0.7)
        assert action.tolist() == [item]
        bandit.learn(one[None], action, earned[action])
    np.testing.assert_allclose(bandit.precision[0], precision)
    np.testing.assert_allclose(bandit.sums[0], sums)


def test_doubt_makes_curious():
    obs = some_observations()
    bandit = ItemBandit(CATALOG, width=1.0)
    x = contexts(obs, CATALOG)
    for _ in range(50):
        bandit.learn(obs, np.full(30, 3), np.full(30, 0.1))
    assert (bandit.act(obs) != 3).all()  # the item that it knows is not what it doubts most
    width = np.sqrt(np.einsum("bnd,de,bne->bn", x, np.linalg.inv(bandit.precision[0]), x))
    mean = x @ bandit.coefficients[0]
    np.testing.assert_array_equal(bandit.act(obs), (mean + width).argmax(axis=1))
    sampler = ItemBandit(CATALOG, by="thompson", seed=1)
    chosen = np.array([sampler.act(obs[:1])[0] for _ in range(200)])
    assert len(set(chosen)) > 5
    draws = ItemBandit(CATALOG, by="thompson", width=0.0)
    draws.precision, draws.sums = bandit.precision, bandit.sums
    np.testing.assert_array_equal(draws.act(obs), mean.argmax(axis=1))


@pytest.mark.parametrize("by", ["ucb", "thompson"])
def test_bandits_learn_to_recommend(by):
    bandit = ItemBandit(CATALOG, by=by, width=0.3)
    before = earned(ItemBandit(CATALOG, width=0.0))
    learn_online(bandit, RecommendationVectorEnv(CATALOG, num_envs=64), steps=150, seed=1)
    assert earned(bandit.on(CATALOG)) > max(earned(Random(20)), before) + 0.3


def test_the_oracle_that_does_not_look_ahead():
    env = RecommendationVectorEnv(CATALOG, num_envs=1_000)
    oracle = earned(OracleMyopic(env), env)
    assert oracle > earned(Random(20)) + 0.5
    assert earned(OracleMyopic(env, penalty=0.6), env) > oracle + 0.5  # less bait, longer sessions
    control = RecommendationVectorEnv(CATALOG, ShopConfig(kappa=0, phi=0), num_envs=1_000)
    assert earned(OracleMyopic(control), control) > earned(OracleMyopic(control, penalty=0.6), control)


def test_no_steps():
    with pytest.raises(ValueError, match="steps"):
        learn_online(ItemBandit(CATALOG), RecommendationVectorEnv(CATALOG), steps=0)


def test_bandits_learn_from_what_was_seen_before_the_step_and_not_from_resets():
    class Spy:
        def __init__(self):
            self.lessons = []

        def act(self, obs):
            return np.arange(len(obs)) % 20

        def learn(self, obs, actions, rewards):
            self.lessons.append((obs.copy(), actions, rewards))

    class Watched(RecommendationVectorEnv):
        def reset(self, **options):
            obs, infos = super().reset(**options)
            self.seen, self.steps = obs, []
            return obs, infos

        def step(self, actions):
            fresh, before = self.over.copy(), self.seen
            self.seen, rewards, *rest = super().step(actions)
            self.steps.append((before[~fresh], actions[~fresh], rewards[~fresh]))
            return self.seen, rewards, *rest

    env, spy = Watched(CATALOG, ShopConfig(steps=2), num_envs=30), Spy()
    learn_online(spy, env, steps=7)
    assert len(spy.lessons) == 7 and min(len(lesson[0]) for lesson in spy.lessons) < 10  # most begin anew at once
    for given, expected in zip(spy.lessons, env.steps, strict=True):
        for one, other in zip(given, expected, strict=True):
            np.testing.assert_array_equal(one, other)


def test_thompson_draws_coefficients_as_they_are_likely(monkeypatch):
    bandit = ItemBandit(CATALOG, by="thompson", width=1.0)
    covariance = np.eye(bandit.sums.shape[1])
    covariance[:2, :2] = [[1, 2], [2, 5]]  # unit vectors make draws of (1, 2) and (0, 1)
    bandit.precision = np.linalg.inv(covariance)[None]
    size = len(covariance)
    monkeypatch.setattr("course_lib.recommendation.policies.contexts", lambda obs, catalog: np.tile(
        np.eye(size), (len(obs), 1, 1)))

    class Units:
        def normal(self, size):
            return np.eye(size[0], size[2])[:, None]

    bandit.rng = Units()
    assert bandit.act(np.zeros((2, 22))).tolist() == [1, 1]
    bandit.sums = bandit.precision @ np.r_[1.5, np.zeros(size - 1)]  # a mean of 1.5 for the first coefficient
    assert bandit.act(np.zeros((2, 22))).tolist() == [0, 0]
