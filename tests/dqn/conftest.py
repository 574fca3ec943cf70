import importlib

import numpy as np
import pytest


@pytest.fixture(params=[pytest.param("pytorch"), pytest.param("keras", marks=pytest.mark.keras)])
def dqn(request):
    """The twin of each framework in turn."""
    pytest.importorskip({"pytorch": "torch", "keras": "keras"}[request.param])
    return importlib.import_module(f"course_lib.dqn.in_{request.param}")


@pytest.fixture
def td_loss_and_gradients():
    """What both frameworks are tested against: backpropagation written by hand."""
    return _td_loss_and_gradients


def _td_loss_and_gradients(weights, obs, action, target, huber_delta=None):
    """Mean TD loss of a ReLU network and its gradients by hand-written backpropagation.

    Parameters
    ----------
    weights : list of arrays
        As in `reference.mlp_forward`.
    obs, action, target : arrays (B, *obs_shape), (B,), (B,)
    huber_delta : float, optional
        None for the squared loss (q - y)^2, else the Huber loss that is linear beyond it.

    Returns
    -------
    float, list of arrays
        The loss and a gradient per weight.
    """
    inputs = [obs.reshape(len(obs), -1)]
    for kernel, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        inputs.append(np.maximum(inputs[-1] @ kernel + bias, 0))
    q = inputs[-1] @ weights[-2] + weights[-1]
    rows = np.arange(len(q))
    error = q[rows, action] - target
    if huber_delta is None:
        loss, slope = error**2, 2 * error
    else:
        size = np.abs(error)
        loss = np.where(size <= huber_delta, error**2 / 2, huber_delta * (size - huber_delta / 2))
        slope = np.clip(error, -huber_delta, huber_delta)
    delta = np.zeros_like(q)
    delta[rows, action] = slope / len(q)
    gradients = []
    for layer in reversed(range(len(inputs))):
        gradients[:0] = [inputs[layer].T @ delta, delta.sum(axis=0)]
        delta = (delta @ weights[2 * layer].T) * (inputs[layer] > 0)
    return float(loss.mean()), gradients
