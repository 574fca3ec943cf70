"""How good ensembles are on diabetes and on digits, and how fast."""

import time
from functools import cache

import numpy as np
from benchmark import Benchmark, timed, twins
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import fetch_california_housing, load_diabetes
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from course_lib.common import data
from course_lib.ensembling import evaluation, uncertainty, weights
from course_lib.ensembling.members import take
from course_lib.networks.scores import log_loss

MLP = dict(hidden=(30, 30), learning_rate=1e-2, epochs=20, l2=1e-3)
DEEP = dict(hidden=(30, 30, 30, 30), learning_rate=1e-2, epochs=40, l2=0.0, scale_inputs=False)
HOUSES = dict(hidden=(128, 64), n_members=10, batch_size=256, epochs=40, l2=1e-5, learning_rate=3e-3)
DECAYS, ANGLES = (1e-3, 1e-2, 3e-2, 1e-1), (0, 15, 30)


def rmse_table(names, folds, combined):
    """Root mean squared errors {name: (folds,)} of M models alone, and of the first `combined` together."""
    found = {}
    for fold in folds:
        inside, on_training, outside = (part[:combined] for part in (fold.out_of_fold, fold.on_training, fold.on_test))
        predictions = dict(zip(names, fold.on_test, strict=True)) | {
            "mean of all": outside.mean(axis=0),
            "NNLS": weights.nnls_weights(inside, fold.y_train) @ outside,
            "weights of sum 1": weights.simplex_weights(inside, fold.y_train) @ outside,
            "greedy selection": weights.greedy_ensemble_selection(inside, fold.y_train) @ outside,
            "stack": RidgeCV(np.logspace(0, 6, 13)).fit(inside.T, fold.y_train).predict(outside.T),
            "best single, chosen inside": outside[weights.squared_error(inside, fold.y_train).argmin()],
            "NNLS, on training predictions": weights.nnls_weights(on_training, fold.y_train) @ outside}
        for name, values in predictions.items():
            found.setdefault(name, []).append(np.sqrt(weights.squared_error(values, fold.y_test)))
    return found


def tuned_and_paired(folds, tried, partner):
    """Errors (2, folds) of the model of those tried that is best out of fold, and of its mean with a partner."""
    found = []
    for fold in folds:
        chosen = tried[weights.squared_error(fold.out_of_fold[tried], fold.y_train).argmin()]
        alone, other = fold.on_test[[chosen, partner]]
        found.append(weights.squared_error(np.stack([alone, (alone + other) / 2]), fold.y_test))
    return np.sqrt(found).T


def log_loss_table(names, folds, stacker):
    """Log-losses {name: (folds,)} of classifiers alone and together; the stack is fitted out of fold."""
    found = {}
    for fold in folds:
        inside, outside = (np.concatenate(list(part), axis=-1) for part in (fold.out_of_fold, fold.on_test))
        greedy = weights.greedy_ensemble_selection(fold.out_of_fold, fold.y_train, loss=log_loss)
        probabilities = dict(zip(names, fold.on_test, strict=True)) | {
            "mean of all": fold.on_test.mean(axis=0),
            "greedy selection": np.tensordot(greedy, fold.on_test, 1),
            "stack": stacker.fit(inside, fold.y_train).predict_proba(outside)}
        for name, values in probabilities.items():
            found.setdefault(name, []).append(log_loss(values, fold.y_test))
    return found


def calibration_when_turned(classifier, images, y, angles):
    """Log-loss and calibration error {name: (members + 1, angles)} on turned images, last that of the ensemble."""
    found = {"log-loss": [], "calibration error": []}
    for angle in angles:
        members = classifier.predict_members(uncertainty.rotated(images, angle).reshape(len(images), -1))
        for name, measure in zip(found, (log_loss, uncertainty.expected_calibration_error), strict=True):
            found[name].append([measure(values, y) for values in [*members, members.mean(axis=0)]])
    return {name: np.array(values).T for name, values in found.items()}


def diabetes(framework, seeds, trees=100, folds=5, decays=DECAYS, **fields):
    """Root mean squared error on scikit-learn's diabetes data.

    Fivefold cross-validation, repeated four times, all weights from inner predictions out of fold. Combined are the
    first four.
    """
    (ensembling,), (x, y) = twins(framework, "ensembling"), load_diabetes(return_X_y=True)
    settings = MLP | fields
    models = {"support-vector regression": make_pipeline(StandardScaler(), SVR(C=30, epsilon=10, gamma=0.02)),
              "random forest": RandomForestRegressor(trees, max_features=1 / 3, min_samples_leaf=3, random_state=0),
              "one network": ensembling.NetRegressor(random_state=0, **settings),
              "ten bagged networks": ensembling.NetRegressor(n_members=10, bootstrap=True, random_state=0, **settings)}
    tried = {f"weight decay {l2:g}": ensembling.NetRegressor(random_state=0, **{**settings, "l2": l2}) for l2 in decays}
    names = [*models, *tried]
    nested = evaluation.nested_predictions([*models.values(), *tried.values()], x, y, folds=folds, repeats=seeds,
                                           inner=folds)
    found = {name: errors for name, errors in rmse_table(names, nested, len(models)).items()
             if name not in tried}
    if tried:
        tuned = tuned_and_paired(nested, list(range(len(models), len(names))), 0)
        found["one network, weight decay chosen inside"], found["mean of that and support-vector regression"] = tuned
    for name, errors in found.items():
        yield from ({"model": name, "fold": fold, "RMSE": error} for fold, error in enumerate(errors))


def digits(framework, seeds):
    """Log-loss on scikit-learn's digits, five folds."""
    [ensembling], found = twins(framework, "ensembling"), data.load("digits")
    x = np.concatenate([found.x_train, found.x_test]).reshape(-1, 64)
    y = np.concatenate([found.y_train, found.y_test])
    readers = {"five networks": ensembling.NetClassifier(n_members=5, random_state=0, **DEEP),
               "support-vector machine": CalibratedClassifierCV(SVC(C=10, gamma=0.1), method="temperature",
                                                                ensemble=False),
               "naive Bayes": GaussianNB(var_smoothing=1e-2)}
    read = evaluation.nested_predictions(list(readers.values()), x, y, repeats=seeds, inner=4)
    stacker = LogisticRegression(C=3, max_iter=2000)
    for name, losses in log_loss_table(list(readers), read, stacker).items():
        yield from ({"model": name, "fold": fold, "log-loss": loss} for fold, loss in enumerate(losses))


def turned(framework, seeds, **fields):
    """Log-loss and calibration error on test digits turned by an angle that training did not have.

    Of five networks together, and of the best of them by each measure.
    """
    [ensembling] = twins(framework, "ensembling")
    for seed in range(seeds):
        images = data.load("digits", seed=seed)
        five = ensembling.NetClassifier(n_members=5, random_state=seed, **DEEP | fields).fit(
            images.x_train.reshape(-1, 64), images.y_train)
        found = calibration_when_turned(five, images.x_test, images.y_test, ANGLES)
        for place, angle in enumerate(ANGLES):
            for who, pick in (("best of five members", lambda values, p=place: values[:-1, p].min()),
                              ("ensemble", lambda values, p=place: values[-1, p])):
                yield {"turned by": f"{angle} degrees", "who": who, "seed": seed,
                       **{name: pick(values) for name, values in found.items()}}


def one_pass(framework, seeds):
    """How many times faster eight networks predict and train together than one after the other.

    Ratios of the fastest of many calls.
    """
    [ensembling], found = twins(framework, "ensembling"), data.load("diabetes")
    x, y = found.x_train, found.y_train

    def fastest(function, repeats):
        return min(timed(function, time.perf_counter)[1] for _ in range(repeats))

    members = ensembling.NetRegressor(n_members=8, random_state=0, **MLP).fit(x, y).members_
    alone = [take(members, [i]) for i in range(8)]
    for seed in range(seeds):
        for rows in (found.x_test[:20], found.x_test):
            together, in_turn = (fastest(call, 50) for call in (
                lambda rows=rows: ensembling.predict_members(members, rows),
                lambda rows=rows: [ensembling.predict_members(member, rows) for member in alone]))
            yield {"what": f"predicting {len(rows)} people", "seed": seed, "times faster": in_turn / together}
        together, in_turn = (fastest(lambda c=count: [
            ensembling.NetRegressor(n_members=8 // c, random_state=0, **MLP).fit(x, y) for _ in range(c)], 3)
                             for count in (1, 8))
        yield {"what": "training", "seed": seed, "times faster": in_turn / together}


def california(framework, seeds):
    """Root mean squared error in units of 100,000 dollars. scikit-learn downloads the data (0.4 MB)."""
    [ensembling] = twins(framework, "ensembling")
    x, y = fetch_california_housing(data_home=data.data_dir(), return_X_y=True)
    x, x_test, y, y_test = train_test_split(x, y, test_size=0.2, random_state=0)
    x, x_val, y, y_val = train_test_split(x, y, test_size=0.2, random_state=0)
    for seed in range(seeds):
        fitted = [model.fit(x, y) for model in (
            ensembling.NetRegressor(random_state=seed, **HOUSES),
            HistGradientBoostingRegressor(max_iter=500, learning_rate=0.08, random_state=seed))]
        inside, outside = (np.array([model.predict(rows) for model in fitted]) for rows in (x_val, x_test))
        both = weights.nnls_weights(inside, y_val) @ outside
        for name, values in zip(("ten networks", "gradient boosting", "NNLS of both"), [*outside, both], strict=True):
            yield {"model": name, "seed": seed, "RMSE": np.sqrt(((values - y_test) ** 2).mean())}


@cache
def diabetes_canary(framework):
    """The table of two folds, by networks trained for two epochs."""
    found = {}
    for row in diabetes(framework, 1, trees=5, folds=2, decays=(), epochs=2):
        found[row["model"]] = found.get(row["model"], 0) + row["RMSE"] / 2
    return {name: found[name] for name in ("one network", "ten bagged networks", "NNLS", "stack")}


@cache
def digits_canary(framework):
    """Five networks after two epochs, upright and turned, and each one's log-loss."""
    [ensembling], images = twins(framework, "ensembling"), data.load("digits")
    five = ensembling.NetClassifier(n_members=5, random_state=0, **DEEP | {"epochs": 2}).fit(
        images.x_train.reshape(-1, 64), images.y_train)
    said = five.predict_members(images.x_test.reshape(-1, 64))
    found = calibration_when_turned(five, images.x_test, images.y_test, ANGLES)
    return {"first member": log_loss(said[:1], images.y_test).mean(),
            "mean": log_loss(said.mean(axis=0)[None], images.y_test).mean(),
            **{f"{name} at {angle}": values[-1, place] for name, values in found.items() if "log" in name
               for place, angle in enumerate(ANGLES)}}


STUDIES = {
    "ensembling_diabetes": Benchmark(
        title="Ensembles on diabetes",
        settings={"network": MLP, "weight decays": DECAYS, "folds": 5}, rows=diabetes, canary=diabetes_canary,
        down=("model",), seeds=4),
    "ensembling_digits": Benchmark(
        title="Ensembles on digits", settings={"network": DEEP},
        rows=digits, canary=digits_canary, down=("model",), seeds=1),
    "ensembling_turned": Benchmark(
        title="Calibration of an ensemble on turned digits",
        settings={"network": DEEP, "angles": ANGLES}, rows=turned, canary=digits_canary, down=("turned by", "who")),
    "ensembling_one_pass": Benchmark(
        title="Eight networks in one pass",
        settings={"network": MLP}, rows=one_pass, canary=diabetes_canary, down=("what",), seeds=1),
    "ensembling_california": Benchmark(
        title="Ensembles on California housing",
        settings={"network": HOUSES}, rows=california, canary=None, down=("model",), seeds=1, stored=False)}
