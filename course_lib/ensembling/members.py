"""Many small networks of one shape, side by side: what they start from, and in which order they see the examples."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_lib.common import checks


class Members(NamedTuple):
    """M dense ReLU networks of one shape. All arrays are float32; each network scales its inputs itself."""

    weights: list  # kernels (M, inputs, units) and biases (M, units) of each layer in turn
    mean: np.ndarray  # (M, 1, inputs): what is subtracted from the inputs
    scale: np.ndarray  # (M, 1, inputs): what they are then divided by


def make_members(x, rows, sizes, seeds, *, scale_inputs=True):
    """Untrained networks, one for each entry of `rows` and `seeds`.

    Parameters
    ----------
    x : array (N, inputs)
    rows : list of M integer arrays
        The examples that each network will be trained on; their mean and standard deviation scale its inputs.
    sizes : list of int
        Units of each layer, from the inputs to the outputs.
    seeds : list of M int
        Networks of the same seed start from the same weights.
    scale_inputs : bool
        Whether each network subtracts the mean of its examples and divides by their standard deviation.

    Returns
    -------
    Members
        Kernels uniform in +-sqrt(6/inputs) (He et al. 2015, eq. 10), those of the last layer in a tenth of that so that
        training starts from almost constant outputs; biases at zero.
    """
    weights = [np.zeros((len(seeds), *shape), np.float32)
               for inputs, units in zip(sizes[:-1], sizes[1:], strict=True) for shape in ((inputs, units), (units,))]
    for member, seed in enumerate(seeds):
        rng = np.random.default_rng(seed)
        for layer, kernel in enumerate(weights[::2], 1):
            bound = np.sqrt(6 / len(kernel[0])) * (0.1 if 2 * layer == len(weights) else 1)
            kernel[member] = rng.uniform(-bound, bound, kernel.shape[1:])
    plain = np.zeros(x.shape[1]), np.ones(x.shape[1])
    mean, scale = zip(*(standardisation(x[own]) if scale_inputs else plain for own in rows), strict=True)
    return Members(weights, np.float32(mean)[:, None], np.float32(scale)[:, None])


def shared_kernel(inputs, units, members, signs, seed):
    """A kernel (inputs, units), uniform in +-sqrt(6/inputs), and scales (members, inputs): random signs, or ones."""
    rng, bound = np.random.default_rng(checks.seed(seed)), np.sqrt(6 / inputs)
    scales = rng.choice([-1.0, 1.0], (members, inputs)) if signs else np.ones((members, inputs))
    return np.float32(rng.uniform(-bound, bound, (inputs, units))), np.float32(scales)


def standardisation(values):
    """Mean and standard deviation of each column (N, columns); 1 instead of 0 where a column is constant."""
    values = np.asarray(values, np.float64)
    scale = values.std(axis=0)
    constant = scale <= 1e-12 * np.maximum(np.abs(values).max(axis=0), 1e-300)
    return values.mean(axis=0), np.where(constant, 1, scale)


def orders(rows, seeds, updates, batch_size):
    """Which examples each network sees in each update: passes over its rows, each in a new order.

    Parameters
    ----------
    rows : list of M integer arrays
    seeds : list of M int
    updates, batch_size : int

    Returns
    -------
    int32 array (updates, M, batch_size)
        A pass may end within a batch; the next one follows on.
    """
    found = np.empty((updates, len(rows), batch_size), np.int32)
    for member, (own, seed) in enumerate(zip(rows, seeds, strict=True)):
        passes = np.tile(own, (-(-updates * batch_size // len(own)), 1))
        stream = np.random.default_rng([seed, 1]).permuted(passes, axis=1).ravel()
        found[:, member] = stream[: updates * batch_size].reshape(updates, batch_size)
    return found


def train(training_runs, members, x, y, rows, seeds, config, loss, *, device="cpu", late_correction=False):
    """Train all members at once with Adam, each on its own rows in its own order.

    Parameters
    ----------
    training_runs : type
        A twin's `networks.TrainingRuns`; a twin of this topic has this function as `train_members`, without it.
    members : Members
        They stay as they are.
    x : array (N, inputs)
    y : array (M, N, ...)
        Each member's targets.
    rows : list of M integer arrays
    seeds : list of M int
        Of the order of the examples.
    config : TrainingConfig
    loss : callable
        `loss(outputs, targets)` of tensors (M, B, outputs) and (M, B, ...) is (M,), one loss a member.
    device : str
    late_correction : bool
        As in `networks.side_by_side.Runs.train`.

    Returns
    -------
    Members
    """
    updates = config.updates(max(map(len, rows)))
    rates = config.learning_rate * (1 + np.cos(np.pi * np.arange(updates) / updates)) / 2
    runs = training_runs(members.weights, optimizer="adam", loss=loss, device=device)
    runs.train(x, y, rates[:, None], rows=orders(rows, seeds, updates, config.batch_size), mean=members.mean,
               scale=members.scale, late_correction=late_correction,
               l2=np.full(len(rows), config.l2) if config.l2 else None)
    return members._replace(weights=runs.weights())


def take(members, chosen):
    """Only some of the networks: `chosen` is a slice or an integer array."""
    return Members([part[chosen] for part in members.weights], members.mean[chosen], members.scale[chosen])


def join(parts):
    """The networks of several `Members`, one after the other."""
    weights, mean, scale = zip(*parts, strict=True)
    return Members([np.concatenate(layer) for layer in zip(*weights, strict=True)], np.concatenate(mean),
                   np.concatenate(scale))
