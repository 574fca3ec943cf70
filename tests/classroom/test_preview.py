"""What a student sees before handing in: what is missing is named, what is there is not a problem."""

import re

import nbformat
import pytest

from course_lib.classroom.preview import before_handing_in
from course_lib.exercises.engine import wire


@pytest.fixture
def book(course):
    """The assignment, all of it answered."""
    book = nbformat.read(course.source("02_pruning"), 4)
    for cell in book.cells:
        cell.source = re.sub(r"\n?### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS| *### (BEGIN|END) SOLUTION\n?", "",
                             cell.source, flags=re.DOTALL)
    return book


def cell(book, name):
    return next(cell for cell in book.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == name)


def looked_at(book, path):
    nbformat.write(book, path)
    return before_handing_in(path)


def test_a_whole_notebook_has_no_problem(book, tmp_path, capsys):
    path = tmp_path / "02_pruning.ipynb"
    assert looked_at(book, path) == ["02.project: nothing was handed in with `hand_in`"]
    given = {wire.MIME: {"id": "02.project", "given": "x", "answer": 1}}
    cell(book, "project-tests").outputs = [nbformat.v4.new_output("display_data", data=given)]
    assert looked_at(book, path) == [] and "✓ 02.project is handed in" in capsys.readouterr().out
    looked_at(book, path)
    assert "✓ my_n_of_m_mask is there" in capsys.readouterr().out


@pytest.mark.parametrize("name, source, problem", [
    ("n_of_m_mask", "def other():\n    pass", "my_n_of_m_mask: "),
    ("n_of_m_mask", "1 / 0", "ZeroDivisionError"),
    ("n_of_m_mask", "import os\nos._exit(0)", "ended"),
    ("question-1", "", "question-1: no answer"),
], ids=["missing", "error", "ends", "unanswered"])
def test_what_is_missing_is_named(book, tmp_path, name, source, problem):
    cell(book, name).source = source
    assert any(problem in line for line in looked_at(book, tmp_path / "02_pruning.ipynb"))


@pytest.mark.parametrize("name", ["02_pruning (1).ipynb", "mine.ipynb", "99_nothing.ipynb"])
def test_a_name_that_a_grader_does_not_expect_is_told(book, tmp_path, name):
    assert any("expected" in line for line in looked_at(book, tmp_path / name))


@pytest.mark.parametrize("content", [b"", b"{", b"\0" * 99, b'{"cells": 7}', b"[" * 99_999])
def test_a_damaged_file_is_a_problem_and_no_error(tmp_path, content):
    (tmp_path / "02_pruning.ipynb").write_bytes(content)
    assert len(before_handing_in(tmp_path / "02_pruning.ipynb")) == 1
