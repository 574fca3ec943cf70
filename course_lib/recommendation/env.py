"""A session in the simulated shop, as an environment: one visitor at a time, or many side by side."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from course_lib.common.config import whole
from course_lib.recommendation.shop import (
    SIZE,
    ShopConfig,
    click_probability,
    directions,
    expected_reward,
    leaving_probability,
    next_satisfaction,
    purchase_probability,
)

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


class RecommendationEnv(gym.Env):
    """A session: each step shows one item, and the visitor may click it, buy it, and leave.

    The reward is what a click and a purchase bring the shop. What is shown changes how satisfied the visitor is, and
    how tired of such things. If there is a budget and it is spent, the last item is shown, whatever was chosen.

    That the session ends after `config.steps` is part of the task, and time is in the observation. So it is a
    termination, like leaving. (Pardo et al. 2018, "Time limits in reinforcement learning", section 3.)

    Parameters
    ----------
    catalog : Catalog
        Action i shows item i.
    config : ShopConfig, optional
    """

    metadata = {"render_modes": []}

    def __init__(self, catalog, config=None):
        self.catalog, self.config = catalog, config or ShopConfig()
        self.observation_space = observation_space(self.config)
        self.action_space = gym.spaces.Discrete(len(catalog))

    def reset(self, *, seed=None, options=None):
        """A new visitor comes."""
        super().reset(seed=seed)
        noise = self.config.profile_noise
        self.taste = directions(self.np_random.normal(size=SIZE))
        self.profile = self.taste + (noise or 0) * self.np_random.normal(size=SIZE)
        if noise is None:
            self.profile = np.zeros(SIZE)
        self.clicked, self.bought, self.fatigue = np.zeros(SIZE), np.zeros(SIZE), np.zeros(SIZE)
        self.satisfaction, self.time, self.clicks, self.purchases, self.spent = 0.0, 0, 0, 0, 0
        return self._obs(), {}

    def step(self, action):
        """Show an item; returns the usual five values, with "click" and "purchase" in the last."""
        if not self.action_space.contains(action):
            raise ValueError(f"action: expected a whole number from 0 to {len(self.catalog) - 1}, got {action!r}")
        nothing = len(self.catalog) - 1
        action = nothing if self.spent == self.config.budget else int(action)
        self.spent += action != nothing
        embedding, hook = self.catalog.embedding[action], self.catalog.hook[action]
        appeal = self.catalog.appeal[action]
        chance = self.np_random.random(3)  # to click, to buy, to leave
        liking, sameness = self.taste @ embedding, self.fatigue @ embedding
        match = self.config.pairing * self.bought @ embedding / max(1, self.purchases)
        click = chance[0] < click_probability(liking, hook, appeal, sameness, self.satisfaction, self.config.phi)
        purchase = click and chance[1] < purchase_probability(liking + match, hook)
        self.satisfaction = next_satisfaction(self.satisfaction, hook, self.config.kappa)
        self.fatigue = self.config.memory * self.fatigue + embedding
        self.clicked, self.bought = self.clicked + click * embedding, self.bought + purchase * embedding
        self.time, self.clicks, self.purchases = self.time + 1, self.clicks + click, self.purchases + purchase
        left = chance[2] < leaving_probability(self.satisfaction, click)
        over = bool(left or self.time == self.config.steps)
        reward = self.config.click_reward * click + self.config.purchase_reward * purchase
        return self._obs(), reward, over, False, {"click": bool(click), "purchase": bool(purchase)}

    def _obs(self):
        seen = self.satisfaction if self.config.observe_satisfaction else 0.0
        profile = np.clip(self.profile, -LARGEST, LARGEST)
        count = self.purchases if self.config.budget is None else self.config.budget - self.spent
        rest, basket = (seen, self.time / self.config.steps, self.clicks, count), self.config.pairing > 0
        return np.concatenate([profile, self.bought if basket else self.clicked, self.fatigue, rest]).astype(np.float32)


class RecommendationVectorEnv(VectorEnv):
    """`RecommendationEnv` for many visitors at once; when one has left, another one comes at the next step.

    Parameters
    ----------
    catalog, config
        As in `RecommendationEnv`.
    num_envs : int
    """

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.NEXT_STEP}

    def __init__(self, catalog, config=None, *, num_envs=64):
        if not whole(num_envs, 1):
            raise ValueError(f"num_envs: expected a whole number >= 1, got {num_envs!r}")
        self.catalog, self.config, self.num_envs = catalog, config or ShopConfig(), num_envs
        self.single_observation_space = observation_space(self.config)
        self.single_action_space = gym.spaces.Discrete(len(catalog))
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def reset(self, *, seed=None, options=None):
        """A new visitor comes in every copy."""
        super().reset(seed=seed)
        n = self.num_envs
        self.taste, self.profile, self.clicked, self.bought, self.fatigue = (np.zeros((n, SIZE)) for _ in range(5))
        self.satisfaction, self.clicks, self.purchases, self.spent = (np.zeros(n) for _ in range(4))
        self.time, self.over = np.zeros(n, int), np.ones(n, bool)
        self._welcome()
        self.over[:] = False
        return self._obs(), {}

    def step(self, actions):
        """Show an item to every visitor; returns the usual five values."""
        actions = np.asarray(actions)
        if actions.shape != (self.num_envs,) or not 0 <= actions.min() <= actions.max() < len(self.catalog):
            raise ValueError(f"actions: expected {self.num_envs} whole numbers from 0 to {len(self.catalog) - 1}, "
                             f"got {actions!r}")
        fresh, config, catalog = self.over, self.config, self.catalog
        if config.budget is not None:
            actions = np.where(self.spent == config.budget, len(catalog) - 1, actions)
            self.spent = self.spent + (actions != len(catalog) - 1)
        embedding, hook, appeal = catalog.embedding[actions], catalog.hook[actions], catalog.appeal[actions]
        chance = self.np_random.random((self.num_envs, 3))
        liking, sameness, match = ((vectors * embedding).sum(axis=1)
                                   for vectors in (self.taste, self.fatigue, self.pull()))
        click = chance[:, 0] < click_probability(liking, hook, appeal, sameness, self.satisfaction, config.phi)
        purchase = click & (chance[:, 1] < purchase_probability(liking + match, hook))
        self.satisfaction = next_satisfaction(self.satisfaction, hook, config.kappa)
        self.fatigue = config.memory * self.fatigue + embedding
        self.clicked = self.clicked + click[:, None] * embedding
        self.bought = self.bought + purchase[:, None] * embedding
        self.time, self.clicks, self.purchases = self.time + 1, self.clicks + click, self.purchases + purchase
        left = chance[:, 2] < leaving_probability(self.satisfaction, click)
        click, purchase = click & ~fresh, purchase & ~fresh
        if fresh.any():
            self._welcome()
        self.over = (left | (self.time == config.steps)) & ~fresh
        reward = config.click_reward * click + config.purchase_reward * purchase
        return (self._obs(), reward, self.over.copy(), np.zeros(self.num_envs, bool),
                {"click": click, "purchase": purchase})

    def expected_rewards(self):
        """What each item would earn at this step on average, (num_envs, N): from what only the visitors know."""
        liking, sameness, match = (vectors @ self.catalog.embedding.T
                                   for vectors in (self.taste, self.fatigue, self.pull()))
        click = click_probability(liking, self.catalog.hook, self.catalog.appeal, sameness,
                                  self.satisfaction[:, None], self.config.phi)
        return expected_reward(click, purchase_probability(liking + match, self.catalog.hook), self.config)

    def pull(self):
        """Which way the baskets pull, (num_envs, 6): `pairing` times the mean embedding of what is in them."""
        return self.config.pairing * self.bought / np.maximum(1, self.purchases)[:, None]

    def _welcome(self):
        """A new visitor where the last one's session is over."""
        new, noise = np.flatnonzero(self.over), self.config.profile_noise
        draws = self.np_random.normal(size=(len(new), 2, SIZE))
        self.taste[new] = directions(draws[:, 0])
        self.profile[new] = 0 if noise is None else self.taste[new] + noise * draws[:, 1]
        for state in (self.clicked, self.bought, self.fatigue, self.satisfaction, self.time, self.clicks,
                      self.purchases, self.spent):
            state[new] = 0

    def _obs(self):
        seen = self.satisfaction if self.config.observe_satisfaction else np.zeros(self.num_envs)
        profile = np.clip(self.profile, -LARGEST, LARGEST)
        count = self.purchases if self.config.budget is None else self.config.budget - self.spent
        rest = np.column_stack([seen, self.time / self.config.steps, self.clicks, count])
        basket = self.bought if self.config.pairing > 0 else self.clicked
        return np.hstack([profile, basket, self.fatigue, rest]).astype(np.float32)
