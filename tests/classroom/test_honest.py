"""Honest submissions, each odd in one way: none loses a point, and every answer in words reaches a person.

All are handed in to one course and graded in one run.
"""

import pytest

from course_lib.classroom.assignments import TOPICS, assignment_name
from course_lib.classroom.course import grade, new_course
from course_lib.classroom.sandbox import Limits

from .oddities import oddities

NAME = "02_pruning"
ODDITIES = {name: (payload, path) for name, payload, path in oddities(NAME)}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """What came of each, by its name."""
    course = new_course(tmp_path_factory.mktemp("honest") / "course")
    for name, (payload, path) in ODDITIES.items():
        file = course.folder / "submitted" / name / NAME / path
        file.parent.mkdir(parents=True)
        file.write_bytes(payload)
    results = grade(course, NAME, n_jobs=2, limits=Limits(total=60), record=False)
    return {result.student: result for result in results}


@pytest.mark.parametrize("assignment", map(assignment_name, TOPICS))
def test_there_are_enough(assignment):
    names = [name for name, *_ in oddities(assignment)]
    assert len(names) == len(set(names)) >= 100


def test_none_is_a_student_more_or_less(graded):
    assert graded.keys() == ODDITIES.keys()


@pytest.mark.parametrize("name", ODDITIES)
def test_loses_nothing(name, graded):
    result = graded[name]
    assert result.graded and not result.problem
    functions = [mark for mark in result.marks if "." in mark.id and not mark.id.endswith(".project")]
    assert len(functions) >= 2 and all(mark.points == mark.most > 0 for mark in functions), functions
    words = [mark for mark in result.marks if "." not in mark.id]
    assert len(words) >= 2 and [mark.state for mark in words] == ["to be read"] * len(words), words
