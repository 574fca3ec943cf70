"""The experiments of notebook 04 and of the benchmark, for either framework's twin."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from course_lib.gan.config import GANConfig
from course_lib.gan.quality import Judge

# A ring of Gaussians that trains in seconds.
RING = GANConfig(r1=0.1, hidden=(64, 64), latent_size=64, learning_rate=5e-3, batch_size=128, average=0.99, steps=1_500,
                 record_every=100)

# Objectives with regularisers that suit them; all else is as tuned for the one with R1.
GAMES = {
    "minimax": {"objective": "minimax", "r1": 0.0},
    "non-saturating": {"r1": 0.0},
    "hinge + spectral norm": {"objective": "hinge", "r1": 0.0, "spectral_norm": True},
    "WGAN-GP": {"objective": "wasserstein", "r1": 0.0, "gradient_penalty": 10.0, "discriminator_steps": 3},
    "non-saturating + R1": {},
    "R3GAN": {"objective": "relativistic", "r2": 1.0},
}


def affine(images, copies, *, seed=0):
    """Copies (N * copies, height, width) of images (N, height, width), each turned, scaled and shifted at random.

    By up to 15 degrees, a tenth, and a twelfth of the width.
    """
    from scipy.ndimage import affine_transform

    rng, (height, width) = np.random.default_rng(seed), images.shape[1:]
    centre, turned = np.array([height - 1, width - 1]) / 2, []
    for image in np.repeat(images, copies, axis=0):
        angle, scale = np.deg2rad(rng.uniform(-15, 15)), rng.uniform(0.9, 1.1)
        matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / scale
        shift = rng.uniform(-1, 1, 2) * width / 12
        turned.append(affine_transform(image, matrix, offset=centre - matrix @ (centre + shift), order=1))
    return np.clip(turned, 0, 1).astype(np.float32)


def augmentation(twin, data, *, labels=100, copies=10, config=None, seed=0):
    """Accuracy on the test images of a classifier that has few labels, by what is added to them.

    Parameters
    ----------
    twin : module
        `in_pytorch` or `in_keras`.
    data : Dataset
        Of images.
    labels : int
        Of the training images, as many of each class.
    copies : int
        Images added for each labelled one.
    config : GANConfig, optional
    seed : int
        Of the choice of the labelled images and of everything else.

    Returns
    -------
    dict of float
        "labels alone", "affine", "GAN", "affine + GAN", and with the rest of the training images without their labels
        "pseudo-labels" and "GAN of pseudo-labels" (in both cases beside affine). "GAN of all labels" is a leak: its
        GAN saw every label of the training set.
    """
    x, y, rest = _few_labels(data, labels, seed, "labels")
    judge = Judge(replace(data, x_train=x, y_train=y), seed=seed)
    shape, n_classes = x.shape[1:], len(data.classes)

    def generated(images, classes, of):
        gan = twin.GAN(shape, n_classes, config, seed=seed)
        gan.fit(images, classes, seed=seed)
        return gan.sample(of, seed=seed)

    def score(*added):
        parts = [(x, y), *added]
        return judge.accuracy_score(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)), seed=seed)

    more = np.repeat(y, copies)
    turned, few = (affine(x, copies, seed=seed), more), (generated(x, y, more), more)
    model = judge.train(np.concatenate([x, turned[0]]), np.concatenate([y, more]), seed)
    guesses = judge.classify(model, rest)
    return {"labels alone": score(), "affine": score(turned), "GAN": score(few), "affine + GAN": score(turned, few),
            "pseudo-labels": score(turned, (rest, guesses)),
            "GAN of pseudo-labels": score(turned, (generated(rest, guesses, more), more)),
            "GAN of all labels": score((generated(data.x_train, data.y_train, more), more))}


def leakage(twin, data, *, members, config=None, seed=0):
    """How well the discriminator tells its training images from others: the area under its ROC curve.

    Parameters
    ----------
    twin, data, config, seed
        As in `augmentation`.
    members : int
        Training images.

    Returns
    -------
    float
        1/2 if it remembers nothing, 1 if it knows each of them.

    References
    ----------
    Hayes et al. 2019, "LOGAN: membership inference attacks against generative models".
    """
    from sklearn.metrics import roc_auc_score

    x, y, _ = _few_labels(data, members, seed, "members")
    gan = twin.GAN(x.shape[1:], len(data.classes), config, seed=seed)
    gan.fit(x, y, seed=seed)
    scores = np.concatenate([gan.score(x, y), gan.score(data.x_test, data.y_test)])
    return float(roc_auc_score(np.repeat([1, 0], [len(x), len(data.x_test)]), scores))


def _few_labels(data, count, seed, name):
    """`count` training images with their classes, as many of each as can be, and the others without."""
    size, classes = len(data.y_train), len(data.classes)
    if not classes <= count <= size - classes and count != size:
        raise ValueError(f"{name}: expected a number from {classes}, one a class, to {size - classes}, or all {size}, "
                         f"got {count}")
    if count == size:
        return data.x_train, data.y_train, data.x_train[:0]
    from sklearn.model_selection import train_test_split

    chosen, others = train_test_split(np.arange(len(data.y_train)), train_size=count, random_state=seed,
                                      stratify=data.y_train)
    return data.x_train[chosen], data.y_train[chosen], data.x_train[others]
