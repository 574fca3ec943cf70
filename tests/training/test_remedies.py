"""Remedies: each does what its name says, and helps where it should."""

import numpy as np
import pytest
from scipy.ndimage import shift as scipy_shift

from course_lib.training.remedies import Tried, scores, shifted, try_out
from course_lib.training.tasks import small_digits


def test_images_are_moved_as_scipy_does():
    rng = np.random.default_rng(0)
    images = rng.random((2, 50, 64)).astype(np.float32)
    moved = shifted(images, np.random.default_rng(1), most=1.5)
    moves = np.random.default_rng(1).uniform(-1.5, 1.5, size=(2, 100))
    wide = np.pad(images.reshape(100, 8, 8), [(0, 0), (4, 4), (4, 4)], constant_values=images.min())
    for image, down, right, found in zip(wide, *moves, moved.reshape(100, 8, 8)):
        wanted = scipy_shift(image, (-down, -right), order=1, mode="nearest")[4:12, 4:12]
        np.testing.assert_allclose(found, wanted, atol=1e-5)
    assert moved.shape == images.shape and moved.dtype == images.dtype
    np.testing.assert_array_equal(shifted(images, rng, most=0), images)
    for bad, most in ((images[..., :60], 1), (images, 8), (images, -1)):
        with pytest.raises(ValueError, match="images, most: expected squares in the last dimension"):
            shifted(bad, rng, most=most)


def test_each_run_is_stopped_for_itself():
    curves = np.array([[5, 5], [4, 6], [4.1, 4.8], [4.2, 4.7], [1, 4.8], [9, np.nan], [9, 9]])
    tried = Tried(curves, curves, np.arange(14).reshape(7, 2) / 14, curves, None)
    accuracy, looks = tried.stopped(patience=2)
    assert looks.tolist() == [3, 5] and accuracy.tolist() == [2 / 14, 7 / 14]  # what is no number is no new lowest
    curves[0] = np.nan
    assert tried.stopped(patience=2)[1].tolist() == [3, 5]


def test_scores_by_hand():
    logits = np.log([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.3, 0.5, 0.2], [0.2, 0.2, 0.6]])
    found = scores([0, 1, 2, 2], logits)
    np.testing.assert_array_equal(found["confusion"], [[1, 0, 0], [0, 1, 0], [0, 1, 1]])
    assert found["accuracy"] == 0.75 and found["F1"] == pytest.approx((1 + 2 / 3 + 2 / 3) / 3)
    # class 2: .2 and .6 against .1 and .3: one of four pairs in the wrong order; the others are in order
    assert found["ROC-AUC"] == pytest.approx((1 + 1 + 0.75) / 3)
    assert scores([0, 1, 1], [[2.0, 1], [0, 1], [3, 0]])["ROC-AUC"] == 0.5


def test_what_is_tried_side_by_side_is_what_is_asked(twin):
    nets, given = twin("networks"), []

    class Spy(nets.TrainingRuns):
        def train(self, x, y, rate, **options):
            given.append((x, rate, options))
            return super().train(x, y, rate, **options)

    module = type("module", (), {"TrainingRuns": Spy})
    tasks = [small_digits(seed, units=16) for seed in range(2)]
    tried = try_out(module, tasks, [{"l2": 0.1}, {"dropout": 0.5, "max_norm": 2}, {"shift": 1, "rate": 0.01}], steps=20)
    x, rates, options = given[0]
    np.testing.assert_allclose(rates, [0.03] * 4 + [0.01] * 2)
    np.testing.assert_allclose(options["l2"], [0.1, 0.1, 0, 0, 0, 0])
    np.testing.assert_allclose(options["max_norm"], [np.inf] * 2 + [2] * 2 + [np.inf] * 2)
    assert ((options["kept"] == 0).mean(axis=(0, 2, 3)) > 0.3).tolist() == [False, False, True, True, False, False]
    known = [set(map(bytes, task.x)) for task in tasks] * 3
    assert [all(bytes(row) in own for row in x[:, k].reshape(-1, 64)) for k, own in enumerate(known)] == [True] * 4 + [
        False] * 2  # only the last ones' images are moved
    assert len(tried) == 3 and tried[0].train.shape == (2, 2) and tried[0].logits.shape == (2, 500, 10)
    for one in tried:
        right = (one.logits.argmax(axis=2) == [task.y_test for task in tasks]).mean(axis=1)
        np.testing.assert_allclose(one.test_accuracy[-1], right, atol=1e-6)
        assert (one.validation[-1] < one.validation[0]).all()


def test_digits_few_and_apart():
    task = small_digits(3, examples=40, layers=3, gain=2.0)
    assert [part.shape for part in task.weights] == [(64, 64), (64,)] * 3 + [(64, 10), (10,)]
    assert len(task.y) == 40 and len(task.y_val) == 300 and len(task.y_test) == 500
    rows = [bytes(row) for part in (task.x, task.x_val, task.x_test) for row in part]
    assert len(set(rows)) == 840
    assert np.abs(task.weights[0]).max() == pytest.approx(2 * np.sqrt(6 / 64), rel=0.01)
