"""Small classifiers in Keras 3, for the topics that take networks apart; `in_pytorch` is the same file in PyTorch."""

from __future__ import annotations

import time

import keras
import numpy as np
from keras import layers, ops

from course_lib.classifier.config import TrainingConfig, check_data
from course_lib.common.keras_steps import make_steps

__all__ = ["TrainingConfig", "accuracy", "make_cnn", "make_mlp", "measure_latency", "predict", "train"]


def make_mlp(input_shape, n_classes, *, hidden=(300, 100), seed=0):
    """A dense ReLU network from inputs (B, *input_shape) to logits (B, n_classes); by default LeNet-300-100.

    Kernels start uniform in +-sqrt(6/inputs) (He et al. 2015, eq. 10), biases at zero, drawn from `seed` alone.
    """
    return keras.Sequential([keras.Input(input_shape), layers.Flatten(), *_dense([*hidden, n_classes], seed)])


def make_cnn(input_shape, n_classes, *, filters=(16, 32), hidden=(64,), seed=0):
    """A small convolutional network from images (B, height, width) to logits (B, n_classes).

    Each 3x3 convolution keeps the size and is followed by a ReLU and 2x2 pooling; then come dense layers.
    """
    stack = [keras.Input(input_shape), layers.Reshape((*input_shape, 1))]
    for i, count in enumerate(filters):
        stack += [layers.Conv2D(count, 3, padding="same", kernel_initializer=_he(seed, 100 + i)), layers.ReLU(),
                  layers.MaxPooling2D(2)]
    return keras.Sequential([*stack, layers.Flatten(), *_dense([*hidden, n_classes], seed)])


def train(model, x, y, config=None, *, seed=0, callbacks=(), penalty=None):
    """Train a classifier with Adam on the cross-entropy, in place.

    Parameters
    ----------
    model : network
    x : array (N, *input_shape)
    y : integer array (N,)
    config : TrainingConfig, optional
    seed : int
        Seed of the order of the examples.
    callbacks : sequence of callables
        `callback(model, step, updates)` is called before the first update, with step 0, and after each of all
        `updates`.
    penalty : callable, optional
        `penalty(kernel)` of each layer's kernel is added to the loss, beside `config.l2`'s.

    Returns
    -------
    list of float
        The mean loss of each epoch.
    """
    x, y = check_data(x, y, model.output_shape[1])
    config = config or TrainingConfig()
    updates = config.updates(len(x))
    for callback in callbacks:
        callback(model, 0, updates)
    for layer in model.layers:
        if hasattr(layer, "kernel"):
            layer.kernel.regularizer = _penalty(config.l2, penalty)
    schedule = keras.optimizers.schedules.CosineDecay(config.learning_rate, updates)
    model.compile(keras.optimizers.Adam(schedule, epsilon=1e-7), jit_compile=False,
                  loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    size, count, losses = config.batch_size, updates // config.epochs, []
    run = make_steps(model, lambda i, *arrays: tuple(values[i * size: (i + 1) * size] for values in arrays))
    rng = np.random.default_rng(seed)
    for epoch in range(config.epochs):
        order = rng.permutation(len(x))
        shuffled, total = [ops.convert_to_tensor(values[order]) for values in (x, y)], 0.0
        for i in range(count if callbacks else 0):
            total += run(1, *shuffled, first=i) * min(size, len(x) - i * size)
            for callback in callbacks:
                callback(model, epoch * count + i + 1, updates)
        losses.append(total / len(x) if callbacks else run(count, *shuffled))
    return losses


def predict(model, x, *, batch_size=1000):
    """Logits (N, n_classes) as an array, of inputs (N, *input_shape)."""
    x, starts = np.asarray(x, np.float32), range(0, len(x), batch_size)  # `model.predict` would compile each network
    return np.concatenate([ops.convert_to_numpy(model(x[i: i + batch_size], training=False)) for i in starts])


def accuracy(model, x, y):
    """Share of the examples x (N, *input_shape) whose largest logit is that of their class y (N,)."""
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


def _penalty(l2, penalty):
    if l2 and penalty:
        return lambda kernel: penalty(kernel) + l2 * ops.sum(ops.square(kernel))
    return keras.regularizers.L2(l2) if l2 else penalty


def _dense(sizes, seed):
    stack = []
    for i, units in enumerate(sizes):
        stack += [layers.Dense(units, kernel_initializer=_he(seed, i), bias_initializer="zeros"), layers.ReLU()]
    return stack[:-1]


def _he(seed, layer):
    return keras.initializers.VarianceScaling(2.0, "fan_in", "uniform", seed=1_000 * seed + layer)


def _compiled(model):
    """A function of the inputs that runs the network as one TensorFlow graph; on other backends, as they do."""
    if keras.backend.backend() != "tensorflow":
        return lambda x: model(x, training=False)
    import tensorflow as tf

    return tf.function(lambda x: model(x, training=False))
