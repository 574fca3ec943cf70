"""What can be counted by hand, in NumPy: the reward of tuning."""

from __future__ import annotations

import numpy as np


def tuning_reward(before, after, accuracy, ended, lost, bonus):
    """What decisions earn: by how much the logarithm of the validation loss has fallen, and a bonus at the end.

    Parameters
    ----------
    before, after : array (K,)
        Validation losses, > 0.
    accuracy : array (K,)
        On validation examples.
    ended, lost : bool array (K,)
        Whether a run is over; whether it has lost its numbers (then there is no bonus).
    bonus : float

    Returns
    -------
    array (K,)
        Over a run it adds up to log(first loss / last loss) + bonus * accuracy, whatever happened in between.
    """
    return np.log(before / after) + bonus * accuracy * (ended & ~lost)
