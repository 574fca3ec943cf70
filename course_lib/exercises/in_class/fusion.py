"""What a class is graded on in notebook 05: exercises and questions without a public solution."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.engine.exercise import Exercise, WrongAnswer


def seats_for_the_surest(scores, k, seats):
    """Gates (B, M) from scores (B, M) if experts are full after `seats` examples (after Riquelme et al., 2021)."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares = powers / powers.sum(axis=1, keepdims=True)
    gates, free = np.zeros_like(shares), np.full(scores.shape[1], seats)
    for row in np.argsort(-shares.max(axis=1)):
        for expert in np.argsort(-shares[row])[:k]:
            if free[expert]:
                free[expert] -= 1
                gates[row, expert] = shares[row, expert]
                break
    return gates


def _seat_cases(rng):
    fixed = (([[0.0, 1, 2], [5, 5.1, 5.2], [1, 0, 4]], 2, 1), ([[0.0, 3], [0, 2], [0, 1]], 1, 2),
             ([[9.0, 8], [1, 5], [0, 3]], 2, 1), ([[1.0, 2, 0]], 3, 1))
    cases = [dict(scores=np.array(scores), k=k, seats=seats) for scores, k, seats in fixed]
    for size, experts, k, seats in ((6, 3, 2, 2), (8, 4, 2, 1), (9, 5, 3, 1), (10, 4, 2, 2), (12, 6, 3, 2),
                                    (12, 5, 2, 3)):
        scores = rng.normal(0, 1.3, (size, experts)) + rng.permutation(np.linspace(0, 1.5, experts))
        cases.append(dict(scores=scores + 3 * rng.normal(size=(size, 1)), k=k, seats=seats))
    return cases


def _softmax(scores):
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _seated(order=lambda scores, shares: np.argsort(-shares.max(axis=1)), *, tries=None, room=None, one=True,
            gate=lambda scores, k: _softmax(scores)):
    """Gates with one part exchanged."""
    def gates(scores, k, seats):
        shares, found, free = _softmax(scores), np.zeros(scores.shape), np.full(scores.shape[1], room or seats)
        values = gate(scores, k)
        for row in order(scores, shares):
            for expert in np.argsort(-shares[row])[: tries or k]:
                if free[expert]:
                    free[expert] -= 1
                    found[row, expert] = values[row, expert]
                    if one:
                        break
        return found

    return gates


def _among_best(scores, k):
    return _softmax(np.where(np.argsort(np.argsort(-scores, axis=1), axis=1) < k, scores, -np.inf))


SEATS = Exercise(
    id="05.seats_for_the_surest",
    title="Every expert has so many seats",
    statement="`scores` (B, M) are a gate's, for B examples and M experts; an expert takes at most `seats` "
              "examples. The examples choose one after the other: first the one whose largest softmax probability "
              "(over its M scores) is highest, then the next, and so on. Each goes to the best of its `k` best "
              "experts that still has a free seat; if none of these has one, it goes to no expert. Return gates "
              "(B, M): the softmax probability over all M scores where an example goes, 0 elsewhere. There are no "
              "ties. Change no input.",
    reference=seats_for_the_surest,
    cases=_seat_cases,
    hints=("Two orders matter: that of the examples, and for each example that of its experts.",
           "Keep count of the free seats while you go on. Is a large score the same as a large probability?"),
    wrong=(
        WrongAnswer(_seated(lambda scores, shares: range(len(scores))),
                    "First come, first served in yours: the surest example chooses first."),
        WrongAnswer(_seated(lambda scores, shares: np.argsort(-scores.max(axis=1))),
                    "The largest score is not the largest probability: all scores of an example may be high."),
        WrongAnswer(_seated(lambda scores, shares: np.argsort(shares.max(axis=1))),
                    "The least sure example chooses first in yours: np.argsort sorts upwards."),
        WrongAnswer(_seated(gate=_among_best), "The softmax is over all M scores, not over the k best."),
        WrongAnswer(_seated(room=10**6), "The seats never run out in yours."),
        WrongAnswer(_seated(tries=1), "If the best expert is full, ask the next ones, up to the k-th."),
        WrongAnswer(_seated(tries=10**6), "Only the k best experts of an example may be asked."),
        WrongAnswer(_seated(one=False), "One expert for each example: you fill a seat with each of the k best."),
    ),
)


def views_and_prior(probabilities, present, prior):
    """Posteriors (N, C) from opinions (M, N, C) on independent parts; present is (M, N), prior (C,)."""
    logs = np.log(np.where(present[:, :, None], probabilities, 1.0))
    scores = logs.sum(axis=0) + (1 - present.sum(axis=0))[:, None] * np.log(prior)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _view_cases(rng):
    half, tiny = [0.5, 0.5], 1e-200
    fixed = (([[[0.8, 0.2]], [[0.8, 0.2]]], [[1], [1]], [0.8, 0.2]),
             ([[[0.6, 0.4], [0.0, 0]]], [[1, 0]], [0.9, 0.1]),
             ([[half, half], [[0.9, 0.1], [0, 0]]], [[1, 1], [1, 0]], [0.75, 0.25]),
             ([[[1, tiny]], [[tiny, 1]]] * 2, [[1]] * 4, [0.25, 0.75]))
    cases = [dict(probabilities=np.array(p), present=np.array(on, bool), prior=np.array(prior))
             for p, on, prior in fixed]
    for experts, size, classes in ((2, 4, 2), (3, 5, 3), (4, 4, 3), (3, 6, 4), (5, 5, 2), (2, 6, 5)):
        prior = rng.dirichlet(np.full(classes, 2.0)) * 0.9 + 0.1 / classes
        said = rng.dirichlet(5 * prior, (experts, size)) * 0.9 + 0.1 / classes
        present = rng.random((experts, size)) < 0.7
        present[:, :3] = np.arange(experts)[:, None] < [experts, 1, 0]
        cases.append(dict(probabilities=said * present[:, :, None], present=present, prior=prior))
    return cases


def _posterior(times=lambda present: 1 - present.sum(axis=0), absent=lambda prior: 1.0):
    """The prior to another power, or other opinions of those who are absent."""
    def fuse(probabilities, present, prior):
        logs = np.log(np.where(present[:, :, None], probabilities, absent(prior))).sum(axis=0)
        return _softmax(logs + np.reshape(times(present), (-1, 1)) * np.log(prior))

    return fuse


def _mean(probabilities, present, prior):
    count = present.sum(axis=0)[:, None]
    return np.where(count, probabilities.sum(axis=0) / np.maximum(count, 1), prior)


def _underflow(probabilities, present, prior):
    product = np.where(present[:, :, None], probabilities, 1).prod(axis=0)
    product = product * prior ** (1.0 - present.sum(axis=0))[:, None]
    with np.errstate(invalid="ignore"):
        return product / product.sum(axis=1, keepdims=True)


VIEWS = Exercise(
    id="05.views_and_prior",
    title="What everybody knew before",
    statement="M experts each see another part of N examples; given the class, the parts are independent. Expert "
              "m's `probabilities` (M, N, C) are p(class | its part), computed by Bayes' rule from the `prior` "
              "(C,) that all share. `present` (M, N), bool, says who has seen which example; the probabilities of "
              "the others are all 0. Return p(class | all parts that were seen), (N, C), rows of sum 1; where "
              "nobody is present that is the prior. Probabilities of those present are above 0, but products of a "
              "few may be too small for a float.",
    reference=views_and_prior,
    cases=_view_cases,
    hints=("Write each expert's opinion as likelihood times prior. How often is the prior in their product?",
           "Check examples that one expert has seen, and none. What does the logarithm make of the absent ones?"),
    wrong=(
        WrongAnswer(_posterior(lambda present: 0 * present[0]),
                    "In the product of the opinions the prior is counted once for each expert, not once in all."),
        WrongAnswer(_posterior(lambda present: -present.sum(axis=0)),
                    "You divide the prior out of every opinion, and it is never put back: it counts once."),
        WrongAnswer(_posterior(lambda present: 1 - len(present) + 0 * present[0]),
                    "Your power of the prior counts all M experts: only those present brought it in."),
        WrongAnswer(_posterior(lambda present: 1 + 0 * present[0]),
                    "Each opinion holds the prior already: you multiply by it once more."),
        WrongAnswer(_mean, "You average opinions; independent evidence is multiplied."),
        WrongAnswer(_posterior(absent=lambda prior: prior),
                    "You let the absent say the prior, as further opinions: they have nothing to say."),
        WrongAnswer(lambda p, on, prior: np.where(on.any(axis=0)[:, None], views_and_prior(p, on, prior),
                                                  1 / len(prior)),
                    "If nobody is present the answer is the prior, not a uniform distribution."),
        WrongAnswer(_underflow, "A product of tiny probabilities became 0: add logarithms, subtract the largest."),
    ),
)

EXERCISES = (SEATS, VIEWS)

QUESTIONS = (
    {"question": "A car fuses camera and lidar by a gate that sees both. On the test drives it recognises 93% of "
                 "the objects, the camera alone 92%, the lidar alone 81%. In the first winter snow sticks to the "
                 "camera, and the fused system falls to 40%, while lidar alone would still have 80%. The gate "
                 "gave the camera 0.9 all the time. Why was the gate no help, what was missing in the tests, and "
                 "what would you change and at what price?",
     "model": "The gate was trained on drives where the camera was nearly always the better one, so it learned a "
              "nearly fixed preference; it never saw a failing camera, and nothing taught it to recognise one (2 "
              "points: a gate learns only from failures that the training data hold). The test drives held none "
              "either, and one average hid it: test with each sensor degraded or missing, in several ways, also "
              "ones that were not trained on, and report each (1 point). Change: train with sensors that are "
              "blanked, blurred or noisy at random, so that both branches learn to work alone; or detect a broken "
              "sensor, and leave it out (1 point). The price: perhaps some accuracy on clear days, more training, "
              "and kinds of failure that nobody simulated; so compare on clear drives too, with lidar alone as "
              "the least to be kept in snow (1 point). That the camera is *sure* is no safe signal: away from its "
              "training data confidence can mislead."},
    {"question": "A mixture of eight experts, one asked for each image, trained with a load-balancing loss, reads "
                 "91.0% of the test images; one dense network as large as a single expert reads 90.6%. Each "
                 "expert gets between 12% and 13% of the images. The report says: \"The even load shows that the "
                 "gate has found eight kinds of images, and that specialisation pays.\" Do you agree? Which "
                 "comparisons and measurements would you ask for?",
     "model": "No: an even load is what the loss was told to bring about; a gate that deals out images at random "
              "has it as well, so it is no evidence of specialisation (2 points). Measure that: which classes or "
              "kinds of image each expert gets, how the accuracy falls if images are sent to other experts, and "
              "whether routing is alike for similar images (1 point). 0.4 points may be chance, or come from "
              "eight times the weights: compare over several seeds, with random but fixed routing (the decisive "
              "rival), with a dense network of equally many weights, and keep the cost of a pass in mind, which "
              "is where the mixture has its advantage (1 point for random routing, 1 for fair rivals and seeds). "
              "A good answer also varies the weight of the balancing loss, or asks two experts: with one, and "
              "gates of 1, the task gives the gate no gradient, so that balancing alone trained it."},
)
