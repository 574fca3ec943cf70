"""Many training steps of a Keras model: in one TensorFlow graph, or one after the other on any backend."""

from __future__ import annotations

import functools


def make_steps(model, pick, *, compiled=True):
    """Make a function that trains on many batches in one call.

    Parameters
    ----------
    model : keras.Model
        Compiled.
    pick : callable
        `pick(i, *arrays)` is the tuple that `train_on_batch` gets in step i, computed with `keras.ops` or by indexing.
    compiled : bool
        Whether all steps are one TensorFlow graph, if that is the backend: several times faster for small networks.

    Returns
    -------
    callable
        `run(count, *arrays, first=0)` makes the steps from `first` on and returns the mean loss of their examples.
    """
    import keras

    return (_compiled if compiled and keras.backend.backend() == "tensorflow" else _plain)(model, pick)


def _compiled(model, pick):
    import tensorflow as tf
    from keras import ops

    def steps(constrained, first, count, *arrays):
        def train_one(i, _):
            return model.train_step(pick(i, *arrays))["loss"]

        model.reset_metrics()  # so that the last step's loss is the mean over all
        return ops.fori_loop(first, first + count, train_one, 0.0)

    # A partial counts by itself; else TensorFlow takes the steps of all models for one function, traced too often.
    graph = tf.function(functools.partial(steps), autograph=False)

    def run(count, *arrays, first=0):
        constrained = tuple(weight.constraint is not None for weight in model.trainable_variables)  # new: trace anew
        arrays = tf.nest.map_structure(tf.convert_to_tensor, arrays)
        return float(graph(constrained, tf.constant(first), tf.constant(count), *arrays))

    return run


def _plain(model, pick):
    from keras import tree

    def run(count, *arrays, first=0):
        total = examples = 0
        for i in range(first, first + count):
            batch = pick(i, *arrays)
            size = len(tree.flatten(batch)[0])
            model.reset_metrics()  # some backends return the loss of the step, others the mean since the last reset
            total, examples = total + float(model.train_on_batch(*batch)) * size, examples + size
        return total / examples

    return run
