"""What many small networks that are trained side by side need in both frameworks."""

from __future__ import annotations

import numpy as np

EPSILON = 1e-7  # added to the root of mean squares, as Keras does; PyTorch's own default is 1e-8
OPTIMIZERS = ("sgd", "rmsprop", "adam")


def check_runs(weights, optimizer, momentum):
    """The weights of K runs as float32 arrays; a ValueError if they do not fit together, or no optimizer is named."""
    weights = [np.asarray(part, np.float32) for part in weights]
    shapes = [part.shape for part in weights]
    fine = shapes and shapes[0] and shapes[0][0] > 0 and len(shapes) % 2 == 0
    fine = fine and [len(shape) for shape in shapes] == [3, 2] * (len(shapes) // 2)
    fine = fine and all(bias == (shapes[0][0], kernel[2]) and kernel[0] == shapes[0][0]
                        for kernel, bias in zip(shapes[::2], shapes[1::2], strict=True))
    if not fine or any(one[2] != next_one[1] for one, next_one in zip(shapes[:-2:2], shapes[2::2], strict=True)):
        raise ValueError("weights: expected kernels (K, F, H) and biases (K, H) of each layer in turn, K > 0, "
                         f"got {shapes}")
    if optimizer not in OPTIMIZERS:
        raise ValueError(f"optimizer: expected one of {', '.join(OPTIMIZERS)}, got {optimizer!r}")
    if not 0 <= momentum < 1:
        raise ValueError(f"momentum: expected a number in [0, 1), got {momentum!r}")
    return weights
