"""What notebook 05 and the benchmark compare on images: halves, weights, weak partners, attacks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from course_lib.common.config import whole
from course_lib.fusion import outputs, weights
from course_lib.fusion.choosing import EXPERT, expert, opinions
from course_lib.fusion.inputs import halves
from course_lib.fusion.reference import softmax
from course_lib.networks.config import TrainingConfig

# Weight decay leaves out what a network does not need: what is left, another one has as well.
MATCHABLE = TrainingConfig(epochs=20, learning_rate=1e-3, l2=1e-3)


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


def halves_table(fusion, nets, data, *, seed=0, hidden=(64,), config=EXPERT):
    """Accuracies on the test images of two experts, who see one half of each image, and of what fuses them.

    Parameters
    ----------
    fusion, nets : modules
        Twins of `fusion` and `networks`, of the same framework.
    data : Dataset
        Of images (N, height, width). A fifth of the training images is held out from the experts, for what weighs them;
        networks trained as a whole get all.
    seed : int
    hidden : tuple of int
        Of each expert; the one network that sees all has twice as many units, and then 64.
    config : TrainingConfig

    Returns
    -------
    dict of float, array (2, H, C), integer array (H,), array (2, N, C)
        The table; what the experts say of held-out and of test images, as `ExpertChoiceEnv` wants it.
    """
    experts, (inside, y) = experts_on_halves(nets, data, seed=seed, hidden=hidden, config=config)
    outside = opinions(nets, experts, halves(data.x_test))
    said = {"left half": outside[0], "right half": outside[1], **fused_outputs(inside, y, outside)}
    found = {name: score(probabilities, data.y_test) for name, probabilities in said.items()}
    for name, (model, view) in fused_features(fusion, nets, data, seed=seed, hidden=hidden, config=config).items():
        found[name] = nets.accuracy(model, view(data.x_test), data.y_test)
    return found, inside, y, outside


def partners_table(fusion, nets, data, *, seed=0, config=EXPERT):
    """A convolutional network fused with a recurrent one, which reads row by row, and with another of its own kind.

    Parameters
    ----------
    fusion, nets, data, seed, config
        As in `halves_table`; a fifth of the training images is held out for alpha, but what is trained together, and
        the last network of the table, get all.

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
    models = [expert(nets, make(2 * seed), x, y, config, seed=2 * seed + m) for m, make in enumerate(makers.values())]
    inside, outside = (opinions(nets, models, [images] * 3) for images in (x_held, data.x_test))
    found = {name: score(said, data.y_test) for name, said in zip(makers, outside, strict=True)}
    for name, m in (("CNN + RNN", 1), ("CNN + CNN", 2)):
        fused = fused_outputs(inside[[0, m]], y_held, outside[[0, m]])
        found |= {f"{name}, {way}": score(fused[way], data.y_test) for way in ("average", "best alpha by accuracy")}
    joint = fusion.ConcatFusion([fusion.features(make(2 * seed)) for make in (makers["CNN"], makers["RNN"])], [shape],
                                classes, seed=seed)
    expert(nets, joint, data.x_train, data.y_train, config, seed=seed)
    alone = expert(nets, makers["CNN"](2 * seed), data.x_train, data.y_train, config, seed=2 * seed)
    wrong = outside.argmax(axis=2) != data.y_test
    return (found | {"CNN + RNN, trained together": nets.accuracy(joint, data.x_test, data.y_test),
                     "one CNN, on all images": nets.accuracy(alone, data.x_test, data.y_test)},
            {name: float(np.corrcoef(wrong[0], wrong[m])[0, 1]) for name, m in (("RNN", 1), ("CNN again", 2))})


def weight_space(fusion, nets, data, *, width=512, seed=0, config=MATCHABLE, points=11):
    """Accuracies of two dense networks, trained apart, and of what is made of both; losses on the way between them.

    Parameters
    ----------
    fusion, nets, data, seed
        As in `halves_table`.
    width, points : int
        Of two hidden layers; along each path.
    config : TrainingConfig

    Returns
    -------
    dict of float, dict of array (points,)
        Accuracies on the test images; test losses from the first network to the second one, "naive", and to the
        second one with its neurons "matched by weights" or "matched by activations".
    """
    def make(own):
        return nets.make_mlp(data.x_train.shape[1:], len(data.classes), hidden=(width, width), seed=own)

    def said(layers):
        return softmax(nets.predict(fusion.set_layers(probe, layers), data.x_test))

    x, y, probe = data.x_train, data.y_train, make(0)
    models = [expert(nets, make(2 * seed + m), x, y, config, seed=2 * seed + m) for m in (0, 1)]
    first, second = map(fusion.get_layers, models)
    acts = [fusion.hidden_activations(model, x[:2_000]) for model in models]
    ends = {"naive": second,
            "matched by weights": weights.permute(second, weights.match_weights(second, first, seed=seed)),
            "matched by activations": weights.permute(second, weights.match_activations(acts[1], acts[0]))}
    paths = {name: np.array([log_loss(said(weights.interpolate(first, end, share)), data.y_test)
                             for share in np.linspace(0, 1, points)]) for name, end in ends.items()}
    teacher = outputs.weighted(opinions(nets, models, [x, x]))
    student = make(2 * seed + 100)
    fusion.distill(student, x, y, np.log(teacher + 1e-12), config, seed=seed)
    forks = [expert(nets, fusion.set_layers(make(0), first), x, y, replace(config, epochs=5), seed=seed + own)
             for own in range(1, 5)]
    longer = expert(nets, make(2 * seed), x, y, replace(config, epochs=config.epochs + 5), seed=2 * seed)
    student, longer, *forks = (fusion.get_layers(model) for model in (student, longer, *forks))
    found = {"first": first, "second": second, "distilled": student, "one of the forks": forks[0],
             "soup of forks": weights.average(forks), "one network, trained as long": longer}
    found |= {name: weights.interpolate(first, end, 0.5) for name, end in ends.items()}
    table = {name: score(said(layers), data.y_test) for name, layers in found.items()}
    both = outputs.weighted(opinions(nets, models, [data.x_test] * 2))
    return table | {"both, their outputs averaged": score(both, data.y_test)}, paths


def log_loss(probabilities, y):
    """Mean negative log-likelihood of classes y (N,), in nats."""
    if np.ndim(probabilities) != 2 or np.shape(y) != np.shape(probabilities)[:1]:
        raise ValueError(f"expected probabilities (N, C) and classes (N,), got shapes {np.shape(probabilities)} and "
                         f"{np.shape(y)}")
    return float(-np.log(np.maximum(probabilities[np.arange(len(y)), y], 1e-12)).mean())
