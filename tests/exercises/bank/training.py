"""Answers to the exercises of training, as learners write them."""

import math
from itertools import accumulate

import numpy as np
import pandas as pd

# ------------------------------------------------------------------------------------------ 09.clip_by_norm


def clip_each_alone(gradients, max_norm):
    clipped = []
    for g in gradients:
        norm = np.linalg.norm(g)
        if norm > max_norm:
            g = g * max_norm / norm
        clipped.append(g.copy())
    return clipped


def clip_by_value(gradients, max_norm):
    return [np.clip(g, -max_norm, max_norm) for g in gradients]


def clip_scales_up_too(gradients, max_norm):
    norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
    if norm == 0:
        return [g.copy() for g in gradients]
    return [g * max_norm / norm for g in gradients]


def clip_divides_by_zero(gradients, max_norm):
    norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
    return [g * max_norm / norm for g in gradients]


def clip_sum_of_norms(gradients, max_norm):
    norm = sum(np.linalg.norm(g) for g in gradients)
    if norm > max_norm:
        return [g * (max_norm / norm) for g in gradients]
    return [g * 1.0 for g in gradients]


def clip_root_forgotten(gradients, max_norm):
    norm = sum((g**2).sum() for g in gradients)
    scale = max_norm / norm if norm > max_norm else 1.0
    return [g * scale for g in gradients]


def clip_largest_entry(gradients, max_norm):
    norm = max(np.abs(g).max() for g in gradients)
    scale = max_norm / norm if norm > max_norm else 1
    return [g * scale for g in gradients]


def clip_largest_norm(gradients, max_norm):
    norm = max([np.linalg.norm(g) for g in gradients])
    if norm > max_norm:
        return [g / norm * max_norm for g in gradients]
    else:
        return [np.array(g) for g in gradients]


def clip_absolute_sum(gradients, max_norm):
    norm = sum(np.abs(g).sum() for g in gradients)
    factor = min(1, max_norm / (norm + 1e-12))
    return [factor * g for g in gradients]


def clip_spectral_norm(gradients, max_norm):
    norm = np.sqrt(sum(np.linalg.norm(g, 2) ** 2 for g in gradients))
    factor = min(1, max_norm / norm) if norm else 1
    return [factor * g for g in gradients]


def clip_root_mean_square(gradients, max_norm):
    flat = np.concatenate([g.ravel() for g in gradients])
    norm = np.sqrt(np.mean(flat**2))
    if norm > max_norm:
        return [g * max_norm / norm for g in gradients]
    return [g.copy() for g in gradients]


def clip_to_norm_one(gradients, max_norm):
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    if norm > max_norm:
        return [g / norm for g in gradients]
    return [g.copy() for g in gradients]


def clip_in_place(gradients, max_norm):
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    if norm > max_norm:
        for g in gradients:
            g *= max_norm / norm
    return gradients


def clip_in_place_then_copies(gradients, max_norm):
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    if norm > max_norm:
        for i in range(len(gradients)):
            gradients[i] *= max_norm / norm
    return [g.copy() for g in gradients]


def clip_same_arrays_below(gradients, max_norm):
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    if norm <= max_norm:
        return gradients
    return [g * max_norm / norm for g in gradients]


def clip_concatenate_as_they_are(gradients, max_norm):
    norm = np.linalg.norm(np.concatenate(gradients))
    if norm > max_norm:
        return [g * max_norm / norm for g in gradients]
    return [g.copy() for g in gradients]


def clip_one_array(gradients, max_norm):
    g = np.array(gradients)
    norm = np.sqrt((g**2).sum())
    if norm > max_norm:
        g = g * max_norm / norm
    return list(g)


def clip_flat_result(gradients, max_norm):
    flat = np.concatenate([g.flatten() for g in gradients])
    norm = np.linalg.norm(flat)
    if norm > max_norm:
        flat = flat / norm * max_norm
    return flat


def clip_list_times_number(gradients, max_norm):
    norm = math.sqrt(sum((g**2).sum() for g in gradients))
    if norm > max_norm:
        return gradients * (max_norm / norm)
    return [g.copy() for g in gradients]


def clip_ratio_upside_down(gradients, max_norm):
    norm = math.sqrt(sum((g**2).sum() for g in gradients))
    if norm > max_norm:
        return [g * (norm / max_norm) for g in gradients]
    return [g.copy() for g in gradients]


def clip_wrong_way_round(gradients, max_norm):
    norm = math.sqrt(sum((g**2).sum() for g in gradients))
    if norm < max_norm:
        return [g * (max_norm / (norm + 1e-8)) for g in gradients]
    return [g.copy() for g in gradients]


def clip_norm_too(gradients, max_norm):
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    scale = min(1.0, max_norm / (norm + 1e-6))
    return [g * scale for g in gradients], norm


def clip_returns_in_the_loop(gradients, max_norm):
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    clipped = []
    for g in gradients:
        if norm > max_norm:
            clipped.append(g * max_norm / norm)
        else:
            clipped.append(g.copy())
        return clipped


def clip_norm_of_the_first(gradients, max_norm):
    norm = np.linalg.norm(gradients[0])
    if norm > max_norm:
        return [g * max_norm / norm for g in gradients]
    return [g.copy() for g in gradients]


def clip_norm_of_the_last(gradients, max_norm):
    norm = 0
    for g in gradients:
        norm = np.sqrt((g**2).sum())
    factor = max_norm / norm if norm > max_norm else 1
    return [g * factor for g in gradients]


def clip_nothing_returned_below(gradients, max_norm):
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    if norm > max_norm:
        return [g * max_norm / norm for g in gradients]


def right_clip_loop(gradients, max_norm):
    total = 0.0
    for g in gradients:
        for value in g.flatten():
            total += value * value
    norm = math.sqrt(total)
    out = []
    for g in gradients:
        if norm > max_norm:
            out.append(g * max_norm / norm)
        else:
            out.append(g.copy())
    return out


def right_clip_flat(gradients, max_norm):
    norm = np.linalg.norm(np.concatenate([g.ravel() for g in gradients]))
    if norm <= max_norm:
        return [np.array(g) for g in gradients]
    return [max_norm * g / norm for g in gradients]


def right_clip_like_tensorflow(gradients, max_norm):
    norm = np.sqrt(sum(np.sum(np.square(g)) for g in gradients))
    return tuple(g * max_norm / max(norm, max_norm) for g in gradients)


def right_clip_like_pytorch(gradients, max_norm):
    norm = np.linalg.norm([np.linalg.norm(g) for g in gradients])
    coefficient = min(1.0, max_norm / (norm + 1e-6))
    return [g * coefficient for g in gradients]


def right_clip_nested_lists(gradients, max_norm):
    norm = math.hypot(*(value for g in gradients for value in g.ravel()))
    scale = max_norm / norm if norm > max_norm else 1
    return [(scale * g).tolist() for g in gradients]


def right_clip_split_again(gradients, max_norm):
    sizes = [g.size for g in gradients]
    flat = np.hstack([g.reshape(-1) for g in gradients])
    norm = np.sqrt(flat @ flat)
    if norm > max_norm:
        flat = flat * (max_norm / norm)
    parts = np.split(flat, np.cumsum(sizes)[:-1])
    return [part.reshape(g.shape) for part, g in zip(parts, gradients)]


def right_clip_no_guard(gradients, max_norm):
    norm = np.sqrt(np.sum([np.einsum("i,i->", g.ravel(), g.ravel()) for g in gradients]))
    return [g * np.minimum(1, max_norm / norm) for g in gradients]  # max_norm / 0 is inf


def right_clip_copies_first(gradients, max_norm):
    new = [g.copy() for g in gradients]
    squares = sum(np.vdot(g, g) for g in new)
    if squares > max_norm**2:
        for g in new:
            g *= max_norm / np.sqrt(squares)
    return new


# ----------------------------------------------------------------------------------------------- 09.dropout


def dropout_not_scaled(x, draws, rate):
    return np.where(draws < rate, 0, x)


def dropout_scaled_down(x, draws, rate):
    return np.where(draws < rate, 0, x * (1 - rate))


def dropout_divided_by_rate(x, draws, rate):
    return np.where(draws < rate, 0, x / rate)


def dropout_times_rate(x, draws, rate):
    mask = draws >= rate
    return x * mask * rate


def dropout_the_others(x, draws, rate):
    mask = draws < rate
    return x * mask / (1 - rate)


def dropout_rate_is_kept(x, draws, rate):
    keep = draws < rate
    return keep * x / rate


def dropout_above_one_minus_rate_wrong(x, draws, rate):
    return np.where(draws < 1 - rate, 0, x / (1 - rate))


def dropout_in_place(x, draws, rate):
    x[draws < rate] = 0
    return x / (1 - rate)


def dropout_in_place_twice(x, draws, rate):
    x[draws < rate] = 0
    x /= 1 - rate
    return x


def dropout_by_the_share_left(x, draws, rate):
    mask = draws >= rate
    return x * mask / mask.mean()


def dropout_keeps_the_mean_exactly(x, draws, rate):
    out = np.where(draws < rate, 0, x)
    return out * x.mean() / out.mean()


def dropout_of_x(x, draws, rate):
    return np.where(x < rate, 0, x / (1 - rate))


def dropout_draws_itself(x, draws, rate):
    rng = np.random.default_rng(0)
    mask = rng.random(x.shape) >= rate
    return x * mask / (1 - rate)


def dropout_half_hard_coded(x, draws, rate):
    return np.where(draws < rate, 0, x * 2)


def dropout_threshold_hard_coded(x, draws, rate):
    mask = (draws > 0.5).astype(float)
    return x * mask / (1 - rate)


def dropout_removes(x, draws, rate):
    return x[draws >= rate] / (1 - rate)


def dropout_brackets(x, draws, rate):
    mask = draws >= rate
    return x * mask / 1 - rate


def dropout_rows_only(x, draws, rate):
    out = x / (1 - rate)
    for i in range(len(x)):
        if draws[i].mean() < rate:
            out[i] = 0
    return out


def dropout_whole_rows(x, draws, rate):
    mask = draws[:, :1] >= rate
    return x * mask / (1 - rate)


def dropout_integers(x, draws, rate):
    out = np.zeros_like(x, dtype=int)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            if draws[i, j] >= rate:
                out[i, j] = x[i, j] / (1 - rate)
    return out


def dropout_if_on_an_array(x, draws, rate):
    if draws < rate:
        return 0
    else:
        return x / (1 - rate)


def dropout_root_of_the_scale(x, draws, rate):
    mask = draws >= rate
    return x * mask / np.sqrt(1 - rate)


def dropout_times_draws(x, draws, rate):
    kept = np.where(draws < rate, 0, draws)
    return x * kept / (1 - rate)


def dropout_one_plus_rate(x, draws, rate):
    return np.where(draws < rate, 0, x * (1 + rate))


def dropout_nan(x, draws, rate):
    return np.where(draws < rate, np.nan, x / (1 - rate))


def dropout_flat(x, draws, rate):
    out = []
    for value, draw in zip(x.flatten(), draws.flatten()):
        out.append(0 if draw < rate else value / (1 - rate))
    return np.array(out)


def right_dropout_mask(x, draws, rate):
    mask = (draws >= rate) / (1 - rate)
    return x * mask


def right_dropout_loops(x, draws, rate):
    out = np.zeros(x.shape)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            if draws[i, j] >= rate:
                out[i, j] = x[i, j] / (1 - rate)
    return out


def right_dropout_lists(x, draws, rate):
    scale = 1 / (1 - rate)
    return [[0 if d < rate else scale * v for v, d in zip(row, chances)] for row, chances in zip(x, draws)]


def right_dropout_copy(x, draws, rate):
    y = x.copy()
    y[draws < rate] = 0
    y /= 1 - rate
    return y


def right_dropout_masked_array(x, draws, rate):
    return np.ma.masked_where(draws < rate, x / (1 - rate)).filled(0)


def right_dropout_frame(x, draws, rate):
    return pd.DataFrame(x).where(draws >= rate, 0.0) / (1 - rate)


def right_dropout_floor(x, draws, rate):
    keep = 1 - rate
    return x / keep * np.floor(keep + draws)


def right_dropout_vectorize(x, draws, rate):
    @np.vectorize
    def one(value, draw):
        if draw < rate:
            return 0.0
        return value / (1.0 - rate)

    return one(x, draws)


# --------------------------------------------------------------------------------------------- 09.adam_step


def adam_uncorrected(weights, gradient, mean, square, step, learning_rate):
    mean = 0.9 * mean + 0.1 * gradient
    square = 0.999 * square + 0.001 * gradient**2
    weights = weights - learning_rate * mean / (np.sqrt(square) + 1e-8)
    return [weights, mean, square]


def adam_corrected_returned(weights, gradient, mean, square, step, learning_rate):
    mean = 0.9 * mean + 0.1 * gradient
    square = 0.999 * square + 0.001 * gradient**2
    mean = mean / (1 - 0.9**step)
    square = square / (1 - 0.999**step)
    weights = weights - learning_rate * mean / (np.sqrt(square) + 1e-8)
    return [weights, mean, square]


def adam_memories_swapped(weights, gradient, mean, square, step, learning_rate):
    m = 0.999 * mean + 0.001 * gradient
    v = 0.9 * square + 0.1 * gradient**2
    m_hat = m / (1 - 0.999**step)
    v_hat = v / (1 - 0.9**step)
    return [weights - learning_rate * m_hat / (np.sqrt(v_hat) + 1e-8), m, v]


def adam_old_and_new_swapped(weights, gradient, mean, square, step, learning_rate):
    m = 0.1 * mean + 0.9 * gradient
    v = 0.001 * square + 0.999 * gradient**2
    m_hat = m / (1 - 0.9**step)
    v_hat = v / (1 - 0.999**step)
    return [weights - learning_rate * m_hat / (np.sqrt(v_hat) + 1e-8), m, v]


def adam_step_from_zero(weights, gradient, mean, square, step, learning_rate):
    m = 0.9 * mean + 0.1 * gradient
    v = 0.999 * square + 0.001 * gradient**2
    m_hat = m / (1 - 0.9 ** (step - 1))
    v_hat = v / (1 - 0.999 ** (step - 1))
    return [weights - learning_rate * m_hat / (np.sqrt(v_hat) + 1e-8), m, v]


def adam_step_plus_one(weights, gradient, mean, square, step, learning_rate):
    t = step + 1
    m = 0.9 * mean + 0.1 * gradient
    v = 0.999 * square + 0.001 * gradient**2
    m_hat = m / (1 - 0.9**t)
    v_hat = v / (1 - 0.999**t)
    return [weights - learning_rate * m_hat / (np.sqrt(v_hat) + 1e-8), m, v]


def adam_memory_times_step(weights, gradient, mean, square, step, learning_rate):
    m = 0.9 * mean + 0.1 * gradient
    v = 0.999 * square + 0.001 * gradient**2
    m_hat = m / (1 - 0.9 * step)
    v_hat = v / (1 - 0.999 * step)
    return [weights - learning_rate * m_hat / (np.sqrt(v_hat) + 1e-8), m, v]


def adam_corrected_as_if_first(weights, gradient, mean, square, step, learning_rate):
    beta1, beta2 = 0.9, 0.999
    m = beta1 * mean + (1 - beta1) * gradient
    v = beta2 * square + (1 - beta2) * gradient**2
    m_hat = m / (1 - beta1)
    v_hat = v / (1 - beta2)
    return [weights - learning_rate * m_hat / (np.sqrt(v_hat) + 1e-8), m, v]


def adam_epsilon_in_the_root(weights, gradient, mean, square, step, learning_rate):
    m = 0.9 * mean + 0.1 * gradient
    v = 0.999 * square + 0.001 * gradient**2
    m_hat = m / (1 - 0.9**step)
    v_hat = v / (1 - 0.999**step)
    return [weights - learning_rate * m_hat / np.sqrt(v_hat + 1e-8), m, v]


def adam_no_epsilon(weights, gradient, mean, square, step, learning_rate):
    m = 0.9 * mean + 0.1 * gradient
    v = 0.999 * square + 0.001 * gradient**2
    m_hat = m / (1 - 0.9**step)
    v_hat = v / (1 - 0.999**step)
    return [weights - learning_rate * m_hat / np.sqrt(v_hat), m, v]


def adam_no_root(weights, gradient, mean, square, step, learning_rate):
    m = 0.9 * mean + 0.1 * gradient
    v = 0.999 * square + 0.001 * gradient**2
    m_hat = m / (1 - 0.9**step)
    v_hat = v / (1 - 0.999**step)
    return [weights - learning_rate * m_hat / (v_hat + 1e-8), m, v]


def adam_gradient_not_squared(weights, gradient, mean, square, step, learning_rate):
    m = 0.9 * mean + 0.1 * gradient
    v = 0.999 * square + 0.001 * gradient
    m_hat = m / (1 - 0.9**step)
    v_hat = v / (1 - 0.999**step)
    return [weights - learning_rate * m_hat / (np.sqrt(v_hat) + 1e-8), m, v]


def adam_square_of_the_mean(weights, gradient, mean, square, step, learning_rate):
    mean = 0.9 * mean + 0.1 * gradient
    square = 0.999 * square + 0.001 * mean**2
    m = mean / (1 - 0.9**step)
    v = square / (1 - 0.999**step)
    return [weights - learning_rate * m / (np.sqrt(v) + 1e-8), mean, square]


def adam_uphill(weights, gradient, mean, square, step, learning_rate):
    m = 0.9 * mean + 0.1 * gradient
    v = 0.999 * square + 0.001 * gradient**2
    m_hat = m / (1 - 0.9**step)
    v_hat = v / (1 - 0.999**step)
    return [weights + learning_rate * m_hat / (np.sqrt(v_hat) + 1e-8), m, v]


def adam_no_learning_rate(weights, gradient, mean, square, step, learning_rate):
    m = 0.9 * mean + 0.1 * gradient
    v = 0.999 * square + 0.001 * gradient**2
    m_hat = m / (1 - 0.9**step)
    v_hat = v / (1 - 0.999**step)
    return [weights - m_hat / (np.sqrt(v_hat) + 1e-8), m, v]


def adam_learning_rate_of_the_paper(weights, gradient, mean, square, step, learning_rate):
    alpha, beta1, beta2, eps = 0.001, 0.9, 0.999, 1e-8
    m = beta1 * mean + (1 - beta1) * gradient
    v = beta2 * square + (1 - beta2) * gradient**2
    m_hat = m / (1 - beta1**step)
    v_hat = v / (1 - beta2**step)
    return [weights - alpha * m_hat / (np.sqrt(v_hat) + eps), m, v]


def adam_weights_last(weights, gradient, mean, square, step, learning_rate):
    m = 0.9 * mean + 0.1 * gradient
    v = 0.999 * square + 0.001 * gradient**2
    m_hat = m / (1 - 0.9**step)
    v_hat = v / (1 - 0.999**step)
    w = weights - learning_rate * m_hat / (np.sqrt(v_hat) + 1e-8)
    return m, v, w


def adam_square_before_mean(weights, gradient, mean, square, step, learning_rate):
    m = 0.9 * mean + 0.1 * gradient
    v = 0.999 * square + 0.001 * gradient**2
    m_hat = m / (1 - 0.9**step)
    v_hat = v / (1 - 0.999**step)
    w = weights - learning_rate * m_hat / (np.sqrt(v_hat) + 1e-8)
    return w, v, m


def adam_in_place(weights, gradient, mean, square, step, learning_rate):
    mean *= 0.9
    mean += 0.1 * gradient
    square *= 0.999
    square += 0.001 * gradient**2
    weights -= learning_rate * mean / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
    return [weights, mean, square]


def adam_memory_of_square_too_short(weights, gradient, mean, square, step, learning_rate):
    m = 0.9 * mean + 0.1 * gradient
    v = 0.99 * square + 0.01 * gradient**2
    m_hat = m / (1 - 0.9**step)
    v_hat = v / (1 - 0.99**step)
    return [weights - learning_rate * m_hat / (np.sqrt(v_hat) + 1e-8), m, v]


def adam_share_of_new_off(weights, gradient, mean, square, step, learning_rate):
    m = 0.9 * mean + 0.1 * gradient
    v = 0.999 * square + 0.01 * gradient**2
    m_hat = m / (1 - 0.9**step)
    v_hat = v / (1 - 0.999**step)
    return [weights - learning_rate * m_hat / (np.sqrt(v_hat) + 1e-8), m, v]


def adam_gradient_at_full_weight(weights, gradient, mean, square, step, learning_rate):
    m = 0.9 * mean + gradient
    v = 0.999 * square + gradient**2
    m_hat = m / (1 - 0.9**step)
    v_hat = v / (1 - 0.999**step)
    return [weights - learning_rate * m_hat / (np.sqrt(v_hat) + 1e-8), m, v]


def adam_only_mean_corrected(weights, gradient, mean, square, step, learning_rate):
    m = 0.9 * mean + 0.1 * gradient
    v = 0.999 * square + 0.001 * gradient**2
    m_hat = m / (1 - 0.9**step)
    return [weights - learning_rate * m_hat / (np.sqrt(v) + 1e-8), m, v]


def adam_old_mean_used(weights, gradient, mean, square, step, learning_rate):
    m_hat = mean / (1 - 0.9**step)
    v_hat = square / (1 - 0.999**step)
    new_weights = weights - learning_rate * m_hat / (np.sqrt(v_hat) + 1e-8)
    return [new_weights, 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2]


def adam_paper_end_of_section_two(weights, gradient, mean, square, step, learning_rate):
    m = 0.9 * mean + 0.1 * gradient
    v = 0.999 * square + 0.001 * gradient**2
    rate = learning_rate * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
    return [weights - rate * m / (np.sqrt(v) + 1e-8), m, v]


def adam_math_sqrt(weights, gradient, mean, square, step, learning_rate):
    m = 0.9 * mean + 0.1 * gradient
    v = 0.999 * square + 0.001 * gradient**2
    m_hat = m / (1 - 0.9**step)
    v_hat = v / (1 - 0.999**step)
    return [weights - learning_rate * m_hat / (math.sqrt(v_hat) + 1e-8), m, v]


def adam_brackets(weights, gradient, mean, square, step, learning_rate):
    m = 0.9 * mean + 0.1 * gradient
    v = 0.999 * square + 0.001 * gradient**2
    m_hat = m / (1 - 0.9**step)
    v_hat = v / (1 - 0.999**step)
    return [weights - learning_rate * m_hat / np.sqrt(v_hat) + 1e-8, m, v]


def adam_weights_only(weights, gradient, mean, square, step, learning_rate):
    m = 0.9 * mean + 0.1 * gradient
    v = 0.999 * square + 0.001 * gradient**2
    m_hat = m / (1 - 0.9**step)
    v_hat = v / (1 - 0.999**step)
    return weights - learning_rate * m_hat / (np.sqrt(v_hat) + 1e-8)


def adam_square_of_the_sum(weights, gradient, mean, square, step, learning_rate):
    m = 0.9 * mean + 0.1 * gradient
    v = 0.999 * square + 0.001 * np.sum(gradient**2)
    m_hat = m / (1 - 0.9**step)
    v_hat = v / (1 - 0.999**step)
    return [weights - learning_rate * m_hat / (np.sqrt(v_hat) + 1e-8), m, v]


def right_adam_paper(weights, gradient, mean, square, step, learning_rate):
    beta1, beta2, eps = 0.9, 0.999, 1e-8
    m = beta1 * mean + (1 - beta1) * gradient
    v = beta2 * square + (1 - beta2) * gradient**2
    m_hat = m / (1 - beta1**step)
    v_hat = v / (1 - beta2**step)
    return [weights - learning_rate * m_hat / (np.sqrt(v_hat) + eps), m, v]


def right_adam_loop(weights, gradient, mean, square, step, learning_rate):
    new_weights, new_mean, new_square = [], [], []
    for w, g, m, s in zip(weights, gradient, mean, square):
        m = 0.9 * m + 0.1 * g
        s = 0.999 * s + 0.001 * g * g
        top = m / (1 - 0.9**step)
        bottom = math.sqrt(s / (1 - 0.999**step)) + 1e-8
        new_weights.append(w - learning_rate * top / bottom)
        new_mean.append(m)
        new_square.append(s)
    return [new_weights, new_mean, new_square]


def right_adam_stack(weights, gradient, mean, square, step, learning_rate):
    m = mean + 0.1 * (gradient - mean)
    v = square + 0.001 * (gradient * gradient - square)
    change = m / (1 - 0.9**step) / ((v / (1 - 0.999**step)) ** 0.5 + 1e-8)
    return np.stack([weights - learning_rate * change, m, v])


def right_adam_epsilon_scaled(weights, gradient, mean, square, step, learning_rate):
    mean = mean * 0.9 + gradient * (1 - 0.9)
    square = square * 0.999 + np.square(gradient) * (1 - 0.999)
    root = np.sqrt(1 - 0.999**step)
    rate = learning_rate * root / (1 - 0.9**step)
    return weights - rate * mean / (np.sqrt(square) + 1e-8 * root), mean, square


def right_adam_helper(weights, gradient, mean, square, step, learning_rate):
    def remember(old, new, memory):
        updated = memory * old + (1 - memory) * new
        return updated, updated / (1 - memory**step)

    mean, first = remember(mean, gradient, 0.9)
    square, second = remember(square, gradient**2, 0.999)
    return [weights - learning_rate * first / (np.sqrt(second) + 1e-8), mean, square]


def right_adam_indices(weights, gradient, mean, square, step, learning_rate):
    n = len(weights)
    m, v, w = np.zeros(n), np.zeros(n), np.zeros(n)
    for i in range(n):
        m[i] = 0.9 * mean[i] + 0.1 * gradient[i]
        v[i] = 0.999 * square[i] + 0.001 * gradient[i] ** 2
        root = np.sqrt(v[i] / (1 - 0.999**step))
        w[i] = weights[i] - learning_rate * (m[i] / (1 - 0.9**step)) / (root + 1e-8)
    return w, m, v


def right_adam_copies(weights, gradient, mean, square, step, learning_rate):
    weights, mean, square = weights.copy(), mean.copy(), square.copy()
    mean *= 0.9
    mean += 0.1 * gradient
    square *= 0.999
    square += 0.001 * gradient**2
    weights -= learning_rate * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
    return [weights, mean, square]


# ---------------------------------------------------------------------------------------- 09.early_stopping


def stopping_equal_is_better(losses, patience):
    best, best_loss, wait = 0, np.inf, 0
    for t in range(len(losses)):
        if losses[t] <= best_loss:
            best_loss = losses[t]
            best = t
            wait = 0
        else:
            wait += 1
            if wait >= patience:
                return [best, t]
    return [best, len(losses) - 1]


def stopping_one_look_late(losses, patience):
    best, best_loss, wait = 0, np.inf, 0
    for t, loss in enumerate(losses):
        if loss < best_loss:
            best, best_loss, wait = t, loss, 0
        else:
            wait += 1
        if wait > patience:
            break
    return [best, t]


def stopping_one_look_early(losses, patience):
    best = 0
    for t in range(len(losses)):
        if losses[t] < losses[best]:
            best = t
        if t - best + 1 >= patience:
            return [best, t]
    return [best, len(losses) - 1]


def stopping_wait_never_reset(losses, patience):
    best, best_loss, wait = 0, float("inf"), 0
    for t, loss in enumerate(losses):
        if loss < best_loss:
            best_loss = loss
            best = t
        else:
            wait += 1
            if wait == patience:
                return [best, t]
    return [best, len(losses) - 1]


def stopping_compares_with_the_last(losses, patience):
    best, wait = 0, 0
    for t in range(1, len(losses)):
        if losses[t] < losses[t - 1]:
            wait = 0
        else:
            wait += 1
        if losses[t] < losses[best]:
            best = t
        if wait >= patience:
            return [best, t]
    return [best, len(losses) - 1]


def stopping_best_of_all(losses, patience):
    best, wait = np.inf, 0
    stop = len(losses) - 1
    for t, loss in enumerate(losses):
        if loss < best:
            best, wait = loss, 0
        else:
            wait += 1
            if wait >= patience:
                stop = t
                break
    return [np.argmin(losses), stop]


def stopping_around_the_overall_best(losses, patience):
    best = int(np.argmin(losses))
    return [best, min(best + patience, len(losses) - 1)]


def stopping_past_the_end(losses, patience):
    best = 0
    for t in range(len(losses)):
        if losses[t] < losses[best]:
            best = t
        if t - best >= patience:
            break
    return [best, best + patience]


def stopping_loss_not_look(losses, patience):
    best, wait = np.inf, 0
    for t, loss in enumerate(losses):  # noqa: B007
        if loss < best:
            best, wait = loss, 0
        else:
            wait += 1
            if wait >= patience:
                break
    return [best, t]


def stopping_from_one(losses, patience):
    best, best_loss, wait = 0, np.inf, 0
    t = 0
    for loss in losses:
        t += 1
        if loss < best_loss:
            best_loss, best, wait = loss, t, 0
        else:
            wait += 1
        if wait == patience:
            break
    return [best, t]


def stopping_wrong_order(losses, patience):
    best = 0
    for t in range(len(losses)):
        if losses[t] < losses[best]:
            best = t
        if t - best == patience:
            return [t, best]
    return [len(losses) - 1, best]


def stopping_no_answer_at_the_end(losses, patience):
    best, wait = 0, 0
    for t in range(1, len(losses)):
        if losses[t] < losses[best]:
            best, wait = t, 0
        else:
            wait += 1
            if wait >= patience:
                return [best, t]


def stopping_number_of_looks(losses, patience):
    best, wait = 0, 0
    for t in range(1, len(losses)):
        if losses[t] < losses[best]:
            best, wait = t, 0
        else:
            wait += 1
            if wait >= patience:
                return [best, t]
    return [best, len(losses)]


def stopping_starts_at_zero(losses, patience):
    best_loss = 0
    best = 0
    wait = 0
    for t, loss in enumerate(losses):
        if loss < best_loss:
            best_loss = loss
            best = t
            wait = 0
        else:
            wait += 1
            if wait >= patience:
                return [best, t]
    return [best, t]


def stopping_else_of_the_loop(losses, patience):
    best, wait = 0, 0
    for t in range(len(losses)):
        if losses[t] < losses[best]:
            best, wait = t, 0
        else:
            wait += 1  # counts the first look too
        if wait >= patience:
            break
    return [best, t]


def stopping_returns_in_the_loop(losses, patience):
    best, wait = 0, 0
    for t in range(1, len(losses)):
        if losses[t] < losses[best]:
            best, wait = t, 0
        else:
            wait += 1
        if wait >= patience:
            return [best, t]
        return [best, len(losses) - 1]
    return [0, 0]


def stopping_does_not_break(losses, patience):
    best, best_loss, wait = 0, np.inf, 0
    stop = 0
    for t, loss in enumerate(losses):
        if loss < best_loss:
            best, best_loss, wait = t, loss, 0
        else:
            wait += 1
            if wait == patience:
                stop = t
    return [best, stop]


def stopping_best_loss_not_updated(losses, patience):
    best_loss = losses[0]
    best, wait = 0, 0
    for t in range(1, len(losses)):
        if losses[t] < best_loss:
            best = t
            wait = 0
        else:
            wait += 1
            if wait >= patience:
                return [best, t]
    return [best, len(losses) - 1]


def stopping_index_error(losses, patience):
    t = 0
    best = 0
    while t - best < patience:
        t += 1
        if losses[t] < losses[best]:
            best = t
    return [best, t]


def stopping_t_undefined(losses, patience):
    best, wait = 0, 0
    for t in range(1, len(losses)):
        if losses[t] < losses[best]:
            best, wait = t, 0
        else:
            wait += 1
            if wait >= patience:
                break
    return [best, t]


def stopping_last_look_left_out(losses, patience):
    best = 0
    for t in range(len(losses) - 1):
        if losses[t] < losses[best]:
            best = t
        if t - best >= patience:
            return [best, t]
    return [best, len(losses) - 1]


def stopping_rises_in_a_row(losses, patience):
    rises = 0
    for t in range(1, len(losses)):
        rises = rises + 1 if losses[t] > losses[t - 1] else 0
        if rises == patience:
            return [int(np.argmin(losses[: t + 1])), t]
    return [int(np.argmin(losses)), len(losses) - 1]


def stopping_best_before_stop_shifted(losses, patience):
    best, wait = np.inf, 0
    for t, loss in enumerate(losses):  # noqa: B007
        if loss < best:
            best, wait = loss, 0
        else:
            wait += 1
        if wait >= patience:
            break
    return [t - patience, t]


def stopping_highest(losses, patience):
    best = 0
    for t in range(len(losses)):
        if losses[t] > losses[best]:
            best = t
        if t - best >= patience:
            return [best, t]
    return [best, len(losses) - 1]


def right_stopping_loop(losses, patience):
    best, best_loss, wait = 0, float("inf"), 0
    for t, loss in enumerate(losses):
        if loss < best_loss:
            best, best_loss, wait = t, loss, 0
        else:
            wait += 1
            if wait >= patience:
                return [best, t]
    return [best, len(losses) - 1]


def right_stopping_tuple(losses, patience):
    best = 0
    for t in range(len(losses)):
        if losses[t] < losses[best]:
            best = t
        if t - best == patience:
            break
    return best, t


def right_stopping_while(losses, patience):
    t, best = 0, 0
    while t < len(losses) - 1 and t - best < patience:
        t += 1
        if losses[t] < losses[best]:
            best = t
    return np.array([best, t])


def right_stopping_vectorised(losses, patience):
    look = np.arange(len(losses))
    lowest = np.minimum.accumulate(losses)
    new = np.r_[True, lowest[1:] < lowest[:-1]]
    best = np.maximum.accumulate(np.where(new, look, 0))
    stops = np.flatnonzero(look - best >= patience)
    stop = stops[0] if len(stops) else look[-1]
    return best[stop], stop


def right_stopping_argmin(losses, patience):
    for t in range(len(losses)):
        best = np.argmin(losses[: t + 1])
        if t - best >= patience:
            return [best, t]
    return [np.argmin(losses), len(losses) - 1]


def right_stopping_recursive(losses, patience):
    def go(t, best):
        if losses[t] < losses[best]:
            best = t
        if t - best >= patience or t + 1 == len(losses):
            return [float(best), float(t)]
        return go(t + 1, best)

    return go(0, 0)


def right_stopping_accumulate(losses, patience):
    values = list(losses)
    bests = [values.index(lowest) for lowest in accumulate(values, min)]
    stop = next((t for t, best in enumerate(bests) if t - best >= patience), len(values) - 1)
    return [bests[stop], stop]


def right_stopping_series(losses, patience):
    s = pd.Series(losses)
    improved = s < s.cummin().shift(fill_value=np.inf)
    wait = (~improved).groupby(improved.cumsum()).cumsum()
    stop = wait.ge(patience).idxmax() if wait.ge(patience).any() else s.index[-1]
    return [s[: stop + 1].idxmin(), stop]


# For each exercise: what is wrong, in a few plain words, and the answer.
WRONG = {
    "09.clip_by_norm": {
        "each array alone": clip_each_alone,
        "each entry": clip_by_value,
        "short ones made longer": clip_scales_up_too,
        "always, and 0 / 0": clip_divides_by_zero,
        "sum of norms": clip_sum_of_norms,
        "no root": clip_root_forgotten,
        "largest entry": clip_largest_entry,
        "largest norm": clip_largest_norm,
        "absolute values": clip_absolute_sum,
        "spectral norm": clip_spectral_norm,
        "root of the mean square": clip_root_mean_square,
        "norm 1": clip_to_norm_one,
        "in place": clip_in_place,
        "in place, copies returned": clip_in_place_then_copies,
        "the same arrays if short": clip_same_arrays_below,
        "np.concatenate of different shapes": clip_concatenate_as_they_are,
        "np.array of different shapes": clip_one_array,
        "one flat array": clip_flat_result,
        "list times number": clip_list_times_number,
        "ratio upside down": clip_ratio_upside_down,
        "scales if below": clip_wrong_way_round,
        "the norm too": clip_norm_too,
        "returns in the loop": clip_returns_in_the_loop,
        "norm of the first": clip_norm_of_the_first,
        "norm of the last": clip_norm_of_the_last,
        "returns nothing if short": clip_nothing_returned_below,
    },
    "09.dropout": {
        "not scaled": dropout_not_scaled,
        "scaled down": dropout_scaled_down,
        "divided by rate": dropout_divided_by_rate,
        "times rate": dropout_times_rate,
        "leaves out the others": dropout_the_others,
        "rate is what is kept": dropout_rate_is_kept,
        "below 1 - rate": dropout_above_one_minus_rate_wrong,
        "changes x": dropout_in_place,
        "changes x and returns it": dropout_in_place_twice,
        "scaled by the share left": dropout_by_the_share_left,
        "keeps this very mean": dropout_keeps_the_mean_exactly,
        "x below rate": dropout_of_x,
        "draws itself": dropout_draws_itself,
        "times 2": dropout_half_hard_coded,
        "below 0.5": dropout_threshold_hard_coded,
        "removes": dropout_removes,
        "/ 1 - rate": dropout_brackets,
        "rows with a low mean": dropout_rows_only,
        "rows by their first draw": dropout_whole_rows,
        "integers": dropout_integers,
        "if of an array": dropout_if_on_an_array,
        "root of the scale": dropout_root_of_the_scale,
        "times the draws": dropout_times_draws,
        "times 1 + rate": dropout_one_plus_rate,
        "NaN for 0": dropout_nan,
        "flat": dropout_flat,
    },
    "09.adam_step": {
        "not corrected": adam_uncorrected,
        "corrected ones returned": adam_corrected_returned,
        "memories swapped": adam_memories_swapped,
        "old and new swapped": adam_old_and_new_swapped,
        "step - 1": adam_step_from_zero,
        "step + 1": adam_step_plus_one,
        "memory * step": adam_memory_times_step,
        "step forgotten": adam_corrected_as_if_first,
        "1e-8 in the root": adam_epsilon_in_the_root,
        "no 1e-8": adam_no_epsilon,
        "no root": adam_no_root,
        "gradient not squared": adam_gradient_not_squared,
        "square of the mean": adam_square_of_the_mean,
        "uphill": adam_uphill,
        "no learning rate": adam_no_learning_rate,
        "learning rate of the paper": adam_learning_rate_of_the_paper,
        "weights last": adam_weights_last,
        "square before mean": adam_square_before_mean,
        "in place": adam_in_place,
        "memory 0.99": adam_memory_of_square_too_short,
        "0.01 for 0.001": adam_share_of_new_off,
        "gradient at full weight": adam_gradient_at_full_weight,
        "only the mean corrected": adam_only_mean_corrected,
        "moves before it updates": adam_old_mean_used,
        "1e-8 beside the uncorrected root": adam_paper_end_of_section_two,
        "math.sqrt": adam_math_sqrt,
        "brackets missing": adam_brackets,
        "weights only": adam_weights_only,
        "sum of squares": adam_square_of_the_sum,
    },
    "09.early_stopping": {
        "as low counts as lower": stopping_equal_is_better,
        "one look late": stopping_one_look_late,
        "one look early": stopping_one_look_early,
        "counter never reset": stopping_wait_never_reset,
        "compares with the look before": stopping_compares_with_the_last,
        "best of all losses": stopping_best_of_all,
        "around the best of all": stopping_around_the_overall_best,
        "past the end": stopping_past_the_end,
        "the loss itself": stopping_loss_not_look,
        "counts from 1": stopping_from_one,
        "wrong order": stopping_wrong_order,
        "nothing returned at the end": stopping_no_answer_at_the_end,
        "T for T - 1": stopping_number_of_looks,
        "best starts at 0": stopping_starts_at_zero,
        "first look counted as a bad one": stopping_else_of_the_loop,
        "returns in the loop": stopping_returns_in_the_loop,
        "goes on": stopping_does_not_break,
        "compares with the first": stopping_best_loss_not_updated,
        "never ends": stopping_index_error,
        "no look for a single loss": stopping_t_undefined,
        "last look left out": stopping_last_look_left_out,
        "rises in a row": stopping_rises_in_a_row,
        "stop - patience": stopping_best_before_stop_shifted,
        "highest": stopping_highest,
    },
}
RIGHT = {
    "09.clip_by_norm": {
        "loops": right_clip_loop,
        "one flat array": right_clip_flat,
        "as in TensorFlow, a tuple": right_clip_like_tensorflow,
        "as in PyTorch": right_clip_like_pytorch,
        "nested lists": right_clip_nested_lists,
        "flat, then split": right_clip_split_again,
        "copies first": right_clip_copies_first,
        "no guard needed": right_clip_no_guard,
    },
    "09.dropout": {
        "a mask": right_dropout_mask,
        "loops": right_dropout_loops,
        "nested lists": right_dropout_lists,
        "a copy": right_dropout_copy,
        "a masked array": right_dropout_masked_array,
        "a data frame": right_dropout_frame,
        "floor": right_dropout_floor,
        "np.vectorize": right_dropout_vectorize,
    },
    "09.adam_step": {
        "as in the paper": right_adam_paper,
        "a loop, lists": right_adam_loop,
        "one array": right_adam_stack,
        "corrects the rate": right_adam_epsilon_scaled,
        "a helper": right_adam_helper,
        "indices": right_adam_indices,
        "copies": right_adam_copies,
    },
    "09.early_stopping": {
        "a loop": right_stopping_loop,
        "distance from the best": right_stopping_tuple,
        "while, an array": right_stopping_while,
        "vectorised": right_stopping_vectorised,
        "argmin again and again": right_stopping_argmin,
        "recursion, floats": right_stopping_recursive,
        "accumulate": right_stopping_accumulate,
        "a series": right_stopping_series,
    },
}
