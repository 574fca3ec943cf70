"""Attacks on networks: what may be attacked, and how well confidence tells whose data they were trained on."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import roc_auc_score

from course_lib.common import checks
from course_lib.common.config import whole
from course_lib.networks.config import as_inputs


def check_attack(logits, x, y, attacked, step):
    """The inputs (a list), classes, and which inputs are attacked (None: all); a ValueError if they do not fit."""
    moved = as_inputs(x)
    inputs = len(moved)
    if attacked is not None and not all(whole(m, 0) and m < inputs for m in attacked):
        raise ValueError(f"attacked: expected None or numbers of inputs, 0 to {inputs - 1}, got {attacked}")
    checks.number("step", step, low=0)
    return moved, checks.classes("y", y, *logits.shape), range(inputs) if attacked is None else attacked


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
    probabilities = checks.probabilities("probabilities", probabilities, ("N", "C"))
    others = checks.probabilities("others", others, ("K", probabilities.shape[1]))
    y, y_others = checks.classes("y", y, *probabilities.shape), checks.classes("y_others", y_others, *others.shape)
    sure = np.concatenate([probabilities[np.arange(len(y)), y], others[np.arange(len(y_others)), y_others]])
    return float(roc_auc_score(np.repeat([1, 0], [len(y), len(y_others)]), sure))
