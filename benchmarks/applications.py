"""Fusion at work: partners of different kinds, members that fail, forecasts."""

from dataclasses import replace
from functools import partial

import numpy as np
from benchmark import Benchmark, drawn, few, twins
from fusion import EXPERT, expert, experts_on_halves, fused_features, fused_outputs, score, untrained
from sklearn.model_selection import train_test_split

from course_lib.fusion import outputs
from course_lib.fusion.inputs import halves
from course_lib.networks.config import TrainingConfig
from course_lib.networks.scores import log_loss

TOPICS = ("applications", "fusion", "networks")
BIGGER = {"hidden": (128,), "config": TrainingConfig(epochs=15, learning_rate=2e-3, l2=1e-4)}  # for 28x28 pixels
TRAINING = TrainingConfig(epochs=60, batch_size=200, learning_rate=1e-2, l2=0.1)
ON_SUNSPOTS = TrainingConfig(epochs=60, batch_size=50, learning_rate=3e-3, l2=3e-3)  # best of 24 on 1850 to 1899


def partners_table(fusion, nets, data, *, seed=0, config=EXPERT):
    """A convolutional network fused with a recurrent one, which reads row by row, and with another of its own kind.

    A fifth of the training images is held out for alpha, but what is trained together, and the last network of the
    table, get all. Accuracies on the test images; correlations of the partners' mistakes with the first network's.
    """
    x, x_held, y, y_held = train_test_split(data.x_train, data.y_train, test_size=0.2, random_state=seed,
                                            stratify=data.y_train)
    shape, classes = x.shape[1:], len(data.classes)
    makers = {"CNN": lambda own: nets.make_cnn(shape, classes, seed=own),
              "RNN": lambda own: nets.make_rnn(shape, classes, seed=own),
              "CNN again": lambda own: nets.make_cnn(shape, classes, seed=own + 1)}
    models = [expert(nets, make(2 * seed), x, y, config, seed=2 * seed + m)
              for m, make in enumerate(makers.values())]
    inside, outside = (outputs.opinions(nets, models, [images] * 3) for images in (x_held, data.x_test))
    found = {name: score(said, data.y_test) for name, said in zip(makers, outside, strict=True)}
    for name, m in (("CNN + RNN", 1), ("CNN + CNN", 2)):
        fused = fused_outputs(inside[[0, m]], y_held, outside[[0, m]])
        found |= {f"{name}, {way}": score(fused[way], data.y_test)
                  for way in ("average", "best alpha by accuracy")}
    joint = fusion.ConcatFusion([fusion.features(make(2 * seed)) for make in (makers["CNN"], makers["RNN"])], [shape],
                                classes, seed=seed)
    expert(nets, joint, data.x_train, data.y_train, config, seed=seed)
    alone = expert(nets, makers["CNN"](2 * seed), data.x_train, data.y_train, config, seed=2 * seed)
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


def with_fewer(data, count):
    """The data with `count` training examples; the others join the test examples."""
    return replace(data, x_train=data.x_train[:count], y_train=data.y_train[:count],
                   x_test=np.concatenate([data.x_train[count:], data.x_test]),
                   y_test=np.concatenate([data.y_train[count:], data.y_test]))


def with_missing(x, y):
    """Training data in which each example also appears with each one of its inputs missing: all zeros."""
    inputs = tuple(np.concatenate([part if missing != m else np.zeros_like(part) for missing in (None, *range(len(x)))])
                   for m, part in enumerate(x))
    return inputs, np.tile(y, len(x) + 1)


def poisoned_table(nets, data, *, seed=0, hidden=(64,), config=EXPERT):
    """Accuracies of three networks' outputs, fused; then the same with one of them taught to lie: class + 1."""
    x, y, classes = data.x_train, data.y_train, len(data.classes)
    honest = [expert(nets, nets.make_mlp(x.shape[1:], classes, hidden=hidden, seed=3 * seed + m), x, y, config,
                     seed=3 * seed + m) for m in range(3)]
    liar = expert(nets, nets.make_mlp(x.shape[1:], classes, hidden=hidden, seed=3 * seed), x, (y + 1) % classes, config,
                  seed=3 * seed)
    found = {}
    for models in (honest, [*honest[1:], liar]):
        said = outputs.opinions(nets, models, [data.x_test] * 3)
        for name, values in (("a member, alone", said[0]), ("mean", outputs.weighted(said)),
                             ("product", outputs.product_of_experts(said)), ("median", outputs.median(said))):
            found.setdefault(name, []).append(score(values, data.y_test))
    return {name: tuple(values) for name, values in found.items()}


def missing_table(fusion, nets, data, experts, *, seed=0, hidden=(64,), config=EXPERT):
    """Accuracies with both halves of the images, and with the left one missing: all zeros.

    What is taught to miss sees each image thrice in an epoch, and gets a third of the epochs.
    """
    left, right = halves(data.x_test)
    cases, shapes = ((left, right), (np.zeros_like(left), right)), [left.shape[1:], right.shape[1:]]
    said = [outputs.opinions(nets, experts, inputs) for inputs in cases]
    found = {"average": [score(outputs.weighted(both), data.y_test) for both in said],
             "right half alone": [score(both[1], data.y_test) for both in said]}
    third = replace(config, epochs=max(1, config.epochs // 3))
    for name, (x, y), own in (
            ("concatenation", (halves(data.x_train), data.y_train), config),
            ("concatenation, taught to miss", with_missing(halves(data.x_train), data.y_train), third)):
        blank = [fusion.features(part) for part in untrained(nets, data, seed=seed, hidden=hidden)]
        model = expert(nets, fusion.ConcatFusion(blank, shapes, len(data.classes), seed=seed), x, y, own, seed=seed)
        found[name] = [nets.accuracy(model, inputs, data.y_test) for inputs in cases]
    return {name: tuple(values) for name, values in found.items()}


def attack_table(applications, fusion, nets, data, experts, *, step=0.1, seed=0, hidden=(64,), config=EXPERT):
    """Accuracies before and after an attack on the left half of the images, by one who knows all weights.

    Against the average it is the attack on its left expert: the signs of both gradients are the same.
    """
    inputs, y = halves(data.x_test), data.y_test
    bad = (applications.fgsm(experts[0], inputs[0], y, step=step), inputs[1])
    before, after = (outputs.opinions(nets, experts, part) for part in (inputs, bad))
    found = {name: (score(fuse(before), y), score(fuse(after), y))
             for name, fuse in (("left half alone", lambda said: said[0]), ("average", outputs.weighted))}
    together = fused_features(fusion, nets, data, seed=seed, hidden=hidden, config=config)
    for name, (model, view) in together.items():
        clean = view(data.x_test)
        whole = not isinstance(clean, tuple)
        moved = applications.fgsm(model, clean, y, step=step, attacked=None if whole else [0])
        if whole:  # only the left half of the picture can be reached
            moved = np.concatenate([halves(moved)[0], inputs[1]], axis=2)
        found[name] = nets.accuracy(model, clean, y), nets.accuracy(model, moved, y)
    return found


def robust(framework, seeds, images, settings=BIGGER):
    """Accuracy before and then.

    On MNIST's test images after training on 8,000 images, or on digits after training on 150.
    """
    applications, fusion, nets = twins(framework, *TOPICS)
    for seed in range(seeds):
        found, digits = drawn(images, seed), with_fewer(drawn("digits", seed), 150)
        experts, _ = experts_on_halves(nets, found, seed=seed, **settings)
        for what, table in (
                ("one of three lies", poisoned_table(nets, found, seed=seed, **settings)),
                ("one of three lies, 150 digits", poisoned_table(nets, digits, seed=seed)),
                ("left half missing", missing_table(fusion, nets, found, experts, seed=seed, **settings)),
                ("left half attacked", attack_table(applications, fusion, nets, found, experts, seed=seed,
                                                               **settings))):
            for name, (before, then) in table.items():
                yield {"what": what, "network": name, "seed": seed, "before": before, "then": then}


# A forecaster is a function `fit(history (n,))` that returns another, from the values before (B, n or less) to (B,).


def garch(steps, *, omega=2e-6, alpha=0.08, beta=0.9, seed=0):
    """Returns (steps,) of a GARCH(1,1), and the standard deviation of each (steps,). Bollerslev 1986, eqs. 1-2."""
    returns = np.random.default_rng(seed).normal(size=steps)
    variance = np.full(steps + 1, omega / (1 - alpha - beta))  # at first as in the long run: theorem 1
    for t in range(steps):
        returns[t] *= np.sqrt(variance[t])
        variance[t + 1] = omega + alpha * returns[t] ** 2 + beta * variance[t]
    return returns, np.sqrt(variance[:-1])


def windows(series, lags):
    """Inputs (T - lags, lags), the latest value last, and the value that follows each (T - lags,)."""
    series = np.array(series, float)
    return np.lib.stride_tricks.sliding_window_view(series, lags)[:-1], series[lags:]


def seasonal_naive(period, history):
    """The value one period before. With period 1 it is persistence."""
    return lambda past: past[:, -period]


def autoregression(lags, history):
    """The last values, linearly, and a constant."""
    from statsmodels.tsa.ar_model import AutoReg
    constant, *factors = AutoReg(history, lags).fit().params  # the first factor is the latest value's
    return lambda past: constant + past[:, -lags:] @ factors[::-1]


def ewma_weights(alpha, lags):
    """Weights (lags,), the latest value's last, of s_t = alpha y_t + (1 - alpha) s_(t-1), s starting at the oldest."""
    return np.where(np.arange(lags) > 0, alpha, 1) * (1 - alpha) ** np.arange(lags - 1.0, -1, -1)


def ewma(lags, history):
    """The exponentially weighted mean with the alpha best in the history."""
    x, y = windows(history, lags)
    candidates = (ewma_weights(alpha, lags) for alpha in np.arange(0.02, 1.01, 0.02))
    best = min(candidates, key=lambda weights: ((y - x @ weights) ** 2).mean())
    return lambda past: past[:, -lags:] @ best


def network(nets, make, lags, history, *, config=TRAINING, seed=0):
    """The network `make((lags, 1), 1, seed=seed)`. Only the history sets the scale."""
    mean, spread = history.mean(), history.std()
    x, y = windows((history - mean) / spread, lags)
    model = make((lags, 1), 1, seed=seed)
    nets.train(model, x[..., None], y[:, None], config, seed=seed, loss=nets.squared_error)
    return lambda past: mean + spread * nets.predict(model, (past[:, -lags:, None] - mean) / spread)[:, 0]


def on_changes(fit, history):
    """The value before and the change that another forecaster, fitted on changes, expects."""
    predict = fit(np.diff(history))
    return lambda past: past[:, -1] + predict(np.diff(past, axis=1))


def walk_forward(series, forecasters, origins):
    """{name: forecasts (T - origins[0],)} by a dict of forecasters, each fitted at every origin on all before it."""
    past, spans = windows(series, origins[0])[0], list(zip(origins, [*origins[1:], len(series)], strict=True))
    return {name: np.concatenate([fit(np.array(series[:start], float))(past[start - origins[0]:end - origins[0]])
                                  for start, end in spans]) for name, fit in forecasters.items()}


def compare(series, members, origins, *, validation, period):
    """Values y (N,) after the validation, and {name: forecasts (N,)}: naive ones, the members', and their fusions.

    Of the values from the first origin on, the first `validation` ones only serve to weight the members, as 1 over
    each mean squared error: Bates & Granger 1969.
    """
    naive = {"persistence": partial(seasonal_naive, 1), "seasonal naive": partial(seasonal_naive, period)}
    found = walk_forward(series, naive | members, origins)
    y, own = np.asarray(series)[origins[0]:], np.array([found[name] for name in members])
    precision = 1 / ((own - y)[:, :validation] ** 2).mean(axis=1)
    found |= {"average": own.mean(axis=0), "inverse MSE": precision @ own / precision.sum()}
    return y[validation:], {name: values[validation:] for name, values in found.items()}


def relative_mae(y, forecast, naive):
    """Mean absolute error of a forecast (N,) over a naive one's; below 1 is better. Hyndman & Koehler 2006, RelMAE."""
    return float(np.abs(y - forecast).mean() / np.abs(y - naive).mean())


def _members(nets, lags, seed, config):
    makes = {"MLP": partial(nets.make_mlp, hidden=(32,)), "GRU": partial(nets.make_rnn, units=16)}
    return {"AR": partial(autoregression, lags)} | {
        name: partial(network, nets, make, lags, config=config, seed=seed) for name, make in makes.items()}


def on_random_walk(nets, *, seed=0, config=TRAINING):
    """`compare` on the logarithms of 1,250 prices: 500 to learn from, 250 to weight the members; a week is 5 days."""
    members = {name: partial(on_changes, fit) for name, fit in _members(nets, 10, seed, config).items()}
    prices = 100 * np.exp(0.01 * np.random.default_rng(seed).normal(size=1_250).cumsum())
    return compare(np.log(prices), members | {"EWMA": partial(ewma, 20)}, [500, 750], validation=250, period=5)


def on_volatility(nets, *, seed=0, config=TRAINING):
    """`compare` on 2,000 absolute GARCH returns in percent; oracles know the mean, or the median, of each."""
    returns, deviation = garch(2_000, seed=seed)
    members = _members(nets, 20, seed, config) | {"EWMA": partial(ewma, 50)}
    y, found = compare(100 * np.abs(returns), members, [1_000, 1_250], validation=250, period=5)
    scale = 100 * deviation[-len(y):]  # times the mean and the median of |z|, z standard normal
    return y, found | {"oracle's mean": scale * np.sqrt(2 / np.pi), "oracle's median": scale * 0.67449}


def on_sunspots(nets, *, seed=0, config=ON_SUNSPOTS):
    """`compare` on yearly sunspots from 1900 on, the 50 years before for weights; on square roots, then squared."""
    from statsmodels.datasets import sunspots
    number = sunspots.load_pandas().data["SUNACTIVITY"].to_numpy()
    y, found = compare(number ** 0.5, _members(nets, 11, seed, config), [150, 200], validation=50, period=11)
    return y ** 2, {name: np.maximum(forecast, 0) ** 2 for name, forecast in found.items()}


SERIES = {"random walk": on_random_walk, "volatility": on_volatility, "sunspots": on_sunspots}


def forecasts(framework, seeds, configs=(TRAINING, TRAINING, ON_SUNSPOTS)):
    """Models fitted twice, on all values before the part that they forecast.

    Mean absolute error relative to persistence.
    """
    *_, nets = twins(framework, *TOPICS)
    for seed in range(seeds):
        for (name, on), config in zip(SERIES.items(), configs, strict=True):
            y, found = on(nets, seed=seed, config=config)
            for what, forecast in found.items():
                yield {"series": name, "forecast": what, "seed": seed,
                       "relative error": relative_mae(y, forecast, found["persistence"])}


def partners_canary(framework):
    """Log-losses of a convolutional and a recurrent network after three epochs."""
    *_, nets = twins(framework, *TOPICS)
    images, config = few(), replace(EXPERT, epochs=3)
    return {name: log_loss(outputs.opinions(nets, [expert(
        nets, make((8, 8), 10, seed=0), images.x_train, images.y_train, config)], [images.x_test])[0], images.y_test)
        for name, make in (("CNN", nets.make_cnn), ("RNN", nets.make_rnn))}


def robust_canary(framework):
    """Log-losses of an honest network and of its attacked images, and of a mean and a product with a liar."""
    applications, _, nets = twins(framework, *TOPICS)
    images, config = few(), replace(BIGGER["config"], epochs=8)
    honest, liar = (expert(nets, nets.make_mlp((8, 8), 10, hidden=(32,), seed=0), images.x_train, y, config)
                    for y in (images.y_train, (images.y_train + 1) % 10))
    said = outputs.opinions(nets, [honest, liar], [images.x_test] * 2)
    attacked = outputs.opinions(nets, [honest], [applications.fgsm(honest, images.x_test, images.y_test, step=0.1)])
    return {name: log_loss(values, images.y_test) for name, values in (
        ("honest", said[0]), ("attacked", attacked[0]), ("mean", outputs.weighted(said)),
        ("product", outputs.product_of_experts(said)))}


def forecasts_canary(framework):
    """Sunspots, by networks trained for eight epochs."""
    *_, nets = twins(framework, *TOPICS)
    y, found = on_sunspots(nets, config=replace(ON_SUNSPOTS, epochs=8))
    return {name: relative_mae(y, forecast, found["persistence"]) for name, forecast in found.items()
            if name in ("AR", "MLP", "GRU", "average", "inverse MSE")}


STUDIES = {
    "applications_partners": Benchmark(
        title="Partners that are different, or alike",
        settings={"training": EXPERT}, rows=partners, canary=partners_canary, down=("what",), seeds=3,
        options={"images": "mnist"}),
    "applications_robustness": Benchmark(
        title="A member that lies, an input that is missing",
        settings=BIGGER | {"digits": EXPERT}, rows=robust, canary=robust_canary, down=("what", "network"),
        seeds=3, options={"images": "mnist"}),
    "applications_forecasts": Benchmark(
        title="Forecasts one step ahead",
        settings={"training": TRAINING, "on sunspots": ON_SUNSPOTS}, rows=forecasts,
        canary=forecasts_canary, down=("series", "forecast"))}
