"""Cleaning, splitting, and models without a network: by hand, by brute force, and on the real shop if it is here."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import baselines
import next_basket
import numpy as np
import pytest
from sklearn.linear_model import Ridge

from course_lib.recommendation import log, metrics, splits
from course_lib.recommendation.log import DAY, ShopLog

SHARED = Path(__file__).resolve().parents[3] / "shared" / "datasets"
REAL = Path(os.environ.get("COURSE_TEST_DATA", SHARED)) / "onlineretail.rda"

# Two users; baskets 0 (user 0: items 0, 1), 1 (user 1: 0), 2 (user 0: 1, 2), 3 (user 1: 2), 4 (user 0: 0).
SMALL = ShopLog(user=np.array([0, 0, 1, 0, 0, 1, 0]), item=np.array([0, 1, 0, 1, 2, 2, 0]),
                basket=np.array([0, 0, 1, 2, 2, 3, 4]), time=np.array([0, 0, 1, 2, 2, 3, 4.0]), names=("a", "b", "c"))


def test_cleaning_row_by_row():
    rows = [  # invoice, code, description, quantity, time, price, customer: and whether it stays
        ("3", "10001", " MUG ", 1, 30.0, 2.0, 7.0, True), ("3", "10001", "MUG", 2, 30.0, 2.0, 7.0, False),
        ("1", "10002A", "LAMP", 1, 10.0, 2.0, 8.0, True), ("C4", "10001", "MUG", -1, 40.0, 2.0, 7.0, False),
        ("5", "POST", "POSTAGE", 1, 50.0, 2.0, 7.0, False), ("6", "10001", "MUG", 1, 60.0, 0.0, 7.0, False),
        ("7", "10001", "MUG", 1, 70.0, 2.0, np.nan, False), ("8", "10001", "MUG", 0, 80.0, 2.0, 7.0, False),
        ("9", "10001", "MUG", 1, 20.0, 2.0, 8.0, True)]
    columns = zip(*[row[:-1] for row in rows], strict=True)
    table = {name: np.array(column, float if name in ("Quantity", "InvoiceDate", "UnitPrice", "CustomerID") else object)
             for name, column in zip(log.COLUMNS, columns, strict=True)}
    found = log.clean(table)
    assert found["time"].tolist() == [10, 20, 30] and found["user"].tolist() == [1, 1, 0]
    assert found["item"].tolist() == [1, 0, 0] and len(set(found["basket"])) == 3
    assert found["names"].tolist() == ["10001 MUG", "10002A LAMP"]


def test_splits_by_hand():
    early = splits.temporal_split(SMALL, 2.0)
    assert early.known.toarray().tolist() == [[1, 1, 0], [1, 0, 0]] and early.users.tolist() == [0, 1]
    assert early.wanted.tolist() == [[False, True, True], [False, False, True]]  # the next basket, not all later ones
    late = splits.temporal_split(SMALL, 4.0)
    assert late.users.tolist() == [0] and late.wanted.tolist() == [[True, False, False]]
    for cut in (-1.0, 99.0):
        with pytest.raises(ValueError, match="cut: expected a time with baskets of a user on both sides"):
            splits.temporal_split(SMALL, cut)


def test_examples_by_hand():
    counts, baskets = splits.examples(SMALL, 3.5)  # user 0's second basket, and user 1's
    assert counts.tolist() == [[1, 1, 0], [1, 0, 0]] and baskets.tolist() == [[0, 1, 1], [0, 0, 1]]
    assert splits.examples(SMALL, 3)[1].tolist() == [[0, 1, 1]]  # what is bought at the cut is later
    counts, baskets = splits.examples(SMALL, 99)
    assert counts.tolist()[1] == [1, 2, 1] and baskets.tolist()[1] == [1, 0, 0] and len(counts) == 3
    with pytest.raises(ValueError, match="two baskets"):
        splits.examples(SMALL, 1.5)


def test_baskets_in_their_order_by_hand(monkeypatch):
    monkeypatch.setattr(next_basket, "LAST", 3)
    monkeypatch.setattr(next_basket, "LONGEST", 2)
    examples, asked = next_basket.sequences(SMALL, SimpleNamespace(cut=3, users=[0, 1]))  # what is bought at 3 is later
    assert examples.tolist() == [[[0, 0], [0, 0], [1, 2]]]  # items count from 1, the last basket stands last
    assert asked.tolist() == [[[0, 0], [1, 2], [2, 3]], [[0, 0], [0, 0], [1, 0]]]
    examples, asked = next_basket.sequences(SMALL, SimpleNamespace(cut=99, users=[0]))
    assert examples.tolist()[1] == [[0, 0], [1, 2], [2, 3]] and len(examples) == len(splits.examples(SMALL, 99)[0])
    assert asked.tolist() == [[[1, 2], [2, 3], [1, 0]]]
    monkeypatch.setattr(next_basket, "LONGEST", 1)
    assert next_basket.sequences(SMALL, SimpleNamespace(cut=99, users=[0]))[1].tolist() == [[[1], [2], [1]]]


def test_a_network_that_reads_the_order_finds_what_only_the_order_tells(twin):
    """Each basket is one item, three after that of the basket before it, of eight in a circle."""
    framework, rng = twin("networks").__name__.rpartition("in_")[2], np.random.default_rng(0)
    users, baskets = 150, 9
    user = np.tile(np.arange(users), baskets)
    time = np.repeat(np.arange(baskets), users).astype(float)
    item = ((rng.integers(8, size=users)[user] + 3 * time) % 8).astype(int)
    found = ShopLog(user=user, item=item, basket=np.arange(len(user)), time=time, names=tuple("abcdefgh"))
    split = splits.temporal_split(found, 8)
    right = {name: (scores.argmax(axis=1) == split.wanted.argmax(axis=1)).mean() for name, scores in
             next_basket.by_networks(framework, found, split, 0, epochs=12, hidden=16).items()}
    assert right["GRU"] > 0.9 and right["network"] < 0.5


def test_popularity_and_frequency_by_hand():
    split = splits.temporal_split(SMALL, 4.0)
    assert baselines.popularity(split).tolist() == [[2, 1, 2]]
    assert next_basket.recent_popularity(SMALL, split, days=2 / DAY).tolist() == [[0, 1, 2]]
    scores = baselines.personal_frequency(split)
    assert np.floor(scores).tolist() == [[1, 2, 1]] and scores[0, 0] == scores[0, 2]
    assert baselines.random(split, seed=1).shape == (1, 3)


@pytest.fixture(scope="module")
def simulated():
    found = log.simulate_log(users=150, items=40, seed=3)
    return found, splits.temporal_split(found, 330 * DAY)


def test_item_knn_by_brute_force(simulated):
    _, split = simulated
    bought = split.known.toarray() > 0
    expected = np.zeros(split.wanted.shape)
    for i in range(40):
        cosines = np.array([0 if i == j else (bought[:, i] & bought[:, j]).sum()
                            / max(1e-6, np.sqrt(bought[:, i].sum() * bought[:, j].sum())) for j in range(40)])
        near = np.where(cosines >= np.sort(cosines)[-5], cosines, 0)
        expected[:, i] = bought[split.users] @ near
    np.testing.assert_allclose(baselines.item_knn(split, neighbours=5), expected, atol=1e-9)


def test_ease_is_a_ridge_regression_of_each_item_by_the_others(simulated):
    _, split = simulated
    bought = (split.known.toarray() > 0).astype(float)
    scores = baselines.ease(split, penalty=20.0)
    for i in (0, 17):
        others = np.delete(np.arange(40), i)
        model = Ridge(20.0, fit_intercept=False).fit(bought[:, others], bought[:, i])
        np.testing.assert_allclose(scores[:, i], model.predict(bought[split.users][:, others]), atol=1e-8)
    with pytest.raises(ValueError, match="penalty: expected a number > 0, got 0"):
        baselines.ease(split, penalty=0)


def test_svd_is_the_nearest_matrix_of_its_rank(simulated):
    _, split = simulated
    bought = (split.known.toarray() > 0).astype(float)
    u, s, v = np.linalg.svd(bought, full_matrices=False)
    np.testing.assert_allclose(baselines.svd(split, factors=6), ((u[:, :6] * s[:6]) @ v[:6])[split.users], atol=1e-8)


def test_a_simulated_log(simulated):
    found, split = simulated
    again, other = log.simulate_log(users=150, items=40, seed=3), log.simulate_log(users=150, items=40, seed=4)
    np.testing.assert_array_equal(found.item, again.item)
    assert len(other) != len(found) or (other.item != found.item).any()
    pairs = np.stack([found.basket, found.item])
    assert np.unique(pairs, axis=1).shape == pairs.shape and found.time.max() < 365 * DAY
    rates = {name: metrics.hit_rate(metrics.top_k(scores, 5), split.wanted) for name, scores in (
        ("random", baselines.random(split)), ("popular", baselines.popularity(split)),
        ("frequency", baselines.personal_frequency(split)), ("ease", baselines.ease(split)))}
    assert rates["random"] < rates["popular"] < rates["frequency"] and rates["ease"] > rates["popular"]
    with pytest.raises(ValueError, match="items, days: expected whole numbers"):
        log.simulate_log(items=5)


def test_a_simulated_log_keeps_its_rules():
    found = log.simulate_log(users=300, items=60, seed=0)
    moments = [found.time[found.item == item] / DAY for item in range(60)]
    lasts = np.array([np.ptp(times) for times in moments])
    ended = np.array([times.max() < 330 for times in moments])
    assert 15 <= ended.sum() <= 32 and lasts[ended].max() < 180  # half have seasons, some of which are not over
    sizes = np.bincount(found.basket)
    assert sizes.min() >= 1 and sizes.max() == 12 and abs(sizes.mean() - 6.5) < 0.3
    # Bought before: six times the odds. Compare, over baskets, what each user has of his own with what strangers have.
    own, strangers, had = [], [], np.zeros((300, 60), bool)
    for basket in range(found.basket.max() + 1):
        rows = found.basket == basket
        user, items = found.user[rows][0], found.item[rows]
        if had[user].sum() > 5:
            own.append(had[user, items].mean())
            strangers.append(had[(user + 1) % 300, items].mean())
        had[user, items] = True
    assert np.mean(own) > 2.2 * np.mean(strangers)


@pytest.mark.parametrize(("change", "said"), [
    ({"user": np.zeros(3, int)}, r"item: expected shape \(3,\), got \(7,\)"),
    ({"time": np.arange(7.0)[::-1]}, "never fall"),
    ({"item": np.full(7, -1)}, "numbers >= 0"), ({"names": ("a",)}, "names: expected one for each item, got 1 for 3")])
def test_what_is_no_log(change, said):
    with pytest.raises(ValueError, match=said):
        ShopLog(**{**vars(SMALL), **change})


def test_a_file_that_is_none(tmp_path):
    with pytest.raises(ValueError, match="expected the file onlineretail.rda, found nothing"):
        log.load_online_retail(tmp_path / "onlineretail.rda")
    (tmp_path / "onlineretail.rda").write_bytes(b"not R")
    with pytest.raises(ValueError, match="expected an .rda file of a table"):
        log.load_online_retail(tmp_path / "onlineretail.rda")
    assert [path.name for path in tmp_path.iterdir()] == ["onlineretail.rda"]


@pytest.mark.slow
@pytest.mark.skipif(not REAL.exists(), reason="Online Retail is not here")
def test_the_real_shop(tmp_path):
    path = tmp_path / "onlineretail.rda"
    shutil.copy(REAL, path)
    found = log.load_online_retail(path)
    assert (len(found), found.users, found.items, len(np.unique(found.basket))) == (386_326, 4_334, 3_659, 18_402)
    again = log.load_online_retail(path)  # from what was written beside it
    for name in ("user", "item", "basket", "time"):
        np.testing.assert_array_equal(getattr(again, name), getattr(found, name))
    assert again.names == found.names and "POST" not in found.names
    split = splits.temporal_split(found, datetime(2011, 11, 9, tzinfo=UTC).timestamp())
    expected = {"random": (0.069, 0.007), "popularity": (0.385, 0.063), "recent": (0.597, 0.116),
                "personal_frequency": (0.785, 0.287), "item_knn": (0.519, 0.152), "svd": (0.689, 0.230),
                "ease": (0.665, 0.219)}
    for name, figures in expected.items():
        scores = next_basket.recent_popularity(found, split) if name == "recent" else getattr(baselines, name)(split)
        top = metrics.top_k(scores, 10)
        got = metrics.hit_rate(top, split.wanted), metrics.ndcg(top, split.wanted)
        assert got == pytest.approx(figures, abs=0.01), name
