"""What notebook 02 compares, for any seeds and either framework."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.common import notebook
from course_lib.pruning.config import PruningConfig
from course_lib.pruning.experiments import shrink_and_refit
from course_lib.pruning.information import gaussian_mi_selection
from course_lib.pruning.scores import binned_entropy, class_mutual_information, magnitude_mask

CRITERIA = ("random", "norm", "entropy", "information about the class", "information about the next layer")


class Split(NamedTuple):
    """Images (N, height, width) and classes (N,) to train on, to choose by, and to report."""

    x: np.ndarray
    y: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def split(dataset, share=0.2, *, seed=0):
    """Put a share of a data set's training part aside, to choose by; returns a `Split`."""
    count = round(share * len(dataset.x_train))
    if not 0 < count < len(dataset.x_train):
        raise ValueError(f"share: expected some of {len(dataset.x_train)} examples, got {share}")
    order = np.random.default_rng(seed).permutation(len(dataset.x_train))
    x, y = dataset.x_train[order], dataset.y_train[order]
    return Split(x[count:], y[count:], x[:count], y[:count], dataset.x_test, dataset.y_test)


def trained(nets, data, config, seed, *, hidden=(300, 100)):
    """A dense network, trained on a `Split`."""
    model = nets.make_mlp(data.x.shape[1:], int(data.y.max()) + 1, hidden=hidden, seed=seed)
    nets.train(model, data.x, data.y, config, seed=seed)
    return model


def copy_of(pruning, model):
    """A network of its own with the same weights (and no masks)."""
    return pruning.shrink(model, [None] * (len(pruning.get_kernels(model)) - 1))


def at_once(nets, pruning, model, data, sparsities, *, rng=None, scope="global"):
    """Test accuracy at each sparsity, (len(sparsities),), without training after pruning.

    With a generator `rng`, random weights go instead of the smallest.
    """
    kernels, copy, found = pruning.get_kernels(model), copy_of(pruning, model), []
    ranked = kernels if rng is None else [rng.uniform(size=kernel.shape) for kernel in kernels]
    for share in sparsities:
        for index, mask in enumerate(magnitude_mask(ranked, share, scope=scope)):
            pruning.set_layer(copy, index, kernels[index] * mask)
        found.append(nets.accuracy(copy, data.x_test, data.y_test))
    return np.array(found)


def gradually(nets, pruning, models, data, config, sparsities, *, seed=0, begin=0.0, end=0.6, prune_every=10):
    """Test accuracies (len(models), len(sparsities)) of copies that are pruned while they train on.

    `seed`, of the order of the examples, counts up from model to model.
    """
    runs = [(model, seed + i, share) for i, model in enumerate(models) for share in sparsities]
    found = []
    for model, order, share in notebook.progress(runs, desc="pruning"):
        copy = copy_of(pruning, model)
        plan = PruningConfig(sparsity=share, begin=begin, end=end, prune_every=prune_every)
        nets.train(copy, data.x, data.y, config, seed=order, callbacks=[pruning.gradual_pruning(plan)])
        found.append(nets.accuracy(copy, data.x_test, data.y_test))
    return np.array(found).reshape(len(models), len(sparsities))


def chooser(criterion, y, kernels, *, seed=0):
    """The function `choose(activations, preactivations, k)` of a criterion: the numbers of the k best neurons.

    Parameters
    ----------
    criterion : str
        One of `CRITERIA`; "norm" is the Euclidean norm of a neuron's incoming weights.
    y : integer array (N,)
        Classes of the examples that activations will come from.
    kernels : list of arrays
        Those of the network, for "norm": the function is to be called once for each hidden layer, in their order.
    seed : int
        Of the criterion "random".
    """
    if criterion not in CRITERIA:
        raise ValueError(f"criterion: expected one of {', '.join(CRITERIA)}, got {criterion!r}")
    rng, norms = np.random.default_rng(seed), iter([np.linalg.norm(kernel, axis=0) for kernel in kernels])
    score = {"random": lambda a: rng.uniform(size=a.shape[1]), "norm": lambda a: next(norms), "entropy": binned_entropy,
             "information about the class": lambda a: class_mutual_information(a, y)}
    if criterion not in score:
        return gaussian_mi_selection
    return lambda activations, preactivations, k: np.argsort(score[criterion](activations))[len(activations[0]) - k:]


def shrink_by(criterion, pruning, model, data, sizes, *, seed=0):
    """The network shrunk to `sizes` neurons a layer that a criterion chooses, with nothing refitted."""
    choose = chooser(criterion, data.y, pruning.get_kernels(model), seed=seed)
    layers = pruning.collect_activations(model, data.x)
    keep = [choose(into, out, size) for (into, out), size in zip(layers[1:], sizes, strict=True)]
    return pruning.shrink(model, keep)


def compare_criteria(nets, pruning, models, data, sizes, *, refit, tuning=None, seed=0, criteria=CRITERIA):
    """Test accuracies {criterion: (len(models),)} of the shrunk networks; of the fine-tuned ones if `tuning` is given.

    With `refit`, each next layer is fitted by least squares to do without the neurons that are gone. `seed`, of the
    criterion "random" and of fine-tuning, counts up from model to model.
    """
    found = {criterion: [] for criterion in criteria}
    for i, model in enumerate(notebook.progress(models, desc="networks")):
        for criterion in criteria:
            if refit:
                choose = chooser(criterion, data.y, pruning.get_kernels(model), seed=seed + i)
                small = shrink_and_refit(pruning, model, data.x, sizes, choose)
            else:
                small = shrink_by(criterion, pruning, model, data, sizes, seed=seed + i)
            if tuning is not None:
                nets.train(small, data.x, data.y, tuning, seed=seed + i)
            found[criterion].append(nets.accuracy(small, data.x_test, data.y_test))
    return {criterion: np.array(accuracies) for criterion, accuracies in found.items()}


def lottery(nets, pruning, models, data, config, sparsity, *, seed=0):
    """Three ways to train a sparse network: test accuracies {name: (len(models),)}.

    The mask is that of the trained network's largest weights. "winning ticket" starts from the weights that the network
    itself started from, "new draw" from others, "shuffled mask" keeps the first but shuffles the mask within each
    layer. The models were `trained` with `seed`, `seed + 1`, ..., at most 50 of them.
    """
    found = {"winning ticket": [], "new draw": [], "shuffled mask": []}
    for own, model in enumerate(notebook.progress(models, desc="networks"), seed):
        masks, rng = magnitude_mask(pruning.get_kernels(model), sparsity), np.random.default_rng(own)
        shuffled = [rng.permutation(mask.ravel()).reshape(mask.shape) for mask in masks]
        shape, classes = data.x.shape[1:], int(data.y.max()) + 1
        for name, start, used in (("winning ticket", own, masks), ("new draw", 50 + own, masks),
                                  ("shuffled mask", own, shuffled)):
            ticket = nets.make_mlp(shape, classes, seed=start)
            pruning.apply_masks(ticket, used)
            nets.train(ticket, data.x, data.y, config, seed=own)
            found[name].append(nets.accuracy(ticket, data.x_test, data.y_test))
    return {name: np.array(accuracies) for name, accuracies in found.items()}


def tuned(nets, pruning, model, data, tuning, masks, *, seed=0):
    """Test accuracies (2,) of a masked copy of a network, before and after fine-tuning."""
    copy = copy_of(pruning, model)
    pruning.apply_masks(copy, masks)
    before = nets.accuracy(copy, data.x_test, data.y_test)
    nets.train(copy, data.x, data.y, tuning, seed=seed)
    return np.array([before, nets.accuracy(copy, data.x_test, data.y_test)])
