"""The agent that lesson 01 builds line by line, held to the library's numbers."""

from pathlib import Path

import gymnasium as gym
import nbformat
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from course_lib.dqn import reference
from course_lib.dqn.loop import Trainer

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "01_dqn.ipynb"
STEPS = 1_300


def lesson(dqn):
    """The names that the lesson's own cells define, in one framework."""
    wanted = ("def make_q_network(", "def loss_of(", "class Learner", "class Memory", "def learn(")
    names, mark = {"np": np, "gym": gym, "dqn": dqn, "reference": reference}, f"%%{dqn.__name__.rpartition('in_')[2]}\n"
    for cell in nbformat.read(NOTEBOOK, 4).cells:
        source = cell.source.removeprefix(mark)
        if cell.cell_type == "code" and not source.startswith("%%") and any(
                f"\n{word}" in f"\n{source}" for word in wanted):
            exec(source, names)
    return names


def test_the_lessons_agent_is_the_librarys(dqn):
    """One cart, the same settings and seed: the same experiences, and the same weights in the end."""
    names = lesson(dqn)
    learner = names["Learner"](3)
    memory = names["learn"](learner, gym.make("CartPole-v1"), 3, lambda step: False, steps=STEPS)
    config = dqn.DQNConfig(n_step=1, double=False, learning_rate=3e-3, warmup_steps=1_000, train_every=4,
                           updates_per_block=2, tau=0.01, total_steps=STEPS, fast=False)
    cart = SyncVectorEnv([lambda: gym.make("CartPole-v1")], autoreset_mode=AutoresetMode.SAME_STEP)
    trainer = Trainer(dqn.DQNAgent((4,), 2, config, seed=3), cart, seed=3, eval_env=False)
    trainer.run()
    stored = trainer.buffer.storage
    for ours, theirs in zip(memory.fields, (stored.obs, stored.action, stored.reward, stored.next_obs,
                                            stored.terminated), strict=True):
        np.testing.assert_array_equal(ours[:STEPS], theirs[:STEPS])
    assert memory.size == trainer.buffer.size == STEPS and 0 < memory.fields[4].sum() < STEPS
    np.testing.assert_allclose(learner.scale, trainer.agent.scale, rtol=1e-5)
    net = learner.q_net
    keras = hasattr(net, "get_weights")
    ours = net.get_weights() if keras else [weight.detach().numpy() for weight in net.parameters()]
    for mine, theirs in zip(ours, trainer.agent.state()["q"], strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=1e-4)
