"""The exercises of notebook 07: rewards, remedies and searches."""

from __future__ import annotations

from functools import wraps

import numpy as np

from course_lib.exercises.exercise import Exercise, Topic, WrongAnswer
from course_lib.exercises.tuning_quiz import QUESTIONS
from course_lib.tuning import reference, search


def _listed(function):
    """A function whose outputs are a list, as an exercise has them, not a tuple."""
    @wraps(function)
    def listed(*given):
        return list(function(*given))

    return listed


def _mistake(function, hint):
    return WrongAnswer(_listed(function), hint)


def _decisions(rng):
    cases = []
    for runs in (1, 4, 7):
        ended, lost = np.arange(runs) % 2 == 0, np.arange(runs) % 4 == 2
        cases.append(dict(before=rng.uniform(0.2, 3, runs), after=rng.uniform(0.2, 3, runs),
                          accuracy=rng.uniform(0.3, 1, runs), ended=ended, lost=lost, bonus=float(rng.uniform(0.5, 2))))
    return cases


REWARD = Exercise(
    id="07.tuning_reward",
    title="What is a decision worth?",
    statement="Of K runs: validation losses `before` and `after` the decision, `accuracy`, and whether each has "
              "`ended` or `lost` its numbers, (K,) each. Return rewards (K,): by how much the logarithm of the loss "
              "has fallen, and `bonus` times the accuracy for a run that has ended and is not lost.",
    reference=reference.tuning_reward,
    cases=_decisions,
    hints=(
        "A fall is positive: log(before) - log(after).",
        "ended & ~lost is True where there is a bonus, and counts as 1 in a product.",
        "np.log(before / after) + bonus * accuracy * (ended & ~lost)",
    ),
    wrong=(
        WrongAnswer(lambda before, after, accuracy, ended, lost, bonus: reference.tuning_reward(
            after, before, accuracy, ended, lost, bonus), "The sign: a loss that falls must earn something."),
        WrongAnswer(lambda before, after, accuracy, ended, lost, bonus: before - after + bonus * accuracy * (
            ended & ~lost), "You take the fall of the loss itself; the logarithm makes easy and hard tasks alike."),
        WrongAnswer(lambda before, after, accuracy, ended, lost, bonus: reference.tuning_reward(
            before, after, accuracy, ended, np.zeros_like(lost), bonus), "A run that is lost gets no bonus."),
        WrongAnswer(lambda before, after, accuracy, ended, lost, bonus: np.log(before / after) + bonus * accuracy,
                    "The bonus is for the end alone."),
        WrongAnswer(lambda before, after, accuracy, ended, lost, bonus: np.log(before / after),
                    "Where is the bonus at the end?"),
        WrongAnswer(lambda before, after, accuracy, ended, lost, bonus: reference.tuning_reward(
            before, after, accuracy, ended, lost, 1.0), "You take no notice of `bonus`."),
    ),
)


def _gradients(rng):
    drawn = [dict(gradients=[rng.normal(size=shape) * size for shape in ((3, 4), (4,), (4, 2))], max_norm=1.5)
             for size in (2.0, 0.1)]
    return [dict(gradients=[np.array([3.0, 0.0]), np.array([[4.0]])], max_norm=1.0),
            dict(gradients=[np.zeros(3), np.zeros((2, 2))], max_norm=1.0), *drawn]


def _norms(gradients):
    return [np.sqrt((part**2).sum()) for part in gradients]


CLIP = Exercise(
    id="07.clip_by_norm",
    title="Clip a gradient",
    statement="`gradients` is a list of arrays, one for each kernel and bias. If the norm of all their entries "
              "together is above `max_norm`, scale all down so that it is `max_norm`. Return a list of new arrays.",
    reference=reference.clip_by_norm,
    cases=_gradients,
    hints=(
        "The norm of everything: the root of the sum of all squares, over all arrays.",
        "share = min(1, max_norm / norm): a gradient that is short enough stays as it is.",
        "Mind a gradient of zeros: there is nothing to divide by.",
    ),
    wrong=(
        WrongAnswer(lambda gradients, max_norm: [part * min(1, max_norm / max(norm, 1e-12)) for part, norm in zip(
            gradients, _norms(gradients), strict=True)],
            "You clip each array by its own norm. That turns the step: take one norm over all of them."),
        WrongAnswer(lambda gradients, max_norm: [part.clip(-max_norm, max_norm) for part in gradients],
                    "That is clipping by value: it turns the step."),
        WrongAnswer(lambda gradients, max_norm: [part * max_norm / max(np.hypot.reduce(_norms(gradients)), 1e-12)
                                                 for part in gradients],
                    "You also lengthen what is short enough: the share is at most 1."),
        WrongAnswer(lambda gradients, max_norm: [part * min(1, max_norm / max(sum(_norms(gradients)), 1e-12))
                                                 for part in gradients],
                    "Norms do not add up; their squares do."),
        WrongAnswer(lambda gradients, max_norm: [part * min(1, max_norm / max(sum(
            norm**2 for norm in _norms(gradients)), 1e-12)) for part in gradients], "You forgot the square root."),
    ),
)


def _activations(rng):
    return [dict(x=rng.normal(size=shape), draws=rng.random(shape), rate=rate)
            for shape, rate in (((4, 6), 0.5), ((3, 8), 0.2), ((2, 5), 0.0))]


DROPOUT = Exercise(
    id="07.dropout",
    title="Leave some out",
    statement="`x` are activations, `draws` numbers between 0 and 1 of the same shape. Leave out (set to 0) where a "
              "draw is below `rate`, and scale the others so that the mean stays what it was on average.",
    reference=reference.dropout,
    cases=_activations,
    hints=(
        "np.where(draws < rate, 0, ...) leaves out a share `rate` of them.",
        "A share 1 - rate is left. By what must it be multiplied so that the sum stays the same on average?",
        "Divide by 1 - rate.",
    ),
    wrong=(
        WrongAnswer(lambda x, draws, rate: np.where(draws < rate, 0.0, x),
                    "Unscaled: while training all sums would be smaller than in use."),
        WrongAnswer(lambda x, draws, rate: np.where(draws < rate, 0.0, x * (1 - rate)),
                    "Scale up, not down: the others must make up for what is left out."),
        WrongAnswer(lambda x, draws, rate: np.where(draws < 1 - rate, 0.0, x / max(rate, 1e-12)),
                    "You leave out a share 1 - rate: `rate` is what goes."),
        WrongAnswer(lambda x, draws, rate: np.where(draws < rate, x, 0.0) / (1 - rate),
                    "You keep those that should go."),
        WrongAnswer(lambda x, draws, rate: x / (1 - rate), "Nobody is left out."),
    ),
)


def _steps(rng):
    return [dict(weights=rng.normal(size=n), gradient=rng.normal(size=n), mean=rng.normal(size=n) * (step > 1),
                 square=rng.uniform(0.1, 2, n) * (step > 1), step=step, learning_rate=rate)
            for n, step, rate in ((3, 1, 0.1), (5, 2, 0.01), (4, 50, 0.3))]


def _adam(change=None, corrected=True, root=np.sqrt, plus=False, memory=(0.9, 0.999)):
    def step_of(weights, gradient, mean, square, step, learning_rate):
        first, second = memory
        mean = first * mean + (1 - first) * gradient
        square = second * square + (1 - second) * (gradient if change == "unsquared" else gradient**2)
        scale = (1 - first**step, 1 - second**step) if corrected else (1, 1)
        with np.errstate(invalid="ignore"):
            direction = mean / scale[0] / (root(square / scale[1]) + 1e-8)
        return weights + (learning_rate if plus else -learning_rate) * direction, mean, square

    return step_of


ADAM = Exercise(
    id="07.adam_step",
    title="One step of Adam",
    statement="`weights`, `gradient`, and the running `mean` and mean `square` of gradients are (N,). Update mean "
              "(memory 0.9) and square (0.999), correct both for their start at 0 by `1 - memory**step`, and move the "
              "weights against mean / (root of square + 1e-8). Return [weights, mean, square], the last two "
              "uncorrected.",
    reference=_listed(reference.adam_step),
    cases=_steps,
    hints=(
        "mean = 0.9 * mean + 0.1 * gradient; the square likewise, with 0.999 and the gradient squared.",
        "At step 1 the mean is a tenth of the gradient: dividing by 1 - 0.9**step mends that.",
        "1e-8 is added after the root. What you return as mean and square goes into the next step: uncorrected.",
    ),
    wrong=(
        _mistake(_adam(corrected=False), "Correct both for their start at zero: / (1 - memory**step)."),
        _mistake(_adam(plus=True), "You climb: subtract the step."),
        _mistake(_adam(root=lambda square: square), "Divide by the root of the mean square."),
        _mistake(_adam(memory=(0.999, 0.9)), "The memories are swapped: 0.9 for the mean, 0.999 for the square."),
        _mistake(_adam(change="unsquared"), "The second memory is of the squared gradient."),
        _mistake(lambda weights, gradient, mean, square, step, learning_rate: (
            weights - learning_rate * gradient, *_adam()(weights, gradient, mean, square, step, learning_rate)[1:]),
            "That is plain gradient descent: move by mean / root of square."),
    ),
)


def _losses(rng):
    fixed = [([3.0, 2, 1, 2, 3, 0.5], 2), ([1.0, 2, 3, 4], 3), ([4.0, 3, 2, 1], 2), ([2.0, 2, 2, 1], 2), ([1.0], 1)]
    drawn = [(np.abs(np.linspace(-1, 1, 20)) + rng.normal(0, 0.1, 20), patience) for patience in (3, 5)]
    return [dict(losses=np.array(losses), patience=patience) for losses, patience in (*fixed, *drawn)]


def _patient(least=0, since_best=True, until_end=False):
    def stop(losses, patience):
        best, worse = 0, 0
        for look, loss in enumerate(losses):
            better = loss < losses[best] if look else True
            worse = 0 if better else worse + 1 if since_best or loss > losses[look - 1] else 0
            best = look if better else best
            if worse >= patience + least and not until_end:
                break
        return best, look

    return stop


STOPPING = Exercise(
    id="07.early_stopping",
    title="When to stop",
    statement="`losses` (T,) are validation losses, look after look. A run stops at the look that is the `patience`th "
              "in a row without a new lowest loss, or at the last one. Return [the look with the lowest loss up to "
              "there, the look at which it stops], both counted from 0. As low as before is no new lowest.",
    reference=_listed(reference.early_stopping),
    cases=_losses,
    hints=(
        "Go through the losses and keep in mind where the lowest so far was.",
        "Stop as soon as look - best >= patience.",
        "Only strictly lower counts as better.",
    ),
    wrong=(
        _mistake(_patient(least=1), "You stop one look too late: at the `patience`th look without a new lowest."),
        _mistake(_patient(since_best=False), "Compare with the lowest so far, not with the look before."),
        _mistake(_patient(until_end=True), "Never stopped: what comes after the stop would not have been seen."),
        _mistake(lambda losses, patience: reference.early_stopping(losses, patience)[::-1], "The other way round."),
        _mistake(lambda losses, patience: (reference.early_stopping(losses, patience)[1],) * 2,
                 "First the look with the lowest loss: its weights are what you keep."),
    ),
)


def _curves(rng):
    fixed = [[9, 5, 4, 4], [8, 6, 6, 1], [7, 7, 2, 0.5], [6, 8, 7, 5]]
    drawn = [np.sort(rng.random((runs, steps)), axis=1)[:, ::-1].copy() for runs, steps in ((8, 6), (5, 10), (1, 4))]
    return [dict(curves=np.array(fixed, float), half=2), *(
        dict(curves=curves, half=curves.shape[1] // 2) for curves in drawn)]


def halve_once(curves, half):
    """The best of R runs, and what the search costs, if only the better half goes on after `half` looks.

    Parameters
    ----------
    curves : array (R, T)
        Validation losses of all runs at all looks.
    half : int
        Looks after which the better half (rounded up) by the loss then goes on to the end.

    Returns
    -------
    int, int
        The best at the end of those that went on; the looks of all runs together.
    """
    alive = np.argsort(curves[:, half - 1], kind="stable")[: -(-len(curves) // 2)]
    return int(alive[np.argmin(curves[alive, -1])]), len(curves) * half + len(alive) * (curves.shape[1] - half)


HALVING = Exercise(
    id="07.halve_once",
    title="Give up the worse half",
    statement="`curves` (R, T) are the validation losses of R runs at T looks. After `half` looks only the better half "
              "(rounded up) goes on. Return [which run is best at the end, of those that went on; how many looks all "
              "runs had together].",
    reference=_listed(halve_once),
    cases=_curves,
    hints=(
        "np.argsort(curves[:, half - 1]) orders the runs by their loss after `half` looks.",
        "Of the first (R + 1) // 2 of them, which has the lowest loss in the last column? Return its row in `curves`.",
        "All R runs have `half` looks; those that go on have T - half more.",
    ),
    wrong=(
        _mistake(lambda curves, half: (search.random_search(curves)[0], halve_once(curves, half)[1]),
                 "The best of all would have been given up on the way: choose among those that went on."),
        _mistake(lambda curves, half: (halve_once(curves, half)[0], curves.size),
                 "You count the looks of runs that were given up."),
        _mistake(lambda curves, half: (int(np.argmin(curves[:, half - 1])), halve_once(curves, half)[1]),
                 "That is the best at half time; ask at the end."),
        _mistake(lambda curves, half: (halve_once(-curves, half)[0], halve_once(curves, half)[1]),
                 "You keep the worse half: the loss should be low."),
    ),
)

TOPIC = Topic(number="07", package="tuning", title="Tuning", questions=QUESTIONS, exercises=(
    REWARD, CLIP, DROPOUT, ADAM, STOPPING, HALVING))
