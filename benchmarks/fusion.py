"""What fusing networks gives, by outputs, features, weights and choice, in both frameworks.

    python benchmarks/fusion.py                        both frameworks, on the digits
    python benchmarks/fusion.py --frameworks keras     one of them
    python benchmarks/fusion.py --images mnist.npz     8,000 images of 28x28 pixels, in the layout of Keras's mnist.npz

Each framework runs in a process of its own. Two experts see one half of each image each; "noisy" means that in half of
the images one half is noise. ± is the standard deviation over the seeds, by which the training images differ, too.
"""

import argparse
import importlib
from dataclasses import replace

import numpy as np
from side_by_side import report, table

from course_lib.classifier.config import TrainingConfig
from course_lib.common import data
from course_lib.fusion import choosing, experiments, robustness, series, weights
from course_lib.fusion.env import ExpertChoiceEnv

BIGGER = {"hidden": (128,), "config": TrainingConfig(epochs=15, learning_rate=2e-3, l2=1e-4)}  # for 28x28 pixels


def drawn(path, seed, count=8_000):
    """The digits, or that many training images of a file."""
    if path is None:
        return data.load("digits", seed=seed)
    found = data.load(path)
    rows = np.random.default_rng(seed).permutation(len(found.x_train))[:count]
    return replace(found, x_train=found.x_train[rows], y_train=found.y_train[rows])


def on_halves(twins, images, seed, settings):
    """Yield (what, value) of two experts on halves, clean and noisy, and of choosing between them."""
    for name, change in (("clean", lambda x, seed: x), ("noisy", lambda x, seed: experiments.with_noise(x, seed=seed))):
        changed = replace(images, x_train=change(images.x_train, seed), x_test=change(images.x_test, seed + 1_000))
        found, inside, y, outside = experiments.halves_table(twins["fusion"], twins["classifier"], changed, seed=seed,
                                                             **settings)
        envs = (ExpertChoiceEnv(said, own, weightings=choosing.WEIGHTINGS)
                for said, own in ((inside, y), (outside, images.y_test)))
        found |= choosing.choice_table(twins["dqn"], *envs, seed=seed)
        yield from ((f"halves, {name}: {what}", value) for what, value in found.items())


def in_weight_space(twins, images, seed):
    """Yield (what, value) of two wide and two narrow networks."""
    for width in (512, 64):
        found, paths = experiments.weight_space(twins["fusion"], twins["classifier"], images, width=width, seed=seed)
        yield from ((f"width {width}: {what}", value) for what, value in found.items())
        yield from ((f"width {width}: barrier, {what}", weights.barrier(path)) for what, path in paths.items())
    free = replace(experiments.MATCHABLE, l2=0.0)
    found, paths = experiments.weight_space(twins["fusion"], twins["classifier"], images, seed=seed, config=free)
    yield from ((f"width 512, no weight decay: {what}", value) for what, value in found.items())
    yield from ((f"width 512, no weight decay: barrier, {what}", weights.barrier(path)) for what, path in paths.items())


def partners(twins, path, seed):
    """Yield (what, value) of partners that are weaker but different, or as good but alike."""
    few = drawn(path, seed, 1_000)
    found, alike = experiments.partners_table(twins["fusion"], twins["classifier"], few, seed=seed)
    yield from ((f"partners: {what}", value) for what, value in found.items())
    yield from ((f"partners: correlation of mistakes, {what}", value) for what, value in alike.items())


def choices(twins, seed):
    """Yield (what, value) of choosing between specialists, and of asking an expert who tires, on the digits."""
    images = data.load("digits", seed=seed)
    fusion, nets, dqn = (twins[topic] for topic in ("fusion", "classifier", "dqn"))
    found = choosing.specialists_table(fusion, nets, dqn, images, seed=seed)
    yield from ((f"specialists: {what}", value) for what, value in found.items())
    found = choosing.tiring_table(dqn, *choosing.tiring(nets, images, seed=seed), seed=seed)
    yield from ((f"tiring: {what}", value) for what, value in found.items())


def robust(twins, images, seed, settings):
    """Yield (what, value) of what happens to accuracy when a member lies, or an input is missing or attacked."""
    fusion, nets = twins["fusion"], twins["classifier"]
    experts, _ = experiments.experts_on_halves(nets, images, seed=seed, **settings)
    for what, after, found in (
            ("lies", "one of three lies", robustness.poisoned_table(nets, images, seed=seed, **settings)),
            ("lies, 150 images", "one of three lies", robustness.poisoned_table(
                nets, experiments.with_fewer(images, 150), seed=seed, **settings)),
            ("missing", "left half missing", robustness.missing_table(fusion, nets, images, experts, seed=seed,
                                                                      **settings)),
            ("attack", "left half attacked", robustness.attack_table(fusion, nets, images, experts, seed=seed,
                                                                     **settings))):
        for name, (before, then) in found.items():
            yield f"{what}: {name}", before
            yield f"{what}: {name}, {after}", then


def forecasts(twins, seed):
    """Yield (what, value) of forecasts: mean absolute errors relative to persistence."""
    for name in ("random_walk", "volatility", "sunspots"):
        y, found = getattr(series, f"on_{name}")(twins["classifier"], seed=seed)
        for what, forecast in found.items():
            yield f"{name}: {what}", series.relative_mae(y, forecast, found["persistence"])


def main():
    """Run the frameworks one after the other and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frameworks", nargs="+", choices=("pytorch", "keras"), default=["pytorch", "keras"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--images", help="an .npz file, in place of the digits")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        twins = {topic: importlib.import_module(f"course_lib.{topic}.in_{options.frameworks[0]}")
                 for topic in ("fusion", "classifier", "dqn")}
        settings, found = BIGGER if options.images else {}, {}
        for seed in range(options.seeds):
            images = drawn(options.images, seed)
            parts = [on_halves(twins, images, seed, settings), in_weight_space(twins, images, seed),
                     partners(twins, options.images, seed), robust(twins, images, seed, settings)]
            if options.images is None:
                parts += [choices(twins, seed), forecasts(twins, seed)]
            for part in parts:
                for what, value in part:
                    found.setdefault(what, []).append(value)
        for what, values in found.items():
            report(what, np.mean(values), np.std(values))
        return
    table(__file__, options.frameworks, ["--seeds", str(options.seeds),
                                         *(["--images", options.images] if options.images else [])])


if __name__ == "__main__":
    main()
