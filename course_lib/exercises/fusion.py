"""The exercises of notebook 05: experts who vote, attention, and gates that choose among them."""

from __future__ import annotations

from functools import reduce

import numpy as np

from course_lib.exercises.engine.exercise import Exercise, Topic, WrongAnswer
from course_lib.fusion import reference
from course_lib.fusion.reference import softmax


def _experts(rng):
    cases = [np.array([[[0.5, 0.5]], [[0.8, 0.2]]]), np.array([[[0.7, 0.2, 0.1]]]),
             np.array([[[0.9, 0.1], [0.5, 0.5]], [[0.9, 0.1], [0.25, 0.75]], [[1e-6, 1 - 1e-6], [0.5, 0.5]]])]
    cases += [rng.dirichlet(np.ones(classes), (experts, size)) for experts, size, classes in ((2, 3, 4), (5, 4, 3))]
    many = 0.1 * rng.normal(size=(400, 3, 10))
    many[:200, 1, 3] += 12  # products of about 1e-400 for one example, of 1e-1000 for another, on which few agree
    many[200:392, 1, 5] += 12.5
    many[:, 2, 0] += 12  # here all agree
    cases += [softmax(many[:, :2]), softmax(many[:, ::2])]
    return [dict(probabilities=case) for case in cases]


def _wrong(*found):
    return tuple(WrongAnswer(*pair) for pair in found)


def _shares(values):
    return values / values.sum(axis=1, keepdims=True)


def _in_turn(experts):
    return reduce(lambda so_far, p: _shares(so_far * p), experts, np.ones(experts.shape[1:]))


PRODUCT_OF_EXPERTS = Exercise(
    id="05.product_of_experts",
    title="Everyone has a veto",
    statement="`probabilities` (M, N, C) are what M experts give to C classes of N examples; none is 0. Multiply them "
              "over the experts, and return (N, C), made to sum to 1 for each example. There may be hundreds of "
              "experts. `softmax` from course_lib.fusion.reference, along the last axis, may be used.",
    reference=reference.product_of_experts,
    cases=_experts,
    hints=(
        "A product of hundreds of small numbers is 0 to a computer. Which function turns a product into a sum?",
        "The log: np.log(probabilities).sum(axis=0) is the log of the product, and it does not underflow.",
        "A softmax is exp, and then division by the sum: softmax(np.log(probabilities).sum(axis=0)).",
    ),
    wrong=_wrong(
        (lambda p: p.mean(axis=0), "In a mean, or a median, nobody has a veto: multiply."),
        (lambda p: p.prod(axis=0), "The products of an example do not sum to 1: divide by their sum over the classes."),
        (lambda p: p.prod(axis=0) / p.prod(axis=0).sum(axis=0), "Each *example's* classes should sum to 1."),
        (lambda p: p.prod(axis=0) / p.sum(axis=0), "Divide the product by *its* sum, over the classes."),
        (lambda p: _shares(p.prod(axis=0)),
         "Hundreds of factors underflow to 0, and 0 / 0 is NaN: add logs, and use softmax, not a bare exp."),
        (lambda p: p.prod(axis=0) / (p.prod(axis=0).sum(axis=1, keepdims=True) + 1e-12),
         "Hundreds of factors underflow to 0, and no guard of the division brings them back: add logs, use softmax."),
        (lambda p: np.nan_to_num(_shares(p.prod(axis=0)), nan=1 / p.shape[2]),
         "Even shares where the product underflows are a guess: add logs, which do not underflow."),
        (_in_turn, "You normalise after each expert: a class that once falls to 0 stays at 0. Add logs instead."),
        (lambda p: _shares(_in_turn(p[: len(p) // 2]) * _in_turn(p[len(p) // 2:])),
         "Parts that contradict each other multiply to 0 everywhere, and 0 / 0 is NaN: add logs instead."),
        (lambda p: _shares(np.exp(np.log(p).sum(axis=0) - np.log(p).sum(axis=0).max())),
         "You took the batch's largest log off before exp: take off each example's own."),
        (lambda p: np.log(p).sum(axis=0), "Those are logs: back to probabilities with exp, or a softmax."),
        (lambda p: _shares(np.log(p).sum(axis=0)), "Shares of logs are no probabilities: first exp, or a softmax."),
        (lambda p: softmax(np.log(p).mean(axis=0)), "The geometric mean takes the mean of logs, a product their sum."),
        (lambda p: softmax(-np.log(p).sum(axis=0)), "A minus too many: large products should become large."),
        (lambda p: softmax(np.log2(p).sum(axis=0)), "Softmax undoes natural logs: np.log, not np.log2."),
        (lambda p: softmax(np.log10(p).sum(axis=0)), "Softmax undoes natural logs: np.log, not np.log10."),
        (lambda p: softmax(p.sum(axis=0)), "The softmax takes logs: you gave it the probabilities."),
        (lambda p: softmax(p.prod(axis=0)), "The softmax takes the *log* of the product, not the product."),
        (lambda p: reference.product_of_experts(p[: max(1, len(p) - 1)]), "The last expert is missing in the product."),
        (lambda p: reference.product_of_experts(p[min(1, len(p) - 1):]), "The first expert is missing in the product."),
        *((lambda p, least=least: softmax(np.log(p + least).sum(axis=0)),
           f"None is 0, so log needs no guard: {least:g} weakens vetoes.") for least in 10.0 ** -np.arange(6, 11)),
        (lambda p: p[0], "That is the first expert alone: does your loop return in its first round?"),
        (lambda p: p[-1], "That is the last expert alone: your loop should multiply, or add logs, to what there is."),
        (lambda p: _shares(p.max(axis=0)), "You take the largest probability: multiply, so that each expert counts."),
        (lambda p: np.eye(p.shape[2])[p.argmax(axis=2)].mean(axis=0), "That counts votes: multiply the probabilities."),
    ),
)


def _sigmoid(values):
    return 1 / (1 + np.exp(-values))


def _gates(rng):
    one = dict(w=np.zeros(1), x=np.array([[1.0]]), first=np.array([[1.0]]), second=np.array([[0.0]]))
    cases = [one | dict(y=np.array([[1.0]]), rate=1.0), one | dict(y=np.array([[0.0]]), rate=0.5)]
    for size, features, classes, rate in ((1, 2, 3, 1.0), (3, 2, 2, 2.0), (4, 3, 1, 0.5), (5, 2, 4, 10.0)):
        first, second, y = rng.random((3, size, classes))
        cases.append(dict(w=rng.normal(size=features), x=rng.normal(size=(size, features)), first=first, second=second,
                          y=y, rate=rate))
    return cases


def _step(*, gate=_sigmoid, inner=lambda z: z * (1 - z), apart=np.subtract, error=np.subtract, scale=2.0, sign=-1.0,
          over=np.size, pull=lambda x, slope: x.T @ slope, start=1.0):
    """A step of the gate with one part exchanged."""
    def step(w, x, first, second, y, rate):
        z = gate(x @ w)
        off, d = error(second + z[:, None] * (first - second), y), apart(first, second)
        slope = scale * (off * d).sum(axis=1) * inner(z) / over(off)
        return start * w + sign * rate * pull(x, slope)

    return step


GATE_STEP = Exercise(
    id="05.gate_step",
    title="A gate that trains",
    statement="A gate sees `x` (B, F), with one weight for each feature, `w` (F,). It gives the first of two experts "
              "the share z = sigmoid(x @ w), one number for each example, and the second 1 - z. `first` and `second` "
              "(B, C) are what they say, `y` (B, C) is the truth. Return w after one step of gradient descent, of "
              "learning rate `rate`, on the mean squared error of z * first + (1 - z) * second to y, the mean over "
              "all B * C numbers.",
    reference=reference.gate_step,
    cases=_gates,
    hints=(
        "With d = first - second the mixture is second + z * d: by z its derivative is d. The sigmoid's: z * (1 - z).",
        "By x @ w the loss has the slope (2 / (B * C)) * sum over the classes of (mixture - y) * d, times z * (1 - z).",
        "One slope for each example, (B,): the gradient is x.T @ slope, and the new w is w - rate * gradient.",
    ),
    wrong=_wrong(
        (_step(sign=1.0), "That climbs: a sign is wrong, of first - second, of mixture - y or of the step."),
        (_step(scale=1.0), "The 2 of the square's derivative is missing."),
        (_step(inner=np.ones_like), "The sigmoid's derivative z * (1 - z) is missing."),
        (_step(over=lambda off: 1), "You take the sum of the squares: the loss is their mean, over all B * C."),
        (_step(over=len), "You divide by B alone: the mean is over all B * C numbers."),
        (_step(over=lambda off: off.shape[1]), "You divide by C alone: the mean is over all B * C numbers."),
        (_step(apart=lambda a, b: a), "By z the mixture changes as first - second: you left out the second."),
        (lambda w, x, first, second, y, rate: reference.gate_step(w, x, second, first, y, rate),
         "The first gets z, the second 1 - z: you have them the other way round."),
        (_step(error=lambda mixed, y: -y / mixed, scale=1.0), "That is the log-loss's slope: take the square's."),
        (_step(pull=lambda x, slope: np.full(x.shape[1], slope.sum())), "Each slope pulls by *its* x: x.T @ slope."),
        (_step(start=0.0), "That is the step alone: add it to w."),
        (_step(start=0.0, sign=1.0), "That is `rate` times the gradient: take it off w."),
        (lambda w, x, first, second, y, rate: w, "w is as it was: has anything been added to it?"),
    ),
)


def _scores(rng):
    log = np.log([1.0, 2, 3, 4])
    fixed = ((log[None, :3], 2), (np.array([[0.5, -1.0, 2.0], [3.0, 1.0, 0.0]]), 1), (log[[[3, 0, 1, 2]]], 4),
             (np.array([[-3.0, -1, -2, -4]]), 2), (np.array([[1000.0, 999, 998, -1000], [2, 3, 1, 0]]), 3),
             (np.array([[-5e6, -5e6 - 1, -5e6 - 3]]), 2), (np.array([[0.1, 0.3, 0.2]]), 1))
    drawn = [(rng.normal(0, 2, shape), k) for *shape, k in ((4, 5, 2), (6, 4, 3), (3, 8, 1))]
    return [dict(scores=scores, k=k) for scores, k in (*fixed, *drawn)]


def _kept(scores, k):
    return scores >= np.sort(scores, axis=1)[:, -k:][:, :1]


def _among(kept, fill=lambda scores: -np.inf):
    """A softmax over those that `kept` keeps."""
    return lambda scores, k: softmax(np.where(kept(scores, k), scores, fill(scores)))


TOP_K_GATES = Exercise(
    id="05.top_k_gates",
    title="Ask the best k, spare the rest",
    statement="From a gate's `scores` (B, M) return gates (B, M): in each row a softmax over the k largest scores "
              "alone, and exactly 0 for all others. The scores of a row differ; they may be large. `softmax` from "
              "course_lib.fusion.reference, along the last axis, may be used.",
    reference=reference.top_k_gates,
    cases=_scores,
    hints=(
        "np.argsort(-scores, axis=1)[:, :k] are the places of the k largest of each row.",
        "What score gets exactly 0 from a softmax? e^-inf is 0.",
        "Start with np.full_like(scores, -np.inf), put the k scores in (np.put_along_axis), and take the softmax.",
    ),
    wrong=_wrong(
        (lambda s, k: softmax(s) * _kept(s, k), "The gates of a row no longer sum to 1: softmax over the k alone."),
        (_among(lambda s, k: _kept(-s, k)), "You keep the k smallest: np.argsort sorts upwards."),
        *((_among(_kept, lambda s, fill=fill: fill),
           f"A score of {fill} is no gate of 0, for e^{fill} is more: give the others -inf.") for fill in (0, -10)),
        (_among(_kept, lambda s: -50), "Beside scores of -5e6 your fill is the largest: -inf is below all."),
        *((_among(_kept, lambda s, less=less: s.min() - less),
           f"{less} below the smallest score is still a gate above 0: only -inf gets exactly 0.") for less in (1, 10)),
        (_among(lambda s, k: _kept(s, k + 1)), "One too many is kept: the k best of an upward order are [:, -k:]."),
        (_among(lambda s, k: s > np.sort(s, axis=1)[:, [-k]]), "One too few is kept: the k-th largest is in."),
        (_among(lambda s, k: np.argsort(-s, axis=1) < k), "np.argsort gives places, not ranks: use [:, :k] of it."),
        (_among(lambda s, k: _kept(s, k).any(axis=0)), "What one row keeps, all keep ([:, keep]?): np.put_along_axis."),
        *((_among(lambda s, k: s >= np.sort(s, axis=None)[-k], lambda s, fill=fill: fill), hint) for fill, hint in (
            (-np.inf, "One threshold for the whole batch leaves some rows without any: each row has its own."),
            (-1e30, "You keep the k largest of the whole batch: each row has its own."))),
        (_among(lambda s, k: s >= -np.partition(-s, k, axis=1)[:, [k - 1]]),
         "It fails where k is M: np.argpartition counts places from 0, so ask for place k - 1."),
        (lambda s, k: s * np.nan, "All gates are NaN, and so are 0 * -inf, and a softmax over nothing: use np.where."),
        (lambda s, k: _kept(s, k) / k, "All k count alike in yours: their scores decide, by softmax."),
        (lambda s, k: 1 * _kept(s, k), "That is the mask, 1 for those who are kept: take the softmax over them."),
        (lambda s, k: reference.top_k_gates(softmax(s), k), "A softmax of a softmax: take only one."),
        (_among(lambda s, k: _kept(s.T, k).T), "You chose the k largest of each column: each row chooses its experts."),
        (lambda s, k: _shares(np.exp(s) * _kept(s, k)), "e^1000 overflows: take each row's maximum off before exp."),
        (lambda s, k: np.eye(len(s), 1) * reference.top_k_gates(s, k), "Only row 0 is filled: return after the loop."),
    ),
)


def _pairs(rng):
    first, second, y = np.array([1.0, 0, 0.5]), np.array([0.0, 1, 0.5]), np.array([1.0, 1, 0])
    fixed = tuple((first, second, truth) for truth in (y, first, 2 * second - first, first * 2))
    drawn = [tuple(rng.random((3, *shape))) for shape in ((5,), (4, 3), (2, 3, 4))]
    return [dict(first=a, second=b, y=c) for a, b, c in (*fixed, *drawn)]


def _share(above, below, *, clip=True):
    def alpha(first, second, y):
        with np.errstate(all="ignore"):
            found = above(first, second, y) / below(first, second, y)
        return np.clip(found, 0, 1) if clip else found

    return alpha


def _square(a, b, y):
    return ((a - b) ** 2).sum()


def _cross(a, b, y):
    return ((a - b) * (y - b)).sum()


ALPHA = Exercise(
    id="05.alpha",
    title="How much of the first?",
    statement="`first` and `second` are two models' outputs and `y` the truth, arrays of one shape; the two differ "
              "somewhere. Return the alpha in [0, 1] for which alpha * first + (1 - alpha) * second has the smallest "
              "mean squared error to y.",
    reference=reference.best_alpha,
    cases=_pairs,
    hints=(
        "With d = first - second the mixture is second + alpha * d. Set its squared error's derivative to zero.",
        "alpha = sum(d * (y - second)) / sum(d ** 2), over all entries.",
        "The error is a parabola in alpha: if its lowest point is outside of [0, 1], the nearer end is best: np.clip.",
    ),
    wrong=_wrong(
        (_share(_cross, _square, clip=False), "Outside of [0, 1] the nearer end is best: np.clip(alpha, 0, 1)."),
        (lambda a, b, y: 1 - reference.best_alpha(a, b, y), "That is the share of the second: the first's is wanted."),
        (lambda a, b, y: b.sum() / (a + b).sum(), "A share of sums never looks at y: who is right must count."),
        (lambda a, b, y: np.float64(0.5), "The plain mean is best only if both err alike: look at y."),
        (_share(lambda a, b, y: ((a - b) * y).sum(), _square), "The numerator: sum(d * (y - second)), not sum(d * y)."),
        (_share(lambda a, b, y: ((a - b) * (b - y)).sum(), _square), "The sign: y - second, not second - y."),
        (_share(_cross, lambda a, b, y: np.abs(a - b).sum()), "The denominator holds squares: sum(d ** 2)."),
        (lambda a, b, y: np.clip(((a - b) * (y - b)).sum(axis=0) / ((a - b) ** 2).sum(axis=0), 0, 1),
         "One alpha for all entries: sum over all axes."),
        (lambda a, b, y: np.float64(((a - y) ** 2).sum() < ((b - y) ** 2).sum()),
         "That picks the better one: a mixture is often better than both."),
        (_share(lambda a, b, y: ((b - y) ** 2).sum(), lambda a, b, y: ((a - y) ** 2).sum() + ((b - y) ** 2).sum()),
         "Weights by error alone ignore how the two errors go together: use the formula of d."),
    ),
)


def _asked(rng):
    fixed = dict(query=np.array([[2.0, 0, 0, 0]]), keys=np.array([[[np.log(3.0), 0, 0, 0], [0, 1, 0, 0]]]),
                 values=np.array([[[4.0], [0.0]]]))
    cases = [fixed]
    for size, experts, width, units in ((1, 1, 3, 2), (3, 2, 4, 3), (2, 4, 2, 5), (4, 3, 9, 2)):
        cases.append(dict(query=rng.normal(0, 2, (size, width)), keys=rng.normal(size=(size, experts, width)),
                          values=rng.normal(size=(size, experts, units))))
    return [*cases, dict(query=np.array([[1e3, 0]]), keys=np.array([[[1e3, 0.0], [0, 1]]]), values=np.eye(2)[None])]


def _attend(weigh=softmax, *, root=np.sqrt, mix=lambda w, v: (w[..., None] * v).sum(axis=1), shown=lambda w, s: w):
    """Attention with one part exchanged."""
    def attention(query, keys, values):
        scores = (keys @ query[:, :, None])[..., 0] / root(query.shape[1])
        weights = weigh(scores)
        return [shown(weights, scores), mix(weights, values)]

    return attention


ATTENTION = Exercise(
    id="05.attention",
    title="Who answers best?",
    statement="M experts ask together, `query` (B, D); each answers with a key, `keys` (B, M, D), and has a value, "
              "`values` (B, M, U). An expert's score is the dot product of query and key, divided by the square "
              "root of D. Return two arrays: the weights (B, M), a softmax of the scores over the experts, and the sum "
              "(B, U) of the values by these weights. `softmax` from course_lib.fusion.reference, along the last axis, "
              "may be used.",
    reference=reference.attention,
    cases=_asked,
    hints=(
        "(query[:, None] * keys).sum(axis=2) holds the dot products (B, M): each key meets its own example's query.",
        "Divide by np.sqrt(query.shape[1]) before the softmax, which runs over the experts, the last axis.",
        "Return weights, (weights[:, :, None] * values).sum(axis=1).",
    ),
    wrong=_wrong(
        (_attend(root=lambda d: 1), "Divide the scores by the square root of D."),
        (_attend(root=lambda d: d), "Divide by the *root* of D, not by D."),
        (lambda q, k, v: reference.attention(q * (q.shape[1] / k.shape[1]) ** 0.5, k, v),
         "Divide by the root of D, the width of query and keys, not of M, the number of experts."),
        (_attend(lambda s: s), "The scores are no weights yet: take a softmax over the experts."),
        (_attend(lambda s: softmax(s.T).T), "Your softmax runs over the examples: take the experts, the last axis."),
        (_attend(lambda s: np.eye(s.shape[1])[s.argmax(axis=1)]), "You take the best expert alone: weigh all of them."),
        (_attend(mix=lambda w, v: v.mean(axis=1)), "The weights are right, but you take a plain mean of the values."),
        (_attend(mix=lambda w, v: w[..., None] * v), "Sum over the experts: (B, U) is wanted."),
        (_attend(shown=lambda w, s: s), "The mean is right, but you return the scores: return the weights."),
        (lambda q, k, v: _attend()(q, k, v)[::-1], "Both are right, in the other order: first the weights."),
    ),
)

TOPIC = Topic(number="05", package="fusion", title="Fusion", exercises=(
    ALPHA, PRODUCT_OF_EXPERTS, ATTENTION, GATE_STEP, TOP_K_GATES))
