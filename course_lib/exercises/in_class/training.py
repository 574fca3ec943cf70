"""What a class is graded on in notebook 09: exercises and questions without a public solution."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.engine.exercise import Exercise, WrongAnswer


def gradient_noise(gradients, size):
    """[|G|^2, noise] from M batches' gradients (M, P) (McCandlish et al. 2018, appendix A.1)."""
    everything = len(gradients) * size
    small = (gradients**2).sum(axis=1).mean()
    large = (gradients.mean(axis=0) ** 2).sum()
    signal = (everything * large - size * small) / (everything - size)
    return [float(signal), float((small - large) / (1 / size - 1 / everything))]


def _gradient_cases(rng):
    fixed = [([[1.0, 0], [3, 0]], 1), ([[1.0, 0], [3, 0]], 4), ([[2.0, -1], [-2, 1]], 3),
             ([[1.0, 2], [1, 2], [4, 2]], 2)]
    cases = [dict(gradients=np.array(gradients), size=size) for gradients, size in fixed]
    for batches, weights, size in ((2, 3, 4), (4, 5, 8), (5, 2, 3), (8, 4, 16), (3, 6, 5), (10, 3, 32)):
        gradients = rng.normal(0, 2, weights) + rng.normal(0, rng.uniform(1, 3), (batches, weights))
        cases.append(dict(gradients=gradients, size=size))
    return cases


def _noise(g, size):
    return gradient_noise(g, size)[1]


def _over(g, size, everything):
    small, large = (g**2).sum(axis=1).mean(), (g.mean(axis=0) ** 2).sum()
    return [float((everything * large - size * small) / (everything - size)),
            float((small - large) / (1 / size - 1 / everything))]


NOISE = Exercise(
    id="09.gradient_noise",
    title="How much of a gradient is noise?",
    statement="`gradients` (M, P), M at least 2, are the mean gradients of M batches of `size` examples each, all "
              "of one epoch. If G (P,) is the true gradient and s the noise of one example (the sum of its P "
              "variances), the squared norm of the mean gradient of B examples is |G|^2 + s / B on average. Solve "
              "that for |G|^2 and s, with two averages in its place: the mean of the M squared norms, and the "
              "squared norm of the mean of all. Return [|G|^2, s]; the first may come out negative, leave it so.",
    reference=gradient_noise,
    cases=_gradient_cases,
    hints=("Two equations, two unknowns. How many examples does each of the two averages belong to?",
           "Subtract one equation from the other: |G|^2 is gone, and s is left. Then go back for |G|^2."),
    wrong=(
        WrongAnswer(lambda g, b: [float((g.mean(axis=0) ** 2).sum()), _noise(g, b)],
                    "The squared norm of the mean contains noise, too: a little less than one batch's."),
        WrongAnswer(lambda g, b: [float((g.mean(axis=0) ** 2).sum()), float(b * g.var(axis=0).sum())],
                    "The mean of all batches is not the true gradient: spread around it is a bit too small."),
        WrongAnswer(lambda g, b: gradient_noise(g, 1),
                    "That is the noise of one row, the mean of `size` examples; s is that of one example."),
        WrongAnswer(lambda g, b: _over(g, b, len(g)),
                    "The mean of all is over M * size examples, not over M."),
        WrongAnswer(lambda g, b: gradient_noise(g, b)[::-1], "First |G|^2, then s."),
        WrongAnswer(lambda g, b: [gradient_noise(g, b)[0], float(np.sqrt(max(_noise(g, b), 0)))],
                    "No root of s: it is a sum of variances."),
        WrongAnswer(lambda g, b: [max(gradient_noise(g, b)[0], 0.0), _noise(g, b)],
                    "Leave a negative estimate as it is: cut off at 0 it would be too large on average."),
    ),
)


def quotient_stop(training, validation, strip, alpha):
    """The look at which Prechelt's criterion PQ stops a run of T looks (Prechelt 1998)."""
    for t in range(strip - 1, len(training), strip):
        loss = 100 * (validation[t] / validation[: t + 1].min() - 1)
        recent = training[t + 1 - strip : t + 1]
        if loss > alpha * 1000 * (recent.mean() / recent.min() - 1):
            return t
    return len(training) - 1


def _curve_cases(rng):
    fixed = [([4.0, 2, 2, 2], [3.0, 2, 3, 2.5], 2, 0.1), ([2.0] * 4, [3.0] * 4, 2, 1.0),
             ([4.0, 3, 2, 2, 2, 2], [4.0, 3, 3.3, 3, 3.6, 1], 3, 0.1),
             ([1.0, 2, 2, 2, 2, 2], [2.0, 2, 2.2, 2.4, 2.4, 2], 2, 0.1),
             ([2.0] * 4, [2.0, 3, 2, 2], 2, 1.0), ([8.0, 4, 2, 1, 1, 1], [5.0, 4, 3, 4, 5, 6], 1, 0.5)]
    cases = [dict(training=np.array(a), validation=np.array(b), strip=s, alpha=c) for a, b, s, c in fixed]
    for steps, strip in ((20, 3), (24, 4), (30, 5), (40, 4), (36, 3), (30, 4), (45, 5), (50, 6)):
        t = np.arange(steps)
        training = np.exp(-t / rng.uniform(3, 12)) + 0.2 * np.exp(rng.normal(0, 0.15, steps))
        training[steps // 3 :] += rng.choice([0, 0.3])  # now and then it gets worse again
        validation = 0.7 * training + 0.5 + rng.uniform(0.01, 0.06) * np.maximum(t - rng.integers(2, 12), 0)
        validation = (validation + rng.normal(0, 0.06, steps)).clip(0.1)
        validation[-1] = 0.4 * validation.min()  # a late miracle that nobody foresees
        cases.append(dict(training=training, validation=validation, strip=strip,
                          alpha=float(rng.choice([0.03, 0.06, 0.1, 0.5]))))
    return cases


def _lowest(losses, t, start):
    return losses[: t + 1].min()


def _stopped(training, validation, strip, alpha, *, first=None, every=None, best=_lowest, low=None, of=None,
             factor=1000):
    of = training if of is None else of
    for t in range(strip - 1 if first is None else first, len(training), every or strip):
        start = max(t + 1 - strip, 0)
        loss = 100 * (validation[t] / best(validation, t, start) - 1)
        recent = of[start : t + 1]
        if loss > alpha * factor * (recent.mean() / (recent.min() if low is None else low(of, t, start)) - 1):
            return t
    return len(training) - 1


QUOTIENT = Exercise(
    id="09.quotient_stop",
    title="Worse, and no longer learning",
    statement="`training` and `validation` (T,) are losses above 0. After every `strip` looks (the first time "
              "after look strip - 1, counted from 0) a run is judged. Its loss of generality is 100 * (validation "
              "loss / lowest one so far - 1). Its progress is 1000 * (mean / lowest - 1), of the training losses "
              "of the last `strip` looks. It stops at the first judgement at which the former is above alpha "
              "times the latter. Return the look at which it stops, or T - 1 if it never does.",
    reference=quotient_stop,
    cases=_curve_cases,
    hints=("Which looks are judged if strip is 3? And which training losses belong to each judgement?",
           "At a look nothing later is known. May the progress be 0, and what does your comparison do then?"),
    wrong=(
        WrongAnswer(lambda *given: _stopped(*given, best=lambda v, t, start: v.min()),
                    "The lowest validation loss *so far*: what comes later is not known yet."),
        WrongAnswer(lambda *given: _stopped(*given, every=1), "A run is judged at the end of each strip only."),
        WrongAnswer(lambda *given: _stopped(*given, best=lambda v, t, start: v[start : t + 1].min()),
                    "The lowest validation loss of all looks so far, not only of this strip."),
        WrongAnswer(lambda a, b, s, c: _stopped(a, b, s, c, first=s),
                    "You judge a look too late: strip - 1 is the first."),
        WrongAnswer(lambda a, b, s, c: _stopped(a, b, s, c, of=b), "Progress is of the training losses."),
        WrongAnswer(lambda a, b, s, c: _stopped(a, b, s, c, factor=100),
                    "Loss is in hundredths, progress in thousandths."),
        WrongAnswer(lambda a, b, s, c: int(b[: quotient_stop(a, b, s, c) + 1].argmin()),
                    "That is the best look up to there; where does the run stop?"),
        WrongAnswer(lambda a, b, s, c: _stopped(a, b, s, c, low=_lowest),
                    "The lowest training loss of the strip, not of all looks so far."),
    ),
)

EXERCISES = (NOISE, QUOTIENT)

QUESTIONS = (
    {"question": "On 60 training digits, dropout raises the final validation loss from 0.9 to 1.1 and leaves test "
                 "accuracy as it was (difference 0.4 points, 95% interval -1.2 to 2.0, 20 networks). A report "
                 "says: \"Dropout does not work.\" Which conclusions do these numbers allow, which not, and what "
                 "would you change in the experiment before advising somebody with 60,000 digits and a deeper "
                 "network?",
     "model": "Allowed: at this rate, width, data size and number of steps dropout did not help the loss, and no "
              "effect on accuracy beyond about two points either way has been seen; the interval does not prove "
              "that there is none. Not allowed: that it never works. One rate was tried, perhaps with settings "
              "tuned without dropout; dropout slows training, so with equal steps the run may not have arrived; "
              "loss and accuracy measure different things, as confidence changes the loss. Change: tune the rate "
              "(and steps, learning rate) on validation data with the same budget for both sides, draw whole "
              "curves, and use the larger data and network, where overfitting is another; many seeds, paired, and "
              "a test set touched once. Marking: 1 point for reading the interval rightly, 1 for loss against "
              "accuracy, 2 for limits of the setting (rate, steps, size), 1 for a fair redesign with equal "
              "tuning."},
    {"question": "A deep network's loss turns to NaN at step 300. A colleague clips the gradient norm at 1, and "
                 "training finishes at 62% accuracy. Another one lowers the learning rate by ten: 64%. A third "
                 "halves the initial weights: 88%. Someone suggests to use all three \"to be safe\". What do the "
                 "results say about the cause, and what do you do next?",
     "model": "That smaller initial weights help most suggests that the signal or the gradient grew with each "
              "layer: the cause is the scale of the weights. Clipping and small steps keep the run alive but "
              "treat the symptom: a clipped gradient has the right direction and a bounded length, yet the "
              "network stays badly scaled. But single runs may differ by chance, and each remedy was tried at one "
              "value. Next: log gradient norms and activations by layer at the start, with both scales, which "
              "tests the explanation directly; then keep the better initial weights, tune the learning rate anew, "
              "several seeds; add clipping only if norms still show rare spikes, and see how often it acts. All "
              "three at once may be slow for no reason (a tenfold smaller rate, and every step clipped), and "
              "hides which one matters. Marking: 2 points for cause against symptom, 1 for a measurement by "
              "layer, 1 for one change at a time with seeds and a retuned rate, 1 for the price of all three."},
)
