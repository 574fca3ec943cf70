"""The two networks of a GAN in Keras 3, on any backend; `networks_in_pytorch` is the same file in PyTorch."""

from __future__ import annotations

import math

import keras
from keras import layers, ops

from course_lib.common.seeding import spawn

__all__ = ["Discriminator", "Generator"]

SLOPE = 0.2  # of every leaky ReLU below zero


class Generator(keras.Model):
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
        self.n_classes = n_classes
        start = _Start(seed)
        bounded = [layers.Activation("tanh")] if len(shape) == 2 else []
        if config.network == "dense":
            units = config.hidden[0]
            stack = [*start.dense([*config.hidden, math.prod(shape)]), layers.Reshape(shape)]
        else:
            (height, width), wide, narrow = shape, config.filters, -(-config.filters // 2)
            units = height // 4 * (width // 4) * wide
            up = {"strides": 2, "padding": "same"}
            stack = [layers.LeakyReLU(SLOPE), layers.Reshape((height // 4, width // 4, wide)),
                     layers.Conv2DTranspose(narrow, 4, **up, kernel_initializer=start.he(4 * wide)),
                     layers.LeakyReLU(SLOPE),
                     layers.Conv2DTranspose(1, 4, **up, kernel_initializer=start.he(4 * narrow)),
                     layers.Reshape(shape)]
        self.body = keras.Sequential([*stack, *bounded])
        self.start = layers.Dense(units, kernel_initializer=start.he(config.latent_size))
        self.label = _vectors(units, start) if n_classes else None

    def call(self, z, labels):
        """Images (B, *shape)."""
        values = self.start(z)
        if self.label is not None:
            values = values + self.label(ops.one_hot(labels, self.n_classes))  # the same as a one-hot label beside z
        return self.body(values)


class Discriminator(keras.Model):
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
        self.n_classes = n_classes
        start, wrap = _Start(seed), _SpectralNorm if config.spectral_norm else lambda layer: layer
        if config.network == "dense":
            units = config.hidden[-1]
            stack = [layers.Flatten(), *start.dense([math.prod(shape), *config.hidden])[1:], layers.LeakyReLU(SLOPE)]
        else:
            (height, width), wide, narrow = shape, config.filters, -(-config.filters // 2)
            units = height // 4 * (width // 4) * wide
            down = {"strides": 2, "padding": "same"}
            stack = [layers.Reshape((height, width, 1)),
                     layers.Conv2D(narrow, 4, **down, kernel_initializer=start.he(16)), layers.LeakyReLU(SLOPE),
                     layers.Conv2D(wide, 4, **down, kernel_initializer=start.he(16 * narrow)), layers.LeakyReLU(SLOPE),
                     layers.Flatten()]
        self.body = keras.Sequential([wrap(layer) if isinstance(layer, (layers.Dense, layers.Conv2D)) else layer
                                      for layer in stack])
        self.score = wrap(layers.Dense(1, kernel_initializer=start.he(units)))
        self.label = wrap(_vectors(units, start)) if n_classes else None

    def call(self, x, labels):
        """Logits (B,)."""
        features = self.body(x)  # (B, units)
        logits = self.score(features)[:, 0]
        if self.label is not None:
            logits = logits + ops.sum(self.label(ops.one_hot(labels, self.n_classes)) * features, axis=1)
        return logits


def _vectors(units, start):
    """A vector for each class, by a one-hot label.

    Not an `Embedding`: on TensorFlow its gradient is sparse, with an entry for each example, and Keras's Adam squares
    those of a class before it sums them, so that its steps are several times too long.
    """
    return layers.Dense(units, use_bias=False, kernel_initializer=start.he(units))


class _SpectralNorm(layers.Wrapper):
    """A layer whose kernel is divided by its largest singular value, found by one step of power iteration per call.

    The gradient flows through the division, as in `torch.nn.utils.parametrizations.spectral_norm`; Keras's own
    `SpectralNormalization` overwrites the kernel instead.

    References
    ----------
    Miyato et al. 2018, "Spectral normalization for generative adversarial networks", algorithm 1.
    """

    def build(self, input_shape):
        super().build(input_shape)
        outputs = self.layer.trainable_variables[0].shape[-1]
        self.v = self.add_weight(shape=(outputs,), initializer="ones", trainable=False)  # soon a singular vector

    def call(self, x, training=False):
        matrix = self._matrix()
        held = ops.stop_gradient(matrix)
        u = ops.normalize(ops.matmul(held, self.v), axis=0)  # one step of power iteration
        v = ops.normalize(ops.matmul(u, held), axis=0)
        if training:
            self.v.assign(v)
        norm = ops.sum(u * ops.matmul(matrix, v))
        kernel, *others = self.layer.trainable_variables
        return self.layer.stateless_call([kernel / norm, *others], [], x)[0]

    def _matrix(self):
        kernel = self.layer.trainable_variables[0]
        return ops.reshape(kernel, (-1, kernel.shape[-1]))  # of a convolution: height x width x inputs, outputs


class _Start:
    """Where the weights of a network start: each kernel from a seed of its own."""

    def __init__(self, seed):
        self.seeds = iter(spawn(seed, 20))

    def he(self, inputs):
        bound = math.sqrt(6 / inputs)
        return keras.initializers.RandomUniform(-bound, bound, seed=next(self.seeds))

    def dense(self, sizes):
        pairs = zip(sizes[:-1], sizes[1:], strict=True)
        return [layer for inputs, units in pairs
                for layer in (layers.LeakyReLU(SLOPE), layers.Dense(units, kernel_initializer=self.he(inputs)))]
