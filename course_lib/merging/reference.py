"""The formulas of merging in NumPy, as short as they can be; what the exercises of notebook 06 ask for."""

from __future__ import annotations

import numpy as np

from course_lib.common import checks
from course_lib.networks.layers import check_layers


def distillation_loss(logits, teacher_logits, y, temperature=4.0, share=0.9):
    """Share * temperature^2 * KL(teacher || student), both softened, + (1 - share) * cross-entropy, means over B.

    Parameters
    ----------
    logits, teacher_logits : array (B, C)
    y : integer array (B,)
    temperature : float
        Both logits are divided by it. Its square keeps the gradient's size.
    share : float

    References
    ----------
    Hinton et al. 2015, "Distilling the knowledge in a neural network", section 2.
    """
    def log_softmax(scores):
        shifted = scores - scores.max(axis=1, keepdims=True)
        return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))

    teacher, student = log_softmax(teacher_logits / temperature), log_softmax(logits / temperature)
    divergence = (np.exp(teacher) * (teacher - student)).sum(axis=1).mean()
    hard = -log_softmax(logits)[np.arange(len(y)), y].mean()
    return float(share * temperature**2 * divergence + (1 - share) * hard)


def matching_order(kernel, bias, target_kernel, target_bias):
    """The order of a layer's neurons, kernel (inputs, units), that makes it most like another layer.

    Entry i names the neuron that moves to place i: the assignment with the largest sum of inner products.
    """
    from scipy.optimize import linear_sum_assignment

    return linear_sum_assignment(target_kernel.T @ kernel + np.outer(target_bias, bias), maximize=True)[1]


def regmean(inputs, kernels):
    """The kernel (F, U) whose outputs are nearest to those of each kernel on the inputs that it had, (N_m, F).

    References
    ----------
    Jin et al. 2023, "Dataless knowledge fusion by merging weights of language models", eq. 2.
    """
    grams = [x.T @ x for x in inputs]
    return np.linalg.solve(sum(grams), sum(gram @ kernel for gram, kernel in zip(grams, kernels, strict=True)))


def barrier(losses):
    """The most by which losses (K,) at equal steps between two networks exceed the line between the ends."""
    shares = np.linspace(0, 1, len(losses))
    return float((losses - (1 - shares) * losses[0] - shares * losses[-1]).max())


def check_lesson(teacher_logits, y, temperature, share):
    """A ValueError unless a student can learn from these: logits (N, C), classes (N,), and a share in [0, 1]."""
    teacher_logits = checks.array("teacher_logits", teacher_logits, ("N", "C"), finite=False)
    if not np.isfinite(teacher_logits).all():
        raise ValueError("teacher_logits: expected finite numbers, got NaN or infinity; take no logarithm of less than "
                         "1e-12")
    checks.classes("y", y, *teacher_logits.shape)
    checks.number("temperature", temperature, low=1e-3, high=1e3)
    checks.number("share", share, low=0, high=1)


def low_rank(layers, rank, seed):
    """For each layer its kernel and bias, and two small matrices whose product starts at 0: float32 arrays."""
    checks.sizes(rank=rank)
    rng = np.random.default_rng(checks.seed(seed))
    return [[values.astype(np.float32) for values in (
        kernel, bias, rng.normal(0, len(kernel) ** -0.5, (len(kernel), rank)), np.zeros((rank, len(bias))))]
        for kernel, bias in check_layers(layers)]
