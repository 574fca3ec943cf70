"""Answers to the exercises of gan, as learners write them."""

import math

import numpy as np
import pandas as pd
from scipy import linalg, special
from scipy.spatial import KDTree, distance

# --------------------------------------------------------------------------------- 04.discriminator_loss


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def d_loss_formula_as_it_stands(real, fake):
    return np.mean(-np.log(sigmoid(real)) - np.log(1 - sigmoid(fake)))


def d_loss_clipped(real, fake):
    eps = 1e-7
    d_real = np.clip(sigmoid(real), eps, 1 - eps)
    d_fake = np.clip(sigmoid(fake), eps, 1 - eps)
    return float(np.mean(-np.log(d_real) - np.log(1 - d_fake)))


def d_loss_epsilon_in_the_log(real, fake):
    d_real = 1 / (1 + np.exp(-real))
    d_fake = 1 / (1 + np.exp(-fake))
    return -(np.log(d_real + 1e-8) + np.log(1 - d_fake + 1e-8)).mean()


def d_loss_only_real(real, fake):
    return np.logaddexp(0, -real).mean()


def d_loss_only_fake(real, fake):
    loss_fake = np.logaddexp(0, fake)
    return np.mean(loss_fake)


def d_loss_roles_swapped(real, fake):
    return np.mean(np.logaddexp(0, real) + np.logaddexp(0, -fake))


def d_loss_fake_as_real(real, fake):
    # both should look real
    return np.mean(np.logaddexp(0, -real)) + np.mean(np.logaddexp(0, -fake))


def d_loss_not_negated(real, fake):
    log_d = -np.logaddexp(0, -real)
    log_not_d = -np.logaddexp(0, fake)
    return (log_d + log_not_d).mean()


def d_loss_sum(real, fake):
    total = 0.0
    for r, f in zip(real, fake):
        total += np.logaddexp(0, -r) + np.logaddexp(0, f)
    return total


def d_loss_mean_over_all_logits(real, fake):
    logits = np.concatenate([-real, fake])
    return np.logaddexp(0, logits).mean()


def d_loss_logits_taken_for_probabilities(real, fake):
    return -np.mean(np.log(real) + np.log(1 - fake))


def d_loss_softplus_overflows(real, fake):
    def softplus(x):
        return np.log(1 + np.exp(x))

    return softplus(-real).mean() + softplus(fake).mean()


def d_loss_one_for_each_pair(real, fake):
    return np.logaddexp(0, -real) + np.logaddexp(0, fake)


def d_loss_stable_form_without_abs(real, fake):
    def bce(x, label):
        return np.maximum(x, 0) - x * label + np.log1p(np.exp(-x))

    return (bce(real, 1) + bce(fake, 0)).mean()


def d_loss_math_log_of_zero(real, fake):
    total = 0
    for i in range(len(real)):
        d_real = 1 / (1 + math.exp(-real[i]))
        d_fake = 1 / (1 + math.exp(-fake[i]))
        total -= math.log(d_real) + math.log(1 - d_fake)
    return total / len(real)


def d_loss_hinge(real, fake):
    return (np.maximum(0, 1 - real) + np.maximum(0, 1 + fake)).mean()


def d_loss_critic(real, fake):
    return np.mean(fake) - np.mean(real)


def d_loss_base_two(real, fake):
    return (np.logaddexp2(0, -real) + np.logaddexp2(0, fake)).mean()


def d_loss_two_results(real, fake):
    loss_real = np.logaddexp(0, -real).mean()
    loss_fake = np.logaddexp(0, fake).mean()
    return loss_real, loss_fake


def d_loss_smoothed_labels(real, fake):
    part_real = 0.9 * np.logaddexp(0, -real) + 0.1 * np.logaddexp(0, real)
    part_fake = np.logaddexp(0, fake)
    return np.mean(part_real + part_fake)


def d_loss_relativistic(real, fake):
    return np.logaddexp(0, -(real - fake)).mean()


def d_loss_returns_in_the_loop(real, fake):
    losses = []
    for r, f in zip(real, fake):
        losses.append(np.logaddexp(0, -r) + np.logaddexp(0, f))
        return sum(losses) / len(losses)


def d_loss_bracket_missing(real, fake):
    d_real = special.expit(real)
    d_fake = special.expit(fake)
    return np.mean(-np.log(d_real) - np.log(1) - d_fake)


def d_loss_log_of_the_mean(real, fake):
    d_real = special.expit(real.astype(float)).mean()
    d_fake = special.expit(-fake.astype(float)).mean()
    return -np.log(d_real) - np.log(d_fake)


def d_loss_with_logaddexp(real, fake):
    return np.mean(np.logaddexp(0, -real) + np.logaddexp(0, fake))


def d_loss_loop_with_two_branches(real, fake):
    def minus_log_sigmoid(x):
        if x >= 0:
            return math.log1p(math.exp(-x))
        return -x + math.log1p(math.exp(x))

    total = 0
    for r, f in zip(real, fake):
        total += minus_log_sigmoid(float(r)) + minus_log_sigmoid(-float(f))
    return total / len(real)


def d_loss_stable_form(real, fake):
    def bce_with_logits(x, y):
        return np.maximum(x, 0) - x * y + np.log1p(np.exp(-np.abs(x)))

    labels_real, labels_fake = np.ones_like(real), np.zeros_like(fake)
    return bce_with_logits(real, labels_real).mean() + bce_with_logits(fake, labels_fake).mean()


def d_loss_scipy(real, fake):
    return float(-special.log_expit(real).mean() - special.log_expit(-fake).mean())


def d_loss_doubles(real, fake):
    # 1 - D(x) = D(-x)
    real, fake = np.asarray(real, dtype=np.float64), np.asarray(fake, dtype=np.float64)
    return -(np.log(sigmoid(real)) + np.log(sigmoid(-fake))).mean()


def d_loss_all_at_once_times_two(real, fake):
    signed = np.concatenate([real, -fake]).astype(float)
    return 2 * np.mean(np.where(signed > 0, 0, -signed) + np.log1p(np.exp(-abs(signed))))


def d_loss_comprehension(real, fake):
    pairs = [np.logaddexp(0, -r) + np.logaddexp(0, f) for r, f in zip(real.tolist(), fake.tolist())]
    return sum(pairs) / len(pairs)


# ------------------------------------------------------------------------------------ 04.generator_loss


def g_loss_saturates(real, fake):
    return np.mean(-np.logaddexp(0, fake))


def g_loss_formula_as_it_stands(real, fake):
    d = 1 / (1 + np.exp(-fake))
    return -np.log(d).mean()


def g_loss_clipped(real, fake):
    d = np.clip(sigmoid(fake), 1e-7, 1)
    return np.mean(-np.log(d))


def g_loss_epsilon(real, fake):
    return -np.mean(np.log(sigmoid(fake) + 1e-8))


def g_loss_sum(real, fake):
    return np.sum(np.logaddexp(0, -fake))


def g_loss_of_real(real, fake):
    return np.logaddexp(0, -real).mean()


def g_loss_not_negated(real, fake):
    return special.log_expit(fake).mean()


def g_loss_of_one_minus_d(real, fake):
    return np.logaddexp(0, fake).mean()


def g_loss_hinge(real, fake):
    return -fake.mean()


def g_loss_relativistic(real, fake):
    return np.logaddexp(0, real - fake).mean()


def g_loss_one_for_each(real, fake):
    return [np.logaddexp(0, -f) for f in fake]


def g_loss_log_of_the_mean(real, fake):
    return -np.log(np.mean(special.expit(fake)))


def g_loss_mean_logit(real, fake):
    x = float(fake.mean())
    return math.log(1 + math.exp(-x))


def g_loss_log_of_logits(real, fake):
    return np.mean(-np.log(fake))


def g_loss_softplus_overflows(real, fake):
    return np.mean(np.log(1 + np.exp(-fake)))


def g_loss_both_batches(real, fake):
    logits = np.concatenate((real, fake))
    return np.logaddexp(0, -logits).mean()


def g_loss_least_squares(real, fake):
    return 0.5 * ((special.expit(fake) - 1) ** 2).mean()


def g_loss_returns_in_the_loop(real, fake):
    total = 0
    for logit in fake:
        total += np.logaddexp(0, -logit)
        return total / len(fake)


def g_loss_softmax_of_the_batch(real, fake):
    return -np.mean(np.log(special.softmax(fake.astype(float))))


def g_loss_big_logits_left_out(real, fake):
    total = 0.0
    for x in fake:
        if abs(x) < 50:  # otherwise exp overflows
            total += np.log(1 + np.exp(-x))
    return total / len(fake)


def g_loss_wrong_stable_branch(real, fake):
    return np.where(fake > 0, np.log1p(np.exp(-fake)), np.log1p(np.exp(fake))).mean()


def g_loss_base_ten(real, fake):
    return -np.mean(special.log_expit(fake)) / np.log(10)


def g_loss_of_discriminator(real, fake):
    return np.mean(np.logaddexp(0, -real) + np.logaddexp(0, fake))


def g_loss_with_logaddexp(real, fake):
    return np.logaddexp(0, -fake).mean()


def g_loss_python_floats(real, fake):
    total = 0
    for i in range(len(fake)):
        d = 1 / (1 + math.exp(-float(fake[i])))
        total = total - math.log(d)
    return total / len(fake)


def g_loss_scipy(real, fake):
    return np.float64(-special.log_expit(np.float64(fake)).mean())


def g_loss_stable_form(real, fake):
    return (np.maximum(-fake, 0) + np.log1p(np.exp(-np.abs(fake)))).mean()


def g_loss_helper(real, fake):
    def softplus(x):
        return x if x > 30 else math.log(1 + math.exp(x))

    return sum(softplus(-f) for f in fake.tolist()) / len(fake)


def g_loss_through_d_loss(real, fake):
    everything = d_loss_with_logaddexp(fake, fake)  # both halves, of the same logits
    return everything - np.logaddexp(0, fake).mean()


def g_loss_pandas(real, fake):
    return pd.Series(fake, dtype=float).map(lambda x: np.logaddexp(0, -x)).mean()


# ----------------------------------------------------------------------------- 04.optimal_discriminator


def best_d_of_fake(p_real, p_fake):
    return p_fake / (p_real + p_fake)


def best_d_ratio(p_real, p_fake):
    return p_real / p_fake


def best_d_decides(p_real, p_fake):
    return (p_real > p_fake).astype(float)


def best_d_value_reached(p_real, p_fake):
    d = p_real / (p_real + p_fake)
    return p_real * np.log(d) + p_fake * np.log(1 - d)


def best_d_share_of_real(p_real, p_fake):
    return p_real / p_real.sum()


def best_d_normalised_first(p_real, p_fake):
    p = p_real / p_real.sum()
    q = p_fake / p_fake.sum()
    return p / (p + q)


def best_d_one_half(p_real, p_fake):
    return np.full(p_real.shape, 0.5)


def best_d_squares(p_real, p_fake):
    return p_real**2 / (p_real**2 + p_fake**2)


def best_d_minus_from_the_derivative(p_real, p_fake):
    # p_real / D = p_fake / (1 - D)
    return p_real / (p_real - p_fake)


def best_d_bracket_missing(p_real, p_fake):
    return p_real / p_real + p_fake


def best_d_logit(p_real, p_fake):
    return np.log(p_real) - np.log(p_fake)


def best_d_sigmoid_of_difference(p_real, p_fake):
    return 1 / (1 + np.exp(-(p_real - p_fake)))


def best_d_ratio_upside_down(p_real, p_fake):
    return 1 / (1 + p_real / p_fake)


def best_d_coarse_grid(p_real, p_fake):
    d = np.linspace(0.01, 0.99, 99)
    value = p_real[..., None] * np.log(d) + p_fake[..., None] * np.log(1 - d)
    return d[value.argmax(axis=-1)]


def best_d_loop_for_one_axis(p_real, p_fake):
    out = np.zeros(p_real.shape)
    for i in range(len(p_real)):
        if p_real[i] + p_fake[i] > 0:
            out[i] = p_real[i] / (p_real[i] + p_fake[i])
    return out


def best_d_in_place(p_real, p_fake):
    p_real /= p_real + p_fake
    return p_real


def best_d_flattened(p_real, p_fake):
    return [a / (a + b) for a, b in zip(p_real.flatten(), p_fake.flatten())]


def best_d_mean_density(p_real, p_fake):
    m = 0.5 * (p_real + p_fake)
    return p_real / m


def best_d_zero_without_fakes(p_real, p_fake):
    return np.where((p_real > 0) & (p_fake > 0), p_real / (p_real + p_fake), 0)


def best_d_total_of_everything(p_real, p_fake):
    return p_real / np.sum(p_real + p_fake)


def best_d_whole_division(p_real, p_fake):
    return p_real // (p_real + p_fake)


def best_d_never_certain(p_real, p_fake):
    return np.clip(p_real / (p_real + p_fake), 0.01, 0.99)


def best_d_one_number(p_real, p_fake):
    return np.mean(p_real) / (np.mean(p_real) + np.mean(p_fake))


def best_d_quotient(p_real, p_fake):
    return p_real / (p_real + p_fake)


def best_d_by_odds(p_real, p_fake):
    with np.errstate(divide="ignore"):
        return 1 / (1 + p_fake / p_real)


def best_d_cell_by_cell(p_real, p_fake):
    d = np.zeros_like(p_real)
    for index in np.ndindex(p_real.shape):
        d[index] = p_real[index] / (p_real[index] + p_fake[index])
    return d


def best_d_nested_lists(p_real, p_fake):
    if np.ndim(p_real) == 0:
        return float(p_real) / (float(p_real) + float(p_fake))
    return [best_d_nested_lists(a, b) for a, b in zip(p_real, p_fake)]


def best_d_guarded(p_real, p_fake):
    total = p_real + p_fake
    return np.where(total == 0, 0.5, p_real / np.where(total == 0, 1, total))


def best_d_sigmoid_of_log_ratio(p_real, p_fake):
    with np.errstate(divide="ignore"):
        return special.expit(np.log(p_real) - np.log(p_fake))


def best_d_by_bisection(p_real, p_fake):
    low, high = np.zeros(p_real.shape), np.ones(p_real.shape)
    for _ in range(50):
        d = (low + high) / 2
        rising = p_real * (1 - d) > p_fake * d  # the slope, times D (1 - D)
        low, high = np.where(rising, d, low), np.where(rising, high, d)
    return d


def best_d_tiny_epsilon(p_real, p_fake):
    return p_real / (p_real + p_fake + 1e-12)


# ------------------------------------------------------------------------------ 04.zero_centred_penalty


def r1_sum_over_batch(gradient):
    return 0.5 * (gradient**2).sum()


def r1_mean_over_pixels(gradient):
    return (gradient**2).mean() / 2


def r1_norm_not_squared(gradient):
    flat = gradient.reshape(len(gradient), -1)
    return np.linalg.norm(flat, axis=1).mean() / 2


def r1_without_half(gradient):
    return np.mean([np.sum(g**2) for g in gradient])


def r1_only_axis_one(gradient):
    return 0.5 * np.mean(np.sum(np.square(gradient), axis=1))


def r1_last_axis(gradient):
    norm = np.linalg.norm(gradient, axis=-1)
    return np.mean(norm**2) / 2


def r1_wgan_gp(gradient):
    norm = np.linalg.norm(gradient.reshape(gradient.shape[0], -1), axis=1)
    return 0.5 * ((norm - 1) ** 2).mean()


def r1_square_of_mean_norm(gradient):
    norms = [np.linalg.norm(g.ravel()) for g in gradient]
    return 0.5 * np.mean(norms) ** 2


def r1_square_of_sum(gradient):
    s = gradient.reshape(len(gradient), -1).sum(axis=1)
    return (s**2).mean() / 2


def r1_over_the_batch_axis(gradient):
    return 0.5 * (gradient**2).sum(axis=0).mean()


def r1_spectral_norm(gradient):
    total = 0.0
    for g in gradient:
        total += np.linalg.norm(g, 2) ** 2
    return total / (2 * len(gradient))


def r1_for_images_only(gradient):
    return (gradient**2).sum(axis=(1, 2)).mean() / 2


def r1_for_colour_images(gradient):
    squared_norm = np.sum(gradient**2, axis=(1, 2, 3))
    return 0.5 * squared_norm.mean()


def r1_returns_in_the_loop(gradient):
    penalty = 0
    for g in gradient:
        penalty += np.sum(g * g)
        return penalty / len(gradient) / 2


def r1_centred_by_the_mean(gradient):
    g = gradient - gradient.mean(axis=0)
    return 0.5 * (g.reshape(len(g), -1) ** 2).sum(axis=1).mean()


def r1_gamma_ten(gradient):
    gamma = 10
    return gamma / 2 * np.mean(np.sum(gradient.reshape(len(gradient), -1) ** 2, axis=1))


def r1_one_for_each_image(gradient):
    return 0.5 * (gradient.reshape(len(gradient), -1) ** 2).sum(axis=1)


def r1_absolute_values(gradient):
    return np.mean(np.abs(gradient).reshape(len(gradient), -1).sum(axis=1)) / 2


def r1_squared_sum_of_absolutes(gradient):
    norm = np.abs(gradient).reshape(len(gradient), -1).sum(axis=1)
    return np.mean(norm**2) / 2


def r1_rows_and_columns_mixed(gradient):
    flat = gradient.reshape(-1, len(gradient))
    return 0.5 * (flat**2).sum(axis=1).mean()


def r1_whole_division(gradient):
    return (gradient**2).sum() / len(gradient) // 2


def r1_batch_size_minus_one(gradient):
    n = gradient.shape[0]
    total = 0
    for i in range(n - 1):
        total += np.sum(gradient[i] ** 2)
    return 0.5 * total / n


def r1_sum_by_size(gradient):
    return 0.5 * np.sum(gradient**2) / gradient.shape[1]


def r1_matrix_product(gradient):
    flat = gradient.reshape(len(gradient), -1)
    return 0.5 * np.mean(flat @ flat.T)


def r1_total_by_batch_size(gradient):
    return (gradient**2).sum() / len(gradient) / 2


def r1_einsum(gradient):
    flat = gradient.reshape(len(gradient), -1)
    return 0.5 * np.einsum("bi,bi->b", flat, flat).mean()


def r1_loop_over_images(gradient):
    total = 0.0
    for g in gradient:
        total += np.linalg.norm(g.ravel()) ** 2
    return total / len(gradient) / 2


def r1_all_axes_but_the_first(gradient):
    axes = tuple(range(1, gradient.ndim))
    return float(np.square(gradient).sum(axis=axes).mean() * 0.5)


def r1_recursive(gradient):
    def squares(x):
        return x * x if np.ndim(x) == 0 else sum(squares(part) for part in x)

    return float(squares(gradient)) / (2 * len(gradient))


def r1_vdot(gradient):
    return np.vdot(gradient, gradient) / (2.0 * gradient.shape[0])


def r1_plain_loop(gradient):
    per_image = []
    for image in gradient:
        s = 0
        for value in image.flatten().tolist():
            s += value**2
        per_image.append(s)
    return 0.5 * sum(per_image) / len(per_image)


def r1_pandas(gradient):
    frame = pd.DataFrame(gradient.reshape(len(gradient), -1), dtype=float)
    return (frame**2).sum(axis=1).mean() / 2


# ---------------------------------------------------------------------------------- 04.frechet_distance


def moments(x):
    return x.mean(axis=0), np.cov(x, rowvar=False)


def fid_without_the_two(real, fake):
    m1, c1 = moments(real)
    m2, c2 = moments(fake)
    root = np.sqrt(np.linalg.eigvals(c1 @ c2).real).sum()
    return ((m1 - m2) ** 2).sum() + np.trace(c1) + np.trace(c2) - root


def fid_product_of_entries(real, fake):
    m1, c1 = moments(real)
    m2, c2 = moments(fake)
    return np.sum((m1 - m2) ** 2) + np.trace(c1 + c2 - 2 * np.sqrt(c1 * c2))


def fid_root_of_entries(real, fake):
    mu1, sigma1 = moments(real)
    mu2, sigma2 = moments(fake)
    covmean = np.sqrt(sigma1 @ sigma2)
    return (mu1 - mu2) @ (mu1 - mu2) + np.trace(sigma1 + sigma2 - 2 * covmean)


def fid_rows_as_variables(real, fake):
    d = real.mean(axis=0) - fake.mean(axis=0)
    c1, c2 = np.cov(real), np.cov(fake)
    values = np.linalg.eigvals(c1 @ c2).real
    return d @ d + np.trace(c1 + c2) - 2 * np.sqrt(np.maximum(values, 0)).sum()


def fid_one_mean(real, fake):
    diff = real.mean() - fake.mean()
    c1, c2 = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    return diff**2 + np.trace(c1 + c2) - 2 * np.sqrt(np.linalg.eigvals(c1 @ c2).real).sum()


def fid_norm_not_squared(real, fake):
    m1, c1 = moments(real)
    m2, c2 = moments(fake)
    return np.linalg.norm(m1 - m2) + np.trace(c1 + c2 - 2 * linalg.sqrtm(c1 @ c2)).real


def fid_divided_by_n(real, fake):
    m1, m2 = real.mean(axis=0), fake.mean(axis=0)
    c1 = (real - m1).T @ (real - m1) / len(real)
    c2 = (fake - m2).T @ (fake - m2) / len(fake)
    return np.sum((m1 - m2) ** 2) + np.trace(c1 + c2) - 2 * np.sqrt(np.linalg.eigvals(c1 @ c2).real).sum()


def fid_variances_only(real, fake):
    m1, m2 = real.mean(axis=0), fake.mean(axis=0)
    v1, v2 = real.var(axis=0, ddof=1), fake.var(axis=0, ddof=1)
    return np.sum((m1 - m2) ** 2 + v1 + v2 - 2 * np.sqrt(v1 * v2))


def fid_eigenvalues_as_if_symmetric(real, fake):
    m1, c1 = moments(real)
    m2, c2 = moments(fake)
    values = np.linalg.eigvalsh(c1 @ c2)
    return np.sum((m1 - m2) ** 2) + np.trace(c1 + c2) - 2 * np.sqrt(np.maximum(values, 0)).sum()


def fid_root_of_the_trace(real, fake):
    m1, c1 = moments(real)
    m2, c2 = moments(fake)
    return np.sum((m1 - m2) ** 2) + np.trace(c1) + np.trace(c2) - 2 * np.sqrt(np.trace(c1 @ c2))


def fid_plus_for_minus(real, fake):
    m1, c1 = moments(real)
    m2, c2 = moments(fake)
    eig = np.linalg.eigvals(c1.dot(c2)).real
    return np.sum((m1 - m2) ** 2) + np.trace(c1 + c2) + 2 * np.sum(np.sqrt(eig))


def fid_differences_summed_first(real, fake):
    m1, c1 = moments(real)
    m2, c2 = moments(fake)
    return np.sum(m1 - m2) ** 2 + np.trace(c1 + c2 - 2 * linalg.sqrtm(c1 @ c2)).real


def fid_root_at_the_end(real, fake):
    m1, c1 = moments(real)
    m2, c2 = moments(fake)
    d2 = np.sum((m1 - m2) ** 2) + np.trace(c1 + c2 - 2 * linalg.sqrtm(c1 @ c2)).real
    return np.sqrt(d2)


def fid_product_of_roots(real, fake):
    m1, c1 = moments(real)
    m2, c2 = moments(fake)
    cross = linalg.sqrtm(c1) @ linalg.sqrtm(c2)
    return np.sum((m1 - m2) ** 2) + np.trace(c1 + c2 - 2 * cross)


def fid_cholesky_for_root(real, fake):
    m1, c1 = moments(real)
    m2, c2 = moments(fake)
    root = np.linalg.cholesky(c1 @ c2)
    return np.sum((m1 - m2) ** 2) + np.trace(c1 + c2 - 2 * root)


def fid_mean_of_squares(real, fake):
    m1, c1 = moments(real)
    m2, c2 = moments(fake)
    values = np.linalg.eigvals(c1 @ c2).real
    return np.mean((m1 - m2) ** 2) + np.trace(c1 + c2) - 2 * np.sqrt(values).sum()


def fid_eigenvalues_without_root(real, fake):
    m1, c1 = moments(real)
    m2, c2 = moments(fake)
    values = np.linalg.eigvals(c1 @ c2).real
    return np.sum((m1 - m2) ** 2) + np.trace(c1 + c2) - 2 * values.sum()


def fid_root_of_the_sum(real, fake):
    m1, c1 = moments(real)
    m2, c2 = moments(fake)
    values = np.linalg.eigvals(c1 @ c2).real
    return np.sum((m1 - m2) ** 2) + np.trace(c1 + c2) - 2 * math.sqrt(sum(values))


def fid_singular_values(real, fake):
    m1, c1 = moments(real)
    m2, c2 = moments(fake)
    s = np.linalg.svd(c1 @ c2, compute_uv=False)
    return np.sum((m1 - m2) ** 2) + np.trace(c1 + c2) - 2 * np.sqrt(s).sum()


def fid_correlations(real, fake):
    diff = real.mean(axis=0) - fake.mean(axis=0)
    c1, c2 = np.corrcoef(real, rowvar=False), np.corrcoef(fake, rowvar=False)
    return diff @ diff + np.trace(c1 + c2 - 2 * linalg.sqrtm(c1 @ c2)).real


def fid_not_centred(real, fake):
    diff = real.mean(axis=0) - fake.mean(axis=0)
    c1, c2 = real.T @ real / (len(real) - 1), fake.T @ fake / (len(fake) - 1)
    return diff @ diff + np.trace(c1 + c2 - 2 * linalg.sqrtm(c1 @ c2)).real


def fid_means_only(real, fake):
    return ((real.mean(0) - fake.mean(0)) ** 2).sum()


def fid_sum_of_the_whole_matrix(real, fake):
    m1, c1 = moments(real)
    m2, c2 = moments(fake)
    return np.sum((m1 - m2) ** 2) + np.sum(c1 + c2 - 2 * linalg.sqrtm(c1 @ c2)).real


def fid_mean_of_each_row(real, fake):
    m1, m2 = real.mean(axis=1), fake.mean(axis=1)
    c1, c2 = np.cov(real.T), np.cov(fake.T)
    eig = np.linalg.eigvals(c1 @ c2)
    return ((m1 - m2) ** 2).sum() + np.trace(c1 + c2) - 2 * np.sqrt(eig.real).sum()


def fid_pairs_of_points(real, fake):
    diff = real - fake
    c1, c2 = np.cov(real.T), np.cov(fake.T)
    eig = np.linalg.eigvals(c1 @ c2).real
    return (diff**2).sum(axis=1).mean() + np.trace(c1 + c2) - 2 * np.sqrt(eig).sum()


def fid_by_eigenvalues(real, fake):
    m1, c1 = moments(real)
    m2, c2 = moments(fake)
    roots = np.sqrt(np.clip(np.linalg.eigvals(c1 @ c2).real, 0, None))
    return np.sum((m1 - m2) ** 2) + np.trace(c1) + np.trace(c2) - 2 * roots.sum()


def fid_by_sqrtm(real, fake):
    mu1, sigma1 = moments(real)
    mu2, sigma2 = moments(fake)
    covmean = linalg.sqrtm(sigma1.dot(sigma2))
    if np.iscomplexobj(covmean):
        covmean = covmean.real
    return float((mu1 - mu2).dot(mu1 - mu2) + np.trace(sigma1) + np.trace(sigma2) - 2 * np.trace(covmean))


def fid_by_symmetric_root(real, fake):
    m1, c1 = moments(real)
    m2, c2 = moments(fake)
    values, vectors = np.linalg.eigh(c1)
    root = vectors @ np.diag(np.sqrt(values)) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ c2 @ root)).sum()
    return np.linalg.norm(m1 - m2) ** 2 + np.trace(c1 + c2) - 2 * cross


def fid_by_nuclear_norm(real, fake):
    m1, c1 = moments(real)
    m2, c2 = moments(fake)
    cross = np.linalg.norm(np.linalg.cholesky(c1).T @ np.linalg.cholesky(c2), "nuc")
    return (m1 - m2) @ (m1 - m2) + np.trace(c1 + c2) - 2 * cross


def fid_covariance_by_hand(real, fake):
    def fit(x):
        n = len(x)
        mean = sum(x) / n
        cov = sum(np.outer(row - mean, row - mean) for row in x) / (n - 1)
        return mean, cov

    (m1, c1), (m2, c2) = fit(real), fit(fake)
    total = 0.0
    for a, b in zip(m1, m2):
        total += (a - b) ** 2
    for i in range(len(c1)):
        total += c1[i, i] + c2[i, i]
    for value in np.linalg.eigvals(c1 @ c2):
        total -= 2 * abs(value) ** 0.5
    return total


def fid_pandas(real, fake):
    one, two = pd.DataFrame(real), pd.DataFrame(fake)
    c = one.cov().to_numpy(), two.cov().to_numpy()
    d = (one.mean() - two.mean()).to_numpy()
    return d @ d + np.trace(c[0] + c[1]) - 2 * np.sqrt(np.linalg.eigvals(c[0] @ c[1])).sum().real


# ------------------------------------------------------------------------------------------ 04.coverage


def distances(a, b):
    return np.sqrt(((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2))


def cover_itself_as_neighbour(real, fake, k):
    radius = np.sort(distances(real, real), axis=1)[:, k - 1]
    return np.mean(distances(real, fake).min(axis=1) < radius)


def cover_itself_as_neighbour_closed(real, fake, k):
    radii = np.partition(distances(real, real), k - 1, axis=1)[:, k - 1]
    covered = (distances(real, fake) <= radii[:, None]).any(axis=1)
    return covered.mean()


def cover_precision(real, fake, k):
    radius = np.sort(distances(real, real), axis=1)[:, k]
    inside = distances(fake, real) <= radius[None, :]
    return inside.any(axis=1).mean()


def cover_nearest_real_of_each_fake(real, fake, k):
    radius = np.sort(distances(real, real), axis=1)[:, k]
    nearest = distances(real, fake).min(axis=0)
    return (nearest <= radius).mean()


def cover_one_neighbour_too_far(real, fake, k):
    d = distances(real, real)
    np.fill_diagonal(d, np.inf)
    radius = np.sort(d, axis=1)[:, k]
    return (distances(real, fake).min(axis=1) <= radius).mean()


def cover_radius_among_fakes(real, fake, k):
    d = distances(real, fake)
    radius = np.sort(d, axis=1)[:, k - 1]
    return np.mean(d.min(axis=1) < radius)


def cover_recall(real, fake, k):
    radius = np.sort(distances(fake, fake), axis=1)[:, k]
    return (distances(real, fake) <= radius).any(axis=1).mean()


def cover_count(real, fake, k):
    radius = np.sort(distances(real, real), axis=1)[:, k]
    return int(np.sum(distances(real, fake).min(axis=1) <= radius))


def cover_squares_mixed_with_roots(real, fake, k):
    radius = np.sort(distances(real, real), axis=1)[:, k]
    squared = ((real[:, None] - fake[None]) ** 2).sum(axis=-1)
    return (squared.min(axis=1) <= radius).mean()


def cover_density(real, fake, k):
    radius = np.sort(distances(real, real), axis=1)[:, k]
    inside = distances(real, fake) <= radius[:, None]
    return inside.sum() / (k * len(fake))


def cover_manhattan(real, fake, k):
    between = np.abs(real[:, None] - real[None]).sum(axis=2)
    across = np.abs(real[:, None] - fake[None]).sum(axis=2)
    return (across.min(axis=1) <= np.sort(between, axis=1)[:, k]).mean()


def cover_mean_of_k_neighbours(real, fake, k):
    radius = np.sort(distances(real, real), axis=1)[:, 1:k + 1].mean(axis=1)
    return np.mean(distances(real, fake).min(axis=1) <= radius)


def cover_index_for_distance(real, fake, k):
    radius = np.argsort(distances(real, real), axis=1)[:, k]
    return np.mean(distances(real, fake).min(axis=1) <= radius)


def cover_always_one_neighbour(real, fake, k):
    d = distances(real, real)
    np.fill_diagonal(d, np.inf)
    return np.mean(distances(real, fake).min(axis=1) < d.min(axis=1))


def cover_one_radius_for_all(real, fake, k):
    radius = np.sort(distances(real, real), axis=1)[:, k].mean()
    return np.mean(distances(real, fake).min(axis=1) <= radius)


def cover_share_of_fakes(real, fake, k):
    count = 0
    for i in range(len(real)):
        radius = sorted(np.linalg.norm(real - real[i], axis=1))[k]
        if np.any(np.linalg.norm(fake - real[i], axis=1) <= radius):
            count += 1
    return count / len(fake)


def cover_without_new_axis(real, fake, k):
    radius = np.sort(distances(real, real), axis=1)[:, k]
    d = np.linalg.norm(real - fake, axis=1)
    return np.mean(d <= radius)


def cover_norm_over_wrong_axis(real, fake, k):
    among = np.linalg.norm(real[:, None] - real[None], axis=1)
    across = np.linalg.norm(real[:, None] - fake[None], axis=1)
    radius = np.sort(among, axis=1)[:, k]
    return np.mean(across.min(axis=1) <= radius)


def cover_percent(real, fake, k):
    radius = np.sort(distances(real, real), axis=1)[:, k]
    return 100 * np.mean(distances(real, fake).min(axis=1) <= radius)


def cover_kth_from_the_far_end(real, fake, k):
    radius = np.sort(distances(real, real), axis=1)[:, -k]
    return np.mean(distances(real, fake).min(axis=1) <= radius)


def cover_all_must_lie_inside(real, fake, k):
    radius = np.sort(distances(real, real), axis=1)[:, k]
    return np.mean((distances(real, fake) <= radius[:, None]).all(axis=1))


def cover_neighbours_of_both_kinds(real, fake, k):
    points = np.concatenate([real, fake])
    radius = np.sort(distances(real, points), axis=1)[:, k]
    return np.mean(distances(real, fake).min(axis=1) < radius)


def cover_columns_sorted_as_rows(real, fake, k):
    d = np.sort(distances(real, real))
    radius = d[k]
    return np.mean(distances(real, fake).min(axis=1) <= radius)


def cover_returns_in_the_loop(real, fake, k):
    covered = 0
    for x in real:
        radius = np.sort(np.linalg.norm(real - x, axis=1))[k]
        for y in fake:
            if np.linalg.norm(x - y) <= radius:
                covered += 1
                break
        return covered / len(real)


def cover_counts_every_fake(real, fake, k):
    covered = 0
    for x in real:
        radius = np.sort(np.linalg.norm(real - x, axis=1))[k]
        for y in fake:
            if np.linalg.norm(x - y) < radius:
                covered += 1
    return covered / len(real)


def cover_broadcast(real, fake, k):
    radius = np.sort(distances(real, real), axis=1)[:, k]
    return (distances(real, fake) < radius[:, None]).any(axis=1).mean()


def cover_plain_loops(real, fake, k):
    found = 0
    for i, x in enumerate(real):
        others = []
        for j, y in enumerate(real):
            if i != j:
                others.append(math.dist(x, y))
        others.sort()
        radius = others[k - 1]
        for z in fake:
            if math.dist(x, z) <= radius:
                found += 1
                break
    return found / len(real)


def cover_scipy_cdist(real, fake, k):
    among = distance.cdist(real, real)
    np.fill_diagonal(among, np.inf)
    radius = np.partition(among, k - 1, axis=1)[:, k - 1]
    return np.float64((distance.cdist(real, fake).min(axis=1) <= radius).mean())


def cover_trees(real, fake, k):
    radius = KDTree(real).query(real, k=[k + 1])[0][:, 0]
    nearest, _ = KDTree(fake).query(real)
    return float(np.mean(nearest <= radius))


def cover_squared_distances(real, fake, k):
    def squared(a, b):
        return (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T

    among = squared(real, real)
    np.fill_diagonal(among, 0)
    return np.mean(squared(real, fake).min(1) < np.sort(among, 1)[:, k])


def cover_rank_of_the_nearest_fake(real, fake, k):
    # covered if fewer than k other real points are nearer than the nearest generated one
    covered = []
    for x in real:
        nearest = np.linalg.norm(fake - x, axis=1).min()
        nearer = (np.linalg.norm(real - x, axis=1) < nearest).sum() - 1
        covered.append(nearer < k)
    return np.mean(covered)


def cover_comprehension(real, fake, k):
    radii = [sorted(np.linalg.norm(real - x, axis=1))[k] for x in real]
    hits = [min(np.linalg.norm(fake - x, axis=1)) <= r for x, r in zip(real, radii)]
    return hits.count(True) / len(hits)


WRONG = {
    "04.discriminator_loss": {
        "the formula as it stands overflows": d_loss_formula_as_it_stands,
        "probabilities clipped": d_loss_clipped,
        "an epsilon inside the log": d_loss_epsilon_in_the_log,
        "only the real part": d_loss_only_real,
        "only the generated part": d_loss_only_fake,
        "real and generated swapped": d_loss_roles_swapped,
        "generated images labelled real": d_loss_fake_as_real,
        "sign": d_loss_not_negated,
        "sum for mean": d_loss_sum,
        "mean over 2B logits, so half of it": d_loss_mean_over_all_logits,
        "logits taken for probabilities": d_loss_logits_taken_for_probabilities,
        "log(1 + exp(x)) overflows": d_loss_softplus_overflows,
        "no mean": d_loss_one_for_each_pair,
        "the stable form without the absolute value": d_loss_stable_form_without_abs,
        "math.log of 0": d_loss_math_log_of_zero,
        "hinge": d_loss_hinge,
        "Wasserstein": d_loss_critic,
        "base 2": d_loss_base_two,
        "two numbers, not their sum": d_loss_two_results,
        "smoothed labels": d_loss_smoothed_labels,
        "relativistic": d_loss_relativistic,
        "returns inside the loop": d_loss_returns_in_the_loop,
        "a missing bracket: log(1) - D": d_loss_bracket_missing,
        "log of the mean": d_loss_log_of_the_mean,
    },
    "04.generator_loss": {
        "the loss that saturates": g_loss_saturates,
        "the formula as it stands overflows": g_loss_formula_as_it_stands,
        "probabilities clipped": g_loss_clipped,
        "an epsilon inside the log": g_loss_epsilon,
        "sum for mean": g_loss_sum,
        "of the real logits": g_loss_of_real,
        "sign": g_loss_not_negated,
        "-log(1 - D)": g_loss_of_one_minus_d,
        "hinge": g_loss_hinge,
        "relativistic": g_loss_relativistic,
        "no mean": g_loss_one_for_each,
        "log of the mean probability": g_loss_log_of_the_mean,
        "loss of the mean logit": g_loss_mean_logit,
        "logits taken for probabilities": g_loss_log_of_logits,
        "log(1 + exp(-x)) overflows": g_loss_softplus_overflows,
        "over both batches": g_loss_both_batches,
        "least squares": g_loss_least_squares,
        "returns inside the loop": g_loss_returns_in_the_loop,
        "softmax over the batch": g_loss_softmax_of_the_batch,
        "large logits skipped": g_loss_big_logits_left_out,
        "the branch for negative logits lacks -x": g_loss_wrong_stable_branch,
        "base 10": g_loss_base_ten,
        "the discriminator's loss": g_loss_of_discriminator,
    },
    "04.optimal_discriminator": {
        "probability of generated": best_d_of_fake,
        "ratio of the densities": best_d_ratio,
        "a decision, 0 or 1": best_d_decides,
        "the value reached, not D": best_d_value_reached,
        "real density made to sum to 1": best_d_share_of_real,
        "densities normalised first": best_d_normalised_first,
        "one half everywhere": best_d_one_half,
        "squares": best_d_squares,
        "minus for plus": best_d_minus_from_the_derivative,
        "a missing bracket": best_d_bracket_missing,
        "the logit, not the probability": best_d_logit,
        "sigmoid of the difference": best_d_sigmoid_of_difference,
        "the odds upside down": best_d_ratio_upside_down,
        "a coarse grid": best_d_coarse_grid,
        "a loop that takes one axis only": best_d_loop_for_one_axis,
        "changes p_real in place": best_d_in_place,
        "flattened": best_d_flattened,
        "by the mean density": best_d_mean_density,
        "0 where nothing is generated": best_d_zero_without_fakes,
        "by the total of all": best_d_total_of_everything,
        "integer division": best_d_whole_division,
        "clipped to 0.01 and 0.99": best_d_never_certain,
        "one number of the means": best_d_one_number,
    },
    "04.zero_centred_penalty": {
        "sum over the batch": r1_sum_over_batch,
        "mean over all entries": r1_mean_over_pixels,
        "norm not squared": r1_norm_not_squared,
        "no half": r1_without_half,
        "summed over axis 1 only": r1_only_axis_one,
        "norm over the last axis only": r1_last_axis,
        "norm minus one, as in WGAN-GP": r1_wgan_gp,
        "square of the mean norm": r1_square_of_mean_norm,
        "square of the sum": r1_square_of_sum,
        "summed over the batch axis": r1_over_the_batch_axis,
        "spectral norm of a matrix": r1_spectral_norm,
        "axes (1, 2) fixed": r1_for_images_only,
        "axes (1, 2, 3) fixed": r1_for_colour_images,
        "returns inside the loop": r1_returns_in_the_loop,
        "gradients centred by their mean": r1_centred_by_the_mean,
        "a weight of 10": r1_gamma_ten,
        "one for each image": r1_one_for_each_image,
        "absolute values for squares": r1_absolute_values,
        "square of the 1-norm": r1_squared_sum_of_absolutes,
        "reshape(-1, B)": r1_rows_and_columns_mixed,
        "integer division": r1_whole_division,
        "the last image left out": r1_batch_size_minus_one,
        "divided by shape[1]": r1_sum_by_size,
        "mean of the Gram matrix": r1_matrix_product,
    },
    "04.frechet_distance": {
        "the factor 2 forgotten": fid_without_the_two,
        "C1 * C2, entry by entry": fid_product_of_entries,
        "root of each entry": fid_root_of_entries,
        "np.cov with rows as variables": fid_rows_as_variables,
        "one mean of all": fid_one_mean,
        "norm not squared": fid_norm_not_squared,
        "covariance divided by N": fid_divided_by_n,
        "variances only": fid_variances_only,
        "eigvalsh of a matrix that is not symmetric": fid_eigenvalues_as_if_symmetric,
        "root of the trace": fid_root_of_the_trace,
        "plus for minus": fid_plus_for_minus,
        "differences summed, then squared": fid_differences_summed_first,
        "root of the whole": fid_root_at_the_end,
        "product of the roots": fid_product_of_roots,
        "Cholesky for a root": fid_cholesky_for_root,
        "mean of the squared differences": fid_mean_of_squares,
        "eigenvalues without root": fid_eigenvalues_without_root,
        "root of the sum of the eigenvalues": fid_root_of_the_sum,
        "singular values for eigenvalues": fid_singular_values,
        "correlations for covariances": fid_correlations,
        "second moments, not centred": fid_not_centred,
        "means only": fid_means_only,
        "sum of the whole matrix": fid_sum_of_the_whole_matrix,
        "means of rows": fid_mean_of_each_row,
        "points compared in pairs": fid_pairs_of_points,
    },
    "04.coverage": {
        "each point its own nearest neighbour": cover_itself_as_neighbour,
        "the same, with <=": cover_itself_as_neighbour_closed,
        "precision: the share of generated points": cover_precision,
        "minimum over the wrong axis": cover_nearest_real_of_each_fake,
        "neighbour k + 1": cover_one_neighbour_too_far,
        "radius among the generated points": cover_radius_among_fakes,
        "recall: balls around generated points": cover_recall,
        "count for share": cover_count,
        "squared distances against radii": cover_squares_mixed_with_roots,
        "density": cover_density,
        "Manhattan distance": cover_manhattan,
        "mean distance of the k neighbours": cover_mean_of_k_neighbours,
        "argsort for sort": cover_index_for_distance,
        "k ignored": cover_always_one_neighbour,
        "one radius for all": cover_one_radius_for_all,
        "divided by the number of generated points": cover_share_of_fakes,
        "real - fake without a new axis": cover_without_new_axis,
        "norm over the wrong axis": cover_norm_over_wrong_axis,
        "percent": cover_percent,
        "k-th farthest": cover_kth_from_the_far_end,
        "all generated points inside": cover_all_must_lie_inside,
        "neighbours among real and generated points": cover_neighbours_of_both_kinds,
        "row k of the sorted distances": cover_columns_sorted_as_rows,
        "returns inside the loop": cover_returns_in_the_loop,
        "no break: every generated point counts": cover_counts_every_fake,
    },
}
RIGHT = {
    "04.discriminator_loss": {
        "logaddexp": d_loss_with_logaddexp,
        "a loop with two branches": d_loss_loop_with_two_branches,
        "binary cross-entropy, stable form": d_loss_stable_form,
        "log_expit": d_loss_scipy,
        "the formula in doubles, with D(-x)": d_loss_doubles,
        "one batch of 2B, times 2": d_loss_all_at_once_times_two,
        "a comprehension": d_loss_comprehension,
    },
    "04.generator_loss": {
        "logaddexp": g_loss_with_logaddexp,
        "the formula in Python floats": g_loss_python_floats,
        "log_expit, np.float64": g_loss_scipy,
        "stable form": g_loss_stable_form,
        "a helper": g_loss_helper,
        "by way of the discriminator's loss": g_loss_through_d_loss,
        "pandas": g_loss_pandas,
    },
    "04.optimal_discriminator": {
        "the quotient": best_d_quotient,
        "one over one plus the odds": best_d_by_odds,
        "cell by cell": best_d_cell_by_cell,
        "nested lists": best_d_nested_lists,
        "guarded against 0 / 0": best_d_guarded,
        "sigmoid of the log ratio": best_d_sigmoid_of_log_ratio,
        "bisection": best_d_by_bisection,
        "a tiny epsilon": best_d_tiny_epsilon,
    },
    "04.zero_centred_penalty": {
        "total by B": r1_total_by_batch_size,
        "einsum": r1_einsum,
        "a loop over images": r1_loop_over_images,
        "all axes but the first": r1_all_axes_but_the_first,
        "recursion": r1_recursive,
        "vdot": r1_vdot,
        "plain loops": r1_plain_loop,
        "pandas": r1_pandas,
    },
    "04.frechet_distance": {
        "eigenvalues": fid_by_eigenvalues,
        "sqrtm": fid_by_sqrtm,
        "a symmetric root": fid_by_symmetric_root,
        "nuclear norm": fid_by_nuclear_norm,
        "covariance by hand": fid_covariance_by_hand,
        "pandas": fid_pandas,
    },
    "04.coverage": {
        "broadcasting": cover_broadcast,
        "plain loops": cover_plain_loops,
        "cdist and partition": cover_scipy_cdist,
        "trees": cover_trees,
        "squared distances": cover_squared_distances,
        "rank of the nearest generated point": cover_rank_of_the_nearest_fake,
        "comprehensions": cover_comprehension,
    },
}
