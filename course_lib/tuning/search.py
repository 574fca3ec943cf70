"""Searches for a good learning rate among whole runs, and what they cost."""

from __future__ import annotations

import numpy as np


def random_rates(rng, count, bounds):
    """Learning rates (count,) drawn between two bounds on a logarithmic scale.

    References
    ----------
    Bergstra & Bengio 2012, "Random search for hyper-parameter optimization", section 2.
    """
    low, high = bounds
    if not 0 < low <= high:
        raise ValueError(f"bounds: expected two numbers 0 < low <= high, got {bounds!r}")
    return np.exp(rng.uniform(np.log(low), np.log(high), size=count))


def random_search(curves):
    """The best of some runs by its last validation loss.

    Parameters
    ----------
    curves : array (R, T)
        Validation losses after each decision of R runs.

    Returns
    -------
    int, int
        The best run, and what the search costs, in decisions.
    """
    curves = _checked(curves)
    return int(curves[:, -1].argmin()), curves.size


def successive_halving(curves, *, rungs=(0.25, 0.5), keep=0.5):
    """The best of some runs, where the worse ones are given up on the way.

    Parameters
    ----------
    curves : array (R, T)
        Validation losses after each decision of R runs, whether a run would have got so far or not.
    rungs : increasing shares of the run, in (0, 1)
        When the worse runs are given up.
    keep : float
        The share of the runs that go on, rounded up.

    Returns
    -------
    int, int
        The best of those that came to the end, and what the search costs, in decisions.

    References
    ----------
    Jamieson & Talwalkar 2016, "Non-stochastic best arm identification and hyperparameter optimization", figure 3.
    """
    curves = _checked(curves)
    if not (all(0 < rung < 1 for rung in rungs) and list(rungs) == sorted(set(rungs)) and 0 < keep < 1):
        raise ValueError("rungs, keep: expected increasing shares in (0, 1) and a share in (0, 1), "
                         f"got {rungs} and {keep}")
    alive, time, spent = np.arange(len(curves)), 0, 0
    for rung in rungs:
        until = max(int(np.ceil(rung * curves.shape[1])), 1)
        spent, time = spent + len(alive) * (until - time), until
        best = curves[alive, until - 1].argsort(kind="stable")
        alive = alive[best[: int(np.ceil(keep * len(alive)))]]
    spent += len(alive) * (curves.shape[1] - time)
    return int(alive[curves[alive, -1].argmin()]), spent


def _checked(curves):
    curves = np.asarray(curves, float)
    if curves.ndim != 2 or not curves.size:
        raise ValueError(f"curves: expected validation losses (R, T) of one run or more, got shape {curves.shape}")
    return np.where(np.isnan(curves), np.inf, curves)
