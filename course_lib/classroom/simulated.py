"""Results of a made-up class, to try the dashboard on."""

from __future__ import annotations

import numpy as np

from course_lib.classroom.assignments import default_points, topic_of
from course_lib.classroom.grading import Result, nothing_graded
from course_lib.classroom.marks import Mark, judged, keys
from course_lib.exercises.engine import judge

HIDDEN_SEED = 1


def simulated_results(assignment, *, students=30, seed=0):
    """What a class might have handed in, judged: each function right, left out, or a known mistake, at random.

    No student's code runs here: the functions are the exercises' own. Some students know more than others (the same
    ones in every assignment of a seed), some exercises are harder, and some mistakes are more common.

    Returns
    -------
    list of Result
    """
    topic, rng = topic_of(assignment), np.random.default_rng([seed, int(assignment[:2])])
    weakness = np.random.default_rng(seed).uniform(0.1, 1.7, size=students)
    points, results = default_points(topic), []
    hard = rng.uniform(0.05, 0.6, size=len(topic.exercises))
    odds = [rng.dirichlet(np.full(len(exercise.wrong), 0.7)) for exercise in topic.exercises]
    for number, weak in enumerate(weakness, start=1):
        if rng.random() < weak / 20:
            results.append(nothing_graded(f"student {number:02}", assignment, "no notebook was handed in", graded=True))
            continue
        marks = [_simulated(exercise, points[exercise.id], rng, weak * hard[i], odds[i])
                 for i, exercise in enumerate(topic.exercises)]
        marks += [Mark(name, 0.0, most, "to be read") for name, most in points.items() if "." not in name]
        results.append(Result(f"student {number:02}", assignment, tuple(marks), framework="pytorch"))
    return results


def _simulated(exercise, most, rng, failing, odds):
    if rng.random() < failing / 4:
        return Mark(exercise.id, 0.0, most, "not written", "Not written yet.")
    mistake = rng.choice(len(odds), p=odds) if rng.random() < failing else None
    answers = [[judge.Answer(output) for output in key.right] if mistake is None else key.mistakes[mistake]
               for key in keys(exercise.id, HIDDEN_SEED)]
    return judged(exercise, most, answers, HIDDEN_SEED)
