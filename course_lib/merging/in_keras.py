"""What several networks know in one: distillation, in Keras 3; `in_pytorch` is the same file in PyTorch."""

from __future__ import annotations

import numpy as np
from keras import ops

from course_lib.merging.reference import check_lesson
from course_lib.networks.in_keras import train

__all__ = ["distill", "distillation_loss"]


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
