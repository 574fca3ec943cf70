"""How good ensembles are on diabetes and on digits, and how fast, in both frameworks.

    python benchmarks/ensembling.py                        both frameworks
    python benchmarks/ensembling.py --frameworks keras     one of them
    python benchmarks/ensembling.py --download             also fetch California housing (0.4 MB, by scikit-learn)

Each framework runs in a process of its own. Diabetes: root mean squared error, 5 folds repeated 4 times, weights from
inner predictions out of fold. Digits: log-loss, 5 folds. For both, ± is the corrected standard error; for calibration
it is the standard deviation over 5 seeds. California housing: root mean squared error in units of 100,000 dollars, if
the file is in the data folder or may be downloaded. Speeds are ratios of the fastest of many calls.
"""

import argparse
import importlib
import sys
import time

import numpy as np
from side_by_side import report, table
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import fetch_california_housing, load_diabetes
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from course_lib.common import data
from course_lib.ensembling import evaluation, experiments
from course_lib.ensembling.members import take

MLP = dict(hidden=(30, 30), learning_rate=1e-2, epochs=20, l2=1e-3)
DEEP = dict(hidden=(30, 30, 30, 30), learning_rate=1e-2, epochs=40, l2=0.0, scale_inputs=False)
DECAYS = (1e-3, 1e-2, 3e-2, 1e-1)


def diabetes(nets):
    """Yield (what, mean, its corrected standard error) of single models and of ensembles."""
    x, y = load_diabetes(return_X_y=True)
    models = {"support-vector regression": make_pipeline(StandardScaler(), SVR(C=30, epsilon=10, gamma=0.02)),
              "random forest": RandomForestRegressor(100, max_features=1 / 3, min_samples_leaf=3, random_state=0),
              "one network": nets.NetRegressor(random_state=0, **MLP),
              "ten bagged networks": nets.NetRegressor(n_members=10, bootstrap=True, random_state=0, **MLP)}
    tried = {f"weight decay {l2:g}": nets.NetRegressor(random_state=0, **{**MLP, "l2": l2}) for l2 in DECAYS}
    names = [*models, *tried]
    nested = evaluation.nested_predictions([*models.values(), *tried.values()], x, y)
    table = {name: errors for name, errors in experiments.rmse_table(names, nested, ensemble=list(models)).items()
             if name not in tried}
    tuned = experiments.tuned_and_paired(nested, range(4, 8), 0)
    table["one network, weight decay chosen inside"], table["mean of it and support-vector regression"] = tuned
    for name, errors in table.items():
        yield f"diabetes, {name}", errors.mean(), evaluation.corrected_error(errors, 5)


def digits(nets):
    """Yield (what, mean, its corrected standard error) of the log-losses of classifiers and their ensembles."""
    found = data.load("digits")
    x = np.concatenate([found.x_train, found.x_test]).reshape(-1, 64)
    y = np.concatenate([found.y_train, found.y_test])
    readers = {"five networks": nets.NetClassifier(n_members=5, random_state=0, **DEEP),
               "support-vector machine": CalibratedClassifierCV(SVC(C=10, gamma=0.1), method="temperature",
                                                                ensemble=False),
               "naive Bayes": GaussianNB(var_smoothing=1e-2)}
    read = evaluation.nested_predictions(list(readers.values()), x, y, repeats=1, inner=4)
    stacker = LogisticRegression(C=3, max_iter=2000)
    for name, losses in experiments.log_loss_table(list(readers), read, stacker).items():
        yield f"digits, {name}", losses.mean(), evaluation.corrected_error(losses, 5)


def calibration(nets, seeds=5):
    """Yield (what, mean over seeds, spread) of log-loss and calibration error, upright and turned."""
    angles, found = (0, 15, 30), {}
    for seed in range(seeds):
        images = data.load("digits", seed=seed)
        five = nets.NetClassifier(n_members=5, random_state=seed, **DEEP).fit(images.x_train.reshape(-1, 64),
                                                                               images.y_train)
        measured = experiments.calibration_when_turned(five, images.x_test, images.y_test, angles)
        for name, values in measured.items():
            for place, angle in enumerate(angles):
                for who, value in (("best member", values[:-1, place].min()), ("ensemble", values[-1, place])):
                    found.setdefault(f"{name} at {angle} degrees, {who}", []).append(value)
    for name, values in found.items():
        yield name, np.mean(values), np.std(values)


def speed(nets):
    """Yield (what, ratio, 0): eight networks in one pass against one after the other."""
    set_ = data.load("diabetes")
    x, y, few = set_.x_train, set_.y_train, set_.x_test[:20]

    def fastest(function, repeats):
        times = []
        for _ in range(repeats):
            started = time.perf_counter()
            function()
            times.append(time.perf_counter() - started)
        return min(times)

    members = nets.NetRegressor(n_members=8, random_state=0, **MLP).fit(x, y).members_
    alone = [take(members, [i]) for i in range(8)]
    for rows in (few, set_.x_test):
        together, in_turn = (fastest(call, 50) for call in (
            lambda rows=rows: nets.predict_members(members, rows),
            lambda rows=rows: [nets.predict_members(member, rows) for member in alone]))
        yield f"times faster in one pass than 8, predicting {len(rows)} people", in_turn / together, 0
    together, in_turn = (fastest(lambda c=count: [nets.NetRegressor(n_members=8 // c, random_state=0, **MLP).fit(x, y)
                                                  for _ in range(c)], 3) for count in (1, 8))
    yield "times faster in one pass than 8, training", in_turn / together, 0


def california(nets, download):
    """Yield (what, RMSE, 0) on California housing, if its file is there."""
    try:
        x, y = fetch_california_housing(data_home=data.data_dir(), download_if_missing=download, return_X_y=True)
    except OSError as error:
        print(f"California housing left out: {error}", file=sys.stderr)
        return
    x, x_test, y, y_test = train_test_split(x, y, test_size=0.2, random_state=0)
    x, x_val, y, y_val = train_test_split(x, y, test_size=0.2, random_state=0)
    models = {"ten networks": nets.NetRegressor((128, 64), n_members=10, batch_size=256, epochs=40, l2=1e-5,
                                                learning_rate=3e-3, random_state=0),
              "gradient boosting": HistGradientBoostingRegressor(max_iter=500, learning_rate=0.08, random_state=0)}
    fitted = [model.fit(x, y) for model in models.values()]
    inside, outside = (np.array([model.predict(rows) for model in fitted]) for rows in (x_val, x_test))
    for name, values in zip(models, outside, strict=True):
        yield f"California housing, {name}", np.sqrt(((values - y_test) ** 2).mean()), 0
    weights = experiments.nnls_weights(inside, y_val)
    yield "California housing, NNLS of both", np.sqrt(((weights @ outside - y_test) ** 2).mean()), 0


def main():
    """Run the frameworks one after the other and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frameworks", nargs="+", choices=("pytorch", "keras"), default=["pytorch", "keras"])
    parser.add_argument("--download", action="store_true", help="California housing, if it is not in the data folder")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        nets = importlib.import_module(f"course_lib.ensembling.in_{options.frameworks[0]}")
        for part in (diabetes(nets), digits(nets), calibration(nets), speed(nets), california(nets, options.download)):
            for figures in part:
                report(*figures)
        return
    table(__file__, options.frameworks, ["--download"] * options.download)


if __name__ == "__main__":
    main()
