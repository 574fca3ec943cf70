"""What the agents of both frameworks do: learn, explore, save, resume; and the errors they give."""

import subprocess
import sys
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest

from course_lib.common import checkpoint
from course_lib.dqn import reference
from course_lib.dqn.config import DQNConfig
from course_lib.dqn.envs import GridWorld, make_vec
from course_lib.dqn.loop import train_agent
from course_lib.dqn.replay import Batch

SMALL = DQNConfig(hidden=(16,), warmup_steps=100, batch_size=16, updates_per_block=4, total_steps=600,
                  eval_every=200, eval_episodes=2, checkpoint_every=200)


def random_block(rng, updates=3, size=32, obs=4, actions=2):
    shape = (updates, size)
    return Batch(rng.normal(size=(*shape, obs)).astype(np.float32), rng.integers(0, actions, shape),
                 rng.normal(size=shape).astype(np.float32), rng.normal(size=(*shape, obs)).astype(np.float32),
                 rng.integers(0, 2, shape).astype(np.float32), np.full(shape, 0.9, np.float32))


def table(agent):
    """Action values of every cell of the grid world, (12, 4)."""
    return agent.q_values(np.eye(12, dtype=np.float32))


def test_q_agrees_with_value_iteration(dqn):
    env = gym.vector.SyncVectorEnv([lambda: GridWorld(slip=0.0, explore_starts=True)] * 16)
    config = DQNConfig(hidden=(), scale_obs=False, n_step=1, gamma=0.9, learning_rate=3e-3, warmup_steps=512,
                       epsilon_start=1.0, epsilon_end=1.0, total_steps=8_000, act_with_target=False)
    agent = dqn.train(env, config, eval_env=False).agent
    world = GridWorld(slip=0.0)
    optimal = reference.value_iteration(world.probability, world.reward, 0.9)
    live = optimal.any(axis=1)
    assert live.sum() == 9
    assert np.abs(table(agent) - optimal)[live].max() < 1e-2


@pytest.mark.parametrize("n_step", [1, 3])
def test_truncation_bootstraps_and_termination_does_not(dqn, n_step):
    """A corridor of one cell that pays 1 a step for ever has value 1 / (1 - gamma); one that ends has value 1."""

    class Corridor(gym.Env):
        observation_space, action_space = gym.spaces.Box(0, 1, (2,), np.float32), gym.spaces.Discrete(2)

        def reset(self, *, seed=None, options=None):
            return np.array([1, 0], np.float32), {}

        def step(self, action):
            terminated = bool(action == 1)  # action 1 ends the episode, action 0 only meets the time limit
            return np.array([1, 0], np.float32), 1.0, terminated, not terminated, {}

    config = DQNConfig(hidden=(), scale_obs=False, n_step=n_step, gamma=0.5, learning_rate=0.05, warmup_steps=64,
                       epsilon_end=1.0, total_steps=1_000, batch_size=32, act_with_target=False)
    agent = dqn.train(gym.vector.SyncVectorEnv([Corridor] * 4), config, eval_env=False).agent
    np.testing.assert_allclose(agent.q_values(np.array([[1.0, 0.0]]))[0], [2.0, 1.0], atol=0.01)


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("double", [True, False])
def test_an_update_moves_the_network_towards_its_targets(dqn, fast, double):
    agent = dqn.DQNAgent((4,), 2, DQNConfig(fast=fast, double=double, tau=0.001, act_with_target=False))
    block = random_block(np.random.default_rng(0), updates=1)
    before = agent.q_values(block.obs[0])
    losses = [agent.update_block(block) for _ in range(100)]
    assert np.abs(agent.q_values(block.obs[0]) - before).max() > 0.1
    assert losses[-1] < 0.2 * losses[0]
    assert agent.updates == 100


def test_a_block_is_the_same_as_its_updates_one_by_one(dqn):
    block = random_block(np.random.default_rng(0), updates=5)
    agents = [dqn.DQNAgent((4,), 2, DQNConfig(), seed=3) for _ in range(2)]
    mean = agents[0].update_block(block)
    single = [agents[1].update(Batch(*(field[i] for field in block))) for i in range(5)]
    assert mean == pytest.approx(np.mean(single), rel=1e-4)
    obs = block.obs[0]
    np.testing.assert_allclose(agents[0].q_values(obs), agents[1].q_values(obs), atol=1e-5)


def test_the_target_network_follows_as_it_is_told(dqn):
    block = random_block(np.random.default_rng(0), updates=4)
    obs = block.obs[0]

    def target_after(updates, **settings):
        agent = dqn.DQNAgent((4,), 2, DQNConfig(act_with_target=True, **settings))
        for i in range(updates):
            agent.update(Batch(*(field[i] for field in block)))
        online = dqn.DQNAgent((4,), 2, DQNConfig(act_with_target=False, **settings))
        for i in range(updates):
            online.update(Batch(*(field[i] for field in block)))
        return agent.q_values(obs), online.q_values(obs)

    start, _ = target_after(0, tau=1.0)
    np.testing.assert_array_equal(target_after(2, tau=1.0, target_update_every=2)[0], start)
    hard, _ = target_after(3, tau=1.0, target_update_every=2)
    np.testing.assert_allclose(hard, target_after(2, tau=1.0, target_update_every=2)[1], atol=1e-6)
    assert np.abs(hard - start).max() > 1e-3
    target, online = target_after(3, target_network=False)
    np.testing.assert_array_equal(target, online)


def test_epsilon_is_the_share_of_random_actions(dqn):
    agent = dqn.DQNAgent((4,), 2)
    obs = np.tile(np.array([[0.1, -0.2, 0.3, 0.4]], np.float32), (4_000, 1))
    greedy = agent.act(obs)
    assert (greedy == greedy[0]).all()
    others = agent.act(obs, 0.5, np.random.default_rng(0)) != greedy
    assert others.mean() == pytest.approx(0.25, abs=0.03)  # half are random, and half of those happen to be greedy
    with pytest.raises(ValueError, match="rng"):
        agent.act(obs, 0.5)


def test_the_same_seed_gives_the_same_history(dqn):
    runs = [dqn.train(make_vec("CartPole-v1", 4), SMALL, seed=seed) for seed in (5, 5, 6)]
    assert runs[0].losses and runs[0].eval_returns
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_a_saved_agent_goes_on_exactly_where_it_was(dqn, tmp_path):
    agent = dqn.train(make_vec("CartPole-v1", 4), SMALL, eval_env=False).agent
    agent.save(tmp_path / "agent.npz")
    copy = dqn.DQNAgent.load(tmp_path / "agent.npz")
    block = random_block(np.random.default_rng(0))
    np.testing.assert_array_equal(agent.q_values(block.obs[0]), copy.q_values(block.obs[0]))
    assert (copy.scale != 1).all() and copy.config == agent.config
    assert agent.update_block(block) == copy.update_block(block)  # the optimizer's memory came along too
    np.testing.assert_array_equal(agent.q_values(block.obs[0]), copy.q_values(block.obs[0]))


def test_loading_something_else_is_refused(dqn, tmp_path):
    agent = dqn.DQNAgent((4,), 2, SMALL)
    agent.save(tmp_path / "agent.npz")
    (tmp_path / "cut.npz").write_bytes((tmp_path / "agent.npz").read_bytes()[:-100])
    with pytest.raises(ValueError, match="cut.npz"):
        dqn.DQNAgent.load(tmp_path / "cut.npz")
    with pytest.raises(FileNotFoundError):
        dqn.DQNAgent.load(tmp_path / "none.npz")


KILLED = DQNConfig(hidden=(16,), warmup_steps=100, batch_size=16, updates_per_block=4, total_steps=800, eval_every=200,
                   eval_episodes=2, checkpoint_every=200)
RUN = """
import os, sys
from course_lib.dqn.config import DQNConfig
from course_lib.dqn.envs import make_vec
from course_lib.dqn.{twin} import train

def killer(history):
    if history.steps >= 500:  # after the checkpoint at 400, before the next
        os._exit(9)

train(make_vec("CartPole-v1", 4), {config}, seed=1, checkpoint_path=sys.argv[1], callbacks=[killer])
"""


def test_a_killed_run_resumes_to_the_same_result(dqn, tmp_path):
    def run(name):
        history = dqn.train(make_vec("CartPole-v1", 4), KILLED, seed=1, checkpoint_path=tmp_path / name)
        return history.losses, history.eval_returns, history.episode_returns, history.steps

    script = RUN.format(twin=dqn.__name__.rsplit(".", 1)[-1], config=KILLED)
    killed = subprocess.run([sys.executable, "-c", script, tmp_path / "killed.npz"], capture_output=True, text=True)
    assert killed.returncode == 9, killed.stderr
    whole = run("whole.npz")
    assert 0 < checkpoint.load(tmp_path / "killed.npz")["vector_steps"] * 4 < 800
    assert len(whole[0]) > 0 and whole[3] >= 800 and run("killed.npz") == whole


def test_every_counter_is_resumed(dqn, tmp_path):
    config = replace(SMALL, train_every=7, target_update_every=3, tau=0.5, eval_every=50)

    def interrupt(history):
        if history.steps >= 250:
            raise KeyboardInterrupt

    def run(name, callbacks=()):
        history = dqn.train(make_vec("CartPole-v1", 4), config, callbacks=callbacks, eval_env=False,
                            checkpoint_path=tmp_path / name)
        return history.losses, history.updates, history.agent.updates, history.agent.state()["target"]

    whole = run("whole.npz")
    with pytest.raises(KeyboardInterrupt):
        run("cut.npz", [interrupt])
    saved = checkpoint.load(tmp_path / "cut.npz")
    assert saved["vector_steps"] % 7 and saved["agent"]["updates"] % 3  # or starting from zero would look right
    resumed = run("cut.npz")
    assert resumed[:3] == whole[:3]
    for a, b in zip(resumed[3], whole[3], strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_checkpoint_of_other_settings_is_refused(dqn, tmp_path):
    path = tmp_path / "run.npz"
    with pytest.raises(ValueError, match="checkpoint_path: expected a file in a folder that exists"):
        dqn.train(make_vec("CartPole-v1", 4), SMALL, checkpoint_path=tmp_path / "none" / "run.npz")
    dqn.train(make_vec("CartPole-v1", 4), SMALL, eval_env=False, checkpoint_path=path)
    other = DQNConfig.from_dict({**SMALL.as_dict(), "gamma": 0.5})
    with pytest.raises(ValueError, match="gamma=0.99.*gamma=0.5"):
        dqn.train(make_vec("CartPole-v1", 4), other, eval_env=False, checkpoint_path=path)
    with pytest.raises(ValueError, match="environment='CartPole-v1'.*environment='CartPole-v0'"):
        dqn.train(make_vec("CartPole-v0", 4), SMALL, eval_env=False, checkpoint_path=path)


def test_a_network_of_ones_own(dqn):
    seen = []

    def network(obs_shape, n_actions, seed):
        seen.append((obs_shape, n_actions, seed))
        return dqn.make_q_network(obs_shape, n_actions, hidden=(8, 8), seed=seed)

    history = dqn.train(make_vec("CartPole-v1", 4), SMALL, seed=2, network=network)
    assert set(seen) == {((4,), 2, 2)} and len(history.losses) > 10
    default = dqn.train(make_vec("CartPole-v1", 4), DQNConfig.from_dict({**SMALL.as_dict(), "hidden": [8, 8]}), seed=2)
    np.testing.assert_allclose(history.losses, default.losses, rtol=1e-3)  # the same network, the other way of acting
    with pytest.raises(ValueError, match=r"shape \(2, 3\).*got \(2, 5\)"):
        dqn.DQNAgent((4,), 3, network=lambda *_: dqn.make_q_network((4,), 5))


def with_batch_norm(dqn):
    """A factory of networks that learn statistics of their input beside their weights."""
    if dqn.__name__.endswith("pytorch"):
        from torch import nn

        return lambda obs_shape, n_actions, seed: nn.Sequential(
            nn.BatchNorm1d(*obs_shape, eps=1e-3, momentum=0.1), dqn.make_q_network(obs_shape, n_actions, seed=seed))
    import keras

    return lambda obs_shape, n_actions, seed: keras.Sequential([
        keras.Input(obs_shape), keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-3),
        dqn.make_q_network(obs_shape, n_actions, seed=seed)])


@pytest.mark.parametrize("fast", [True, False])
def test_batch_norm_is_averaged_saved_and_restored(dqn, fast, tmp_path):
    config = DQNConfig(fast=fast, learning_rate=1e-9, tau=0.5)
    agent = dqn.DQNAgent((4,), 2, config, network=with_batch_norm(dqn))
    block = random_block(np.random.default_rng(0), updates=50)
    block = block._replace(obs=10 * block.obs + 3)
    before = agent.q_values(block.obs[0])
    agent.update_block(block)
    after = agent.q_values(block.obs[0])
    plain = dqn.DQNAgent((4,), 2)  # its weights are where those of the agent still are: only the averages moved
    expected = plain.q_values((block.obs[0] - 3) / 10)
    assert np.abs(before - expected).max() > 1
    np.testing.assert_allclose(after, expected, atol=0.15)
    agent.save(tmp_path / "agent.npz")
    loaded = dqn.DQNAgent.load(tmp_path / "agent.npz", network=with_batch_norm(dqn))
    np.testing.assert_array_equal(loaded.q_values(block.obs[0]), after)


@pytest.mark.parametrize("dtype", [np.float64, np.int32, np.uint8])
def test_observations_may_be_of_any_dtype(dqn, dtype):
    agent = dqn.DQNAgent((4,), 2)
    block = random_block(np.random.default_rng(0))
    whole = block._replace(obs=(9 + block.obs).astype(dtype), next_obs=(9 + block.next_obs).astype(dtype))
    assert np.isfinite(agent.update_block(whole)) and agent.act(whole.obs[0]).shape == (32,)


def test_the_scale_is_applied_everywhere(dqn):
    scaled, plain = dqn.DQNAgent((4,), 2), dqn.DQNAgent((4,), 2)
    scaled.scale = np.array([2, 1, 0.5, 3], np.float32)
    block = random_block(np.random.default_rng(0))._replace(terminated=np.zeros((3, 32), np.float32))
    for_plain = block._replace(obs=block.obs * scaled.scale, next_obs=block.next_obs * scaled.scale)
    assert scaled.update_block(block) == pytest.approx(plain.update_block(for_plain), rel=1e-6)
    np.testing.assert_allclose(scaled.q_values(block.obs[0]), plain.q_values(for_plain.obs[0]), rtol=1e-5)
    unscaled = dqn.train(make_vec("CartPole-v1", 4), replace(SMALL, scale_obs=False), eval_env=False).agent
    assert (unscaled.scale == 1).all() and unscaled.updates > 0


@pytest.mark.parametrize("fast", [True, False])
def test_the_first_step_of_adam_is_the_learning_rate(dqn, fast):
    agent = dqn.DQNAgent((4,), 2, DQNConfig(learning_rate=3e-3, fast=fast))
    before = agent.state()["q"]
    agent.update_block(random_block(np.random.default_rng(0), updates=1))
    moved = max(np.abs(new - old).max() for new, old in zip(agent.state()["q"], before))
    assert moved == pytest.approx(3e-3, rel=1e-2)


@pytest.mark.parametrize("settings", [{}, {"huber_delta": 0.5}, {"max_grad_norm": 0.1}, {"hidden": (16, 8)}])
def test_fast_and_plain_updates_agree(dqn, settings):
    block = random_block(np.random.default_rng(0), updates=3)
    agents = [dqn.DQNAgent((4,), 2, DQNConfig(fast=fast, **settings)) for fast in (True, False)]
    losses = [agent.update_block(block) for agent in agents]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_a_trained_agent_keeps_its_scale(dqn):
    agent = dqn.train(make_vec("CartPole-v1", 4), SMALL, eval_env=False).agent
    scale = agent.scale.copy()
    train_agent(agent, make_vec("CartPole-v1", 4), seed=9, eval_env=False)
    np.testing.assert_array_equal(agent.scale, scale)


def test_bad_input_is_refused(dqn):
    agent = dqn.DQNAgent((4,), 2)
    with pytest.raises(ValueError, match=r"obs: expected shape \(B, 4\), got \(4,\)"):
        agent.act(np.zeros(4, np.float32))
    with pytest.raises(ValueError, match="callbacks: expected a list of functions"):
        dqn.train(make_vec("CartPole-v1", 4), SMALL, callbacks=print)


def test_a_batch_may_hold_what_an_environment_returned(dqn):
    plain = Batch(*(field[0] for field in random_block(np.random.default_rng(0))))
    raw = plain._replace(terminated=plain.terminated.astype(bool), reward=plain.reward.astype(np.float64))
    assert dqn.DQNAgent((4,), 2).update(raw) == dqn.DQNAgent((4,), 2).update(plain)


def test_spaces_that_dqn_cannot_use_are_refused(dqn):
    with pytest.raises(ValueError, match="config: expected a DQNConfig"):
        dqn.DQNAgent((4,), 2, {"gamma": 0.9})
    with pytest.raises(ValueError, match="expected Discrete"):
        dqn.train(gym.make("Pendulum-v1"))


def test_cartpole_is_solved(dqn):
    solved = 0
    for seed in range(3):
        history = dqn.train(make_vec("CartPole-v1", 32), DQNConfig(total_steps=40_000), seed=seed,
                            callbacks=[dqn.stop_when_solved(475)])
        if history.solved_after(475) is not None:
            solved += dqn.evaluate(history.agent, make_vec("CartPole-v1", 50), 100, seed=123).mean() >= 450
    assert solved == 3
