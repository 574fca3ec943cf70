"""What can be counted by hand, in NumPy: one step of each remedy."""

from __future__ import annotations

import numpy as np


def clip_by_norm(gradients, max_norm):
    """A list of arrays, scaled down together if the norm of all their entries is larger than `max_norm`.

    References
    ----------
    Pascanu et al. 2013, "On the difficulty of training recurrent neural networks", algorithm 1.
    """
    norm = np.sqrt(sum((part**2).sum() for part in gradients))
    share = min(1.0, max_norm / norm) if norm > 0 else 1.0
    return [part * share for part in gradients]


def dropout(x, draws, rate):
    """Activations x, where those whose draw, from 0 to 1, is below `rate` are left out, and the others scaled up.

    References
    ----------
    Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting", section 10.
    """
    return np.where(draws < rate, 0.0, x / (1 - rate))


def dropout_masks(rng, rates, shape):
    """0 or 1/(1 - rate), (S, K, B, H), for rates (K,) of units that are left out; None if all rates are 0.

    References
    ----------
    Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting", section 10: scaled
    while training, so that nothing changes for predictions.
    """
    rates = np.asarray(rates, np.float32)[:, None, None]
    if not rates.any():
        return None
    return (rng.random(shape, np.float32) >= rates) / (1 - rates)


def adam_step(weights, gradient, mean, square, step, learning_rate):
    """New weights, mean and mean square of the gradients, (N,) each, after step number `step`, from 1 on.

    References
    ----------
    Kingma & Ba 2015, "Adam: a method for stochastic optimization", algorithm 1, with its default memory of .9 and .999
    and 1e-8 beside the root.
    """
    mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
    direction = mean / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
    return weights - learning_rate * direction, mean, square


def early_stopping(losses, patience):
    """The look with the lowest validation loss so far, and that at which a run stops, both counted from 0.

    A run stops when `patience` looks in a row brought no lower loss, or after the last look.

    References
    ----------
    Goodfellow, Bengio & Courville 2016, "Deep learning", algorithm 7.1.
    """
    best = 0
    for look, loss in enumerate(losses):
        if loss < losses[best]:
            best = look
        if look - best >= patience:
            break
    return best, look
