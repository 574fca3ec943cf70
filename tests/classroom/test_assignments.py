"""The assignments: what stands in the repository is what the exercises give, and they work."""

import re
from pathlib import Path

import nbformat
import pytest
from students import right_functions, student_notebook

from course_lib.classroom.assignments import (
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
from course_lib.classroom.grading import grade_file
from course_lib.classroom.solutions import given, solution_body

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
    written = len(written_questions(topic))
    names = [one.grade_id for one in settings]
    assert len(set(names)) == len(names) and len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    points = sum(one.points for one in settings if one.grade)
    assert points == sum(default_points(topic).values()) == 10 * len(topic.exercises) + 5 * written
    assert sum(one.solution for one in settings) == len(topic.exercises) + written
    text = "\n".join(cell.source for cell in notebook.cells)
    assert text.count("BEGIN SOLUTION") == text.count("END SOLUTION") == len(topic.exercises) + written
    assert text.count("BEGIN HIDDEN TESTS") == text.count("END HIDDEN TESTS") == len(topic.exercises)


@every_topic
def test_what_a_solution_uses(topic):
    """No name of the course's package: the sandbox has none of it."""
    for exercise in topic.exercises:
        body = solution_body(exercise, topic.package)
        assert "course_lib" not in body and "reference." not in body
        names = set(re.findall(r"\b(softmax|top_k_gates|frozen|metrics)\b", body))
        assert names <= given(exercise).keys()


@every_topic
def test_the_teachers_version_has_full_marks(topic, tmp_path):
    """In PyTorch; test_in_keras has the rest."""
    if uses_tensors(topic):
        pytest.importorskip("torch")
    check_full_marks(topic, "pytorch", tmp_path)


def check_full_marks(topic, framework, tmp_path):
    path, name = tmp_path / "teacher.ipynb", assignment_name(topic)
    notebook = build(topic)
    for cell in notebook.cells:
        cell.source = cell.source.replace('framework = "pytorch"', f'framework = "{framework}"')
    nbformat.write(notebook, path)
    result = grade_file(path, "teacher", name, seed=7)
    wrong = [mark for mark in result.marks if mark.state not in ("right", "to be read")]
    assert wrong == [] and result.points == 10 * len(topic.exercises) and result.framework == framework


@every_topic
def test_as_handed_out_nothing_is_written(topic, tmp_path):
    if uses_tensors(topic):
        pytest.importorskip("torch")
    path = tmp_path / "student.ipynb"
    nbformat.write(student_notebook(assignment_name(topic), {}), path)
    result = grade_file(path, "student", assignment_name(topic), seed=7)
    assert {mark.state for mark in result.marks} == {"not written"} and result.points == 0


def test_points_are_the_teachers(tmp_path):
    topic, path = topic_of("02_pruning"), tmp_path / "a.ipynb"
    notebook = build(topic)
    notebook.cells = [cell for cell in notebook.cells if "least_squares" not in cell.source]
    for cell in notebook.cells:
        if cell.metadata.nbgrader.grade_id == "entropy-tests":
            cell.metadata.nbgrader.points = 3
    nbformat.write(notebook, path)
    expected = default_points(topic) | {"02.entropy": 3}
    del expected["02.least_squares"]
    assert points_in(path, topic) == expected


def test_a_notebook_without_points_is_refused(tmp_path):
    topic, path = topic_of("02_pruning"), tmp_path / "a.ipynb"
    for text in ("", "{}", '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match="a.ipynb: expected"):
            points_in(path, topic)
    with pytest.raises(ValueError, match="a teacher's notebook, got FileNotFoundError"):
        points_in(tmp_path / "none.ipynb", topic)
    with pytest.raises(ValueError, match="assignment: expected one of 01_dqn, .* got '08_x'"):
        topic_of("08_x")


def test_right_functions_are_alone():
    sources = right_functions("06_merging")
    assert sources["barrier"].startswith("def my_barrier(losses):\n    shares = ")
    assert "SOLUTION" not in "".join(sources.values())
