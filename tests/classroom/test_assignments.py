"""The assignments: what stands in the repository is what the exercises give, and they work."""

import inspect
import re
from pathlib import Path

import nbformat
import pytest
from students import student_notebook

from course_lib.classroom import hidden
from course_lib.classroom.assignments import (
    SETUP,
    TOPICS,
    assignment_name,
    build,
    default_points,
    points_in,
    topic_of,
    uses_tensors,
    write_assignments,
    written_questions,
)
from course_lib.classroom.course import new_course
from course_lib.classroom.grading import Terms, grade_one
from course_lib.classroom.marks import project_mark
from course_lib.classroom.solutions import given, solution_body
from course_lib.exercises.engine import wire
from course_lib.exercises.engine.project import class_number

HERE = Path(__file__).parents[2] / "notebooks" / "assignments"
every_topic = pytest.mark.parametrize("topic", TOPICS, ids=assignment_name)


def test_the_repository_holds_what_the_exercises_give(tmp_path):
    paths = write_assignments(tmp_path)
    assert len(paths) == len(TOPICS)
    for path in paths:
        there = HERE / path.relative_to(tmp_path)
        assert there.read_text("utf-8") == path.read_text("utf-8"), f"{there.name} has changed: make assignments"
    assert {path.relative_to(HERE) for path in HERE.glob("*/*.ipynb")} == {path.relative_to(tmp_path) for path in paths}


@every_topic
def test_form(topic):
    notebook = build(topic)
    nbformat.validate(notebook)
    settings = [cell.metadata.nbgrader for cell in notebook.cells if "nbgrader" in cell.metadata]
    written, functions = len(written_questions(topic)), len(topic.graded.EXERCISES)
    names = [one.grade_id for one in settings]
    assert len(set(names)) == len(names) and len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    points = sum(one.points for one in settings if one.grade)
    assert points == sum(default_points(topic).values()) == 10 * functions + 20 + 5 * written
    text = "\n".join(cell.source for cell in notebook.cells)
    assert text.count("BEGIN SOLUTION") == text.count("END SOLUTION") == functions + 1 + written
    assert text.count("BEGIN HIDDEN TESTS") == text.count("END HIDDEN TESTS") == functions + 1
    assert all(len(line) <= 120 for cell in notebook.cells if cell.cell_type == "code"
               for line in cell.source.splitlines())


@every_topic
def test_what_a_solution_uses(topic):
    """No name of the course's package: the sandbox has none of it."""
    for exercise in topic.graded.EXERCISES:
        body = solution_body(exercise, topic)
        assert "course_lib" not in body and "reference." not in body
        called = set(re.findall(r"\b([a-z_]\w+)\(", body)) - set(re.findall(r"import (\w+)", body))
        names = called & set(dir(inspect.getmodule(exercise.reference)))
        assert names <= given(exercise).keys() | {"np"}


def check_full_marks(topic, framework, tmp_path):
    """The teacher's version, but for its project, of which `hand_in` leaves nothing before it has run."""
    name, notebook = assignment_name(topic), build(topic)
    for cell in notebook.cells:
        cell.source = cell.source.replace('framework = "pytorch"', f'framework = "{framework}"')
    nbformat.write(notebook, tmp_path / f"{name}.ipynb")
    result = grade_one(tmp_path, "teacher", name, Terms.of(name, seed=7))
    wrong = [mark for mark in result.marks if mark.state not in ("right", "to be read")]
    assert [mark.id for mark in wrong] == [topic.project_id]
    assert result.points == 10 * len(topic.graded.EXERCISES)
    assert result.framework == (framework if uses_tensors(topic) else "")


@every_topic
def test_the_teachers_version_has_full_marks(topic, tmp_path):
    """In PyTorch; test_in_keras has the rest."""
    if uses_tensors(topic):
        pytest.importorskip("torch")
    check_full_marks(topic, "pytorch", tmp_path)


@every_topic
def test_as_handed_out_nothing_is_written(topic, tmp_path):
    if uses_tensors(topic):
        pytest.importorskip("torch")
    name = assignment_name(topic)
    nbformat.write(student_notebook(name, {}), tmp_path / f"{name}.ipynb")
    result = grade_one(tmp_path, "student", name, Terms.of(name, seed=7))
    assert {mark.state for mark in result.marks} == {"not written"} and result.points == 0


@every_topic
def test_the_project_of_an_assignment_can_be_handed_in(topic, tmp_path, monkeypatch):
    """Its cells, run in a student's folder, leave what the grader reads."""
    course = new_course(tmp_path / "course", [assignment_name(topic)])
    monkeypatch.chdir(course.source(assignment_name(topic)).parent)
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **more: shown.append(data))
    names = {}
    exec(SETUP, names)
    for cell in build(topic).cells:
        if cell.cell_type == "code" and cell.id.startswith("project"):
            exec(cell.source.replace('student = ""', 'student = "ann"'), names)
    assert hidden.project_points(topic.project_id, names["given"], names["my_project"], 20) == 14
    assert hidden.project_points(topic.project_id, names["given"], None, 20) == 0
    mark = project_mark(topic.project, 20.0, shown[-1][wire.MIME], course.seed(), "ann")
    assert (mark.points, mark.state) == (14.0, "partly")
    other = next(name for name in ("ben", "cem", "dot") if class_number(name) != class_number("ann"))
    assert project_mark(topic.project, 20.0, shown[-1][wire.MIME], course.seed(), other).state == "to be read"


def test_points_are_the_teachers(tmp_path):
    topic, path = topic_of("02_pruning"), tmp_path / "a.ipynb"
    first, second = (exercise.name for exercise in topic.graded.EXERCISES)
    notebook = build(topic)
    notebook.cells = [cell for cell in notebook.cells if second not in cell.source]
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == f"{first}-tests":
            cell.metadata.nbgrader.points = 3
    nbformat.write(notebook, path)
    expected = default_points(topic) | {f"02.{first}": 3}
    del expected[f"02.{second}"]
    assert points_in(path, topic) == expected


def test_a_notebook_without_points_is_refused(tmp_path):
    topic, path = topic_of("02_pruning"), tmp_path / "a.ipynb"
    for text in ("", "{}", '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match="a.ipynb: expected"):
            points_in(path, topic)
    with pytest.raises(ValueError, match="assignment: expected one of 01_dqn, .* got '11_x'"):
        topic_of("11_x")
