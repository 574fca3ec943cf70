"""A training run as an environment: each step decides on the learning rate, and then the network learns for a while."""

from __future__ import annotations

import gymnasium as gym
import numpy as np

from course_lib.dqn.vector import NextStepVectorEnv
from course_lib.training.reference import dropout_masks
from course_lib.training.tasks import batches
from course_lib.tuning.config import TuningConfig
from course_lib.tuning.reference import tuning_reward
from course_lib.tuning.tasks import trimmed

WORST = 5.0  # losses are cut at it, and a run that has lost all numbers has it
SEEN = ("training loss", "validation loss", "slope of training", "slope of validation", "gradient norm",
        "learning rate", "progress", "above the best")  # the first six on a logarithmic scale
LEVELS = {"l2": (0.0, 1e-4, 1e-3, 1e-2), "dropout": (0.0, 0.2, 0.4), "max_norm": (np.inf, 1.0)}  # from none to most
MOVES = tuple((knob, way) for knob in LEVELS for way in (1, -1))  # what an action more does: a level up or down


def observation_space(config):
    """What is seen of a run, (8,): see `SEEN`; with `config.regularise` (11,): the levels of `LEVELS`, too."""
    high = np.array([8, 8, 8, 8, 8, 8, 1, WORST], np.float32)
    low = np.where([True] * 6 + [False] * 2, -high, 0).astype(np.float32)
    more = [len(levels) - 1 for levels in LEVELS.values()] * config.regularise
    return gym.spaces.Box(np.append(low, np.zeros(len(more), np.float32)),
                          np.append(high, np.array(more, np.float32)))


class TrainingVectorEnv(NextStepVectorEnv):
    """Many training runs at once; when one is over, the next one, of another task, begins at the next step.

    An observation is the logarithm of the mean training loss since the last decision and of the validation loss now,
    both over the loss of guessing, how both have changed, the logarithms of the gradient's norm and of the learning
    rate, the share of the run that is over, and how far the validation loss lies above its best so far. An action
    multiplies the learning rate by one of `config.factors`. With `config.regularise` further actions, in the order of
    `MOVES`, put one of `LEVELS` up or down; the last one stops the run. The reward is by how much the logarithm of the
    validation loss has fallen; at the end there is a bonus for accuracy. Test examples are in neither.

    A run whose loss is no number any more is over, with the worst loss.

    Parameters
    ----------
    nets : module
        A twin of `networks`.
    tasks : sequence of Task
        Each run has one of these, drawn at random.
    config : TuningConfig, optional
    num_envs : int
    """

    def __init__(self, nets, tasks, config=None, *, num_envs=32):
        if not len(tasks):
            raise ValueError("tasks: expected one task or more, got none")
        self.nets, self.pool, self.config, self.runs = nets, trimmed(tasks), config or TuningConfig(), None
        actions = len(self.config.factors) + (len(MOVES) + 1) * self.config.regularise
        super().__init__(num_envs, observation_space(self.config), actions)

    def start(self, options):
        """Begin a run in every copy; `options["tasks"]`, whole numbers (num_envs,), says of which tasks."""
        self.batch_rng = np.random.default_rng(int(self.np_random.integers(2**31)))  # what is decided changes no batch
        n, first = self.num_envs, options.get("tasks")
        if first is not None and (len(first) != n or not 0 <= min(first) <= max(first) < len(self.pool)):
            raise ValueError(f"tasks: expected {n} whole numbers from 0 to {len(self.pool) - 1}, got {first!r}")
        self.tasks, self.rate, self.time = [None] * n, np.ones(n), np.zeros(n, int)
        self.loss, self.train_loss, self.norm, self.best, self.accuracy = (np.zeros(n) for _ in range(5))
        self.slopes, self.levels = np.zeros((n, 2)), {knob: np.zeros(n, int) for knob in LEVELS}
        self.begin(np.arange(n), first)

    def act(self, actions):
        """Decide in every run, and train."""
        factors = np.append(self.config.factors, np.ones(len(MOVES) + 1))
        for action, (knob, way) in enumerate(MOVES, len(self.config.factors)):
            self.levels[knob] = np.clip(self.levels[knob] + way * (actions == action), 0, len(LEVELS[knob]) - 1)
        return self._go_on(self.rate * factors[actions], actions == len(factors) - 1)

    def advance(self, rates, stop=False):
        """`step` with learning rates (num_envs,), which are cut at the bounds, in place of actions.

        Where `stop`, bool (num_envs,), holds, the run is over without another step of gradient descent.
        """
        return self.finish(*self._go_on(rates, np.broadcast_to(stop, self.num_envs)))

    def _go_on(self, rates, stop):
        self.rate = np.clip(rates, *self.config.bounds)
        train_loss, self.norm = self._train(np.where(stop, 0, self.rate))
        before, train_before = self.loss, self.train_loss
        self.train_loss = _cut(train_loss)
        self.loss, self.accuracy, dead = self._evaluate()
        self.slopes = np.log(np.stack([self.train_loss, self.loss], axis=1)) - np.log(
            np.stack([train_before, before], axis=1))
        self.best, self.time = np.minimum(self.best, self.loss), self.time + ~stop
        ended = (self.time == self.config.decisions) | stop
        reward = tuning_reward(before, self.loss, self.accuracy, ended, dead, self.config.bonus)
        return reward, ended | dead, np.zeros(self.num_envs, bool), {}

    def test(self):
        """Loss and accuracy of the runs now, (num_envs,) each, on test examples: to judge, not to learn."""
        loss, accuracy = self.runs.evaluate(self.held_out["x_test"], self.held_out["y_test"])
        return _cut(loss), accuracy

    def begin(self, new, first=None):
        """Begin the runs `new`, of tasks drawn at random, or of those whose numbers are `first`."""
        rng = self.np_random
        drawn = rng.integers(len(self.pool), size=len(new)) if first is None else first
        for index, task in zip(new, drawn, strict=True):
            self.tasks[index] = self.pool[task]
        weights = [np.stack(parts) for parts in zip(*(self.tasks[index].weights for index in new), strict=True)]
        if self.runs is None:
            self.runs = self.nets.TrainingRuns(weights, momentum=self.config.momentum)
        self.runs.restart(new, weights)
        self.rate[new] = np.exp(rng.uniform(*np.log(self.config.start), size=len(new)))
        for levels in self.levels.values():
            levels[new] = 0
        self.held_out = {name: np.stack([getattr(task, name) for task in self.tasks])
                         for name in ("x_val", "y_val", "x_test", "y_test")}
        self.guessing = np.log([len(np.unique(task.y_val)) for task in self.tasks])
        loss, accuracy, _ = self._evaluate()
        self.loss[new], self.accuracy[new] = loss[new], accuracy[new]
        self.train_loss[new], self.best[new], self.norm[new] = loss[new], loss[new], 1.0
        self.time[new], self.slopes[new] = 0, 0

    def _train(self, rates):
        config, rng = self.config, self.np_random
        x, y = batches(self.tasks, self.batch_rng, config.steps, config.batch_size)
        options = {}
        if config.regularise:
            now = {knob: np.take(LEVELS[knob], levels) for knob, levels in self.levels.items()}
            units = self.tasks[0].weights[-2].shape[0]
            options = {"kept": dropout_masks(rng, now.pop("dropout"), (*x.shape[:3], units)), **now}
        return self.runs.train(x, y, rates, **options)

    def _evaluate(self):
        loss, accuracy = self.runs.evaluate(self.held_out["x_val"], self.held_out["y_val"])
        return _cut(loss), accuracy, ~np.isfinite(loss)

    def observe(self):
        """What is seen of every run: `SEEN`, and levels with `config.regularise`."""
        norm = np.clip(np.nan_to_num(self.norm, nan=1e3, posinf=1e3), 1e-3, None)
        seen = [np.log(self.train_loss / self.guessing), np.log(self.loss / self.guessing), *self.slopes.T,
                np.log(norm), np.log(self.rate) + 4, self.time / self.config.decisions, self.loss - self.best]
        if self.config.regularise:
            seen += self.levels.values()
        space = self.single_observation_space
        return np.clip(np.stack(seen, axis=1), space.low, space.high).astype(np.float32)


def _cut(loss):
    return np.clip(np.nan_to_num(np.asarray(loss, float), nan=WORST, posinf=WORST), 1e-3, WORST)
