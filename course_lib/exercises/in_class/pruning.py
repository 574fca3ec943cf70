"""What a class is graded on in notebook 02: exercises and questions without a public solution."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.engine.exercise import Exercise, WrongAnswer


def n_of_m_mask(weights, n, m):
    """Bool mask (R, C): the n largest magnitudes of each m neighbours in a row (Mishra et al., 2021)."""
    groups = np.abs(weights).reshape(len(weights), -1, m)
    ranks = groups.argsort(axis=2).argsort(axis=2)
    return (ranks >= m - n).reshape(weights.shape)


def _group_cases(rng):
    fixed = (([[0.1, -0.4, 0.3, 0.2]], 2, 4), ([[3.0, -4, 5, 0.1, -0.2, 0.05]], 1, 3),
             ([[1.0, -2, 3, 4], [-8, 7, -6, 5]], 1, 2), ([[0.5, -2, 1], [3, -0.1, 0.2]], 3, 3))
    drawn = [(rng.normal(size=(rows, m * groups)), n, m)
             for rows, groups, n, m in ((3, 2, 1, 4), (4, 3, 2, 4), (2, 4, 3, 4),
                                        (5, 2, 2, 5), (3, 3, 1, 3), (6, 2, 4, 6))]
    return [dict(weights=np.array(weights), n=n, m=m) for weights, n, m in (*fixed, *drawn)]


def _best(values, count):
    return values.argsort(axis=-1).argsort(axis=-1) >= values.shape[-1] - count


N_OF_M_MASK = Exercise(
    id="02.n_of_m_mask",
    title="A sparsity that the hardware likes",
    statement="Cut each row of `weights` (R, C) into groups of `m` neighbours: columns 0 to m - 1, then m to 2m "
              "- 1, and so on; C is a multiple of m. Return a bool mask (R, C) that is True at the `n` weights "
              "of largest magnitude in each group, and False elsewhere. 1 <= n <= m; no two magnitudes are "
              "equal.",
    reference=n_of_m_mask,
    cases=_group_cases,
    hints=(
        "Give each group an axis of its own: which shape has m as its last axis and keeps neighbours together?",
        "Weights compete only within a group. Be clear about whether you hold places in sorted order or ranks.",
    ),
    wrong=(
        WrongAnswer(lambda w, n, m: _best(w.reshape(len(w), -1, m), n).reshape(w.shape),
                    "Magnitude counts: a large negative weight matters as much as a positive one."),
        WrongAnswer(lambda w, n, m: ~n_of_m_mask(-1 / w, n, m),
                    "The n smallest of each group are marked False: you remove n, but n are to stay."),
        WrongAnswer(lambda w, n, m: n_of_m_mask(1 / w, n, m),
                    "You keep the n smallest magnitudes of each group: the largest stay."),
        WrongAnswer(lambda w, n, m: (np.abs(w).reshape(len(w), -1, m).argsort(axis=2) >= m - n).reshape(w.shape),
                    "argsort tells which place comes next in order; it is not the rank of each weight."),
        WrongAnswer(lambda w, n, m: _best(np.abs(w), w.shape[1] // m * n),
                    "The whole row competes in yours: each group of m keeps exactly n."),
        WrongAnswer(lambda w, n, m: _best(np.abs(w).ravel(), w.size // m * n).reshape(w.shape),
                    "The whole matrix competes in yours: each group of m keeps exactly n."),
        WrongAnswer(lambda w, n, m: _best(
            np.abs(w).reshape(len(w), m, -1).swapaxes(1, 2), n).swapaxes(1, 2).reshape(w.shape),
                    "A group is m neighbours; yours takes every (C / m)-th column."),
        WrongAnswer(lambda w, n, m: w * n_of_m_mask(w, n, m), "Those are the masked weights: return the bool "
                                                              "mask."),
    ),
)


def drop_and_grow(weights, gradients, mask, k):
    """New [weights, mask] after k connections are dropped and k grown; of one shape (RigL, Evci et al., 2020)."""
    drop = np.where(mask, np.abs(weights), np.inf).ravel().argsort()[:k]
    grow = np.where(mask, np.inf, -np.abs(gradients)).ravel().argsort()[:k]
    new = mask.ravel().copy()
    new[drop], new[grow] = False, True
    new = new.reshape(mask.shape)
    return [np.where(mask & new, weights, 0.0), new]


def _growth_cases(rng):
    fixed = (([[0.1, -2, 3, 0.5]], [[9.0, 0, -4, 1]], [[1, 1, 0, 0]], 1),
             ([[-5.0, 1], [2, 7]], [[1.0, 2], [-3, 0.5]], [[1, 1], [0, 0]], 1),
             ([[1.0, -2], [3, 4]], [[1.0, 2], [3, 4]], [[1, 0], [0, 1]], 0),
             ([[1.0, -2, 3]], [[4.0, -6, 5]], [[1, 0, 0]], 1))
    cases = [dict(weights=np.array(w), gradients=np.array(g), mask=np.array(on, bool), k=k)
             for w, g, on, k in fixed]
    for rows, columns, active, k in ((3, 4, 6, 2), (4, 4, 8, 3), (2, 6, 7, 1),
                                     (5, 3, 6, 4), (4, 5, 10, 5), (3, 3, 4, 2)):
        mask = (rng.permutation(rows * columns) < active).reshape(rows, columns)
        weights, gradients = rng.normal(size=(2, rows, columns))
        cases.append(dict(weights=weights, gradients=gradients, mask=mask, k=k))
    return cases


def _step(drop=np.abs, grow=np.abs, keep=lambda w, old, new: np.where(old & new, w, 0.0), back=False):
    """A step with one part exchanged; `back` lets what has just been dropped grow again."""
    def step(weights, gradients, mask, k):
        new, order = mask.ravel().copy(), np.where(mask, drop(weights), np.inf).ravel().argsort()
        new[order[:k]] = False
        barred = new if back else mask.ravel()
        new[np.where(barred, np.inf, -grow(gradients).ravel()).argsort()[:k]] = True
        new = new.reshape(mask.shape)
        return [keep(weights, mask, new), new]

    return step


DROP_AND_GROW = Exercise(
    id="02.drop_and_grow",
    title="A sparse network that rewires itself",
    statement="All arrays have one shape; `mask` is True at active connections; `weights` holds stale values at "
              "the others. Drop the k active connections of smallest |weight|; grow, among those inactive "
              "*before* this step, the k of largest |gradient|. Return [new weights, new mask]: connections that"
              " stay active keep their weights; all other weights, also of the grown ones, are 0. k may be 0; "
              "there are at least k connections of either kind, and no ties. Change no input.",
    reference=drop_and_grow,
    cases=_growth_cases,
    hints=(
        "Two searches, each among some of the connections only: what value keeps the others from being chosen?",
        "Check k = 0, and what a grown connection's weight is before its first update.",
    ),
    wrong=(
        WrongAnswer(_step(keep=lambda w, old, new: np.where(new, w, 0.0)),
                    "A grown connection starts at 0: what `weights` holds there is stale."),
        WrongAnswer(_step(back=True), "What was dropped in this step may not grow at once: look at the old mask."),
        WrongAnswer(_step(drop=lambda w: w), "Drop the smallest magnitudes: a large negative weight stays."),
        WrongAnswer(_step(grow=lambda g: g), "The sign of a gradient does not matter: grow by its magnitude."),
        WrongAnswer(_step(grow=lambda g: -np.abs(g)), "You grow where the gradient is smallest: the largest "
                                                      "helps."),
        WrongAnswer(_step(drop=lambda w: -np.abs(w)), "You drop the largest weights: the smallest are to go."),
        WrongAnswer(_step(keep=lambda w, old, new: np.where(old, w, 0.0)),
                    "The mask is right, but a dropped connection still has its weight: it becomes 0."),
        WrongAnswer(_step(keep=lambda w, old, new: w.copy()),
                    "The mask is right, but the weights are as they were: only those that stay active keep "
                    "theirs."),
    ),
)

EXERCISES = (N_OF_M_MASK, DROP_AND_GROW)

QUESTIONS = (
    {
        "question": "At a sparsity of 98 %, one threshold for all layers brings a network down to chance, while "
                    "98 % in each layer leaves it at 91 %. At 80 % the single threshold was the better one. What"
                    " would you look at first, how do you explain both results, and what would you try next?",
        "model": "First look at the sparsity of each layer under the single threshold: probably one layer has "
                 "lost (almost) all its weights, so nothing passes through, whatever the others keep (2 points: "
                 "per-layer sparsity, and the layer that is cut through). Layers have weights of different "
                 "scale, so a single threshold hits the layer with small weights hardest. At 80 % every layer "
                 "keeps enough, and the freedom to spare the layers that need their weights pays (1 point). "
                 "Next: keep a minimum share in each layer, or compare magnitudes relative to the layer's scale,"
                 " or prune gradually with training in between (1 point). Compare on validation data with "
                 "several seeds, before the test set is touched (1 point).",
    },
    {
        "question": "A student compares two ways to a sparsity of 90 %: pruning once, then 5 epochs of fine-"
                    "tuning (96.1 %), and pruning gradually over 30 epochs (97.0 %). The dense network, trained "
                    "for 10 epochs, had 96.8 %. He concludes that gradual pruning is better, and even improves "
                    "on the dense network. What do you make of this, and which experiment would settle it?",
        "model": "The training time differs: 5 epochs against 30, so the gain may come from longer training and "
                 "not from the schedule (2 points). The dense network, too, was trained for less, so that it "
                 "would perhaps gain as much from 30 more epochs (1 point). Give each way the same total number "
                 "of epochs and an equally well-chosen learning rate, and train the dense network on as well (1 "
                 "point). Repeat with several seeds and report the spread, for 0.2 or 0.9 points may be chance; "
                 "choose on validation data (1 point). A good answer says what each outcome would mean.",
    },
)
