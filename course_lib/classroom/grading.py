"""The score of a submission: a student's functions answer in a sandbox, and are judged here.

python -m course_lib.classroom grade COURSE 01_dqn
"""

from __future__ import annotations

import builtins
import functools
import hashlib
import json
import time
from dataclasses import asdict, dataclass
from importlib.util import find_spec

import course_lib
from course_lib.classroom import sandbox, submissions, wire
from course_lib.classroom.assignments import default_points, setup_source, topic_of, uses_tensors
from course_lib.classroom.marks import Mark, judged, keys
from course_lib.classroom.solutions import function_name, given
from course_lib.exercises.engine import judge

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

    @property
    def points(self):
        """The sum, without what a person has still to read."""
        return sum(mark.points for mark in self.marks)

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


def fingerprint(submission, assignment, points, seed, limits):
    """What a grade depends on, as a short text: the same one need not be computed again."""
    statements = [exercise.statement for exercise in topic_of(assignment).exercises]
    parts = (course_lib.__version__, submission.digest, submission.problem, assignment, statements, points, seed,
             limits)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]


def nothing_graded(student, assignment, problem, *, points=None, graded=False, **more):
    """The result of a submission of which nothing could be tried: no points."""
    points = points or default_points(topic_of(assignment))
    marks = tuple(Mark(name, 0.0, most, "missing") for name, most in points.items())
    return Result(student, assignment, marks, problem=str(problem), graded=graded, **more)


def grade_file(path, student, assignment, *, seed, points=None, limits=None, way=None):
    """Grade one notebook.

    Parameters
    ----------
    path : path-like
    student, assignment : str
    seed : int
        Of the hidden cases.
    points : dict of str to float, optional
        What the exercises and questions count, by id; those that are not in it are left out.
    limits : sandbox.Limits, optional
    way : sandbox.Way, optional
        The safest one that works by default.

    Returns
    -------
    Result
        Whatever stands in the file.
    """
    began, topic = time.monotonic(), topic_of(assignment)
    limits, way = limits or sandbox.Limits(), way or sandbox.best_way()
    points, submission = points or default_points(topic), submissions.read(path)
    digest = fingerprint(submission, assignment, points, seed, limits)
    if submission.problem:
        return nothing_graded(student, assignment, submission.problem, points=points, graded=True, digest=digest)
    common = {"framework": submission.framework, "notes": submission.notes, "digest": digest}
    try:
        marks = _try_functions(topic, submission, points, seed, limits, way)
    except NotGraded as error:
        return nothing_graded(student, assignment, error, points=points, **common)
    except Exception as error:  # a fault of ours must not stop the others; a person has to look at this one
        return nothing_graded(student, assignment, f"not graded: {type(error).__name__} in the grader", points=points,
                              **common)
    for name in points.keys() - marks.keys():
        text = submission.written(name)
        empty = text is None or text.strip() in ("", "YOUR ANSWER HERE")
        marks[name] = Mark(name, 0.0, points[name], "not written" if empty else "to be read")
    return Result(student, assignment, tuple(marks[name] for name in points), way=str(way),
                  seconds=round(time.monotonic() - began, 2), **common)


def _try_functions(topic, submission, points, seed, limits, way):
    """The marks for the functions of a topic that have points, by id."""
    imports = []
    if uses_tensors(topic):
        imports = [MODULES[submission.framework]]
        if find_spec(imports[0]) is None:
            raise NotGraded(f"not graded: the submission uses {submission.framework}, which is not installed here")
    box = functools.partial(sandbox.converse, limits=limits, way=way)
    until, marks = time.monotonic() + 3 * limits.total + limits.start, {}
    for exercises in _batches([exercise for exercise in topic.exercises if exercise.id in points]):
        answers, errors = _answers(topic, submission, exercises, seed, imports, box, until)
        for exercise in exercises:
            marks[exercise.id] = _mark(exercise, points[exercise.id], answers[exercise.id], errors, submission, seed)
    return marks


def _batches(exercises):
    """The exercises in as few lists as will do, none beside one whose help is its answer."""
    batches = []
    for exercise in exercises:
        for batch in batches:
            if not any(_gives_away(exercise, other) or _gives_away(other, exercise) for other in batch):
                batch.append(exercise)
                break
        else:
            batches.append([exercise])
    return batches


def _gives_away(one, other):
    return one is not other and other.name in given(one)


def _helpers(topic, exercises):
    """The files of the course's package that students' code may import, and what stands in for the others."""
    allowed = {name: source for exercise in exercises for name, source in given(exercise).items()}
    named = {name for exercise in topic.exercises for name in given(exercise)}
    if not named:
        return {}
    away = [f"def {name}(*given):\n    raise RuntimeError('{name} is out of reach while that exercise is graded')\n"
            for name in sorted(named - allowed.keys())]
    text = "\n\n".join(["import numpy as np\n", *allowed.values(), *away])
    return {f"{topic.package}/__init__.py": "", f"{topic.package}/reference.py": text}


def _answers(topic, submission, exercises, seed, imports, box, until):
    """What functions answered, {id: list or text}, and what went wrong in cells, {number: text}.

    What stops the process is left out, and the rest tried again.
    """
    found, errors, left = {}, {}, list(exercises)
    cells, stopped, failures = [[0, setup_source(topic)], *submission.code()], set(), 0
    while left and time.monotonic() < until:
        request = {"framework": submission.framework, "imports": imports,
                   "cells": [cell for cell in cells if cell[0] not in stopped],
                   "exercises": [_task(exercise, seed) for exercise in left]}
        messages, why = box(request, helpers=_helpers(topic, exercises))
        if not any(message.get("ready") is True for message in messages):
            failures += 1
            if failures == 2:
                raise NotGraded(f"not graded: the sandbox did not start, it {why or 'ended'}")
            continue
        wanted = {exercise.id for exercise in left}
        errors |= {message["cell"]: message["error"] for message in messages if type(message.get("cell")) is int
                   and type(message.get("error")) is str and message["error"]}
        found |= {message["exercise"]: message.get("answers") for message in messages
                  if type(message.get("exercise")) is str and message["exercise"] in wanted}
        begun = [message["begin"] for message in messages if type(message.get("begin")) is str]
        if why and begun:
            last, numbers = begun[-1], {f"cell {number}": number for number, _ in cells}
            if last in wanted and last not in found:
                found[last] = Stopped(why)
            elif last in numbers and numbers[last] not in stopped:
                stopped.add(numbers[last])
                errors[numbers[last]] = f"Stopped: {why}"
            else:
                break
        elif why or not wanted & found.keys():
            break
        left = [exercise for exercise in left if exercise.id not in found]
    return {exercise.id: found.get(exercise.id, Stopped("was not reached: the notebook ends its process, or has used "
                                                        "up its time")) for exercise in exercises}, errors


@dataclass(frozen=True)
class Stopped:
    """Why a function's process was ended."""

    why: str


def _task(exercise, seed):
    cases = [wire.encode(case) for key in keys(exercise.id, seed) for case in key.cases]
    return {"id": exercise.id, "function": function_name(exercise), "seeded": list(exercise.seeded),
            "tensors": exercise.tensors, "cases": cases}


def _mark(exercise, most, answers, errors, submission, seed):
    """The mark for what came from the sandbox. No text of the student's goes into the comment: it could hold cases."""
    def none(state, comment):
        return Mark(exercise.id, 0.0, most, state, comment)

    name = function_name(exercise)
    if isinstance(answers, Stopped):
        return none("stopped", f"{name} {answers.why}.")
    if answers == "not written":
        return none("not written", "Not written yet.")
    if answers == "missing":
        return none("missing", f"There is no function {name}.{_why_missing(name, errors, submission)}")
    parts = _split(answers, [len(key.cases) for key in keys(exercise.id, seed)])
    if parts is None:
        return none("wrong", "The answers could not be read.")
    return judged(exercise, most, parts, seed)


def _why_missing(name, errors, submission):
    for number, source in submission.code():
        if name in source and number in errors:
            kind = errors[number].partition(":")[0]
            known = isinstance(getattr(builtins, kind, None), type)
            return f" Cell {number} ended with {kind if known else 'an error'}."
    return ""


def _split(answers, lengths):
    """What came from the sandbox as lists of `judge.Answer`, or None."""
    if type(answers) is not list or len(answers) != sum(lengths):
        return None
    read = []
    for answer in answers:
        if type(answer) is not dict or not all(type(answer.get(name)) is str for name in ("complaint", "shared")):
            return None
        try:
            output = wire.decode(answer.get("output"))
        except wire.NotPlain as error:
            read.append(judge.Answer(complaint=f"an answer that cannot be read: {error}"))
            continue
        if output is None and not answer["complaint"]:
            return None
        read.append(judge.Answer(output, answer["complaint"], answer["shared"]))
    ends = [sum(lengths[:i + 1]) for i in range(len(lengths))]
    return [read[end - length:end] for end, length in zip(ends, lengths, strict=True)]
