"""Recommendation by deep Q-learning in PyTorch; `in_keras` is the same file in Keras."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from course_lib.dqn.in_pytorch import DQNAgent, train
from course_lib.recommendation.config import PLANNER
from course_lib.recommendation.shop import SIZE

__all__ = ["ItemFeatureQNetwork", "for_items", "train_recommender"]


class ItemFeatureQNetwork(nn.Module):
    """The value of showing each item, from what the item is like: an item that is new today has a value at once.

    A dense layer on the observation, the item's features, and how far the item points the way of the three vectors in
    the observation (profile, clicked, fatigue); then a second one to a single number, the same for all items.

    Parameters
    ----------
    features : array (N, F)
        Of the items, embeddings first.
    obs_size : int
    hidden : int
        Units of the hidden layer.
    seed : int

    References
    ----------
    An item's features as input of Q: Zheng et al. 2018, "DRN: a deep reinforcement learning framework for news
    recommendation", section 4.2. Inner products beside a dense layer: Guo et al. 2017, "DeepFM", section 2.1.
    """

    def __init__(self, features, obs_size, *, hidden=64, seed=0):
        super().__init__()
        self.features = np.asarray(features, np.float32)  # no weight: `for_items` puts others in its place
        generator = torch.Generator().manual_seed(int(seed))
        self.from_obs = _linear(obs_size, hidden, generator)
        self.from_item = _linear(self.features.shape[1], hidden, generator, bias=False)
        self.from_products = _linear(3, hidden, generator, bias=False)
        self.value = _linear(hidden, 1, generator)

    def forward(self, obs):
        """Action values (B, N) of observations (B, obs_size)."""
        items = torch.as_tensor(self.features, device=obs.device)
        vectors = obs[:, : 3 * SIZE].reshape(-1, 3, SIZE)  # (B, 3, 6)
        products = (vectors @ items[:, :SIZE].T).swapaxes(1, 2)  # (B, 3, N) -> (B, N, 3)
        hidden = self.from_obs(obs)[:, None] + self.from_item(items) + self.from_products(products)  # (B, N, hidden)
        return self.value(hidden.relu()).squeeze(2)


def train_recommender(env, config=PLANNER, *, seed=0, device="cpu"):
    """A `DQNAgent` with an `ItemFeatureQNetwork`, trained in a `RecommendationVectorEnv`.

    Parameters
    ----------
    env : VectorEnv
        With a `catalog` whose items are the actions.
    config : DQNConfig
        `hidden` has one entry, the units of the hidden layer.
    seed : int
    device : str

    Returns
    -------
    DQNAgent
    """
    network = _network(env.catalog, config)
    return train(env, config, seed=seed, network=network, device=device, eval_env=False).agent


def for_items(agent, catalog):
    """An agent with the same weights that recommends from another catalog."""
    other = DQNAgent(agent.obs_shape, len(catalog), agent.config, network=_network(catalog, agent.config),
                     device=str(agent.device))
    other.restore(agent.state())
    return other


def _network(catalog, config):
    def make(obs_shape, n_actions, seed):
        return ItemFeatureQNetwork(catalog.features, *obs_shape, hidden=config.hidden[0], seed=seed)

    return make


def _linear(inputs, units, generator, *, bias=True):
    layer = nn.Linear(inputs, units, bias=bias)
    nn.init.uniform_(layer.weight, -(inputs**-0.5), inputs**-0.5, generator=generator)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer
