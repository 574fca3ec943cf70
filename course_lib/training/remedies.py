"""The usual remedies against networks that learn by heart, explode or crawl, tried on scikit-learn's digits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import softmax
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, roc_auc_score

from course_lib.training import reference
from course_lib.training.tasks import batches

REMEDIES = {"none": {}, "L1": {"l1": 1e-3}, "L2": {"l2": 3e-3}, "dropout": {"dropout": 0.5},
            "augmentation": {"shift": 0.5}, "together": {"l2": 3e-3, "dropout": 0.2, "shift": 0.5}}


def shifted(images, rng, *, most=0.5):
    """Square images (..., side * side), each moved by up to `most` pixels in both directions; what comes in is dark.

    Dark is the smallest value of all. This is data augmentation: a digit that has moved is the same digit. Between
    pixels the new image is interpolated linearly.
    """
    images = np.asarray(images)
    side = int(np.sqrt(images.shape[-1]))
    if side * side != images.shape[-1] or not 0 <= most < side:
        raise ValueError("images, most: expected squares in the last dimension and a number below their side, "
                         f"got shape {images.shape} and {most!r}")
    margin, flat = int(np.ceil(most)), images.reshape(-1, side, side)
    wide = np.pad(flat, [(0, 0), (margin, margin + 1), (margin, margin + 1)], constant_values=images.min())
    moves = margin + rng.uniform(-most, most, size=(2, len(flat)))
    (down, right), every = moves.astype(int), np.arange(len(flat))[:, None, None]
    (low, left), moved = (moves - moves.astype(int))[..., None, None], 0
    for i, share_down in ((0, 1 - low), (1, low)):
        for j, share_right in ((0, 1 - left), (1, left)):
            rows, columns = (start[:, None] + np.arange(side) for start in (down + i, right + j))
            moved = moved + share_down * share_right * wide[every, rows[:, :, None], columns[:, None, :]]
    return moved.astype(images.dtype).reshape(images.shape)


def dropout_masks(rng, rates, shape):
    """0 or 1/(1 - rate), (S, K, B, H), for rates (K,) of units that are left out; None if all rates are 0.

    References
    ----------
    Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting", section 10: scaled
    while training, so that nothing changes for predictions.
    """
    rates = np.asarray(rates, np.float32)[:, None, None]
    if not rates.any():
        return None
    return (rng.random(shape, np.float32) >= rates) / (1 - rates)


def scores(y, logits):
    """How well logits (N, C) name classes y (N,), by scikit-learn.

    Returns
    -------
    dict
        "accuracy"; "F1", the mean over classes; "ROC-AUC", the mean over classes of one against the rest;
        "confusion", (C, C): row what it is, column what it is taken for.
    """
    logits = np.asarray(logits, float)
    shares, guess, classes = softmax(logits, axis=1), logits.argmax(axis=1), np.arange(logits.shape[1])
    auc = roc_auc_score(y, shares if len(classes) > 2 else shares[:, 1], multi_class="ovr", labels=classes)
    return {"accuracy": float(accuracy_score(y, guess)), "F1": float(f1_score(y, guess, average="macro")),
            "ROC-AUC": float(auc), "confusion": confusion_matrix(y, guess, labels=classes)}


@dataclass
class Tried:
    """What was seen of R runs at T looks, (T, R) each, and at the end."""

    train: np.ndarray  # mean loss since the look before, without penalties
    validation: np.ndarray  # loss
    test_accuracy: np.ndarray
    norms: np.ndarray  # mean norm of the gradient, before clipping
    logits: np.ndarray  # at the end, for the test examples, (R, N, C)

    def stopped(self, patience=8):
        """Test accuracies (R,) of what early stopping would have kept, and at which looks (R,) it would have stopped.

        References
        ----------
        Goodfellow, Bengio & Courville 2016, "Deep learning", algorithm 7.1.
        """
        losses = np.where(np.isnan(self.validation), np.inf, self.validation)
        best, looks = np.transpose([reference.early_stopping(run, patience) for run in losses.T])
        return self.test_accuracy[best, np.arange(len(best))], looks


def try_out(nets, tasks, options, *, rate=0.03, steps=400, look_every=10, optimizer="sgd", momentum=0.9, seed=0):
    """Train one run for each task with each of some remedies, all side by side.

    Parameters
    ----------
    nets : module
        A twin of `networks`.
    tasks : list of S Task
    options : list of O dicts
        What `TrainingRuns.train` takes, a number each; "dropout", the share of units left out; "shift", by how many
        pixels training images may be moved; "rate", in place of `rate`.

    Returns
    -------
    list of Tried
        One for each of `options`, of S runs.
    """
    every, rng = [task for _ in options for task in tasks], np.random.default_rng(seed)
    runs = nets.TrainingRuns([np.stack(parts) for parts in zip(*(task.weights for task in every), strict=True)],
                               optimizer=optimizer, momentum=momentum)

    def of(name, absent):
        return np.repeat([float(own.get(name, absent)) for own in options], len(tasks))

    rates, shift, dropout = of("rate", rate), of("shift", 0), of("dropout", 0)
    given = {name: of(name, absent) for name, absent in (
        ("l1", 0), ("l2", 0), ("max_norm", np.inf), ("max_value", np.inf)) if any(name in own for own in options)}
    held = {name: np.stack([getattr(task, name) for task in every]) for name in ("x_val", "y_val", "x_test", "y_test")}
    noted = []
    for _ in range(steps // look_every):
        x, y = batches(every, rng, look_every, 16)
        for most in np.unique(shift[shift > 0]):
            x[:, shift == most] = shifted(x[:, shift == most], rng, most=most)
        kept = dropout_masks(rng, dropout, (*x.shape[:3], every[0].weights[-2].shape[0]))
        loss, norm = runs.train(x, y, rates, kept=kept, **given)
        noted.append([loss, runs.evaluate(held["x_val"], held["y_val"])[0],
                      runs.evaluate(held["x_test"], held["y_test"])[1], norm])
    noted = np.array(noted).swapaxes(0, 1)  # (4, T, runs)
    logits = runs.predict(held["x_test"])
    parts = [slice(i * len(tasks), (i + 1) * len(tasks)) for i in range(len(options))]
    return [Tried(*noted[:, :, part], logits[part]) for part in parts]
