"""Answers to the exercises of fusion, as learners write them."""

import functools
import heapq
import math

import numpy as np
import pandas as pd
from scipy import special

from course_lib.fusion.reference import softmax

# --------------------------------------------------------------------------------- 05.product_of_experts


def product_mixture(probabilities):
    return probabilities.mean(axis=0)


def product_not_normalised(probabilities):
    return probabilities.prod(axis=0)


def product_underflows(probabilities):
    product = np.prod(probabilities, axis=0)
    return product / product.sum(axis=1, keepdims=True)


def product_underflows_in_a_loop(probabilities):
    m, n, c = probabilities.shape
    result = np.ones((n, c))
    for i in range(m):
        result = result * probabilities[i]
    for j in range(n):
        total = result[j].sum()
        if total > 0:
            result[j] = result[j] / total
    return result


def product_exp_of_log_sums(probabilities):
    powers = np.exp(np.log(probabilities).sum(axis=0))
    return powers / powers.sum(axis=-1, keepdims=True)


def product_normalised_over_examples(probabilities):
    logs = np.log(probabilities).sum(axis=0)
    p = np.exp(logs - logs.max())
    return p / p.sum(axis=0)


def product_normalised_by_everything(probabilities):
    product = probabilities.prod(axis=0)
    return product / product.sum()


def product_geometric_mean(probabilities):
    return softmax(np.log(probabilities).mean(axis=0))


def product_softmax_of_sum(probabilities):
    return softmax(probabilities.sum(axis=0))


def product_softmax_of_product(probabilities):
    return softmax(probabilities.prod(axis=0))


def product_over_the_examples(probabilities):
    return softmax(np.log(probabilities).sum(axis=1))


def product_sum_without_keepdims(probabilities):
    product = np.prod(probabilities, axis=0)
    return product / np.sum(product, axis=1)


def product_base_two(probabilities):
    return softmax(np.log2(probabilities).sum(axis=0))


def product_base_ten(probabilities):
    score = np.zeros(probabilities.shape[1:])
    for p in probabilities:
        score += np.log10(p)
    return softmax(score)


def product_starts_at_zero(probabilities):
    result = np.zeros(probabilities.shape[1:])
    for p in probabilities:
        result *= p
        result = result / result.sum(axis=1, keepdims=True)
    return result


def product_last_expert_missing(probabilities):
    logs = np.log(probabilities[0])
    for i in range(1, len(probabilities) - 1):
        logs = logs + np.log(probabilities[i])
    return softmax(logs)


def product_most_confident(probabilities):
    best = probabilities.max(axis=0)
    return best / best.sum(axis=1, keepdims=True)


def product_majority(probabilities):
    m, n, c = probabilities.shape
    votes = np.zeros((n, c))
    for expert in probabilities:
        votes[np.arange(n), expert.argmax(axis=1)] += 1
    return votes / m


def product_in_place(probabilities):
    product = probabilities[0]
    for p in probabilities[1:]:
        product *= p
        product /= product.sum(axis=1, keepdims=True)
    return product


def product_one_maximum_for_all(probabilities):
    logs = np.log(probabilities).sum(axis=0)
    logs = logs - logs.max()
    p = np.exp(logs)
    return p / p.sum(axis=1, keepdims=True)


def product_winner(probabilities):
    return np.log(probabilities).sum(axis=0).argmax(axis=1)


def product_divided_by_number(probabilities):
    return softmax(np.log(probabilities).sum(axis=0)) / len(probabilities)


def product_logs_clipped_at_a_thousandth(probabilities):
    return softmax(np.log(np.clip(probabilities, 1e-3, 1)).sum(axis=0))


def product_epsilon_in_the_log(probabilities):
    eps = 1e-7
    return softmax(np.log(probabilities + eps).sum(axis=0))


def product_epsilon_in_the_total(probabilities):
    product = probabilities.prod(axis=0)
    return product / (product.sum(axis=1, keepdims=True) + 1e-8)


def product_returns_in_the_loop(probabilities):
    log_p = 0
    for expert in probabilities:
        log_p = log_p + np.log(expert)
        return softmax(log_p)


def product_logs_left_negative(probabilities):
    logs = np.log(probabilities).sum(axis=0)
    return logs / logs.sum(axis=1, keepdims=True)


def product_minus_log(probabilities):
    return softmax(-np.log(probabilities).sum(axis=0))


def product_normalised_each_time(probabilities):
    product = np.ones(probabilities.shape[1:])
    for p in probabilities:
        product = product * p
        product = product / product.sum(axis=1, keepdims=True)
    return product


def product_halves(probabilities):
    if len(probabilities) == 1:
        return probabilities[0] / probabilities[0].sum(axis=1)[:, None]
    half = len(probabilities) // 2
    both = product_halves(probabilities[:half]) * product_halves(probabilities[half:])
    return both / both.sum(axis=1)[:, None]


def product_log_sum(probabilities):
    return softmax(np.log(probabilities).sum(axis=0))


def product_plain_loops(probabilities):
    experts, examples, classes = probabilities.shape
    rows = []
    for n in range(examples):
        logs = [sum(math.log(probabilities[m, n, c]) for m in range(experts)) for c in range(classes)]
        top = max(logs)
        powers = [math.exp(x - top) for x in logs]
        rows.append([p / sum(powers) for p in powers])
    return rows


def product_reduce(probabilities):
    return softmax(functools.reduce(np.add, map(np.log, probabilities)))


def product_logsumexp(probabilities):
    logs = np.add.reduce(np.log(probabilities))
    return np.exp(logs - special.logsumexp(logs, axis=1, keepdims=True))


def product_log_halves(probabilities):
    def total(experts):
        if len(experts) == 1:
            return np.log(experts[0])
        half = len(experts) // 2
        return total(experts[:half]) + total(experts[half:])

    return tuple(softmax(total(probabilities)))


def product_running_log(probabilities):
    log_p = np.zeros_like(probabilities[0])
    for expert in probabilities:
        log_p = log_p + np.log(expert)
        log_p = log_p - np.max(log_p, axis=-1, keepdims=True)
    p = np.exp(log_p)
    return p / np.sum(p, axis=-1, keepdims=True)


def product_pandas(probabilities):
    frames = [pd.DataFrame(expert).map(math.log) for expert in probabilities]
    logs = sum(frames[1:], frames[0])
    powers = np.exp(logs.sub(logs.max(axis=1), axis=0))
    return powers.div(powers.sum(axis=1), axis=0)


def product_from_ratios(probabilities):
    logs = np.einsum("mnc->nc", np.log(probabilities))
    ratios = logs[:, None, :] - logs[:, :, None]  # (N, c, other c)
    with np.errstate(over="ignore"):
        return 1 / np.exp(ratios).sum(axis=2)


# ----------------------------------------------------------------------------------------- 05.gate_step


def sigmoid(s):
    return 1 / (1 + np.exp(-s))


def gate_ascends(w, x, first, second, y, rate):
    z = sigmoid(x @ w)[:, None]
    off = z * first + (1 - z) * second - y
    return w + rate * (2 * off * (first - second) * z * (1 - z) / off.size).sum(axis=1) @ x


def gate_without_two(w, x, first, second, y, rate):
    z = sigmoid(x @ w)[:, None]
    off = z * first + (1 - z) * second - y
    return w - rate * x.T @ (off * (first - second) * z * (1 - z)).sum(axis=1) / off.size


def gate_without_its_derivative(w, x, first, second, y, rate):
    z = sigmoid(x @ w)[:, None]
    off = z * first + (1 - z) * second - y
    return w - rate * x.T @ (2 * off * (first - second)).sum(axis=1) / off.size


def gate_mean_over_examples(w, x, first, second, y, rate):
    grad = np.zeros_like(w)
    for n in range(len(x)):
        z = sigmoid(x[n] @ w)
        off = z * first[n] + (1 - z) * second[n] - y[n]
        grad += 2 * (off * (first[n] - second[n])).sum() * z * (1 - z) * x[n]
    return w - rate * grad / len(x)


def gate_sum_of_squares(w, x, first, second, y, rate):
    z = sigmoid(x @ w)[:, None]
    off = z * first + (1 - z) * second - y
    return w - rate * x.T @ (2 * off * (first - second) * z * (1 - z)).sum(axis=1)


def gate_second_forgotten(w, x, first, second, y, rate):
    z = sigmoid(x @ w)[:, None]
    off = z * first + (1 - z) * second - y
    return w - rate * x.T @ (2 * off * first * z * (1 - z)).mean(axis=1) / len(x)


def gate_for_the_second(w, x, first, second, y, rate):
    z = sigmoid(x @ w)[:, None]
    off = (1 - z) * first + z * second - y
    return w - rate * x.T @ (2 * off * (second - first) * z * (1 - z)).mean(axis=1) / len(x)


def gate_never_moves(w, x, first, second, y, rate):
    new = w.copy()
    z = sigmoid(x @ w)[:, None]
    off = z * first + (1 - z) * second - y
    new - rate * x.T @ (2 * off * (first - second) * z * (1 - z)).mean(axis=1) / len(x)
    return new


def gate_returns_the_gradient(w, x, first, second, y, rate):
    z = sigmoid(x @ w)[:, None]
    off = z * first + (1 - z) * second - y
    return x.T @ (2 * off * (first - second) * z * (1 - z)).mean(axis=1) / len(x)


def gate_returns_the_step(w, x, first, second, y, rate):
    return -rate * gate_returns_the_gradient(w, x, first, second, y, rate)


def gate_rate_forgotten(w, x, first, second, y, rate):
    return w - gate_returns_the_gradient(w, x, first, second, y, rate)


def gate_of_log_loss(w, x, first, second, y, rate):
    z = sigmoid(x @ w)[:, None]
    mix = z * first + (1 - z) * second
    return w - rate * x.T @ (-(y / mix) * (first - second) * z * (1 - z)).mean(axis=1) / len(x)


def gate_of_absolute_errors(w, x, first, second, y, rate):
    z = sigmoid(x @ w)[:, None]
    off = z * first + (1 - z) * second - y
    return w - rate * x.T @ (np.sign(off) * (first - second) * z * (1 - z)).mean(axis=1) / len(x)


def gate_mean_of_x(w, x, first, second, y, rate):
    z = sigmoid(x @ w)[:, None]
    off = z * first + (1 - z) * second - y
    return w - rate * (2 * off * (first - second) * z * (1 - z)).mean() * x.mean(axis=0)


def gate_without_a_gate(w, x, first, second, y, rate):
    z = (x @ w)[:, None]
    off = z * first + (1 - z) * second - y
    return w - rate * x.T @ (2 * off * (first - second)).mean(axis=1) / len(x)


def gate_in_place(w, x, first, second, y, rate):
    w -= rate * gate_returns_the_gradient(w, x, first, second, y, rate)
    return w


def gate_by_matrices(w, x, first, second, y, rate):
    z = special.expit(x @ w)
    d = first - second
    off = second + z[:, None] * d - y
    return w - rate * 2 / off.size * (x * (z * (1 - z) * (off * d).sum(axis=1))[:, None]).sum(axis=0)


def gate_by_loops(w, x, first, second, y, rate):
    grad = [0.0] * len(w)
    for n in range(len(x)):
        z = 1 / (1 + math.exp(-sum(a * b for a, b in zip(x[n], w))))
        for c in range(y.shape[1]):
            off = z * first[n, c] + (1 - z) * second[n, c] - y[n, c]
            for f in range(len(w)):
                grad[f] += 2 * off * (first[n, c] - second[n, c]) * z * (1 - z) * x[n, f] / y.size
    return [a - rate * g for a, g in zip(w, grad)]


def gate_by_differences(w, x, first, second, y, rate):
    def loss(v):
        z = sigmoid(x @ v)[:, None]
        return ((z * first + (1 - z) * second - y) ** 2).mean()

    h = 1e-6
    return w - rate * np.array([(loss(w + h * e) - loss(w - h * e)) / (2 * h) for e in np.eye(len(w))])


def gate_complex_step(w, x, first, second, y, rate):
    def loss(v):
        z = sigmoid(x @ v)[:, None]
        return ((z * first + (1 - z) * second - y) ** 2).mean()

    return [float(v - rate * loss(w + 1e-20j * e).imag / 1e-20) for v, e in zip(w, np.eye(len(w)))]


def gate_einsum(w, x, first, second, y, rate):
    z = sigmoid(np.einsum("bf,f->b", x, w))[:, None]
    off = z * first + (1 - z) * second - y
    return w - rate * np.einsum("bc,bf->f", 2 * off * (first - second) * z * (1 - z), x) / off.size


# ---------------------------------------------------------------------------------------- 05.top_k_gates


def gates_not_renormalised(scores, k):
    gates = softmax(scores)
    order = np.argsort(-scores, axis=1)
    np.put_along_axis(gates, order[:, k:], 0, axis=1)
    return gates


def gates_smallest(scores, k):
    masked = np.full(scores.shape, -np.inf)
    keep = np.argsort(scores, axis=1)[:, :k]
    np.put_along_axis(masked, keep, np.take_along_axis(scores, keep, axis=1), axis=1)
    return softmax(masked)


def gates_masked_with_zero(scores, k):
    threshold = np.sort(scores, axis=1)[:, -k][:, None]
    return softmax(np.where(scores >= threshold, scores, 0))


def gates_overflow(scores, k):
    threshold = np.sort(scores, axis=1)[:, [-k]]
    powers = np.where(scores >= threshold, np.exp(scores), 0)
    return powers / powers.sum(axis=1, keepdims=True)


def gates_strictly_above(scores, k):
    threshold = np.sort(scores, axis=1)[:, -k:-k + 1 or None]
    return softmax(np.where(scores > threshold, scores, -np.inf))


def gates_one_threshold_for_the_batch(scores, k):
    threshold = np.sort(scores.flatten())[-k]
    return softmax(np.where(scores >= threshold, scores, -1e30))


def gates_one_too_many(scores, k):
    keep = np.argsort(scores, axis=1)[:, -k - 1:]
    masked = np.full_like(scores, -np.inf)
    np.put_along_axis(masked, keep, np.take_along_axis(scores, keep, axis=1), axis=1)
    return softmax(masked)


def gates_order_mixed_up(scores, k):
    gates = np.zeros_like(scores)
    for i, row in enumerate(scores):
        keep = np.argsort(-row)[:k]
        gates[i, np.sort(keep)] = softmax(row[keep])
    return gates


def gates_of_the_kept_alone(scores, k):
    best = -np.sort(-scores, axis=1)[:, :k]
    return softmax(best)


def gates_masked_with_a_hundred(scores, k):
    keep = np.argsort(scores, axis=1)[:, -k:]
    masked = np.full(scores.shape, -100.0)
    for i in range(len(scores)):
        masked[i, keep[i]] = scores[i, keep[i]]
    return softmax(masked)


def gates_over_the_batch(scores, k):
    keep = np.argsort(-scores, axis=0)[:k]
    masked = np.full_like(scores, -np.inf)
    np.put_along_axis(masked, keep, np.take_along_axis(scores, keep, axis=0), axis=0)
    return softmax(masked)


def gates_rows_and_columns_mixed(scores, k):
    keep = np.argsort(-scores, axis=1)[:, :k]
    masked = np.full_like(scores, -np.inf)
    masked[:, keep] = scores[:, keep]
    return softmax(masked)


def gates_index_picks_rows(scores, k):
    keep = np.argsort(-scores, axis=1)[:, :k]
    gates = np.zeros_like(scores)
    gates[keep] = softmax(scores[keep])
    return gates


def gates_minus_infinity_times_zero(scores, k):
    threshold = np.sort(scores, axis=1)[:, -k].reshape(-1, 1)
    mask = scores >= threshold
    return softmax(scores * mask + (1 - mask) * -np.inf)


def gates_in_place(scores, k):
    for row in scores:
        row[np.argsort(row)[:-k]] = -np.inf
    return softmax(scores)


def gates_even(scores, k):
    keep = np.argsort(-scores, axis=1)[:, :k]
    gates = np.zeros_like(scores)
    np.put_along_axis(gates, keep, 1 / k, axis=1)
    return gates


def gates_shares_of_scores(scores, k):
    kept = np.where(scores >= np.sort(scores, axis=1)[:, -k][:, None], scores, 0)
    return kept / kept.sum(axis=1, keepdims=True)


def gates_softmax_twice(scores, k):
    p = softmax(scores)
    masked = np.where(p >= np.sort(p, axis=1)[:, -k][:, None], p, -np.inf)
    return softmax(masked)


def gates_always_two(scores, k):
    threshold = np.sort(scores, axis=1)[:, -2][:, None]
    return softmax(np.where(scores >= threshold, scores, -np.inf))


def gates_argpartition_out_of_bounds(scores, k):
    keep = np.argpartition(-scores, k, axis=1)[:, :k]
    masked = np.full_like(scores, -np.inf)
    np.put_along_axis(masked, keep, np.take_along_axis(scores, keep, axis=1), axis=1)
    return softmax(masked)


def gates_threshold_without_new_axis(scores, k):
    threshold = np.sort(scores, axis=1)[:, -k]
    return softmax(np.where(scores >= threshold, scores, -np.inf))


def gates_mask_only(scores, k):
    rank = np.argsort(np.argsort(-scores, axis=1), axis=1)
    return (rank < k).astype(float)


def gates_argsort_for_rank(scores, k):
    order = np.argsort(-scores, axis=1)
    return softmax(np.where(order < k, scores, -np.inf))


def gates_returns_after_a_row(scores, k):
    gates = np.zeros(scores.shape)
    for i in range(len(scores)):
        keep = np.argsort(scores[i])[::-1][:k]
        gates[i, keep] = softmax(scores[i, keep])
        return gates


def gates_normalised_by_everything(scores, k):
    threshold = np.sort(scores, axis=1)[:, -k][:, None]
    powers = np.where(scores >= threshold, np.exp(scores - scores.max()), 0)
    return powers / powers.sum()


def gates_epsilon_in_the_total(scores, k):
    gates = np.zeros(scores.shape)
    for i, row in enumerate(scores):
        for m in np.argsort(row)[-k:]:
            gates[i, m] = np.exp(row[m])
    return gates / (gates.sum(axis=1, keepdims=True) + 1e-9)


def gates_masked_with_infinity(scores, k):
    keep = np.argsort(-scores, axis=1)[:, :k]
    masked = np.full_like(scores, -np.inf)
    np.put_along_axis(masked, keep, np.take_along_axis(scores, keep, axis=1), axis=1)
    return softmax(masked)


def gates_row_by_row(scores, k):
    gates = np.zeros_like(scores)
    for i in range(scores.shape[0]):
        keep = np.argsort(scores[i])[-k:]
        gates[i, keep] = softmax(scores[i, keep])
    return gates


def gates_by_threshold(scores, k):
    threshold = np.partition(scores, -k, axis=1)[:, [-k]]
    powers = np.exp(scores - scores.max(axis=1, keepdims=True)) * (scores >= threshold)
    return powers / powers.sum(axis=1, keepdims=True)


def gates_by_rank(scores, k):
    rank = (scores[:, :, None] < scores[:, None, :]).sum(axis=2)  # how many are larger
    p = np.where(rank < k, softmax(scores), 0)
    return p / p.sum(axis=1)[:, None]


def gates_lists(scores, k):
    result = []
    for row in scores.tolist():
        kept = heapq.nlargest(k, row)
        total = sum(math.exp(s - kept[0]) for s in kept)
        result.append([math.exp(s - kept[0]) / total if s in kept else 0 for s in row])
    return result


def gates_pandas(scores, k):
    frame = pd.DataFrame(scores)
    kept = frame.where(frame.rank(axis=1, ascending=False) <= k, -np.inf)
    return special.softmax(kept.to_numpy(), axis=1)


def gates_largest_out_one_by_one(scores, k):
    left, kept = scores.copy(), np.full(scores.shape, -np.inf)
    rows = np.arange(len(scores))
    for _ in range(k):
        best = left.argmax(axis=1)
        kept[rows, best] = scores[rows, best]
        left[rows, best] = -np.inf
    return tuple(softmax(kept))


# ------------------------------------------------------------------------------------------------ 05.alpha


def alpha_second(first, second, y):
    d = second - first
    return np.clip((d * (y - first)).sum() / (d**2).sum(), 0, 1)


def alpha_circulated(first, second, y):
    return second.sum() / (first + second).sum()


def alpha_unclipped(first, second, y):
    d = first - second
    return (d * (y - second)).sum() / (d * d).sum()


def alpha_grid_of_eleven(first, second, y):
    grid = np.linspace(0, 1, 11)
    return grid[np.argmin([((a * first + (1 - a) * second - y) ** 2).mean() for a in grid])]


def alpha_without_taking_the_second_off(first, second, y):
    d = first - second
    return np.clip((d * y).sum() / (d**2).sum(), 0, 1)


def alpha_sign(first, second, y):
    d = first - second
    return np.clip((d * (second - y)).sum() / (d**2).sum(), 0, 1)


def alpha_absolute(first, second, y):
    d = first - second
    return np.clip((d * (y - second)).sum() / np.abs(d).sum(), 0, 1)


def alpha_of_each_column(first, second, y):
    d = first - second
    return np.clip((d * (y - second)).sum(axis=0) / (d**2).sum(axis=0), 0, 1)


def alpha_by_the_errors(first, second, y):
    one, two = ((first - y) ** 2).sum(), ((second - y) ** 2).sum()
    return two / (one + two)


def alpha_the_better_one(first, second, y):
    return 1.0 if ((first - y) ** 2).mean() < ((second - y) ** 2).mean() else 0.0


def alpha_half(first, second, y):
    return 0.5


def alpha_formula(first, second, y):
    d = first - second
    return np.clip((d * (y - second)).sum() / (d**2).sum(), 0, 1)


def alpha_vdot(first, second, y):
    d = (first - second).ravel()
    return float(min(1, max(0, d @ (y - second).ravel() / (d @ d))))


def alpha_lstsq(first, second, y):
    found = np.linalg.lstsq((first - second).reshape(-1, 1), (y - second).ravel(), rcond=None)[0][0]
    return np.clip(found, 0, 1)


def alpha_plain_loops(first, second, y):
    above = below = 0.0
    for a, b, t in zip(first.ravel(), second.ravel(), y.ravel()):
        above += (a - b) * (t - b)
        below += (a - b) ** 2
    return sorted([0.0, above / below, 1.0])[1]


def alpha_by_search(first, second, y):
    low, high = 0.0, 1.0
    for _ in range(200):  # ternary search of a parabola
        one, two = low + (high - low) / 3, high - (high - low) / 3
        errors = [((a * first + (1 - a) * second - y) ** 2).sum() for a in (one, two)]
        low, high = (low, two) if errors[0] < errors[1] else (one, high)
    return (low + high) / 2 if 1e-9 < low < 1 - 1e-9 else round(low)


def alpha_pandas(first, second, y):
    table = pd.DataFrame({"d": (first - second).ravel(), "rest": (y - second).ravel()})
    return np.clip((table.d * table.rest).sum() / (table.d**2).sum(), 0, 1)


# -------------------------------------------------------------------------------------------- 05.attention


def attend(weights, values):
    return weights, (weights[:, :, None] * values).sum(axis=1)


def attention_unscaled(query, keys, values):
    return attend(softmax((query[:, None] * keys).sum(axis=2)), values)


def attention_by_d(query, keys, values):
    return attend(softmax((query[:, None] * keys).sum(axis=2) / query.shape[1]), values)


def attention_by_the_number_of_experts(query, keys, values):
    return attend(softmax((query[:, None] * keys).sum(axis=2) / np.sqrt(keys.shape[1])), values)


def attention_over_examples(query, keys, values):
    scores = (query[:, None] * keys).sum(axis=2) / np.sqrt(query.shape[1])
    return attend(softmax(scores.T).T, values)


def attention_without_softmax(query, keys, values):
    return attend((query[:, None] * keys).sum(axis=2) / np.sqrt(query.shape[1]), values)


def attention_hard(query, keys, values):
    scores = (query[:, None] * keys).sum(axis=2)
    return attend(np.eye(keys.shape[1])[scores.argmax(axis=1)], values)


def attention_mean_of_values(query, keys, values):
    weights = softmax((query[:, None] * keys).sum(axis=2) / np.sqrt(query.shape[1]))
    return weights, values.mean(axis=1)


def attention_swapped(query, keys, values):
    weights = softmax((query[:, None] * keys).sum(axis=2) / np.sqrt(query.shape[1]))
    return (weights[:, :, None] * values).sum(axis=1), weights


def attention_returns_scores(query, keys, values):
    scores = (query[:, None] * keys).sum(axis=2) / np.sqrt(query.shape[1])
    return scores, (softmax(scores)[:, :, None] * values).sum(axis=1)


def attention_not_summed(query, keys, values):
    weights = softmax((query[:, None] * keys).sum(axis=2) / np.sqrt(query.shape[1]))
    return weights, weights[:, :, None] * values


def attention_broadcast(query, keys, values):
    return attend(softmax((query[:, None] * keys).sum(axis=2) / np.sqrt(query.shape[1])), values)


def attention_einsum(query, keys, values):
    weights = softmax(np.einsum("bd,bmd->bm", query, keys) / query.shape[1] ** 0.5)
    return weights, np.einsum("bm,bmu->bu", weights, values)


def attention_matmul(query, keys, values):
    weights = softmax(np.squeeze(keys @ query[..., None], -1) / np.sqrt(query.shape[-1]))
    return weights, (weights[:, None] @ values)[:, 0]


def attention_loops(query, keys, values):
    weights, sums = [], []
    for q, k, v in zip(query, keys, values):
        scores = np.array([q @ one / np.sqrt(len(q)) for one in k])
        powers = np.exp(scores - scores.max())
        weights.append(powers / powers.sum())
        sums.append(sum(w * one for w, one in zip(weights[-1], v)))
    return np.array(weights), np.array(sums)


def attention_scaled_query(query, keys, values):
    query = query / np.sqrt(query.shape[1])
    return attend(softmax((keys * query[:, None, :]).sum(-1)), values)


WRONG = {
    "05.alpha": {
        "share of the second": alpha_second,
        "the circulated formula": alpha_circulated,
        "not clipped": alpha_unclipped,
        "a coarse grid": alpha_grid_of_eleven,
        "y alone in the numerator": alpha_without_taking_the_second_off,
        "sign": alpha_sign,
        "absolute differences below": alpha_absolute,
        "one for each column": alpha_of_each_column,
        "by the errors": alpha_by_the_errors,
        "the better one": alpha_the_better_one,
        "one half": alpha_half,
    },
    "05.attention": {
        "not scaled": attention_unscaled,
        "by D": attention_by_d,
        "by the root of M": attention_by_the_number_of_experts,
        "over the examples": attention_over_examples,
        "no softmax": attention_without_softmax,
        "the best alone": attention_hard,
        "mean of the values": attention_mean_of_values,
        "in the other order": attention_swapped,
        "scores for weights": attention_returns_scores,
        "not summed": attention_not_summed,
    },
    "05.product_of_experts": {
        "mean of the experts": product_mixture,
        "not normalised": product_not_normalised,
        "the product underflows": product_underflows,
        "the product underflows, the division guarded": product_underflows_in_a_loop,
        "exp of the summed logs underflows": product_exp_of_log_sums,
        "normalised over the examples": product_normalised_over_examples,
        "normalised by the sum of all": product_normalised_by_everything,
        "geometric mean": product_geometric_mean,
        "no log": product_softmax_of_sum,
        "softmax of the product": product_softmax_of_product,
        "over the examples, not the experts": product_over_the_examples,
        "keepdims forgotten": product_sum_without_keepdims,
        "base 2": product_base_two,
        "base 10": product_base_ten,
        "starts at 0": product_starts_at_zero,
        "last expert left out": product_last_expert_missing,
        "largest probability": product_most_confident,
        "majority": product_majority,
        "changes its input": product_in_place,
        "one maximum for all examples": product_one_maximum_for_all,
        "the winning class": product_winner,
        "divided by the number of experts": product_divided_by_number,
        "clipped at 0.001": product_logs_clipped_at_a_thousandth,
        "an epsilon in the log": product_epsilon_in_the_log,
        "an epsilon in the total": product_epsilon_in_the_total,
        "returns inside the loop": product_returns_in_the_loop,
        "logs normalised, not exponentiated": product_logs_left_negative,
        "sign": product_minus_log,
        "normalised after each expert: a class once at 0 stays there": product_normalised_each_time,
        "product of two halves underflows": product_halves,
    },
    "05.gate_step": {
        "climbs": gate_ascends,
        "no 2": gate_without_two,
        "no z (1 - z)": gate_without_its_derivative,
        "mean over the examples alone": gate_mean_over_examples,
        "sum of squares": gate_sum_of_squares,
        "the second forgotten": gate_second_forgotten,
        "z is the second's share": gate_for_the_second,
        "nothing assigned": gate_never_moves,
        "the gradient": gate_returns_the_gradient,
        "the step": gate_returns_the_step,
        "no rate": gate_rate_forgotten,
        "log-loss": gate_of_log_loss,
        "absolute errors": gate_of_absolute_errors,
        "mean slope times mean x": gate_mean_of_x,
        "no sigmoid": gate_without_a_gate,
        "changes its input": gate_in_place,
    },
    "05.top_k_gates": {
        "not renormalised": gates_not_renormalised,
        "the smallest": gates_smallest,
        "masked with 0": gates_masked_with_zero,
        "overflow": gates_overflow,
        "> for >=": gates_strictly_above,
        "one threshold for the batch": gates_one_threshold_for_the_batch,
        "one too many": gates_one_too_many,
        "gates in the wrong places": gates_order_mixed_up,
        "only the kept, (B, k)": gates_of_the_kept_alone,
        "masked with -100": gates_masked_with_a_hundred,
        "k largest of each column": gates_over_the_batch,
        "[:, keep] takes the columns of all rows": gates_rows_and_columns_mixed,
        "[keep] picks rows": gates_index_picks_rows,
        "-inf times 0": gates_minus_infinity_times_zero,
        "changes its input": gates_in_place,
        "equal gates": gates_even,
        "shares of the scores": gates_shares_of_scores,
        "softmax twice": gates_softmax_twice,
        "k ignored": gates_always_two,
        "argpartition fails where k is M": gates_argpartition_out_of_bounds,
        "threshold without a new axis": gates_threshold_without_new_axis,
        "the mask": gates_mask_only,
        "argsort taken for the rank": gates_argsort_for_rank,
        "returns inside the loop": gates_returns_after_a_row,
        "normalised by the sum of all": gates_normalised_by_everything,
        "an epsilon in the total, and overflow": gates_epsilon_in_the_total,
    },
}
RIGHT = {
    "05.alpha": {
        "the formula": alpha_formula,
        "dot products, Python float": alpha_vdot,
        "least squares": alpha_lstsq,
        "plain loops": alpha_plain_loops,
        "search": alpha_by_search,
        "pandas": alpha_pandas,
    },
    "05.attention": {
        "broadcasting": attention_broadcast,
        "einsum": attention_einsum,
        "matmul": attention_matmul,
        "loops": attention_loops,
        "the query scaled": attention_scaled_query,
    },
    "05.product_of_experts": {
        "sum of logs": product_log_sum,
        "plain loops": product_plain_loops,
        "reduce": product_reduce,
        "logsumexp": product_logsumexp,
        "logs added by halves": product_log_halves,
        "running logs": product_running_log,
        "pandas": product_pandas,
        "from ratios": product_from_ratios,
    },
    "05.gate_step": {
        "by matrices": gate_by_matrices,
        "plain loops": gate_by_loops,
        "differences": gate_by_differences,
        "einsum": gate_einsum,
        "complex step": gate_complex_step,
    },
    "05.top_k_gates": {
        "masked with -inf": gates_masked_with_infinity,
        "row by row": gates_row_by_row,
        "by threshold": gates_by_threshold,
        "by rank, renormalised": gates_by_rank,
        "lists": gates_lists,
        "pandas": gates_pandas,
        "the largest taken out one by one": gates_largest_out_one_by_one,
    },
}
