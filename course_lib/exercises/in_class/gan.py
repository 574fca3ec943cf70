"""What a class is graded on in notebook 04: exercises and questions without a public solution."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.engine.exercise import Exercise, WrongAnswer


def held_samples(start, logits, draws):
    """Which of K proposals a Metropolis-Hastings chain holds after each, (K,) (Turner et al., 2019)."""
    logit, held, found = start, -1, []
    for index in range(len(logits)):
        if np.log(draws[index]) < logits[index] - logit:
            logit, held = logits[index], index
        found.append(held)
    return np.array(found)


def _chain_cases(rng):
    fixed = ((0.0, [1.0, -1, 0.5, 2], [0.9, 0.5, 0.5, 0.9]), (2.0, [-2.0, -3, 0], [0.5, 0.5, 0.1]),
             (790.0, [800.0, 795, 799.9], [0.6, 0.3, 0.2]), (-1000.0, [-999.0, -900, -901], [0.5, 0.5, 0.3]),
             (3.0, [2.9, 1, 2.8, 2.7], [0.8, 0.6, 0.85, 0.7]))
    cases = [dict(start=a, logits=np.array(b), draws=np.array(c)) for a, b, c in fixed]
    for count, scale in ((8, 1.0), (12, 2.0), (16, 1.0), (20, 3.0), (25, 1.5), (30, 2.0), (15, 40.0)):
        cases.append(dict(start=float(rng.normal()), logits=rng.normal(0, scale, count),
                          draws=rng.uniform(0.02, 0.98, count)))
    return cases


def _sigmoid(x):
    return np.exp(-np.logaddexp(0, -x))


def _chain(accept, show=lambda held, index: held):
    """A chain in which accept(proposed, held, first, previous, draw) decides."""
    def chain(start, logits, draws):
        logit, previous, held, found = start, start, -1, []
        for index, (proposed, draw) in enumerate(zip(logits, draws, strict=True)):
            if accept(proposed, logit, start, previous, draw):
                logit, held = proposed, index
            previous = proposed
            found.append(show(held, index))
        return np.array(found)

    return chain


def _by_logits(proposed, held, first, previous, draw):
    return np.log(draw) < proposed - held


def _by_odds(proposed, held, first, previous, draw):
    with np.errstate(all="ignore"):
        return draw < np.exp(proposed) / np.exp(held)


HELD = Exercise(
    id="04.held_samples",
    title="The expert chooses, after the training",
    statement="A Markov chain first holds a real image, of logit `start`. Then K generated images of `logits` "
              "(K,) are proposed in turn. Proposal i, an image b, replaces the image a that is held if draws[i], "
              "in (0, 1), is below r(b) / r(a), with r = p / q the ratio of the densities of real and generated "
              "images; `draws` is (K,). D = p / (p + q) is the sigmoid of the logit. Return K whole numbers: "
              "after each proposal, the number (from 0) of the one that is held; -1 while it is still the real "
              "image. Logits may lie far beyond 700.",
    reference=held_samples,
    cases=_chain_cases,
    hints=("Solve D = p / (p + q) for p / q. What is that in terms of the logit?",
           "What has to be remembered from one proposal to the next? Mind numbers that exp cannot hold."),
    wrong=(
        WrongAnswer(_chain(lambda b, a, first, last, u: np.log(u) < np.logaddexp(0, -a) - np.logaddexp(0, -b)),
                    "You compare the D of both images; p / q is another function of D."),
        WrongAnswer(_chain(lambda b, a, first, last, u: np.log(u) < b - first),
                    "You compare with the real image each time: compare with the image that is held."),
        WrongAnswer(_chain(lambda b, a, first, last, u: np.log(u) < b - last),
                    "You compare with the last proposal, even if it was rejected: compare with the one held."),
        WrongAnswer(_chain(lambda b, a, first, last, u: np.log(u) < a - b),
                    "The quotient is upside down: what looks more real should be accepted for sure."),
        WrongAnswer(_chain(lambda b, a, first, last, u: u < _sigmoid(b)),
                    "Your decision looks at the proposal alone: the image that is held matters as well."),
        WrongAnswer(_chain(lambda b, a, first, last, u: b > a),
                    "A less likely proposal is accepted now and then, too: you do not use the draws."),
        WrongAnswer(_chain(_by_logits, lambda held, index: held == index),
                    "That says which proposals are accepted: return which one is held after each."),
        WrongAnswer(_chain(_by_odds), "exp of a large logit overflows, or is 0: what can be done with logits "
                                      "alone?"),
    ),
)


def cell_excess(real, fake, centres):
    """z-scores (K,) of generated (M, D) against real points (N, D), by cell (after Richardson & Weiss, 2018)."""
    ours, theirs = (np.bincount(np.linalg.norm(points[:, None] - centres, axis=2).argmin(axis=1),
                                minlength=len(centres)) for points in (fake, real))
    share = (ours + theirs) / (len(fake) + len(real))
    error = np.sqrt(share * (1 - share) * (1 / len(fake) + 1 / len(real)))
    return (ours / len(fake) - theirs / len(real)) / np.where(error > 0, error, 1)


def _cell_cases(rng):
    fixed = (([[0.0], [0.2], [1]], [[0.9]], [[0.0], [1]]),
             ([[0.0], [1]], [[0.1], [0.2], [1.1], [0.3]], [[0.0], [1], [9]]),
             ([[0.0, 0], [1, 1]], [[2.0, 2]], [[0.0, 0]]),
             ([[3.0, 3], [3.5, 3]], [[4.5, 0.1], [4.5, 0.2], [4, 0]], [[0.0, 0], [4.5, 4.5]]))
    cases = [dict(real=np.array(r), fake=np.array(f), centres=np.array(c)) for r, f, c in fixed]
    for many, few, count, size in ((20, 12, 3, 2), (30, 10, 4, 2), (12, 30, 3, 3), (40, 25, 5, 2), (25, 40, 4, 3),
                                   (15, 45, 6, 2)):
        centres = rng.normal(0, 1.5, (count, size))
        missed = rng.integers(count)  # a mode that the generator leaves out
        rows = (rng.integers(count, size=many), (missed + rng.integers(1, count, few)) % count)
        real, fake = (centres[row] + rng.normal(0, 0.8, (len(row), size)) for row in rows)
        cases.append(dict(real=real, fake=fake, centres=np.concatenate([centres, np.full((1, size), 50.0)])))
    return cases


def _counts(points, centres, order=2):
    nearest = np.linalg.norm(points[:, None] - centres, ord=order, axis=2).argmin(axis=1)
    return np.bincount(nearest, minlength=len(centres))


def _pooled(a, b, n, m):
    return (a + b) / (n + m) * (1 - (a + b) / (n + m)) * (1 / n + 1 / m)


def _excess(difference=lambda a, b, n, m: b / m - a / n, square=_pooled, power=0.5, order=2, guard=True):
    """The score with one part exchanged: a and b are the counts of n real and m generated points."""
    def score(real, fake, centres):
        given = _counts(real, centres, order), _counts(fake, centres, order), len(real), len(fake)
        error = np.maximum(square(*given), 0) ** power
        with np.errstate(invalid="ignore", divide="ignore"):
            return difference(*given) / (np.where(error > 0, error, 1) if guard else error)

    return score


def _two_shares(a, b, n, m):
    return a / n * (1 - a / n) / n + b / m * (1 - b / m) / m


def _mean_share(a, b, n, m):
    share = (a / n + b / m) / 2
    return share * (1 - share) * (1 / n + 1 / m)


EXCESS = Exercise(
    id="04.cell_excess",
    title="Too many here, too few there",
    statement="Each point of `real` (N, D) and of `fake` (M, D) belongs to the cell of the centre that is nearest "
              "to it, by Euclidean distance; `centres` is (K, D), and no two are equally near. For each cell take "
              "the share of the generated points that lie in it less the share of the real points that do. Return "
              "these differences, (K,), each divided by its standard error sqrt(s (1 - s) (1 / N + 1 / M)); s is "
              "the share of all N + M points that lie in the cell. Where that error is 0, return 0.",
    reference=cell_excess,
    cases=_cell_cases,
    hints=("First the distances of all points from all centres. Which axis do you search for the nearest one?",
           "A cell may hold no point at all, or all of them. How many entries have your counts then?"),
    wrong=(
        WrongAnswer(lambda real, fake, centres: -cell_excess(real, fake, centres),
                    "The sign: a cell with too many generated points gets a positive number."),
        WrongAnswer(_excess(square=_mean_share), "s is the share of all points together, not the mean of two "
                                                 "shares."),
        WrongAnswer(_excess(square=_two_shares),
                    "You take the variance of each share apart: one s, of all points, stands for both."),
        WrongAnswer(_excess(lambda a, b, n, m: b - a), "N and M may differ: compare shares, not counts."),
        WrongAnswer(_excess(power=1), "You divide by the square of the standard error: the root is missing."),
        WrongAnswer(_excess(square=lambda a, b, n, m: 1 + 0 * a),
                    "Those are the differences: divide each by its standard error."),
        WrongAnswer(_excess(order=1), "The nearest by Euclidean distance: yours adds up absolute differences."),
        WrongAnswer(_excess(guard=False), "Where the standard error is 0, return 0, not 0 / 0."),
    ),
)

EXERCISES = (HELD, EXCESS)

QUESTIONS = (
    {"question": "A hospital wants to publish generated X-rays in place of real ones, \"as they are nobody's\". "
                 "The GAN was trained on 2,000 patients, 8 of whom have a rare disease; the images carry the "
                 "diagnosis. The figure *memorised* is 0.52, and a discriminator that tells training images from "
                 "test images is right about 54% of pairs. May the images be published? Say what the figures "
                 "show, what they do not, and what you would measure before you decide.",
     "model": "The figures show that *on average* samples lie hardly nearer to training images than test images "
              "do (1 point). Eight patients hardly move an average over 2,000: all samples of the rare disease "
              "may be copies of these eight, and their label even points at them; so measure by diagnosis, and "
              "look at the smallest distances, not the mean (2 points). 54% may be chance or a leak: it needs an "
              "interval, and it is an attack by this one discriminator, not the best one possible; distances "
              "depend on the features, and a copy that is shifted or mirrored can be far away in pixels (1 "
              "point). Before deciding: nearest training images of the samples, by diagnosis and in several "
              "features; attacks with held-out patients of the same kind; perhaps leave out the rare class, or "
              "train with a guarantee of privacy. Not on these figures alone (1 point). Judge the reasons, not a "
              "yes or no."},
    {"question": "Two GANs are to provide extra training images for a classifier. A: Fréchet distance 4.1, "
                 "measured on 1,000 samples at the best of 50 checkpoints of one training; precision 0.95, recall "
                 "0.45. B: 4.6, the mean over three trainings, on 10,000 samples at the last step; precision "
                 "0.85, recall 0.80. All were measured against the same real images. Which one do you take, and "
                 "what must be done before the Fréchet distances may be compared?",
     "model": "The distances cannot be compared as they stand: fewer samples give a larger one, which is to A's "
              "disadvantage; the best of 50 checkpoints, chosen by the very figure, makes A's too small; and one "
              "training says nothing about the spread (2 points: both biases, with their directions). Measure "
              "both with equally many samples, several trainings each, with a rule for the checkpoint that is "
              "fixed beforehand, or on real images that took no part in the choice (1 point). For extra training "
              "data variety counts: A's images look right but leave out much of the data, B's are more varied and "
              "some are poor; so B is the better guess (1 point). What decides is the task: add samples of each "
              "to the real training data, test on real held-out images, several seeds, with ordinary augmentation "
              "and no extra images as rivals (1 point)."},
)
