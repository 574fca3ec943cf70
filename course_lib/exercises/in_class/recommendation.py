"""What a class is graded on in notebook 08: exercises and questions without a public solution."""

from __future__ import annotations

from math import comb

import numpy as np

from course_lib.exercises.engine.exercise import Exercise, WrongAnswer


def returns_to_go(session, rewards, left, value, gamma):
    """The discounted return from each row (N,) of a log on, within its session."""
    returns, following = np.zeros(len(rewards)), {}
    for i in range(len(rewards))[::-1]:
        rest = following.get(session[i], 0 if left[i] else value[i])
        following[session[i]] = returns[i] = rewards[i] + gamma * rest
    return returns


def _log_cases(rng):
    fixed = [([7, 7, 7], [1.0, 0, 2], [0, 0, 1], [9.0, 9, 9], 0.5),
             ([7, 7, 7], [1.0, 0, 2], [0, 0, 0], [9.0, 8, 4], 0.5),
             ([3, 5, 3, 5], [1.0, 2, 4, 8], [0, 0, 1, 0], [1.0, 1, 1, 6], 0.5),
             ([2, 0, 2, 1], [0.0, 1, 0, 3], [0, 1, 0, 1], [5.0, 5, 5, 5], 1.0)]
    names = ("session", "rewards", "left", "value", "gamma")
    cases = [dict(zip(names, (np.array(s), np.array(r), np.array(x, bool), np.array(v), g), strict=True))
             for s, r, x, v, g in fixed]
    for rows, count in ((6, 2), (8, 3), (10, 3), (12, 4), (12, 2), (16, 5)):
        session = rng.permutation(np.concatenate([np.arange(count), rng.integers(count, size=rows - count)]))
        left = np.zeros(rows, bool)
        for visit in range(count):  # the even ones leave, the log ends before the odd ones do
            left[np.flatnonzero(session == visit)[-1]] = visit % 2 == 0
        rewards = rng.choice([0, 0.1, 1, 1.1], rows) + rng.integers(1, 4, rows) / 8
        gamma = float(rng.choice([0.9, 0.8, 0.7]))
        case = (session + rng.integers(9), rewards, left, rng.uniform(1, 5, rows), gamma)
        cases.append(dict(zip(names, case, strict=True)))
    return cases


def _returns(session, rewards, left, value, gamma, *, end=None, tail=1.0, own=True, always=False):
    """As `returns_to_go`, with mistakes."""
    returns, following = np.zeros(len(rewards)), {}
    for i in range(len(rewards))[::-1]:
        rest = (tail * value[i] * (not left[i]) if end is None else end[i])
        rest = rest if always else following.get(session[i], rest)
        returns[i] = rewards[i] * own + gamma * rest
        following[session[i]] = rewards[i] + gamma * rest
    return returns


RETURNS = Exercise(
    id="08.returns_to_go",
    title="He left, or the log did",
    statement="A log has N rows in the order of time, of several sessions, whose rows may alternate: `session` "
              "(N,), `rewards` (N,), and whether the visitor `left` after that row, (N,) bool. A session whose "
              "last row has `left` False goes on after the log ends: what would follow a row is worth `value` "
              "(N,), an estimate. Return for each row the sum (N,) of its own reward and the later ones of its "
              "session, the j-th next times gamma**j; where the log breaks off, with the estimate in place of the "
              "rewards not seen.",
    reference=returns_to_go,
    cases=_log_cases,
    hints=("Going through the rows from the last to the first, what do you need to know of the row's own session?",
           "What follows a session's last row: nothing, or something that the log does not show? How is it "
           "discounted?"),
    wrong=(
        WrongAnswer(lambda s, r, x, v, g: _returns(s, r, x, v, g, end=v),
                    "After a visitor has left nothing follows: no estimate there."),
        WrongAnswer(lambda s, r, x, v, g: _returns(s, r, x, v, g, tail=0.0),
                    "A session that the log breaks off would have earned more: the estimate says how much."),
        WrongAnswer(lambda s, r, x, v, g: _returns(s * 0, r, x, v, g),
                    "You run through all rows as if they were one session."),
        WrongAnswer(lambda s, r, x, v, g: _returns(s, r, x, v, g, always=True),
                    "That is one step and the estimate: where the log goes on, take the rewards that it shows."),
        WrongAnswer(lambda s, r, x, v, g: _returns(s, r, x, v, g, tail=1 / g),
                    "The estimate is of what follows the last row: it is one step further away."),
        WrongAnswer(lambda s, r, x, v, g: _returns(s, r, x, v, 1.0), "The later, the less it counts: gamma."),
        WrongAnswer(lambda s, r, x, v, g: _returns(s, r, x, v, g, own=False),
                    "The row's own reward counts, too, and in full."),
        WrongAnswer(lambda s, r, x, v, g: _returns(s[::-1], r[::-1], np.ones(len(r), bool), v, g)[::-1],
                    "You add up what came before; a return is of what comes after."),
    ),
)


def sampled_hit_rate(ranks, items, sampled, k):
    """The hit rate that sampled evaluation expects of true places `ranks` (U,) (cf. Krichene & Rendle 2020)."""
    from math import comb

    chances = [sum(comb(int(r) - 1, j) * comb(items - int(r), sampled - j) for j in range(k)) for r in ranks]
    return float(np.mean([chance / comb(items - 1, sampled) for chance in chances]))


def _rank_cases(rng):
    cases = [dict(ranks=np.array(ranks), items=items, sampled=sampled, k=k) for ranks, items, sampled, k in (
        ([2], 3, 1, 1), ([1, 3, 5], 5, 2, 1), ([2, 4], 6, 5, 2), ([3, 4], 6, 3, 2))]
    for items, sampled, k in ((8, 3, 1), (10, 4, 2), (12, 5, 3), (20, 6, 2), (30, 10, 3), (15, 8, 4)):
        ranks = np.append(rng.integers(1, items + 1, int(rng.integers(3, 7))), k + 1)
        cases.append(dict(ranks=ranks, items=items, sampled=sampled, k=k))
    return cases


def _sampled(ranks, items, sampled, k, *, better=-1, first=0, last=0, others=-1):
    total = items + others
    hits = [sum(comb(int(r) + better, j) * comb(max(total - int(r) - better, 0), sampled - j)
                for j in range(first, k + last) if j <= sampled) for r in ranks]
    return float(np.mean(hits) / comb(total, sampled))


def _replaced(ranks, items, sampled, k):
    p = (ranks - 1) / (items - 1)
    return float(sum(comb(sampled, j) * p**j * (1 - p) ** (sampled - j) for j in range(k)).mean())


SAMPLED = Exercise(
    id="08.sampled_hit_rate",
    title="What a sampled hit rate flatters",
    statement="A model ranks `items` items; each of U users wants one, which really has place `ranks` (U,), from "
              "1. A \"sampled\" evaluation ranks that item only among `sampled` others, drawn at random, without "
              "replacement, from the items - 1 others, and counts a hit if it is among the first k, with 1 <= k "
              "<= sampled < items. Return the hit rate that is to be expected, exactly: a number, the mean over "
              "users. math.comb helps.",
    reference=sampled_hit_rate,
    cases=_rank_cases,
    hints=("How many of the other items stand above the wanted one? How many of those may be drawn for a hit?",
           "Count samples: in how many of them are exactly j of the better items, and all others worse ones?"),
    wrong=(
        WrongAnswer(lambda r, n, m, k: float(np.mean(r <= k)),
                    "That is the hit rate among all items; the sample leaves most of the better ones out."),
        WrongAnswer(lambda r, n, m, k: float(np.mean(1 + (r - 1) * m / (n - 1) <= k)),
                    "An expected place says not how often the item is among the first k: that needs its "
                    "distribution."),
        WrongAnswer(_replaced, "No item is drawn twice: the draws are not independent."),
        WrongAnswer(lambda *given: _sampled(*given, last=1),
                    "With k better items in the sample the wanted one has place k + 1: no hit."),
        WrongAnswer(lambda *given: _sampled(*given, better=0), "At place r stand r - 1 items above it, not r."),
        WrongAnswer(lambda *given: _sampled(*given, first=1),
                    "The sample may hold no better item at all: that is a hit as well."),
        WrongAnswer(lambda r, n, m, k: _sampled(r, n, m, k, first=k - 1),
                    "That is the chance of place k exactly; any place up to k is a hit."),
        WrongAnswer(lambda *given: 1 - sampled_hit_rate(*given), "That is the share of misses."),
    ),
)

EXERCISES = (RETURNS, SAMPLED)

QUESTIONS = (
    {"question": "A shop has a year of logs from a recommender that always shows the ten items with the highest "
                 "predicted click rate. Its team wants to estimate from this log what a DQN policy would earn per "
                 "session, by importance weighting. Explain why that will fail, what the smallest change to the "
                 "running system would be that makes such an estimate possible, and which estimates you would "
                 "still distrust.",
     "model": "The old policy is deterministic: an item that it did not show has probability 0, so nothing in the "
              "log says what it would have earned; weights are 0 or undefined, and a model fitted to the log only "
              "extrapolates. The change: choose at random a little, such as epsilon or a softmax over scores, and "
              "write down the probability of what was shown, and what was on show. The price is somewhat worse "
              "recommendations for a share of visitors. Then one-step or short estimates, of policies near the "
              "old one, become usable; for whole sessions the weights are products over the steps, and the "
              "effective sample size collapses, so distrust the estimate of a DQN that differs at each step, and "
              "report the effective sample size and an interval. In the end a small randomised trial has to "
              "decide. Marking: 2 points for missing support (probability 0), 1 for randomising, 1 for logging "
              "the probabilities, 1 for long horizons and the effective sample size."},
    {"question": "In a simulator a DQN with gamma = 0.97 earns 8% more per session than an oracle that knows "
                 "every probability but does not look ahead (six catalogues, intervals clear of 0). Management "
                 "wants to put it online. What has been shown, what has not, and which two further experiments "
                 "would you run first: one in the simulator, one in the shop?",
     "model": "Shown: where today's bait costs later sales by the simulator's rules, foresight earns more than "
              "perfect short sight, across catalogues. Not shown: that real visitors follow such rules, that the "
              "size of the effect is real, nor that a DQN is needed: a short-sighted policy with a hand-set "
              "penalty for bait may do as well. In the simulator: the control without the cost of bait, where the "
              "lead must vanish, or the same comparison against the oracle with a penalty (and with satisfaction "
              "hidden, as in a real shop). In the shop: first measure whether what is shown now changes later "
              "behaviour, by showing a random part of visitors less bait for some weeks and comparing whole "
              "sessions and returns, not clicks; only then a small trial of the policy with a limit on losses. "
              "Marking: 1 point for what is shown, 2 for what is not (rules assumed; simpler rivals), 1 for a "
              "simulator experiment that can refute the explanation, 1 for a randomised experiment that measures "
              "long-term outcomes."},
)
