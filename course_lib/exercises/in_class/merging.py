"""What a class is graded on in notebook 06: exercises and questions without a public solution."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.engine.exercise import Exercise, WrongAnswer


def repair_layer(kernel, bias, merged, first, second):
    """A merged layer's [kernel (I, n), bias (n,)], its statistics repaired (Jordan et al. 2023, REPAIR)."""
    spread = merged.std(axis=0)
    wanted = (first.std(axis=0) + second.std(axis=0)) / 2
    scale = np.where(spread > 0, wanted / np.where(spread > 0, spread, 1), 1)
    centre = (first.mean(axis=0) + second.mean(axis=0)) / 2
    return [kernel * scale, (bias - merged.mean(axis=0)) * scale + centre]


def _merged_cases(rng):
    x = np.array([[0.0, 1], [2, 1], [4, 1]])
    fixed = [([[1.0, 0], [0, 2]], [0.5, 1.0], [[1.0, 0], [3, 4], [8, 5]], [[0.0, 1], [0, 1], [3, 4]]),  # constant
             ([[0.5], [1]], [0.0], [[4.0], [8], [0]], [[-4.0], [0], [-8]]),  # alike but for their means
             ([[2.0], [0]], [1.0], [[5.0], [5], [5]], [[0.0], [3], [6]]),  # constant in a parent
             ([[1.0, 1], [0, 0]], [3.0, 3], [[0.0, 9], [1, 0], [2, 0]], [[2.0, 0], [1, 9], [0, 0]])]
    cases = []
    for kernel, bias, *parents in fixed:
        merged = x @ np.array(kernel) + bias
        cases.append((np.array(kernel), np.array(bias), merged, *map(np.array, parents)))
    for inputs, units, size in ((3, 2, 6), (4, 3, 8), (2, 5, 10), (5, 4, 12), (3, 3, 20), (6, 2, 16)):
        x, kernel = rng.normal(size=(size, inputs)), rng.normal(size=(inputs, units)) / 2
        x[:, 0], kernel[:, 0], bias = 1, 0, np.round(4 * rng.normal(size=units)) / 4
        kernel[0, 0] = rng.integers(1, 9) / 4  # one neuron reads a constant
        parents = rng.normal(rng.normal(size=(2, 1, units)), rng.uniform(0.5, 3, (2, 1, units)), (2, size, units))
        cases.append((kernel, bias, x @ kernel + bias, *parents))
    return [dict(zip(("kernel", "bias", "merged", "first", "second"), case, strict=True)) for case in cases]


def _repaired(kernel, bias, merged, first, second, *, wanted=None, power=1, axis=0, dead=1.0):
    wanted = (first.std(axis=axis) + second.std(axis=axis)) / 2 if wanted is None else wanted
    spread = merged.std(axis=axis)
    scale = np.where(spread > 0, wanted / np.where(spread > 0, spread, 1), dead) ** power
    return [kernel * scale, (bias - merged.mean(axis=0)) * scale + (first.mean(axis=0) + second.mean(axis=0)) / 2]


REPAIR = Exercise(
    id="06.repair_layer",
    title="Averaged neurons speak too softly",
    statement="A merged layer has `kernel` (I, n) and `bias` (n,). On N examples its pre-activations (x @ kernel "
              "+ bias, x being its inputs) are `merged`, those of its two parents `first` and `second`, (N, n) "
              "each. Return a new [kernel, bias], such that for the same inputs each neuron's pre-activation has "
              "the mean of the parents' two means, and the mean of their two standard deviations. Where a "
              "neuron's `merged` is constant, leave its weights as they are and correct its mean only.",
    reference=repair_layer,
    cases=_merged_cases,
    hints=("For each neuron you need z -> scale * (z - old mean) + new mean. What does that do to x @ kernel + "
           "bias?",
           "Statistics are of one neuron over the examples. Which of them may be zero, and where do you divide?"),
    wrong=(
        WrongAnswer(lambda k, b, m, f, s: [repair_layer(k, b, m, f, s)[0], b.copy()],
                    "The kernel is right, but the bias is the old one: it has to put each mean in its place."),
        WrongAnswer(lambda k, b, m, f, s: [repair_layer(k, b, m, f, s)[0],
                                           b + (f.mean(axis=0) + s.mean(axis=0)) / 2 - m.mean(axis=0)],
                    "Scaling the kernel moves the mean as well: the shift is not just the difference of old "
                    "means."),
        WrongAnswer(lambda k, b, m, f, s: _repaired(k, b, m, f, s, wanted=np.concatenate([f, s]).std(axis=0)),
                    "The parents' examples in one heap: then a difference of their means counts as spread."),
        WrongAnswer(lambda k, b, m, f, s: _repaired(k, b, m, f, s, wanted=((f + s) / 2).std(axis=0)),
                    "The mean of what both say has a smaller spread: that is the very loss to be repaired."),
        WrongAnswer(lambda k, b, m, f, s: _repaired(k, b, m, f, s, power=2),
                    "You scale by a ratio of variances; weights scale as standard deviations do."),
        WrongAnswer(lambda k, b, m, f, s: _repaired(k, b, m, f, s, wanted=np.sqrt(
            (f.var(axis=0) + s.var(axis=0)) / 2)),
                    "You average the variances: the mean of both standard deviations is asked."),
        WrongAnswer(lambda k, b, m, f, s: _repaired(k, b, m, f, s, axis=None),
                    "Each neuron has a spread of its own: take it over the examples, not over the whole array."),
        WrongAnswer(lambda k, b, m, f, s: _repaired(k, b, m, f, s, dead=0.0),
                    "Where `merged` is constant the weights stay as they are; yours become 0."),
    ),
)


def balance_neurons(kernel, bias, next_kernel):
    """The same ReLU network's [kernel (I, n), bias (n,), next_kernel (n, O)], each neuron's two norms equal."""
    incoming = np.sqrt((kernel**2).sum(axis=0) + bias**2)
    outgoing = np.sqrt((next_kernel**2).sum(axis=1))
    alive = (incoming > 0) & (outgoing > 0)
    factor = np.sqrt(np.where(alive, outgoing, 1) / np.where(alive, incoming, 1))
    return [kernel * factor, bias * factor, next_kernel / factor[:, None]]


def _scaled_cases(rng):
    fixed = [([[3.0]], [4.0], [[20.0, 0]]), ([[1.0, -4]], [0.0, 3], [[9.0], [-5]]),
             ([[0.0, 2], [0, 0]], [0.0, 0], [[3.0, 4], [0, 8]]), ([[0.0, 6]], [2.0, 8], [[8.0], [0]])]
    cases = [tuple(np.array(part) for part in case) for case in fixed]
    for inputs, units, outputs in ((2, 2, 2), (3, 4, 2), (4, 3, 5), (1, 5, 3), (5, 3, 1), (3, 3, 3)):
        kernel, bias, after = (rng.normal(size=shape) for shape in ((inputs, units), units, (units, outputs)))
        kernel, bias = np.array([kernel, kernel * 0 + bias]) * rng.uniform(0.2, 5, units)
        after[rng.integers(units)] *= rng.integers(2)  # now and then a neuron that nobody listens to
        cases.append((kernel, bias[0], after))
    return [dict(zip(("kernel", "bias", "next_kernel"), case, strict=True)) for case in cases]


def _balanced(kernel, bias, after, *, power=0.5, counted=1.0, to=None, dead=1.0):
    incoming, outgoing = np.sqrt((kernel**2).sum(axis=0) + counted * bias**2), np.sqrt((after**2).sum(axis=1))
    outgoing = outgoing if to is None else np.where(outgoing > 0, to, 0)
    alive = (incoming > 0) & (outgoing > 0)
    return np.where(alive, (np.where(alive, outgoing, 1) / np.where(alive, incoming, 1)) ** power, dead)


def _times(kernel, bias, after, factor, *, bias_too=True):
    after = after / np.where(factor == 0, 1, factor)[:, None]
    return [kernel * factor, bias * factor if bias_too else bias.copy(), after]


BALANCE = Exercise(
    id="06.balance_neurons",
    title="Loud in, soft out",
    statement="`kernel` (I, n) and `bias` (n,) lead into n ReLU neurons, `next_kernel` (n, O) out of them. "
              "Rescale each neuron by a positive factor so that what the network computes stays the same, and the "
              "norm of all that leads into the neuron, bias included, equals the norm of its weights to the next "
              "layer. Leave a neuron as it is if one of its two norms is 0. Return [kernel, bias, next_kernel], "
              "all new.",
    reference=balance_neurons,
    cases=_scaled_cases,
    hints=("ReLU(c * z) = c * ReLU(z) for c > 0. What must happen on the way out, if all on the way in is times "
           "c?",
           "With factor c the norms become c * incoming and outgoing / c. For which c are they equal?"),
    wrong=(
        WrongAnswer(lambda k, b, n: _times(k, b, n, _balanced(k, b, n, power=1)),
                    "Your norms have changed places: at which factor do they meet?"),
        WrongAnswer(lambda k, b, n: _times(k, b, n, _balanced(k, b, n), bias_too=False),
                    "The bias leads into the neuron as the weights do: without its factor the function changes."),
        WrongAnswer(lambda k, b, n: _times(k, b, n, _balanced(k, b, n, counted=0.0)),
                    "The bias belongs to the norm of what leads in."),
        WrongAnswer(lambda k, b, n: _times(k, b, n, _balanced(k, b, n, power=1, to=1.0)),
                    "You make the incoming norm 1; it should equal the outgoing one."),
        WrongAnswer(lambda k, b, n: [*_times(k, b, n, _balanced(k, b, n))[:2], n * _balanced(k, b, n)[:, None]],
                    "What goes in louder must come out softer: the factor undone, not applied again."),
        WrongAnswer(lambda k, b, n: _times(k, b, n, _balanced(k, b, n, power=-0.5)),
                    "The factor is upside down: where little leads in and much out, the way in must grow."),
        WrongAnswer(lambda k, b, n: _times(k, b, n, np.full(len(b), np.sqrt(np.linalg.norm(n) / np.sqrt(
            (k**2).sum() + (b**2).sum())))), "One factor for the whole layer: each neuron has norms of its own."),
        WrongAnswer(lambda k, b, n: _times(k, b, n, _balanced(k, b, n, dead=0.0)),
                    "A neuron with a norm of 0 stays as it is; yours loses its weights."),
    ),
)

EXERCISES = (REPAIR, BALANCE)

QUESTIONS = (
    {"question": "A colleague merges two networks that were trained from different seeds. Without matching, the "
                 "mean of their weights reads 15% of the test digits; after permuting one of them it reads 90%; "
                 "each network alone reads 95%. He concludes: \"Permuting has improved the second network, and a "
                 "loss barrier of zero is only a matter of better matching.\" Judge both claims, and name a "
                 "measurement for each that would test it.",
     "model": "The first claim is wrong: a permutation of the hidden neurons, with all their connections, leaves "
              "the network's function as it was. Test: the outputs before and after are equal up to rounding. "
              "What improved is the mean of both. The second does not follow: two trainings need not have found "
              "the same features in another order, so some hill may stay under the best possible matching; and "
              "width matters, as a wider layer offers more partners. Test: compare better matching (more restarts "
              "of the search) at one width, then other widths with the same method, several seeds each, with the "
              "barrier along the whole line and not just the accuracy in the middle. Also useful: a repair of the "
              "activations' statistics, which shows how much of the gap is shrunken activations rather than wrong "
              "partners. Marking: 2 points for the function staying the same, with its test; 2 for why a barrier "
              "may remain; 1 for a sound measurement of it, with repeats."},
    {"question": "You have an ensemble of five networks, 200 labelled and 50,000 unlabelled images, and a device "
                 "that can run only one network. You may average weights after matching, cook a soup of "
                 "fine-tuned forks of one network, or distill the ensemble. Which do you try first, what do you "
                 "compare it with, and which result would change your mind?",
     "model": "Distillation first: the unlabelled images are many, a student needs no labels when the teacher "
              "speaks, and five networks of any shape may be its teacher. Weights of separately trained networks "
              "have to be matched, lose something at the barrier, and must have one shape; a soup needs forks of "
              "one common network, which these five are not, and then knows what that one knows. Compare with the "
              "same single network trained on the 200 labels for as many steps, and with the ensemble as an upper "
              "mark; better also with the best member as a teacher, so that it is clear what the ensemble adds. "
              "All choices on validation images, all numbers on test images with intervals. Mind changed: if the "
              "student is no better than the network trained on labels, if the teacher is bad on the unlabelled "
              "images (another source), or if matching comes as near to the ensemble without any training. "
              "Marking: 2 points for a reasoned choice that uses the unlabelled images, 1 for what rules out the "
              "others, 1 for a fair baseline, 1 for a result that would overturn the choice. Another choice with "
              "good reasons may earn all points."},
)
