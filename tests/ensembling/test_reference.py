import numpy as np
import pytest

from course_lib.ensembling import reference


def test_the_ambiguity_decomposition_is_exact():
    rng = np.random.default_rng(0)
    for _ in range(20):
        predictions, y, weights = rng.normal(size=(5, 30)), 3 * rng.normal(size=30), rng.dirichlet(np.ones(5))
        members, found = weights @ ((predictions - y) ** 2).mean(axis=1), reference.ambiguity(predictions, weights)
        assert ((weights @ predictions - y) ** 2).mean() == pytest.approx(members - found, abs=1e-12)
        assert found > 0.1


def test_ambiguity_by_hand():
    # The mean of both is 2, and each is 1 away from it.
    assert reference.ambiguity(np.array([[1.0], [3.0]]), np.array([0.5, 0.5])) == pytest.approx(1)
