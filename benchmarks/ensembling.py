"""How good ensembles are on diabetes and on digits, and how fast."""

import time
from functools import cache

import numpy as np
from benchmark import Benchmark, few, timed, twins
from scipy.special import softmax
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
from course_lib.networks.config import TrainingConfig
from course_lib.networks.scores import log_loss

MLP = dict(hidden=(30, 30), learning_rate=1e-2, epochs=20, l2=1e-3)
DEEP = dict(hidden=(30, 30, 30, 30), learning_rate=1e-2, epochs=40, l2=0.0, scale_inputs=False)
HOUSES = dict(hidden=(128, 64), n_members=10, batch_size=256, epochs=40, l2=1e-5, learning_rate=3e-3)
READERS = dict(hidden=(64, 64), learning_rate=1e-2, epochs=40, batch_size=32)
DECAYS, ANGLES, ROWS_TO_CHOOSE_BY = (1e-3, 1e-2, 3e-2, 1e-1), (0, 15, 30, 60), (20, 50, 100, 200, 400)


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
            "mean without naive Bayes": fold.on_test[:-1].mean(axis=0),
            "greedy selection": np.tensordot(greedy, fold.on_test, 1),
            "stack": stacker.fit(inside, fold.y_train).predict_proba(outside)}
        for name, values in probabilities.items():
            found.setdefault(name, []).append(log_loss(values, fold.y_test))
    return found


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


def digits(framework, seeds, folds=5, **fields):
    """Log-loss on scikit-learn's digits: fivefold cross-validation, repeated four times, weights fitted out of fold."""
    [ensembling], found = twins(framework, "ensembling"), data.load("digits")
    x = np.concatenate([found.x_train, found.x_test]).reshape(-1, 64)
    y = np.concatenate([found.y_train, found.y_test])
    readers = {"five networks": ensembling.NetClassifier(n_members=5, random_state=0, **DEEP | fields),
               "support-vector machine": CalibratedClassifierCV(SVC(C=10, gamma=0.1), method="temperature",
                                                                ensemble=False),
               "naive Bayes": GaussianNB(var_smoothing=1e-2)}
    read = evaluation.nested_predictions(list(readers.values()), x, y, folds=folds, repeats=seeds,
                                         inner=4)
    stacker = LogisticRegression(C=3, max_iter=2000)
    for name, losses in log_loss_table(list(readers), read, stacker).items():
        yield from ({"model": name, "fold": fold, "log-loss": loss} for fold, loss in enumerate(losses))


def contestants(framework, images, seed, settings=READERS, members=8):
    """{who: (a function of images (N, 64): probabilities (M, N, C); how many weights; seconds of training)}."""
    nets, ensembling = twins(framework, "networks", "ensembling")
    flat, found = images.x_train.reshape(len(images.x_train), -1), {}
    for who, count in (("one network", 1), ("eight networks", members), ("twenty networks", 20)):
        model = ensembling.NetClassifier(n_members=count, random_state=seed, scale_inputs=False, l2=0.0, **settings)
        _, seconds = timed(lambda model=model: model.fit(flat, images.y_train))
        found[who] = model.predict_members, sum(map(np.size, model.members_.weights)), seconds
    one = ensembling.make_batch_ensemble(64, 10, hidden=settings["hidden"], members=members, seed=seed)
    config = TrainingConfig(**{name: value for name, value in settings.items() if name != "hidden"})
    _, seconds = timed(lambda: nets.train(one, flat, images.y_train.astype(np.float32), config, seed=seed,
                                          loss=ensembling.over_members(ensembling.cross_entropy)))
    parts = one.parameters() if framework == "pytorch" else one.trainable_weights
    found["eight in one"] = ((lambda x: softmax(np.moveaxis(nets.predict(one, x), 1, 0), axis=-1)),
                             sum(int(np.prod(part.shape)) for part in parts), seconds)
    return found


def turned(framework, seeds):
    """Test digits as they are and turned by an angle that training did not have.

    "eight in one": a network that imitates eight by scales of their own (BatchEnsemble). "of a member" is the mean over
    members, "of the best member" the lowest of theirs, chosen by the very test digits; the others are of the members'
    mean probabilities. "seconds" of the processor, of training.
    """
    for seed in range(seeds):
        images = data.load("digits", seed=seed)
        for who, (said, count, seconds) in contestants(framework, images, seed).items():
            for angle in ANGLES:
                each = said(uncertainty.rotated(images.x_test, angle).reshape(-1, 64))
                both = [*each, each.mean(axis=0)]
                losses, errors = (np.array([measure(values, images.y_test) for values in both])
                                  for measure in (log_loss, uncertainty.expected_calibration_error))
                yield {"turned by": f"{angle} degrees", "who": who, "seed": seed, "log-loss": losses[-1],
                       "log-loss of a member": losses[:-1].mean(), "calibration error": errors[-1],
                       "calibration error of the best member": errors[:-1].min(),
                       "accuracy, %": 100 * (both[-1].argmax(axis=1) == images.y_test).mean(),
                       "weights": count, "seconds": seconds}


def library_of_members(framework, images, seed, rows, *, widths=((16,), (32,), (32, 32)),
                       decays=(0.0, 1e-4, 3e-4, 1e-3), epochs=40, members=5):
    """Probabilities (M, N, C) that networks of many kinds, trained on some rows, give all others and the test rows."""
    [ensembling], x = twins(framework, "ensembling"), images.x_train.reshape(-1, 64)
    others = np.concatenate([np.delete(x, rows, axis=0), images.x_test.reshape(-1, 64)])
    return np.concatenate([ensembling.NetClassifier(
        hidden, n_members=members, bootstrap=True, learning_rate=1e-2, epochs=epochs, l2=l2, scale_inputs=False,
        random_state=seed).fit(x[rows], images.y_train[rows]).predict_members(others)
        for hidden in widths for l2 in decays])


def selection(framework, seeds, sizes=ROWS_TO_CHOOSE_BY, trained_on=300):
    """Log-loss of many small networks together, on the validation rows by which they are chosen, and on test rows.

    Digits; each network is trained on 300 images, drawn with replacement. "alike": 60 networks of three shapes and four
    decays, trained for 40 epochs. "half of them bad": as many again, trained for 3. "greedy selection" has 50 rounds.
    """
    for seed in range(seeds):
        images = data.load("digits", seed=seed)
        order = np.random.default_rng(seed).permutation(len(images.x_train))
        rows, left = order[:trained_on], np.delete(images.y_train, order[:trained_on])
        good, bad = (library_of_members(framework, images, seed, rows, epochs=epochs) for epochs in (40, 3))
        for pool, said in (("alike", good), ("half of them bad", np.concatenate([good, bad]))):
            inside, outside = said[:, :len(left)], said[:, len(left):]
            for size in sizes:
                chosen = inside[:, :size], left[:size]
                best, shares = log_loss(*chosen).argmin(), weights.greedy_ensemble_selection(*chosen, loss=log_loss)
                for name, share in (("mean of all", np.full(len(said), 1 / len(said))), ("greedy selection", shares),
                                    ("best single", np.eye(len(said))[best])):
                    yield {"networks": pool, "validation rows": size, "ensemble": name, "seed": seed,
                           "on these": log_loss(np.tensordot(share, chosen[0], 1), chosen[1]),
                           "on test rows": log_loss(np.tensordot(share, outside, 1), images.y_test)}


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


def digits_canary(framework):
    """Log-losses of two folds, by five networks trained for one epoch, and what else reads."""
    return {f"{row['model']}, {row['fold']}": row["log-loss"] for row in digits(framework, 1, folds=2, epochs=1)}


def turned_canary(framework):
    """Log-losses after two epochs, upright and turned, and how many weights."""
    images, figures = few(), {}
    for who, (said, count, _) in contestants(framework, images, 0, READERS | {"epochs": 2}).items():
        figures[f"{who}, weights"] = count
        for angle in ANGLES[:2]:
            each = said(uncertainty.rotated(images.x_test, angle).reshape(-1, 64))
            figures[f"{who} at {angle}"] = log_loss(each.mean(axis=0), images.y_test)
            figures[f"{who} at {angle}, a member"] = log_loss(each, images.y_test).mean()
    return figures


def selection_canary(framework):
    """Log-losses of networks to choose among, after one epoch."""
    images = few()
    said = library_of_members(framework, images, 0, np.arange(100), widths=((8,), (16,)), decays=(0.0, 1e-3),
                              members=2, epochs=1)
    return {f"member {i}": loss for i, loss in enumerate(log_loss(said[:, 200:], images.y_test))}


STUDIES = {
    "ensembling_diabetes": Benchmark(
        title="Ensembles on diabetes",
        settings={"network": MLP, "weight decays": DECAYS, "folds": 5}, rows=diabetes, canary=diabetes_canary,
        down=("model",), seeds=4),
    "ensembling_digits": Benchmark(
        title="Ensembles on digits", settings={"network": DEEP},
        rows=digits, canary=digits_canary, down=("model",), seeds=4),
    "ensembling_turned": Benchmark(
        title="One network, eight, and one that imitates eight, on turned digits",
        settings={"network": READERS, "angles": ANGLES}, rows=turned, canary=turned_canary, down=("turned by", "who"),
        seeds=10),
    "ensembling_selection": Benchmark(
        title="Choosing among many networks by few rows", settings={"rows": ROWS_TO_CHOOSE_BY}, rows=selection,
        canary=selection_canary, down=("networks", "validation rows", "ensemble"), seeds=10),
    "ensembling_one_pass": Benchmark(
        title="Eight networks in one pass",
        settings={"network": MLP}, rows=one_pass, canary=diabetes_canary, down=("what",), seeds=1),
    "ensembling_california": Benchmark(
        title="Ensembles on California housing",
        settings={"network": HOUSES}, rows=california, canary=None, down=("model",), seeds=1, stored=False)}
