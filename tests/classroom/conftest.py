"""A new course of one topic, empty."""

import pytest

from course_lib.classroom.course import new_course


@pytest.fixture
def course(tmp_path):
    return new_course(tmp_path / "course", ["02_pruning"])
