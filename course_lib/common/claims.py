"""Claims: the sentences of a notebook that a cell verifies."""

from __future__ import annotations

import numpy as np


class ClaimError(AssertionError):
    """A claim of a notebook does not hold."""


def claim(text, holds, **figures):
    """Print one fixed line with a tick if the claim holds, else raise.

    Parameters
    ----------
    text : str
        The claim, one sentence.
    holds : bool
        What the cell computed. Nothing else is taken for true, so that a claim cannot hold by accident.
    **figures
        Numbers behind it, shown only if it fails: `claim("a is below b", a < b, a=a, b=b)`.

    Raises
    ------
    ClaimError
        If `holds` is False.
    TypeError
        If `holds` is neither True nor False.
    ValueError
        If `text` is not one line of text.
    """
    if not isinstance(text, str) or not text.strip() or len(text.splitlines()) != 1:
        raise ValueError(f"claim: expected one line of text, got {text!r}")
    if not isinstance(holds, (bool, np.bool_)):
        raise TypeError(f"claim {text!r}: expected True or False, got {type(holds).__name__} {holds!r:.80}")
    if not holds:
        shown = "".join(f"\n  {name} = {value}" for name, value in figures.items())
        raise ClaimError(f"✗ {text}{shown}\n  This run's figures contradict the claim: if you changed the "
                         "cells above, that is your finding; if not, restart the kernel and run all cells.")
    print(f"✓ {text}")
