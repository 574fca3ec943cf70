import numpy as np
import pytest

from course_lib.dqn.replay import Batch, NStepWindow, ReplayBuffer


def numbered(start, count):
    """Transitions whose every field tells the same number."""
    n = np.arange(start, start + count)
    return Batch(obs=n[:, None], action=n, reward=n, next_obs=n[:, None] + 0.5, terminated=n % 2, discount=n / 100)


def test_the_ring_keeps_the_latest_transitions():
    buffer = ReplayBuffer(5, (1,))
    buffer.add(numbered(0, 3))
    assert len(buffer) == 3
    buffer.add(numbered(3, 4))
    assert len(buffer) == 5 and buffer.position == 2
    assert sorted(buffer.storage.action.tolist()) == [2, 3, 4, 5, 6]


def test_a_sample_keeps_the_fields_of_a_transition_together():
    buffer = ReplayBuffer(100, (1,))
    buffer.add(numbered(1, 40))
    batch = buffer.sample(np.random.default_rng(0), (6, 50))
    assert batch.obs.shape == (6, 50, 1) and batch.action.shape == (6, 50)
    np.testing.assert_array_equal(batch.obs[..., 0], batch.action)
    np.testing.assert_array_equal(batch.next_obs[..., 0], batch.action + 0.5)
    np.testing.assert_array_equal(batch.terminated, batch.action % 2)
    assert set(batch.action.flat) == set(range(1, 41))  # every filled row, never an empty one


def test_a_share_of_the_sample_is_rewarded():
    buffer, rng = ReplayBuffer(1_000, (1,)), np.random.default_rng(0)
    few = numbered(0, 1_000)
    buffer.add(few._replace(reward=np.where(few.action % 100 == 0, 2.0, 0.0) * (few.action > 0)))  # 9 of 1,000
    found = {share: buffer.sample(rng, (50, 200), rewarded=share) for share in (0.0, 0.4, 1.0)}
    rates = [(batch.reward > 0).mean() for batch in found.values()]
    np.testing.assert_allclose(rates, [0.009, 0.4 + 0.6 * 0.009, 1], atol=0.02)
    assert set(found[1.0].action.flat) == set(range(100, 1_000, 100))
    np.testing.assert_array_equal(found[0.4].obs[..., 0], found[0.4].action)
    nothing = ReplayBuffer(10, (1,))
    nothing.add(numbered(0, 10)._replace(reward=np.zeros(10)))
    assert nothing.sample(rng, 5, rewarded=0.5).reward.tolist() == [0] * 5  # there is none: uniformly


def test_samples_are_copies():
    buffer = ReplayBuffer(4, (1,))
    buffer.add(numbered(1, 4))
    buffer.sample(np.random.default_rng(0), 8).reward[:] = -1
    assert (buffer.storage.reward > 0).all()


def test_an_empty_or_impossible_buffer_says_so():
    with pytest.raises(ValueError, match="empty"):
        ReplayBuffer(3, (1,)).sample(np.random.default_rng(0), 2)
    with pytest.raises(ValueError, match="capacity.*got 0"):
        ReplayBuffer(0, (1,))


def test_a_restored_buffer_samples_the_same():
    buffer, other = ReplayBuffer(5, (1,)), ReplayBuffer(5, (1,))
    buffer.add(numbered(0, 7))
    other.restore(buffer.state())
    other.add(numbered(7, 2))
    buffer.add(numbered(7, 2))
    for a, b in zip(buffer.sample(np.random.default_rng(1), 20), other.sample(np.random.default_rng(1), 20)):
        np.testing.assert_array_equal(a, b)


def push(window, t, *, reward, terminated=False, truncated=False, valid=True):
    """Step one environment from observation t to t + 1."""
    one = np.ones(1)
    return window.push(one[:, None] * t, one.astype(int) * t, one * reward, one[:, None] * (t + 1),
                       np.array([terminated]), np.array([truncated]), np.array([valid]))


def rows(batch):
    return [(int(o), int(a), float(r), int(n), bool(t), round(float(d), 6)) for o, a, r, n, t, d in
            zip(batch.obs[:, 0], batch.action, batch.reward, batch.next_obs[:, 0], batch.terminated, batch.discount)]


def test_three_steps_are_summed_and_discounted():
    window = NStepWindow(3, 0.5, 1, (1,))
    assert rows(push(window, 0, reward=1)) == []
    assert rows(push(window, 1, reward=10)) == []
    assert rows(push(window, 2, reward=100)) == [(0, 0, 1 + 5 + 25, 3, False, 0.125)]
    assert rows(push(window, 3, reward=1000)) == [(1, 1, 10 + 50 + 250, 4, False, 0.125)]


def test_termination_closes_all_open_transitions_with_fewer_steps():
    window = NStepWindow(3, 0.5, 1, (1,))
    push(window, 0, reward=1)
    assert sorted(rows(push(window, 1, reward=10, terminated=True))) == [(0, 0, 6.0, 2, True, 0.25),
                                                                         (1, 1, 10.0, 2, True, 0.5)]


def test_truncation_closes_them_too_but_leaves_the_bootstrap():
    window = NStepWindow(2, 0.5, 1, (1,))
    push(window, 0, reward=1)
    assert sorted(rows(push(window, 1, reward=10, truncated=True))) == [(0, 0, 6.0, 2, False, 0.25),
                                                                        (1, 1, 10.0, 2, False, 0.5)]


def test_the_step_that_only_resets_is_not_stored():
    window = NStepWindow(2, 0.5, 1, (1,))
    push(window, 0, reward=1, terminated=True)
    assert rows(push(window, 7, reward=0, valid=False)) == []
    assert rows(push(window, 8, reward=2)) == []
    assert rows(push(window, 9, reward=4)) == [(8, 8, 4.0, 10, False, 0.25)]


def test_parallel_environments_do_not_mix():
    window = NStepWindow(2, 1.0, 3, (1,))
    flags = np.zeros(3, bool)
    for t in range(4):
        obs = np.array([[100 + t], [200 + t], [300 + t]], float)
        ended = np.array([False, t == 1, False])
        batch = window.push(obs, np.arange(3), np.array([1.0, 2.0, 3.0]), obs + 1, ended, flags, ~flags)
        np.testing.assert_array_equal(batch.obs[:, 0] // 100 - 1, batch.action)
        np.testing.assert_array_equal(batch.next_obs[:, 0] // 100 - 1, batch.action)
        assert set(batch.terminated[batch.action != 1]) <= {False}


def test_one_step_windows_pass_everything_through():
    window = NStepWindow(1, 0.9, 1, (1,))
    assert rows(push(window, 4, reward=2)) == [(4, 4, 2.0, 5, False, 0.9)]
    assert rows(push(window, 5, reward=3, terminated=True)) == [(5, 5, 3.0, 6, True, 0.9)]
