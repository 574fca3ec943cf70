"""A teacher's notebook for each topic, in nbgrader's format, built from the exercises and the quizzes.

    python -m course_lib.classroom assignments notebooks/assignments

An answer's cell has the `grade_id` "<name>"; the cell with its points, "<name>-tests".
"""

from __future__ import annotations

import inspect
import textwrap
from pathlib import Path

import nbformat

from course_lib.classroom.solutions import function_name, given, parameters, solution_body
from course_lib.common.files import atomic_write
from course_lib.exercises.engine import registry

TOPICS = tuple(topic for topic in registry.TOPICS if topic.exercises and topic.questions)
POINTS = 10  # for a function
WRITTEN_POINTS = 5  # for an answer in words, which a person reads

ABOUT = """
# Assignment {number} · {title}

{count} functions to write, {points} points each, and {written} questions to answer in your own words, \
{written_points} points each.

Write your functions where it says `YOUR CODE HERE`, and leave their names as they are. The cell below each function \
tries it on examples, as often as you like. When you hand in, it is tried on others too, which you do not see: a \
function has its points if all of its answers are right.

You may add cells. What you write must not need the course's package, other files or the network; each cell and each \
function has ten seconds."""

ABOUT_TENSORS = """
**PyTorch or Keras, as you like.** The functions on *tensors* get those of the framework that you name here, and \
return such."""

SETUP_TENSORS = """from course_lib import use
from course_lib.exercises import check

framework = use(framework).name
import numpy as np

if framework == "pytorch":
    import torch
    from torch.nn import functional as F
else:
    import keras
    from keras import ops"""

SETUP = """import numpy as np

from course_lib.exercises import check"""

TESTS = """check("{id}", {name})
### BEGIN HIDDEN TESTS
# For nbgrader's own autograder, which runs beside the student's code. `python -m course_lib.classroom grade` is safe.
from course_lib.classroom.hidden import expect_right

expect_right("{id}", {name})
### END HIDDEN TESTS"""


def written_questions(topic):
    """The quiz questions of a topic that an assignment asks in writing: {grade_id: question}."""
    chosen = [question for question in topic.questions if question.get("written")]
    return {f"question-{number}": question for number, question in enumerate(chosen, start=1)}


def cell_of(mark_id):
    """The cell that has the points for an exercise ("01.td_target") or a written question ("question-1")."""
    return f"{mark_id.partition('.')[2]}-tests" if "." in mark_id else mark_id


def default_points(topic):
    """The points of each exercise and written question, by id."""
    return ({exercise.id: float(POINTS) for exercise in topic.exercises}
            | {name: float(WRITTEN_POINTS) for name in written_questions(topic)})


def points_in(path, topic):
    """What a teacher's notebook gives for each exercise and question that it still holds, by id.

    Raises
    ------
    ValueError
        If the file is not a notebook, or holds none of them.
    """
    try:
        cells = nbformat.read(path, 4).cells
        given = {cell.metadata.nbgrader.grade_id: float(cell.metadata.nbgrader.points) for cell in cells
                 if cell.metadata.get("nbgrader", {}).get("grade")}
    except (OSError, ValueError, AttributeError, nbformat.ValidationError) as error:
        raise ValueError(f"{path}: expected a teacher's notebook, got {type(error).__name__}: {error}") from None
    points = {name: given[cell_of(name)] for name in default_points(topic) if cell_of(name) in given}
    if not points:
        raise ValueError(f"{path}: expected cells with points for some of {', '.join(default_points(topic))}")
    return points


def assignment_name(topic):
    """The name of a topic's assignment, its folder and its notebook: "01_dqn"."""
    return f"{topic.number}_{topic.package}"


def topic_of(assignment):
    """The topic of an assignment.

    Raises
    ------
    ValueError
        If there is no such assignment.
    """
    for topic in TOPICS:
        if assignment_name(topic) == assignment:
            return topic
    raise ValueError(f"assignment: expected one of {', '.join(map(assignment_name, TOPICS))}, got {assignment!r}")


def uses_tensors(topic):
    """Whether any of a topic's functions get tensors, so that a student chooses a framework."""
    return any(exercise.tensors for exercise in topic.exercises)


def setup_source(topic):
    """What the first cell of an assignment, which students do not change, holds."""
    helpers = sorted({name for exercise in topic.exercises for name in given(exercise)})
    source = SETUP_TENSORS if uses_tensors(topic) else SETUP
    return source + (f"\nfrom course_lib.{topic.package}.reference import {', '.join(helpers)}" if helpers else "")


def build(topic):
    """The teacher's notebook of a topic, a `NotebookNode`, with solutions and hidden tests."""
    questions = written_questions(topic)
    cells = [_locked("about", ABOUT.format(number=topic.number, title=topic.title, count=len(topic.exercises),
                                           points=POINTS, written=len(questions), written_points=WRITTEN_POINTS))]
    if uses_tensors(topic):
        cells += [_locked("framework", ABOUT_TENSORS),
                  nbformat.v4.new_code_cell('framework = "pytorch"  # or "keras"', id="choice")]
    cells.append(_locked("setup", setup_source(topic), nbformat.v4.new_code_cell))
    for number, exercise in enumerate(topic.exercises, start=1):
        cells += _exercise_cells(number, exercise, topic.package)
    for number, (grade_id, question) in enumerate(questions.items(), start=len(topic.exercises) + 1):
        text = f"### {number} · In your own words\n\n{question['question']}"
        right = question["answers"][0]
        model = f"{right['answer']} {right['feedback'].removeprefix('Right. ')}"
        answer = f"### BEGIN SOLUTION\n{model}\n### END SOLUTION"
        cells += [_locked(f"{grade_id}-text", text),
                  _cell(nbformat.v4.new_markdown_cell, grade_id, answer, grade=True, solution=True,
                        points=WRITTEN_POINTS)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})


def _exercise_cells(number, exercise, package):
    name = function_name(exercise)
    text = f"### {number} · {exercise.title}\n\n{exercise.statement}"
    if exercise.tensors:
        text += "\n\n*On tensors of your framework.*"
    if exercise.seeded:
        text += f"\n\n*`{'`, `'.join(exercise.seeded)}`: a NumPy `Generator`.*"
    body = textwrap.indent(f"### BEGIN SOLUTION\n{solution_body(exercise, package)}\n### END SOLUTION", "    ")
    code = f"def {name}({', '.join(parameters(exercise))}):\n{body}"
    return [_locked(f"{exercise.name}-text", text),
            _cell(nbformat.v4.new_code_cell, exercise.name, code, solution=True),
            _cell(nbformat.v4.new_code_cell, f"{exercise.name}-tests", TESTS.format(id=exercise.id, name=name),
                  grade=True, locked=True, points=POINTS)]


def _locked(grade_id, source, new=nbformat.v4.new_markdown_cell):
    return _cell(new, grade_id, source, locked=True)


def _cell(new, grade_id, source, *, grade=False, solution=False, locked=False, points=None):
    metadata = {"grade": grade, "grade_id": grade_id, "locked": locked, "schema_version": 3, "solution": solution,
                "task": False}
    if points is not None:
        metadata["points"] = points
    identity = grade_id.replace("_", "-")  # an id of its own would be random, and differ at each build
    return new(inspect.cleandoc(source) if new is nbformat.v4.new_markdown_cell else source, id=identity[:64],
               metadata={"nbgrader": metadata})


def write_assignments(folder):
    """Write the teacher's notebooks into `folder/NN_topic/NN_topic.ipynb`; returns their paths."""
    paths = []
    for topic in TOPICS:
        path = Path(folder) / assignment_name(topic) / f"{assignment_name(topic)}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as file:
            file.write(nbformat.writes(build(topic), version=4).rstrip("\n").encode() + b"\n")
        paths.append(path)
    return paths
