"""How sure a model is, and whether it is right to be: likelihoods, calibration, mixtures of Gaussians."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import rotate

from course_lib.common import checks
from course_lib.common.config import whole

VARIANCE_FLOOR = 1e-4  # of targets whose variance is 1


def variance_of(raw):
    """The variance that a network's second output stands for: softplus, above a floor; any shape.

    References
    ----------
    Lakshminarayanan et al. 2017, "Simple and scalable predictive uncertainty estimation using deep ensembles", section
    2.2.1 (there the floor is 1e-6).
    """
    return np.logaddexp(raw, 0) + VARIANCE_FLOOR


def mixture(means, variances):
    """Mean and variance (N,) of an equal mixture of M Gaussians, of their means and variances (M, N).

    References
    ----------
    Lakshminarayanan et al. 2017, section 2.4.
    """
    return means.mean(axis=0), variances.mean(axis=0) + means.var(axis=0)


def expected_calibration_error(probabilities, y, *, bins=10):
    """How far confidence and accuracy are apart on average, of probabilities (N, C) and classes (N,).

    The confidence is the probability of the predicted class; examples are compared within bins of it, of equal width.

    References
    ----------
    Guo et al. 2017, "On calibration of modern neural networks", eq. 3.
    """
    probabilities = checks.probabilities("probabilities", probabilities, ("N", "C"))
    y = checks.classes("y", y, *probabilities.shape)
    if not whole(bins, 1):
        raise ValueError(f"bins: expected a whole number >= 1, got {bins!r}")
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == y
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    return float(np.abs(np.bincount(place, weights=confidence - right)).sum() / len(y))  # share of a bin times its gap


def rotated(images, degrees):
    """Images (N, height, width), turned about their middles against the clock; what was outside is 0."""
    images = checks.array("images", images, ("N", "height", "width"))
    return rotate(images, checks.number("degrees", degrees), axes=(1, 2), reshape=False, order=1).astype(images.dtype)
