"""The exercises of notebook 08: lists and logs to judge, visitors to learn from."""

from __future__ import annotations

from functools import reduce

import numpy as np

from course_lib.exercises.engine.exercise import Exercise, Topic, WrongAnswer
from course_lib.recommendation import reference


def _lists(rng):
    fixed = (([[0.1, 0.9, 0.5, 0.4]], [[1, 0, 0, 1]], 3), ([[3.0, 2, 1, 0]], [[1, 1, 1, 0]], 2),
             ([[5.0, 1, 2, 3], [1, 2, 3, 4]], [[0, 1, 0, 0], [0, 0, 0, 1]], 4),
             ([[3.0, 2, 1, 0], [0, 2, 1, 3]], [[0, 0, 0, 1], [1, 0, 0, 1]], 2))  # no hit for one of them
    drawn = []
    for shape, k in (((4, 9), 5), ((6, 7), 3), ((3, 12), 10)):
        wanted = rng.random(shape) < 0.3
        wanted[np.arange(shape[0]), rng.integers(shape[1], size=shape[0])] = True
        drawn.append((rng.normal(size=shape), wanted, k))
    return [dict(scores=np.array(scores, float), wanted=np.array(wanted, bool), k=k)
            for scores, wanted, k in (*fixed, *drawn)]


def _ndcg(lists=lambda scores, k: np.argsort(-scores)[:, :k], hit=lambda w, top: np.take_along_axis(w, top, axis=1),
          discount=lambda r: 1 / np.log2(r + 1), ideal=lambda w, hits, k: np.minimum(w.sum(axis=1), k),
          mean=lambda sums, best: (sums / best).mean()):
    def ndcg(scores, wanted, k):
        hits = hit(wanted, lists(scores, k))
        shares = discount(np.arange(1, scores.shape[1] + 1))
        best = np.append(0, shares.cumsum())[ideal(wanted, hits, k)]
        return mean(np.where(hits, shares[: hits.shape[-1]], 0).sum(axis=1), best)

    return ndcg


NDCG = Exercise(
    id="08.ndcg",
    title="How good is a list?",
    statement="`scores` (V, I) rank I items for each of V users, `wanted` (V, I) says which they want; each wants "
              "something, and no two scores of a user are equal. Among the k highest, a wanted item at place r (from "
              "1) counts 1 / log2(r + 1). Divide a user's sum by the largest that a list of k could have, and return "
              "the mean over the users, a number.",
    reference=reference.ndcg,
    cases=_lists,
    hints=(
        "np.argsort(-scores, axis=1)[:, :k] are the lists; np.take_along_axis(wanted, lists, axis=1) are the hits.",
        "The discounts are 1 / np.log2(np.arange(2, k + 2)): place 1 counts 1.",
        "The best list has min(k, number of wanted items) hits, on top: the sum of that many discounts.",
    ),
    wrong=(
        WrongAnswer(_ndcg(lambda s, k: np.argsort(s)[:, :k]), "You recommend the lowest: argsort sorts upwards."),
        WrongAnswer(_ndcg(lambda s, k: np.argsort(s)[:, -k:]), "The k highest, but the highest of them comes last."),
        WrongAnswer(_ndcg(lambda s, k: np.argsort(s)[::-1, :k]), "[::-1] reverses the users; [:, ::-1] the items."),
        WrongAnswer(_ndcg(lambda s, k: np.argsort(-s)), "Only hits among the k highest count: cut each list at k."),
        WrongAnswer(_ndcg(lambda s, k: np.argsort(-s)[:, : k - 1]), "The last of the k places is left out."),
        WrongAnswer(_ndcg(lambda s, k: np.argsort(np.argsort(-s))[:, :k]),
                    "argsort gives the item at each place; the place of each item is argsort of argsort."),
        WrongAnswer(_ndcg(lambda s, k: np.argsort(-s, axis=0)[:, :k]), "axis=0 sorts the users: axis=1 the items."),
        WrongAnswer(_ndcg(hit=lambda w, top: w[:, top]), "Take each user's own list: np.take_along_axis(..., axis=1)."),
        WrongAnswer(_ndcg(ideal=lambda w, hits, k: w.sum(axis=1)), "The best list has at most k hits: use min."),
        WrongAnswer(_ndcg(ideal=lambda w, hits, k: k),
                    "You divide by the sum of k hits: who wants fewer items could never reach 1."),
        WrongAnswer(_ndcg(ideal=lambda w, hits, k: min(k, w.sum())), "Count what one user wants, not all users."),
        WrongAnswer(_ndcg(ideal=lambda w, hits, k: hits.sum(axis=1)),
                    "What your list misses is in the best list, too, up to k. Without a hit, yours gives 0 / 0."),
        WrongAnswer(_ndcg(ideal=lambda w, hits, k: hits.sum(axis=1), mean=lambda s, b: np.nan_to_num(s / b).mean()),
                    "The best list has all that a user wants, up to k, not only the hits of yours."),
        WrongAnswer(_ndcg(discount=np.ones_like), "All places count alike in yours: a lower one counts less."),
        WrongAnswer(_ndcg(discount=np.ones_like, ideal=lambda w, hits, k: k),
                    "That is precision: a hit counts less the lower its place, and the best list may have fewer."),
        WrongAnswer(_ndcg(discount=lambda r: 1 / r), "You discount by 1 / place; the logarithm falls more slowly."),
        WrongAnswer(_ndcg(discount=lambda r: 1 / np.log2(r)), "Count places from 1: from 0, you divide by log2(1)."),
        WrongAnswer(_ndcg(discount=lambda r: 1 / np.log2(r + 2)), "One too many in the logarithm: place 1 counts 1."),
        WrongAnswer(_ndcg(discount=lambda r: np.log2(r + 1)), "Divide by the logarithm: low places count less."),
        WrongAnswer(_ndcg(mean=lambda sums, best: sums.mean()), "That is DCG: divide by the largest that is possible."),
        WrongAnswer(_ndcg(mean=lambda s, best: s.sum() / best.sum()), "Divide user by user, then take the mean."),
        WrongAnswer(_ndcg(mean=lambda sums, best: (sums / best).sum()), "The mean over the users, not the sum."),
        WrongAnswer(_ndcg(mean=np.divide), "One number is wanted, not one for each user: return their mean."),
    ),
)


def _logs(rng):
    fixed = (([0, 0, 1, 0, 0, 1, 0], [0, 0, 1, 2, 2, 3, 4], [0, 0, 1, 2, 2, 3, 4], 2),
             ([0, 1, 0, 1], [0, 1, 2, 3], [0, 1, 2, 3], 1), ([0, 0, 0], [0, 1, 1], [5, 6, 6], 9),
             ([3, 3, 1], [4, 4, 7], [1, 1, 2], 0))
    drawn = []
    for baskets, users in ((12, 3), (30, 5)):
        time, buyer = np.sort(rng.uniform(0, 10, baskets)), rng.integers(users, size=baskets)
        sizes = rng.integers(1, 4, baskets)
        basket = np.repeat(np.arange(baskets), sizes)
        drawn.append((buyer[basket], basket, time[basket], 6.0))
    return [dict(user=np.array(user), basket=np.array(basket), time=np.array(time, float), cut=float(cut))
            for user, basket, time, cut in (*fixed, *drawn)]


def _last_left_out(user, basket, time, cut):
    last = {one: basket[user == one].max() for one in user}
    wanted = basket == np.array([last[one] for one in user])
    return ~wanted, wanted


NEXT_BASKETS = Exercise(
    id="08.next_baskets",
    title="Before and after",
    statement="Row r of a log says who bought, `user[r]`, in which `basket[r]`, at which `time[r]`; rows are in the "
              "order of time, and a basket is of one user and one time. Return two bool arrays (R,): which rows are "
              "known, before `cut`; and which belong to their user's first basket at `cut` or later.",
    reference=reference.next_baskets,
    cases=_logs,
    hints=(
        "`time < cut` are the known rows. The others are candidates for the second array.",
        "Go through the later rows in order, and remember for each user the first basket that you meet.",
        "first.setdefault(user[row], basket[row]) keeps the first one. A row is wanted if its basket is that one.",
    ),
    wrong=(
        WrongAnswer(_last_left_out, "You left each user's last basket out. Then what others bought after it is known: "
                                    "the future leaks. Divide by time."),
        WrongAnswer(lambda user, basket, time, cut: (time < cut, time >= cut),
                    "All later baskets are in yours: only each user's *next* one is wanted."),
        WrongAnswer(lambda user, basket, time, cut: (time <= cut, reference.next_baskets(user, basket, time, cut)[1]),
                    "What happens at `cut` is not known: before means <."),
        WrongAnswer(lambda *log: reference.next_baskets(*log[:3], np.nextafter(log[3], 99)),
                    "A row at `cut` is later, not known: `<` for the known rows, `>=` for the others."),
        WrongAnswer(lambda *log: [np.flatnonzero(rows) for rows in reference.next_baskets(*log)],
                    "Those are numbers of rows: return True or False for each row."),
        WrongAnswer(lambda user, basket, time, cut: (time < cut, np.isin(np.arange(len(user)), [
            np.argmax((user == one) & (time >= cut)) for one in user[time >= cut]])), "All of a basket's rows count."),
        WrongAnswer(lambda user, basket, time, cut: (time < cut, (time >= cut) & _last_left_out(
            user, basket, time, cut)[1]), "Of the later baskets you take each user's last: the first is wanted."),
        WrongAnswer(lambda user, basket, time, cut: (time < cut, (time >= cut) & (basket == basket[time >= cut].min(
            initial=10**9))), "That is the first later basket of the shop; each user has one."),
    ),
)


def _bandits(rng):
    axes, small = np.array([[1.0, 0], [0, 2]]), np.array([[1.0, 0], [0, 1.2]])
    cases = [(np.eye(2), np.array([1.0, 0]), axes, np.array([0.5, 1]), 1.5),  # doubt decides
             (np.eye(2), np.array([1.0, 0]), axes, np.array([0.5, 1]), 0.4),  # a variance would decide otherwise
             (np.diag([4.0, 1]), np.array([2.0, 0]), small, np.array([0, 0.25]), 1.0),  # the first is well known
             (np.diag([4.0, 1]), np.array([2.0, 1]), np.eye(2), np.array([0.5, 0]), 0.0)]
    for size, items, width in ((3, 4, 0.5), (4, 6, 1.0), (2, 5, 0.0)):
        seen = rng.normal(size=(6, size))
        cases.append((np.eye(size) + seen.T @ seen, rng.normal(size=size), rng.normal(size=(items, size)),
                      rng.random(items), width))
    return [dict(zip(("precision", "sums", "contexts", "rewards", "width"), case, strict=True)) for case in cases]


def _linucb(mean=None, doubt=None, learn=None):
    def step(precision, sums, contexts, rewards, width):
        covariance = np.linalg.inv(precision)
        expected = contexts @ covariance @ sums if mean is None else mean(precision, sums, contexts)
        spread = (np.sqrt(np.einsum("nd,de,ne->n", contexts, covariance, contexts)) if doubt is None
                  else doubt(precision, covariance, contexts))
        chosen = int((expected + width * spread).argmax())
        if learn is not None:
            return chosen, *learn(precision, sums, contexts, rewards, chosen)
        x = contexts[chosen]
        return chosen, precision + np.outer(x, x), sums + rewards[chosen] * x

    return step


LINUCB_STEP = Exercise(
    id="08.linucb_step",
    title="Curious, and quick to learn",
    statement="A linear bandit knows `precision` (D, D) and `sums` (D,): its coefficients are inverse(precision) @ "
              "sums. For `contexts` (N, D) choose the item with the largest x @ coefficients + width * sqrt(x @ "
              "inverse(precision) @ x). Then learn from that item's entry of `rewards` (N,): precision + outer(x, x), "
              "sums + reward * x. Return the item, the new precision and the new sums; change no input.",
    reference=reference.linucb_step,
    cases=_bandits,
    hints=(
        "covariance = np.linalg.inv(precision); the coefficients are covariance @ sums, the means contexts @ that.",
        "np.einsum('nd,de,ne->n', contexts, covariance, contexts) has x @ covariance @ x for each item.",
        "chosen = int(bounds.argmax()); x = contexts[chosen]. New arrays: precision + np.outer(x, x), not +=.",
    ),
    wrong=(
        WrongAnswer(_linucb(doubt=lambda precision, covariance, contexts: np.zeros(len(contexts))),
                    "Yours is never curious: add width times the standard error before you choose."),
        WrongAnswer(_linucb(doubt=lambda precision, covariance, contexts: np.einsum(
            "nd,de,ne->n", contexts, covariance, contexts)), "The square root is missing: a variance is no error."),
        WrongAnswer(_linucb(doubt=lambda precision, covariance, contexts: np.sqrt(np.einsum(
            "nd,de,ne->n", contexts, precision, contexts))),
                    "You took the precision for its inverse: what it has seen most, it would doubt most."),
        WrongAnswer(_linucb(mean=lambda precision, sums, contexts: contexts @ sums),
                    "`sums` are not the coefficients yet: multiply by the inverse of the precision."),
        WrongAnswer(_linucb(learn=lambda precision, sums, contexts, rewards, chosen: (
            precision + contexts.T @ contexts, sums + contexts.T @ rewards)),
                    "You learned from the rewards of all items. A bandit sees only that of the one it showed."),
        WrongAnswer(_linucb(learn=lambda precision, sums, contexts, rewards, chosen: (
            precision, sums + rewards[chosen] * contexts[chosen])),
                    "The precision has to grow too: else it never becomes surer."),
        WrongAnswer(_linucb(learn=lambda precision, sums, contexts, rewards, chosen: (
            precision + np.outer(contexts[chosen], contexts[chosen]), sums + contexts[chosen])),
                    "The context is added times the reward: what paid nothing adds nothing to the sums."),
    ),
)


def _estimates(rng):
    fixed = (([1.0, 2, 3, 0], [0.25, 0.5, 0, 0.5], [0.5, 0.25, 0.25, 0.5]), ([1.0, 1, 1], [0.2] * 3, [0.4] * 3),
             ([2.0], [0.9], [0.1]))
    drawn = [(rng.random(n), rng.uniform(0, 1, n), rng.uniform(0.05, 1, n)) for n in (5, 40)]
    return [dict(rewards=np.array(rewards), wanted=np.array(wanted), logged=np.array(logged))
            for rewards, wanted, logged in (*fixed, *drawn)]


def _both(weigh):
    def estimates(rewards, wanted, logged):
        weights = weigh(wanted, logged)
        return float((weights * rewards).mean()), float((weights * rewards).sum() / weights.sum())

    return estimates


IPS_AND_SNIPS = Exercise(
    id="08.ips_and_snips",
    title="What would the other one have earned?",
    statement="A log has `rewards` (N,) of actions which the policy that took them chose with probabilities `logged` "
              "(N,), and another policy would choose with probabilities `wanted` (N,). Return two numbers: the IPS "
              "estimate of the other one's mean reward, and the self-normalised one (SNIPS).",
    reference=reference.ips_and_snips,
    cases=_estimates,
    hints=(
        "Each reward stands for as many as its weight says: how much likelier the other policy makes this action.",
        "weights = wanted / logged. IPS is the mean of weights * rewards.",
        "SNIPS divides the sum of weights * rewards by the sum of the weights, in place of N.",
    ),
    wrong=(
        WrongAnswer(_both(lambda wanted, logged: logged / np.maximum(wanted, 1e-12)),
                    "Your weights are upside down: wanted / logged."),
        WrongAnswer(_both(lambda wanted, logged: wanted), "Divide by `logged`: what was rarely tried must count more."),
        WrongAnswer(_both(lambda wanted, logged: 1 / logged),
                    "Those weights ignore what the other policy wants: times `wanted`."),
        WrongAnswer(lambda rewards, wanted, logged: (float(rewards.mean()), float(rewards.mean())),
                    "That is what the log itself earned, under the policy that wrote it."),
        WrongAnswer(lambda rewards, wanted, logged: reference.ips_and_snips(rewards, wanted, logged)[::-1],
                    "First IPS, then SNIPS."),
        WrongAnswer(lambda rewards, wanted, logged: (reference.ips_and_snips(rewards, wanted, logged)[0],) * 2,
                    "SNIPS divides by the sum of the weights, not by N."),
    ),
)


def _networks(rng):
    cases = []
    for batch, items, obs, size, features, hidden in ((1, 2, 7, 2, 3, 2), (3, 4, 9, 2, 4, 5), (2, 5, 12, 3, 5, 4),
                                                      (2, 3, 5, 4, 4, 3)):  # the embedding is all
        shapes = ((batch, obs), (batch, 3, size), (items, features), (obs, hidden), (hidden,), (features, hidden),
                  (3, hidden), (hidden,))
        names = ("obs", "vectors", "items", "from_obs", "bias", "from_item", "from_products", "value")
        cases.append(dict(zip(names, (np.round(rng.normal(size=shape), 2) for shape in shapes), strict=True)))
    return cases


def _valued(change=lambda parts, value: np.maximum(_summed(parts), 0) @ value, turn=lambda p: p.swapaxes(1, 2),
            embed=lambda items, size: items[:, :size], used=lambda feature, size: True):
    def q(obs, vectors, items, from_obs, bias, from_item, from_products, value):
        size = vectors.shape[2]
        parts = {"obs": (obs @ from_obs + bias)[:, None],
                 "items": items * used(np.arange(items.shape[1]), size) @ from_item,
                 "products": turn(vectors @ embed(items, size).T) @ from_products}
        return change(parts, value)

    return q


def _summed(parts, *names):
    return sum(parts[name] for name in (names or parts))


ITEM_FEATURE_Q = Exercise(
    id="08.item_feature_q",
    title="A value for an item that is new today",
    statement="`obs` (B, S), three `vectors` of each observation (B, 3, E), and `items` (N, F), whose first E features "
              "are the embedding. The hidden layer of observation b and item n is ReLU(obs[b] @ from_obs + bias + "
              "items[n] @ from_item + p @ from_products), where p (3,) are the inner products of the three vectors "
              "with the embedding. The value is that times `value` (H,). Return all values, (B, N), without a loop.",
    reference=reference.item_feature_q,
    cases=_networks,
    hints=(
        "vectors @ items[:, :E].T has shape (B, 3, N); swapaxes(1, 2) makes it (B, N, 3).",
        "Three terms with shapes (B, 1, H), (N, H) and (B, N, H) add up to (B, N, H): [:, None] for the first.",
        "np.maximum(sum of the three, 0) @ value is (B, N).",
    ),
    wrong=(
        WrongAnswer(_valued(lambda p, v: _summed(p) @ v), "The ReLU is missing: negative hidden units become 0."),
        WrongAnswer(_valued(lambda p, v: np.maximum(_summed(p, "obs", "items"), 0) @ v),
                    "The inner products are missing: how far does the item point the visitor's way?"),
        WrongAnswer(_valued(lambda p, v: sum(np.maximum(one, 0) for one in p.values()) @ v),
                    "First the sum of the three terms, then one ReLU."),
        WrongAnswer(_valued(lambda p, v: np.maximum(_summed(p) @ v, 0)), "The ReLU comes before `value`, not after."),
        WrongAnswer(_valued(lambda p, v: np.maximum(np.maximum(_summed(p), 0) @ v, 0)), "No ReLU after `value`."),
        WrongAnswer(_valued(lambda p, v: np.maximum(_summed(p) * v, 0).sum(axis=2)), "ReLU first, then times `value`."),
        WrongAnswer(_valued(lambda p, v: np.minimum(_summed(p), 0) @ v), "ReLU keeps what is positive, not the rest."),
        WrongAnswer(_valued(lambda p, v: np.max(_summed(p), 0) @ v),
                    "np.max(x, 0) is the largest along axis 0: np.maximum(x, 0) puts 0 for what is negative."),
        WrongAnswer(lambda *given: reference.item_feature_q(*given[:4], 0 * given[4], *given[5:]) + given[4] @ given[7],
                    "The bias is added before the ReLU, not after it."),
        WrongAnswer(_valued(embed=lambda items, size: items), "Only the first E columns are the embedding."),
        WrongAnswer(_valued(embed=lambda items, size: items[:, -size:]), "The embedding comes first, not last."),
        WrongAnswer(_valued(embed=lambda items, size: items[:, :3]), "E is the last axis of `vectors`, not the 3."),
        WrongAnswer(_valued(used=lambda feature, size: feature < size), "`from_item` takes all features of an item."),
        WrongAnswer(_valued(used=lambda feature, size: feature >= size), "`from_item` takes the embedding, too."),
        WrongAnswer(_valued(turn=lambda p: p.reshape(len(p), -1, 3)), "reshape swaps no axes: swapaxes(1, 2) does."),
        WrongAnswer(_valued(turn=lambda p: np.maximum(p, 0).swapaxes(1, 2)), "No ReLU of products, only of the sum."),
    ),
)


def _shown(rng):
    cases = [([0, 1], np.eye(2), 0.5), ([1, 1, 1], np.eye(2), 0.5), ([], np.ones((2, 3)), 0.7)]
    for steps, items, size, memory in ((5, 4, 3, 0.7), (9, 6, 2, 0.2), (4, 3, 6, 0.0)):
        cases.append((rng.integers(items, size=steps), np.round(rng.normal(size=(items, size)), 2), memory))
    return [dict(shown=np.array(shown, int), embedding=embedding, memory=memory) for shown, embedding, memory in cases]


def _weighed(weights):
    def fatigue(shown, embedding, memory):
        return (weights(len(shown), memory)[:, None] * embedding[shown]).sum(axis=0)

    return fatigue


def _folded(start=lambda embedding: np.zeros(embedding.shape[1]), items=lambda shown: shown):
    return lambda shown, embedding, memory: reduce(
        lambda tired, item: memory * tired + embedding[item], items(shown), start(embedding))


FATIGUE = Exercise(
    id="08.fatigue",
    title="Not that again",
    statement="Items `shown` (T,), the latest last, have rows in `embedding` (N, E). At first fatigue is 0. At each "
              "step a share `memory` of the fatigue is left, and the embedding of the item shown is added. Return the "
              "fatigue after the last step, (E,).",
    reference=reference.fatigue,
    cases=_shown,
    hints=(
        "Start with np.zeros(embedding.shape[1]), and go through the items in order.",
        "Each step: tired = memory * tired + embedding[item].",
        "Written out: the latest item counts 1, the one before it `memory`, the one before that memory ** 2.",
    ),
    wrong=(
        WrongAnswer(_folded(items=lambda shown: shown[::-1]), "The oldest item counts most in yours, not the latest."),
        WrongAnswer(_weighed(lambda steps, memory: memory ** np.arange(steps, 0, -1)),
                    "You let the latest item fade at once: first fade, then add."),
        WrongAnswer(_weighed(lambda steps, memory: np.ones(steps)), "Nothing fades in yours: use `memory`."),
        WrongAnswer(_weighed(lambda steps, memory: (1 - memory) * memory ** np.arange(steps - 1, -1, -1)),
                    "That is a moving average: here the whole embedding is added."),
        WrongAnswer(_weighed(lambda steps, memory: (1 - memory) ** np.arange(steps - 1, -1, -1)),
                    "`memory` is the share that is left, not the share that goes."),
        WrongAnswer(_weighed(lambda steps, memory: memory * np.ones(steps)), "`memory` is for what was there before."),
        WrongAnswer(_folded(items=lambda shown: shown[-1:]), "You only see the last item: the others count, too."),
        WrongAnswer(_folded(items=lambda shown: shown[:1]), "You only see the first item: a `return` in the loop?"),
        WrongAnswer(_folded(items=lambda shown: shown[1:]), "The first item is left out: from zeros, add every item."),
        WrongAnswer(_folded(items=lambda shown: shown[:-1]), "The last item is left out: where does your loop end?"),
        WrongAnswer(_folded(items=lambda shown: dict.fromkeys(shown.tolist())), "What is shown twice counts twice."),
        WrongAnswer(_folded(lambda embedding: 0), "Start with zeros, (E,): perhaps nothing was shown."),
        WrongAnswer(_folded(lambda embedding: np.zeros(len(embedding))), "Fatigue has E entries, one a column."),
        WrongAnswer(lambda shown, *rest: np.array([reference.fatigue(shown[:end], *rest) for end in range(
            1, len(shown) + 1)]), "Only the fatigue after the last step is wanted."),
    ),
)

TOPIC = Topic(number="08", package="recommendation", title="Recommendation", exercises=(
    NEXT_BASKETS, NDCG, FATIGUE, LINUCB_STEP, ITEM_FEATURE_Q, IPS_AND_SNIPS))
