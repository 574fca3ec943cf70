"""What merging networks gives: their weights, experts of one base, and teachers' words."""

from dataclasses import replace

import numpy as np
from benchmark import FOLDS, Benchmark, divided, few, twins
from scipy.special import softmax
from sklearn.model_selection import train_test_split

from course_lib.merging import weights
from course_lib.merging.reference import barrier
from course_lib.networks.config import TrainingConfig
from course_lib.networks.scores import log_loss

# Weight decay leaves out what a network does not need: what is left, another one has as well.
MATCHABLE = TrainingConfig(epochs=40, learning_rate=1e-3, l2=1e-3)
FORKS = tuple(replace(MATCHABLE, epochs=10, learning_rate=rate) for rate in (3e-4, 1e-3, 3e-3, 1e-2, 3e-2))
BASE, TUNING = TrainingConfig(epochs=30, learning_rate=3e-3), TrainingConfig(epochs=20, learning_rate=1e-3)
FARTHER, ADAPTER = replace(TUNING, learning_rate=3e-3), replace(TUNING, learning_rate=1e-2)
SHRINK = 0.1  # of RegMean, which needs no labels so
TEACHER, STUDENT = TrainingConfig(epochs=30, learning_rate=3e-3, l2=1e-4), TrainingConfig(epochs=40, learning_rate=3e-3)
FEW_IMAGES = replace(STUDENT, epochs=200, batch_size=32)  # of 50: about as many updates
VIEWS = {"upright": lambda x: x, "mirrored": lambda x: x[:, :, ::-1], "turned": lambda x: np.rot90(x, axes=(1, 2))}
TOPICS = ("merging", "networks")


def trained(nets, model, x, y, config, *, seed=0):
    """The same network, trained."""
    nets.train(model, x, y, config, seed=seed)
    return model


def accuracy(said, y):
    """Share of probabilities (N, C) whose largest is that of the class y (N,)."""
    return float((said.argmax(axis=1) == y).mean())


def surprise(said, y):
    """Log-loss, for canaries: unlike an accuracy it does not jump."""
    return float(log_loss(np.maximum(said, 1e-6), y))


class Probe:
    """What lists of layers say, and a measure of it."""

    def __init__(self, nets, model, measure=accuracy):
        self.nets, self.model, self.measure = nets, model, measure

    def said(self, layers, x):
        return softmax(self.nets.predict(self.nets.set_layers(self.model, layers), x), axis=-1)

    def score(self, layers, x, y):
        return self.measure(self.said(layers, x), y)


def held_out(data, seed):
    """x, x held out, y, y held out: four fifths and one of the training images."""
    return train_test_split(data.x_train, data.y_train, test_size=0.2, random_state=seed, stratify=data.y_train)


def weight_space(nets, data, *, width=64, seed=0, config=MATCHABLE, points=11, soups=True):
    """{name: accuracy on the test images}, {name: barrier in nats}, and how many forks are in the greedy soup, or None.

    All networks have two hidden layers of `width`, and are trained on four fifths of the training images; the last
    fifth chooses among forks of the first network, which differ in the learning rate.
    """
    def make(own):
        return nets.make_mlp(data.x_train.shape[1:], len(data.classes), hidden=(width, width), seed=own)

    x, x_held, y, y_held = held_out(data, seed)
    probe, models = Probe(nets, make(0)), [trained(nets, make(2 * seed + m), x, y, config, seed=2 * seed + m)
                                           for m in (0, 1)]
    first, second = map(nets.get_layers, models)
    ends = {"naive": second,
            "matched": weights.permute(second, weights.match_weights(second, first, seed=seed))}
    walls = {name: barrier([log_loss(probe.said(weights.average([first, end], [1 - share, share]), data.x_test),
                                     data.y_test) for share in np.linspace(0, 1, points)])
             for name, end in ends.items()}
    both = np.mean([probe.said(layers, data.x_test) for layers in (first, second)], axis=0)
    table = {"both, their outputs averaged": float((both.argmax(axis=1) == data.y_test).mean())}
    found = {"first": first, "second": second, "mean of both": weights.average([first, second]),
             "mean, matched first": weights.average([first, ends["matched"]])}
    more, members = forked(nets, make, probe, first, (x, y, x_held, y_held), config, seed) if soups else ({}, None)
    table |= {name: probe.score(layers, data.x_test, data.y_test) for name, layers in (found | more).items()}
    return table, walls, members


def forked(nets, make, probe, first, data, config, seed):
    """Forks, soups of them, and one network that was trained as long: {name: layers}; members of the greedy soup."""
    x, y, x_held, y_held = data
    forks = [nets.get_layers(trained(nets, nets.set_layers(make(0), first), x, y, fork, seed=seed + own))
             for own, fork in enumerate(FORKS, 1)]
    on_held = [probe.score(fork, x_held, y_held) for fork in forks]
    longer = trained(nets, make(2 * seed), x, y, replace(config, epochs=config.epochs + FORKS[0].epochs), seed=2 * seed)
    greedy, chosen = weights.greedy_soup(forks, lambda layers: probe.score(layers, x_held, y_held))
    return {"worst fork": forks[int(np.argmin(on_held))], "best fork": forks[int(np.argmax(on_held))],
            "uniform soup": weights.average(forks), "uniform, without the fastest": weights.average(forks[:-1]),
            "greedy soup": greedy, "one network, trained as long": nets.get_layers(longer)}, len(chosen)


def in_weight_space(framework, seeds):
    """Digits, two hidden layers; each five seeds are the folds of one cross-validation.

    Accuracy on the test digits, and the barrier in nats of the test loss. Forks are the first network, trained on for
    ten epochs with five learning rates; a fifth of the training images says which is best, and what is in the greedy
    soup.
    """
    _, nets = twins(framework, *TOPICS)
    for seed in range(seeds):
        found = divided(seed)
        for name, width in (("64 wide", 64), ("512 wide", 512)):
            table, walls, members = weight_space(nets, found, width=width, seed=seed, soups=width == 64)
            for what, value in table.items():
                yield {"networks": name, "what": what, "seed": seed, "accuracy": value}
            if members:
                yield {"networks": name, "what": "members of the greedy soup", "seed": seed, "members": members}
            for what, value in walls.items():
                yield {"networks": name, "what": f"barrier, {what}", "seed": seed, "nats": value}


def three_tasks(data, *, seed=0, base=150):
    """Images for a base, (x, y) in all views, and for each view {"train", "held", "test"}: (x, y) of its own images."""
    order = np.random.default_rng(seed).permutation(len(data.y_train))
    shown = order[:base]
    tasks = {}
    for (name, view), rows in zip(VIEWS.items(), np.array_split(order[base:], len(VIEWS)), strict=True):
        cut = len(rows) // 5
        tasks[name] = {part: (np.ascontiguousarray(view(x)), y) for part, (x, y) in {
            "held": (data.x_train[rows[:cut]], data.y_train[rows[:cut]]),
            "train": (data.x_train[rows[cut:]], data.y_train[rows[cut:]]), "test": (data.x_test, data.y_test)}.items()}
    everything = np.concatenate([view(data.x_train[shown]) for view in VIEWS.values()])
    return (everything, np.tile(data.y_train[shown], len(VIEWS))), tasks


def merges(base, experts, tasks, score):
    """What merging makes of experts, {name: layers}; `score(layers)`, on held-out images, chooses numbers."""
    def best(made):
        return max(made, key=score)

    seen = [task["train"][0].reshape(len(task["train"][1]), -1) for task in tasks.values()]
    return {"average": weights.average(experts),
            "task arithmetic": best([weights.task_arithmetic(base, experts, scale)
                                     for scale in np.arange(0.1, 1.3, 0.1)]),
            "TIES": best([weights.ties(base, experts, keep=keep, scale=scale)
                          for keep in (0.1, 0.2, 0.4, 0.8) for scale in (0.5, 0.75, 1.0, 1.25, 1.5)]),
            "RegMean": weights.regmean(experts, seen, shrink=SHRINK)}


def tasks_table(merging, nets, fusion, data, *, seed=0, hidden=(128, 64), epochs=TUNING.epochs, measure=accuracy):
    """{name: measure (views,)} of experts that were trained on from one base, and of one network for all."""
    def make(own):
        return nets.make_mlp(data.x_train.shape[1:], len(data.classes), hidden=hidden, seed=own)

    def in_views(layers, part="test"):
        return [probe.score(layers, *task[part]) for task in tasks.values()]

    def tuned(model, task, config=TUNING):
        return trained(nets, model, *task["train"], replace(config, epochs=epochs), seed=seed)

    shown, tasks = three_tasks(data, seed=seed)
    probe, base = Probe(nets, make(0), measure), nets.get_layers(trained(nets, make(seed), *shown, BASE, seed=seed))
    experts, farther = ([nets.get_layers(tuned(nets.set_layers(make(0), base), task, config))
                         for task in tasks.values()] for config in (TUNING, FARTHER))
    adapters, slow = ([tuned(merging.LoRA(base, rank=4, seed=seed), task, config).merged() for task in tasks.values()]
                      for config in (ADAPTER, TUNING))
    union = {"train": [np.concatenate(each) for each in zip(*(task["train"] for task in tasks.values()), strict=True)]}
    both, more = (nets.get_layers(tuned(nets.set_layers(make(0), base), union, config)) for config in (TUNING, FARTHER))
    sparse = fusion.MixtureOfExperts([nets.set_layers(make(0), base) for _ in tasks], [data.x_train.shape[1:]], k=2,
                                     seed=seed)
    tuned(sparse, union)
    found = {"base": in_views(base), "multi-task": in_views(both), "multi-task, farther": in_views(more),
             "upcycled": [measure(softmax(nets.predict(sparse, task["test"][0]), axis=-1), task["test"][1])
                          for task in tasks.values()]}
    for name, group in (("", experts), (", farther", farther), (", adapters", adapters), (", slow adapters", slow)):
        found[f"experts{name}"] = [in_views(layers)[m] for m, layers in enumerate(group)]
        together = [np.mean([probe.said(layers, task["test"][0]) for layers in group], axis=0)
                    for task in tasks.values()]
        found[f"ensemble{name}"] = [measure(said, task["test"][1])
                                    for said, task in zip(together, tasks.values(), strict=True)]
        for what, layers in merges(base, group, tasks, lambda layers: np.mean(in_views(layers, "held"))).items():
            found[f"{what}{name}"] = in_views(layers)
    for m, view in enumerate(tasks):
        found[f"{view} unlearned"] = in_views(weights.task_arithmetic(base, experts[m:m + 1], -1.0))
    return found


def in_tasks(framework, seeds):
    """Three views of the digits; each five seeds are the folds of one cross-validation.

    A base has seen 150 images in all views: upright, mirrored, turned by 90 degrees. An expert is the base, trained
    on with images of one view, 340 or so ("farther": at three times the learning rate; adapters: at ten times, or slow,
    at the same); multi-task training, and the upcycled mixture of three copies of the base, saw all of these. Accuracy
    on the test digits in each view. Experts are measured on their own view alone. The numbers of task arithmetic and
    TIES are chosen on labelled held-out images; RegMean has none to choose.
    """
    merging, nets, fusion = twins(framework, *TOPICS, "fusion")
    for seed in range(seeds):
        for name, values in tasks_table(merging, nets, fusion, divided(seed), seed=seed).items():
            for view, value in zip(VIEWS, values, strict=True):
                yield {"network": name, "view": view, "seed": seed, "accuracy": value}


def by_a_teacher(framework, seeds):
    """Students of 32 hidden units, on digits; each five seeds are the folds of one cross-validation.

    The teacher is the mean of three networks, trained on one half of the training images (insiders: on the other
    one); students see the other one, or 50 images of it. Accuracy on the test digits.
    """
    merging, nets = twins(framework, *TOPICS)
    for seed in range(seeds):
        for name, value in lessons(merging, nets, divided(seed), seed=seed).items():
            yield {"taught with": name, "seed": seed, "accuracy": value}


def lessons(merging, nets, data, *, seed=0, measure=accuracy):
    """{name: accuracy} of students, by how they were taught, and of their teacher."""
    ours, others = np.array_split(np.random.default_rng(seed).permutation(len(data.y_train)), 2)
    x, y = data.x_train[others], data.y_train[others]
    teachers, insiders = ([trained(nets, nets.make_mlp((8, 8), 10, hidden=(64, 64), seed=3 * seed + m),
                                   data.x_train[rows], data.y_train[rows], TEACHER, seed=seed + m) for m in range(3)]
                          for rows in (ours, others))

    def word(images, models=teachers):
        return np.log(np.mean([softmax(nets.predict(model, images), axis=-1) for model in models], axis=0) + 1e-9)

    def taught(learn):
        student = nets.make_mlp((8, 8), 10, hidden=(32,), seed=3 * seed + 5)
        learn(student)
        return measure(softmax(nets.predict(student, data.x_test), axis=-1), data.y_test)

    teacher = word(x)
    return {"50 images: labels": taught(lambda one: nets.train(one, x[:50], y[:50], FEW_IMAGES, seed=seed)),
            "50 images: labels and doubts": taught(
                lambda one: merging.distill(one, x[:50], y[:50], teacher[:50], FEW_IMAGES, seed=seed)),
            "the half: the teacher's verdicts": taught(
                lambda one: nets.train(one, x, teacher.argmax(axis=1), STUDENT, seed=seed)),
            "the half: the teacher's doubts": taught(
                lambda one: merging.distill(one, x, y, teacher, STUDENT, share=1.0, seed=seed)),
            "the half: insiders' verdicts": taught(
                lambda one: nets.train(one, x, word(x, insiders).argmax(axis=1), STUDENT, seed=seed)),
            "the half: insiders' doubts": taught(
                lambda one: merging.distill(one, x, y, word(x, insiders), STUDENT, share=1.0, seed=seed)),
            "the half: labels": taught(lambda one: nets.train(one, x, y, STUDENT, seed=seed)),
            "the teacher": measure(np.exp(word(data.x_test)), data.y_test),
            "labels that the teacher knows": measure(np.exp(teacher), y),
            "labels that the insiders know": measure(np.exp(word(x, insiders)), y)}


def weights_canary(framework):
    """Log-losses of what is made of two small networks, after eight epochs, and of the first one's forks."""
    [nets] = twins(framework, "networks")
    images, config = few(), replace(MATCHABLE, epochs=8)
    x, x_held, y, y_held = held_out(images, 0)

    def make(seed):
        return nets.make_mlp((8, 8), 10, hidden=(24, 24), seed=seed)

    first, second = (nets.get_layers(trained(nets, make(seed), x, y, config, seed=seed)) for seed in (0, 1))
    probe = Probe(nets, make(0), surprise)
    moved = weights.permute(second, weights.match_weights(second, first, seed=0))
    found = {"mean": weights.average([first, second]), "by weights": weights.average([first, moved]),
             **forked(nets, make, probe, first, (x, y, x_held, y_held), config, 0)[0]}
    return {name: probe.score(layers, images.x_test, images.y_test) for name, layers in found.items()}


def tasks_canary(framework):
    """Log-losses, means of three views, after a short training; not of what was chosen, which rounding may move."""
    merging, nets, fusion = twins(framework, *TOPICS, "fusion")
    found = tasks_table(merging, nets, fusion, few(), hidden=(16, 8), epochs=3, measure=surprise)
    return {name: float(np.mean(values)) for name, values in found.items()
            if not name.startswith(("TIES", "task arithmetic"))}


def teacher_canary(framework):
    """Log-losses of students and teachers who saw 300 images."""
    merging, nets = twins(framework, *TOPICS)
    return lessons(merging, nets, few(), measure=surprise)


STUDIES = {
    "merging_weights": Benchmark(
        title="Averaging networks in the space of weights",
        settings={"training": MATCHABLE, "forks": FORKS, "folds": FOLDS},
        rows=in_weight_space, canary=weights_canary, down=("what",), across=("framework", "networks"), seeds=20),
    "merging_tasks": Benchmark(
        title="Merging experts of one base",
        settings={"base": BASE, "tuning": TUNING, "farther": FARTHER, "adapter": ADAPTER, "shrink": SHRINK,
                  "folds": FOLDS},
        rows=in_tasks, canary=tasks_canary, down=("network",), across=("framework", "view"), seeds=20),
    "merging_distillation": Benchmark(
        title="What students learn from a teacher",
        settings={"teacher": TEACHER, "student": STUDENT, "few images": FEW_IMAGES, "folds": FOLDS}, rows=by_a_teacher,
        canary=teacher_canary, down=("taught with",), seeds=20)}
