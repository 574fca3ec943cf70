"""The project of notebook 08: what to show to visitors of whom little is known."""

from __future__ import annotations

import numpy as np

from course_lib.common import checks
from course_lib.exercises.engine.project import Project
from course_lib.recommendation import shop

_CONFIG = shop.ShopConfig(profile_noise=0.2)
_ITEMS, _LOGGED, _VISITORS, _STEPS = 60, 1500, 200, _CONFIG.steps


def _draw_shop(rng):
    tastes = shop.directions(rng.normal(size=(_LOGGED + _VISITORS, shop.SIZE)))
    profiles = tastes + _CONFIG.profile_noise * rng.normal(size=tastes.shape)
    catalog = shop.Catalog(shop.directions(rng.normal(size=(_ITEMS, shop.SIZE))), rng.random(_ITEMS),
                           0.6 * rng.normal(size=_ITEMS))
    items = rng.integers(_ITEMS, size=(len(tastes), _STEPS))
    click, buy, leave = (chance[:_LOGGED] for chance in _chances(catalog, tastes, items))
    clicked = rng.random(click.shape) < click
    bought = clicked & (rng.random(click.shape) < buy)
    left = rng.random(click.shape) < np.where(clicked, leave[..., 1], leave[..., 0])
    there = np.cumsum(left, axis=1) - left == 0
    given = {"embedding": catalog.embedding, "hook": catalog.hook, "log_profiles": profiles[:_LOGGED],
             "log_items": np.where(there, items[:_LOGGED], -1), "log_clicks": (clicked & there).astype(int),
             "log_purchases": (bought & there).astype(int), "profiles": profiles[_LOGGED:]}
    hidden = {"appeal": catalog.appeal, "tastes": tastes[_LOGGED:]}
    return given, hidden | {"least": _reward(given, hidden, items[_LOGGED:])}


def _catalog(given, hidden):
    return shop.Catalog(given["embedding"], given["hook"], hidden["appeal"])


def _chances(catalog, tastes, items):
    """How likely each item is clicked (V, steps), then bought, and that one leaves without and with a click."""
    satisfaction, fatigue, found = np.zeros(len(tastes)), np.zeros(tastes.shape), []
    for shown in items.T:
        embedding, hook = catalog.embedding[shown], catalog.hook[shown]
        liking = np.vecdot(tastes, embedding)
        click = shop.click_probability(liking, hook, catalog.appeal[shown], np.vecdot(fatigue, embedding),
                                       satisfaction, _CONFIG.phi)
        satisfaction = shop.next_satisfaction(satisfaction, hook, _CONFIG.kappa)
        fatigue = _CONFIG.memory * fatigue + embedding
        leave = [shop.leaving_probability(satisfaction, clicked) for clicked in (0, 1)]
        found.append((click, shop.purchase_probability(liking, hook), np.stack(leave, axis=1)))
    return [np.stack(each, axis=1) for each in zip(*found, strict=True)]


def _reward(given, hidden, items):
    click, buy, leave = _chances(_catalog(given, hidden), hidden["tastes"], items)
    stay = 1 - (1 - click) * leave[..., 0] - click * leave[..., 1]
    there = np.cumprod(np.c_[np.ones(len(stay)), stay[:, :-1]], axis=1)
    return (there * shop.expected_reward(click, buy, _CONFIG)).sum(axis=1).mean()


def _mean_reward(given, hidden, answer):
    items = checks.array("answer", answer, (_VISITORS, _STEPS), kind="whole", low=0, high=_ITEMS - 1)
    return max(_reward(given, hidden, items), hidden["least"])


def _most_bought(given):
    """Ten items without much bait, twice."""
    bought = np.bincount(given["log_items"].ravel() + 1, given["log_purchases"].ravel())[1:]
    order = np.argsort(-bought * (given["hook"] < 0.3), kind="stable")
    return np.tile(order[: _STEPS // 2], (_VISITORS, 2))


def _in_turn(embedding, hook, tastes, worth):
    """At each step the item of most worth(step, liking, sameness, satisfaction)."""
    satisfaction, fatigue, items = np.zeros((len(tastes), 1)), np.zeros(tastes.shape), []
    for step in range(_STEPS):
        items.append(worth(step, tastes @ embedding.T, fatigue @ embedding.T, satisfaction).argmax(axis=1))
        satisfaction = shop.next_satisfaction(satisfaction, hook[items[-1], None], _CONFIG.kappa)
        fatigue = _CONFIG.memory * fatigue + embedding[items[-1]]
    return np.stack(items, axis=1)


def _varied(given):
    return _in_turn(given["embedding"], given["hook"], given["profiles"],
                    lambda _step, liking, sameness, _satisfaction: liking - given["hook"] - 0.5 * sameness)


def _greedy(catalog, tastes, price):
    """What earns most at each step, where a hook has its price, the higher the more steps are to come."""
    def worth(step, liking, sameness, satisfaction):
        click = shop.click_probability(liking, catalog.hook, catalog.appeal, sameness, satisfaction, _CONFIG.phi)
        earned = shop.expected_reward(click, shop.purchase_probability(liking, catalog.hook), _CONFIG)
        return earned - price * (1 - step / _STEPS) * catalog.hook

    return _in_turn(catalog.embedding, catalog.hook, tastes, worth)


def _best_greedy(given, hidden):
    lists = [_greedy(_catalog(given, hidden), hidden["tastes"], price) for price in (0.5, 0.8, 1.2)]
    return max(lists, key=lambda items: _reward(given, hidden, items))


PROJECT = Project(
    id="08.project",
    title="Twenty items for every visitor",
    statement="The simulated shop with `ShopConfig(profile_noise=0.2)`. Given, of 60 items: `embedding` (60, 6) "
              "and `hook` (60,), but not the appeal; of 1,500 sessions in which items were shown at random: "
              "`log_profiles` (1500, 6), `log_items` (1500, 20), -1 once the visitor has left, `log_clicks` and "
              "`log_purchases`, 0 or 1, both (1500, 20); of 200 new visitors: `profiles` (200, 6). Hand in, for "
              "each new visitor, which item to show at each step: whole numbers (200, 20), 0 to 59. Judged by the "
              "mean expected reward of a session, given their true tastes; less than random items earn counts as "
              "that. Not allowed: to draw the instance again and read tastes or appeal.",
    draw=_draw_shop,
    measure=_mean_reward,
    floor=lambda _given, rng: rng.integers(_ITEMS, size=(_VISITORS, _STEPS)),
    baseline=_most_bought,
    par=_varied,
    best=_best_greedy,
)
