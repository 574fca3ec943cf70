"""What goes wrong when two networks play: a ring of Gaussians to watch it on, and signs of it in the history."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.common import checks


def ring(n, *, modes=8, radius=2.0, std=0.1, seed=0):
    """Points (n, 2), float32, from a mixture of Gaussians whose means stand evenly on a circle."""
    rng = np.random.default_rng(checks.seed(seed))
    return (_centres(modes, radius)[rng.integers(modes, size=n)] + std * rng.normal(size=(n, 2))).astype(np.float32)


def count_modes(points, *, modes=8, radius=2.0, std=0.1, least=0.01):
    """How many Gaussians of the ring have at least a share `least` of points (N, 2) within 3 standard deviations."""
    return int(((_distances(points, modes, radius) <= 3 * std).mean(axis=0) >= least).sum())


def share_in_modes(points, *, modes=8, radius=2.0, std=0.1):
    """The share of points (N, 2) within 3 standard deviations of one of the Gaussians' means."""
    return float((_distances(points, modes, radius).min(axis=1) <= 3 * std).mean())


class Finding(NamedTuple):
    """Something that is wrong with a GAN."""

    name: str  # "divergence", "discriminator overpowers", "mode collapse" or "no convergence"
    evidence: str  # the figures that show it
    remedy: str  # what to try first


def diagnose(history):
    """Look for the common failures in the last quarter of a history.

    Parameters
    ----------
    history : History
        With four entries at least after the first.

    Returns
    -------
    list of Finding
        Empty if there is no sign of trouble, which does not prove that there is none.
    """
    if not np.isfinite(history.samples[-1]).all():
        return [Finding("divergence", f"after step {history.step[-1]:,.0f} samples are infinite or not numbers",
                        "a smaller learning rate")]
    if len(history.step) < 5:
        raise ValueError(f"history: expected 5 entries at least, got {len(history.step)}; lower record_every")
    last = max(2, len(history.step) // 4)
    auc, precision, coverage, movement = (float(np.median(getattr(history, name)[-last:]))
                                          for name in ("auc", "precision", "coverage", "movement"))
    found = []
    if precision < 0.3 and auc > 0.95:
        found.append(Finding("discriminator overpowers", f"it tells real from generated in {auc:.0%} of pairs, and "
                             f"only {precision:.0%} of the samples lie among real examples", "a penalty on its "
                             "gradient (r1), fewer of its steps, or the non-saturating loss for the generator"))
    elif coverage < 0.3 and movement > 0.5:
        found.append(Finding("no convergence", f"between two entries a sample moves by {movement:.1f} times the "
                             f"spread of the data, and only {coverage:.0%} of the real examples are covered",
                             "a penalty (r1), a smaller learning rate, beta_1 of 0.5 or 0"))
    if precision > 0.5 and coverage < precision / 2:
        found.append(Finding("mode collapse", f"{precision:.0%} of the samples lie among real examples, but they "
                             f"cover only {coverage:.0%} of those", "a penalty on the discriminator's gradient (r1), "
                             "or a relativistic objective"))
    return found


def _centres(modes, radius):
    angle = 2 * np.pi * np.arange(modes) / modes
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)  # (modes, 2)


def _distances(points, modes, radius):
    points = checks.array("points", points, ("N", 2), finite=False)
    return np.linalg.norm(points[:, None] - _centres(modes, radius), axis=2)  # (N, modes)
