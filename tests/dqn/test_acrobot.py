"""The batched Acrobot does what Gymnasium's does, one copy at a time."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.classic_control.acrobot import AcrobotEnv
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from course_lib.dqn.acrobot import MAX_SPEED, AcrobotVectorEnv, rates
from course_lib.dqn.envs import make_vec


def stepped(states, actions):
    """What one step makes of states (4, N) in the batched version."""
    env = AcrobotVectorEnv(states.shape[1])
    env.reset(seed=0)
    env.state = states
    obs, reward, terminated, truncated, infos = env.step(actions)
    assert not truncated.any() and infos == {}
    return env, obs, reward, terminated


def gymnasiums(states, actions):
    """The same from Gymnasium's, as a list of (state, obs, reward, terminated)."""
    single, found = AcrobotEnv(), []
    for state, action in zip(states.T, actions):
        single.state = state.copy()
        obs, reward, terminated, _, _ = single.step(int(action))
        found.append((single.state, obs, reward, terminated))
    return [np.array(column) for column in zip(*found)]


def test_rates_of_a_hanging_and_of_a_stretched_acrobot_by_hand():
    # All masses, lengths and moments are 1, centres of mass .5. Hanging still, d1 = 4.5, d2 = 1.75 and gravity
    # does nothing: the second angle's change is 1 / (1.25 - 1.75**2 / 4.5), the first's -1.75 / 4.5 of it.
    hanging = 1 / (1.25 - 1.75**2 / 4.5)
    still = rates(np.zeros((4, 1)), np.ones(1))[:, 0]
    np.testing.assert_allclose(still, [0, 0, -1.75 / 4.5 * hanging, hanging])
    # Lying still to the right: phi2 = .5 * 9.8, phi1 = 1.5 * 9.8 + phi2.
    phi1, phi2 = 19.6, 4.9
    second = (1.75 / 4.5 * phi1 - phi2) * hanging
    lying = rates(np.array([[np.pi / 2], [0], [0], [0]]), np.zeros(1))[:, 0]
    np.testing.assert_allclose(lying, [0, 0, -(1.75 * second + phi1) / 4.5, second])


def test_thousands_of_random_transitions_equal_gymnasiums():
    rng = np.random.default_rng(0)
    states = rng.uniform(-1, 1, (4, 4_000)) * np.array([[np.pi], [np.pi], *MAX_SPEED])
    actions = rng.integers(0, 3, 4_000)
    env, obs, reward, terminated = stepped(states, actions)
    state, single_obs, single_reward, single_terminated = gymnasiums(states, actions)
    np.testing.assert_allclose(env.state, state.T, atol=1e-5)
    np.testing.assert_allclose(obs, single_obs, atol=1e-5)
    np.testing.assert_array_equal(reward, single_reward)
    np.testing.assert_array_equal(terminated, single_terminated)
    assert obs.dtype == reward.dtype == np.float32 and obs.shape == (4_000, 6)
    assert 100 < terminated.sum() < 3_900
    moved = states[:2] + 0.2 * states[2:]  # about where the angles would be without wrapping
    assert (np.abs(moved) > 1.5 * np.pi).any(axis=1).all()
    assert (np.abs(state[:, 2:].T) == MAX_SPEED).any(axis=1).all()


def test_whole_episodes_equal_gymnasiums():
    batched, single = make_vec("Acrobot-v1", 3), AcrobotEnv()
    obs, _ = batched.reset(seed=1)
    single.reset(seed=1)
    single.state = batched.state[:, 2].copy()
    rng = np.random.default_rng(2)
    for _ in range(60):
        actions = rng.integers(0, 3, 3)
        obs, reward, terminated, _, _ = batched.step(actions)
        single_obs, single_reward, single_terminated, _, _ = single.step(int(actions[2]))
        np.testing.assert_allclose(obs[2], single_obs, atol=1e-5)
        assert (reward[2], terminated[2]) == (single_reward, single_terminated)


def test_an_episode_is_truncated_after_500_steps_and_reset_on_the_next():
    env = make_vec("Acrobot-v1", 2)
    first, _ = env.reset(seed=3)
    idle = np.ones(2, int)
    for step in range(1, 501):
        obs, reward, terminated, truncated, _ = env.step(idle)
        assert (reward == -1).all() and not terminated.any() and (truncated == (step == 500)).all()
    obs, reward, terminated, truncated, _ = env.step(np.full(2, 2))
    assert (reward == 0).all() and not terminated.any() and not truncated.any()
    assert (np.abs(env.state) <= 0.1).all() and (obs != first).any(axis=1).all() and (env.steps == 0).all()
    for step in (1, 2):
        env.step(idle)
        assert (env.steps == step).all()


def test_the_reset_step_never_ends_an_episode():
    env = AcrobotVectorEnv(50, max_episode_steps=1)
    env.reset(seed=0, options={"low": -3, "high": 3})
    assert env.step(np.ones(50, int))[3].all()
    _, reward, terminated, truncated, _ = env.step(np.ones(50, int))
    assert (reward == 0).all() and not terminated.any() and not truncated.any()


def test_only_the_copy_that_ended_is_reset():
    env = AcrobotVectorEnv(2)
    env.reset(seed=0)
    env.state = np.array([[0, np.pi], [0, 0], [0, 0], [0, 0.0]])  # the second one stands upright
    _, reward, terminated, truncated, _ = env.step(np.ones(2, int))
    assert reward.tolist() == [-1, 0] and terminated.tolist() == [False, True] and not truncated.any()
    _, reward, terminated, _, _ = env.step(np.full(2, 2))
    assert reward.tolist() == [-1, 0] and not terminated.any() and env.steps.tolist() == [2, 0]
    expected, *_ = gymnasiums(np.zeros((4, 1)), [2])
    np.testing.assert_allclose(env.state[:, 0], expected[0], atol=1e-5)
    assert (np.abs(env.state[:, 1]) <= 0.1).all()


def test_a_seed_gives_the_same_episodes_and_another_one_others():
    def play(seed):
        env = make_vec("Acrobot-v1", 4)
        rng, seen = np.random.default_rng(0), [env.reset(seed=seed)[0]]
        return np.array(seen + [env.step(rng.integers(0, 3, 4))[0] for _ in range(520)])  # past a reset

    np.testing.assert_array_equal(play(5), play(5))
    assert (play(5)[0] != play(6)[0]).any() and (play(5)[-1] != play(6)[-1]).any()


def test_starts_are_uniform_within_their_bounds():
    env = AcrobotVectorEnv(2_000)
    env.reset(seed=0)
    assert 0.099 < env.state.max() <= 0.1 and -0.1 <= env.state.min() < -0.099
    env.reset(seed=0, options={"low": 0.2, "high": 0.3})
    assert 0.2 <= env.state.min() < 0.201 and 0.299 < env.state.max() <= 0.3


def test_make_vec_uses_it_with_gymnasiums_spaces_and_spec():
    env, sync = make_vec("Acrobot-v1", 3), gym.make_vec("Acrobot-v1", 3, vectorization_mode="sync")
    assert isinstance(env, AcrobotVectorEnv) and env.num_envs == 3 and env.max_episode_steps == 500
    assert env.spec.id == "Acrobot-v1" and env.metadata["autoreset_mode"] == AutoresetMode.NEXT_STEP
    for name in ("observation_space", "action_space"):
        assert getattr(env, name) == getattr(sync, name)
        assert getattr(env, f"single_{name}") == getattr(sync, f"single_{name}")
    assert env.reset(seed=0)[0] in env.observation_space
    assert gym.spec("Acrobot-v1").vector_entry_point is None  # Gymnasium's registry is left as it was
    modes = make_vec("Acrobot-v1", 3, vector_kwargs={"autoreset_mode": AutoresetMode.SAME_STEP})
    assert isinstance(modes, SyncVectorEnv)  # what the batched version cannot do
    with pytest.raises(ValueError, match="actions: expected 3 whole numbers from 0 to 2"):
        env.step(np.array([0, 1, 3]))
