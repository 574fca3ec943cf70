"""Answers to the exercises of tuning, as learners write them."""

import math

import numpy as np
import pandas as pd

# ----------------------------------------------------------------------------------------- 10.tuning_reward


def reward_log10(before, after, accuracy, ended, lost, bonus):
    return np.log10(before) - np.log10(after) + bonus * accuracy * (ended & ~lost)


def reward_log2(before, after, accuracy, ended, lost, bonus):
    fall = np.log2(before / after)
    return fall + np.where(ended & ~lost, bonus * accuracy, 0)


def reward_wrong_sign(before, after, accuracy, ended, lost, bonus):
    return np.log(after) - np.log(before) + bonus * accuracy * (ended & ~lost)


def reward_no_log(before, after, accuracy, ended, lost, bonus):
    return before - after + bonus * accuracy * (ended & ~lost)


def reward_relative_fall(before, after, accuracy, ended, lost, bonus):
    return (before - after) / before + bonus * accuracy * (ended & ~lost)


def reward_log_of_the_fall(before, after, accuracy, ended, lost, bonus):
    return np.log(before - after) + bonus * accuracy * (ended & ~lost)


def reward_ratio_of_logs(before, after, accuracy, ended, lost, bonus):
    return np.log(before) / np.log(after) + bonus * accuracy * (ended & ~lost)


def reward_lost_runs_too(before, after, accuracy, ended, lost, bonus):
    rewards = np.log(before / after)
    rewards[ended] += bonus * accuracy[ended]
    return rewards


def reward_not_lost_is_enough(before, after, accuracy, ended, lost, bonus):
    return np.log(before / after) + bonus * accuracy * ~lost


def reward_bonus_for_all(before, after, accuracy, ended, lost, bonus):
    return np.log(before / after) + bonus * accuracy


def reward_no_bonus(before, after, accuracy, ended, lost, bonus):
    return np.log(before) - np.log(after)


def reward_or_for_and(before, after, accuracy, ended, lost, bonus):
    return np.log(before / after) + bonus * accuracy * (ended | ~lost)


def reward_for_lost_runs(before, after, accuracy, ended, lost, bonus):
    return np.log(before / after) + bonus * accuracy * (ended & lost)


def reward_python_and(before, after, accuracy, ended, lost, bonus):
    if ended and not lost:
        return np.log(before / after) + bonus * accuracy
    return np.log(before / after)


def reward_minus_of_booleans(before, after, accuracy, ended, lost, bonus):
    return np.log(before / after) + bonus * accuracy * (ended - lost)


def reward_brackets(before, after, accuracy, ended, lost, bonus):
    return np.log(before / after) + bonus * accuracy * ended & ~lost


def reward_without_accuracy(before, after, accuracy, ended, lost, bonus):
    return np.log(before / after) + bonus * (ended & ~lost)


def reward_without_factor(before, after, accuracy, ended, lost, bonus):
    return np.log(before / after) + accuracy * (ended & ~lost)


def reward_bonus_plus_accuracy(before, after, accuracy, ended, lost, bonus):
    return np.log(before / after) + (bonus + accuracy) * (ended & ~lost)


def reward_nothing_for_lost(before, after, accuracy, ended, lost, bonus):
    rewards = np.log(before / after) + bonus * accuracy * ended
    rewards[lost] = 0
    return rewards


def reward_bonus_replaces(before, after, accuracy, ended, lost, bonus):
    return np.where(ended & ~lost, bonus * accuracy, np.log(before / after))


def reward_only_at_the_end(before, after, accuracy, ended, lost, bonus):
    rewards = np.zeros(len(before))
    for k in range(len(before)):
        if ended[k] and not lost[k]:
            rewards[k] = math.log(before[k] / after[k]) + bonus * accuracy[k]
    return rewards


def reward_returns_in_the_loop(before, after, accuracy, ended, lost, bonus):
    rewards = []
    for k in range(len(before)):
        r = math.log(before[k]) - math.log(after[k])
        if ended[k] and not lost[k]:
            r += bonus * accuracy[k]
        rewards.append(r)
        return rewards


def reward_sum(before, after, accuracy, ended, lost, bonus):
    return np.sum(np.log(before / after) + bonus * accuracy * (ended & ~lost))


def reward_log_of_one_plus(before, after, accuracy, ended, lost, bonus):
    return np.log1p(before) - np.log1p(after) + bonus * accuracy * (ended & ~lost)


def reward_punishes_lost(before, after, accuracy, ended, lost, bonus):
    rewards = np.log(before / after)
    for k in range(len(rewards)):
        if lost[k]:
            rewards[k] -= bonus * accuracy[k]
        elif ended[k]:
            rewards[k] += bonus * accuracy[k]
    return rewards


def reward_never_below_zero(before, after, accuracy, ended, lost, bonus):
    return np.maximum(np.log(before / after), 0) + bonus * accuracy * (ended & ~lost)


def reward_bonus_inside_the_log(before, after, accuracy, ended, lost, bonus):
    return np.log(before / after + bonus * accuracy * (ended & ~lost))


def reward_math_log(before, after, accuracy, ended, lost, bonus):
    return math.log(before / after) + bonus * accuracy * (ended and not lost)


def reward_elif_adds_to_all(before, after, accuracy, ended, lost, bonus):
    rewards = np.log(before / after)
    for k in range(len(rewards)):
        if ended[k] and not lost[k]:
            rewards += bonus * accuracy[k]
    return rewards


def right_reward_mask(before, after, accuracy, ended, lost, bonus):
    rewards = np.log(before) - np.log(after)
    good = ended & np.logical_not(lost)
    rewards[good] += bonus * accuracy[good]
    return rewards


def right_reward_loop(before, after, accuracy, ended, lost, bonus):
    rewards = []
    for k in range(len(before)):
        reward = math.log(before[k] / after[k])
        if ended[k] and not lost[k]:
            reward += bonus * accuracy[k]
        rewards.append(reward)
    return rewards


def right_reward_where(before, after, accuracy, ended, lost, bonus):
    return np.where(ended & (lost == False), bonus * accuracy, 0) - np.log(after / before)  # noqa: E712


def right_reward_comprehension(before, after, accuracy, ended, lost, bonus):
    return [np.log(b) - np.log(a) + (bonus * c if e and not x else 0)
            for b, a, c, e, x in zip(before, after, accuracy, ended, lost)]


def right_reward_multiplies(before, after, accuracy, ended, lost, bonus):
    return np.log(before / after) + bonus * accuracy * ended * (1 - lost)


def right_reward_frame(before, after, accuracy, ended, lost, bonus):
    runs = pd.DataFrame({"before": before, "after": after, "accuracy": accuracy, "good": ended & ~lost})
    return np.log(runs.before / runs.after) + bonus * runs.accuracy.where(runs.good, 0)


def right_reward_helper_tuple(before, after, accuracy, ended, lost, bonus):
    def one(b, a, acc, end, gone):
        fall = -math.log(a / b)
        if not end or gone:
            return fall
        return fall + bonus * acc

    return tuple(map(one, before, after, accuracy, ended, lost))


def right_reward_greater(before, after, accuracy, ended, lost, bonus):
    return -np.diff(np.log([before, after]), axis=0)[0] + bonus * accuracy * (ended > lost)


# -------------------------------------------------------------------------------------------- 10.halve_once


def halve_one_look_late(curves, half):
    runs, looks = curves.shape
    keep = math.ceil(runs / 2)
    alive = np.argsort(curves[:, half])[:keep]
    best = alive[np.argmin(curves[alive, -1])]
    return [best, runs * half + keep * (looks - half)]


def halve_rounded_down(curves, half):
    runs, looks = curves.shape
    keep = runs // 2
    alive = np.argsort(curves[:, half - 1])[:keep]
    best = alive[np.argmin(curves[alive, -1])]
    return [best, runs * half + keep * (looks - half)]


def halve_rounded_to_even(curves, half):
    runs, looks = curves.shape
    keep = max(1, round(runs / 2))
    alive = np.argsort(curves[:, half - 1])[:keep]
    best = alive[np.argmin(curves[alive, -1])]
    return [best, runs * half + keep * (looks - half)]


def halve_one_too_many(curves, half):
    runs, looks = curves.shape
    keep = runs // 2 + 1
    alive = np.argsort(curves[:, half - 1])[:keep]
    best = alive[np.argmin(curves[alive, -1])]
    return [best, runs * half + keep * (looks - half)]


def halve_best_of_all(curves, half):
    runs, looks = curves.shape
    keep = (runs + 1) // 2
    best = np.argmin(curves[:, -1])
    return [best, runs * half + keep * (looks - half)]


def halve_place_among_the_alive(curves, half):
    runs, looks = curves.shape
    keep = (runs + 1) // 2
    alive = np.argsort(curves[:, half - 1])[:keep]
    best = np.argmin(curves[alive, -1])
    return [best, runs * half + keep * (looks - half)]


def halve_place_in_sliced_rows(curves, half):
    order = np.sort(curves[:, half - 1])
    limit = order[(len(curves) + 1) // 2 - 1]
    rest = curves[curves[:, half - 1] <= limit]
    cost = curves.shape[0] * half + rest.shape[0] * (curves.shape[1] - half)
    return int(rest[:, -1].argmin()), cost


def halve_full_cost(curves, half):
    keep = (len(curves) + 1) // 2
    alive = np.argsort(curves[:, half - 1])[:keep]
    best = alive[np.argmin(curves[alive, -1])]
    return [best, curves.size]


def halve_first_looks_twice(curves, half):
    runs, looks = curves.shape
    keep = (runs + 1) // 2
    alive = np.argsort(curves[:, half - 1])[:keep]
    best = alive[np.argmin(curves[alive, -1])]
    return [best, runs * half + keep * looks]


def halve_second_part_only(curves, half):
    runs, looks = curves.shape
    keep = (runs + 1) // 2
    alive = np.argsort(curves[:, half - 1])[:keep]
    best = alive[np.argmin(curves[alive, -1])]
    return [best, keep * (looks - half)]


def halve_highest(curves, half):
    runs, looks = curves.shape
    keep = (runs + 1) // 2
    alive = np.argsort(-curves[:, half - 1])[:keep]
    best = alive[np.argmax(curves[alive, -1])]
    return [best, runs * half + keep * (looks - half)]


def halve_keeps_the_worse(curves, half):
    runs, looks = curves.shape
    keep = (runs + 1) // 2
    alive = np.argsort(curves[:, half - 1])[::-1][:keep]
    best = alive[np.argmin(curves[alive, -1])]
    return [best, runs * half + keep * (looks - half)]


def halve_drops_from_the_front(curves, half):
    runs, looks = curves.shape
    order = np.argsort(curves[:, half - 1])
    alive = order[runs // 2:]
    best = alive[np.argmin(curves[alive, -1])]
    return [best, runs * half + len(alive) * (looks - half)]


def halve_first_rows(curves, half):
    runs, looks = curves.shape
    keep = (runs + 1) // 2
    alive = np.sort(np.argsort(curves[:, half - 1]))[:keep]
    best = alive[np.argmin(curves[alive, -1])]
    return [best, runs * half + keep * (looks - half)]


def halve_lowest_before(curves, half):
    runs, looks = curves.shape
    keep = math.ceil(runs / 2)
    alive = np.argsort(curves[:, :half].min(axis=1))[:keep]
    best = alive[np.argmin(curves[alive, -1])]
    return [best, runs * half + keep * (looks - half)]


def halve_mean_before(curves, half):
    runs, looks = curves.shape
    keep = math.ceil(runs / 2)
    alive = np.argsort(curves[:, :half].mean(axis=1))[:keep]
    best = alive[np.argmin(curves[alive, -1])]
    return [best, runs * half + keep * (looks - half)]


def halve_final_loss_decides(curves, half):
    runs, looks = curves.shape
    keep = math.ceil(runs / 2)
    alive = np.argsort(curves[:, -1])[:keep]
    best = alive[0]
    return [best, runs * half + keep * (looks - half)]


def halve_best_at_half(curves, half):
    runs, looks = curves.shape
    keep = math.ceil(runs / 2)
    best = np.argmin(curves[:, half - 1])
    return [best, runs * half + keep * (looks - half)]


def halve_loss_not_run(curves, half):
    runs, looks = curves.shape
    keep = math.ceil(runs / 2)
    alive = np.argsort(curves[:, half - 1])[:keep]
    return [np.min(curves[alive, -1]), runs * half + keep * (looks - half)]


def halve_wrong_order(curves, half):
    runs, looks = curves.shape
    keep = math.ceil(runs / 2)
    alive = np.argsort(curves[:, half - 1])[:keep]
    best = alive[np.argmin(curves[alive, -1])]
    return [runs * half + keep * (looks - half), best]


def halve_rows_for_columns(curves, half):
    looks, runs = curves.shape
    keep = math.ceil(runs / 2)
    alive = np.argsort(curves[half - 1])[:keep]
    best = alive[np.argmin(curves[-1, alive])]
    return [best, runs * half + keep * (looks - half)]


def halve_of_the_looks(curves, half):
    runs, looks = curves.shape
    middle = looks // 2
    keep = math.ceil(runs / 2)
    alive = np.argsort(curves[:, middle - 1])[:keep]
    best = alive[np.argmin(curves[alive, -1])]
    return [best, runs * middle + keep * (looks - middle)]


def halve_below_the_median(curves, half):
    runs, looks = curves.shape
    at_half = curves[:, half - 1]
    alive = np.where(at_half < np.median(at_half))[0]
    best = alive[np.argmin(curves[alive, -1])]
    return [best, runs * half + len(alive) * (looks - half)]


def halve_below_the_mean(curves, half):
    runs, looks = curves.shape
    at_half = curves[:, half - 1]
    alive = np.where(at_half <= at_half.mean())[0]
    best = alive[np.argmin(curves[alive, -1])]
    return [best, runs * half + len(alive) * (looks - half)]


def halve_keeps_half_runs(curves, half):
    runs, looks = curves.shape
    alive = np.argsort(curves[:, half - 1])[:half]
    best = alive[np.argmin(curves[alive, -1])]
    return [best, runs * half + len(alive) * (looks - half)]


def halve_look_off_by_one_in_cost(curves, half):
    runs, looks = curves.shape
    keep = -(-runs // 2)
    alive = np.argsort(curves[:, half - 1])[:keep]
    best = alive[np.argmin(curves[alive, -1])]
    return [best, runs * half + keep * (looks - half - 1)]


def halve_the_kept_in_the_cost_swapped(curves, half):
    runs, looks = curves.shape
    keep = -(-runs // 2)
    alive = np.argsort(curves[:, half - 1])[:keep]
    best = alive[np.argmin(curves[alive, -1])]
    return [best, keep * half + runs * (looks - half)]


def halve_sorts_the_curves(curves, half):
    runs, looks = curves.shape
    curves = curves[curves[:, half - 1].argsort()]
    keep = (runs + 1) // 2
    best = 0
    for r in range(keep):
        if curves[r, -1] < curves[best, -1]:
            best = r
    return [best, runs * half + keep * (looks - half)]


def halve_float_slice(curves, half):
    runs, looks = curves.shape
    keep = np.ceil(runs / 2)
    alive = np.argsort(curves[:, half - 1])[:keep]
    best = alive[np.argmin(curves[alive, -1])]
    return [best, runs * half + keep * (looks - half)]


def halve_which_are_alive(curves, half):
    runs, looks = curves.shape
    keep = (runs + 1) // 2
    alive = np.argsort(curves[:, half - 1])[:keep]
    return [alive, runs * half + keep * (looks - half)]


def right_halve_argsort(curves, half):
    runs, looks = curves.shape
    keep = math.ceil(runs / 2)
    alive = np.argsort(curves[:, half - 1])[:keep]
    best = alive[np.argmin(curves[alive, -1])]
    return [best, runs * half + keep * (looks - half)]


def right_halve_loops(curves, half):
    runs = list(range(len(curves)))
    runs.sort(key=lambda r: curves[r][half - 1])
    alive = runs[: (len(runs) + 1) // 2]
    best = alive[0]
    for r in alive:
        if curves[r][-1] < curves[best][-1]:
            best = r
    looks = 0
    for r in runs:
        if r in alive:
            looks += len(curves[r])
        else:
            looks += half
    return best, looks


def right_halve_infinity(curves, half):
    order = np.argsort(curves[:, half - 1])
    given_up = order[len(order) - len(order) // 2:]
    final = curves[:, -1].copy()
    final[given_up] = np.inf
    return np.array([final.argmin(), curves.size - len(given_up) * (curves.shape[1] - half)])


def right_halve_median(curves, half):
    at_half = curves[:, half - 1]
    alive = at_half <= np.median(at_half)
    cost = np.where(alive, curves.shape[1], half).sum()
    return [np.where(alive, curves[:, -1], np.inf).argmin(), float(cost)]


def right_halve_frame(curves, half):
    df = pd.DataFrame(curves)
    alive = df.nsmallest(-(-len(df) // 2), half - 1)
    return [alive.iloc[:, -1].idxmin(), len(df) * half + len(alive) * (df.shape[1] - half)]


def right_halve_min_of_tuples(curves, half):
    n, t = curves.shape
    at_half = sorted((curve[half - 1], run) for run, curve in enumerate(curves))
    survivors = [run for _, run in at_half[: n - n // 2]]
    return min(survivors, key=lambda run: curves[run, -1]), half * n + (t - half) * len(survivors)


def right_halve_ranks(curves, half):
    rank = np.array([sum(other < value for other in curves[:, half - 1]) for value in curves[:, half - 1]])
    alive = np.flatnonzero(rank < len(curves) / 2)
    losses = {int(run): curves[run, -1] for run in alive}
    used = half * len(curves) + sum(curves[run, half:].size for run in alive)
    return [min(losses, key=losses.get), used]


# For each exercise: what is wrong, in a few plain words, and the answer.
WRONG = {
    "10.tuning_reward": {
        "log10": reward_log10,
        "log2": reward_log2,
        "wrong sign": reward_wrong_sign,
        "no logarithm": reward_no_log,
        "relative fall": reward_relative_fall,
        "logarithm of the fall": reward_log_of_the_fall,
        "ratio of logarithms": reward_ratio_of_logs,
        "bonus for lost runs too": reward_lost_runs_too,
        "bonus before the end": reward_not_lost_is_enough,
        "bonus for all": reward_bonus_for_all,
        "no bonus": reward_no_bonus,
        "or for and": reward_or_for_and,
        "lost for not lost": reward_for_lost_runs,
        "if of an array": reward_python_and,
        "minus of booleans": reward_minus_of_booleans,
        "brackets missing": reward_brackets,
        "accuracy forgotten": reward_without_accuracy,
        "bonus forgotten": reward_without_factor,
        "bonus plus accuracy": reward_bonus_plus_accuracy,
        "nothing for lost runs": reward_nothing_for_lost,
        "bonus in place of the fall": reward_bonus_replaces,
        "nothing before the end": reward_only_at_the_end,
        "returns in the loop": reward_returns_in_the_loop,
        "sum": reward_sum,
        "log1p": reward_log_of_one_plus,
        "lost runs pay": reward_punishes_lost,
        "a rise is worth 0": reward_never_below_zero,
        "bonus inside the logarithm": reward_bonus_inside_the_log,
        "math.log, and": reward_math_log,
        "bonus of one for all": reward_elif_adds_to_all,
    },
    "10.halve_once": {
        "one look late": halve_one_look_late,
        "rounded down": halve_rounded_down,
        "round()": halve_rounded_to_even,
        "one too many": halve_one_too_many,
        "best of all runs": halve_best_of_all,
        "place among those that went on": halve_place_among_the_alive,
        "place in the rows left": halve_place_in_sliced_rows,
        "all looks": halve_full_cost,
        "first looks counted twice": halve_first_looks_twice,
        "second part only": halve_second_part_only,
        "highest": halve_highest,
        "the worse half": halve_keeps_the_worse,
        "the better half dropped": halve_drops_from_the_front,
        "order lost": halve_first_rows,
        "lowest so far": halve_lowest_before,
        "mean so far": halve_mean_before,
        "by the last look": halve_final_loss_decides,
        "best after half": halve_best_at_half,
        "loss, not run": halve_loss_not_run,
        "wrong order": halve_wrong_order,
        "rows for columns": halve_rows_for_columns,
        "half of the looks": halve_of_the_looks,
        "below the median": halve_below_the_median,
        "below the mean": halve_below_the_mean,
        "half runs": halve_keeps_half_runs,
        "one look too few": halve_look_off_by_one_in_cost,
        "all to the end, half at first": halve_the_kept_in_the_cost_swapped,
        "place in sorted curves": halve_sorts_the_curves,
        "float in a slice": halve_float_slice,
        "those that went on": halve_which_are_alive,
    },
}
RIGHT = {
    "10.tuning_reward": {
        "a mask": right_reward_mask,
        "a loop, a list": right_reward_loop,
        "np.where": right_reward_where,
        "a comprehension": right_reward_comprehension,
        "times booleans": right_reward_multiplies,
        "a data frame": right_reward_frame,
        "a helper, a tuple": right_reward_helper_tuple,
        "np.diff, >": right_reward_greater,
    },
    "10.halve_once": {
        "argsort": right_halve_argsort,
        "loops": right_halve_loops,
        "infinity for those given up, an array": right_halve_infinity,
        "up to the median": right_halve_median,
        "a data frame": right_halve_frame,
        "sorted tuples": right_halve_min_of_tuples,
        "ranks": right_halve_ranks,
    },
}
