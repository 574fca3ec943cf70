"""What a class is graded on in notebook 10: exercises and questions without a public solution."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.engine.exercise import Exercise, WrongAnswer


def expected_of_search(validation, test, budget):
    """The expected test loss (budget,) of the best of 1, 2, ... of R runs (after Dodge et al. 2019, section 3)."""
    runs = len(validation)
    ordered = test[np.argsort(validation)]
    no_better = np.arange(runs, -1, -1) / runs  # share of the runs that are run i in that order, or worse
    return np.array([ordered @ (no_better[:-1] ** n - no_better[1:] ** n) for n in range(1, budget + 1)])


def _search_cases(rng):
    fixed = [([0.2, 0.1], [1.0, 3], 3), ([3.0, 1, 2], [6.0, 12, 0], 2),
             ([1.0, 2, 4, 3], [1.0, 3, 2, 5], 4), ([0.5], [2.0], 2)]
    cases = [dict(validation=np.array(v), test=np.array(t), budget=b) for v, t, b in fixed]
    for runs, budget in ((3, 4), (5, 3), (6, 5), (8, 8), (12, 6), (20, 10)):
        validation = rng.permutation(runs) * 0.1 + rng.uniform(0.2, 0.28, runs)
        cases.append(dict(validation=validation, test=validation + rng.normal(0, 0.3, runs) + 0.5, budget=budget))
    return cases


def _expected(by, of, budget, *, shift=0):
    runs, of = len(by), of[np.argsort(by)]
    share = np.arange(runs, -1, -1) / runs
    return np.array([of @ (share[:-1] ** n - share[1:] ** n) for n in np.arange(1, budget + 1) + shift])


def _without(validation, test, budget):
    order, found = np.argsort(validation), []
    for n in range(1, budget + 1):
        chance = np.ones(len(order))
        for j in range(n - 1):
            chance *= np.maximum(len(order) - 1 - np.arange(len(order)) - j, 0) / max(len(order) - 1 - j, 1)
        found.append(test[order] @ chance / max(chance.sum(), 1e-9))
    return np.array(found)


SEARCH = Exercise(
    id="10.expected_of_search",
    title="What a random search may expect",
    statement="A random search has trained R runs: `validation` and `test` (R,) are their losses, and no two "
              "validation losses are equal. Somebody who can afford n runs draws n of these at random, each time "
              "among all R, with replacement, and keeps the one with the lowest validation loss. Return the test "
              "loss that is to be expected, exactly, for n = 1, 2, ..., `budget`: (budget,).",
    reference=expected_of_search,
    cases=_search_cases,
    hints=("In the order of validation losses: how likely is it that all n draws are run i or worse ones?",
           "Run i is kept if all n are run i or worse, but not all are worse than run i. What is kept is judged "
           "by test."),
    wrong=(
        WrongAnswer(lambda v, t, b: _expected(v, v, b),
                    "You report the validation loss that was chosen by: too good. Asked is the test loss."),
        WrongAnswer(lambda v, t, b: _expected(t, t, b),
                    "You choose by the test loss, which nobody knows while searching."),
        WrongAnswer(lambda v, t, b: _expected(-v, t, b), "You keep the run with the highest validation loss."),
        WrongAnswer(_without, "With replacement: a run may be drawn more than once."),
        WrongAnswer(lambda v, t, b: _expected(v, t, b, shift=1),
                    "The first entry is for one run, yours is for two."),
        WrongAnswer(lambda v, t, b: np.array([t[v.argmin()]] * b),
                    "That is the best of all R runs; who draws few may well miss it."),
        WrongAnswer(lambda v, t, b: np.array([t[v[:n].argmin()] for n in range(1, b + 1)]),
                    "That is one draw, in the order given; the mean over all draws is asked."),
        WrongAnswer(lambda v, t, b: np.array([t.mean()] * b),
                    "That is the mean of all runs; who draws several keeps the best of them."),
    ),
)


def rate_path(actions, first, factor, low, high):
    """The learning rates (K, T) of K runs that an agent tunes."""
    rate, running, path = first.astype(float), np.ones(len(first), bool), np.zeros(actions.shape)
    for t in range(actions.shape[1]):
        running = running & (actions[:, t] != 3)
        rate = np.clip(rate * factor ** (actions[:, t] - 1.0), low, high)
        path[:, t] = np.where(running, rate, 0)
    return path


def _action_cases(rng):
    fixed = [([[2, 1, 0]], [0.1], 2.0, 0.01, 1.0), ([[2, 2, 0], [0, 0, 2]], [0.5, 0.2], 4.0, 0.1, 1.0),
             ([[2, 3, 2, 1], [1, 2, 1, 0]], [0.1, 0.1], 2.0, 0.01, 1.0),
             ([[3, 2], [0, 3]], [0.3, 0.3], 3.0, 0.001, 1.0)]
    cases = [(np.array(a), np.array(f), *rest) for a, f, *rest in fixed]
    for runs, steps in ((2, 6), (3, 8), (4, 8), (5, 10), (4, 12), (6, 12)):
        actions = rng.choice(3, (runs, steps), p=rng.choice([[0.2, 0.2, 0.6], [0.6, 0.2, 0.2]]))
        actions[0, :4], actions[0, 4:6] = (2, 0) if rng.random() < 0.5 else (0, 2)
        actions[1, rng.integers(2, steps - 2)] = 3
        low = float(10 ** rng.uniform(-3, -2))
        cases.append((actions, low * rng.uniform(2, 15, runs), float(rng.uniform(1.5, 4)), low, 20 * low))
    return [dict(zip(("actions", "first", "factor", "low", "high"), case, strict=True)) for case in cases]


def _path(actions, first, factor, low, high, *, stays=False, forever=True, refuse=False, before=False, late=False):
    rate, running, path = first.astype(float), np.ones(len(first), bool), np.zeros(actions.shape)
    for t in range(actions.shape[1]):
        stop, old = actions[:, t] == 3, (rate, running)
        running = running & ~stop if forever else ~stop
        moved = rate * factor ** np.where(stop, 0, actions[:, t] - 1.0)
        rate = np.where((moved < low) | (moved > high), rate, moved) if refuse else np.clip(moved, low, high)
        path[:, t] = np.where(running | stays | (late & old[1]), old[0] if before else rate, 0)
    return path


PATH = Exercise(
    id="10.rate_path",
    title="What the knob did",
    statement="An agent tunes K runs; `actions` (K, T) are its decisions: 0 divides the learning rate by "
              "`factor`, 1 leaves it, 2 multiplies it, 3 stops the run for good. A rate that a decision would "
              "take out of [low, high] is put on the border that it would cross. A decision holds at once: steps "
              "after decision t have the rate that it made. Each run begins with its `first` (K,), within the "
              "borders. Return the rate after each decision (K, T), 0 from the stop on, whatever the agent says "
              "afterwards. Change no input.",
    reference=rate_path,
    cases=_action_cases,
    hints=("A run at the upper border is told: up, then down. Where is it now?",
           "Go through the decisions one by one. Besides the rate, what must you remember of each run?"),
    wrong=(
        WrongAnswer(lambda a, f, c, low, high: np.where(np.cumsum(a == 3, axis=1) > 0, 0, np.clip(
            f[:, None] * c ** np.cumsum(np.where(a == 3, 0, a - 1.0), axis=1), low, high)),
                    "You let rates run on beyond the border: the next decision starts from the border."),
        WrongAnswer(lambda *given: _path(*given, before=True),
                    "That is the rate before each decision; it holds at once."),
        WrongAnswer(lambda *given: _path(*given, forever=False),
                    "A stop is for good: later decisions revive no run."),
        WrongAnswer(lambda *given: _path(*given, stays=True),
                    "After a stop nothing is trained any more: the rate is 0."),
        WrongAnswer(lambda *given: _path(*given, late=True),
                    "A stop holds at once: 0 from that very decision on."),
        WrongAnswer(lambda *given: _path(*given, refuse=True),
                    "A decision beyond the border is not refused: the rate goes to the border."),
        WrongAnswer(lambda a, f, c, low, high: _path(a, f, c, 0, np.inf), "The rate has borders: low and high."),
        WrongAnswer(lambda a, f, c, low, high: _path(np.where(a == 3, 3, 2 - a), f, c, low, high),
                    "0 is down and 2 is up."),
    ),
)

EXERCISES = (SEARCH, PATH)

QUESTIONS = (
    {"question": "An agent has learned to tune the learning rate in runs of 200 steps with 20 decisions. Now it "
                 "is to tune runs of 2,000 steps, without new training: (a) with 20 decisions, one every 100 "
                 "steps, or (b) with 200 decisions, one every 10 steps. It sees losses, their change since the "
                 "last decision, the gradient's norm, the rate, and the share of the run that is over. Which of "
                 "these mean something else than before in (a) and in (b)? Predict how each may fail, and plan an "
                 "experiment that chooses between them fairly.",
     "model": "(a) The share of the run grows as it did, by 1/20 per decision, but a change now spans 100 steps: "
              "early falls are larger than any seen, and a rate that is too high does harm ten times as long "
              "before it can be lowered. (b) Changes span 10 steps as before, but the share grows ten times more "
              "slowly and noise counts for more late in a long run, as falls from one decision to the next are "
              "tiny. A habit such as \"up in the first decisions, down while the share is high\" is then repeated "
              "far more often: the rate may run to a border, or fall so early that most of the run is wasted. "
              "Experiment: some validation tasks with runs of 2,000 steps decide between (a) and (b), other tasks "
              "are for the final numbers; the same first weights, batches and first rates; beside them a constant "
              "rate and a cosine whose peaks are tuned anew at 2,000 steps, with the number of runs stated; "
              "paired differences with intervals. Also draw rate paths, and how often what is seen lies outside "
              "of what the agent saw while it learned. Marking: 1 point for each of (a) and (b) rightly analysed, "
              "1 for a concrete prediction, 1 for choosing on other tasks than those reported, 1 for baselines "
              "tuned at the new length. Other predictions with good reasons count."},
    {"question": "An agent that tunes learning rates gets as reward, at each decision, the fall of the logarithm "
                 "of the validation loss. Somebody proposes, to make it learn faster: \"a bonus of 1 at each "
                 "decision after which the loss is lower than before, and no penalty for a rise\". Predict what "
                 "the agent will learn to do, and describe how you would detect it and which change of the reward "
                 "would be harmless.",
     "model": "The old reward adds up to log(first / last loss): detours earn nothing (with gamma below 1 nearly "
              "so). The bonus can be earned again and again: raise the rate so that the loss jumps, then lower "
              "it, collect falls; or creep down in many tiny falls instead of a few large ones. Both earn more "
              "without a better end. Also noise helps: from look to look the loss falls by chance about half of "
              "the time. Detect: draw return and final test loss beside each other during training; if one rises "
              "and the other does not, the reward is exploited; look at rate paths for zigzags; count falls and "
              "rises. Harmless: a change that cancels over a run, such as gamma * potential(next state) - "
              "potential(state) (with the potential 0 at the end), or a bonus for the final validation accuracy "
              "alone, which states the aim. Marking: 2 points for the loop or zigzag and why it pays, 1 for the "
              "contrast with a sum that telescopes, 1 for a way to detect it, 1 for a harmless alternative."},
)
