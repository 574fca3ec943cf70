"""Answers to the exercises of pruning, as learners write them."""

import math
from itertools import product

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.linear_model import LinearRegression

# -------------------------------------------------------------------------------------------- 02.entropy


def entropy_no_guard(counts):
    p = counts / counts.sum()
    return -np.sum(p * np.log2(p))


def entropy_nats(counts):
    p = counts[counts > 0] / counts.sum()
    return -np.sum(p * np.log(p))


def entropy_log10(counts):
    total = sum(counts)
    h = 0
    for c in counts:
        if c > 0:
            h -= c / total * math.log10(c / total)
    return h


def entropy_no_minus(counts):
    p = counts / np.sum(counts)
    p = p[p > 0]
    return np.sum(p * np.log2(p))


def entropy_mean(counts):
    p = counts / counts.sum()
    p = p[p != 0]
    return -np.mean(p * np.log2(p))


def entropy_of_counts(counts):
    c = counts[counts > 0]
    return -(c * np.log2(c)).sum()


def entropy_divides_by_length(counts):
    n = len(counts)
    h = 0.0
    for c in counts:
        p = c / n
        if p > 0:
            h += -p * np.log2(p)
    return h


def entropy_integer_division(counts):
    total = counts.sum()
    h = 0
    for c in counts:
        p = c // total
        if p > 0:
            h -= p * np.log2(p)
    return h


def entropy_math_log_of_zero(counts):
    total = sum(counts)
    return -sum([c / total * math.log2(c / total) for c in counts])


def entropy_returns_in_loop(counts):
    p = counts / counts.sum()
    h = 0
    for pi in p:
        if pi > 0:
            h = h - pi * np.log2(pi)
        return h


def entropy_returns_zero_at_zero(counts):
    p = counts / counts.sum()
    h = 0
    for pi in p:
        if pi == 0:
            return 0
        h -= pi * np.log2(pi)
    return h


def entropy_stops_at_zero(counts):
    p = counts / counts.sum()
    h = 0.0
    for pi in p:
        if pi == 0:
            break
        h -= pi * np.log2(pi)
    return h


def entropy_add_one(counts):
    p = (counts + 1) / (counts + 1).sum()
    return -(p * np.log2(p)).sum()


def entropy_epsilon_in_p(counts):
    p = counts / counts.sum() + 1e-3
    return -(p * np.log2(p)).sum()


def entropy_overwrites(counts):
    p = counts / counts.sum()
    for pi in p:
        if pi > 0:
            h = -pi * np.log2(pi)
    return h


def entropy_only_surprise(counts):
    p = counts[counts > 0] / counts.sum()
    return -np.log2(p).sum()


def entropy_normalised(counts):
    p = counts / counts.sum()
    p = p[p > 0]
    return -(p * np.log2(p)).sum() / np.log2(len(counts))


def entropy_binary_formula(counts):
    p = counts[0] / counts.sum()
    if p == 0 or p == 1:
        return 0.0
    return -p * np.log2(p) - (1 - p) * np.log2(1 - p)


def entropy_not_summed(counts):
    p = counts / counts.sum()
    return -p * np.log2(np.where(p > 0, p, 1))


def entropy_changes_counts(counts):
    counts[counts == 0] = 1e-12
    p = counts / counts.sum()
    return -(p * np.log2(p)).sum()


def entropy_divides_in_place(counts):
    counts /= counts.sum()
    counts = counts[counts > 0]
    return -(counts * np.log2(counts)).sum()


def entropy_gini(counts):
    p = counts / counts.sum()
    return 1 - np.sum(p**2)


def entropy_softmax(counts):
    p = np.exp(counts - counts.max())
    p = p / p.sum()
    return -np.sum(p * np.log2(p))


def entropy_filters_then_total(counts):
    # outcomes seen once are dropped as well
    seen = counts[counts > 1]
    p = seen / seen.sum()
    return -np.sum(p * np.log2(p))


def right_entropy_filter(counts):
    p = counts[counts > 0] / counts.sum()
    return -np.sum(p * np.log2(p))


def right_entropy_loop(counts):
    total = sum(counts)
    h = 0
    for c in counts:
        if c == 0:
            continue
        p = c / total
        h -= p * math.log2(p)
    return h


def right_entropy_comprehension(counts):
    p = [c / sum(counts) for c in counts.tolist() if c]
    return sum(-q * math.log(q) / math.log(2) for q in p)


def right_entropy_nansum(counts):
    p = counts / counts.sum()
    return np.nansum(-p * np.log2(p))


def right_entropy_tiny(counts):
    p = counts / counts.sum()
    return -(p * np.log2(p + 1e-12)).sum()


def right_entropy_scipy(counts):
    return stats.entropy(counts, base=2)


def right_entropy_other_formula(counts):
    # log n - 1/n sum c log c
    n = counts.sum()
    c = counts[counts > 0].astype(float)
    return np.log2(n) - np.dot(c, np.log2(c)) / n


def right_entropy_log_where(counts):
    p = np.asarray(counts, dtype=float) / np.sum(counts)
    logs = np.log2(p, out=np.zeros_like(p), where=p > 0)
    return float(-(p @ logs))


def right_entropy_series(counts):
    p = pd.Series(counts) / counts.sum()
    p = p[p > 0]
    return -(p * np.log2(p)).sum()


# --------------------------------------------------------------------------------- 02.mutual_information


def mi_no_guard(table):
    p = table / table.sum()
    pk = p.sum(axis=1, keepdims=True)
    pc = p.sum(axis=0, keepdims=True)
    return np.sum(p * np.log2(p / (pk * pc)))


def mi_nats(table):
    p = table / table.sum()
    pk = p.sum(axis=1)
    pc = p.sum(axis=0)
    mi = 0
    for k in range(p.shape[0]):
        for c in range(p.shape[1]):
            if p[k, c] > 0:
                mi += p[k, c] * np.log(p[k, c] / (pk[k] * pc[c]))
    return mi


def mi_ratio_upside_down(table):
    p = table / table.sum()
    expected = np.outer(p.sum(axis=1), p.sum(axis=0))
    mask = p > 0
    return np.sum(p[mask] * np.log2(expected[mask] / p[mask]))


def mi_marginals_swapped(table):
    p = table / table.sum()
    pk = p.sum(axis=0)
    pc = p.sum(axis=1)
    mi = 0
    for k in range(p.shape[0]):
        for c in range(p.shape[1]):
            if p[k, c] > 0:
                mi += p[k, c] * np.log2(p[k, c] / (pk[k] * pc[c]))
    return mi


def mi_outer_the_wrong_way(table):
    p = table / table.sum()
    pk, pc = p.sum(axis=1), p.sum(axis=0)
    joint = np.outer(pc, pk)
    m = p > 0
    return (p[m] * np.log2(p[m] / joint[m])).sum()


def mi_counts_not_frequencies(table):
    rows = table.sum(axis=1)
    cols = table.sum(axis=0)
    mi = 0
    for k in range(table.shape[0]):
        for c in range(table.shape[1]):
            if table[k, c] != 0:
                mi += table[k, c] * np.log2(table[k, c] / (rows[k] * cols[c]))
    return mi


def mi_joint_entropy(table):
    p = table / table.sum()
    p = p[p > 0]
    return -(p * np.log2(p)).sum()


def mi_conditional_entropy(table):
    def h(counts):
        p = counts[counts > 0] / counts.sum()
        return -(p * np.log2(p)).sum()

    return h(table) - h(table.sum(axis=0))


def mi_sign_of_sum(table):
    def h(counts):
        p = counts[counts > 0] / counts.sum()
        return -(p * np.log2(p)).sum()

    return h(table) - h(table.sum(axis=1)) - h(table.sum(axis=0))


def mi_forgets_the_joint(table):
    def h(counts):
        p = counts[counts > 0] / counts.sum()
        return -(p * np.log2(p)).sum()

    return h(table.sum(axis=1)) + h(table.sum(axis=0))


def mi_row_entropies_unweighted(table):
    def h(counts):
        p = counts[counts > 0] / counts.sum()
        return -np.sum(p * np.log2(p))

    h_c = h(table.sum(axis=0))
    return h_c - np.mean([h(row) for row in table])


def mi_not_weighted(table):
    p = table / table.sum()
    px = p.sum(1)
    py = p.sum(0)
    total = 0.0
    for i in range(len(px)):
        for j in range(len(py)):
            if p[i, j] > 0:
                total += np.log2(p[i, j] / (px[i] * py[j]))
    return total


def mi_sum_of_marginals(table):
    p = table / table.sum()
    pk = p.sum(axis=1, keepdims=True)
    pc = p.sum(axis=0, keepdims=True)
    m = p > 0
    return np.sum(p[m] * np.log2(p[m] / (pk + pc)[m]))


def mi_range_of_table(table):
    p = table / table.sum()
    px, py = p.sum(axis=1), p.sum(axis=0)
    mi = 0
    for i in range(len(table)):
        for j in range(len(table)):
            if p[i, j] > 0:
                mi += p[i, j] * np.log2(p[i, j] / (px[i] * py[j]))
    return mi


def mi_weighted_by_product(table):
    p = table / table.sum()
    q = p.sum(axis=1, keepdims=True) * p.sum(axis=0)
    mi = 0
    for i, j in product(*map(range, p.shape)):
        if p[i, j] > 0:
            mi += q[i, j] * np.log2(p[i, j] / q[i, j])
    return mi


def mi_add_one(table):
    p = (table + 1) / (table + 1).sum()
    q = p.sum(axis=1, keepdims=True) * p.sum(axis=0, keepdims=True)
    return (p * np.log2(p / q)).sum()


def mi_row_frequencies(table):
    p = table / table.sum(axis=1, keepdims=True)
    q = p.sum(axis=1, keepdims=True) * p.sum(axis=0, keepdims=True)
    m = p > 0
    return (p[m] * np.log2(p[m] / q[m])).sum()


def mi_means_for_sums(table):
    p = table / table.sum()
    q = p.mean(axis=1, keepdims=True) * p.mean(axis=0, keepdims=True)
    return np.sum(p * np.log2(np.where(p > 0, p / q, 1)))


def mi_normalised(table):
    p = table / table.sum()
    q = p.sum(axis=1, keepdims=True) * p.sum(axis=0, keepdims=True)
    m = p > 0
    mi = (p[m] * np.log2(p[m] / q[m])).sum()
    pc = p.sum(axis=0)
    return mi / -(pc * np.log2(pc)).sum()


def mi_per_outcome(table):
    p = table / table.sum()
    q = p.sum(axis=1, keepdims=True) * p.sum(axis=0, keepdims=True)
    return (p * np.log2(np.where(p > 0, p / q, 1))).sum(axis=1)


def mi_return_too_deep(table):
    p = table / table.sum()
    pk, pc = p.sum(axis=1), p.sum(axis=0)
    mi = 0
    for k in range(p.shape[0]):
        for c in range(p.shape[1]):
            if p[k, c] > 0:
                mi += p[k, c] * np.log2(p[k, c] / (pk[k] * pc[c]))
        return mi


def mi_broadcast_without_keepdims(table):
    p = table / table.sum()
    q = p.sum(axis=1) * p.sum(axis=0)
    mask = p > 0
    return np.sum(np.where(mask, p * np.log2(np.where(mask, p, 1) / q), 0))


def mi_chi_squared(table):
    n = table.sum()
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    return ((table - expected) ** 2 / expected).sum() / n


def mi_g_statistic(table):
    n = table.sum()
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    m = table > 0
    return 2 * np.sum(table[m] * np.log(table[m] / expected[m]))


def mi_skips_the_zero_sums_only(table):
    p = table / table.sum()
    px, py = p.sum(axis=1), p.sum(axis=0)
    mi = 0
    for i in range(p.shape[0]):
        for j in range(p.shape[1]):
            if px[i] > 0 and py[j] > 0:
                mi += p[i, j] * np.log2(p[i, j] / (px[i] * py[j]))
    return mi


def right_mi_loops(table):
    n = table.sum()
    K, C = table.shape
    mi = 0.0
    for k in range(K):
        for c in range(C):
            if table[k, c] > 0:
                p = table[k, c] / n
                p_k = table[k, :].sum() / n
                p_c = table[:, c].sum() / n
                mi += p * math.log2(p / (p_k * p_c))
    return mi


def right_mi_mask(table):
    p = table / table.sum()
    q = np.outer(p.sum(axis=1), p.sum(axis=0))
    m = p > 0
    return np.sum(p[m] * np.log2(p[m] / q[m]))


def right_mi_entropies(table):
    def h(counts):
        p = counts[counts > 0] / counts.sum()
        return -np.sum(p * np.log2(p))

    return h(table.sum(axis=0)) + h(table.sum(axis=1)) - h(table)


def right_mi_conditional(table):
    def h(counts):
        total = sum(counts)
        return sum(-c / total * math.log2(c / total) for c in counts if c > 0)

    n = table.sum()
    rest = sum(row.sum() / n * h(row) for row in table)
    return h(table.sum(axis=0)) - rest


def right_mi_nansum(table):
    p = np.array(table) / np.sum(table)
    px = p.sum(axis=1).reshape(-1, 1)
    py = p.sum(axis=0).reshape(1, -1)
    return np.nansum(p * np.log2(p / px / py))


def right_mi_scipy_kl(table):
    p = table / table.sum()
    q = np.einsum("kc,kd->kd", p, np.ones_like(p)) * np.einsum("kc->c", p)
    return stats.entropy(p.ravel(), q.ravel(), base=2)


def right_mi_frame(table):
    p = pd.DataFrame(table).stack() / table.sum()
    pk = p.groupby(level=0).transform("sum")
    pc = p.groupby(level=1).transform("sum")
    ratio = (p / (pk * pc))[p > 0]
    return (p[p > 0] * np.log2(ratio)).sum()


def right_mi_lists(table):
    rows = table.tolist()
    n = sum(map(sum, rows))
    columns = [sum(column) for column in zip(*rows)]
    terms = []
    for row in rows:
        terms += [v / n * math.log2(v * n / (sum(row) * column)) for v, column in zip(row, columns) if v]
    return math.fsum(terms)


# ---------------------------------------------------------------------------------------- 02.global_mask


def mask_threshold_per_layer(kernels, sparsity):
    masks = []
    for k in kernels:
        threshold = np.quantile(np.abs(k), sparsity)
        masks.append(np.abs(k) >= threshold)
    return masks


def mask_without_abs(kernels, sparsity):
    all_weights = np.concatenate([k.flatten() for k in kernels])
    threshold = np.quantile(all_weights, sparsity)
    return [k >= threshold for k in kernels]


def mask_abs_in_threshold_only(kernels, sparsity):
    all_weights = np.concatenate([np.abs(k).ravel() for k in kernels])
    threshold = np.quantile(all_weights, sparsity)
    return [k >= threshold for k in kernels]


def mask_the_wrong_way(kernels, sparsity):
    flat = np.concatenate([np.abs(k).ravel() for k in kernels])
    threshold = np.quantile(flat, sparsity)
    return [np.abs(k) < threshold for k in kernels]


def mask_strictly_greater(kernels, sparsity):
    flat = np.sort(np.concatenate([np.abs(k).ravel() for k in kernels]))
    n_prune = int(sparsity * len(flat))
    threshold = flat[n_prune]
    return [np.abs(k) > threshold for k in kernels]


def mask_last_pruned_index(kernels, sparsity):
    flat = np.sort(np.concatenate([np.abs(k).ravel() for k in kernels]))
    n_prune = int(sparsity * len(flat))
    threshold = flat[n_prune - 1]
    return [np.abs(k) > threshold for k in kernels]


def mask_keeps_sparsity(kernels, sparsity):
    flat = np.concatenate([np.abs(k).ravel() for k in kernels])
    threshold = np.quantile(flat, 1 - sparsity)
    return [np.abs(k) >= threshold for k in kernels]


def mask_percentile_of_share(kernels, sparsity):
    flat = np.concatenate([np.abs(k).ravel() for k in kernels])
    threshold = np.percentile(flat, sparsity)
    return [np.abs(k) >= threshold for k in kernels]


def mask_sparsity_as_threshold(kernels, sparsity):
    return [np.abs(k) > sparsity for k in kernels]


def mask_share_of_the_range(kernels, sparsity):
    biggest = max(np.abs(k).max() for k in kernels)
    return [np.abs(k) >= sparsity * biggest for k in kernels]


def mask_masked_kernels(kernels, sparsity):
    flat = np.concatenate([np.abs(k).ravel() for k in kernels])
    threshold = np.quantile(flat, sparsity)
    return [k * (np.abs(k) >= threshold) for k in kernels]


def mask_one_flat_mask(kernels, sparsity):
    flat = np.concatenate([np.abs(k).ravel() for k in kernels])
    threshold = np.quantile(flat, sparsity)
    return flat >= threshold


def mask_flat_masks(kernels, sparsity):
    flat = np.concatenate([np.abs(k).ravel() for k in kernels])
    threshold = np.quantile(flat, sparsity)
    return [np.abs(k).ravel() >= threshold for k in kernels]


def mask_stacks_kernels(kernels, sparsity):
    stacked = np.abs(np.array(kernels))
    threshold = np.quantile(stacked, sparsity)
    return [np.abs(k) >= threshold for k in kernels]


def mask_abs_of_a_list(kernels, sparsity):
    magnitude = abs(kernels)
    threshold = np.quantile(magnitude, sparsity)
    return magnitude >= threshold


def mask_last_kernel_sets_it(kernels, sparsity):
    for k in kernels:
        values = np.sort(np.abs(k).flatten())
    threshold = values[int(sparsity * len(values))]
    return [np.abs(k) >= threshold for k in kernels]


def mask_zeros_in_place(kernels, sparsity):
    flat = np.concatenate([np.abs(k).ravel() for k in kernels])
    threshold = np.quantile(flat, sparsity)
    for k in kernels:
        k[np.abs(k) < threshold] = 0
    return [k != 0 for k in kernels]


def mask_unsorted(kernels, sparsity):
    flat = np.concatenate([np.abs(k).ravel() for k in kernels])
    threshold = flat[int(sparsity * flat.size)]
    return [np.abs(k) >= threshold for k in kernels]


def mask_sorted_downwards(kernels, sparsity):
    flat = sorted(np.concatenate([np.abs(k).ravel() for k in kernels]), reverse=True)
    threshold = flat[int(sparsity * len(flat))]
    return [np.abs(k) >= threshold for k in kernels]


def mask_mean_of_quantiles(kernels, sparsity):
    threshold = np.mean([np.quantile(np.abs(k), sparsity) for k in kernels])
    return [np.abs(k) >= threshold for k in kernels]


def mask_float_index(kernels, sparsity):
    flat = np.sort(np.concatenate([np.abs(k).ravel() for k in kernels]))
    threshold = flat[sparsity * len(flat)]
    return [np.abs(k) >= threshold for k in kernels]


def mask_argsort_positions(kernels, sparsity):
    flat = np.concatenate([np.abs(k).ravel() for k in kernels])
    order = np.argsort(flat)
    mask = order >= sparsity * flat.size
    masks = []
    start = 0
    for k in kernels:
        masks.append(mask[start:start + k.size].reshape(k.shape))
        start += k.size
    return masks


def mask_offset_forgotten(kernels, sparsity):
    flat = np.concatenate([np.abs(k).ravel() for k in kernels])
    mask = np.ones(flat.size, dtype=bool)
    mask[np.argsort(flat)[: int(sparsity * flat.size)]] = False
    return [mask[: k.size].reshape(k.shape) for k in kernels]


def mask_whole_neurons(kernels, sparsity):
    norms = np.concatenate([np.linalg.norm(k, axis=0) for k in kernels])
    threshold = np.quantile(norms, sparsity)
    return [np.linalg.norm(k, axis=0) >= threshold for k in kernels]


def mask_share_of_layers(kernels, sparsity):
    flat = np.sort(np.concatenate([np.abs(k).ravel() for k in kernels]))
    n = round(sparsity * len(kernels))
    return [np.abs(k) >= flat[n] for k in kernels]


def right_mask_sort(kernels, sparsity):
    flat = np.sort(np.concatenate([np.abs(k).ravel() for k in kernels]))
    threshold = flat[int(sparsity * len(flat))]
    return [np.abs(k) >= threshold for k in kernels]


def right_mask_quantile(kernels, sparsity):
    magnitudes = np.hstack([abs(k).flatten() for k in kernels])
    threshold = np.quantile(magnitudes, sparsity)
    return [abs(k) >= threshold for k in kernels]


def right_mask_argsort(kernels, sparsity):
    flat = np.concatenate([np.abs(k).ravel() for k in kernels])
    n_prune = int(round(sparsity * flat.size))
    keep = np.ones(flat.size, dtype=bool)
    keep[np.argsort(flat)[:n_prune]] = False
    masks, start = [], 0
    for k in kernels:
        masks.append(keep[start:start + k.size].reshape(k.shape))
        start += k.size
    return masks


def right_mask_loops(kernels, sparsity):
    values = []
    for k in kernels:
        for row in k:
            for w in row:
                values.append(abs(w))
    values.sort()
    threshold = values[int(sparsity * len(values))]
    return [[[bool(abs(w) >= threshold) for w in row] for row in k] for k in kernels]


def right_mask_ranks(kernels, sparsity):
    flat = np.concatenate([np.abs(k).ravel() for k in kernels])
    rank = flat.argsort().argsort()
    keep = rank >= sparsity * flat.size
    parts = np.split(keep, np.cumsum([k.size for k in kernels])[:-1])
    return tuple(part.reshape(k.shape) for part, k in zip(parts, kernels))


def right_mask_partition(kernels, sparsity):
    flat = np.abs(np.concatenate(kernels, axis=None))
    n = int(sparsity * flat.size)
    if n == 0:
        return [np.ones(k.shape, bool) for k in kernels]
    limit = np.partition(flat, n - 1)[n - 1]
    return [np.logical_not(np.abs(k) <= limit) for k in kernels]


def right_mask_ones_and_zeros(kernels, sparsity):
    flat = np.concatenate([np.square(k).ravel() for k in kernels])
    threshold = np.percentile(flat, 100 * sparsity)
    return [np.where(k**2 < threshold, 0.0, 1.0) for k in kernels]


def right_mask_count_smaller(kernels, sparsity):
    flat = np.concatenate([np.abs(k).ravel() for k in kernels])
    n_prune = sparsity * flat.size
    masks = []
    for k in kernels:
        smaller = (flat[None, None, :] < np.abs(k)[:, :, None]).sum(axis=-1)
        masks.append(smaller >= n_prune)
    return masks


# ------------------------------------------------------------------------------------- 02.cubic_sparsity


def cubic_not_clipped(step, begin, end, final):
    t = (step - begin) / (end - begin)
    return final * (1 - (1 - t) ** 3)


def cubic_not_clipped_below(step, begin, end, final):
    t = min(1, (step - begin) / (end - begin))
    return final * (1 - (1 - t) ** 3)


def cubic_not_clipped_above(step, begin, end, final):
    t = max(0, (step - begin) / (end - begin))
    return final * (1 - (1 - t) ** 3)


def cubic_share_of_end(step, begin, end, final):
    if step <= begin:
        return 0
    if step >= end:
        return final
    t = step / end
    return final * (1 - (1 - t) ** 3)


def cubic_begin_forgotten(step, begin, end, final):
    if step <= begin:
        return 0.0
    elif step >= end:
        return final
    t = step / (end - begin)
    return final * (1 - (1 - t) ** 3)


def cubic_t_to_the_third(step, begin, end, final):
    t = np.clip((step - begin) / (end - begin), 0, 1)
    return final * t**3


def cubic_one_minus_t_cubed(step, begin, end, final):
    t = np.clip((step - begin) / (end - begin), 0, 1)
    return final * (1 - t**3)


def cubic_a_square(step, begin, end, final):
    t = np.clip((step - begin) / (end - begin), 0, 1)
    return final * (1 - (1 - t) ** 2)


def cubic_straight_line(step, begin, end, final):
    if step < begin:
        return 0
    if step > end:
        return final
    return final * (step - begin) / (end - begin)


def cubic_integer_division(step, begin, end, final):
    if step < begin:
        return 0
    if step > end:
        return final
    t = (step - begin) // (end - begin)
    return final * (1 - (1 - t) ** 3)


def cubic_caret(step, begin, end, final):
    t = min(max((step - begin) / (end - begin), 0), 1)
    return final * (1 - (1 - t) ^ 3)


def cubic_brackets(step, begin, end, final):
    t = min(max((step - begin) / (end - begin), 0), 1)
    return final * 1 - (1 - t) ** 3


def cubic_density(step, begin, end, final):
    t = min(max((step - begin) / (end - begin), 0), 1)
    return 1 - final * (1 - (1 - t) ** 3)


def cubic_keeps_what_is_left(step, begin, end, final):
    t = min(max((step - begin) / (end - begin), 0), 1)
    return final * (1 - t) ** 3


def cubic_none_between(step, begin, end, final):
    if step <= begin:
        return 0.0
    if step >= end:
        return final


def cubic_zero_at_end(step, begin, end, final):
    if begin < step < end:
        t = (step - begin) / (end - begin)
        return final * (1 - (1 - t) ** 3)
    return 0.0


def cubic_one_at_the_end(step, begin, end, final):
    if step <= begin:
        return 0
    if step >= end:
        return 1
    t = (step - begin) / (end - begin)
    return final * (1 - (1 - t) ** 3)


def cubic_final_inside(step, begin, end, final):
    t = np.clip((step - begin) / (end - begin), 0, 1)
    return 1 - (1 - final * t) ** 3


def cubic_min_max_swapped(step, begin, end, final):
    t = max(min((step - begin) / (end - begin), 0), 1)
    return final * (1 - (1 - t) ** 3)


def cubic_of_the_rest(step, begin, end, final):
    t = np.clip((end - step) / (end - begin), 0, 1)
    return final * (1 - (1 - t) ** 3)


def cubic_one_step_on(step, begin, end, final):
    t = np.clip((step - begin + 1) / (end - begin + 1), 0, 1)
    return final * (1 - (1 - t) ** 3)


def cubic_brackets_of_the_share(step, begin, end, final):
    if step <= begin:
        return 0
    if step >= end:
        return final
    t = step - begin / end - begin
    return final * (1 - (1 - t) ** 3)


def cubic_times_three(step, begin, end, final):
    t = min(max((step - begin) / (end - begin), 0), 1)
    return final * (1 - (1 - t) * 3)


def right_cubic_clip(step, begin, end, final):
    t = np.clip((step - begin) / (end - begin), 0, 1)
    return final * (1 - (1 - t) ** 3)


def right_cubic_ifs(step, begin, end, final):
    if step <= begin:
        return 0
    elif step >= end:
        return final
    else:
        t = (step - begin) / (end - begin)
        return final * (1 - (1 - t) ** 3)


def right_cubic_min_max(step, begin, end, final):
    t = max(0.0, min(1.0, (step - begin) / (end - begin)))
    rest = 1 - t
    return final - final * rest * rest * rest


def right_cubic_paper(step, begin, end, final):
    # s_t = s_f + (s_i - s_f) (1 - (t - t_0) / (n dt))^3
    s_i = 0.0
    t = min(max(step, begin), end)
    return final + (s_i - final) * (1 - (t - begin) / (end - begin)) ** 3


def right_cubic_interp(step, begin, end, final):
    left = np.interp(step, [begin, end], [1, 0])
    return final * (1 - np.power(left, 3))


def right_cubic_expanded(step, begin, end, final):
    if step < begin:
        return 0.0
    if step > end:
        return float(final)
    t = (step - begin) / (end - begin)
    return final * (3 * t - 3 * t**2 + t**3)


def right_cubic_piecewise(step, begin, end, final):
    t = (step - begin) / (end - begin)
    return np.select([step <= begin, step >= end], [0.0, final], final * (1 - (1 - t) ** 3))


# ------------------------------------------------------------------------------------------ 02.cut_dense


def cut_rows_of_kernel(kernel, bias, next_kernel, keep):
    return [kernel[keep], bias[keep], next_kernel[keep]]


def cut_columns_everywhere(kernel, bias, next_kernel, keep):
    return [kernel[:, keep], bias[keep], next_kernel[:, keep]]


def cut_axes_swapped(kernel, bias, next_kernel, keep):
    return [kernel[keep, :], bias[keep], next_kernel[:, keep]]


def cut_in_their_old_order(kernel, bias, next_kernel, keep):
    keep = np.sort(keep)
    return [kernel[:, keep], bias[keep], next_kernel[keep, :]]


def cut_boolean_mask(kernel, bias, next_kernel, keep):
    mask = np.zeros(len(bias), dtype=bool)
    mask[keep] = True
    return [kernel[:, mask], bias[mask], next_kernel[mask]]


def cut_removes_keep(kernel, bias, next_kernel, keep):
    return [np.delete(kernel, keep, axis=1), np.delete(bias, keep), np.delete(next_kernel, keep, axis=0)]


def cut_next_kernel_left(kernel, bias, next_kernel, keep):
    return [kernel[:, keep], bias[keep], next_kernel.copy()]


def cut_bias_left(kernel, bias, next_kernel, keep):
    new_kernel = kernel[:, keep]
    new_next = next_kernel[keep, :]
    return [new_kernel, bias, new_next]


def cut_zeros_instead(kernel, bias, next_kernel, keep):
    k, b, n = np.zeros_like(kernel), np.zeros_like(bias), np.zeros_like(next_kernel)
    k[:, keep] = kernel[:, keep]
    b[keep] = bias[keep]
    n[keep] = next_kernel[keep]
    return [k, b, n]


def cut_first_neurons(kernel, bias, next_kernel, keep):
    n = len(keep)
    return [kernel[:, :n], bias[:n], next_kernel[:n]]


def cut_first_neurons_copied(kernel, bias, next_kernel, keep):
    n = len(keep)
    return [kernel[:, :n].copy(), bias[:n].copy(), next_kernel[:n].copy()]


def cut_counts_from_one(kernel, bias, next_kernel, keep):
    i = keep - 1
    return [kernel[:, i], bias[i], next_kernel[i]]


def cut_mask_of_integers(kernel, bias, next_kernel, keep):
    mask = np.isin(np.arange(len(bias)), keep).astype(int)
    return [kernel[:, mask], bias[mask], next_kernel[mask]]


def cut_wrong_order_returned(kernel, bias, next_kernel, keep):
    return [kernel[:, keep], next_kernel[keep], bias[keep]]


def cut_no_bias_returned(kernel, bias, next_kernel, keep):
    return [kernel[:, keep], next_kernel[keep]]


def cut_transposed(kernel, bias, next_kernel, keep):
    new_kernel = []
    for j in keep:
        new_kernel.append(kernel[:, j])
    return [np.array(new_kernel), bias[keep], next_kernel[keep]]


def cut_bias_as_row(kernel, bias, next_kernel, keep):
    return [kernel[:, keep], bias[None, keep], next_kernel[keep]]


def cut_only_last_neuron(kernel, bias, next_kernel, keep):
    for j in keep:
        new_kernel = kernel[:, [j]]
        new_bias = bias[[j]]
        new_next = next_kernel[[j]]
    return [new_kernel, new_bias, new_next]


def cut_tuple_of_indices(kernel, bias, next_kernel, keep):
    keep = tuple(keep)
    return [kernel[:, keep], bias[keep], next_kernel[keep]]


def cut_rows_and_columns(kernel, bias, next_kernel, keep):
    return [kernel[keep, keep], bias[keep], next_kernel[keep, keep]]


def cut_takes_without_axis(kernel, bias, next_kernel, keep):
    return [np.take(kernel, keep), np.take(bias, keep), np.take(next_kernel, keep)]


def cut_joined_in_one_array(kernel, bias, next_kernel, keep):
    return np.array([kernel[:, keep], bias[keep], next_kernel[keep]])


def cut_ix(kernel, bias, next_kernel, keep):
    rows = np.arange(kernel.shape[0])
    return [kernel[np.ix_(rows, keep)], bias[keep], next_kernel[np.ix_(rows, keep)]]


def cut_in_place(kernel, bias, next_kernel, keep):
    for j in range(len(bias)):
        if j not in keep:
            kernel[:, j] = 0
            bias[j] = 0
            next_kernel[j] = 0
    return [kernel, bias, next_kernel]


def right_cut_index(kernel, bias, next_kernel, keep):
    return [kernel[:, keep], bias[keep], next_kernel[keep, :]]


def right_cut_tuple(kernel, bias, next_kernel, keep):
    return kernel.T[keep].T, bias[keep], next_kernel[keep]


def right_cut_take(kernel, bias, next_kernel, keep):
    return [np.take(kernel, keep, axis=1), np.take(bias, keep), np.take(next_kernel, keep, axis=0)]


def right_cut_loop(kernel, bias, next_kernel, keep):
    new_kernel = np.zeros((kernel.shape[0], len(keep)))
    new_bias = np.zeros(len(keep))
    new_next = np.zeros((len(keep), next_kernel.shape[1]))
    for new, old in enumerate(keep):
        new_kernel[:, new] = kernel[:, old]
        new_bias[new] = bias[old]
        new_next[new, :] = next_kernel[old, :]
    return [new_kernel, new_bias, new_next]


def right_cut_stacks(kernel, bias, next_kernel, keep):
    return [np.stack([kernel[:, j] for j in keep], axis=1), np.array([bias[j] for j in keep]),
            np.vstack([next_kernel[j] for j in keep])]


def right_cut_lists(kernel, bias, next_kernel, keep):
    keep = keep.tolist()
    return [[[row[j] for j in keep] for row in kernel.tolist()], [float(bias[j]) for j in keep],
            [next_kernel[j].tolist() for j in keep]]


def right_cut_selection_matrix(kernel, bias, next_kernel, keep):
    S = np.eye(len(bias))[keep]
    return [kernel @ S.T, S @ bias, S @ next_kernel]


def right_cut_einsum(kernel, bias, next_kernel, keep):
    select = (np.arange(len(bias))[None, :] == keep[:, None]).astype(float)
    return [np.einsum("in,kn->ik", kernel, select), np.einsum("n,kn->k", bias, select),
            np.einsum("kn,no->ko", select, next_kernel)]


def right_cut_frames(kernel, bias, next_kernel, keep):
    return [pd.DataFrame(kernel)[keep].to_numpy(), pd.Series(bias).loc[keep].to_numpy(),
            pd.DataFrame(next_kernel).loc[keep].to_numpy()]


# -------------------------------------------------------------------------------------- 02.least_squares


def squares_no_bias(kept, preactivations):
    kernel = np.linalg.lstsq(kept, preactivations, rcond=None)[0]
    bias = np.zeros(preactivations.shape[1])
    return [kernel, bias]


def squares_bias_afterwards(kept, preactivations):
    kernel, *_ = np.linalg.lstsq(kept, preactivations, rcond=None)
    bias = (preactivations - kept @ kernel).mean(axis=0)
    return [kernel, bias]


def squares_whole_lstsq(kept, preactivations):
    X = np.column_stack([kept, np.ones(len(kept))])
    solution = np.linalg.lstsq(X, preactivations, rcond=None)
    return [solution[:-1], solution[-1]]


def squares_first_row_is_bias(kept, preactivations):
    X = np.hstack([kept, np.ones((kept.shape[0], 1))])
    w = np.linalg.lstsq(X, preactivations, rcond=None)[0]
    return [w[1:], w[0]]


def squares_last_row_is_bias(kept, preactivations):
    X = np.hstack([np.ones((kept.shape[0], 1)), kept])
    w = np.linalg.lstsq(X, preactivations, rcond=None)[0]
    return [w[:-1], w[-1]]


def squares_bias_as_row(kept, preactivations):
    X = np.hstack([kept, np.ones((kept.shape[0], 1))])
    w = np.linalg.lstsq(X, preactivations, rcond=None)[0]
    return [w[:-1], w[-1:]]


def squares_order_swapped(kept, preactivations):
    X = np.hstack([kept, np.ones((len(kept), 1))])
    w = np.linalg.lstsq(X, preactivations, rcond=None)[0]
    return [w[-1], w[:-1]]


def squares_kernel_transposed(kept, preactivations):
    X = np.c_[kept, np.ones(len(kept))]
    w = np.linalg.pinv(X) @ preactivations
    return [w[:-1].T, w[-1]]


def squares_all_in_one(kept, preactivations):
    X = np.c_[kept, np.ones(len(kept))]
    return np.linalg.lstsq(X, preactivations, rcond=None)[0]


def squares_arguments_swapped(kept, preactivations):
    X = np.c_[kept, np.ones(len(kept))]
    w = np.linalg.lstsq(preactivations, X, rcond=None)[0]
    return [w[:-1], w[-1]]


def squares_solve_not_square(kept, preactivations):
    X = np.c_[kept, np.ones(len(kept))]
    w = np.linalg.solve(X, preactivations)
    return [w[:-1], w[-1]]


def squares_inverse_not_square(kept, preactivations):
    X = np.c_[kept, np.ones(len(kept))]
    w = np.linalg.inv(X) @ preactivations
    return [w[:-1], w[-1]]


def squares_stars_for_products(kept, preactivations):
    X = np.c_[kept, np.ones(len(kept))]
    w = np.linalg.inv(X.T * X) * X.T * preactivations
    return [w[:-1], w[-1]]


def squares_outer_product(kept, preactivations):
    X = np.c_[kept, np.ones(len(kept))]
    w = np.linalg.inv(X @ X.T) @ X @ preactivations.T
    return [w[:-1], w[-1]]


def squares_ridge(kept, preactivations):
    X = np.c_[kept, np.ones(len(kept))]
    w = np.linalg.solve(X.T @ X + 0.01 * np.eye(X.shape[1]), X.T @ preactivations)
    return [w[:-1], w[-1]]


def squares_mean_as_bias(kept, preactivations):
    x = kept - kept.mean(axis=0)
    y = preactivations - preactivations.mean(axis=0)
    kernel = np.linalg.lstsq(x, y, rcond=None)[0]
    bias = preactivations.mean(axis=0)
    return [kernel, bias]


def squares_mean_of_everything(kept, preactivations):
    kernel = np.linalg.lstsq(kept - kept.mean(), preactivations - preactivations.mean(), rcond=None)[0]
    bias = preactivations.mean(axis=0) - kept.mean(axis=0) @ kernel
    return [kernel, bias]


def squares_minus_bias(kept, preactivations):
    X = np.c_[kept, -np.ones(len(kept))]
    w = np.linalg.lstsq(X, preactivations, rcond=None)[0]
    return [w[:-1], w[-1]]


def squares_each_input_alone(kept, preactivations):
    k, m = kept.shape[1], preactivations.shape[1]
    kernel = np.zeros((k, m))
    for i in range(k):
        for j in range(m):
            kernel[i, j] = np.polyfit(kept[:, i], preactivations[:, j], 1)[0]
    bias = preactivations.mean(axis=0) - kept.mean(axis=0) @ kernel
    return [kernel, bias]


def squares_first_output_only(kept, preactivations):
    X = np.c_[kept, np.ones(len(kept))]
    w = np.linalg.lstsq(X, preactivations[:, 0], rcond=None)[0]
    return [w[:-1], w[-1]]


def squares_gradient_descent_too_short(kept, preactivations):
    kernel = np.zeros((kept.shape[1], preactivations.shape[1]))
    bias = np.zeros(preactivations.shape[1])
    for _ in range(100):
        error = kept @ kernel + bias - preactivations
        kernel -= 0.01 * kept.T @ error / len(kept)
        bias -= 0.01 * error.mean(axis=0)
    return [kernel, bias]


def squares_prediction(kept, preactivations):
    X = np.c_[kept, np.ones(len(kept))]
    w = np.linalg.lstsq(X, preactivations, rcond=None)[0]
    return [X @ w, w[-1]]


def squares_ones_as_a_row(kept, preactivations):
    X = np.vstack([kept, np.ones(kept.shape[1])])
    w = np.linalg.lstsq(X, preactivations, rcond=None)[0]
    return [w[:-1], w[-1]]


def squares_hstack_of_vector(kept, preactivations):
    X = np.hstack([kept, np.ones(len(kept))])
    w = np.linalg.lstsq(X, preactivations, rcond=None)[0]
    return [w[:-1], w[-1]]


def squares_kernel_is_coef(kept, preactivations):
    model = LinearRegression().fit(kept, preactivations)
    return [model.coef_, model.intercept_]


def squares_one_bias_for_all(kept, preactivations):
    X = np.c_[kept, np.ones(len(kept))]
    w = np.linalg.pinv(X) @ preactivations
    return [w[:-1], w[-1].mean()]


def right_squares_column_stack(kept, preactivations):
    X = np.column_stack([kept, np.ones(len(kept))])
    w = np.linalg.lstsq(X, preactivations, rcond=None)[0]
    return [w[:-1], w[-1]]


def right_squares_ones_first(kept, preactivations):
    X = np.hstack([np.ones((kept.shape[0], 1)), kept])
    w, residuals, rank, s = np.linalg.lstsq(X, preactivations, rcond=None)
    kernel = w[1:, :]
    bias = w[0, :]
    return kernel, bias


def right_squares_pinv(kept, preactivations):
    X = np.c_[kept, np.ones(kept.shape[0])]
    w = np.linalg.pinv(X) @ preactivations
    return [w[:-1].tolist(), w[-1].tolist()]


def right_squares_normal_equations(kept, preactivations):
    X = np.c_[kept, np.ones(kept.shape[0])]
    w = np.linalg.solve(X.T @ X, X.T @ preactivations)
    return [w[:-1], w[-1]]


def right_squares_centred(kept, preactivations):
    mean_x, mean_y = kept.mean(axis=0), preactivations.mean(axis=0)
    kernel = np.linalg.lstsq(kept - mean_x, preactivations - mean_y, rcond=None)[0]
    return [kernel, mean_y - mean_x @ kernel]


def right_squares_sklearn(kept, preactivations):
    model = LinearRegression().fit(kept, preactivations)
    return [model.coef_.T, model.intercept_]


def right_squares_qr(kept, preactivations):
    X = np.concatenate([kept, np.ones((len(kept), 1))], axis=1)
    Q, R = np.linalg.qr(X)
    w = np.linalg.solve(R, Q.T @ preactivations)
    return [w[:kept.shape[1]], w[kept.shape[1]]]


def right_squares_per_output(kept, preactivations):
    X = np.column_stack((kept, np.ones(len(kept))))
    kernel = np.zeros((kept.shape[1], preactivations.shape[1]))
    bias = []
    for j in range(preactivations.shape[1]):
        w = np.linalg.inv(X.T.dot(X)).dot(X.T).dot(preactivations[:, j])
        kernel[:, j] = w[:-1]
        bias.append(w[-1])
    return [kernel, bias]


def right_squares_einsum(kept, preactivations):
    X = np.insert(kept, kept.shape[1], 1, axis=1)
    gram = np.einsum("ni,nj->ij", X, X)
    right_side = np.einsum("ni,nm->im", X, preactivations)
    w = np.linalg.inv(gram) @ right_side
    return np.split(w, [len(w) - 1])[0], w[-1]


# For each exercise: what is wrong, in a few plain words, and the answer.
WRONG = {
    "02.entropy": {
        "0 log 0 is NaN": entropy_no_guard,
        "the natural logarithm": entropy_nats,
        "the logarithm to base 10": entropy_log10,
        "no minus": entropy_no_minus,
        "the mean": entropy_mean,
        "counts, not frequencies": entropy_of_counts,
        "divides by the number of outcomes": entropy_divides_by_length,
        "integer division": entropy_integer_division,
        "math.log2 of zero": entropy_math_log_of_zero,
        "return in the loop": entropy_returns_in_loop,
        "0 as soon as one outcome was never seen": entropy_returns_zero_at_zero,
        "stops at the first zero": entropy_stops_at_zero,
        "adds one to all counts": entropy_add_one,
        "adds a small number that is too large": entropy_epsilon_in_p,
        "= for +=": entropy_overwrites,
        "not weighted by p": entropy_only_surprise,
        "divided by the largest entropy": entropy_normalised,
        "the formula for two outcomes": entropy_binary_formula,
        "not summed": entropy_not_summed,
        "changes counts, and 1e-12 becomes the integer 0": entropy_changes_counts,
        "/= on integers": entropy_divides_in_place,
        "Gini's impurity": entropy_gini,
        "softmax of counts": entropy_softmax,
        "drops what was seen once": entropy_filters_then_total,
    },
    "02.mutual_information": {
        "0 log 0 is NaN": mi_no_guard,
        "the natural logarithm": mi_nats,
        "the ratio upside down": mi_ratio_upside_down,
        "the axes of the marginals swapped": mi_marginals_swapped,
        "the outer product transposed": mi_outer_the_wrong_way,
        "counts, not frequencies": mi_counts_not_frequencies,
        "the joint entropy": mi_joint_entropy,
        "a conditional entropy": mi_conditional_entropy,
        "the sign, from entropies": mi_sign_of_sum,
        "the joint entropy forgotten": mi_forgets_the_joint,
        "the entropies of the rows not weighted": mi_row_entropies_unweighted,
        "not weighted by p": mi_not_weighted,
        "marginals added": mi_sum_of_marginals,
        "as many columns as rows": mi_range_of_table,
        "weighted by the product of marginals": mi_weighted_by_product,
        "adds one to all counts": mi_add_one,
        "frequencies within each row": mi_row_frequencies,
        "means for sums": mi_means_for_sums,
        "divided by the entropy of the class": mi_normalised,
        "one number for each outcome": mi_per_outcome,
        "return in the outer loop": mi_return_too_deep,
        "marginals without keepdims": mi_broadcast_without_keepdims,
        "chi squared": mi_chi_squared,
        "the G statistic": mi_g_statistic,
        "a guard for the marginals only": mi_skips_the_zero_sums_only,
    },
    "02.global_mask": {
        "a threshold for each layer": mask_threshold_per_layer,
        "no abs": mask_without_abs,
        "abs in the threshold only": mask_abs_in_threshold_only,
        "True where weights go": mask_the_wrong_way,
        "> for >=, one too many goes": mask_strictly_greater,
        "index -1 for a sparsity of 0": mask_last_pruned_index,
        "keeps the share": mask_keeps_sparsity,
        "percentile of a share": mask_percentile_of_share,
        "sparsity as the threshold": mask_sparsity_as_threshold,
        "a share of the largest magnitude": mask_share_of_the_range,
        "masked kernels, not masks": mask_masked_kernels,
        "one flat mask": mask_one_flat_mask,
        "flat masks": mask_flat_masks,
        "kernels of different shapes in one array": mask_stacks_kernels,
        "abs of a list": mask_abs_of_a_list,
        "the last kernel sets the threshold": mask_last_kernel_sets_it,
        "zeros in place": mask_zeros_in_place,
        "not sorted": mask_unsorted,
        "sorted downwards": mask_sorted_downwards,
        "the mean of the layers' thresholds": mask_mean_of_quantiles,
        "a float as an index": mask_float_index,
        "argsort for ranks": mask_argsort_positions,
        "each layer gets the first part of the mask": mask_offset_forgotten,
        "whole neurons": mask_whole_neurons,
        "a share of the number of layers": mask_share_of_layers,
    },
    "02.cubic_sparsity": {
        "not clipped": cubic_not_clipped,
        "not clipped below": cubic_not_clipped_below,
        "not clipped above": cubic_not_clipped_above,
        "the share of end": cubic_share_of_end,
        "begin not subtracted from step": cubic_begin_forgotten,
        "t ** 3": cubic_t_to_the_third,
        "1 - t ** 3": cubic_one_minus_t_cubed,
        "a square": cubic_a_square,
        "a straight line": cubic_straight_line,
        "integer division": cubic_integer_division,
        "^ for a power": cubic_caret,
        "brackets forgotten": cubic_brackets,
        "the density": cubic_density,
        "what is still to prune": cubic_keeps_what_is_left,
        "None in between": cubic_none_between,
        "0 after the end": cubic_zero_at_end,
        "1 after the end": cubic_one_at_the_end,
        "final inside the power": cubic_final_inside,
        "min and max swapped": cubic_min_max_swapped,
        "the share still to go": cubic_of_the_rest,
        "one step ahead": cubic_one_step_on,
        "brackets of the share forgotten": cubic_brackets_of_the_share,
        "* for **": cubic_times_three,
    },
    "02.cut_dense": {
        "rows of kernel": cut_rows_of_kernel,
        "columns of both kernels": cut_columns_everywhere,
        "rows and columns swapped": cut_axes_swapped,
        "keep sorted": cut_in_their_old_order,
        "a boolean mask, which forgets the order": cut_boolean_mask,
        "removes keep": cut_removes_keep,
        "next_kernel left as it was": cut_next_kernel_left,
        "bias left as it was": cut_bias_left,
        "zeros, nothing removed": cut_zeros_instead,
        "the first neurons": cut_first_neurons,
        "the first neurons, copied": cut_first_neurons_copied,
        "counts from 1": cut_counts_from_one,
        "a mask of integers": cut_mask_of_integers,
        "returned in another order": cut_wrong_order_returned,
        "bias not returned": cut_no_bias_returned,
        "kernel transposed": cut_transposed,
        "bias (1, k)": cut_bias_as_row,
        "only the last neuron": cut_only_last_neuron,
        "a tuple as an index": cut_tuple_of_indices,
        "rows and columns at once": cut_rows_and_columns,
        "take without an axis": cut_takes_without_axis,
        "different shapes in one array": cut_joined_in_one_array,
        "np.ix_ on the wrong axis of next_kernel": cut_ix,
        "zeros in place": cut_in_place,
    },
    "02.least_squares": {
        "no bias": squares_no_bias,
        "the bias fitted afterwards": squares_bias_afterwards,
        "all that lstsq returns": squares_whole_lstsq,
        "ones last, bias taken first": squares_first_row_is_bias,
        "ones first, bias taken last": squares_last_row_is_bias,
        "bias (1, m)": squares_bias_as_row,
        "bias first": squares_order_swapped,
        "kernel transposed": squares_kernel_transposed,
        "kernel and bias in one": squares_all_in_one,
        "the arguments of lstsq swapped": squares_arguments_swapped,
        "solve of a matrix that is not square": squares_solve_not_square,
        "inv of a matrix that is not square": squares_inverse_not_square,
        "* for matrix products": squares_stars_for_products,
        "X X' for X' X": squares_outer_product,
        "ridge": squares_ridge,
        "the mean as the bias": squares_mean_as_bias,
        "the mean of everything subtracted": squares_mean_of_everything,
        "the sign of the bias": squares_minus_bias,
        "a regression for each input alone": squares_each_input_alone,
        "the first output only": squares_first_output_only,
        "gradient descent, not finished": squares_gradient_descent_too_short,
        "the prediction, not the kernel": squares_prediction,
        "a row of ones": squares_ones_as_a_row,
        "hstack of a matrix and a vector": squares_hstack_of_vector,
        "coef_ is (m, k)": squares_kernel_is_coef,
        "one bias for all": squares_one_bias_for_all,
    },
}
RIGHT = {
    "02.entropy": {
        "a filter": right_entropy_filter,
        "a loop": right_entropy_loop,
        "a comprehension": right_entropy_comprehension,
        "nansum": right_entropy_nansum,
        "a tiny number": right_entropy_tiny,
        "SciPy": right_entropy_scipy,
        "from counts": right_entropy_other_formula,
        "where= of log2": right_entropy_log_where,
        "a series": right_entropy_series,
    },
    "02.mutual_information": {
        "loops": right_mi_loops,
        "a mask": right_mi_mask,
        "three entropies": right_mi_entropies,
        "a conditional entropy": right_mi_conditional,
        "nansum": right_mi_nansum,
        "SciPy's divergence, einsum": right_mi_scipy_kl,
        "a data frame": right_mi_frame,
        "lists": right_mi_lists,
    },
    "02.global_mask": {
        "sorted": right_mask_sort,
        "a quantile": right_mask_quantile,
        "argsort": right_mask_argsort,
        "loops, nested lists": right_mask_loops,
        "ranks, a tuple": right_mask_ranks,
        "partition": right_mask_partition,
        "ones and zeros": right_mask_ones_and_zeros,
        "counts the smaller ones": right_mask_count_smaller,
    },
    "02.cubic_sparsity": {
        "np.clip": right_cubic_clip,
        "ifs": right_cubic_ifs,
        "min and max": right_cubic_min_max,
        "the paper's formula": right_cubic_paper,
        "np.interp": right_cubic_interp,
        "the polynomial expanded": right_cubic_expanded,
        "np.select, an array without axes": right_cubic_piecewise,
    },
    "02.cut_dense": {
        "indices": right_cut_index,
        "transposed, a tuple": right_cut_tuple,
        "np.take": right_cut_take,
        "a loop": right_cut_loop,
        "stacks": right_cut_stacks,
        "nested lists": right_cut_lists,
        "a selection matrix": right_cut_selection_matrix,
        "einsum": right_cut_einsum,
        "data frames": right_cut_frames,
    },
    "02.least_squares": {
        "lstsq": right_squares_column_stack,
        "ones first, a tuple": right_squares_ones_first,
        "pinv, lists": right_squares_pinv,
        "normal equations": right_squares_normal_equations,
        "centred": right_squares_centred,
        "scikit-learn": right_squares_sklearn,
        "QR": right_squares_qr,
        "output by output": right_squares_per_output,
        "einsum": right_squares_einsum,
    },
}
