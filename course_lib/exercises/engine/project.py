"""A project closes a lesson: an open task, judged by its result, which is plain data."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

INSTANCES = 8  # of a project in a class; each student gets one of them
AT_PAR = 0.7  # of the points of a class


def class_number(student):
    """Which of the class's instances a student gets."""
    return int(hashlib.sha256(student.strip().lower().encode()).hexdigest(), 16) % INSTANCES


def class_seed(secret, project_id, number):
    """The seed of one of the class's instances, from the course's secret one."""
    return int(hashlib.sha256(f"{secret}/{project_id}/{number}".encode()).hexdigest()[:12], 16)


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
        """Points of a class: none for a score of 0, `AT_PAR` of `most` at par, all of it for the best that is known."""
        score, par = self.score(answer, seed), self.scores(seed)["par"]
        return round(most * float(np.interp(score, [0, par, 100], [0, AT_PAR, 1])), 1)
