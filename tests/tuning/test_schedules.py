"""Schedules against PyTorch's own, and searches by hand."""

import numpy as np
import pytest

from course_lib.tuning.schedules import SCHEDULES, constant, cosine, one_cycle, step_decay
from course_lib.tuning.search import random_rates, random_search, successive_halving


@pytest.mark.parametrize("steps", [5, 20, 33])
def test_they_are_what_pytorch_has(steps):
    torch = pytest.importorskip("torch")
    make = torch.optim.lr_scheduler

    def by_pytorch(scheduler):
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        scheduler, rates = scheduler(optimizer), []
        for _ in range(steps):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        return rates

    np.testing.assert_allclose(cosine(steps), by_pytorch(lambda o: make.CosineAnnealingLR(o, steps)), atol=1e-9)
    np.testing.assert_allclose(step_decay(steps, drops=4, factor=0.5), by_pytorch(
        lambda o: make.MultiStepLR(o, [-(-k * steps // 5) for k in range(1, 5)], gamma=0.5)), atol=1e-9)
    np.testing.assert_allclose(one_cycle(steps)[:-1], by_pytorch(
        lambda o: make.OneCycleLR(o, max_lr=1.0, total_steps=steps, cycle_momentum=False))[:-1], atol=1e-9)
    assert (constant(steps) == 1).all()


def test_shares_of_a_peak():
    for name, schedule in SCHEDULES.items():
        assert schedule(40).shape == (40,) and schedule(40).max() <= 1 and (schedule(1) > 0).all(), name
        with pytest.raises(ValueError, match="steps: expected a whole number >= 1, got 0"):
            schedule(0)
    np.testing.assert_allclose(step_decay(6), [1, 1, 0.1, 0.1, 0.01, 0.01])


CURVES = [[9, 5, 4, 4], [8, 6, 6, 1], [7, 7, 2, 3], [6, 8, 7, 5], [5, 9, 9, 9]]


def test_halving_by_hand():
    assert random_search(CURVES) == (1, 20)
    # after one decision runs 4, 3, 2 are the best three, after two decisions 2 and 3 of them
    assert successive_halving(CURVES) == (2, 5 + 3 + 2 * 2)
    assert successive_halving(CURVES, rungs=(0.5,)) == (1, 10 + 3 * 2)
    assert successive_halving(CURVES, rungs=(), keep=0.5) == random_search(CURVES)
    assert random_search([[1, np.nan], [2, 3]]) == (1, 4)


def test_rates_are_drawn_on_a_logarithmic_scale():
    rates = random_rates(np.random.default_rng(0), 4_000, (1e-3, 1e-1))
    assert 1e-3 <= rates.min() < 1.05e-3 and 0.95e-1 < rates.max() <= 1e-1
    assert (rates < 1e-2).mean() == pytest.approx(0.5, abs=0.03)


def test_what_is_no_search():
    for curves in ([], [1, 2], np.zeros((0, 3))):
        for search in (random_search, successive_halving):
            with pytest.raises(ValueError, match="curves: expected validation losses"):
                search(curves)
    for options in ({"rungs": (0.5, 0.2)}, {"rungs": (1,)}, {"keep": 1}):
        with pytest.raises(ValueError, match="rungs, keep: expected"):
            successive_halving(CURVES, **options)
    with pytest.raises(ValueError, match="bounds: expected two numbers"):
        random_rates(np.random.default_rng(0), 3, (0, 1))
