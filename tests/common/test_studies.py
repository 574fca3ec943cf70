"""Reading studies: what is refused, and columns and summaries of what is read."""

import json

import numpy as np
import pytest
from study import problems

from course_lib.common import studies

ROWS = [{"framework": "keras", "system": "a", "seed": 0, "steps": 10, "solved": True},
        {"framework": "keras", "system": "a", "seed": 1, "steps": None, "solved": False},
        {"framework": "keras", "system": "a", "seed": 2, "steps": 14, "solved": True},
        {"framework": "pytorch", "system": "a", "measure": "steps", "mean": 7.0, "spread": 0.5, "n": 9,
         "spread_is": "standard error"}]
WHOLE = {"name": "one", "title": "One", "about": "Steps.", "command": "make study NAME=one", "settings": {"tau": 0.1},
         "rows": ROWS, "table": {"down": ["system"], "across": ["framework"]}, "seeds": [0, 1, 2], "versions": None,
         "date": None, "machine": None, "measured_at": "abc1234", "note": "", "canary": {"keras": {"loss": 1.5}}}


def stored(folder, **changes):
    fields = {key: value for key, value in {**WHOLE, **changes}.items() if value is not ...}
    (folder / "one.json").write_text(json.dumps(fields), encoding="utf-8")
    return folder


def test_a_study_is_read(tmp_path):
    study = studies.load("one", folder=stored(tmp_path))
    assert study.title == "One" and study.settings == {"tau": 0.1} and studies.names(folder=tmp_path) == ["one"]
    assert study.cases == ["system", "framework"] and study.measures == ["steps", "solved"]
    with pytest.raises(AttributeError):
        study.title = "Two"


def test_a_column_where_others_have_values(tmp_path):
    study = studies.load("one", folder=stored(tmp_path))
    np.testing.assert_array_equal(study.values("steps", framework="keras"), [10, np.nan, 14])
    np.testing.assert_array_equal(study.values("solved", framework="keras", seed=1), [False])
    np.testing.assert_array_equal(study.values("mean", measure="steps"), [7])
    with pytest.raises(ValueError, match=r"one: no row has 'steps' where .*'c'.*'steps'.*'keras', 'pytorch'"):
        study.values("steps", framework="c")
    with pytest.raises(ValueError, match="no row has 'loss'"):
        study.values("loss")


def test_summaries_of_seeds_and_of_what_was_summed_up_before(tmp_path):
    study = studies.load("one", folder=stored(tmp_path))
    mean, spread, n, what = study.summary("steps", framework="keras")
    assert (mean, n, what) == (12, 2, "standard deviation") and spread == pytest.approx(np.sqrt(8))
    assert study.summary("steps", framework="pytorch") == (7, 0.5, 9, "standard error")
    assert study.summary("steps", framework="keras", seed=1).n == 0
    with pytest.raises(ValueError, match="no row has 'steps'"):
        study.summary("steps", framework="jax")


@pytest.mark.parametrize(("changes", "message"), [
    ({"rows": {}, "title": None}, "title is of the wrong type, NoneType; rows is of the wrong type, dict"),
    ({"rows": []}, "rows is empty"),
    ({"table": {"down": []}}, "table: expected down and across"),
    ({"rows": [{"system": "a"}]}, "row 0: ['framework'] missing"),
    ({"rows": [{"system": "a", "framework": "keras", "steps": [1]}]}, "row 0: expected a flat object"),
    ({"rows": [{"system": "a", "framework": "keras", "measure": "x", "mean": 1}]}, "spread"),
    ({"canary": {"keras": {"loss": "low"}}}, "canary of keras"),
])
def test_what_is_wrong_with_a_study(changes, message):
    assert list(problems(studies.Study(**WHOLE))) == []
    assert message in "; ".join(problems(studies.Study(**WHOLE | changes)))


@pytest.mark.parametrize("changes", [{"note": ...}, {"extra": 1}])
def test_what_is_not_a_study_is_refused(tmp_path, changes):
    with pytest.raises(ValueError, match="study one: expected an object of about, .*, got"):
        studies.load("one", folder=stored(tmp_path, **changes))


def test_unknown_names_and_damaged_files(tmp_path):
    with pytest.raises(ValueError, match=r"expected one of \(none yet\), got 'one'"):
        studies.load("one", folder=tmp_path)
    with pytest.raises(ValueError, match="expected one of one, got 'other'"):
        studies.load("other", folder=stored(tmp_path))
    (tmp_path / "one.json").write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match="study one: expected JSON"):
        studies.load("one", folder=tmp_path)


def test_an_installed_course_says_where_studies_live(tmp_path):
    with pytest.raises(FileNotFoundError, match="data/studies of a clone"):
        studies.load("one", folder=tmp_path / "absent")
