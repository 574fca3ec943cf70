"""Exploration schedules."""


def linear_epsilon(step, start, end, decay_steps):
    """Chance of a random action at a step: a straight line from `start` to `end`, then flat.

    Parameters
    ----------
    step : int
        Environment steps since exploration began to fall; values below 0 count as 0.
    start, end : float
        Epsilon at step 0 and from step `decay_steps` on.
    decay_steps : int
        Length of the line in steps; 0 jumps to `end` at once.

    Returns
    -------
    float

    References
    ----------
    Mnih et al. 2015, "Human-level control through deep reinforcement learning", Methods.
    """
    if decay_steps <= 0:
        return float(end)
    share = min(max(step / decay_steps, 0.0), 1.0)
    return float(start + share * (end - start))
