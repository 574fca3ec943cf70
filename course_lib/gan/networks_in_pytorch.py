"""The two networks of a GAN in PyTorch; `networks_in_keras` is the same file in Keras."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn.utils import parametrizations

__all__ = ["Discriminator", "Generator"]

SLOPE = 0.2  # of every leaky ReLU below zero


class Generator(nn.Module):
    """From latent vectors (B, latent_size) and labels (B,) to images (B, *shape) in [-1, 1].

    Kernels start uniform in +-sqrt(6/inputs) (He et al. 2015, eq. 10), biases at zero, drawn from `seed` alone.

    Parameters
    ----------
    shape : tuple of int
        (height, width) of images, or (features,) of points, which are not bounded.
    n_classes : int
        0: the labels are not used.
    config : GANConfig
    seed : int
    """

    def __init__(self, shape, n_classes, config, *, seed=0):
        super().__init__()
        bounded = [nn.Tanh()] if len(shape) == 2 else []
        if config.network == "dense":
            units = config.hidden[0]
            stack = [*_dense([*config.hidden, math.prod(shape)]), nn.Unflatten(1, shape)]
        else:
            (height, width), wide, narrow = shape, config.filters, -(-config.filters // 2)
            units = height // 4 * (width // 4) * wide
            stack = [nn.LeakyReLU(SLOPE), nn.Unflatten(1, (wide, height // 4, width // 4)),
                     nn.ConvTranspose2d(wide, narrow, 4, stride=2, padding=1), nn.LeakyReLU(SLOPE),
                     nn.ConvTranspose2d(narrow, 1, 4, stride=2, padding=1), nn.Flatten(1, 2)]
        self.body = nn.Sequential(*stack, *bounded)
        self.start = nn.Linear(config.latent_size, units)
        self.label = nn.Embedding(n_classes, units) if n_classes else None
        _initialise(self, seed)

    def forward(self, z, labels):
        """Images (B, *shape)."""
        values = self.start(z)
        if self.label is not None:
            values = values + self.label(labels)  # the same as a one-hot label beside z
        return self.body(values)


class Discriminator(nn.Module):
    """From images (B, *shape) and labels (B,) to logits (B,): positive for "real".

    The label's vector is projected on the features: an image must be real, and of its class.

    Parameters
    ----------
    shape, n_classes, config, seed
        As in `Generator`.

    References
    ----------
    Miyato & Koyama 2018, "cGANs with projection discriminator", eq. 5.
    """

    def __init__(self, shape, n_classes, config, *, seed=0):
        super().__init__()
        if config.network == "dense":
            units = config.hidden[-1]
            self.body = nn.Sequential(nn.Flatten(), *_dense([math.prod(shape), *config.hidden])[1:],
                                      nn.LeakyReLU(SLOPE))
        else:
            (height, width), wide, narrow = shape, config.filters, -(-config.filters // 2)
            units = height // 4 * (width // 4) * wide
            self.body = nn.Sequential(
                nn.Unflatten(1, (1, height)), nn.Conv2d(1, narrow, 4, stride=2, padding=1), nn.LeakyReLU(SLOPE),
                nn.Conv2d(narrow, wide, 4, stride=2, padding=1), nn.LeakyReLU(SLOPE), nn.Flatten())
        self.score = nn.Linear(units, 1)
        self.label = nn.Embedding(n_classes, units) if n_classes else None
        _initialise(self, seed)
        if config.spectral_norm:
            with torch.random.fork_rng(devices=[]):  # the power iteration starts from the global generator
                torch.manual_seed(seed)
                for layer in [layer for layer in self.modules() if hasattr(layer, "weight")]:
                    parametrizations.spectral_norm(layer)

    def forward(self, x, labels):
        """Logits (B,)."""
        features = self.body(x)  # (B, units)
        logits = self.score(features)[:, 0]
        if self.label is not None:
            logits = logits + (self.label(labels) * features).sum(dim=1)
        return logits


def _dense(sizes):
    pairs = zip(sizes[:-1], sizes[1:], strict=True)
    return [layer for inputs, units in pairs for layer in (nn.LeakyReLU(SLOPE), nn.Linear(inputs, units))]


@torch.no_grad()
def _initialise(network, seed):
    generator = torch.Generator().manual_seed(seed)
    for layer in network.modules():
        if hasattr(layer, "weight"):
            inputs = layer.weight[0].numel()
            if isinstance(layer, nn.ConvTranspose2d):
                inputs = layer.weight[:, 0].numel() // 4  # with stride 2, a quarter of the kernel reaches a pixel
            bound = math.sqrt(6 / inputs)
            layer.weight.uniform_(-bound, bound, generator=generator)
            if hasattr(layer, "bias"):
                layer.bias.zero_()
