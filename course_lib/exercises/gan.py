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


def _log_sigmoid(x):
    return -_softplus(-x)


def _sigmoid(x):
    return 0.5 + 0.5 * np.tanh(np.asarray(x, np.float64) / 2)


def _naive_softplus(x):
    with np.errstate(over="ignore"):
        return np.log(1 + np.exp(x))


def _clipped(logits, least, *, inside=False):
    """-log of a sigmoid that is kept away from 0, by a bound or by a number inside of the logarithm."""
    p = _sigmoid(logits)
    return -np.log(p + least if inside else np.clip(p, least, 1 - least))


def _each(real, fake):
    return _softplus(-real) + _softplus(fake)


LOG_OF_NEARLY_0 = "A bound or a small number inside the log makes large losses too small: use softplus."

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
    wrong=(
        WrongAnswer(lambda real, fake: reference.discriminator_loss(fake, real),
                    "Real and generated are the wrong way round: a high logit means real."),
        WrongAnswer(lambda real, fake: reference.discriminator_loss(real, fake) / 2,
                    "The sum of both parts, not their mean: two logits of 0 cost 2 log 2."),
        WrongAnswer(lambda real, fake: float((_softplus(-real) + _softplus(fake)).sum()),
                    "A mean over the batch, not a sum: else the loss grows with the batch."),
        WrongAnswer(lambda real, fake: float((_log_sigmoid(real) + _log_sigmoid(-fake)).mean()),
                    "The sign: that is the value which the discriminator makes large. A loss is made small."),
        *(WrongAnswer(lambda real, fake, least=least, inside=inside: float((
            _clipped(real, least, inside=inside) + _clipped(-fake, least, inside=inside)).mean()),
            f"{LOG_OF_NEARLY_0} (Yours: {least:g}.)" if number else LOG_OF_NEARLY_0)
          for number, (least, inside) in enumerate(((1e-7, False), (1e-8, True), (1e-12, True), (1e-10, True)))),
        WrongAnswer(lambda real, fake: float(_each(real, fake).mean() / np.log(2)),
                    "Logarithms to base 2: the loss has natural ones."),
        WrongAnswer(lambda real, fake: float((np.maximum(1 - real, 0) + np.maximum(1 + fake, 0)).mean()),
                    "That is the hinge loss."),
        WrongAnswer(lambda real, fake: float((fake - real).mean()), "That is Wasserstein's loss: no logarithm in it."),
        WrongAnswer(lambda real, fake: float(_softplus(fake - real).mean()),
                    "That is the relativistic loss: here each image is judged by itself."),
        WrongAnswer(lambda real, fake: float(_each(real, fake)[0]), "That is the first pair's loss: mean over all."),
        WrongAnswer(lambda real, fake: float(_each(real, fake)[0] / len(real)),
                    "Your loop returns in its first round: the first pair's loss, over B."),
        WrongAnswer(lambda real, fake: float(-np.log(_sigmoid(real).mean()) - np.log(1 - _sigmoid(fake).mean())),
                    "First the logarithm of each, then the mean: you took the log of a mean."),
        WrongAnswer(lambda real, fake: float(0.9 * _softplus(-real).mean() + 0.1 * _softplus(real).mean()
                                             + _softplus(fake).mean()), "No smoothed labels: real images count 1."),
        WrongAnswer(lambda real, fake: float((_naive_softplus(-real) + _naive_softplus(fake)).mean()),
                    "For large logits e^l overflows, or the logarithm meets a 0: use softplus."),
        WrongAnswer(lambda real, fake: float(_softplus(-real).mean()),
                    "The generated images are missing: it must learn to refuse them too."),
        WrongAnswer(lambda real, fake: float((_softplus(-real) + _softplus(-fake)).mean()),
                    "That asks it to call generated images real; their part is softplus(fake)."),
        WrongAnswer(lambda real, fake: reference.discriminator_loss(1 / (1 + np.exp(-real)), 1 / (1 + np.exp(-fake))),
                    "The sigmoid stands in the softplus already: yours is applied twice."),
    ),
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
    wrong=(
        WrongAnswer(lambda real, fake: reference.generator_loss(real, fake, "minimax"),
                    "That is the minimax loss, log(1 - D): where the discriminator wins, it is flat."),
        WrongAnswer(lambda real, fake: float(_softplus(fake).mean()),
                    "That teaches the generator to be found out: the sign of the logit is wrong."),
        WrongAnswer(lambda real, fake: float(_log_sigmoid(fake).mean()),
                    "The sign: log D is to be made large, so the loss is -log D."),
        WrongAnswer(lambda real, fake: float(_softplus(-real).mean()),
                    "Only the generated images depend on the generator: use `fake`."),
        WrongAnswer(lambda real, fake: float(_softplus(-fake).sum()), "A mean over the batch, not a sum."),
        WrongAnswer(lambda real, fake: reference.generator_loss(real, 1 / (1 + np.exp(-fake))),
                    "The sigmoid stands in the softplus already: yours is applied twice."),
        WrongAnswer(lambda real, fake: float(-fake.mean()), "That is the loss of hinge and Wasserstein GANs."),
        *(WrongAnswer(lambda real, fake, least=least, inside=inside: float(_clipped(fake, least, inside=inside).mean()),
                      f"{LOG_OF_NEARLY_0} (Yours: {least:g}.)" if number else LOG_OF_NEARLY_0)
          for number, (least, inside) in enumerate(((1e-7, False), (1e-8, True), (1e-12, True), (1e-10, True)))),
        WrongAnswer(lambda real, fake: float(_softplus(real - fake).mean()),
                    "That is the relativistic loss: here `fake` alone counts."),
        WrongAnswer(lambda real, fake: float(_softplus(-fake)[0]), "That is the first image's loss: mean over all."),
        WrongAnswer(lambda real, fake: float(_softplus(-fake)[0] / len(fake)),
                    "Your loop returns in its first round: the first image's loss, over B."),
        WrongAnswer(lambda real, fake: float(-np.log(_sigmoid(fake).mean())),
                    "First the logarithm of each, then the mean: you took the log of a mean."),
        WrongAnswer(lambda real, fake: float(_softplus(-fake.mean())),
                    "First each image's loss, then the mean: you took the loss of the mean logit."),
        WrongAnswer(lambda real, fake: float(((_sigmoid(fake) - 1) ** 2).mean()), "That is the least-squares loss."),
        WrongAnswer(lambda real, fake: float(((_sigmoid(fake) - 1) ** 2).mean() / 2),
                    "That is half the least-squares loss: a logarithm is wanted."),
        WrongAnswer(lambda real, fake: float(_each(real, fake).mean()), "That is the discriminator's loss."),
        WrongAnswer(lambda real, fake: float(_softplus(-np.concatenate([real, fake])).mean()),
                    "The real images are none of the generator's: mean over `fake` alone."),
        WrongAnswer(lambda real, fake: float(_naive_softplus(-fake).mean()),
                    "For large logits e^l overflows, or the logarithm meets a 0: use softplus."),
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
    wrong=(
        WrongAnswer(lambda p_real, p_fake: p_fake / (p_real + p_fake), "That is the probability of *generated*."),
        WrongAnswer(lambda p_real, p_fake: p_real / np.maximum(p_fake, 1e-9),
                    "That is the ratio of the densities; D is a probability, from 0 to 1."),
        WrongAnswer(lambda p_real, p_fake: (p_real > p_fake) * 1.0,
                    "That is the best verdict, not the best probability: near p_real = p_fake it must be near 1/2."),
        WrongAnswer(lambda p_real, p_fake: p_real / (p_real.sum() + p_fake.sum()),
                    "Each place for itself: do not sum over the places."),
        WrongAnswer(lambda p_real, p_fake: p_real - p_fake,
                    "A difference is no probability. Set the derivative by D to zero."),
        WrongAnswer(lambda p_real, p_fake: np.full_like(p_real, 0.5),
                    "1/2 is right only where both densities are equal: at the very end of the game."),
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
    wrong=(
        WrongAnswer(lambda gradient: float((gradient**2).mean() / 2),
                    "You averaged over the pixels too: then the penalty would fade as images grow."),
        WrongAnswer(lambda gradient: float((gradient**2).sum() / 2), "A mean over the batch, not a sum."),
        WrongAnswer(lambda gradient: float((gradient**2).sum(axis=1).mean() / 2),
                    "An image has more than one axis: sum over all axes but the first."),
        WrongAnswer(lambda gradient: float((gradient**2).sum(axis=-1).mean() / 2),
                    "You summed over the last axis alone: sum over all axes but the first."),
        WrongAnswer(lambda gradient: float((_norms(gradient) ** 2).mean()),
                    "The half is missing (gamma / 2 in the paper)."),
        WrongAnswer(lambda gradient: float(_norms(gradient).mean() / 2), "The squared norm, not the norm."),
        WrongAnswer(lambda gradient: float(((_norms(gradient) - 1) ** 2).mean()),
                    "That is WGAN-GP's: it pulls the norms to 1; R1 pulls them to 0."),
        WrongAnswer(lambda gradient: float(_norms(gradient).mean() ** 2 / 2),
                    "Square each norm, then take the mean: you squared the mean norm."),
        WrongAnswer(lambda gradient: float(((_norms(gradient) - 1) ** 2).mean() / 2),
                    "That pulls the norms to 1, as WGAN-GP does; R1 pulls them to 0."),
        WrongAnswer(lambda gradient: float((gradient**2).sum(axis=0).mean() / 2),
                    "You summed over the batch: sum over each image's entries, then take the mean over the batch."),
        WrongAnswer(lambda gradient: float((gradient.reshape(len(gradient), -1).sum(axis=1) ** 2).mean() / 2),
                    "Square each entry, then sum: you squared the sum."),
        WrongAnswer(lambda gradient: float(np.abs(gradient).reshape(len(gradient), -1).sum(axis=1).mean() / 2),
                    "Squares, not absolute values."),
        WrongAnswer(lambda gradient: float((np.abs(gradient).reshape(len(gradient), -1).sum(1) ** 2).mean() / 2),
                    "The norm is the root of the sum of squares, not the sum of absolute values."),
        WrongAnswer(lambda gradient: float((_norms(gradient)[0] ** 2) / 2), "That is the first image: mean over all."),
        WrongAnswer(lambda gradient: float((_norms(gradient)[0] ** 2) / 2 / len(gradient)),
                    "Your loop returns in its first round: the first image's part, over B."),
        WrongAnswer(lambda gradient: float((gradient**2).sum() / 2 / gradient.shape[1]),
                    "Divide by the batch size, the length of the first axis."),
        WrongAnswer(lambda gradient: float((gradient.mean(axis=0) ** 2).sum() / 2),
                    "First square each image's gradient, then average: opposite gradients must not cancel."),
    ),
)


def _clouds(rng):
    cases = []
    for size, other, width in ((20, 30, 2), (40, 25, 3), (60, 60, 5)):
        real = rng.normal(size=(size, width)) @ rng.normal(size=(width, width))
        cases.append(dict(real=real, fake=rng.normal(size=(other, width)) @ rng.normal(size=(width, width)) + 1))
    return cases


def _diagonal(real, fake):
    return float(((real.mean(0) - fake.mean(0)) ** 2).sum() + ((real.std(0, ddof=1) - fake.std(0, ddof=1)) ** 2).sum())


def _means(real, fake):
    return float(((real.mean(0) - fake.mean(0)) ** 2).sum())


def _entrywise(real, fake):
    first, second = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    return _means(real, fake) + float(np.trace(first + second)
                                      - 2 * np.sqrt(np.maximum(np.diag(first @ second), 0)).sum())


def _shrunk(points):  # so that np.cov gives what it would give if it divided by N
    return points.mean(0) + (points - points.mean(0)) * np.sqrt(1 - 1 / len(points))


def _parts(real, fake):
    """The squared distance of the means, both covariances, and the trace of the root of their product."""
    first, second = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    return _means(real, fake), first, second, np.sqrt(np.maximum(np.linalg.eigvals(first @ second).real, 0)).sum()


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
    wrong=(
        WrongAnswer(_means, "Only the means: a generator that draws one and the same average image would pass."),
        WrongAnswer(_diagonal,
                    "That ignores how features vary together: use the whole covariance matrices."),
        *(WrongAnswer(lambda real, fake, part=part: part(*_parts(real, fake)), hint) for part, hint in (
            (lambda m, c1, c2, root: m + np.trace(c1 + c2) - root, "The root counts twice: - 2 * its trace."),
            (lambda m, c1, c2, root: m + np.trace(c1 + c2) + 2 * root, "The root is taken off, not added."),
            (lambda m, c1, c2, root: m + np.trace(c1 + c2) - 2 * np.sqrt(np.trace(c1 @ c2)),
             "The trace of the root, not the root of the trace: take the root of each eigenvalue first."),
            (lambda m, c1, c2, root: m + np.trace(c1 + c2) - 2 * np.trace(c1 @ c2),
             "The square root is missing: take the root of each eigenvalue."),
            (lambda m, c1, c2, root: m + np.trace(c1 + c2) - 2 * np.sqrt(np.linalg.svd(c1 @ c2)[1]).sum(),
             "Eigenvalues, not singular values: C1 C2 is not symmetric."),
            (lambda m, c1, c2, root: m + np.trace(c1 + c2) - 2 * np.sqrt(
                np.maximum(np.linalg.eigvalsh(c1 @ c2), 0)).sum(), "C1 C2 is not symmetric: eigvals, not eigvalsh."),
            (lambda m, c1, c2, root: m + (c1 + c2).sum() - 2 * root, "The trace is the sum of the diagonal alone."),
            (lambda m, c1, c2, root: m / len(c1) + np.trace(c1 + c2) - 2 * root,
             "The squared distance of the means is a sum over the features, not their mean."),
        )),
        WrongAnswer(_entrywise, "np.sqrt of a matrix takes the root of each entry: that is not the matrix root."),
        WrongAnswer(lambda real, fake: reference.frechet_distance(_shrunk(real), _shrunk(fake)),
                    "Nearly: np.cov divides by N - 1, unless it is told otherwise."),
        WrongAnswer(lambda real, fake: float(np.sqrt(max(reference.frechet_distance(real, fake), 0))),
                    "Without the root at the end: what is reported is the squared distance."),
        WrongAnswer(lambda real, fake: reference.frechet_distance(real, fake) - _means(real, fake),
                    "The means are missing."),
        WrongAnswer(lambda real, fake: reference.frechet_distance(real, fake) - _means(real, fake)
                    + float(np.linalg.norm(real.mean(0) - fake.mean(0))),
                    "The distance of the means is squared: without the root of np.linalg.norm."),
    ),
)


def _neighbours(rng):
    line = np.array([[0.0], [1.0], [2.0], [10.0]])
    cases = [dict(real=line, fake=np.array(fake)[:, None], k=1) for fake in ([0.5, 5, 30], [5.0, 30])]
    for size, other, k in ((12, 10, 1), (20, 15, 3), (25, 40, 5)):
        cases.append(dict(real=rng.normal(size=(size, 2)), fake=rng.normal(0.8, 0.6, size=(other, 2)), k=k))
    return cases


def _distances(first, second):
    return np.linalg.norm(first[:, None] - second, axis=2)


def _radius(points, k):
    return np.sort(_distances(points, points), axis=1)[:, k]


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
    wrong=(
        WrongAnswer(lambda real, fake, k: float((_distances(real, fake).min(1) < _radius(real, k - 1)).mean()),
                    "You counted the point itself as its first neighbour, at distance 0."),
        WrongAnswer(lambda real, fake, k: float((_distances(real, fake) < _radius(real, k)[:, None]).any(0).mean()),
                    "That is precision: the share of *generated* points in some real ball."),
        WrongAnswer(lambda real, fake, k: float((_distances(real, fake) < _radius(fake, k)).any(1).mean()),
                    "That is recall: there the balls are around the generated points, and outliers make them wide."),
        WrongAnswer(lambda real, fake, k: float((_distances(real, fake) < _radius(real, k)[:, None]).mean()),
                    "A ball counts once, however many generated points it holds: any, then mean."),
        WrongAnswer(lambda real, fake, k: reference.coverage(fake, real, min(k, len(fake) - 1)),
                    "Real and generated are the wrong way round: the balls are around the real points."),
        WrongAnswer(lambda real, fake, k: float((_distances(real, fake).min(1) < _radius(real, k).mean()).mean()),
                    "Each ball has its own radius: that is how it adapts to dense and thin places."),
    ),
)


def _rings(rng):
    cases = []
    for modes, kept, size in ((8, 8, 200), (8, 3, 100), (5, 1, 60), (4, 2, 10)):
        angle = 2 * np.pi * np.arange(modes) / modes
        centres = 2 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        points = centres[rng.integers(kept, size=size)] + 0.1 * rng.normal(size=(size, 2))
        points[0] = centres[-1]  # a single stray
        points[1:1 + size // 5] = 1.5 * centres[-2]  # many, but too far out
        cases.append(dict(points=points, centres=centres, radius=0.3, least=0.02 if size > 50 else 0.3))
    quarter = np.array([[0.0, 0.0], [3.0, 0.0], [3.1, 0.0], [2.9, 0.0]])
    wide = np.array([[1.7, 0.0], [0.0, -1.7], [-1.2, 1.2], [9.0, 8.0]])  # their squared distances are above 2
    return [*cases, dict(points=quarter, centres=np.array([[0.0, 0.0], [3.0, 0.0]]), radius=0.5, least=0.25),
            dict(points=wide, centres=np.array([[0.0, 0.0], [9.0, 9.0]]), radius=2.0, least=0.5)]


def _near(points, centres, radius):
    return _distances(points, centres) <= radius


MODES_FOUND = Exercise(
    id="04.modes_found",
    title="Counting the modes",
    statement="A mode counts as found if at least a share `least` of all points (N, D) lie within `radius` of its "
              "centre. Return how many of the centres (K, D) are found.",
    reference=reference.modes_found,
    cases=_rings,
    hints=(
        "points[:, None] - centres has shape (N, K, D): every point against every centre.",
        "np.linalg.norm(..., axis=2) <= radius is a table of booleans (N, K). Its mean over the points is the share.",
        "Count the centres whose share is at least `least`.",
    ),
    wrong=(
        WrongAnswer(lambda points, centres, radius, least: int(_near(points, centres, radius).any(0).sum()),
                    "One stray point is not enough: compare the *share* of points with `least`."),
        WrongAnswer(lambda points, centres, radius, least: len(np.unique(_distances(points, centres).argmin(1))),
                    "Every point is nearest to some centre, however far away: look at the radius."),
        WrongAnswer(lambda points, centres, radius, least: int((_near(points, centres, radius).mean(0) > least).sum()),
                    "At least a share `least`: exactly that share is enough (>=)."),
        WrongAnswer(lambda points, centres, radius, least: int((_near(points, centres, radius).mean(1) >= least).sum()),
                    "You counted points, not centres: average over the other axis."),
        WrongAnswer(lambda points, centres, radius, least: float((_near(points, centres, radius).mean(0) >= least
                                                                  ).mean()),
                    "The number of modes, not their share."),
    ),
)

TOPIC = Topic(number="04", package="gan", title="Generative adversarial networks", exercises=(
    DISCRIMINATOR_LOSS, GENERATOR_LOSS, OPTIMAL_DISCRIMINATOR, ZERO_CENTRED_PENALTY, FRECHET_DISTANCE, COVERAGE,
    MODES_FOUND))
