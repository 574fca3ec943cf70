"""Answers to the exercises of merging, as learners write them."""

import itertools
import math

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from scipy.special import log_softmax, logsumexp, rel_entr, softmax

# ------------------------------------------------------------------------------------- 06.matching_order


def order_best_of_each_place(kernel, bias, target_kernel, target_bias):
    sim = target_kernel.T @ kernel + np.outer(target_bias, bias)
    return sim.argmax(axis=1)


def order_best_place_of_each_neuron(kernel, bias, target_kernel, target_bias):
    sim = target_kernel.T @ kernel + np.outer(target_bias, bias)
    return np.argmax(sim, axis=0)


def order_place_by_place(kernel, bias, target_kernel, target_bias):
    n = len(bias)
    free = list(range(n))
    order = []
    for i in range(n):
        best, best_s = None, -np.inf
        for j in free:
            s = kernel[:, j] @ target_kernel[:, i] + bias[j] * target_bias[i]
            if s > best_s:
                best, best_s = j, s
        order.append(best)
        free.remove(best)
    return np.array(order)


def order_largest_pair_first(kernel, bias, target_kernel, target_bias):
    sim = target_kernel.T @ kernel + np.outer(target_bias, bias)
    n = len(bias)
    order = np.zeros(n, dtype=int)
    for _ in range(n):
        i, j = np.unravel_index(sim.argmax(), sim.shape)
        order[i] = j
        sim[i, :] = -np.inf
        sim[:, j] = -np.inf
    return order


def order_the_inverse(kernel, bias, target_kernel, target_bias):
    sim = kernel.T @ target_kernel + np.outer(bias, target_bias)
    row, col = linear_sum_assignment(sim, maximize=True)
    return col


def order_forgets_to_maximize(kernel, bias, target_kernel, target_bias):
    sim = target_kernel.T @ kernel + np.outer(target_bias, bias)
    row, col = linear_sum_assignment(sim)
    return col


def order_without_bias(kernel, bias, target_kernel, target_bias):
    similarity = target_kernel.T @ kernel
    return linear_sum_assignment(-similarity)[1]


def order_rows_of_the_assignment(kernel, bias, target_kernel, target_bias):
    sim = target_kernel.T @ kernel + np.outer(target_bias, bias)
    return linear_sum_assignment(sim, maximize=True)[0]


def order_not_transposed(kernel, bias, target_kernel, target_bias):
    sim = target_kernel @ kernel.T + np.outer(target_bias, bias)
    return linear_sum_assignment(sim, maximize=True)[1]


def order_by_cosine(kernel, bias, target_kernel, target_bias):
    a = np.vstack([kernel, bias])
    b = np.vstack([target_kernel, target_bias])
    a = a / np.linalg.norm(a, axis=0)
    b = b / np.linalg.norm(b, axis=0)
    return linear_sum_assignment(b.T @ a, maximize=True)[1]


def order_by_distance(kernel, bias, target_kernel, target_bias):
    a = np.vstack([kernel, bias])
    b = np.vstack([target_kernel, target_bias])
    cost = np.linalg.norm(b[:, :, None] - a[:, None, :], axis=0)
    return linear_sum_assignment(cost)[1]


def order_by_correlation(kernel, bias, target_kernel, target_bias):
    units = len(bias)
    corr = np.corrcoef(np.vstack([target_kernel, target_bias]).T, np.vstack([kernel, bias]).T)
    return linear_sum_assignment(corr[:units, units:], maximize=True)[1]


def order_absolute_products(kernel, bias, target_kernel, target_bias):
    sim = np.abs(target_kernel.T @ kernel + np.outer(target_bias, bias))
    return linear_sum_assignment(sim, maximize=True)[1]


def order_bias_as_one_number(kernel, bias, target_kernel, target_bias):
    sim = target_kernel.T @ kernel + target_bias @ bias
    return linear_sum_assignment(sim, maximize=True)[1]


def order_bias_in_the_wrong_direction(kernel, bias, target_kernel, target_bias):
    sim = target_kernel.T @ kernel + np.outer(bias, target_bias)
    return linear_sum_assignment(sim, maximize=True)[1]


def order_counts_from_one(kernel, bias, target_kernel, target_bias):
    sim = target_kernel.T @ kernel + np.outer(target_bias, bias)
    return linear_sum_assignment(sim, maximize=True)[1] + 1


def order_sorts_by_length(kernel, bias, target_kernel, target_bias):
    mine = np.argsort((kernel ** 2).sum(axis=0) + bias ** 2)
    theirs = np.argsort((target_kernel ** 2).sum(axis=0) + target_bias ** 2)
    order = np.zeros(len(bias), dtype=int)
    order[theirs] = mine
    return order


def order_returns_the_kernel(kernel, bias, target_kernel, target_bias):
    sim = target_kernel.T @ kernel + np.outer(target_bias, bias)
    order = linear_sum_assignment(sim, maximize=True)[1]
    return kernel[:, order]


def order_returns_pairs(kernel, bias, target_kernel, target_bias):
    sim = target_kernel.T @ kernel + np.outer(target_bias, bias)
    return list(zip(*linear_sum_assignment(sim, maximize=True)))


def order_one_round_of_swaps(kernel, bias, target_kernel, target_bias):
    sim = target_kernel.T @ kernel + np.outer(target_bias, bias)
    order = list(range(len(bias)))
    for i in range(len(order)):
        for j in range(i + 1, len(order)):
            now = sim[i, order[i]] + sim[j, order[j]]
            swapped = sim[i, order[j]] + sim[j, order[i]]
            if swapped > now:
                order[i], order[j] = order[j], order[i]
    return np.array(order)


def order_bias_as_a_unit(kernel, bias, target_kernel, target_bias):
    # add the bias as another input
    a = np.column_stack([kernel, bias])
    b = np.column_stack([target_kernel, target_bias])
    return linear_sum_assignment(b.T @ a, maximize=True)[1]


def right_order_scipy(kernel, bias, target_kernel, target_bias):
    sim = target_kernel.T @ kernel + np.outer(target_bias, bias)
    rows, cols = linear_sum_assignment(-sim)
    return cols


def right_order_all_permutations(kernel, bias, target_kernel, target_bias):
    best, best_order = -np.inf, None
    for order in itertools.permutations(range(len(bias))):
        order = list(order)
        total = (kernel[:, order] * target_kernel).sum() + (bias[order] * target_bias).sum()
        if total > best:
            best, best_order = total, order
    return best_order


def right_order_max_with_key(kernel, bias, target_kernel, target_bias):
    a = np.vstack([kernel, bias])
    b = np.vstack([target_kernel, target_bias])
    return max(itertools.permutations(range(a.shape[1])), key=lambda p: np.sum(a[:, p] * b))


def right_order_squared_distance(kernel, bias, target_kernel, target_bias):
    a = np.vstack([kernel, bias]).T
    b = np.vstack([target_kernel, target_bias]).T
    cost = ((b[:, None, :] - a[None, :, :]) ** 2).sum(axis=2)
    return linear_sum_assignment(cost)[1]


def right_order_loops(kernel, bias, target_kernel, target_bias):
    inputs, units = kernel.shape
    sim = np.zeros((units, units))
    for place in range(units):
        for neuron in range(units):
            for k in range(inputs):
                sim[place, neuron] += target_kernel[k, place] * kernel[k, neuron]
            sim[place, neuron] += target_bias[place] * bias[neuron]
    return [int(j) for i, j in zip(*linear_sum_assignment(sim, maximize=True))]


def right_order_inverse_of_the_other(kernel, bias, target_kernel, target_bias):
    sim = np.einsum("ka,kb->ab", kernel, target_kernel) + bias[:, None] * target_bias
    places = linear_sum_assignment(sim, maximize=True)[1]
    return np.argsort(places)


def right_order_recursion(kernel, bias, target_kernel, target_bias):
    sim = (target_kernel.T @ kernel + np.outer(target_bias, bias)).tolist()

    def best(place, left):
        if not left:
            return 0.0, []
        found = None
        for j in left:
            rest, order = best(place + 1, [x for x in left if x != j])
            if found is None or sim[place][j] + rest > found[0]:
                found = (sim[place][j] + rest, [j] + order)
        return found

    return best(0, list(range(len(bias))))[1]


def right_order_as_floats(kernel, bias, target_kernel, target_bias):
    sim = np.dot(target_kernel.T, kernel) + np.outer(target_bias, bias)
    result = np.zeros(len(bias))
    for i, j in zip(*linear_sum_assignment(sim, maximize=True)):
        result[i] = j
    return result


# -------------------------------------------------------------------------------------------- 06.barrier


def barrier_over_the_higher_end(losses):
    return max(losses) - max(losses[0], losses[-1])


def barrier_over_the_higher_end_or_zero(losses):
    return max(0.0, float(losses[1:-1].max() - max(losses[0], losses[-1])))


def barrier_over_the_mean_of_the_ends(losses):
    return losses.max() - (losses[0] + losses[-1]) / 2


def barrier_over_the_first(losses):
    return losses.max() - losses[0]


def barrier_max_minus_min(losses):
    return np.max(losses) - np.min(losses)


def barrier_absolute(losses):
    line = np.linspace(losses[0], losses[-1], len(losses))
    return np.abs(losses - line).max()


def barrier_only_the_middle(losses):
    middle = losses[len(losses) // 2]
    return max(0, middle - (losses[0] + losses[-1]) / 2)


def barrier_inner_points_only(losses):
    line = np.linspace(losses[0], losses[-1], len(losses))
    return float((losses - line)[1:-1].max())


def barrier_step_of_one_over_k(losses):
    K = len(losses)
    t = np.arange(K) / K
    line = (1 - t) * losses[0] + t * losses[-1]
    return (losses - line).max()


def barrier_starts_at_one(losses):
    worst = 0
    K = len(losses)
    for i in range(1, K + 1):
        line = losses[0] + i / K * (losses[-1] - losses[0])
        worst = max(worst, losses[i - 1] - line)
    return worst


def barrier_line_the_wrong_way(losses):
    t = np.linspace(0, 1, len(losses))
    line = t * losses[0] + (1 - t) * losses[-1]
    return np.max(losses - line)


def barrier_line_minus_losses(losses):
    line = np.linspace(losses[0], losses[-1], losses.size)
    return np.max(line - losses)


def barrier_mean_not_max(losses):
    line = np.linspace(losses[0], losses[-1], len(losses))
    return np.maximum(losses - line, 0).mean()


def barrier_sum_not_max(losses):
    total = 0
    for i in range(len(losses)):
        t = i / (len(losses) - 1)
        line = (1 - t) * losses[0] + t * losses[-1]
        if losses[i] > line:
            total += losses[i] - line
    return total


def barrier_where_not_how_much(losses):
    line = np.linspace(losses[0], losses[-1], len(losses))
    return np.argmax(losses - line)


def barrier_the_loss_at_the_top(losses):
    line = np.linspace(losses[0], losses[-1], len(losses))
    i = np.argmax(losses - line)
    return losses[i]


def barrier_at_the_highest_loss(losses):
    i = int(np.argmax(losses))
    t = i / (len(losses) - 1)
    return max(0.0, losses[i] - ((1 - t) * losses[0] + t * losses[-1]))


def barrier_stops_at_the_first(losses):
    line = np.linspace(losses[0], losses[-1], len(losses))
    for loss, on_line in zip(losses, line):
        if loss > on_line:
            return loss - on_line
    return 0.0


def barrier_all_excesses(losses):
    line = np.linspace(losses[0], losses[-1], len(losses))
    return np.maximum(losses - line, 0)


def barrier_integer_division(losses):
    n = len(losses) - 1
    best = 0.0
    for i in range(len(losses)):
        t = i // n
        best = max(best, losses[i] - ((1 - t) * losses[0] + t * losses[-1]))
    return best


def barrier_relative(losses):
    line = np.linspace(losses[0], losses[-1], len(losses))
    return np.max((losses - line) / line)


def barrier_fitted_line(losses):
    x = np.arange(len(losses))
    slope, intercept = np.polyfit(x, losses, 1)
    return max(0.0, float((losses - (slope * x + intercept)).max()))


def right_barrier_linspace(losses):
    return np.max(losses - np.linspace(losses[0], losses[-1], len(losses)))


def right_barrier_loop(losses):
    first, last, n = float(losses[0]), float(losses[-1]), len(losses)
    highest = 0.0
    for i, loss in enumerate(losses):
        line = first + (last - first) * i / (n - 1)
        if loss - line > highest:
            highest = loss - line
    return highest


def right_barrier_comprehension(losses):
    losses = losses.tolist()
    k = len(losses) - 1
    return max(losses[i] - ((k - i) * losses[0] + i * losses[-1]) / k for i in range(k + 1))


def right_barrier_interp(losses):
    x = np.arange(len(losses))
    line = np.interp(x, [0, len(losses) - 1], [losses[0], losses[-1]])
    return max(0, (losses - line).max())


def right_barrier_inner_points(losses):
    alpha = np.arange(1, len(losses) - 1) / (len(losses) - 1)
    excess = losses[1:-1] - (1 - alpha) * losses[0] - alpha * losses[-1]
    return np.maximum(excess, 0).max()


def right_barrier_polyfit(losses):
    slope, intercept = np.polyfit([0.0, 1.0], [losses[0], losses[-1]], 1)
    t = np.linspace(0, 1, len(losses))
    return np.array((losses - slope * t - intercept).max())


def right_barrier_series(losses):
    s = pd.Series(losses)
    t = s.index / (len(s) - 1)
    return (s - s.iloc[0] - t * (s.iloc[-1] - s.iloc[0])).clip(lower=0).max()


def right_barrier_sorted(losses):
    step = (losses[-1] - losses[0]) / (len(losses) - 1)
    line = [losses[0] + i * step for i in range(len(losses))]
    return sorted(float(a - b) for a, b in zip(losses, line))[-1]


# ---------------------------------------------------------------------------------- 06.distillation_loss


def distil_temperature_not_squared(logits, teacher_logits, y, temperature, share):
    p = log_softmax(teacher_logits / temperature, axis=1)
    q = log_softmax(logits / temperature, axis=1)
    kl = (np.exp(p) * (p - q)).sum(axis=1).mean()
    ce = -log_softmax(logits, axis=1)[np.arange(len(y)), y].mean()
    return share * temperature * kl + (1 - share) * ce


def distil_without_temperature_factor(logits, teacher_logits, y, temperature, share):
    p = log_softmax(teacher_logits / temperature, axis=1)
    q = log_softmax(logits / temperature, axis=1)
    kl = (np.exp(p) * (p - q)).sum(axis=1).mean()
    ce = -log_softmax(logits, axis=1)[np.arange(len(y)), y].mean()
    return share * kl + (1 - share) * ce


def distil_kl_the_other_way(logits, teacher_logits, y, temperature, share):
    p = log_softmax(teacher_logits / temperature, axis=1)
    q = log_softmax(logits / temperature, axis=1)
    kl = np.sum(np.exp(q) * (q - p), axis=1).mean()
    ce = -log_softmax(logits, axis=1)[np.arange(len(y)), y].mean()
    return share * temperature ** 2 * kl + (1 - share) * ce


def distil_mean_over_everything(logits, teacher_logits, y, temperature, share):
    p = log_softmax(teacher_logits / temperature, axis=1)
    q = log_softmax(logits / temperature, axis=1)
    kl = np.mean(np.exp(p) * (p - q))
    ce = -np.mean(log_softmax(logits, axis=1)[np.arange(len(y)), y])
    return share * temperature ** 2 * kl + (1 - share) * ce


def distil_shares_swapped(logits, teacher_logits, y, temperature, share):
    p = log_softmax(teacher_logits / temperature, axis=1)
    q = log_softmax(logits / temperature, axis=1)
    kl = (np.exp(p) * (p - q)).sum(axis=1).mean()
    ce = -log_softmax(logits, axis=1)[np.arange(len(y)), y].mean()
    return (1 - share) * temperature ** 2 * kl + share * ce


def distil_softened_cross_entropy(logits, teacher_logits, y, temperature, share):
    p = log_softmax(teacher_logits / temperature, axis=1)
    q = log_softmax(logits / temperature, axis=1)
    kl = (np.exp(p) * (p - q)).sum(axis=1).mean()
    ce = -q[np.arange(len(y)), y].mean()
    return share * temperature ** 2 * kl + (1 - share) * ce


def distil_overflows(logits, teacher_logits, y, temperature, share):
    def soft(z):
        e = np.exp(z)
        return e / e.sum(axis=1, keepdims=True)

    p = soft(teacher_logits / temperature)
    q = soft(logits / temperature)
    kl = (p * np.log(p / q)).sum(axis=1).mean()
    hard = -np.log(soft(logits)[np.arange(len(y)), y]).mean()
    return share * temperature ** 2 * kl + (1 - share) * hard


def distil_softmax_over_the_batch(logits, teacher_logits, y, temperature, share):
    p = softmax(teacher_logits / temperature, axis=0)
    q = softmax(logits / temperature, axis=0)
    kl = (p * np.log(p / q)).sum(axis=1).mean()
    hard = -np.log(softmax(logits, axis=0)[np.arange(len(y)), y]).mean()
    return share * temperature ** 2 * kl + (1 - share) * hard


def distil_softmax_over_all_entries(logits, teacher_logits, y, temperature, share):
    # scipy's softmax without an axis
    p = softmax(teacher_logits / temperature)
    q = softmax(logits / temperature)
    kl = (p * np.log(p / q)).sum(axis=1).mean()
    hard = -np.log(softmax(logits)[np.arange(len(y)), y]).mean()
    return share * temperature ** 2 * kl + (1 - share) * hard


def distil_soft_cross_entropy_for_kl(logits, teacher_logits, y, temperature, share):
    p = softmax(teacher_logits / temperature, axis=1)
    log_q = log_softmax(logits / temperature, axis=1)
    soft = -(p * log_q).sum(axis=1).mean()
    hard = -log_softmax(logits, axis=1)[np.arange(len(y)), y].mean()
    return share * temperature ** 2 * soft + (1 - share) * hard


def distil_mixes_rows_and_columns(logits, teacher_logits, y, temperature, share):
    p = log_softmax(teacher_logits / temperature, axis=1)
    q = log_softmax(logits / temperature, axis=1)
    kl = (np.exp(p) * (p - q)).sum(axis=1).mean()
    ce = -log_softmax(logits, axis=1)[:, y].mean()
    return share * temperature ** 2 * kl + (1 - share) * ce


def distil_class_of_the_first_rows(logits, teacher_logits, y, temperature, share):
    p = log_softmax(teacher_logits / temperature, axis=1)
    q = log_softmax(logits / temperature, axis=1)
    kl = (np.exp(p) * (p - q)).sum(axis=1).mean()
    ce = -log_softmax(logits, axis=1)[y].mean()
    return share * temperature ** 2 * kl + (1 - share) * ce


def distil_fixed_parameters(logits, teacher_logits, y, temperature, share):
    T, alpha = 4.0, 0.9
    p = log_softmax(teacher_logits / T, axis=1)
    q = log_softmax(logits / T, axis=1)
    kl = (np.exp(p) * (p - q)).sum(axis=1).mean()
    ce = -log_softmax(logits, axis=1)[np.arange(len(y)), y].mean()
    return alpha * T ** 2 * kl + (1 - alpha) * ce


def distil_cross_entropy_of_the_teacher(logits, teacher_logits, y, temperature, share):
    p = log_softmax(teacher_logits / temperature, axis=1)
    q = log_softmax(logits / temperature, axis=1)
    kl = (np.exp(p) * (p - q)).sum(axis=1).mean()
    ce = -log_softmax(teacher_logits, axis=1)[np.arange(len(y)), y].mean()
    return share * temperature ** 2 * kl + (1 - share) * ce


def distil_sign_of_cross_entropy(logits, teacher_logits, y, temperature, share):
    p = log_softmax(teacher_logits / temperature, axis=1)
    q = log_softmax(logits / temperature, axis=1)
    kl = (np.exp(p) * (p - q)).sum(axis=1).mean()
    ce = log_softmax(logits, axis=1)[np.arange(len(y)), y].mean()
    return share * temperature ** 2 * kl + (1 - share) * ce


def distil_sums_over_the_batch(logits, teacher_logits, y, temperature, share):
    loss = 0.0
    for z, t, c in zip(logits, teacher_logits, y):
        p = log_softmax(t / temperature)
        q = log_softmax(z / temperature)
        loss += share * temperature ** 2 * (np.exp(p) * (p - q)).sum()
        loss -= (1 - share) * log_softmax(z)[c]
    return loss


def distil_returns_in_the_loop(logits, teacher_logits, y, temperature, share):
    loss = 0.0
    for z, t, c in zip(logits, teacher_logits, y):
        p = log_softmax(t / temperature)
        q = log_softmax(z / temperature)
        loss += share * temperature ** 2 * (np.exp(p) * (p - q)).sum()
        loss -= (1 - share) * log_softmax(z)[c]
        return loss / len(y)


def distil_softens_the_teacher_only(logits, teacher_logits, y, temperature, share):
    p = log_softmax(teacher_logits / temperature, axis=1)
    q = log_softmax(logits, axis=1)
    kl = (np.exp(p) * (p - q)).sum(axis=1).mean()
    ce = -q[np.arange(len(y)), y].mean()
    return share * temperature ** 2 * kl + (1 - share) * ce


def distil_multiplies_by_temperature(logits, teacher_logits, y, temperature, share):
    p = log_softmax(teacher_logits * temperature, axis=1)
    q = log_softmax(logits * temperature, axis=1)
    kl = (np.exp(p) * (p - q)).sum(axis=1).mean()
    ce = -log_softmax(logits, axis=1)[np.arange(len(y)), y].mean()
    return share * temperature ** 2 * kl + (1 - share) * ce


def distil_per_example(logits, teacher_logits, y, temperature, share):
    p = log_softmax(teacher_logits / temperature, axis=1)
    q = log_softmax(logits / temperature, axis=1)
    kl = (np.exp(p) * (p - q)).sum(axis=1)
    ce = -log_softmax(logits, axis=1)[np.arange(len(y)), y]
    return share * temperature ** 2 * kl + (1 - share) * ce


def distil_log_base_two(logits, teacher_logits, y, temperature, share):
    p = softmax(teacher_logits / temperature, axis=1)
    q = softmax(logits / temperature, axis=1)
    kl = (p * np.log2(p / q)).sum(axis=1).mean()
    ce = -np.log2(softmax(logits, axis=1)[np.arange(len(y)), y]).mean()
    return share * temperature ** 2 * kl + (1 - share) * ce


def distil_logits_without_softmax(logits, teacher_logits, y, temperature, share):
    p = softmax(teacher_logits / temperature, axis=1)
    kl = (p * (teacher_logits / temperature - logits / temperature)).sum(axis=1).mean()
    ce = -log_softmax(logits, axis=1)[np.arange(len(y)), y].mean()
    return share * temperature ** 2 * kl + (1 - share) * ce


def distil_factor_on_both(logits, teacher_logits, y, temperature, share):
    p = log_softmax(teacher_logits / temperature, axis=1)
    q = log_softmax(logits / temperature, axis=1)
    kl = (np.exp(p) * (p - q)).sum(axis=1).mean()
    ce = -log_softmax(logits, axis=1)[np.arange(len(y)), y].mean()
    return temperature ** 2 * (share * kl + (1 - share) * ce)


def distil_softens_in_place(logits, teacher_logits, y, temperature, share):
    ce = -log_softmax(logits, axis=1)[np.arange(len(y)), y].mean()
    logits /= temperature
    teacher_logits /= temperature
    p = log_softmax(teacher_logits, axis=1)
    q = log_softmax(logits, axis=1)
    kl = (np.exp(p) * (p - q)).sum(axis=1).mean()
    return share * temperature ** 2 * kl + (1 - share) * ce


def distil_forgets_keepdims(logits, teacher_logits, y, temperature, share):
    def log_soft(z):
        z = z - z.max(axis=1)
        return z - np.log(np.exp(z).sum(axis=1))

    p = log_soft(teacher_logits / temperature)
    q = log_soft(logits / temperature)
    kl = (np.exp(p) * (p - q)).sum(axis=1).mean()
    ce = -log_soft(logits)[np.arange(len(y)), y].mean()
    return share * temperature ** 2 * kl + (1 - share) * ce


def right_distil_scipy(logits, teacher_logits, y, temperature, share):
    p = softmax(teacher_logits / temperature, axis=1)
    q = softmax(logits / temperature, axis=1)
    kl = rel_entr(p, q).sum(axis=1).mean()
    ce = -log_softmax(logits, axis=1)[range(len(y)), y].mean()
    return share * temperature ** 2 * kl + (1 - share) * ce


def right_distil_math_loops(logits, teacher_logits, y, temperature, share):
    def probs(z):
        top = max(z)
        e = [math.exp(v - top) for v in z]
        return [v / sum(e) for v in e]

    kl, ce = 0.0, 0.0
    for b in range(len(y)):
        p = probs([float(t) / temperature for t in teacher_logits[b]])
        q = probs([float(s) / temperature for s in logits[b]])
        for c in range(len(p)):
            if p[c] > 0:
                kl += p[c] * math.log(p[c] / q[c])
        ce -= math.log(probs(logits[b].tolist())[y[b]])
    return share * temperature * temperature * kl / len(y) + (1 - share) * ce / len(y)


def right_distil_logsumexp(logits, teacher_logits, y, temperature, share):
    def log_p(z):
        return z - logsumexp(z, axis=-1, keepdims=True)

    t, s = log_p(teacher_logits / temperature), log_p(logits / temperature)
    kl = np.einsum("bc,bc->b", np.exp(t), t - s)
    ce = -np.take_along_axis(log_p(logits), y[:, None], axis=1)[:, 0]
    return np.mean(share * temperature ** 2 * kl + (1 - share) * ce)


def right_distil_cross_entropy_minus_entropy(logits, teacher_logits, y, temperature, share):
    p = softmax(teacher_logits / temperature, axis=1)
    soft = -(p * log_softmax(logits / temperature, axis=1)).sum() / len(y)
    entropy = -(p * log_softmax(teacher_logits / temperature, axis=1)).sum() / len(y)
    hard = 0
    for row, c in zip(log_softmax(logits, axis=1), y):
        hard -= row[c]
    hard = hard / len(y)
    return share * temperature ** 2 * (soft - entropy) + (1 - share) * hard


def right_distil_one_hot(logits, teacher_logits, y, temperature, share):
    def log_soft(z):
        z = z - np.max(z, axis=1)[:, np.newaxis]
        return z - np.log(np.sum(np.exp(z), axis=1))[:, np.newaxis]

    B, C = logits.shape
    one_hot = np.eye(C)[y]
    a = log_soft(teacher_logits / temperature)
    b = log_soft(logits / temperature)
    KL = np.sum(np.exp(a) * (a - b)) / B
    CE = -np.sum(one_hot * log_soft(logits)) / B
    return np.array(share * temperature ** 2 * KL + (1 - share) * CE)


def right_distil_logaddexp(logits, teacher_logits, y, temperature, share):
    def log_soft(z):
        return z - np.logaddexp.reduce(z, axis=1)[:, None]

    total = []
    for i in range(len(y)):
        t = log_soft(teacher_logits[i:i + 1] / temperature)
        s = log_soft(logits[i:i + 1] / temperature)
        kl = float((np.exp(t) * (t - s)).sum())
        total.append(share * temperature ** 2 * kl - (1 - share) * float(log_soft(logits[i:i + 1])[0, y[i]]))
    return sum(total) / len(total)


def right_distil_data_frames(logits, teacher_logits, y, temperature, share):
    student = pd.DataFrame(log_softmax(logits / temperature, axis=1))
    teacher = pd.DataFrame(log_softmax(teacher_logits / temperature, axis=1))
    kl = (np.exp(teacher) * (teacher - student)).sum(axis=1)
    ce = pd.Series([-log_softmax(row)[c] for row, c in zip(logits, y)])
    return (share * temperature ** 2 * kl + (1 - share) * ce).mean()


# For each exercise: what is wrong, in a few plain words, and the answer.
# -------------------------------------------------------------------------------------------- 06.regmean


def regmean_plain_mean(inputs, kernels):
    return sum(kernels) / len(kernels)


def regmean_by_rows(inputs, kernels):
    n = [len(x) for x in inputs]
    return sum(m * k for m, k in zip(n, kernels)) / sum(n)


def regmean_each_inverse(inputs, kernels):
    return sum(np.linalg.pinv(x.T @ x) @ (x.T @ x) @ k for x, k in zip(inputs, kernels)) / len(kernels)


def regmean_diagonal(inputs, kernels):
    d = [(x**2).sum(axis=0)[:, None] for x in inputs]
    return sum(a * k for a, k in zip(d, kernels)) / sum(d)


def regmean_mean_of_grams(inputs, kernels):
    G = [x.T @ x / len(x) for x in inputs]
    return np.linalg.solve(sum(G), sum(g @ k for g, k in zip(G, kernels)))


def regmean_right_side(inputs, kernels):
    return sum(x.T @ x @ k for x, k in zip(inputs, kernels))


def regmean_transposed(inputs, kernels):
    G = [x.T @ x for x in inputs]
    return np.linalg.solve(sum(G), sum(g @ k for g, k in zip(G, kernels))).T


def regmean_ridge(inputs, kernels):
    G = [x.T @ x for x in inputs]
    return np.linalg.solve(sum(G) + 0.01 * np.eye(len(G[0])), sum(g @ k for g, k in zip(G, kernels)))


def regmean_kernels_bare(inputs, kernels):
    return np.linalg.inv(sum(x.T @ x for x in inputs)) @ sum(kernels)


def regmean_first_two(inputs, kernels):
    a, b = (x.T @ x for x in inputs[:2])
    return np.linalg.solve(a + b, a @ kernels[0] + b @ kernels[1])


def regmean_rows_by_rows(inputs, kernels):
    G = [x @ x.T for x in inputs]
    return np.linalg.solve(sum(G), sum(g @ k for g, k in zip(G, kernels)))


def regmean_elementwise(inputs, kernels):
    G = [x.T @ x for x in inputs]
    return sum(g @ k for g, k in zip(G, kernels)) / sum(G).sum(axis=0)[:, None]


def regmean_solved(inputs, kernels):
    G = [x.T @ x for x in inputs]
    return np.linalg.solve(sum(G), sum(g @ k for g, k in zip(G, kernels)))


def regmean_inverse(inputs, kernels):
    left, right = 0, 0
    for x, k in zip(inputs, kernels):
        left = left + x.T @ x
        right = right + x.T @ x @ k
    return np.linalg.inv(left) @ right


def regmean_stacked(inputs, kernels):
    said = np.concatenate([x @ k for x, k in zip(inputs, kernels)])
    return np.linalg.lstsq(np.concatenate(inputs), said, rcond=None)[0]


def regmean_pseudo_inverse(inputs, kernels):
    return np.linalg.pinv(np.vstack(inputs)) @ np.vstack([x @ k for x, k in zip(inputs, kernels)])


def regmean_pandas(inputs, kernels):
    rows = pd.concat([pd.DataFrame(x) for x in inputs])
    said = pd.concat([pd.DataFrame(x @ k) for x, k in zip(inputs, kernels)])
    return pd.DataFrame(np.linalg.lstsq(rows.to_numpy(), said.to_numpy(), rcond=None)[0])


WRONG = {
    "06.matching_order": {
        "the most alike for each place, some neurons twice": order_best_of_each_place,
        "the best place of each neuron, some places twice": order_best_place_of_each_neuron,
        "place by place, from what is left": order_place_by_place,
        "the largest product first": order_largest_pair_first,
        "the places of the neurons, not the neurons of the places": order_the_inverse,
        "the least alike": order_forgets_to_maximize,
        "without the bias": order_without_bias,
        "the rows of the assignment": order_rows_of_the_assignment,
        "inner products of inputs": order_not_transposed,
        "cosines": order_by_cosine,
        "the sum of distances, not squared": order_by_distance,
        "correlations": order_by_correlation,
        "absolute products": order_absolute_products,
        "the biases' inner product, one number": order_bias_as_one_number,
        "the biases' outer product transposed": order_bias_in_the_wrong_direction,
        "counted from one": order_counts_from_one,
        "matched by length": order_sorts_by_length,
        "the kernel in the new order": order_returns_the_kernel,
        "pairs of place and neuron": order_returns_pairs,
        "one round of swaps": order_one_round_of_swaps,
        "the bias stacked as another unit": order_bias_as_a_unit,
    },
    "06.barrier": {
        "above the higher end": barrier_over_the_higher_end,
        "above the higher end, at least 0": barrier_over_the_higher_end_or_zero,
        "above the mean of the ends": barrier_over_the_mean_of_the_ends,
        "above the first": barrier_over_the_first,
        "above the lowest": barrier_max_minus_min,
        "the absolute difference": barrier_absolute,
        "halfway only": barrier_only_the_middle,
        "negative where the losses stay below": barrier_inner_points_only,
        "steps of 1 / K": barrier_step_of_one_over_k,
        "steps counted from one": barrier_starts_at_one,
        "the line from the last to the first": barrier_line_the_wrong_way,
        "the difference the other way round": barrier_line_minus_losses,
        "a mean for the maximum": barrier_mean_not_max,
        "a sum for the maximum": barrier_sum_not_max,
        "the place of the top": barrier_where_not_how_much,
        "the loss at the top": barrier_the_loss_at_the_top,
        "where the loss is highest": barrier_at_the_highest_loss,
        "the first excess": barrier_stops_at_the_first,
        "all the excesses": barrier_all_excesses,
        "an integer division": barrier_integer_division,
        "relative to the line": barrier_relative,
        "a line fitted to all points": barrier_fitted_line,
    },
    "06.regmean": {
        "the plain mean": regmean_plain_mean,
        "by the number of rows": regmean_by_rows,
        "each one's own inverse": regmean_each_inverse,
        "the diagonal alone": regmean_diagonal,
        "means over the rows": regmean_mean_of_grams,
        "the right side": regmean_right_side,
        "transposed": regmean_transposed,
        "a ridge": regmean_ridge,
        "bare kernels": regmean_kernels_bare,
        "the first two": regmean_first_two,
        "x @ x.T": regmean_rows_by_rows,
        "divided, not solved": regmean_elementwise,
    },
    "06.distillation_loss": {
        "the temperature not squared": distil_temperature_not_squared,
        "no factor for the temperature": distil_without_temperature_factor,
        "the divergence the other way round": distil_kl_the_other_way,
        "a mean over classes too": distil_mean_over_everything,
        "the shares swapped": distil_shares_swapped,
        "the cross-entropy softened too": distil_softened_cross_entropy,
        "an overflow": distil_overflows,
        "a softmax over the batch": distil_softmax_over_the_batch,
        "a softmax over all entries": distil_softmax_over_all_entries,
        "the teacher's entropy not taken off": distil_soft_cross_entropy_for_kl,
        "every row with every class": distil_mixes_rows_and_columns,
        "classes used as rows": distil_class_of_the_first_rows,
        "temperature and share fixed": distil_fixed_parameters,
        "the teacher's cross-entropy": distil_cross_entropy_of_the_teacher,
        "no minus before the logarithm": distil_sign_of_cross_entropy,
        "a sum over the batch": distil_sums_over_the_batch,
        "returns in the loop": distil_returns_in_the_loop,
        "only the teacher softened": distil_softens_the_teacher_only,
        "times the temperature": distil_multiplies_by_temperature,
        "one loss per example": distil_per_example,
        "logarithms of base 2": distil_log_base_two,
        "the difference of logits": distil_logits_without_softmax,
        "the factor on both parts": distil_factor_on_both,
        "the logits divided in place": distil_softens_in_place,
        "no keepdims": distil_forgets_keepdims,
    },
}
RIGHT = {
    "06.matching_order": {
        "SciPy, a cost": right_order_scipy,
        "all permutations, a list": right_order_all_permutations,
        "max with a key, a tuple": right_order_max_with_key,
        "squared distances": right_order_squared_distance,
        "loops, Python integers": right_order_loops,
        "the inverse of the other direction": right_order_inverse_of_the_other,
        "recursion": right_order_recursion,
        "floats": right_order_as_floats,
    },
    "06.barrier": {
        "linspace between the ends": right_barrier_linspace,
        "a loop": right_barrier_loop,
        "Python floats": right_barrier_comprehension,
        "np.interp": right_barrier_interp,
        "inner points, at least 0": right_barrier_inner_points,
        "a line through two points, an array without axes": right_barrier_polyfit,
        "a series": right_barrier_series,
        "sorted": right_barrier_sorted,
    },
    "06.regmean": {
        "solved": regmean_solved,
        "inverse": regmean_inverse,
        "stacked": regmean_stacked,
        "pseudo-inverse": regmean_pseudo_inverse,
        "pandas": regmean_pandas,
    },
    "06.distillation_loss": {
        "SciPy": right_distil_scipy,
        "math and loops": right_distil_math_loops,
        "logsumexp and einsum": right_distil_logsumexp,
        "cross-entropy minus entropy": right_distil_cross_entropy_minus_entropy,
        "one-hot classes, an array without axes": right_distil_one_hot,
        "example by example": right_distil_logaddexp,
        "data frames": right_distil_data_frames,
    },
}
