"""The teacher's tables, counted by hand."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from course_lib.classroom import dashboard
from course_lib.classroom.assignments import topic_of
from course_lib.classroom.grading import Result, Terms, nothing_graded
from course_lib.classroom.marks import Mark
from course_lib.exercises.engine.registry import find

A, B = "02_pruning", "09_training"
FIRST, SECOND = (exercise.id for exercise in topic_of(A).graded.EXERCISES)
THIRD = topic_of(B).graded.EXERCISES[0].id


def mark(name, state, mistake=None):
    return Mark(name, 10.0 * (state == "right"), 10.0, state, "", mistake)


def result(student, *marks, assignment=A):
    return Result(student, assignment, (*marks, Mark("question-1", 0.0, 5.0, "to be read")))


@pytest.fixture
def results():
    return [result("ann", mark(FIRST, "right"), mark(SECOND, "right")),
            result("bob", mark(FIRST, "wrong", 1), mark(SECOND, "right")),
            result("cem", mark(FIRST, "wrong", 1), mark(SECOND, "wrong")),
            result("dot", mark(FIRST, "stopped"), mark(SECOND, "not written")),
            result("ann", mark(THIRD, "right"), assignment=B),
            result("bob", mark(THIRD, "wrong", 0), assignment=B),
            nothing_graded("cem", B, "no notebook was handed in", Terms(1, {THIRD: 10.0}), graded=True),
            nothing_graded("dot", B, "not graded: no keras", Terms(1, {THIRD: 10.0}))]


def test_by_exercise(results):
    table = dashboard.by_exercise(results)
    assert list(table.index) == [FIRST, SECOND, THIRD]
    counted = {name: {state: int(count) for state, count in row.items() if count} for name, row in table.iterrows()}
    assert counted == {FIRST: {"right": 1, "wrong": 2, "stopped": 1},
                       SECOND: {"right": 2, "wrong": 1, "not written": 1},
                       THIRD: {"right": 1, "wrong": 1, "not handed in": 1, "not graded": 1}}


def test_misconceptions(results):
    table = dashboard.misconceptions(results)
    assert table.values.tolist() == [[FIRST, 2, find(FIRST).wrong[1].hint], [SECOND, 1, ""],
                                     [THIRD, 1, find(THIRD).wrong[0].hint]]
    assert dashboard.misconceptions([]).empty


def test_points(results):
    table = dashboard.points(results)
    assert list(table.columns) == [A, B] and list(table.index) == ["ann", "bob", "cem", "dot"]
    assert table[A].tolist() == [1, 0.5, 0, 0] and table[B].tolist()[:2] == [1, 0]
    assert table.loc[["cem", "dot"], B].isna().all()  # what was not handed in, or could not be graded, is no zero


def test_at_risk(results):
    table = dashboard.at_risk(results, below=0.5)
    assert list(table.index) == ["cem", "dot", "bob"]
    assert table.loc["bob", "why"] == "less than 50% of the points" and table.loc["bob", "share"] == 0.25
    assert table.loc["cem", "why"] == "less than 50% of the points; 09_training: no notebook was handed in"
    assert list(dashboard.at_risk(results, below=0.25).index) == ["cem", "dot"]  # bob has just that much
    assert dashboard.at_risk(results[:1]).empty


def test_pictures_and_files(results, tmp_path):
    ax = dashboard.draw_by_exercise(dashboard.by_exercise(results))
    assert sum(bar.get_width() for bars in ax.containers for bar in bars) == 12
    assert [text.get_text() for text in ax.get_legend().texts] == [
        "right", "wrong", "stopped", "not written", "not handed in", "not graded"]
    ax = dashboard.draw_class(dashboard.points(results))
    assert [text.get_text() for text in ax.get_yticklabels()] == ["cem", "dot", "bob", "ann"]
    plt.close("all")
    paths = dashboard.export(results, tmp_path / "new")
    assert [path.name for path in paths] == ["exercises.csv", "misconceptions.csv", "points.csv", "at_risk.csv"]
    assert pd.read_csv(paths[2], index_col=0).loc["bob", A] == 0.5
