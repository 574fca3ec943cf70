"""Metrics of generated samples: Gaussians worked by hand, clouds with known neighbours, and `prdc`."""

import numpy as np
import pytest

from course_lib.gan import reference
from course_lib.gan.metrics import frechet_distance, memorised, neighbourhoods


def exactly(mean, std, size=200, seed=0):
    """Vectors whose sample means and standard deviations are exactly these, and whose features are uncorrelated."""
    values = np.random.default_rng(seed).normal(size=(size, len(mean)))
    values -= values.mean(axis=0)
    u, _, _ = np.linalg.svd(values, full_matrices=False)
    return u * np.sqrt(size - 1) * np.array(std) + np.array(mean)


@pytest.mark.parametrize(("mean", "std", "expected"), [
    ((0, 0), (1, 1), 0),
    ((3, 4), (1, 1), 25),  # the squared distance of the means
    ((0, 0), (2, 3), 5),  # (2 - 1)^2 + (3 - 1)^2
    ((1, 0), (1, 4), 10),
])
def test_frechet_distance_of_gaussians_by_hand(mean, std, expected):
    assert frechet_distance(exactly((0, 0), (1, 1)), exactly(mean, std, seed=1)) == pytest.approx(expected, abs=1e-9)


def test_frechet_distance_is_that_of_the_matrix_square_root():
    from scipy.linalg import sqrtm

    rng = np.random.default_rng(0)
    real, fake = (rng.normal(size=(100, 5)) @ rng.normal(size=(5, 5)) + rng.normal(size=5) for _ in range(2))
    first, second = np.cov(real.T), np.cov(fake.T)
    expected = ((real.mean(0) - fake.mean(0)) ** 2).sum() + np.trace(first + second - 2 * sqrtm(first @ second).real)
    assert frechet_distance(real, fake) == pytest.approx(expected) == pytest.approx(frechet_distance(fake, real))


def test_frechet_distance_with_a_constant_feature():
    real = np.column_stack([exactly((0,), (1,)), np.zeros(200)])
    assert frechet_distance(real, real + [0, 2]) == pytest.approx(4)


def test_neighbourhoods_by_hand():
    real = np.array([[0.0], [1.0], [2.0], [10.0]])  # balls of k = 1: radii 1, 1, 1, 8
    fake = np.array([[0.5], [5.0], [30.0]])  # radii 4.5, 4.5, 25
    found = neighbourhoods(real, fake, k=1)
    assert found.precision == pytest.approx(2 / 3)  # 5.0 lies in the wide ball around 10, which precision believes
    assert found.recall == pytest.approx(1)
    assert found.density == pytest.approx((2 + 1 + 0) / 3)
    assert found.coverage == pytest.approx(3 / 4)  # the balls around 0, 1 and 10


def test_neighbourhoods_are_those_of_prdc():
    prdc = pytest.importorskip("prdc")
    rng = np.random.default_rng(0)
    for shift, scale in ((0, 1), (0.5, 0.5), (2, 1)):
        real, fake = rng.normal(size=(120, 4)), shift + scale * rng.normal(size=(90, 4))
        expected = prdc.compute_prdc(real_features=real, fake_features=fake, nearest_k=5)
        assert neighbourhoods(real, fake, k=5)._asdict() == pytest.approx(expected)


def test_each_failure_shows_in_its_own_figure():
    rng = np.random.default_rng(0)
    modes = np.array([[0, 0], [20, 0], [0, 20], [20, 20]])
    real = modes[rng.integers(0, 4, 400)] + rng.normal(size=(400, 2))
    good = modes[rng.integers(0, 4, 400)] + rng.normal(size=(400, 2))
    one_mode, far_off = rng.normal(size=(400, 2)), good + 8
    all_well, collapsed, wrong = (neighbourhoods(real, fake) for fake in (good, one_mode, far_off))
    assert all_well.precision > 0.9 and all_well.recall > 0.9 and all_well.coverage > 0.9
    assert collapsed.precision > 0.9 and collapsed.recall < 0.3 and collapsed.coverage < 0.3
    assert wrong.precision < 0.1 and wrong.coverage < 0.1 and wrong.density < 0.1


def test_copies_are_noticed():
    rng = np.random.default_rng(0)
    train, test, fresh = rng.normal(size=(3, 300, 4))
    assert memorised(train, test, train) == memorised(train, test, train[250:]) == 1
    assert memorised(train, test, train + 0.01 * rng.normal(size=train.shape)) > 0.97
    assert memorised(train, test, fresh) == pytest.approx(0.5, abs=0.05)
    assert memorised(train, test, test) == 0.5


def test_memorised_by_hand():
    train, test, fake = (np.array(values, float)[:, None] for values in ([0, 10], [1, 12, 15], [0, 9, 20]))
    assert memorised(train, test, fake) == pytest.approx((3 + 2.5 + 0) / 9)  # distances 1, 2, 5 against 0, 1, 10


def test_the_exercise_s_coverage_is_that_of_the_neighbourhoods():
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(60, 4)), rng.normal(0.3, 1.2, size=(50, 4))
    assert reference.coverage(real, fake, 3) == neighbourhoods(real, fake, k=3).coverage


@pytest.mark.parametrize(("call", "message"), [
    (lambda: frechet_distance(np.zeros((5, 2)), np.zeros((5, 3))),
     r"features: expected shape \(M, 2\), got \(5, 3\)"),
    (lambda: frechet_distance(np.zeros((3, 3)), np.zeros((9, 3))), "expected more vectors than their 3 features"),
    (lambda: frechet_distance(np.full((9, 2), np.nan), np.zeros((9, 2))), "expected finite numbers"),
    (lambda: neighbourhoods(np.zeros((5, 2)), np.zeros((9, 2)), k=5), "k: expected .* got 5 for 5 real"),
])
def test_vectors_that_do_not_fit_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
