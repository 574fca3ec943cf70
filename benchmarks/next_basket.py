"""How well models guess the next basket: counting, matrices, a network, and one that reads the order."""

from dataclasses import replace
from datetime import UTC, datetime

import baselines
import numpy as np
from benchmark import Benchmark, twins

from course_lib.networks.config import TrainingConfig
from course_lib.recommendation import metrics, splits
from course_lib.recommendation.log import DAY, load_online_retail, simulate_log

CUT = datetime(2011, 11, 9, tzinfo=UTC).timestamp()  # in the real shop
CUTS = {f"2011-{month:02}-09": datetime(2011, month, 9, tzinfo=UTC).timestamp() for month in (7, 8, 9, 10, 11)}
# The best of fifteen (step sizes, epochs, l2) each at an earlier cut, 2011-06-09; so are EASE's penalties and share.
COUNTS = TrainingConfig(learning_rate=5e-4, epochs=5, l2=1e-4, batch_size=128)
ORDER = TrainingConfig(learning_rate=3e-3, epochs=10, l2=1e-5, batch_size=128)
LAST, LONGEST = 10, 40  # baskets that are read in their order, and items of each
COUNTING = ("random", "popularity", "personal_frequency", "item_knn", "svd", "ease", "ease_and_counts")


def recent_popularity(log, split, *, days=30):
    """How many baskets of the last days before the cut have each item."""
    rows = (log.time < split.cut) & (log.time >= split.cut - DAY * days)
    return np.tile(splits.count(log, rows).sum(axis=0), (len(split.users), 1))


def sequences(log, split):
    """The last baskets before each of `splits.examples` and before each user's wanted one, both (N, LAST, LONGEST).

    Items count from 1; 0 is where no item is. A basket that is longer is cut, and the last one stands last.
    """
    examples, whole = [], {}
    for user, items in splits.known_baskets(log, split.cut):
        if user in whole:
            examples.append(whole[user])
        basket = np.zeros((1, LONGEST), np.int32)
        basket[0, :len(items)] = items[:LONGEST] + 1
        whole[user] = np.vstack([whole.get(user, np.zeros((LAST, LONGEST), np.int32))[1:], basket])
    return np.array(examples), np.array([whole[user] for user in split.users])


def sequence_network(framework, items, *, size=64, seed=0):
    """A GRU over the last baskets, each the mean of its items' embeddings; and what was bought before, as a count.

    Inputs are baskets (B, LAST, LONGEST) and counts (B, items). Yu et al. 2016, "A dynamic recurrent model for next
    basket recommendation" (DREAM), with weights for buying again as `NextBasketNetwork` has them.
    """
    if framework == "pytorch":
        import torch
        from torch import nn

        class Sequence(nn.Module):
            def __init__(self):
                super().__init__()
                self.like, self.recurrent = nn.Embedding(items + 1, size), nn.GRU(size, size, batch_first=True)
                nn.init.normal_(self.like.weight, std=0.05)
                self.decode, self.again = nn.Linear(size, items), nn.Parameter(torch.ones(items))

            def forward(self, baskets, counts):
                filled = (baskets > 0).to(counts.dtype)[..., None]  # (B, LAST, LONGEST, 1)
                means = (self.like(baskets.long()) * filled).sum(dim=2) / filled.sum(dim=2).clamp(min=1)
                return self.decode(self.recurrent(means)[0][:, -1]) + self.again * counts.log1p()

        torch.manual_seed(seed)
        return Sequence()
    import keras
    from keras import layers, ops

    from course_lib.recommendation.in_keras import _Again

    keras.utils.set_random_seed(seed)
    baskets, counts = keras.Input((LAST, LONGEST)), keras.Input((items,))
    filled = ops.cast(baskets > 0, "float32")[..., None]
    like = layers.Embedding(items + 1, size, keras.initializers.RandomNormal(stddev=0.05))(ops.cast(baskets, "int32"))
    means = ops.sum(like * filled, axis=2) / ops.maximum(ops.sum(filled, axis=2), 1)
    return keras.Model([baskets, counts],
                       layers.Dense(items)(layers.GRU(size)(means)) + _Again()(ops.log1p(counts)))


def by_networks(framework, log, split, seed, *, epochs=None, hidden=64):
    """{model: scores (V, I)} of the network that counts, and of the one that reads the order."""
    by_count, by_order = (replace(config, epochs=epochs or config.epochs) for config in (COUNTS, ORDER))
    twin, nets = twins(framework, "recommendation", "networks")
    counts, baskets = splits.examples(log, split.cut)
    known = split.known[split.users].toarray()
    read, asked = sequences(log, split)
    plain, ordered = twin.NextBasketNetwork(log.items, hidden=hidden, seed=seed), sequence_network(
        framework, log.items, size=hidden, seed=seed)
    nets.train(plain, counts, baskets, by_count, seed=seed, loss=twin.next_basket_loss)
    nets.train(ordered, (read, counts), baskets, by_order, seed=seed, loss=twin.next_basket_loss)
    return {"network": nets.predict(plain, known), "GRU": nets.predict(ordered, (asked, known))}


def next_basket(framework, seeds, log):
    """386,326 purchases, cut at the ninth of five months; ten items out of all 3,659, repeats allowed.

    By the seed the networks' first weights and the order of their examples differ.
    """
    found = simulate_log() if log == "simulated" else load_online_retail(log or None)
    for name, cut in ({"simulated": 335 * DAY} if log == "simulated" else CUTS).items():
        split = splits.temporal_split(found, cut)
        counted = {model: getattr(baselines, model)(split) for model in COUNTING}
        counted["popular in the last 30 days"] = recent_popularity(found, split)
        for seed in range(seeds):
            for model, scores in (counted | by_networks(framework, found, split, seed)).items():
                top = metrics.top_k(scores, 10)
                yield {"model": model.replace("_", " "), "cut": name, "seed": seed,
                       "hit rate": metrics.hit_rate(top, split.wanted), "NDCG": metrics.ndcg(top, split.wanted),
                       "coverage": len(np.unique(top)) / found.items}


def canary(framework):
    """What both networks say after an epoch, and hits of models without one, on a simulated log."""
    log = simulate_log(users=150)
    split = splits.temporal_split(log, 335 * DAY)
    network = sequence_network(framework, log.items, size=16)
    [nets], (_, asked) = twins(framework, "networks"), sequences(log, split)
    forth, back = (nets.predict(network, (read, split.known[split.users].toarray()))
                   for read in (asked, np.ascontiguousarray(asked[:, ::-1])))
    found = {"what the order changes": np.abs(forth - back).mean()}
    for name, scores in by_networks(framework, log, split, 0, epochs=1, hidden=16).items():
        found |= {f"score of the {name}": scores.mean(), f"spread of the {name}": scores.std(axis=1).mean()}
    return found | {"baskets": len(split.wanted)} | {
        name: metrics.hit_rate(metrics.top_k(getattr(baselines, name)(split), 10), split.wanted)
        for name in ("popularity", "personal_frequency", "item_knn")}


STUDY = Benchmark(
    title="The next basket in Online Retail",
    settings={"network": COUNTS, "GRU": ORDER, "hidden": 64, "cuts": CUTS, "baskets that a GRU reads": LAST,
              "items of each that it reads": LONGEST},
    rows=next_basket, canary=canary, down=("cut", "model"), across=("framework",), seeds=5, options={"log": ""})
