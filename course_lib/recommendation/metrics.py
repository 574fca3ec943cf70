"""How good lists of recommendations are, over all items (never over a sample of them), and how varied."""

from __future__ import annotations

import numpy as np

from course_lib.recommendation import reference


def top_k(scores, k):
    """The k items with the highest scores of each row: (V, I) -> (V, k), best first; of equal ones the first."""
    scores = np.asarray(scores)
    if scores.ndim != 2 or not 0 < k <= scores.shape[1] or np.isnan(scores).any():
        raise ValueError(f"scores, k: expected numbers (V, I) and 0 < k <= I, got shape {scores.shape} and {k}")
    return np.argsort(-scores, axis=1, kind="stable")[:, :k]


def hits(top, wanted):
    """Which of the recommended items (V, k) are wanted, by a bool array (V, I): bool (V, k)."""
    wanted = np.asarray(wanted, bool)
    if len(wanted) != len(top) or not wanted.any(axis=1).all():
        raise ValueError(f"wanted: expected a row with something wanted for each of {len(top)} lists, "
                         f"got shape {wanted.shape}")
    return np.take_along_axis(wanted, top, axis=1)


def hit_rate(top, wanted):
    """Share of users with at least one wanted item in their list."""
    return float(hits(top, wanted).any(axis=1).mean())


def recall(top, wanted):
    """Mean share of the wanted items that are in the list, of as many as fit in."""
    most = np.minimum(np.sum(wanted, axis=1), top.shape[1])
    return float((hits(top, wanted).sum(axis=1) / most).mean())


def ndcg(top, wanted):
    """Mean normalised discounted cumulative gain: a hit at place r (from 1) counts 1 / log2(r + 1); 1 is perfect.

    References
    ----------
    Järvelin & Kekäläinen 2002, "Cumulated gain-based evaluation of IR techniques", with the discount of Burges et al.
    2005, "Learning to rank using gradient descent", and gains of 0 and 1.
    """
    k, wanted = hits(top, wanted).shape[1], np.asarray(wanted, bool)
    scores = np.zeros(wanted.shape)  # such that the k highest are this list
    np.put_along_axis(scores, top, np.arange(k, 0, -1)[None], axis=1)
    return reference.ndcg(scores, wanted, k)


def coverage(top, items):
    """Share of all items that are recommended to anybody."""
    return len(np.unique(top)) / items


def gini(counts):
    """How unevenly counts (I,) are spread: 0 if all are equal, near 1 if one item has them all."""
    counts = np.sort(np.asarray(counts, float))
    if counts.ndim != 1 or not counts.sum() > 0 or counts[0] < 0:
        raise ValueError(f"counts: expected numbers >= 0 (I,) with a sum > 0, got shape {counts.shape}")
    places = np.arange(1, len(counts) + 1)
    return float(((2 * places - len(counts) - 1) * counts).sum() / (len(counts) * counts.sum()))
