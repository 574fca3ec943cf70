"""A new course of one topic, empty."""

import shutil

import pytest

from course_lib.classroom.course import Course, new_course


@pytest.fixture(scope="session")
def one_course(tmp_path_factory):
    return new_course(tmp_path_factory.mktemp("one") / "course", ["02_pruning"])


@pytest.fixture
def course(one_course, tmp_path):
    return Course(shutil.copytree(one_course.folder, tmp_path / "course"))
