"""How good predictions are."""

from __future__ import annotations

import numpy as np

from course_lib.common import checks


def log_loss(probabilities, y):
    """Mean of -log of the right class's probability, of probabilities (..., N, C) and classes from 0 (N,): (...)."""
    probabilities = np.asarray(probabilities)
    if probabilities.ndim < 2 or probabilities.dtype.kind not in "fiu" or not probabilities.min() >= 0:
        raise ValueError("probabilities: expected numbers >= 0 (..., N, C), got "
                         f"{probabilities.dtype} of shape {probabilities.shape}, or negative, or NaN")
    y = checks.classes("y", y, *probabilities.shape[-2:])
    return -np.log(np.maximum(probabilities[..., np.arange(len(y)), y], 1e-15)).mean(axis=-1)
