"""What notebook 05 and the benchmark compare on images cut into halves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from course_lib.common.config import whole
from course_lib.fusion import outputs
from course_lib.fusion.choosing import EXPERT, expert, opinions
from course_lib.fusion.inputs import halves


def score(probabilities, y):
    """Share of examples whose most probable class is y (N,)."""
    return float((np.asarray(probabilities).argmax(axis=1) == y).mean())


def with_noise(images, *, seed=0):
    """Images (N, height, width) of which a quarter have noise for a left half, and another one for a right half."""
    rng, images = np.random.default_rng(seed), images.copy()
    noise, width = rng.random(images.shape, np.float32), images.shape[2] // 2
    lot = rng.integers(4, size=len(images))
    images[lot == 0, :, :width] = noise[lot == 0, :, :width]
    images[lot == 1, :, width:] = noise[lot == 1, :, width:]
    return images


def with_fewer(data, count):
    """The data with `count` training examples; the others join the test examples."""
    if not whole(count, 1) or count > len(data.x_train):
        raise ValueError(f"count: expected a whole number from 1 to {len(data.x_train)}, got {count!r}")
    return replace(data, x_train=data.x_train[:count], y_train=data.y_train[:count],
                   x_test=np.concatenate([data.x_train[count:], data.x_test]),
                   y_test=np.concatenate([data.y_train[count:], data.y_test]))


def experts_on_halves(nets, data, *, seed=0, hidden=(64,), config=EXPERT, held_out=0.2):
    """Two experts, one for the left and one for the right half of the images.

    Returns
    -------
    list of networks, (array (2, H, C), integer array (H,))
        The experts, and what they say of the training images that were held out, whose classes those are.
    """
    x, x_held, y, y_held = train_test_split(data.x_train, data.y_train, test_size=held_out, random_state=seed,
                                            stratify=data.y_train)
    experts = [expert(nets, model, part, y, config, seed=seed)
               for model, part in zip(untrained(nets, data, seed=seed, hidden=hidden), halves(x), strict=True)]
    return experts, (opinions(nets, experts, halves(x_held)), y_held)


def untrained(nets, data, *, seed=0, hidden=(64,)):
    """A dense network for each half of the images, not yet trained."""
    return [nets.make_mlp(part.shape[1:], len(data.classes), hidden=hidden, seed=2 * seed + m)
            for m, part in enumerate(halves(data.x_train[:1]))]


def fused_outputs(inside, y, outside):
    """Probabilities (N, C) by five ways to fuse what two experts say, fitted on what they said of held-out examples.

    Parameters
    ----------
    inside, outside : array (2, H, C) and (2, N, C)
    y : integer array (H,)

    Returns
    -------
    dict of array
    """
    share = outputs.best_alpha(*inside, y)
    grid = np.linspace(0, 1, 21)
    seen = [score((1 - alpha) * inside[0] + alpha * inside[1], y) for alpha in grid]
    best = np.flatnonzero(seen == np.max(seen))
    counted = grid[best[len(best) // 2]]  # the middle one of the best
    stack = LogisticRegression(max_iter=1_000).fit(np.hstack(np.log(inside + 1e-6)), y)
    return {"average": outputs.weighted(outside),
            "best alpha by log-loss": outputs.weighted(outside, [1 - share, share]),
            "best alpha by accuracy": outputs.weighted(outside, [1 - counted, counted]),
            "product of experts": outputs.product_of_experts(outside),
            "stack": stack.predict_proba(np.hstack(np.log(outside + 1e-6)))}


def networks_on_halves(fusion, nets, data, *, seed=0, hidden=(64,)):
    """Untrained networks for both halves of the images: {name: (network, function from images to inputs)}."""
    shapes, classes = [part.shape[1:] for part in halves(data.x_train[:1])], len(data.classes)
    blank, deeper = ([fusion.features(model) for model in untrained(nets, data, seed=seed, hidden=units)]
                     for units in (hidden, (*hidden, 64)))
    whole = nets.make_mlp(data.x_train.shape[1:], classes, hidden=(2 * hidden[0], 64), seed=seed)
    found = {"one network that sees all": (whole, lambda images: images)}
    for name, model in (("concatenation", fusion.ConcatFusion(blank, shapes, classes, seed=seed)),
                        ("gated", fusion.GatedFusion(blank, shapes, classes, seed=seed)),
                        ("attention", fusion.AttentionFusion(blank, shapes, classes, seed=seed)),
                        ("shared trunk", fusion.SharedTrunk(blank[0], shapes, classes, seed=seed)),
                        ("cross-stitch", fusion.CrossStitch(deeper, shapes, classes, seed=seed))):
        found[name] = model, halves
    return found


def fused_features(fusion, nets, data, *, seed=0, hidden=(64,), config=EXPERT):
    """`networks_on_halves`, each trained as a whole."""
    found = networks_on_halves(fusion, nets, data, seed=seed, hidden=hidden)
    for model, view in found.values():
        nets.train(model, view(data.x_train), data.y_train, config, seed=seed)
    return found
