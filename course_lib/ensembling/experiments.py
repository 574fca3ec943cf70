"""What notebook 03 compares, for any seed and either framework."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import RidgeCV

from course_lib.ensembling.uncertainty import expected_calibration_error, rotated
from course_lib.ensembling.weights import (
    greedy_ensemble_selection,
    nnls_weights,
    simplex_weights,
    squared_error,
)
from course_lib.networks.scores import log_loss


def all_alike(predictions, y):
    """Weights (M,) of a plain mean of predictions (M, N)."""
    return np.full(len(predictions), 1 / len(predictions))


def best_single(predictions, y):
    """Weights (M,) that are 1 for the model whose predictions (M, N) err least, else 0."""
    return np.eye(len(predictions))[squared_error(predictions, y).argmin()]


WEIGHTINGS = {"mean of all": all_alike, "NNLS": nnls_weights, "weights of sum 1": simplex_weights,
              "greedy selection": greedy_ensemble_selection}
CHOICE, STACK, MISTAKE = "best single, chosen inside", "stack", "NNLS, on training predictions"


def rmse_table(names, folds, *, ensemble=None):
    """Root mean squared errors {name: (folds,)} of regressors, alone and combined in different ways.

    Parameters
    ----------
    names : list of M str
    folds : list of Fold
        From `evaluation.nested_predictions` of the M models.
    ensemble : list of str, optional
        The models that are combined; by default all.

    Returns
    -------
    dict of str to array
        Of each model alone; of each of `WEIGHTINGS`, fitted out of fold; of `STACK`, a ridge regression on the
        predictions out of fold; of `CHOICE`, the model that is best out of fold; and of `MISTAKE`, NNLS fitted on
        predictions for the training set.

    Raises
    ------
    ValueError
        If a model has the name of one of these ways to combine them.
    """
    combined = (*WEIGHTINGS, STACK, CHOICE, MISTAKE)
    if set(names) & set(combined) or len(set(names)) < len(names):
        raise ValueError(f"names: expected different ones, and none of {', '.join(combined)}, got {names}")
    chosen = [names.index(name) for name in (names if ensemble is None else ensemble)]
    found = {name: [] for name in (*names, *combined)}
    for fold in folds:
        inside, on_training, outside = (part[chosen] for part in (fold.out_of_fold, fold.on_training, fold.on_test))
        predictions = dict(zip(names, fold.on_test, strict=True))
        predictions |= {name: weigh(inside, fold.y_train) @ outside for name, weigh in WEIGHTINGS.items()}
        predictions[CHOICE] = best_single(inside, fold.y_train) @ outside
        predictions[STACK] = RidgeCV(np.logspace(0, 6, 13)).fit(inside.T, fold.y_train).predict(outside.T)
        predictions[MISTAKE] = nnls_weights(on_training, fold.y_train) @ outside
        for name, values in predictions.items():
            found[name].append(np.sqrt(squared_error(values, fold.y_test)))
    return {name: np.array(values) for name, values in found.items()}


def tuned_and_paired(folds, tried, partner):
    """Errors of the model that is best out of fold, and of its mean with another one.

    Parameters
    ----------
    folds : list of Fold
    tried : sequence of int
        Numbers of the models to choose from, in each fold anew.
    partner : int
        Number of the other one.

    Returns
    -------
    array (2, folds)
        Root mean squared errors.
    """
    found = []
    for fold in folds:
        chosen = tried[squared_error(fold.out_of_fold[list(tried)], fold.y_train).argmin()]
        alone, other = fold.on_test[[chosen, partner]]
        found.append(squared_error(np.stack([alone, (alone + other) / 2]), fold.y_test))
    return np.sqrt(found).T


def log_loss_table(names, folds, stacker):
    """Log-losses {name: (folds,)} of classifiers, their mean, the greedy selection, and a stack by `stacker`.

    Parameters
    ----------
    names : list of M str
    folds : list of Fold
        From `evaluation.nested_predictions` of the M models.
    stacker : scikit-learn classifier
        It is fitted on the models' probabilities out of fold, as `StackingClassifier` does.
    """
    found = {name: [] for name in (*names, "mean of all", "greedy selection", "stack")}
    for fold in folds:
        inside, outside = (np.concatenate(list(part), axis=-1) for part in (fold.out_of_fold, fold.on_test))
        greedy = greedy_ensemble_selection(fold.out_of_fold, fold.y_train, loss=log_loss)
        probabilities = dict(zip(names, fold.on_test, strict=True))
        probabilities |= {"mean of all": fold.on_test.mean(axis=0),
                          "greedy selection": np.tensordot(greedy, fold.on_test, 1),
                          "stack": stacker.fit(inside, fold.y_train).predict_proba(outside)}
        for name, values in probabilities.items():
            found[name].append(log_loss(values, fold.y_test))
    return {name: np.array(values) for name, values in found.items()}


def calibration_when_turned(classifier, images, y, angles):
    """How good the probabilities of an ensemble and of its members are on images that are turned more and more.

    Parameters
    ----------
    classifier : fitted classifier of a twin
    images : array (N, height, width)
    y : integer array (N,)
    angles : sequence of float
        In degrees.

    Returns
    -------
    dict of str to array (n_members + 1, len(angles))
        "log-loss" and "calibration error" of each member, and in the last row of the ensemble.
    """
    found = {"log-loss": [], "calibration error": []}
    for angle in angles:
        members = classifier.predict_members(rotated(images, angle).reshape(len(images), -1))
        every = [*members, members.mean(axis=0)]
        found["log-loss"].append([log_loss(probabilities, y) for probabilities in every])
        found["calibration error"].append([expected_calibration_error(probabilities, y) for probabilities in every])
    return {name: np.array(values).T for name, values in found.items()}
