"""The exercises of notebook 04: the two losses, a penalty, and what to measure."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.engine.exercise import Exercise, Topic, WrongAnswer
from course_lib.gan import reference


def _logits(rng):
    fixed = ((np.zeros(3), np.zeros(3)), (np.array([2.0, -1.0]), np.array([0.5, -3.0])),
             (np.array([120.0, -110.0]), np.array([-130.0, 105.0])))
    drawn = [tuple(rng.normal(0, 2, (2, size))) for size in (1, 5, 8)]
    return [{"real": real.astype(np.float32), "fake": fake.astype(np.float32)} for real, fake in (*fixed, *drawn)]


def _softplus(x):
    return np.logaddexp(0, x)


def _sigmoid(x):
    return 0.5 + 0.5 * np.tanh(np.asarray(x, np.float64) / 2)


def _naive_softplus(x):
    with np.errstate(over="ignore"):
        return np.log(1 + np.exp(x))


def _each(real, fake):
    return _softplus(-real) + _softplus(fake)


def _wrong(prepare, *found, finish=np.asarray):
    """Known mistakes, from pairs of a function of what `prepare` makes of the inputs, and a hint."""
    return tuple(WrongAnswer(lambda *given, part=part: finish(part(*prepare(*given))), hint) for part, hint in found)


def _slips(each, one):
    """What goes wrong where such values, (B,), are averaged."""
    return _wrong(
        lambda *given: (each(*given),),
        (lambda x: x.sum(), "A mean over the batch, not a sum: else it grows with the batch."),
        (lambda x: x, "One number is wanted: the mean over the batch is missing."),
        (lambda x: x[0], f"That is the first {one} alone: does your loop return in its first round?"),
        (lambda x: x[0] / len(x), f"That is the first {one}, over B: does your loop return too early?"),
        (lambda x: x[-1], f"That is the last {one} alone: in a loop add up, with +=."),
        (lambda x: x[-1] / len(x), f"That is the last {one}, over B: in the loop add up, with +=."),
        (lambda x: x[:-1].sum() / len(x), f"The last {one} is left out of the sum: where does your loop end?"),
        (lambda x: x[1:].sum() / len(x), f"The first {one} is left out of the sum: where does your loop begin?"),
        (np.median, "The mean, not the median."), (np.max, "The mean, not the largest."))


def _cut_off(loss):
    """The loss where no part is above some bound: of probabilities, inside of the logarithm, or of logits."""
    return tuple(WrongAnswer(lambda real, fake, most=most: loss(real, fake, most).mean(),
                             f"No loss may be cut off (yours at {most:.4g}) by a bound, or a number inside the log: "
                             "use softplus.")
                 for most in (*(n * np.log(10) for n in (5, 6, 7, 8, 9, 10, 12, 15)), 10, 15, 20, 30, 50, 88, 100))


LOGITS = "These are logits, not probabilities: the sigmoid is missing. Or use softplus at once."
TWICE = "The sigmoid stands in the softplus already: yours is applied twice."
LOG_OF_A_MEAN = "First the logarithm of each, then the mean: you took the log of a mean."
LOSS_OF_A_MEAN = "First each image's loss, then the mean: you took the loss of the mean logit."
SKIPPED = "Large logits count too: do not leave their losses out."
OVERFLOW = "For large logits e^l overflows, or the logarithm meets a 0: use softplus."

DISCRIMINATOR_LOSS = Exercise(
    id="04.discriminator_loss",
    title="What the discriminator minimises",
    statement="`real` and `fake` (B,) are the discriminator's logits of real and of generated images. Return the mean "
              "over the pairs of -log D(x) - log(1 - D(G(z))), where D is the sigmoid of the logit.",
    reference=reference.discriminator_loss,
    cases=_logits,
    tensors=True,
    hints=(
        "-log sigmoid(l) = log(1 + e^-l): the softplus of -l. And 1 - sigmoid(l) is sigmoid(-l).",
        "So each real logit costs softplus(-real), and each generated one softplus(fake).",
        "PyTorch: F.softplus(-real) + F.softplus(fake), and the mean. Keras: ops.softplus. Both bear large logits.",
    ),
    wrong=_slips(_each, "pair") + _cut_off(
        lambda real, fake, most: np.minimum(_softplus(-real), most) + np.minimum(_softplus(fake), most)
    ) + _wrong(
        lambda real, fake: (real, fake),
        (lambda r, f: np.minimum(_softplus(-r), 7 * np.log(10)) + np.minimum(_softplus(f), 23 * np.log(2)),
         "A bound of 1e-7 (in float32) on the probabilities makes large losses too small: use softplus."),
        (lambda r, f: _each(f, r), "Real and generated are the wrong way round: a high logit means real."),
        (lambda r, f: _each(r, f) / 2, "The sum of both parts, not their mean: two logits of 0 cost 2 log 2."),
        (lambda r, f: -_each(r, f), "The sign: that is what the discriminator makes large. A loss is made small."),
        (lambda r, f: _each(r, f) / np.log(2), "Logarithms to base 2: the loss has natural ones."),
        (lambda r, f: np.maximum(1 - r, 0) + np.maximum(1 + f, 0), "That is the hinge loss."),
        (lambda r, f: f - r, "That is Wasserstein's loss: no logarithm in it."),
        (lambda r, f: (_sigmoid(r) - 1) ** 2 + _sigmoid(f) ** 2, "That is the least-squares loss: take logarithms."),
        (lambda r, f: _sigmoid(-r) + _sigmoid(f), "The logarithm is missing: -log D, not 1 - D."),
        (lambda r, f: _softplus(f - r), "That is the relativistic loss: here each image is judged by itself."),
        (lambda r, f: -np.log(_sigmoid(r).mean()) - np.log(1 - _sigmoid(f).mean()), LOG_OF_A_MEAN),
        (lambda r, f: _each(r.mean(), f.mean()), LOSS_OF_A_MEAN),
        (lambda r, f: _each(r, f) + 0.1 * r, "No smoothed labels: real images count 1."),
        (lambda r, f: _naive_softplus(-r) + _naive_softplus(f), OVERFLOW),
        (lambda r, f: -np.log(r) - np.log(1 - f), LOGITS),
        (lambda r, f: np.where(np.abs([-r, f]) < 50, [_softplus(-r), _softplus(f)], 0).sum(0), SKIPPED),
        (lambda r, f: _softplus(-r), "The generated images are missing: it must learn to refuse them too."),
        (lambda r, f: _each(r, -f), "That asks it to call generated images real: their part is softplus(fake)."),
        (lambda r, f: _each(-r, f), "That asks it to call real images generated: their part is softplus(-real)."),
        (lambda r, f: _softplus(-r) - _softplus(f), "Both parts are losses: add -log(1 - D), do not take it off."),
        (lambda r, f: _each(_sigmoid(r), _sigmoid(f)), TWICE),
        finish=np.mean,
    ) + _wrong(lambda real, fake: (_softplus(-real), _softplus(fake)),
               (lambda r, f: [r.mean(), f.mean()], "One number is wanted: add the two parts.")),
)

GENERATOR_LOSS = Exercise(
    id="04.generator_loss",
    title="A loss that does not saturate",
    statement="From the same logits, return what the generator minimises: the mean of -log D(G(z)). You need only "
              "`fake`; other objectives compare it with `real`.",
    reference=reference.generator_loss,
    cases=_logits,
    tensors=True,
    hints=(
        "The generator wants its images to be called real.",
        "-log sigmoid(fake) is a softplus. Of what?",
        "The mean of softplus(-fake).",
    ),
    wrong=_slips(lambda real, fake: _softplus(-fake), "image") + _cut_off(
        lambda real, fake, most: np.minimum(_softplus(-fake), most)
    ) + _wrong(
        lambda real, fake: (real, fake),
        (lambda r, f: -_softplus(f), "That is the minimax loss, log(1 - D): where the discriminator wins, it is flat."),
        (lambda r, f: _softplus(f), "That teaches the generator to be found out: the sign of the logit is wrong."),
        (lambda r, f: -_softplus(-f), "The sign: log D is to be made large, so the loss is -log D."),
        (lambda r, f: _softplus(-r), "Only the generated images depend on the generator: use `fake`."),
        (lambda r, f: _softplus(-_sigmoid(f)), TWICE),
        (lambda r, f: -np.log(f), LOGITS),
        (lambda r, f: -f, "That is the loss of hinge and Wasserstein GANs."),
        (lambda r, f: _sigmoid(-f), "The logarithm is missing: -log D, not 1 - D."),
        (lambda r, f: _softplus(r - f), "That is the relativistic loss: here `fake` alone counts."),
        (lambda r, f: -np.log(_sigmoid(f).mean()), LOG_OF_A_MEAN),
        (lambda r, f: _softplus(-f.mean()), LOSS_OF_A_MEAN),
        (lambda r, f: (_sigmoid(f) - 1) ** 2, "That is the least-squares loss: a logarithm is wanted."),
        (lambda r, f: (_sigmoid(f) - 1) ** 2 / 2, "That is half the least-squares loss: a logarithm is wanted."),
        (lambda r, f: np.where(np.abs(f) < 50, _softplus(-f), 0), SKIPPED),
        (lambda r, f: _each(r, f), "That is the discriminator's loss."),
        (lambda r, f: _softplus(-np.append(r, f)), "Real images are none of the generator's: mean over `fake` alone."),
        (lambda r, f: _each(r, -f), "`real` has no part in it: leave its loss out."),
        (lambda r, f: _naive_softplus(-f), OVERFLOW),
        (lambda r, f: np.log1p(np.exp(-np.abs(f))), "log(1 + e^-|l|) is right for l > 0 alone: below 0 add -l."),
        finish=np.mean,
    ),
)


def _densities(rng):
    cases = [dict(p_real=np.array([0.5, 1.0, 0.0]), p_fake=np.array([0.5, 0.0, 2.0]))]
    return cases + [dict(p_real=rng.gamma(1, size=shape), p_fake=rng.gamma(1, size=shape)) for shape in (4, (2, 3))]


OPTIMAL_DISCRIMINATOR = Exercise(
    id="04.optimal_discriminator",
    title="The best discriminator there is",
    statement="Where real images have density p_real and generated ones p_fake (arrays of one shape), which D makes "
              "p_real log D + p_fake log(1 - D) largest? Return that D, of the same shape.",
    reference=reference.optimal_discriminator,
    cases=_densities,
    hints=(
        "Each place is a problem of its own. Set the derivative by D to zero.",
        "p_real / D = p_fake / (1 - D). Solve for D.",
        "D = p_real / (p_real + p_fake).",
    ),
    wrong=_wrong(
        lambda p, q: (p, q, p / (p + q)),
        (lambda p, q, d: 1 - d, "That is the probability of *generated*."),
        (lambda p, q, d: p / q, "That is the ratio of the densities; D is a probability, from 0 to 1."),
        (lambda p, q, d: np.log(p / q), "That is the logarithm of the densities' ratio: D is its sigmoid."),
        (lambda p, q, d: (p >= q) * 1.0, "A probability is wanted, not a verdict of 0 or 1."),
        (lambda p, q, d: (p > q) * 1.0, "That is the best verdict, not the best probability: D goes from 0 to 1."),
        (lambda p, q, d: p / (p + q).sum(), "Each place for itself: do not sum over the places."),
        (lambda p, q, d: p / (p + q * (p.sum() / q.sum())), "Take the densities as they are, not over their sums."),
        (lambda p, q, d: p - q, "A difference is no probability. Set the derivative by D to zero."),
        (lambda p, q, d: (p - q) / (p + q), "That goes from -1 to 1; D goes from 0 to 1."),
        (lambda p, q, d: _sigmoid(p - q), "Not the sigmoid of the difference. Set the derivative by D to zero."),
        (lambda p, q, d: p * np.log(d) + q * np.log(1 - d), "That is the value reached; wanted is its D."),
        (lambda p, q, d: p**2 / (p**2 + q**2), "No squares: solve p_real / D = p_fake / (1 - D) once more."),
        (lambda p, q, d: p / (p - q), "A sign: solve p_real (1 - D) = p_fake D once more."),
        (lambda p, q, d: p / p + q, "Brackets: a / b + c is (a / b) + c."),
        (lambda p, q, d: np.clip(d, 0.01, 0.99), "D may reach 0 and 1: do not keep it away from them."),
        (lambda p, q, d: np.where(q > 0, d, 0), "Where nothing is generated, D is 1, not 0."),
        (lambda p, q, d: d.ravel(), "The right numbers, but flat: give them the shape of p_real."),
        (lambda p, q, d: np.full_like(p, 0.5), "1/2 is right only where both densities are equal."),
    ),
)


def _gradients(rng):
    shapes = ((1, 2), (4, 3), (3, 2, 5), (5, 4, 4))
    return [{"gradient": rng.normal(size=shape).astype(np.float32)} for shape in shapes]


def _norms(gradient):
    return np.sqrt((gradient.reshape(len(gradient), -1) ** 2).sum(axis=1))


ZERO_CENTRED_PENALTY = Exercise(
    id="04.zero_centred_penalty",
    title="The R1 penalty",
    statement="`gradient` (B, ...) holds, for each image of a batch, the gradient of its logit by its pixels. Return "
              "half the mean, over the batch, of the squared norm of the gradient.",
    reference=reference.zero_centred_penalty,
    cases=_gradients,
    tensors=True,
    hints=(
        "The squared norm of one image's gradient is the sum of all its squared entries.",
        "Sum over every axis but the first, then take the mean over the first.",
        "PyTorch: gradient.flatten(1).square().sum(dim=1).mean() / 2.",
    ),
    wrong=_slips(lambda gradient: _norms(gradient) ** 2 / 2, "image") + _wrong(
        lambda gradient: (gradient, gradient.reshape(len(gradient), -1), _norms(gradient)),
        (lambda g, x, n: g**2 / 2, "You averaged over the pixels too: then the penalty would fade as images grow."),
        (lambda g, x, n: (g**2).sum(1) / 2, "An image has more than one axis: sum over all axes but the first."),
        (lambda g, x, n: (g**2).sum(-1) / 2, "You summed over the last axis alone: sum over all axes but the first."),
        (lambda g, x, n: n**2, "The half is missing (gamma / 2 in the paper)."),
        (lambda g, x, n: n / 2, "The squared norm, not the norm."),
        (lambda g, x, n: n, "Half of the squared norm, not the norm."),
        (lambda g, x, n: (n - 1) ** 2, "That is WGAN-GP's: it pulls the norms to 1; R1 pulls them to 0."),
        (lambda g, x, n: (n - 1) ** 2 / 2, "That pulls the norms to 1, as WGAN-GP does; R1 pulls them to 0."),
        (lambda g, x, n: n.mean() ** 2 / 2, "Square each norm, then take the mean: you squared the mean norm."),
        (lambda g, x, n: (x**2).sum(0) / 2, "You divide by an image's number of entries, not by B: sum along images."),
        (lambda g, x, n: x.sum(1) ** 2 / 2, "Square each entry, then sum: you squared the sum."),
        (lambda g, x, n: np.abs(x).sum(1) / 2, "Squares, not absolute values."),
        (lambda g, x, n: np.abs(x).sum(1) ** 2 / 2, "The norm: the root of the sum of squares, not a sum of sizes."),
        (lambda g, x, n: [np.linalg.norm(one, 2) ** 2 / 2 for one in g],
         "np.linalg.norm(g, 2) of a matrix is its largest singular value: flatten each image first."),
        (lambda g, x, n: ((x - x.mean(0)) ** 2).sum(1) / 2, "Pulled to 0: do not take off the mean gradient."),
        (lambda g, x, n: n**2 / 2 * len(g) / g.shape[1], "Divide by the batch size, the length of the first axis."),
        (lambda g, x, n: (x.mean(0) ** 2).sum() / 2, "Opposite gradients cancel in yours: square each, then average."),
        finish=np.mean,
    ),
)


def _clouds(rng):
    cases = []
    for size, other, width in ((20, 30, 2), (40, 25, 3), (60, 60, 5)):
        real = rng.normal(size=(size, width)) @ rng.normal(size=(width, width))
        cases.append(dict(real=real, fake=rng.normal(size=(other, width)) @ rng.normal(size=(width, width)) + 1))
    return cases


def _root(matrix):
    values, vectors = np.linalg.eig(matrix)
    return (vectors * np.sqrt(np.maximum(values.real, 0)) @ np.linalg.inv(vectors)).real


def _parts(real, fake, cov=lambda points: np.cov(points, rowvar=False)):
    """The squared distance of the means, both covariances, and the root of their product."""
    first, second = cov(real), cov(fake)
    return ((real.mean(0) - fake.mean(0)) ** 2).sum(), first, second, _root(first @ second)


def _whole(means, first, second, root):
    return means + np.trace(first + second - 2 * root)


FRECHET_DISTANCE = Exercise(
    id="04.frechet_distance",
    title="The Fréchet distance",
    statement="Fit a Gaussian to each of two sets of feature vectors (N, D) and (M, D): mean m and covariance C "
              "(np.cov, with rowvar=False). Return |m1 - m2|^2 + trace(C1 + C2 - 2 (C1 C2)^(1/2)). The trace of the "
              "matrix root is the sum of the square roots of the eigenvalues of C1 C2, real and not negative.",
    reference=reference.frechet_distance,
    cases=_clouds,
    tolerance=1e-4,
    hints=(
        "Three parts: the means, the two traces, and the root.",
        "np.linalg.eigvals(C1 @ C2) gives the eigenvalues, with rounding errors: take .real and at least 0.",
        "difference @ difference + np.trace(C1 + C2) - 2 * np.sqrt(eigenvalues).sum().",
    ),
    wrong=_wrong(
        _parts,
        (lambda m, a, b, r: m, "Only the means: a generator that draws one and the same average image would pass."),
        (lambda m, a, b, r: m + np.trace(a + b - 2 * np.sqrt(a * b)),
         "In yours only the variances count: take the whole covariances, and C1 @ C2, not C1 * C2."),
        (lambda m, a, b, r: m + np.trace(a + b - r), "The root counts twice: - 2 * its trace."),
        (lambda m, a, b, r: m + np.trace(a + b + 2 * r), "The root is taken off, not added."),
        (lambda m, a, b, r: m - 2 * np.trace(r), "The traces of C1 and of C2 are missing."),
        (lambda m, a, b, r: m + np.trace(a + b), "The matrix root of C1 C2 is missing."),
        (lambda m, a, b, r: m + np.trace(a + b) - 2 * np.sqrt(np.trace(a @ b)),
         "The trace of the root, not the root of the trace: take the root of each eigenvalue first."),
        (lambda m, a, b, r: m + np.trace(a + b - 2 * a @ b), "The square root of each eigenvalue is missing."),
        (lambda m, a, b, r: m + np.trace(a + b) - 2 * np.sqrt(np.linalg.svd(a @ b)[1]).sum(),
         "Eigenvalues, not singular values: C1 C2 is not symmetric."),
        (lambda m, a, b, r: m + np.trace(a + b) - 2 * np.sqrt(np.maximum(np.linalg.eigvalsh(a @ b), 0)).sum(),
         "C1 C2 is not symmetric: eigvals, not eigvalsh."),
        (lambda m, a, b, r: m + (a + b - 2 * r).sum(), "np.trace, not the sum of the whole matrix."),
        (lambda m, a, b, r: m + np.trace(a + b - 2 * np.sqrt(a @ b)), "np.sqrt takes the root of each entry alone."),
        (lambda m, a, b, r: m + np.trace(a + b - 2 * _root(a) @ _root(b)), "The root of C1 @ C2, not roots of each."),
    ) + _wrong(
        lambda x, y: (x, y, x.mean(0) - y.mean(0), reference.frechet_distance(x - x.mean(0), y - y.mean(0))),
        (lambda x, y, d, c: np.sqrt(d @ d + c), "No root at the end: what is reported is the squared distance."),
        (lambda x, y, d, c: c, "The means are missing."),
        (lambda x, y, d, c: np.sqrt(d @ d) + c, "The distance of the means is squared: no root of it, np.linalg.norm."),
        (lambda x, y, d, c: d @ d / len(d) + c, "The means: a sum over the features, not an average."),
        (lambda x, y, d, c: d.mean() ** 2 + c, "Each feature has its own mean: axis=0. You took one over all of them."),
        (lambda x, y, d, c: d.sum() ** 2 + c, "Square each difference of the means, then sum."),
        (lambda x, y, d, c: ((x.mean(1) - y.mean(1)) ** 2).sum() + c, "One mean for each feature: axis=0."),
        (lambda x, y, d, c: ((x - y) ** 2).sum(1).mean() + c, "Points have no partners: compare the means alone."),
    ) + tuple(_wrong(lambda x, y, cov=cov: _parts(x, y, cov), (_whole, hint))[0] for cov, hint in (
        (lambda x: np.cov(x, rowvar=False, ddof=0), "Nearly: np.cov divides by N - 1, unless told otherwise."),
        (lambda x: np.corrcoef(x, rowvar=False), "Covariances, not correlations: the spread counts too."),
        (lambda x: x.T @ x / (len(x) - 1), "Take off the mean before you multiply: covariances are about it."),
        (np.cov, "np.cov takes rows for variables: rowvar=False, or transpose the points."))),
)


def _neighbours(rng):
    line = np.array([[0.0], [1.0], [2.0], [10.0]])
    cases = [dict(real=line, fake=np.array(fake)[:, None], k=1) for fake in ([0.5, 5, 30], [5.0, 30])]
    for size, other, k in ((12, 10, 1), (20, 15, 3), (25, 40, 5)):
        cases.append(dict(real=rng.normal(size=(size, 2)), fake=rng.normal(0.8, 0.6, size=(other, 2)), k=k))
    # as many generated points as real ones, so close together that some balls hold all; and balls that must be round
    far = dict(real=np.array([[0.0, 0], [3, 4], [100, 0], [104, 0]]), fake=np.array([[3.5, 3.9], [102, 3]]), k=1)
    return [*cases, dict(real=rng.normal(size=(16, 2)), fake=rng.normal(0, 0.3, size=(16, 2)), k=4), far]


def _distances(first, second, order=2):
    return np.linalg.norm(first[:, None] - second, axis=2, ord=order)


def _radius(points, k, order=2):
    return np.sort(_distances(points, points, order), axis=1)[:, k]


NORMS = ((1, "That is the Manhattan distance: balls are round, so square, sum and take the root."),
         (np.inf, "That is the largest coordinate's distance: balls are round, so square, sum and take the root."))

COVERAGE = Exercise(
    id="04.coverage",
    title="How much of the data is covered",
    statement="Around each real point (N, D) lies a ball that reaches to its k-th nearest other real point. Return the "
              "share of these balls that hold at least one generated point (M, D).",
    reference=reference.coverage,
    cases=_neighbours,
    hints=(
        "First the radii: the distances of all real points to each other, sorted in each row.",
        "A point is its own nearest, at distance 0: the k-th other one stands at index k.",
        "Then each real point's distance to the nearest generated one: is it inside the ball (<)? The mean of that.",
    ),
    wrong=_wrong(
        lambda real, fake, k: (_distances(real, fake), np.sort(_distances(real, real), axis=1), k),
        (lambda d, a, k: d.min(1) < a[:, k - 1],
         "Only k - 1 other real points count in yours: leave out the point itself, and generated ones."),
        (lambda d, a, k: d.min(1) < a[:, k + 1], "That is neighbour k + 1: leave out the point itself only once."),
        (lambda d, a, k: (d < a[:, [k]]).any(0), "That is precision, a share of *generated* points."),
        (lambda d, a, k: d < a[:, [k]], "A ball counts once, however full: any, then mean."),
        (lambda d, a, k: (d < a[:, [k]]).sum(1), "A ball counts once, however full: stop at its first point."),
        (lambda d, a, k: (d < a[:, [k]]).mean(0) * len(d) / k, "That is density: a ball counts once here."),
        (lambda d, a, k: (d < a[:, [k]]).all(1), "One generated point in a ball is enough: any, not all."),
        (lambda d, a, k: (d.min(1) < a[:, k]) * len(d) / d.shape[1], "Divide by the number of real points."),
        (lambda d, a, k: d.min(1) < a[:, k].mean(), "Each ball has its own radius, for dense and thin places."),
        (lambda d, a, k: d.min(1) < a[:, 1:k + 1].mean(1), "The k-th neighbour's distance alone, no mean."),
        (lambda d, a, k: d.min(1) < a[k], "Each row is sorted: take column k, [:, k], not row k."),
        (lambda d, a, k: d.min(0) < a[:, k], "Each real point's nearest generated one: the other axis."),
        (lambda d, a, k: d.min(1) < np.sort(d)[:, k - 1], "Radii are distances between real points."),
        (lambda d, a, k: d.min(1) ** 2 < a[:, k], "A squared distance against a radius that is not squared."),
        finish=np.mean,
    ) + _wrong(
        lambda real, fake, k: (real, fake, k),
        (lambda x, y, k: (_distances(x, y) < _radius(y, k)).any(1), "That is recall: its balls are around `fake`."),
        (lambda x, y, k: reference.coverage(y, x, min(k, len(y) - 1)),
         "Real and generated are the wrong way round: the balls are around the real points."),
        (lambda x, y, k: np.linalg.norm(x - y, axis=1) < _radius(x, k), "Each meets all: real[:, None] - fake."),
        (lambda x, y, k: _distances(x, y).min(1) < np.argsort(_distances(x, x))[:, k], "argsort gives no distances."),
        *((lambda x, y, k, order=order: _distances(x, y, order).min(1) < _radius(x, k, order), hint)
          for order, hint in NORMS),
        finish=np.mean,
    ),
)

TOPIC = Topic(number="04", package="gan", title="Generative adversarial networks", exercises=(
    OPTIMAL_DISCRIMINATOR, DISCRIMINATOR_LOSS, GENERATOR_LOSS, ZERO_CENTRED_PENALTY, FRECHET_DISTANCE, COVERAGE))
