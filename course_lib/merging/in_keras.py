"""What several networks know in one: distillation, adapters; in Keras 3. `in_pytorch` is the same file in PyTorch."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

from course_lib.merging.reference import check_lesson, low_rank
from course_lib.networks.in_keras import train

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
    soft, student = (ops.log_softmax(values / temperature, axis=1) for values in (teacher_logits, logits))
    divergence = ops.mean(ops.sum(ops.exp(soft) * (soft - student), axis=1))
    hard = ops.mean(ops.sparse_categorical_crossentropy(y, logits, from_logits=True))
    return share * temperature**2 * divergence + (1 - share) * hard


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
        y = ops.cast(targets[:, -1], "int32")
        return distillation_loss(logits, targets[:, :-1], y, temperature=temperature, share=share)

    return train(student, x, np.column_stack([teacher_logits, y]), config, seed=seed, callbacks=callbacks, loss=loss)


class LoRA(keras.Model):
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
        self.parts = [[self.add_weight(shape=values.shape, initializer=lambda *_, values=values, **__: values,
                                       trainable=place > 1) for place, values in enumerate(layer)]
                      for layer in low_rank(layers, rank, seed)]

    def call(self, x):
        """Logits (B, n_classes) of inputs (B, ...)."""
        x = ops.reshape(x, (ops.shape(x)[0], -1))
        for index, (kernel, bias, down, up) in enumerate(self.parts):
            x = (ops.relu(x) if index else x) @ (kernel + down @ up) + bias
        return x

    def merged(self):
        """The layers of one dense network that computes the same: each product added to its kernel."""
        return [(ops.convert_to_numpy(kernel + down @ up), ops.convert_to_numpy(bias))
                for kernel, bias, down, up in self.parts]
