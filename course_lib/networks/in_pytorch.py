"""Small classifiers in PyTorch, for the topics that take networks apart; `in_keras` is the same file in Keras."""

from __future__ import annotations

import math
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from course_lib.common import checks
from course_lib.networks.config import (
    TrainingConfig,
    as_inputs,
    check_batches,
    check_data,
    check_image,
    check_targets,
    readable_errors,
)
from course_lib.networks.layers_in_pytorch import (
    NORMS,
    collect_activations,
    get_kernels,
    get_layers,
    set_layer,
    set_layers,
)
from course_lib.networks.side_by_side_in_pytorch import TrainingRuns

__all__ = ["TrainingConfig", "TrainingRuns", "accuracy", "collect_activations", "get_kernels", "get_layers",
           "make_cnn", "make_mlp", "make_rnn", "measure_latency", "predict", "set_layer", "set_layers", "squared_error",
           "train"]


def make_mlp(input_shape, n_classes, *, hidden=(300, 100), seed=0):
    """A dense ReLU network from inputs (B, *input_shape) to logits (B, n_classes); by default LeNet-300-100.

    Kernels start uniform in +-sqrt(6/inputs) (He et al. 2015, eq. 10), biases at zero, drawn from `seed` alone.
    """
    checks.sizes(input_shape=input_shape, n_classes=n_classes, hidden=hidden)
    return _initialise(nn.Sequential(nn.Flatten(), *_dense([math.prod(input_shape), *hidden, n_classes])), seed)


def make_cnn(input_shape, n_classes, *, filters=(16, 32), hidden=(64,), seed=0):
    """A small convolutional network from images (B, height, width) to logits (B, n_classes).

    Each 3x3 convolution keeps the size and is followed by a ReLU and 2x2 pooling; then come dense layers.
    """
    check_image(input_shape, filters)
    checks.sizes(n_classes=n_classes, filters=filters, hidden=hidden)
    (height, width), channels = input_shape, 1
    layers = [nn.Unflatten(1, (1, height))]
    for count in filters:
        layers += [nn.Conv2d(channels, count, 3, padding="same", dtype=torch.float32), nn.ReLU(), nn.MaxPool2d(2)]
        height, width, channels = height // 2, width // 2, count
    sizes = [height * width * channels, *hidden, n_classes]
    return _initialise(nn.Sequential(*layers, nn.Flatten(), *_dense(sizes)), seed)


def make_rnn(input_shape, n_classes, *, units=64, seed=0):
    """A GRU that reads inputs (B, steps, features) step by step, and a dense layer from its last state to logits.

    Input kernels start uniform (Glorot & Bengio 2010, eq. 16), recurrent ones orthogonal, biases at zero.
    """
    checks.sizes(input_shape=input_shape, n_classes=n_classes, units=units)
    generator = torch.Generator().manual_seed(checks.seed(seed))
    recurrent = _LastState(input_shape[1], units, batch_first=True, dtype=torch.float32)
    nn.init.xavier_uniform_(recurrent.weight_ih_l0, generator=generator)
    nn.init.orthogonal_(recurrent.weight_hh_l0, generator=generator)
    for bias in (recurrent.bias_ih_l0, recurrent.bias_hh_l0):
        nn.init.zeros_(bias)
    return nn.Sequential(recurrent, _initialise(nn.Sequential(*_dense([units, n_classes])), seed + 1)[0])


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
    config, measure = config or TrainingConfig(), loss or _cross_entropy
    check_batches(config, len(y), any(isinstance(layer, NORMS) for layer in model.modules()))
    checks.callbacks(callbacks)
    updates, device = config.updates(len(y)), next(model.parameters()).device
    y, *x = (torch.as_tensor(array, device=device) for array in (y, *as_inputs(x)))
    for callback in callbacks:
        callback(model, 0, updates)
    biases = [p for p in model.parameters() if p.dim() < 2]
    kernels = [p for p in model.parameters() if p.dim() > 1]
    groups = [{"params": kernels, "weight_decay": config.weight_decay}, {"params": biases, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, eps=1e-7, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, updates)
    rng, losses, step = np.random.default_rng(checks.seed(seed)), [], 0
    for _ in range(config.epochs):
        order, total = torch.from_numpy(rng.permutation(len(y))).to(device), 0.0
        for rows in order.split(config.batch_size):
            model.train()  # a callback may have evaluated
            loss = measure(y[rows], model(*(part[rows] for part in x))) + _penalties(model, config.l2, penalty)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            step, total = step + 1, total + loss.detach() * len(rows)
            for callback in callbacks:
                callback(model, step, updates)
        losses.append(float(total) / len(y))
        checks.still_finite((p.numpy(force=True) for p in model.parameters()), f"for {step:,} updates", loss=losses[-1])
    return losses


@torch.no_grad()
def predict(model, x, *, batch_size=1000):
    """Logits (N, n_classes) as an array, of inputs (N, *input_shape), or of a tuple of them."""
    training, device, x = model.training, next(model.parameters()).device, as_inputs(x)
    parts = zip(*(torch.as_tensor(part, device=device).split(batch_size) for part in x), strict=True)
    try:
        with readable_errors(x):
            return torch.cat([model.eval()(*part) for part in parts]).numpy(force=True)
    finally:
        model.train(training)


def squared_error(targets, outputs):
    """The mean squared error, a scalar tensor: what `train` takes as `loss` for regression.

    Targets have the outputs' shape (B, n): with (B,) and (B, 1) every target would meet every output.
    """
    if targets.shape != outputs.shape:
        raise ValueError(f"targets: expected the outputs' shape {tuple(outputs.shape)}, got {tuple(targets.shape)}")
    return (targets - outputs).square().mean()


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
    inputs = [torch.as_tensor(np.asarray(x, np.float32), device=next(model.parameters()).device) for model in models]
    seconds = np.empty((repeats, len(models)))
    for i in range(-3, repeats):  # the first calls set things up, and are overwritten
        for j, model in enumerate(models):
            for _ in range(2):
                started = time.perf_counter()
                with torch.inference_mode():
                    model.eval()(inputs[j]).cpu()
                seconds[i, j] = time.perf_counter() - started
    return seconds.min(axis=0)


class _LastState(nn.GRU):
    def forward(self, x):
        return super().forward(x)[1][0]  # (1, B, units) -> (B, units)


def _dense(sizes):
    pairs = zip(sizes[:-1], sizes[1:], strict=True)
    return [layer for inputs, units in pairs
            for layer in (nn.Linear(inputs, units, dtype=torch.float32), nn.ReLU())][:-1]


def _cross_entropy(y, logits):
    return F.cross_entropy(logits, y)


def _penalties(model, l2, penalty):
    kernels = [layer.weight for layer in model.modules() if isinstance(layer, (nn.Linear, nn.Conv2d))]
    total = getattr(model, "auxiliary_loss", 0.0) + (sum(map(penalty, kernels)) if penalty else 0.0)
    return total + l2 * sum(kernel.square().sum() for kernel in kernels) if l2 else total


@torch.no_grad()
def _initialise(model, seed):
    generator = torch.Generator().manual_seed(checks.seed(seed))
    for layer in model:
        if hasattr(layer, "weight"):
            bound = math.sqrt(6 / layer.weight[0].numel())
            layer.weight.uniform_(-bound, bound, generator=generator)
            layer.bias.zero_()
    return model
