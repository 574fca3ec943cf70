import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from course_lib.gan.reference import (
    OBJECTIVES,
    discriminator_loss,
    generator_loss,
    jensen_shannon,
    optimal_discriminator,
    zero_centred_penalty,
)

LOG2 = np.log(2)


@pytest.mark.parametrize(("objective", "discriminator", "generator"), [
    ("minimax", 2 * LOG2, -LOG2),
    ("non-saturating", 2 * LOG2, LOG2),
    ("hinge", 2, 0),
    ("wasserstein", 0, 0),
    ("relativistic", LOG2, LOG2),
])
def test_losses_of_a_discriminator_that_knows_nothing(objective, discriminator, generator):
    nothing = np.zeros(4)
    assert discriminator_loss(nothing, nothing, objective) == pytest.approx(discriminator)
    assert generator_loss(nothing, nothing, objective) == pytest.approx(generator)


def test_penalty_by_hand():
    assert zero_centred_penalty(np.array([[3.0, 4.0], [0.0, 1.0]])) == (25 + 1) / 2 / 2


def test_losses_by_hand():
    real, fake = np.array([2.0, -1.0]), np.array([0.5, -3.0])
    assert discriminator_loss(real, fake, "hinge") == pytest.approx(((0 + 1.5) + (2 + 0)) / 2)
    assert discriminator_loss(real, fake, "wasserstein") == pytest.approx((-1.5 - 2) / 2)
    assert generator_loss(real, fake, "hinge") == pytest.approx(1.25)
    assert discriminator_loss(real, fake, "relativistic") == pytest.approx(np.log1p(np.exp([-1.5, -2])).mean())
    assert generator_loss(real, fake, "relativistic") == pytest.approx(np.log1p(np.exp([1.5, 2])).mean())


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_losses_fall_the_right_way_and_do_not_overflow(objective):
    real, fake = np.zeros(3), np.zeros(3)
    assert discriminator_loss(real + 0.1, fake, objective) < discriminator_loss(real, fake, objective)
    assert discriminator_loss(real, fake - 0.1, objective) < discriminator_loss(real, fake, objective)
    assert generator_loss(real, fake + 0.1, objective) < generator_loss(real, fake, objective)
    assert np.isfinite([discriminator_loss(real - 1e4, fake + 1e4, objective),
                        generator_loss(real + 1e4, fake - 1e4, objective)]).all()


def test_where_the_discriminator_wins_only_the_minimax_generator_learns_nothing():
    real, fake, step = np.full(1, 10.0), np.full(1, -10.0), 1e-3
    slope = {objective: (generator_loss(real, fake + step, objective) - generator_loss(real, fake, objective)) / step
             for objective in OBJECTIVES}
    assert abs(slope["minimax"]) < 1e-4 and all(slope[name] < -0.9 for name in OBJECTIVES if name != "minimax")


def test_at_the_optimum_the_minimax_value_is_the_jensen_shannon_divergence():
    p, q = np.array([0.1, 0.4, 0.5, 0.0]), np.array([0.3, 0.3, 0.1, 0.3])
    d = optimal_discriminator(p, q)
    value = (p[:3] * np.log(d[:3])).sum() + (q * np.log1p(-d)).sum()
    assert value == pytest.approx(2 * jensen_shannon(p, q) - np.log(4))
    assert jensen_shannon(p, q) == pytest.approx(jensenshannon(p, q) ** 2)
    assert jensen_shannon(p, p) == 0 and jensen_shannon(np.array([1.0, 0]), np.array([0, 1.0])) == pytest.approx(LOG2)
    better = optimal_discriminator(np.array([3.0]), np.array([1.0]))
    assert better == pytest.approx([0.75])
