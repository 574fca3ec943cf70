"""Results of a made-up class, to try the dashboard on."""

from __future__ import annotations

import numpy as np

from course_lib.classroom import marks as marking
from course_lib.classroom.assignments import topic_of
from course_lib.classroom.grading import Result, Terms, nothing_graded
from course_lib.classroom.marks import Mark
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
    terms, exercises, results = Terms.of(assignment, seed=HIDDEN_SEED), topic.graded.EXERCISES, []
    hard = rng.uniform(0.05, 0.6, size=len(exercises))
    odds = [rng.dirichlet(np.full(len(exercise.wrong), 0.7)) for exercise in exercises]
    for number, weak in enumerate(weakness, start=1):
        if rng.random() < weak / 20:
            results.append(nothing_graded(f"student {number:02}", assignment, "no notebook was handed in", terms,
                                          graded=True))
            continue
        found = [_simulated(exercise, terms.points[exercise.id], rng, weak * hard[i], odds[i])
                 for i, exercise in enumerate(exercises)]
        share = float(np.clip(rng.normal(0.8 - 0.4 * weak, 0.15), 0, 1))
        found += [Mark(name, 0.0, most, "to be read") if "." not in name else _project(name, most, share)
                  for name, most in terms.points.items() if name not in {mark.id for mark in found}]
        results.append(Result(f"student {number:02}", assignment, tuple(found)))
    return results


def _project(name, most, share):
    return Mark(name, round(most * share, 1), most, "partly" if share else "not written")


def _simulated(exercise, most, rng, failing, odds):
    if rng.random() < failing / 4:
        return Mark(exercise.id, 0.0, most, "not written", "Not written yet.")
    mistake = rng.choice(len(odds), p=odds) if rng.random() < failing else None
    shown, hidden = ([judge.Answer(output) for output in key.right] if mistake is None else key.mistakes[mistake]
                     for key in (marking.shown_key(exercise.id), marking.hidden_key(exercise.id, HIDDEN_SEED)))
    verdict = marking.shown_verdict(exercise.id, shown)
    if verdict.case is not None:
        return marking.wrong_on_shown(exercise, most, verdict)
    return marking.on_hidden(exercise, most, HIDDEN_SEED, hidden)
