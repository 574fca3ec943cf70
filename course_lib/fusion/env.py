"""Choosing an expert, as an environment for reinforcement learning."""

from __future__ import annotations

import gymnasium as gym
import numpy as np

from course_lib.common.config import whole
from course_lib.dqn.vector import NextStepVectorEnv, Single
from course_lib.fusion.outputs import check_predictions


class ExpertChoiceEnv(Single):
    """An episode is a stream of examples; each action asks one expert about one of them.

    The reward is 1 if the class with its highest probability is right, else 0. Experts may tire: one who was asked is
    more likely, next time, to look at the wrong example; resting, it recovers. Then a choice has consequences.

    The observation has shape (visible * C + tiring experts,): what the visible experts say, and how tired each expert
    is that tires.

    Parameters
    ----------
    predictions : array (M, N, C)
        Probabilities of M experts for N examples.
    y : integer array (N,)
    visible : sequence of int, optional
        The experts whose predictions are seen before the choice; by default all.
    tire : array (M,), optional
        How much more tired an expert gets when asked; by default no expert tires.
    recover : float
        How much less tired an expert gets when not asked.
    length : int
        Examples in an episode.
    """

    def __init__(self, predictions, y, *, visible=None, tire=None, recover=0.1, length=50):
        self.predictions, self.y = check_predictions(predictions, classes=True), np.asarray(y)
        experts, examples, _ = self.predictions.shape
        self.visible = list(range(experts) if visible is None else visible)
        self.tire = np.zeros(experts) if tire is None else np.asarray(tire, float)
        self.recover, self.length = recover, length
        self._check(experts, examples)
        super().__init__(self.copies(1))

    def rewards(self):
        """What each action earns for each example if no expert is tired: an array (N, M) of 0 and 1."""
        return (self.predictions.argmax(axis=2) == self.y).T.astype(float)

    def observations(self):
        """What is seen of each example if no expert is tired: an array (N, size of an observation)."""
        said = self.predictions[self.visible].swapaxes(0, 1).reshape(len(self.y), -1)  # (N, visible * C)
        return np.hstack([said, np.zeros((len(self.y), (self.tire > 0).sum()))]).astype(np.float32)

    def copies(self, count):
        """So many environments like this one, side by side in one NumPy step: what DQN trains on."""
        return _Copies(self, count)

    def _check(self, experts, examples):
        classes = self.predictions.shape[2]
        fits = {"y": self.y.shape == (examples,) and self.y.dtype.kind in "iu" and set(self.y) <= set(range(classes)),
                "visible": all(whole(m, 0) and m < experts for m in self.visible),
                "tire": self.tire.shape == (experts,) and (self.tire >= 0).all(), "recover": self.recover >= 0,
                "length": whole(self.length, 1)}
        for name, fine in fits.items():
            if not fine:
                raise ValueError(f"{name}: expected what fits {experts} experts' predictions of {examples} examples "
                                 f"(classes of y, numbers >= 0), got {getattr(self, name)!r}")


class _Copies(NextStepVectorEnv):
    """`ExpertChoiceEnv` many times; all streams are equally long, so all begin and end together."""

    def __init__(self, env, count):
        self.env, self.rested = env, env.observations()
        super().__init__(count, gym.spaces.Box(-np.inf, np.inf, self.rested.shape[1:], np.float32),
                         len(env.predictions))

    def begin(self, new):
        self.rows = self.np_random.integers(len(self.env.y), size=(self.num_envs, self.env.length))
        self.at, self.tired = 0, np.zeros((self.num_envs, len(self.env.predictions)))

    def act(self, actions):
        env, never = self.env, np.zeros(self.num_envs, bool)
        if self.at == env.length:  # the next streams begin, and nothing is drawn for these
            return np.zeros(self.num_envs), never, never, {}
        asked, row, size = np.eye(len(env.predictions), dtype=bool)[actions], self.rows[:, self.at], self.tired.shape
        others = self.np_random.integers(len(env.y), size=size)  # where tired experts look
        seen = np.where(self.np_random.random(size) < self.tired, others, row[:, None])
        said = env.predictions[actions, seen[asked]]  # (copies, C)
        rested = np.where(asked, self.tired + env.tire, self.tired - env.recover)
        self.tired, self.at = np.clip(rested, 0, 1), self.at + 1
        over = np.full(self.num_envs, self.at == env.length)
        return (said.argmax(axis=1) == env.y[row]).astype(float), never, over, {}

    def observe(self):
        obs = self.rested[self.rows[:, min(self.at, self.env.length - 1)]]
        obs[:, obs.shape[1] - (self.env.tire > 0).sum():] = self.tired[:, self.env.tire > 0]
        return obs
