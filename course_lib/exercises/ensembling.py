"""The exercises of notebook 03: how much each model counts, and what to measure it on."""

from __future__ import annotations

from itertools import product

import numpy as np

from course_lib.ensembling import reference
from course_lib.exercises.engine.exercise import Exercise, Topic, WrongAnswer


def _models(rng, count, size, noise=1.0):
    y = rng.normal(size=size)
    return y, y + noise * rng.uniform(0.4, 1.2, (count, 1)) * rng.normal(size=(count, size))


def _weight_cases(rng):
    fixed = (([1.0, 2], [1.0, 3], [0.0, 1]), ([1.0, 2, 3], [2.0, 3, 4], [0.0, 1, 2]),
             ([0.0, 0], [1.0, 1], [2.0, 2]), ([0.0, 0], [2.0, 2], [1.0, 1]), ([1.0, 2, 3], [2.0, 2, 3], [1.0, 0, 3]))
    cases = [dict(y=np.array(y), first=np.array(first), second=np.array(second)) for y, first, second in fixed]
    for _ in range(4):
        y, (first, second) = _models(rng, 2, 12)
        cases.append(dict(y=y, first=first, second=second))
    return cases


def _ratio(above, below):
    return float(np.clip(above / below if below else 0.5, 0, 1))


def _tried(count, end=True, found=lambda alphas, errors: alphas[errors.argmin()]):
    """A search through `count` values of alpha."""
    alphas = np.linspace(0, 1, count, endpoint=end)
    return lambda y, a, b: float(found(alphas, ((b + alphas[:, None] * (a - b) - y) ** 2).mean(axis=1)))


TWO_MODEL_WEIGHT = Exercise(
    id="03.two_model_weight",
    title="How much to trust the first of two",
    statement="Return the alpha in [0, 1] for which alpha * first + (1 - alpha) * second has the least squared error. "
              "All three arrays are (N,), and the models differ somewhere.",
    reference=reference.two_model_weight,
    cases=_weight_cases,
    hints=(
        "Write the mixture as second + alpha * d, with d = first - second. What should alpha * d be like?",
        "It should be like y - second. Set the derivative of sum (y - second - alpha * d)^2 to zero.",
        "alpha = sum(d * (y - second)) / sum(d * d), and then np.clip(alpha, 0, 1).",
    ),
    wrong=(
        WrongAnswer(lambda y, a, b: float((a - b) @ (y - b) / ((a - b) @ (a - b))),
                    "The formula is right, but alpha can leave [0, 1], if both err on one side: clip it at both ends."),
        WrongAnswer(lambda y, a, b: _ratio((a - b) @ (y - a), (a - b) @ (a - b)),
                    "What is left to explain is what the *second* model leaves: y - second."),
        WrongAnswer(lambda y, a, b: 1 - reference.two_model_weight(y, a, b), "That is the weight of the second model."),
        WrongAnswer(lambda y, a, b: _ratio(((y - b) ** 2).sum(), ((y - a) ** 2).sum() + ((y - b) ** 2).sum()),
                    "Weighting by each one's error ignores how the two differ: minimise the error of the mixture."),
        WrongAnswer(lambda y, a, b: _ratio((a - b) @ (b - y), (a - b) @ (a - b)),
                    "The sign: what is left to explain is y - second."),
        WrongAnswer(lambda y, a, b: _ratio((a - b) @ (y - b), np.linalg.norm(a - b)),
                    "Divide by the sum of d * d, with d = first - second; np.linalg.norm(d) is only its root."),
        WrongAnswer(lambda y, a, b: float(((y - a) ** 2).sum() < ((y - b) ** 2).sum()),
                    "That picks the better one: a mixture can be better than both."),
        WrongAnswer(lambda y, a, b: _ratio(((y - a) ** 2).sum(), ((y - a) ** 2).sum() + ((y - b) ** 2).sum()),
                    "The worse model gets the larger weight; and how they differ counts, too, not only their errors."),
        *(WrongAnswer(lambda y, a, b, size=size: _ratio(size(y - b), size(y - a) + size(y - b)),
                      f"Weights by {name} ignore how both models differ: minimise the error of the mixture.")
          for name, size in (("absolute errors", lambda e: np.abs(e).sum()), ("the roots of errors", np.linalg.norm))),
        WrongAnswer(lambda y, a, b: np.clip(((y - b) / (a - b)).mean(), 0, 1),
                    "A mean of quotients counts every row alike, and divides by 0 where both agree: sum, then divide."),
        WrongAnswer(lambda y, a, b: np.clip(np.polyfit(a - b, y - b, 1)[0], 0, 1),
                    "That is the slope of a line with an intercept; the mixture has none: leave it out."),
        WrongAnswer(lambda y, a, b: (w := np.maximum(_plain(np.stack([a, b]), y), 0))[0] / w.sum(),
                    "Two free weights, divided by their sum, are not the best that sum to 1: fit alpha alone."),
        WrongAnswer(lambda y, a, b: [c := reference.two_model_weight(y, a, b), 1 - c],
                    "Return alpha alone, one number, not both weights."),
        WrongAnswer(_tried(10001, found=lambda _, errors: errors.min()), "That is the least error: return its alpha."),
        *(WrongAnswer(_tried(n, end), f"The best of {n} alphas {'to' if end else 'below'} 1 is inexact: solve for it.")
          for end, counts in ((True, (11, 100, 101, 1000, 1001, 10001)), (False, (10, 100, 1000))) for n in counts),
        *(WrongAnswer(_tried(n, found=lambda _, errors: errors.argmin()),
                      f"That is a place among {n} values, not the value.") for n in (101, 1001)),
    ),
)


def _nnls_cases(rng):
    cases = [dict(predictions=np.array([[1.0, 0, 0], [0, 1.0, 0]]), y=np.array([5.0, -2, 1])),
             dict(predictions=np.array([[1.0, 2, 3]]), y=np.array([2.0, 4, 6]))]
    for count in (2, 3, 4):
        y, predictions = _models(rng, count, 40)
        predictions[-1] = -0.3 * y + rng.normal(size=40)  # one that is wrong on the whole: it should get nothing
        cases.append(dict(predictions=predictions, y=y))
    return cases


def _plain(predictions, y):
    return np.linalg.lstsq(predictions.T, y, rcond=None)[0]


def _nnls(predictions, y):
    """As nnls_weights, but faster: the best of what least squares on some of the models gives."""
    found = [_plain(predictions * np.array(some)[:, None], y) for some in product((0, 1), repeat=len(predictions))]
    return min((w for w in found if w.min() > -1e-9), key=lambda w: ((w @ predictions - y) ** 2).sum())


def _simplex(predictions, y):
    """Weights >= 0 of sum 1 with the least error."""
    weights = _nnls(np.column_stack([predictions - y, np.ones(len(predictions))]), np.append(0 * y, 1.0))
    return weights / weights.sum()


NNLS_WEIGHTS = Exercise(
    id="03.nnls_weights",
    title="No model counts negatively",
    statement="Return the weights (M,), none below 0, for which weights @ predictions comes nearest to y (N,) in "
              "squared error. `predictions` is (M, N). The weights may have any sum.",
    reference=reference.nnls_weights,
    cases=_nnls_cases,
    hints=(
        "Start at zero, and go down the gradient of the squared error; after each step set what is negative to 0.",
        "The gradient is predictions @ (weights @ predictions - y). A step of 1 / (largest singular value)^2 is safe: "
        "np.linalg.norm(predictions, 2) is that singular value.",
        "A few thousand steps are enough. (scipy.optimize.nnls(predictions.T, y)[0] does it in one line.)",
    ),
    tolerance=1e-3,
    wrong=(
        WrongAnswer(_plain, "Plain least squares gives negative weights: they are not allowed."),
        WrongAnswer(lambda p, y: np.maximum(_plain(p, y), 0),
                    "Cutting off the negative weights at the end is too late: the others were chosen to go with them."),
        WrongAnswer(lambda p, y: _nnls(p, y) / _nnls(p, y).sum(),
                    "Do not divide by the sum here: the weights may have any."),
        WrongAnswer(lambda p, y: 1 / ((p - y) ** 2).mean(axis=1) / (1 / ((p - y) ** 2).mean(axis=1)).sum(),
                    "Weights by each one's error ignore how alike the models are: minimise the error of the sum."),
        WrongAnswer(lambda p, y: np.maximum(p @ y / (p**2).sum(axis=1), 0),
                    "You fit each model by itself; their weights have to be found together."),
        WrongAnswer(lambda p, y: (np.arange(len(p)) == ((p - y) ** 2).mean(axis=1).argmin()).astype(float),
                    "That picks the best one: a weighted sum can be better."),
        WrongAnswer(lambda p, y: np.abs(_plain(p, y)),
                    "The absolute value turns a model that should count against into one that counts for."),
        WrongAnswer(lambda p, y: np.full(len(p), 1 / len(p)), "All alike is a good start, but not the least error."),
        WrongAnswer(lambda p, y: (e := np.exp(-((p - y) ** 2).mean(axis=1))) / e.sum(),
                    "A softmax of errors looks at each model alone: minimise the error of the sum."),
        WrongAnswer(_simplex, "The weights may have any sum: nothing has to make it 1."),
        WrongAnswer(lambda p, y: np.minimum(_nnls(p, y), 1), "A weight may be above 1."),
        WrongAnswer(lambda p, y: _nnls(p - p.mean(axis=1, keepdims=True), y - y.mean()),
                    "You fit an intercept, too, but only the models may count: leave it out."),
        WrongAnswer(lambda p, y: _plain(p[_plain(p, y) > 0], y),
                    "You return the weights of some models only: one that is left out has weight 0, at its place."),
        WrongAnswer(lambda p, y: _nnls(p, y) @ p, "That is the weighted sum: return its weights."),
        WrongAnswer(lambda p, y: p @ np.ones(len(p)),  # raises ValueError, as scipy.optimize.nnls(p, y) does
                    "Some shapes do not fit: a fit wants predictions.T, (N, M), a sum is weights @ predictions."),
        WrongAnswer(lambda p, y: np.linalg.lstsq(p, y, rcond=None)[0],
                    "The unknowns belong to the columns: np.linalg wants predictions.T, (N, M), with y (N,)."),
    ),
)


def _fold_cases(rng):
    cases = []
    for size, inputs, folds in ((6, 1, 3), (12, 2, 3), (20, 3, 4)):
        x = np.column_stack([np.ones(size), rng.normal(size=(size, inputs))])
        cases.append(dict(x=x, y=x @ rng.normal(size=inputs + 1) + rng.normal(size=size),
                          fold=rng.permutation(np.arange(size) % folds)))
    return [*cases, cases[1] | dict(fold=np.array([5, 1, 1, 2, 5, 1, 2, 1, 5, 1, 2, 1]))]  # of other names and sizes


def _fit(x, y):
    return np.linalg.lstsq(x, y, rcond=None)[0]


def _by_fold(x, y, fold, rows, places=np.equal):
    found = np.empty(len(y))
    for number in np.unique(fold):
        chosen, filled = rows(fold, number), places(fold, number)
        found[filled] = x[filled] @ _fit(x[chosen], y[chosen])
    return found


OUT_OF_FOLD = Exercise(
    id="03.out_of_fold",
    title="Nobody predicts what he was taught",
    statement="`fold` (N,) says in which fold each row of x (N, d) is. For each fold, fit least squares "
              "(np.linalg.lstsq) on the rows of all *other* folds and predict the rows of this one. Return the "
              "predictions (N,), each at its row's place.",
    reference=reference.out_of_fold,
    cases=_fold_cases,
    hints=(
        "Go through np.unique(fold). A bool array `held = fold == number` says which rows to predict.",
        "Fit on x[~held], y[~held]: np.linalg.lstsq(x[~held], y[~held], rcond=None)[0] are the coefficients.",
        "predictions[held] = x[held] @ coefficients puts them at their rows' places.",
    ),
    wrong=(
        WrongAnswer(lambda x, y, f: x @ _fit(x, y),
                    "You fitted on all rows: each prediction has seen its own answer. That is the leak."),
        WrongAnswer(lambda x, y, f: _by_fold(x, y, f, np.equal),
                    "You fitted on the fold that you predict, instead of on the others."),
        WrongAnswer(lambda x, y, f: np.concatenate([x[f == k] @ _fit(x[f != k], y[f != k]) for k in np.unique(f)]),
                    "The predictions are right but out of order: put them back at their rows' places."),
        WrongAnswer(lambda x, y, f: _by_fold(x, y, f, lambda fold, number: fold != np.unique(fold)[0]),
                    "You left out the same fold each time: each fold needs a model of its own."),
        WrongAnswer(lambda x, y, f: y - reference.out_of_fold(x, y, f),
                    "Those are the errors: return the predictions."),
        WrongAnswer(lambda x, y, f: np.where(f == np.unique(f)[-1], reference.out_of_fold(x, y, f), 0.0),
                    "Only the last fold is left: make the array once, before the loop."),
        WrongAnswer(lambda x, y, f: np.where(f == np.unique(f)[0], reference.out_of_fold(x, y, f), 0.0),
                    "Only the first fold is filled: does your loop return too early?"),
        WrongAnswer(lambda x, y, f: x @ np.mean([_fit(x[f != k], y[f != k]) for k in np.unique(f)], axis=0),
                    "You averaged the models of all folds: then each prediction has seen its own answer after all."),
        WrongAnswer(lambda x, y, f: _by_fold(x, y, f, np.not_equal, np.not_equal),
                    "You predict the rows that you fitted on: write to the rows that were held out."),
        WrongAnswer(lambda x, y, f: _by_fold(x, y, f, np.equal, np.not_equal),
                    "The masks are swapped: fit on the others, predict the rows of the fold."),
        WrongAnswer(lambda x, y, f: x @ _fit(x[f != f.max()], y[f != f.max()]),
                    "The last model predicts all rows, and overwrites the rest: fill only the rows of its fold."),
        WrongAnswer(lambda x, y, f: reference.out_of_fold(x, y, np.arange(len(y)) * len(np.unique(f)) // len(y)),
                    "You cut folds of your own: `fold` says where each row belongs."),
        WrongAnswer(lambda x, y, f: reference.out_of_fold(x[:, 1:], y, f), "Use all columns of x, the ones as well."),
        WrongAnswer(lambda x, y, f: x[f == f[0]].T @ y,  # raises ValueError, as x @ np.linalg.lstsq(...) does
                    "Your shapes do not fit. Is it lstsq(...)[0]? Of its tuple, [0] are the coefficients, (d,)."),
        WrongAnswer(lambda x, y, f: np.linalg.lstsq(x.T, y, rcond=None)[0],
                    "lstsq wants x and y of the same rows, x as it is: no transpose, one mask for both."),
    ),
)


def _greedy_cases(rng):
    cases = [dict(predictions=np.array([[1.0, 1], [-2, -2]]), y=np.array([0.0, 0]), rounds=3),
             dict(predictions=np.array([[0.5, 0.5], [3, 3], [-1, -1]]), y=np.array([0.0, 0]), rounds=6),
             dict(predictions=np.array([[0.0, 1], [1, 0], [5, 5]]), y=np.array([0.6, 0.4]), rounds=5),  # never the last
             dict(predictions=np.array([[-0.7, -1.3], [-0.6, 0.0], [-2.3, -0.2]]), y=np.array([-1.2, -0.7]), rounds=6)]
    for count in (3, 4, 5):
        y, predictions = _models(rng, count, 15)
        cases.append(dict(predictions=predictions, y=y, rounds=int(rng.integers(6, 12))))
    y, predictions = _models(rng, 6, 15)
    return [*cases, dict(predictions=predictions, y=y, rounds=3)]  # fewer rounds than models


def _greedy(p, y, rounds, *, again=True, stop=True, divide=True, worst=False, late=False, signed=False):
    counts, total = np.zeros(len(p), int), np.zeros(len(y))
    for done in range(rounds):
        gaps = (total + p) / (max(done, 1) if late else done + 1 if divide else 1) - y
        errors = np.abs(gaps.mean(axis=1)) if signed else (gaps**2).mean(axis=1)
        if not again:
            errors[counts > 0] = np.inf
        best = np.argmax(errors) if worst else np.argmin(errors)
        counts[best], total = counts[best] + 1, total + p[best]
        if not again and stop and done + 1 == len(p):
            break
    return counts


GREEDY_COUNTS = Exercise(
    id="03.greedy_counts",
    title="One after the other, always the one that helps most",
    statement="Start with no model. In each of `rounds` rounds add the model (a row of `predictions` (M, N), again and "
              "again if need be) for which the mean of all added so far has the least squared error to y (N,). Return "
              "how often each was added, (M,).",
    reference=reference.greedy_counts,
    cases=_greedy_cases,
    hints=(
        "Keep the sum of the predictions added so far. In round r (from 0) a candidate's mean is (sum + p) / (r + 1).",
        "All candidates at once: ((total + predictions) / (done + 1) - y)**2 is (M, N); take the mean over axis 1.",
        "np.argmin of these errors is the model to add: count it, and add its predictions to the sum.",
    ),
    wrong=(
        WrongAnswer(lambda p, y, r: _greedy(p, y, r, again=False),
                    "A model may be added more than once: that is how it gets more weight."),
        WrongAnswer(lambda p, y, r: _greedy(p, y, r, again=False, stop=False),  # when all are used, argmin says 0
                    "A model may be added more than once: do not rule out those that are in."),
        WrongAnswer(lambda p, y, r: _greedy(p, y, r, divide=False),
                    "Compare *means*, not sums: divide by the number of models added."),
        WrongAnswer(lambda p, y, r: r * (np.arange(len(p)) == ((p - y) ** 2).mean(axis=1).argmin()),
                    "You judge each candidate alone: what counts is the mean with those already in."),
        WrongAnswer(lambda p, y, r: _greedy(p, y, r, late=True),
                    "The candidate itself is in the mean: divide by one more."),
        WrongAnswer(lambda p, y, r: _greedy(p, y, r - 1), "One round too few."),
        WrongAnswer(lambda p, y, r: _greedy(p, y, r + 1), "One round too many."),
        WrongAnswer(lambda p, y, r: _greedy(p, y, r)[: np.flatnonzero(_greedy(p, y, r))[-1] + 1],
                    "Models that were never added count 0: np.bincount needs minlength."),
        WrongAnswer(lambda p, y, r: (_greedy(p, y, r) > 0).astype(int), "How often, not whether."),
        WrongAnswer(lambda p, y, r: _greedy(p, y, r, signed=True),
                    "Square the errors before the mean: errors of both signs cancel otherwise."),
        WrongAnswer(lambda p, y, r: _greedy(p, y, r, worst=True), "That adds the model that helps least: argmin."),
        WrongAnswer(lambda p, y, r: _greedy(p, y, r) / r, "Return how often, not the share: whole numbers."),
    ),
)


def _nll_cases(rng):
    cases = [dict(y=np.array([0.0]), mean=np.array([0.0]), variance=np.array([1.0])),
             dict(y=np.array([1.0, 2]), mean=np.array([1.0, 0]), variance=np.array([4.0, 0.25])),
             dict(y=np.array([100.0]), mean=np.array([0.0]), variance=np.array([1.0])),  # density 0, log finite
             dict(y=np.array([0.3, 1.0]), mean=np.array([0.2, 1.0]), variance=np.array([0.01, 1.0]))]
    for size in (3, 6, 10):
        cases.append(dict(y=rng.normal(size=size), mean=rng.normal(size=size), variance=rng.uniform(0.2, 4, size)))
    return cases


def _half(value):
    return float(np.mean(0.5 * value))


GAUSSIAN_NLL = Exercise(
    id="03.gaussian_nll",
    title="What a wrong promise costs",
    statement="Return the mean negative log-likelihood, in nats, of targets y (N,) under Gaussians with these `mean` "
              "and `variance` (N,), its constant included.",
    reference=reference.gaussian_nll,
    cases=_nll_cases,
    hints=(
        "The density of a Gaussian is exp(-(y - mean)^2 / (2 variance)) / sqrt(2 pi variance). Take minus its log.",
        "The log turns the quotient into a sum: half of log(2 pi variance), and half of (y - mean)^2 / variance.",
        "(0.5 * np.log(2 * np.pi * variance) + 0.5 * (y - mean)**2 / variance).mean()",
    ),
    wrong=(
        WrongAnswer(lambda y, m, v: _half(np.log(v) + (y - m) ** 2 / v), "The constant is missing: log(2 pi) / 2."),
        WrongAnswer(lambda y, m, v: _half((y - m) ** 2 / v),
                    "Without log(variance), who claims to know nothing pays nothing."),
        WrongAnswer(lambda y, m, v: _half(np.log(2 * np.pi * v) + (y - m) ** 2 / v**2),
                    "`variance` is the variance already: it is not squared once more."),
        WrongAnswer(lambda y, m, v: reference.gaussian_nll(y, m, v**2), "`variance` is no standard deviation: "
                    "use it as it is, in both terms."),
        WrongAnswer(lambda y, m, v: reference.gaussian_nll(y, m, v) / float(np.log(2)), "Those are bits: use np.log."),
        WrongAnswer(lambda y, m, v: _half(np.log(2 * np.pi * v) - (y - m) ** 2 / v),
                    "Both terms are costs: the squared error is added."),
        WrongAnswer(lambda y, m, v: _half(2 * np.log(2 * np.pi * v) + (y - m) ** 2 / v),
                    "The logarithm is halved, too: it is that of a square root."),
        WrongAnswer(lambda y, m, v: _half(np.log(2 * np.pi * v) + 2 * (y - m) ** 2 / v),
                    "The squared error over the variance is halved, too."),
        WrongAnswer(lambda y, m, v: _half(np.log(2 * np.pi) + (y - m) ** 2 / v),
                    "log(variance) is missing: without it, who claims to know nothing pays nothing."),
        WrongAnswer(lambda y, m, v: _half(np.log(2 * np.pi * v) + (y - m) ** 2 * v),
                    "Brackets: the squared error is divided by (2 * variance)."),
        WrongAnswer(lambda y, m, v: float((0.5 * np.log10(2 * np.pi * v) + 0.5 * (y - m) ** 2 / v).mean()),
                    "The natural logarithm: np.log."),
        WrongAnswer(lambda y, m, v: float((0.5 * np.log(2 * np.pi * v) + 0.5 * (y - m) ** 2 / v)[0] / len(y)),
                    "Your loop returns in its first round: the first example's part, over N."),
        WrongAnswer(lambda y, m, v: reference.gaussian_nll(y, m, np.full(len(y), v.mean())),
                    "Each example has its own variance."),
        WrongAnswer(lambda y, m, v: _half(np.log(2 * np.pi * v) + (y - m) ** 2),
                    "Divide the squared error by the variance."),
        WrongAnswer(lambda y, m, v: float(-np.log((np.exp(-0.5 * (y - m) ** 2 / v) / np.sqrt(2 * np.pi * v)).mean())),
                    "First the logarithm of each, then the mean."),
        WrongAnswer(lambda y, m, v: -reference.gaussian_nll(y, m, v), "The sign: a likely target should cost little."),
        WrongAnswer(lambda y, m, v: reference.gaussian_nll(y, m, v) * len(y), "The mean, not the sum."),
        WrongAnswer(lambda y, m, v: 2 * reference.gaussian_nll(y, m, v), "Both terms are halved."),
        WrongAnswer(lambda y, m, v: float(np.mean(0.5 * np.log(2 * np.pi * v) + 0.5 * np.abs(y - m) / v)),
                    "The error is squared, not taken as it is."),
    ),
)


def _ambiguity_cases(rng):
    cases = [dict(predictions=np.array([[1.0], [3.0]]), weights=np.array([0.5, 0.5])),
             dict(predictions=np.array([[1.0, 2], [3, 4]]), weights=np.array([0.75, 0.25]))]
    for count in (2, 3, 5):
        cases.append(dict(predictions=rng.normal(size=(count, 6)), weights=rng.dirichlet(np.ones(count))))
    return cases


AMBIGUITY = Exercise(
    id="03.ambiguity",
    title="What differing is worth",
    statement="Return the weighted mean, over models, of the mean squared distance of `predictions` (M, N) from the "
              "weighted mean of all models. `weights` (M,) add up to 1.",
    reference=reference.ambiguity,
    cases=_ambiguity_cases,
    hints=(
        "No targets are needed: first the ensemble's own prediction, weights @ predictions, (N,).",
        "Then each model's mean squared distance from it: (M,).",
        "Then their weighted mean: weights @ that.",
    ),
    wrong=(
        WrongAnswer(lambda p, w: float(((p - p.mean(axis=0)) ** 2).mean()), "You gave all models the same weight."),
        WrongAnswer(lambda p, w: float(w @ ((p - p.mean(axis=0)) ** 2).mean(axis=1)),
                    "The distance is from the *weighted* mean of the models."),
        WrongAnswer(lambda p, w: float(((p - w @ p) ** 2).mean()), "The mean over models has to be weighted, too."),
        WrongAnswer(lambda p, w: float(w @ (p - w @ p).mean(axis=1) ** 2) + 0.0,
                    "Square each distance, then take the mean: distances of both signs cancel otherwise."),
        WrongAnswer(lambda p, w: float(((p - w @ p) ** 2).mean(axis=1).sum()), "The models' weights are missing."),
        WrongAnswer(lambda p, w: reference.ambiguity(p, w) * len(p) / (len(p) - 1),
                    "No M - 1 here: the weights sum to 1."),
        WrongAnswer(lambda p, w: float(w @ p.var(axis=1)),
                    "The distance is from the mean of the models, example by example, not from each model's own mean."),
        WrongAnswer(lambda p, w: float(w @ ((p - (w @ p).mean()) ** 2).mean(axis=1)),
                    "Each example has a mean of its own: w @ p is (N,)."),
        WrongAnswer(lambda p, w: float(w[0] * ((p[0] - w @ p) ** 2).mean()),
                    "Your loop returns in its first round: that is the first model's part."),
        WrongAnswer(lambda p, w: float(w**2 @ ((p - w @ p) ** 2).mean(axis=1)), "The weights are not squared."),
        WrongAnswer(lambda p, w: float(np.sqrt(reference.ambiguity(p, w))), "No root: squared distances."),
        WrongAnswer(lambda p, w: reference.ambiguity(p, w) * p.shape[1], "The mean over examples, not the sum."),
        WrongAnswer(lambda p, w: float(w @ np.abs(p - w @ p).mean(axis=1)), "Squared distances, not absolute ones."),
    ),
)

TOPIC = Topic(
    number="03",
    package="ensembling",
    title="Ensembling",
    exercises=(AMBIGUITY, TWO_MODEL_WEIGHT, OUT_OF_FOLD, NNLS_WEIGHTS, GREEDY_COUNTS, GAUSSIAN_NLL),
)
