"""What fusion does to safety and privacy: lying members, missing inputs, attacks, and what a network gives away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from course_lib.common.config import whole
from course_lib.fusion import outputs
from course_lib.fusion.choosing import EXPERT, expert, opinions
from course_lib.fusion.experiments import fused_features, score, untrained
from course_lib.fusion.inputs import halves

LONG = replace(EXPERT, epochs=60)  # long enough to remember


def check_attack(parts, y, attacked):
    """Which inputs are attacked: these, or all if it is None; a ValueError if there are no such ones."""
    inputs, y = len(parts), np.asarray(y)
    if attacked is not None and not all(whole(m, 0) and m < inputs for m in attacked):
        raise ValueError(f"attacked: expected None or numbers of inputs, 0 to {inputs - 1}, got {attacked}")
    if y.ndim != 1 or y.dtype.kind not in "iu" or not len(y) or {len(part) for part in parts} != {len(y)}:
        raise ValueError("x, y: expected arrays (N, ...) and classes (N,), N > 0, got shapes "
                         f"{[part.shape for part in parts]} and {y.dtype} of shape {y.shape}")
    return range(inputs) if attacked is None else attacked


def with_missing(x, y):
    """Training data in which each example also appears with each one of its inputs missing: all zeros.

    Parameters
    ----------
    x : tuple of M arrays (N, ...)
    y : array (N,)

    Returns
    -------
    tuple of arrays ((M + 1) * N, ...), array ((M + 1) * N,)

    References
    ----------
    Neverova et al. 2016, "ModDrop: adaptive multi-modal gesture recognition", with every case instead of random ones.
    """
    inputs = tuple(np.concatenate([part if missing != m else np.zeros_like(part) for missing in (None, *range(len(x)))])
                   for m, part in enumerate(x))
    return inputs, np.tile(y, len(x) + 1)


def poisoned_table(nets, data, *, seed=0, hidden=(64,), config=EXPERT):
    """Accuracies of three networks' outputs, fused; then the same with one of them taught to lie: class + 1.

    Returns
    -------
    dict of (float, float)
        With three honest ones; with two and a liar.
    """
    x, y, classes = data.x_train, data.y_train, len(data.classes)
    honest = [expert(nets, nets.make_mlp(x.shape[1:], classes, hidden=hidden, seed=3 * seed + m), x, y, config,
                     seed=3 * seed + m) for m in range(3)]
    liar = expert(nets, nets.make_mlp(x.shape[1:], classes, hidden=hidden, seed=3 * seed), x, (y + 1) % classes, config,
                  seed=3 * seed)
    found = {}
    for models in (honest, [*honest[1:], liar]):
        said = opinions(nets, models, [data.x_test] * 3)
        for name, values in (("a member, alone", said[0]), ("mean", outputs.weighted(said)),
                             ("product", outputs.product_of_experts(said)), ("median", outputs.median(said))):
            found.setdefault(name, []).append(score(values, data.y_test))
    return {name: tuple(values) for name, values in found.items()}


def missing_table(fusion, nets, data, experts, *, together=None, seed=0, hidden=(64,), config=EXPERT):
    """Accuracies with both halves of the images, and with the left one missing: all zeros.

    What is taught to miss sees each image thrice in an epoch, and gets a third of the epochs.

    Parameters
    ----------
    fusion, nets : modules
        Twins of `fusion` and `networks`.
    data : Dataset
    experts : list of two networks
        For the left and the right half.
    together : dict, optional
        What `fused_features` made of the data with this seed; trained anew if it is not given.
    seed, hidden, config
        Of the networks.

    Returns
    -------
    dict of (float, float)
    """
    left, right = halves(data.x_test)
    cases, shapes = ((left, right), (np.zeros_like(left), right)), [left.shape[1:], right.shape[1:]]
    found = {"average": [], "right half alone": []}
    for inputs in cases:
        said = opinions(nets, experts, inputs)
        found["average"].append(score(outputs.weighted(said), data.y_test))
        found["right half alone"].append(score(said[1], data.y_test))
    third = replace(config, epochs=max(1, config.epochs // 3))
    for name, (x, y), own in (
            ("concatenation", (halves(data.x_train), data.y_train), config),
            ("concatenation, taught to miss", with_missing(halves(data.x_train), data.y_train), third)):
        model = together[name][0] if together and name in together else None
        if model is None:
            blank = [fusion.features(part) for part in untrained(nets, data, seed=seed, hidden=hidden)]
            model = expert(nets, fusion.ConcatFusion(blank, shapes, len(data.classes), seed=seed), x, y, own, seed=seed)
        found[name] = [nets.accuracy(model, inputs, data.y_test) for inputs in cases]
    return {name: tuple(values) for name, values in found.items()}


def attack_table(applications, fusion, nets, data, experts, *, together=None, step=0.1, seed=0, hidden=(64,),
                 config=EXPERT):
    """Accuracies before and after an attack on the left half of the images, by one who knows all weights.

    Against the average it is the attack on its left expert: the signs of both gradients are the same.

    Parameters
    ----------
    applications : module
        A twin, for `fgsm`.
    fusion, nets, data, experts, together, seed, hidden, config
        As in `missing_table`.
    step : float
        By which each pixel may change.

    Returns
    -------
    dict of (float, float)
    """
    inputs, y = halves(data.x_test), data.y_test
    bad = (applications.fgsm(experts[0], inputs[0], y, step=step), inputs[1])
    before, after = (opinions(nets, experts, part) for part in (inputs, bad))
    found = {name: (score(fuse(before), y), score(fuse(after), y))
             for name, fuse in (("left half alone", lambda said: said[0]), ("average", outputs.weighted))}
    together = together or fused_features(fusion, nets, data, seed=seed, hidden=hidden, config=config)
    for name, (model, view) in together.items():
        clean = view(data.x_test)
        whole = not isinstance(clean, tuple)
        moved = applications.fgsm(model, clean, y, step=step, attacked=None if whole else [0])
        if whole:  # only the left half of the picture can be reached
            moved = np.concatenate([halves(moved)[0], inputs[1]], axis=2)
        found[name] = nets.accuracy(model, clean, y), nets.accuracy(model, moved, y)
    return found


def membership(probabilities, y, others, y_others):
    """How well confidence in the true class tells training examples from others: the area under the ROC curve.

    Parameters
    ----------
    probabilities, others : array (N, C) and (K, C)
        Of training examples, and of examples that the network has not seen.
    y, y_others : integer array (N,) and (K,)

    Returns
    -------
    float
        1/2 if they cannot be told apart, 1 if always.

    References
    ----------
    Yeom et al. 2018, "Privacy risk in machine learning: analyzing the connection to overfitting", section 3.
    """
    for said, classes in ((probabilities, y), (others, y_others)):
        if np.ndim(said) != 2 or np.shape(classes) != np.shape(said)[:1] or not np.isfinite(said).all():
            raise ValueError("expected finite probabilities (N, C) with classes (N,), and others (K, C) with classes "
                             f"(K,), got {np.shape(said)} and {np.shape(classes)}")
    sure = np.concatenate([probabilities[np.arange(len(y)), y], others[np.arange(len(y_others)), y_others]])
    return float(roc_auc_score(np.repeat([1, 0], [len(y), len(y_others)]), sure))


def privacy_table(nets, data, *, members=300, teachers=5, mistakes=0.3, seed=0, config=LONG):
    """Accuracy and `membership` of one network, of the mean of several, and of a pupil of that mean.

    Parameters
    ----------
    nets, data, seed, config
        As in `missing_table`.
    members : int
        Training images. The rest of them is public, without classes: for the pupil.
    teachers : int
    mistakes : float
        Share of classes, of members and of others, that were noted at random: a network can only remember these.

    Returns
    -------
    dict of (float, float)
    """
    x, public, y, _ = train_test_split(data.x_train, data.y_train, train_size=members, random_state=seed,
                                       stratify=data.y_train)
    rng = np.random.default_rng(seed)
    y, others = (np.where(rng.random(len(true)) < mistakes, rng.integers(len(data.classes), size=len(true)), true)
                 for true in (y, data.y_test))

    def make(own):
        return nets.make_mlp(x.shape[1:], len(data.classes), hidden=(64,), seed=own)

    alike = [expert(nets, make(100 * seed + m), x, y, config, seed=m) for m in range(teachers)]
    apart = [expert(nets, make(100 * seed + m), x[m::teachers], y[m::teachers], config, seed=m)
             for m in range(teachers)]
    taught = outputs.weighted(opinions(nets, apart, [public] * teachers))
    pupil = expert(nets, make(seed + 50), public, taught.argmax(axis=1), config, seed=seed)
    found = {}
    for name, models in (("one network", alike[:1]), ("mean of all trained on all", alike),
                         ("mean of all trained on a part each", apart), ("their pupil, on public images", [pupil])):
        said, other = (outputs.weighted(opinions(nets, models, [images] * len(models))) for images in (x, data.x_test))
        found[name] = score(other, data.y_test), membership(said, y, other, others)
    return found
