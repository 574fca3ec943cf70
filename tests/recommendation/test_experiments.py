"""What notebook 08 compares: who is trained where, what is evaluated, and what a first step is worth."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from course_lib.recommendation import experiments
from course_lib.recommendation.config import MYOPIC, PLANNER
from course_lib.recommendation.env import RecommendationVectorEnv
from course_lib.recommendation.shop import ADS, CART, ShopConfig, simulate_catalog

TINY = replace(PLANNER, total_steps=1_500, warmup_steps=500, epsilon_steps=500)


class Recorded:
    """A twin of recommendation whose agents show item 0, and that remembers where they were trained."""

    def __init__(self):
        self.asked = []

    def train_recommender(self, env, config, *, seed=0, eval_env=False):
        self.asked.append((env, config, seed, eval_env))
        agent = SimpleNamespace(config=config, act=lambda obs: np.zeros(len(obs), int),
                                q_values=lambda obs: np.tile([7.0, 9.0], (len(obs), 1)))
        return SimpleNamespace(agent=agent)


def test_known_items_and_new_ones_are_a_catalog_each():
    known, new = experiments.catalogs(seed=3)
    together = np.vstack([known.features, new.features])
    np.testing.assert_array_equal(together, simulate_catalog(60, seed=3).features)
    assert len(known) == 48 and len(new) == 12
    assert not np.array_equal(known.features, experiments.catalogs(seed=4)[0].features)


def test_both_learn_in_the_same_shop_and_only_one_looks_ahead():
    twin, known = Recorded(), experiments.catalogs()[0]
    config = ShopConfig(kappa=0.1)
    assert set(experiments.trained_agents(twin, known, config, seed=5)) == {"gamma 0", "DQN"}
    assert [(config.gamma, seed, watched) for _, config, seed, watched in twin.asked] == [
        (0.0, 5, False), (PLANNER.gamma, 5, False)]
    assert replace(MYOPIC, gamma=PLANNER.gamma) == PLANNER
    for env, *_ in twin.asked:
        assert env.config == config and env.catalog is known


def test_who_is_watched_is_evaluated_on_others(twin):
    known = experiments.catalogs()[0]
    recommendation = twin("recommendation")
    found = experiments.train_both(recommendation, known, planner=TINY, myopic=replace(TINY, gamma=0.0), watch=500)
    for history, seconds in found.values():
        assert len(history.eval_returns) == len(history.eval_steps) == 3 and min(history.eval_returns) >= 0
        assert seconds > 0 and history.agent is not None
    fake = Recorded()
    experiments.train_both(fake, known, watch=500)
    for env, config, _, watched in fake.asked:
        assert watched is not env and watched.num_envs == 500
        assert (config.eval_every, config.eval_episodes) == (500, 500)


def test_less_is_seen_and_the_oracle_sees_all():
    twin = Recorded()
    found = experiments.by_what_is_seen(twin, sessions=200)
    worlds = [(env.config.profile_noise, env.config.observe_satisfaction) for env, *_ in twin.asked]
    assert worlds == [(0.3, False)] * 2 + [(None, True)] * 2 + [(None, False)] * 2
    oracles = {row["oracle that looks no further"] for row in found.values()}
    assert list(found) == ["no satisfaction", "no profile", "neither"] and len(oracles) == 1


def test_replay_is_compared_with_nothing_else_changed():
    twin = Recorded()
    found = experiments.by_replay(twin, sessions=300, share=0.4, planner=TINY)
    assert [config for _, config, *_ in twin.asked] == [TINY, replace(TINY, rewarded_share=0.4)]
    assert found["uniform"] == found["rewards more often"] and found["uniform"][1] == 9  # the largest value


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0])
def test_the_worth_of_a_first_step_by_hand(gamma):
    """Everybody clicks, always, and nobody leaves before step 5: 1 + gamma + gamma^2 + gamma^3 + gamma^4."""
    catalog = simulate_catalog(3)
    catalog.appeal[:] = 100.0
    config = ShopConfig(kappa=20.0, phi=0.0, steps=5, click_reward=1.0, purchase_reward=0.0)
    catalog.hook[:] = 0.0
    agent = SimpleNamespace(act=lambda obs: np.zeros(len(obs), int), q_values=lambda obs: obs[:, :3],
                            config=SimpleNamespace(gamma=gamma))
    said, came = experiments.worth(agent, catalog, config, sessions=50, seed=1)
    assert came == pytest.approx(sum(gamma**step for step in range(5)))
    obs, _ = RecommendationVectorEnv(catalog, config, num_envs=50).reset(seed=2_000_004)
    assert said == pytest.approx(obs[:, :3].max(axis=1).mean())


def test_nothing_comes_after_a_visitor_has_left():
    catalog = simulate_catalog(3)
    catalog.appeal[:], catalog.hook[:] = 100.0, 1.0  # bait that everybody clicks, and that drives everybody away
    config = ShopConfig(kappa=50.0, phi=0.0, click_reward=1.0, purchase_reward=0.0)
    agent = SimpleNamespace(act=lambda obs: np.zeros(len(obs), int), q_values=lambda obs: obs,
                            config=SimpleNamespace(gamma=0.9))
    assert experiments.worth(agent, catalog, config, sessions=40)[1] == pytest.approx(1.0)


@pytest.fixture
def visits(monkeypatch):
    """What `experiments.reward` was asked: (policy, catalog, config, seed)."""
    found, real = [], experiments.reward

    def reward(policy, catalog, config=None, *, sessions=1_000, seed=0):
        found.append((policy, catalog, config, seed))
        return real(policy, catalog, config, sessions=50, seed=seed)

    monkeypatch.setattr(experiments, "reward", reward)
    return found


class WithItems(Recorded):
    """Its agents have no opinion of items, so that a penalty on hooks decides; for other items they are others."""

    def train_recommender(self, env, config, *, seed=0, eval_env=False):
        history = super().train_recommender(env, config, seed=seed, eval_env=eval_env)
        history.agent.q_values = lambda obs: np.zeros((len(obs), len(env.catalog)))
        return history

    def for_items(self, agent, catalog):
        return SimpleNamespace(config=agent.config, act=agent.act, items=catalog,
                               q_values=lambda obs: np.zeros((len(obs), len(catalog))))


def test_a_penalty_is_tuned_on_other_visitors_and_all_are_compared_on_the_same(visits):
    twin = WithItems()
    found, seconds = experiments.compare(twin, seed=3, sessions=50)
    known, new = experiments.catalogs(seed=3)
    tuned, compared = visits[:len(experiments.PENALTIES)], visits[len(experiments.PENALTIES):]
    assert [policy.penalty for policy, *_ in tuned] == list(experiments.PENALTIES)
    assert {seed for *_, seed in tuned} == {503} and {seed for *_, seed in compared} == {3}
    assert all(np.array_equal(catalog.features, known.features) for _, catalog, *_ in tuned)
    for (_, first, *_), (_, second, *_) in zip(compared[::2], compared[1::2], strict=True):
        assert np.array_equal(first.features, known.features) and np.array_equal(second.features, new.features)
    policies = dict(zip(found, ((one[0], two[0]) for one, two in zip(compared[::2], compared[1::2], strict=True)),
                        strict=True))
    for name in ("LinUCB", "Thompson sampling", "gamma 0 with a tuned penalty on hooks"):
        assert [len(policy.catalog) for policy in policies[name]] == [48, 12]
    assert [policy.items is not None and len(policy.items) for policy in policies["DQN"]] == [48, 12]
    assert policies["DQN"][0].config.gamma > 0 == policies["gamma 0"][0].config.gamma
    assert set(seconds) == {"gamma 0", "DQN"}
    earned = [experiments.reward(policy, known, sessions=50, seed=503) for policy, *_ in tuned]
    best = policies["gamma 0 with a tuned penalty on hooks"][0].penalty
    assert best == experiments.PENALTIES[int(np.argmax(earned))]


def test_every_use_has_its_own_shop(visits):
    twin = WithItems()
    found = experiments.by_use(twin, seed=1, sessions=50)
    configs = [env.config for env, *_ in twin.asked]
    assert configs == [ShopConfig()] * 2 + [ADS] * 2 + [CART] * 2
    assert [len(env.catalog) for env, *_ in twin.asked] == [48, 48, 49, 49, 48, 48]
    assert [config for *_, config, _ in visits] == [ShopConfig()] * 4 + [ADS] * 4 + [CART] * 4
    assert set(found) == {"shop", "search results", "advertisements", "cart"}
    assert all(set(row) == {"random", "gamma 0", "DQN", "oracle that looks no further"} for row in found.values())


def test_random_pages_are_drawn_anew_at_each_step(monkeypatch):
    drawn = []
    monkeypatch.setattr(experiments, "session_rewards", lambda pages, rank, seed: drawn.append(
        [rank(pages.reset(seed=seed)) for _ in range(2)]) or np.zeros(1))
    monkeypatch.setattr(experiments, "reward", lambda *rest, **options: 0.0)
    experiments.by_use(WithItems(), sessions=30)
    assert (drawn[0][0] != drawn[0][1]).any() and drawn[0][0].shape == (30, 5)
    assert (drawn[-1][0] == drawn[-1][1]).all()


def test_bandits_learn_from_known_items_and_popularity_from_what_it_sells():
    known, new = experiments.catalogs(seed=2)
    found = experiments.without_network(known, seed=2)
    assert (found["LinUCB"](new).by, found["Thompson sampling"](new).by) == ("ucb", "ucb")  # no more doubt, no draws
    sold = experiments.sold_at_random(new, seed=2)
    assert sold[found["the most popular item"](new).act(np.zeros((1, 22)))[0]] == sold.max()
    assert experiments.reward(found["LinUCB"](new), new, sessions=500) > 1.2 * experiments.reward(
        found["random"](new), new, sessions=500)
