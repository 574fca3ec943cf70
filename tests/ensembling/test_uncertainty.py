import numpy as np
import pytest
from scipy.stats import norm

from course_lib.ensembling import reference
from course_lib.ensembling.uncertainty import (
    expected_calibration_error,
    mixture,
    rotated,
    variance_of,
)


def test_gaussian_likelihood_is_that_of_scipy():
    rng = np.random.default_rng(0)
    y, mean, std = rng.normal(size=50), rng.normal(size=50), rng.uniform(0.1, 3, 50)
    assert reference.gaussian_nll(y, mean, std**2) == pytest.approx(-norm.logpdf(y, mean, std).mean())


def test_the_mixture_has_the_moments_of_its_samples():
    means, variances = np.array([[0.0], [4.0]]), np.array([[1.0], [3.0]])
    mean, variance = mixture(means, variances)
    assert (mean[0], variance[0]) == pytest.approx((2, 6))  # (1 + 3) / 2 within, (4 + 4) / 2 between
    rng = np.random.default_rng(0)
    drawn = np.concatenate([rng.normal(m[0], np.sqrt(v[0]), 200_000) for m, v in zip(means, variances)])
    assert (drawn.mean(), drawn.var()) == pytest.approx((2, 6), rel=0.02)


def test_the_variance_of_a_mixture_survives_a_large_mean():
    mean, variance = mixture(1e9 + np.array([[0.0], [4.0]]), np.array([[1.0], [3.0]]))
    assert variance == pytest.approx([6])


def test_variances_are_positive():
    found = variance_of(np.array([-1000.0, 0.0, 1000.0]))
    assert found == pytest.approx([1e-4, np.log(2) + 1e-4, 1000 + 1e-4])


def test_the_calibration_error_by_hand():
    probabilities = np.array([[0.95, 0.05], [0.85, 0.15], [0.2, 0.8], [0.6, 0.4], [1.0, 0.0]])
    y = np.array([0, 1, 1, 0, 0])
    # In the last of five bins, .95, .85, .8 and 1 with three right of four; in the one before, .6 and right.
    assert expected_calibration_error(probabilities, y, bins=5) == pytest.approx(0.8 * 0.15 + 0.2 * 0.4)
    assert expected_calibration_error(probabilities, y, bins=1) == pytest.approx(0.84 - 0.8)


def test_who_keeps_what_he_promises_is_calibrated():
    rng = np.random.default_rng(0)
    p = rng.uniform(0.5, 1, 100_000)
    y = (rng.uniform(size=p.size) > p).astype(int)
    assert expected_calibration_error(np.stack([p, 1 - p], 1), y) < 0.01
    boastful = p**0.2
    assert expected_calibration_error(np.stack([boastful, 1 - boastful], 1), y) > 0.1


def test_rotation_is_against_the_clock_and_keeps_the_shape():
    images = np.random.default_rng(0).uniform(size=(3, 8, 8)).astype(np.float32)
    assert rotated(images, 0) == pytest.approx(images)
    assert rotated(images, 90) == pytest.approx(np.rot90(images, axes=(1, 2)), abs=1e-6)
    assert rotated(images, 30).shape == (3, 8, 8) and rotated(images, 30).dtype == np.float32
