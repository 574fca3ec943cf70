"""Generative adversarial networks in Keras 3, on any backend; `in_pytorch` is the same file in PyTorch."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from course_lib.common.keras_steps import make_steps, value_and_gradient
from course_lib.common.seeding import spawn
from course_lib.gan.base import BaseGAN, History
from course_lib.gan.config import SETTINGS, GANConfig
from course_lib.gan.networks_in_keras import Discriminator, Generator
from course_lib.networks.layers_in_keras import soft_update

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
        return ops.mean(ops.softplus(-real) + ops.softplus(fake))
    if objective == "hinge":
        return ops.mean(ops.relu(1 - real) + ops.relu(1 + fake))
    if objective == "wasserstein":
        return ops.mean(fake - real)
    return ops.mean(ops.softplus(fake - real))  # relativistic: each real image against one generated image


def generator_loss(real, fake, objective="non-saturating"):
    """What the generator minimises: a mean over the discriminator's logits of real and of generated images, each (B,).

    References
    ----------
    As in `reference.generator_loss`.
    """
    if objective == "minimax":
        return -ops.mean(ops.softplus(fake))
    if objective == "non-saturating":
        return ops.mean(ops.softplus(-fake))
    if objective in ("hinge", "wasserstein"):
        return -ops.mean(fake)
    return ops.mean(ops.softplus(real - fake))


def input_gradient(discriminator, x, *labels):
    """Logits (B,) of the images x (B, *shape), and the gradient (B, *shape) of each by its image.

    The gradient is itself differentiable: a penalty on it can be minimised.
    """
    logits, (gradient,) = value_and_gradient(lambda images: discriminator(images, *labels), x)
    return logits, gradient  # of their sum: each logit sees its own image alone


def zero_centred_penalty(gradient):
    """Half the mean squared norm of gradients (B, *shape): R1 at real images, R2 at generated ones.

    References
    ----------
    Mescheder et al. 2018, "Which training methods for GANs do actually converge?", eq. 9 and 10.
    """
    return ops.mean(ops.sum(ops.square(gradient), axis=tuple(range(1, gradient.ndim)))) / 2


def one_centred_penalty(gradient):
    """Mean squared distance of the norms of gradients (B, *shape) from 1, as WGAN-GP wants them.

    References
    ----------
    Gulrajani et al. 2017, "Improved training of Wasserstein GANs", eq. 3.
    """
    squared = ops.sum(ops.square(gradient), axis=tuple(range(1, gradient.ndim)))
    return ops.mean(ops.square(ops.sqrt(ops.maximum(squared, 1e-12)) - 1))  # the root has no slope at 0


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
        share = ops.reshape(mix, (-1, *[1] * (real.ndim - 1)))  # (B, 1, ...)
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
        with keras.device(device):
            self.generator, self.discriminator = make(self.shape, n_classes, self.config, seed)
            self.averaged, _ = make(self.shape, n_classes, self.config, seed)
            if self.averaged is self.generator:
                raise ValueError("networks: expected new networks at each call, got the same generator twice")
            self._check_networks()  # this also builds them
            self.generate(np.zeros((1, self.config.latent_size), np.float32), np.zeros(1, np.int64), averaged=False)
            self.averaged.set_weights(self.generator.get_weights())
            self.players = (
                _DiscriminatorPlayer(self.discriminator, self.generator, self.config).prepare(),
                _GeneratorPlayer(self.generator, self.discriminator, self.averaged, self.config).prepare())
            self._play = make_steps(self.players, _batches)

    def generate(self, z, labels, *, averaged=True):
        """Generated images as an array, of latent vectors z (M, latent_size) and labels (M,)."""
        with keras.device(self.device):
            generator = self.averaged if averaged else self.generator
            return ops.convert_to_numpy(generator(ops.convert_to_tensor(z), ops.convert_to_tensor(labels)))

    def logits(self, x, labels):
        """The discriminator's logits (M,) as an array, of images x (M, *shape) in [-1, 1] and labels (M,)."""
        with keras.device(self.device):
            return ops.convert_to_numpy(self.discriminator(ops.convert_to_tensor(x), ops.convert_to_tensor(labels)))

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
        with keras.device(self.device):
            d_loss, g_loss = self._play(len(labels), real, labels, z, mix)
        self.steps += len(labels)
        return d_loss, g_loss

    def state(self):
        """Everything that changes in training, as plain data."""
        networks = {name: getattr(self, name).get_weights() for name in ("generator", "averaged", "discriminator")}
        optimizers = [[ops.convert_to_numpy(value) for value in player.optimizer.variables] for player in self.players]
        return {**networks, "optimizers": optimizers, "steps": self.steps}

    def restore(self, state):
        """Put back what `state` returned."""
        for name in ("generator", "averaged", "discriminator"):
            getattr(self, name).set_weights(state[name])
        for player, arrays in zip(self.players, state["optimizers"], strict=True):
            for variable, values in zip(player.optimizer.variables, arrays, strict=True):
                variable.assign(values)
        self.steps = state["steps"]
        self.players[1].count.assign(self.steps)


class _Player(keras.Model):
    """One of the two models that Keras trains in turn: its own network learns, its opponent's stays as it is."""

    def __init__(self, network, opponent, config):
        super().__init__()
        self.network, self.opponent, self.config = network, opponent, config

    def prepare(self):
        """Compile it, once it has all its weights."""
        config = self.config
        adam = keras.optimizers.Adam(config.learning_rate, config.beta_1, config.beta_2, epsilon=1e-7)
        adam.build(self.trainable_variables)
        self.compile(optimizer=adam, jit_compile=False)
        self.built = True
        return self

    # Not `opponent.trainable = False`: that holds wherever the opponent is used, so it would never learn at all.
    @property
    def trainable_variables(self):
        return self.network.trainable_variables

    @property
    def non_trainable_variables(self):
        own = {id(variable) for variable in self.trainable_variables}
        return [variable for variable in self.variables if id(variable) not in own]

    trainable_weights, non_trainable_weights = trainable_variables, non_trainable_variables

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return y_pred  # what a player computes is its loss


class _DiscriminatorPlayer(_Player):
    def call(self, batch, training=False):  # which the networks inherit
        real, labels, z, mix = (batch[name] for name in ("real", "labels", "z", "mix"))
        fake = ops.stop_gradient(self.opponent(z, labels))  # this step is the discriminator's alone
        return discriminator_objective(self.network, real, fake, labels, mix, self.config)


class _GeneratorPlayer(_Player):
    def __init__(self, network, opponent, averaged, config):
        super().__init__(network, opponent, config)
        self.averaged = averaged
        self.count = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False)

    def call(self, batch, training=False):
        count = ops.cast(self.count, "float32")
        memory = ops.minimum(self.config.average, (1 + count) / (10 + count))  # as `BaseGAN._memory`
        soft_update(self.averaged.weights, self.network.weights, 1 - memory)
        self.count.assign_add(1)
        fake = self.opponent(self.network(batch["z"], batch["labels"]), batch["labels"], training=False)
        relativistic = self.config.objective == "relativistic"
        real = self.opponent(batch["real"], batch["labels"], training=False) if relativistic else fake
        return generator_loss(real, fake, self.config.objective)


def _batches(i, real, labels, z, mix):
    """What each player learns from in step i: the discriminator some batches, the generator one."""
    steps = [{"real": real[i, j], "labels": labels[i, j], "z": z[i, j], "mix": mix[i, j]} for j in range(mix.shape[1])]
    return [(batch,) for batch in steps], [({**steps[-1], "z": z[i, -1]},)]


def _default_networks(shape, n_classes, config, seed):
    first, second = spawn(seed, 2)
    return Generator(shape, n_classes, config, seed=first), Discriminator(shape, n_classes, config, seed=second)
