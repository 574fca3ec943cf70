"""What lesson 10 computes in the open is what the library and its studies compute."""

from types import SimpleNamespace

import numpy as np
import pytest
import tuning as benchmark
from lessons import define

from course_lib.dqn.config import DQNConfig
from course_lib.dqn.loop import Trainer
from course_lib.dqn.replay import Batch, ReplayBuffer
from course_lib.training.tasks import batches
from course_lib.tuning.config import TuningConfig
from course_lib.tuning.env import TrainingVectorEnv
from course_lib.tuning.tasks import TaskConfig, draw_task

WANTED = {"draw", "cut", "step", "learn", "play", "population"}


def framework_of(module):
    return module.__name__.rpartition("in_")[2]


def lesson(framework="neither"):
    """What its cells define."""
    names = {"np": np, "seed": 0, "batches": batches, "Batch": Batch, "ReplayBuffer": ReplayBuffer,
             "SimpleNamespace": SimpleNamespace, "draw_task": draw_task}
    return define("10_tuning", framework, WANTED, names)


def test_a_step_of_the_environment(nets):
    names, rng = lesson(), np.random.default_rng(0)
    tasks = [*names["draw"](5, 3), *names["draw"](3, 4, TaskConfig(scale=(30, 30)))]  # the last explode
    ours, theirs = (TrainingVectorEnv(nets, tasks, num_envs=8) for _ in range(2))
    for env in (ours, theirs):
        env.reset(seed=5, options={"tasks": range(8)})
    for _ in range(20):
        actions = rng.integers(3, size=8)
        reward, over = names["step"](ours, actions)
        wanted, ended, _, _ = theirs.act(actions)
        np.testing.assert_allclose(reward, wanted, rtol=1e-6)
        np.testing.assert_array_equal(over, ended)
        np.testing.assert_allclose(ours.observe(), theirs.observe(), rtol=1e-6)
    assert over[:5].all() and theirs.loss.min() < 1


def test_whoever_decides_has_the_same_runs(nets):
    names, tasks = lesson(), benchmark.draw_tasks(count=6, seed=3)
    config = TuningConfig(decisions=4, steps=5)
    for decide in (np.full(4, 0.02), np.tile(np.geomspace(1e-3, 0.3, 6), (4, 1)),
                   SimpleNamespace(act=lambda obs: np.arange(len(obs)) % 3)):
        ours, theirs = (play(TrainingVectorEnv(nets, tasks, config, num_envs=6), decide)
                        for play in (names["play"], benchmark.play))
        for name in ("losses", "rates", "test_loss", "test_accuracy"):
            np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-5)


def test_its_population_is_that_of_the_study(nets):
    names, tasks = lesson(), benchmark.draw_tasks(count=3, seed=3)
    rates, losses = names["population"](TrainingVectorEnv(nets, tasks, num_envs=48), 3)
    wanted = benchmark.by_population(nets, tasks)
    best = np.arange(3) * 16 + losses[-1].reshape(3, 16).argmin(axis=1)
    np.testing.assert_allclose(rates[:, best], wanted.rates, rtol=1e-5)
    np.testing.assert_allclose(losses[:, best], wanted.losses, rtol=1e-4)


def weights(net):
    return net.weights if hasattr(net, "get_weights") else list(net.parameters())


def values(weight):
    return weight.detach().numpy() if hasattr(weight, "detach") else np.asarray(weight)


def same_start(learner, agent):
    """The lesson's learner with the weights of the library's agent, by their shapes, in their order."""
    for net in (learner.q_net, learner.target_net):
        left = [values(weight) for weight in weights(agent.q_net)]
        for weight in weights(net):
            new = left.pop(next(place for place, other in enumerate(left) if other.shape == tuple(weight.shape)))
            if hasattr(weight, "assign"):
                weight.assign(new)
            else:
                weight.data[...] = weight.new_tensor(new)
    return learner


@pytest.mark.parametrize("gamma", [0.0, 0.94])
def test_its_agent_is_the_librarys(nets, twin, gamma):
    """The same settings, first weights and seed: the same values in the end."""
    dqn, tasks, decisions = twin("dqn"), benchmark.draw_tasks(count=16, seed=0), 1_500
    names = lesson(framework_of(nets))
    config = DQNConfig(hidden=(64, 64), learning_rate=2e-3, batch_size=64, gamma=gamma, n_step=1, double=False,
                       tau=0.01, huber_delta=1.0, scale_obs=False, warmup_steps=500, train_every=1, updates_per_block=2,
                       epsilon_end=0.1, epsilon_steps=800, buffer_size=100_000, total_steps=decisions, fast=False)
    agent = dqn.DQNAgent((8,), 3, config)
    learner = same_start(names["Learner"](gamma), agent)
    obs, _ = TrainingVectorEnv(nets, tasks, num_envs=50).reset(seed=9)
    at_first = learner.values(obs)
    np.testing.assert_allclose(at_first, agent.q_values(obs), atol=1e-5)
    names["learn"](learner, TrainingVectorEnv(nets, tasks, num_envs=32), 3, decisions=decisions, warmup=500,
                   explored=800, updates=2)
    Trainer(agent, TrainingVectorEnv(nets, tasks, num_envs=32), seed=3, eval_env=False).run()
    np.testing.assert_allclose(learner.values(obs), agent.q_values(obs), atol=2e-3)
    assert np.abs(learner.values(obs) - at_first).max() > 0.05
