"""How good GANs are, and how fast.

All figures but the seconds are of the averaged generator, from as many samples as there are training images.
"""

import time
from dataclasses import replace

import numpy as np
from benchmark import Benchmark, timed, twins

from course_lib.common import data
from course_lib.gan import experiments
from course_lib.gan.config import SETTINGS
from course_lib.gan.quality import Judge
from course_lib.networks.config import TrainingConfig

FIELDS = {"frechet": "Fréchet distance", "precision": "precision", "recall": "recall", "coverage": "coverage",
          "accuracy_score": "accuracy score", "looks_like_label": "looks like its label", "memorised": "memorised"}
GAMES = {name: replace(SETTINGS["digits"], **fields) for name, fields in experiments.GAMES.items()}
SHORT = replace(SETTINGS["digits"], steps=2_000, record_every=2_000)
READER = TrainingConfig(epochs=15)


def figures(made):
    """What a `Judge` found, by the names of the tables."""
    return {title: getattr(made, field) for field, title in FIELDS.items()}


def framed(judge, seed=0):
    """The real images, and noise: the frame in which to read the figures."""
    for what, made in (("real images", judge.data.x_train), ("noise", np.random.default_rng(seed).random(
            judge.data.x_train.shape))):
        yield {"objective": what, "seed": seed, **figures(judge.quality(made, judge.data.y_train))}


def objectives(framework, seeds):
    """1,347 digits for training, 450 for testing.

    As many samples as there are training images. The Fréchet distance is taken in the last hidden layer of a
    classifier trained on the digits. The accuracy score is the accuracy, on real test digits, of a classifier that
    learned from samples only. Memorised is how often a sample is nearer to the training images than a test image
    is: one half if nothing is copied. Seconds on one core.
    """
    [twin], judge = twins(framework, "gan"), Judge(data.load("digits"))
    yield from framed(judge)
    x, y = judge.data.x_train, judge.data.y_train
    for name, config in GAMES.items():
        for seed in range(seeds):
            gan = twin.GAN(x.shape[1:], len(judge.data.classes), config, seed=seed)
            _, seconds = timed(lambda gan=gan, seed=seed: gan.fit(x, y, seed=seed), time.perf_counter)
            made = judge.quality(gan.sample(y, seed=seed + 1), y, seed=seed)
            yield {"objective": name, "seed": seed, **figures(made), "s": seconds}


def few_labels(framework, seeds):
    """2,000 steps.

    Accuracy on the test digits by what a classifier is trained on beside the 100; and how well the discriminator's
    logits tell its training images from test images.
    """
    [twin], images = twins(framework, "gan"), data.load("digits")
    for seed in range(seeds):
        for name, value in experiments.augmentation(twin, images, config=SHORT, seed=seed).items():
            yield {"what": f"accuracy: {name}", "seed": seed, "value": value}
        for members in (100, len(images.x_train)):
            area = experiments.leakage(twin, images, members=members, config=SHORT, seed=seed)
            yield {"what": f"ROC area of training images: {members}", "seed": seed, "value": area}


def mnist(framework, seeds, images, seconds):
    """Training for 115 seconds on one core."""
    twin, nets = twins(framework, "gan", "networks")
    found = data.load(images)
    chosen = np.random.default_rng(0).permutation(len(found.x_train))[:10_000]
    images = replace(found, x_train=found.x_train[chosen], y_train=found.y_train[chosen])
    judge = Judge(images, hidden=(256, 64), updates=2_000)

    def convolutional(x, y, seed):
        model = nets.make_cnn(x.shape[1:], len(images.classes), seed=seed)
        nets.train(model, x, y, READER, seed=seed)
        return {"accuracy score, convolutional": nets.accuracy(model, images.x_test, images.y_test)}

    for row in framed(judge):
        yield row | (convolutional(images.x_train, images.y_train, 0) if row["objective"] == "real images" else {})
    for name, settings in (("dense", "mnist"), ("convolutional", "mnist, conv")):
        for seed in range(seeds):
            gan = twin.GAN(images.x_train.shape[1:], len(images.classes), SETTINGS[settings], seed=seed)
            end = time.perf_counter() + float(seconds)
            gan.fit(images.x_train, images.y_train, steps=10**9, seed=seed,
                    callbacks=[lambda history, end=end: time.perf_counter() > end])
            samples, many = gan.sample(images.y_train, seed=seed + 1), np.tile(images.y_train, 6)
            yield {"objective": name, "seed": seed, **figures(judge.quality(samples, images.y_train, seed=seed)),
                   **convolutional(samples, images.y_train, seed), "steps": gan.steps,
                   "accuracy score, six times as many": judge.accuracy_score(gan.sample(many, seed=seed + 2), many,
                                                                             seed=seed)}


def canary(framework, configs, side=8, count=320):
    """Losses and samples after a few steps, of GANs by these settings, on some digits."""
    [twin], images, found = twins(framework, "gan"), data.load("digits"), {}
    x, y = (part[:count] for part in (images.x_train, images.y_train))
    x = np.kron(x, np.ones((1, side // 8, side // 8)))
    for name, config in configs.items():
        gan = twin.GAN(x.shape[1:], 10, replace(config, record_every=5), seed=0)
        history = gan.fit(x, y, steps=10, seed=0)
        made = gan.sample(y, seed=1)
        found |= {f"{name}: D": history.d_loss[-1], f"{name}: G": history.g_loss[-1], f"{name}: pixel": made.mean(),
                  f"{name}: spread": made.std()}
    return found


STUDIES = {
    "gan_objectives": Benchmark(
        title="Six objectives for a conditional GAN on digits",
        settings=GAMES, rows=objectives, down=("framework", "objective"), across=(),
        canary=lambda framework: canary(framework, {name: GAMES[name] for name in (
            "hinge + spectral norm", "WGAN-GP", "R3GAN")})),
    "gan_few_labels": Benchmark(
        title="GANs with 100 labels",
        settings={"gan": SHORT, "labels": 100}, rows=few_labels, down=("what",),
        canary=lambda framework: canary(framework, {"GAN": SHORT}, count=100)),
    "gan_mnist": Benchmark(
        title="GANs on 10,000 images of MNIST",
        settings={"dense": SETTINGS["mnist"], "convolutional": SETTINGS["mnist, conv"], "reader": READER,
                  "seconds": 115}, rows=mnist,
        down=("framework", "objective"), across=(), seeds=2, options={"images": "mnist", "seconds": 115},
        canary=lambda framework: canary(framework, {"conv": SETTINGS["mnist, conv"]}, count=64))}
