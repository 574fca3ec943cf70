"""What recommending with foresight earns, what it needs to see, and how models guess the next basket."""

from dataclasses import replace
from datetime import UTC, datetime

from benchmark import Benchmark, twins

from course_lib.networks.config import TrainingConfig
from course_lib.recommendation import baselines, experiments, logged, metrics, splits
from course_lib.recommendation.config import MYOPIC, PLANNER
from course_lib.recommendation.env import RecommendationVectorEnv
from course_lib.recommendation.log import DAY, load_online_retail, simulate_log
from course_lib.recommendation.policies import OracleMyopic, Random
from course_lib.recommendation.shop import ADS, CART, CONTROL, ShopConfig, catalog_of_log, with_nothing

CUT = datetime(2011, 11, 9, tzinfo=UTC).timestamp()  # in the real shop
BASKET = TrainingConfig(epochs=10, l2=1e-5, batch_size=128)
AGENTS = {"DQN": PLANNER, "gamma 0": MYOPIC}


def in_the_shop(framework, seeds):
    """Mean reward of a session in the simulated shop of notebook 08, 1,000 fresh visitors each.

    By the seed the 48 known and twelve new items and all first weights differ. In the control there are hardly any
    consequences.
    """
    [twin] = twins(framework, "recommendation")
    for seed in range(seeds):
        for world, config in (("main", ShopConfig()), ("control", CONTROL)):
            found, seconds = experiments.compare(twin, config, seed=seed)
            for name, rewards in found.items():
                for items, value in zip(("known items", "new items"), rewards, strict=True):
                    yield {"shop": f"{world}, {items}", "who recommends": name, "seed": seed, "reward": value}


def in_other_uses(framework, seeds):
    """Mean reward of a session, agents trained as long.

    Pages of five search results; six advertisements to place, paid by the click; what goes with the basket; and the
    shop that sees less of its visitors.
    """
    [twin] = twins(framework, "recommendation")
    for seed in range(seeds):
        less = {f"the shop, {what}": row for what, row in experiments.by_what_is_seen(twin, seed=seed).items()}
        for use, row in (experiments.by_use(twin, seed=seed) | less).items():
            yield from ({"use": use, "who recommends": name, "seed": seed, "reward": value}
                        for name, value in row.items())


def by_replay(framework, seeds):
    """Mean reward of a session with half of each batch drawn from transitions with a reward.

    What the agent says that a first step is worth, and what then came, discounted.
    """
    [twin] = twins(framework, "recommendation")
    for seed in range(seeds):
        for name, values in experiments.by_replay(twin, seed=seed).items():
            named = zip(("reward", "value said", "value brought"), values, strict=True)
            yield {"replay": name, "seed": seed, **dict(named)}


def with_real_items(framework, seeds, log):
    """Mean reward of a session with 48 items that are alike if the same users bought them."""
    [twin] = twins(framework, "recommendation")
    catalog, _ = catalog_of_log(splits.temporal_split(load_online_retail(log or None), CUT).known, items=48)
    for seed in range(seeds):
        makers = {"random": Random(48), **experiments.trained_agents(twin, catalog, seed=seed),
                  "oracle that looks no further": OracleMyopic}
        yield from ({"who recommends": name, "seed": seed, "reward": experiments.reward(policy, catalog, seed=seed)}
                    for name, policy in makers.items())


def next_basket(framework, seeds, log):
    """386,326 purchases, cut at 2011-11-09; ten items out of all 3,659, repeats allowed."""
    twin, nets = twins(framework, "recommendation", "networks")
    found = simulate_log() if log == "simulated" else load_online_retail(log or None)
    split = splits.temporal_split(found, 335 * DAY if log == "simulated" else CUT)
    models = {name: getattr(baselines, name)(split) for name in ("random", "popularity", "personal_frequency",
                                                                 "item_knn", "svd", "ease")}
    models["popular in the last 30 days"] = baselines.recent_popularity(found, split)
    for seed in range(seeds):
        net = twin.NextBasketNetwork(found.items, hidden=64, seed=seed)
        nets.train(net, *splits.examples(found, split.cut), BASKET, loss=twin.next_basket_loss)
        models["network"] = nets.predict(net, split.known[split.users].toarray())
        for name, scores in models.items():
            top = metrics.top_k(scores, 10)
            yield {"model": name.replace("_", " "), "seed": seed, "hit rate": metrics.hit_rate(top, split.wanted),
                   "NDCG": metrics.ndcg(top, split.wanted), "coverage": metrics.coverage(top, found.items)}


def off_policy(_, seeds, sessions=20_000):
    """Error of what a log of 20,000 first steps under another policy says of a policy's reward, over 40 logs."""
    known, _ = experiments.catalogs()
    old, new = logged.Soft(known, personal=0.3), logged.Soft(known, personal=1.0)
    for seed in range(seeds):
        log = logged.first_steps(known, old, new, sessions=sessions, seed=seed)
        for name, estimate in logged.judge(log, known).items():
            yield {"estimator": name, "seed": seed, "error": estimate.value - log.truth}


def agent_canary(framework, catalog=None, settings=PLANNER, config=None):
    """Updates by what random recommendations earn."""
    [twin] = twins(framework, "recommendation")
    catalog = catalog or experiments.catalogs()[0]
    env = RecommendationVectorEnv(catalog, config, num_envs=64)
    settings = replace(settings, warmup_steps=1_000, total_steps=2_500, epsilon_end=1.0)
    history = twin.train_recommender(env, settings, seed=0)
    values = history.agent.q_values(env.reset(seed=1)[0])
    return {"first loss": history.losses[0], "last loss": history.losses[-1], "value": values.mean(),
            "spread": values.std(axis=1).mean(), "random": experiments.reward(Random(len(catalog)), catalog, config,
                                                                               sessions=200)}


def shop_canary(framework):
    """That of an agent, and what needs no network."""
    known, _ = experiments.catalogs()
    return agent_canary(framework) | {
        name: experiments.reward(policy, known, sessions=200) for name, policy in (
            ("oracle", OracleMyopic), ("LinUCB", experiments.without_network(known)["LinUCB"](known)))}


def basket_canary(framework):
    """Log-loss of the network after an epoch, and hits of models without one, on a simulated log."""
    twin, nets = twins(framework, "recommendation", "networks")
    log = simulate_log()
    split = splits.temporal_split(log, 335 * DAY)
    x, wanted = (part[:1_000] for part in splits.examples(log, split.cut))
    net = twin.NextBasketNetwork(log.items, hidden=16, seed=0)
    nets.train(net, x, wanted, replace(BASKET, epochs=1), loss=twin.next_basket_loss)
    scores = nets.predict(net, split.known[split.users[:200]].toarray())
    found = {"score": scores.mean(), "spread": scores.std(axis=1).mean(), "baskets": len(split.wanted)}
    return found | {name: metrics.hit_rate(metrics.top_k(getattr(baselines, name)(split), 10), split.wanted)
                    for name in ("popularity", "personal_frequency", "item_knn")}


def off_policy_canary(framework):
    """One short log."""
    return {row["estimator"]: row["error"] for row in off_policy(framework, 1, sessions=2_000)}


REAL = {"log": ""}  # downloaded once; or the path of onlineretail.rda
STUDIES = {
    "recommendation_shop": Benchmark(
        title="Recommending with foresight",
        settings=AGENTS | {"shop": ShopConfig(), "control": CONTROL, "penalties": experiments.PENALTIES},
        rows=in_the_shop, canary=shop_canary, down=("who recommends",), across=("framework", "shop")),
    "recommendation_uses": Benchmark(
        title="Other uses of the shop, and what it sees",
        settings=AGENTS | {"advertisements": ADS, "cart": CART}, rows=in_other_uses, down=("use",), seeds=2,
        across=("framework", "who recommends"), canary=lambda framework: agent_canary(
            framework, with_nothing(experiments.catalogs()[0]), MYOPIC, ADS)),
    "recommendation_real_items": Benchmark(
        title="The shop with items of Online Retail",
        settings=AGENTS | {"cut": CUT}, rows=with_real_items, down=("who recommends",), seeds=1, options=REAL,
        canary=agent_canary),
    "recommendation_replay": Benchmark(
        title="Drawing rewarded transitions more often",
        settings=AGENTS | {"rewarded share": 0.5}, rows=by_replay, down=("replay",), seeds=2,
        canary=lambda framework: agent_canary(framework, settings=replace(PLANNER, rewarded_share=0.5))),
    "recommendation_next_basket": Benchmark(
        title="The next basket in Online Retail",
        settings={"network": BASKET, "hidden": 64, "cut": CUT}, rows=next_basket, canary=basket_canary, down=("model",),
        across=("framework",), seeds=1, options=REAL),
    "recommendation_off_policy": Benchmark(
        title="Judging a policy by another one's log",
        settings={"old": 0.3, "new": 1.0, "sessions": 20_000}, rows=off_policy, canary=off_policy_canary,
        down=("estimator",), across=(), seeds=40, frameworks=("numpy",))}
