"""Answers to the exercises of fusion, as learners write them."""

import functools
import heapq
import math

import numpy as np
import pandas as pd
from scipy import special

from course_lib.fusion.reference import softmax, top_k_gates

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


# ------------------------------------------------------------------------------- 05.load_balancing_loss


def balance_without_m(scores, k):
    load = (top_k_gates(scores, k) > 0).mean(axis=0) / k
    return np.sum(load * softmax(scores).mean(axis=0))


def balance_not_divided_by_k(scores, k):
    load = (top_k_gates(scores, k) > 0).mean(axis=0)
    importance = softmax(scores).mean(axis=0)
    return scores.shape[1] * (load * importance).sum()


def balance_importance_of_kept(scores, k):
    gates = top_k_gates(scores, k)
    load = (gates > 0).sum(axis=0) / (len(scores) * k)
    return scores.shape[1] * np.sum(load * gates.mean(axis=0))


def balance_load_of_gates(scores, k):
    load = top_k_gates(scores, k).mean(axis=0)
    importance = softmax(scores).mean(axis=0)
    return scores.shape[1] * load @ importance


def balance_counts(scores, k):
    B, M = scores.shape
    count = (top_k_gates(scores, k) > 0).sum(axis=0)
    return M * (count * softmax(scores).mean(axis=0)).sum()


def balance_only_the_best(scores, k):
    B, M = scores.shape
    load = np.bincount(scores.argmax(axis=1), minlength=M) / B
    return M * load @ softmax(scores).mean(axis=0)


def balance_means_over_experts(scores, k):
    load = (top_k_gates(scores, k) > 0).mean(axis=1) / k
    importance = softmax(scores).mean(axis=1)
    return scores.shape[1] * (load * importance).sum()


def balance_squared_variation(scores, k):
    importance = softmax(scores).sum(axis=0)
    return importance.var() / importance.mean() ** 2


def balance_importance_of_scores(scores, k):
    load = (top_k_gates(scores, k) > 0).mean(axis=0) / k
    return scores.shape[1] * load @ scores.mean(axis=0)


def balance_softmax_of_means(scores, k):
    load = (top_k_gates(scores, k) > 0).mean(axis=0) / k
    importance = softmax(scores.mean(axis=0))
    return scores.shape[1] * np.dot(load, importance)


def balance_softmax_over_batch(scores, k):
    load = (top_k_gates(scores, k) > 0).mean(axis=0) / k
    p = np.exp(scores) / np.exp(scores).sum(axis=0)
    return scores.shape[1] * np.dot(load, p.mean(axis=0))


def balance_mean_for_sum(scores, k):
    load = (top_k_gates(scores, k) > 0).mean(axis=0) / k
    importance = softmax(scores).mean(axis=0)
    return np.mean(load * importance)


def balance_mean_times_m(scores, k):
    load = (top_k_gates(scores, k) > 0).mean(axis=0) / k
    importance = softmax(scores).mean(axis=0)
    return scores.shape[1] * np.mean(load * importance)


def balance_one_for_each_expert(scores, k):
    load = (top_k_gates(scores, k) > 0).mean(axis=0) / k
    return scores.shape[1] * load * softmax(scores).mean(axis=0)


def balance_load_squared(scores, k):
    load = (top_k_gates(scores, k) > 0).mean(axis=0) / k
    return scores.shape[1] * (load**2).sum()


def balance_importance_squared(scores, k):
    importance = softmax(scores).mean(axis=0)
    return scores.shape[1] * importance @ importance


def balance_bincount_too_short(scores, k):
    B, M = scores.shape
    chosen = np.argsort(-scores, axis=1)[:, :k].ravel()
    load = np.bincount(chosen) / (B * k)
    return M * (load * softmax(scores).mean(axis=0)).sum()


def balance_two_experts(scores, k):
    load = (top_k_gates(scores, k) > 0).mean(axis=0) / k
    return 2 * np.sum(load * softmax(scores).mean(axis=0))


def balance_smallest_scores(scores, k):
    B, M = scores.shape
    chosen = np.argsort(scores, axis=1)[:, :k]
    load = np.array([(chosen == m).sum() for m in range(M)]) / (B * k)
    return M * load @ softmax(scores).mean(axis=0)


def balance_divided_by_experts(scores, k):
    B, M = scores.shape
    load = (top_k_gates(scores, k) > 0).sum(axis=0) / (B * M)
    return M * load @ softmax(scores).mean(axis=0)


def balance_times_batch(scores, k):
    load = (top_k_gates(scores, k) > 0).mean(axis=0) / k
    importance = softmax(scores).mean(axis=0)
    return len(scores) * np.sum(load * importance)


def balance_importance_summed(scores, k):
    load = (top_k_gates(scores, k) > 0).mean(axis=0) / k
    importance = softmax(scores).sum(axis=0)
    return scores.shape[1] * np.sum(load * importance)


def balance_product_of_sums(scores, k):
    load = (top_k_gates(scores, k) > 0).mean(axis=0) / k
    importance = softmax(scores).mean(axis=0)
    return scores.shape[1] * load.sum() * importance.sum()


def balance_example_by_example(scores, k):
    sent = (top_k_gates(scores, k) > 0) / k
    return scores.shape[1] * (sent * softmax(scores)).sum(axis=1).mean()


def balance_used_or_not(scores, k):
    B, M = scores.shape
    used = (top_k_gates(scores, k) > 0).any(axis=0)
    load = used / used.sum()
    return M * np.sum(load * softmax(scores).mean(axis=0))


def balance_argsort_one_off(scores, k):
    B, M = scores.shape
    load = np.zeros(M)
    for row in scores:
        for m in np.argsort(row)[-k - 1:-1]:
            load[m] += 1 / (B * k)
    return M * load @ softmax(scores).mean(axis=0)


def balance_repeated_index(scores, k):
    B, M = scores.shape
    chosen = np.argsort(-scores, axis=1)[:, :k].ravel()
    count = np.zeros(M)
    count[chosen] += 1
    return M * np.sum(count / (B * k) * softmax(scores).mean(axis=0))


def balance_softmax_by_hand_wrong_axis(scores, k):
    B, M = scores.shape
    load = (top_k_gates(scores, k) > 0).sum(axis=0) / (B * k)
    e = np.exp(scores)
    importance = (e / e.sum()).mean(axis=0)
    return M * load @ importance


def balance_returns_in_the_loop(scores, k):
    M = scores.shape[1]
    load = (top_k_gates(scores, k) > 0).mean(axis=0) / k
    importance = softmax(scores).mean(axis=0)
    loss = 0
    for m in range(M):
        loss += load[m] * importance[m]
        return M * loss


def balance_with_helpers(scores, k):
    load = (top_k_gates(scores, k) > 0).mean(axis=0) / k
    importance = softmax(scores).mean(axis=0)
    return float(scores.shape[1] * np.sum(load * importance))


def balance_plain_loops(scores, k):
    B, M = len(scores), len(scores[0])
    load, importance = [0.0] * M, [0.0] * M
    for row in scores.tolist():
        order = sorted(range(M), key=lambda m: row[m], reverse=True)  # noqa: B023
        for m in order[:k]:
            load[m] += 1 / (B * k)
        total = sum(math.exp(s) for s in row)
        for m in range(M):
            importance[m] += math.exp(row[m]) / total / B
    return M * sum(a * b for a, b in zip(load, importance))


def balance_bincount(scores, k):
    B, M = scores.shape
    chosen = np.argsort(scores, axis=1)[:, M - k:]
    load = np.bincount(chosen.ravel(), minlength=M) / chosen.size
    return M * load @ special.softmax(scores, axis=1).mean(axis=0)


def balance_threshold(scores, k):
    mask = scores >= np.sort(scores, axis=1)[:, [-k]]
    p = np.exp(scores - scores.max(axis=1)[:, None])
    p = p / p.sum(axis=1)[:, None]
    return scores.shape[1] * (mask.sum(axis=0) / mask.sum() * p.mean(axis=0)).sum()


def balance_one_hot(scores, k):
    B, M = scores.shape
    one_hot = np.eye(M)[np.argsort(-scores, axis=1)[:, :k]]  # (B, k, M)
    return M * np.einsum("bkm,nm->", one_hot, softmax(scores)) / (B * k * B)


def balance_pandas(scores, k):
    frame = pd.DataFrame(scores)
    load = (frame.rank(axis=1, ascending=False) <= k).mean() / k
    importance = pd.DataFrame(softmax(scores)).mean()
    return len(frame.columns) * (load * importance).sum()


def balance_add_at(scores, k):
    B, M = scores.shape
    count = np.zeros(M)
    np.add.at(count, np.argpartition(scores, M - k, axis=1)[:, M - k:], 1)
    return np.float64(M * np.dot(count / count.sum(), softmax(scores).sum(axis=0) / B))


# For each exercise: what is wrong, in a few plain words, and the answer.
WRONG = {
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
    "05.load_balancing_loss": {
        "M forgotten": balance_without_m,
        "load not divided by k": balance_not_divided_by_k,
        "importance of the kept scores only": balance_importance_of_kept,
        "load as mean gates": balance_load_of_gates,
        "counts for shares": balance_counts,
        "only the best expert": balance_only_the_best,
        "means over the experts": balance_means_over_experts,
        "squared coefficient of variation": balance_squared_variation,
        "mean scores for importance": balance_importance_of_scores,
        "softmax of the mean scores": balance_softmax_of_means,
        "softmax over the batch": balance_softmax_over_batch,
        "mean for sum, without M": balance_mean_for_sum,
        "M times the mean": balance_mean_times_m,
        "not summed": balance_one_for_each_expert,
        "load squared": balance_load_squared,
        "importance squared": balance_importance_squared,
        "bincount without minlength": balance_bincount_too_short,
        "2 for M": balance_two_experts,
        "the smallest scores": balance_smallest_scores,
        "divided by B * M": balance_divided_by_experts,
        "B for M": balance_times_batch,
        "importance summed over the batch": balance_importance_summed,
        "product of sums": balance_product_of_sums,
        "product in each example, then mean": balance_example_by_example,
        "used or not": balance_used_or_not,
        "the best left out": balance_argsort_one_off,
        "count[chosen] += 1 counts once": balance_repeated_index,
        "softmax over everything": balance_softmax_by_hand_wrong_axis,
        "returns inside the loop": balance_returns_in_the_loop,
    },
}
RIGHT = {
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
    "05.load_balancing_loss": {
        "with the helpers": balance_with_helpers,
        "plain loops": balance_plain_loops,
        "bincount": balance_bincount,
        "threshold": balance_threshold,
        "one-hot": balance_one_hot,
        "pandas": balance_pandas,
        "add.at": balance_add_at,
    },
}
