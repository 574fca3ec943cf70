"""Answers to the exercises of ensembling, as learners write them."""

import math
from collections import Counter
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import optimize, stats
from sklearn.linear_model import LinearRegression

# -------------------------------------------------------------------------------------- 03.two_model_weight


def alpha_not_clipped(y, first, second):
    d = first - second
    return np.sum(d * (y - second)) / np.sum(d**2)


def alpha_of_the_second(y, first, second):
    diff = second - first
    alpha = np.dot(diff, y - first) / np.dot(diff, diff)
    return max(0, min(1, alpha))


def alpha_clipped_above_only(y, first, second):
    d = first - second
    alpha = (d * (y - second)).sum() / (d * d).sum()
    return min(alpha, 1.0)


def alpha_clipped_below_only(y, first, second):
    d = first - second
    alpha = (d * (y - second)).sum() / (d * d).sum()
    if alpha < 0:
        alpha = 0
    return alpha


def alpha_winner_takes_all(y, first, second):
    mse1 = np.mean((y - first) ** 2)
    mse2 = np.mean((y - second) ** 2)
    if mse1 < mse2:
        return 1
    else:
        return 0


def alpha_by_inverse_errors(y, first, second):
    mse1 = np.mean((y - first) ** 2)
    mse2 = np.mean((y - second) ** 2)
    return (1 / mse1) / (1 / mse1 + 1 / mse2)


def alpha_by_share_of_error(y, first, second):
    mse1 = np.mean((y - first) ** 2)
    mse2 = np.mean((y - second) ** 2)
    return mse2 / (mse1 + mse2)


def alpha_by_share_of_its_own_error(y, first, second):
    e1 = ((y - first) ** 2).sum()
    e2 = ((y - second) ** 2).sum()
    return e1 / (e1 + e2)


def alpha_mean_of_ratios(y, first, second):
    alphas = (y - second) / (first - second)
    return np.clip(np.mean(alphas), 0, 1)


def alpha_coarse_grid(y, first, second):
    best = None
    best_alpha = 0
    for alpha in np.linspace(0, 1, 11):
        error = np.sum((alpha * first + (1 - alpha) * second - y) ** 2)
        if best is None or error < best:
            best = error
            best_alpha = alpha
    return best_alpha


def alpha_hundred_steps_without_one(y, first, second):
    alphas = np.arange(0, 1, 0.01)
    errors = [((a * first + (1 - a) * second - y) ** 2).mean() for a in alphas]
    return alphas[np.argmin(errors)]


def alpha_returns_the_error(y, first, second):
    alphas = np.linspace(0, 1, 10001)
    errors = [((a * first + (1 - a) * second - y) ** 2).mean() for a in alphas]
    return np.min(errors)


def alpha_returns_the_position(y, first, second):
    alphas = np.linspace(0, 1, 1001)
    errors = [((a * first + (1 - a) * second - y) ** 2).mean() for a in alphas]
    return np.argmin(errors)


def alpha_absolute_error(y, first, second):
    alphas = np.linspace(0, 1, 10001)
    errors = [np.abs(a * first + (1 - a) * second - y).sum() for a in alphas]
    return alphas[np.argmin(errors)]


def alpha_wrong_sign(y, first, second):
    d = second - first
    alpha = d @ (y - second) / (d @ d)
    return float(np.clip(alpha, 0, 1))


def alpha_measured_from_the_first(y, first, second):
    d = first - second
    alpha = d @ (y - first) / (d @ d)
    return float(np.clip(alpha, 0, 1))


def alpha_denominator_not_squared(y, first, second):
    d = first - second
    alpha = np.dot(d, y - second) / np.linalg.norm(d)
    return np.clip(alpha, 0, 1)


def alpha_with_intercept(y, first, second):
    slope, intercept = np.polyfit(first - second, y - second, 1)
    return np.clip(slope, 0, 1)


def alpha_two_weights_normalised(y, first, second):
    a = np.column_stack([first, second])
    w = np.linalg.pinv(a) @ y
    w = np.clip(w, 0, None)
    return w[0] / w.sum()


def alpha_both_weights(y, first, second):
    d = first - second
    alpha = np.clip(d @ (y - second) / (d @ d), 0, 1)
    return [alpha, 1 - alpha]


def alpha_few_gradient_steps(y, first, second):
    alpha = 0.5
    for _ in range(20):
        error = alpha * first + (1 - alpha) * second - y
        gradient = 2 * np.mean(error * (first - second))
        alpha = alpha - 0.01 * gradient
    return min(max(alpha, 0), 1)


def alpha_brackets_missing(y, first, second):
    d = first - second
    alpha = d @ y - second / (d @ d)
    return np.clip(alpha, 0, 1)


def right_alpha_formula(y, first, second):
    d = first - second
    return np.clip(np.dot(d, y - second) / np.dot(d, d), 0, 1)


def right_alpha_loop(y, first, second):
    top = 0.0
    bottom = 0.0
    for i in range(len(y)):
        d = first[i] - second[i]
        top += d * (y[i] - second[i])
        bottom += d * d
    alpha = top / bottom
    if alpha < 0:
        return 0
    if alpha > 1:
        return 1
    return alpha


def right_alpha_lstsq(y, first, second):
    a = (first - second).reshape(-1, 1)
    alpha = np.linalg.lstsq(a, y - second, rcond=None)[0]
    return min(1.0, max(0.0, float(alpha[0])))


def right_alpha_sklearn(y, first, second):
    model = LinearRegression(fit_intercept=False).fit((first - second)[:, None], y - second)
    return np.clip(model.coef_, 0, 1).item()


def right_alpha_errors_of_both(y, first, second):
    e1, e2 = first - y, second - y
    s11, s22, s12 = (e1**2).mean(), (e2**2).mean(), (e1 * e2).mean()
    alpha = (s22 - s12) / (s11 + s22 - 2 * s12)
    return np.minimum(np.maximum(alpha, 0), 1)


def right_alpha_bounded_search(y, first, second):
    def error(alpha):
        return ((alpha * first + (1 - alpha) * second - y) ** 2).sum()

    low, high = 0.0, 1.0
    for _ in range(200):
        left, right = low + (high - low) / 3, high - (high - low) / 3
        if error(left) < error(right):
            high = right
        else:
            low = left
    return (low + high) / 2


def right_alpha_lsq_linear(y, first, second):
    found = optimize.lsq_linear((first - second)[:, None], y - second, bounds=(0, 1), method="bvls")
    return found.x[0]


def right_alpha_gradient_descent(y, first, second):
    alpha = 0.5
    d = first - second
    for _ in range(500):
        alpha -= 0.5 * np.mean((alpha * first + (1 - alpha) * second - y) * d) / np.mean(d * d)
        alpha = np.clip(alpha, 0, 1)
    return alpha


def right_alpha_parabola(y, first, second):
    def error(a):
        return np.mean((y - a * first - (1 - a) * second) ** 2)

    e0, eh, e1 = error(0), error(0.5), error(1)
    a, b = 2 * (e0 + e1) - 4 * eh, 4 * eh - 3 * e0 - e1  # of a x^2 + b x + e0
    return sorted([0.0, -b / (2 * a), 1.0])[1]


# ------------------------------------------------------------------------------------------ 03.nnls_weights


def weights_unconstrained(predictions, y):
    w, *_ = np.linalg.lstsq(predictions.T, y, rcond=None)
    return w


def weights_clipped_afterwards(predictions, y):
    w = np.linalg.lstsq(predictions.T, y, rcond=None)[0]
    w[w < 0] = 0
    return w


def weights_absolute(predictions, y):
    w = np.linalg.lstsq(predictions.T, y, rcond=None)[0]
    return np.abs(w)


def weights_sum_to_one(predictions, y):
    w, _ = optimize.nnls(predictions.T, y)
    return w / w.sum()


def weights_on_the_simplex(predictions, y):
    m = len(predictions)
    found = optimize.minimize(
        lambda w: np.sum((w @ predictions - y) ** 2), np.ones(m) / m,
        bounds=[(0, 1)] * m, constraints={"type": "eq", "fun": lambda w: w.sum() - 1})
    return found.x


def weights_projected_only_at_the_end(predictions, y):
    w = np.zeros(predictions.shape[0])
    lr = 0.01
    for _ in range(5000):
        gradient = predictions @ (w @ predictions - y)
        w = w - lr * gradient
    return np.maximum(w, 0)


def weights_no_projection(predictions, y):
    w = np.zeros(len(predictions))
    for _ in range(2000):
        w = w - 0.01 * predictions @ (w @ predictions - y)
    return w


def weights_too_few_steps(predictions, y):
    w = np.ones(len(predictions)) / len(predictions)
    for _ in range(10):
        grad = 2 * predictions @ (w @ predictions - y) / len(y)
        w = np.maximum(w - 0.01 * grad, 0)
    return w


def weights_step_too_large(predictions, y):
    w = np.zeros(len(predictions))
    for _ in range(1000):
        w = np.maximum(w - 0.1 * predictions @ (w @ predictions - y), 0)
    return w


def weights_uphill(predictions, y):
    w = np.zeros(len(predictions))
    step = 1 / np.linalg.norm(predictions, 2) ** 2
    for _ in range(1000):
        w = np.maximum(w - step * predictions @ (y - w @ predictions), 0)
    return w


def weights_not_transposed(predictions, y):
    w, residual = optimize.nnls(predictions, y)
    return w


def weights_with_the_residual(predictions, y):
    return optimize.nnls(predictions.T, y)


def weights_all_the_same(predictions, y):
    m = predictions.shape[0]
    return np.full(m, 1 / m)


def weights_inverse_error(predictions, y):
    mse = ((predictions - y) ** 2).mean(axis=1)
    w = 1 / (mse + 1e-12)
    return w / w.sum()


def weights_each_alone(predictions, y):
    w = (predictions @ y) / (predictions**2).sum(axis=1)
    return np.maximum(w, 0)


def weights_with_an_intercept(predictions, y):
    model = LinearRegression(positive=True)
    model.fit(predictions.T, y)
    return model.coef_


def weights_the_survivors_only(predictions, y):
    w = np.linalg.lstsq(predictions.T, y, rcond=None)[0]
    keep = w > 0
    return np.linalg.lstsq(predictions[keep].T, y, rcond=None)[0]


def weights_bounded_by_one(predictions, y):
    found = optimize.lsq_linear(predictions.T, y, bounds=(0, 1))
    return found.x


def weights_a_column(predictions, y):
    w, _ = optimize.nnls(predictions.T, y)
    return w.reshape(-1, 1)


def weights_gives_the_prediction(predictions, y):
    w, _ = optimize.nnls(predictions.T, y)
    return w @ predictions


def weights_softmax(predictions, y):
    score = -((predictions - y) ** 2).mean(axis=1)
    e = np.exp(score - score.max())
    return e / e.sum()


def right_weights_scipy(predictions, y):
    return optimize.nnls(predictions.T, y)[0]


def right_weights_scipy_list(predictions, y):
    w, _ = optimize.nnls(np.transpose(predictions), y)
    return list(w)


def right_weights_bounds(predictions, y):
    return optimize.lsq_linear(predictions.T, y, bounds=(0, np.inf), method="bvls").x


def right_weights_sklearn(predictions, y):
    return LinearRegression(positive=True, fit_intercept=False).fit(predictions.T, y).coef_


def right_weights_every_subset(predictions, y):
    m = len(predictions)
    best, best_error = np.zeros(m), np.sum(y**2)
    for size in range(1, m + 1):
        for subset in combinations(range(m), size):
            rows = list(subset)
            w = np.linalg.lstsq(predictions[rows].T, y, rcond=None)[0]
            if (w < 0).any():
                continue
            error = np.sum((w @ predictions[rows] - y) ** 2)
            if error < best_error:
                best_error = error
                best = np.zeros(m)
                best[rows] = w
    return best


def right_weights_coordinate_descent(predictions, y):
    w = [0.0] * len(predictions)
    for _ in range(500):
        for i, p in enumerate(predictions):
            rest = y - sum(w[j] * predictions[j] for j in range(len(w)) if j != i)
            w[i] = max(0.0, float(p @ rest / (p @ p)))
    return w


def right_weights_projected_gradient(predictions, y):
    gram, target = predictions @ predictions.T, predictions @ y
    w = np.ones(len(predictions))
    lr = 1 / np.trace(gram)
    for _ in range(5000):
        w = w - lr * (gram @ w - target)
        w[w < 0] = 0
    return w


def right_weights_lbfgs(predictions, y):
    def loss(w):
        r = w @ predictions - y
        return r @ r, 2 * predictions @ r

    m = len(predictions)
    found = optimize.minimize(loss, np.ones(m), jac=True, bounds=[(0, None)] * m, method="L-BFGS-B",
                              options={"ftol": 1e-15, "gtol": 1e-10})
    return found.x


# ------------------------------------------------------------------------------------------- 03.out_of_fold


def folds_fit_on_their_own_rows(x, y, fold):
    result = np.zeros(len(y))
    for k in np.unique(fold):
        inside = fold == k
        beta = np.linalg.lstsq(x[inside], y[inside], rcond=None)[0]
        result[inside] = x[inside] @ beta
    return result


def folds_fit_on_all_rows(x, y, fold):
    beta = np.linalg.lstsq(x, y, rcond=None)[0]
    return x @ beta


def folds_one_after_the_other(x, y, fold):
    preds = []
    for k in np.unique(fold):
        train = fold != k
        test = fold == k
        beta, *_ = np.linalg.lstsq(x[train], y[train], rcond=None)
        preds.extend(x[test] @ beta)
    return np.array(preds)


def folds_cut_in_order(x, y, fold):
    n, k = len(y), len(np.unique(fold))
    out = np.zeros(n)
    for part in np.array_split(np.arange(n), k):
        train = np.setdiff1d(np.arange(n), part)
        beta = np.linalg.lstsq(x[train], y[train], rcond=None)[0]
        out[part] = x[part] @ beta
    return out


def folds_leave_one_out(x, y, fold):
    out = np.zeros(len(y))
    for i in range(len(y)):
        xt, yt = np.delete(x, i, axis=0), np.delete(y, i)
        out[i] = x[i] @ np.linalg.lstsq(xt, yt, rcond=None)[0]
    return out


def folds_last_one_forgotten(x, y, fold):
    out = np.zeros(len(y))
    for k in range(max(fold)):
        test = fold == k
        beta = np.linalg.lstsq(x[~test], y[~test], rcond=None)[0]
        out[test] = x[test] @ beta
    return out


def folds_returns_after_the_first(x, y, fold):
    out = np.zeros(len(y))
    for k in np.unique(fold):
        test = fold == k
        beta = np.linalg.lstsq(x[~test], y[~test], rcond=None)[0]
        out[test] = x[test] @ beta
        return out


def folds_predict_the_others(x, y, fold):
    out = np.zeros(len(y))
    for k in np.unique(fold):
        train = fold != k
        beta = np.linalg.lstsq(x[train], y[train], rcond=None)[0]
        out[train] = x[train] @ beta
    return out


def folds_fit_on_one_predict_the_others(x, y, fold):
    out = np.empty(len(y))
    for k in np.unique(fold):
        train, test = fold == k, fold != k
        beta = np.linalg.lstsq(x[train], y[train], rcond=None)[0]
        out[test] = x[test] @ beta
    return out


def folds_whole_array_overwritten(x, y, fold):
    out = np.zeros(len(y))
    for k in np.unique(fold):
        train = fold != k
        beta = np.linalg.lstsq(x[train], y[train], rcond=None)[0]
        out = x @ beta
    return out


def folds_sum_over_models(x, y, fold):
    out = np.zeros(len(y))
    for k in np.unique(fold):
        train = fold != k
        out += x @ np.linalg.lstsq(x[train], y[train], rcond=None)[0]
    return out / len(np.unique(fold))


def folds_three_hard_coded(x, y, fold):
    out = np.zeros(len(y))
    for k in range(3):
        test = np.where(fold == k)[0]
        train = np.where(fold != k)[0]
        beta = np.linalg.lstsq(x[train], y[train], rcond=None)[0]
        out[test] = x[test] @ beta
    return out


def folds_only_earlier_ones(x, y, fold):
    out = np.zeros(len(y))
    for k in np.unique(fold):
        train, test = fold < k, fold == k
        beta = np.linalg.lstsq(x[train], y[train], rcond=None)[0]
        out[test] = x[test] @ beta
    return out


def folds_lists_of_lists(x, y, fold):
    result = []
    for k in np.unique(fold):
        beta = np.linalg.lstsq(x[fold != k], y[fold != k], rcond=None)[0]
        result.append(x[fold == k] @ beta)
    return result


def folds_lstsq_gives_a_tuple(x, y, fold):
    out = np.zeros(len(y))
    for k in np.unique(fold):
        beta = np.linalg.lstsq(x[fold != k], y[fold != k], rcond=None)
        out[fold == k] = x[fold == k] @ beta
    return out


def folds_residuals(x, y, fold):
    out = np.zeros(len(y))
    for k in np.unique(fold):
        beta = np.linalg.lstsq(x[fold != k], y[fold != k], rcond=None)[0]
        out[fold == k] = y[fold == k] - x[fold == k] @ beta
    return out


def folds_without_the_first_column(x, y, fold):
    out = np.zeros(len(y))
    features = x[:, 1:]
    for k in np.unique(fold):
        beta = np.linalg.lstsq(features[fold != k], y[fold != k], rcond=None)[0]
        out[fold == k] = features[fold == k] @ beta
    return out


def folds_columns_chosen(x, y, fold):
    out = np.zeros(len(y))
    for k in np.unique(fold):
        test = fold == k
        beta = np.linalg.lstsq(x[~test].T, y[~test], rcond=None)[0]
        out[test] = x[test] @ beta
    return out


def folds_a_column(x, y, fold):
    out = np.zeros((len(y), 1))
    for k in np.unique(fold):
        test = fold == k
        beta = np.linalg.lstsq(x[~test], y[~test], rcond=None)[0]
        out[test, 0] = x[test] @ beta
    return out


def folds_mean_of_the_others(x, y, fold):
    return np.array([y[fold != k].mean() for k in fold])


def right_folds_masks(x, y, fold):
    out = np.zeros_like(y)
    for k in set(fold.tolist()):
        test = fold == k
        out[test] = x[test] @ np.linalg.lstsq(x[~test], y[~test], rcond=None)[0]
    return out


def right_folds_row_by_row(x, y, fold):
    predictions = []
    for i in range(len(y)):
        others = [j for j in range(len(y)) if fold[j] != fold[i]]
        coef = np.linalg.lstsq(x[others], y[others], rcond=None)[0]
        predictions.append(float(sum(a * b for a, b in zip(x[i], coef))))
    return predictions


def right_folds_pinv(x, y, fold):
    betas = {k: np.linalg.pinv(x[fold != k]) @ y[fold != k] for k in np.unique(fold)}
    return np.array([row @ betas[k] for row, k in zip(x, fold)])


def right_folds_normal_equations(x, y, fold):
    out = np.empty(len(x))
    for k in range(fold.max() + 1):
        a, b = x[fold != k], y[fold != k]
        out[fold == k] = x[fold == k].dot(np.linalg.solve(a.T @ a, a.T @ b))
    return out


def right_folds_sklearn(x, y, fold):
    out = np.full(y.shape, np.nan)
    for k in np.unique(fold):
        model = LinearRegression(fit_intercept=False).fit(x[fold != k], y[fold != k])
        out[fold == k] = model.predict(x[fold == k])
    return out


def right_folds_all_then_choose(x, y, fold):
    def others(k):
        return np.linalg.lstsq(x[fold != k], y[fold != k], rcond=None)[0]

    every = np.stack([x @ others(k) for k in range(max(fold) + 1)])
    return every[fold, np.arange(len(y))]


def right_folds_hat_matrix(x, y, fold):
    hat = x @ np.linalg.inv(x.T @ x) @ x.T
    residual = y - hat @ y
    out = np.empty(len(y))
    for k in np.unique(fold):
        i = np.flatnonzero(fold == k)
        out[i] = y[i] - np.linalg.solve(np.eye(len(i)) - hat[np.ix_(i, i)], residual[i])
    return out


def right_folds_put_back_in_order(x, y, fold):
    places, values = [], []
    for k in np.unique(fold):
        test = np.where(fold == k)[0]
        train = np.where(fold != k)[0]
        places.extend(test)
        values.extend(x[test] @ np.linalg.lstsq(x[train], y[train], rcond=None)[0])
    return pd.Series(values, index=places).sort_index()


# ----------------------------------------------------------------------------------------- 03.greedy_counts


def greedy_never_twice(predictions, y, rounds):
    counts = np.zeros(len(predictions), dtype=int)
    total = np.zeros(len(y))
    for r in range(rounds):
        best, best_error = -1, np.inf
        for m in range(len(predictions)):
            if counts[m] > 0:
                continue
            error = (((total + predictions[m]) / (r + 1) - y) ** 2).mean()
            if error < best_error:
                best, best_error = m, error
        counts[best] += 1
        total = total + predictions[best]
    return counts


def greedy_never_twice_and_stops(predictions, y, rounds):
    left = list(range(len(predictions)))
    counts = np.zeros(len(predictions), dtype=int)
    total, n = np.zeros(len(y)), 0
    while n < rounds and left:
        errors = [np.mean(((total + predictions[m]) / (n + 1) - y) ** 2) for m in left]
        best = left.pop(int(np.argmin(errors)))
        counts[best] = 1
        total = total + predictions[best]
        n += 1
    return counts


def greedy_sum_for_mean(predictions, y, rounds):
    counts = np.zeros(len(predictions))
    total = np.zeros(len(y))
    for _ in range(rounds):
        errors = ((total + predictions - y) ** 2).sum(axis=1)
        best = errors.argmin()
        counts[best] += 1
        total = total + predictions[best]
    return counts


def greedy_halves(predictions, y, rounds):
    counts = np.zeros(len(predictions))
    current = np.zeros(len(y))
    for r in range(rounds):
        candidates = (current + predictions) / 2 if r > 0 else predictions
        best = np.argmin(((candidates - y) ** 2).mean(axis=1))
        counts[best] += 1
        current = candidates[best]
    return counts


def greedy_best_alone(predictions, y, rounds):
    errors = ((predictions - y) ** 2).mean(axis=1)
    counts = np.zeros(len(predictions), dtype=int)
    for _ in range(rounds):
        counts[np.argmin(errors)] += 1
    return counts


def greedy_divides_by_done(predictions, y, rounds):
    counts = np.zeros(len(predictions), dtype=int)
    total = np.zeros(len(y))
    for r in range(rounds):
        errors = (((total + predictions) / r - y) ** 2).mean(axis=1)
        best = np.argmin(errors)
        counts[best] += 1
        total = total + predictions[best]
    return counts


def greedy_divides_by_rounds(predictions, y, rounds):
    counts = np.zeros(len(predictions), dtype=int)
    total = np.zeros(len(y))
    for _ in range(rounds):
        errors = (((total + predictions) / rounds - y) ** 2).mean(axis=1)
        best = np.argmin(errors)
        counts[best] += 1
        total = total + predictions[best]
    return counts


def greedy_wrong_axis(predictions, y, rounds):
    counts = np.zeros(len(predictions), dtype=int)
    total = np.zeros(len(y))
    for r in range(rounds):
        errors = (((total + predictions) / (r + 1) - y) ** 2).mean(axis=0)
        best = np.argmin(errors)
        counts[best] += 1
        total = total + predictions[best]
    return counts


def greedy_worst_one(predictions, y, rounds):
    counts = np.zeros(len(predictions), dtype=int)
    total = np.zeros(len(y))
    for r in range(rounds):
        errors = (((total + predictions) / (r + 1) - y) ** 2).mean(axis=1)
        best = np.argmax(errors)
        counts[best] += 1
        total = total + predictions[best]
    return counts


def greedy_the_choices(predictions, y, rounds):
    chosen = []
    total = np.zeros(len(y))
    for r in range(rounds):
        errors = (((total + predictions) / (r + 1) - y) ** 2).mean(axis=1)
        best = int(np.argmin(errors))
        chosen.append(best)
        total = total + predictions[best]
    return chosen


def greedy_bincount_too_short(predictions, y, rounds):
    chosen = []
    for _ in range(rounds):
        errors = [np.mean((predictions[[*chosen, m]].mean(axis=0) - y) ** 2) for m in range(len(predictions))]
        chosen.append(int(np.argmin(errors)))
    return np.bincount(chosen)


def greedy_shares(predictions, y, rounds):
    counts = np.zeros(len(predictions))
    total = np.zeros(len(y))
    for r in range(rounds):
        errors = (((total + predictions) / (r + 1) - y) ** 2).mean(axis=1)
        best = np.argmin(errors)
        counts[best] += 1
        total += predictions[best]
    return counts / rounds


def greedy_one_round_less(predictions, y, rounds):
    counts = np.zeros(len(predictions), dtype=int)
    total = np.zeros(len(y))
    for r in range(1, rounds):
        errors = (((total + predictions) / r - y) ** 2).mean(axis=1)
        best = np.argmin(errors)
        counts[best] += 1
        total = total + predictions[best]
    return counts


def greedy_best_one_then_rounds(predictions, y, rounds):
    counts = np.zeros(len(predictions), dtype=int)
    best = np.argmin(((predictions - y) ** 2).mean(axis=1))
    counts[best] = 1
    total = predictions[best].copy()
    for _ in range(rounds):
        errors = (((total + predictions) / (counts.sum() + 1) - y) ** 2).mean(axis=1)
        best = np.argmin(errors)
        counts[best] += 1
        total = total + predictions[best]
    return counts


def greedy_stops_when_no_gain(predictions, y, rounds):
    counts = np.zeros(len(predictions), dtype=int)
    total = np.zeros(len(y))
    last = np.inf
    for r in range(rounds):
        errors = (((total + predictions) / (r + 1) - y) ** 2).mean(axis=1)
        best = np.argmin(errors)
        if errors[best] >= last:
            break
        last = errors[best]
        counts[best] += 1
        total = total + predictions[best]
    return counts


def greedy_adds_into_a_row(predictions, y, rounds):
    counts = np.zeros(len(predictions), dtype=int)
    best = np.argmin(((predictions - y) ** 2).mean(axis=1))
    counts[best] += 1
    total = predictions[best]
    for r in range(1, rounds):
        errors = (((total + predictions) / (r + 1) - y) ** 2).mean(axis=1)
        best = np.argmin(errors)
        counts[best] += 1
        total += predictions[best]
    return counts


def greedy_square_of_the_mean_error(predictions, y, rounds):
    counts = np.zeros(len(predictions), dtype=int)
    total = np.zeros(len(y))
    for r in range(rounds):
        errors = ((total + predictions) / (r + 1) - y).mean(axis=1) ** 2
        best = np.argmin(errors)
        counts[best] += 1
        total = total + predictions[best]
    return counts


def greedy_total_forgotten(predictions, y, rounds):
    counts = [0] * len(predictions)
    total = np.zeros(len(y))
    for r in range(rounds):
        errors = []
        for p in predictions:
            errors.append((((total + p) / (r + 1) - y) ** 2).sum())
        counts[errors.index(min(errors))] += 1
    return counts


def greedy_return_in_the_loop(predictions, y, rounds):
    counts = np.zeros(len(predictions), dtype=int)
    total = np.zeros(len(y))
    for r in range(rounds):
        errors = (((total + predictions) / (r + 1) - y) ** 2).mean(axis=1)
        best = np.argmin(errors)
        counts[best] += 1
        total = total + predictions[best]
        return counts


def greedy_starts_with_all(predictions, y, rounds):
    m = len(predictions)
    counts = np.ones(m, dtype=int)
    total = predictions.sum(axis=0)
    for r in range(rounds):
        errors = (((total + predictions) / (m + r + 1) - y) ** 2).mean(axis=1)
        best = np.argmin(errors)
        counts[best] += 1
        total = total + predictions[best]
    return counts - 1


def right_greedy_vectorised(predictions, y, rounds):
    counts = np.zeros(len(predictions), dtype=int)
    total = np.zeros_like(y)
    for r in range(1, rounds + 1):
        best = np.argmin(np.square((total + predictions) / r - y).sum(axis=1))
        counts[best] += 1
        total += predictions[best]
    return counts


def right_greedy_loops(predictions, y, rounds):
    counts = [0] * len(predictions)
    added = []
    for _ in range(rounds):
        best = None
        best_error = float("inf")
        for m in range(len(predictions)):
            trial = added + [m]
            error = 0
            for n in range(len(y)):
                mean = sum(predictions[k][n] for k in trial) / len(trial)
                error += (mean - y[n]) ** 2
            if error < best_error:
                best_error = error
                best = m
        added.append(best)
        counts[best] += 1
    return counts


def right_greedy_from_counts(predictions, y, rounds):
    counts = np.zeros(len(predictions))
    for _ in range(rounds):
        trials = counts + np.eye(len(predictions))
        errors = np.mean((trials @ predictions / trials.sum(axis=1, keepdims=True) - y) ** 2, axis=1)
        counts = trials[errors.argmin()]
    return counts


def right_greedy_counter(predictions, y, rounds):
    bag = []
    for _ in range(rounds):
        bag.append(min(range(len(predictions)),
                       key=lambda m: np.mean((predictions[bag + [m]].mean(0) - y) ** 2)))
    found = Counter(bag)
    return [found[m] for m in range(len(predictions))]


def right_greedy_recursive(predictions, y, rounds):
    if rounds == 0:
        return np.zeros(len(predictions))
    counts = right_greedy_recursive(predictions, y, rounds - 1)
    errors = np.linalg.norm((counts @ predictions + predictions) / rounds - y, axis=1)
    counts[np.argmin(errors)] += 1.0
    return counts


def right_greedy_bincount(predictions, y, rounds):
    mean, picks = np.zeros(len(y)), []
    for r in range(rounds):
        means = mean + (predictions - mean) / (r + 1)
        picks.append(np.argmin(((means - y) ** 2).mean(axis=1)))
        mean = means[picks[-1]]
    return np.bincount(picks, minlength=len(predictions))


# ------------------------------------------------------------------------------------------ 03.gaussian_nll


def nll_without_constant(y, mean, variance):
    return np.mean(0.5 * np.log(variance) + (y - mean) ** 2 / (2 * variance))


def nll_without_log_variance(y, mean, variance):
    return np.mean(0.5 * np.log(2 * np.pi) + (y - mean) ** 2 / (2 * variance))


def nll_sum(y, mean, variance):
    return np.sum(0.5 * np.log(2 * np.pi * variance) + (y - mean) ** 2 / (2 * variance))


def nll_sign(y, mean, variance):
    return np.mean(-0.5 * np.log(2 * np.pi * variance) - (y - mean) ** 2 / (2 * variance))


def nll_log_not_halved(y, mean, variance):
    return np.mean(np.log(2 * np.pi * variance) + (y - mean) ** 2 / (2 * variance))


def nll_square_not_halved(y, mean, variance):
    return np.mean(0.5 * np.log(2 * np.pi * variance) + (y - mean) ** 2 / variance)


def nll_nothing_halved(y, mean, variance):
    return np.mean(np.log(2 * np.pi * variance) + (y - mean) ** 2 / variance)


def nll_variance_as_sigma(y, mean, variance):
    return np.mean(np.log(variance * np.sqrt(2 * np.pi)) + 0.5 * ((y - mean) / variance) ** 2)


def nll_scipy_with_variance(y, mean, variance):
    return -stats.norm.logpdf(y, mean, variance).mean()


def nll_bits(y, mean, variance):
    logp = stats.norm.logpdf(y, loc=mean, scale=np.sqrt(variance))
    return -np.mean(logp) / np.log(2)


def nll_log10(y, mean, variance):
    return np.mean(0.5 * np.log10(2 * np.pi * variance) + 0.5 * (y - mean) ** 2 / variance)


def nll_of_tiny_density(y, mean, variance):
    density = np.exp(-((y - mean) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)
    return -np.mean(np.log(density))


def nll_density_guarded(y, mean, variance):
    density = np.exp(-((y - mean) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)
    return -np.mean(np.log(density + 1e-12))


def nll_log_of_mean_density(y, mean, variance):
    density = stats.norm.pdf(y, mean, np.sqrt(variance))
    return -np.log(np.mean(density))


def nll_not_squared(y, mean, variance):
    return np.mean(0.5 * np.log(2 * np.pi * variance) + (y - mean) / (2 * variance))


def nll_brackets(y, mean, variance):
    return np.mean(np.log(2 * np.pi * variance) / 2 + (y - mean) ** 2 / 2 * variance)


def nll_for_each(y, mean, variance):
    return 0.5 * np.log(2 * np.pi * variance) + (y - mean) ** 2 / (2 * variance)


def nll_pi_alone(y, mean, variance):
    return np.mean(0.5 * np.log(np.pi * variance) + (y - mean) ** 2 / (2 * variance))


def nll_constant_once(y, mean, variance):
    total = 0
    for i in range(len(y)):
        total += 0.5 * math.log(variance[i]) + (y[i] - mean[i]) ** 2 / (2 * variance[i])
    return (total + 0.5 * math.log(2 * math.pi)) / len(y)


def nll_returns_in_the_loop(y, mean, variance):
    total = 0
    for i in range(len(y)):
        total += 0.5 * math.log(2 * math.pi * variance[i]) + (y[i] - mean[i]) ** 2 / (2 * variance[i])
        return total / len(y)


def nll_root_of_the_constant_only(y, mean, variance):
    return np.mean(np.log(np.sqrt(2 * np.pi) * variance) + (y - mean) ** 2 / (2 * variance))


def nll_mean_variance(y, mean, variance):
    v = variance.mean()
    return 0.5 * np.log(2 * np.pi * v) + np.mean((y - mean) ** 2) / (2 * v)


def right_nll_formula(y, mean, variance):
    return np.mean(0.5 * np.log(2 * np.pi * variance) + (y - mean) ** 2 / (2 * variance))


def right_nll_loop(y, mean, variance):
    total = 0
    for target, m, v in zip(y, mean, variance):
        total += (math.log(2 * math.pi) + math.log(v) + (target - m) ** 2 / v) / 2
    return total / len(y)


def right_nll_scipy(y, mean, variance):
    return -np.mean(stats.norm(mean, np.sqrt(variance)).logpdf(y))


def right_nll_sigma(y, mean, variance):
    sigma = variance**0.5
    z = (y - mean) / sigma
    return (np.log(sigma) + 0.5 * np.log(2 * np.pi) + z * z / 2).sum() / y.size


def right_nll_multivariate(y, mean, variance):
    return -stats.multivariate_normal.logpdf(y, mean, np.diag(variance)) / len(y)


def right_nll_helper(y, mean, variance):
    def log_density(value, m, v):
        return -0.5 * math.log(2 * math.pi * v) - (value - m) ** 2 / (2 * v)

    return -sum(map(log_density, y, mean, variance)) / len(y)


def right_nll_precision(y, mean, variance):
    precision = 1 / variance
    error = y - mean
    squares = np.einsum("n,n,n->", error, error, precision) / len(y)
    return 0.5 * (np.log(2 * np.pi) - np.mean(np.log(precision)) + squares)


def right_nll_frame(y, mean, variance):
    df = pd.DataFrame({"y": y, "m": mean, "v": variance})
    df["nll"] = 0.5 * (np.log(2 * np.pi * df.v) + (df.y - df.m) ** 2 / df.v)
    return df.nll.mean()


# --------------------------------------------------------------------------------------------- 03.ambiguity


def spread_around_plain_mean(predictions, weights):
    center = predictions.mean(axis=0)
    return weights @ ((predictions - center) ** 2).mean(axis=1)


def spread_plain_outside(predictions, weights):
    center = weights @ predictions
    return np.mean((predictions - center) ** 2)


def spread_no_weights(predictions, weights):
    return np.var(predictions, axis=0).mean()


def spread_ddof(predictions, weights):
    center = np.average(predictions, axis=0, weights=weights)
    n = len(predictions)
    return np.average(((predictions - center) ** 2).mean(axis=1), weights=weights) * n / (n - 1)


def spread_sum_over_examples(predictions, weights):
    center = weights @ predictions
    total = 0
    for m in range(len(weights)):
        total += weights[m] * np.sum((predictions[m] - center) ** 2)
    return total


def spread_divided_by_models_too(predictions, weights):
    center = weights @ predictions
    return np.mean(weights[:, None] * (predictions - center) ** 2)


def spread_absolute(predictions, weights):
    center = weights @ predictions
    return weights @ np.abs(predictions - center).mean(axis=1)


def spread_root(predictions, weights):
    center = weights @ predictions
    return np.sqrt(weights @ ((predictions - center) ** 2).mean(axis=1))


def spread_per_example(predictions, weights):
    center = weights @ predictions
    return weights @ (predictions - center) ** 2


def spread_per_model(predictions, weights):
    center = weights @ predictions
    return weights * ((predictions - center) ** 2).mean(axis=1)


def spread_weights_squared(predictions, weights):
    center = weights @ predictions
    return np.sum((weights[:, None] * (predictions - center)) ** 2) / predictions.shape[1]


def spread_weighted_predictions(predictions, weights):
    weighted = predictions * weights[:, None]
    center = weighted.sum(axis=0)
    return weights @ ((weighted - center) ** 2).mean(axis=1)


def spread_one_center_for_all(predictions, weights):
    center = np.average(predictions.mean(axis=1), weights=weights)
    return np.average(((predictions - center) ** 2).mean(axis=1), weights=weights)


def spread_around_each_model(predictions, weights):
    center = predictions.mean(axis=1, keepdims=True)
    return np.sum(weights * np.mean((predictions - center) ** 2, axis=1))


def spread_weights_along_rows(predictions, weights):
    center = (weights * predictions).sum(axis=0)
    return (weights * (predictions - center) ** 2).sum(axis=0).mean()


def spread_wrong_axis(predictions, weights):
    center = weights @ predictions
    return weights @ ((predictions - center) ** 2).mean(axis=0)


def spread_mean_before_square(predictions, weights):
    center = weights @ predictions
    return weights @ (predictions - center).mean(axis=1) ** 2


def spread_center_divided_twice(predictions, weights):
    center = (weights[:, None] * predictions).mean(axis=0)
    return np.sum(weights * ((predictions - center) ** 2).mean(axis=1))


def spread_returns_in_the_loop(predictions, weights):
    center = weights @ predictions
    total = 0.0
    for w, p in zip(weights, predictions):
        total += w * np.mean((p - center) ** 2)
        return total


def spread_center_minus_its_square(predictions, weights):
    center = weights @ predictions
    return (weights @ predictions**2).mean() - center.mean() ** 2


def right_spread_average(predictions, weights):
    center = np.average(predictions, axis=0, weights=weights)
    return np.average(np.mean((predictions - center) ** 2, axis=1), weights=weights)


def right_spread_loops(predictions, weights):
    m, n = predictions.shape
    total = 0
    for j in range(n):
        center = 0
        for i in range(m):
            center += weights[i] * predictions[i, j]
        for i in range(m):
            total += weights[i] * (predictions[i, j] - center) ** 2
    return total / n


def right_spread_moments(predictions, weights):
    return (weights @ predictions**2 - (weights @ predictions) ** 2).mean()


def right_spread_pairs(predictions, weights):
    pairs = combinations(range(len(weights)), 2)
    return sum(weights[i] * weights[j] * np.mean((predictions[i] - predictions[j]) ** 2) for i, j in pairs)


def right_spread_einsum(predictions, weights):
    d = predictions - np.einsum("m,mn->n", weights, predictions)
    return np.einsum("m,mn,mn->", weights, d, d) / predictions.shape[1]


def right_spread_cov(predictions, weights):
    return np.mean([np.cov(column, aweights=weights, ddof=0) for column in predictions.T])


def right_spread_frame(predictions, weights):
    df = pd.DataFrame(predictions)
    center = df.mul(weights, axis=0).sum()
    return float(((df - center) ** 2).mean(axis=1).mul(weights).sum())


def right_spread_against_any_target(predictions, weights):
    target = np.zeros(predictions.shape[1])  # mean error minus error of the mean, whatever the target
    mse = ((predictions - target) ** 2).mean(axis=1)
    return np.dot(weights, mse) - np.mean((np.dot(weights, predictions) - target) ** 2)


# For each exercise: what is wrong, in a few plain words, and the answer.
WRONG = {
    "03.two_model_weight": {
        "no limits": alpha_not_clipped,
        "weight of the second": alpha_of_the_second,
        "below 0 allowed": alpha_clipped_above_only,
        "above 1 allowed": alpha_clipped_below_only,
        "all for the better one": alpha_winner_takes_all,
        "inverse errors, division by 0": alpha_by_inverse_errors,
        "share of the other's error": alpha_by_share_of_error,
        "share of its own error": alpha_by_share_of_its_own_error,
        "mean of ratios": alpha_mean_of_ratios,
        "eleven values tried": alpha_coarse_grid,
        "a hundred values tried, 1 not among them": alpha_hundred_steps_without_one,
        "the least error, not where it is": alpha_returns_the_error,
        "position in the grid": alpha_returns_the_position,
        "absolute error": alpha_absolute_error,
        "wrong sign": alpha_wrong_sign,
        "y minus first": alpha_measured_from_the_first,
        "norm for its square": alpha_denominator_not_squared,
        "an intercept too": alpha_with_intercept,
        "two free weights, normalised": alpha_two_weights_normalised,
        "both weights": alpha_both_weights,
        "gradient descent stops too early": alpha_few_gradient_steps,
        "brackets missing": alpha_brackets_missing,
    },
    "03.nnls_weights": {
        "negative ones allowed": weights_unconstrained,
        "least squares, then cut at 0": weights_clipped_afterwards,
        "absolute values": weights_absolute,
        "normalised to 1": weights_sum_to_one,
        "sum of 1 forced": weights_on_the_simplex,
        "projected only at the end": weights_projected_only_at_the_end,
        "not projected": weights_no_projection,
        "too few steps": weights_too_few_steps,
        "too large steps": weights_step_too_large,
        "uphill": weights_uphill,
        "not transposed": weights_not_transposed,
        "the residual too": weights_with_the_residual,
        "equal weights": weights_all_the_same,
        "inverse errors": weights_inverse_error,
        "each model alone": weights_each_alone,
        "an intercept": weights_with_an_intercept,
        "only the weights that are left": weights_the_survivors_only,
        "at most 1": weights_bounded_by_one,
        "a column": weights_a_column,
        "the prediction": weights_gives_the_prediction,
        "softmax of errors": weights_softmax,
    },
    "03.out_of_fold": {
        "fits on the fold itself": folds_fit_on_their_own_rows,
        "fits on all": folds_fit_on_all_rows,
        "in the order of folds": folds_one_after_the_other,
        "cuts its own folds": folds_cut_in_order,
        "leaves one out": folds_leave_one_out,
        "last fold missing": folds_last_one_forgotten,
        "returns after the first fold": folds_returns_after_the_first,
        "predicts the others": folds_predict_the_others,
        "masks swapped": folds_fit_on_one_predict_the_others,
        "overwrites all": folds_whole_array_overwritten,
        "mean of all models": folds_sum_over_models,
        "three folds, whatever there are": folds_three_hard_coded,
        "earlier folds only": folds_only_earlier_ones,
        "a list for each fold": folds_lists_of_lists,
        "tuple of lstsq": folds_lstsq_gives_a_tuple,
        "residuals": folds_residuals,
        "first column dropped": folds_without_the_first_column,
        "transposed": folds_columns_chosen,
        "a column": folds_a_column,
        "mean of y in the other folds": folds_mean_of_the_others,
    },
    "03.greedy_counts": {
        "no model twice": greedy_never_twice,
        "no model twice, stops when none is left": greedy_never_twice_and_stops,
        "sum for mean": greedy_sum_for_mean,
        "half of old and new": greedy_halves,
        "always the best alone": greedy_best_alone,
        "divides by the number before": greedy_divides_by_done,
        "divides by all rounds": greedy_divides_by_rounds,
        "wrong axis": greedy_wrong_axis,
        "the worst": greedy_worst_one,
        "which ones, not how often": greedy_the_choices,
        "bincount too short": greedy_bincount_too_short,
        "shares": greedy_shares,
        "one round too few": greedy_one_round_less,
        "one more at the start": greedy_best_one_then_rounds,
        "stops without gain": greedy_stops_when_no_gain,
        "adds into a row of the input": greedy_adds_into_a_row,
        "square of the mean error": greedy_square_of_the_mean_error,
        "total not kept": greedy_total_forgotten,
        "returns in the loop": greedy_return_in_the_loop,
        "starts with all": greedy_starts_with_all,
    },
    "03.gaussian_nll": {
        "no constant": nll_without_constant,
        "no log of the variance": nll_without_log_variance,
        "sum for mean": nll_sum,
        "wrong sign": nll_sign,
        "log not halved": nll_log_not_halved,
        "square not halved": nll_square_not_halved,
        "nothing halved": nll_nothing_halved,
        "variance for standard deviation": nll_variance_as_sigma,
        "variance as scale of SciPy": nll_scipy_with_variance,
        "bits": nll_bits,
        "log10": nll_log10,
        "log of a density of 0": nll_of_tiny_density,
        "a tiny number added to the density": nll_density_guarded,
        "log of the mean density": nll_log_of_mean_density,
        "not squared": nll_not_squared,
        "/ 2 * variance": nll_brackets,
        "one for each example": nll_for_each,
        "pi for 2 pi": nll_pi_alone,
        "constant only once": nll_constant_once,
        "returns in the loop": nll_returns_in_the_loop,
        "variance outside the root": nll_root_of_the_constant_only,
        "mean variance": nll_mean_variance,
    },
    "03.ambiguity": {
        "around the plain mean": spread_around_plain_mean,
        "plain mean outside": spread_plain_outside,
        "no weights": spread_no_weights,
        "M - 1": spread_ddof,
        "sum over examples": spread_sum_over_examples,
        "divided by M too": spread_divided_by_models_too,
        "absolute distance": spread_absolute,
        "root": spread_root,
        "one for each example": spread_per_example,
        "one for each model": spread_per_model,
        "weights squared": spread_weights_squared,
        "distance of weighted predictions": spread_weighted_predictions,
        "one centre for all examples": spread_one_center_for_all,
        "around each model's mean": spread_around_each_model,
        "weights along the examples": spread_weights_along_rows,
        "wrong axis": spread_wrong_axis,
        "mean before square": spread_mean_before_square,
        "centre divided by M": spread_center_divided_twice,
        "returns in the loop": spread_returns_in_the_loop,
        "square of the overall mean": spread_center_minus_its_square,
    },
}
RIGHT = {
    "03.two_model_weight": {
        "formula": right_alpha_formula,
        "a loop": right_alpha_loop,
        "lstsq": right_alpha_lstsq,
        "scikit-learn": right_alpha_sklearn,
        "errors of both": right_alpha_errors_of_both,
        "ternary search": right_alpha_bounded_search,
        "lsq_linear": right_alpha_lsq_linear,
        "gradient descent": right_alpha_gradient_descent,
        "a parabola through three points": right_alpha_parabola,
    },
    "03.nnls_weights": {
        "SciPy": right_weights_scipy,
        "SciPy, a list": right_weights_scipy_list,
        "lsq_linear": right_weights_bounds,
        "scikit-learn": right_weights_sklearn,
        "every subset": right_weights_every_subset,
        "one weight after the other": right_weights_coordinate_descent,
        "projected gradient": right_weights_projected_gradient,
        "L-BFGS": right_weights_lbfgs,
    },
    "03.out_of_fold": {
        "masks": right_folds_masks,
        "row by row, a list": right_folds_row_by_row,
        "pinv": right_folds_pinv,
        "normal equations": right_folds_normal_equations,
        "scikit-learn": right_folds_sklearn,
        "all models predict all": right_folds_all_then_choose,
        "the hat matrix": right_folds_hat_matrix,
        "put back in order, a series": right_folds_put_back_in_order,
    },
    "03.greedy_counts": {
        "vectorised": right_greedy_vectorised,
        "loops, a list": right_greedy_loops,
        "from counts": right_greedy_from_counts,
        "Counter": right_greedy_counter,
        "recursion, floats": right_greedy_recursive,
        "a running mean, bincount": right_greedy_bincount,
    },
    "03.gaussian_nll": {
        "formula": right_nll_formula,
        "a loop": right_nll_loop,
        "SciPy": right_nll_scipy,
        "standard deviation": right_nll_sigma,
        "SciPy, N dimensions": right_nll_multivariate,
        "a helper": right_nll_helper,
        "precision, einsum": right_nll_precision,
        "a data frame": right_nll_frame,
    },
    "03.ambiguity": {
        "np.average": right_spread_average,
        "loops": right_spread_loops,
        "moments": right_spread_moments,
        "pairs": right_spread_pairs,
        "einsum": right_spread_einsum,
        "np.cov": right_spread_cov,
        "a data frame": right_spread_frame,
        "the decomposition": right_spread_against_any_target,
    },
}
