"""What lesson 08 computes in the open is what the library computes."""

import baselines
import numpy as np
import pytest
import recommendation as benchmark
from lessons import define
from scipy.special import expit as sigmoid

from course_lib.dqn.config import DQNConfig
from course_lib.dqn.loop import Trainer
from course_lib.dqn.replay import Batch, ReplayBuffer
from course_lib.recommendation import splits
from course_lib.recommendation.env import RecommendationVectorEnv
from course_lib.recommendation.log import DAY, simulate_log
from course_lib.recommendation.policies import ItemBandit, contexts, learn_online
from course_lib.recommendation.shop import simulate_catalog

WANTED = {"popular", "bought_before", "item_knn", "ease", "ease_and_counts", "step", "linucb", "learn"}


def lesson(framework="neither"):
    """What its cells define, for a shop of twelve items."""
    names = {"np": np, "seed": 0, "sigmoid": sigmoid, "known": simulate_catalog(12, seed=3), "contexts": contexts,
             "Batch": Batch, "ReplayBuffer": ReplayBuffer}
    return define("08_recommendation", framework, WANTED, names)


def framework_of(module):
    return module.__name__.rpartition("in_")[2]


def test_the_rivals():
    names, log = lesson(), simulate_log(users=60, items=40, seed=1)
    part = splits.temporal_split(log, 300 * DAY)
    large = splits.temporal_split(simulate_log(users=60, items=90, seed=1), 300 * DAY)
    np.testing.assert_allclose(names["item_knn"](large), baselines.item_knn(large))
    np.testing.assert_array_equal(names["popular"](part), baselines.popularity(part))
    np.testing.assert_allclose(names["item_knn"](part, 10), baselines.item_knn(part, neighbours=10))
    np.testing.assert_allclose(names["ease"](part), baselines.ease(part, penalty=50.0))
    np.testing.assert_allclose(names["ease_and_counts"](log, part),
                               baselines.ease_and_counts(part, penalty=200.0, share=0.2))
    whole = splits.count(log)
    weights = np.linalg.inv(((whole > 0).T @ (whole > 0).astype(float)).toarray() + 50 * np.eye(40))
    weights = -weights / weights.diagonal()
    np.fill_diagonal(weights, 0)  # fitted to the whole log, and asked about what is known
    np.testing.assert_allclose(names["ease"](part, table=whole), (part.known > 0)[part.users] @ weights)
    ours, theirs = names["bought_before"](part), baselines.personal_frequency(part)
    np.testing.assert_array_equal(np.argsort(-ours, axis=1, kind="stable"), np.argsort(-theirs, axis=1, kind="stable"))


def test_matrix_factorisation_finds_who_is_alike(twin):
    """Two groups of users and items; each user's missing item of the own group is above all of the other one."""
    names, rng = lesson(framework_of(twin("networks"))), np.random.default_rng(0)
    own = (np.arange(40)[:, None] < 20) == (np.arange(12) < 6)
    own[:, 0] = True  # everybody has the first item
    left_out = np.array([rng.choice(np.flatnonzero(row)[1:]) for row in own])
    bought = own.copy()
    bought[np.arange(40), left_out] = False
    scores, held = (names["factorised"](40, 12, np.column_stack(bought.nonzero()), size=2, epochs=25, rate=0.1,
                                        decay=decay) for decay in (0.1, 5.0))
    others = np.where(own, -np.inf, scores).max(axis=1)
    assert scores.shape == (40, 12) and (scores[np.arange(40), left_out] > others).mean() > 0.9
    assert scores[:, 0].mean() > scores[:, 1:].mean() + 0.5 and held.std() < 0.5 * scores.std()


def test_a_step_of_the_shop():
    names, rng = lesson(), np.random.default_rng(0)
    ours, theirs = (RecommendationVectorEnv(names["known"], num_envs=400) for _ in range(2))
    for shop in (ours, theirs):
        shop.reset(seed=5)
    for _ in range(21):
        items, chance = rng.integers(12, size=400), rng.random((400, 3))
        reward, leaves = names["step"](ours, items, chance)
        theirs.np_random = type("Drawn", (), {"random": staticmethod(lambda size, chance=chance: chance)})
        wanted, over, _, _ = theirs.act(items)
        np.testing.assert_allclose(reward, wanted)
        np.testing.assert_array_equal(leaves, over)
        for name in ("satisfaction", "fatigue", "clicked", "time"):
            np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name))


@pytest.mark.parametrize("visitors", [1, 64])
def test_linucb_is_the_librarys(visitors):
    names = lesson()
    found = names["linucb"](RecommendationVectorEnv(names["known"], num_envs=visitors), 0.3, steps=25)
    bandit = ItemBandit(names["known"], by="ucb", width=0.3)
    learn_online(bandit, RecommendationVectorEnv(names["known"], num_envs=visitors), steps=25)
    np.testing.assert_allclose(found, bandit.coefficients[0], atol=1e-8)


def weights(net):
    return net.weights if hasattr(net, "get_weights") else list(net.parameters())


def values(weight):
    return weight.detach().numpy() if hasattr(weight, "detach") else np.asarray(weight)


def same_start(names, agent, gamma):
    """The lesson's learner with the weights of the library's agent."""
    learner = names["Learner"](names["known"], gamma)
    for net in (learner.q_net, learner.target_net):
        left = [values(weight) for weight in weights(agent.q_net)]
        for weight in weights(net):  # by their shapes, which all differ but for two vectors: both are 0 at first
            found = next(place for place, other in enumerate(left) if other.shape == tuple(weight.shape))
            new = left.pop(found)
            if hasattr(weight, "assign"):
                weight.assign(new)
            else:
                weight.data[...] = weight.new_tensor(new)
    return learner


@pytest.mark.parametrize("gamma", [0.0, 0.9])
def test_the_lessons_agent_is_the_librarys(twin, gamma):
    """The same settings, first weights and seed: the same values in the end."""
    library, steps = twin("recommendation"), 1_500
    names = lesson(framework_of(library))
    config = DQNConfig(hidden=(64,), learning_rate=4e-3, batch_size=64, gamma=gamma, n_step=1, double=False, tau=0.01,
                       scale_obs=False, warmup_steps=500, train_every=1, updates_per_block=2, epsilon_end=0.05,
                       epsilon_steps=800, buffer_size=100_000, total_steps=steps, fast=False)
    shop = RecommendationVectorEnv(names["known"], num_envs=64)
    agent = twin("dqn").DQNAgent((22,), 12, config, network=library._network(names["known"], config))
    learner = same_start(names, agent, gamma)
    obs, _ = RecommendationVectorEnv(names["known"], num_envs=50).reset(seed=9)
    at_first = learner.values(obs)
    np.testing.assert_allclose(at_first, agent.q_values(obs), atol=1e-5)
    names["learn"](learner, RecommendationVectorEnv(names["known"], num_envs=64), 3, steps=steps, warmup=500,
                   explored=800, updates=2)
    trainer = Trainer(agent, shop, seed=3, eval_env=False)
    trainer.run()
    np.testing.assert_allclose(learner.values(obs), agent.q_values(obs), atol=1e-3)
    assert np.abs(learner.values(obs) - at_first).max() > 0.05


@pytest.mark.parametrize("alpha", [0.0, 0.3])
def test_the_conservative_loss_by_hand(alpha, twin):
    """That of the lesson, and that of its study."""
    framework, rng = framework_of(twin("networks")), np.random.default_rng(0)
    q, actions, targets = rng.normal(size=(5, 3)).astype(np.float32), np.array([0, 2, 1, 1, 0]), rng.random(5)
    chosen = q[np.arange(5), actions]
    wanted = np.mean((targets - chosen)**2 + alpha * (np.log(np.exp(q).sum(axis=1)) - chosen))
    y = np.column_stack([actions, targets]).astype(np.float32)
    if framework == "pytorch":
        import torch
        y, q = torch.as_tensor(y), torch.as_tensor(q)
    for loss in (lesson(framework)["conservative_loss"](alpha), benchmark.conservative_loss(framework, alpha)):
        assert float(loss(y, q)) == pytest.approx(wanted, rel=1e-5)
