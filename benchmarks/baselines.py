"""Recommending the next basket without a network: scores (V, I) for the users who are asked, from what is known."""

from __future__ import annotations

import numpy as np
from scipy import sparse


def random(split, *, seed=0):
    """Random scores."""
    return np.random.default_rng(seed).random(split.wanted.shape)


def popularity(split):
    """How many users have bought each item: the same list for everyone."""
    return np.tile((split.known > 0).sum(axis=0), (len(split.users), 1))


def personal_frequency(split):
    """In how many baskets the user had the item; of equal ones the more popular first."""
    popular = (split.known > 0).sum(axis=0)
    return split.known[split.users].toarray() + popular / (2 * popular.max() + 1)


def item_knn(split, *, neighbours=50):
    """The sum of cosines between an item and what the user bought, if that is among the item's nearest neighbours.

    References
    ----------
    Sarwar et al. 2001, "Item-based collaborative filtering recommendation algorithms", section 3; Deshpande & Karypis
    2004, "Item-based top-N recommendation algorithms", section 4.1.
    """
    bought = (split.known > 0).astype(float)
    together = (bought.T @ bought).toarray()
    norm = np.sqrt(np.maximum(together.diagonal(), 1e-12))
    cosine = together / np.outer(norm, norm)
    np.fill_diagonal(cosine, 0)
    least = np.sort(cosine, axis=1)[:, -min(neighbours, len(cosine))]
    return bought[split.users] @ np.where(cosine >= least[:, None], cosine, 0).T


def svd(split, *, factors=64):
    """Who bought what, as the nearest matrix of so low a rank has it.

    References
    ----------
    Cremonesi, Koren & Turrin 2010, "Performance of recommender algorithms on top-N recommendation tasks", section 3.2
    (PureSVD).
    """
    bought = (split.known > 0).astype(float)
    users, values, items = sparse.linalg.svds(bought, min(factors, min(bought.shape) - 1),
                                              v0=np.ones(min(bought.shape)))
    return (users[split.users] * values) @ items


def ease_and_counts(split, *, penalty=1000.0, share=0.5):
    """`ease`, whose diagonal is 0, and a share of log(1 + in how many baskets the user had the item)."""
    return ease(split, penalty=penalty) + share * np.log1p(split.known[split.users].toarray())


def ease(split, *, penalty=200.0):
    """The linear model of each item by all others, in closed form.

    References
    ----------
    Steck 2019, "Embarrassingly shallow autoencoders for sparse data", eq. 8.
    """
    if not penalty > 0:
        raise ValueError(f"penalty: expected a number > 0, got {penalty}")
    bought = (split.known > 0).astype(float)
    inverse = np.linalg.inv((bought.T @ bought).toarray() + penalty * np.eye(bought.shape[1]))
    weights = -inverse / inverse.diagonal()
    np.fill_diagonal(weights, 0)
    return bought[split.users] @ weights
