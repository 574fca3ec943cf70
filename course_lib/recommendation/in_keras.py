"""Recommendation by deep Q-learning in Keras; `in_pytorch` is the same file in Keras."""

from __future__ import annotations

import keras
import numpy as np
from keras import initializers, layers, ops

from course_lib.dqn.in_keras import DQNAgent, train
from course_lib.recommendation.config import PLANNER
from course_lib.recommendation.shop import SIZE

__all__ = ["ItemFeatureQNetwork", "for_items", "train_recommender"]


class ItemFeatureQNetwork(keras.Model):
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
        self.from_obs = _linear(obs_size, hidden, seed)
        self.from_item = _linear(self.features.shape[1], hidden, seed + 1, bias=False)
        self.from_products = _linear(3, hidden, seed + 2, bias=False)
        self.value = _linear(hidden, 1, seed + 3)
        self.built = True

    def call(self, obs):
        """Action values (B, N) of observations (B, obs_size)."""
        vectors = ops.reshape(obs[:, : 3 * SIZE], (-1, 3, SIZE))  # (B, 3, 6)
        products = ops.swapaxes(ops.matmul(vectors, self.features[:, :SIZE].T), 1, 2)  # (B, 3, N) -> (B, N, 3)
        hidden = self.from_obs(obs)[:, None] + self.from_item(self.features) + self.from_products(products)
        return ops.squeeze(self.value(ops.relu(hidden)), 2)  # (B, N, hidden) -> (B, N)


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


def _linear(inputs, units, seed, *, bias=True):
    uniform = initializers.VarianceScaling(1 / 3, "fan_in", "uniform", seed=seed)
    layer = layers.Dense(units, use_bias=bias, kernel_initializer=uniform)
    layer.build((None, inputs))
    return layer
