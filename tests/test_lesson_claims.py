"""How `make claims` watches the claims of a lesson."""

import json

import lesson_claims
import numpy as np
import pytest

from course_lib.common import claims


@pytest.fixture
def watched(tmp_path, monkeypatch):
    """`watched(source)` runs a cell as `make claims` does and returns what it noted."""
    monkeypatch.setattr(claims, "claim", claims.claim)  # put back what `record` replaces

    def run(source):
        path = tmp_path / "claims.jsonl"
        lesson_claims.record(path)
        exec(lesson_claims.with_margins(source), {"_compared": lesson_claims.compared, "np": np, "claim": claims.claim})
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    return run


@pytest.mark.parametrize(("holds", "value", "margin", "sides"), [
    ("1 < 3", True, 2, "1 < 3"), ("3 < 1", False, -2, "3 < 1"), ("5 >= 4.5", True, 0.5, "5 >= 4.5"),
    ("0 < 0.25 < 2", True, 0.25, "0 < 0.25"), ("(np.array([1, 4, 3]) < 5).all()", True, 1, "4 < 5"),
    ("all(x > 1 for x in (4, 2, 3))", True, 1, "2 > 1"), ("1 < 4 and abs(2 - 3) < 2", True, 1, "1 < 2"),
    ("3 == 3", True, None, None), ("(np.array([1, 9]) > 5).any()", True, None, None), ("not 1 > 3", True, None, None),
    ("(np.array([0, 2]) > 1)[1:].all()", True, None, None), ("{1} < {1, 2}", True, None, None),
])
def test_margins(watched, holds, value, margin, sides):
    entry, = watched(f"claim('it holds', bool({holds}), figure=1.2345)")
    assert entry == {"text": "it holds", "holds": value, "figures": "figure 1.23",
                     "margin": margin if margin is None else [margin, sides]}


def test_a_false_claim_stops_nothing_and_margins_do_not_mix(watched):
    entries = watched("claim('first', 2 < 1)\nx = 3 < 9\nclaim('second', 5 > 1)\nclaim('third', x)")
    assert [(entry["text"], entry["holds"], entry["margin"]) for entry in entries] == [
        ("first", False, [-1, "2 < 1"]), ("second", True, [4, "5 > 1"]), ("third", True, None)]


def test_only_a_truth_value_is_a_claim_here_too(watched):
    with pytest.raises(TypeError, match="expected True or False"):
        watched("claim('vacuous', 1)")


def test_other_cells_are_left_as_they_are():
    for source in ("%%keras\nx = 1  # two", "x = 1 < 2  # a comment", "%matplotlib inline\n1 < 2"):
        assert lesson_claims.with_margins(source) == source
    assert lesson_claims.with_margins("%%pytorch\nclaim('a', 1 < 2)") == (
        "%%pytorch\nclaim('a', _compared(['<'], 1, 2))")


def entry(text, holds, margin, figures=""):
    return {"text": text, "holds": holds, "margin": margin, "figures": figures}


def test_summary():
    runs = [(("01", "pytorch", 0, "plain"), {"error": None, "claims": [entry("a", True, [2, "1 < 3"], "x 1")]}),
            (("01", "keras", 100, "plain"), {"error": None, "claims": [entry("a", True, [1, "2 < 3"], "x 2")]})]
    assert lesson_claims.summary("01", runs) == ([
        "\n01", "  ✓ 2 of 2  a", "      smallest margin 1: 2 < 3 in keras, seed 100",
        "      pytorch, seed 0: x 1", "      keras, seed 100: x 2"], True)


@pytest.mark.parametrize("found", [{"error": "NameError", "claims": [entry("a", True, None)]},
                                   {"error": None, "claims": []},
                                   {"error": None, "claims": [entry("a", False, [-1, "2 < 1"])]}])
def test_what_stops_or_claims_nothing_or_fails_does_not_hold(found):
    lines, held = lesson_claims.summary("01", [(("01", "keras", 0, "busy core"), found)])
    assert held is False and "keras, seed 0, busy core" in "\n".join(lines)
