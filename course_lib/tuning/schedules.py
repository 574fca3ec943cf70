"""What is usually done: learning rates that are settled before the run, as shares of a peak."""

from __future__ import annotations

import numpy as np

from course_lib.common.config import whole


def constant(steps):
    """Always the peak, (steps,)."""
    return np.ones(_checked(steps))


def step_decay(steps, *, drops=2, factor=0.1):
    """The peak, multiplied by `factor` after each of `drops` + 1 equal parts of the run, (steps,).

    References
    ----------
    As in He et al. 2016, "Deep residual learning for image recognition", section 3.4.
    """
    return factor ** (np.arange(_checked(steps)) * (drops + 1) // steps).astype(float)


def cosine(steps):
    """From the peak down to almost 0 along half a cosine, (steps,).

    References
    ----------
    Loshchilov & Hutter 2017, "SGDR: Stochastic gradient descent with warm restarts", eq. 5.
    """
    return 0.5 * (1 + np.cos(np.pi * np.arange(_checked(steps)) / steps))


def one_cycle(steps, *, warmup=0.3, first=1 / 25, last=1e-4 / 25):
    """Up from a share `first` to the peak in a share `warmup` of the run, then down to `last`, (steps,).

    References
    ----------
    Smith & Topin 2018, "Super-convergence"; both ways along half a cosine, as PyTorch's `OneCycleLR` does.
    """
    step, top = np.arange(_checked(steps)), warmup * steps - 1
    up = np.clip(step / max(top, 1e-9), 0, 1)
    down = np.clip((step - top) / max(steps - 1 - top, 1e-9), 0, 1)
    rising = first + (1 - first) * (1 - np.cos(np.pi * up)) / 2
    return np.where(step <= top, rising, last + (1 - last) * (1 + np.cos(np.pi * down)) / 2)


SCHEDULES = {"constant": constant, "step": step_decay, "cosine": cosine, "one-cycle": one_cycle}


def _checked(steps):
    if not whole(steps, 1):
        raise ValueError(f"steps: expected a whole number >= 1, got {steps!r}")
    return steps
