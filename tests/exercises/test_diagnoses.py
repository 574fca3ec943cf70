"""Diagnoses that need no list of mistakes: what they say of outputs is true, and they say nothing that is not."""

import numpy as np
import pytest

from course_lib.exercises.engine import diagnoses, judge
from course_lib.exercises.engine.exercise import Exercise, WrongAnswer

X = [np.array([[1.0, 2.0, 4.0], [3.0, 5.0, -1.0]]), np.array([[0.5, 0.25, 2.0], [1.0, 7.0, 3.0]]),
     np.full((4, 5), 0.3)]
CASES = [dict(x=x, k=k, flag=np.array([True, False])) for x, k in zip(X, (3, 5, 7), strict=True)]


def said(right, got, *, cases=CASES, certain=True):
    return diagnoses.of_outputs(cases, right, got, list(range(len(right))), certain=certain)


@pytest.mark.parametrize(("change", "words"), [
    (lambda x: x.T, "has shape (3, 2), for (2, 3): transpose it"),
    (lambda x: x[:, :, None], "an axis of length 1 is left over"),
    (lambda x: x.sum(), "one number for shape (2, 3)"),
    (lambda x: x.sum(axis=0), "an axis too many was summed over"),
    (lambda x: np.stack([x, x]), "an axis too few was summed over, or one was added"),
    (lambda x: x[:, :-1], "along axis 1 there are 2, not 3"),
    (lambda x: x * np.nan, "NaN or infinity came out"),
    (lambda x: x + 0, "You return `x` as it came"),
    (lambda x: 0 * x, "Your result is 0 everywhere"),
])
def test_matrices(change, words):
    right = [2 * x + 1 for x in X] if "as it came" in words else [x**2 + 1 if "everywhere" in words else x for x in X]
    assert words in said(right, [change(x) for x in X])


@pytest.mark.parametrize(("right", "change", "words"), [
    (lambda c: c["x"] ** 3 + 1, lambda y, c: -y, "The sign is the other way round"),
    (lambda c: c["x"] ** 3 + 1, lambda y, c: 2 * y, "twice what it should be"),
    (lambda c: c["x"] ** 3 + 1, lambda y, c: y * np.log(2), "ln 2 = 0.693 times what it should be. Natural logarithms"),
    (lambda c: c["x"] ** 3 + 1, lambda y, c: y * len(c["x"]), "times the length of axis 0 of `x`. A sum where a mean"),
    (lambda c: c["x"] ** 3 + 1, lambda y, c: y / c["x"].shape[1], "divided by the length of axis 1 of `x`. A mean"),
    (lambda c: c["x"] ** 3 + 1, lambda y, c: y * c["k"], "what it should be, times `k`"),
    (lambda c: c["x"] ** 3 + 1, lambda y, c: 1.37 * y, "1.37 times what it should be, in every wrong case"),
    (lambda c: c["x"] ** 3 + 1, lambda y, c: y + 1, "1 more than it should be, everywhere"),
    (lambda c: c["x"] ** 3 + 1, lambda y, c: y - c["k"], "less than it should be by `k`"),
    (lambda c: c["x"] ** 2 + 2, lambda y, c: y**2, "the square of what is wanted"),
    (lambda c: c["x"] ** 2 + 2, lambda y, c: 1 / y, "1 over what is wanted"),
    (lambda c: c["x"] ** 2 + 2, lambda y, c: np.log(y), "the logarithm of what is wanted"),
    (lambda c: c["x"] ** 3 + 0.4, lambda y, c: np.floor(y), "The fractions are gone"),
    (lambda c: np.maximum(c["x"] - 2, 0), lambda y, c: c["x"] - 2, "What is below 0 should be 0"),
    (lambda c: np.abs(c["x"]) / np.abs(c["x"]).sum(axis=1, keepdims=True), lambda y, c: np.abs(c["x"]),
     "divide by it, along the last axis"),
    (lambda c: np.abs(c["x"]) / np.abs(c["x"]).sum(axis=1, keepdims=True),
     lambda y, c: np.abs(c["x"]) / np.abs(c["x"]).sum(axis=0), "Your columns sum to 1, the rows should"),
    (lambda c: 0.2 + 0.1 * np.tanh(c["x"]), lambda y, c: 1 - y, "1 minus what is wanted"),
    (lambda c: c["x"][0] + 0.1, lambda y, c: y[::-1], "in the reverse order"),
    (lambda c: c["x"][0] + 0.1, lambda y, c: np.roll(y, 1), "moved by one place"),
])
def test_numbers(right, change, words):
    cases = [case | {"x": case["x"] + np.arange(case["x"].size).reshape(case["x"].shape) * 0.17} for case in CASES]
    outputs = [right(case) for case in cases]
    got = [change(output, case) for output, case in zip(outputs, cases, strict=True)]
    assert words in said(outputs, got, cases=cases)


def test_where_a_flag_is_set():
    right = [np.array([1.0, 2.0]), np.array([3.0, 5.0])]
    assert said(right, [np.array([7.0, 2.0]), np.array([4.5, 5.0])], cases=CASES[:2]) == (
        "Right wherever `flag` is 0; wrong wherever it is 1.")


def test_lists_and_their_items():
    right = [[1.0, np.array([1.0, 5.0])], [2.0, np.array([3.0, 4.0])]]
    assert said(right, [(b, a) for a, b in right]) == "These are the right values, in the reverse order."
    assert said(right, [[a, 2 * b] for a, b in right]) == "Of item 1 (from 0): Your result is twice what it should be."
    assert said(right, [[a + 3 * a**2, b] for a, b in right]) == "Only item 0 (from 0) is wrong."
    assert said(right, [[a] for a, b in right]) == "You return a list of 1; 2 values are wanted."
    assert said(right, [3.0, 4.0]) == "Return 2 values, as a list."


def test_what_is_only_true_of_the_first_wrong_case():
    right, got = [np.arange(1, 5.0)], [np.array([1.0, 2.0, 3.0, 9.0])]
    assert said(right, got, cases=CASES[:1]) == ""
    assert "Only the last entry is wrong" in said(right, got, cases=CASES[:1], certain=False)


def test_noise_is_not_explained():
    rng = np.random.default_rng(0)
    for seed in range(200):
        right = [rng.normal(size=(3, 4)) for _ in CASES]
        got = [rng.normal(size=(3, 4)) for _ in CASES]
        assert said(right, got) == said(right, got, certain=False) == "", seed


@pytest.mark.parametrize(("action", "words"), [
    (lambda: np.zeros((2, 3))[5], "Along axis 0 there are 2 entries"),
    (lambda: np.zeros(3)[0, 1], "more indices than that array has axes"), (lambda: np.zeros(3)[1.0], "whole number"),
    (lambda: 1 / 0, "can be 0"), (lambda: bool(np.zeros(2)), "np.where"),
    (lambda: np.zeros(2) + np.zeros(3), "a[:, None]"),
    (lambda: np.zeros((2, 3)) @ np.zeros(2), "matrix product"), (lambda: [1] * 1.5, "np.asarray"),
    (lambda: [1.0].sum(), "np.asarray"), (lambda: None + 1, "Something is None"), (lambda: (3)[0], "single number"),
    (lambda: np.linalg.inv(np.zeros((2, 2))), "no inverse"), (lambda: {}["a"], "dictionary"),
    (lambda: undefined_name, "no value there"), (lambda: np.zeros(2)(0), "square ones"),  # noqa: F821
    (lambda: np.add(np.zeros(2, int), 0.5, out=np.zeros(2, int)), "dtype"), (lambda: (lambda a: a)(1, 2), "parameters"),
    (lambda: (lambda a: a)(1, axis=1), "NumPy function"), (lambda: np.array([True]) - np.array([True]), "booleans"),
])
def test_exceptions(action, words):
    exercise = Exercise(id="99.f", title="t", statement="s.", reference=lambda x: x + 1.0, hints=("a", "b"),
                        cases=lambda rng: [dict(x=1.0)], wrong=(WrongAnswer(lambda x: x, "h"),))
    answers = judge.run(exercise, lambda x: action(), cases=exercise.draw())
    assert words in judge.judge(exercise, exercise.draw(), answers).hint


def test_a_parameter_that_is_not_used():
    exercise = Exercise(id="99.f", title="t", statement="s.", hints=("a", "b"),
                        reference=lambda x, gamma: x * gamma + 1,
                        cases=lambda rng: [dict(x=np.arange(3.0), gamma=g) for g in (0.9, 0.5)],
                        wrong=(WrongAnswer(lambda x, gamma: x, "h"),))

    def run(function, cases):
        return judge.run(exercise, function, cases=cases)

    key = judge.AnswerKey(exercise, exercise.draw())
    for function, name in ((lambda x, gamma: 0.9 * x + 1, "gamma"), (lambda x, gamma: np.full(3, gamma), "x"),
                           (lambda x, gamma: x * gamma**2, None)):
        assert diagnoses.unused(exercise, function, run, key.same) == name
    answers = run(lambda x, gamma: 0.9 * x + 1, key.cases)
    assert key.judge(answers, unused=lambda: "gamma").hint == "Your result does not depend on `gamma`."


def test_a_mistake_that_explains_the_first_wrong_case():
    def half(x):
        return [x / 2, x][int(x > 3)]

    exercise = Exercise(id="99.f", title="t", statement="s.", reference=lambda x: x + 0.0, hints=("a", "b"),
                        cases=lambda rng: [dict(x=x) for x in (1.0, 2.0, 2.5, 5.0, 7.0)],
                        wrong=(WrongAnswer(half, "half"), WrongAnswer(lambda x: x / 0, "raises")))
    cases = exercise.draw()

    def hint(function):
        return judge.judge(exercise, cases, judge.run(exercise, function, cases=cases)).hint

    assert hint(half) == "half" and hint(lambda x: x / 2 if x < 3 else x + 9 * x**2) == "half"  # two slips
    assert hint(lambda x: 1 // 0) == "raises" and hint(lambda x: x**3 + 0.123) == ""
