import numpy as np
import pytest

from course_lib.gan.base import History
from course_lib.gan.diagnosis import count_modes, diagnose, ring, share_in_modes


def test_ring():
    points = ring(4000, modes=4, radius=3, std=0.1, seed=1)
    angle = np.round(np.arctan2(points[:, 1], points[:, 0]) / (np.pi / 2)) % 4
    assert points.shape == (4000, 2) and points.dtype == np.float32
    assert np.bincount(angle.astype(int)) == pytest.approx(1000, abs=120)
    assert np.linalg.norm(points, axis=1).mean() == pytest.approx(3, abs=0.02)
    np.testing.assert_array_equal(points, ring(4000, modes=4, radius=3, std=0.1, seed=1))


def test_count_modes():
    points = ring(1000)
    assert count_modes(points) == 8 and count_modes(points[points[:, 0] > 0.5]) == 3
    assert count_modes(0.5 * points) == 0
    assert count_modes(np.concatenate([np.tile([[2.0, 0.0]], (995, 1)), [[-2.0, 0.0]] * 5])) == 1
    with pytest.raises(ValueError, match=r"expected shape \(N, 2\), got \(3,\)"):
        count_modes(np.zeros(3))


def test_share_in_modes():
    assert share_in_modes(ring(2000)) == pytest.approx(0.989, abs=0.01)  # of a Gaussian in the plane, 1 - e^-4.5
    assert share_in_modes([[2.0, 0.0], [0.0, 0.0], [0.0, 2.2], [1.0, 1.0]]) == 0.5
    with pytest.raises(ValueError, match=r"expected shape \(N, 2\), got \(3,\)"):
        share_in_modes(np.zeros(3))


def history(auc=0.6, precision=0.7, coverage=0.7, movement=0.2, entries=13):
    made = History(np.zeros(1), samples=[np.zeros((1, 2))] * entries)
    for i in range(entries):
        made.step.append(i)
        bad = i >= entries - 3  # only the end counts
        for name, value in (("auc", auc), ("precision", precision), ("coverage", coverage),
                            ("movement", movement)):
            getattr(made, name).append(value if bad else 0.5)
    return made


@pytest.mark.parametrize(("fields", "names"), [
    ({}, []),
    ({"auc": 0.99, "precision": 0.1, "coverage": 0.2}, ["discriminator overpowers"]),
    ({"auc": 0.99, "precision": 0.1, "coverage": 0.2, "movement": 1.0}, ["discriminator overpowers"]),
    ({"auc": 0.99, "precision": 0.9, "coverage": 0.9, "movement": 1.0}, []),
    ({"precision": 0.9, "coverage": 0.2}, ["mode collapse"]),
    ({"precision": 0.1, "coverage": 0.1, "movement": 1.0}, ["no convergence"]),
    ({"precision": 0.9, "coverage": 0.1, "movement": 1.0}, ["no convergence", "mode collapse"]),
    ({"precision": 0.4, "coverage": 0.1, "movement": 1.0}, ["no convergence"]),
    ({"movement": 1.0}, []),
])
def test_signs(fields, names):
    found = diagnose(history(**fields))
    assert [finding.name for finding in found] == names
    assert all(finding.evidence and finding.remedy for finding in found)


def test_the_evidence_gives_the_figures():
    (finding,) = diagnose(history(precision=0.9, coverage=0.2))
    assert finding.evidence == "90% of the samples lie among real examples, but they cover only 20% of those"


def test_divergence():
    made = history()
    made.samples[-1] = np.full((1, 2), np.nan)
    assert [finding.name for finding in diagnose(made)] == ["divergence"]


def test_too_short_a_history_is_refused():
    with pytest.raises(ValueError, match="expected 5 entries at least, got 4"):
        diagnose(history(entries=4))
