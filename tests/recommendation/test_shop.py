"""How visitors behave, by hand; and what makes no catalog."""

import numpy as np
import pytest

from course_lib.recommendation import shop
from course_lib.recommendation.shop import Catalog, ShopConfig, simulate_catalog


def odds(probability):
    return np.log(probability / (1 - probability))


def test_clicks_by_hand():
    assert odds(shop.click_probability(0, 0, 0, 0, 0, 2)) == pytest.approx(-2.2)
    assert odds(shop.click_probability(1, 0, 0, 0, 0, 2)) == pytest.approx(0.8)
    assert odds(shop.click_probability(0, 1, 0.5, 0, 0, 2)) == pytest.approx(-0.2)
    assert odds(shop.click_probability(0, 0, 0, 0.5, 1, 2)) == pytest.approx(-2.0)  # -2.2 - 2 * .5 + 1.2
    assert odds(shop.click_probability(0, 0, 0, -0.5, 0, 2)) == pytest.approx(-2.2)  # unlike what was shown: no gain
    assert odds(shop.click_probability(0, 0, 0, 0.5, 0, 0)) == pytest.approx(-2.2)


def test_purchases_leaving_and_satisfaction_by_hand():
    assert odds(shop.purchase_probability(1, 0)) == pytest.approx(1.0)
    assert odds(shop.purchase_probability(0, 1)) == pytest.approx(-1.5)
    assert odds(shop.leaving_probability(0, False)) == pytest.approx(-3)
    assert odds(shop.leaving_probability(1, True)) == pytest.approx(-4.5)
    assert shop.next_satisfaction(1, 0, 0.35) == pytest.approx(1.15)
    assert shop.next_satisfaction(1, 1, 0.35) == pytest.approx(0.45)
    assert shop.expected_reward(0.5, 0.4, ShopConfig()) == pytest.approx(0.25)
    assert shop.expected_reward(0.5, 0.4, shop.ADS) == 0.5 and shop.expected_reward(0.5, 0.4, shop.CART) == 0.2


def test_a_simulated_catalog():
    catalog = simulate_catalog(50, seed=1)
    assert len(catalog) == 50 and catalog.features.shape == (50, 8)
    np.testing.assert_allclose(np.linalg.norm(catalog.embedding, axis=1), 1)
    assert 0 <= catalog.hook.min() < 0.2 and 0.8 < catalog.hook.max() <= 1
    np.testing.assert_array_equal(simulate_catalog(50, seed=1).features, catalog.features)
    assert not np.array_equal(simulate_catalog(50, seed=2).features, catalog.features)
    np.testing.assert_array_equal(catalog.take([3, 1]).features, catalog.features[[3, 1]])


def test_nothing():
    catalog = shop.with_nothing(simulate_catalog(4))
    assert len(catalog) == 5 and shop.click_probability(0, *catalog.features[4, 6:], 0, 3, 2) < 0.01
    assert shop.next_satisfaction(0.5, catalog.hook[4], 0.35) == pytest.approx(0.4)


@pytest.mark.parametrize(("embedding", "hook", "appeal", "said"), [
    (np.zeros((2, 5)), [0, 0], [0, 0], r"embedding \(N, 6\)"), (np.zeros((2, 6)), [0], [0, 0], r"embedding \(N, 6\)"),
    (np.zeros((0, 6)), [], [], "N > 0"), (np.zeros((1, 6)), [2], [0], r"hooks in \[0, 1\]"),
    (np.full((1, 6), np.nan), [0], [0], "finite")])
def test_what_is_no_catalog(embedding, hook, appeal, said):
    with pytest.raises(ValueError, match=said):
        Catalog(embedding, hook, appeal)


@pytest.mark.parametrize("field", [{"kappa": -1}, {"phi": "much"}, {"pairing": -1}, {"memory": 1},
                                   {"profile_noise": -0.1}, {"steps": 0}, {"click_reward": -1},
                                   {"purchase_reward": None}, {"budget": 0}])
def test_what_is_no_shop(field):
    with pytest.raises(ValueError, match=f"ShopConfig.{next(iter(field))}: expected"):
        ShopConfig(**field)


def test_how_many_items():
    with pytest.raises(ValueError, match="items: expected a whole number >= 1, got 0"):
        simulate_catalog(0)
