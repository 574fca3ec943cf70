"""The exercises of notebook 09: remedies."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.engine.exercise import Exercise, Topic, WrongAnswer
from course_lib.training import reference


def _gradients(rng):
    drawn = [dict(gradients=[rng.normal(size=shape) * size for shape in ((3, 4), (4,), (4, 2))], max_norm=1.5)
             for size in (2.0, 0.1)]
    return [dict(gradients=[np.array([3.0, 0.0]), np.array([[4.0]])], max_norm=1.0),
            dict(gradients=[np.zeros(3), np.zeros((2, 2))], max_norm=1.0), *drawn,
            # too long only together; short enough, though the sum of norms is not; one long and one short
            *(dict(gradients=[np.array([3.0, 0.0]), np.array([[other]])], max_norm=most)
              for other, most in ((4.0, 4.5), (4.0, 6.0), (0.1, 1.0))),
            dict(gradients=[np.array([0.3, 0.0]), np.array([[0.4]])], max_norm=0.1)]


def _norms(gradients):
    return [np.sqrt((part**2).sum()) for part in gradients]


def _length(gradients):
    return np.hypot.reduce(_norms(gradients))


def _clipped(norm_of, share=lambda ratio: min(1, ratio)):
    return lambda gradients, max_norm: [part * share(max_norm / max(norm_of(gradients), 1e-12)) for part in gradients]


CLIP = Exercise(
    id="09.clip_by_norm",
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
        WrongAnswer(_clipped(_length, lambda ratio: ratio),
                    "You also lengthen what is short enough: the share is at most 1."),
        WrongAnswer(_clipped(lambda gradients: sum(_norms(gradients))), "Norms do not add up; their squares do."),
        WrongAnswer(_clipped(lambda gradients: _length(gradients) ** 2), "You forgot the square root."),
        WrongAnswer(_clipped(lambda gradients: sum(np.abs(part).sum() for part in gradients)),
                    "The norm is the root of the sum of squares, not the sum of absolute values."),
        WrongAnswer(_clipped(lambda gradients: max(np.abs(part).max() for part in gradients)),
                    "Not the largest entry: the norm of all together."),
        WrongAnswer(_clipped(lambda gradients: max(_norms(gradients))),
                    "Not the largest norm of one array: take one norm over all of them."),
        WrongAnswer(lambda gradients, max_norm: _clipped(_length, lambda ratio: ratio / max_norm if ratio < 1 else 1)(
            gradients, max_norm), "Divided by their norm they have norm 1: multiply by max_norm."),
        WrongAnswer(_clipped(_length, lambda ratio: 1), "Nothing is clipped: too long a gradient stays."),
        WrongAnswer(_clipped(_length, lambda ratio: min(1, ratio) ** 2),
                    "Scale by the ratio of the norms, not its square."),
    ),
)


def _activations(rng):
    return [dict(x=rng.normal(size=shape), draws=rng.random(shape), rate=rate)
            for shape, rate in (((4, 6), 0.3), ((3, 8), 0.2), ((2, 5), 0.0))] + [
        dict(x=np.ones((1, 2)), draws=np.array([[0.5, 0.25]]), rate=0.5)]  # a draw of just the rate stays


DROPOUT = Exercise(
    id="09.dropout",
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
        WrongAnswer(lambda x, draws, rate: np.where(draws < rate, 0.0, x * (1 + rate)),
                    "1 + rate is not enough: divide by 1 - rate."),
        WrongAnswer(lambda x, draws, rate: np.where(x < rate, 0.0, x / (1 - rate)),
                    "The draws decide who is left out, not the activations."),
        WrongAnswer(lambda x, draws, rate: np.where(draws < rate, 0.0, x) * x.size / max((draws >= rate).sum(), 1),
                    "By the share that is left *on average*, 1 - rate, not by how many are left this time."),
    ),
)


def _steps(rng):
    return [dict(weights=rng.normal(size=n), gradient=size * rng.normal(size=n), mean=rng.normal(size=n) * (step > 1),
                 square=rng.uniform(0.1, 2, n) * (step > 1), step=step, learning_rate=rate)
            for n, step, rate, size in ((3, 1, 0.1, 1.0), (5, 2, 0.01, 1.0), (4, 50, 0.3, 1.0), (3, 1, 0.1, 1e-8))]


def _adam(change=None, corrected=True, root=np.sqrt, plus=False, memory=(0.9, 0.999), late=0, least=(1e-8, 0)):
    def step_of(weights, gradient, mean, square, step, learning_rate):
        first, second = memory
        mean = first * mean + (1 - first) * gradient
        square = second * square + (1 - second) * (gradient if change == "unsquared" else gradient**2)
        scale = (1 - first**(step + late), 1 - second**(step + late)) if corrected else (1, 1)
        scale = {"only mean": (scale[0], 1), "only square": (1, scale[1])}.get(change, scale)
        with np.errstate(invalid="ignore", divide="ignore"):
            direction = mean / scale[0] / (root(square / scale[1] + least[1]) + least[0])
        if change == "returned corrected":
            mean, square = mean / scale[0], square / scale[1]
        if change == "no rate":
            learning_rate = 1
        return weights + (learning_rate if plus else -learning_rate) * direction, mean, square

    return step_of


ADAM = Exercise(
    id="09.adam_step",
    title="One step of Adam",
    statement="`weights`, `gradient`, and the running `mean` and mean `square` of gradients are (N,). Update mean "
              "(memory 0.9) and square (0.999), correct both for their start at 0 by `1 - memory**step`, and move the "
              "weights against mean / (root of square + 1e-8). Return [weights, mean, square], the last two "
              "uncorrected.",
    reference=reference.adam_step,
    cases=_steps,
    hints=(
        "mean = 0.9 * mean + 0.1 * gradient; the square likewise, with 0.999 and the gradient squared.",
        "At step 1 the mean is a tenth of the gradient: dividing by 1 - 0.9**step mends that.",
        "1e-8 is added after the root. What you return as mean and square goes into the next step: uncorrected.",
    ),
    wrong=(
        WrongAnswer(_adam(corrected=False), "Correct both for their start at zero: / (1 - memory**step)."),
        WrongAnswer(_adam(plus=True), "You climb: subtract the step."),
        WrongAnswer(_adam(root=lambda square: square), "Divide by the root of the mean square."),
        WrongAnswer(_adam(least=(0, 1e-8)), "1e-8 is added after the root, not inside of it."),
        WrongAnswer(_adam(least=(0, 0)), "You forgot the 1e-8 that is added to the root."),
        WrongAnswer(_adam(late=1), "The first step is number 1 already: memory**step."),
        WrongAnswer(_adam(late=-1), "Steps count from 1 on: memory**step, not one less."),
        WrongAnswer(_adam(least=(1e-7, 0)), "What is added to the root is 1e-8 (Keras's own default is 1e-7)."),
        WrongAnswer(_adam("only mean"), "Correct the mean square as well: / (1 - 0.999**step)."),
        WrongAnswer(_adam("only square"), "Correct the mean as well: / (1 - 0.9**step)."),
        WrongAnswer(_adam("returned corrected"), "Return mean and square as they were before the correction."),
        WrongAnswer(_adam("no rate"), "The learning rate is missing."),
        WrongAnswer(_adam(memory=(0.1, 0.001)), "The memory is what stays: 0.9 * mean + 0.1 * gradient."),
        WrongAnswer(_adam(memory=(0.999, 0.9)), "The memories are swapped: 0.9 for the mean, 0.999 for the square."),
        WrongAnswer(_adam(change="unsquared"), "The second memory is of the squared gradient."),
        WrongAnswer(lambda weights, gradient, mean, square, step, learning_rate: (
            weights - learning_rate * gradient, *_adam()(weights, gradient, mean, square, step, learning_rate)[1:]),
            "That is plain gradient descent: move by mean / root of square."),
    ),
)


def _losses(rng):
    fixed = [([3.0, 2, 1, 2, 3, 0.5], 2), ([1.0, 2, 3, 4], 3), ([4.0, 3, 2, 1], 2), ([2.0, 2, 2, 1], 2), ([1.0], 1),
             ([1.0, 2, 0.5, 3], 2), ([3000.0, 2500, 2499.999, 2600, 2600], 2)]
    drawn = [(np.abs(np.linspace(-1, 1, 20)) + rng.normal(0, 0.1, 20), patience) for patience in (3, 5)]
    return [dict(losses=np.array(losses), patience=patience) for losses, patience in (*fixed, *drawn)]


def _patient(least=0, since_best=True, until_end=False, ties=False, reset=True):
    def stop(losses, patience):
        best, worse = 0, 0
        for look, loss in enumerate(losses):
            better = (loss <= losses[best] if ties else loss < losses[best]) if look else True
            worse = worse * (not reset) if better else worse + 1 if since_best or loss > losses[look - 1] else 0
            best = look if better else best
            if worse >= patience + least and not until_end:
                break
        return best, look

    return stop


STOPPING = Exercise(
    id="09.early_stopping",
    title="When to stop",
    statement="`losses` (T,) are validation losses, look after look. A run stops at the look that is the `patience`th "
              "in a row without a new lowest loss, or at the last one. Return [the look with the lowest loss up to "
              "there, the look at which it stops], both counted from 0. As low as before is no new lowest.",
    reference=reference.early_stopping,
    cases=_losses,
    hints=(
        "Go through the losses and keep in mind where the lowest so far was.",
        "Stop as soon as look - best >= patience.",
        "Only strictly lower counts as better.",
    ),
    wrong=(
        WrongAnswer(_patient(least=1), "You stop one look too late: at the `patience`th look without a new lowest."),
        WrongAnswer(_patient(since_best=False), "Compare with the lowest so far, not with the look before."),
        WrongAnswer(_patient(least=-1), "You stop one look too early: at the `patience`th without a new lowest."),
        WrongAnswer(_patient(ties=True), "As low as before is no new lowest: <, not <=."),
        WrongAnswer(_patient(reset=False), "A new lowest loss starts the count anew."),
        WrongAnswer(lambda losses, patience: (int(np.argmin(losses)), reference.early_stopping(losses, patience)[1]),
                    "The lowest of all may come after the stop: nobody would have seen it."),
        WrongAnswer(lambda losses, patience: (np.argmin(losses), min(np.argmin(losses) + patience, len(losses) - 1)),
                    "Go through the losses in turn: a run that has stopped does not see the lowest of all."),
        WrongAnswer(lambda losses, patience: (_patient()(losses, patience)[0], len(losses)), "Looks count from 0."),
        WrongAnswer(lambda losses, patience: (float(min(losses[: reference.early_stopping(losses, patience)[1] + 1])),
                                              reference.early_stopping(losses, patience)[1]),
                    "First the look (its number), not the loss there."),
        WrongAnswer(lambda losses, patience: [1 + look for look in reference.early_stopping(losses, patience)],
                    "Looks are counted from 0."),
        WrongAnswer(_patient(until_end=True), "Never stopped: what comes after the stop would not have been seen."),
        WrongAnswer(lambda losses, patience: reference.early_stopping(losses, patience)[::-1], "The other way round."),
        WrongAnswer(lambda losses, patience: (reference.early_stopping(losses, patience)[1],) * 2,
                    "First the look with the lowest loss: its weights are what you keep."),
    ),
)

TOPIC = Topic(number="09", package="training", title="Training well", exercises=(ADAM, DROPOUT, STOPPING, CLIP))
