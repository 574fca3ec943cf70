"""How good predictions are."""

from __future__ import annotations

import numpy as np


def log_loss(probabilities, y):
    """Mean of -log of the right class's probability, of probabilities (..., N, C) and classes from 0 (N,): (...)."""
    y, classes = np.asarray(y), probabilities.shape[-1]
    if y.dtype.kind not in "iu" or y.shape != probabilities.shape[-2:-1] or not 0 <= y.min() <= y.max() < classes:
        raise ValueError(f"y: expected {probabilities.shape[-2]} whole numbers from 0 to {classes - 1}, "
                         f"got {y.dtype} of shape {y.shape}, {y.min()} to {y.max()}")
    return -np.log(np.maximum(probabilities[..., np.arange(len(y)), y], 1e-15)).mean(axis=-1)
