"""How good GANs are, and how fast.

All figures but the seconds are of the averaged generator, from as many samples as there are training images.
"""

import time
from dataclasses import replace

import numpy as np
from benchmark import Benchmark, timed, twins
from scipy.ndimage import affine_transform
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from course_lib.common import data
from course_lib.gan.config import SETTINGS
from course_lib.gan.quality import Judge, stack
from course_lib.networks.config import TrainingConfig

FIELDS = {"frechet": "Fréchet distance", "precision": "precision", "recall": "recall", "coverage": "coverage",
          "accuracy_score": "accuracy score", "looks_like_label": "looks like its label", "memorised": "memorised"}
# Objectives with regularisers that suit them; all else is as tuned for the one with R1.
GAMES = {name: replace(SETTINGS["digits"], **fields) for name, fields in {
    "minimax": {"objective": "minimax", "r1": 0.0},
    "minimax + R1": {"objective": "minimax"},
    "non-saturating": {"r1": 0.0},
    "hinge + spectral norm": {"objective": "hinge", "r1": 0.0, "spectral_norm": True},
    "WGAN-GP": {"objective": "wasserstein", "r1": 0.0, "gradient_penalty": 10.0, "discriminator_steps": 3},
    "non-saturating + R1": {},
    "R3GAN": {"objective": "relativistic", "r2": 1.0},
}.items()}
STACKED = {name: replace(config, hidden=(512, 512), latent_size=64, steps=4_000) for name, config in GAMES.items()}
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
    is: one half for images distributed as these, one for copies. s: CPU seconds of training.
    """
    [twin], judge = twins(framework, "gan"), Judge(data.load("digits"))
    yield from framed(judge)
    x, y = judge.data.x_train, judge.data.y_train
    for name, config in GAMES.items():
        for seed in range(seeds):
            gan = twin.GAN(x.shape[1:], len(judge.data.classes), config, seed=seed)
            _, seconds = timed(lambda gan=gan, seed=seed: gan.fit(x, y, seed=seed))
            made = judge.quality(gan.sample(y, seed=seed + 1), y, seed=seed)
            yield {"objective": name, "seed": seed, **figures(made), "s": seconds}


def stacked(framework, seeds):
    """Three of the 1,347 digits side by side, which makes 1,000 kinds of image; no labels.

    Of 26,000 samples: how many of the 1,000 triples a classifier of the digits finds in them; how many, if only
    images count of whose three digits it is more than 90 % sure; the share of such images; and the Kullback-Leibler
    divergence of the triples from all equally often. The real images are of test digits. s: CPU seconds of training.
    """
    [twin], judge, rng = twins(framework, "gan"), Judge(data.load("digits")), np.random.default_rng(0)
    digits = judge.data
    for what, made in (("real images", stack(digits.x_test, 26_000, rng)), ("noise", rng.random((26_000, 8, 24)))):
        yield {"objective": what, "seed": 0, **judge.triples(made)._asdict()}
    images = stack(digits.x_train, 50_000, rng)
    for name, config in STACKED.items():
        for seed in range(seeds):
            gan = twin.GAN(images.shape[1:], 0, config, seed=seed)
            _, seconds = timed(lambda gan=gan, seed=seed: gan.fit(images, seed=seed))
            made = gan.sample(np.zeros(26_000, int), seed=seed + 1)
            yield {"objective": name, "seed": seed, **judge.triples(made)._asdict(), "s": seconds}


def affine(images, copies, *, seed=0):
    """Copies (N * copies, height, width) of images (N, height, width), each turned, scaled and shifted at random.

    By up to 15 degrees, a tenth, and a twelfth of the width.
    """
    rng, (height, width) = np.random.default_rng(seed), images.shape[1:]
    centre, turned = np.array([height - 1, width - 1]) / 2, []
    for image in np.repeat(images, copies, axis=0):
        angle, scale = np.deg2rad(rng.uniform(-15, 15)), rng.uniform(0.9, 1.1)
        matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / scale
        shift = rng.uniform(-1, 1, 2) * width / 12
        turned.append(affine_transform(image, matrix, offset=centre - matrix @ (centre + shift), order=1))
    return np.clip(turned, 0, 1).astype(np.float32)


def chosen_few(data, count, seed):
    """`count` training images with their classes, as many of each as can be, and the others without."""
    if count == len(data.y_train):
        return data.x_train, data.y_train, data.x_train[:0]
    x, others, y, _ = train_test_split(data.x_train, data.y_train, train_size=count, random_state=seed,
                                       stratify=data.y_train)
    return x, y, others


def augmentation(twin, data, *, labels=100, copies=10, config=None, seed=0):
    """Accuracy on the test images of a classifier that has few labels, by what is added to them.

    With the rest of the training images without their labels "pseudo-labels" and "GAN of pseudo-labels" (in both cases
    beside affine). "GAN of all labels" is a leak: its GAN saw every label of the training set.
    """
    x, y, rest = chosen_few(data, labels, seed)
    judge = Judge(replace(data, x_train=x, y_train=y), seed=seed)
    shape, n_classes = x.shape[1:], len(data.classes)

    def generated(images, classes, of):
        gan = twin.GAN(shape, n_classes, config, seed=seed)
        gan.fit(images, classes, seed=seed)
        return gan.sample(of, seed=seed)

    def score(*added):
        parts = [(x, y), *added]
        return judge.accuracy_score(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)), seed=seed)

    more = np.repeat(y, copies)
    turned, few = (affine(x, copies, seed=seed), more), (generated(x, y, more), more)
    model = judge.train(np.concatenate([x, turned[0]]), np.concatenate([y, more]), seed)
    guesses = judge.classify(model, rest)
    return {"labels alone": score(), "affine": score(turned), "GAN": score(few), "affine + GAN": score(turned, few),
            "pseudo-labels": score(turned, (rest, guesses)),
            "GAN of pseudo-labels": score(turned, (generated(rest, guesses, more), more)),
            "GAN of all labels": score((generated(data.x_train, data.y_train, more), more))}


def leakage(twin, data, *, members, config=None, seed=0):
    """How well the discriminator tells its training images from others: the area under its ROC curve.

    Hayes et al. 2019, "LOGAN: membership inference attacks against generative models".
    """
    x, y, _ = chosen_few(data, members, seed)
    gan = twin.GAN(x.shape[1:], len(data.classes), config, seed=seed)
    gan.fit(x, y, seed=seed)
    scores = np.concatenate([gan.score(x, y), gan.score(data.x_test, data.y_test)])
    return float(roc_auc_score(np.repeat([1, 0], [len(x), len(data.x_test)]), scores))


def few_labels(framework, seeds):
    """2,000 steps.

    Accuracy on the test digits by what a classifier is trained on beside the 100; and how well the discriminator's
    logits tell its training images from test images.
    """
    [twin], images = twins(framework, "gan"), data.load("digits")
    for seed in range(seeds):
        for name, value in augmentation(twin, images, config=SHORT, seed=seed).items():
            yield {"what": f"accuracy: {name}", "seed": seed, "value": value}
        for members in (100, len(images.x_train)):
            area = leakage(twin, images, members=members, config=SHORT, seed=seed)
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


def canary(framework, configs, count=320, stacks=False):
    """Losses and samples after a few steps, of GANs by these settings, on some digits."""
    [twin], images, found = twins(framework, "gan"), data.load("digits"), {}
    x, y = (part[:count] for part in (images.x_train, images.y_train))
    if stacks:
        x = stack(x, count, np.random.default_rng(0))
    for name, config in configs.items():
        gan = twin.GAN(x.shape[1:], 0 if stacks else 10, replace(config, record_every=5), seed=0)
        history = gan.fit(x, y, steps=10, seed=0)
        made = gan.sample(y, seed=1)
        found |= {f"{name}: D": history.d_loss[-1], f"{name}: G": history.g_loss[-1], f"{name}: pixel": made.mean(),
                  f"{name}: spread": made.std()}
    return found


STUDIES = {
    "gan_objectives": Benchmark(
        title="Objectives for a conditional GAN on digits",
        settings=GAMES, rows=objectives, down=("framework", "objective"), across=(),
        canary=lambda framework: canary(framework, {name: GAMES[name] for name in (
            "hinge + spectral norm", "WGAN-GP", "R3GAN")})),
    "gan_stacked": Benchmark(
        title="Objectives for a GAN on stacked digits",
        settings=STACKED, rows=stacked, down=("framework", "objective"), across=(),
        canary=lambda framework: canary(framework, {name: STACKED[name] for name in ("minimax", "WGAN-GP")},
                                        stacks=True)),
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
