"""Dividing a shop's log into what a model may know and what it must guess."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse

from course_lib.recommendation import reference


class Split(NamedTuple):
    """What is known, and what each of V users puts into the next basket."""

    known: sparse.csr_array  # (U, I): in how many baskets the user had the item
    users: np.ndarray  # (V,) numbers of the users who are asked
    wanted: np.ndarray  # (V, I) bool: what is in their next basket
    cut: float  # seconds: nothing known is later


def temporal_split(log, cut):
    """Known is all before a time; wanted is the first basket after it, of users who have baskets on both sides.

    Parameters
    ----------
    log : ShopLog
    cut : float
        Seconds since the beginning of 1970.

    Returns
    -------
    Split
    """
    before, wanted = reference.next_baskets(log.user, log.basket, log.time, cut)
    shape = log.users, log.items
    known = count(log, before)
    next_basket = sparse.csr_array((np.ones(wanted.sum(), bool), (log.user[wanted], log.item[wanted])), shape=shape)
    users = np.flatnonzero((known.sum(axis=1) > 0) & (next_basket.sum(axis=1) > 0))
    if not len(users):
        raise ValueError(f"cut: expected a time with baskets of a user on both sides, between {log.time[0]:.0f} and "
                         f"{log.time[-1]:.0f}, got {cut}")
    return Split(known, users, next_basket[users].toarray(), cut)


def examples(log, cut):
    """What a model of the next basket can learn from, before a time: (N, items) counts, and (N, items) the baskets.

    Each basket but a user's first is an example; its counts are of the user's baskets before it. As float32.
    """
    counts, baskets, seen, last = [], [], None, -1
    for user, items in known_baskets(log, cut):
        if user != last:
            seen, last = np.zeros(log.items, np.float32), user
        else:
            counts.append(seen.copy())
            baskets.append(np.bincount(items, minlength=log.items).astype(np.float32))
        seen[items] += 1
    if not counts:
        raise ValueError(f"cut: expected a time before which a user has two baskets, got {cut}")
    return np.array(counts), np.array(baskets)


def known_baskets(log, cut):
    """Each basket before a time: its user, and its items (n,); user by user, and of each the earliest first."""
    rows = np.flatnonzero(log.time < cut)
    order = rows[np.lexsort((log.basket[rows], log.time[rows], log.user[rows]))]
    starts = np.flatnonzero(np.diff(log.basket[order], prepend=-1))
    return [(log.user[own[0]], log.item[own]) for own in np.split(order, starts[1:]) if len(own)]


def count(log, rows=slice(None)):
    """In how many baskets each user had each item, in some rows of a log: a sparse array (users, items)."""
    user, item = log.user[rows], log.item[rows]
    return sparse.csr_array((np.ones(len(user)), (user, item)), shape=(log.users, log.items))
