"""What notebook 06 compares: who is trained where, what is evaluated, and what a first step is worth."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from course_lib.recommendation import experiments
from course_lib.recommendation.config import MYOPIC, PLANNER
from course_lib.recommendation.env import RecommendationVectorEnv
from course_lib.recommendation.shop import ShopConfig, simulate_catalog

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
