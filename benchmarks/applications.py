"""Fusion at work: partners of different kinds, members that fail, forecasts."""

from dataclasses import replace

import numpy as np
from benchmark import Benchmark, drawn, few, twins
from fusion import BIGGER
from sklearn.model_selection import train_test_split

from course_lib.applications import robustness, series
from course_lib.fusion import choosing, experiments, outputs
from course_lib.networks.scores import log_loss

TOPICS = ("applications", "fusion", "networks")


def partners_table(fusion, nets, data, *, seed=0, config=choosing.EXPERT):
    """A convolutional network fused with a recurrent one, which reads row by row, and with another of its own kind.

    Parameters
    ----------
    fusion, nets, data, seed, config
        A fifth of the training images is held out for alpha, but what is trained together, and the last network of the
        table, get all.

    Returns
    -------
    dict of float, dict of float
        Accuracies on the test images; correlations of the partners' mistakes with those of the first network.
    """
    x, x_held, y, y_held = train_test_split(data.x_train, data.y_train, test_size=0.2, random_state=seed,
                                            stratify=data.y_train)
    shape, classes = x.shape[1:], len(data.classes)
    makers = {"CNN": lambda own: nets.make_cnn(shape, classes, seed=own),
              "RNN": lambda own: nets.make_rnn(shape, classes, seed=own),
              "CNN again": lambda own: nets.make_cnn(shape, classes, seed=own + 1)}
    models = [choosing.expert(nets, make(2 * seed), x, y, config, seed=2 * seed + m)
              for m, make in enumerate(makers.values())]
    inside, outside = (choosing.opinions(nets, models, [images] * 3) for images in (x_held, data.x_test))
    found = {name: experiments.score(said, data.y_test) for name, said in zip(makers, outside, strict=True)}
    for name, m in (("CNN + RNN", 1), ("CNN + CNN", 2)):
        fused = experiments.fused_outputs(inside[[0, m]], y_held, outside[[0, m]])
        found |= {f"{name}, {way}": experiments.score(fused[way], data.y_test)
                  for way in ("average", "best alpha by accuracy")}
    joint = fusion.ConcatFusion([fusion.features(make(2 * seed)) for make in (makers["CNN"], makers["RNN"])], [shape],
                                classes, seed=seed)
    choosing.expert(nets, joint, data.x_train, data.y_train, config, seed=seed)
    alone = choosing.expert(nets, makers["CNN"](2 * seed), data.x_train, data.y_train, config, seed=2 * seed)
    wrong = outside.argmax(axis=2) != data.y_test
    return (found | {"CNN + RNN, trained together": nets.accuracy(joint, data.x_test, data.y_test),
                     "one CNN, on all images": nets.accuracy(alone, data.x_test, data.y_test)},
            {name: float(np.corrcoef(wrong[0], wrong[m])[0, 1]) for name, m in (("RNN", 1), ("CNN again", 2))})


def partners(framework, seeds, images):
    """A convolutional network with a recurrent one, and with another of its own kind, on 1,000 images of MNIST.

    Trained on 800 of them, the other 200 for alpha; accuracy on the test images, and how the partner's mistakes
    correlate with those of the first.
    """
    _, fusion, nets = twins(framework, *TOPICS)
    for seed in range(seeds):
        found, alike = partners_table(fusion, nets, drawn(images, seed, 1_000), seed=seed)
        found |= {f"correlation of mistakes, {name}": value for name, value in alike.items()}
        for what, value in found.items():
            yield {"what": what, "seed": seed, "value": value}


def robust(framework, seeds, images, settings=BIGGER):
    """Accuracy before and then.

    On MNIST's test images after training on 8,000 images, or on digits after training on 150.
    """
    applications, fusion, nets = twins(framework, *TOPICS)
    for seed in range(seeds):
        found, digits = drawn(images, seed), experiments.with_fewer(drawn("digits", seed), 150)
        experts, _ = experiments.experts_on_halves(nets, found, seed=seed, **settings)
        for what, table in (
                ("one of three lies", robustness.poisoned_table(nets, found, seed=seed, **settings)),
                ("one of three lies, 150 digits", robustness.poisoned_table(nets, digits, seed=seed)),
                ("left half missing", robustness.missing_table(fusion, nets, found, experts, seed=seed, **settings)),
                ("left half attacked", robustness.attack_table(applications, fusion, nets, found, experts, seed=seed,
                                                               **settings))):
            for name, (before, then) in table.items():
                yield {"what": what, "network": name, "seed": seed, "before": before, "then": then}


def forecasts(framework, seeds, configs=(series.TRAINING, series.TRAINING, series.ON_SUNSPOTS)):
    """Models fitted twice, on all values before the part that they forecast.

    Mean absolute error relative to persistence.
    """
    *_, nets = twins(framework, *TOPICS)
    for seed in range(seeds):
        for name, config in zip(("random_walk", "volatility", "sunspots"), configs, strict=True):
            y, found = getattr(series, f"on_{name}")(nets, seed=seed, config=config)
            for what, forecast in found.items():
                yield {"series": name.replace("_", " "), "forecast": what, "seed": seed,
                       "relative error": series.relative_mae(y, forecast, found["persistence"])}


def partners_canary(framework):
    """Log-losses of a convolutional and a recurrent network after three epochs."""
    *_, nets = twins(framework, *TOPICS)
    images, config = few(), replace(choosing.EXPERT, epochs=3)
    return {name: log_loss(choosing.opinions(nets, [choosing.expert(
        nets, make((8, 8), 10, seed=0), images.x_train, images.y_train, config)], [images.x_test])[0], images.y_test)
        for name, make in (("CNN", nets.make_cnn), ("RNN", nets.make_rnn))}


def robust_canary(framework):
    """Log-losses of an honest network and of its attacked images, and of a mean and a product with a liar."""
    applications, _, nets = twins(framework, *TOPICS)
    images, config = few(), replace(BIGGER["config"], epochs=8)
    honest, liar = (choosing.expert(nets, nets.make_mlp((8, 8), 10, hidden=(32,), seed=0), images.x_train, y, config)
                    for y in (images.y_train, (images.y_train + 1) % 10))
    said = choosing.opinions(nets, [honest, liar], [images.x_test] * 2)
    attacked = choosing.opinions(nets, [honest], [applications.fgsm(honest, images.x_test, images.y_test, step=0.1)])
    return {name: log_loss(values, images.y_test) for name, values in (
        ("honest", said[0]), ("attacked", attacked[0]), ("mean", outputs.weighted(said)),
        ("product", outputs.product_of_experts(said)))}


def forecasts_canary(framework):
    """Sunspots, by networks trained for eight epochs."""
    *_, nets = twins(framework, *TOPICS)
    y, found = series.on_sunspots(nets, config=replace(series.ON_SUNSPOTS, epochs=8))
    return {name: series.relative_mae(y, forecast, found["persistence"]) for name, forecast in found.items()
            if name in ("AR", "MLP", "GRU", "average", "inverse MSE")}


STUDIES = {
    "applications_partners": Benchmark(
        title="Partners that are different, or alike",
        settings={"training": choosing.EXPERT}, rows=partners, canary=partners_canary, down=("what",), seeds=3,
        options={"images": "mnist"}),
    "applications_robustness": Benchmark(
        title="A member that lies, an input that is missing",
        settings=BIGGER | {"digits": choosing.EXPERT}, rows=robust, canary=robust_canary, down=("what", "network"),
        seeds=3, options={"images": "mnist"}),
    "applications_forecasts": Benchmark(
        title="Forecasts one step ahead",
        settings={"training": series.TRAINING, "on sunspots": series.ON_SUNSPOTS}, rows=forecasts,
        canary=forecasts_canary, down=("series", "forecast"))}
