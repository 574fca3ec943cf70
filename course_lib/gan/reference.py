"""The objectives of GANs in NumPy, as short as they can be; what the exercises of notebook 04 ask for."""

from __future__ import annotations

import numpy as np

OBJECTIVES = ("minimax", "non-saturating", "hinge", "wasserstein", "relativistic")


def discriminator_loss(real, fake, objective="non-saturating"):
    """What the discriminator minimises, a mean over logits of real and of generated images, each (B,).

    References
    ----------
    Goodfellow et al. 2014, "Generative adversarial nets", eq. 1 (minimax and non-saturating); Lim & Ye 2017, "Geometric
    GAN" (hinge); Arjovsky et al. 2017, "Wasserstein GAN", eq. 3 (wasserstein); Huang et al. 2024, "The GAN is
    dead; long live the GAN! A modern GAN baseline", eq. 2 (relativistic pairing).
    """
    if objective in ("minimax", "non-saturating"):
        return float((np.logaddexp(0, -real) + np.logaddexp(0, fake)).mean())
    if objective == "hinge":
        return float((np.maximum(1 - real, 0) + np.maximum(1 + fake, 0)).mean())
    if objective == "wasserstein":
        return float((fake - real).mean())
    return float(np.logaddexp(0, fake - real).mean())


def generator_loss(real, fake, objective="non-saturating"):
    """What the generator minimises, a mean over logits of real and of generated images, each (B,).

    References
    ----------
    As in `discriminator_loss`; for non-saturating the text below eq. 1.
    """
    if objective == "minimax":
        return float(-np.logaddexp(0, fake).mean())
    if objective == "non-saturating":
        return float(np.logaddexp(0, -fake).mean())
    if objective in ("hinge", "wasserstein"):
        return float(-fake.mean())
    return float(np.logaddexp(0, real - fake).mean())


def optimal_discriminator(p_real, p_fake):
    """The probability "real" that the best discriminator gives where the densities are these, any shape.

    References
    ----------
    Goodfellow et al. 2014, "Generative adversarial nets", proposition 1.
    """
    return p_real / (p_real + p_fake)


def jensen_shannon(p, q):
    """Jensen-Shannon divergence, in nats, of two discrete distributions (K,).

    References
    ----------
    Lin 1991, "Divergence measures based on the Shannon entropy"; Goodfellow et al. 2014, eq. 6.
    """
    mean = (p + q) / 2
    parts = [np.where(values > 0, values * np.log(np.where(values > 0, values, 1) / np.where(mean > 0, mean, 1)), 0)
             for values in (p, q)]
    return float((parts[0] + parts[1]).sum() / 2)


def zero_centred_penalty(gradient):
    """Half the mean squared norm of the gradients (B, ...), one for each image.

    References
    ----------
    Mescheder et al. 2018, "Which training methods for GANs do actually converge?", eq. 9.
    """
    return float((gradient.reshape(len(gradient), -1) ** 2).sum(axis=1).mean() / 2)


def frechet_distance(real, fake):
    """Fréchet distance of the Gaussians fitted to features (N, D) and (M, D); see `metrics.frechet_distance`.

    References
    ----------
    Heusel et al. 2017, "GANs trained by a two time-scale update rule converge to a local Nash equilibrium", eq. 6.
    """
    difference = real.mean(axis=0) - fake.mean(axis=0)
    first, second = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    values = np.linalg.eigvals(first @ second).real  # the trace of its square root is the sum of their roots
    return float(difference @ difference + np.trace(first + second) - 2 * np.sqrt(np.maximum(values, 0)).sum())


def coverage(real, fake, k):
    """Share of real points (N, D) with a generated one (M, D) nearer than their k-th nearest real neighbour.

    `metrics.neighbourhoods` takes less memory, and three more figures from the same distances.

    References
    ----------
    Naeem et al. 2020, "Reliable fidelity and diversity metrics for generative models", eq. 5.
    """
    among = np.linalg.norm(real[:, None] - real, axis=2)  # (N, N); the nearest of each is itself
    radius = np.sort(among, axis=1)[:, k]
    nearest = np.linalg.norm(real[:, None] - fake, axis=2).min(axis=1)
    return float((nearest < radius).mean())
