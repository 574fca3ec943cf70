"""Made-up students, to try a course on: notebooks as they would be handed in."""

import textwrap

import nbformat

from course_lib.classroom.assignments import build, topic_of
from course_lib.classroom.solutions import function_name, parameters, solution_body
from course_lib.common.files import atomic_write
from course_lib.exercises.engine import wire
from course_lib.exercises.engine.registry import class_project, digest

STUB = "    # YOUR CODE HERE\n    raise NotImplementedError()"


def right_functions(assignment):
    """The source of a right answer to each exercise: {name: source}."""
    topic, sources = topic_of(assignment), {}
    for exercise in topic.graded.EXERCISES:
        body = textwrap.indent(solution_body(exercise, topic), "    ")
        sources[exercise.name] = f"{_head(exercise)}\n{body}"
    return sources


def student_notebook(assignment, functions, *, framework="pytorch", words="YOUR ANSWER HERE", before=()):
    """A student's notebook, a `NotebookNode`: what nbgrader's `generate_assignment` makes, filled in.

    Parameters
    ----------
    assignment : str
    functions : dict of str to str
        Sources, by the exercises' names; the others are left as they were handed out.
    framework : str
    words : str
        The answer to each question that is to be answered in words.
    before : list of str
        More code cells, at the beginning.
    """
    topic = topic_of(assignment)
    notebook, exercises = build(topic), {exercise.name: exercise for exercise in topic.graded.EXERCISES}
    for cell in notebook.cells:
        settings = cell.metadata.get("nbgrader", {})
        name = settings.get("grade_id")
        if name is None:
            cell.source = cell.source.replace("pytorch", framework, 1)
        elif name in exercises:
            cell.source = functions.get(name, f"{_head(exercises[name])}\n{STUB}")
        elif name == "project":
            cell.source = cell.source.partition("### BEGIN SOLUTION")[0] + textwrap.dedent(STUB)
        elif settings["grade"]:
            cell.source = words if settings["solution"] else cell.source.partition("\n### BEGIN HIDDEN TESTS")[0]
    notebook.cells = [*(nbformat.v4.new_code_cell(source) for source in before), *notebook.cells]
    return notebook


def with_project(course, student, assignment, notebook, answer):
    """The notebook with what `hand_in` leaves in it for this student: what `answer`, a function, makes of the project.

    Returns
    -------
    NotebookNode
    """
    topic = topic_of(assignment)
    given = class_project(topic.number, student, course.source(assignment).parent)
    left = {"id": topic.project_id, "given": digest(given), "answer": wire.encode(answer(given))}
    cell = next(cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == "project-tests")
    cell.outputs = [nbformat.v4.new_output("display_data", data={"text/plain": "handed in", wire.MIME: left})]
    return notebook


def hand_in(course, student, assignment, notebook):
    """Put a student's notebook (or a text, or bytes) where the grading looks for it."""
    path = course.handed_in(student, assignment) / f"{assignment}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not isinstance(notebook, (str, bytes)):
        notebook = nbformat.writes(notebook, version=4)
    with atomic_write(path) as file:
        file.write(notebook if isinstance(notebook, bytes) else notebook.encode())
    return path


def _head(exercise):
    return f"def {function_name(exercise)}({', '.join(parameters(exercise))}):"
