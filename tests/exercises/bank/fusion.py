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


# ----------------------------------------------------------------------------------------- 05.gated_unit


def branches_say(features, kernels, biases):
    return np.stack([np.tanh(f @ w + b) for f, w, b in zip(features, kernels, biases)], axis=1)


def unit_softmax_over_units(features, kernels, biases, gate_kernel, gate_bias):
    h = branches_say(features, kernels, biases)
    scores = np.concatenate(features, axis=1) @ gate_kernel + gate_bias
    gates = softmax(scores.reshape(h.shape))
    return (gates * h).sum(axis=1), gates


def unit_softmax_before_reshape(features, kernels, biases, gate_kernel, gate_bias):
    h = branches_say(features, kernels, biases)
    gates = softmax(np.hstack(features) @ gate_kernel + gate_bias)
    gates = gates.reshape(h.shape)
    return np.sum(gates * h, axis=1), gates


def unit_reshaped_units_first(features, kernels, biases, gate_kernel, gate_bias):
    h = branches_say(features, kernels, biases)
    B, M, U = h.shape
    scores = np.concatenate(features, axis=1) @ gate_kernel + gate_bias
    gates = softmax(scores.reshape(B, U, M)).transpose(0, 2, 1)
    return (gates * h).sum(axis=1), gates


def unit_no_gate_bias(features, kernels, biases, gate_kernel, gate_bias):
    h = branches_say(features, kernels, biases)
    scores = (np.concatenate(features, axis=1) @ gate_kernel).reshape(h.shape)
    gates = special.softmax(scores, axis=1)
    return (gates * h).sum(axis=1), gates


def unit_no_tanh(features, kernels, biases, gate_kernel, gate_bias):
    h = np.stack([f @ w + b for f, w, b in zip(features, kernels, biases)], axis=1)
    scores = (np.concatenate(features, axis=1) @ gate_kernel + gate_bias).reshape(h.shape)
    gates = special.softmax(scores, axis=1)
    return (gates * h).sum(axis=1), gates


def unit_results_swapped(features, kernels, biases, gate_kernel, gate_bias):
    h = branches_say(features, kernels, biases)
    scores = (np.concatenate(features, axis=1) @ gate_kernel + gate_bias).reshape(h.shape)
    gates = special.softmax(scores, axis=1)
    return gates, (gates * h).sum(axis=1)


def unit_mean_over_branches(features, kernels, biases, gate_kernel, gate_bias):
    h = branches_say(features, kernels, biases)
    scores = (np.concatenate(features, axis=1) @ gate_kernel + gate_bias).reshape(h.shape)
    gates = special.softmax(scores, axis=1)
    return (gates * h).mean(axis=1), gates


def unit_sigmoid_gates(features, kernels, biases, gate_kernel, gate_bias):
    h = branches_say(features, kernels, biases)
    z = 1 / (1 + np.exp(-(np.concatenate(features, axis=1) @ gate_kernel + gate_bias)))
    z = z.reshape(h.shape)
    return (z * h).sum(axis=1), z


def unit_without_gates_returned(features, kernels, biases, gate_kernel, gate_bias):
    h = branches_say(features, kernels, biases)
    scores = (np.concatenate(features, axis=1) @ gate_kernel + gate_bias).reshape(h.shape)
    return (special.softmax(scores, axis=1) * h).sum(axis=1)


def unit_sum_over_units(features, kernels, biases, gate_kernel, gate_bias):
    h = branches_say(features, kernels, biases)
    scores = (np.concatenate(features, axis=1) @ gate_kernel + gate_bias).reshape(h.shape)
    gates = special.softmax(scores, axis=1)
    return (gates * h).sum(axis=2), gates


def unit_biases_forgotten(features, kernels, biases, gate_kernel, gate_bias):
    h = []
    for i in range(len(features)):
        h.append(np.tanh(features[i] @ kernels[i]))
    h = np.stack(h, axis=1)
    scores = (np.hstack(features) @ gate_kernel + gate_bias).reshape(h.shape)
    gates = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return (gates * h).sum(axis=1), gates


def unit_gate_sees_what_branches_say(features, kernels, biases, gate_kernel, gate_bias):
    h = branches_say(features, kernels, biases)
    B, M, U = h.shape
    scores = h.reshape(B, M * U) @ gate_kernel + gate_bias
    gates = special.softmax(scores.reshape(B, M, U), axis=1)
    return (gates * h).sum(axis=1), gates


def unit_gates_in_the_order_of_softmax(features, kernels, biases, gate_kernel, gate_bias):
    h = branches_say(features, kernels, biases)
    scores = (np.concatenate(features, axis=1) @ gate_kernel + gate_bias).reshape(h.shape)
    gates = softmax(scores.transpose(0, 2, 1))
    return (gates * h.transpose(0, 2, 1)).sum(axis=2), gates


def unit_branches_stacked_first(features, kernels, biases, gate_kernel, gate_bias):
    h = np.array([np.tanh(f @ w + b) for f, w, b in zip(features, kernels, biases)])
    M, B, U = h.shape
    scores = (np.concatenate(features, axis=1) @ gate_kernel + gate_bias).reshape(B, M, U)
    gates = special.softmax(scores, axis=1)
    return (gates * h).sum(axis=1), gates


def unit_reshaped_branches_first(features, kernels, biases, gate_kernel, gate_bias):
    h = np.array([np.tanh(f @ w + b) for f, w, b in zip(features, kernels, biases)])
    scores = np.concatenate(features, axis=1) @ gate_kernel + gate_bias
    gates = special.softmax(scores.reshape(h.shape), axis=0)
    return (gates * h).sum(axis=0), gates.transpose(1, 0, 2)


def unit_bias_outside_tanh(features, kernels, biases, gate_kernel, gate_bias):
    h = np.stack([np.tanh(f @ w) + b for f, w, b in zip(features, kernels, biases)], axis=1)
    scores = (np.concatenate(features, axis=1) @ gate_kernel + gate_bias).reshape(h.shape)
    gates = special.softmax(scores, axis=1)
    return (gates * h).sum(axis=1), gates


def unit_for_two_branches(features, kernels, biases, gate_kernel, gate_bias):
    h1 = np.tanh(features[0] @ kernels[0] + biases[0])
    h2 = np.tanh(features[1] @ kernels[1] + biases[1])
    B, U = h1.shape
    s = (np.concatenate([features[0], features[1]], axis=1) @ gate_kernel + gate_bias).reshape(B, 2, U)
    z = 1 / (1 + np.exp(s[:, 1] - s[:, 0]))
    return z * h1 + (1 - z) * h2, np.stack([z, 1 - z], axis=1)


def unit_softmax_over_the_batch(features, kernels, biases, gate_kernel, gate_bias):
    h = branches_say(features, kernels, biases)
    scores = (np.concatenate(features, axis=1) @ gate_kernel + gate_bias).reshape(h.shape)
    gates = special.softmax(scores, axis=0)
    return (gates * h).sum(axis=1), gates


def unit_softmax_over_everything(features, kernels, biases, gate_kernel, gate_bias):
    h = branches_say(features, kernels, biases)
    scores = (np.concatenate(features, axis=1) @ gate_kernel + gate_bias).reshape(h.shape)
    gates = np.exp(scores) / np.exp(scores).sum()
    return (gates * h).sum(axis=1), gates


def unit_relu(features, kernels, biases, gate_kernel, gate_bias):
    h = np.stack([np.maximum(0, f @ w + b) for f, w, b in zip(features, kernels, biases)], axis=1)
    scores = (np.concatenate(features, axis=1) @ gate_kernel + gate_bias).reshape(h.shape)
    gates = special.softmax(scores, axis=1)
    return (gates * h).sum(axis=1), gates


def unit_tanh_of_the_sum(features, kernels, biases, gate_kernel, gate_bias):
    pre = np.stack([f @ w + b for f, w, b in zip(features, kernels, biases)], axis=1)
    scores = (np.concatenate(features, axis=1) @ gate_kernel + gate_bias).reshape(pre.shape)
    gates = special.softmax(scores, axis=1)
    return np.tanh((gates * pre).sum(axis=1)), gates


def unit_features_one_below_the_other(features, kernels, biases, gate_kernel, gate_bias):
    h = branches_say(features, kernels, biases)
    x = np.concatenate(features)
    gates = special.softmax((x @ gate_kernel + gate_bias).reshape(h.shape), axis=1)
    return (gates * h).sum(axis=1), gates


def unit_scores_through_tanh(features, kernels, biases, gate_kernel, gate_bias):
    h = branches_say(features, kernels, biases)
    scores = np.tanh(np.concatenate(features, axis=1) @ gate_kernel + gate_bias).reshape(h.shape)
    gates = special.softmax(scores, axis=1)
    return (gates * h).sum(axis=1), gates


def unit_one_gate_for_each_branch(features, kernels, biases, gate_kernel, gate_bias):
    h = branches_say(features, kernels, biases)
    scores = (np.concatenate(features, axis=1) @ gate_kernel + gate_bias).reshape(h.shape)
    weight = special.softmax(scores.mean(axis=2), axis=1)  # (B, M)
    gates = np.repeat(weight[:, :, None], h.shape[2], axis=2)
    return (gates * h).sum(axis=1), gates


def unit_gates_not_applied(features, kernels, biases, gate_kernel, gate_bias):
    h = branches_say(features, kernels, biases)
    scores = (np.concatenate(features, axis=1) @ gate_kernel + gate_bias).reshape(h.shape)
    gates = special.softmax(scores, axis=1)
    return h.sum(axis=1), gates


def unit_scores_for_gates(features, kernels, biases, gate_kernel, gate_bias):
    h = branches_say(features, kernels, biases)
    scores = (np.concatenate(features, axis=1) @ gate_kernel + gate_bias).reshape(h.shape)
    fused = (special.softmax(scores, axis=1) * h).sum(axis=1)
    return fused, scores


def unit_returns_in_the_loop(features, kernels, biases, gate_kernel, gate_bias):
    M, U = len(features), len(biases[0])
    scores = (np.hstack(features) @ gate_kernel + gate_bias).reshape(-1, M, U)
    gates = special.softmax(scores, axis=1)
    fused = 0
    for m in range(M):
        fused = fused + gates[:, m] * np.tanh(features[m] @ kernels[m] + biases[m])
        return fused, gates


def unit_stacked(features, kernels, biases, gate_kernel, gate_bias):
    h = branches_say(features, kernels, biases)
    scores = (np.concatenate(features, axis=1) @ gate_kernel + gate_bias).reshape(h.shape)
    gates = np.swapaxes(softmax(np.swapaxes(scores, 1, 2)), 1, 2)
    return np.sum(gates * h, axis=1), gates


def unit_loop_over_branches(features, kernels, biases, gate_kernel, gate_bias):
    M, U, B = len(features), biases[0].shape[0], features[0].shape[0]
    scores = np.dot(np.hstack(features), gate_kernel) + gate_bias
    scores = scores.reshape((B, M, U))
    e = np.exp(scores)
    gates = e / e.sum(axis=1).reshape(B, 1, U)
    fused = np.zeros((B, U))
    for m in range(M):
        fused += gates[:, m, :] * np.tanh(np.dot(features[m], kernels[m]) + biases[m])
    return [fused, gates]


def unit_plain_loops(features, kernels, biases, gate_kernel, gate_bias):
    M, U = len(features), len(biases[0])
    all_fused, all_gates = [], []
    for b in range(len(features[0])):
        x = []
        for f in features:
            x.extend(f[b].tolist())
        scores = [sum(v * gate_kernel[i, j] for i, v in enumerate(x)) + gate_bias[j] for j in range(M * U)]
        gates = [[0.0] * U for _ in range(M)]
        fused = [0.0] * U
        for u in range(U):
            total = sum(math.exp(scores[m * U + u]) for m in range(M))
            for m in range(M):
                gates[m][u] = math.exp(scores[m * U + u]) / total
                said = math.tanh(sum(a * w for a, w in zip(features[m][b], kernels[m][:, u])) + biases[m][u])
                fused[u] += gates[m][u] * said
        all_fused.append(fused)
        all_gates.append(gates)
    return all_fused, all_gates


def unit_einsum(features, kernels, biases, gate_kernel, gate_bias):
    h = np.array([np.tanh(np.einsum("bf,fu->bu", f, w) + b) for f, w, b in zip(features, kernels, biases)])
    scores = np.einsum("bf,fk->bk", np.concatenate(features, 1), gate_kernel) + gate_bias
    gates = special.softmax(scores.reshape(scores.shape[0], len(features), -1), axis=1)
    return np.einsum("bmu,mbu->bu", gates, h), gates


def unit_one_block_kernel(features, kernels, biases, gate_kernel, gate_bias):
    # all branches at once, by a block diagonal kernel
    x = np.concatenate(features, axis=-1)
    units = len(biases[0])
    block = np.zeros((x.shape[1], len(kernels) * units))
    row = 0
    for m, kernel in enumerate(kernels):
        block[row:row + len(kernel), m * units:(m + 1) * units] = kernel
        row += len(kernel)
    h = np.tanh(x @ block + np.concatenate(biases)).reshape(len(x), -1, units)
    s = (x @ gate_kernel + gate_bias).reshape(len(x), -1, units)
    gates = np.exp(s - special.logsumexp(s, axis=1, keepdims=True))
    return (gates * h).sum(1), gates


def unit_columns_of_scores(features, kernels, biases, gate_kernel, gate_bias):
    x = np.column_stack(features)
    n_units = kernels[0].shape[1]
    powers = [np.exp(x @ gate_kernel[:, i:i + n_units] + gate_bias[i:i + n_units])
              for i in range(0, len(gate_bias), n_units)]
    gates = [p / sum(powers) for p in powers]
    said = [np.tanh(f @ w + b) for f, w, b in zip(features, kernels, biases)]
    return sum(g * s for g, s in zip(gates, said)), np.stack(gates, axis=1)


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
    "05.gated_unit": {
        "softmax over the units": unit_softmax_over_units,
        "softmax before the reshape": unit_softmax_before_reshape,
        "reshaped to (B, U, M)": unit_reshaped_units_first,
        "gate bias forgotten": unit_no_gate_bias,
        "tanh forgotten": unit_no_tanh,
        "results in the wrong order": unit_results_swapped,
        "mean for sum": unit_mean_over_branches,
        "sigmoid for softmax": unit_sigmoid_gates,
        "gates not returned": unit_without_gates_returned,
        "sum over the units": unit_sum_over_units,
        "biases forgotten": unit_biases_forgotten,
        "the gate sees what the branches say": unit_gate_sees_what_branches_say,
        "gates (B, U, M)": unit_gates_in_the_order_of_softmax,
        "branches stacked along the first axis": unit_branches_stacked_first,
        "scores reshaped to (M, B, U)": unit_reshaped_branches_first,
        "bias outside tanh": unit_bias_outside_tanh,
        "two branches only": unit_for_two_branches,
        "softmax over the batch": unit_softmax_over_the_batch,
        "softmax over everything": unit_softmax_over_everything,
        "ReLU for tanh": unit_relu,
        "tanh after the sum": unit_tanh_of_the_sum,
        "features one below the other": unit_features_one_below_the_other,
        "tanh of the scores": unit_scores_through_tanh,
        "one gate for all units of a branch": unit_one_gate_for_each_branch,
        "gates not applied": unit_gates_not_applied,
        "scores for gates": unit_scores_for_gates,
        "returns inside the loop": unit_returns_in_the_loop,
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
    "05.gated_unit": {
        "stacked": unit_stacked,
        "a loop over branches": unit_loop_over_branches,
        "plain loops": unit_plain_loops,
        "einsum": unit_einsum,
        "a block diagonal kernel": unit_one_block_kernel,
        "columns of the gate kernel": unit_columns_of_scores,
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
