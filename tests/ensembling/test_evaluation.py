"""Cross-validation that leaks nothing, and the standard error of its means."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, PredefinedSplit, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from course_lib.common.claims import paired_difference
from course_lib.ensembling import reference
from course_lib.ensembling.evaluation import nested_predictions, predict_folds


@pytest.fixture
def numbers():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3))
    return x, x @ [1.0, 2.0, 0.0] + rng.normal(size=60)


@pytest.fixture
def classes():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(60, 3))
    return x, (x[:, 0] > 0).astype(int) + (x[:, 1] > 0)


def test_workers_change_nothing(numbers):
    x, y = numbers
    one, two = (nested_predictions([Ridge()], x, y, folds=3, repeats=1, inner=2, n_jobs=n)[0] for n in (1, 2))
    assert (one.out_of_fold == two.out_of_fold).all() and (one.on_test == two.on_test).all()


def test_the_exercise_is_out_of_fold_prediction_by_a_linear_model(numbers):
    x, y = numbers
    fold = np.random.default_rng(0).permutation(np.arange(60) % 5)
    assert reference.out_of_fold(x, y, fold) == pytest.approx(
        cross_val_predict(Ridge(alpha=1e-12, fit_intercept=False), x, y, cv=PredefinedSplit(fold)))


@pytest.mark.parametrize("kind", ["numbers", "classes"])
def test_nothing_leaks(kind, request):
    """One neighbour knows by heart what it was trained on: it is right there, and only there."""
    x, y = request.getfixturevalue(kind)
    y = np.arange(60.0) if kind == "numbers" else np.arange(60) % 2  # nothing to learn, all to remember
    model = KNeighborsRegressor(1) if kind == "numbers" else KNeighborsClassifier(1)
    plain = (lambda p: p) if kind == "numbers" else (lambda p: p.argmax(axis=-1))
    folds = nested_predictions([model, model], x, y, folds=3, repeats=2, inner=4, seed=5)
    assert len(folds) == 6
    for fold in folds:
        assert fold.on_training.shape[:2] == fold.out_of_fold.shape[:2] == (2, 40)
        assert len(fold.y_test) == 20
        assert (plain(fold.on_training) == fold.y_train).all()
        for values, right in ((fold.out_of_fold, fold.y_train), (fold.on_test, fold.y_test)):
            assert (plain(values) == right).mean() < (0.01 if kind == "numbers" else 0.75)
    for name in ("out_of_fold", "on_test"):  # on average right by chance at most
        shares = [(plain(getattr(f, name)) == (f.y_test if name == "on_test" else f.y_train)).mean() for f in folds]
        assert np.mean(shares) < 0.6
    assert sorted(np.concatenate([fold.y_test for fold in folds[:3]])) == sorted(y)


def test_nested_predictions_are_those_of_fitting_by_hand(numbers):
    x, y = numbers
    model = Ridge(alpha=3.0)
    first = nested_predictions([model], x, y, folds=3, repeats=1, inner=4, seed=5)[0]
    rows = [np.flatnonzero(y == value)[0] for value in first.y_train]  # no two targets are equal
    test = [np.flatnonzero(y == value)[0] for value in first.y_test]
    assert first.on_test[0] == pytest.approx(model.fit(x[rows], y[rows]).predict(x[test]))
    split = KFold(4, shuffle=True, random_state=5)
    assert first.out_of_fold[0] == pytest.approx(cross_val_predict(model, x[rows], y[rows], cv=split))


def test_models_that_can_train_all_folds_at_once_are_asked_to(numbers):
    x, y = numbers

    class AllAtOnce(Ridge):
        def predict_folds(self, x, y, folds):
            return [np.full(len(test), len(folds)) for _, test in folds]

    found = predict_folds(AllAtOnce(), x, y, list(KFold(5).split(x)))
    assert [values.tolist() for values in found] == [[5] * 12] * 5


def test_the_corrected_interval_covers_the_truth_where_the_plain_one_does_not():
    """Over 300 data sets: how often the expected error lies in the 95 % interval of a mean over folds."""
    rng, errors = np.random.default_rng(0), []
    for _ in range(300):
        x = rng.normal(size=(40, 5))
        y = x @ np.ones(5) + rng.normal(size=40)
        folds = nested_predictions([Ridge(1e-9)], x, y, folds=4, repeats=3, inner=2, seed=int(rng.integers(1_000)))
        values = np.array([((fold.on_test[0] - fold.y_test) ** 2).mean() for fold in folds])
        found = [paired_difference(values, np.zeros(12), folds=count) for count in (4, None)]
        errors.append((values.mean(), *(gap.high - gap.mean for gap in found)))
    mean, corrected, plain = np.array(errors).T
    off = np.abs(mean - mean.mean())
    assert (off < corrected).mean() > 0.9 > 0.85 > (off < plain).mean()


@pytest.mark.parametrize(("models", "y", "message"), [
    ([], np.arange(12.0), "models: expected at least one, .* got none"),
    ([Ridge(), LogisticRegression()], np.arange(12) % 2, "models: expected .* all classifiers, got Ridge, Logistic"),
    ([LogisticRegression()], 1 + np.arange(12) % 2, r"y: expected classes as whole numbers from 0, .* got \[1 2\]"),
    ([LogisticRegression()], np.array(["a", "b"] * 6), "y: expected classes as whole numbers"),
    ([KNeighborsClassifier(1)], np.array([0, 1] * 29 + [2, 0]), "a class is missing in some training set"),
])
@pytest.mark.filterwarnings("ignore:The least populated class")
def test_models_and_classes_that_cannot_be_compared_are_refused(models, y, message):
    x = np.random.default_rng(0).normal(size=(len(y), 2))
    with pytest.raises(ValueError, match=message):
        nested_predictions(models, x, y, folds=3)
