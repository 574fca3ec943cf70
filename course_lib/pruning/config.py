"""The hyper-parameters of pruning, shared by both frameworks."""

from __future__ import annotations

from dataclasses import dataclass

from course_lib.common.config import Config, require

SCOPES = ("global", "layer", "lamp")


@dataclass(frozen=True)
class PruningConfig(Config):
    """How much is pruned in a training run, where, and when.

    Raises
    ------
    ValueError
        If a field is outside its range; the message names the field, what was expected and what came.
    """

    sparsity: float = 0.9  # share of the weights that are 0 in the end (biases are never pruned)
    scope: str = "global"  # where weights compete: "global", "layer", or "lamp" (global, scaled by layer)
    begin: float = 0.0  # share of the updates after which pruning begins ...
    end: float = 0.6  # ... and ends; the rest is fine-tuning
    prune_every: int = 20  # updates between two steps of pruning

    RANGES = {"[1, inf)": ("prune_every",), "[0, 1)": ("sparsity", "begin"), "(0, 1]": ("end",)}
    CHOICES = {"scope": SCOPES}

    def __post_init__(self):
        super().__post_init__()
        require(self, "begin", lambda v: v < self.end, f"a number from 0 to below end, {self.end}")


@dataclass(frozen=True)
class SparseConfig(Config):
    """Training that is sparse from the start: how few connections there are, and how they move.

    Raises
    ------
    ValueError
        If a field is outside its range; the message names the field, what was expected and what came.
    """

    sparsity: float = 0.9  # share of the weights that are 0, from the first update to the last
    grow: str = "gradient"  # where new connections come: "gradient" (RigL), "random" (as SET), "nowhere" (they stay)
    share: float = 0.3  # of a layer's connections that move at first; falls to 0 along a cosine ...
    end: float = 0.75  # ... until this share of the updates is made
    move_every: int = 20  # updates between two moves
    batch_size: int = 256  # examples behind a gradient to grow by

    RANGES = {"[1, inf)": ("move_every", "batch_size"), "[0, 1)": ("sparsity", "share"), "(0, 1]": ("end",)}
    CHOICES = {"grow": ("gradient", "random", "nowhere")}
