"""A game agent's training as an environment: an agent learns to balance a pole, and another sets its learning rate."""

from __future__ import annotations

from dataclasses import replace

import gymnasium as gym
import numpy as np

from course_lib.dqn.config import SETTINGS
from course_lib.dqn.envs import make_vec
from course_lib.dqn.loop import Trainer, evaluate

LONGEST = 500  # steps of an episode of CartPole-v1, and its largest return
PLAYER = replace(SETTINGS["CartPole-v1"], warmup_steps=512)
FACTORS = (0.3, 1.0, 3.0)  # by which an action multiplies the learning rate
START = (1e-4, 0.3)  # the first learning rate is drawn between them, on a logarithmic scale
BOUNDS = (1e-5, 1.0)


class GameTuningEnv(gym.Env):
    """One episode is one training of a DQN on CartPole-v1, from its first weights on.

    An observation is how long the pole stayed up in greedy episodes now, by how much that has changed, the logarithm
    of the mean loss since the last decision, that of the learning rate, and the share of the training that is over.
    The reward is by how much longer the pole stays up, as a share of the longest episode.

    Parameters
    ----------
    dqn : module
        A twin of `dqn`.
    player : DQNConfig, optional
        How the game's agent learns, but for its learning rate.
    decisions : int
        In a training.
    steps : int
        In the game after each decision, over 32 copies.
    episodes : int
        Greedy ones, after each decision.
    """

    metadata = {"render_modes": []}

    def __init__(self, dqn, player=PLAYER, *, decisions=10, steps=1_000, episodes=8):
        self.dqn, self.player, self.decisions, self.steps, self.episodes = dqn, player, decisions, steps, episodes
        self.observation_space = gym.spaces.Box(np.array([0, -1, -8, -12, 0], np.float32),
                                                np.array([1, 1, 12, 1, 1], np.float32))
        self.action_space = gym.spaces.Discrete(len(FACTORS))
        self.env, self.judge = make_vec("CartPole-v1", 32), make_vec("CartPole-v1", self.episodes)

    def reset(self, *, seed=None, options=None):
        """A new training begins; `options["rate"]` is its first learning rate."""
        super().reset(seed=seed)
        rate = (options or {}).get("rate")
        self.rate = float(np.exp(self.np_random.uniform(*np.log(START)))) if rate is None else float(rate)
        own = int(self.np_random.integers(2**31))
        agent = self.dqn.DQNAgent((4,), 2, replace(self.player, learning_rate=self.rate), seed=own)
        self.trainer = Trainer(agent, self.env, seed=own, eval_env=False)
        self.time, self.loss, self.change, self.score = 0, 1.0, 0.0, self._score()
        return self._obs(), {}

    def step(self, action):
        """Decide, and train; returns the usual five values."""
        if not self.action_space.contains(action):
            raise ValueError(f"action: expected a whole number from 0 to {self.action_space.n - 1}, got {action!r}")
        return self.advance(self.rate * FACTORS[action])

    def advance(self, rate):
        """`step` with a learning rate, which is cut at the bounds, in place of an action."""
        self.rate = float(np.clip(rate, *BOUNDS))
        self.trainer.agent.set_learning_rate(self.rate)
        history, self.time = self.trainer.history, self.time + 1
        seen = len(history.losses)
        while history.steps < self.steps * self.time:
            self.trainer.collect()
            self.trainer.learn()
        if len(history.losses) > seen:
            self.loss = float(np.clip(np.nan_to_num(np.mean(history.losses[seen:]), nan=1e5, posinf=1e5), 1e-3, 1e5))
        before, self.score = self.score, self._score()
        self.change = self.score - before
        return self._obs(), self.change, self.time == self.decisions, False, {}

    def test(self, episodes=32, *, seed=1_000_003):
        """How long the pole stays up in other greedy episodes, on average, in steps: to judge, not to learn."""
        return float(evaluate(self.trainer.agent, make_vec("CartPole-v1", 32), episodes, seed=seed).mean())

    def _score(self):
        agent, seed = self.trainer.agent, int(self.np_random.integers(2**31))
        return float(evaluate(agent, self.judge, self.episodes, seed=seed).mean()) / LONGEST

    def _obs(self):
        obs = np.array([self.score, self.change, np.log(self.loss), np.log(self.rate),
                        self.time / self.decisions])
        return np.clip(obs, self.observation_space.low, self.observation_space.high).astype(np.float32)
