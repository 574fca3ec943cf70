"""How sparsity grows over a training run."""

from __future__ import annotations

import math

from course_lib.pruning.scores import magnitude_mask


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


def gradual(config, get_kernels, apply_masks):
    """The twins' `gradual_pruning`; the two functions are theirs."""
    start = 0.0  # what is pruned already

    def callback(model, step, updates):
        nonlocal start
        begin, end = math.ceil(config.begin * updates), math.ceil(config.end * updates)
        if step == 0:
            kernels = get_kernels(model)
            start = sum(int((kernel == 0).sum()) for kernel in kernels) / sum(kernel.size for kernel in kernels)
        if step in (0, end) or (begin <= step < end and (step - begin) % config.prune_every == 0):
            now = polynomial_sparsity(step, begin, max(end, begin + 1), config.sparsity, initial=start)
            apply_masks(model, magnitude_mask(get_kernels(model), now, scope=config.scope))

    return callback
