"""Off-policy estimates: by hand, unbiased over many logs, and with intervals that hold."""

import numpy as np
import pytest

from course_lib.recommendation import ope

LOGGED, WANTED = np.array([0.5, 0.25, 0.25, 0.5]), np.array([0.25, 0.5, 0.0, 0.5])
REWARDS = np.array([1.0, 2.0, 3.0, 0.0])


def test_by_hand():
    found = ope.inverse_propensity(REWARDS, WANTED, LOGGED)  # weights .5, 2, 0, 1
    terms = np.array([0.5, 4, 0, 0])
    assert found.value == pytest.approx(1.125)
    assert found.effective_sample_size == pytest.approx(3.5**2 / 5.25)
    assert found.high - found.low == pytest.approx(2 * 1.96 * terms.std(ddof=1) / 2)
    assert ope.self_normalised(REWARDS, WANTED, LOGGED).value == pytest.approx(4.5 / 3.5)
    expected, policy = np.array([[1.0, 2.0], [0, 4]]), np.array([[0.5, 0.5], [0.25, 0.75]])
    assert ope.direct(expected, policy).value == pytest.approx((1.5 + 3) / 2)
    robust = ope.doubly_robust([3.0, 1.0], [0, 1], [0.5, 0.75], [0.25, 0.75], expected, policy)
    assert robust.value == pytest.approx(((1.5 + 2 * (3 - 1)) + (3 + 1 * (1 - 4))) / 2)


def test_sessions_by_hand():
    rewards, wanted, logged = [[1, 2], [3, 4.0]], [[0.5, 1], [0.25, 0.5]], [[0.25, 0.5], [0.5, 0.5]]  # 2, 2; .5, 1
    found = ope.per_decision(rewards, wanted, logged)
    assert found.value == pytest.approx((2 * 1 + 4 * 2 + 0.5 * 3 + 0.5 * 4) / 2)
    error = np.std([10, 3.5], ddof=1) / np.sqrt(2)
    assert (found.low, found.high) == pytest.approx((found.value - 1.96 * error, found.value + 1.96 * error))
    assert found.effective_sample_size == pytest.approx(4.5**2 / 16.25)


def logs(rng, size):
    """A log of two kinds of visitors and three items, and what another policy would earn."""
    mean = np.array([[0.1, 0.5, 0.2], [0.6, 0.1, 0.3]])
    old, new = np.array([[0.6, 0.2, 0.2], [0.2, 0.2, 0.6]]), np.array([[0.1, 0.7, 0.2], [0.8, 0.1, 0.1]])
    kind = rng.integers(2, size=size)
    actions = (rng.random(size)[:, None] > old[kind].cumsum(axis=1)).sum(axis=1)
    rewards = (rng.random(size) < mean[kind, actions]).astype(float)
    return rewards, actions, new[kind, actions], old[kind, actions], mean[kind], new[kind], (mean * new).sum(1).mean()


def test_unbiased_and_with_honest_intervals():
    rng, wrong = np.random.default_rng(0), np.array([0.5, 0.0, 0.2])  # a bad model: the same for all visitors
    found = {name: [] for name in ("ips", "snips", "dr", "dm", "logged")}
    covered = []
    for _ in range(1_000):
        rewards, actions, wanted, logged, _, policy, truth = logs(rng, 1_000)
        model = np.tile(wrong, (1_000, 1))
        one = {"ips": ope.inverse_propensity(rewards, wanted, logged),
               "snips": ope.self_normalised(rewards, wanted, logged),
               "dr": ope.doubly_robust(rewards, actions, wanted, logged, model, policy),
               "dm": ope.direct(model, policy)}
        for name, estimate in one.items():
            found[name].append(estimate.value)
        found["logged"].append(rewards.mean())
        covered.append([one[name].low < truth < one[name].high for name in ("ips", "snips", "dr")])
    error = {name: np.mean(values) - truth for name, values in found.items()}
    assert all(abs(error[name]) < 0.002 for name in ("ips", "snips", "dr"))
    assert abs(error["dm"]) > 0.05 and abs(error["logged"]) > 0.1
    assert (np.abs(np.mean(covered, axis=0) - 0.95) < 0.03).all()


def test_a_good_model_makes_doubly_robust_steadier():
    rng, spread = np.random.default_rng(1), {"ips": [], "dr": []}
    for _ in range(300):
        rewards, actions, wanted, logged, model, policy, _ = logs(rng, 300)
        spread["ips"].append(ope.inverse_propensity(rewards, wanted, logged).value)
        spread["dr"].append(ope.doubly_robust(rewards, actions, wanted, logged, model, policy).value)
    assert np.std(spread["dr"]) < 0.8 * np.std(spread["ips"])


def test_the_longer_the_session_the_less_is_left_of_the_log():
    rng = np.random.default_rng(2)
    steps, size = 20, 5_000
    logged = np.full((size, steps), 0.5)
    wanted = np.where(rng.random((size, steps)) < 0.5, 0.7, 0.3)
    sizes = [ope.per_decision(np.ones((size, t)), wanted[:, :t], logged[:, :t]).effective_sample_size
             for t in (1, 5, 20)]
    assert sizes[0] > 0.8 * size > 3 * sizes[2] and sizes[0] > sizes[1] > sizes[2]


@pytest.mark.parametrize(("change", "said"), [
    ({"wanted": [0.5]}, r"wanted: expected shape \(4,\), got \(1,\)"),
    ({"logged": [0, 0.1, 0.1, 0.1]}, "logged: expected probabilities above 0"),
    ({"wanted": [1.2, 0, 0, 0]}, "wanted: expected numbers from 0 to 1, got 0 to 1.2")])
def test_what_does_not_fit(change, said):
    with pytest.raises(ValueError, match=said):
        ope.inverse_propensity(**{"rewards": REWARDS, "wanted": WANTED, "logged": LOGGED, **change})


def test_more_that_does_not_fit():
    with pytest.raises(ValueError, match="could take, got none"):
        ope.self_normalised([1.0], [0.0], [0.5])
    with pytest.raises(ValueError, match="policy: expected|expected: expected"):
        ope.direct([[1.0, 2.0]], [[0.5, 0.6]])
