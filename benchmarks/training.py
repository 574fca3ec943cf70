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


def dog(g, w, s, t):
    """Distance over gradients, whose rate is 1: Ivgi, Hinder & Carmon 2023, "DoG is SGD's best friend", eq. 1."""
    start = s.setdefault("start", w)
    s["far"] = np.maximum(s.get("far", 1e-4 * (1 + np.linalg.norm(w, axis=1))), np.linalg.norm(w - start, axis=1))
    s["v"] = s.get("v", 0) + (g**2).sum(axis=1)
    return (s["far"] / np.sqrt(s["v"] + 1e-8))[:, None] * g


L2, DECAYS = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1), (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
BUDGETS = (300, 1_500)
STEADY = {"60 digits": 0.01, "900 digits": 0.03, "names": 0.003}  # rates of SGD with momentum
LOOKS = {"60 digits": 20, "900 digits": 50, "names": 20}  # of 20 steps each
REMEDIES = {"none": [{}], "L1": [{"l1": l1} for l1 in (3e-4, 1e-3, 3e-3, 1e-2)],
            "L2": [{"l2": l2} for l2 in (1e-3, 3e-3, 1e-2, 3e-2, 1e-1)],
            "dropout": [{"dropout": rate} for rate in (0.1, 0.2, 0.5, 0.7)], "augmentation": [{"shift": 0.5}]}
GAINS, STEEP = (1.0, 1.5), (0.001, 0.002, 0.005, 0.01, 0.02, 0.05)
CLIPPED = {"not": {}, "norm at 1": {"max_norm": 1.0}, "values at .01": {"max_value": 0.01}}
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


def dowg(g, w, s, t):
    """Distance over weighted gradients: Khaled, Mishchenko & Jin 2023, "DoWG unleashed", algorithm 1."""
    start = s.setdefault("start", w)
    s["far"] = np.maximum(s.get("far", 1e-4 * (1 + np.linalg.norm(w, axis=1))), np.linalg.norm(w - start, axis=1))
    s["v"] = s.get("v", 0) + s["far"]**2 * (g**2).sum(axis=1)
    return (s["far"]**2 / np.sqrt(s["v"] + 1e-16))[:, None] * g


def stacked(parts):
    """Arrays that stand in the same place, stacked."""
    return [np.stack(each) for each in zip(*parts, strict=True)]


def descend(nets, rule, tasks, rates, *, steps=STEPS, schedule=constant, decay=0.0, l2=0.0, seen=None):
    """Train a network on each task at each rate, or at its own of rates (n, tasks); return all runs (n * tasks).

    Batch losses of each step (n * tasks) are appended to the list `seen`.
    `rule(g, w, s, t)` makes a direction of gradients g (K, W), weights w (K, W), a memory s and the step t, from 1 on.
    `decay` shrinks kernels by that share times the rate, `l2` adds their squares to the loss.
    """
    each = [task for _ in rates for task in tasks]
    runs, memory = nets.TrainingRuns(stacked(one.weights for one in each)), {}
    rate = np.broadcast_to(np.reshape(rates, (len(rates), -1)), (len(rates), len(tasks))).ravel()
    kernels = np.concatenate([np.full(part.size, part.ndim == 2) for part in each[0].weights])
    x, y = batches(each, np.random.default_rng(0), steps, 16)
    with np.errstate(all="ignore"):  # runs may explode
        for t in range(1, steps + 1):
            loss, gradient = runs.gradients(x[t - 1], y[t - 1])
            if seen is not None:
                seen.append(loss)
            direction = rule(gradient + 2 * l2 * kernels * runs.flat, runs.flat, memory, t)
            now = (rate * schedule((t - 1) / steps))[:, None]
            moved = runs.flat - now * (direction + decay * kernels * runs.flat)
            runs.flat = np.nan_to_num(moved, nan=1e9).clip(-1e9, 1e9)
    return runs


def range_test(nets, rule, tasks, steps=100):
    """For each task a tenth of the rate at which the smoothed batch loss is lowest, while it rises from 1e-5 to 10.

    Smith 2017, "Cyclical learning rates for training neural networks", section 3.3, but for the tenth.
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
    """Rate and options of the lowest mean validation loss on networks to choose by; results of others (2, n)."""
    chosen, others = ([make(own) for own in owns] for owns in (TUNED, range(TESTED)))
    means = {(rate, number): mean for number, own in enumerate(options) for rate, mean in zip(RATES, losses(
        descend(nets, rule, chosen, RATES, **own, **fixed), chosen, "val")[0].mean(axis=1), strict=True)}
    rate, number = min(means, key=means.get)
    runs = descend(nets, rule, others, [rate], **options[number], **fixed)
    return rate, options[number], losses(runs, others, "test")[:, 0]


def rows_of(case, found, **more):
    """A row for each network."""
    for number, (loss, accuracy) in enumerate(found.T):
        yield {**case, "seed": number, "test loss": loss, "accuracy": accuracy, **more}


def by_rule(framework, seeds):
    """Test loss and accuracy after 300 steps of 16 examples, of twelve networks with data of their own.

    Each rule at the rate that is best on eight other networks, or at the default of Keras; DoG has none.
    """
    [nets] = twins(framework, "networks")
    for task, make in TASKS.items():
        others = [make(own) for own in range(TESTED)]
        for name, rule in RULES.items():
            rate, _, found = at_its_best(nets, rule, make)
            yield from rows_of({"task": task, "rule": name}, found, rate=rate)
        for name, rate in (("SGD", 0.01), ("RMSprop", 0.001), ("Adam", 0.001)):
            found = losses(descend(nets, RULES[name], others, [rate]), others, "test")[:, 0]
            yield from rows_of({"task": task, "rule": f"{name} at {rate:g}"}, found, rate=rate)
        found = losses(descend(nets, dog, others, [1.0]), others, "test")[:, 0]
        yield from rows_of({"task": task, "rule": "DoG"}, found, rate=1.0)


def by_schedule(framework, seeds):
    """Test loss and accuracy after 300 steps of 16 examples, of twelve networks; each schedule at its own best rate."""
    [nets] = twins(framework, "networks")
    for task, make in DEEP.items():
        for rule in ("SGD with momentum", "Adam"):
            for name, schedule in SCHEDULES.items():
                rate, _, found = at_its_best(nets, RULES[rule], make, schedule=schedule)
                yield from rows_of({"task": task, "rule": rule, "schedule": name}, found, rate=rate)


def by_decay(framework, seeds):
    """Test loss and accuracy after 300 steps of 16 examples, of twelve networks.

    Adam alone, with squared weights in the loss, and with decoupled weight decay (AdamW); rate and strength of each are
    the best on eight other networks.
    """
    [nets] = twins(framework, "networks")
    for task, make in TASKS.items():
        for name, options in (("Adam", [{}]), ("Adam, L2 in the loss", [{"l2": l2} for l2 in L2]),
                              ("AdamW", [{"decay": decay} for decay in DECAYS])):
            rate, chosen, found = at_its_best(nets, adam, make, options)
            strength = next(iter(chosen.values()), 0.0)
            yield from rows_of({"task": task, "rule": name}, found, rate=rate, strength=strength)


def by_no_rate(framework, seeds):
    """Test loss and accuracy of twelve networks after 300 and 1,500 steps of 16 examples.

    Methods without a rate (DoG, DoWG, D-Adaptation, Prodigy) or without a schedule (schedule-free AdamW), those of
    packages at their defaults, beside the usual rules at the rate of a range test of 100 steps and at the best rate,
    and Adam at its default and with a cosine.
    """
    from dadaptation import DAdaptAdam
    from prodigyopt import Prodigy
    from schedulefree import AdamWScheduleFree

    [nets] = twins(framework, "networks")
    for steps in BUDGETS:
        for task, make in TASKS.items():
            others, ways = [make(own) for own in range(TESTED)], {
                "DoG": partial(descend, nets, dog), "DoWG": partial(descend, nets, dowg),
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
                rate, _, found = at_its_best(nets, rule, make, steps=steps, **options)
                yield from rows_of({"steps": steps, "task": task, "rule": f"{name}, tuned"}, found, rate=rate)


def shifted(images, rng, far=0.5):
    """Images (..., 64), each moved by up to `far` pixels in both directions, interpolated; what comes in is dark."""
    flat = images.reshape(-1, 8, 8)
    down, right = rng.uniform(-far, far, size=(2, len(flat), 1, 1))
    image, row, column = np.indices(flat.shape)
    moved = map_coordinates(flat, [image, row + down, column + right], order=1, mode="grid-constant", cval=flat.min())
    return moved.reshape(images.shape)


def try_out(nets, tasks, ways, rate, *, looks=20, seed=0):
    """Train with each way, {name: settings}, on each task: (looks, ways, tasks) of each of four figures.

    A look is every 20 steps of 16 examples; the figures are the loss in training, on validation and on test examples,
    and the test accuracy. SGD with a momentum of .9.
    """
    each, rng, seen = [task for _ in ways for task in tasks], np.random.default_rng(seed), []
    runs = nets.TrainingRuns(stacked(task.weights for task in each))
    own = {name: np.repeat([float(way.get(name, absent)) for way in ways.values()], len(tasks)) for name, absent in (
        ("l1", 0), ("l2", 0), ("dropout", 0), ("shift", 0), ("max_norm", np.inf), ("max_value", np.inf))}
    used = {name: own[name] for name in ("l1", "l2", "max_norm", "max_value")
            if any(name in way for way in ways.values())}
    examples = [stacked((getattr(task, f"x_{part}"), getattr(task, f"y_{part}")) for task in each)
                for part in ("val", "test")]
    for _ in range(looks):
        x, y = batches(each, rng, 20, 16)
        if own["shift"].any():
            x[:, own["shift"] > 0] = shifted(x[:, own["shift"] > 0], rng)
        kept = dropout_masks(rng, own["dropout"], (*x.shape[:3], each[0].weights[-2].shape[0]))
        loss, _ = runs.train(x, y, np.full(len(each), rate), kept=kept, **used)
        (validation, _), (test, right) = (runs.evaluate(*pair) for pair in examples)
        seen.append([loss, validation, test, right])
    return np.array(seen).reshape(looks, 4, len(ways), len(tasks)).swapaxes(0, 1)


def by_remedy(framework, seeds):
    """Loss in training, test loss and accuracy, of twelve networks with data of their own; SGD with momentum.

    Of each remedy the strength with the lowest validation loss of eight other networks. Early stopping takes each
    network where its own validation loss was lowest.
    """
    [nets] = twins(framework, "networks")
    for task, make in TASKS.items():
        ways = {(name, number): way for name, all_ways in REMEDIES.items() for number, way in enumerate(all_ways)
                if not (task == "names" and "shift" in way)}
        chosen, others = ([make(own) for own in owns] for owns in (TUNED, range(TESTED)))
        last = dict(zip(ways, try_out(nets, chosen, ways, STEADY[task], looks=LOOKS[task])[1, -1].mean(axis=1),
                        strict=True))
        best = {name: ways[min((key for key in ways if key[0] == name), key=last.get)] for name, _ in ways}
        figures = try_out(nets, others, best, STEADY[task], looks=LOOKS[task])
        for number, (name, way) in enumerate(best.items()):
            for network, (train, _, test, right) in enumerate(figures[:, -1, number].T):
                yield {"task": task, "remedy": name, "seed": network, "training loss": train, "test loss": test,
                       "accuracy": right, "strength": next(iter(way.values()), 0.0)}
        plain = figures[:, :, list(best).index("none")]
        for network, look in enumerate(plain[1].argmin(axis=0)):
            yield {"task": task, "remedy": "early stopping", "seed": network, "training loss": plain[0, look, network],
                   "test loss": plain[2, look, network], "accuracy": plain[3, look, network],
                   "strength": (look + 1) / len(plain[1])}


def by_clipping(framework, seeds):
    """Test accuracy of twelve networks of eight hidden layers after 400 steps of 16 of 900 digits, clipped or not."""
    [nets] = twins(framework, "networks")
    for gain in GAINS:
        tasks = [digits(own, 900, layers=8, units=32, gain=gain) for own in range(TESTED)]
        for rate in STEEP:
            for (name, _), right in zip(CLIPPED.items(), try_out(nets, tasks, CLIPPED, rate)[3, -1], strict=True):
                yield from ({"gain": gain, "rate": rate, "clipped": name, "seed": number, "accuracy": value}
                            for number, value in enumerate(right))


def remedy_canary(framework):
    """Losses after few steps of each remedy."""
    [nets] = twins(framework, "networks")
    ways = {name: all_ways[0] for name, all_ways in REMEDIES.items()}
    found = try_out(nets, [digits(own) for own in range(3)], ways, 0.01, looks=4)
    return {f"{figure}, {name}": value for figure, values in zip(("training", "validation"), found, strict=False)
            for name, value in zip(ways, values[-1].mean(axis=1), strict=True)}


def clipping_canary(framework):
    """Losses after few steps, clipped or not."""
    [nets] = twins(framework, "networks")
    tasks = [digits(own, layers=8, units=32) for own in range(3)]
    return dict(zip(CLIPPED, try_out(nets, tasks, CLIPPED, 0.01, looks=4)[1, -1].mean(axis=1), strict=True))


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
