"""What a class is graded on in notebook 07: exercises and questions without a public solution."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.engine.exercise import Exercise, WrongAnswer


def liars_survived(votes, classes):
    """How many liars each verdict of `votes` (M, N) survives, (N,) (as in Levine & Feizi 2021, theorem 1)."""
    counts = np.array([(votes == label).sum(axis=0) for label in range(classes)])
    top = counts.argmax(axis=0)
    rivals = counts + (np.arange(classes)[:, None] < top)
    rivals[top, np.arange(len(top))] = -1
    return (counts.max(axis=0) - rivals.max(axis=0)) // 2


def _vote_cases(rng):
    fixed = [([[0, 1], [0, 1], [0, 1], [1, 0], [1, 0]], 2), ([[0, 1], [0, 1], [0, 1], [0, 1]], 3),
             ([[2, 1, 0], [2, 1, 2], [2, 1, 1], [0, 2, 1], [1, 0, 2]], 3), ([[1, 0], [1, 0], [0, 1]], 2)]
    cases = [dict(votes=np.array(votes), classes=classes) for votes, classes in fixed]
    for members, examples, classes in ((5, 6, 3), (7, 8, 4), (9, 8, 2), (12, 10, 3), (20, 12, 5), (15, 12, 10)):
        truth = rng.integers(classes, size=examples)
        right = rng.random((members, examples)) < rng.uniform(0.1, 0.9, examples)
        cases.append(dict(votes=np.where(right, truth, rng.integers(classes, size=right.shape)), classes=classes))
    return cases


def _two(votes, classes, *, tie=1):
    counts = np.array([(votes == label).sum(axis=0) for label in range(classes)])
    top = counts.argmax(axis=0)
    rivals = counts + tie * (np.arange(classes)[:, None] < top)
    rivals[top, np.arange(len(top))] = -1
    return counts.max(axis=0), rivals.max(axis=0)


def _gap(votes, classes, *, tie=1):
    first, second = _two(votes, classes, tie=tie)
    return first - second


LIARS = Exercise(
    id="07.liars_survived",
    title="How many may lie?",
    statement="M members vote on N examples: `votes` (M, N), whole numbers below `classes`, which is at least 2. "
              "The verdict is the class with most votes; of several such classes, the one with the lowest number. "
              "A liar is a member that votes as it likes. For each example return the largest k such that the "
              "verdict stays what it is, whichever k of the members turn liars and whatever they then vote: whole "
              "numbers (N,).",
    reference=liars_survived,
    cases=_vote_cases,
    hints=("By how much can one liar, at worst, shrink the lead of the verdict over its strongest rival?",
           "At a tie, who wins? That depends on which of both has the lower number, and so may who the rival is."),
    wrong=(
        WrongAnswer(_gap,
                    "A liar does more harm than one who is silent: the verdict loses a vote, and a rival gains "
                    "it."),
        WrongAnswer(lambda v, c: _gap(v, c, tie=0) // 2, "A rival with a lower number wins a tie."),
        WrongAnswer(lambda v, c: np.maximum((_gap(v, c, tie=0) - 1) // 2, 0),
                    "Not every tie is lost: the verdict wins those with rivals of a higher number."),
        WrongAnswer(lambda v, c: _gap(v, c) // 2 + 1,
                    "That many liars can turn the verdict; asked is how many it survives."),
        WrongAnswer(lambda v, c: _gap(v, c) / 2, "Liars are whole: round down."),
        WrongAnswer(lambda v, c: np.maximum(_two(v, c)[0] - len(v) // 2 - 1, 0),
                    "The verdict needs no majority of all votes: compare it with its strongest rival."),
        WrongAnswer(lambda v, c: _two(v, c)[0] // 2,
                    "You count the verdict's votes only: how many has the rival?"),
    ),
)


def rolling_weights(forecasts, y, window, ahead):
    """Forecasts (M, T) of `y` (T,), fused by their latest known errors (after Bates & Granger 1969)."""
    errors = (forecasts - y) ** 2
    fused = []
    for t in range(window + ahead - 1, len(y)):
        weights = 1 / errors[:, t - ahead - window + 1 : t - ahead + 1].mean(axis=1)
        fused.append(weights @ forecasts[:, t] / weights.sum())
    return np.array(fused)


def _forecast_cases(rng):
    two = np.array([[1.0, 2, 3, 5, 8, 0], [2.0, 0, 1, 4, 4, 6]])
    y = np.array([0.0, 1, 5, 2, 6, 3])
    cases = [dict(forecasts=two, y=y, window=w, ahead=a) for w, a in ((1, 1), (2, 1), (2, 3), (5, 1))]
    for members, steps, window, ahead in ((2, 8, 3, 1), (3, 9, 2, 2), (3, 12, 4, 3), (4, 10, 1, 4), (2, 15, 6, 1),
                                          (5, 14, 5, 2)):
        y = rng.normal(size=steps).cumsum()
        size, bias = rng.uniform(0.3, 3, (members, 1)), rng.normal(size=(members, 1))
        noise = size * rng.normal(size=(members, steps)) + bias
        cases.append(dict(forecasts=y + noise, y=y, window=window, ahead=ahead))
    return cases


def _inverse(errors):
    return 1 / (errors**2).mean(axis=1)


def _fused(forecasts, y, window, ahead, *, shift=0, weigh=_inverse, normal=True, grow=False):
    fused = []
    for t in range(window + ahead - 1, len(y)):
        end = t - ahead + shift + 1
        weights = weigh((forecasts - y)[:, 0 if grow else end - window : end])
        fused.append(weights @ forecasts[:, t] / (weights.sum() if normal else 1))
    return np.array(fused)


ROLLING = Exercise(
    id="07.rolling_weights",
    title="Trust whoever was right lately",
    statement="`forecasts` (M, T) are M members' forecasts of `y` (T,). A forecast for time t is made at time t - "
              "ahead, when y is known up to and including t - ahead (`ahead` >= 1). Fuse them with weights of sum "
              "1, inversely proportional to each member's mean squared error over the last `window` times whose y "
              "is known when the forecast is made. Return the fused forecasts (T - window - ahead + 1,) for all "
              "times that have a full window. No mean squared error is 0.",
    reference=rolling_weights,
    cases=_forecast_cases,
    hints=("Write down for one t which errors are known at t - ahead. Which is the last one, and which the first?",
           "The weights change from time to time. The shape to return says which t is the first."),
    wrong=(
        WrongAnswer(lambda f, y, w, a: _fused(f, y, w, a, shift=a),
                    "Your weights know the error of the very forecast that they are for."),
        WrongAnswer(lambda f, y, w, a: _fused(f, y, w, a, shift=a - 1),
                    "You use errors up to t - 1; when the forecast is made, they are known up to t - ahead only."),
        WrongAnswer(lambda f, y, w, a: _fused(f, y, w, a, weigh=lambda e: 1 / np.abs(e).mean(axis=1)),
                    "Those are mean absolute errors: square them."),
        WrongAnswer(lambda f, y, w, a: _fused(f, y, w, a, weigh=lambda e: 1 / np.sqrt((e**2).mean(axis=1))),
                    "No root: the weights go with the mean squared error itself."),
        WrongAnswer(lambda f, y, w, a: _fused(f, y, w, a, weigh=lambda e: (e**2).mean(axis=1)),
                    "Whoever errs more has more weight: inversely proportional."),
        WrongAnswer(lambda f, y, w, a: _fused(f, y, w, a, normal=False), "The weights must have the sum 1."),
        WrongAnswer(lambda f, y, w, a: _fused(f, y, w, a, grow=True),
                    "Only the last `window` known errors count, not all since the beginning."),
        WrongAnswer(lambda f, y, w, a: _fused(f, y, w, a, weigh=lambda e: 1 / e.var(axis=1) if e.shape[1] > 1
                                              else _inverse(e)),
                    "A constant bias is an error, too: do not take the mean off the errors."),
    ),
)

EXERCISES = (LIARS, ROLLING)

QUESTIONS = (
    {"question": "A hospital fuses three networks by multiplying their probabilities; on clean test data this is "
                 "a little better than the mean. One network is a third party's, updated monthly without notice. "
                 "Should the hospital keep the product? Say what you would measure before deciding, and what you "
                 "would do if the product has to stay.",
     "model": "The small gain on clean data is not what matters: in a product each member has a veto, so one that "
              "gives the truth nearly zero, by malice or by a bad update, decides alone. Mean or median limit "
              "what one member can do, though with three members a confident liar wins in the mean where the "
              "other two disagree or are unsure. Measure: accuracy (and the rate of confidently wrong answers) "
              "with one member replaced by a bad one, as a wrong-class model, a constant, and an older version, "
              "for product, mean and median on the same test cases with intervals. Weigh the loss in the bad case "
              "by how likely it is. If the product stays: floor or clip the probabilities, give the third party a "
              "smaller exponent, and check every update on labelled data before it goes in. Marking: 2 points for "
              "the veto, 1 for a fair alternative with its weakness, 1 for a test under failure and not just on "
              "clean data, 1 for a safeguard that works."},
    {"question": "Patients' records train a classifier. Three ways: (a) five networks on all records, their mean "
                 "is published; (b) five networks on a fifth of the records each, their mean; (c) a pupil of (b), "
                 "taught on public records. An attacker who looks at confidence tells members from strangers with "
                 "an area under the ROC curve of 0.71, 0.60 and 0.53; accuracies are 91, 88 and 87 (± 2). A "
                 "colleague writes: \"(c) is private and costs four points.\" Judge the sentence, and say what "
                 "you would measure or change before records of a rare disease go in.",
     "model": "The order (a) > (b) > (c) is plausible: averaging networks that saw the same records hides little, "
              "division dilutes each record, and the pupil never saw one. But 0.53 is the success of one simple "
              "attack, on average: a lower bound on what leaks, with no interval given, and no proof. Rare "
              "records are those that networks memorise, so the average over all may hide a few that are found "
              "surely. The cost is also uncertain: 91 ± 2 against 87 ± 2 is some two to six points by the look of "
              "it, and whether (b) and (c) differ cannot be told. Measure: stronger attacks (several shadow "
              "models, the attack aimed at single records), the share of members found at very few false alarms, "
              "for the rare group apart; accuracy for that group, too. Change: noise on the teachers' votes with "
              "a stated privacy budget (PATE), or other training with a guarantee. Marking: 2 points for one "
              "attack being no proof, 1 for averages that hide rare records, 1 for reading accuracies with their "
              "uncertainty, 1 for a measurement or a guarantee that fits."},
)
