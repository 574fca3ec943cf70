"""The formulas of recommendation in NumPy, for reading and for comparing with."""

from __future__ import annotations

import numpy as np


def item_feature_q(obs, vectors, items, from_obs, bias, from_item, from_products, value):
    """Action values of all items from their features, as `ItemFeatureQNetwork` has them but for its last bias.

    Parameters
    ----------
    obs : array (B, S)
    vectors : array (B, 3, E)
        Profile, clicked and fatigue, as they stand in `obs`.
    items : array (N, F)
        Features; the first E are the embedding.
    from_obs, bias, from_item, from_products : arrays (S, H), (H,), (F, H), (3, H)
    value : array (H,)

    Returns
    -------
    array (B, N)
    """
    products = (vectors @ items[:, : vectors.shape[2]].T).swapaxes(1, 2)  # (B, N, 3)
    hidden = (obs @ from_obs + bias)[:, None] + items @ from_item + products @ from_products  # (B, N, H)
    return np.maximum(hidden, 0) @ value


def fatigue(shown, embedding, memory):
    """How tired a visitor is of each direction after seeing items (T,), the latest last: an array (E,).

    Each item adds its embedding, (N, E); one step later a share `memory` of all is left.
    """
    tired = np.zeros(embedding.shape[1])
    for item in shown:
        tired = memory * tired + embedding[item]
    return tired


def ndcg(scores, wanted, k):
    """Mean over users of DCG over the ideal DCG, among the k items with the highest scores (V, I). See `metrics`.

    References
    ----------
    Järvelin & Kekäläinen 2002, "Cumulated gain-based evaluation of IR techniques", with the discount of Burges et al.
    2005, "Learning to rank using gradient descent", and gains of 0 and 1.
    """
    top = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    hits = np.take_along_axis(wanted, top, axis=1)
    discount = 1 / np.log2(np.arange(2, k + 2))  # (k,)
    ideal = [discount[: min(k, row.sum())].sum() for row in wanted]
    return float(((hits * discount).sum(axis=1) / ideal).mean())


def next_baskets(user, basket, time, cut):
    """Which rows of a log are known before `cut`, and which are in their user's first basket from then on (R,)."""
    later, seen = time >= cut, {}
    for row in np.flatnonzero(later):
        seen.setdefault(user[row], basket[row])
    return ~later, later & (basket == np.array([seen.get(one, -1) for one in user]))


def linucb_step(precision, sums, contexts, rewards, width):
    """Choose an item by its upper confidence bound, and learn from the reward of that one.

    Parameters
    ----------
    precision, sums : array (D, D) and (D,)
    contexts : array (N, D)
    rewards : array (N,)
        Of which only the chosen one may be looked at.
    width : float

    Returns
    -------
    int, array (D, D), array (D,)

    References
    ----------
    Li et al. 2010, as algorithm 1, which has a vector of coefficients for each item, but with one for all.
    """
    covariance = np.linalg.inv(precision)
    bounds = contexts @ covariance @ sums + width * np.sqrt(np.einsum("nd,de,ne->n", contexts, covariance, contexts))
    chosen = int(bounds.argmax())
    x = contexts[chosen]
    return chosen, precision + np.outer(x, x), sums + rewards[chosen] * x


def ips_and_snips(rewards, wanted, logged):
    """Two estimates from a log (N,): the mean weighted reward, and that over the mean weight. See `ope`."""
    weights = wanted / logged
    return float((weights * rewards).mean()), float((weights * rewards).sum() / weights.sum())
