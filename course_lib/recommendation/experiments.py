"""What notebook 08 and the benchmark compare in the simulated shop."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from course_lib.dqn.loop import evaluate
from course_lib.recommendation.config import MYOPIC, PLANNER
from course_lib.recommendation.env import RecommendationVectorEnv
from course_lib.recommendation.policies import ItemBandit, OracleMyopic, Penalised, Popular, Random, learn_online
from course_lib.recommendation.ranking import Pages, by_value, session_rewards
from course_lib.recommendation.shop import ADS, CART, ShopConfig, simulate_catalog, with_nothing

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


def sold_at_random(catalog, config=None, *, steps=100, seed=0):
    """How often each item is bought (N,) if 256 visitors at a time are shown random items."""
    env, sold = RecommendationVectorEnv(catalog, config, num_envs=256), np.zeros(len(catalog))
    env.reset(seed=seed)
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        actions = rng.integers(len(catalog), size=256)
        sold += np.bincount(actions, weights=env.step(actions)[-1]["purchase"], minlength=len(catalog))
    return sold


def without_network(known, config=None, *, seed=0):
    """Policies that need no network, as {name: function from a catalog to a policy}; bandits learned on `known`."""
    def popular(catalog, repeats):
        sold = sold_at_random(catalog, config, seed=seed)
        return Popular(sold, steps=(config or ShopConfig()).steps, repeats=repeats)

    found = {"random": lambda catalog: Random(len(catalog), seed=seed),
             "popular items in turn": lambda catalog: popular(catalog, False),
             "the most popular item": lambda catalog: popular(catalog, True)}
    for name, by in (("LinUCB", "ucb"), ("Thompson sampling", "thompson")):
        bandit = learn_online(ItemBandit(known, by=by, width=0.3, seed=seed),
                              RecommendationVectorEnv(known, config, num_envs=64), steps=300, seed=seed)
        found[name] = bandit.on
    return found | {"oracle that looks no further": lambda catalog: OracleMyopic}


def train_both(recommendation, known, config=None, *, seed=0, planner=PLANNER, myopic=MYOPIC, num_envs=128,
               watch=None):
    """Agents that look ahead, "DQN", and that do not, "gamma 0": {name: (History, processor seconds of training)}.

    With `watch`, a number of steps, each is evaluated that often while it learns, on 500 other visitors.
    """
    found = {}
    for name, settings in (("gamma 0", myopic), ("DQN", planner)):
        start, env = time.process_time(), RecommendationVectorEnv(known, config, num_envs=num_envs)
        watched = {}
        if watch:
            settings = replace(settings, eval_every=watch, eval_episodes=500)
            watched["eval_env"] = RecommendationVectorEnv(known, config, num_envs=500)
        history = recommendation.train_recommender(env, settings, seed=seed, **watched)
        found[name] = history, time.process_time() - start
    return found


def trained_agents(recommendation, known, config=None, **options):
    """The agents of `train_both` alone, by name."""
    return {name: history.agent for name, (history, _) in train_both(recommendation, known, config, **options).items()}


def compare(recommendation, config=None, *, seed=0, sessions=1_000, trained=None, **options):
    """Mean reward of a session with known items and with new ones, by who recommends.

    Parameters
    ----------
    recommendation : module
        A twin of `recommendation`.
    config : ShopConfig, optional
    seed : int
        Of the catalog and of all learning. The visitors of the last comparison are others.
    sessions : int
    trained : dict, optional
        What `train_both` has returned for the known items of this seed.
    options
        Of `train_both`, else.

    Returns
    -------
    dict of (float, float), dict of float
        Rewards; processor seconds of the two trainings, by name.
    """
    known, new = catalogs(seed=seed)
    trained = trained or train_both(recommendation, known, config, seed=seed, **options)
    myopic, planner = (trained[name][0].agent for name in ("gamma 0", "DQN"))
    penalty = max(PENALTIES, key=lambda penalty: reward(Penalised(myopic, known, penalty), known, config,
                                                        sessions=sessions, seed=seed + 500))
    makers = without_network(known, config, seed=seed) | {
        "gamma 0": lambda catalog: recommendation.for_items(myopic, catalog),
        "gamma 0 with a tuned penalty on hooks": lambda catalog: Penalised(recommendation.for_items(myopic, catalog),
                                                                          catalog, penalty),
        "DQN": lambda catalog: recommendation.for_items(planner, catalog)}
    return ({name: tuple(reward(make(catalog), catalog, config, sessions=sessions, seed=seed)
                         for catalog in (known, new)) for name, make in makers.items()},
            {name: seconds for name, (_, seconds) in trained.items()})


def by_use(recommendation, *, seed=0, sessions=1_000, **options):
    """Mean reward of a session in four uses of the same shop, {use: {who recommends: reward}}, with known items.

    "shop" is the main setting; "advertisements" are paid by the click, and only a few may be shown; in a "cart" only
    purchases count, and bait costs no goodwill; "search results" are pages of five, ranked by agents of the shop.

    Parameters
    ----------
    recommendation, seed, sessions, options
        As in `compare`.
    """
    known, _ = catalogs(seed=seed)
    found = {}
    for use, config, catalog in (("shop", ShopConfig(), known), ("advertisements", ADS, with_nothing(known)),
                                 ("cart", CART, known)):
        agents = trained_agents(recommendation, catalog, config, seed=seed, **options)
        makers = {"random": Random(len(catalog), seed=seed), **agents, "oracle that looks no further": OracleMyopic}
        found[use] = {name: reward(policy, catalog, config, sessions=sessions, seed=seed)
                      for name, policy in makers.items()}
        if use == "shop":
            pages, rng = Pages(known, config, num_envs=sessions), np.random.default_rng(seed)
            ranked = {"random": lambda obs, rng=rng: rng.random((len(obs), len(known))).argsort()[:, :5]}
            ranked |= {name: by_value(agent, 5) for name, agent in agents.items()}
            ranked["oracle that looks no further"] = lambda obs, pages=pages: np.argsort(
                -pages.visitors.expected_rewards(), axis=1)[:, :5]
            found["search results"] = {name: float(session_rewards(pages, rank, seed=seed + 1_000_003).mean())
                                       for name, rank in ranked.items()}
    return found


def by_what_is_seen(recommendation, *, seed=0, sessions=1_000, **options):
    """Mean reward of a session if the shop sees less of its visitors, {what it sees: {who recommends: reward}}.

    Without a profile every visitor is cold: only the clicks tell what he likes. The oracle sees all, always.

    Parameters
    ----------
    recommendation, seed, sessions, options
        As in `compare`.
    """
    (known, _), found = catalogs(seed=seed), {}
    for sees, config in (("no satisfaction", ShopConfig(observe_satisfaction=False)),
                         ("no profile", ShopConfig(profile_noise=None)),
                         ("neither", ShopConfig(observe_satisfaction=False, profile_noise=None))):
        makers = {"random": Random(len(known), seed=seed),
                  **trained_agents(recommendation, known, config, seed=seed, **options),
                  "oracle that looks no further": OracleMyopic}
        found[sees] = {name: reward(policy, known, config, sessions=sessions, seed=seed)
                       for name, policy in makers.items()}
    return found


def by_replay(recommendation, *, seed=0, sessions=1_000, share=0.5, planner=PLANNER):
    """What drawing rewarded transitions more often does: {replay: (reward, value that is said, and that it has)}.

    Rewards are rare here, so one may be tempted to fill a `share` of each batch with them. The second and third number
    are the value of a visitor's first step: the agent's largest, and what then comes, discounted, on average.

    Parameters
    ----------
    recommendation, seed, sessions
        As in `compare`.
    share : float
    planner : DQNConfig
    """
    (known, _), found = catalogs(seed=seed), {}
    for name, rewarded in (("uniform", 0.0), ("rewards more often", share)):
        agent = recommendation.train_recommender(RecommendationVectorEnv(known, num_envs=128),
                                                 replace(planner, rewarded_share=rewarded), seed=seed).agent
        found[name] = reward(agent, known, sessions=sessions, seed=seed), *worth(agent, known, sessions=sessions)
    return found


def worth(agent, catalog, config=None, *, sessions=1_000, seed=0):
    """Means over visitors: the largest value that an agent gives their first step, and what comes, discounted."""
    env = RecommendationVectorEnv(catalog, config, num_envs=sessions)
    obs, _ = env.reset(seed=seed + 2_000_003)
    said, came, over = agent.q_values(obs).max(axis=1), np.zeros(sessions), np.zeros(sessions, bool)
    for step in range(env.config.steps):
        obs, rewards, terminated, *_ = env.step(agent.act(obs))
        came += agent.config.gamma**step * rewards * ~over
        over |= terminated
    return float(said.mean()), float(came.mean())
