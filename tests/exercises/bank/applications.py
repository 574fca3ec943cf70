"""Answers to the exercises of notebook 07, as learners write them."""

import numpy as np
import pandas as pd

# ---------------------------------------------------------------------------------------------- 07.apply_rules


def rules_masked(probabilities, allowed):
    return np.where(allowed, probabilities, 0)


def rules_whole_sum(probabilities, allowed):
    product = probabilities * allowed
    return product / product.sum()


def rules_over_the_batch(probabilities, allowed):
    product = probabilities * allowed
    return product / product.sum(axis=0)


def rules_mean(probabilities, allowed):
    uniform = allowed / allowed.sum(axis=1, keepdims=True)
    return 0.5 * probabilities + 0.5 * uniform


def rules_uniform(probabilities, allowed):
    return allowed / allowed.sum(1)[:, None]


def rules_swapped(probabilities, allowed):
    product = np.where(allowed, 0.0, probabilities)
    return product / np.maximum(product.sum(axis=1, keepdims=True), 1e-12)


def rules_best(probabilities, allowed):
    best = np.where(allowed, probabilities, -1).argmax(axis=1)
    return np.eye(probabilities.shape[1])[best]


def rules_minus_infinity(probabilities, allowed):
    scores = np.where(allowed, probabilities, -np.inf)
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def rules_ignored(probabilities, allowed):
    return probabilities / probabilities.sum(axis=1, keepdims=True)


def rules_shared(probabilities, allowed):
    lost = (probabilities * ~allowed).sum(axis=1, keepdims=True)
    return np.where(allowed, probabilities + lost / allowed.sum(axis=1, keepdims=True), 0)


def rules_product(probabilities, allowed):
    product = probabilities * allowed
    return product / product.sum(axis=1, keepdims=True)


def rules_loop(probabilities, allowed):
    rows = []
    for p, may in zip(probabilities, allowed):
        kept = [value if ok else 0.0 for value, ok in zip(p, may)]
        rows.append([value / sum(kept) for value in kept])
    return rows


def rules_copy(probabilities, allowed):
    found = probabilities.copy()
    found[~allowed] = 0
    found /= found.sum(1, keepdims=True)
    return found


def rules_logs(probabilities, allowed):
    with np.errstate(divide="ignore"):
        logs = np.where(allowed, np.log(probabilities), -np.inf)
    e = np.exp(logs - logs.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def rules_pandas(probabilities, allowed):
    frame = pd.DataFrame(probabilities).where(pd.DataFrame(allowed), 0)
    return frame.div(frame.sum(axis=1), axis=0)


# ------------------------------------------------------------------------------------------------ 07.sign_step


def step_not_clipped(x, gradient, step):
    return x + step * np.sign(gradient)


def step_downhill(x, gradient, step):
    return np.clip(x - step * np.sign(gradient), 0, 1)


def step_gradient(x, gradient, step):
    return np.clip(x + step * gradient, 0, 1)


def step_clipped_step(x, gradient, step):
    return x + np.clip(step * np.sign(gradient), 0, 1)


def step_zero_up(x, gradient, step):
    return np.clip(x + np.where(gradient >= 0, step, -step), 0, 1)


def step_zero_down(x, gradient, step):
    return np.clip(x + np.where(gradient > 0, step, -step), 0, 1)


def step_alone(x, gradient, step):
    return step * np.sign(gradient)


def step_normed(x, gradient, step):
    return np.clip(x + step * gradient / np.linalg.norm(gradient), 0, 1)


def step_times_x(x, gradient, step):
    return np.clip(x * (1 + step * np.sign(gradient)), 0, 1)


def step_only_above(x, gradient, step):
    return np.minimum(x + step * np.sign(gradient), 1)


def step_plain(x, gradient, step):
    return np.clip(x + step * np.sign(gradient), 0, 1)


def step_min_max(x, gradient, step):
    return np.minimum(np.maximum(x + step * np.sign(gradient), 0.0), 1.0)


def step_where(x, gradient, step):
    moved = x + np.where(gradient > 0, step, np.where(gradient < 0, -step, 0.0))
    return moved.clip(0, 1)


def step_list(x, gradient, step):
    moved = [float(a) + step * (int(g > 0) - int(g < 0)) for a, g in zip(x.ravel(), gradient.ravel())]
    return np.reshape([min(1.0, max(0.0, each)) for each in moved], x.shape).tolist()


def step_in_parts(x, gradient, step):
    moved = np.array(x)
    moved[gradient > 0] += step
    moved[gradient < 0] -= step
    return np.clip(moved, 0, 1)


# ------------------------------------------------------------------------------------------------ 07.advantage


def advantage_means(of_members, of_strangers):
    return np.mean(of_members) - np.mean(of_strangers)


def advantage_half(of_members, of_strangers):
    return max(0, (of_members >= 0.5).mean() - (of_strangers >= 0.5).mean())


def advantage_area(of_members, of_strangers):
    return (of_members[:, None] > of_strangers[None, :]).mean()


def advantage_absolute(of_members, of_strangers):
    t = np.concatenate([of_members, of_strangers])
    gaps = (of_members[:, None] >= t).mean(0) - (of_strangers[:, None] >= t).mean(0)
    return np.abs(gaps).max()


def advantage_counts(of_members, of_strangers):
    best = 0
    for t in np.concatenate([of_members, of_strangers]):
        hits = np.concatenate([of_members, of_strangers]) >= t
        best = max(best, (hits[:len(of_members)].sum() - hits[len(of_members):].sum()) / len(hits))
    return best


def advantage_above_all(of_members, of_strangers):
    return (of_members > of_strangers.max()).mean()


def advantage_mean_threshold(of_members, of_strangers):
    t = of_members.mean()
    return (of_members >= t).mean() - (of_strangers >= t).mean()


def advantage_negative(of_members, of_strangers):
    t = np.concatenate([of_members, of_strangers])
    return ((of_members[:, None] >= t).mean(0) - (of_strangers[:, None] >= t).mean(0)).min()


def advantage_where(of_members, of_strangers):
    t = np.concatenate([of_members, of_strangers])
    gaps = (of_members[:, None] >= t).mean(0) - (of_strangers[:, None] >= t).mean(0)
    return t[gaps.argmax()]


def advantage_loop(of_members, of_strangers):
    best = 0.0
    for t in sorted({*of_members.tolist(), *of_strangers.tolist()}):
        best = max(best, np.mean(of_members >= t) - np.mean(of_strangers >= t))
    return best


def advantage_matrix(of_members, of_strangers):
    t = np.unique(np.r_[of_members, of_strangers])
    gaps = (of_members[None] >= t[:, None]).mean(axis=1) - (of_strangers[None] >= t[:, None]).mean(axis=1)
    return np.maximum(gaps, 0).max()


def advantage_sorted(of_members, of_strangers):
    t = np.append(np.concatenate([of_members, of_strangers]), np.inf)
    members, strangers = np.sort(of_members), np.sort(of_strangers)
    return max(1 - np.searchsorted(members, t) / len(members) - (1 - np.searchsorted(strangers, t) / len(strangers)))


def advantage_roc(of_members, of_strangers):
    from sklearn.metrics import roc_curve

    y = np.r_[np.ones(len(of_members)), np.zeros(len(of_strangers))]
    false, true, _ = roc_curve(y, np.r_[of_members, of_strangers], drop_intermediate=False)
    return np.float32((true - false).max())


def advantage_pandas(of_members, of_strangers):
    t = pd.Series(np.r_[of_members, of_strangers])
    return max(0, t.map(lambda each: (of_members >= each).mean() - (of_strangers >= each).mean()).max())


WRONG = {
    "07.apply_rules": {
        "masked, not made to sum to 1": rules_masked, "divided by the sum of all": rules_whole_sum,
        "divided over the batch": rules_over_the_batch, "a mean": rules_mean, "the rules alone": rules_uniform,
        "the forbidden ones kept": rules_swapped, "the best allowed one": rules_best,
        "a softmax of probabilities": rules_minus_infinity, "rules never used": rules_ignored,
        "the lost share in equal parts": rules_shared,
    },
    "07.sign_step": {
        "not clipped": step_not_clipped, "downhill": step_downhill, "the gradient itself": step_gradient,
        "the step is clipped": step_clipped_step, "0 counts as up": step_zero_up, "0 counts as down": step_zero_down,
        "the step alone": step_alone, "divided by the length": step_normed, "times x": step_times_x,
        "clipped above only": step_only_above,
    },
    "07.advantage": {
        "a difference of means": advantage_means, "one threshold": advantage_half, "the area": advantage_area,
        "the absolute gap": advantage_absolute, "counts": advantage_counts, "above all strangers": advantage_above_all,
        "at the members' mean": advantage_mean_threshold, "the smallest gap": advantage_negative,
        "the threshold": advantage_where,
    },
}

RIGHT = {
    "07.apply_rules": {"product": rules_product, "loop": rules_loop, "copy": rules_copy, "logs": rules_logs,
                       "pandas": rules_pandas},
    "07.sign_step": {"plain": step_plain, "min and max": step_min_max, "where": step_where, "list": step_list,
                     "in parts": step_in_parts},
    "07.advantage": {"loop": advantage_loop, "matrix": advantage_matrix, "sorted": advantage_sorted,
                     "scikit-learn": advantage_roc, "pandas": advantage_pandas},
}
