"""What notebook 02 compares, for any seeds and either framework."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.common import progress
from course_lib.pruning.config import PruningConfig
from course_lib.pruning.env import SparsityEnv, macs, width_bounds
from course_lib.pruning.experiments import choose_at_random, choose_by_dqn, shrink_and_refit, width_accuracy
from course_lib.pruning.information import gaussian_mi_selection
from course_lib.pruning.scores import binned_entropy, class_mutual_information, magnitude_mask

CRITERIA = ("random", "entropy", "information about the class", "information about the next layer")


class Split(NamedTuple):
    """Images (N, height, width) and classes (N,) to train on, to choose by, and to report."""

    x: np.ndarray
    y: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def split(dataset, share=0.2):
    """Put a share of a data set's training part aside, to choose by; returns a `Split`."""
    count = round(share * len(dataset.x_train))
    if not 0 < count < len(dataset.x_train):
        raise ValueError(f"share: expected some of {len(dataset.x_train)} examples, got {share}")
    order = np.random.default_rng(0).permutation(len(dataset.x_train))
    x, y = dataset.x_train[order], dataset.y_train[order]
    return Split(x[count:], y[count:], x[:count], y[:count], dataset.x_test, dataset.y_test)


def trained(classifier, data, config, seed, *, hidden=(300, 100)):
    """A dense network, trained on a `Split`."""
    model = classifier.make_mlp(data.x.shape[1:], int(data.y.max()) + 1, hidden=hidden, seed=seed)
    classifier.train(model, data.x, data.y, config, seed=seed)
    return model


def copy_of(pruning, model):
    """A network of its own with the same weights (and no masks)."""
    return pruning.shrink(model, [None] * (len(pruning.get_kernels(model)) - 1))


def at_once(classifier, pruning, model, data, sparsities, *, rng=None, scope="global"):
    """Test accuracy at each sparsity, (len(sparsities),), without training after pruning.

    With a generator `rng`, random weights go instead of the smallest.
    """
    kernels, copy, found = pruning.get_kernels(model), copy_of(pruning, model), []
    ranked = kernels if rng is None else [rng.uniform(size=kernel.shape) for kernel in kernels]
    for share in sparsities:
        for index, mask in enumerate(magnitude_mask(ranked, share, scope=scope)):
            pruning.set_layer(copy, index, kernels[index] * mask)
        found.append(classifier.accuracy(copy, data.x_test, data.y_test))
    return np.array(found)


def gradually(classifier, pruning, models, data, config, sparsities, *, begin=0.0, end=0.6, prune_every=10):
    """Test accuracies (len(models), len(sparsities)) of copies that are pruned while they train on.

    With `end` next to `begin`, all weights go at the start and the rest of the run is fine-tuning.
    """
    runs = [(seed, share) for seed in range(len(models)) for share in sparsities]
    found = []
    for seed, share in progress.bar(runs, desc="pruning"):
        copy = copy_of(pruning, models[seed])
        plan = PruningConfig(sparsity=share, begin=begin, end=end, prune_every=prune_every)
        classifier.train(copy, data.x, data.y, config, seed=100 + seed, callbacks=[pruning.gradual_pruning(plan)])
        found.append(classifier.accuracy(copy, data.x_test, data.y_test))
    return np.array(found).reshape(len(models), len(sparsities))


def chooser(criterion, y, *, seed=0):
    """The function `choose(activations, preactivations, k)` of a criterion: the numbers of the k best neurons.

    Parameters
    ----------
    criterion : str
        One of `CRITERIA`.
    y : integer array (N,)
        Classes of the examples that activations will come from.
    seed : int
        Of the criterion "random".
    """
    if criterion not in CRITERIA:
        raise ValueError(f"criterion: expected one of {', '.join(CRITERIA)}, got {criterion!r}")
    rng = np.random.default_rng(seed)
    score = {"random": lambda a: rng.uniform(size=a.shape[1]), "entropy": binned_entropy,
             "information about the class": lambda a: class_mutual_information(a, y)}
    if criterion not in score:
        return gaussian_mi_selection
    return lambda activations, preactivations, k: np.argsort(score[criterion](activations))[len(activations[0]) - k:]


def shrink_by(criterion, pruning, model, data, sizes, *, seed=0):
    """The network shrunk to `sizes` neurons a layer that a criterion chooses, with nothing refitted."""
    choose, layers = chooser(criterion, data.y, seed=seed), pruning.collect_activations(model, data.x)
    keep = [choose(into, out, size) for (into, out), size in zip(layers[1:], sizes, strict=True)]
    return pruning.shrink(model, keep)


def compare_criteria(classifier, pruning, models, data, tuning, sizes, *, refit, criteria=CRITERIA):
    """Test accuracies {criterion: (len(models), 2)} of the shrunk networks, before and after fine-tuning.

    With `refit`, each next layer is fitted by least squares to do without the neurons that are gone.
    """
    found = {criterion: [] for criterion in criteria}
    for seed, model in enumerate(progress.bar(models, desc="networks")):
        for criterion in criteria:
            if refit:
                choose = chooser(criterion, data.y, seed=seed)
                small = shrink_and_refit(pruning, model, data.x, sizes, choose)
            else:
                small = shrink_by(criterion, pruning, model, data, sizes, seed=seed)
            before = classifier.accuracy(small, data.x_test, data.y_test)
            classifier.train(small, data.x, data.y, tuning, seed=200 + seed)
            found[criterion].append((before, classifier.accuracy(small, data.x_test, data.y_test)))
    return {criterion: np.array(pairs) for criterion, pairs in found.items()}


def lottery(classifier, pruning, models, data, config, sparsity):
    """Three ways to train a sparse network: test accuracies {name: (len(models),)}.

    The mask is that of the trained network's largest weights. "winning ticket" starts from the weights that the network
    itself started from (`seed` is the model's place in the list), "new draw" from others, "random mask" keeps the first
    but shuffles the mask within each layer.
    """
    found = {"winning ticket": [], "new draw": [], "random mask": []}
    for seed, model in enumerate(progress.bar(models, desc="networks")):
        masks, rng = magnitude_mask(pruning.get_kernels(model), sparsity), np.random.default_rng(seed)
        shuffled = [rng.permutation(mask.ravel()).reshape(mask.shape) for mask in masks]
        shape, classes = data.x.shape[1:], int(data.y.max()) + 1
        for name, start, used in (("winning ticket", seed, masks), ("new draw", 1_000 + seed, masks),
                                  ("random mask", seed, shuffled)):
            ticket = classifier.make_mlp(shape, classes, seed=start)
            pruning.apply_masks(ticket, used)
            classifier.train(ticket, data.x, data.y, config, seed=seed)
            found[name].append(classifier.accuracy(ticket, data.x_test, data.y_test))
    return {name: np.array(accuracies) for name, accuracies in found.items()}


def tuned(classifier, pruning, model, data, tuning, masks, *, seed=0):
    """Test accuracies (2,) of a masked copy of a network, before and after fine-tuning."""
    copy = copy_of(pruning, model)
    pruning.apply_masks(copy, masks)
    before = classifier.accuracy(copy, data.x_test, data.y_test)
    classifier.train(copy, data.x, data.y, tuning, seed=300 + seed)
    return np.array([before, classifier.accuracy(copy, data.x_test, data.y_test)])


def widths_within(pruning, dqn, model, data, limit, *, seed=0, evaluations=40, levels=13):
    """Widths of the hidden layers of a dense network within `limit` multiplications an image, chosen in three ways.

    Returns
    -------
    dict of str to (list of int, float, float)
        For "all alike", "random search" and "DQN": the widths, and the accuracies on validation and test images of
        the network shrunk to them by information about the next layer and refitted. The searches maximise the first.
    """
    inputs, *full, outputs = [kernel.shape[0] for kernel in pruning.get_kernels(model)] + [int(data.y.max()) + 1]
    on_val, on_test = (width_accuracy(pruning, model, x, y, data.x)
                       for x, y in ((data.x_val, data.y_val), (data.x_test, data.y_test)))
    alike = ([max(1, int(width * share)) for width in full] for share in np.linspace(1, 0, 400))
    chosen = {"all alike": next(widths for widths in alike if macs([inputs, *widths, outputs]) <= limit)}
    for name in ("random search", "DQN"):
        game = SparsityEnv(len(full), width_bounds(inputs, full, outputs, limit), on_val, levels=levels)
        best = (choose_at_random(game, evaluations, seed=seed) if name == "random search" else
                choose_by_dqn(dqn, game, evaluations, seed=seed))
        chosen[name] = [int(width) for width in best[0]]
    return {name: (widths, on_val(widths), on_test(widths)) for name, widths in chosen.items()}
