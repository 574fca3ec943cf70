"""The exercises of notebook 07: rules that forbid, steps that hurt, and what gives members away."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.engine.exercise import Exercise, Topic, WrongAnswer


def _wrong(*found):
    return tuple(WrongAnswer(*pair) for pair in found)


def apply_rules(probabilities, allowed):
    """A product of experts, one of whom only forbids (Hinton 2002, eq. 1)."""
    product = probabilities * allowed
    return product / product.sum(axis=1, keepdims=True)


def _texts(rng):
    cases = [([[0.5, 0.25, 0.25]], [[True, False, True]]), ([[0.1, 0.9], [0.5, 0.5]], [[True, False], [True, True]]),
             ([[0.2, 0.0, 0.8], [0.3, 0.6, 0.1]], [[False, True, True], [True, True, False]])]
    for size, classes in ((3, 4), (5, 5), (4, 13)):
        may = rng.random((size, classes)) < 0.5
        may[:, :2] = True, False
        cases.append((rng.dirichlet(np.ones(classes), size), rng.permuted(may, axis=1)))
    return [dict(probabilities=np.array(p), allowed=np.array(may)) for p, may in cases]


APPLY_RULES = Exercise(
    id="07.apply_rules",
    title="What the rules leave",
    statement="A model gives `probabilities` (N, C) to the next character of N texts; rules say which are `allowed`, "
              "booleans (N, C), at least one in each text with a probability above 0. Return probabilities (N, C): 0 "
              "for what is not allowed, the rest in the model's proportions, made to sum to 1 for each text.",
    reference=apply_rules,
    cases=_texts,
    hints=("A boolean counts as 0 or 1 in a product.", "Then divide each row by its sum: axis=1, keepdims=True."),
    wrong=_wrong(
        (lambda p, may: p * may, "The rows no longer sum to 1: divide each by its sum."),
        (lambda p, may: p * may / (p * may).sum(), "Each *text's* probabilities should sum to 1: a sum over axis 1."),
        (lambda p, may: (p + may / may.sum(axis=1, keepdims=True)) / 2, "A mean forbids nothing: multiply."),
        (lambda p, may: may / may.sum(axis=1, keepdims=True), "The model's proportions are lost: multiply by them."),
        (lambda p, may: p * ~may / np.maximum((p * ~may).sum(axis=1, keepdims=True), 1e-300),
         "You kept what is forbidden."),
        (lambda p, may: np.eye(p.shape[1])[(p * may).argmax(axis=1)], "Not only the likeliest one: keep all allowed."),
        (lambda p, may: np.exp(p) * may / (np.exp(p) * may).sum(axis=1, keepdims=True),
         "No softmax: these are probabilities already, divide by their sum."),
        (lambda p, may: np.where(may, p + (p * ~may).sum(axis=1, keepdims=True) / may.sum(axis=1, keepdims=True), 0),
         "You shared what was forbidden equally: the proportions of the allowed ones should stay."),
    ),
)


def sign_step(x, gradient, step):
    """The fast gradient sign method (Goodfellow et al. 2015, section 4), within the range of pixels."""
    return np.clip(x + step * np.sign(gradient), 0, 1)


def _images(rng):
    cases = [([0.5, 0.5, 0.5], [2.0, -0.1, 0.0], 0.25), ([0.0, 1.0, 0.9, 0.1], [-1.0, 3.0, 0.2, -0.2], 0.25)]
    cases += [(rng.random(shape), 3 * rng.normal(size=shape), step)
              for shape, step in (((2, 3, 4), 0.1), ((4, 8), 0.6))]
    return [dict(x=np.array(x), gradient=np.array(gradient), step=step) for x, gradient, step in cases]


SIGN_STEP = Exercise(
    id="07.sign_step",
    title="The step that hurts most",
    statement="`x` holds pixels from 0 to 1, `gradient`, of the same shape, is that of the loss by each pixel. Move "
              "each pixel by `step` in the direction in which the loss rises, not at all where the gradient is 0, and "
              "keep it within 0 and 1. Return the moved pixels; `x` stays as it is.",
    reference=sign_step,
    cases=_images,
    hints=("How far a pixel moves does not depend on the size of its gradient: np.sign.", "np.clip(..., 0, 1)."),
    wrong=_wrong(
        (lambda x, g, step: x + step * np.sign(g), "Some pixels leave the range: clip to 0 and 1."),
        (lambda x, g, step: np.clip(x - step * np.sign(g), 0, 1), "That lowers the loss: the attacker goes up."),
        (lambda x, g, step: np.clip(x + step * g, 0, 1), "Only the sign of the gradient counts, not its size."),
        (lambda x, g, step: x + np.clip(step * np.sign(g), 0, 1), "Clip the moved pixels, not the step."),
        (lambda x, g, step: np.clip(x + step * np.where(g >= 0, 1, -1), 0, 1), "A gradient of 0 moves no pixel."),
        (lambda x, g, step: np.clip(np.sign(g) * step, 0, 1), "That is the step alone: add it to the pixels."),
    ),
)


def advantage(of_members, of_strangers):
    """How well a threshold tells members from strangers (Yeom et al. 2018, definition 4, eq. 4)."""
    thresholds = np.concatenate([of_members, of_strangers])
    members, strangers = ((scores[:, None] >= thresholds).mean(axis=0) for scores in (of_members, of_strangers))
    return float((members - strangers).max())


def _scores(rng):
    cases = [([0.9, 0.8, 0.3], [0.7, 0.2]), ([0.5, 0.5], [0.5, 0.5, 0.5]), ([0.1, 0.2], [0.8, 0.9]),
             ([0.6, 0.6, 0.1, 0.9], [0.6, 0.2, 0.2, 0.2]), ([0.9], [0.1])]
    cases += [(rng.beta(3, 2, members), rng.beta(2, 2, strangers))
              for members, strangers in ((8, 5), (6, 11), (20, 30))]
    return [dict(of_members=np.array(one), of_strangers=np.array(two)) for one, two in cases]


def _gaps(of_members, of_strangers, thresholds):
    return (of_members[:, None] >= thresholds).mean(axis=0) - (of_strangers[:, None] >= thresholds).mean(axis=0)


ADVANTAGE = Exercise(
    id="07.advantage",
    title="Who was in there?",
    statement="How sure a network is of its members, `of_members` (N,), and of strangers, `of_strangers` (K,). Who "
              "scores at least t is called a member. Return the most, over all thresholds t, by which the share of "
              "members who are called so exceeds the share of strangers who are: 0 if it never does.",
    reference=advantage,
    cases=_scores,
    hints=("Only thresholds that are scores need be tried: between two of them nothing changes.",
           "(scores[:, None] >= thresholds).mean(axis=0) are the shares for all thresholds."),
    wrong=_wrong(
        (lambda m, s: float(m.mean() - s.mean()), "Not a difference of means: shares above a threshold."),
        (lambda m, s: max(0.0, float(_gaps(m, s, [0.5])[0])), "You tried one threshold: the best of all is asked."),
        (lambda m, s: float(_gaps(m, s, np.linspace(0, 1, 11)).max()),
         "Thresholds at equal steps may miss the best one: try the scores themselves."),
        (lambda m, s: float((m[:, None] > s).mean()), "That is the area under the ROC curve, not the largest gap."),
        (lambda m, s: float(np.abs(_gaps(m, s, np.r_[m, s])).max()),
         "Only members who are surer count: where strangers are, the advantage is 0."),
        (lambda m, s: float(_gaps(m, s, [m.mean()])[0]), "A threshold at the members' mean need not be the best one."),
        (lambda m, s: max(0.0, float((len(m) * (m[:, None] >= np.r_[m, s]).mean(axis=0)
                                      - len(s) * (s[:, None] >= np.r_[m, s]).mean(axis=0)).max())),
         "Compare shares, not counts: there may be more strangers than members."),
        (lambda m, s: float((m >= s.max()).mean()), "Some strangers may be called members, too, if that pays."),
    ),
)

TOPIC = Topic(number="07", package="applications", title="Fusion at work", exercises=(
    APPLY_RULES, SIGN_STEP, ADVANTAGE))
