"""Made-up students, to try a course on: notebooks as they would be handed in, and results of a class."""

from __future__ import annotations

import nbformat
import numpy as np

from course_lib.classroom.assignments import build, default_points, topic_of
from course_lib.classroom.grading import Result, nothing_graded
from course_lib.classroom.marks import Mark, judged, keys
from course_lib.classroom.solutions import function_name, parameters, solution_body
from course_lib.common.files import atomic_write
from course_lib.exercises.engine import judge

HIDDEN_SEED = 1
STUB = "    # YOUR CODE HERE\n    raise NotImplementedError()"


def right_functions(assignment):
    """The source of a right answer to each exercise: {name: source}."""
    topic, sources = topic_of(assignment), {}
    for exercise in topic.exercises:
        body = "\n".join(f"    {line}" for line in solution_body(exercise, topic.package).splitlines())
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
    notebook, exercises = build(topic), {exercise.name: exercise for exercise in topic.exercises}
    for cell in notebook.cells:
        settings = cell.metadata.get("nbgrader", {})
        name = settings.get("grade_id")
        if name is None:
            cell.source = cell.source.replace("pytorch", framework, 1)
        elif name in exercises:
            cell.source = functions.get(name, f"{_head(exercises[name])}\n{STUB}")
        elif settings["grade"]:
            cell.source = words if settings["solution"] else cell.source.partition("\n### BEGIN HIDDEN TESTS")[0]
    notebook.cells = [*(nbformat.v4.new_code_cell(source) for source in before), *notebook.cells]
    return notebook


def _head(exercise):
    return f"def {function_name(exercise)}({', '.join(parameters(exercise))}):"


def hand_in(course, student, assignment, notebook):
    """Put a student's notebook (or a text, or bytes) where the grading looks for it."""
    path = course.handed_in(student, assignment)
    path.parent.mkdir(parents=True, exist_ok=True)
    if not isinstance(notebook, (str, bytes)):
        notebook = nbformat.writes(notebook, version=4)
    with atomic_write(path) as file:
        file.write(notebook if isinstance(notebook, bytes) else notebook.encode())
    return path


def simulated_results(assignment, *, students=30, seed=0):
    """What a class might have handed in, judged: each function right, left out, or a known mistake, at random.

    No student's code runs here: the functions are the exercises' own. Some students know more than others (the same
    ones in every assignment of a seed), some exercises are harder, and some mistakes are more common.

    Returns
    -------
    list of Result
    """
    topic, rng = topic_of(assignment), np.random.default_rng([seed, int(assignment[:2])])
    weakness = np.random.default_rng(seed).uniform(0.1, 1.7, size=students)
    points, results = default_points(topic), []
    hard = rng.uniform(0.05, 0.6, size=len(topic.exercises))
    odds = [rng.dirichlet(np.full(len(exercise.wrong), 0.7)) for exercise in topic.exercises]
    for number, weak in enumerate(weakness, start=1):
        if rng.random() < weak / 20:
            results.append(nothing_graded(f"student {number:02}", assignment, "no notebook was handed in", graded=True))
            continue
        marks = [_simulated(exercise, points[exercise.id], rng, weak * hard[i], odds[i])
                 for i, exercise in enumerate(topic.exercises)]
        marks += [Mark(name, 0.0, most, "to be read") for name, most in points.items() if "." not in name]
        results.append(Result(f"student {number:02}", assignment, tuple(marks), framework="pytorch"))
    return results


def _simulated(exercise, most, rng, failing, odds):
    if rng.random() < failing / 4:
        return Mark(exercise.id, 0.0, most, "not written", "Not written yet.")
    mistake = rng.choice(len(odds), p=odds) if rng.random() < failing else None
    answers = [[judge.Answer(output) for output in key.right] if mistake is None else key.mistakes[mistake]
               for key in keys(exercise.id, HIDDEN_SEED)]
    return judged(exercise, most, answers, HIDDEN_SEED)
