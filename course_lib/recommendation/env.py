"""Sessions in the simulated shop, as an environment: many visitors side by side."""

from __future__ import annotations

import gymnasium as gym
import numpy as np

from course_lib.dqn.vector import NextStepVectorEnv
from course_lib.recommendation import shop
from course_lib.recommendation.shop import SIZE, ShopConfig

LARGEST = 5.0  # numbers of a profile are cut at it


def observation_space(config):
    """Profile (6), sum of the clicked embeddings (6), fatigue (6), satisfaction, time in [0, 1], clicks, purchases.

    With a budget, what is left of it is in the place of the purchases; with pairing, the sum of what was bought in that
    of what was clicked.
    """
    fatigue, satisfaction = 1 / (1 - config.memory), max(1e-6, 5 * config.kappa)
    counts = config.steps, max(config.steps, config.budget or 0)
    high = np.repeat([LARGEST, config.steps, fatigue, satisfaction, 1, *counts], [SIZE, SIZE, SIZE, 1, 1, 1, 1])
    low = np.where(np.arange(len(high)) < 3 * SIZE + 1, -high, 0)
    return gym.spaces.Box(low.astype(np.float32), high.astype(np.float32))


class RecommendationVectorEnv(NextStepVectorEnv):
    """Sessions of many visitors: each step shows each of them one item, which they may click, and buy, and leave.

    The reward is what a click and a purchase bring the shop. What is shown changes how satisfied a visitor is, and how
    tired of such things. If there is a budget and it is spent, the last item is shown, whatever was chosen. When one
    visitor has left, another one comes at the next step.

    That a session ends after `config.steps` is part of the task, and time is in the observation. So it is a
    termination, like leaving. (Pardo et al. 2018, "Time limits in reinforcement learning", section 3.)

    Parameters
    ----------
    catalog : Catalog
        Action i shows item i.
    config : ShopConfig, optional
    num_envs : int
        How many visitors there are at a time; with one, `Single` makes an ordinary environment of it.
    """

    def __init__(self, catalog, config=None, *, num_envs=64):
        self.catalog, self.config = catalog, config or ShopConfig()
        super().__init__(num_envs, observation_space(self.config), len(catalog))

    def start(self, options):
        """Make room for the state of every visitor, and begin."""
        n = self.num_envs
        self.taste, self.profile, self.clicked, self.bought, self.fatigue = (np.zeros((n, SIZE)) for _ in range(5))
        self.satisfaction, self.time, self.clicks, self.purchases, self.spent = (np.zeros(n) for _ in range(5))
        super().start(options)

    def begin(self, new):
        """New visitors come."""
        noise, draws = self.config.profile_noise, self.np_random.normal(size=(len(new), 2, SIZE))
        self.taste[new] = shop.directions(draws[:, 0])
        profile = self.taste[new] + (noise or 0) * draws[:, 1]
        self.profile[new] = 0 if noise is None else profile.clip(-LARGEST, LARGEST)
        for state in (self.clicked, self.bought, self.fatigue, self.satisfaction, self.time, self.clicks,
                      self.purchases, self.spent):
            state[new] = 0

    def act(self, actions):
        """Show an item to every visitor; infos are "click" and "purchase", bool (num_envs,)."""
        nothing = len(self.catalog) - 1
        if self.config.budget is not None:
            actions = np.where(self.spent == self.config.budget, nothing, actions)
            self.spent = self.spent + (actions != nothing)
        chance = self.np_random.random((self.num_envs, 3))
        reward, over, click, purchase = self.show(actions[:, None], np.ones((self.num_envs, 1)),
                                                  (chance[:, :1], chance[:, 1:2], chance[:, 2]))
        return reward, over, np.zeros(self.num_envs, bool), {"click": click[:, 0], "purchase": purchase[:, 0]}

    def show(self, items, share, chances):
        """Show each visitor one item or several: what is looked at may be clicked, and what is clicked be bought.

        Parameters
        ----------
        items : integer array (num_envs, places)
        share : array (num_envs, places)
            How much each item counts for satisfaction and fatigue.
        chances : array (num_envs, places), array (num_envs, places), array (num_envs,)
            Random numbers in [0, 1): who clicks, buys and leaves has one below his probability of it. A 1 in the first
            is for what is not looked at, and cannot be clicked.

        Returns
        -------
        array (num_envs,), bool array (num_envs,), bool array (num_envs, places), bool array (num_envs, places)
            Rewards, whose sessions are over, what was clicked, and what was bought.
        """
        config, (to_click, to_buy, to_leave) = self.config, chances
        embedding, hook = self.catalog.embedding.take(items, axis=0), self.catalog.hook.take(items)
        liking, sameness, match = (np.vecdot(embedding, vectors[:, None])  # (B, places) each
                                   for vectors in (self.taste, self.fatigue, self.pull()))
        click = to_click < shop.click_probability(liking, hook, self.catalog.appeal.take(items), sameness,
                                                  self.satisfaction[:, None], config.phi)
        purchase = click & (to_buy < shop.purchase_probability(liking + match, hook))
        weights = np.array([share, click, purchase])  # (3, B, places)
        seen, clicked, bought = np.einsum("kbp,bpd->kbd", weights, embedding)  # (B, 6) each
        _, clicks, purchases = weights.sum(axis=2)
        self.satisfaction = shop.next_satisfaction(self.satisfaction, np.vecdot(share, hook), config.kappa)
        self.fatigue = config.memory * self.fatigue + seen
        self.clicked += clicked
        self.bought += bought
        self.time += 1
        self.clicks += clicks
        self.purchases += purchases
        over = (to_leave < shop.leaving_probability(self.satisfaction, clicks > 0)) | (self.time == config.steps)
        return config.click_reward * clicks + config.purchase_reward * purchases, over, click, purchase

    def expected_rewards(self):
        """What each item would earn at this step on average, (num_envs, N): from what only the visitors know."""
        liking, sameness, match = (vectors @ self.catalog.embedding.T
                                   for vectors in (self.taste, self.fatigue, self.pull()))
        click = shop.click_probability(liking, self.catalog.hook, self.catalog.appeal, sameness,
                                       self.satisfaction[:, None], self.config.phi)
        return shop.expected_reward(click, shop.purchase_probability(liking + match, self.catalog.hook), self.config)

    def pull(self):
        """Which way the baskets pull, (num_envs, 6): `pairing` times the mean embedding of what is in them."""
        return self.bought * (self.config.pairing / np.maximum(1, self.purchases))[:, None]

    def observe(self):
        """What the shop sees of every visitor: `observation_space`."""
        seen = self.satisfaction if self.config.observe_satisfaction else np.zeros(self.num_envs)
        count = self.purchases if self.config.budget is None else self.config.budget - self.spent
        basket, time = self.bought if self.config.pairing > 0 else self.clicked, self.time / self.config.steps
        return np.column_stack([self.profile, basket, self.fatigue, seen, time, self.clicks, count]).astype(np.float32)
