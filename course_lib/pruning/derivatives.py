"""How the loss of a dense network depends on every weight, in NumPy: the same for both frameworks."""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

from course_lib.common import checks
from course_lib.pruning.information import check_dense


def derivatives(layers, kernels, y):
    """First and second derivatives of the mean cross-entropy by every entry of the kernels, zeros among them.

    Parameters
    ----------
    layers : list of (array (N, n), array (N, m))
        Inputs and pre-activations of each layer of a dense ReLU network, as `collect_activations` returns them.
    kernels : list of arrays (n, m)
        As `get_kernels` returns them.
    y : integer array (N,)
        Classes.

    Returns
    -------
    list of arrays, list of arrays
        Shaped like `kernels`. The second ones are approximate: of the Hessian the diagonal alone, and on the way
        to it without what two logits, or two neurons of a layer, have in common. In the last layer they are exact.

    References
    ----------
    Rumelhart, Hinton & Williams 1986, "Learning representations by back-propagating errors"; LeCun, Denker & Solla
    1990, "Optimal brain damage", eqs. 7 to 9 (the second derivatives).
    """
    check_dense(layers)
    logits = layers[-1][1]
    y = checks.classes("y", y, *logits.shape)
    p = softmax(logits.astype(np.float64), axis=1)
    slope, curvature = p - np.eye(p.shape[1])[y], p * (1 - p)  # by the logits, (N, classes)
    first, second = [], []
    for (inputs, _), kernel in reversed(list(zip(layers, kernels, strict=True))):
        inputs = inputs.reshape(len(y), -1)
        first.append(inputs.T @ slope / len(y))
        second.append((inputs**2).T @ curvature / len(y))
        fires = inputs > 0  # back through the ReLU in front of this layer
        slope, curvature = slope @ kernel.T * fires, curvature @ kernel.T**2 * fires
    return first[::-1], second[::-1]
