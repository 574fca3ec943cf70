"""How good generated samples are: distances between two clouds of feature vectors, real and generated."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors

from course_lib.common import checks
from course_lib.common.config import whole
from course_lib.gan import reference


def frechet_distance(real, fake):
    """Distance between the Gaussians of the same means and covariances as two sets of feature vectors.

    Parameters
    ----------
    real, fake : arrays (N, D), (M, D)
        More vectors than features each.

    Returns
    -------
    float
        Squared, in squared units of the features; 0 for equal means and covariances.

    Raises
    ------
    ValueError
        If the shapes do not fit, or there are not more vectors than features.

    References
    ----------
    Dowson & Landau 1982, "The Fréchet distance between multivariate normal distributions"; Heusel et al. 2017, "GANs
    trained by a two time-scale update rule converge to a local Nash equilibrium", eq. 6.
    """
    real, fake = _features(real, fake)
    if min(len(real), len(fake)) <= real.shape[1]:
        raise ValueError(f"features: expected more vectors than their {real.shape[1]} features, "
                         f"got {len(real)} real and {len(fake)} generated")
    return max(reference.frechet_distance(real, fake), 0.0)  # rounding can lead below 0


class Neighbourhoods(NamedTuple):
    """How two clouds of points lie in each other, all by balls that reach to a point's k-th nearest neighbour."""

    precision: float  # share of generated points inside a ball around a real one: are they realistic?
    recall: float  # share of real points inside a ball around a generated one: is all there?
    density: float  # real balls around a generated point, over k: as precision, but outliers count little; may pass 1
    coverage: float  # share of real balls that hold a generated point


def neighbourhoods(real, fake, *, k=5):
    """Precision, recall, density and coverage of generated feature vectors.

    Parameters
    ----------
    real, fake : arrays (N, D), (M, D)
    k : int
        The neighbour that a ball reaches to, the point itself not counted.

    Returns
    -------
    Neighbourhoods

    Raises
    ------
    ValueError
        If the shapes do not fit, or there are not more than k vectors of each kind.

    References
    ----------
    Kynkäänniemi et al. 2019, "Improved precision and recall metric for assessing generative models", eq. 1 and 2; Naeem
    et al. 2020, "Reliable fidelity and diversity metrics for generative models", eq. 4 and 5.
    """
    real, fake = _features(real, fake)
    if not whole(k, 1) or k >= min(len(real), len(fake)):
        raise ValueError(f"k: expected a whole number from 1 to below the number of vectors, got {k} "
                         f"for {len(real)} real and {len(fake)} generated ones")
    real_radius, fake_radius = (_neighbour(values, values, k + 1) for values in (real, fake))
    distance = cdist(real, fake)  # (N, M)
    in_real = distance < real_radius[:, None]
    return Neighbourhoods(float(in_real.any(axis=0).mean()), float((distance < fake_radius).any(axis=1).mean()),
                          float(in_real.sum(axis=0).mean() / k), float((distance.min(axis=1) < real_radius).mean()))


def memorised(train, test, fake):
    """Chance that a generated vector lies nearer to the training vectors than a test vector does.

    Parameters
    ----------
    train, test, fake : arrays (N, D), (K, D), (M, D)
        Each generated vector's distance to its nearest training vector is compared with that of each test vector.

    Returns
    -------
    float
        1 for copies of training vectors; 1/2 for vectors distributed as the test vectors. More than that also for such
        as crowd where training vectors are dense, less for such as lie farther off. A tie counts one half.

    References
    ----------
    Meehan et al. 2020, "A non-parametric test to detect data-copying in generative models", section 4 (without its
    division of the space into cells).
    """
    train, fake = _features(train, fake)
    test, _ = _features(test, fake)
    ours, theirs = (_neighbour(train, values, 1) for values in (fake, test))
    below, upto = (np.searchsorted(np.sort(theirs), ours, side=side) for side in ("left", "right"))
    return float(1 - (below + upto).mean() / (2 * len(theirs)))


def _features(real, fake):
    real = checks.array("features", real, ("N", "D")).astype(np.float64)
    return real, checks.array("features", fake, ("M", real.shape[1])).astype(np.float64)


def _neighbour(points, at, k):
    """Distance from each place of `at` to the k-th nearest of `points`; a point is its own nearest."""
    return NearestNeighbors(n_neighbors=k).fit(points).kneighbors(at)[0][:, -1]


