"""What Keras leaves to its backends: many training steps in one graph, and gradients by inputs."""

from __future__ import annotations

import functools


def make_steps(models, pick, *, compiled=True):
    """Make a function that trains on many batches in one call.

    Parameters
    ----------
    models : keras.Model or tuple of them
        Compiled. Those of a tuple take turns in each step.
    pick : callable
        `pick(i, *arrays)` is the tuple that `train_on_batch` gets in step i, computed with `keras.ops` or by indexing;
        for a tuple of models the list of such tuples for each.
    compiled : bool
        Whether all steps are one TensorFlow graph, if that is the backend: several times faster for small networks.

    Returns
    -------
    callable
        `run(count, *arrays, first=0)` makes the steps from `first` on and returns the mean loss of their examples; for
        a tuple of models a list, one mean each.
    """
    import keras

    several = isinstance(models, tuple)
    turns = pick if several else lambda i, *arrays: [[pick(i, *arrays)]]
    make = _compiled if compiled and keras.backend.backend() == "tensorflow" else _plain
    run = make(models if several else (models,), turns)
    return run if several else lambda *args, **options: run(*args, **options)[0]


def value_and_gradient(function, *inputs):
    """What a function makes of tensors, and the gradient of the sum of that by each of them, on any backend.

    A further gradient, by the weights that the function uses, may be taken through it.

    Returns
    -------
    tensor, list of tensors
    """
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = function(*inputs)
        return outputs, list(tape.gradient(outputs, inputs))
    if keras.backend.backend() == "torch":
        import torch

        inputs = [x.detach().requires_grad_() for x in inputs]
        outputs = function(*inputs)
        return outputs, list(torch.autograd.grad(outputs.sum(), inputs, create_graph=True))
    import jax

    def total(inputs):
        outputs = function(*inputs)
        return outputs.sum(), outputs

    gradients, outputs = jax.grad(total, has_aux=True)(inputs)
    return outputs, list(gradients)


def in_one_graph(function):
    """A function of tensors, traced anew for each new shape and then one graph, on backends that have such."""
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        # A partial counts by itself; else TensorFlow takes functions of one source for one, traced too often.
        return tf.function(functools.partial(function), autograph=False)
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    return function


def _compiled(models, turns):
    import tensorflow as tf
    from keras import ops

    def steps(constrained, first, count, *arrays):
        def train_one(i, _):
            batches = turns(i, *arrays)
            return [[model.train_step(batch)["loss"] for batch in own][-1]
                    for model, own in zip(models, batches, strict=True)]

        for model in models:
            model.reset_metrics()  # so that the last step's loss is the mean over all
        return ops.fori_loop(first, first + count, train_one, [0.0] * len(models))

    graph = in_one_graph(steps)

    def run(count, *arrays, first=0):
        for model in models:  # an optimizer that makes its variables while it is traced is traced twice
            if model.trainable_variables and not model.optimizer.built:
                model.optimizer.build(model.trainable_variables)
        constrained = tuple(weight.constraint is not None for model in models for weight in model.trainable_variables)
        arrays = tf.nest.map_structure(tf.convert_to_tensor, arrays)  # what is constrained anew is traced anew
        return [float(loss) for loss in graph(constrained, tf.constant(first), tf.constant(count), *arrays)]

    return run


def _plain(models, turns):
    from keras import tree

    def run(count, *arrays, first=0):
        totals, examples = [0.0] * len(models), [0] * len(models)
        for i in range(first, first + count):
            for j, (model, batches) in enumerate(zip(models, turns(i, *arrays), strict=True)):
                for batch in batches:
                    size = len(tree.flatten(batch)[0])
                    model.reset_metrics()  # some backends return the step's loss, others the mean since the last reset
                    totals[j] += float(model.train_on_batch(*batch)) * size
                    examples[j] += size
        return [total / size for total, size in zip(totals, examples, strict=True)]

    return run
