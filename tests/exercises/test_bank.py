"""Answers as learners write them: every right one is accepted, and most wrong ones get a hint or a diagnosis."""

import importlib
from collections import Counter
from pathlib import Path

import pytest

from course_lib.exercises.engine import diagnoses, judge, registry

TOPICS = sorted(path.stem for path in (Path(__file__).parent / "bank").glob("[a-z]*.py"))
BANKS = {topic: importlib.import_module(f"exercises.bank.{topic}") for topic in TOPICS}


def answers(kind):
    return [pytest.param(name, answer, id=f"{name}: {what}") for bank in BANKS.values()
            for name, found in getattr(bank, kind).items() for what, answer in found.items()]


def verdict(name, answer):
    exercise = registry.find(name)

    def run(function, cases):
        return judge.run(exercise, function, cases=cases)

    key = judge.AnswerKey(exercise, exercise.draw())
    return key.judge(run(answer, key.cases), unused=lambda: diagnoses.unused(exercise, answer, run, key.same))


def test_every_exercise_has_its_bank():
    found = {name: len(wrong) for bank in BANKS.values() for name, wrong in bank.WRONG.items()}
    right = {name: len(styles) for bank in BANKS.values() for name, styles in bank.RIGHT.items()}
    wanted = {name for name in registry.EXERCISES if not name.startswith("00.")}
    assert found.keys() == right.keys() == wanted and min(found.values()) >= 8 and min(right.values()) >= 5


@pytest.mark.parametrize(("name", "answer"), answers("RIGHT"))
def test_right_in_another_style(name, answer):
    assert verdict(name, answer) == judge.Verdict()


def test_most_wrong_answers_are_told_something():
    found = {(name, what): verdict(name, answer) for bank in BANKS.values() for name, wrong in bank.WRONG.items()
             for what, answer in wrong.items()}
    assert [key for key, one in found.items() if one.case is None] == []
    silent = Counter(key[0] for key, one in found.items() if not one.hint)
    assert silent.total() <= 0.2 * len(found), silent.most_common(9)
    for name, count in silent.items():
        assert count <= 0.5 * sum(key[0] == name for key in found), name
