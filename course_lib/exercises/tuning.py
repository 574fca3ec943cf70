"""The exercises of notebook 10: rewards and searches."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.engine.exercise import Exercise, Topic, WrongAnswer
from course_lib.tuning import reference


def _decisions(rng):
    cases = []
    for runs in (1, 4, 7):
        ended, lost = np.arange(runs) % 2 == 0, np.isin(np.arange(runs) % 4, (2, 3))
        cases.append(dict(before=rng.uniform(0.2, 3, runs), after=rng.uniform(0.2, 3, runs),
                          accuracy=rng.uniform(0.3, 1, runs), ended=ended, lost=lost, bonus=float(rng.uniform(0.5, 2))))
    return cases


REWARD = Exercise(
    id="10.tuning_reward",
    title="What is a decision worth?",
    statement="Of K runs: validation losses `before` and `after` the decision, `accuracy`, and whether each has "
              "`ended` or `lost` its numbers, (K,) each. Return rewards (K,): by how much the logarithm of the loss "
              "has fallen, and `bonus` times the accuracy for a run that has ended and is not lost.",
    reference=reference.tuning_reward,
    cases=_decisions,
    hints=(
        "A fall is positive: log(before) - log(after).",
        "ended & ~lost is True where there is a bonus, and counts as 1 in a product.",
        "np.log(before / after) + bonus * accuracy * (ended & ~lost)",
    ),
    wrong=(
        WrongAnswer(lambda before, after, accuracy, ended, lost, bonus: reference.tuning_reward(
            after, before, accuracy, ended, lost, bonus), "The sign: a loss that falls must earn something."),
        WrongAnswer(lambda before, after, accuracy, ended, lost, bonus: before - after + bonus * accuracy * (
            ended & ~lost), "You take the fall of the loss itself; the logarithm makes easy and hard tasks alike."),
        WrongAnswer(lambda before, after, accuracy, ended, lost, bonus: reference.tuning_reward(
            before, after, accuracy, ended, np.zeros_like(lost), bonus), "A run that is lost gets no bonus."),
        WrongAnswer(lambda before, after, accuracy, ended, lost, bonus: np.log(before / after) + bonus * accuracy,
                    "The bonus is for the end alone."),
        WrongAnswer(lambda before, after, accuracy, ended, lost, bonus: np.log2(before / after) + bonus * accuracy * (
            ended & ~lost), "The natural logarithm: np.log."),
        WrongAnswer(lambda before, after, accuracy, ended, lost, bonus: np.log(before / after) + bonus * (
            ended & ~lost), "The bonus is for each unit of accuracy: multiply."),
        WrongAnswer(lambda before, after, accuracy, ended, lost, bonus: (before - after) / before + bonus * accuracy * (
            ended & ~lost), "The logarithm of the ratio, not the relative fall."),
        WrongAnswer(lambda before, after, accuracy, ended, lost, bonus: np.log(before / after),
                    "Where is the bonus at the end?"),
    ),
)


def _curves(rng):
    fixed = [[9, 5, 4, 4], [8, 6, 6, 1], [7, 7, 2, 0.5], [6, 8, 7, 0.2], [5, 100, 9, 3]]
    unsteady = [[1, 9, 8, 0.5], [2, 3, 3, 3], [4, 2, 1, 3.5], [8, 8, 9, 9]]
    drawn = [np.sort(rng.random((runs, steps)), axis=1)[:, ::-1].copy() for runs, steps in ((8, 6), (5, 10), (3, 4))]
    return [dict(curves=np.array(fixed, float), half=2), *(
        dict(curves=np.array(unsteady, float), half=half) for half in (2, 1, 3)), *(
        dict(curves=curves, half=curves.shape[1] // 2) for curves in drawn)]


def halve_once(curves, half):
    """The best of R runs, and what the search costs, if only the better half goes on after `half` looks.

    Parameters
    ----------
    curves : array (R, T)
        Validation losses of all runs at all looks.
    half : int
        Looks after which the better half (rounded up) by the loss then goes on to the end.

    Returns
    -------
    int, int
        The best at the end of those that went on; the looks of all runs together.
    """
    alive = np.argsort(curves[:, half - 1], kind="stable")[: (len(curves) + 1) // 2]
    return int(alive[np.argmin(curves[alive, -1])]), len(curves) * half + len(alive) * (curves.shape[1] - half)


def _halved(curves, half, *, place=None, by=None, kept=None):
    by = curves[:, half - 1 if place is None else place] if by is None else by
    alive = np.argsort(by, kind="stable")[: -(-len(curves) // 2) if kept is None else kept]
    return int(alive[np.argmin(curves[alive, -1])]), len(curves) * half + len(alive) * (curves.shape[1] - half)


HALVING = Exercise(
    id="10.halve_once",
    title="Give up the worse half",
    statement="`curves` (R, T) are the validation losses of R runs at T looks. After `half` looks only the better half "
              "(rounded up), by the loss at that look, goes on. Return [which run is best at the end, of those that "
              "went on; how many looks all runs had together].",
    reference=halve_once,
    cases=_curves,
    hints=(
        "np.argsort(curves[:, half - 1]) orders the runs by their loss after `half` looks.",
        "Of the first (R + 1) // 2 of them, which has the lowest loss in the last column? Return its row in `curves`.",
        "All R runs have `half` looks; those that go on have T - half more.",
    ),
    wrong=(
        WrongAnswer(lambda curves, half: (int(np.argmin(curves[:, -1])), halve_once(curves, half)[1]),
                    "The best of all would have been given up on the way: choose among those that went on."),
        WrongAnswer(lambda curves, half: (halve_once(curves, half)[0], curves.size),
                    "You count the looks of runs that were given up."),
        WrongAnswer(lambda curves, half: _halved(curves, half, place=half),
                    "After `half` looks: that is column half - 1."),
        WrongAnswer(lambda curves, half: _halved(curves, half, by=curves[:, :half].min(axis=1)),
                    "The loss at that look decides, not the lowest so far."),
        WrongAnswer(lambda curves, half: _halved(curves, half, kept=max(1, len(curves) // 2)),
                    "The better half is rounded *up*: (R + 1) // 2."),
        WrongAnswer(lambda curves, half: (int(np.argmin(curves[np.argsort(curves[:, half - 1], kind="stable")[
            : -(-len(curves) // 2)], -1])), halve_once(curves, half)[1]),
                    "That is its place among those that went on: return its row in `curves`."),
        WrongAnswer(lambda curves, half: (halve_once(curves, half)[0], len(curves) * half),
                    "Those that go on look on: T - half more for each."),
        WrongAnswer(lambda curves, half: halve_once(curves, half)[::-1], "First the run, then the looks."),
        WrongAnswer(lambda curves, half: (float(curves[halve_once(curves, half)[0], -1]), halve_once(curves, half)[1]),
                    "Which run, not its loss."),
        WrongAnswer(lambda curves, half: (int(np.argmin(curves[:, half - 1])), halve_once(curves, half)[1]),
                    "That is the best at half time; ask at the end."),
        WrongAnswer(lambda curves, half: (halve_once(-curves, half)[0], halve_once(curves, half)[1]),
                    "You keep the worse half: the loss should be low."),
    ),
)

TOPIC = Topic(number="10", package="tuning", title="Tuning", exercises=(REWARD, HALVING))
