"""Many training runs at once, each with its own hyper-parameters; the twins add what a framework computes."""

from __future__ import annotations

import numpy as np

from course_lib.common import checks

EPSILON = 1e-7  # added to the root of mean squares, as Keras does; PyTorch's own default is 1e-8
OPTIMIZERS = ("sgd", "rmsprop", "adam")


class Runs:
    """K dense ReLU networks of one shape, trained side by side by gradient descent.

    One matrix product does the step of all of them. No network's loss depends on another's weights, so each learns as
    if it were alone.

    Parameters
    ----------
    weights : list of arrays
        Kernels (K, F, H) and biases (K, H) of each layer in turn; for the cross-entropy the last layer gives logits.
    optimizer : "sgd", "rmsprop" or "adam"
    momentum : float
        In [0, 1); for "sgd".
    loss : callable, optional
        `loss(outputs, targets)` of tensors (K, B, outputs) and (K, B, ...) is (K,), one loss a run; without it, the
        mean cross-entropy.
    device : str

    Raises
    ------
    ValueError
        If weights do not fit together, or an optimizer or momentum is none.

    References
    ----------
    Momentum: Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning", eq. 1-2, but
    with the learning rate outside the velocity, as PyTorch has it: a new rate acts at once.
    RMSprop: Tieleman & Hinton 2012, "Lecture 6.5", with a memory of .9. Adam: Kingma & Ba 2015, algorithm 1.
    """

    def __init__(self, weights, *, optimizer="sgd", momentum=0.9, loss=None, device="cpu"):
        weights = [np.asarray(part, np.float32) for part in weights]
        self.shapes = _checked([part.shape for part in weights])
        if optimizer not in OPTIMIZERS:
            raise ValueError(f"optimizer: expected one of {', '.join(OPTIMIZERS)}, got {optimizer!r}")
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum: expected a number in [0, 1), got {momentum!r}")
        self.optimizer, self.momentum, self.loss, self.device = optimizer, momentum, loss or self._cross_entropy, device
        ends = np.cumsum([part[0].size for part in weights]).tolist()
        self.places = [slice(end - part[0].size, end) for end, part in zip(ends, weights, strict=True)]
        now = _flat(weights, np)
        self.state, self.count = [now, np.zeros_like(now), np.zeros_like(now)], np.zeros(len(now), int)
        self._steps, self._measure = self._compiled(self._descend), self._compiled(self._measured)

    @property
    def flat(self):
        """All the weights of each run in a row, an array (K, W); another one may be put in its place."""
        return self.state[0]

    @flat.setter
    def flat(self, weights):
        self.state[0] = checks.array("flat", weights, self.state[0].shape).astype(np.float32)

    def train(self, x, y, learning_rate, *, rows=None, mean=None, scale=None, l1=None, l2=None, max_norm=None,
              max_value=None, kept=None, late_correction=False):
        """S steps of every run, in place.

        Parameters
        ----------
        x : array (S, K, B, F)
        y : integer array (S, K, B)
            What else targets may be, the loss decides: then (S, K, B, ...).
        learning_rate : array (K,), or (S, K) or (S, 1) for each step its own
        rows : integer array (S, K, B), optional
            Which examples are in each batch, of x (N, F), which all runs share, and of y (K, N, ...).
        mean, scale : array (K, 1, F), optional
            What each run subtracts from its inputs, and by what it then divides them.
        l1, l2 : array (K,), optional
            What a sum of absolute (of squared) kernel entries of 1 adds to a run's loss.
        max_norm, max_value : array (K,), optional
            A gradient with a larger norm, over all weights of a run, is scaled down to it; then each entry is cut.
        kept : array (S, K, B, H), optional
            By what the last hidden units are multiplied: for dropout, 0 or 1 over the share that is kept.
        late_correction : bool
            Whether Adam corrects its moments after it has added epsilon, as Keras does (Kingma & Ba 2015, end of
            section 2), or before.

        Returns
        -------
        array (K,), array (K,)
            Each run's loss without penalties and its gradient's norm before clipping, means over the steps.

        References
        ----------
        Clipping: Pascanu et al. 2013, "On the difficulty of training recurrent neural networks", algorithm 1.
        """
        steps, runs, y = len(x if rows is None else rows), len(self.count), np.asarray(y)
        rate, epsilon = np.zeros((steps, runs)) + learning_rate, np.full((steps, runs), EPSILON)
        data = {"mean": mean, "scale": scale, "kept": kept}
        if self.optimizer == "adam":  # its moments, which start at 0, are too small by these factors, (S, K)
            first, second = (1 - memory ** (self.count + np.arange(1, steps + 1)[:, None]) for memory in (0.9, 0.999))
            rate, epsilon = rate * np.sqrt(second) / first, epsilon * (1 if late_correction else np.sqrt(second))
        if rows is not None:
            begin, y = np.arange(runs)[:, None] * y.shape[1], y.reshape(-1, *y.shape[2:])
            data |= {"rows": np.int32(rows), "begin": np.int32(begin)}
        kernels = np.concatenate([np.full(part[0].size, part.ndim == 3) for part in self._parts(self.state[0], np)])
        each_run = {"l1": (l1, kernels), "l2": (l2, 2 * kernels),
                    "max_norm": (max_norm, 1), "max_value": (max_value, 1)}
        data |= {name: np.outer(values, by) for name, (values, by) in each_run.items() if values is not None}
        data |= {"x": np.asarray(x, np.float32), "y": y, "rate": rate[..., None], "epsilon": epsilon[..., None]}
        *self.state, losses, norms = self._run(self._steps, *self.state, *np.zeros((2, runs)), **data)
        self.count += steps
        return losses / steps, norms / steps

    def gradients(self, x, y):
        """The loss (K,) of each run on its own examples x (K, N, F) of classes y (K, N), and its gradient, (K, W)."""
        return self._run(self._measure, self.flat, np.asarray(x, np.float32), np.asarray(y))

    def _measured(self, now, x, y):
        losses, gradients = self._gradients(lambda *weights: self.loss(self._forward(weights, x), y),
                                            *self._parts(now, self._ops))
        return losses, _flat(gradients, self._ops)

    def predict(self, x):
        """Outputs (K, N, C) of every run for its own examples x (K, N, F)."""
        return self._run(lambda x, *weights: [self._forward(weights, x)],
                         np.asarray(x, np.float32), *self.weights())[0]

    def evaluate(self, x, y):
        """Loss (K,) and accuracy (K,) of every run on its own examples x (K, N, F) of classes y (K, N)."""
        logits, y = self.predict(x), np.asarray(y)
        [losses] = self._run(lambda *pair: [self.loss(*pair)], logits, y)
        return losses, (logits.argmax(axis=-1) == y).mean(axis=1, dtype=np.float32)

    def weights(self):
        """The weights now, as a list of arrays like that of the beginning."""
        return self._parts(self.state[0].copy(), np)

    def restart(self, runs, weights):
        """Begin some runs, an integer array (R,), anew from weights of shapes (R, ...), without any momentum."""
        now, first, second = self.state
        now[runs] = _flat(weights, np)
        first[runs] = second[runs] = self.count[runs] = 0

    def _run(self, function, *arrays, **named):
        """What a function of tensors gives on the device, from arrays to arrays; numbers become float32."""
        def tensor(values):
            return self._tensor(np.asarray(values, np.float32 if np.asarray(values).dtype.kind == "f" else None))

        with self._running():
            found = function(*map(tensor, arrays),
                             **{name: tensor(values) for name, values in named.items() if values is not None})
            return [self._array(part) for part in found]

    def _descend(self, *state, rate, **data):
        """All steps, on tensors: the state is weights, their first and second moments, and sums of losses and norms."""
        return self._loop(rate.shape[0], lambda i, state: self._step(i, *state, rate=rate, **data), state)

    def _step(self, i, now, first, second, losses, norms, *, x, y, rate, epsilon, rows=None, begin=None, mean=None,
              scale=None, l1=None, l2=None, max_norm=None, max_value=None, kept=None):
        """The state after one step; `_ops` is PyTorch or `keras.ops`, whose names and arguments here are the same."""
        ops = self._ops
        x, y = (x[i], y[i]) if rows is None else (self._take(x, rows[i]), self._take(y, begin + rows[i]))
        x, kept = x if mean is None else (x - mean) / scale, None if kept is None else kept[i]
        found, gradients = self._gradients(lambda *weights: self.loss(self._forward(weights, x, kept), y),
                                           *self._parts(now, ops))
        gradient = _flat(gradients, ops)
        if l1 is not None:
            gradient += l1 * ops.sign(now)
        if l2 is not None:
            gradient += l2 * now
        norm = ops.sqrt(ops.sum(ops.square(gradient), 1))
        if max_norm is not None:
            gradient *= ops.clip(max_norm / norm[:, None], 0, 1)
        if max_value is not None:
            gradient = ops.clip(gradient, -max_value, max_value)
        direction, first, second = self._direction(gradient, first, second, epsilon[i])
        now -= rate[i] * direction  # in place with PyTorch alone
        return now, first, second, losses + found, norms + norm

    def _direction(self, gradient, first, second, epsilon):
        """Where to go by the optimizer, and the new moments."""
        if self.optimizer != "rmsprop":
            first *= 0.9 if self.optimizer == "adam" else self.momentum
            first += 0.1 * gradient if self.optimizer == "adam" else gradient
        if self.optimizer == "sgd":
            return first, first, second
        memory = 0.9 if self.optimizer == "rmsprop" else 0.999
        second *= memory
        second += (1 - memory) * self._ops.square(gradient)
        direction = gradient if self.optimizer == "rmsprop" else first
        return direction / (self._ops.sqrt(second) + epsilon), first, second

    def _parts(self, now, ops):
        """Kernels and biases (K, ...) from all the weights of each run in a row, (K, weights)."""
        return [ops.reshape(now[:, place], shape) for place, shape in zip(self.places, self.shapes, strict=True)]


def _flat(parts, ops):
    """All the weights of each run in a row, (K, weights)."""
    return ops.concatenate([ops.reshape(part, (part.shape[0], -1)) for part in parts], 1)


def _checked(shapes):
    """Shapes of the weights of K runs; a ValueError if they do not fit together."""
    fine = shapes and shapes[0] and shapes[0][0] > 0 and len(shapes) % 2 == 0
    fine = fine and [len(shape) for shape in shapes] == [3, 2] * (len(shapes) // 2)
    fine = fine and all(bias == (shapes[0][0], kernel[2]) and kernel[0] == shapes[0][0]
                        for kernel, bias in zip(shapes[::2], shapes[1::2], strict=True))
    if not fine or any(one[2] != next_one[1] for one, next_one in zip(shapes[:-2:2], shapes[2::2], strict=True)):
        raise ValueError("weights: expected kernels (K, F, H) and biases (K, H) of each layer in turn, K > 0, "
                         f"got {shapes}")
    return shapes
