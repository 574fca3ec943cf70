"""How long a training run is, and what may be decided in it."""

from __future__ import annotations

from dataclasses import dataclass

from course_lib.common.config import Fields, require, whole
from course_lib.dqn.config import DQNConfig


@dataclass(frozen=True)
class TuningConfig(Fields):
    """A training run as an episode: so many decisions, and so many steps of gradient descent after each.

    Raises
    ------
    ValueError
        If a field is outside its range.
    """

    decisions: int = 20  # in a run
    steps: int = 10  # of gradient descent after each decision
    batch_size: int = 16
    momentum: float = 0.9
    factors: tuple[float, ...] = (0.4, 1.0, 2.5)  # by which an action multiplies the learning rate
    start: tuple[float, float] = (1e-3, 0.3)  # the first learning rate is drawn between them, on a logarithmic scale
    bounds: tuple[float, float] = (1e-5, 3.0)  # it stays between them
    regularise: bool = False  # decide on weight decay, dropout, clipping and the end as well
    bonus: float = 1.0  # at the end, for each unit of validation accuracy

    def __post_init__(self):
        for name in ("decisions", "steps", "batch_size"):
            require(self, name, lambda v: whole(v, 1), "a whole number >= 1")
        require(self, "regularise", lambda v: v in (True, False), "True or False")
        require(self, "momentum", lambda v: 0 <= v < 1, "a number in [0, 1)")
        require(self, "factors", lambda v: len(v) > 1 and min(v) > 0, "two numbers > 0 or more")
        require(self, "bounds", lambda v: 0 < v[0] < v[1], "two numbers 0 < low < high")
        low, high = self.bounds
        require(self, "start", lambda v: low <= v[0] <= v[1] <= high,
                f"two numbers low <= high within the bounds {self.bounds}")
        require(self, "bonus", lambda v: v >= 0, "a number >= 0")


# For 64 runs at a time.
TUNER = DQNConfig(hidden=(64, 64), learning_rate=2e-3, gamma=0.94, n_step=3, huber_delta=1.0, tau=0.01,
                  epsilon_end=0.1, epsilon_steps=50_000, total_steps=100_000, eval_every=10_000_000)
