"""Attacks on networks: what may be attacked, and how well confidence tells whose data they were trained on."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import roc_auc_score

from course_lib.common.config import whole


def check_attack(parts, y, attacked):
    """Which inputs are attacked: these, or all if it is None; a ValueError if there are no such ones."""
    inputs, y = len(parts), np.asarray(y)
    if attacked is not None and not all(whole(m, 0) and m < inputs for m in attacked):
        raise ValueError(f"attacked: expected None or numbers of inputs, 0 to {inputs - 1}, got {attacked}")
    if y.ndim != 1 or y.dtype.kind not in "iu" or not len(y) or {len(part) for part in parts} != {len(y)}:
        raise ValueError("x, y: expected arrays (N, ...) and classes (N,), N > 0, got shapes "
                         f"{[part.shape for part in parts]} and {y.dtype} of shape {y.shape}")
    return range(inputs) if attacked is None else attacked


def membership(probabilities, y, others, y_others):
    """How well confidence in the true class tells training examples from others: the area under the ROC curve.

    Parameters
    ----------
    probabilities, others : array (N, C) and (K, C)
        Of training examples, and of examples that the network has not seen.
    y, y_others : integer array (N,) and (K,)

    Returns
    -------
    float
        1/2 if they cannot be told apart, 1 if always.

    References
    ----------
    Yeom et al. 2018, "Privacy risk in machine learning: analyzing the connection to overfitting", section 3.
    """
    for said, classes in ((probabilities, y), (others, y_others)):
        if np.ndim(said) != 2 or np.shape(classes) != np.shape(said)[:1] or not np.isfinite(said).all():
            raise ValueError("expected finite probabilities (N, C) with classes (N,), and others (K, C) with classes "
                             f"(K,), got {np.shape(said)} and {np.shape(classes)}")
    sure = np.concatenate([probabilities[np.arange(len(y)), y], others[np.arange(len(y_others)), y_others]])
    return float(roc_auc_score(np.repeat([1, 0], [len(y), len(y_others)]), sure))
