"""How good GANs are, and how fast, in both frameworks.

    python benchmarks/gan.py                        both frameworks
    python benchmarks/gan.py --frameworks keras     one of them
    python benchmarks/gan.py --images mnist.npz     10,000 images of 28x28 pixels, in the layout of Keras's mnist.npz

Each framework runs in a process of its own. Digits: six objectives with their regularisers, trained by the settings of
the course; augmentation with 100 labels; leakage. ± is the standard deviation over the seeds. All figures but the
seconds are of the averaged generator, from as many samples as there are training images.
"""

import argparse
import importlib
import time
from dataclasses import replace

import numpy as np
from side_by_side import report, table

from course_lib.classifier.config import TrainingConfig
from course_lib.common import data
from course_lib.gan import experiments
from course_lib.gan.config import SETTINGS
from course_lib.gan.quality import Judge

FIELDS = ("frechet", "precision", "recall", "coverage", "accuracy_score", "looks_like_label", "memorised")


def trained(twin, judge, config, seeds):
    """Yield (what, mean, spread) of each measure and of the seconds of training."""
    found = []
    for seed in range(seeds):
        gan = twin.GAN(judge.data.x_train.shape[1:], len(judge.data.classes), config, seed=seed)
        started = time.perf_counter()
        gan.fit(judge.data.x_train, judge.data.y_train, seed=seed)
        seconds = time.perf_counter() - started
        made = judge.quality(gan.sample(judge.data.y_train, seed=seed + 1), judge.data.y_train, seed=seed)
        found.append([getattr(made, field) for field in FIELDS] + [seconds])
    for name, values in zip((*FIELDS, "seconds"), np.transpose(found), strict=True):
        yield name, values.mean(), values.std()


def framed(judge):
    """Yield (what, value, 0) of the real images and of noise: the frame in which to read the figures."""
    rng, images = np.random.default_rng(0), judge.data.x_train
    for what, made in (("real images", images), ("noise", rng.random(images.shape))):
        found = judge.quality(made, judge.data.y_train)
        yield from ((f"{what}, {field}", getattr(found, field), 0.0) for field in FIELDS)


def digits(twin, seeds):
    """Yield (what, mean, spread) of the six objectives on the digits."""
    judge = Judge(data.load("digits"))
    yield from ((f"digits, {what}", *figures) for what, *figures in framed(judge))
    for name, fields in experiments.GAMES.items():
        config = replace(SETTINGS["digits"], **fields)
        yield from ((f"digits, {name}, {what}", *figures) for what, *figures in trained(twin, judge, config, seeds))


def uses(twin, seeds):
    """Yield (what, mean, spread) of augmentation and of leakage."""
    images, config = data.load("digits"), replace(SETTINGS["digits"], steps=2_000, record_every=2_000)
    rows = [experiments.augmentation(twin, images, config=config, seed=seed) for seed in range(seeds)]
    for name in rows[0]:
        yield f"100 labels, {name}", np.mean([row[name] for row in rows]), np.std([row[name] for row in rows])
    for members in (100, len(images.x_train)):
        areas = [experiments.leakage(twin, images, members=members, config=config, seed=seed) for seed in range(seeds)]
        yield f"leakage, {members} members", np.mean(areas), np.std(areas)


def bigger(twin, path, seeds, seconds):
    """Yield (what, mean, spread) of the settings for 28x28 images, trained for so many seconds each.

    The accuracy score is also that of a convolutional classifier, which reads such images better than the judge's.
    """
    classifier = importlib.import_module(twin.__name__.replace(".gan.", ".classifier."))
    found = data.load(path)
    rows = np.random.default_rng(0).permutation(len(found.x_train))[:10_000]
    images = replace(found, x_train=found.x_train[rows], y_train=found.y_train[rows])
    judge = Judge(images, hidden=(256, 64), updates=2_000)

    def convolutional(x, y, seed):
        model = classifier.make_cnn(x.shape[1:], len(images.classes), seed=seed)
        classifier.train(model, x, y, TrainingConfig(epochs=15), seed=seed)
        return classifier.accuracy(model, images.x_test, images.y_test)

    yield from ((f"images, {what}", *figures) for what, *figures in framed(judge))
    yield "images, real images, accuracy_score, convolutional", convolutional(images.x_train, images.y_train, 0), 0.0
    fields = (*FIELDS, "accuracy_score of six times as many", "accuracy_score, convolutional", "steps")
    for name in ("mnist", "mnist, conv"):
        measures = []
        for seed in range(seeds):
            gan = twin.GAN(images.x_train.shape[1:], len(images.classes), SETTINGS[name], seed=seed)
            end = time.perf_counter() + seconds
            gan.fit(images.x_train, images.y_train, steps=10**9, seed=seed,
                    callbacks=[lambda history, end=end: time.perf_counter() > end])
            samples = gan.sample(images.y_train, seed=seed + 1)
            made = judge.quality(samples, images.y_train, seed=seed)
            many = np.tile(images.y_train, 6)
            more = judge.accuracy_score(gan.sample(many, seed=seed + 2), many, seed=seed)
            found = [more, convolutional(samples, images.y_train, seed), gan.steps]
            measures.append([getattr(made, field) for field in FIELDS] + found)
        for what, values in zip(fields, np.transpose(measures), strict=True):
            yield f"images, {name}, {what}", values.mean(), values.std()


def main():
    """Run the frameworks one after the other and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frameworks", nargs="+", choices=("pytorch", "keras"), default=["pytorch", "keras"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--images", help="an .npz file, in place of the digits")
    parser.add_argument("--seconds", type=float, default=120, help="of training on those images")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        twin = importlib.import_module(f"course_lib.gan.in_{options.frameworks[0]}")
        parts = [bigger(twin, options.images, options.seeds, options.seconds)] if options.images else [
            digits(twin, options.seeds), uses(twin, options.seeds)]
        for part in parts:
            for figures in part:
                report(*figures)
        return
    images = ["--images", options.images] if options.images else []
    table(__file__, options.frameworks, ["--seeds", str(options.seeds), "--seconds", str(options.seconds), *images])


if __name__ == "__main__":
    main()
