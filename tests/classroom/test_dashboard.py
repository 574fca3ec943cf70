"""The teacher's tables, counted by hand."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from course_lib.classroom import dashboard
from course_lib.classroom.grading import Result, nothing_graded
from course_lib.classroom.marks import Mark
from course_lib.exercises.engine.registry import find

A, B = "02_pruning", "09_training"


def mark(name, state, mistake=None):
    return Mark(name, 10.0 * (state == "right"), 10.0, state, "", mistake)


def result(student, *marks, assignment=A):
    return Result(student, assignment, (*marks, Mark("question-1", 0.0, 5.0, "to be read")))


@pytest.fixture
def results():
    return [result("ann", mark("02.entropy", "right"), mark("02.cut_dense", "right")),
            result("bob", mark("02.entropy", "wrong", 1), mark("02.cut_dense", "right")),
            result("cem", mark("02.entropy", "wrong", 1), mark("02.cut_dense", "wrong")),
            result("dot", mark("02.entropy", "stopped"), mark("02.cut_dense", "not written")),
            result("ann", mark("09.dropout", "right"), assignment=B),
            result("bob", mark("09.dropout", "wrong", 0), assignment=B),
            nothing_graded("cem", B, "no notebook was handed in", graded=True, points={"09.dropout": 10.0}),
            nothing_graded("dot", B, "not graded: no keras", points={"09.dropout": 10.0})]


def test_by_exercise(results):
    table = dashboard.by_exercise(results)
    assert list(table.index) == ["02.entropy", "02.cut_dense", "09.dropout"]
    assert table.loc["02.entropy"].to_dict() == {"right": 1, "wrong": 2, "stopped": 1, "missing": 0, "not written": 0}
    assert table.loc["09.dropout"].to_dict() == {"right": 1, "wrong": 1, "stopped": 0, "missing": 2, "not written": 0}


def test_misconceptions(results):
    table = dashboard.misconceptions(results)
    assert table.values.tolist() == [["02.entropy", 2, find("02.entropy").wrong[1].hint], ["02.cut_dense", 1, ""],
                                     ["09.dropout", 1, find("09.dropout").wrong[0].hint]]
    assert dashboard.misconceptions([]).empty


def test_points(results):
    table = dashboard.points(results)
    assert list(table.columns) == [A, B] and list(table.index) == ["ann", "bob", "cem", "dot"]
    assert table[A].tolist() == [1, 0.5, 0, 0] and table[B].tolist()[:3] == [1, 0, 0]
    assert pd.isna(table.loc["dot", B])  # what could not be graded is no zero


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
    assert [text.get_text() for text in ax.get_legend().texts] == list(dashboard.STATES)
    ax = dashboard.draw_class(dashboard.points(results))
    assert [text.get_text() for text in ax.get_yticklabels()] == ["cem", "dot", "bob", "ann"]
    plt.close("all")
    paths = dashboard.export(results, tmp_path / "new")
    assert [path.name for path in paths] == ["exercises.csv", "misconceptions.csv", "points.csv", "at_risk.csv"]
    assert pd.read_csv(paths[2], index_col=0).loc["bob", A] == 0.5
