"""A session: what is shown has the consequences that it should."""

import time
from dataclasses import replace

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from course_lib.dqn.vector import Single
from course_lib.recommendation.env import RecommendationVectorEnv
from course_lib.recommendation.shop import ADS, CART, Catalog, ShopConfig, simulate_catalog, with_nothing

CATALOG = simulate_catalog(30, seed=0)
CONTROL = ShopConfig(kappa=0.0, phi=0.0)  # where it costs next to nothing to be short-sighted
ALL = [ShopConfig(), CONTROL, ShopConfig(observe_satisfaction=False, profile_noise=None, steps=7), ADS, CART]


def single(config=None, catalog=CATALOG):
    return Single(RecommendationVectorEnv(catalog, config, num_envs=1))


@pytest.mark.filterwarnings("ignore:.*Not able to test alternative render modes")
@pytest.mark.parametrize("config", ALL)
def test_gymnasium_finds_nothing_wrong(config):
    env = single(config)
    check_env(env)
    assert np.isfinite(env.observation_space.high).all() and np.isfinite(env.observation_space.low).all()


@pytest.mark.parametrize("config", ALL)
def test_what_is_seen_is_in_the_space(config):
    env, rng, clicks = RecommendationVectorEnv(CATALOG, config, num_envs=60), np.random.default_rng(0), 0
    assert env.reset(seed=0)[0] in env.observation_space
    for _ in range(2 * config.steps):
        obs, *_, infos = env.step(rng.integers(len(CATALOG), size=60))
        assert obs in env.observation_space and not (infos["purchase"] & ~infos["click"]).any()
        clicks += infos["click"].sum()
    assert clicks > 60


def test_a_step_by_hand():
    """Two visitors alike, of whom one buys, are shown the same item three times."""
    catalog = Catalog(np.eye(6)[[0, 1]], [0.2, 0.6], [0.1, -0.1])
    env = RecommendationVectorEnv(catalog, replace(CART, kappa=0.35, phi=2.0, click_reward=0.1), num_envs=2)
    env.reset(seed=0)
    env.taste[:], item = [0.6, 0.8, 0, 0, 0, 0], np.zeros((2, 1), int)
    odds = np.array([-2.2 + 3 * 0.6 + 1.5 * 0.2 + 0.1, -0.5 + 1.5 * 0.6 - 0.2])  # to click, and then to buy
    click, buy = 1 / (1 + np.exp(-odds))
    satisfaction = 0.35 * (1 - 2 * 0.2)
    leave = 1 / (1 + np.exp(3 + satisfaction + 0.5))  # of one who has clicked
    chances = np.full((2, 1), click - 1e-9), np.array([[buy - 1e-9], [buy + 1e-9]]), np.array([leave - 1e-9, leave])
    reward, over, clicked, bought = env.show(item, np.ones((2, 1)), chances)
    assert clicked.all() and bought[:, 0].tolist() == [True, False] and over.tolist() == [True, False]
    np.testing.assert_allclose(reward, [1.1, 0.1])
    np.testing.assert_allclose(env.satisfaction, satisfaction)
    # Again: they are tired of it by 1, satisfied by 0.21, and it goes with what is in the first one's basket.
    click = 1 / (1 + np.exp(-(odds[0] - 2 * 1 + 1.2 * satisfaction)))
    buy = 1 / (1 + np.exp(-(odds[1] + 1.5 * 3)))
    chances = np.full((2, 1), click - 1e-9), np.full((2, 1), buy - 1e-9), np.ones(2)
    reward, over, clicked, bought = env.show(item, np.ones((2, 1)), chances)
    assert clicked.all() and bought[:, 0].tolist() == [True, False] and not over.any()
    np.testing.assert_allclose(env.fatigue[:, 0], 1.7)
    assert not env.show(item, np.ones((2, 1)), (np.ones((2, 1)), np.zeros((2, 1)), np.ones(2)))[3].any()
    assert env.clicks.tolist() == [2, 2] and env.purchases.tolist() == [2, 0] and env.time.tolist() == [3, 3]


def test_a_budget_is_spent_once():
    env = RecommendationVectorEnv(with_nothing(CATALOG), ADS, num_envs=400)
    obs, _ = env.reset(seed=0)
    assert (obs[:, 21] == 6).all()
    for step in range(10):
        obs, reward, over, _, infos = env.step(np.full(400, 30 if step % 2 else 4))
        here = env.time == step + 1  # still the first visitor
        assert (obs[here, 21] == 6 - (step + 2) // 2).all() and set(reward) <= {0.0, 1.0}
        assert step % 2 == 0 or not infos["click"].any()  # nothing is never clicked
    while not here.any() or obs[here, 21].max() > 0:
        obs = env.step(np.full(400, 4))[0]
        here = env.time > 10
    assert not env.step(np.full(400, 4))[-1]["click"][here].any()  # the budget is spent: nothing was shown


def rollout(config, actions, *, num_envs=4_000, seed=0, catalog=CATALOG):
    """Yield (env, reward, terminated, fresh) at each step of a policy `actions(env)`."""
    env = RecommendationVectorEnv(catalog, config, num_envs=num_envs)
    env.reset(seed=seed)
    fresh = np.zeros(num_envs, bool)
    for _ in range(config.steps):
        _, reward, terminated, _, _ = env.step(actions(env))
        yield env, reward, terminated, fresh
        fresh = terminated


@pytest.mark.parametrize("config", [ShopConfig(), replace(CART, click_reward=0.5)])
def test_expected_rewards_are_what_is_earned(config):
    env = RecommendationVectorEnv(CATALOG, config, num_envs=200_000)
    env.reset(seed=1)
    rng = np.random.default_rng(2)
    for _ in range(3):  # the third has fatigue and satisfaction, too
        actions = rng.integers(len(CATALOG), size=env.num_envs)
        alive, expected = ~env.over, env.expected_rewards()[np.arange(env.num_envs), actions]
        reward = env.step(actions)[1]
        error = (reward - expected)[alive]
        assert abs(error.mean()) < 4 * error.std() / np.sqrt(alive.sum()) and expected.std() > 0.05


def test_bait_drives_visitors_away_and_costs_nothing_in_the_control():
    steps = []
    for config, hook in ((ShopConfig(), 0.0), (ShopConfig(), 1.0), (CONTROL, 0.0), (CONTROL, 1.0)):
        catalog = Catalog(CATALOG.embedding, np.full(30, hook), CATALOG.appeal)
        length, alive = np.zeros(4_000), np.ones(4_000, bool)
        for _, _, terminated, _ in rollout(config, lambda env: env.np_random.integers(30, size=4_000), catalog=catalog):
            length += alive
            alive &= ~terminated
        steps.append(length.mean())
    honest, bait, control_honest, control_bait = steps
    assert honest > bait + 5 and abs(control_honest - control_bait) < 0.5


def test_showing_the_same_again_tires():
    earned = {}
    for name, config in (("main", ShopConfig(kappa=0.0)), ("control", CONTROL)):
        rewards = [reward[~fresh].mean() for _, reward, _, fresh in rollout(config, lambda env: np.zeros(4_000, int))]
        earned[name] = np.mean(rewards[5:]) / rewards[0]
    assert earned["main"] < 0.5 and earned["control"] > 0.8


def test_the_observation():
    catalog = CATALOG.take(slice(None))
    catalog.appeal[4] = 100.0  # whoever sees it clicks
    env = single(ShopConfig(profile_noise=0.0), catalog)
    obs, _ = env.reset(seed=0)
    np.testing.assert_allclose(obs[:6], env.vector.taste[0], atol=1e-6)
    assert not obs[6:].any()
    obs, *_, info = env.step(4)
    np.testing.assert_allclose(obs[6:12], CATALOG.embedding[4], atol=1e-6)
    np.testing.assert_allclose(obs[12:18], CATALOG.embedding[4], atol=1e-6)
    assert obs[18] == pytest.approx(0.35 * (1 - 2 * CATALOG.hook[4])) and obs[19] == pytest.approx(1 / 20)
    assert info["click"] and obs[20] == 1 and obs[21] == info["purchase"]
    blind = single(ShopConfig(profile_noise=None, observe_satisfaction=False))
    obs, _ = blind.reset(seed=0)
    assert not obs[:6].any() and blind.step(0)[0][18] == 0 and blind.vector.satisfaction != 0


def test_what_goes_with_the_basket_is_bought():
    catalog, config = simulate_catalog(30, seed=0), replace(CART, phi=0.0, steps=3)
    catalog.appeal[:] = 100.0  # whatever is shown is clicked
    alike = int((catalog.embedding @ catalog.embedding[4])[5:].argmax()) + 5
    other = int((catalog.embedding @ catalog.embedding[4]).argmin())
    catalog.hook[alike] = catalog.hook[other]
    shares = []
    for second in (alike, other):
        env = RecommendationVectorEnv(catalog, config, num_envs=20_000)
        env.reset(seed=0)
        obs, _, _, _, infos = env.step(np.full(20_000, 4))
        had = infos["purchase"] & ~env.over
        np.testing.assert_allclose(obs[:, 6:12], infos["purchase"][:, None] * catalog.embedding[4], atol=1e-6)
        bought = env.step(np.full(20_000, second))[-1]["purchase"]
        shares.append((bought[had].mean(), bought[~had & (env.time == 2)].mean()))
    (with_alike, without_alike), (with_other, without_other) = shares
    assert with_alike > without_alike + 0.3 and with_other < without_other - 0.1


def test_the_step_after_the_end_only_welcomes():
    env = RecommendationVectorEnv(CATALOG.take(slice(None)), ShopConfig(steps=2), num_envs=50)
    env.reset(seed=0)
    early = env.step(np.zeros(50, int))[2]
    over = env.step(np.zeros(50, int))[2]
    assert (over == ~early).all()  # who left at once is being replaced, all others are at the end
    env.catalog.appeal[0] = 100.0  # now everybody would click
    before = env.taste[over].copy()
    obs, reward, terminated, _, infos = env.step(np.zeros(50, int))
    assert over.sum() > 40 and not reward[over].any() and not terminated[over].any() and not infos["click"][over].any()
    assert not obs[over, 6:].any() and (env.taste[over] != before).all()


def test_a_new_visitor_has_the_whole_budget():
    env = RecommendationVectorEnv(with_nothing(CATALOG), replace(ADS, budget=2, steps=3), num_envs=40)
    env.reset(seed=0)
    over = np.zeros(40, bool)
    for _ in range(8):
        obs, _, terminated, _, _ = env.step(np.zeros(40, int))
        assert (obs[over, 21] == 2).all() and (env.spent[over] == 0).all()
        over = terminated
    assert env.time.max() > 0  # and there were sessions in which something was shown


def test_many_visitors_at_once_are_far_faster_than_one_after_the_other():
    many, one = RecommendationVectorEnv(simulate_catalog(48), num_envs=256), single(catalog=simulate_catalog(48))
    actions, ratios = np.random.default_rng(0).integers(48, size=(100, 256)), []
    many.reset(seed=0), one.reset(seed=0)
    for _ in range(5):
        times = [time.process_time()]
        for some in actions:
            many.step(some)
        times.append(time.process_time())
        for action in actions[:, 0]:
            if one.step(int(action))[2]:
                one.reset()
        times.append(time.process_time())
        together, in_turn = np.diff(times) / (256, 1)
        ratios.append(in_turn / together)
    assert max(ratios) > 15  # about 45 on one core


@pytest.mark.parametrize("actions", [[0, 1], [0, 1, 30], [-1, 0, 0], [[0], [1], [2]]])
def test_what_is_no_action(actions):
    env = RecommendationVectorEnv(CATALOG, num_envs=3)
    env.reset(seed=0)
    with pytest.raises(ValueError, match="actions: expected 3 whole numbers from 0 to 29"):
        env.step(np.array(actions))
    with pytest.raises(ValueError, match="num_envs"):
        RecommendationVectorEnv(CATALOG, num_envs=0)
