"""How long a training run is, and what may be decided in it."""

from __future__ import annotations

from dataclasses import dataclass

from course_lib.common.config import Config, require
from course_lib.dqn.config import DQNConfig


@dataclass(frozen=True)
class TuningConfig(Config):
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

    RANGES = {"[1, inf)": ("decisions", "steps", "batch_size"), "[0, 1)": ("momentum",), "[0, inf)": ("bonus",),
              "(0, inf)": ("factors", "start", "bounds")}

    def __post_init__(self):
        super().__post_init__()
        require(self, "factors", lambda v: len(v) > 1, "two numbers > 0 or more")
        require(self, "bounds", lambda v: v[0] < v[1], "two numbers 0 < low < high")
        low, high = self.bounds
        require(self, "start", lambda v: low <= v[0] <= v[1] <= high,
                f"two numbers low <= high within the bounds {self.bounds}")


# For 64 runs at a time.
TUNER = DQNConfig(hidden=(64, 64), learning_rate=2e-3, gamma=0.94, n_step=3, huber_delta=1.0, tau=0.01,
                  epsilon_end=0.1, epsilon_steps=50_000, total_steps=100_000, eval_every=10_000_000)
