"""Values survive the way into the sandbox and back, exactly; what nobody's `encode` writes is refused."""

import json

import numpy as np
import pytest

from course_lib.exercises.engine import wire
from course_lib.exercises.engine.registry import EXERCISES

VALUES = [None, True, 0, -3, 2**62, 1.5, float("inf"), "ü", [], [1, [2.0]], (1, (2,)), {"a": [1], "b": {}},
          np.arange(6).reshape(2, 3), np.array(3.5), np.zeros((0, 4), np.float32), np.array([True, False]),
          np.float32(0.1), np.int64(7), np.array([np.nan, -np.inf]), np.arange(12.0).reshape(3, 4).T]


def there_and_back(value):
    return wire.decode(json.loads(json.dumps(wire.encode(value), allow_nan=False)))


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_there_and_back(value):
    got = there_and_back(value)
    assert type(got) is type(value)
    if isinstance(value, (np.ndarray, np.generic)):
        assert got.dtype == value.dtype and got.shape == value.shape
        np.testing.assert_array_equal(got, value)
    else:
        assert got == value and repr(got) == repr(value)


def test_not_a_number():
    assert np.isnan(there_and_back(float("nan")))


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=lambda exercise: exercise.id)
def test_cases_of_all_exercises(exercise):
    for case in exercise.draw(3):
        assert repr(there_and_back(case)) == repr(case)


class Lying(np.ndarray):
    pass


@pytest.mark.parametrize(("value", "says"), [
    (object(), "object"), (2**63, "63 bits"), (np.array([object()]), "ndarray of object"), ({1: 2}, "dict"),
    (np.array(["a"]), "ndarray of <U1"), (1j, "complex"), (b"x", "bytes"), (iter([]), "list_iterator"),
    ({1, 2}, "set")])
def test_what_is_not_plain(value, says):
    with pytest.raises(wire.NotPlain, match=says):
        wire.encode([value])


@pytest.mark.parametrize("value", [np.array([1, -2], ">i4"), np.array([0.5], ">f8"), np.longdouble("0.25"),
                                   np.array([[0.5]], np.longdouble), np.arange(6)[::-2], np.ma.ones(3)])
def test_numbers_in_another_form(value):
    got = there_and_back(value)
    assert got.dtype.str in wire.DTYPES
    np.testing.assert_array_equal(got, value)


def test_lists_without_end():
    endless = []
    endless.append(endless)
    with pytest.raises(wire.NotPlain, match="deep"):
        wire.encode(endless)


def test_a_subclass_comes_back_as_an_array():
    assert type(there_and_back(np.ones(2).view(Lying))) is np.ndarray


GOOD = {"array": ["<f8", [1], "AAAAAAAA8D8="], "scalar": False}


@pytest.mark.parametrize("data", [
    {}, {"float": "1"}, {"float": [1]}, {"tuple": 3}, {"dict": [[1, 2]]}, {"dict": [["a"]]}, 2**63, {"array": GOOD},
    {**GOOD, "more": 1}, {**GOOD, "array": ["<f8", [2], "AAAAAAAA8D8="]}, {**GOOD, "array": ["<f8", [-1], ""]},
    {**GOOD, "array": ["|O", [1], "AAAAAAAA8D8="]}, {**GOOD, "array": ["<f8", [1], "%%"]},
    {**GOOD, "array": ["<f8", [True], "AAAAAAAA8D8="]}, {**GOOD, "array": ["no type", [1], "AAAAAAAA8D8="]},
    {**GOOD, "array": ["|b1", [1], "Ag=="]}, {**GOOD, "array": [[("a", "<f8")] * 9, [1], "AAAAAAAA8D8="]},
    {**GOOD, "array": ["9" * 5_000, [1], "AAAAAAAA8D8="]}, {**GOOD, "array": "abc"}, {**GOOD, "array": ["<f8", 1, ""]},
    {**GOOD, "array": ["<f8", [1], 3]}, {**GOOD, "array": ["<f8", [2**39], "AAAA"]},
    {**GOOD, "array": ["<f8", [0, 2**39, 2**39, 2**39], ""], "x": 0},
    {**GOOD, "array": ["<f8", [1] * 17, "AAAAAAAA8D8="]}, [[]] * 200_000], ids=lambda data: repr(data)[:40])
def test_damaged_data_is_refused(data):
    assert wire.decode(GOOD) == 1.0
    with pytest.raises(wire.NotPlain):
        wire.decode(data)


def test_deep_data_is_refused():
    deep = []
    for _ in range(wire.MOST_NESTED + 2):
        deep = [deep]
    with pytest.raises(wire.NotPlain):
        wire.decode(deep)
