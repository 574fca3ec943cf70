"""Random seeds as arguments. Importing this seeds nothing."""

from __future__ import annotations

import numpy as np


def spawn(seed, n):
    """Independent seeds for `n` runs, derived from one.

    Counting seeds (0, 1, 2, ...) would let two experiments share their runs. The first seeds do not depend
    on `n`.

    Parameters
    ----------
    seed : int
    n : int

    Returns
    -------
    list of int
        Each in [0, 2**32), which every framework accepts.
    """
    return [int(child.generate_state(1)[0]) for child in np.random.SeedSequence(seed).spawn(n)]
