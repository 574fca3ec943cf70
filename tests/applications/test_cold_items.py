"""Recommending cold items: the parts by hand, what must not reach the training, and the claims."""

import numpy as np
import pytest

from course_lib.applications import cold_items


@pytest.fixture
def nets(twin):
    return twin("networks")


@pytest.fixture(scope="module")
def simulated():
    return cold_items.simulate(seed=3, users=100, items=70)


# --- the simulator


def test_so_many_ratings_as_stated(simulated):
    values, features, train, held = simulated
    assert values.shape == train.shape == held.shape == (100, 70) and features.shape == (70, 12)
    assert train.sum(axis=0).tolist() == [0, 2, 4, 8, 16, 32, 64] * 10
    assert held.sum(axis=0).tolist() == [0, 1, 1, 2, 4, 8, 16] * 10
    assert not (train & held).any()


def test_the_seed_sets_everything(simulated):
    again, other = (cold_items.simulate(seed=seed, users=100, items=70) for seed in (3, 4))
    assert all(np.array_equal(a, b) for a, b in zip(simulated, again))
    assert not any(np.array_equal(a, b) for a, b in zip(simulated, other))


def test_no_kind_of_item_is_liked_more():
    values, _, train, _ = cold_items.simulate(seed=0, items=2_100)
    means = [values[:, train.sum(axis=0) == count].mean() for count in cold_items.COUNTS]
    np.testing.assert_allclose(means, 3.5, atol=0.2)
    # taste 4 * 1/4 * (1 + 1/4), user .09, item .25, noise .25
    assert values.var() == pytest.approx(1.25 + 0.09 + 0.25 + 0.25, rel=0.06)


# --- the experts


def test_baselines_by_hand():
    values, known = np.array([[1.0, 3.0, 99.0], [5.0, 99.0, 99.0]]), np.array([[1, 1, 0], [1, 0, 0]], bool)
    by_user, by_item = cold_items.baselines(values, known, damping=1.0)
    # mean 3; users differ by (-2 + 0) / 3 and 2 / 2; what is left: -4/3 and 2/3 of user 0, 1 of user 1
    np.testing.assert_allclose(by_user, [[7 / 3] * 3, [4] * 3])
    np.testing.assert_allclose(by_item - by_user, [[(-4 / 3 + 1) / 3, (2 / 3) / 2, 0]] * 2)


def test_factorisation_by_hand():
    # One user, one item, one factor: u v near 2 with u^2 + v^2 small; at the optimum u = v and u^2 = 2 - penalty.
    left, right = cold_items.factorise(np.array([[2.0]]), np.ones((1, 1), bool), size=1, penalty=0.5, sweeps=200)
    assert float(left[0, 0] * right[0, 0]) == pytest.approx(1.5)


def test_factors_find_what_was_not_shown():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(60, 2)) @ rng.normal(size=(2, 50))
    known = rng.random(truth.shape) < 0.4
    known[:, 7] = known[5] = False
    left, right = cold_items.factorise(np.where(known, truth, 1e6), known, size=2, penalty=0.01)
    seen = ~known & known.any(axis=0) & known.any(axis=1)[:, None]
    assert np.abs(left @ right.T - truth)[seen].max() < 0.2
    assert not right[7].any() and not left[5].any()


def test_trust_by_hand():
    np.testing.assert_allclose(cold_items.trust([0, 1, 4, 12], 4.0), [0, 1 / 5, 1 / 2, 3 / 4])


def test_rmse_by_hand():
    where = np.array([[True, True], [False, False]])
    assert cold_items.rmse(np.array([[3.0, 4.0], [99, 99]]), np.zeros((2, 2)), where) == pytest.approx(np.sqrt(12.5))


def test_content_learns_from_items_with_enough_ratings_only(nets):
    x = np.random.default_rng(0).normal(size=(120, 3))
    wanted = np.stack([x[:, 0] + 5, 10 * x[:, 1]], axis=1)
    enough = np.arange(120) < 100
    found = cold_items.content(nets, x, wanted, enough)
    assert np.abs(found - wanted)[~enough].mean(axis=0).max() < 3
    assert np.corrcoef(found[~enough, 0], wanted[~enough, 0])[0, 1] > 0.9
    np.testing.assert_array_equal(cold_items.content(nets, x, np.where(enough[:, None], wanted, 1e6), enough)[~enough],
                                  found[~enough])


# --- fusion


def test_cold_items_and_test_ratings_do_not_reach_the_training(nets, simulated):
    values, features, train, held = simulated
    found = cold_items.predictions(nets, simulated)
    other = cold_items.predictions(nets, (np.where(train | held, values, 1e6), features, train, held))
    cold = ~train.any(axis=0)
    assert cold.sum() == 10 and not held[:, cold].any()
    for name in found:
        np.testing.assert_allclose(other[name], found[name], rtol=1e-4, atol=1e-4)
    changed = cold_items.predictions(nets, (np.where(train, values + 1, values), features, train, held))
    assert np.abs(changed["others"] - found["others"]).min() > 0.1  # what is learned from does count


def test_cold_items_are_left_to_content(nets, simulated):
    train, found = simulated[2], cold_items.predictions(nets, simulated)
    cold = ~train.any(axis=0)
    assert np.array_equal(found["n / (n + c)"][:, cold], found["content"][:, cold])
    assert np.array_equal(found["others"][:, cold], found["user's mean"][:, cold])
    assert not np.isclose(found["n / (n + c)"][:, ~cold], found["content"][:, ~cold]).all(axis=0).any()
    low, high = (pick(found["others"], found["content"]) for pick in (np.minimum, np.maximum))
    assert ((low - 1e-9 <= found["n / (n + c)"]) & (found["n / (n + c)"] <= high + 1e-9)).all()


def test_content_learns_the_factors_of_items_with_four_ratings_or_more(monkeypatch, simulated):
    given = []

    def content(nets, features, wanted, enough, *, seed):
        given.append((wanted, enough))
        return wanted

    monkeypatch.setattr(cold_items, "content", content)
    found = cold_items.predictions(None, simulated)
    (wanted, enough), = given
    assert wanted.shape == (70, 5) and np.array_equal(enough, simulated[2].sum(axis=0) >= 4)
    np.testing.assert_allclose(found["content"], found["others"])  # factors learned perfectly say what others say


@pytest.mark.parametrize("call, message", [
    (lambda: cold_items.trust([1, 2], 0), "c: expected a number > 0, got 0"),
    (lambda: cold_items.simulate(users=80), "users, items: expected whole numbers >= 81 and >= 7, got 80 and 240"),
    (lambda: cold_items.simulate(items=6), "got 300 and 6"),
])
def test_what_does_not_fit(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# --- claims
