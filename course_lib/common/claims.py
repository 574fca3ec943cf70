"""Claims: the sentences of a notebook that a cell verifies, printed with their figures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from course_lib.common.config import whole

__all__ = ["ClaimError", "Difference", "claim", "paired_difference"]


class ClaimError(AssertionError):
    """A claim of a notebook does not hold."""


def claim(text, holds, **figures):
    """Print the claim with a tick and its figures if it holds, else raise.

    `claim("a is below b", a < b, a=a, b=b)` prints `✓ a is below b (a 0.31; b 0.5)`. The tests of notebooks compare
    the text and leave out the figures, which differ between frameworks and computers.

    Parameters
    ----------
    text : str
        The claim, one sentence. It says no more than its figures do.
    holds : bool
        What the cell computed. Nothing else is taken for true, so that a claim cannot hold by accident.
    **figures
        The numbers behind it: a number, an array (up to five values are shown, of more the median and the range), a
        dict of them, a `Difference`, or text. Units belong in the name: `claim(..., points_of_accuracy=1.2)`.

    Raises
    ------
    ClaimError
        If `holds` is False; its message holds the figures as well.
    TypeError
        If `holds` is neither True nor False.
    ValueError
        If `text` is not one line of text or ends with a parenthesis, where figures stand; if a figure holds one.
    """
    if not isinstance(text, str) or not text.strip() or len(text.splitlines()) != 1:
        raise ValueError(f"claim: expected one line of text, got {text!r}")
    if text.rstrip().endswith(")"):
        raise ValueError(f"claim: expected no parenthesis at the end, where the figures stand, got {text!r}")
    if not isinstance(holds, (bool, np.bool_)):
        raise TypeError(f"claim {text!r}: expected True or False, got {type(holds).__name__} {holds!r:.80}")
    shown = "; ".join(f"{name.replace('_', ' ')} {shown_figure(value)}" for name, value in figures.items())
    if set(shown) & set("()\n"):
        raise ValueError(f"claim {text!r}: expected figures without parentheses, on one line, got {shown!r}")
    if not holds:
        raise ClaimError(f"✗ {text}" + f" ({shown})" * bool(shown) + "\n  This run's figures contradict the claim: if "
                         "you changed the cells above, that is your finding; if not, restart the kernel and run all "
                         "cells.")
    print(f"✓ {text}" + f" ({shown})" * bool(shown))


def shown_figure(value):
    """A figure of a claim as text, rounded to three digits."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {shown_figure(each)}" for name, each in value.items())
    if isinstance(value, (str, bool, Difference)):
        return str(value)
    values = np.ravel(np.asarray(value))
    if values.dtype.kind not in "iuf":
        return str(value)
    if 0 < values.size <= 5:
        return ", ".join(map(_rounded, values))
    return f"{_rounded(np.median(values))} in the middle, {_rounded(values.min())} to {_rounded(values.max())}, " \
           f"n = {values.size}" if values.size else "none"


def _rounded(number):
    whole = float(number).is_integer() or abs(number) >= 1000
    return f"{number:,.0f}" if whole and np.isfinite(number) else f"{number:.3g}"


@dataclass(frozen=True)
class Difference:
    """A mean difference of pairs, with its confidence interval; `paired_difference` makes it.

    Parameters
    ----------
    mean, low, high : float
        The mean of the differences, and the ends of its interval.
    n : int
        How many pairs.
    confidence : float
        Of the interval, for example 0.95.
    """

    mean: float
    low: float
    high: float
    n: int
    confidence: float = 0.95

    def __str__(self):
        return (f"{_rounded(self.mean)}, {100 * self.confidence:g} % interval {_rounded(self.low)} to "
                f"{_rounded(self.high)}, n = {self.n}")


def paired_difference(first, second, *, confidence=0.95, folds=None):
    """How much higher `first` is than `second`, from pairs that share a seed, a task or a fold.

    Student's interval of the mean difference: `first` is higher than `second` as far as the pairs tell if `low > 0`.

    Parameters
    ----------
    first, second : array-like, shape (n,)
        Two values for each seed, n >= 2.
    confidence : float, in (0, 1)
    folds : int, optional
        The pairs are those of a cross-validation of so many folds, perhaps repeated, whose training sets overlap: the
        variance of the mean is s^2 (1/n + 1/(folds - 1)), where independent pairs have s^2/n.

    Returns
    -------
    Difference

    Raises
    ------
    ValueError
        If the shapes differ or are not (n,) with n >= 2, or a value is not finite.

    References
    ----------
    Nadeau & Bengio 2003, "Inference for the generalization error", for random divisions; Bouckaert & Frank 2004,
    "Evaluating the replicability of significance tests for comparing learning algorithms", for repeated folds.
    """
    from scipy import stats

    first, second = np.asarray(first, float), np.asarray(second, float)
    if first.shape != second.shape or first.ndim != 1 or first.size < 2:
        raise ValueError(f"first, second: expected the same shape (n,) with n >= 2, got {first.shape} and "
                         f"{second.shape}")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError(f"first, second: expected finite numbers, got {first} and {second}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: expected a number between 0 and 1, got {confidence!r}")
    if folds is not None and not (whole(folds, 2) and first.size % folds == 0):
        raise ValueError(f"folds: expected a whole number >= 2 that divides the {first.size} pairs, got {folds!r}")
    mean, n = float(np.mean(first - second)), first.size
    variance = np.var(first - second, ddof=1) * (1 / n + (1 / (folds - 1) if folds else 0))
    reach = float(stats.t.ppf((1 + confidence) / 2, n - 1) * np.sqrt(variance))
    return Difference(mean, mean - reach, mean + reach, n, confidence)
