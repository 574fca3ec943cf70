"""The project of notebook 07: how people will rate what hardly anybody has rated yet."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import Ridge

from course_lib.common import checks
from course_lib.exercises.engine.project import Project

_USERS, _ITEMS, _FEATURES, _TRAITS, _PAIRS = 150, 240, 8, 3, 2000
_MEAN, _MEANS, _TASTE, _TASTES = 3, 0.8, np.array([0.5, 0, 0]), 0.7  # all like some of the first trait
_OWN, _NOISE = 0.3, 0.5  # what of a trait the features do not say; and of a rating


def _draw_ratings(rng):
    features = rng.normal(size=(_ITEMS, _FEATURES))
    content = np.tanh(features @ rng.normal(size=(_FEATURES, _TRAITS)) / 2)
    traits = content + _OWN * rng.normal(size=content.shape)
    tastes = _TASTE + _TASTES * rng.normal(size=(_USERS, _TRAITS))
    rating = _MEAN + _MEANS * rng.normal(size=(_USERS, 1)) + tastes @ traits.T
    rating = np.clip(rating + _NOISE * rng.normal(size=rating.shape), 0, 6)
    chance = rng.permutation(np.repeat([0, 0.02, 0.2], [_ITEMS // 4, _ITEMS // 4, _ITEMS // 2]))
    rated, few = rng.random(rating.shape) < chance, chance < 0.1
    pairs = [rng.choice(np.argwhere(~rated & kind), _PAIRS // 2, replace=False) for kind in (few, ~few)]
    pairs = rng.permutation(np.concatenate(pairs))
    return ({"ratings": np.c_[np.argwhere(rated), rating[rated]], "features": features, "pairs": pairs},
            {"ratings": rating[tuple(pairs.T)], "content": content})


def _minus_rmse(given, hidden, answer):
    answer = checks.array("answer", answer, (len(given["pairs"]),), low=-1e6, high=1e6).astype(float)
    return -min(np.sqrt(((answer - hidden["ratings"]) ** 2).mean()), hidden["ratings"].std())


def _columns(given):
    user, item, rating = given["ratings"].T
    return user.astype(int), item.astype(int), rating


def _rows(number, count):
    return [np.flatnonzero(number == one) for one in range(count)]


def _of_pairs(given, table):
    return table[tuple(given["pairs"].T)]


def _shrunk_means(number, values, count):
    """The mean value of each number, pulled towards 0 as by three more values of 0."""
    return np.bincount(number, values, count) / (3 + np.bincount(number, minlength=count))


def _two_means(given):
    user, item, rating = _columns(given)
    users = rating.mean() + _shrunk_means(user, rating - rating.mean(), _USERS)
    return _of_pairs(given, users[:, None] + _shrunk_means(item, rating - users[user], _ITEMS))


def _ridge_per_user(given):
    user, item, rating = _columns(given)
    x = given["features"]
    common = Ridge(10.0).fit(x[item], rating).predict(x)  # what all think of an item
    common += _shrunk_means(item, rating - common[item], _ITEMS)
    own = [Ridge(5.0).fit(x[item[rows]], (rating - common[item])[rows]).predict(x) for rows in _rows(user, _USERS)]
    return _of_pairs(given, common + np.array(own))


def _pulled(x, y, mean, deviation):
    """Coefficients by least squares, pulled towards their prior mean."""
    precision = np.diag(np.broadcast_to(deviation, mean.shape) ** -2.0)
    return np.linalg.solve(x.T @ x / _NOISE**2 + precision, x.T @ y / _NOISE**2 + precision @ mean)


def _hybrid(given, hidden):
    """Tastes and traits in turn, each with its true prior; that of a trait is what the features say of it."""
    user, item, rating = _columns(given)
    traits, mean, deviation = hidden["content"], np.r_[_MEAN, _TASTE], np.r_[_MEANS, [_TASTES] * _TRAITS]
    for _ in range(8):
        seen = np.c_[np.ones(_ITEMS), traits]
        tastes = np.array([_pulled(seen[item[rows]], rating[rows], mean, deviation)
                           for rows in _rows(user, _USERS)])
        rest = rating - tastes[user, 0]
        traits = np.array([_pulled(tastes[user[rows], 1:], rest[rows], prior, _OWN)
                           for rows, prior in zip(_rows(item, _ITEMS), hidden["content"], strict=True)])
    return _of_pairs(given, tastes @ np.c_[np.ones(_ITEMS), traits].T)


PROJECT = Project(
    id="07.project",
    title="Items that nobody has rated",
    statement="Given: `ratings` (R, 3), one row each: user (0 to 149), item (0 to 239), rating (0 to 6); "
              "`features` (240, 8), which describe the items; `pairs` (2000, 2), users and items whose rating is "
              "wanted. Half of the pairs are of items with no or few ratings, the other half of items with many. "
              "Tastes differ, and what an item is like depends on its features, though not linearly and not on "
              "them alone. Hand in 2,000 ratings, one for each pair, numbers between -1e6 and 1e6. Judged by the "
              "root mean squared error, the lower the better; above the standard deviation of the true ratings it "
              "counts as that. Not allowed: to draw the instance again and read the ratings.",
    draw=_draw_ratings,
    measure=_minus_rmse,
    floor=lambda given, _rng: np.full(_PAIRS, given["ratings"][:, 2].mean()),
    baseline=_two_means,
    par=_ridge_per_user,
    best=_hybrid,
)
