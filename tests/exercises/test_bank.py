"""Answers as learners write them: every right one is accepted, and most wrong ones get a hint or a diagnosis."""

import importlib
from collections import Counter
from pathlib import Path

import pytest
from exercises.mutants import mutants

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


# Changes that change no result: of guards for inputs that the statement excludes, of axes of inputs with one, of the
# base of a ratio of logarithms, of a threshold that only ties would meet, of a second bound behind a first one.
WITHOUT_EFFECT = {
    "00.mean_squared_error": 1, "01.epsilon_at": 4, "02.entropy": 6, "02.mutual_information": 14,
    "02.cubic_sparsity": 1, "03.nnls_weights": 4, "03.greedy_counts": 1, "04.zero_centred_penalty": 1,
    "04.frechet_distance": 1, "04.coverage": 2, "05.attention": 1,
    "05.top_k_gates": 2, "06.distillation_loss": 2, "07.advantage": 1, "08.ndcg": 4, "08.next_baskets": 3,
    "09.clip_by_norm": 4,
}


@pytest.mark.parametrize("exercise", registry.EXERCISES.values(), ids=registry.EXERCISES)
def test_some_case_tells_each_small_change_apart(exercise):
    found, key = list(mutants(exercise)), judge.AnswerKey(exercise, exercise.draw())
    passed = [what for what, function in found
              if key.judge(judge.run(exercise, function, cases=key.cases)).case is None]
    assert len(passed) <= WITHOUT_EFFECT.get(exercise.id, 0), passed
