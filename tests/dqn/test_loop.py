"""The training loop, with an agent that needs no framework and environments whose every step is known."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from course_lib.dqn.config import DQNConfig
from course_lib.dqn.envs import as_vector, check_spaces, make_vec
from course_lib.dqn.loop import History, Trainer, evaluate, stop_when_solved


class Counter(gym.Env):
    """Counts its steps; ends after `length` steps by termination or truncation. The reward is 1 a step.

    Episode e starts at 100 e, so that a transition which mixes two episodes shows at once.
    """

    observation_space = gym.spaces.Box(0, np.inf, (1,), np.float32)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, length=3, truncates=False, first=0):
        self.length, self.truncates, self.episode, self.first = length, truncates, 0, first

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.episode += 1
        self.count = 0
        return self.obs(), {}

    def obs(self):
        return np.array([self.first + 100 * self.episode + self.count], np.float32)

    def step(self, action):
        self.count += 1
        over = self.count == self.length
        return self.obs(), 1.0, over and not self.truncates, over and self.truncates, {}


class Idle:
    """An agent that always takes action 0 and learns nothing."""

    def __init__(self, **settings):
        self.config = DQNConfig(**{"warmup_steps": 10_000, "n_step": 1, "gamma": 0.5, **settings})
        self.obs_shape, self.n_actions, self.epsilons, self.blocks = (1,), 2, [], []
        self.updates = 0

    def act(self, obs, epsilon=0.0, rng=None):
        self.epsilons.append(epsilon)
        return np.zeros(len(obs), int)

    def update_block(self, block):
        self.blocks.append(block)
        self.updates += len(block.action)
        return 0.0

    def fit_scale(self, obs):
        self.scaled_on = obs.copy()


def collected(env, steps, **settings):
    trainer = Trainer(Idle(**settings), env, eval_env=False)
    for _ in range(steps):
        trainer.collect()
    size = len(trainer.buffer)
    return trainer, [field[:size] for field in trainer.buffer.storage]


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
@pytest.mark.parametrize("truncates", [False, True])
def test_no_transition_crosses_an_episode(mode, truncates):
    env = SyncVectorEnv([lambda: Counter(3, truncates), lambda: Counter(4, truncates, first=50_000)],
                        autoreset_mode=mode)
    trainer, (obs, _, reward, next_obs, terminated, _) = collected(env, 60)
    np.testing.assert_array_equal(next_obs, obs + 1)  # a stored reset would jump to the next hundred
    np.testing.assert_array_equal(reward, 1)
    last = next_obs[:, 0] % 100 == np.where(obs[:, 0] < 50_000, 3, 4)
    np.testing.assert_array_equal(terminated, last & (not truncates))  # a truncated step is to bootstrap
    resets = 0 if mode == AutoresetMode.SAME_STEP else 15 + 12
    assert trainer.history.steps == len(obs) == 120 - resets


def test_returns_of_training_episodes_are_counted():
    trainer, _ = collected(SyncVectorEnv([lambda: Counter(3)]), 12)
    assert trainer.history.episode_returns == [3.0, 3.0, 3.0]
    assert trainer.history.episode_steps == [3, 6, 9]


def test_a_single_environment_is_taken_as_well():
    trainer, (obs, _, _, next_obs, *_) = collected(Counter(3), 8)
    assert trainer.history.steps == len(obs) == 6
    np.testing.assert_array_equal(next_obs, obs + 1)


def test_an_environment_may_reuse_its_array():
    _, (obs, _, _, next_obs, *_) = collected(SyncVectorEnv([lambda: Counter(50)], copy=False), 20)
    np.testing.assert_array_equal(next_obs, obs + 1)


def test_evaluation_keeps_the_time_limit():
    agent = Idle(eval_episodes=3)
    agent.obs_shape = (4,)
    trainer = Trainer(agent, gym.make("CartPole-v1", max_episode_steps=5))
    np.testing.assert_array_equal(evaluate(agent, trainer.eval_env, 3), 5)


def test_epsilon_is_one_in_the_warm_up_and_then_falls():
    agent = Idle(warmup_steps=4, epsilon_start=0.9, epsilon_steps=10, epsilon_end=0.4, total_steps=24, train_every=1,
                 batch_size=2, updates_per_block=3)
    history = Trainer(agent, SyncVectorEnv([lambda: Counter(10_000)]), eval_env=False).run()
    np.testing.assert_allclose(agent.epsilons[:4], 1.0)
    np.testing.assert_allclose(agent.epsilons[4:14], 0.9 - 0.05 * np.arange(10))
    np.testing.assert_allclose(agent.epsilons[14:], 0.4)
    assert len(agent.blocks) == 21 and agent.blocks[0].action.shape == (3, 2)
    assert history.updates == 63 and len(history.losses) == 21
    assert len(agent.scaled_on) == 4  # the scale is set once, from the warm-up


def test_a_block_comes_every_train_every_vector_steps():
    agent = Idle(warmup_steps=10, total_steps=50, train_every=5, batch_size=2, updates_per_block=3)
    Trainer(agent, SyncVectorEnv([lambda: Counter(10_000)]), eval_env=False).run()
    assert len(agent.blocks) == 9  # after 10, 15, ... 50 steps


def test_a_restart_of_the_episodes_forgets_the_open_transitions():
    trainer = Trainer(Idle(n_step=3), Counter(1_000), eval_env=False)
    for steps in (5, 20):
        for _ in range(steps):
            trainer.collect()
        trainer._start_episodes()
    stored = trainer.buffer.storage
    assert len(trainer.buffer) == 3 + 18
    np.testing.assert_array_equal(stored.next_obs[:21], stored.obs[:21] + 3)


def test_without_replay_only_the_latest_steps_are_seen():
    agent = Idle(warmup_steps=50, total_steps=100, train_every=5, batch_size=64, replay=False)
    Trainer(agent, SyncVectorEnv([lambda: Counter(10_000)]), eval_env=False).run()
    seen = agent.blocks[-1].obs
    assert set(seen.flat) == set(range(int(seen.max()) - 4, int(seen.max()) + 1))


def test_evaluate_plays_whole_episodes_and_favours_no_short_ones():
    env = SyncVectorEnv([lambda: Counter(2), lambda: Counter(50)])
    np.testing.assert_array_equal(np.sort(evaluate(Idle(), env, 6)), [2, 2, 2, 50, 50, 50])
    same_step = SyncVectorEnv([lambda: Counter(2)], autoreset_mode=AutoresetMode.SAME_STEP)
    np.testing.assert_array_equal(evaluate(Idle(), same_step, 3), [2, 2, 2])
    np.testing.assert_array_equal(evaluate(Idle(), Counter(7), 2), [7, 7])


def test_evaluation_of_an_endless_environment_ends_with_an_error():
    env = SyncVectorEnv([lambda: Counter(5), lambda: Counter(10**9)])
    with pytest.raises(RuntimeError, match="only 1 of 2 episodes were over after 300 steps.*time limit"):
        evaluate(Idle(), env, 2, max_steps=300)
    np.testing.assert_array_equal(evaluate(Idle(), Counter(5), 1, max_steps=5), [5])


def test_evaluations_come_when_due_and_stop_a_solved_run():
    agent = Idle(total_steps=100, eval_every=10, eval_episodes=2)
    history = Trainer(agent, Counter(5), eval_env=Counter(5)).run([stop_when_solved(5, in_a_row=3)])
    assert history.eval_steps == [10, 20, 30] and history.eval_returns == [5.0] * 3
    assert history.solved_after(5) == 2 and history.solved_after(6) is None


def test_three_in_a_row_means_in_a_row():
    history = History(eval_returns=[500, 500, 100, 500, 500, 500, 0])
    assert history.solved_after(475) == 5 and history.solved_after(475, in_a_row=2) == 1


def test_cartpole_and_acrobot_are_stepped_in_one_numpy_call():
    assert type(make_vec("CartPole-v1", 2)).__name__ == "CartPoleVectorEnv"
    assert type(make_vec("Acrobot-v1", 2)).__name__ == "AcrobotVectorEnv"
    assert isinstance(make_vec("MountainCar-v0", 2), SyncVectorEnv)


def test_what_dqn_cannot_use_is_refused():
    with pytest.raises(ValueError, match="action space: expected Discrete"):
        check_spaces(gym.make("Pendulum-v1"))
    with pytest.raises(ValueError, match="observation space: expected Box"):
        check_spaces(gym.make("Taxi-v3") if "Taxi-v3" in gym.registry else gym.make("FrozenLake-v1"))
    with pytest.raises(ValueError, match="expected a Gymnasium environment.*got str"):
        as_vector("CartPole-v1")
    with pytest.raises(ValueError, match="autoreset"):
        as_vector(SyncVectorEnv([Counter], autoreset_mode=AutoresetMode.DISABLED))
    with pytest.raises(ValueError, match="pass a second one as eval_env"):
        Trainer(Idle(), Counter())
    with pytest.raises(ValueError, match="another environment than env"):
        same = Counter()
        Trainer(Idle(), same, eval_env=same)
    with pytest.raises(ValueError, match="got str"):
        check_spaces("CartPole-v1")
    with pytest.raises(ValueError, match="at least one dimension"):
        scalar = Counter()
        scalar.observation_space = gym.spaces.Box(0, 1, ())
        check_spaces(scalar)
    with pytest.raises(ValueError, match="num_envs: expected a whole number >= 1, got 0"):
        make_vec("CartPole-v1", 0)
    with pytest.raises(ValueError, match="expected observations"):
        Trainer(Idle(), gym.make("CartPole-v1"))


def test_wrapped_environments_are_not_evaluated_unwrapped():
    wrapped = gym.wrappers.TransformReward(gym.make("CartPole-v1"), lambda r: 2 * r)
    agent = Idle()
    agent.obs_shape = (4,)
    with pytest.raises(ValueError, match="eval_env"):
        Trainer(agent, wrapped)
