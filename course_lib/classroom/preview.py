"""What a student can try before handing in: whether a grader will find everything. No hidden case, and no score.

>>> from course_lib.classroom.preview import before_handing_in
>>> before_handing_in("02_pruning.ipynb")  # doctest: +SKIP
"""

from __future__ import annotations

import re
from pathlib import Path

from course_lib.classroom import submissions
from course_lib.classroom.assignments import default_points, setup_source, topic_of, uses_tensors
from course_lib.classroom.solutions import function_name, given
from course_lib.exercises.engine import wire

MODULES = {"pytorch": "torch", "keras": "keras", "": "torch"}


def before_handing_in(path="02_pruning.ipynb"):
    """Read a notebook as a grader does, run its cells in a sandbox, and print what will be found and what not.

    Parameters
    ----------
    path : path-like
        The notebook, saved.

    Returns
    -------
    list of str
        What may cost points; empty if nothing does.
    """
    path = Path(path)
    lines, problems = _looked_at(path)
    for line in [*lines, *(f"! {problem}" for problem in problems)]:
        print(line)
    print(f"{path.name}: {len(problems)} to look at." if problems else
          f"{path.name}: a grader finds everything. Whether it is right, `check` says.")
    return problems


def _looked_at(path):
    """What is found, as lines to print, and the problems."""
    named, submission = re.search(r"\d\d_[a-z]+", path.stem), submissions.read(path)
    if submission.problem:
        return [], [submission.problem]
    try:
        topic, exercises, questions = _wanted(named[0] if named else path.stem)
    except ValueError as error:
        return [], [str(error)]
    lines, problems = [f"{path.name}: {len(submission.cells)} cells"], list(submission.notes)
    if path.name != f"{named[0]}.ipynb":
        problems.append(f"the file's name: expected {named[0]}.ipynb, got {path.name}")
    try:
        errors, states = _cells_and_functions(topic, exercises, submission)
        problems += [f"cell {number} ends with an error: {text.rstrip(': ')}" for number, text in sorted(errors.items())
                     if number]  # 0 is the grader's own
    except (ImportError, OSError, RuntimeError) as error:
        states = {}
        problems.append(f"the cells could not be tried here: {error}")
    for exercise in exercises if states else ():
        name, state = function_name(exercise), states[exercise.id]
        (problems if state else lines).append(f"{name}: {state}" if state else f"✓ {name} is there")
    if topic.project_id:
        done = submission.handed_in(topic.project_id) is not None
        (lines if done else problems).append(f"✓ {topic.project_id} is handed in" if done else
                                             f"{topic.project_id}: nothing was handed in with `hand_in`")
    for name in questions:
        texts = [cell.source for cell in submission.cells if cell.grade_id == name]
        empty = all(map(submissions.is_stub, texts))
        (problems if empty else lines).append(f"{name}: no answer in its cell" if empty else
                                              f"✓ {name} is answered")
    return lines, problems


def _wanted(assignment):
    """The topic of an assignment, its exercises, and the names of its questions in words."""
    topic = topic_of(assignment)
    points = default_points(topic)
    return (topic, [exercise for exercise in topic.graded.EXERCISES if exercise.id in points],
            [name for name in points if "." not in name])


def _cells_and_functions(topic, exercises, submission):
    """What went wrong in cells, {number: text}, and with functions, {id: text}, empty for those that are there.

    All that this module knows of the sandbox is here. Each function is called once, on the first case of `check`.

    Raises
    ------
    RuntimeError
        If the sandbox does not start.
    """
    from course_lib.classroom import sandbox  # it needs what only Linux and macOS have

    helpers = "\n\n".join({source for exercise in exercises for source in given(exercise).values()})
    tasks = [{"id": exercise.id, "function": function_name(exercise), "seeded": list(exercise.seeded),
              "tensors": exercise.tensors, "cases": [wire.encode(exercise.draw()[0])]} for exercise in exercises]
    request = {"framework": submission.framework, "exercises": tasks,
               "imports": [MODULES[submission.framework]] if uses_tensors(topic) else [],
               "cells": [[0, setup_source(topic)], *submission.code()]}
    said = sandbox.converse(request, helpers={f"{topic.package}/__init__.py": "", f"{topic.package}/reference.py":
                                              f"import numpy as np\n\n{helpers}"} if helpers else {})
    if {"ready": True} not in said.shown:
        raise RuntimeError(said.why or "the sandbox did not start")
    errors = {message["cell"]: message["error"] for message in said.shown if message.get("error")}
    answers = {message["exercise"]: message["answers"] for message in said.shown if "exercise" in message}
    stopped = [message["begin"] for message in said.shown if "begin" in message][-1:] if said.why else []
    states = {}
    for exercise in exercises:
        versions = answers.get(exercise.id, ["not reached"])
        states[exercise.id] = "" if any(isinstance(version, list) for version in versions) else versions[0]
        if exercise.id in stopped:
            states[exercise.id] = said.why
    if stopped and stopped[0].startswith("cell "):
        errors[int(stopped[0][5:])] = said.why
    return errors, states
