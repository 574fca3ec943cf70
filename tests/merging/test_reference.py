"""The formulas of merging, worked by hand."""

import numpy as np
import pytest

from course_lib.merging import reference


def test_distillation_loss_by_hand():
    student, teacher, y = np.log([[1.0, 1.0]]), np.log([[9.0, 1.0]]), np.array([0])
    assert reference.distillation_loss(student, teacher, y, temperature=1, share=0) == pytest.approx(np.log(2))
    divergence = 0.9 * np.log(1.8) + 0.1 * np.log(0.2)
    assert reference.distillation_loss(student, teacher, y, temperature=1, share=1) == pytest.approx(divergence)
    softer = 0.75 * np.log(1.5) + 0.25 * np.log(0.5)  # at temperature 2 the odds 9 become 3
    assert reference.distillation_loss(student, teacher, y, temperature=2, share=1) == pytest.approx(4 * softer)
    assert reference.distillation_loss(teacher, teacher, y, share=1) == pytest.approx(0, abs=1e-12)


def test_matching_order_undoes_a_shuffle():
    rng = np.random.default_rng(1)
    kernel, bias, order = rng.normal(size=(4, 6)), rng.normal(size=6), rng.permutation(6)
    found = reference.matching_order(kernel[:, order], bias[order], kernel, bias)
    assert order[found].tolist() == list(range(6))


def test_barrier_by_hand():
    assert reference.barrier(np.array([1, 3, 2])) == pytest.approx(1.5) and reference.barrier(np.array([2, 1, 2])) == 0
    assert reference.barrier(np.array([0, 3, 2, 6])) == pytest.approx(1)  # above a slope
    assert reference.barrier(np.array([0, 2, 4])) == 0
