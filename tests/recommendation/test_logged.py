"""Logs under a known policy: their probabilities are true, and estimates from them find the truth."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from course_lib.recommendation import logged, ope
from course_lib.recommendation.logged import Soft
from course_lib.recommendation.policies import contexts
from course_lib.recommendation.shop import ShopConfig, simulate_catalog

CATALOG = simulate_catalog(12, seed=0)
OLD, NEW = Soft(CATALOG, personal=0.2), Soft(CATALOG, personal=1.0, sharpness=3.0)


def test_it_does_what_it_says():
    obs = np.random.default_rng(0).normal(size=(1, 22))
    chances = OLD.probabilities(obs)
    odds = np.exp(2 * CATALOG.embedding @ (0.2 * obs[0, :6] + 0.8 * np.eye(6)[0]))
    np.testing.assert_allclose(chances[0], odds / odds.sum())
    drawn = OLD.sample(np.repeat(obs, 60_000, axis=0), np.random.default_rng(1))
    np.testing.assert_allclose(np.bincount(drawn, minlength=12) / 60_000, chances[0], atol=0.006)
    assert Soft(CATALOG, personal=0, sharpness=0).probabilities(obs)[0] == pytest.approx(np.full(12, 1 / 12))


def test_first_steps():
    log = logged.first_steps(CATALOG, OLD, NEW, sessions=500, seed=3)
    rows = np.arange(500)
    np.testing.assert_allclose(log.policy, NEW.probabilities(log.obs))
    np.testing.assert_allclose(log.wanted, log.policy[rows, log.actions])
    np.testing.assert_allclose(log.logged, OLD.probabilities(log.obs)[rows, log.actions])
    crowd = [logged.first_steps(CATALOG, NEW, NEW, sessions=100_000, seed=seed) for seed in range(3)]
    errors = [log.rewards.mean() - log.truth for log in crowd]  # who logs and is judged earns what it says
    assert np.abs(errors).max() < 4 * crowd[0].rewards.std() / np.sqrt(100_000)


def test_the_model_of_the_reward_has_not_seen_what_it_explains():
    log = logged.first_steps(CATALOG, OLD, NEW, sessions=60, seed=3)
    model = np.zeros((60, 12))
    for test in (np.arange(60) % 2 == 0, np.arange(60) % 2 == 1):
        pairs = contexts(log.obs, CATALOG)
        seen = pairs[~test, log.actions[~test]]
        fitted = Ridge(2.0, fit_intercept=False).fit(seen, log.rewards[~test])
        model[test] = pairs[test] @ fitted.coef_
    found = logged.estimates(log, CATALOG, ridge=2.0)
    expected = ope.doubly_robust(log.rewards, log.actions, log.wanted, log.logged, model, log.policy)
    assert found["direct method"].value == pytest.approx((log.policy * model).sum(axis=1).mean())
    assert vars(found["doubly robust"]) == pytest.approx(vars(expected))


def test_estimates_find_the_truth_and_the_plain_mean_does_not():
    errors = {}
    for seed in range(30):
        log = logged.first_steps(CATALOG, OLD, NEW, sessions=4_000, seed=seed)
        for name, estimate in logged.estimates(log, CATALOG).items():
            errors.setdefault(name, []).append(estimate.value - log.truth)
    for name in ("IPS", "SNIPS", "doubly robust"):
        assert abs(np.mean(errors[name])) < 3 * np.std(errors[name]) / np.sqrt(30), name
    assert abs(np.mean(errors["naive"])) > 0.05
    assert np.std(errors["doubly robust"]) < np.std(errors["IPS"])


def test_whole_sessions():
    config = ShopConfig(steps=8)
    near = Soft(CATALOG, personal=0.5)
    rewards, wanted, probabilities = logged.sessions(CATALOG, OLD, near, config, count=20_000)
    over = (probabilities == 1) & (wanted == 1)
    assert rewards.shape == (20_000, 8) and not rewards[over].any() and not over[:, 0].any() and over[:, -1].any()
    assert (np.diff(over.astype(int), axis=1) >= 0).all()  # once over, for ever
    truth = logged.sessions(CATALOG, near, OLD, config, count=20_000, seed=9)[0].sum(axis=1).mean()
    found = ope.per_decision(rewards, wanted, probabilities)
    assert found.low - 0.02 < truth < found.high + 0.02 and abs(rewards.sum(axis=1).mean() - truth) > 0.03


def test_what_is_no_policy():
    for options in ({"personal": 2}, {"personal": 0.5, "sharpness": -1}):
        with pytest.raises(ValueError, match="personal, sharpness: expected"):
            Soft(CATALOG, **options)
