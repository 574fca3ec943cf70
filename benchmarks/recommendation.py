"""What recommending with foresight earns, what it needs to see, and how models guess the next basket; both frameworks.

    python benchmarks/recommendation.py                        both frameworks, in the simulated shop
    python benchmarks/recommendation.py --frameworks keras     one of them
    python benchmarks/recommendation.py --log onlineretail.rda   the next basket in a real shop, not a simulated one

Each framework runs in a process of its own. ± is the standard deviation over the seeds, by which the catalogs differ;
only the first two see less of their visitors, and the other uses.
"""

import argparse
import importlib
import time
from datetime import UTC, datetime

import numpy as np
from side_by_side import report, table

from course_lib.classifier.config import TrainingConfig
from course_lib.recommendation import baselines, experiments, logged, metrics, splits
from course_lib.recommendation.env import RecommendationVectorEnv
from course_lib.recommendation.log import DAY, load_online_retail, simulate_log
from course_lib.recommendation.policies import ByLot, OracleMyopic
from course_lib.recommendation.shop import CONTROL, ShopConfig, catalog_of_log

CUT = datetime(2011, 11, 9, tzinfo=UTC).timestamp()  # in the real shop


def in_the_shop(twin, seed):
    """Yield (what, value): mean reward of a session, by who recommends."""
    for world, config in (("main", ShopConfig()), ("control", CONTROL)):
        found, seconds = experiments.compare(twin, config, seed=seed)
        for name, (known, new) in found.items():
            yield f"{world}: {name}", known
            yield f"{world}, new items: {name}", new
        yield from ((f"{world}: processor seconds, {name}", value) for name, value in seconds.items())


def with_less(twin, seed):
    """Yield (what, value): what is earned if less is seen of the visitors, and with another replay."""
    for sees, row in experiments.by_what_is_seen(twin, seed=seed).items():
        yield from ((f"{sees}: {name}", value) for name, value in row.items())
    for name, values in experiments.by_replay(twin, seed=seed).items():
        yield from ((f"replay, {name}: {what}", value)
                    for what, value in zip(("reward", "value said", "value brought"), values, strict=True))


def in_other_uses(twin, seed):
    """Yield (what, value) of the other uses of the shop."""
    for use, row in experiments.by_use(twin, seed=seed).items():
        if use != "shop":
            yield from ((f"{use}: {name}", value) for name, value in row.items())


def with_real_items(twin, path):
    """Yield (what, value) of the shop with items that are alike as those of a real log are."""
    catalog, _ = catalog_of_log(splits.temporal_split(load_online_retail(path), CUT).known, items=48)
    makers = {"by lot": ByLot(48), **experiments.trained_agents(twin, catalog),
              "oracle that looks no further": OracleMyopic}
    yield from ((f"real items: {name}", experiments.reward(policy, catalog)) for name, policy in makers.items())


def next_basket(twin, nets, path):
    """Yield (what, value) of models that guess the next basket, ten items each, among all items."""
    log = load_online_retail(path) if path else simulate_log()
    split = splits.temporal_split(log, CUT if path else 335 * DAY)
    models = {name: getattr(baselines, name)(split) for name in ("by_lot", "popularity", "personal_frequency",
                                                                 "item_knn", "svd", "ease")}
    models["popular in the last 30 days"] = baselines.recent_popularity(log, split)
    net = twin.NextBasketNetwork(log.items, hidden=64, seed=0)
    nets.train(net, *splits.examples(log, split.cut), TrainingConfig(epochs=10, l2=1e-5, batch_size=128),
               loss=twin.next_basket_loss)
    models["network"] = nets.predict(net, split.known[split.users].toarray())
    for name, scores in models.items():
        top = metrics.top_k(scores, 10)
        yield f"next basket, hit rate: {name}", metrics.hit_rate(top, split.wanted)
        yield f"next basket, NDCG: {name}", metrics.ndcg(top, split.wanted)
        yield f"next basket, coverage: {name}", metrics.coverage(top, log.items)


def off_policy(logs=40):
    """Yield (what, value): mean errors of what a log of 20,000 first steps says of another policy."""
    known, _ = experiments.catalogs()
    old, new = logged.Soft(known, personal=0.3), logged.Soft(known, personal=1.0)
    errors = {}
    for seed in range(logs):
        log = logged.first_steps(known, old, new, seed=seed)
        for name, estimate in logged.judge(log, known).items():
            errors.setdefault(name, []).append(estimate.value - log.truth)
    yield from ((f"off-policy, mean error: {name}", float(np.mean(values))) for name, values in errors.items())


def speed():
    """Steps a second of the vectorised environment, best of five."""
    env, rng, best = RecommendationVectorEnv(experiments.catalogs()[0], num_envs=256), np.random.default_rng(0), np.inf
    env.reset(seed=0)
    for actions in rng.integers(48, size=(5, 200, 256)):
        start = time.perf_counter()
        for some in actions:
            env.step(some)
        best = min(best, time.perf_counter() - start)
    return 200 * 256 / best


def main():
    """Run the frameworks one after the other and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frameworks", nargs="+", choices=("pytorch", "keras"), default=["pytorch", "keras"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--log", help="onlineretail.rda, in place of a simulated log")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.inside:
        table(__file__, options.frameworks, ["--seeds", str(options.seeds),
                                             *(["--log", options.log] if options.log else [])])
        return
    twin, nets = (importlib.import_module(f"course_lib.{topic}.in_{options.frameworks[0]}")
                  for topic in ("recommendation", "classifier"))
    found = {}
    for seed in range(options.seeds):
        more = (*with_less(twin, seed), *in_other_uses(twin, seed)) if seed < 2 else ()
        for what, value in (*in_the_shop(twin, seed), *more):
            found.setdefault(what, []).append(value)
    for what, values in found.items():
        report(what, np.mean(values), np.std(values))
    real = with_real_items(twin, options.log) if options.log else ()
    for what, value in (*next_basket(twin, nets, options.log), *real, *off_policy(), ("steps a second", speed())):
        report(what, value, 0)


if __name__ == "__main__":
    main()
