"""The experiments of notebook 02, for any seeds and either framework."""

from __future__ import annotations

import numpy as np

from course_lib.pruning.information import gaussian_mi_selection, least_squares_reconstruction


def shrink_by_information(pruning, model, x, sizes):
    """A smaller dense network: neurons chosen by Gaussian information, the next layer refitted, layer by layer.

    Each layer is refitted to the pre-activations of the *whole* network, so that it also makes up for what the
    layers before it lost.

    Parameters
    ----------
    pruning : module
        A twin, as `fw.load("pruning")` returns it.
    model : network
        Dense.
    x : array (N, *input_shape)
        Examples to choose and refit by; their classes are not needed.
    sizes : sequence of int
        Neurons to keep in each hidden layer.

    Returns
    -------
    network
    """
    wanted = [after for _, after in pruning.collect_activations(model, x)]
    if len(sizes) != len(wanted) - 1:
        raise ValueError(f"sizes: expected {len(wanted) - 1}, one for each hidden layer, got {len(sizes)}")
    for index, size in enumerate(sizes):
        inputs = pruning.collect_activations(model, x)[index + 1][0]
        chosen = np.sort(gaussian_mi_selection(inputs, wanted[index + 1], size))
        kernel, bias = least_squares_reconstruction(inputs[:, chosen], wanted[index + 1])
        keep = [None] * len(sizes)
        keep[index] = chosen
        model = pruning.shrink(model, keep)
        pruning.set_layer(model, index + 1, kernel.astype(np.float32), bias.astype(np.float32))
    return model
