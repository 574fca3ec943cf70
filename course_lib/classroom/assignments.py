"""A teacher's notebook for each topic, in nbgrader's format: exercises and questions without a public solution.

    python -m course_lib.classroom assignments notebooks/assignments

An answer's cell has the `grade_id` "<name>"; the cell with its points, "<name>-tests".
"""

from __future__ import annotations

import gzip
import inspect
import json
import textwrap
from pathlib import Path

import nbformat

from course_lib.classroom.solutions import function_name, given, parameters, solution_body
from course_lib.classroom.submissions import Cell
from course_lib.common.files import atomic_write
from course_lib.exercises.engine import registry, wire
from course_lib.exercises.engine.project import AT_PAR, INSTANCES, class_seed

TOPICS = tuple(topic for topic in registry.TOPICS if topic.is_graded)
POINTS = 10  # for a function
PROJECT_POINTS = 20
WRITTEN_POINTS = 5  # for an answer in words, which a person reads

ABOUT = """
# Assignment {number} · {title}

{count} functions to write, {points} points each; a project, {project_points} points; and {written} questions to \
answer in your own words, {written_points} points each.

Write your functions where it says `YOUR CODE HERE`, and leave their names as they are. The cell below each function \
tries it on examples, as often as you like. When you hand in, it is tried on others too, which you do not see: a \
function has its points if all of its answers are right, and half of them if most are.

You may add cells. What you write must not need the course's package, other files or the network; each cell and each \
function has ten seconds. Before you hand in, save the notebook, and run `python -m course_lib.classroom preview \
{name}.ipynb`: it says what a grader will find."""

ABOUT_TENSORS = """
**PyTorch or Keras, as you like.** The functions on *tensors* get those of the framework that you name here, and \
return such."""

ABOUT_PROJECT = """
### {number} · The project: {title}

{statement}

The instance depends on your name: `class_project` takes it from the file `{topic}_project.json.gz` beside this \
notebook. Try your ways on the public one, `project("{topic}")`, where `check("{topic}.project", answer)` tells the \
score. Points grow with the score: {at_par:.0%} of them at par, all for the best that is known. What \
counts is the answer that `hand_in` leaves in this notebook's output; your cells for the project are not run again."""

SETUP_TENSORS = """from course_lib import use
from course_lib.exercises import check, class_project, hand_in, project

framework = use(framework).name
import numpy as np

if framework == "pytorch":
    import torch
    from torch.nn import functional as F
else:
    import keras
    from keras import ops"""

SETUP = """import numpy as np

from course_lib.exercises import check, class_project, hand_in, project"""

GIVEN = """student = ""  # your name, as you hand in
given = class_project("{topic}", student) if student else None"""

HAND_IN = """hand_in("{topic}", given, my_project)
### BEGIN HIDDEN TESTS
# For nbgrader's own autograder; see above.
from course_lib.classroom.hidden import project_points

project_points("{topic}.project", given, my_project, {points})
### END HIDDEN TESTS"""

TESTS = """check("{id}", {name})
### BEGIN HIDDEN TESTS
# For nbgrader's own autograder, which runs beside the student's code. `python -m course_lib.classroom grade` is safe.
from course_lib.classroom.hidden import expect_right

expect_right("{id}", {name})
### END HIDDEN TESTS"""


def written_questions(topic):
    """The questions of a topic that are answered in words: {grade_id: question}."""
    return {f"question-{number}": question for number, question in enumerate(topic.graded.QUESTIONS, start=1)}


def cell_of(mark_id):
    """The cell that has the points for an exercise ("01.td_target") or a written question ("question-1")."""
    return f"{mark_id.partition('.')[2]}-tests" if "." in mark_id else mark_id


def default_points(topic):
    """The points of each exercise, of the project and of each written question, by id."""
    return ({exercise.id: float(POINTS) for exercise in topic.graded.EXERCISES}
            | ({topic.project_id: float(PROJECT_POINTS)} if topic.project_id else {})
            | {name: float(WRITTEN_POINTS) for name in written_questions(topic)})


def points_in(path, topic):
    """What a teacher's notebook gives for each exercise and question that it still holds, by id.

    Raises
    ------
    ValueError
        If the file is not a notebook, or holds none of them, or points that are no numbers from 0 on.
    """
    try:
        cells = nbformat.read(path, 4).cells
        given = {cell.metadata.nbgrader.grade_id: float(cell.metadata.nbgrader.points) for cell in cells
                 if cell.metadata.get("nbgrader", {}).get("grade")}
    except (OSError, ValueError, TypeError, AttributeError, nbformat.ValidationError) as error:
        raise ValueError(f"{path}: expected a teacher's notebook, got {type(error).__name__}: {error}") from None
    points = {name: given[cell_of(name)] for name in default_points(topic) if cell_of(name) in given}
    for name, value in points.items():
        if not 0 <= value < float("inf"):
            raise ValueError(f"{path}: expected points of at least 0 for {name}, got {value}")
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
    return any(exercise.tensors for exercise in topic.graded.EXERCISES)


def setup_source(topic):
    """What the first cell of an assignment, which students do not change, holds."""
    helpers = sorted({name for exercise in topic.graded.EXERCISES for name in given(exercise)})
    source = SETUP_TENSORS if uses_tensors(topic) else SETUP
    return source + (f"\nfrom course_lib.{topic.package}.reference import {', '.join(helpers)}" if helpers else "")


def build(topic):
    """The teacher's notebook of a topic, a `NotebookNode`, with solutions and hidden tests."""
    questions, exercises = written_questions(topic), topic.graded.EXERCISES
    cells = [_locked("about", ABOUT.format(
        number=topic.number, title=topic.title, count=len(exercises), points=POINTS, project_points=PROJECT_POINTS,
        written=len(questions), written_points=WRITTEN_POINTS, name=assignment_name(topic)))]
    if uses_tensors(topic):
        cells += [_locked("framework", ABOUT_TENSORS),
                  nbformat.v4.new_code_cell('framework = "pytorch"  # or "keras"', id="choice")]
    cells.append(_locked("setup", setup_source(topic), nbformat.v4.new_code_cell))
    for number, exercise in enumerate(exercises, start=1):
        cells += _exercise_cells(number, exercise, topic)
    if topic.project_id:
        cells += _project_cells(len(exercises) + 1, topic)
    before = len(exercises) + bool(topic.project_id)
    for number, (grade_id, question) in enumerate(questions.items(), start=before + 1):
        text = f"### {number} · In your own words\n\n{question['question']}"
        answer = f"### BEGIN SOLUTION\n{question['model']}\n### END SOLUTION"
        cells += [_locked(f"{grade_id}-text", text),
                  _cell(nbformat.v4.new_markdown_cell, grade_id, answer, grade=True, solution=True,
                        points=WRITTEN_POINTS)]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})


def handed_out(topic):
    """The assignment's cells as a student gets them, a tuple of `submissions.Cell`."""
    return tuple(Cell(cell.cell_type, cell.source, cell.metadata.get("nbgrader", {}).get("grade_id"))
                 for cell in build(topic).cells)


def _project_cells(number, topic):
    task = topic.project
    text = ABOUT_PROJECT.format(number=number, title=task.title, statement=task.statement, topic=topic.number,
                                at_par=AT_PAR)
    answer = ("my_project = None\n### BEGIN SOLUTION\n"
              "# A good answer is the project's own, `par`; a class gets all points only for a better one.\n"
              "if given:\n"
              "    from course_lib.exercises.engine.registry import PROJECTS\n\n"
              f"    my_project = PROJECTS[{task.id!r}].project.par(given)\n### END SOLUTION")
    return [_locked("project-text", text),
            nbformat.v4.new_code_cell(GIVEN.format(topic=topic.number), id="project-given"),
            _cell(nbformat.v4.new_code_cell, "project", answer, solution=True),
            _cell(nbformat.v4.new_code_cell, "project-tests", HAND_IN.format(
                topic=topic.number, points=PROJECT_POINTS), grade=True,
                  locked=True, points=PROJECT_POINTS)]


def write_instances(folder, topic, secret):
    """Write what a class is given for a topic's project into `folder/NN_project.json.gz`: `INSTANCES` of them."""
    task = topic.project
    given = [wire.encode(task.instance(class_seed(secret, task.id, number))[0]) for number in range(INSTANCES)]
    with atomic_write(Path(folder) / f"{topic.number}_project.json.gz") as file:
        file.write(gzip.compress(json.dumps(given).encode("ascii"), mtime=0))


def _exercise_cells(number, exercise, topic):
    name = function_name(exercise)
    text = f"### {number} · {exercise.title}\n\n{exercise.statement}"
    if exercise.tensors:
        text += "\n\n*On tensors of your framework.*"
    if exercise.seeded:
        text += f"\n\n*`{'`, `'.join(exercise.seeded)}`: a NumPy `Generator`.*"
    body = textwrap.indent(f"### BEGIN SOLUTION\n{solution_body(exercise, topic)}\n### END SOLUTION", "    ")
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


def write_assignments(folder, topics=TOPICS):
    """Write the teacher's notebooks into `folder/NN_topic/NN_topic.ipynb`; returns their paths."""
    paths = []
    for topic in topics:
        path = Path(folder) / assignment_name(topic) / f"{assignment_name(topic)}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as file:
            file.write(nbformat.writes(build(topic), version=4).rstrip("\n").encode() + b"\n")
        paths.append(path)
    return paths
