"""What optimizers, schedules and remedies bring, each at settings that were chosen on other networks."""

from __future__ import annotations

from collections import Counter
from functools import cache, partial

import numpy as np
from benchmark import Benchmark, twins
from scipy.ndimage import map_coordinates
from sklearn.datasets import load_digits

from course_lib.training.reference import dropout_masks
from course_lib.training.tasks import Task, batches, first_weights

RATES = np.geomspace(1e-4, 1, 9).tolist()
LANGUAGES = "cs da de es fi fr hr hu it nl pl pt ro sv tr".split()
TUNED, TESTED = range(1_000, 1_008), 12  # networks to choose by, and how many others to compare
STEPS = 300  # of 16 examples each
L2, DECAYS = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1), (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
BUDGETS = (300, 1_500)
STEADY = {"60 digits": 0.01, "900 digits": 0.03, "names": 0.003}  # rates of SGD with momentum; a third and thrice, too
LOOKS = 80  # of 20 steps each
REMEDIES = {"none": [{}], "L1": [{"l1": l1} for l1 in (3e-4, 1e-3, 3e-3, 1e-2)],
            "L2": [{"l2": l2} for l2 in (1e-3, 3e-3, 1e-2, 3e-2, 1e-1)],
            "dropout": [{"dropout": rate} for rate in (0.1, 0.2, 0.5)],
            "augmentation": [{"shift": far} for far in (0.25, 0.5, 1.0)]}
GAINS, STEEP = (1.0, 1.5), (0.001, 0.002, 0.005, 0.01, 0.02, 0.05)
CLIPPED = {"not": {}, "norm at 1": {"max_norm": 1.0}, "norm at 3": {"max_norm": 3.0}, "norm at 10": {"max_norm": 10.0}}


def digits(own, count=60, layers=1, units=64, gain=1.0):
    """So many digits to learn from, 300 for validation, 500 for the test; and first weights, kernels times `gain`."""
    rng, (x, y) = np.random.default_rng(own), load_digits(return_X_y=True)
    x, order = ((x - x.mean()) / x.std()).astype(np.float32), rng.permutation(len(x))
    val, test, train = np.split(order[:800 + count], [300, 800])
    weights = [gain * part if part.ndim == 2 else part for part in first_weights(rng, [64, *[units] * layers, 10])]
    return Task("digits", x[train], y[train], x[val], y[val], x[test], y[test], weights)


@cache
def vocabulary():
    """Names of countries and languages in each of `LANGUAGES` that are in no other one (Unicode's locale data)."""
    from babel import Locale

    found = [{name.lower() for name in [*Locale(own).territories.values(), *Locale(own).languages.values()]
              if name and name.replace(" ", "").isalpha()} for own in LANGUAGES]
    often = Counter(name for own in found for name in own)
    return [sorted(name for name in own if often[name] == 1) for own in found]


def names(own, count=30, units=64):
    """Which language is a name of? 30 of each to learn from, 20 for validation, 40 for the test; and first weights."""
    from sklearn.feature_extraction.text import HashingVectorizer

    hashed = HashingVectorizer(analyzer="char_wb", ngram_range=(1, 3), n_features=512, alternate_sign=False)
    rng, parts = np.random.default_rng(own), ([], [], [])
    for number, words in enumerate(vocabulary()):
        drawn = rng.permutation(words)[:count + 60]
        for part, some in zip(parts, np.split(drawn, [count, count + 20]), strict=True):
            part += [(word, number) for word in some]
    arrays = [(np.float32(hashed.transform([word for word, _ in part]).toarray() * 512**0.5),
               np.array([number for _, number in part])) for part in parts]
    kernels = [np.float32(rng.uniform(-1, 1, (n, m)) * (6 / n)**0.5) for n, m in ((512, units), (units, 15))]
    weights = [part for kernel in kernels for part in (kernel, np.zeros(kernel.shape[1], np.float32))]
    return Task("names", *(array for pair in arrays for array in pair), weights)


TASKS = {"60 digits": digits, "900 digits": partial(digits, count=900), "names": names}
DEEP = {"900 digits": TASKS["900 digits"], "900 digits, six layers": partial(digits, count=900, layers=6),
        "names": names}


def sgd(g, w, s, t):
    return g


def momentum(g, w, s, t):
    s["m"] = 0.9 * s.get("m", 0) + g
    return s["m"]


def rmsprop(g, w, s, t):
    s["v"] = 0.9 * s.get("v", 0) + 0.1 * g**2
    return g / (np.sqrt(s["v"]) + 1e-8)


def adam(g, w, s, t):
    s["m"] = 0.9 * s.get("m", 0) + 0.1 * g
    s["v"] = 0.999 * s.get("v", 0) + 0.001 * g**2
    return s["m"] / (1 - 0.9**t) / (np.sqrt(s["v"] / (1 - 0.999**t)) + 1e-8)


def farthest(w, s):
    """How far each network has been from its start, (K,); at first 1e-4 (1 + its norm)."""
    start = s.setdefault("start", w)
    s["far"] = np.maximum(s.get("far", 1e-4 * (1 + np.linalg.norm(w, axis=1))), np.linalg.norm(w - start, axis=1))
    return s["far"]


def dog(g, w, s, t):
    """Distance over gradients, whose rate is 1: Ivgi, Hinder & Carmon 2023, "DoG is SGD's best friend", eq. 1."""
    s["v"] = s.get("v", 0) + (g**2).sum(axis=1)
    return (farthest(w, s) / np.sqrt(s["v"] + 1e-8))[:, None] * g


def dowg(g, w, s, t):
    """Distance over weighted gradients: Khaled, Mishchenko & Jin 2023, "DoWG unleashed", algorithm 1."""
    s["v"] = s.get("v", 0) + farthest(w, s)**2 * (g**2).sum(axis=1)
    return (s["far"]**2 / np.sqrt(s["v"] + 1e-16))[:, None] * g


RULES = {"SGD": sgd, "SGD with momentum": momentum, "RMSprop": rmsprop, "Adam": adam}


def constant(share):
    return 1.0


def cosine(share):
    return 0.5 * (1 + np.cos(np.pi * share))


def warm_up(share, first=0.1):
    return min(1.0, share / first)


def warm_up_and_cosine(share, first=0.1):
    return share / first if share < first else cosine((share - first) / (1 - first))


SCHEDULES = {"constant": constant, "cosine": cosine, "warm-up": warm_up, "warm-up and cosine": warm_up_and_cosine}


def stacked(parts):
    """Arrays that stand in the same place, stacked."""
    return [np.stack(each) for each in zip(*parts, strict=True)]


def descend(nets, rule, tasks, rates, *, steps=STEPS, schedule=constant, decay=0.0, l2=0.0, average=None, seen=None):
    """Train a network on each task at each rate, or at its own of rates (n, tasks); return all runs (n * tasks).

    Batch losses of each step (n * tasks) are appended to the list `seen`.
    `rule(g, w, s, t)` makes a direction of gradients g (K, W), weights w (K, W), a memory s and the step t, from 1 on.
    `decay` shrinks kernels by that share times the rate, `l2` adds their squares to the loss. With `average` the runs
    end at a mean of all weights in which step t counts with about t**average (Shamir & Zhang 2013, section 4).
    """
    each = [task for _ in rates for task in tasks]
    runs, memory = nets.TrainingRuns(stacked(one.weights for one in each)), {}
    rate = np.broadcast_to(np.reshape(rates, (len(rates), -1)), (len(rates), len(tasks))).ravel()
    kernels = np.concatenate([np.full(part.size, part.ndim == 2) for part in each[0].weights])
    (x, y), mean = batches(each, np.random.default_rng(0), steps, 16), 0.0
    with np.errstate(all="ignore"):  # runs may explode
        for t in range(1, steps + 1):
            loss, gradient = runs.gradients(x[t - 1], y[t - 1])
            if seen is not None:
                seen.append(loss)
            direction = rule(gradient + 2 * l2 * kernels * runs.flat, runs.flat, memory, t)
            now = (rate * schedule((t - 1) / steps))[:, None]
            moved = runs.flat - now * (direction + decay * kernels * runs.flat)
            runs.flat = np.nan_to_num(moved, nan=1e9).clip(-1e9, 1e9)
            if average is not None:
                share = (average + 1) / (average + t)
                mean = share * runs.flat + (1 - share) * mean
    if average is not None:
        runs.flat = mean
    return runs


def range_test(nets, rule, tasks, steps=100):
    """For each task a tenth of the rate at which the smoothed batch loss is lowest, while it rises from 1e-5 to 10.

    After Smith 2017, "Cyclical learning rates for training neural networks", section 3.3; he raises it linearly, and
    looks at the accuracy.
    """
    seen = []
    descend(nets, rule, tasks, [1e-5], steps=steps, schedule=lambda share: 1e6**share, seen=seen)
    memory = 0.9 ** (np.arange(steps)[:, None] - np.arange(steps))
    weights = np.tril(memory) / np.tril(memory).sum(axis=1, keepdims=True)
    smooth = weights @ np.nan_to_num(np.array(seen, float), nan=1e9, posinf=1e9).clip(max=1e9)
    return 1e-6 * 1e6 ** (smooth.argmin(axis=0) / steps)


def descend_with(nets, make, tasks, rates, *, steps=STEPS, schedule=constant):
    """Train as `descend` does, each network with an optimizer of PyTorch or a package: `make(weights, lr=rate)`."""
    import torch

    each = [task for _ in rates for task in tasks]
    runs = nets.TrainingRuns(stacked(one.weights for one in each))
    held = [torch.nn.Parameter(weights) for weights in torch.tensor(runs.flat)]
    optimizers = [(make([own], lr=rate), rate) for own, rate in zip(held, np.repeat(rates, len(tasks)), strict=True)]
    x, y = batches(each, np.random.default_rng(0), steps, 16)
    for optimizer, _ in optimizers:
        getattr(optimizer, "train", bool)()
    for t in range(steps):
        _, gradients = runs.gradients(x[t], y[t])
        for own, gradient, (optimizer, rate) in zip(held, torch.tensor(gradients), optimizers, strict=True):
            optimizer.param_groups[0]["lr"], own.grad = rate * schedule(t / steps), gradient
            optimizer.step()
        runs.flat = np.nan_to_num(torch.stack(held).detach().numpy(), nan=1e9).clip(-1e9, 1e9)
    for optimizer, _ in optimizers:
        getattr(optimizer, "eval", bool)()  # schedule-free: from where gradients are taken to the average
    runs.flat = np.nan_to_num(torch.stack(held).detach().numpy(), nan=1e9).clip(-1e9, 1e9)
    return runs


def losses(runs, tasks, part):
    """Loss and accuracy of all runs, (2, rates, tasks), on the validation ("val") or test examples."""
    repeated = len(runs.flat) // len(tasks)
    x, y = (np.stack([getattr(task, f"{name}_{part}") for task in tasks] * repeated) for name in "xy")
    with np.errstate(all="ignore"):
        return np.nan_to_num(np.array(runs.evaluate(x, y)), nan=1e9).reshape(2, repeated, len(tasks))


def at_its_best(nets, rule, make, options=({},), *, descend=descend, **fixed):
    """Test loss and accuracy (2, n), each at the rate and options that were best by it on other networks; and these.

    Best by the mean validation loss (accuracy) of networks to choose by; found at [(rate, options), (rate, options)].
    """
    chosen, others = ([make(own) for own in owns] for owns in (TUNED, range(TESTED)))
    means = {(rate, number): found for number, own in enumerate(options) for rate, found in zip(RATES, losses(
        descend(nets, rule, chosen, RATES, **own, **fixed), chosen, "val").mean(axis=2).T, strict=True)}
    best = [min(means, key=lambda key: means[key][0]), max(means, key=lambda key: means[key][1])]
    found = [losses(descend(nets, rule, others, [rate], **options[number], **fixed), others, "test")[measure, 0]
             for measure, (rate, number) in enumerate(best)]
    return np.array(found), [(rate, options[number]) for rate, number in best]


def rows_of(case, found, at=None, **more):
    """A row for each network."""
    more |= {} if at is None else {"rate": at[0][0], "rate for accuracy": at[1][0]}
    for number, (loss, accuracy) in enumerate(found.T):
        yield {**case, "seed": number, "test loss": loss, "accuracy": accuracy, **more}


def by_rule(framework, seeds):
    """Test loss and accuracy after 300 steps of 16 examples, of twelve networks with data of their own.

    Each rule at the rate that is best on eight other networks, by the loss for the loss and by the accuracy for the
    accuracy, or at the default of Keras; DoG has none.
    """
    [nets] = twins(framework, "networks")
    for task, make in TASKS.items():
        others = [make(own) for own in range(TESTED)]
        for name, rule in RULES.items():
            yield from rows_of({"task": task, "rule": name}, *at_its_best(nets, rule, make))
        for name, rate in (("SGD", 0.01), ("RMSprop", 0.001), ("Adam", 0.001)):
            found = losses(descend(nets, RULES[name], others, [rate]), others, "test")[:, 0]
            yield from rows_of({"task": task, "rule": f"{name} at {rate:g}"}, found, rate=rate)
        found = losses(descend(nets, dog, others, [1.0]), others, "test")[:, 0]
        yield from rows_of({"task": task, "rule": "DoG"}, found, rate=1.0)


def by_schedule(framework, seeds):
    """Test loss and accuracy after 300 steps of 16 examples, of twelve networks.

    Each schedule at the rate that is best on eight other networks, by the loss and by the accuracy.
    """
    [nets] = twins(framework, "networks")
    for task, make in DEEP.items():
        for rule in ("SGD with momentum", "Adam"):
            for name, schedule in SCHEDULES.items():
                found = at_its_best(nets, RULES[rule], make, schedule=schedule)
                yield from rows_of({"task": task, "rule": rule, "schedule": name}, *found)


def by_decay(framework, seeds):
    """Test loss and accuracy after 300 steps of 16 examples, of twelve networks.

    Adam alone, with squared weights in the loss, and with decoupled weight decay (AdamW); rate and strength of each are
    the best on eight other networks, by the loss and by the accuracy.
    """
    [nets] = twins(framework, "networks")
    for task, make in TASKS.items():
        for name, options in (("Adam", [{}]), ("Adam, L2 in the loss", [{"l2": l2} for l2 in L2]),
                              ("AdamW", [{"decay": decay} for decay in DECAYS])):
            found, at = at_its_best(nets, adam, make, options)
            strength, other = (next(iter(own.values()), 0.0) for _, own in at)
            yield from rows_of({"task": task, "rule": name}, found, at, strength=strength,
                               **{"strength for accuracy": other})


def by_no_rate(framework, seeds):
    """Test loss and accuracy of twelve networks after 300 and 1,500 steps of 16 examples.

    Methods without a rate (DoG, DoWG, D-Adaptation, Prodigy) or without a schedule (schedule-free AdamW), those of
    packages at their defaults, beside the usual rules at the rate of a range test of 100 steps and at the best rate,
    by the loss and by the accuracy, and Adam at its default and with a cosine. DoG also ends at an average.
    """
    from dadaptation import DAdaptAdam
    from prodigyopt import Prodigy
    from schedulefree import AdamWScheduleFree

    [nets] = twins(framework, "networks")
    for steps in BUDGETS:
        for task, make in TASKS.items():
            others, ways = [make(own) for own in range(TESTED)], {
                "DoG": partial(descend, nets, dog), "DoG, averaged": partial(descend, nets, dog, average=8),
                "DoWG": partial(descend, nets, dowg),
                "D-Adaptation": partial(descend_with, nets, DAdaptAdam),
                "Prodigy": partial(descend_with, nets, Prodigy),
                "Prodigy, cosine": partial(descend_with, nets, Prodigy, schedule=cosine)}
            for name, way in ways.items():
                yield from rows_of({"steps": steps, "task": task, "rule": name},
                                   losses(way(others, [1.0], steps=steps), others, "test")[:, 0], rate=1.0)
            for name, way, rate in (("Adam", partial(descend, nets, adam), 0.001),
                                    ("schedule-free AdamW", partial(descend_with, nets, AdamWScheduleFree), 0.0025)):
                yield from rows_of({"steps": steps, "task": task, "rule": f"{name} at {rate:g}"},
                                   losses(way(others, [rate], steps=steps), others, "test")[:, 0], rate=rate)
            for name, rule in RULES.items():
                rates = range_test(nets, rule, others)
                found = losses(descend(nets, rule, others, [rates], steps=steps), others, "test")[:, 0]
                yield from rows_of({"steps": steps, "task": task, "rule": f"{name}, range test"}, found,
                                   rate=float(np.median(rates)))
            tuned = {name: (rule, {}) for name, rule in RULES.items()} | {
                "Adam, cosine": (adam, {"schedule": cosine}),
                "schedule-free AdamW": (AdamWScheduleFree, {"descend": descend_with})}
            for name, (rule, options) in tuned.items():
                found = at_its_best(nets, rule, make, steps=steps, **options)
                yield from rows_of({"steps": steps, "task": task, "rule": f"{name}, tuned"}, *found)


def shifted(images, rng, far=0.5):
    """Images (..., 64), each moved by up to `far` pixels in both directions, interpolated; what comes in is dark."""
    flat = images.reshape(-1, 8, 8)
    down, right = rng.uniform(-far, far, size=(2, len(flat), 1, 1))
    image, row, column = np.indices(flat.shape)
    moved = map_coordinates(flat, [image, row + down, column + right], order=1, mode="grid-constant", cval=flat.min())
    return moved.reshape(images.shape)


def try_out(nets, tasks, ways, *, looks=LOOKS, seed=0):
    """Train with each of the ways, {name: settings, "rate" among them}, on each task: (5, looks, ways, tasks).

    A look is every 20 steps of 16 examples; the figures are the loss in training, and loss and accuracy on validation
    and on test examples. SGD with a momentum of .9.
    """
    each, rng, seen = [task for _ in ways for task in tasks], np.random.default_rng(seed), []
    runs = nets.TrainingRuns(stacked(task.weights for task in each))
    own = {name: np.repeat([float(way.get(name, absent)) for way in ways.values()], len(tasks)) for name, absent in (
        ("rate", np.nan), ("l1", 0), ("l2", 0), ("dropout", 0), ("shift", 0), ("max_norm", np.inf))}
    used = {name: own[name] for name in ("l1", "l2", "max_norm") if any(name in way for way in ways.values())}
    examples = [stacked((getattr(task, f"x_{part}"), getattr(task, f"y_{part}")) for task in each)
                for part in ("val", "test")]
    for _ in range(looks):
        x, y = batches(each, rng, 20, 16)
        for far in set(own["shift"]) - {0}:
            x[:, own["shift"] == far] = shifted(x[:, own["shift"] == far], rng, far)
        kept = dropout_masks(rng, own["dropout"], (*x.shape[:3], each[0].weights[-2].shape[0]))
        loss, _ = runs.train(x, y, own["rate"], kept=kept, **used)
        seen.append([loss, *runs.evaluate(*examples[0]), *runs.evaluate(*examples[1])])
    seen = np.array(seen).reshape(looks, 5, len(ways), len(tasks)).swapaxes(0, 1)
    return np.where(np.isfinite(seen), seen, 1e9)


def by_remedy(framework, seeds):
    """Test loss and accuracy of twelve networks with data of their own; SGD with momentum, up to 1,600 steps.

    Rate, strength and length are those that are best on eight other networks, by the loss for the loss and by the
    accuracy for the accuracy, with and without a remedy. "To the end" are all 1,600 steps without a remedy; early
    stopping takes each of these networks where its own validation loss was lowest (accuracy was highest).
    """
    [nets] = twins(framework, "networks")
    for task, make in TASKS.items():
        ways = {(name, number, rate): way | {"rate": rate} for name, all_ways in REMEDIES.items()
                for number, way in enumerate(all_ways) for rate in STEADY[task] * np.array([1 / 3, 1, 3])
                if not (task == "names" and "shift" in way)}
        chosen, others = ([make(own) for own in owns] for owns in (TUNED, range(TESTED)))
        figures = try_out(nets, chosen, ways)[1:3].mean(axis=3) * np.array([1, -1])[:, None, None]  # low is good
        for name in dict.fromkeys(name for name, *_ in ways):
            yield from _tested(nets, task, others, name, {key: way for key, way in ways.items() if key[0] == name},
                               figures[:, :, [key[0] == name for key in ways]])


def _tested(nets, task, others, name, ways, figures):
    """Rows of other networks at the best setting and length, by figures (2, looks, ways) of which low is good."""
    keys, row = list(ways), {"task": task, "remedy": name}
    best = [np.unravel_index(own.argmin(), own.shape) for own in figures]  # (look, way)
    found = try_out(nets, others, {keys[place]: ways[keys[place]] for _, place in best})  # (5, looks, 1 or 2, networks)
    places = [0, found.shape[2] - 1]
    ends = [found[measure, look, place] for measure, (look, _), place in zip((3, 4), best, places, strict=True)]
    rest = {"rate": keys[best[0][1]][2], "steps": 20 * (best[0][0] + 1),
            "strength": next((value for knob, value in ways[keys[best[0][1]]].items() if knob != "rate"), 0.0)}
    yield from rows_of(row, np.array(ends), **rest)
    if name == "none":
        yield from rows_of(row | {"remedy": "none, to the end"}, np.array(
            [found[measure, -1, place] for measure, place in zip((3, 4), places, strict=True)]))
        looks = [found[1, :, places[0]].argmin(axis=0), found[2, :, places[1]].argmax(axis=0)]
        stopped = [found[measure, own, place, np.arange(len(own))]
                   for measure, own, place in zip((3, 4), looks, places, strict=True)]
        yield from rows_of(row | {"remedy": "early stopping"}, np.array(stopped), steps=20 * (looks[0].mean() + 1))


def by_clipping(framework, seeds):
    """Test accuracy of twelve networks of eight hidden layers after 400 steps of 16 of 900 digits, clipped or not.

    "Tuned" has the rate, and when clipped the limit, with the highest validation accuracy of eight other networks.
    """
    [nets] = twins(framework, "networks")
    for gain in GAINS:
        chosen, others = ([digits(own, 900, layers=8, units=32, gain=gain) for own in owns]
                          for owns in (TUNED, range(TESTED)))
        ways = {(name, rate): way | {"rate": rate} for name, way in CLIPPED.items() for rate in STEEP}
        figures, found = try_out(nets, chosen, ways, looks=20)[2, -1], try_out(nets, others, ways, looks=20)[4, -1]
        rows = dict(zip(ways, found, strict=True))
        for kind in ("not", "clipped"):
            best = max((key for key in ways if (key[0] == "not") == (kind == "not")),
                       key=lambda key: figures[list(ways).index(key)].mean())
            rows[f"{kind}, tuned", best[1]] = rows[best]
        yield from ({"gain": gain, "rate": rate, "clipped": name, "seed": number, "accuracy": value}
                    for (name, rate), values in rows.items() for number, value in enumerate(values))


def remedy_canary(framework):
    """Losses after few steps of each remedy."""
    [nets] = twins(framework, "networks")
    ways = {name: all_ways[0] | {"rate": 0.01} for name, all_ways in REMEDIES.items()}
    found = try_out(nets, [digits(own) for own in range(3)], ways, looks=4)
    return {f"{figure}, {name}": value for figure, values in zip(("training", "validation"), found, strict=False)
            for name, value in zip(ways, values[-1].mean(axis=1), strict=True)}


def clipping_canary(framework):
    """Losses after few steps, clipped or not."""
    [nets] = twins(framework, "networks")
    tasks = [digits(own, layers=8, units=32) for own in range(3)]
    ways = {name: way | {"rate": 0.01} for name, way in CLIPPED.items()}
    return dict(zip(ways, try_out(nets, tasks, ways, looks=4)[1, -1].mean(axis=1), strict=True))


def package_canary(framework):
    """Losses of few networks after few steps of optimizers of packages."""
    from prodigyopt import Prodigy
    from schedulefree import AdamWScheduleFree

    [nets], tasks = twins(framework, "networks"), [digits(own) for own in range(2)]
    found = {"range test": range_test(nets, sgd, tasks).mean()}
    for make, rate, schedule in ((Prodigy, 1.0, cosine), (AdamWScheduleFree, 0.0025, constant)):
        runs = descend_with(nets, make, tasks, [rate], steps=40, schedule=schedule)
        found[make.__name__] = losses(runs, tasks, "val")[0].mean()
    return found


def canary(framework):
    """Losses of few networks after few steps of each rule and schedule."""
    [nets] = twins(framework, "networks")
    tasks, found = [digits(own) for own in range(2)], {}
    for name, rule in (RULES | {"DoG": dog, "DoWG": dowg}).items():
        rate = 1.0 if rule in (dog, dowg) else 0.01
        runs = descend(nets, rule, tasks, [rate], steps=30, schedule=warm_up_and_cosine, decay=0.1)
        found[name] = losses(runs, tasks, "val")[0].mean()
    return found


STUDIES = {
    "training_rules": Benchmark(
        title="Optimizers, each at its best rate", settings={"rates": RATES, "steps": STEPS}, rows=by_rule,
        canary=canary, down=("task", "rule"), seeds=TESTED),
    "training_schedules": Benchmark(
        title="Schedules, each at its best rate", settings={"rates": RATES, "steps": STEPS}, rows=by_schedule,
        canary=canary, down=("task", "rule", "schedule"), seeds=TESTED),
    "training_no_rate": Benchmark(
        title="Without a learning rate, or without a schedule", settings={"rates": RATES, "steps": BUDGETS},
        rows=by_no_rate, canary=package_canary, down=("steps", "task", "rule"), seeds=TESTED, frameworks=("pytorch",)),
    "training_decay": Benchmark(
        title="Adam, L2 and weight decay", settings={"rates": RATES, "steps": STEPS, "l2": L2, "decay": DECAYS},
        rows=by_decay, canary=canary, down=("task", "rule"), seeds=TESTED),
    "training_remedies": Benchmark(
        title="Remedies, and what they cost", settings={"remedies": REMEDIES, "rates": STEADY, "looks": LOOKS},
        rows=by_remedy, canary=remedy_canary, down=("task", "remedy"), seeds=TESTED),
    "training_clipping": Benchmark(
        title="Clipping deep networks", settings={"gains": GAINS, "rates": STEEP, "clipped": sorted(CLIPPED)},
        rows=by_clipping, canary=clipping_canary, down=("gain", "rate", "clipped"), seeds=TESTED)}
