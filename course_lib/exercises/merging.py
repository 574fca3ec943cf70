"""The exercises of notebook 06: neurons to match, paths to walk, teachers to follow."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.engine.exercise import Exercise, Topic, WrongAnswer
from course_lib.fusion.reference import softmax
from course_lib.merging import reference


def _layers(rng):
    fixed = (
        (np.eye(3)[:, [1, 2, 0]], np.zeros(3), np.eye(3), np.zeros(3)),  # going round, not just two that swap
        (np.eye(2), np.zeros(2), np.array([[5.0, 4], [4, 1]]), np.zeros(2)),  # one neuron is everybody's favourite
        (np.array([[1.0, 0.9]]), np.array([0.0, 1]), np.array([[1.0, 0.9]]), np.array([1.0, 0])),  # the bias decides
        (np.array([[4.5, 0.8], [2.2, 0.6]]), np.zeros(2), np.array([[1, 2.4], [0, 1.8]]), np.zeros(2)),  # sizes do
        (np.array([[2.0, 3, 0], [1, 3, -1]]), np.zeros(3), np.array([[2.0, -2, -1], [1, 1, -2]]), np.zeros(3)),
    )
    cases = list(fixed)
    for inputs, units, noise in ((4, 4, 0.1), (3, 5, 0.8), (6, 6, 3.0)):
        kernel, bias, order = rng.normal(size=(inputs, units)), rng.normal(size=units), rng.permutation(units)
        cases.append((kernel, bias, kernel[:, order] + noise * rng.normal(size=(inputs, units)),
                      bias[order] + noise * rng.normal(size=units)))
    return [dict(zip(("kernel", "bias", "target_kernel", "target_bias"), case, strict=True)) for case in cases]


def _similarity(kernel, bias, target_kernel, target_bias):
    return target_kernel.T @ kernel + np.outer(target_bias, bias)


def _assigned(similarity, maximize=True):
    from scipy.optimize import linear_sum_assignment

    return linear_sum_assignment(similarity, maximize=maximize)[1]


def _in_turn(similarity):
    order, left = [], similarity.copy()
    for row in range(len(left)):
        order.append(left[row].argmax())
        left[:, order[-1]] = -np.inf
    return np.array(order)


def _unit_length(kernel, bias):
    sizes = np.sqrt((kernel**2).sum(axis=0) + bias**2)
    return kernel / sizes, bias / sizes


MATCHING_ORDER = Exercise(
    id="06.matching_order",
    title="The same neurons, differently seated",
    statement="Two layers have a kernel (inputs, units) and a bias (units,). Seat the neurons of the first so that it "
              "resembles the second, the target, most: return whole numbers (units,), each neuron once, where entry i "
              "is the neuron that moves to place i. Most alike is the order with the largest sum, over all places, of "
              "the inner product of the neuron's weights and bias with those of the target's neuron there. No two "
              "orders tie.",
    reference=reference.matching_order,
    cases=_layers,
    hints=(
        "First a table (units, units): how much is each neuron of the target (row) like each of ours (column)?",
        "target_kernel.T @ kernel has all inner products of the weights; np.outer(target_bias, bias) adds the biases.",
        "scipy.optimize.linear_sum_assignment(table, maximize=True)[1] gives the column of each row. With few neurons "
        "you can also try every itertools.permutations.",
    ),
    wrong=(
        WrongAnswer(lambda *layers: np.argsort(reference.matching_order(*layers)),
                    "That says where each neuron goes, the inverse: entry i names the neuron that *comes to* place i."),
        WrongAnswer(lambda *layers: _similarity(*layers).argmax(axis=1),
                    "Each place takes its favourite, so one neuron may be seated twice and another not at all."),
        WrongAnswer(lambda *layers: _in_turn(_similarity(*layers)),
                    "First come, first served is not the best in total: the first place may take what another needs."),
        WrongAnswer(lambda *layers: _assigned(_similarity(*layers), maximize=False),
                    "That makes the sum smallest: linear_sum_assignment minimises unless told maximize=True."),
        WrongAnswer(lambda kernel, bias, other, shift: _assigned(other.T @ kernel),
                    "The biases belong to the neurons, too: add np.outer(target_bias, bias)."),
        WrongAnswer(lambda kernel, bias, other, shift: _assigned(_similarity(*_unit_length(kernel, bias),
                                                                             *_unit_length(other, shift))),
                    "You compare directions only: take the inner products as they are, not divided by the lengths."),
        WrongAnswer(lambda kernel, bias, *target: np.arange(len(bias)),
                    "0, 1, 2, ...: everyone stays. (linear_sum_assignment gives rows and columns: take the columns.)"),
        WrongAnswer(lambda kernel, bias, target_kernel, target_bias: _assigned(
            np.sqrt(((target_kernel[:, :, None] - kernel[:, None]) ** 2).sum(axis=0)
                    + (target_bias[:, None] - bias) ** 2), maximize=False),
                    "You minimise distances; the sum of inner products (or of *squared* distances) is asked."),
    ),
)


def _paths(rng):
    fixed = ([1, 1, 1], [0, 3, 1, 1, 2], [0, 1, 2], [2, 0.5, 0, 0.2, 1], [1, 2, 4, 3, 0.5], [0, 1, 2, 4, 3],
             [0, 3, 3.2, 3.4, 4])  # the highest loss is the last: it is not above the line at all
    cases = [dict(losses=np.array(losses, float)) for losses in fixed]
    for size in (5, 11, 21):
        hill = rng.uniform(0.5, 3) * np.sin(np.linspace(0, np.pi, size)) ** 2
        cases.append(dict(losses=np.linspace(*rng.uniform(0, 2, 2), size) + hill + 0.1 * rng.random(size)))
    return cases


def _line(losses):
    return np.linspace(losses[0], losses[-1], len(losses))


BARRIER = Exercise(
    id="06.barrier",
    title="How high is the pass?",
    statement="`losses` (K,), K at least 3, were measured at equal steps on the straight way from one network to "
              "another, both ends included. Return the most by which they exceed the straight line from the first "
              "loss to the last: 0 if they never do.",
    reference=reference.barrier,
    cases=_paths,
    hints=(
        "Draw the losses, and a straight line from the first to the last. How far is each point above it?",
        "np.linspace(losses[0], losses[-1], len(losses)) is that line.",
        "The largest of losses minus line. At both ends that is 0, so it is never negative.",
    ),
    wrong=(
        WrongAnswer(lambda losses: float(losses.max() - (losses[0] + losses[-1]) / 2),
                    "You compare with the mean of both ends: then a mere slope counts as a hill. Use the line."),
        WrongAnswer(lambda losses: float(losses.max() - losses.min()),
                    "Highest less lowest: then even a valley would be a barrier. Compare with the line."),
        WrongAnswer(lambda losses: float((losses - _line(losses))[len(losses) // 2]),
                    "You look at the middle only: the pass may be anywhere on the way."),
        WrongAnswer(lambda losses: float((losses - _line(losses))[1:-1].max()),
                    "You left out the ends: there the excess is 0, and a barrier is never negative."),
        WrongAnswer(lambda losses: float(max(0, (losses - _line(losses))[losses.argmax()])),
                    "The highest loss need not be highest above the line: take the largest of all differences."),
        WrongAnswer(lambda losses: float(losses.max()), "That is the highest loss, not how far it is above the line."),
        WrongAnswer(lambda losses: float((losses - _line(losses)).mean()), "The largest difference, not their mean."),
        WrongAnswer(lambda losses: float((losses - _line(losses)).sum()), "The largest difference, not their sum."),
        WrongAnswer(lambda losses: int((losses - _line(losses)).argmax()), "That is where it is: max, not argmax."),
        WrongAnswer(lambda losses: float((_line(losses) - losses).max()),
                    "The other way round: how far are the losses *above* the line?"),
        WrongAnswer(lambda losses: float((losses - losses[0] - (losses[-1] - losses[0]) * np.arange(len(losses))
                                          / len(losses)).max()),
                    "There is one step less than there are points: your line does not reach the last loss."),
        WrongAnswer(lambda losses: float((losses - np.polyval(np.polyfit(np.arange(len(losses)), losses, 1),
                                                              np.arange(len(losses)))).max()),
                    "The line goes through the first and the last loss, not through the middle of all."),
        WrongAnswer(lambda losses: float(losses.max() - losses[0]), "Take off the line, not the first loss alone."),
        WrongAnswer(lambda losses: float((losses - _line(losses))[1]),
                    "Look at every point on the way, not at the first."),
        WrongAnswer(lambda losses: float(losses.max() - max(losses[0], losses[-1])),
                    "You compare with the worse end: near the better one a smaller loss is a hill already."),
        WrongAnswer(lambda losses: float((losses - _line(losses)[::-1]).max()),
                    "Your line runs the wrong way: it must begin at the first loss."),
        WrongAnswer(lambda losses: float(np.abs(losses - _line(losses)).max()),
                    "No absolute values: below the line is no barrier."),
    ),
)


def _lessons(rng):
    log2, log3 = np.log(2), np.log(3)
    fixed = (([[0, log3]], [[0, 0]], [0], 1.0, 1.0), ([[0, log3]], [[0, 0]], [0], 1.0, 0.0),
             ([[0, 2 * log3]], [[2 * log2, 0]], [1], 2.0, 1.0), ([[0, 2 * log3]], [[0, 2 * log3]], [1], 2.0, 0.5))
    fixed = (*fixed, ([[1000, 1000 + log3]], [[-1000, -1000]], [0], 1.0, 0.5))  # whose exponentials overflow
    cases = [(np.array(own, float), np.array(other, float), np.array(y), *rest) for own, other, y, *rest in fixed]
    for size, classes, temperature, share in ((3, 3, 4.0, 0.9), (5, 4, 2.0, 0.3), (4, 10, 3.0, 0.7)):
        logits, teacher = rng.normal(0, 2, (2, size, classes))
        cases.append((logits, teacher, rng.integers(classes, size=size), temperature, share))
    return [dict(zip(("logits", "teacher_logits", "y", "temperature", "share"), case, strict=True)) for case in cases]


def _divergence(first, second):
    return (first * np.log(first / second)).sum(axis=1)


def _entropy(logits, y):
    return -np.log(softmax(logits))[np.arange(len(y)), y]


def _sum(scale, soft, share, hard):
    return float(share * scale**2 * np.mean(soft) + (1 - share) * np.mean(hard))


DISTILLATION_LOSS = Exercise(
    id="06.distillation_loss",
    title="What the teacher nearly said",
    statement="`logits` and `teacher_logits` are (B, C), the classes `y` (B,) whole numbers. Return share * "
              "temperature^2 * KL(teacher || student) + (1 - share) * cross-entropy, each the mean over the batch. In "
              "the KL divergence, the sum over classes of p_teacher * log(p_teacher / p_student), both softmaxes are "
              "of logits divided by `temperature`. The cross-entropy, -log p_student(y), is of the student's logits as "
              "they are.",
    reference=reference.distillation_loss,
    cases=_lessons,
    hints=(
        "Three softmaxes: the teacher's softened, the student's softened, and the student's as it is.",
        "KL: teacher * (log teacher - log student), both softened; sum over classes (axis 1), then mean over examples.",
        "Cross-entropy: -np.log(p)[np.arange(len(y)), y].mean(), with p not softened. Then put both together.",
    ),
    wrong=(
        WrongAnswer(lambda z, t, y, T, s: _sum(1, _divergence(softmax(t / T), softmax(z / T)), s, _entropy(z, y)),
                    "temperature^2 is missing: without it the teacher's gradient fades as the temperature grows."),
        WrongAnswer(lambda z, t, y, T, s: _sum(np.sqrt(T), _divergence(softmax(t / T), softmax(z / T)), s,
                                               _entropy(z, y)),
                    "The factor is temperature^2, not the temperature: the gradient shrinks with its square."),
        WrongAnswer(lambda z, t, y, T, s: _sum(T, _divergence(softmax(z / T), softmax(t / T)), s, _entropy(z, y)),
                    "Your KL divergence is the other way round: the teacher's probabilities weight the logs."),
        WrongAnswer(lambda z, t, y, T, s: _sum(T, _divergence(softmax(t), softmax(z / T)), s, _entropy(z, y)),
                    "You softened the student only: divide the teacher's logits by the temperature, too."),
        WrongAnswer(lambda z, t, y, T, s: _sum(T, _divergence(softmax(t / T), softmax(z / T)), s, _entropy(z / T, y)),
                    "You softened the cross-entropy as well: labels have no temperature, take the logits as they are."),
        WrongAnswer(lambda z, t, y, T, s: _sum(T, -(softmax(t / T) * np.log(softmax(z / T))).sum(axis=1), s,
                                               _entropy(z, y)),
                    "That is the softened cross-entropy: in the KL divergence log p_teacher comes first."),
        WrongAnswer(lambda z, t, y, T, s: _sum(T, _divergence(softmax(t.T / T).T, softmax(z.T / T).T), s, -np.log(
            softmax(z.T).T)[np.arange(len(y)), y]), "Your softmax runs over the batch: it belongs to the classes."),
        WrongAnswer(lambda z, t, y, T, s: _sum(T, _divergence(softmax(t / T), softmax(z)), s, _entropy(z, y)),
                    "You softened the teacher only: divide the student's logits by the temperature, too."),
        WrongAnswer(lambda z, t, y, T, s: _sum(T, _divergence(softmax(t * T), softmax(z * T)), s, _entropy(z, y)),
                    "Divide the logits by the temperature; you multiply: that sharpens."),
        WrongAnswer(lambda z, t, y, T, s: T**2 * _sum(1, _divergence(softmax(t / T), softmax(z / T)), s,
                                                      _entropy(z, y)),
                    "temperature^2 belongs to the divergence alone, not to the cross-entropy."),
        WrongAnswer(lambda z, t, y, T, s: _sum(T, _divergence(softmax(t / T), softmax(z / T)), s, -_entropy(z, y)),
                    "The sign of the cross-entropy: -log p is positive."),
        WrongAnswer(lambda z, t, y, T, s: _sum(T, _divergence(softmax(t / T), softmax(z / T)), s, _entropy(t, y)),
                    "The cross-entropy is the student's, not the teacher's."),
        WrongAnswer(lambda z, t, y, T, s: _sum(T, _divergence(softmax(t / T), softmax(z / T)), s, -np.log(
            softmax(z))[:, y]), "[:, y] takes these columns of every row: each row's own class, [np.arange(B), y]."),
        WrongAnswer(lambda z, t, y, T, s: _sum(T, (softmax(t / T) * (t - z) / T).sum(axis=1), s, _entropy(z, y)),
                    "Logits are no logarithms of probabilities: take the log of a softmax."),
        WrongAnswer(lambda z, t, y, T, s: reference.distillation_loss(z, t, y, T, 1 - s),
                    "The shares are swapped: `share` is the teacher's."),
        WrongAnswer(lambda z, t, y, T, s: len(y) * reference.distillation_loss(z, t, y, T, s),
                    "The mean over the batch, not the sum: else the loss grows with the batch."),
        WrongAnswer(lambda z, t, y, T, s: _sum(T, _divergence(softmax(t / T), softmax(z / T)) / z.shape[1], s,
                                               _entropy(z, y)),
                    "You averaged the divergence over the classes, too: sum over them, and average over the batch."),
        WrongAnswer(lambda z, t, y, T, s: _sum(T, _divergence(softmax(t / T), softmax(z / T)), s,
                                               -z[np.arange(len(y)), y]),
                    "Your cross-entropy takes the logit of y as it is: it needs the log of a softmax."),
    ),
)


def _experts(rng):
    fixed = [([[[1.0]], [[2.0]]], [[[0.0]], [[5.0]]]), ([[[1.0, 0], [0, 1]], [[2.0, 0], [0, 0]]],
                                                        [[[1.0], [2]], [[6.0], [9]]])]
    cases = [tuple([np.array(values, float) for values in each] for each in case) for case in fixed]
    for sizes, features, units in (((5, 5), 3, 2), ((9, 4, 6), 4, 3), ((30, 6), 5, 1)):
        cases.append(([scale * rng.normal(size=(size, features)) for scale, size in enumerate(sizes, 1)],
                      [rng.normal(size=(features, units)) for _ in sizes]))
    return [dict(inputs=inputs, kernels=kernels) for inputs, kernels in cases]


def _solved(gram=lambda x: x.T @ x, *, wanted=lambda gram, kernel: gram @ kernel, total=sum, ridge=0.0):
    """RegMean with one part exchanged."""
    def regmean(inputs, kernels):
        grams = [gram(x) for x in inputs]
        left = total(grams) + ridge * np.eye(len(grams[0]))
        return np.linalg.solve(left, sum(map(wanted, grams, kernels)))

    return regmean


REGMEAN = Exercise(
    id="06.regmean",
    title="Nearest to what each expert says",
    statement="Some experts have the same linear layer, with kernels of their own. `inputs` is a list of arrays "
              "(N_m, F), what each expert's layer was shown, `kernels` a list of (F, U). Return the one kernel (F, U) "
              "that minimises the sum over the experts of ||X_m W - X_m W_m||^2. All inputs together have rank F.",
    reference=reference.regmean,
    cases=_experts,
    hints=(
        "It is least squares: set the derivative by W to zero, sum of X_m^T (X_m W - X_m W_m) = 0.",
        "So (sum of X_m^T X_m) W = sum of X_m^T X_m W_m: np.linalg.solve(left, right).",
        "One expert's own X_m^T X_m may have no inverse: invert the sum alone.",
    ),
    wrong=tuple(WrongAnswer(*pair) for pair in (
        (lambda inputs, kernels: np.mean(kernels, axis=0), "A plain mean: an expert counts where it saw much."),
        (lambda inputs, kernels: sum(len(x) * k for x, k in zip(inputs, kernels, strict=True)) / sum(map(len, inputs)),
         "Weighing by the number of rows is not enough: X^T X says in which directions they lie."),
        (_solved(lambda x: np.diag((x**2).sum(axis=0))), "You kept the diagonal of X^T X alone: take all of it."),
        (_solved(lambda x: x.T @ x / len(x)), "Not the mean over an expert's rows: each row counts once, so the sum."),
        (_solved(wanted=lambda gram, kernel: kernel), "On the right, too, X^T X stands before each kernel."),
        *((_solved(ridge=ridge), f"A ridge of {ridge:g} pulls the kernel to 0: none is asked for.")
          for ridge in (1e-3, 1e-2, 0.1, 1.0)),
        (lambda inputs, kernels: sum(x.T @ x @ k for x, k in zip(inputs, kernels, strict=True)),
         "That is the right side: solve for W with the sum of X^T X on the left."),
    )),
)

TOPIC = Topic(number="06", package="merging", title="Merging", exercises=(
    MATCHING_ORDER, BARRIER, REGMEAN, DISTILLATION_LOSS))
