"""The network over item features: the same in NumPy, PyTorch and Keras; new items have values; it learns."""

from dataclasses import replace

import baselines
import numpy as np
import pytest

from course_lib.dqn.loop import evaluate
from course_lib.dqn.replay import Batch
from course_lib.networks.config import TrainingConfig
from course_lib.recommendation import reference
from course_lib.recommendation.config import PLANNER
from course_lib.recommendation.env import RecommendationVectorEnv
from course_lib.recommendation.log import DAY, simulate_log
from course_lib.recommendation.metrics import ndcg, top_k
from course_lib.recommendation.policies import Random
from course_lib.recommendation.shop import simulate_catalog
from course_lib.recommendation.splits import examples, temporal_split

CATALOG, OTHERS = simulate_catalog(12, seed=0), simulate_catalog(5, seed=1)
SHORT = replace(PLANNER, total_steps=30_000, warmup_steps=2_000, epsilon_steps=10_000, train_every=1)


@pytest.fixture
def recommendation(twin):
    return twin("recommendation")


def observations(n=7, seed=0):
    return np.random.default_rng(seed).normal(size=(n, 22)).astype(np.float32)


def kernels(net):
    """Weights of a network in the order (from_obs kernel, bias, from_item, from_products, value kernel, bias)."""
    layers = net.from_obs, net.from_item, net.from_products, net.value
    if hasattr(net.from_obs, "kernel"):
        return [weights for layer in layers for weights in layer.get_weights()]
    return [p.detach().numpy().T for layer in layers for p in layer.parameters()]


def by_numpy(weights, features, obs):
    """The formula of the docstring, pair by pair; and the reference is that."""
    from_obs, bias, from_item, from_products, value, last = weights
    found = np.zeros((len(obs), len(features)))
    for b, o in enumerate(obs):
        for n, x in enumerate(features):
            products = np.array([o[:6] @ x[:6], o[6:12] @ x[:6], o[12:18] @ x[:6]])
            hidden = np.maximum(0, o @ from_obs + bias + x @ from_item + products @ from_products)
            found[b, n] = (hidden @ value + last)[0]
    together = reference.item_feature_q(obs, obs[:, :18].reshape(-1, 3, 6), features, from_obs, bias, from_item,
                                        from_products, value[:, 0])
    np.testing.assert_allclose(together + last, found, atol=1e-5)
    return found


def test_the_formula(recommendation):
    net = recommendation.ItemFeatureQNetwork(CATALOG.features, 22, hidden=9, seed=3)
    obs = observations()
    if hasattr(net.from_obs, "kernel"):
        found = np.asarray(net(obs))
    else:
        import torch

        found = net(torch.tensor(obs)).detach().numpy()
    np.testing.assert_allclose(found, by_numpy(kernels(net), CATALOG.features, obs), atol=1e-5)


def agent_of(recommendation, seed=0):
    config = replace(SHORT, total_steps=2_100, updates_per_block=1)
    return recommendation.train_recommender(RecommendationVectorEnv(CATALOG, num_envs=16), config, seed=seed).agent


def test_new_items_have_values_at_once(recommendation):
    agent = agent_of(recommendation)
    other, obs = recommendation.for_items(agent, OTHERS), observations()
    assert other.q_values(obs).shape == (7, 5)
    np.testing.assert_allclose(recommendation.for_items(agent, CATALOG).q_values(obs), agent.q_values(obs), atol=1e-6)
    np.testing.assert_allclose(recommendation.for_items(agent, CATALOG.take([3, 8])).q_values(obs),
                               agent.q_values(obs)[:, [3, 8]], atol=1e-5)


def test_the_same_seed_gives_the_same_agent(recommendation):
    first, again, other = (agent_of(recommendation, seed=seed).q_values(observations()) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3


def test_it_learns(recommendation):
    agent = recommendation.train_recommender(RecommendationVectorEnv(CATALOG, num_envs=64), SHORT, seed=0).agent
    env = RecommendationVectorEnv(CATALOG, num_envs=500)
    assert evaluate(agent, env, 500, seed=1).mean() > evaluate(Random(12), env, 500, seed=1).mean() + 0.5


def test_the_next_basket_is_learned(recommendation, twin):
    found = simulate_log(users=150, items=40, seed=3)
    split, nets = temporal_split(found, 330 * DAY), twin("networks")
    counts, baskets = examples(found, split.cut)
    net = recommendation.NextBasketNetwork(40, hidden=16, seed=0)
    config = TrainingConfig(epochs=20, learning_rate=3e-3)
    losses = nets.train(net, counts, baskets, config, loss=recommendation.next_basket_loss)
    scores = nets.predict(net, split.known[split.users].toarray())
    assert losses[-1] < losses[0] - 0.2
    network, popular, chance = (ndcg(top_k(values, 5), split.wanted) for values in (
        scores, baselines.popularity(split), baselines.random(split)))
    assert network > popular + 0.1 > chance + 0.2


@pytest.mark.keras
def test_the_next_basket_is_the_same_in_both():
    torch = pytest.importorskip("torch")
    from course_lib.recommendation import in_keras, in_pytorch

    theirs, ours = (twin.NextBasketNetwork(5, hidden=3, seed=1) for twin in (in_pytorch, in_keras))
    rng = np.random.default_rng(0)
    kernel, first_bias, decode, bias, again = (rng.normal(size=shape).astype(np.float32)
                                               for shape in ((5, 3), 3, (3, 5), 5, 5))
    ours.set_weights([kernel, first_bias, decode, bias, again])
    with torch.no_grad():
        for p, values in ((theirs.encode.weight, kernel.T), (theirs.encode.bias, first_bias),
                          (theirs.decode.weight, decode.T), (theirs.decode.bias, bias), (theirs.again, again)):
            p.copy_(torch.tensor(values.copy()))
    counts, baskets = rng.integers(0, 4, (6, 5)).astype(np.float32), (rng.random((6, 5)) < 0.6).astype(np.float32)
    baskets[:, 0] = 1
    seen = np.log1p(counts)
    expected = np.maximum(0, seen @ kernel + first_bias) @ decode + bias + again * seen
    logits = theirs(torch.tensor(counts)), ours(counts)
    for found in logits:
        np.testing.assert_allclose(found.detach() if hasattr(found, "detach") else found, expected, atol=1e-5)
    log_softmax = expected - np.log(np.exp(expected).sum(axis=1, keepdims=True))
    loss = -(baskets / baskets.sum(axis=1, keepdims=True) * log_softmax).sum(axis=1).mean()
    found = in_pytorch.next_basket_loss(torch.tensor(baskets), logits[0].detach()), in_keras.next_basket_loss(
        baskets, logits[1])
    assert [float(one) for one in found] == pytest.approx([loss, loss], abs=1e-5)


@pytest.mark.keras
def test_one_step_is_the_same_in_both():
    torch = pytest.importorskip("torch")
    from course_lib.dqn import in_keras as dqn_keras
    from course_lib.dqn import in_pytorch as dqn_torch
    from course_lib.recommendation import in_keras, in_pytorch

    rng = np.random.default_rng(1)
    nets = [twin.ItemFeatureQNetwork(CATALOG.features, 22, hidden=9, seed=3) for twin in (in_pytorch, in_keras)]
    with torch.no_grad():
        for p, values in zip(nets[0].parameters(), kernels(nets[1]), strict=True):
            p.copy_(torch.tensor(values.T.copy()))
    batch = Batch(observations(20, 1), rng.integers(0, 12, 20), rng.random(20, np.float32), observations(20, 2),
                  (rng.random(20) < 0.2).astype(np.float32), np.full(20, 0.9, np.float32))
    losses = []
    tensors = Batch(*map(torch.as_tensor, batch))
    target = dqn_torch.bootstrap_target(nets[0], nets[0], tensors)
    loss = dqn_torch.td_loss(nets[0](tensors.obs), tensors.action, target)
    loss.backward()
    losses.append(float(loss.detach()))
    import keras

    class Learner(keras.Model):
        def __init__(self, net):
            super().__init__()
            self.net, self.built = net, True

        def call(self, x):
            return self.net(x)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return dqn_keras.td_loss(y_pred, batch.action, y)

    goal = np.asarray(dqn_keras.bootstrap_target(nets[1], nets[1], batch))
    np.testing.assert_allclose(goal, target.numpy(), atol=1e-5)
    before = kernels(nets[1])
    learner = Learner(nets[1])
    learner.compile(optimizer=keras.optimizers.SGD(0.5), jit_compile=False)
    losses.append(float(learner.train_on_batch(batch.obs, goal)))
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)
    for p, old, new in zip(nets[0].parameters(), before, kernels(nets[1]), strict=True):
        np.testing.assert_allclose(old - 0.5 * p.grad.numpy().T, new, atol=1e-5)
        assert np.abs(old - new).max() > 1e-4
