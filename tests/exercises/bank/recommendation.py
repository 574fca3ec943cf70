"""Answers to the exercises of recommendation, as learners write them."""

import math

import numpy as np
import pandas as pd

# ----------------------------------------------------------------------------------------------- 08.ndcg


def ndcg_lowest_scores_first(scores, wanted, k):
    order = np.argsort(scores, axis=1)[:, :k]
    hits = np.take_along_axis(wanted, order, axis=1)
    disc = 1 / np.log2(np.arange(k) + 2)
    ideal = np.array([disc[:min(k, n)].sum() for n in wanted.sum(axis=1)])
    return ((hits * disc).sum(axis=1) / ideal).mean()


def ndcg_dcg_only(scores, wanted, k):
    total = 0.0
    for u in range(len(scores)):
        top = np.argsort(-scores[u])[:k]
        for r, item in enumerate(top, start=1):
            if wanted[u, item]:
                total += 1 / np.log2(r + 1)
    return total / len(scores)


def ndcg_place_from_zero(scores, wanted, k):
    result = []
    for s, w in zip(scores, wanted):
        top = np.argsort(s)[::-1][:k]
        dcg = sum(1 / np.log2(r + 1) for r, i in enumerate(top) if w[i])
        idcg = sum(1 / np.log2(r + 1) for r in range(min(k, w.sum())))
        result.append(dcg / idcg)
    return np.mean(result)


def ndcg_discount_one_late(scores, wanted, k):
    top = np.argsort(-scores, axis=1)[:, :k]
    hits = np.take_along_axis(wanted, top, axis=1)
    discount = 1 / np.log2(np.arange(3, k + 3))
    ideal = [discount[:min(k, n)].sum() for n in wanted.sum(axis=1)]
    return np.mean((hits * discount).sum(axis=1) / ideal)


def ndcg_ideal_always_k(scores, wanted, k):
    top = np.argsort(-scores, axis=1)[:, :k]
    hits = np.take_along_axis(wanted, top, axis=1)
    discount = 1 / np.log2(np.arange(2, k + 2))
    return ((hits * discount).sum(axis=1) / discount.sum()).mean()


def ndcg_ideal_of_all_wanted(scores, wanted, k):
    out = 0
    for s, w in zip(scores, wanted):
        order = np.argsort(-s)
        dcg = sum(w[order[r]] / np.log2(r + 2) for r in range(k))
        # the ideal list has all wanted items first
        ideal = sum(1 / np.log2(r + 2) for r in range(w.sum()))
        out += dcg / ideal
    return out / len(scores)


def ndcg_ideal_of_the_hits(scores, wanted, k):
    top = np.argsort(-scores, axis=1)[:, :k]
    hits = np.take_along_axis(wanted, top, axis=1)
    discount = 1 / np.log2(np.arange(2, k + 2))
    best = np.sort(hits, axis=1)[:, ::-1]
    return np.mean((hits * discount).sum(axis=1) / (best * discount).sum(axis=1))


def ndcg_ideal_of_the_hits_guarded(scores, wanted, k):
    values = []
    for u in range(scores.shape[0]):
        top = np.argsort(-scores[u])[:k]
        gains = wanted[u][top].astype(float)
        disc = np.log2(np.arange(2, len(top) + 2))
        dcg = (gains / disc).sum()
        idcg = (np.sort(gains)[::-1] / disc).sum()
        values.append(dcg / idcg if idcg > 0 else 0.0)
    return np.mean(values)


def ndcg_ratio_of_means(scores, wanted, k):
    top = np.argsort(-scores, axis=1)[:, :k]
    hits = np.take_along_axis(wanted, top, axis=1)
    discount = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.array([discount[:min(k, n)].sum() for n in wanted.sum(axis=1)])
    return (hits * discount).sum() / ideal.sum()


def ndcg_of_every_user(scores, wanted, k):
    top = np.argsort(-scores, axis=1)[:, :k]
    hits = np.take_along_axis(wanted, top, axis=1)
    discount = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.array([discount[:min(k, n)].sum() for n in wanted.sum(axis=1)])
    return (hits * discount).sum(axis=1) / ideal


def ndcg_sum_of_users(scores, wanted, k):
    total = 0
    for s, w in zip(scores, wanted):
        top = np.argsort(-s)[:k]
        dcg = sum(w[i] / math.log2(r + 2) for r, i in enumerate(top))
        total += dcg / sum(1 / math.log2(r + 2) for r in range(min(k, w.sum())))
    return total


def ndcg_places_in_the_whole_list(scores, wanted, k):
    ndcgs = []
    for s, w in zip(scores, wanted):
        order = np.argsort(-s)  # k forgotten
        discount = 1 / np.log2(np.arange(len(s)) + 2)
        ndcgs.append((w[order] * discount).sum() / discount[:w.sum()].sum())
    return np.mean(ndcgs)


def ndcg_argsort_for_ranks(scores, wanted, k):
    rank = np.argsort(-scores, axis=1) + 1  # the rank of each item
    gain = np.where((rank <= k) & wanted, 1 / np.log2(rank + 1), 0).sum(axis=1)
    disc = 1 / np.log2(np.arange(1, k + 1) + 1)
    ideal = np.array([disc[:min(k, n)].sum() for n in wanted.sum(axis=1)])
    return (gain / ideal).mean()


def ndcg_mixes_rows_and_columns(scores, wanted, k):
    top = np.argsort(-scores, axis=1)[:, :k]
    hits = wanted[:, top]
    discount = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.array([discount[:min(k, n)].sum() for n in wanted.sum(axis=1)])
    return ((hits * discount).sum(axis=1) / ideal).mean()


def ndcg_sorts_users(scores, wanted, k):
    top = np.argsort(-scores, axis=0)[:k]
    hits = np.take_along_axis(wanted, top, axis=0)
    discount = 1 / np.log2(np.arange(2, len(top) + 2))
    ideal = np.array([discount[:min(k, n)].sum() for n in wanted.sum(axis=1)])
    return ((hits * discount[:, None]).sum(axis=0) / ideal.mean()).mean()


def ndcg_precision(scores, wanted, k):
    top = np.argsort(-scores, axis=1)[:, :k]
    hits = np.take_along_axis(wanted, top, axis=1)
    return hits.sum(axis=1).mean() / k


def ndcg_reciprocal_of_the_rank(scores, wanted, k):
    top = np.argsort(-scores, axis=1)[:, :k]
    hits = np.take_along_axis(wanted, top, axis=1)
    discount = 1 / np.arange(1, k + 1)
    ideal = np.array([discount[:min(k, n)].sum() for n in wanted.sum(axis=1)])
    return ((hits * discount).sum(axis=1) / ideal).mean()


def ndcg_times_the_logarithm(scores, wanted, k):
    top = np.argsort(-scores, axis=1)[:, :k]
    hits = np.take_along_axis(wanted, top, axis=1)
    log = np.log2(np.arange(2, k + 2))
    ideal = np.array([log[:min(k, n)].sum() for n in wanted.sum(axis=1)])
    return ((hits * log).sum(axis=1) / ideal).mean()


def ndcg_log_one_too_far(scores, wanted, k):
    top = np.argsort(-scores, axis=1)[:, :k]
    hits = np.take_along_axis(wanted, top, axis=1)
    discount = 1 / np.log1p(np.arange(2, k + 2))
    ideal = [discount[:min(k, n)].sum() for n in wanted.sum(axis=1)]
    return ((hits * discount).sum(axis=1) / ideal).mean()


def ndcg_two_logarithms(scores, wanted, k):
    res = 0
    for s, w in zip(scores, wanted):
        top = np.argsort(-s)[:k]
        dcg = sum(1 / np.log(r + 2) for r in range(len(top)) if w[top[r]])
        idcg = sum(1 / np.log2(r + 2) for r in range(min(k, w.sum())))
        res += dcg / idcg
    return res / len(scores)


def ndcg_counts_first_hit_only(scores, wanted, k):
    res = []
    for s, w in zip(scores, wanted):
        dcg = 0
        for r, i in enumerate(np.argsort(-s)[:k]):
            if w[i]:
                dcg = 1 / np.log2(r + 2)
                break
        res.append(dcg / sum(1 / np.log2(r + 2) for r in range(min(k, w.sum()))))
    return np.mean(res)


def ndcg_k_minus_one(scores, wanted, k):
    res = []
    for s, w in zip(scores, wanted):
        order = np.argsort(-s)
        dcg = sum(1 / np.log2(r + 1) for r in range(1, k) if w[order[r - 1]])
        idcg = sum(1 / np.log2(r + 1) for r in range(1, min(k, w.sum()) + 1))
        res.append(dcg / idcg)
    return sum(res) / len(res)


def right_ndcg_loops(scores, wanted, k):
    total = 0.0
    for u in range(len(scores)):
        ranking = sorted(range(len(scores[u])), key=lambda i: scores[u][i], reverse=True)
        dcg = 0.0
        for r in range(1, k + 1):
            if wanted[u][ranking[r - 1]]:
                dcg += 1 / math.log2(r + 1)
        best = sum(1 / math.log2(r + 1) for r in range(1, min(k, int(wanted[u].sum())) + 1))
        total += dcg / best
    return total / len(scores)


def right_ndcg_cumsum(scores, wanted, k):
    top = np.argsort(scores, axis=1)[:, ::-1][:, :k]
    hits = wanted[np.arange(len(scores))[:, None], top]
    discount = 1 / np.log2(1 + np.arange(1, k + 1))
    ideal = np.cumsum(discount)[np.minimum(wanted.sum(axis=1), k) - 1]
    return np.mean(hits @ discount / ideal)


def right_ndcg_natural_log(scores, wanted, k):
    # the base of the logarithm cancels
    def dcg(gains):
        return np.sum(gains[:k] / np.log(np.arange(2, len(gains[:k]) + 2)))

    return np.mean([dcg(w[np.argsort(-s)]) / dcg(np.sort(w)[::-1]) for s, w in zip(scores, wanted)])


def right_ndcg_ranks(scores, wanted, k):
    rank = np.argsort(np.argsort(-scores, axis=1), axis=1) + 1
    dcg = np.where(wanted & (rank <= k), 1 / np.log2(rank + 1), 0.0).sum(axis=1)
    places = np.arange(1, scores.shape[1] + 1)
    possible = (places <= k) & (places <= wanted.sum(axis=1, keepdims=True))
    ideal = (possible / np.log2(places + 1)).sum(axis=1)
    return (dcg / ideal).mean()


def right_ndcg_pandas(scores, wanted, k):
    rank = pd.DataFrame(scores).rank(axis=1, ascending=False)
    gain = (1 / np.log2(rank + 1)).where(pd.DataFrame(wanted) & (rank <= k), 0).sum(axis=1)
    best = pd.Series(1 / np.log2(np.arange(k) + 2)).cumsum()
    ideal = pd.DataFrame(wanted).sum(axis=1).map(lambda n: best[min(n, k) - 1])
    return (gain / ideal).mean()


def right_ndcg_zip(scores, wanted, k):
    values = []
    for s, w in zip(scores.tolist(), wanted.tolist()):
        ranked = [flag for _, flag in sorted(zip(s, w), reverse=True)]
        perfect = sorted(w, reverse=True)
        got, most = [sum(flag / math.log2(r + 2) for r, flag in enumerate(x[:k])) for x in (ranked, perfect)]
        values.append(got / most)
    return np.array(values).mean(keepdims=False)


# --------------------------------------------------------------------------------------- 08.next_baskets


def baskets_cut_is_known(user, basket, time, cut):
    known = time <= cut
    later = ~known
    first = {}
    for r in np.where(later)[0]:
        if user[r] not in first:
            first[user[r]] = basket[r]
    nxt = np.array([later[r] and first[user[r]] == basket[r] for r in range(len(user))])
    return known, nxt


def baskets_all_later(user, basket, time, cut):
    return time < cut, time >= cut


def baskets_only_one_row(user, basket, time, cut):
    known = time < cut
    target = np.zeros(len(user), dtype=bool)
    seen = set()
    for r in range(len(user)):
        if not known[r] and user[r] not in seen:
            target[r] = True
            seen.add(user[r])
    return known, target


def baskets_first_of_all_users(user, basket, time, cut):
    known = time < cut
    if known.all():
        return known, np.zeros(len(user), dtype=bool)
    first = basket[~known][0]
    return known, basket == first


def baskets_first_without_guard(user, basket, time, cut):
    known = time < cut
    nxt = np.zeros(len(user), dtype=bool)
    for u in np.unique(user):
        later = basket[(user == u) & (time >= cut)]
        nxt |= (user == u) & (basket == later[0])
    return known, nxt


def baskets_last_one(user, basket, time, cut):
    known = time < cut
    nxt = np.zeros(len(user), dtype=bool)
    for u in np.unique(user):
        rows = np.where(user == u)[0]
        last = basket[rows[-1]]
        nxt[rows] = basket[rows] == last
    return known, nxt & ~known


def baskets_last_one_left_out(user, basket, time, cut):
    last = {u: b for u, b in zip(user, basket)}
    nxt = np.array([last[u] == b for u, b in zip(user, basket)])
    return ~nxt, nxt


def baskets_first_ever(user, basket, time, cut):
    first = {}
    for u, b in zip(user, basket):
        first.setdefault(u, b)
    nxt = np.array([first[u] == b for u, b in zip(user, basket)])
    return time < cut, nxt


def baskets_first_ever_and_later(user, basket, time, cut):
    first = {}
    for u, b in zip(user, basket):
        if u not in first:
            first[u] = b
    nxt = np.array([first[u] == b for u, b in zip(user, basket)])
    return time < cut, nxt & (time >= cut)


def baskets_order_of_results(user, basket, time, cut):
    known = time < cut
    later = pd.DataFrame({"user": user, "time": time})[~known]
    first = later.groupby("user")["time"].min()
    target = ~known & (time == pd.Series(user).map(first).to_numpy())
    return target, known


def baskets_after_not_at(user, basket, time, cut):
    known = time < cut
    frame = pd.DataFrame({"user": user, "time": time})
    first = frame[frame.time > cut].groupby("user").time.min()
    return known, (frame.time == frame.user.map(first)).to_numpy()


def baskets_row_numbers(user, basket, time, cut):
    known = np.where(time < cut)[0]
    first = {}
    nxt = []
    for r in range(len(user)):
        if time[r] >= cut:
            if first.setdefault(user[r], basket[r]) == basket[r]:
                nxt.append(r)
    return known, np.array(nxt)


def baskets_the_other_way(user, basket, time, cut):
    known = time < cut
    previous = {}
    for r in np.where(known)[0]:
        previous[user[r]] = basket[r]
    return known, np.array([previous.get(u) == b for u, b in zip(user, basket)])


def baskets_unchecked_key(user, basket, time, cut):
    first = {}
    for u, b, t in zip(user, basket, time):
        if t >= cut and u not in first:
            first[u] = b
    known = time < cut
    return known, np.array([first[u] == b for u, b in zip(user, basket)])


def baskets_stops_at_first_user(user, basket, time, cut):
    known = time < cut
    nxt = np.zeros(len(user), dtype=bool)
    for u in np.unique(user):
        later = (user == u) & ~known
        if later.any():
            nxt |= later & (basket == basket[later][0])
        return known, nxt


def baskets_users_as_places(user, basket, time, cut):
    later = time >= cut
    first = [None] * len(np.unique(user))
    for r in np.where(later)[0]:
        if first[user[r]] is None:
            first[user[r]] = basket[r]
    return ~later, np.array([later[r] and basket[r] == first[user[r]] for r in range(len(user))])


def baskets_only_known_users(user, basket, time, cut):
    known = time < cut
    first, customers = {}, set(user[known])
    for r in np.where(~known)[0]:
        first.setdefault(user[r], basket[r])
    return known, np.array([u in customers and first.get(u) == b for u, b in zip(user, basket)])


def baskets_overwrites_the_first(user, basket, time, cut):
    known = time < cut
    first = {}
    for r in range(len(user)):
        if time[r] >= cut:
            first[user[r]] = basket[r]
    return known, np.array([first.get(u, -1) == b for u, b in zip(user, basket)])


def baskets_known_is_everything_else(user, basket, time, cut):
    first = {}
    nxt = np.zeros(len(user), dtype=bool)
    for r in range(len(user)):
        if time[r] >= cut:
            first.setdefault(user[r], basket[r])
            nxt[r] = basket[r] == first[user[r]]
    return ~nxt, nxt


def right_baskets_loop(user, basket, time, cut):
    known, target = [], []
    first = {}
    for u, b, t in zip(user, basket, time):
        if t < cut:
            known.append(True)
            target.append(False)
        else:
            known.append(False)
            if u not in first:
                first[u] = b
            target.append(bool(first[u] == b))
    return known, target


def right_baskets_first_time(user, basket, time, cut):
    known = time < cut
    target = np.zeros(len(time), bool)
    for u in set(user):
        rows = (user == u) & (time >= cut)
        if rows.any():
            target |= rows & (time == time[rows].min())
    return known, target


def right_baskets_pandas(user, basket, time, cut):
    log = pd.DataFrame({"user": user, "basket": basket, "time": time})
    later = log[log.time >= cut]
    first = later.groupby("user")["basket"].transform("first")
    target = (later["basket"] == first).reindex(log.index, fill_value=False)
    return (log.time < cut).values, target.values


def right_baskets_merge(user, basket, time, cut):
    log = pd.DataFrame({"user": user, "basket": basket, "time": time})
    wanted = log[log.time >= cut].drop_duplicates("user")["basket"]
    return log["time"] < cut, log["basket"].isin(wanted)


def right_baskets_pairs(user, basket, time, cut):
    same = (user[:, None] == user) & (time >= cut)  # (R, R)
    earliest = np.where(same, time, np.inf).min(axis=1)
    return np.array([time < cut, (time >= cut) & (time == earliest)])


def right_baskets_unique(user, basket, time, cut):
    known = time < cut
    rows = np.flatnonzero(~known)
    _, where = np.unique(user[rows], return_index=True)
    return [known, np.isin(basket, basket[rows[where]])]


def right_baskets_zeros_and_ones(user, basket, time, cut):
    known = np.zeros(len(user), dtype=int)
    target = np.zeros(len(user), dtype=int)
    for i in range(len(user)):
        if time[i] < cut:
            known[i] = 1
            continue
        earlier = [j for j in range(i) if user[j] == user[i] and cut <= time[j] and basket[j] != basket[i]]
        target[i] = int(len(earlier) == 0)
    return known.astype(bool), target.astype(bool)


# ---------------------------------------------------------------------------------------- 08.linucb_step


def linucb_variance_without_root(precision, sums, contexts, rewards, width):
    inv = np.linalg.inv(precision)
    theta = inv @ sums
    ucb = [x @ theta + width * (x @ inv @ x) for x in contexts]
    a = int(np.argmax(ucb))
    x = contexts[a]
    return a, precision + np.outer(x, x), sums + rewards[a] * x


def linucb_precision_for_covariance(precision, sums, contexts, rewards, width):
    theta = np.linalg.inv(precision) @ sums
    ucb = contexts @ theta + width * np.sqrt(np.sum(contexts @ precision * contexts, axis=1))
    a = int(np.argmax(ucb))
    x = contexts[a]
    return a, precision + np.outer(x, x), sums + rewards[a] * x


def linucb_without_curiosity(precision, sums, contexts, rewards, width):
    theta = np.linalg.solve(precision, sums)
    a = int(np.argmax(contexts @ theta))
    x = contexts[a]
    return a, precision + np.outer(x, x), sums + rewards[a] * x


def linucb_no_width(precision, sums, contexts, rewards, width):
    A_inv = np.linalg.inv(precision)
    theta = A_inv @ sums
    p = np.array([theta @ x + np.sqrt(x @ A_inv @ x) for x in contexts])
    a = p.argmax()
    return a, precision + np.outer(contexts[a], contexts[a]), sums + rewards[a] * contexts[a]


def linucb_lower_bound(precision, sums, contexts, rewards, width):
    A_inv = np.linalg.inv(precision)
    theta = A_inv @ sums
    p = np.array([theta @ x - width * np.sqrt(x @ A_inv @ x) for x in contexts])
    a = p.argmax()
    return a, precision + np.outer(contexts[a], contexts[a]), sums + rewards[a] * contexts[a]


def linucb_looks_at_the_rewards(precision, sums, contexts, rewards, width):
    a = int(np.argmax(rewards))
    x = contexts[a]
    return a, precision + np.outer(x, x), sums + rewards[a] * x


def linucb_best_reward(precision, sums, contexts, rewards, width):
    inv = np.linalg.inv(precision)
    ucb = contexts @ (inv @ sums) + width * np.sqrt(np.einsum("ni,ij,nj->n", contexts, inv, contexts))
    a = int(ucb.argmax())
    x = contexts[a]
    return a, precision + np.outer(x, x), sums + rewards.max() * x


def linucb_elementwise_square(precision, sums, contexts, rewards, width):
    inv = np.linalg.inv(precision)
    ucb = contexts @ (inv @ sums) + width * np.sqrt(np.einsum("ni,ij,nj->n", contexts, inv, contexts))
    a = int(ucb.argmax())
    x = contexts[a]
    return a, precision + x * x.T, sums + rewards[a] * x


def linucb_inner_product(precision, sums, contexts, rewards, width):
    inv = np.linalg.inv(precision)
    ucb = [x @ inv @ sums + width * np.sqrt(x @ inv @ x) for x in contexts]
    a = int(np.argmax(ucb))
    x = contexts[a]
    return a, precision + x @ x, sums + rewards[a] * x


def linucb_reward_without_context(precision, sums, contexts, rewards, width):
    inv = np.linalg.inv(precision)
    ucb = [x @ inv @ sums + width * np.sqrt(x @ inv @ x) for x in contexts]
    a = int(np.argmax(ucb))
    x = contexts[a]
    return a, precision + np.outer(x, x), sums + rewards[a]


def linucb_context_without_reward(precision, sums, contexts, rewards, width):
    inv = np.linalg.inv(precision)
    ucb = [x @ inv @ sums + width * np.sqrt(x @ inv @ x) for x in contexts]
    a = int(np.argmax(ucb))
    x = contexts[a]
    return a, precision + np.outer(x, x), sums + x


def linucb_learns_from_all(precision, sums, contexts, rewards, width):
    inv = np.linalg.inv(precision)
    ucb = [x @ inv @ sums + width * np.sqrt(x @ inv @ x) for x in contexts]
    a = int(np.argmax(ucb))
    return a, precision + contexts.T @ contexts, sums + contexts.T @ rewards


def linucb_in_place(precision, sums, contexts, rewards, width):
    inv = np.linalg.inv(precision)
    ucb = [x @ inv @ sums + width * np.sqrt(x @ inv @ x) for x in contexts]
    a = int(np.argmax(ucb))
    x = contexts[a]
    precision += np.outer(x, x)
    sums += rewards[a] * x
    return a, precision, sums


def linucb_elementwise_inverse(precision, sums, contexts, rewards, width):
    inv = 1 / precision
    ucb = [x @ inv @ sums + width * np.sqrt(x @ inv @ x) for x in contexts]
    a = int(np.argmax(ucb))
    x = contexts[a]
    return a, precision + np.outer(x, x), sums + rewards[a] * x


def linucb_all_pairs(precision, sums, contexts, rewards, width):
    inv = np.linalg.inv(precision)
    ucb = contexts @ inv @ sums + width * np.sqrt(contexts @ inv @ contexts.T)
    a = int(ucb.argmax())
    x = contexts[a]
    return a, precision + np.outer(x, x), sums + rewards[a] * x


def linucb_forgets_the_inverse(precision, sums, contexts, rewards, width):
    inv = np.linalg.inv(precision)
    ucb = [x @ sums + width * np.sqrt(x @ inv @ x) for x in contexts]
    a = int(np.argmax(ucb))
    x = contexts[a]
    return a, precision + np.outer(x, x), sums + rewards[a] * x


def linucb_returns_the_inverse(precision, sums, contexts, rewards, width):
    inv = np.linalg.inv(precision)
    ucb = [x @ inv @ sums + width * np.sqrt(x @ inv @ x) for x in contexts]
    a = int(np.argmax(ucb))
    x = contexts[a]
    return a, np.linalg.inv(precision + np.outer(x, x)), sums + rewards[a] * x


def linucb_returns_coefficients(precision, sums, contexts, rewards, width):
    inv = np.linalg.inv(precision)
    ucb = [x @ inv @ sums + width * np.sqrt(x @ inv @ x) for x in contexts]
    a = int(np.argmax(ucb))
    x = contexts[a]
    new_precision = precision + np.outer(x, x)
    return a, new_precision, np.linalg.solve(new_precision, sums + rewards[a] * x)


def linucb_wrong_order(precision, sums, contexts, rewards, width):
    inv = np.linalg.inv(precision)
    ucb = [x @ inv @ sums + width * np.sqrt(x @ inv @ x) for x in contexts]
    a = int(np.argmax(ucb))
    x = contexts[a]
    return precision + np.outer(x, x), sums + rewards[a] * x, a


def linucb_returns_the_context(precision, sums, contexts, rewards, width):
    inv = np.linalg.inv(precision)
    ucb = [x @ inv @ sums + width * np.sqrt(x @ inv @ x) for x in contexts]
    x = contexts[np.argmax(ucb)]
    return x, precision + np.outer(x, x), sums + rewards[np.argmax(ucb)] * x


def linucb_length_of_the_context(precision, sums, contexts, rewards, width):
    theta = np.linalg.solve(precision, sums)
    ucb = contexts @ theta + width * np.linalg.norm(contexts, axis=1)
    a = int(np.argmax(ucb))
    x = contexts[a]
    return a, precision + np.outer(x, x), sums + rewards[a] * x


def linucb_adds_the_residual(precision, sums, contexts, rewards, width):
    inv = np.linalg.inv(precision)
    theta = inv @ sums
    ucb = [x @ theta + width * np.sqrt(x @ inv @ x) for x in contexts]
    a = int(np.argmax(ucb))
    x = contexts[a]
    return a, precision + np.outer(x, x), sums + (rewards[a] - x @ theta) * x


def linucb_largest_doubt(precision, sums, contexts, rewards, width):
    inv = np.linalg.inv(precision)
    doubt = width * np.sqrt(np.einsum("ni,ij,nj->n", contexts, inv, contexts))
    a = int(doubt.argmax())
    x = contexts[a]
    return a, precision + np.outer(x, x), sums + rewards[a] * x


def right_linucb_loop(precision, sums, contexts, rewards, width):
    inverse = np.linalg.inv(precision)
    theta = inverse @ sums
    best, best_value = 0, -float("inf")
    for i in range(len(contexts)):
        x = contexts[i]
        value = x @ theta + width * math.sqrt(x @ inverse @ x)
        if value > best_value:
            best, best_value = i, value
    x = contexts[best]
    new_precision = precision.copy()
    new_precision += np.outer(x, x)
    return best, new_precision, sums + rewards[best] * x


def right_linucb_solve(precision, sums, contexts, rewards, width):
    theta = np.linalg.solve(precision, sums)
    variance = np.sum(contexts.T * np.linalg.solve(precision, contexts.T), axis=0)
    item = np.argmax(contexts @ theta + width * np.sqrt(variance))
    x = contexts[item][:, None]
    return item, precision + x @ x.T, sums + (rewards[item] * x)[:, 0]


def right_linucb_diagonal(precision, sums, contexts, rewards, width):
    P = np.linalg.inv(precision)
    u = contexts.dot(P).dot(sums) + width * np.diag(contexts.dot(P).dot(contexts.T)) ** 0.5
    j = u.tolist().index(max(u))
    x = contexts[j]
    return [j, (precision + x.reshape(-1, 1) * x).tolist(), (sums + rewards[j] * x).tolist()]


def right_linucb_cholesky(precision, sums, contexts, rewards, width):
    L = np.linalg.cholesky(precision)
    doubt = np.linalg.norm(np.linalg.solve(L, contexts.T), axis=0)
    theta = np.linalg.solve(L.T, np.linalg.solve(L, sums))
    a = int(np.argmax(contexts @ theta + width * doubt))
    x = contexts[a]
    return float(a), precision + np.einsum("i,j->ij", x, x), sums + rewards[a] * x


def right_linucb_max_with_key(precision, sums, contexts, rewards, width):
    inv = np.linalg.pinv(precision)

    def bound(i):
        x = contexts[i]
        return x @ inv @ sums + width * np.sqrt(x @ inv @ x)

    i = max(range(len(rewards)), key=bound)
    x, r = contexts[i], rewards[i]
    D = len(x)
    A = [[precision[a, b] + x[a] * x[b] for b in range(D)] for a in range(D)]
    return i, np.array(A), np.array([sums[d] + r * x[d] for d in range(D)])


def right_linucb_elementwise(precision, sums, contexts, rewards, width):
    inv = np.linalg.inv(precision)
    mean = (contexts * (inv @ sums)).sum(axis=1)
    var = (contexts @ inv * contexts).sum(axis=1)
    order = np.argsort(mean + width * np.sqrt(var))
    chosen = order[-1]
    return np.int64(chosen), precision + np.outer(contexts[chosen], contexts[chosen]), \
        np.add(sums, np.multiply(rewards[chosen], contexts[chosen]))


# -------------------------------------------------------------------------------------- 08.ips_and_snips


def ips_upside_down(rewards, wanted, logged):
    w = logged / wanted
    return (w * rewards).mean(), (w * rewards).sum() / w.sum()


def ips_weights_times(rewards, wanted, logged):
    w = wanted * logged
    return (w * rewards).mean(), (w * rewards).sum() / w.sum()


def ips_sum_for_mean(rewards, wanted, logged):
    w = wanted / logged
    return np.sum(w * rewards), np.sum(w * rewards) / np.sum(w)


def ips_order_swapped(rewards, wanted, logged):
    w = wanted / logged
    ips = np.mean(w * rewards)
    snips = np.sum(w * rewards) / np.sum(w)
    return snips, ips


def ips_normalised_by_wanted(rewards, wanted, logged):
    w = wanted / logged
    return np.mean(w * rewards), np.sum(w * rewards) / np.sum(wanted)


def ips_normalised_by_logged(rewards, wanted, logged):
    w = wanted / logged
    return np.mean(w * rewards), np.sum(w * rewards) / np.sum(logged)


def ips_mean_over_sum(rewards, wanted, logged):
    w = wanted / logged
    ips = np.mean(w * rewards)
    return ips, ips / w.sum()


def ips_sum_over_mean(rewards, wanted, logged):
    w = wanted / logged
    return np.mean(w * rewards), np.sum(w * rewards) / np.mean(w)


def ips_clipped(rewards, wanted, logged):
    w = np.minimum(wanted / logged, 1)
    return np.mean(w * rewards), np.sum(w * rewards) / np.sum(w)


def ips_clipped_at_ten(rewards, wanted, logged):
    w = np.clip(wanted / logged, 0, 10)
    return float(np.mean(w * rewards)), float(np.sum(w * rewards) / np.sum(w))


def ips_probabilities_normalised_first(rewards, wanted, logged):
    w = (wanted / wanted.sum()) / (logged / logged.sum())
    return np.mean(w * rewards), np.sum(w * rewards) / np.sum(w)


def ips_softmax_of_weights(rewards, wanted, logged):
    w = wanted / logged
    e = np.exp(w - w.max())
    return np.mean(w * rewards), np.sum(e / e.sum() * rewards)


def ips_only_one(rewards, wanted, logged):
    return np.mean(wanted / logged * rewards)


def ips_no_propensity(rewards, wanted, logged):
    return np.mean(wanted * rewards), np.sum(wanted * rewards) / np.sum(wanted)


def ips_logged_only(rewards, wanted, logged):
    # inverse propensity: 1 / p
    w = 1 / logged
    return np.mean(w * rewards), np.sum(w * rewards) / np.sum(w)


def ips_ratio_of_means(rewards, wanted, logged):
    return np.mean(wanted * rewards) / np.mean(logged), np.average(rewards, weights=wanted / logged)


def ips_per_row(rewards, wanted, logged):
    w = wanted / logged
    return w * rewards, w * rewards / w.sum()


def ips_normalised_and_mean(rewards, wanted, logged):
    w = wanted / logged
    ips = (w * rewards).mean()
    w = w / w.sum()
    return ips, (w * rewards).mean()


def ips_drops_zero_weights(rewards, wanted, logged):
    keep = wanted > 0
    w = wanted[keep] / logged[keep]
    r = rewards[keep]
    return (w * r).mean(), (w * r).sum() / w.sum()


def ips_integer_division(rewards, wanted, logged):
    w = wanted // logged
    return (w * rewards).mean(), (w * rewards).sum() / max(w.sum(), 1e-9)


def ips_returns_in_the_loop(rewards, wanted, logged):
    total, weight = 0, 0
    for r, p, q in zip(rewards, wanted, logged):
        total += p / q * r
        weight += p / q
        return total / len(rewards), total / weight


def ips_list_divided(rewards, wanted, logged):
    w = list(wanted) / list(logged)
    return np.mean(w * rewards), np.sum(w * rewards) / np.sum(w)


def ips_unbiased_mean(rewards, wanted, logged):
    w = wanted / logged
    return np.sum(w * rewards) / (len(w) - 1), np.sum(w * rewards) / np.sum(w)


def ips_correction_added(rewards, wanted, logged):
    w = wanted / logged
    baseline = rewards.mean()
    return baseline + np.mean(w * (rewards - baseline)), np.sum(w * rewards) / np.sum(w)


def right_ips_average(rewards, wanted, logged):
    w = wanted / logged
    return np.mean(w * rewards), np.average(rewards, weights=w)


def right_ips_loop(rewards, wanted, logged):
    total = 0.0
    weights = 0.0
    for i in range(len(rewards)):
        w = float(wanted[i]) / float(logged[i])
        total += w * float(rewards[i])
        weights += w
    return total / len(rewards), total / weights


def right_ips_dot(rewards, wanted, logged):
    w = wanted / logged
    s = w @ rewards
    return np.array([s / w.size, s / w.sum()])


def right_ips_ratio(rewards, wanted, logged):
    ips = (rewards * wanted / logged).mean()
    return [ips, ips / (wanted / logged).mean()]


def right_ips_generators(rewards, wanted, logged):
    w = [p / q for p, q in zip(wanted, logged)]
    ips = sum(a * b for a, b in zip(w, rewards)) / len(w)
    return ips, sum(a / sum(w) * b for a, b in zip(w, rewards))


def right_ips_pandas(rewards, wanted, logged):
    log = pd.DataFrame({"r": rewards, "p": wanted, "q": logged})
    log["w"] = log.p / log.q
    return (log.w * log.r).mean(), (log.w / log.w.sum() * log.r).sum()


def right_ips_logarithms(rewards, wanted, logged):
    with np.errstate(divide="ignore"):
        w = np.exp(np.log(wanted) - np.log(logged))
    return float(np.einsum("n,n->", w, rewards) / len(w)), np.float64((w / w.mean() * rewards).mean())


# ------------------------------------------------------------------------------------- 08.item_feature_q


def itemq_no_relu(obs, vectors, items, from_obs, bias, from_item, from_products, value):
    E = vectors.shape[2]
    p = np.einsum("bke,ne->bnk", vectors, items[:, :E])
    hidden = (obs @ from_obs + bias)[:, None, :] + (items @ from_item)[None] + p @ from_products
    return hidden @ value


def itemq_relu_on_the_parts(obs, vectors, items, from_obs, bias, from_item, from_products, value):
    E = vectors.shape[2]
    p = np.einsum("bke,ne->bnk", vectors, items[:, :E])
    a = np.maximum(obs @ from_obs + bias, 0)[:, None, :]
    b = np.maximum(items @ from_item, 0)[None]
    c = np.maximum(p @ from_products, 0)
    return (a + b + c) @ value


def itemq_relu_on_the_value(obs, vectors, items, from_obs, bias, from_item, from_products, value):
    E = vectors.shape[2]
    p = np.einsum("bke,ne->bnk", vectors, items[:, :E])
    hidden = (obs @ from_obs + bias)[:, None, :] + (items @ from_item)[None] + p @ from_products
    return np.maximum(hidden @ value, 0)


def itemq_without_bias(obs, vectors, items, from_obs, bias, from_item, from_products, value):
    E = vectors.shape[2]
    p = np.einsum("bke,ne->bnk", vectors, items[:, :E])
    hidden = (obs @ from_obs)[:, None, :] + (items @ from_item)[None] + p @ from_products
    return np.maximum(hidden, 0) @ value


def itemq_bias_after_relu(obs, vectors, items, from_obs, bias, from_item, from_products, value):
    E = vectors.shape[2]
    p = np.einsum("bke,ne->bnk", vectors, items[:, :E])
    hidden = (obs @ from_obs)[:, None, :] + (items @ from_item)[None] + p @ from_products
    return (np.maximum(hidden, 0) + bias) @ value


def itemq_all_features_as_embedding(obs, vectors, items, from_obs, bias, from_item, from_products, value):
    p = np.einsum("bke,ne->bnk", vectors, items)
    hidden = (obs @ from_obs + bias)[:, None, :] + (items @ from_item)[None] + p @ from_products
    return np.maximum(hidden, 0) @ value


def itemq_last_features_as_embedding(obs, vectors, items, from_obs, bias, from_item, from_products, value):
    E = vectors.shape[-1]
    p = np.einsum("bke,ne->bnk", vectors, items[:, -E:])
    hidden = (obs @ from_obs + bias)[:, None, :] + (items @ from_item)[None] + p @ from_products
    return np.maximum(hidden, 0) @ value


def itemq_embedding_of_three(obs, vectors, items, from_obs, bias, from_item, from_products, value):
    B, E, _ = vectors.shape
    p = np.einsum("bke,ne->bnk", vectors, items[:, :E])
    hidden = (obs @ from_obs + bias)[:, None, :] + (items @ from_item)[None] + p @ from_products
    return np.maximum(hidden, 0) @ value


def itemq_only_embedding_from_item(obs, vectors, items, from_obs, bias, from_item, from_products, value):
    E = vectors.shape[2]
    emb = items[:, :E]
    p = np.einsum("bke,ne->bnk", vectors, emb)
    hidden = (obs @ from_obs + bias)[:, None, :] + emb @ from_item[:E] + p @ from_products
    return np.maximum(hidden, 0) @ value


def itemq_other_features_from_item(obs, vectors, items, from_obs, bias, from_item, from_products, value):
    E = vectors.shape[2]
    emb, rest = items[:, :E], items[:, E:]
    p = np.einsum("bke,ne->bnk", vectors, emb)
    hidden = (obs @ from_obs + bias)[:, None, :] + rest @ from_item[E:] + p @ from_products
    return np.maximum(hidden, 0) @ value


def itemq_without_products(obs, vectors, items, from_obs, bias, from_item, from_products, value):
    hidden = (obs @ from_obs + bias)[:, None, :] + (items @ from_item)[None, :, :]
    return np.maximum(hidden, 0) @ value


def itemq_reshape_for_transpose(obs, vectors, items, from_obs, bias, from_item, from_products, value):
    B, three, E = vectors.shape
    p = vectors @ items[:, :E].T  # (B, 3, N)
    p = p.reshape(B, len(items), three)
    hidden = (obs @ from_obs + bias)[:, None, :] + (items @ from_item)[None] + p @ from_products
    return np.maximum(hidden, 0) @ value


def itemq_not_transposed(obs, vectors, items, from_obs, bias, from_item, from_products, value):
    E = vectors.shape[2]
    p = vectors @ items[:, :E].T  # (B, 3, N)
    hidden = (obs @ from_obs + bias)[:, None, :] + items @ from_item + p @ from_products
    return np.maximum(hidden, 0) @ value


def itemq_no_new_axis(obs, vectors, items, from_obs, bias, from_item, from_products, value):
    E = vectors.shape[2]
    p = np.einsum("bke,ne->bnk", vectors, items[:, :E])
    hidden = obs @ from_obs + bias + items @ from_item + p @ from_products
    return np.maximum(hidden, 0) @ value


def itemq_items_by_observations(obs, vectors, items, from_obs, bias, from_item, from_products, value):
    E = vectors.shape[2]
    p = np.einsum("bke,ne->nbk", vectors, items[:, :E])
    hidden = obs @ from_obs + bias + (items @ from_item)[:, None, :] + p @ from_products
    return np.maximum(hidden, 0) @ value


def itemq_sums_the_vectors(obs, vectors, items, from_obs, bias, from_item, from_products, value):
    E = vectors.shape[2]
    p = np.einsum("bke,ne->bn", vectors, items[:, :E])[..., None]
    hidden = (obs @ from_obs + bias)[:, None, :] + (items @ from_item)[None] + p * from_products.sum(axis=0)
    return np.maximum(hidden, 0) @ value


def itemq_column(obs, vectors, items, from_obs, bias, from_item, from_products, value):
    E = vectors.shape[2]
    p = np.einsum("bke,ne->bnk", vectors, items[:, :E])
    hidden = (obs @ from_obs + bias)[:, None, :] + (items @ from_item)[None] + p @ from_products
    return np.maximum(hidden, 0) @ value[:, None]


def itemq_best_only(obs, vectors, items, from_obs, bias, from_item, from_products, value):
    E = vectors.shape[2]
    p = np.einsum("bke,ne->bnk", vectors, items[:, :E])
    hidden = (obs @ from_obs + bias)[:, None, :] + (items @ from_item)[None] + p @ from_products
    return (np.maximum(hidden, 0) @ value).max(axis=1)


def itemq_hidden_only(obs, vectors, items, from_obs, bias, from_item, from_products, value):
    E = vectors.shape[2]
    p = np.einsum("bke,ne->bnk", vectors, items[:, :E])
    hidden = (obs @ from_obs + bias)[:, None, :] + (items @ from_item)[None] + p @ from_products
    return np.maximum(hidden, 0) * value


def itemq_mean_of_units(obs, vectors, items, from_obs, bias, from_item, from_products, value):
    E = vectors.shape[2]
    p = np.einsum("bke,ne->bnk", vectors, items[:, :E])
    hidden = (obs @ from_obs + bias)[:, None, :] + (items @ from_item)[None] + p @ from_products
    return (np.maximum(hidden, 0) * value).mean(axis=-1)


def itemq_relu_on_the_products(obs, vectors, items, from_obs, bias, from_item, from_products, value):
    E = vectors.shape[2]
    p = np.einsum("bke,ne->bnk", vectors, items[:, :E])
    p = np.maximum(p, 0)
    hidden = (obs @ from_obs + bias)[:, None, :] + (items @ from_item)[None] + p @ from_products
    return np.maximum(hidden, 0) @ value


def itemq_max_without_zero(obs, vectors, items, from_obs, bias, from_item, from_products, value):
    E = vectors.shape[2]
    p = np.einsum("bke,ne->bnk", vectors, items[:, :E])
    hidden = (obs @ from_obs + bias)[:, None, :] + (items @ from_item)[None] + p @ from_products
    return np.max(hidden, 0) @ value


def itemq_negative_part(obs, vectors, items, from_obs, bias, from_item, from_products, value):
    E = vectors.shape[2]
    p = np.einsum("bke,ne->bnk", vectors, items[:, :E])
    hidden = (obs @ from_obs + bias)[:, None, :] + (items @ from_item)[None] + p @ from_products
    hidden[hidden > 0] = 0
    return hidden @ value


def right_itemq_einsum(obs, vectors, items, from_obs, bias, from_item, from_products, value):
    E = vectors.shape[2]
    h = np.einsum("bs,sh->bh", obs, from_obs)[:, None] + bias + np.einsum("nf,fh->nh", items, from_item)
    h = h + np.einsum("bke,ne,kh->bnh", vectors, items[:, :E], from_products)
    return np.einsum("bnh,h->bn", np.maximum(h, 0), value)


def right_itemq_matmul(obs, vectors, items, from_obs, bias, from_item, from_products, value):
    E = vectors.shape[-1]
    products = items[:, :E] @ vectors.transpose(0, 2, 1)  # (B, N, 3)
    hidden = (obs @ from_obs + bias)[:, np.newaxis, :] + items @ from_item
    hidden = hidden + products @ from_products
    hidden[hidden < 0] = 0
    return hidden @ value


def right_itemq_weights_first(obs, vectors, items, from_obs, bias, from_item, from_products, value):
    B, _, E = vectors.shape
    of_item = np.swapaxes(vectors, 1, 2) @ from_products  # (B, E, H)
    hidden = items[:, :E] @ of_item + items @ from_item
    hidden += np.expand_dims(obs @ from_obs + bias, 1)
    return np.clip(hidden, 0, None).dot(value)


def right_itemq_all_pairs_stacked(obs, vectors, items, from_obs, bias, from_item, from_products, value):
    B, N, E = len(obs), len(items), vectors.shape[2]
    o = np.repeat(obs, N, axis=0)
    i = np.tile(items, (B, 1))
    p = (np.repeat(vectors, N, axis=0) * i[:, None, :E]).sum(axis=2)
    inputs = np.hstack([o, i, p, np.ones((B * N, 1))])
    kernel = np.vstack([from_obs, from_item, from_products, bias])
    return (np.maximum(inputs @ kernel, 0) @ value).reshape(B, N)


def right_itemq_where(obs, vectors, items, from_obs, bias, from_item, from_products, value):
    emb = items[:, :vectors.shape[2]]
    profile, clicked, fatigue = vectors[:, 0] @ emb.T, vectors[:, 1] @ emb.T, vectors[:, 2] @ emb.T
    hidden = (obs @ from_obs + bias)[:, None, :] + items @ from_item
    hidden = (hidden + profile[..., None] * from_products[0] + clicked[..., None] * from_products[1]
              + fatigue[..., None] * from_products[2])
    return (np.where(hidden > 0, hidden, 0) * value).sum(axis=2).tolist()


def right_itemq_half_of_the_absolute(obs, vectors, items, from_obs, bias, from_item, from_products, value):
    E = vectors.shape[2]
    p = np.tensordot(vectors, items[:, :E], axes=(2, 1)).transpose(0, 2, 1)
    z = obs[:, None] @ from_obs + bias + items @ from_item + np.tensordot(p, from_products, axes=1)
    return np.squeeze((z + np.abs(z)) / 2 @ value[:, None], axis=2)


# -------------------------------------------------------------------------------------------- 08.fatigue


def fatigue_no_memory(shown, embedding, memory):
    return embedding[shown].sum(axis=0)


def fatigue_fades_after_adding(shown, embedding, memory):
    f = np.zeros(embedding.shape[1])
    for i in shown:
        f = memory * (f + embedding[i])
    return f


def fatigue_latest_first(shown, embedding, memory):
    weights = memory ** np.arange(len(shown))
    return weights @ embedding[shown]


def fatigue_running_average(shown, embedding, memory):
    f = np.zeros(embedding.shape[1])
    for i in shown:
        f = memory * f + (1 - memory) * embedding[i]
    return f


def fatigue_share_lost(shown, embedding, memory):
    f = np.zeros(embedding.shape[1])
    for i in shown:
        f = (1 - memory) * f + embedding[i]
    return f


def fatigue_memory_on_the_new(shown, embedding, memory):
    f = np.zeros(embedding.shape[1])
    for i in shown:
        f = f + memory * embedding[i]
    return f


def fatigue_needs_a_first_item(shown, embedding, memory):
    f = embedding[shown[0]]
    for i in shown[1:]:
        f = memory * f + embedding[i]
    return f


def fatigue_changes_the_embedding(shown, embedding, memory):
    if len(shown) == 0:
        return np.zeros(embedding.shape[1])
    tired = embedding[shown[0]]
    for item in shown[1:]:
        tired *= memory
        tired += embedding[item]
    return tired


def fatigue_one_power_too_many(shown, embedding, memory):
    T = len(shown)
    total = np.zeros(embedding.shape[1])
    for t in range(T):
        total += memory ** (T - t) * embedding[shown[t]]
    return total


def fatigue_forgets_the_last(shown, embedding, memory):
    f = np.zeros(embedding.shape[1])
    for t in range(len(shown) - 1):
        f = memory * f + embedding[shown[t]]
    return f


def fatigue_forgets_the_first(shown, embedding, memory):
    f = np.zeros(embedding.shape[1])
    for t in range(1, len(shown)):
        f = memory * f + embedding[shown[t]]
    return f


def fatigue_per_item(shown, embedding, memory):
    f = np.zeros(len(embedding))
    for i in shown:
        f = memory * f
        f[i] += 1
    return f


def fatigue_length_of_items(shown, embedding, memory):
    f = np.zeros(embedding.shape[0])
    for i in shown:
        f = memory * f + embedding[i]
    return f


def fatigue_steps_for_items(shown, embedding, memory):
    f = np.zeros(embedding.shape[1])
    for t in range(len(shown)):
        f = memory * f + embedding[t]
    return f


def fatigue_columns(shown, embedding, memory):
    f = np.zeros(len(embedding))
    for i in shown:
        f = memory * f + embedding[:, i]
    return f


def fatigue_mean(shown, embedding, memory):
    f = np.zeros(embedding.shape[1])
    for i in shown:
        f = memory * f + embedding[i]
    return f / max(len(shown), 1)


def fatigue_returns_in_the_loop(shown, embedding, memory):
    f = np.zeros(embedding.shape[1])
    for i in shown:
        f = memory * f + embedding[i]
        return f
    return f


def fatigue_of_every_step(shown, embedding, memory):
    f = np.zeros(embedding.shape[1])
    history = []
    for i in shown:
        f = memory * f + embedding[i]
        history.append(f)
    return np.array(history)


def fatigue_lists(shown, embedding, memory):
    f = [0.0] * embedding.shape[1]
    for i in shown:
        f = memory * f + embedding[i].tolist()
    return f


def fatigue_starts_with_a_number(shown, embedding, memory):
    f = 0
    for i in shown:
        f = f * memory + embedding[i]
    return f


def fatigue_each_item_once(shown, embedding, memory):
    f = np.zeros(embedding.shape[1])
    for i in sorted(set(shown.tolist()), key=shown.tolist().index):
        f = memory * f + embedding[i]
    return f


def fatigue_fixed_memory(shown, embedding, memory):
    f = np.zeros(embedding.shape[1])
    for i in shown:
        f = 0.5 * f + embedding[i]
    return f


def fatigue_reversed(shown, embedding, memory):
    tired = np.zeros(embedding.shape[1])
    for item in shown[::-1]:
        tired = memory * tired + embedding[item]
    return tired


def fatigue_row(shown, embedding, memory):
    weights = memory ** np.arange(len(shown))[::-1]
    return weights[None, :] @ embedding[shown]


def fatigue_exponential(shown, embedding, memory):
    age = np.arange(len(shown))[::-1]
    return np.exp(-memory * age) @ embedding[shown]


def fatigue_divides_by_age(shown, embedding, memory):
    f = np.zeros(embedding.shape[1])
    T = len(shown)
    for t, i in enumerate(shown):
        f += memory / (T - t) * embedding[i]
    return f


def right_fatigue_powers(shown, embedding, memory):
    weights = memory ** np.arange(len(shown) - 1, -1, -1)
    return weights @ embedding[shown]


def right_fatigue_in_place(shown, embedding, memory):
    f = np.zeros(embedding.shape[1])
    for i in shown:
        f *= memory
        f += embedding[i]
    return f


def right_fatigue_python_lists(shown, embedding, memory):
    E = len(embedding[0])
    f = [0.0] * E
    for i in shown:
        f = [memory * f[e] + float(embedding[i][e]) for e in range(E)]
    return f


def right_fatigue_recursion(shown, embedding, memory):
    if len(shown) == 0:
        return np.zeros(embedding.shape[1])
    return memory * right_fatigue_recursion(shown[:-1], embedding, memory) + embedding[shown[-1]]


def right_fatigue_from_the_latest(shown, embedding, memory):
    total, weight = np.zeros(embedding.shape[1]), 1.0
    for i in reversed(shown.tolist()):
        total = total + weight * embedding[i]
        weight *= memory
    return tuple(total)


def right_fatigue_einsum(shown, embedding, memory):
    age = len(shown) - 1 - np.arange(len(shown))
    return np.einsum("t,te->e", np.power(memory, age), embedding[shown])


def right_fatigue_weights_of_items(shown, embedding, memory):
    weights = np.zeros(len(embedding))
    T = len(shown)
    for t, i in enumerate(shown):
        weights[i] += memory ** (T - 1 - t)
    return embedding.T @ weights


def right_fatigue_sum(shown, embedding, memory):
    nothing = np.zeros(embedding.shape[1])
    return sum((memory ** age * embedding[i] for age, i in enumerate(shown[::-1])), nothing)


# For each exercise: what is wrong, in a few plain words, and the answer.
WRONG = {
    "08.ndcg": {
        "the lowest scores first": ndcg_lowest_scores_first,
        "not divided by the ideal": ndcg_dcg_only,
        "places from 0, a logarithm of 1": ndcg_place_from_zero,
        "places from 2": ndcg_discount_one_late,
        "the ideal list always has k hits": ndcg_ideal_always_k,
        "the ideal list is longer than k": ndcg_ideal_of_all_wanted,
        "the ideal order of the hits, 0 / 0": ndcg_ideal_of_the_hits,
        "the ideal order of the hits": ndcg_ideal_of_the_hits_guarded,
        "the ratio of the means": ndcg_ratio_of_means,
        "one value per user": ndcg_of_every_user,
        "a sum over users": ndcg_sum_of_users,
        "k forgotten": ndcg_places_in_the_whole_list,
        "argsort taken for ranks": ndcg_argsort_for_ranks,
        "every user with the lists of all": ndcg_mixes_rows_and_columns,
        "users sorted for items": ndcg_sorts_users,
        "precision": ndcg_precision,
        "1 / r": ndcg_reciprocal_of_the_rank,
        "times the logarithm": ndcg_times_the_logarithm,
        "log1p of r + 1": ndcg_log_one_too_far,
        "two different logarithms": ndcg_two_logarithms,
        "the first hit only": ndcg_counts_first_hit_only,
        "the last place of the list left out": ndcg_k_minus_one,
    },
    "08.next_baskets": {
        "the cut itself known": baskets_cut_is_known,
        "all that is later": baskets_all_later,
        "one row of the basket": baskets_only_one_row,
        "the first basket of all users": baskets_first_of_all_users,
        "no guard for a user without a later basket": baskets_first_without_guard,
        "the last basket": baskets_last_one,
        "the last basket left out, no cut": baskets_last_one_left_out,
        "the first basket ever": baskets_first_ever,
        "the first basket ever, if it is later": baskets_first_ever_and_later,
        "the two the other way round": baskets_order_of_results,
        "after the cut, not at it": baskets_after_not_at,
        "row numbers": baskets_row_numbers,
        "the last known basket": baskets_the_other_way,
        "a KeyError": baskets_unchecked_key,
        "returns in the loop": baskets_stops_at_first_user,
        "users taken for places in a list": baskets_users_as_places,
        "only users who are known": baskets_only_known_users,
        "the first overwritten": baskets_overwrites_the_first,
        "known is all that is not next": baskets_known_is_everything_else,
    },
    "08.linucb_step": {
        "no square root": linucb_variance_without_root,
        "the precision for its inverse": linucb_precision_for_covariance,
        "the mean only": linucb_without_curiosity,
        "the width forgotten": linucb_no_width,
        "a lower bound": linucb_lower_bound,
        "the item with the best reward": linucb_looks_at_the_rewards,
        "learns from the best reward": linucb_best_reward,
        "x * x.T": linucb_elementwise_square,
        "x @ x": linucb_inner_product,
        "the reward without x": linucb_reward_without_context,
        "x without the reward": linucb_context_without_reward,
        "learns from all items": linucb_learns_from_all,
        "in place": linucb_in_place,
        "1 / precision": linucb_elementwise_inverse,
        "all pairs of contexts": linucb_all_pairs,
        "the sums for the coefficients": linucb_forgets_the_inverse,
        "returns the inverse": linucb_returns_the_inverse,
        "returns the coefficients": linucb_returns_coefficients,
        "the item last": linucb_wrong_order,
        "the context for the item": linucb_returns_the_context,
        "the length of x": linucb_length_of_the_context,
        "learns from the error": linucb_adds_the_residual,
        "the largest doubt": linucb_largest_doubt,
    },
    "08.ips_and_snips": {
        "weights upside down": ips_upside_down,
        "probabilities multiplied": ips_weights_times,
        "a sum for the mean": ips_sum_for_mean,
        "the two the other way round": ips_order_swapped,
        "over the sum of wanted": ips_normalised_by_wanted,
        "over the sum of logged": ips_normalised_by_logged,
        "a mean over a sum": ips_mean_over_sum,
        "a sum over a mean": ips_sum_over_mean,
        "weights clipped at 1": ips_clipped,
        "weights clipped at 10": ips_clipped_at_ten,
        "probabilities normalised first": ips_probabilities_normalised_first,
        "a softmax of the weights": ips_softmax_of_weights,
        "only one number": ips_only_one,
        "wanted as weights": ips_no_propensity,
        "1 / logged": ips_logged_only,
        "a ratio of means": ips_ratio_of_means,
        "one value per row": ips_per_row,
        "normalised, then a mean": ips_normalised_and_mean,
        "rows with weight 0 dropped": ips_drops_zero_weights,
        "an integer division": ips_integer_division,
        "returns in the loop": ips_returns_in_the_loop,
        "a list divided by a list": ips_list_divided,
        "over N - 1": ips_unbiased_mean,
        "a baseline": ips_correction_added,
    },
    "08.item_feature_q": {
        "no ReLU": itemq_no_relu,
        "a ReLU of each part": itemq_relu_on_the_parts,
        "a ReLU of the value": itemq_relu_on_the_value,
        "no bias": itemq_without_bias,
        "the bias after the ReLU": itemq_bias_after_relu,
        "all features as the embedding": itemq_all_features_as_embedding,
        "the last E features": itemq_last_features_as_embedding,
        "E from the wrong axis": itemq_embedding_of_three,
        "only the embedding from the item": itemq_only_embedding_from_item,
        "all but the embedding from the item": itemq_other_features_from_item,
        "no products": itemq_without_products,
        "reshape for a transpose": itemq_reshape_for_transpose,
        "not transposed": itemq_not_transposed,
        "no new axis": itemq_no_new_axis,
        "items by observations": itemq_items_by_observations,
        "the three vectors summed": itemq_sums_the_vectors,
        "a column, (B, N, 1)": itemq_column,
        "the best item only": itemq_best_only,
        "not summed over units": itemq_hidden_only,
        "a mean over units": itemq_mean_of_units,
        "a ReLU of the products": itemq_relu_on_the_products,
        "np.max(hidden, 0)": itemq_max_without_zero,
        "the positive part set to 0": itemq_negative_part,
    },
    "08.fatigue": {
        "no memory": fatigue_no_memory,
        "fades after adding": fatigue_fades_after_adding,
        "the first counts most": fatigue_latest_first,
        "a running average": fatigue_running_average,
        "the share that is lost": fatigue_share_lost,
        "memory on the new": fatigue_memory_on_the_new,
        "an IndexError where nothing was shown": fatigue_needs_a_first_item,
        "the embedding changed in place": fatigue_changes_the_embedding,
        "one power too many": fatigue_one_power_too_many,
        "the last left out": fatigue_forgets_the_last,
        "the first left out": fatigue_forgets_the_first,
        "one number per item": fatigue_per_item,
        "zeros (N,)": fatigue_length_of_items,
        "steps taken for items": fatigue_steps_for_items,
        "columns for rows": fatigue_columns,
        "a mean": fatigue_mean,
        "returns in the loop": fatigue_returns_in_the_loop,
        "all steps": fatigue_of_every_step,
        "a number times a list": fatigue_lists,
        "a number where nothing was shown": fatigue_starts_with_a_number,
        "each item once": fatigue_each_item_once,
        "memory fixed": fatigue_fixed_memory,
        "the latest first": fatigue_reversed,
        "a row, (1, E)": fatigue_row,
        "an exponential": fatigue_exponential,
        "memory over age": fatigue_divides_by_age,
    },
}
RIGHT = {
    "08.ndcg": {
        "loops": right_ndcg_loops,
        "cumulative sums": right_ndcg_cumsum,
        "natural logarithms": right_ndcg_natural_log,
        "ranks": right_ndcg_ranks,
        "data frames": right_ndcg_pandas,
        "sorted pairs": right_ndcg_zip,
    },
    "08.next_baskets": {
        "a loop, lists": right_baskets_loop,
        "the first time": right_baskets_first_time,
        "data frames": right_baskets_pandas,
        "drop_duplicates, series": right_baskets_merge,
        "all pairs of rows, one array": right_baskets_pairs,
        "np.unique, a list": right_baskets_unique,
        "zeros and ones": right_baskets_zeros_and_ones,
    },
    "08.linucb_step": {
        "a loop and a copy": right_linucb_loop,
        "solve": right_linucb_solve,
        "a diagonal, lists": right_linucb_diagonal,
        "Cholesky, the item as a float": right_linucb_cholesky,
        "max with a key": right_linucb_max_with_key,
        "element by element": right_linucb_elementwise,
    },
    "08.ips_and_snips": {
        "np.average": right_ips_average,
        "a loop": right_ips_loop,
        "an array of two": right_ips_dot,
        "IPS over the mean weight, a list": right_ips_ratio,
        "comprehensions": right_ips_generators,
        "data frames": right_ips_pandas,
        "logarithms": right_ips_logarithms,
    },
    "08.item_feature_q": {
        "einsum": right_itemq_einsum,
        "matmul": right_itemq_matmul,
        "weights first": right_itemq_weights_first,
        "all pairs stacked": right_itemq_all_pairs_stacked,
        "vector by vector, nested lists": right_itemq_where,
        "tensordot": right_itemq_half_of_the_absolute,
    },
    "08.fatigue": {
        "powers": right_fatigue_powers,
        "in place, on a copy": right_fatigue_in_place,
        "Python lists": right_fatigue_python_lists,
        "recursion": right_fatigue_recursion,
        "from the latest, a tuple": right_fatigue_from_the_latest,
        "einsum": right_fatigue_einsum,
        "weights of items": right_fatigue_weights_of_items,
        "a sum": right_fatigue_sum,
    },
}
