"""Random seeds as arguments. Importing this seeds nothing."""

from __future__ import annotations

import random

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


def seed_everything(seed, framework):
    """Seed the global generators: Python's, NumPy's and the framework's (initial weights come from there).

    Parameters
    ----------
    seed : int
        In [0, 2**32).
    framework : "pytorch" or "keras"

    Raises
    ------
    ValueError
        For another seed or framework.
    """
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed: expected a whole number in [0, 2**32), got {seed!r}")
    if framework == "pytorch":
        import torch

        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
    elif framework == "keras":
        import keras

        keras.utils.set_random_seed(seed)  # Python's and NumPy's too
    else:
        raise ValueError(f'framework: expected "pytorch" or "keras", got {framework!r}')
