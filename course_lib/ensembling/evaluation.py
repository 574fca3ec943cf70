"""Comparing models honestly: repeated cross-validation, nothing fitted on what it is measured on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone, is_classifier
from sklearn.model_selection import KFold, RepeatedKFold, RepeatedStratifiedKFold, StratifiedKFold


def predict_folds(model, x, y, folds, *, n_jobs=None):
    """Predict each fold's test rows by a copy of the model that was fitted on its training rows.

    Parameters
    ----------
    model : scikit-learn regressor or classifier
        One that has a method `predict_folds`, as the networks of the twins, trains for all folds at once.
    x : array (N, inputs)
    y : array (N,)
    folds : list of (integer array, integer array)
        Training rows and test rows.
    n_jobs : int or None
        Folds that joblib fits at the same time.

    Returns
    -------
    list of arrays
        For each fold (test rows,), of a classifier the probabilities (test rows, classes).
    """
    if hasattr(model, "predict_folds"):
        return clone(model).predict_folds(x, y, folds)
    return Parallel(n_jobs=n_jobs)(delayed(_fit_and_predict)(model, x, y, *fold) for fold in folds)


class Fold(NamedTuple):
    """What M models predict in one fold of a cross-validation: arrays (M, rows), of classifiers (M, rows, C)."""

    y_train: np.ndarray
    y_test: np.ndarray
    out_of_fold: np.ndarray  # for the training rows, by models fitted on the other training rows
    on_training: np.ndarray  # for the training rows, by models fitted on all of them
    on_test: np.ndarray  # for the test rows, by the same


def nested_predictions(models, x, y, *, folds=5, repeats=4, inner=5, seed=0, n_jobs=None):
    """All predictions that are needed to compare models, and ensembles of them, by repeated cross-validation.

    Parameters
    ----------
    models : list of scikit-learn regressors or classifiers
    x : array (N, inputs)
    y : array (N,)
        Classes are whole numbers from 0.
    folds, repeats : int
        Outer folds, each with a test set of its own, and how often all examples are divided anew.
    inner : int
        Into how many parts each training set is divided for the predictions out of fold.
    seed : int
    n_jobs : int or None

    Returns
    -------
    list of Fold
    """
    x, y, stratified = _checked(models, x, y)
    outer = list((RepeatedStratifiedKFold if stratified else RepeatedKFold)(
        n_splits=folds, n_repeats=repeats, random_state=seed).split(x, y))
    divide = (StratifiedKFold if stratified else KFold)(inner, shuffle=True, random_state=seed)
    inside = [list(divide.split(x[train], y[train])) for train, _ in outer]
    wanted = [(train, np.concatenate([train, test])) for train, test in outer]
    wanted += [(train[kept], train[held]) for (train, _), parts in zip(outer, inside, strict=True)
               for kept, held in parts]
    predicted = [predict_folds(model, x, y, wanted, n_jobs=n_jobs) for model in models]
    _check_columns(predicted)
    found = []
    for number, (train, test) in enumerate(outer):
        both = np.stack([values[number] for values in predicted])
        on_training, on_test = np.split(both, [len(train)], axis=1)
        out_of_fold, first = np.empty_like(on_training), len(outer) + number * inner
        for part, (_, held) in enumerate(inside[number], first):
            out_of_fold[:, held] = np.stack([values[part] for values in predicted])
        found.append(Fold(y[train], y[test], out_of_fold, on_training, on_test))
    return found


def _checked(models, x, y):
    """Inputs and targets as arrays, and whether the models are classifiers."""
    x, y = np.asarray(x), np.asarray(y)
    kinds = {is_classifier(model) for model in models}
    if len(kinds) != 1:
        raise ValueError("models: expected at least one, all regressors or all classifiers, got "
                         + (", ".join(type(model).__name__ for model in models) or "none"))
    if kinds == {True} and (y.dtype.kind not in "iu" or set(np.unique(y)) != set(range(int(y.max()) + 1))):
        raise ValueError(f"y: expected classes as whole numbers from 0, none left out, got {np.unique(y)[:10]}")
    return x, y, kinds.pop()


def _check_columns(predicted):
    shapes = {np.shape(values)[1:] for folds in predicted for values in folds}
    if len(shapes) > 1:
        raise ValueError("a class is missing in some training set: expected at least as many examples of each class as "
                         f"there are folds, got probabilities of {sorted(shape[0] for shape in shapes)} classes")


def _fit_and_predict(model, x, y, train, test):
    fitted = clone(model).fit(x[train], y[train])
    return fitted.predict_proba(x[test]) if is_classifier(model) else fitted.predict(x[test])
