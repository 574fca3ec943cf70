"""Ensembles of networks as scikit-learn estimators; the twins add what trains them and what they compute."""

from __future__ import annotations

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, clone
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from course_lib.common import checks
from course_lib.common.config import require, whole
from course_lib.common.seeding import spawn
from course_lib.ensembling.members import join, make_members, standardisation, take
from course_lib.ensembling.uncertainty import mixture, variance_of
from course_lib.networks.config import TrainingConfig


class Networks(BaseEstimator):
    """Dense ReLU networks that are trained side by side and averaged.

    Subclasses say what a network's outputs mean; a twin's add `_train` and `_outputs`, and each its `_loss`.

    Parameters
    ----------
    hidden : tuple of int
        Units of the hidden layers.
    n_members : int
        Networks, each with weights and an order of examples of its own.
    bootstrap : bool
        Whether each network has its own examples, drawn from the training set with replacement (bagging).
    learning_rate, batch_size, epochs, l2
        As in `networks.config.TrainingConfig`.
    scale_inputs : bool
        Whether inputs are standardised column by column. Not for images: a pixel that is almost always black would
        become a column that hardly ever differs from zero, and then hugely.
    random_state : int, RandomState or None
    n_jobs : int or None
        In how many parts joblib trains the networks at the same time. The parts do not change the result.
    device : str
        As the framework names it: what `fw.device()` returns. Networks as small as these are fastest on the CPU.
    """

    def __init__(self, hidden=(64,), *, n_members=1, bootstrap=False, learning_rate=3e-3, batch_size=32, epochs=60,
                 l2=1e-2, scale_inputs=True, random_state=None, n_jobs=None, device="cpu"):
        self.hidden = hidden
        self.n_members = n_members
        self.bootstrap = bootstrap
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.epochs = epochs
        self.l2 = l2
        self.scale_inputs = scale_inputs
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.device = device

    def fit(self, X, y):
        """Train the networks on inputs X (N, inputs) and targets y (N,)."""
        X, y = self._check(X, y)
        self.members_, self.scaling_ = self._fitted(X, y, [np.arange(len(X))], self._seeds())
        return self

    def predict_members(self, X):
        """What each network says on its own, of inputs X (N, inputs).

        Returns
        -------
        array (n_members, N, ...)
            Of a regressor its outputs in the units of y, (n_members, N, 1 or 2); of a classifier probabilities.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float32, reset=False)
        return self._in_units(self._outputs(self.members_, X, device=self.device), self.scaling_)

    def predict_folds(self, X, y, folds):
        """Predict each fold's test rows by networks trained on its training rows, all folds in one training run.

        The result is that of `clone(estimator).fit(X[train], y[train])` and a prediction, fold by fold (a classifier's
        classes are those of all y). The estimator itself stays as it is.

        Parameters
        ----------
        X : array (N, inputs)
        y : array (N,)
        folds : list of (integer array, integer array)
            Training rows and test rows.

        Returns
        -------
        list of arrays
            For each fold (test rows,), of a classifier probabilities (test rows, classes).
        """
        copy = clone(self)
        X, y = copy._check(X, y)
        seeds, size, alike = copy._seeds(), self.n_members, {}
        for number, (rows, _) in enumerate(folds):  # folds of equally many updates can share a training run
            alike.setdefault(-(-len(rows) // self.batch_size), []).append(number)
        found = [None] * len(folds)
        for numbers in alike.values():
            members, scaling = copy._fitted(X, y, [np.asarray(folds[number][0]) for number in numbers], seeds)
            for place, number in enumerate(numbers):
                own = slice(place * size, (place + 1) * size)
                outputs = copy._outputs(take(members, own), X[folds[number][1]], device=self.device)
                found[number] = copy._combined(copy._in_units(outputs, scaling[own]))
        return found

    def _seeds(self):
        return spawn(check_random_state(self.random_state).randint(2**31), self.n_members)

    def _fitted(self, X, y, training_rows, seeds):
        """For each entry of `training_rows` a trained network a seed; and the scaling of their targets."""
        rows = [np.random.default_rng([seed, 2]).choice(own, len(own)) if self.bootstrap else own
                for own in training_rows for seed in seeds]
        seeds = seeds * len(training_rows)
        targets, scaling = self._targets(y, rows)
        members = make_members(X, rows, [X.shape[1], *self.hidden, self._width()], seeds,
                               scale_inputs=self.scale_inputs)
        config = self._config()
        parts = np.array_split(np.arange(len(rows)), min(effective_n_jobs(self.n_jobs), len(rows)))
        trained = Parallel(n_jobs=self.n_jobs)(
            delayed(self._train)(take(members, part), X, targets[part], [rows[i] for i in part],
                                 [seeds[i] for i in part], config, self._loss, device=self.device)
            for part in parts)
        return join(trained), scaling

    def _check(self, X, y):
        """Inputs as float32, targets, and the hyper-parameters; a ValueError if one is not what it should be."""
        self._check_settings()
        X, y = validate_data(self, X, y, dtype=np.float32, y_numeric=isinstance(self, RegressorMixin))
        return X, checks.array("y", y, (len(X),)) if isinstance(self, RegressorMixin) else y

    def _config(self):
        return TrainingConfig(learning_rate=self.learning_rate, batch_size=self.batch_size, epochs=self.epochs,
                              l2=self.l2)

    def _check_settings(self):
        self._config()
        for name in ("bootstrap", "scale_inputs"):
            require(self, name, lambda v: isinstance(v, (bool, np.bool_)), "True or False")
        require(self, "n_members", lambda v: whole(v, 1), "a whole number >= 1")
        require(self, "hidden", lambda v: all(whole(units, 1) for units in v), "whole numbers >= 1 in a tuple")


class Regressor(RegressorMixin, Networks):
    """Networks with one output each, trained on the squared error."""

    def predict(self, X):
        """The mean of the networks' predictions, (N,), of inputs X (N, inputs)."""
        return self._combined(self.predict_members(X))

    def _targets(self, y, rows):
        scaling = np.array([standardisation(y[own, None]) for own in rows])[..., 0]  # (M, 2): mean, scale
        return ((y - scaling[:, :1]) / scaling[:, 1:]).astype(np.float32), scaling

    def _width(self):
        return 1

    def _in_units(self, outputs, scaling):
        mean, scale = scaling.T[..., None, None]  # each (M, 1, 1)
        return outputs * scale + mean

    def _combined(self, predictions):
        return predictions[..., 0].mean(axis=0)


class DeepRegressor(Regressor):
    """Networks with two outputs each, a mean and what a variance is made of, trained on the Gaussian likelihood."""

    def predict(self, X, return_std=False):
        """Mean of the mixture of the networks' Gaussians, and on request its standard deviation.

        Parameters
        ----------
        X : array (N, inputs)
        return_std : bool

        Returns
        -------
        array (N,), or two of them
            In the units of y.

        References
        ----------
        Lakshminarayanan et al. 2017, "Simple and scalable predictive uncertainty estimation using deep ensembles",
        section 2.4.
        """
        mean, variance = mixture(*np.moveaxis(self.predict_members(X), -1, 0))
        return (mean, np.sqrt(variance)) if return_std else mean

    def _width(self):
        return 2

    def _in_units(self, outputs, scaling):
        mean, scale = scaling.T[..., None]  # each (M, 1)
        return np.stack([outputs[..., 0] * scale + mean, variance_of(outputs[..., 1]) * scale**2], axis=-1)


class Classifier(ClassifierMixin, Networks):
    """Networks that give logits, trained on the cross-entropy; their probabilities are averaged."""

    def predict_proba(self, X):
        """The mean of the networks' probabilities, (N, classes), of inputs X (N, inputs)."""
        return self._combined(self.predict_members(X))

    def predict(self, X):
        """The most probable class of each of the inputs X (N, inputs)."""
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def _check(self, X, y):
        X, y = super()._check(X, y)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        return X, codes

    def _targets(self, y, rows):
        return np.tile(y, (len(rows), 1)), np.empty((len(rows), 0))

    def _width(self):
        return len(self.classes_)

    def _in_units(self, outputs, scaling):
        return softmax(outputs, axis=-1)

    def _combined(self, predictions):
        return predictions.mean(axis=0)
