"""What notebook 06 and the benchmark compare in the simulated shop."""

from __future__ import annotations

import time

import numpy as np

from course_lib.dqn.loop import evaluate
from course_lib.recommendation.config import MYOPIC, PLANNER
from course_lib.recommendation.env import RecommendationVectorEnv
from course_lib.recommendation.policies import ByLot, LinearBandit, OracleMyopic, Penalised, Popular, learn_online
from course_lib.recommendation.shop import ShopConfig, simulate_catalog

PENALTIES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6)  # for a full hook, in units of reward


def catalogs(*, seed=0, known=48, new=12):
    """A catalog to learn with, and one of items that are new after that."""
    full = simulate_catalog(known + new, seed=seed)
    return full.take(slice(known)), full.take(slice(known, None))


def reward(policy, catalog, config=None, *, sessions=1_000, seed=0):
    """Mean reward of a session, over fresh visitors; `policy` may be a function of the environment that makes one."""
    env = RecommendationVectorEnv(catalog, config, num_envs=sessions)
    policy = policy(env) if callable(policy) else policy
    return float(evaluate(policy, env, sessions, seed=seed + 1_000_003).mean())


def sold_by_lot(catalog, config=None, *, steps=100, seed=0):
    """How often each item is bought (N,) if 256 visitors at a time are shown items by lot."""
    env, sold = RecommendationVectorEnv(catalog, config, num_envs=256), np.zeros(len(catalog))
    env.reset(seed=seed)
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        actions = rng.integers(len(catalog), size=256)
        sold += np.bincount(actions, weights=env.step(actions)[-1]["purchase"], minlength=len(catalog))
    return sold


def compare(recommendation, config=None, *, seed=0, sessions=1_000, planner=PLANNER, myopic=MYOPIC, num_envs=128):
    """Mean reward of a session with known items and with new ones, by who recommends.

    Parameters
    ----------
    recommendation : module
        A twin of `recommendation`.
    config : ShopConfig, optional
    seed : int
        Of the catalog and of all learning. The visitors of the last comparison are others.
    sessions : int
    planner, myopic : DQNConfig
    num_envs : int
        Sessions side by side in training.

    Returns
    -------
    dict of (float, float), dict of float, dict of agents
        Rewards; processor seconds of the two trainings; and the agents "DQN" and "gamma 0".
    """
    config, (known, new) = config or ShopConfig(), catalogs(seed=seed)

    def both(make):
        return tuple(reward(make(catalog), catalog, config, sessions=sessions, seed=seed) for catalog in (known, new))

    def popular(catalog, repeats):
        return Popular(sold_by_lot(catalog, config, seed=seed), steps=config.steps, repeats=repeats)

    found = {"by lot": both(lambda catalog: ByLot(len(catalog), seed=seed)),
             "popular items in turn": both(lambda catalog: popular(catalog, False)),
             "the most popular item": both(lambda catalog: popular(catalog, True))}
    for name, by in (("LinUCB", "ucb"), ("Thompson sampling", "thompson")):
        bandit = learn_online(LinearBandit(known, by=by, width=0.3, seed=seed),
                              RecommendationVectorEnv(known, config, num_envs=64), steps=300, seed=seed)
        found[name] = both(bandit.on)
    agents, seconds = {}, {}
    for name, settings in (("gamma 0", myopic), ("DQN", planner)):
        start = time.process_time()
        agents[name] = recommendation.train_recommender(RecommendationVectorEnv(known, config, num_envs=num_envs),
                                                        settings, seed=seed)
        seconds[name] = time.process_time() - start
        found[name] = both(lambda catalog, name=name: recommendation.for_items(agents[name], catalog))
    penalty = max(PENALTIES, key=lambda penalty: reward(Penalised(agents["gamma 0"], known, penalty), known, config,
                                                        sessions=sessions, seed=seed + 500))
    found["gamma 0 with a tuned penalty on hooks"] = both(
        lambda catalog: Penalised(recommendation.for_items(agents["gamma 0"], catalog), catalog, penalty))
    found["oracle that looks no further"] = both(lambda catalog: OracleMyopic)
    return found, seconds, agents
