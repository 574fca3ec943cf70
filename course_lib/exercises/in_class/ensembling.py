"""What a class is graded on in notebook 03: exercises and questions without a public solution."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.engine.exercise import Exercise, WrongAnswer


def out_of_bag_curve(predictions, rows, y):
    """Error (M,) of the out-of-bag mean of the first members: (M, N), (M, B), (N,) (after Breiman, 1996)."""
    unseen = np.array([~np.isin(np.arange(len(y)), row) for row in rows])
    members = unseen.cumsum(axis=0)
    means = (predictions * unseen).cumsum(axis=0) / np.maximum(members, 1)
    known = members > 0
    return ((means - y) ** 2 * known).sum(axis=1) / np.maximum(known.sum(axis=1), 1)


def _bag_cases(rng):
    fixed = (([[1.0, 2], [3, 5]], [[0, 0], [1, 1]], [0.0, 0]), ([[4.0, -1]], [[1, 0]], [1.0, 2]),
             ([[9.0, 9, 1], [1, 3, 9], [2, 9, 4]], [[0, 1, 1], [2, 2, 2], [1, 1, 1]], [1.0, 2, 3]),
             ([[5.0, 5], [2, 0], [4, 4]], [[0, 1], [1, 1], [0, 0]], [1.0, 1]))
    cases = [dict(predictions=np.array(p), rows=np.array(r), y=np.array(y)) for p, r, y in fixed]
    for count, size, drawn in ((3, 6, 6), (5, 8, 8), (8, 10, 10), (6, 7, 12), (4, 9, 5), (10, 12, 12)):
        y = rng.normal(2, 1, size)
        cases.append(dict(predictions=y + rng.normal(size=(count, size)),
                          rows=rng.integers(size, size=(count, drawn)), y=y))
    return cases


def _out(y, rows):
    return np.array([~np.isin(np.arange(len(y)), row) for row in rows])


def _bagged(chosen=_out, divisor=lambda chosen: np.maximum(chosen.cumsum(axis=0), 1), total=np.cumsum,
            finish=lambda errors, known: (errors * known).sum(axis=1) / np.maximum(known.sum(axis=1), 1)):
    """A curve with one part exchanged."""
    def curve(predictions, rows, y):
        some = chosen(y, rows)
        means = total(predictions * some, axis=0) / divisor(some)
        return finish((means - y) ** 2, total(some, axis=0) > 0)

    return curve


def _each_error(predictions, rows, y):
    unseen = _out(y, rows)
    return ((predictions - y) ** 2 * unseen).sum(axis=1).cumsum() / np.maximum(unseen.sum(axis=1).cumsum(), 1)


BAG = Exercise(
    id="03.out_of_bag_curve",
    title="A test set for nothing",
    statement="`predictions` (M, N) is what M bagged members predict for the N training examples, `y` (N,) the "
              "truth. Row m of `rows` (M, B) lists the examples on which member m was trained; some come more "
              "than once. The out-of-bag prediction of an example is the mean over the members that were not "
              "trained on it. Return (M,): entry m is the mean squared error of the out-of-bag predictions of "
              "members 0 to m alone, over the examples that have one by then; 0 while none has.",
    reference=out_of_bag_curve,
    cases=_bag_cases,
    hints=("Make a bool array (M, N) first: who may speak about whom?",
           "Two counts differ from entry to entry: members for each example, and examples with a prediction."),
    wrong=(
        WrongAnswer(_bagged(lambda y, rows: ~_out(y, rows)),
                    "You average the members that were trained on the example: take those that were not."),
        WrongAnswer(_bagged(lambda y, rows: np.ones((len(rows), len(y)), bool)),
                    "All members speak about every example in yours: those trained on it must not."),
        WrongAnswer(_bagged(divisor=lambda chosen: np.arange(1, len(chosen) + 1)[:, None]),
                    "Divide by how many members speak about the example, not by how many there are so far."),
        WrongAnswer(_bagged(finish=lambda errors, known: errors.mean(axis=1)),
                    "An example on which all so far were trained has no prediction, not the prediction 0."),
        WrongAnswer(_bagged(finish=lambda errors, known: (errors * known).mean(axis=1)),
                    "Divide by the number of examples that have a prediction, not by N."),
        WrongAnswer(_each_error, "First the mean prediction, then its error: you average the members' errors."),
        WrongAnswer(_bagged(divisor=lambda chosen: 1, total=lambda values, axis: values),
                    "Entry m is about members 0 to m together; yours is about member m by itself."),
        WrongAnswer(lambda *given: np.sqrt(out_of_bag_curve(*given)), "The mean squared error, without a root."),
    ),
)


def error_parts(predictions, truth):
    """[squared bias, variance, covariance] of members' predictions (T, M, N), truth (N,) (Ueda & Nakano, 1996)."""
    count = predictions.shape[1]
    off = predictions - predictions.mean(axis=0)
    bias = predictions.mean(axis=(0, 1)) - truth
    variance = (off**2).mean()
    of_mean = (off.mean(axis=1) ** 2).mean()  # (variance + (M - 1) * covariance) / M
    return [float((bias**2).mean()), float(variance), float((count * of_mean - variance) / (count - 1))]


def _part_cases(rng):
    fixed = (([[[1.0], [3]], [[3], [5]]], [1.0]), ([[[1.0], [3]], [[3], [1]]], [2.0]),
             ([[[2.0, 0], [0, 4]], [[2, 0], [0, 4]]], [1.0, 1]), ([[[0.0, 2]] * 3, [[2, 4]] * 3], [2.0, 2]))
    cases = [dict(predictions=np.array(p), truth=np.array(t)) for p, t in fixed]
    for times, count, size in ((4, 3, 5), (6, 2, 8), (5, 5, 4), (3, 4, 6), (8, 3, 3), (10, 6, 7)):
        truth = rng.normal(size=size)
        shared, own = rng.normal(size=(times, 1, size)), rng.normal(size=(times, count, size))
        bias = rng.normal(0.5, 1, (count, size))
        cases.append(dict(predictions=truth + bias + rng.uniform(0, 1.5) * shared + own, truth=truth))
    return cases


def _covariance(predictions):
    return error_parts(predictions, 0.0)[2]


def _changed(bias=None, variance=None, covariance=None):
    def parts(predictions, truth):
        found = error_parts(predictions, truth)
        for place, change in enumerate((bias, variance, covariance)):
            found[place] = float(change(predictions, truth)) if change else found[place]
        return found

    return parts


def _unbiased(predictions, truth):
    bias, *spread = error_parts(predictions, truth)
    return [bias, *(len(predictions) / (len(predictions) - 1) * value for value in spread)]


PARTS = Exercise(
    id="03.error_parts",
    title="Three parts of one error",
    statement="In each of T repetitions M members, M >= 2, are trained on new data and predict N examples: "
              "`predictions` (T, M, N); `truth` is (N,). Return [squared bias, variance, covariance], each a mean "
              "over the examples. Squared bias: the square of the mean, over members and repetitions, of "
              "prediction - truth. Variance: a member's variance over the repetitions, mean over members. "
              "Covariance: that of two different members over the repetitions, mean over all such pairs. Divide "
              "by T in both. The mean squared error of the members' mean is then the first + the second / M + the "
              "third * (1 - 1 / M).",
    reference=error_parts,
    cases=_part_cases,
    hints=("For each part: over which axis is there a mean before the square, and over which one after it?",
           "Check your parts with the sum in the statement. Which part may be negative?"),
    wrong=(
        WrongAnswer(_changed(bias=lambda p, y: ((p.mean(axis=0) - y) ** 2).mean()),
                    "Biases of different members may cancel: take their mean first, then the square."),
        WrongAnswer(_changed(bias=lambda p, y: (p.mean(axis=(0, 1)) - y).mean() ** 2),
                    "Biases at different examples must not cancel: first the square, then the mean over "
                    "examples."),
        WrongAnswer(_changed(variance=lambda p, y: p.var(axis=1).mean()),
                    "Your variance is among the members: it is to be over the repetitions."),
        WrongAnswer(_changed(variance=lambda p, y: p.var(axis=(0, 1)).mean()),
                    "Your variance also holds how the members' means differ: each member has its own mean."),
        WrongAnswer(_changed(covariance=lambda p, y: p.mean(axis=1).var(axis=0).mean()),
                    "Pairs of *different* members: yours also pairs each member with itself."),
        WrongAnswer(_unbiased, "Divide by T, not by T - 1."),
        WrongAnswer(lambda p, y: (lambda b, v, c, m: [b, v / m, c * (1 - 1 / m)])(*error_parts(p, y), p.shape[1]),
                    "Those are the terms of the sum: return the parts without the factors."),
        WrongAnswer(_changed(covariance=lambda p, y: _covariance(p) * p.shape[1] * (p.shape[1] - 1) / 2),
                    "The covariance is a mean over the pairs: you add them up."),
    ),
)

EXERCISES = (BAG, PARTS)

QUESTIONS = (
    {"question": "Ten networks, trained from ten random starts on the same 3,000 machines, predict the hours "
                 "until a machine fails. On test machines their 95% intervals cover 94% of the failures. On a new "
                 "make of machine they cover 60%, although the ten hardly disagree more than before. A colleague "
                 "proposes a hundred networks instead of ten. What do you say, and what would you do?",
     "model": "A hundred networks estimate the same disagreement more precisely; they do not change what it "
              "leaves out (1 point). All members share the data, the inputs and the kind of model, so that on the "
              "new make they can be wrong together, and agreement is no evidence of being right (2 points: a "
              "shared error, which the spread among the members does not show). The 94% is an average over "
              "machines like those in training, and says nothing about a new make (1 point). To do: measure it "
              "beforehand by leaving out whole makes, one at a time; use other kinds of model or inputs; collect "
              "some failures of the new make, and until then widen the intervals by what left-out makes show, or "
              "warn that the make is unknown (1 point for one test and one remedy that fit)."},
    {"question": "Of 300 candidate models, greedy selection on 200 validation examples puts 12 into an ensemble. "
                 "Its validation error is 14% below that of the plain mean of the ten best candidates; on the "
                 "test set it is 1% above it. One person calls the test set unlucky, another wants to run the "
                 "selection again with the test examples added. How do you explain the figures, and how would you "
                 "go on?",
     "model": "The selection looked at many combinations and kept what suits these 200 examples: it overfitted "
              "the validation set, so that its error there is too low, and cannot be compared with that of a mean "
              "which was chosen far less freely (2 points). 1% on the test set may well be chance: give the "
              "paired difference with an interval; what is shown is that the promised 14% is not there (1 point). "
              "Adding the test examples leaves nothing to judge the result by (1 point). Go on: out-of-fold "
              "predictions of all training examples in place of 200; fewer candidates or rounds, or a start from "
              "the best few; bagged selection, or weights drawn towards equal ones; the number of rounds by "
              "nested validation, and the plain mean as a rival (1 point for a remedy that lowers the variance of "
              "the choice)."},
)
