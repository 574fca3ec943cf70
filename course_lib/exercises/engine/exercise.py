"""What an exercise and a quiz question are: plain data, which notebooks and classroom assignments share."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

QUIZZES, PROJECTS, IN_CLASS = (Path(__file__).parents[1] / folder for folder in ("quizzes", "projects", "in_class"))
SEED = 0  # of the cases that `check` shows; a classroom draws hidden ones from another seed


@dataclass(frozen=True)
class WrongAnswer:
    """A mistake that learners make, as a function, and the hint that it should trigger."""

    function: Callable
    hint: str


@dataclass(frozen=True)
class Exercise:
    """One function for the learner to write.

    Raises
    ------
    ValueError
        If a text, a hint or the known mistakes are missing.
    """

    id: str  # "01.td_target": the notebook's number, then the function's name
    title: str
    statement: str  # what to write, in one to three sentences
    reference: Callable  # the right answer, in NumPy
    cases: Callable  # np.random.Generator -> list of {parameter: value}; plain values and NumPy arrays only
    wrong: tuple[WrongAnswer, ...]
    hints: tuple[str, ...]  # from a nudge to nearly the answer
    tensors: bool = False  # arrays are handed over, and expected back, as tensors of the chosen framework
    seeded: tuple[str, ...] = ()  # parameters that a case gives as a seed and the function as a Generator
    verify: Callable | None = None  # (cases, outputs) -> (case index, complaint), or None if all is well
    tolerance: float = 1e-5  # largest relative or absolute difference

    def __post_init__(self):
        for name in ("title", "statement", "wrong", "hints"):
            value = getattr(self, name)
            if not value or not all(value):
                raise ValueError(f"exercise {self.id!r}: expected a non-empty {name}, got {value!r}")

    @property
    def name(self):
        """The name of the function that the learner writes."""
        return self.id.partition(".")[2]

    def draw(self, seed=SEED):
        """The list of cases that a seed gives."""
        return self.cases(np.random.default_rng(seed))


@dataclass(frozen=True)
class Topic:
    """The exercises, the project and the quiz of one notebook."""

    number: str  # "01"
    package: str  # "dqn": course_lib.dqn
    title: str
    exercises: tuple[Exercise, ...] = ()

    @property
    def project_id(self):
        """The id of its project, or None."""
        return f"{self.number}.project" if (PROJECTS / f"{self.package}.py").exists() else None

    @cached_property
    def project(self):
        """Its `Project`; it is imported only now, as scikit-learn is with it."""
        return importlib.import_module(f"course_lib.exercises.projects.{self.package}").PROJECT

    @property
    def is_graded(self):
        """Whether there is an assignment about it."""
        return (IN_CLASS / f"{self.package}.py").exists()

    @cached_property
    def graded(self):
        """What a class is graded on, which has no public solution: a module with EXERCISES and QUESTIONS."""
        return importlib.import_module(f"course_lib.exercises.in_class.{self.package}")

    @cached_property
    def questions(self):
        """The quiz, from `quizzes/<package>.json`: dicts as jupyterquiz reads them, of plain text.

        The first answer is the right one.
        """
        return json.loads((QUIZZES / f"{self.package}.json").read_text(encoding="utf-8"))
