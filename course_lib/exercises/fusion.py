"""The exercises of notebook 05: experts who vote, and gates that choose among them."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.engine.exercise import Exercise, Topic, WrongAnswer
from course_lib.fusion import reference
from course_lib.fusion.reference import softmax


def _experts(rng):
    cases = [np.array([[[0.5, 0.5]], [[0.8, 0.2]]]), np.array([[[0.7, 0.2, 0.1]]]),
             np.array([[[0.9, 0.1], [0.5, 0.5]], [[0.9, 0.1], [0.25, 0.75]], [[1e-6, 1 - 1e-6], [0.5, 0.5]]])]
    cases += [rng.dirichlet(np.ones(classes), (experts, size)) for experts, size, classes in ((2, 3, 4), (5, 4, 3))]
    many = 0.1 * rng.normal(size=(400, 2, 10))
    many[:200, 1, 3] += 12  # products of about 1e-400 for one example, of 1e-1000 for another, on which few agree
    many[200:, 1, 5] += 12
    cases.append(softmax(many))
    return [dict(probabilities=case) for case in cases]


def _shares(values):
    return values / values.sum(axis=1, keepdims=True)


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
    wrong=(
        WrongAnswer(lambda p: p.mean(axis=0), "That is the mean: there nobody has a veto. Multiply."),
        WrongAnswer(lambda p: p.prod(axis=0),
                    "The products of an example no longer sum to 1: divide them by their sum over the classes."),
        WrongAnswer(lambda p: p.prod(axis=0) / p.prod(axis=0).sum(axis=0),
                    "You normalised over the examples: each *example's* classes should sum to 1."),
        WrongAnswer(lambda p: p.prod(axis=0) / p.sum(axis=0),
                    "You divided by the sum over the experts: divide the product by *its* sum over the classes."),
        WrongAnswer(lambda p: _shares(p.prod(axis=0)),
                    "Hundreds of factors underflow to 0, and 0 / 0 is NaN: add logs, and use softmax, not a bare exp."),
        WrongAnswer(lambda p: _shares(np.exp(np.log(p).sum(axis=0) - np.log(p).sum(axis=0).max())),
                    "You took the batch's largest log off before exp: take off each example's own."),
        WrongAnswer(lambda p: np.log(p).sum(axis=0), "Those are logs: back to probabilities with exp, or a softmax."),
        WrongAnswer(lambda p: softmax(np.log(p).mean(axis=0)),
                    "The mean of the logs gives the geometric mean: in a product each expert counts in full."),
        WrongAnswer(lambda p: softmax(p.sum(axis=0)), "The softmax takes logs: you gave it the probabilities."),
    ),
)


def _branches(rng):
    two = dict(features=[np.array([[1.0]]), np.array([[2.0]])], kernels=[np.array([[1.0, 0]]), np.array([[0.0, 0.5]])],
               biases=[np.zeros(2), np.array([0.0, -1])])
    log3 = np.log(3)
    cases = [two | dict(gate_kernel=np.zeros((2, 4)), gate_bias=np.zeros(4)),
             two | dict(gate_kernel=np.zeros((2, 4)), gate_bias=np.array([log3, 0, 0, log3]))]
    for size, widths, units in ((3, (2,), 2), (2, (3, 2), 4), (4, (2, 2, 3), 2), (3, (1, 4, 2), 3)):
        count = len(widths) * units
        cases.append(dict(features=[rng.normal(size=(size, width)) for width in widths],
                          kernels=[rng.normal(size=(width, units)) for width in widths],
                          biases=[rng.normal(size=units) for _ in widths],
                          gate_kernel=rng.normal(size=(sum(widths), count)), gate_bias=rng.normal(size=count)))
    return cases


def _over_branches(scores, units):
    return softmax(scores.reshape(len(scores), -1, units).swapaxes(1, 2)).swapaxes(1, 2)


def _gated(gates=_over_branches, *, squash=np.tanh, after=lambda values: values, gate_bias=True):
    """A gated unit with one part exchanged."""
    def unit(features, kernels, biases, gate_kernel, shift):
        said = np.stack([squash(x @ kernel + bias)
                         for x, kernel, bias in zip(features, kernels, biases, strict=True)], axis=1)
        found = gates(np.concatenate(features, axis=1) @ gate_kernel + shift * gate_bias, said.shape[2])
        return [after(found * said).sum(axis=1), found]

    return unit


def _one_for_each_branch(scores, units):
    each = softmax(scores.reshape(len(scores), -1, units).mean(axis=2))
    return np.repeat(each[:, :, None], units, axis=2)


GATED_UNIT = Exercise(
    id="05.gated_unit",
    title="Who speaks for this neuron?",
    statement="Lists hold, for each of M branches, its features (B, F_m), a kernel (F_m, U) and a bias (U,); the "
              "branch says tanh(features @ kernel + bias). All features side by side, times `gate_kernel` (sum of F_m, "
              "M * U), plus `gate_bias` (M * U,), are scores. Reshape them to (B, M, U); a softmax over the branches "
              "makes them gates. Return two arrays: the sum over the branches of gate times what the branch says, "
              "(B, U), and the gates, (B, M, U). `softmax` from course_lib.fusion.reference, along the last axis, may "
              "be used.",
    reference=reference.gated_unit,
    cases=_branches,
    hints=(
        "np.stack([...], axis=1) of the branches is (B, M, U). The gate starts with np.concatenate(features, axis=1).",
        "scores.reshape(B, M, U) has the branches on axis 1: there the gates should sum to 1.",
        "gates = softmax(scores.swapaxes(1, 2)).swapaxes(1, 2) does that. Return (gates * said).sum(axis=1), gates.",
    ),
    wrong=(
        WrongAnswer(_gated(lambda scores, units: 1 / (1 + np.exp(-scores.reshape(len(scores), -1, units)))),
                    "A sigmoid for each branch: then gates sum to anything. A softmax over the branches makes it 1."),
        WrongAnswer(_gated(lambda scores, units: softmax(scores.reshape(len(scores), -1, units))),
                    "Your softmax runs over the neurons: the *branches* compete, neuron by neuron."),
        WrongAnswer(_gated(squash=lambda values: values, after=np.tanh),
                    "The gate comes after the tanh: it mixes what the branches say."),
        WrongAnswer(_gated(_one_for_each_branch), "You have one gate for a whole branch: each neuron has its own."),
        WrongAnswer(_gated(gate_bias=False), "The gate's bias is missing."),
        WrongAnswer(_gated(lambda scores, units: softmax(scores).reshape(len(scores), -1, units)),
                    "Your softmax runs over all M * U scores at once: reshape first, then over the branches."),
        WrongAnswer(_gated(lambda scores, units: softmax(scores.reshape(len(scores), units, -1)).swapaxes(1, 2)),
                    "Reshape the scores to (B, M, U): the first U of them belong to the first branch."),
        WrongAnswer(_gated(squash=lambda values: values), "The tanh of each branch is missing."),
    ),
)


def _scores(rng):
    log = np.log([1.0, 2, 3, 4])
    fixed = ((log[None, :3], 2), (np.array([[0.5, -1.0, 2.0], [3.0, 1.0, 0.0]]), 1), (log[[[3, 0, 1, 2]]], 4),
             (np.array([[-3.0, -1, -2, -4]]), 2), (np.array([[1000.0, 999, 998, -1000]]), 3),
             (np.array([[-100.0, -101, -103]]), 2))
    drawn = [(rng.normal(0, 2, shape), k) for *shape, k in ((4, 5, 2), (6, 4, 3), (3, 8, 1))]
    return [dict(scores=scores, k=k) for scores, k in (*fixed, *drawn)]


def _kept(scores, k):
    return scores >= np.sort(scores, axis=1)[:, -k:][:, :1]


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
    wrong=(
        WrongAnswer(lambda scores, k: softmax(scores) * _kept(scores, k),
                    "The gates of a row no longer sum to 1: the softmax is over the k that are kept."),
        WrongAnswer(lambda scores, k: softmax(np.where(_kept(-scores, k), scores, -np.inf)),
                    "You keep the k smallest: np.argsort sorts upwards."),
        WrongAnswer(lambda scores, k: softmax(np.where(_kept(scores, k), scores, 0)),
                    "A score of 0 is not a gate of 0, for e^0 is 1: give the others -inf."),
        WrongAnswer(lambda scores, k: softmax(np.where(_kept(scores, k), scores, -50.0)),
                    "Beside scores of -100 your fill is the largest: only -inf is below all of them."),
        WrongAnswer(lambda scores, k: softmax(np.where(_kept(scores, 1), scores, -np.inf)),
                    "Only the best one is asked: the k best share, by softmax."),
        WrongAnswer(lambda scores, k: _kept(scores, k) / k,
                    "All k count alike in yours: their scores decide, by softmax."),
        WrongAnswer(lambda scores, k: softmax(scores), "Nobody is left out: you never used k."),
        WrongAnswer(lambda scores, k: softmax(np.where(_kept(scores.T, k).T, scores, -np.inf)),
                    "You chose the k largest of each column: each example, a row, chooses its experts."),
        WrongAnswer(lambda scores, k: (np.exp(scores) * _kept(scores, k)
                                       / (np.exp(scores) * _kept(scores, k)).sum(axis=1, keepdims=True)),
                    "e^1000 overflows: take the largest score of the row off before exp."),
    ),
)


def _loads(rng):
    fixed = (([[2, 0], [0, 2]], 1), ([[2, 0], [1, 0], [3, 0]], 1), ([[0.5, 0], [0, 0.2], [4, 0]], 2))
    drawn = [(rng.normal(rng.normal(size=shape[1]), 1, shape), k) for *shape, k in ((6, 3, 1), (8, 4, 2), (5, 6, 3))]
    return [dict(scores=np.array(scores, float), k=k) for scores, k in (*fixed, *drawn)]


def _load(scores, k):
    return _kept(scores, k).mean(axis=0)


def _importance(scores):
    return softmax(scores).mean(axis=0)


LOAD_BALANCING_LOSS = Exercise(
    id="05.load_balancing_loss",
    title="No favourites, please",
    statement="`scores` (B, M) are a gate's, before the softmax; each of B examples goes to the k experts with its "
              "largest scores, which differ. Return M times the sum over the experts of load times importance. An "
              "expert's load is the share that it has of all B * k assignments; its importance is its mean softmax "
              "over the batch, all M scores included. `softmax` and `top_k_gates` from course_lib.fusion.reference may "
              "be used.",
    reference=reference.load_balancing_loss,
    cases=_loads,
    hints=(
        "Load: count how often each expert is among the k best of a row, and divide by B * k. The loads sum to 1.",
        "(top_k_gates(scores, k) > 0).mean(axis=0) / k are the loads. The importance: softmax(scores).mean(axis=0).",
        "M * (load * importance).sum(). It is 1 if both are even.",
    ),
    wrong=(
        WrongAnswer(lambda scores, k: float(_load(scores, k) / k @ _importance(scores)),
                    "Times M, the number of experts: so an even load costs 1, however many there are."),
        WrongAnswer(lambda scores, k: float(scores.shape[1] * _load(scores, k) @ _importance(scores)),
                    "There are k assignments for each example: divide by k, so that the loads sum to 1."),
        WrongAnswer(lambda scores, k: float(scores.shape[1] * _importance(scores) @ _importance(scores)),
                    "You took the mean softmax twice: one factor counts who is really asked."),
        WrongAnswer(lambda scores, k: float(scores.shape[1] * (_load(scores, k) / k) @ (_load(scores, k) / k)),
                    "You took the load twice: counts have no gradient, so the gate could not learn from it."),
        WrongAnswer(lambda scores, k: float((_importance(scores).std() / _importance(scores).mean()) ** 2),
                    "That looks at the importance alone: experts can matter alike, and one still gets the most work."),
        WrongAnswer(lambda scores, k: float(scores.shape[1] * reference.top_k_gates(scores, k).mean(axis=0) / k
                                            @ _importance(scores)),
                    "For the load, count who is asked (gate > 0), not how large the gate is."),
        WrongAnswer(lambda scores, k: float(scores.shape[1] * _load(scores, k) / k @ softmax(scores.T).mean(axis=1)),
                    "Your softmax runs over the examples: it belongs over the experts, axis 1."),
        WrongAnswer(lambda scores, k: float(scores.shape[1] * _load(scores, k) / k
                                            @ reference.top_k_gates(scores, k).mean(axis=0)),
                    "The importance is the mean of the softmax over *all* scores, not of the gates of the best k."),
        WrongAnswer(lambda scores, k: float(len(scores) * _load(scores, k) / k @ _importance(scores)),
                    "The factor is M, the number of experts: scores.shape[1], not the batch size."),
        WrongAnswer(lambda scores, k: len(scores) * reference.load_balancing_loss(scores, k),
                    "The mean over the batch, not the sum: else the loss grows with the batch."),
    ),
)

TOPIC = Topic(number="05", package="fusion", title="Fusion", exercises=(
    PRODUCT_OF_EXPERTS, GATED_UNIT, TOP_K_GATES, LOAD_BALANCING_LOSS))
