"""Copies are found whatever was renamed; answers that people wrote on their own are not."""

import inspect
import re
import time

import nbformat
import numpy as np
import pytest
from exercises.bank import pruning
from students import right_functions

from course_lib.classroom import similarity
from course_lib.classroom.similarity import similar

SOURCES = [inspect.getsource(answer) for styles in pruning.RIGHT.values() for answer in styles.values()]
STYLES = [list(styles.values()) for styles in pruning.RIGHT.values()]
HOSTILE = ["\0" * 999, "(" * 100_000, "x = 1\n" * 100_000, "'''" * 9_999, '"\\' * 9_999, "\\\n" * 9_999, "",
           "é = '\ud800'"]


def hand_in(course, student, cells):
    folder = course.folder / "submitted" / student / "02_pruning"
    folder.mkdir(parents=True)
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    (folder / "02_pruning.ipynb").write_bytes(nbformat.writes(book).encode("utf-8", "replace"))


def renamed(source):
    return re.sub(r"\b(counts|p|total|scores|mask|table|weights|t|k)\b", r"my_\1", source) + "\n# my own work\n"


def test_a_copy_is_found_and_independent_answers_are_not(course):
    for number in range(7):  # each the number-th style of every exercise
        hand_in(course, f"own{number}", [inspect.getsource(styles[number]) for styles in STYLES])
    copied = [inspect.getsource(styles[0]) for styles in STYLES]
    hand_in(course, "copy", [renamed(source) for source in copied[::-1]])
    found = similar(course, "02_pruning")
    assert found[["first", "second", "exercise"]].values.tolist() == [["copy", "own0", "whole"]]
    assert found["share"][0] > 0.8 and found["lines"][0] > 10


def test_who_hands_in_the_courses_own_answer_is_named(course):
    functions = right_functions("02_pruning")
    hand_in(course, "ann", ["def my_" + inspect.getsource(STYLES[0][0])[4:]])
    hand_in(course, "eve", [renamed(source) for source in functions.values()])
    found = similar(course, "02_pruning")
    assert found[["first", "second"]].values.tolist() == [[similarity.OURS, "eve"]] and found["share"][0] > 0.9


def test_hostile_sources_raise_nothing(course):
    for number, source in enumerate(HOSTILE):
        hand_in(course, f"eve{number}", [source])
    assert set(similar(course, "02_pruning").columns) == {"first", "second", "share", "exercise", "lines"}


@pytest.mark.parametrize("source", HOSTILE[:-1], ids=range(len(HOSTILE) - 1))
def test_reading_tokens_takes_linear_time(source):
    began = time.perf_counter()
    similarity._grams(source[:similarity.MOST_LETTERS])
    assert time.perf_counter() - began < 5


def test_five_hundred_are_compared_within_seconds():
    rng, began = np.random.default_rng(0), time.perf_counter()
    texts = ["\n".join(SOURCES[i] for i in rng.choice(len(SOURCES), 6, replace=False)) for _ in range(500)]
    prints = [similarity._fingerprints(text, np.zeros(0, np.uint64)) for text in texts]
    list(similarity._alike(prints, 0.6, 500))
    assert time.perf_counter() - began < 15
