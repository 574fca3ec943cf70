"""The networks are scikit-learn estimators like any other, alone, together and in other frameworks' hands."""

import pickle

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.base import clone
from sklearn.ensemble import BaggingRegressor, StackingRegressor, VotingClassifier, VotingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeCV
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from course_lib.common import data
from course_lib.networks.config import TrainingConfig


@pytest.fixture(scope="module")
def diabetes():
    found = data.load("diabetes")
    return found.x_train, found.y_train, found.x_test, found.y_test


@pytest.mark.parametrize("name", ["NetRegressor", "NetClassifier", "DeepEnsemble"])
def test_scikit_learns_own_checks(ensembling, name):
    if "keras" in ensembling.__name__ and name != "NetClassifier":
        pytest.skip("what differs between frameworks is the network, and the classifier's checks see it: a minute each")
    members = 1 if name == "NetRegressor" else 2
    # Networks are float32: on some processors a batch of another size differs by 2e-7, and this check allows 1e-7.
    thinner = {"check_methods_subset_invariance": "float32; the next test allows what float32 can keep"}
    outcomes = check_estimator(getattr(ensembling, name)(n_members=members, random_state=0), on_skip=None, on_fail=None,
                               expected_failed_checks=thinner)
    assert len(outcomes) > 45
    assert {found["check_name"] for found in outcomes if found["status"] not in ("passed", "skipped")} <= set(thinner)
    assert sum(found["status"] == "skipped" for found in outcomes) <= 2


def test_a_prediction_does_not_depend_on_its_company(ensembling, diabetes):
    x, y, x_test, _ = diabetes
    model = ensembling.NetRegressor(epochs=3, random_state=0).fit(x, y)
    together, alone = model.predict(x_test), np.concatenate([model.predict(row[None]) for row in x_test])
    np.testing.assert_allclose(together, alone, rtol=1e-5, atol=1e-5 * np.abs(together).max())


def test_a_regressor_learns_in_the_units_of_its_targets(ensembling):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 2))
    y = x[:, 0] * x[:, 1]
    x, y, x_test, y_test = x[:300], y[:300], x[300:], y[300:]
    settings = dict(learning_rate=1e-2, l2=1e-4, random_state=0)
    model = ensembling.NetRegressor(**settings).fit(x, y)
    assert model.score(x_test, y_test) > 0.85 > 0.2 > LinearRegression().fit(x, y).score(x_test, y_test)
    far = ensembling.NetRegressor(**settings).fit(x * 1000 + 5000, y * 1e3 - 7e3)
    assert far.score(x_test * 1000 + 5000, y_test * 1e3 - 7e3) == pytest.approx(model.score(x_test, y_test), abs=0.02)


def test_a_classifier_keeps_the_names_of_the_classes(ensembling):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 2))
    y = np.where(x[:, 0] > 0.5, "right", np.where(x[:, 1] > 0, "up", "down"))
    model = ensembling.NetClassifier(n_members=3, random_state=0, l2=1e-4).fit(x, y)
    assert model.classes_.tolist() == ["down", "right", "up"]
    probabilities = model.predict_proba(x)
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(200))
    assert (model.classes_[probabilities.argmax(axis=1)] == model.predict(x)).all()
    assert model.score(x, y) > 0.95
    assert model.predict_members(x).mean(axis=0) == pytest.approx(probabilities)


def test_members_differ_and_their_mean_is_the_prediction(ensembling, diabetes):
    (x, y, x_test, _), spread = diabetes, []
    for bootstrap in (False, True):
        model = ensembling.NetRegressor(n_members=4, epochs=10, bootstrap=bootstrap, random_state=0).fit(x, y)
        members = model.predict_members(x_test)[..., 0]
        assert members.shape == (4, len(x_test))
        assert members.mean(axis=0) == pytest.approx(model.predict(x_test))
        assert np.ptp(members, axis=0).min() > 0
        spread.append(members.std(axis=0).mean())
    assert spread[1] > 1.2 * spread[0]  # samples of their own make networks differ more


def test_one_seed_one_result(ensembling, diabetes):
    x, y, x_test, _ = diabetes
    predictions = [ensembling.NetRegressor(epochs=3, random_state=seed).fit(x, y).predict(x_test) for seed in (1, 1, 2)]
    assert (predictions[0] == predictions[1]).all() and np.abs(predictions[0] - predictions[2]).max() > 0.1


def test_all_folds_at_once_are_what_they_are_one_by_one(ensembling, diabetes):
    x, y, *_ = diabetes
    folds = list(KFold(7, shuffle=True, random_state=0).split(x))  # of two sizes
    for model in (ensembling.NetRegressor(n_members=2, epochs=5, bootstrap=True, random_state=3),
                  ensembling.DeepEnsemble(epochs=5, random_state=3)):
        for (train, test), found in zip(folds, model.predict_folds(x, y, folds), strict=True):
            assert found == pytest.approx(clone(model).fit(x[train], y[train]).predict(x[test]), rel=1e-4)
    labels = (y > 150).astype(int) + (y > 250)
    model = ensembling.NetClassifier(epochs=5, random_state=3)
    for (train, test), found in zip(folds[:3], model.predict_folds(x, labels, folds[:3]), strict=True):
        assert found == pytest.approx(clone(model).fit(x[train], labels[train]).predict_proba(x[test]), rel=1e-3)


def test_workers_change_nothing(ensembling, diabetes):
    x, y, x_test, _ = diabetes
    one, two = (ensembling.NetRegressor(n_members=5, epochs=5, random_state=0, n_jobs=n).fit(x, y) for n in (1, 2))
    with parallel_config("threading", n_jobs=3):
        three = ensembling.NetRegressor(n_members=5, epochs=5, random_state=0).fit(x, y)
    assert two.predict(x_test) == pytest.approx(one.predict(x_test), rel=1e-4)
    assert three.predict(x_test) == pytest.approx(one.predict(x_test), rel=1e-4)


class Spied:
    """Puts a network's `_train` aside and notes what it was called with."""

    def __init__(self, ensembling, monkeypatch):
        self.calls, train = [], ensembling.NetRegressor._train

        def noted(members, x, y, rows, seeds, config, loss, **more):
            self.calls.append((members, rows, config))
            return train(members, x, y, rows, seeds, config, loss, **more)

        monkeypatch.setattr(ensembling.NetRegressor, "_train", staticmethod(noted))


def test_settings_reach_the_training(ensembling, diabetes, monkeypatch):
    x, y, *_ = diabetes
    spied = Spied(ensembling, monkeypatch)
    model = ensembling.NetRegressor((7, 5), n_members=3, epochs=2, batch_size=50, learning_rate=0.02, l2=0.3,
                                    bootstrap=True, scale_inputs=False, random_state=0).fit(x, y)
    (members, rows, config), = spied.calls
    assert config == TrainingConfig(learning_rate=0.02, batch_size=50, epochs=2, l2=0.3)
    assert [kernel.shape for kernel in model.members_.weights[::2]] == [(3, 10, 7), (3, 7, 5), (3, 5, 1)]
    assert not members.mean.any() and (members.scale == 1).all()
    assert [len(own) for own in rows] == [len(x)] * 3  # samples as large as the set, with replacement
    assert all(0.55 < len(np.unique(own)) / len(x) < 0.72 for own in rows) and (rows[0] != rows[1]).any()


def test_members_are_divided_among_the_workers(ensembling, diabetes, monkeypatch):
    x, y, *_ = diabetes
    spied = Spied(ensembling, monkeypatch)
    with parallel_config("threading"):
        ensembling.NetRegressor(n_members=5, epochs=1, random_state=0, n_jobs=2).fit(x, y)
    assert sorted(len(rows) for _, rows, _ in spied.calls) == [2, 3]


def test_predicting_folds_leaves_a_fitted_estimator_as_it_is(ensembling, diabetes):
    x, y, x_test, _ = diabetes
    model = ensembling.NetClassifier(epochs=2, random_state=0).fit(x, np.where(y > 150, "yes", "no"))
    before = model.predict(x_test)
    folds = list(KFold(3).split(x))
    model.predict_folds(x[:, :4], (y > 100).astype(int) + (y > 200), folds)
    assert (model.predict(x_test) == before).all()


def test_scikit_learn_takes_them_unmodified(ensembling, diabetes):
    x, y, x_test, y_test = diabetes
    net, line = ensembling.NetRegressor(epochs=10, random_state=0), LinearRegression()
    for model in (VotingRegressor([("net", net), ("line", line)]),
                  StackingRegressor([("net", net), ("line", line)], RidgeCV(), cv=3),
                  make_pipeline(StandardScaler(), net), BaggingRegressor(net, n_estimators=2, random_state=0)):
        assert model.fit(x, y).score(x_test, y_test) > 0.3
    search = GridSearchCV(net, {"l2": [1e-2, 30.0], "hidden": [(8,), (16, 8)]}, cv=2).fit(x, y)
    assert search.best_params_["l2"] == 1e-2
    assert cross_val_score(net, x, y, cv=2).min() > 0.2
    labels = y > 150
    estimators = [("net", ensembling.NetClassifier(epochs=10)), ("line", LogisticRegression())]
    both = VotingClassifier(estimators, voting="soft")
    assert both.fit(x, labels).score(x_test, y_test > 150) > 0.65


def test_a_pickle_predicts_the_same(ensembling, diabetes):
    x, y, x_test, _ = diabetes
    model = ensembling.NetRegressor(epochs=2, random_state=0).fit(x, y)
    assert (pickle.loads(pickle.dumps(model)).predict(x_test) == model.predict(x_test)).all()


def test_a_deep_ensemble_knows_where_the_noise_is(ensembling):
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (600, 1))
    y = 50 + 20 * x[:, 0] + np.where(x[:, 0] > 0, 10, 1) * rng.normal(size=600)
    model = ensembling.DeepEnsemble(n_members=3, random_state=0, l2=1e-4, learning_rate=1e-2).fit(x, y)
    mean, std = model.predict(np.array([[-0.5], [0.5]]), return_std=True)
    assert mean == pytest.approx([40, 60], abs=3)
    assert std[0] < 2.5 and 7 < std[1] < 14
    assert (model.predict(x) == model.predict(x, return_std=True)[0]).all()
    members = model.predict_members(x)
    assert members.shape == (3, 600, 2) and (members[..., 1] > 0).all()


@pytest.mark.parametrize(("settings", "message"), [
    ({"n_members": 0}, "NetRegressor.n_members: expected a whole number >= 1, got 0"),
    ({"hidden": (8, 0)}, r"NetRegressor.hidden: expected whole numbers >= 1 in a tuple, got \(8, 0\)"),
    ({"hidden": 8}, "NetRegressor.hidden: expected whole numbers"),
    ({"bootstrap": 5}, "NetRegressor.bootstrap: expected True or False, got 5"),
    ({"batch_size": 0}, "batch_size: expected a whole number >= 1, got 0"),
    ({"learning_rate": 0}, "learning_rate: expected a number > 0, got 0"),
    ({"epochs": 1.5}, "epochs: expected a whole number >= 1, got 1.5"),
])
def test_settings_that_make_no_sense_are_refused(ensembling, settings, message):
    with pytest.raises(ValueError, match=message):
        ensembling.NetRegressor(**settings).fit(np.zeros((4, 2)), np.arange(4.0))
    with pytest.raises(ValueError, match=message):
        ensembling.NetRegressor(**settings).predict_folds(np.zeros((4, 2)), np.arange(4.0), [([0, 1], [2, 3])])
