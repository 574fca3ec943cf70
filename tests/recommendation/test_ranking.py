"""Pages of results: who is seen, and what is clicked."""

import numpy as np
import pytest
from recommendation import by_value, session_rewards

from course_lib.recommendation import ranking
from course_lib.recommendation.env import RecommendationVectorEnv
from course_lib.recommendation.policies import OracleMyopic
from course_lib.recommendation.ranking import Pages
from course_lib.recommendation.shop import ShopConfig, simulate_catalog

CATALOG = simulate_catalog(12, seed=0)


def test_upper_places_are_seen_more():
    assert ranking.exposure(4).tolist() == [1, 1 / 2, 1 / 3, 1 / 4] and ranking.exposure(2, eta=0).tolist() == [1, 1]
    pages, rng = Pages(CATALOG, num_envs=20_000, places=4), np.random.default_rng(0)
    pages.reset(seed=0)
    shown = rng.random((20_000, 12)).argsort(axis=1)[:, :4]
    click = pages.step(shown)[3].mean(axis=0)
    np.testing.assert_allclose(click / click[0], ranking.exposure(4), atol=0.04)


@pytest.mark.parametrize("config", [ShopConfig(steps=6), ShopConfig(steps=6, pairing=3.0)])
def test_a_page_of_one_is_the_shop(config):
    actions = np.arange(30_000) % 12
    pages, shop = Pages(CATALOG, config, num_envs=30_000, places=1), RecommendationVectorEnv(CATALOG, config,
                                                                                              num_envs=30_000)
    pages.reset(seed=0)
    shop.reset(seed=1)
    alive = np.ones(30_000, bool)
    for step in range(6):
        _, reward, over, _ = pages.step((actions + step)[:, None] % 12)
        _, other, terminated, *_ = shop.step((actions + step) % 12)
        assert reward.mean() == pytest.approx((other * alive).mean(), abs=0.012)
        alive &= ~terminated
        assert over.mean() == pytest.approx(1 - alive.mean(), abs=0.015)


def test_who_has_left_earns_nothing_more():
    pages = Pages(CATALOG, num_envs=500, places=3)
    pages.reset(seed=0)
    left = np.zeros(500, bool)
    for _ in range(20):
        _, reward, over, _ = pages.step(np.tile([0, 1, 2], (500, 1)))
        assert not reward[left].any() and over[left].all()
        left = over
    assert left.all()


def test_the_better_ranking_earns_more():
    pages = Pages(CATALOG, ShopConfig(kappa=0.0, phi=0.0), num_envs=2_000, places=3)

    class Knowing:
        def q_values(self, obs):
            return pages.visitors.expected_rewards()

    best, worst = by_value(Knowing(), 3), by_value(Knowing(), 12)
    up = session_rewards(pages, best).mean()
    upside_down = session_rewards(pages, lambda obs: best(obs)[:, ::-1]).mean()
    bottom = session_rewards(pages, lambda obs: worst(obs)[:, -3:]).mean()
    assert up > upside_down + 0.5 > bottom + 1
    assert (best(None)[:, 0] == OracleMyopic(pages.visitors).act(None)).all()


def test_what_is_no_page():
    pages = Pages(CATALOG, num_envs=2, places=2)
    pages.reset(seed=0)
    for bad in ([[0, 0], [1, 2]], [[0, 1]], [[0, 1, 2], [0, 1, 2]]):
        with pytest.raises(ValueError, match="no item twice a page"):
            pages.step(bad)
    with pytest.raises(ValueError, match="at most the 12 items, got 13"):
        Pages(CATALOG, places=13)
    with pytest.raises(ValueError, match="places"):
        ranking.exposure(0)


def test_a_page_by_hand():
    """What was looked at changes the visitor, by its mean; what was clicked is added; fatigue fades."""
    catalog = simulate_catalog(12, seed=2)
    catalog.appeal[:] = 100.0  # whatever is looked at is clicked
    pages = Pages(catalog, num_envs=300, places=3)
    pages.reset(seed=0)
    shown, fatigue, clicked, satisfaction = np.tile([4, 7, 1], (300, 1)), np.zeros((300, 6)), np.zeros((300, 6)), 0.0
    for step in range(1, 4):
        obs, _, _, looked = pages.step(shown)
        seen = looked.sum(axis=1, keepdims=True)
        mean = looked[..., None] * catalog.embedding[shown] / np.maximum(seen, 1)[..., None]
        hooks = (looked * catalog.hook[shown]).sum(axis=1) / np.maximum(seen[:, 0], 1)
        fatigue = 0.7 * fatigue + mean.sum(axis=1)
        clicked = clicked + (looked[..., None] * catalog.embedding[shown]).sum(axis=1)
        satisfaction = 0.8 * satisfaction + 0.35 * (1 - 2 * hooks)
        np.testing.assert_allclose(obs[:, 6:12], clicked, atol=1e-5)
        np.testing.assert_allclose(obs[:, 12:18], fatigue, atol=1e-5)
        np.testing.assert_allclose(obs[:, 18], satisfaction, atol=1e-5)
        np.testing.assert_allclose(obs[:, 19], step / 20, atol=1e-6)
        assert looked[:, 0].all() and 0.4 < looked[:, 1].mean() < 0.6 and 0.25 < looked[:, 2].mean() < 0.42
