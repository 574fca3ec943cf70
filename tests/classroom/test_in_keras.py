"""A student may answer in Keras, and is graded alike."""

import nbformat
import pytest
from students import right_functions, student_notebook

from course_lib.classroom.assignments import TOPICS, assignment_name, uses_tensors
from course_lib.classroom.grading import Terms, grade_one

from .test_assignments import check_full_marks

pytest.importorskip("keras")
pytestmark = pytest.mark.keras
WITH_TENSORS = [topic for topic in TOPICS if uses_tensors(topic)]


@pytest.mark.parametrize("topic", WITH_TENSORS, ids=assignment_name)
def test_the_teachers_version_has_full_marks(topic, tmp_path):
    check_full_marks(topic, "keras", tmp_path)


@pytest.mark.parametrize("topic", WITH_TENSORS, ids=assignment_name)
def test_the_same_mistake_in_either_framework(topic, tmp_path):
    """What is no tensor is refused alike."""
    pytest.importorskip("torch")
    name, marks = assignment_name(topic), []
    exercise = next(exercise for exercise in topic.graded.EXERCISES if exercise.tensors)
    functions = right_functions(name)
    functions[exercise.name] = functions[exercise.name].partition("\n")[0] + "\n    return 0.125"
    for framework in ("pytorch", "keras"):
        nbformat.write(student_notebook(name, functions, framework=framework), tmp_path / f"{name}.ipynb")
        result = grade_one(tmp_path, "student", name, Terms.of(name, seed=7))
        marks.append(result.marks)
        assert result.framework == framework and result.points == 10 * len(topic.graded.EXERCISES) - 10
    assert marks[0] == marks[1]
