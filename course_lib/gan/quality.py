"""Judging a generator of labelled images against real ones, in the features of a small classifier."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np

from course_lib.common import checks
from course_lib.gan.metrics import frechet_distance, memorised, neighbourhoods
from course_lib.networks.config import check_data


class Quality(NamedTuple):
    """What a `Judge` finds of generated images."""

    frechet: float  # Fréchet distance to the test images; smaller is better, `Judge.floor` is what real images get
    precision: float  # as in `metrics.neighbourhoods`, against the training images
    recall: float
    density: float
    coverage: float
    accuracy_score: float  # accuracy on the test images of a classifier trained on the generated ones alone
    looks_like_label: float  # accuracy on the generated images of the judge's classifier, trained on real ones
    memorised: float  # chance to be nearer to the training images than a test image is; 1/2 if distributed as these


class Triples(NamedTuple):
    """What `Judge.triples` finds of stacked digits."""

    found: int  # of the 1,000 triples of digits, how many the classifier names at least once
    found_surely: int  # ... counting only images with three digits that it is more than 90 % sure of
    sure: float  # the share of such images
    divergence: float  # Kullback-Leibler divergence, in nats, of the triples named from all equally often


def stack(images, count, rng):
    """Put three images of (N, height, width) side by side, drawn at random: an array (count, height, 3 * width)."""
    rows = rng.integers(len(images), size=(count, 3))
    return np.concatenate(list(np.moveaxis(images[rows], 1, 0)), axis=2)


class Judge:
    """A classifier trained on the real images, whose last hidden layer serves as the space to compare images in.

    It plays the part of the Inception network, which knows photographs, and needs no download.

    Parameters
    ----------
    data : Dataset
        With images or feature vectors and their classes.
    hidden : tuple of int
        Units of the hidden layers of all its classifiers (scikit-learn's `MLPClassifier`).
    updates : int
        Of each classifier at most, however few its images are.
    seed : int

    References
    ----------
    Heusel et al. 2017 (Fréchet distance in a network's features); Ravuri & Vinyals 2019, "Classification accuracy score
    for conditional generative models".
    """

    def __init__(self, data, *, hidden=(128, 64), updates=600, seed=0):
        if data.task != "classification":
            raise ValueError(f"data: expected a data set for classification, got {data.name}, for {data.task}")
        self.data, self.hidden, self.updates = data, hidden, updates
        self.classifier = self.train(data.x_train, data.y_train, seed)
        self._train, self._test = self.features(data.x_train), self.features(data.x_test)

    def features(self, x):
        """What the last hidden layer makes of images x (N, ...): an array (N, units)."""
        values = _inputs(x)
        for kernel, bias in zip(self.classifier.coefs_[:-1], self.classifier.intercepts_[:-1], strict=True):
            values = np.maximum(values @ kernel + bias, 0)
        return values

    def frechet(self, x):
        """Fréchet distance of the features of images x (N, ...) to those of the test images."""
        return frechet_distance(self._test, self.features(x))

    @property
    def floor(self):
        """The Fréchet distance of the training images to the test images: what as many real images get."""
        return frechet_distance(self._test, self._train)

    def accuracy_score(self, x, y, *, seed=0):
        """Accuracy on the test images of a classifier trained on images x (N, ...) of classes y (N,) alone."""
        return self._accuracy(self.train(x, y, seed), self.data.x_test, self.data.y_test)

    def quality(self, x, y, *, seed=0):
        """Measure generated images.

        Parameters
        ----------
        x : array (M, ...)
            Generated images; as many as there are training images make all figures comparable.
        y : integer array (M,)
            The classes they should be of.
        seed : int
            Of the classifier that is trained on them.

        Returns
        -------
        Quality

        Raises
        ------
        ValueError
            If the images are too few, of another shape than the real ones, or not in [0, 1].
        """
        x, y = check_data(x, y, len(self.data.classes))
        real = self.data.x_train
        if x.shape[1:] != real.shape[1:] or len(x) < self.hidden[-1]:
            raise ValueError(f"x: expected at least {self.hidden[-1]} images of shape {real.shape[1:]}, as many as the "
                             f"judge has features, got shape {x.shape}")
        if real.ndim == 3 and not (x.min() >= 0 and x.max() <= 1):
            raise ValueError(f"x: expected images in [0, 1], got values from {x.min()} to {x.max()}")
        features = self.features(x)
        found = neighbourhoods(self._train, features)
        return Quality(frechet_distance(self._test, features), *found, self.accuracy_score(x, y, seed=seed),
                       self._accuracy(self.classifier, x, y),
                       memorised(self._train, self._test, features))

    def triples(self, x):
        """Count which of the 1,000 triples of digits there are among images x (M, height, 3 * width), as by `stack`.

        References
        ----------
        Metz et al. 2017, "Unrolled generative adversarial networks", section 3.3, where the three are colour channels.
        """
        if self.data.x_train.ndim != 3 or len(self.data.classes) != 10:
            raise ValueError(f"triples: expected a judge of images of ten classes, got {self.data.name}")
        height, width = self.data.x_train.shape[1:]
        x = checks.array("x", x, ("M", height, 3 * width))
        three = np.stack(np.split(x, 3, axis=2), axis=1)  # (M, 3, height, width)
        odds = self.classifier.predict_proba(_inputs(three.reshape(-1, *three.shape[2:]))).reshape(len(x), 3, -1)
        named, sure = odds.argmax(axis=2) @ [100, 10, 1], (odds.max(axis=2) > 0.9).all(axis=1)
        shares = np.bincount(named, minlength=1_000) / len(x)
        seen = shares[shares > 0]
        return Triples(len(seen), len(np.unique(named[sure])), float(sure.mean()),
                       float(seen @ np.log(1_000 * seen)))

    def train(self, x, y, seed):
        """A classifier like the judge's own, trained on images x (N, ...) of classes y (N,)."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPClassifier

        batch = min(200, len(x))
        epochs = -(-self.updates // -(-len(x) // batch))
        model = MLPClassifier(self.hidden, batch_size=batch, max_iter=epochs, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a fixed number of updates is what we want
            return model.fit(_inputs(x), y)

    @staticmethod
    def classify(model, x):
        """The classes (N,) that a classifier from `train` gives images x (N, ...)."""
        return model.predict(_inputs(x))

    def _accuracy(self, model, x, y):
        return float((self.classify(model, x) == y).mean())


def _inputs(x):
    return 2 * np.reshape(x, (len(x), -1)) - 1  # from [0, 1] to [-1, 1], where a network learns better
