"""What networks start from, and in which order they see the examples."""

import numpy as np
import pytest

from course_lib.ensembling.members import join, make_members, orders, standardisation, take

X = np.random.default_rng(0).normal(3, 5, (30, 4)).astype(np.float32)
ROWS = [np.arange(20), np.arange(10, 30)]


def test_a_network_depends_on_its_own_seed_and_rows_alone():
    both = make_members(X, ROWS, [4, 8, 2], [5, 6])
    alone = make_members(X, ROWS[1:], [4, 8, 2], [6])
    for ours, theirs in zip([*take(both, [1]).weights, both.mean[1:], both.scale[1:]],
                            [*alone.weights, alone.mean, alone.scale], strict=True):
        assert (ours == theirs).all() and ours.dtype == np.float32
    assert [part.shape for part in both.weights] == [(2, 4, 8), (2, 8), (2, 8, 2), (2, 2)]
    assert both.mean[0, 0] == pytest.approx(X[:20].mean(axis=0))
    assert both.scale[1, 0] == pytest.approx(X[10:].std(axis=0))
    bound = np.sqrt(6 / 4)
    assert 0.8 * bound < np.abs(both.weights[0]).max() <= bound
    assert np.abs(both.weights[2]).max() <= 0.1 * np.sqrt(6 / 8)
    assert not np.concatenate([bias.ravel() for bias in both.weights[1::2]]).any()


def test_inputs_can_be_left_as_they_are():
    plain = make_members(X, ROWS, [4, 2], [5, 6], scale_inputs=False)
    assert not plain.mean.any() and (plain.scale == 1).all()


def test_columns_that_do_not_vary_are_not_divided_by_zero():
    mean, scale = standardisation(np.array([[0, 1e8, 7.0], [0, 1e8, 9.0]], np.float32))
    assert mean == pytest.approx([0, 1e8, 8]) and scale == pytest.approx([1, 1, 1])


def test_each_pass_is_a_permutation_of_a_members_own_rows():
    found = orders(ROWS, [1, 2], 10, 8)  # 80 places: four passes
    assert found.shape == (10, 2, 8) and found.dtype == np.int32
    for member, own in enumerate(ROWS):
        passes = found[:, member].reshape(4, 20)
        assert (np.sort(passes, axis=1) == own).all()
        assert len({tuple(order) for order in passes.tolist()}) == 4
    assert (orders(ROWS[1:], [2], 10, 8)[:, 0] == found[:, 1]).all()
    assert (orders(ROWS, [1, 3], 10, 8)[:, 1] != found[:, 1]).any()


def test_a_batch_may_be_larger_than_the_training_set():
    assert np.bincount(orders([np.arange(3)], [0], 2, 6).ravel()).tolist() == [4, 4, 4]


def test_joining_what_was_taken_apart_gives_the_same():
    members = make_members(X, ROWS * 2, [4, 8, 2], [1, 2, 3, 4])
    back = join([take(members, slice(0, 1)), take(members, slice(1, 4))])
    before, after = ([*made.weights, *made[1:]] for made in (members, back))
    for ours, theirs in zip(before, after, strict=True):
        assert (ours == theirs).all()
