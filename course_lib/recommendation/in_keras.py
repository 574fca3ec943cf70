"""Recommendation by deep Q-learning in Keras; `in_pytorch` is the same file in PyTorch."""

from __future__ import annotations

import keras
import numpy as np
from keras import initializers, layers, ops

from course_lib.dqn.in_keras import DQNAgent, train
from course_lib.recommendation.config import PLANNER
from course_lib.recommendation.shop import SIZE

__all__ = ["ItemFeatureQNetwork", "NextBasketNetwork", "for_items", "inner_products",
           "next_basket_loss", "train_recommender"]


class ItemFeatureQNetwork(keras.Model):
    """The value of showing each item, from what the item is like: an item that is new today has a value at once.

    A dense layer on the observation, the item's features, and how far the item points the way of the three vectors in
    the observation (profile, clicked, fatigue); then a second one to a single number, the same for all items.

    Parameters
    ----------
    features : array (N, F)
        Of the items, embeddings first.
    obs_size : int
        At least three times `size`: the three vectors come first.
    hidden : int
        Units of the hidden layer.
    size : int
        Of an embedding.
    seed : int

    References
    ----------
    An item's features as input of Q: Zheng et al. 2018, "DRN: a deep reinforcement learning framework for news
    recommendation", section 4.2. Inner products beside a dense layer: Guo et al. 2017, "DeepFM", section 2.1.
    """

    def __init__(self, features, obs_size, *, hidden=64, size=SIZE, seed=0):
        super().__init__()
        self.size = size
        self.features = np.asarray(features, np.float32)  # no weight: `for_items` puts others in its place
        self.from_obs = _linear(obs_size, hidden, seed)
        self.from_item = _linear(self.features.shape[1], hidden, seed + 1, bias=False)
        self.from_products = _linear(3, hidden, seed + 2, bias=False)
        self.value = _linear(hidden, 1, seed + 3)
        self.built = True

    def call(self, obs):
        """Action values (B, N) of observations (B, obs_size)."""
        products = self.from_products(inner_products(obs, self.features[:, :self.size]))
        hidden = self.from_obs(obs)[:, None] + self.from_item(self.features) + products  # (B, N, hidden)
        return ops.squeeze(self.value(ops.relu(hidden)), 2)


def inner_products(obs, embedding):
    """How far each item points the way of the three vectors in an observation: profile, clicked, fatigue.

    Parameters
    ----------
    obs : tensor (B, obs_size)
        The vectors come first.
    embedding : tensor (N, size)

    Returns
    -------
    tensor (B, N, 3)
    """
    vectors = ops.reshape(obs[:, : 3 * embedding.shape[1]], (-1, 3, embedding.shape[1]))
    return ops.swapaxes(ops.matmul(vectors, ops.transpose(embedding)), 1, 2)  # (B, 3, N) -> (B, N, 3)


class NextBasketNetwork(keras.Model):
    """The next basket from all earlier ones: what goes well with them, and a weight of its own for buying it again.

    Counts enter as log(1 + count). Logits are a dense layer, ReLU, and another dense layer to all items, plus each
    item's own count times its own weight, which is 1 at first.

    Parameters
    ----------
    items : int
    hidden : int
        Units between the two layers.
    seed : int

    References
    ----------
    Liang et al. 2018, "Variational autoencoders for collaborative filtering", section 2: the likelihood, without the
    variational part. Weights for buying again: Hu et al. 2020, "Modeling personalized item frequency information for
    next-basket recommendation".
    """

    def __init__(self, items, *, hidden=64, seed=0):
        counts = keras.Input((items,))
        seen = ops.log1p(counts)
        together = _linear(hidden, items, seed + 1)(ops.relu(_linear(items, hidden, seed)(seen)))
        super().__init__(counts, together + _Again()(seen))


class _Again(layers.Layer):
    def build(self, shape):
        self.again = self.add_weight(shape=shape[-1:], initializer="ones")

    def call(self, seen):
        return self.again * seen


def next_basket_loss(baskets, logits):
    """Minus the mean log-likelihood of what is in the baskets (B, N), of 0 and 1, under logits (B, N): a scalar tensor.

    Each item of a basket is one draw, and each basket counts alike. Liang et al. 2018, eq. 2.
    """
    shares = baskets / ops.sum(baskets, axis=1, keepdims=True)
    return -ops.mean(ops.sum(shares * ops.log_softmax(logits, axis=1), axis=1))


def train_recommender(env, config=PLANNER, *, seed=0, device="cpu", eval_env=False):
    """A `DQNAgent` with an `ItemFeatureQNetwork`, trained in a `RecommendationVectorEnv`: the `History` of that.

    Parameters
    ----------
    env : VectorEnv
        With a `catalog` whose items are the actions.
    config : DQNConfig
        `hidden` has one entry, the units of the hidden layer.
    seed : int
    device : str
    eval_env : VectorEnv, optional
        Where to evaluate every `config.eval_every` steps; by default nowhere.

    Returns
    -------
    History
        With the agent as `agent`.
    """
    network = _network(env.catalog, config)
    return train(env, config, seed=seed, network=network, device=device, eval_env=eval_env)


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
