"""What Stable-Baselines3 and SBX need to take the course's settings: batched environments, scaling, squared loss."""

import contextlib
import importlib
from types import SimpleNamespace

import numpy as np
from stable_baselines3.common.vec_env import VecEnv

from course_lib.dqn.envs import make_vec
from course_lib.dqn.vector import NextStepVectorEnv


@contextlib.contextmanager
def squared_loss(library, wanted):
    """Let the DQN of Stable-Baselines3 or SBX, which have no setting for it, use the squared loss for a while."""
    module, name, change = {
        "sb3": ("stable_baselines3.dqn.dqn", "F", lambda F: {"smooth_l1_loss": F.mse_loss}),
        "sbx": ("sbx.dqn.dqn", "optax", lambda optax: {"huber_loss": lambda value, target: (value - target) ** 2}),
    }[library]
    module = importlib.import_module(module)
    original = getattr(module, name)
    if wanted:
        setattr(module, name, SimpleNamespace(**vars(original) | change(original)))
    try:
        yield
    finally:
        setattr(module, name, original)


class VectorisedEnv(VecEnv):
    """Gymnasium's batched environments in Stable-Baselines3's form, observations scaled as the course does."""

    def __init__(self, env_id, num_envs, *, warmup, scale, seed):
        self.env = make_vec(env_id, num_envs)
        super().__init__(num_envs, self.env.single_observation_space, self.env.single_action_space)
        self.scale = np.ones(self.observation_space.shape, np.float32)
        if scale:
            rng = np.random.default_rng(seed)
            seen = [self.env.reset(seed=seed)[0]]
            while len(seen) * num_envs < warmup:
                seen.append(self.env.step(rng.integers(0, self.action_space.n, num_envs))[0])
            self.scale = (1 / np.concatenate(seen).std(axis=0)).astype(np.float32)
        self.start = seed

    def reset(self):
        obs, _ = self.env.reset(seed=self.start)
        return obs * self.scale

    def step_async(self, actions):
        self.actions = actions

    def step_wait(self):
        obs, reward, terminated, truncated, _ = self.env.step(self.actions)
        done = terminated | truncated
        infos = [{} for _ in range(self.num_envs)]
        if done.any():
            for i in np.flatnonzero(done):
                infos[i] = {"terminal_observation": obs[i] * self.scale, "TimeLimit.truncated": not terminated[i]}
            obs = self._reset_rows(done)
        return obs * self.scale, reward.astype(np.float32), done, infos

    def _reset_rows(self, done):
        env = self.env  # the batched environments reset on the next step, Stable-Baselines3 on the same
        if isinstance(env, NextStepVectorEnv):
            env.begin(np.flatnonzero(done))
            env.over[:] = False
            return env.observe()
        env.state[:, done] = env.np_random.uniform(env.low, env.high, size=(4, done.sum()))
        env.steps[done], env.prev_done[:] = 0, False
        return env.state.T.astype(np.float32)

    def close(self):
        self.env.close()

    def get_attr(self, attr_name, indices=None):
        return [None] * self.num_envs if attr_name == "render_mode" else [getattr(self.env, attr_name)] * self.num_envs

    def set_attr(self, attr_name, value, indices=None):
        raise NotImplementedError

    def env_method(self, method_name, *args, indices=None, **kwargs):
        raise NotImplementedError

    def env_is_wrapped(self, wrapper_class, indices=None):
        return [False] * self.num_envs
