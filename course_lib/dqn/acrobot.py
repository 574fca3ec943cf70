"""Gymnasium's Acrobot-v1 for many copies in one NumPy step, as Gymnasium has it for CartPole-v1 only."""

import numpy as np
from gymnasium.envs.classic_control.acrobot import AcrobotEnv as Single
from gymnasium.envs.classic_control.utils import maybe_parse_reset_bounds
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

COUPLING = Single.LINK_MASS_2 * Single.LINK_LENGTH_1 * Single.LINK_COM_POS_2
INERTIA_2 = Single.LINK_MASS_2 * Single.LINK_COM_POS_2**2 + Single.LINK_MOI
INERTIA = (Single.LINK_MASS_1 * Single.LINK_COM_POS_1**2 + Single.LINK_MOI
           + Single.LINK_MASS_2 * Single.LINK_LENGTH_1**2 + INERTIA_2)
WEIGHT_1 = 9.8 * (Single.LINK_MASS_1 * Single.LINK_COM_POS_1 + Single.LINK_MASS_2 * Single.LINK_LENGTH_1)
WEIGHT_2 = 9.8 * Single.LINK_MASS_2 * Single.LINK_COM_POS_2
MAX_SPEED = np.array([[Single.MAX_VEL_1], [Single.MAX_VEL_2]])


def rates(state, torque):
    """Change per second of angles and speeds (4, N) under torques (N,): Sutton & Barto 2018, section 11.1."""
    angle1, angle2, speed1, speed2 = state
    sin2, cos2 = COUPLING * np.sin(angle2), COUPLING * np.cos(angle2)
    d1, d2 = INERTIA + 2 * cos2, INERTIA_2 + cos2
    phi2 = WEIGHT_2 * np.sin(angle1 + angle2)
    phi1 = WEIGHT_1 * np.sin(angle1) + phi2 - speed2 * (speed2 + 2 * speed1) * sin2
    change2 = (torque + d2 / d1 * phi1 - speed1 * speed1 * sin2 - phi2) / (INERTIA_2 - d2 * d2 / d1)
    return np.array([speed1, speed2, -(d2 * change2 + phi1) / d1, change2])


class AcrobotVectorEnv(VectorEnv):
    """Acrobot-v1 in `num_envs` copies; one whose episode is over starts anew at the next step."""

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.NEXT_STEP}

    def __init__(self, num_envs=1, max_episode_steps=500):
        self.num_envs, self.max_episode_steps = num_envs, max_episode_steps
        self.single_observation_space = Single().observation_space
        self.single_action_space = Single().action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def reset(self, *, seed=None, options=None):
        """Start an episode in every copy, with angles and speeds between `options["low"]` and `["high"]`."""
        super().reset(seed=seed)
        self.low, self.high = maybe_parse_reset_bounds(options, -0.1, 0.1)
        self.state = self.np_random.uniform(self.low, self.high, (4, self.num_envs))
        self.steps, self.prev_done = np.zeros(self.num_envs, int), np.zeros(self.num_envs, bool)
        return self._obs(), {}

    def step(self, actions):
        """Take one step of fourth-order Runge-Kutta in every copy; returns the usual five values."""
        if not self.action_space.contains(actions):
            raise ValueError(f"actions: expected {self.num_envs} whole numbers from 0 to 2, got {actions!r}")
        state, torque, dt, fresh = self.state, actions - 1.0, Single.dt, self.prev_done
        k1 = rates(state, torque)
        k2 = rates(state + dt / 2 * k1, torque)
        k3 = rates(state + dt / 2 * k2, torque)
        k4 = rates(state + dt * k3, torque)
        state = state + dt / 6 * (k1 + 2 * (k2 + k3) + k4)
        state[:2] -= 2 * np.pi * np.round(state[:2] / (2 * np.pi))
        state[2:] = np.clip(state[2:], -MAX_SPEED, MAX_SPEED)
        state[:, fresh] = self.np_random.uniform(self.low, self.high, (4, fresh.sum()))
        self.state, self.steps = state, np.where(fresh, 0, self.steps + 1)
        terminated = (-np.cos(state[0]) - np.cos(state[0] + state[1]) > 1.0) & ~fresh
        truncated = self.steps >= self.max_episode_steps
        self.prev_done = terminated | truncated
        return self._obs(), (terminated | fresh) - np.float32(1), terminated, truncated, {}

    def _obs(self):
        (cos1, cos2), (sin1, sin2) = np.cos(self.state[:2]), np.sin(self.state[:2])
        return np.stack([cos1, sin1, cos2, sin2, *self.state[2:]], axis=1).astype(np.float32)
