"""The experiments of notebook 01, for any seeds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from gymnasium.vector import SyncVectorEnv
from joblib import Parallel, delayed

from course_lib.common import notebook
from course_lib.dqn import reference
from course_lib.dqn.config import DQNConfig
from course_lib.dqn.envs import GridWorld, make_vec

# As Mnih et al.: a one-step target, and acting by the network that is trained. The rest is as for CartPole.
CLASSIC = DQNConfig(n_step=1, double=False, act_with_target=False, total_steps=12_000)
NOISY_GRID = DQNConfig(hidden=(64,), n_step=1, gamma=0.95, learning_rate=3e-3, scale_obs=False, warmup_steps=512,
                       epsilon_end=1.0, tau=1.0, target_update_every=100, act_with_target=False,
                       total_steps=4_000, eval_every=500)


@dataclass(frozen=True)
class Curves:
    """What several seeds of one setting did.

    `returns` and `values` have shape (seeds, evaluations): the mean greedy return, and the mean value that the
    network itself gives the best action at the start.
    """

    steps: np.ndarray
    returns: np.ndarray
    values: np.ndarray


def learning_curves(dqn, settings, seeds, *, env_id="CartPole-v1", num_envs=32):
    """Train every setting with every seed, one after the other or as `joblib.parallel_config` says.

    Parameters
    ----------
    dqn : module
        A twin, as `fw.load("dqn")` returns it.
    settings : dict of str to DQNConfig
        All with the same number of evaluations.
    seeds : sequence of int

    Returns
    -------
    dict of str to Curves
    """
    runs = [(name, seed) for name in settings for seed in seeds]
    found = Parallel()(delayed(_learning_curve)(dqn, settings[name], seed, env_id, num_envs)
                       for name, seed in notebook.progress(runs, desc="training"))
    curves = np.array(found).reshape(len(settings), len(seeds), 2, -1).transpose(0, 2, 1, 3)
    return {name: Curves(_steps(config), *both) for (name, config), both in zip(settings.items(), curves, strict=True)}


def _steps(config):
    return np.arange(1, config.total_steps // config.eval_every + 1) * config.eval_every


def _learning_curve(dqn, config, seed, env_id, num_envs):
    starts, _ = make_vec(env_id, 50).reset(seed=seed)
    values = []

    def note(history):
        values.append(history.agent.q_values(starts).max(axis=1).mean())

    history = dqn.train(make_vec(env_id, num_envs), config, seed=seed, callbacks=[note])
    return history.eval_returns, values


def overestimation(dqn, seeds, *, double, noise=1.0):
    """How much too high a DQN values the cells of a grid world with noisy rewards, against value iteration.

    Parameters
    ----------
    dqn : module
    seeds : sequence of int
    double : bool
        With Double Q-learning's target or the plain one.
    noise : float
        Standard deviation of the rewards' noise.

    Returns
    -------
    Curves
        With the mean over cells of max_a Q(s, a) - max_a Q*(s, a) as `values`; `returns` is empty.
    """
    world = GridWorld()
    optimal = reference.value_iteration(world.probability, world.reward, NOISY_GRID.gamma)
    live = optimal.any(axis=1)
    errors = []
    for seed in notebook.progress(seeds, desc="training"):
        env = SyncVectorEnv([lambda: GridWorld(noise=noise, explore_starts=True)] * 16)
        found = []

        def note(history, found=found):
            q = history.agent.q_values(np.eye(world.n_states, dtype=np.float32))
            found.append((q.max(axis=1) - optimal.max(axis=1))[live].mean())

        dqn.train(env, replace(NOISY_GRID, double=double), seed=seed, eval_env=False, callbacks=[note])
        errors.append(found)
    return Curves(_steps(NOISY_GRID), np.empty((len(errors), 0)), np.array(errors))
