"""Ranking search results: a page of several items a step, of which the upper ones are looked at more."""

from __future__ import annotations

import numpy as np

from course_lib.common.config import whole
from course_lib.recommendation.env import RecommendationVectorEnv


def exposure(places, *, eta=1.0):
    """How likely a visitor looks at each of the first places, (places,): 1 / place^eta, places counted from 1.

    References
    ----------
    Joachims, Swaminathan & Schnabel 2017, "Unbiased learning-to-rank with biased feedback", section 6.1.
    """
    if not whole(places, 1):
        raise ValueError(f"places: expected a whole number >= 1, got {places!r}")
    return 1 / np.arange(1, places + 1.0) ** eta


class Pages:
    """Sessions in which each step shows a page: a ranking of `places` items.

    Each item of a page is looked at with its `exposure`, and clicked and bought as in `RecommendationVectorEnv`. What
    is looked at changes satisfaction and fatigue, by its mean. It is no Gymnasium environment: an action is a ranking.

    Parameters
    ----------
    catalog, config, num_envs
        As in `RecommendationVectorEnv`.
    places : int
    """

    def __init__(self, catalog, config=None, *, num_envs=64, places=5):
        self.visitors, self.exposure = RecommendationVectorEnv(catalog, config, num_envs=num_envs), exposure(places)
        if places > len(catalog):
            raise ValueError(f"places: expected at most the {len(catalog)} items, got {places}")

    def reset(self, *, seed=None):
        """New visitors come; returns observations (num_envs, 22)."""
        return self.visitors.reset(seed=seed)[0]

    def step(self, pages):
        """Show rankings (num_envs, places) of items.

        Returns
        -------
        array (num_envs, 22), array (num_envs,), bool array (num_envs,), bool array (num_envs, places)
            Observations, rewards, whose sessions are over (they get no new visitor), and what was clicked.
        """
        v, pages = self.visitors, np.asarray(pages)
        shape, random = (v.num_envs, len(self.exposure)), v.np_random.random
        if pages.shape != shape or not (np.diff(np.sort(pages, axis=1), axis=1) > 0).all():
            raise ValueError(f"pages: expected shape {shape} and no item twice a page, got shape {pages.shape}")
        looked = random(shape) < self.exposure
        share = looked / np.maximum(looked.sum(axis=1, keepdims=True), 1)
        chances = np.where(looked, random(shape), 1), random(shape), random(v.num_envs)
        reward, over, click, _ = v.show(pages, share, chances)
        reward = np.where(v.over, 0, reward)
        v.over = v.over | over
        return v.observe(), reward, v.over.copy(), click
