"""A project closes a lesson: an open task, judged by its result, which is plain data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Project:
    """An open task: other instances come from other seeds, and there is room at the top.

    Scores are 0 for an answer without thought, such as a constant, and 100 for the best that is known.
    """

    id: str  # "01.project"
    title: str
    statement: str  # what is given, and what to hand in: shapes, limits, how it is judged
    draw: Callable  # np.random.Generator -> (given, hidden), dicts of plain values and arrays
    measure: Callable  # (given, hidden, answer) -> float, higher is better; ValueError for what is no answer
    floor: Callable  # (given, np.random.Generator) -> an answer without thought
    baseline: Callable  # given -> an answer after five minutes
    par: Callable  # given -> a good answer, with the means of the lesson
    best: Callable  # (given, hidden) -> the best that is known; it may look at what is hidden
    marks: dict = field(default_factory=dict, compare=False, repr=False)  # what each of these measures, by seed

    def instance(self, seed=0):
        """What a learner is given, a dict, and what is hidden."""
        return self.draw(np.random.default_rng(seed))

    def score(self, answer, seed=0):
        """The score of an answer to the instance of a seed; a ValueError says what is wrong with its form."""
        given, hidden = self.instance(seed)
        value = float(self.measure(given, hidden, answer(given) if callable(answer) else answer))
        floor, best = (self.measured(seed)[name] for name in ("floor", "best"))
        return 100 * (value - floor) / (best - floor)

    def measured(self, seed=0):
        """What the floor, the baseline, par and the best measure: {name: float}."""
        if seed not in self.marks:
            given, hidden = self.instance(seed)
            answers = {"floor": self.floor(given, np.random.default_rng([seed, 1])), "baseline": self.baseline(given),
                       "par": self.par(given), "best": self.best(given, hidden)}
            self.marks[seed] = {name: float(self.measure(given, hidden, answer)) for name, answer in answers.items()}
        return self.marks[seed]

    def scores(self, seed=0):
        """The scores of the baseline and of par, and 100: {name: float}."""
        found = self.measured(seed)
        return {name: 100 * (value - found["floor"]) / (found["best"] - found["floor"])
                for name, value in found.items() if name != "floor"}

    def points(self, answer, most, seed):
        """Points of a class: a share of `most` that grows with the score, all of it at par, none below 0."""
        return round(most * float(np.clip(self.score(answer, seed) / self.scores(seed)["par"], 0, 1)), 1)
