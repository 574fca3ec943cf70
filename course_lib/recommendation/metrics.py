"""How good lists of recommendations are, over all items (never over a sample of them)."""

from __future__ import annotations

import numpy as np

from course_lib.common import checks
from course_lib.common.config import whole
from course_lib.recommendation import reference


def top_k(scores, k):
    """The k items with the highest scores of each row: (V, I) -> (V, k), best first; of equal ones the first."""
    scores = checks.array("scores", scores, ("V", "I"), finite=False)  # -inf may stand for what is not to be shown
    if not whole(k, 1) or k > scores.shape[1] or np.isnan(scores).any():
        raise ValueError(f"scores, k: expected numbers (V, I) and 0 < k <= I, got shape {scores.shape}, "
                         f"{np.isnan(scores).sum()} NaN and {k!r}")
    return np.argsort(-scores, axis=1, kind="stable")[:, :k]


def hits(top, wanted):
    """Which of the recommended items (V, k) are wanted, by an array (V, I): bool (V, k).

    Wanted is whatever is not 0: True, or a count such as of purchases. Lists hold different items.
    """
    top, wanted = _lists(top, wanted)
    return np.take_along_axis(wanted, top, axis=1)


def hit_rate(top, wanted):
    """Share of users with at least one wanted item in their list."""
    return float(hits(top, wanted).any(axis=1).mean())


def ndcg(top, wanted):
    """Mean normalised discounted cumulative gain: a hit at place r (from 1) counts 1 / log2(r + 1); 1 is perfect.

    References
    ----------
    Järvelin & Kekäläinen 2002, "Cumulated gain-based evaluation of IR techniques", with the discount of Burges et al.
    2005, "Learning to rank using gradient descent", and gains of 0 and 1.
    """
    top, wanted = _lists(top, wanted)
    k = top.shape[1]
    scores = np.zeros(wanted.shape)  # such that the k highest are this list
    np.put_along_axis(scores, top, np.arange(k, 0, -1)[None], axis=1)
    return reference.ndcg(scores, wanted, k)


def _lists(top, wanted):
    """Lists (V, k) of different items, as integers, and what is wanted, bool (V, I), something in each row."""
    wanted = checks.array("wanted", wanted, ("V", "I"), low=0) > 0
    top = checks.array("top", top, (len(wanted), "k"), kind="whole", low=0, high=wanted.shape[1] - 1)
    if (np.diff(np.sort(top, axis=1), axis=1) == 0).any():
        raise ValueError("top: expected different items in each list, got one twice")
    if not wanted.any(axis=1).all():
        raise ValueError(f"wanted: expected something wanted in each row, got {(~wanted.any(axis=1)).sum()} without")
    return top, wanted
