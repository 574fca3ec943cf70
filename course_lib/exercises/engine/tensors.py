"""The bridge between NumPy arrays and the tensors of a framework."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Bridge:
    """How to hand arrays to a framework and to take its tensors back."""

    noun: str  # "PyTorch tensor"
    is_tensor: Callable
    to_tensor: Callable
    to_array: Callable

    def into(self, value):
        """An array as a tensor; anything else as it is."""
        return self.to_tensor(value) if isinstance(value, np.ndarray) else value

    def out_of(self, value):
        """A tensor as an array; anything else as it is."""
        return self.to_array(value) if self.is_tensor(value) else value


def bridge(framework):
    """The bridge to "pytorch" or "keras", which is imported only now."""
    if framework == "pytorch":
        import torch

        return Bridge("PyTorch tensor", torch.is_tensor, torch.from_numpy, lambda t: t.detach().cpu().numpy())
    from keras import ops

    return Bridge("tensor", ops.is_tensor, ops.convert_to_tensor, ops.convert_to_numpy)
