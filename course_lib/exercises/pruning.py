"""The exercises of notebook 02: what to prune, when, and how."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.engine.exercise import Exercise, Topic, WrongAnswer
from course_lib.pruning import reference, scores
from course_lib.pruning.schedules import polynomial_sparsity


def _entropy_cases(rng):
    fixed = ([1, 1], [4, 0], [2, 1, 1], [1, 1, 1, 1], [7, 0, 1])
    drawn = [rng.integers(0, 9, size) + (np.arange(size) == 0) for size in (3, 5, 8)]
    return [dict(counts=np.array(counts)) for counts in (*fixed, *drawn)]


def _bits(p):
    return -float((p * np.log2(np.where(p > 0, p, 1))).sum())


def _terms(counts):
    p = counts / counts.sum()
    return -p * np.log2(np.where(p > 0, p, 1))


ENTROPY = Exercise(
    id="02.entropy",
    title="How unpredictable a neuron is",
    statement="`counts` (K,) says how often each of K outcomes was seen. Return the entropy of their frequencies in "
              "bits. Some outcomes may never have been seen.",
    reference=scores.entropy,
    cases=_entropy_cases,
    hints=(
        "First turn counts into frequencies p, which add up to 1.",
        "The entropy is minus the sum of p * log2(p).",
        "Where p is 0, the term counts as 0, but log2(0) does not exist: leave those outcomes out.",
    ),
    wrong=(
        WrongAnswer(lambda c: _bits(c / c.sum()) * float(np.log(2)),
                    "Those are nats: bits take the logarithm to base 2."),
        WrongAnswer(lambda c: _bits(c / c.sum()) * float(np.log10(2)),
                    "That is the logarithm to base 10: bits take base 2."),
        WrongAnswer(lambda c: _bits(c / c.sum()) / len(c), "Sum over the outcomes; do not take their mean."),
        WrongAnswer(lambda c: -_bits(c / c.sum()),
                    "The sign: log2(p) is negative, the entropy is not."),
        WrongAnswer(lambda c: float(-(c / c.sum() * np.log2(c / c.sum())).sum()),
                    "0 * log2(0) is not a number: leave out the outcomes that were never seen."),
        WrongAnswer(lambda c: float(-np.log2(np.where(c > 0, c / c.sum(), 1)).sum()),
                    "Each logarithm has to be weighted by its own frequency p."),
        WrongAnswer(lambda c: float(-(c * np.log2(np.where(c > 0, c, 1))).sum()),
                    "Those are counts: divide by their sum, so that they become frequencies."),
        WrongAnswer(lambda c: _bits(c / len(c)),
                    "Divide by the sum of the counts, not by how many outcomes there are."),
        WrongAnswer(lambda c: float(_terms(c)[0]), "Only the first outcome counts: does your loop return in it?"),
        WrongAnswer(lambda c: float(_terms(c)[-1]), "Only the last outcome counts: add to the sum, do not replace it."),
        WrongAnswer(lambda c: float(_terms(c)[:np.argmin(c > 0) if (c == 0).any() else None].sum()),
                    "You stop at the first outcome that was never seen: skip it, and go on."),
        WrongAnswer(lambda c: float(1 - ((c / c.sum()) ** 2).sum()),
                    "That is Gini's impurity: an entropy has log2(p) in the place of one p."),
        WrongAnswer(lambda c: _bits((c + 1) / (c + 1).sum()), "Add nothing to the counts: they are what they are."),
        WrongAnswer(lambda c: _bits(c / c.sum()) / float(np.log2(len(c))),
                    "You divided by the largest possible entropy: that is a share, not bits."),
    ),
)


def _information_cases(rng):
    fixed = ([[2, 0], [0, 2]], [[1, 1], [1, 1]], [[3, 1], [1, 3]], [[4, 0, 0], [0, 1, 3]])
    drawn = [rng.integers(0, 6, shape) + 1 for shape in ((2, 3), (4, 3), (5, 2))]
    return [dict(table=np.array(table)) for table in (*fixed, *drawn)]


def _marginals(table):
    p = table / table.sum()
    return p, _bits(p.sum(axis=1)), _bits(p.sum(axis=0)), _bits(p)


def _summed(table, ratio, weight=lambda p, px, py: p):
    """Sum over the pairs that occurred of a weight times log2 of a ratio, both functions of p, px and py."""
    p = table / table.sum()
    parts = p, p.sum(axis=1, keepdims=True) + 0 * p, p.sum(axis=0, keepdims=True) + 0 * p
    return float((weight(*parts) * np.log2(np.where(p > 0, ratio(*parts), 1)))[p > 0].sum())


MUTUAL_INFORMATION = Exercise(
    id="02.mutual_information",
    title="What a neuron tells about the class",
    statement="`table` (K, C) counts how often outcome k and class c came together. Return their mutual information "
              "in bits.",
    reference=scores.mutual_information,
    cases=_information_cases,
    hints=(
        "How much do the entropies of outcome and class, added up, exceed the entropy of the pairs? (Or sum over "
        "all pairs, and leave out those that never occurred.)",
        "H(outcome) + H(class) - H(outcome, class), each from frequencies.",
        "Summing the table over axis 1 counts the outcomes, over axis 0 the classes; the pairs are all its entries.",
    ),
    wrong=(
        WrongAnswer(lambda t: _marginals(t)[3] - _marginals(t)[1] - _marginals(t)[2],
                    "The sign: pairs are more predictable than their parts, so the sum of the parts comes first."),
        WrongAnswer(lambda t: float((t / t.sum() * np.log2(t / t.sum() / np.outer(t.sum(1), t.sum(0)) * t.sum() ** 2)
                                     ).sum()),
                    "0 * log2(0) is not a number: leave out the pairs that never occurred."),
        WrongAnswer(lambda t: _marginals(t)[3],
                    "That is the entropy of the pairs: take it off the two entropies of the parts."),
        WrongAnswer(lambda t: _marginals(t)[3] - _marginals(t)[2],
                    "That is what remains unknown of the outcome once the class is known."),
        WrongAnswer(lambda t: _marginals(t)[1] + _marginals(t)[2],
                    "Now take off the entropy of the pairs."),
        WrongAnswer(lambda t: (_marginals(t)[1] + _marginals(t)[2] - _marginals(t)[3]) * float(np.log(2)),
                    "Those are nats: bits take the logarithm to base 2."),
        WrongAnswer(lambda t: _summed(t, lambda p, px, py: p / px / py, lambda *_: 1),
                    "Weight each logarithm by the frequency of its pair."),
        WrongAnswer(lambda t: _summed(t, lambda p, px, py: p / px / py, lambda p, px, py: px * py),
                    "The weights are the frequencies of the pairs, not the products of the marginals."),
        WrongAnswer(lambda t: _summed(t, lambda p, px, py: p / (px + py)),
                    "If both were independent, their frequencies would multiply: px * py, not px + py."),
        WrongAnswer(lambda t: _summed(t, lambda p, px, py: p / px / py * t.size),
                    "The marginals are sums over the other axis, not means."),
        WrongAnswer(lambda t: -_bits(t) * 1.0 + _bits(t.sum(axis=1)) + _bits(t.sum(axis=0)),
                    "Those are counts: divide the table by its sum first."),
        WrongAnswer(lambda t: (_marginals(t)[1] + _marginals(t)[2] - _marginals(t)[3]) / _marginals(t)[2],
                    "That is a share of the class's entropy: do not divide."),
        WrongAnswer(lambda t: _marginals(t)[2] - sum(_bits(row / row.sum()) for row in t) / len(t),
                    "The outcomes are not equally frequent: weight each row's entropy by its share."),
        WrongAnswer(lambda t: _marginals(t + 1)[1] + _marginals(t + 1)[2] - _marginals(t + 1)[3],
                    "Add nothing to the counts: pairs that never occurred are left out."),
        WrongAnswer(lambda t: _marginals(t)[1] - sum(_bits(row / row.sum()) for row in t.T) / t.shape[1],
                    "The classes are not equally frequent: weight each column's entropy by its share."),
    ),
)


def _mask_cases(rng):
    cases = [dict(kernels=[np.array([[0.1, -0.4]]), np.array([[0.3], [-0.2]])], sparsity=0.5),
             dict(kernels=[np.array([[1.0, 2.0]]), np.array([[0.1], [-0.2]])], sparsity=0.5),
             dict(kernels=[np.array([[-3.0, 2.0]]), np.array([[1.0], [-4.0]])], sparsity=0.0)]
    for share in (0.25, 0.5, 0.75):
        kernels = [rng.normal(size=(4, 4)), 2 * rng.normal(size=(4, 2)), rng.normal(size=(2, 2))]
        cases.append(dict(kernels=kernels, sparsity=share))
    return cases


def _threshold(values, sparsity):
    return np.sort(values.ravel())[::-1][round((1 - sparsity) * values.size) - 1]


def _magnitudes(kernels):
    return np.concatenate([np.abs(kernel).ravel() for kernel in kernels])


GLOBAL_MASK = Exercise(
    id="02.global_mask",
    title="One threshold for all layers",
    statement="Return a list of bool masks, shaped like `kernels`, that are False at the share `sparsity` of all "
              "weights that has the smallest magnitude, and True elsewhere.",
    reference=reference.global_mask,
    cases=_mask_cases,
    hints=(
        "The weights of all layers compete: put all magnitudes into one long array first.",
        "Sort it: the weight in place round(sparsity * size) is the smallest that stays.",
        "np.abs(kernel) >= threshold gives the mask of a kernel. Mind sparsity 0.",
    ),
    wrong=(
        WrongAnswer(lambda ks, s: scores.magnitude_mask(ks, s, scope="layer"),
                    "You compare within each layer; here all weights compete with all others."),
        WrongAnswer(lambda ks, s: [~mask for mask in scores.magnitude_mask(ks, s)],
                    "The other way round: True is for the weights that stay."),
        WrongAnswer(lambda ks, s: [k >= _threshold(np.concatenate([k.ravel() for k in ks]), s) for k in ks],
                    "You compare signed values: a large negative weight matters as much as a large positive one."),
        WrongAnswer(lambda ks, s: [np.abs(k) > _threshold(_magnitudes(ks), s) for k in ks],
                    "One too few stays: the weight at the threshold itself belongs to them."),
        WrongAnswer(lambda ks, s: [k >= _threshold(_magnitudes(ks), s) for k in ks],
                    "The threshold is a magnitude, so compare magnitudes with it: np.abs here too."),
        WrongAnswer(lambda ks, s: [np.abs(k) > np.quantile(_magnitudes(ks), s) for k in ks],
                    "At sparsity 0 nothing may go, so >=, not >; and the threshold is a weight, not a quantile."),
        WrongAnswer(lambda ks, s: [np.abs(k) > s for k in ks],
                    "`sparsity` is a share of the weights, not a magnitude: find the magnitude that leaves it."),
        WrongAnswer(lambda ks, s: [np.abs(k) > s * _magnitudes(ks).max() for k in ks],
                    "A share of the largest weight is no share of all weights: sort magnitudes, or use a quantile."),
        WrongAnswer(lambda ks, s: [np.abs(k) > np.percentile(_magnitudes(ks), s) for k in ks],
                    "np.percentile wants per cent: 100 * sparsity, or np.quantile."),
        WrongAnswer(lambda ks, s: [np.abs(k) >= _threshold(_magnitudes(ks[-1:]), s) for k in ks],
                    "Your threshold comes from the last kernel alone: put all magnitudes together first."),
        WrongAnswer(lambda ks, s: scores.magnitude_mask(ks, 1 - s),
                    "`sparsity` is the share that goes, not the share that stays."),
        WrongAnswer(lambda ks, s: [k * mask for k, mask in zip(ks, scores.magnitude_mask(ks, s), strict=True)],
                    "Those are the weights that stay: return the masks alone."),
        WrongAnswer(lambda ks, s: scores.magnitude_mask(ks, s)[:1],
                    "You made a mask for the first kernel alone."),
    ),
)


def _cubic_cases(rng):
    cases = [dict(step=step, begin=100, end=300, final=0.8) for step in (0, 100, 200, 300, 1_000)]
    for final in (0.5, 0.9, 0.98):
        begin = int(rng.integers(0, 500))
        end = begin + int(rng.integers(100, 1_000))
        cases.append(dict(step=int(rng.integers(begin, end)), begin=begin, end=end, final=final))
    return cases


def _gone(step, begin, end):
    return min(max((step - begin) / (end - begin), 0.0), 1.0)


CUBIC_SPARSITY = Exercise(
    id="02.cubic_sparsity",
    title="Fast at first, then ever slower",
    statement="Return the sparsity at `step`: 0 up to `begin`, `final` from `end` on, and between them "
              "`final * (1 - (1 - t)**3)`, t being the share of the way from begin to end.",
    reference=polynomial_sparsity,
    cases=_cubic_cases,
    hints=(
        "The share t is (step - begin) / (end - begin), kept between 0 and 1.",
        "min(max(t, 0), 1) keeps it there: before `begin` and after `end` nothing changes.",
        "final * (1 - (1 - t)**3): at t = 1/2 already 7/8 of the pruning is done.",
    ),
    wrong=(
        WrongAnswer(lambda s, b, e, f: f * _gone(s, b, e) ** 3,
                    "That is slow at first and fast in the end; it should be the other way round: 1 - (1 - t)**3."),
        WrongAnswer(lambda s, b, e, f: f * (1 - (1 - _gone(s, b, e)) ** 2), "That is a square: the exponent is 3."),
        WrongAnswer(lambda s, b, e, f: f * (1 - (1 - _gone(s, b, e))),
                    "That is a straight line: the exponent 3 is missing."),
        WrongAnswer(lambda s, b, e, f: f * (1 - (1 - (s - b) / (e - b)) ** 3),
                    "Your curve goes on before `begin` and after `end`: keep t between 0 and 1."),
        WrongAnswer(lambda s, b, e, f: f * (1 - (1 - _gone(s, 0, e)) ** 3),
                    "Pruning starts at `begin`, not at step 0."),
        WrongAnswer(lambda s, b, e, f: f * (1 - (1 - min(max(s / (e - b), 0), 1)) ** 3),
                    "The way gone so far is step - begin."),
        WrongAnswer(lambda s, b, e, f: f * 1 - (1 - _gone(s, b, e)) ** 3,
                    "Brackets: `final` multiplies all of 1 - (1 - t)**3."),
        WrongAnswer(lambda s, b, e, f: 1 - (1 - f * _gone(s, b, e)) ** 3,
                    "`final` stands outside of the power: it multiplies 1 - (1 - t)**3."),
        WrongAnswer(lambda s, b, e, f: f * (1 - (1 - _gone(s + 1, b, e)) ** 3),
                    "You are one step ahead: at `begin` itself nothing is pruned yet."),
        WrongAnswer(lambda s, b, e, f: f * (1 - _gone(s, b, e) ** 3),
                    "t is what has been gone; the power is of what is left, 1 - t."),
        WrongAnswer(lambda s, b, e, f: f * (1 - (1 - _gone(s, b, e)) * 3),
                    "(1 - t) to the power of 3, not times 3: **."),
        WrongAnswer(lambda s, b, e, f: f * (1 - _gone(s, b, e)) ** 3,
                    "That is what is still to be pruned: take it off `final`."),
        WrongAnswer(lambda s, b, e, f: 1 - (1 - _gone(s, b, e)) ** 3,
                    "That ends at 1, with nothing left: the end is `final`."),
    ),
)


def _cut_cases(rng):
    cases = [dict(kernel=np.arange(6.0).reshape(2, 3), bias=np.array([10.0, 20, 30]),
                  next_kernel=np.arange(12.0).reshape(3, 4), keep=np.array([2, 0]))]
    for inputs, units, outputs, kept in ((4, 5, 3, 2), (3, 6, 2, 4), (5, 5, 5, 3)):
        cases.append(dict(kernel=rng.normal(size=(inputs, units)), bias=rng.normal(size=units),
                          next_kernel=rng.normal(size=(units, outputs)), keep=rng.permutation(units)[:kept]))
    return cases


def _at(array, keep, axis):
    """Take entries along an axis, or None where the axis is too short (as an index error would say)."""
    return np.take(array, keep % array.shape[axis], axis=axis)


CUT_DENSE = Exercise(
    id="02.cut_dense",
    title="Neurons really removed",
    statement="A dense layer of n neurons has `kernel` (inputs, n) and `bias` (n,); the next layer has `next_kernel` "
              "(n, outputs). Return the list [kernel, bias, next_kernel] with only the neurons `keep`, in that order.",
    reference=reference.cut_dense,
    cases=_cut_cases,
    hints=(
        "A neuron is a column of the kernel, an entry of the bias, and a row of the next kernel.",
        "kernel[:, keep] takes columns, next_kernel[keep] takes rows.",
        "[kernel[:, keep], bias[keep], next_kernel[keep]]",
    ),
    wrong=(
        WrongAnswer(lambda k, b, n, keep: [k[:, keep], b[keep], n.copy()],
                    "The next layer still waits for the neurons that are gone: it loses rows."),
        WrongAnswer(lambda k, b, n, keep: [k[:, keep], b.copy(), n[keep]],
                    "The bias belongs to the neurons, too."),
        WrongAnswer(lambda k, b, n, keep: [_at(k, keep, 0), b[keep], n[keep]],
                    "Rows of the kernel are its inputs; the neurons are its columns."),
        WrongAnswer(lambda k, b, n, keep: [k[:, keep], b[keep], _at(n, keep, 1)],
                    "Columns of the next kernel are the next layer's neurons; what goes are its inputs, the rows."),
        WrongAnswer(lambda k, b, n, keep: reference.cut_dense(k, b, n, np.setdiff1d(np.arange(len(b)), keep)),
                    "You removed the neurons in `keep`: they are the ones to stay."),
        WrongAnswer(lambda k, b, n, keep: reference.cut_dense(k, b, n, np.sort(keep)),
                    "The order counts: as in `keep`."),
        WrongAnswer(lambda k, b, n, keep: [k * np.isin(np.arange(len(b)), keep), b * np.isin(np.arange(len(b)), keep),
                                           n * np.isin(np.arange(len(b)), keep)[:, None]],
                    "That is a mask: the arrays are as large, and as slow, as before."),
    ),
)


def _rebuild_cases(rng):
    cases = []
    for examples, neurons, outputs in ((6, 1, 1), (20, 2, 3), (40, 4, 2)):
        kept = np.maximum(rng.normal(size=(examples, neurons)) + 0.5, 0)
        target = kept @ rng.normal(size=(neurons, outputs)) + rng.normal(size=outputs)
        cases.append(dict(kept=kept, preactivations=target + 0.3 * rng.normal(size=target.shape)))
    return cases


def _solve(kept, target):
    return np.linalg.lstsq(kept, target, rcond=None)[0]


def _ones(a, z):
    return _solve(np.column_stack([a, np.ones(len(a))]), z)


LEAST_SQUARES = Exercise(
    id="02.least_squares",
    title="The next layer learns to do without",
    statement="Return [kernel (k, m), bias (m,)] such that kept @ kernel + bias comes as near as possible, in squared "
              "error, to `preactivations` (N, m). `kept` (N, k) are the activations of the neurons that stay.",
    reference=reference.least_squares,
    cases=_rebuild_cases,
    hints=(
        "This is linear regression: from the kept activations to the old pre-activations.",
        "np.linalg.lstsq solves it. For the bias, give `kept` one more column, of ones.",
        "The last row of the solution is the bias, the others are the kernel.",
    ),
    wrong=(
        WrongAnswer(lambda a, z: reference.least_squares(a, z)[::-1], "The kernel comes first, then the bias."),
        WrongAnswer(lambda a, z: [_solve(a, z), np.zeros(z.shape[1])],
                    "You left out the bias: what the missing neurons gave on average has to come from somewhere."),
        WrongAnswer(lambda a, z: [_solve(a, z), z.mean(axis=0)],
                    "The mean of the pre-activations is not the bias: the kept neurons have a mean, too."),
        WrongAnswer(lambda a, z: [_solve(a, z - z.mean(axis=0)), z.mean(axis=0)],
                    "You centred the pre-activations but not the activations: use a column of ones."),
        WrongAnswer(lambda a, z: [_solve(a - a.mean(axis=0), z - z.mean(axis=0)), z.mean(axis=0)],
                    "The kernel is right, but the bias forgets to take off what the kept neurons give on average."),
        WrongAnswer(lambda a, z: [reference.least_squares(a, z)[0], np.zeros(z.shape[1])],
                    "The kernel is right, but the bias is missing."),
        WrongAnswer(lambda a, z: [_solve(a, z), (z - a @ _solve(a, z)).mean(axis=0)],
                    "Kernel and bias are fitted together: a column of ones beside `kept`, no mean afterwards."),
        WrongAnswer(lambda a, z: [_ones(a, z)[1:], _ones(a, z)[0]],
                    "The column of ones is your last one, so the bias is the *last* row of the solution."),
        WrongAnswer(lambda a, z: [np.roll(_ones(a, z), 1, axis=0)[:-1], np.roll(_ones(a, z), 1, axis=0)[-1]],
                    "The column of ones is your first one, so the bias is the *first* row of the solution."),
        WrongAnswer(lambda a, z: [_solve(a - a.mean(), z - z.mean()), z.mean(axis=0)],
                    "Take off the mean of each column, not of the whole array: axis=0."),
        WrongAnswer(lambda a, z: reference.least_squares(a, np.maximum(z, 0)),
                    "Aim at what the next layer had before its ReLU: that is what a kernel and a bias make."),
    ),
)

TOPIC = Topic(
    number="02",
    package="pruning",
    title="Pruning",
    exercises=(GLOBAL_MASK, CUBIC_SPARSITY, ENTROPY, MUTUAL_INFORMATION, LEAST_SQUARES, CUT_DENSE),
)
