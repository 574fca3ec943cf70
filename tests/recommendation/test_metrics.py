"""Metrics by hand, and beside scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from course_lib.recommendation import metrics

SCORES = np.array([[0.1, 0.9, 0.5, 0.4], [3, 2, 1, 0.0]])
WANTED = np.array([[1, 0, 0, 1], [1, 1, 1, 0]], bool)


def test_by_hand():
    top = metrics.top_k(SCORES, 3)
    assert top.tolist() == [[1, 2, 3], [0, 1, 2]]
    assert metrics.hits(top, WANTED).tolist() == [[False, False, True], [True, True, True]]
    assert metrics.hit_rate(top, WANTED) == 1 and metrics.hit_rate(top[:, :2], WANTED) == 0.5
    gain = 1 / np.log2([2, 3, 4])
    assert metrics.ndcg(top, WANTED) == pytest.approx((gain[2] / (gain[0] + gain[1]) + 1) / 2)


def test_ndcg_is_scikit_learns():
    rng = np.random.default_rng(0)
    scores, wanted = rng.random((40, 25)), rng.random((40, 25)) < 0.2
    wanted[:, 3] = True
    for k in (1, 5, 25):
        assert metrics.ndcg(metrics.top_k(scores, k), wanted) == pytest.approx(ndcg_score(wanted, scores, k=k))


def test_equal_scores_go_to_the_first():
    assert metrics.top_k(np.zeros((1, 5)), 2).tolist() == [[0, 1]]


def test_what_does_not_fit():
    for k in (0, 5):
        with pytest.raises(ValueError, match="0 < k <= I"):
            metrics.top_k(SCORES, k)
    with pytest.raises(ValueError, match="expected numbers"):
        metrics.top_k(np.array([[np.nan, 1]]), 1)
    with pytest.raises(ValueError, match="something wanted"):
        metrics.hit_rate(metrics.top_k(SCORES, 1), np.zeros((2, 4), bool))
    with pytest.raises(ValueError, match=r"top: expected shape \(1, k\), got \(2, 1\)"):
        metrics.hit_rate(metrics.top_k(SCORES, 1), WANTED[:1])
