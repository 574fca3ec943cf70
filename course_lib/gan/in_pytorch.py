"""Generative adversarial networks in PyTorch; `in_keras` is the same file in Keras."""

from __future__ import annotations

import contextlib
import copy

import torch
from torch.nn import functional as F

from course_lib.common.devices import one_thread
from course_lib.common.seeding import spawn
from course_lib.gan.base import BaseGAN, History
from course_lib.gan.config import SETTINGS, GANConfig
from course_lib.gan.networks_in_pytorch import Discriminator, Generator
from course_lib.networks.layers_in_pytorch import soft_update

__all__ = ["Discriminator", "GAN", "GANConfig", "Generator", "History", "SETTINGS",
           "discriminator_loss", "discriminator_objective", "generator_loss", "input_gradient", "one_centred_penalty",
           "zero_centred_penalty"]

def discriminator_loss(real, fake, objective="non-saturating"):
    """What the discriminator minimises: a mean over its logits of real and of generated images, each (B,).

    References
    ----------
    As in `reference.discriminator_loss`.
    """
    if objective in ("minimax", "non-saturating"):
        return (F.softplus(-real) + F.softplus(fake)).mean()
    if objective == "hinge":
        return (F.relu(1 - real) + F.relu(1 + fake)).mean()
    if objective == "wasserstein":
        return (fake - real).mean()
    return F.softplus(fake - real).mean()  # relativistic: each real image against one generated image


def generator_loss(real, fake, objective="non-saturating"):
    """What the generator minimises: a mean over the discriminator's logits of real and of generated images, each (B,).

    References
    ----------
    As in `reference.generator_loss`.
    """
    if objective == "minimax":
        return -F.softplus(fake).mean()
    if objective == "non-saturating":
        return F.softplus(-fake).mean()
    if objective in ("hinge", "wasserstein"):
        return -fake.mean()
    return F.softplus(real - fake).mean()


def input_gradient(discriminator, x, *labels):
    """Logits (B,) of the images x (B, *shape), and the gradient (B, *shape) of each by its image.

    The gradient is itself differentiable: a penalty on it can be minimised.
    """
    x = x.detach().requires_grad_()
    logits = discriminator(x, *labels)
    return logits, torch.autograd.grad(logits.sum(), x, create_graph=True)[0]  # each logit sees its own image alone


def zero_centred_penalty(gradient):
    """Half the mean squared norm of gradients (B, *shape): R1 at real images, R2 at generated ones.

    References
    ----------
    Mescheder et al. 2018, "Which training methods for GANs do actually converge?", eq. 9 and 10.
    """
    return gradient.flatten(1).square().sum(dim=1).mean() / 2


def one_centred_penalty(gradient):
    """Mean squared distance of the norms of gradients (B, *shape) from 1, as WGAN-GP wants them.

    References
    ----------
    Gulrajani et al. 2017, "Improved training of Wasserstein GANs", eq. 3.
    """
    squared = gradient.flatten(1).square().sum(dim=1)
    return (squared.clamp(min=1e-12).sqrt() - 1).square().mean()  # the root has no slope at 0


def discriminator_objective(discriminator, real, fake, labels, mix, config):
    """All that the discriminator minimises: the loss of its game, and the penalties that `config` asks for.

    Parameters
    ----------
    discriminator : network
    real, fake : tensor (B, *shape)
        With the same labels.
    labels : integer tensor (B,)
    mix : tensor (B,)
        In [0, 1]: where between a real and a generated image the gradient penalty looks.
    config : GANConfig

    Returns
    -------
    tensor ()
    """
    penalties = 0.0
    if config.r1:
        real_logits, gradient = input_gradient(discriminator, real, labels)
        penalties = penalties + config.r1 * zero_centred_penalty(gradient)
    else:
        real_logits = discriminator(real, labels)
    if config.r2:
        fake_logits, gradient = input_gradient(discriminator, fake, labels)
        penalties = penalties + config.r2 * zero_centred_penalty(gradient)
    else:
        fake_logits = discriminator(fake, labels)
    if config.gradient_penalty:
        share = mix.reshape(-1, *[1] * (real.ndim - 1))  # (B, 1, ...)
        _, gradient = input_gradient(discriminator, share * real + (1 - share) * fake, labels)
        penalties = penalties + config.gradient_penalty * one_centred_penalty(gradient)
    return discriminator_loss(real_logits, fake_logits, config.objective) + penalties


class GAN(BaseGAN):
    """A generator and a discriminator that learn from playing against each other.

    Parameters
    ----------
    shape : tuple of int
        (height, width) of images in [0, 1], or (features,) of points.
    n_classes : int
        0: labels are not used.
    config : GANConfig, optional
    seed : int
        Seed of the initial weights.
    networks : callable, optional
        `networks(shape, n_classes, config, seed)` returns a generator and a discriminator to use in place of
        `Generator` and `Discriminator`.
    device : str
        As `fw.device()` names it. Networks as small as the default are fastest on the CPU.

    References
    ----------
    Goodfellow et al. 2014, "Generative adversarial nets", algorithm 1.
    """

    def __init__(self, shape, n_classes=0, config=None, *, seed=0, networks=None, device="cpu"):
        super().__init__(shape, n_classes, config, device, networks is not None)
        make = networks or _default_networks
        self.generator, self.discriminator = (net.to(device) for net in make(self.shape, n_classes, self.config, seed))
        self.averaged = copy.deepcopy(self.generator)
        options = {"lr": self.config.learning_rate, "betas": (self.config.beta_1, self.config.beta_2), "eps": 1e-7}
        self.optimizers = [torch.optim.Adam(player.parameters(), **options, fused=True)
                           for player in (self.discriminator, self.generator)]
        self._small = sum(parameter.numel() for parameter in self.discriminator.parameters()) < 300_000
        self._check_networks()

    @torch.no_grad()
    def generate(self, z, labels, *, averaged=True):
        """Generated images as an array, of latent vectors z (M, latent_size) and labels (M,)."""
        generator = (self.averaged if averaged else self.generator).eval()
        return generator(*self._tensors(z, labels)).numpy(force=True)

    @torch.no_grad()
    def logits(self, x, labels):
        """The discriminator's logits (M,) as an array, of images x (M, *shape) in [-1, 1] and labels (M,)."""
        return self.discriminator.eval()(*self._tensors(x, labels)).numpy(force=True)

    def update_block(self, real, labels, z, mix):
        """U steps of both players; returns the mean losses of the discriminator and of the generator.

        Parameters
        ----------
        real : array (U, S, B, *shape)
            In each step S batches for the discriminator, the last of them for the generator too.
        labels : array (U, S, B)
        z : array (U, S + 1, B, latent_size)
            The last of each step is the generator's.
        mix : array (U, S, B)
            In [0, 1]: where between a real and a generated image the gradient penalty looks.
        """
        real, labels, z, mix = self._tensors(real, labels, z, mix)
        (updates, repeats), d_loss, g_loss = labels.shape[:2], 0.0, 0.0
        self.generator.train()
        with one_thread() if self._small else contextlib.nullcontext():
            for i in range(updates):
                for j in range(repeats):
                    d_loss = d_loss + self._discriminator_step(real[i, j], labels[i, j], z[i, j], mix[i, j])
                g_loss = g_loss + self._generator_step(real[i, -1], labels[i, -1], z[i, -1])
        return float(d_loss) / (updates * repeats), float(g_loss) / updates

    def state(self):
        """Everything that changes in training, as plain data."""
        networks = {name: [value.numpy(force=True).copy() for value in getattr(self, name).state_dict().values()]
                    for name in ("generator", "averaged", "discriminator")}
        optimizers = [[value.numpy(force=True).copy() for slots in optimizer.state_dict()["state"].values()
                       for value in slots.values()] for optimizer in self.optimizers]
        return {**networks, "optimizers": optimizers, "steps": self.steps}

    def restore(self, state):
        """Put back what `state` returned."""
        for name in ("generator", "averaged", "discriminator"):
            network = getattr(self, name)
            values = zip(network.state_dict(), state[name], strict=True)
            network.load_state_dict({key: torch.tensor(value) for key, value in values})
        for optimizer, arrays in zip(self.optimizers, state["optimizers"], strict=True):
            _restore_adam(optimizer, arrays)
        self.steps = state["steps"]

    def _discriminator_step(self, real, labels, z, mix):
        with torch.no_grad():  # this step is the discriminator's alone
            fake = self.generator(z, labels)
        loss = discriminator_objective(self.discriminator.train(), real, fake, labels, mix, self.config)
        return _step(self.optimizers[0], loss)

    def _generator_step(self, real, labels, z):
        soft_update(_weights(self.averaged), _weights(self.generator), 1 - self._memory())
        self.steps += 1
        fake = self.discriminator.eval()(self.generator(z, labels), labels)
        real = self.discriminator(real, labels) if self.config.objective == "relativistic" else fake
        return _step(self.optimizers[1], generator_loss(real, fake, self.config.objective))

    def _tensors(self, *arrays):
        return [torch.as_tensor(array, device=self.device) for array in arrays]


def _step(optimizer, loss):
    optimizer.zero_grad()
    loss.backward(inputs=optimizer.param_groups[0]["params"])  # the opponent gets no gradient
    optimizer.step()
    return loss.detach()


def _restore_adam(optimizer, arrays):
    optimizer.state.clear()
    parameters, slots = optimizer.param_groups[0]["params"], ("step", "exp_avg", "exp_avg_sq")
    for i in range(0, len(arrays), len(slots)):
        parameter = parameters[i // len(slots)]
        values = [torch.tensor(array, device=parameter.device) for array in arrays[i: i + len(slots)]]
        optimizer.state[parameter] = dict(zip(slots, values, strict=True))


def _weights(network):
    """Parameters and floating-point buffers, such as BatchNorm's running statistics."""
    return [*network.parameters(), *(value for value in network.buffers() if value.is_floating_point())]


def _default_networks(shape, n_classes, config, seed):
    first, second = spawn(seed, 2)
    return Generator(shape, n_classes, config, seed=first), Discriminator(shape, n_classes, config, seed=second)
