"""Training with few connections from the start, and moving them on the way: what both frameworks share, in NumPy."""

from __future__ import annotations

import math

import numpy as np

from course_lib.common import checks
from course_lib.pruning.derivatives import derivatives
from course_lib.pruning.reference import drop_and_grow


def erk_densities(shapes, sparsity):
    """Share of each layer's weights that stay, so that all together are `sparsity` sparse: small layers keep more.

    Parameters
    ----------
    shapes : list of tuple
        Of the kernels, neurons on the last axis.
    sparsity : float in [0, 1)

    Returns
    -------
    array (layers,)
        In proportion to the sum of the lengths over their product, and never above 1.

    References
    ----------
    Mocanu et al. 2018, "Scalable training of artificial neural networks with adaptive sparse connectivity", eq. 3;
    Evci et al. 2020, "Rigging the lottery: making all tickets winners", section 3 (the Erdos-Renyi kernel).
    """
    sizes, raw = (np.array([reduce(shape) for shape in shapes], float) for reduce in (np.prod, np.sum))
    raw, full = raw / sizes, np.zeros(len(sizes), bool)
    wanted = (1 - checks.number("sparsity", sparsity, low=0, high=1)) * sizes.sum()
    while True:
        scale = (wanted - sizes[full].sum()) / (raw * sizes)[~full].sum()
        over = ~full & (scale * raw > 1)
        if not over.any():
            return np.where(full, 1.0, np.maximum(scale * raw, 0))
        full |= over


def random_masks(shapes, sparsity, rng):
    """Masks of random connections, spread over the layers by `erk_densities`."""
    masks = []
    for shape, density in zip(shapes, erk_densities(shapes, sparsity), strict=True):
        mask = np.arange(math.prod(shape)) < round(density * math.prod(shape))
        masks.append(rng.permutation(mask).reshape(shape))
    return masks


def share_to_move(t, share):
    """Share of the connections to move when the share t of the way is gone: `share` at first, along a cosine to 0.

    References
    ----------
    Evci et al. 2020, section 3, f_decay.
    """
    return share / 2 * (1 + math.cos(math.pi * min(t, 1.0)))


def moving(config, x, y, seed, get_kernels, collect_activations, apply_masks):
    """The twins' `sparse_training`; the three functions are theirs."""
    rng, masks = np.random.default_rng(checks.seed(seed)), None

    def callback(model, step, updates):
        nonlocal masks
        last = config.end * updates
        if step and (config.grow == "nowhere" or step >= last or step % config.move_every):
            return
        kernels = get_kernels(model)
        if step == 0:
            masks = random_masks([kernel.shape for kernel in kernels], config.sparsity, rng)
        else:
            if config.grow == "gradient":
                rows = rng.integers(0, len(y), config.batch_size)
                scores, _ = derivatives(collect_activations(model, x[rows]), kernels, y[rows])
            else:
                scores = [rng.uniform(size=kernel.shape) for kernel in kernels]
            share = share_to_move(step / last, config.share)
            masks = [drop_and_grow(kernel, mask, np.abs(score), min(round(share * mask.sum()), (~mask).sum()))
                     for kernel, mask, score in zip(kernels, masks, scores, strict=True)]
        apply_masks(model, masks)

    return callback
