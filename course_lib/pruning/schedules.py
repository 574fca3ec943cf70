"""How sparsity grows over a training run."""

from __future__ import annotations


def polynomial_sparsity(step, begin, end, final, *, initial=0.0, power=3):
    """Sparsity at an update: fast at first, while there is much to spare, then ever slower.

    Parameters
    ----------
    step : int
        Updates made so far.
    begin, end : float
        Updates at which pruning begins and ends.
    final, initial : float
        Sparsity from `end` on, and up to `begin`.
    power : float
        3 is the paper's; 1 is a straight line.

    Returns
    -------
    float

    References
    ----------
    Zhu & Gupta 2017, "To prune, or not to prune", eq. 1.
    """
    if not begin < end:
        raise ValueError(f"begin, end: expected begin < end, got {begin} and {end}")
    left = 1 - min(max((step - begin) / (end - begin), 0.0), 1.0)
    return float(final + (initial - final) * left**power)
