"""A student may answer in Keras, and is graded alike."""

import nbformat
import pytest
from students import right_functions, student_notebook

from course_lib.classroom.assignments import TOPICS, assignment_name, build, uses_tensors
from course_lib.classroom.grading import grade_file

pytest.importorskip("keras")
pytestmark = pytest.mark.keras
WITH_TENSORS = [topic for topic in TOPICS if uses_tensors(topic)]


def test_two_topics_have_tensors():
    assert [assignment_name(topic) for topic in WITH_TENSORS] == ["01_dqn", "04_gan"]


@pytest.mark.parametrize("topic", WITH_TENSORS, ids=assignment_name)
def test_the_teachers_version_has_full_marks(topic, tmp_path):
    path, notebook = tmp_path / "teacher.ipynb", build(topic)
    for cell in notebook.cells:
        cell.source = cell.source.replace('framework = "pytorch"', 'framework = "keras"')
    nbformat.write(notebook, path)
    result = grade_file(path, "teacher", assignment_name(topic), seed=7)
    assert [mark for mark in result.marks if mark.state not in ("right", "to be read")] == []
    assert result.points == 10 * len(topic.exercises) and result.framework == "keras"


def test_the_same_mistake_in_either_framework(tmp_path):
    """Both are told the same: you bootstrapped past the end, you took the mean."""
    pytest.importorskip("torch")
    marks = []
    for framework, mean in (("pytorch", "next_q.mean(dim=1)"), ("keras", "ops.mean(next_q, axis=1)")):
        functions = right_functions("01_dqn")
        functions["td_target"] = ("def my_td_target(reward, discount, terminated, next_q):\n"
                                  f"    return reward + discount * (1 - terminated) * {mean}")
        functions["double_td_target"] = ("def my_double_td_target(reward, discount, terminated, online, target):\n"
                                         "    return reward.numpy()")  # not a tensor
        path = tmp_path / f"{framework}.ipynb"
        nbformat.write(student_notebook("01_dqn", functions, framework=framework), path)
        result = grade_file(path, "student", "01_dqn", seed=7)
        marks.append(result.marks)
        assert result.framework == framework and result.points == 40
    assert marks[0] == marks[1] and marks[0][0].mistake is not None
