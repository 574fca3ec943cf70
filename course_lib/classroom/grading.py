"""The score of a submission: a student's functions answer in a sandbox, and are judged here.

python -m course_lib.classroom grade COURSE 01_dqn
"""

from __future__ import annotations

import builtins
import functools
import hashlib
import json
import math
import time
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import course_lib
from course_lib.classroom import marks as marking
from course_lib.classroom import sandbox, submissions
from course_lib.classroom.assignments import default_points, handed_out, setup_source, topic_of, uses_tensors
from course_lib.classroom.marks import Mark
from course_lib.classroom.solutions import function_name, given
from course_lib.exercises.engine import judge, wire

MODULES = {"pytorch": "torch", "keras": "keras"}


class NotGraded(RuntimeError):
    """A submission could not be tried, through no fault of the student's."""


@dataclass(frozen=True)
class Result:
    """What came of a submission."""

    student: str
    assignment: str
    marks: tuple[Mark, ...] = ()
    framework: str = ""
    problem: str = ""  # why there is nothing to grade, or why it could not be graded
    graded: bool = True
    notes: tuple[str, ...] = ()
    way: str = ""  # how the sandbox was made
    seconds: float = 0.0
    digest: str = ""  # of the submission, the exercises and the hidden cases
    lost: float = 0.0  # share of the points taken off for being late
    starved: bool = False  # something was ended while others had the machine: to be tried again, alone
    handed_in: str = ""  # when, in UTC, as ISO 8601

    @property
    def points(self):
        """The sum, without what a person has still to read, less what being late costs."""
        return sum(mark.points for mark in self.marks) * (1 - self.lost)

    @property
    def most(self):
        """The sum of what can be had, with what a person reads."""
        return sum(mark.most for mark in self.marks)

    def as_json(self):
        """Text that `from_json` reads."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text):
        """The result in a text."""
        data = json.loads(text)
        marks = tuple(Mark(**mark) for mark in data.pop("marks"))
        return cls(marks=marks, notes=tuple(data.pop("notes")), **data)


@dataclass(frozen=True)
class Terms:
    """What a grade depends on beside the submission."""

    seed: int  # of the hidden cases
    points: dict  # what the exercises, the project and the questions count, by id; what is not in it is left out
    handed_out: tuple = ()  # the assignment's own cells, `submissions.Cell`
    due: datetime | None = None
    late: float = 0.0  # share of the points that each day begun after that costs
    limits: sandbox.Limits = sandbox.Limits()
    way: sandbox.Way | None = None  # the safest one that works by default

    @classmethod
    def of(cls, assignment, *, seed=1, **more):
        """The terms of an assignment as the course has it."""
        topic = topic_of(assignment)
        return cls(seed, **({"points": default_points(topic), "handed_out": handed_out(topic)} | more))

    def lost(self, when):
        """The share of the points that is lost by handing in at this time, or None."""
        days = math.ceil((when - self.due) / timedelta(days=1)) if self.due and when else 0
        return min(1.0, max(0, days) * self.late)

    def fingerprint(self, submission, assignment):
        """What a grade depends on, as a short text: the same one need not be computed again."""
        statements = [exercise.statement for exercise in topic_of(assignment).graded.EXERCISES]
        parts = (course_lib.__version__, submission.digest, submission.problem, submission.notes, assignment,
                 statements, self.seed, self.points, self.handed_out, self.due, self.late, self.limits)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]


def nothing_graded(student, assignment, problem, terms, *, graded=False, **more):
    """The result of a submission of which nothing could be tried: no points."""
    found = tuple(Mark(name, 0.0, most, "missing") for name, most in terms.points.items())
    return Result(student, assignment, found, problem=str(problem), graded=graded, **more)


def grade_one(folder, student, assignment, terms):
    """Grade what a student has handed in.

    Parameters
    ----------
    folder : path-like
        `submitted/STUDENT/ASSIGNMENT`.
    student, assignment : str
    terms : Terms

    Returns
    -------
    Result
        Whatever stands in the folder.
    """
    began, topic, folder = time.monotonic(), topic_of(assignment), Path(folder)
    submission = submissions.read(folder, assignment)
    when, note = submissions.handed_in_at(submissions.find(folder, assignment)[0])
    common = {"framework": submission.framework if uses_tensors(topic) else "", "digest": terms.fingerprint(
        submission, assignment), "notes": submission.notes + ((note,) if note else ()),
        "handed_in": when.isoformat(timespec="seconds") if when else "", "lost": terms.lost(when)}
    if submission.problem:
        return nothing_graded(student, assignment, submission.problem, terms, graded=True, **common)
    way = terms.way or sandbox.best_way()
    try:
        trial = _Trial(topic, submission, terms, way)
        found = trial.marks()
        found |= _other_marks(topic, submission, student, terms)
    except NotGraded as error:
        return nothing_graded(student, assignment, error, terms, **common)
    except Exception as error:  # a fault of ours must not stop the others; a person has to look at this one
        return nothing_graded(student, assignment, f"not graded: {type(error).__name__} in the grader", terms, **common)
    return Result(student, assignment, tuple(found[name] for name in terms.points), way=str(way),
                  starved=trial.starved, seconds=round(time.monotonic() - began, 2), **common)


def _other_marks(topic, submission, student, terms):
    """The marks for the project and for answers in words."""
    found, (answers, loose) = {}, submissions.written_answers(submission, terms.handed_out)
    for name, most in terms.points.items():
        if name == topic.project_id:
            found[name] = marking.project_mark(topic.project, most, submission.handed_in(name), terms.seed, student)
        elif "." not in name:
            found[name] = Mark(name, 0.0, most, "to be read" if answers.get(name) or loose else "not written")
    return found


class _Trial:
    """The functions of a submission, tried in one sandbox after another until all have answered or were stopped."""

    def __init__(self, topic, submission, terms, way):
        self.topic, self.submission, self.terms, self.way = topic, submission, terms, way
        self.exercises = {exercise.id: exercise for exercise in topic.graded.EXERCISES if exercise.id in terms.points}
        self.shown, self.hidden = {}, {}  # answers by id, or why there are none
        self.verdicts = {}  # of what was shown: (the version of the function that was best, its Verdict)
        self.errors, self.stopped, self.starved = None, set(), False  # errors of cells in the first sandbox, by number
        self.imports = [MODULES[submission.framework or "pytorch"]] if uses_tensors(topic) else []
        if self.imports and find_spec(self.imports[0]) is None:
            raise NotGraded(f"not graded: the submission uses {submission.framework}, which is not installed here")

    def marks(self):
        """The marks by id."""
        limits, failures = self.terms.limits, 0
        cells = [[0, setup_source(self.topic)], *self.submission.code()]
        until = time.monotonic() + 3 * limits.total + limits.start
        while (left := self._left()) and time.monotonic() < until:
            request = {"framework": self.submission.framework or "pytorch" if self.imports else "",
                       "imports": self.imports, "cells": [cell for cell in cells if cell[0] not in self.stopped],
                       "exercises": [self._task(exercise, marking.shown_key(exercise.id).cases) for exercise in left]}
            said = sandbox.converse(request, hidden=functools.partial(self._hear_shown, left),
                                    helpers=_helpers(self.topic, left), way=self.way, limits=limits)
            if not any(message.get("ready") is True for message in said.shown):
                failures += 1
                if failures == 2:
                    raise NotGraded(f"not graded: the sandbox did not start, it {said.why or 'ended'}")
                continue
            known = self._known()
            self._learn(left, said, {f"cell {number}": number for number, _ in cells})
            if self._known() == known:  # it would go on like this for ever
                break
        return {name: self._mark(exercise) for name, exercise in self.exercises.items()}

    def _known(self):
        return len(self.shown) + len(self.hidden) + len(self.stopped)

    def _left(self):
        """The exercises that have still to answer: on what is shown, or, if all of that was right, on the rest."""
        return [exercise for name, exercise in self.exercises.items() if name not in self.shown
                or (self._is_right(name) and name not in self.hidden)]

    def _is_right(self, name):
        return name in self.verdicts and self.verdicts[name][1].case is None

    def _task(self, exercise, cases, **more):
        return {"id": exercise.id, "function": function_name(exercise), "seeded": list(exercise.seeded),
                "tensors": exercise.tensors, "cases": [wire.encode(case) for case in cases], **more}

    def _hear_shown(self, left, messages):
        """Judge the answers to what is shown; the tasks with hidden cases for those that are right."""
        self._note_errors(messages)
        for name, answers in _answers(messages, left).items():
            if name not in self.shown:
                self.shown[name], self.verdicts[name] = answers, self._best(name, answers)
        return [self._task(exercise, marking.hidden_key(exercise.id, self.terms.seed).cases,
                           version=self.verdicts[exercise.id][0])
                for exercise in left if self._is_right(exercise.id) and exercise.id not in self.hidden]

    def _best(self, name, versions):
        """The version of a function that is right, else the first that was written, and its verdict."""
        count, verdicts = len(marking.shown_key(name).cases), []
        for number, answers in enumerate(versions):
            read = marking.read_answers(answers, count)
            verdict = judge.Verdict(0, str(answers)) if read is None else marking.shown_verdict(name, read)
            if verdict.case is None:
                return number, verdict
            if answers not in ("not written", "missing"):
                verdicts.append((number, verdict))
        return verdicts[0] if verdicts else (0, judge.Verdict(0, "not written" if "not written" in versions
                                                              else "missing"))

    def _learn(self, left, said, cells):
        """Take in what was said, and what stopped it."""
        if not said.hidden and said.why:
            self._note_errors(said.shown)  # it did not come so far that `_hear_shown` was called
        after = _answers(said.hidden, [exercise for exercise in left if exercise.id in self.shown])
        self.hidden |= {name: answers for name, answers in after.items() if name not in self.hidden}
        if not said.why:
            asked = {exercise.id for exercise in left}
            for name in asked - self.shown.keys():
                self.shown[name] = "was not reached"
            for name in asked - self.hidden.keys():
                self.hidden[name] = None
            return
        self.starved |= said.starved
        begun = [message["begin"] for message in (said.hidden or said.shown) if type(message.get("begin")) is str]
        last = begun[-1] if begun else ""
        if last in self.exercises and {"shown": True} in said.shown:
            self.hidden.setdefault(last, None)
        elif last in self.exercises:
            self.shown.setdefault(last, said.why)
        elif last in cells and cells[last] not in self.stopped:
            self.stopped.add(cells[last])
            self.errors = (self.errors or {}) | {cells[last]: f"Stopped: {said.why}"}

    def _note_errors(self, messages):
        if self.errors is None:  # later sandboxes run the same cells; only in the first one none was left out
            said = [(message.get("cell"), message.get("error")) for message in messages]
            self.errors = {cell: error for cell, error in said if type(cell) is int and type(error) is str and error}

    def _mark(self, exercise):
        most, name = self.terms.points[exercise.id], function_name(exercise)
        answers = self.shown.get(exercise.id, "was not reached: the notebook ends its process, or has used up its time")
        if isinstance(answers, str):
            return Mark(exercise.id, 0.0, most, "stopped", f"{name} {answers}.")
        verdict = self.verdicts[exercise.id][1]
        if verdict.complaint == "not written":
            return Mark(exercise.id, 0.0, most, "not written", "Not written yet.")
        if verdict.complaint == "missing":
            return Mark(exercise.id, 0.0, most, "missing", f"There is no function {name}.{self._why_missing(name)}")
        if verdict.case is not None:
            return marking.wrong_on_shown(exercise, most, verdict)
        answers = self.hidden.get(exercise.id)
        cases = marking.hidden_key(exercise.id, self.terms.seed).cases
        return marking.on_hidden(exercise, most, self.terms.seed,
                                 answers and marking.read_answers(answers[0], len(cases)))

    def _why_missing(self, name):
        for number, source in self.submission.code():
            if name in source and number in (self.errors or {}):
                kind = self.errors[number].partition(":")[0]
                known = isinstance(getattr(builtins, kind, None), type)
                return f" Cell {number} ended with {kind if known else 'an error'}."
        return ""


def _answers(messages, exercises):
    """The answers of versions of functions in messages, {id: list}."""
    wanted = {exercise.id for exercise in exercises}
    return {message["exercise"]: message["answers"] for message in messages[::-1]
            if type(message.get("exercise")) is str and message["exercise"] in wanted
            and type(message.get("answers")) is list and message["answers"]}


def _helpers(topic, exercises):
    """The files of the course's package that students' code may import: the functions that a statement allows."""
    allowed = {name: source for exercise in exercises for name, source in given(exercise).items()}
    if not allowed:
        return {}
    text = "\n\n".join(["import numpy as np\n", *allowed.values()])
    return {f"{topic.package}/__init__.py": "", f"{topic.package}/reference.py": text}
