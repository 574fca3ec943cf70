"""What a class is graded on in notebook 01: exercises and questions without a public solution."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.engine.exercise import Exercise, WrongAnswer


def expected_target(reward, discount, terminated, next_q, legal, epsilon):
    """Targets (B,) of Expected SARSA for an epsilon-greedy policy on legal actions (van Seijen et al., 2009)."""
    best = np.where(legal > 0, next_q, -1e9).max(axis=1)
    mean = (next_q * legal).sum(axis=1) / np.maximum(legal.sum(axis=1), 1)
    value = (1 - epsilon) * best + epsilon * mean
    return reward + np.where(terminated > 0, 0, discount * value)


def _legal_cases(rng):
    def case(epsilon, *arrays):
        names = ("reward", "discount", "terminated", "next_q", "legal")
        return dict(zip(names, (np.array(a, np.float32) for a in arrays), strict=True)) | dict(epsilon=epsilon)

    cases = [case(0.5, [1], [0.5], [0], [[2, 4, 9]], [[1, 1, 0]]),  # 1 + 0.5 * (0.5 * 4 + 0.5 * 3)
             case(0.5, [1, 2], [0.5, 0.5], [0, 1], [[-2, -4], [3, 5]], [[1, 1], [0, 0]]),
             case(0.25, [0], [1], [0], [[-3, -1, -2]], [[1, 0, 1]]),
             case(0.0, [1], [0.9], [1], [[7, 8]], [[1, 1]])]
    for size, actions in ((3, 3), (5, 2), (6, 4), (8, 5), (4, 6), (7, 3)):
        ended = rng.permutation(np.arange(size) % 3 == 0)
        legal = rng.random((size, actions)) < 0.6
        legal[np.arange(size), rng.integers(0, actions, size)] = True
        legal[ended & (rng.random(size) < 0.5)] = False
        cases.append(case(float(rng.uniform(0.1, 0.6)), rng.normal(size=size), 0.9 ** rng.integers(1, 4, size),
                          ended, rng.normal(-0.5, 1, (size, actions)), legal))
    return cases


def _best(q, legal, fill=-1e9):
    return np.where(legal > 0, q, fill).max(axis=1)


def _mean(q, legal):
    return (q * legal).sum(axis=1) / np.maximum(legal.sum(axis=1), 1)


def _expected(value=lambda q, legal, e: (1 - e) * _best(q, legal) + e * _mean(q, legal)):
    def target(reward, discount, terminated, next_q, legal, epsilon):
        return reward + np.where(terminated > 0, 0, discount * value(next_q, legal, epsilon))

    return target


def _no_end(reward, discount, terminated, next_q, legal, epsilon):
    legal = np.maximum(legal, terminated[:, None])
    return expected_target(reward, discount, 0 * terminated, next_q, legal, epsilon)


def _nan(reward, discount, terminated, next_q, legal, epsilon):
    with np.errstate(invalid="ignore", divide="ignore"):
        value = (1 - epsilon) * _best(next_q, legal) + epsilon * (next_q * legal).sum(axis=1) / legal.sum(axis=1)
        return reward + discount * (1 - terminated) * value


EXPECTED_TARGET = Exercise(
    id="01.expected_target",
    title="A target that knows how we explore",
    statement="The next action will be epsilon-greedy among the legal actions: with probability `epsilon` any of"
              " them, all equally likely (the best one too), otherwise the best one. Return the targets (B,): "
              "reward + discount * the expected next_q of that action, or the reward alone where terminated is "
              "1. `next_q` and `legal` (1: legal, 0: not) are (B, A); reward, discount and terminated (0 or 1) "
              "are (B,). Where terminated is 1, a row may have no legal action; elsewhere it has one or more.",
    reference=expected_target,
    cases=_legal_cases,
    tensors=True,
    hints=(
        "How much weight does the best legal action get in all, and how much each other legal action?",
        "Which values keep an illegal action out of a maximum, and out of a mean? And what of rows without any?",
    ),
    wrong=(
        WrongAnswer(_expected(lambda q, legal, e: _best(q, legal)),
                    "That is Q-learning's maximum: the next action is sometimes a random one."),
        WrongAnswer(_expected(lambda q, legal, e: (1 - e) * q.max(axis=1) + e * q.mean(axis=1)),
                    "Illegal actions are never taken: leave them out of the maximum and of the mean."),
        WrongAnswer(_expected(lambda q, legal, e: (1 - e) * _best(q, legal) + e * (q * legal).mean(axis=1)),
                    "Divide by the number of legal actions of the row, not by A."),
        WrongAnswer(_expected(lambda q, legal, e: (1 - e) * _best(q, legal, 0) + e * _mean(q, legal)),
                    "All legal values may be negative: an illegal action's 0 must not win the maximum."),
        WrongAnswer(_expected(lambda q, legal, e: e * _best(q, legal) + (1 - e) * _mean(q, legal)),
                    "Epsilon is the probability of a random action, not of the best one."),
        WrongAnswer(_expected(lambda q, legal, e: (1 - e) * q.max(axis=1) + e * _mean(q, legal)),
                    "The mean is right, but the best action has to be a legal one, too."),
        WrongAnswer(_no_end, "Nothing follows where terminated is 1: the target is the reward alone."),
        WrongAnswer(_nan, "A row without legal actions gives 0 / 0, and 0 times NaN is NaN: guard the division."),
    ),
)


def lambda_returns(rewards, next_values, terminated, truncated, gamma, lam):
    """Lambda-returns (T,) of steps that may hold several episodes; all arrays (T,) (Sutton & Barto, ch. 12)."""
    found, later = np.zeros(len(rewards)), next_values[-1]
    for t in reversed(range(len(rewards))):
        ahead = next_values[t] if truncated[t] else (1 - lam) * next_values[t] + lam * later
        later = found[t] = rewards[t] + gamma * (not terminated[t]) * ahead
    return found


def _lambda_cases(rng):
    def case(rewards, values, term, trunc, gamma, lam):
        steps = np.arange(len(rewards))
        return dict(rewards=np.array(rewards, float), next_values=np.array(values, float),
                    terminated=np.isin(steps, term), truncated=np.isin(steps, trunc), gamma=gamma, lam=lam)

    cases = [case([1, 2], [4, 8], [], [], 0.5, 0.5),  # 1 + 0.5 * (2 + 3), 2 + 0.5 * 8
             case([1, 2, 4], [4, 8, 2], [1], [], 0.5, 0.5), case([1, 2, 4], [4, 8, 2], [], [0], 0.5, 1.0),
             case([3, 1], [2, 6], [], [], 0.5, 0.0)]
    for size, term, trunc in ((4, [1], []), (5, [], [2]), (6, [3], [1]),
                              (7, [2, 6], [4]), (5, [0], [3]), (6, [], [])):
        cases.append(case(rng.normal(size=size), rng.normal(size=size), term, trunc,
                          float(rng.uniform(0.8, 0.95)), float(rng.uniform(0.2, 0.8))))
    return cases


def _backwards(blend=lambda v, later, lam: (1 - lam) * v + lam * later, start=lambda v: v[-1]):
    def returns(rewards, values, terminated, truncated, gamma, lam):
        found, later = np.zeros(len(rewards)), start(values)
        for t in reversed(range(len(rewards))):
            ahead = values[t] if truncated[t] else blend(values[t], later, lam)
            later = found[t] = rewards[t] + gamma * (not terminated[t]) * ahead
        return found

    return returns


LAMBDA_RETURNS = Exercise(
    id="01.lambda_returns",
    title="All n-step returns at once",
    statement="`next_values[t]` is the value of the state after step t. Return the array G (T,): G[t] = "
              "rewards[t] + gamma * ((1 - lam) * next_values[t] + lam * G[t + 1]). After the last step, and "
              "where truncated[t], next_values[t] takes the place of the whole bracket; where terminated[t], 0 "
              "does. Steps of several episodes may follow one another. All arrays are (T,), T >= 1; terminated "
              "and truncated are bool, and never both True.",
    reference=lambda_returns,
    cases=_lambda_cases,
    hints=(
        "G[t] needs G[t + 1]: in which order do you go through the steps?",
        "For each of the three kinds of end, ask: does an estimate of the future exist, and does it belong here?",
    ),
    wrong=(
        WrongAnswer(lambda r, v, end, cut, g, lam: lambda_returns(r, v, end, 0 * cut, g, lam),
                    "After a truncated step another episode follows: its return does not belong here."),
        WrongAnswer(lambda r, v, end, cut, g, lam: lambda_returns(r, v, end | cut, cut, g, lam),
                    "A truncated episode would have gone on: bootstrap from next_values there."),
        WrongAnswer(lambda r, v, end, cut, g, lam: lambda_returns(r, v, 0 * end, cut, g, lam),
                    "Nothing follows a terminated step: neither a value nor a return."),
        WrongAnswer(lambda r, v, end, cut, g, lam: lambda_returns(r, v, end, cut, g, 1 - lam),
                    "Lam is swapped: it is the share of G[t + 1]; the value gets 1 - lam."),
        WrongAnswer(_backwards(start=lambda v: 0.0),
                    "After the last step there is no G: the value takes the place of the whole bracket."),
        WrongAnswer(_backwards(lambda v, later, lam: v + lam * later), "The value's factor is missing: 1 - lam."),
        WrongAnswer(lambda r, v, end, cut, g, lam: r + g * ~end * v,
                    "You look one step ahead only: lam of the bracket is G[t + 1]."),
    ),
)

EXERCISES = (EXPECTED_TARGET, LAMBDA_RETURNS)

SOLUTIONS = {"01.expected_target": {
    "pytorch": """best = torch.where(legal > 0, next_q, torch.full_like(next_q, -1e9)).max(dim=1).values
mean = (next_q * legal).sum(dim=1) / legal.sum(dim=1).clamp(min=1)
value = (1 - epsilon) * best + epsilon * mean
return torch.where(terminated > 0, reward, reward + discount * value)""",
    "keras": """best = ops.max(ops.where(legal > 0, next_q, -1e9), axis=1)
mean = ops.sum(next_q * legal, axis=1) / ops.maximum(ops.sum(legal, axis=1), 1.0)
value = (1 - epsilon) * best + epsilon * mean
return ops.where(terminated > 0, reward, reward + discount * value)""",
}}

QUESTIONS = (
    {
        "question": "During training the mean of max Q grows from 40 to 900 on CartPole, where no return can "
                    "exceed 100 (gamma = 0.99, reward 1 a step); the episodes get longer at first, then the "
                    "agent collapses. Name two causes that you would suspect, and for each an experiment or a "
                    "plot that would confirm or rule it out.",
        "model": "No value above 1 / (1 - gamma) = 100 is possible, so the network overestimates, whatever the "
                 "agent does (1 point). Two plausible causes (1 point each), for instance: targets that chase "
                 "themselves (target network updated too fast), the maximum over noisy estimates, bootstrapping "
                 "past terminal states, too high a learning rate. To each a test that changes one thing (1 point"
                 " each): a slower target network; Double DQN, with Q plotted against observed discounted "
                 "returns; a check that targets of terminal transitions equal the reward; a smaller rate. "
                 "Several seeds are needed.",
    },
    {
        "question": "A student tries 12 settings of a DQN with one seed each, picks the one whose best episode "
                    "was longest, and reports that episode's return as the agent's performance. Which flaws do "
                    "you see, and how would you compare the settings with the same computing time?",
        "model": "One seed: differences between seeds are often larger than those between settings (1 point). "
                 "The best episode is a maximum over many noisy ones, and the best of 12 a maximum again, so the"
                 " figure is too high (1 point); exploration noise is in it, too. Evaluate separately, with "
                 "little or no epsilon, by the mean over many episodes at a moment that was fixed beforehand (1 "
                 "point). With the same budget: try fewer settings, or drop the worst early, with several seeds "
                 "for those left (1 point). Report the winner on fresh seeds with its spread (1 point).",
    },
)
