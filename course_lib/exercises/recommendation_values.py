"""The exercises of notebook 06 on values: of items that may be new, for visitors who tire."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.exercise import Exercise, WrongAnswer
from course_lib.recommendation import reference


def _networks(rng):
    cases = []
    for batch, items, obs, size, features, hidden in ((1, 2, 7, 2, 3, 2), (3, 4, 9, 2, 4, 5), (2, 5, 12, 3, 5, 4)):
        shapes = ((batch, obs), (batch, 3, size), (items, features), (obs, hidden), (hidden,), (features, hidden),
                  (3, hidden), (hidden,))
        names = ("obs", "vectors", "items", "from_obs", "bias", "from_item", "from_products", "value")
        cases.append(dict(zip(names, (np.round(rng.normal(size=shape), 2) for shape in shapes), strict=True)))
    return cases


def _valued(change):
    def q(obs, vectors, items, from_obs, bias, from_item, from_products, value):
        products = (vectors @ items[:, : vectors.shape[2]].T).swapaxes(1, 2)
        parts = {"obs": (obs @ from_obs + bias)[:, None], "items": items @ from_item,
                 "products": products @ from_products}
        return change(parts, value)

    return q


def _summed(parts, *names):
    return sum(parts[name] for name in (names or parts))


ITEM_FEATURE_Q = Exercise(
    id="06.item_feature_q",
    title="A value for an item that is new today",
    statement="`obs` (B, S), three `vectors` of each observation (B, 3, E), and `items` (N, F), whose first E features "
              "are the embedding. The hidden layer of observation b and item n is ReLU(obs[b] @ from_obs + bias + "
              "items[n] @ from_item + p @ from_products), where p (3,) are the inner products of the three vectors "
              "with the embedding. The value is that times `value` (H,). Return all values, (B, N), without a loop.",
    reference=reference.item_feature_q,
    cases=_networks,
    hints=(
        "vectors @ items[:, :E].T has shape (B, 3, N); swapaxes(1, 2) makes it (B, N, 3).",
        "Three terms with shapes (B, 1, H), (N, H) and (B, N, H) add up to (B, N, H): [:, None] for the first.",
        "np.maximum(sum of the three, 0) @ value is (B, N).",
    ),
    wrong=(
        WrongAnswer(_valued(lambda parts, value: _summed(parts) @ value),
                    "The ReLU is missing: without it an item's rank could hardly depend on the visitor."),
        WrongAnswer(_valued(lambda parts, value: np.maximum(_summed(parts, "obs", "items"), 0) @ value),
                    "The inner products are missing: how far does the item point the visitor's way?"),
        WrongAnswer(_valued(lambda parts, value: sum(np.maximum(part, 0) for part in parts.values()) @ value),
                    "First the sum of the three terms, then one ReLU."),
        WrongAnswer(_valued(lambda parts, value: np.maximum(_summed(parts, "items", "products"), 0) @ value),
                    "What about the rest of the observation, and the bias? Time and mood change values, too."),
    ),
)


def _shown(rng):
    cases = [([0, 1], np.eye(2), 0.5), ([1, 1, 1], np.eye(2), 0.5), ([], np.ones((2, 3)), 0.7)]
    for steps, items, size, memory in ((5, 4, 3, 0.7), (9, 6, 2, 0.2), (4, 3, 6, 0.0)):
        cases.append((rng.integers(items, size=steps), np.round(rng.normal(size=(items, size)), 2), memory))
    return [dict(shown=np.array(shown, int), embedding=embedding, memory=memory) for shown, embedding, memory in cases]


def _weighed(weights):
    def fatigue(shown, embedding, memory):
        return (weights(len(shown), memory)[:, None] * embedding[shown]).sum(axis=0)

    return fatigue


FATIGUE = Exercise(
    id="06.fatigue",
    title="Not that again",
    statement="Items `shown` (T,), the latest last, have rows in `embedding` (N, E). At first fatigue is 0. At each "
              "step a share `memory` of the fatigue is left, and the embedding of the item shown is added. Return the "
              "fatigue after the last step, (E,).",
    reference=reference.fatigue,
    cases=_shown,
    hints=(
        "Start with np.zeros(embedding.shape[1]), and go through the items in order.",
        "Each step: tired = memory * tired + embedding[item].",
        "Written out: the latest item counts 1, the one before it `memory`, the one before that memory ** 2.",
    ),
    wrong=(
        WrongAnswer(_weighed(lambda steps, memory: memory ** np.arange(steps)),
                    "The oldest item counts most in yours: it should be the latest."),
        WrongAnswer(_weighed(lambda steps, memory: memory ** np.arange(steps, 0, -1)),
                    "You let the latest item fade at once: first fade, then add."),
        WrongAnswer(_weighed(lambda steps, memory: np.ones(steps)), "Nothing fades in yours: use `memory`."),
        WrongAnswer(_weighed(lambda steps, memory: (1 - memory) * memory ** np.arange(steps - 1, -1, -1)),
                    "That is a moving average: here the whole embedding is added."),
        WrongAnswer(_weighed(lambda steps, memory: (1 - memory) ** np.arange(steps - 1, -1, -1)),
                    "`memory` is the share that is left, not the share that goes."),
        WrongAnswer(_weighed(lambda steps, memory: 1.0 * (np.arange(steps) == steps - 1)),
                    "You only see the last item: what was there before counts, too."),
    ),
)
