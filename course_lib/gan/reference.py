"""The objectives of GANs in NumPy, as short as they can be; what the exercises of notebook 04 ask for."""

from __future__ import annotations

import numpy as np

OBJECTIVES = ("minimax", "non-saturating", "hinge", "wasserstein", "relativistic")


def softplus(x):
    """log(1 + e^x), without overflow; any shape."""
    return np.logaddexp(x, 0)


def discriminator_loss(real, fake, objective="non-saturating"):
    """What the discriminator minimises, a mean over logits of real and of generated images, each (B,).

    References
    ----------
    Goodfellow et al. 2014, "Generative adversarial nets", eq. 1 (minimax and non-saturating); Lim & Ye 2017, "Geometric
    GAN", eq. 17 (hinge); Arjovsky et al. 2017, "Wasserstein GAN", eq. 3 (wasserstein); Huang et al. 2024, "The GAN is
    dead; long live the GAN! A modern GAN baseline", eq. 2 (relativistic pairing).
    """
    if objective in ("minimax", "non-saturating"):
        return float((softplus(-real) + softplus(fake)).mean())
    if objective == "hinge":
        return float((np.maximum(1 - real, 0) + np.maximum(1 + fake, 0)).mean())
    if objective == "wasserstein":
        return float((fake - real).mean())
    return float(softplus(fake - real).mean())


def generator_loss(real, fake, objective="non-saturating"):
    """What the generator minimises, a mean over logits of real and of generated images, each (B,).

    References
    ----------
    As in `discriminator_loss`; for non-saturating the text below eq. 1.
    """
    if objective == "minimax":
        return float(-softplus(fake).mean())
    if objective == "non-saturating":
        return float(softplus(-fake).mean())
    if objective in ("hinge", "wasserstein"):
        return float(-fake.mean())
    return float(softplus(real - fake).mean())


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
    Lin 1991, "Divergence measures based on the Shannon entropy", eq. 3.1; Goodfellow et al. 2014, eq. 6.
    """
    mean = (p + q) / 2
    parts = [np.where(values > 0, values * np.log(np.where(values > 0, values, 1) / np.where(mean > 0, mean, 1)), 0)
             for values in (p, q)]
    return float((parts[0] + parts[1]).sum() / 2)
