"""The hyper-parameters of gradual pruning, shared by both frameworks."""

from __future__ import annotations

from dataclasses import dataclass

from course_lib.common.config import require, whole

SCOPES = ("global", "layer", "lamp")


@dataclass(frozen=True)
class PruningConfig:
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

    def __post_init__(self):
        require(self, "prune_every", lambda v: whole(v, 1), "a whole number >= 1")
        require(self, "sparsity", lambda v: 0 <= v < 1, "a number in [0, 1)")
        require(self, "scope", lambda v: v in SCOPES, f"one of {', '.join(SCOPES)}")
        require(self, "end", lambda v: 0 < v <= 1, "a number in (0, 1]")
        require(self, "begin", lambda v: 0 <= v < self.end, f"a number from 0 to below end, {self.end}")
