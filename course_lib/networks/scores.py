"""How good predictions are."""

from __future__ import annotations

import numpy as np

from course_lib.common import checks


def log_loss(probabilities, y):
    """Mean of -log of the right class's probability, of probabilities (..., N, C) and classes from 0 (N,): (...)."""
    probabilities = checks.array("probabilities", probabilities, ("N", "C", ...), low=0)
    y = checks.classes("y", y, *probabilities.shape[-2:])
    return -np.log(np.maximum(probabilities[..., np.arange(len(y)), y], 1e-15)).mean(axis=-1)
