"""Results for other systems: each file read back, and compared with what was computed by hand."""

import csv
import json
import shlex
from pathlib import Path

import jsonschema
import pandas as pd
import pytest
import yaml

from course_lib.classroom import exports
from course_lib.classroom.__main__ import _parser
from course_lib.classroom.grading import Result
from course_lib.classroom.marks import Mark

RIGHT, HALF = Mark("02.a", 10, 10, "right", "Right."), Mark("02.b", 2.5, 5, "partly", "a < b & c")
UNREAD = Mark("question-1", 0, 5, "to be read")
ANN = Result("ann", "02_pruning", (RIGHT, HALF))
BOB = Result("bob", "02_pruning", (RIGHT, UNREAD))
EVE = Result("=HYPERLINK(1)", "02_pruning", (), problem="no notebook", graded=False)
NUMBER, TEXT = {"type": "number", "minimum": 0}, {"type": "string"}
FORMATS, SEEN = {"enum": ["text", "html", "simple_format", "md", "ansi"]}, {"enum": ["visible", "hidden",
                 "after_due_date", "after_published"]}
TEST = {"type": "object", "additionalProperties": False, "properties": {
    "score": NUMBER, "max_score": NUMBER, "status": {"enum": ["passed", "failed"]}, "name": TEXT, "output": TEXT,
    "name_format": FORMATS, "output_format": FORMATS, "visibility": SEEN}}
SCHEMA = {"type": "object", "required": ["score", "tests"], "additionalProperties": False, "properties": {
    "score": NUMBER, "output": TEXT, "output_format": FORMATS, "visibility": SEEN, "stdout_visibility": SEEN,
    "tests": {"type": "array", "items": TEST}, "extra_data": {"type": "object"}}}


def rows(path):
    return list(csv.reader(path.read_text().splitlines()))


def test_canvas(tmp_path):
    roster = tmp_path / "roster.csv"
    roster.write_text('Student,ID,SIS User ID,SIS Login ID,Section,02_pruning (77)\n'
                      '"Lee, Ann",7,s7,ann@example.org,A,\n')
    with pytest.warns(UserWarning, match="bob"):
        exports.canvas([BOB, ANN, EVE], tmp_path / "c.csv", roster=roster)
    assert rows(tmp_path / "c.csv") == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "02_pruning (77)"],
        ["    Points Possible", "", "", "", "", "15"], ["'=HYPERLINK(1)", "", "", "", "", ""],
        ["Lee, Ann", "7", "s7", "ann@example.org", "A", "12.5"], ["bob", "", "", "", "", ""]]


def test_moodle(tmp_path):
    exports.moodle([ANN, BOB], tmp_path / "m.csv")
    table = pd.read_csv(tmp_path / "m.csv")
    assert table["Username"].tolist() == ["ann", "bob"]
    assert table["02_pruning"].isna().tolist() == [False, True] and table["02_pruning"][0] == 12.5
    assert "a &lt; b &amp; c" in table["02_pruning (feedback)"][0]
    assert "question-1: to be read" in table["02_pruning (feedback)"][1]


def test_a_worksheet_of_moodle_is_filled_in(tmp_path):
    roster = tmp_path / "roster.csv"
    roster.write_text("Identifier,Full name,Email address,Grade,Last modified (grade),Feedback comments\n"
                      "Participant 3,Ann Lee,ann@x.org,,-,\n")
    exports.moodle([ANN], tmp_path / "m.csv", roster=roster)
    [_, row] = rows(tmp_path / "m.csv")
    assert row[:4] == ["Participant 3", "Ann Lee", "ann@x.org", "12.5"]
    assert "12.5 of 15" in row[5]


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\uff1d1"])
def test_no_cell_is_a_formula(text):
    assert exports.safe(text) == "'" + text


@pytest.mark.parametrize("lost, score", [(0.0, 12.5), (0.2, 10.0)])
def test_gradescope(tmp_path, lost, score):
    result = Result("ann", "02_pruning", (RIGHT, HALF, UNREAD), lost=lost)
    found = exports.gradescope(result, tmp_path / "results.json")
    jsonschema.validate(found, SCHEMA)
    assert json.loads((tmp_path / "results.json").read_text()) == found
    assert found["score"] == pytest.approx(score)
    assert [test.get("score") for test in found["tests"]] == [10, 2.5, None]
    assert [test.get("status") for test in found["tests"]] == ["passed", "failed", None]


def test_gradescope_gets_no_score_where_nothing_was_graded():
    with pytest.raises(ValueError, match="no notebook"):
        exports.gradescope(EVE)


def test_the_workflow_calls_what_there_is():
    path = Path(__file__).parents[2] / "docs/classroom_workflow.yml"
    found = yaml.safe_load(path.read_text())
    steps = found["jobs"]["grade"]["steps"]
    assert found["permissions"] == {"contents": "read"} and "secrets." not in path.read_text()
    assert all(step["uses"].partition("@v")[2].isdigit() for step in steps if "uses" in step)
    [line] = [step["run"] for step in steps if "grade-one" in step.get("run", "")]
    given = _parser().parse_args(shlex.split(line)[3:])
    assert given.command == "grade-one" and given.json == Path("results.json")
