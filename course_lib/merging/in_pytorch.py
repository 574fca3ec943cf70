"""What several networks know in one: distillation, adapters; in PyTorch. `in_keras` is the same file in Keras."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from course_lib.merging.reference import check_lesson, low_rank
from course_lib.networks.in_pytorch import train

__all__ = ["LoRA", "distill", "distillation_loss"]


def distillation_loss(logits, teacher_logits, y, *, temperature=4.0, share=0.9):
    """Means over B of share * temperature^2 * KL(teacher || student), both softened, + (1 - share) * cross-entropy.

    Parameters
    ----------
    logits, teacher_logits : tensor (B, C)
    y : integer tensor (B,)
    temperature, share : float

    References
    ----------
    Hinton et al. 2015, "Distilling the knowledge in a neural network", section 2.
    """
    soft, student = (F.log_softmax(values / temperature, dim=1) for values in (teacher_logits, logits))
    divergence = (soft.exp() * (soft - student)).sum(dim=1).mean()
    return share * temperature**2 * divergence + (1 - share) * F.cross_entropy(logits, y)


def distill(student, x, y, teacher_logits, config=None, *, temperature=4.0, share=0.9, seed=0, callbacks=()):
    """Train a network, in place, to say what a teacher says: another network, or a whole ensemble.

    Parameters
    ----------
    student : network
    x : array (N, *input_shape), or tuple of them
    y : integer array (N,)
    teacher_logits : array (N, C)
        Of an ensemble, the logarithm of its mean probabilities.
    config : TrainingConfig, optional
    temperature, share, seed, callbacks
        As in `distillation_loss` and `train`.

    Returns
    -------
    list of float
        The mean loss of each epoch.
    """
    check_lesson(teacher_logits, y, temperature, share)

    def loss(targets, logits):
        return distillation_loss(logits, targets[:, :-1], targets[:, -1].long(), temperature=temperature, share=share)

    return train(student, x, np.column_stack([teacher_logits, y]), config, seed=seed, callbacks=callbacks, loss=loss)


class LoRA(nn.Module):
    """A dense ReLU network that holds still, and a product of two small matrices beside each kernel, which learns.

    Parameters
    ----------
    layers : list of (array (inputs, units), array (units,))
        As `networks.get_layers` returns them.
    rank : int
        Of each product: inputs * rank + rank * units numbers learn, in place of inputs * units.
    seed : int

    References
    ----------
    Hu et al. 2022, "LoRA: low-rank adaptation of large language models", eq. 3.
    """

    def __init__(self, layers, rank=4, *, seed=0):
        super().__init__()
        parts = zip(*low_rank(layers, rank, seed), strict=True)
        self.kernels, self.biases, self.down, self.up = (nn.ParameterList(map(nn.Parameter, map(torch.tensor, each)))
                                                         for each in parts)
        self.kernels.requires_grad_(False)
        self.biases.requires_grad_(False)

    def forward(self, x):
        """Logits (B, n_classes) of inputs (B, ...)."""
        x = x.flatten(1)
        for index, (kernel, down, up) in enumerate(zip(self.kernels, self.down, self.up, strict=True)):
            x = (F.relu(x) if index else x) @ (kernel + down @ up) + self.biases[index]
        return x

    @torch.no_grad()
    def merged(self):
        """The layers of one dense network that computes the same: each product added to its kernel."""
        return [((kernel + down @ up).numpy(), bias.numpy().copy())
                for kernel, bias, down, up in zip(self.kernels, self.biases, self.down, self.up, strict=True)]
