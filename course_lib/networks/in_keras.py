"""Small classifiers in Keras 3, for the topics that take networks apart; `in_pytorch` is the same file in PyTorch."""

from __future__ import annotations

import time

import keras
import numpy as np
from keras import layers, ops

from course_lib.common import checks
from course_lib.common.keras_steps import make_steps
from course_lib.networks.config import (
    TrainingConfig,
    as_inputs,
    check_batches,
    check_data,
    check_image,
    check_targets,
    readable_errors,
)
from course_lib.networks.layers_in_keras import (
    NORMS,
    collect_activations,
    get_kernels,
    get_layers,
    set_layer,
    set_layers,
)
from course_lib.networks.side_by_side_in_keras import TrainingRuns

__all__ = ["TrainingConfig", "TrainingRuns", "accuracy", "collect_activations", "get_kernels", "get_layers",
           "make_cnn", "make_mlp", "make_rnn", "measure_latency", "predict", "set_layer", "set_layers", "squared_error",
           "train"]


def make_mlp(input_shape, n_classes, *, hidden=(300, 100), seed=0):
    """A dense ReLU network from inputs (B, *input_shape) to logits (B, n_classes); by default LeNet-300-100.

    Kernels start uniform in +-sqrt(6/inputs) (He et al. 2015, eq. 10), biases at zero, drawn from `seed` alone.
    """
    checks.sizes(input_shape=input_shape, n_classes=n_classes, hidden=hidden)
    return keras.Sequential([keras.Input(input_shape), layers.Flatten(), *_dense([*hidden, n_classes], seed)])


def make_cnn(input_shape, n_classes, *, filters=(16, 32), hidden=(64,), seed=0):
    """A small convolutional network from images (B, height, width) to logits (B, n_classes).

    Each 3x3 convolution keeps the size and is followed by a ReLU and 2x2 pooling; then come dense layers.
    """
    check_image(input_shape, filters)
    checks.sizes(n_classes=n_classes, filters=filters, hidden=hidden)
    stack = [keras.Input(input_shape), layers.Reshape((*input_shape, 1))]
    for i, count in enumerate(filters):
        stack += [layers.Conv2D(count, 3, padding="same", kernel_initializer=_he(seed, 100 + i)), layers.ReLU(),
                  layers.MaxPooling2D(2)]
    return keras.Sequential([*stack, layers.Flatten(), *_dense([*hidden, n_classes], seed)])


def make_rnn(input_shape, n_classes, *, units=64, seed=0):
    """A GRU that reads inputs (B, steps, features) step by step, and a dense layer from its last state to logits.

    Input kernels start uniform (Glorot & Bengio 2010, eq. 16), recurrent ones orthogonal, biases at zero.
    """
    checks.sizes(input_shape=input_shape, n_classes=n_classes, units=units)
    seed = checks.seed(seed)
    recurrent = layers.GRU(units, kernel_initializer=keras.initializers.GlorotUniform(seed),
                           recurrent_initializer=keras.initializers.Orthogonal(seed=seed))
    return keras.Sequential([keras.Input(input_shape), recurrent, *_dense([n_classes], seed + 1)])


def train(model, x, y, config=None, *, seed=0, callbacks=(), penalty=None, loss=None):
    """Train a classifier with Adam on the cross-entropy, in place.

    Parameters
    ----------
    model : network
    x : array (N, *input_shape), or tuple of them for a network that has several inputs
    y : integer array (N,), or an array (N, ...) that `loss` understands
    config : TrainingConfig, optional
    seed : int, of the order of the examples
    callbacks : sequence of callables
        `callback(model, step, updates)` is called with step 0 at first, and after each of all `updates`.
    penalty : callable, optional
        `penalty(kernel)` of each layer's kernel is added to the loss, beside `config.l2`'s.
    loss : callable, optional
        `loss(y, logits)`, a mean over the batch, in place of the cross-entropy.

    Returns
    -------
    list of float
        The mean loss of each epoch.
    """
    first = tuple(part[:1] for part in as_inputs(x))
    x, y = check_targets(x, y, loss, predict(model, first).shape[1])
    config, measure = config or TrainingConfig(), loss or keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    check_batches(config, len(y), any(isinstance(layer, NORMS) for layer in _leaves(model)))
    checks.callbacks(callbacks)
    x, updates = as_inputs(x), config.updates(len(y))
    for callback in callbacks:
        callback(model, 0, updates)
    for layer in filter(lambda layer: hasattr(layer, "kernel"), _leaves(model)):
        terms = [penalty, getattr(layer, "kernel_regularizer", None), config.l2 and keras.regularizers.L2(config.l2)]
        layer.kernel.regularizer = _Penalty(list(filter(None, terms))) if any(terms) else None
    schedule = keras.optimizers.schedules.CosineDecay(config.learning_rate, updates)
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=config.weight_decay, epsilon=1e-7)
    optimizer.exclude_from_weight_decay([weight for weight in model.trainable_weights if len(weight.shape) < 2])
    model.compile(optimizer, jit_compile=False, loss=measure)
    size, count, losses = config.batch_size, updates // config.epochs, []
    run = make_steps(model, lambda i, *arrays: _batch(*(values[i * size: (i + 1) * size] for values in arrays)))
    rng = np.random.default_rng(checks.seed(seed))
    for epoch in range(config.epochs):
        order = rng.permutation(len(y))
        shuffled, total = [ops.convert_to_tensor(values[order]) for values in (y, *x)], 0.0
        for i in range(count if callbacks else 0):
            total += run(1, *shuffled, first=i) * min(size, len(y) - i * size)
            for callback in callbacks:
                callback(model, epoch * count + i + 1, updates)
        losses.append(total / len(y) if callbacks else run(count, *shuffled))
        checks.still_finite(model.get_weights(), f"for {(epoch + 1) * count:,} updates", loss=losses[-1])
    return losses


def predict(model, x, *, batch_size=1000):
    """Logits (N, n_classes) as an array, of inputs (N, *input_shape), or of a tuple of them."""
    x, found = as_inputs(x), []
    with readable_errors(x):
        for i in range(0, len(x[0]), batch_size):  # `model.predict` would compile each network
            parts = [part[i: i + batch_size] for part in x]
            found.append(ops.convert_to_numpy(model(parts if len(parts) > 1 else parts[0], training=False)))
    return np.concatenate(found)


def squared_error(targets, outputs):
    """The mean squared error, a scalar tensor: what `train` takes as `loss` for regression.

    Targets have the outputs' shape (B, n): with (B,) and (B, 1) every target would meet every output.
    """
    if len(targets.shape) != len(outputs.shape) or targets.shape[1:] != outputs.shape[1:]:
        raise ValueError(f"targets: expected the outputs' shape {tuple(outputs.shape)}, got {tuple(targets.shape)}")
    return ops.mean(ops.square(targets - outputs))


def accuracy(model, x, y):
    """Share of the examples x, as `predict` takes them, whose largest logit is that of their class y (N,)."""
    x, y = check_data(x, y)
    return float((predict(model, x).argmax(axis=1) == y).mean())


def measure_latency(models, x, *, repeats=30):
    """How long each network takes for the inputs `x` all at once, in seconds: the fastest of `repeats` calls.

    What else the computer does only ever makes a call slower. The networks take turns; in its turn each is called
    twice, and the second call counts: then its weights are in the cache.

    Parameters
    ----------
    models : list of networks
    x : array (N, *input_shape)
    repeats : int

    Returns
    -------
    array (len(models),)
    """
    inputs, functions = ops.convert_to_tensor(x, "float32"), [_compiled(model) for model in models]
    seconds = np.empty((repeats, len(models)))
    for i in range(-3, repeats):  # the first calls set things up, and are overwritten
        for j, function in enumerate(functions):
            for _ in range(2):
                started = time.perf_counter()
                ops.convert_to_numpy(function(inputs))
                seconds[i, j] = time.perf_counter() - started
    return seconds.min(axis=0)


def _batch(y, *x):
    """What Keras trains on: one input, or a list of several, and the targets."""
    return (x[0] if len(x) == 1 else list(x)), y


def _leaves(model):
    """The layers of a network, and those of networks within it."""
    return [leaf for layer in model.layers for leaf in (_leaves(layer) if hasattr(layer, "layers") else [layer])]


class _Penalty(keras.regularizers.Regularizer):
    """What is added to the loss for a kernel: the sum of functions of it."""

    def __init__(self, terms):
        self.terms = terms

    def __call__(self, kernel):
        return sum(term(kernel) for term in self.terms)


def _dense(sizes, seed):
    stack = []
    for i, units in enumerate(sizes):
        stack += [layers.Dense(units, kernel_initializer=_he(seed, i), bias_initializer="zeros"), layers.ReLU()]
    return stack[:-1]


def _he(seed, layer):
    seed = (1_000 * checks.seed(seed) + layer) % 2**32
    return keras.initializers.VarianceScaling(2.0, "fan_in", "uniform", seed=seed)


def _compiled(model):
    """A function of the inputs that runs the network as one TensorFlow graph; on other backends, as they do."""
    if keras.backend.backend() != "tensorflow":
        return lambda x: model(x, training=False)
    import tensorflow as tf

    return tf.function(lambda x: model(x, training=False))
