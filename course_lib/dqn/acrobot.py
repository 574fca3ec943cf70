"""Gymnasium's Acrobot-v1 for many copies in one NumPy step, as Gymnasium has it for CartPole-v1 only."""

import numpy as np
from gymnasium.envs.classic_control.acrobot import AcrobotEnv
from gymnasium.envs.classic_control.utils import maybe_parse_reset_bounds

from course_lib.dqn.vector import NextStepVectorEnv

COUPLING = AcrobotEnv.LINK_MASS_2 * AcrobotEnv.LINK_LENGTH_1 * AcrobotEnv.LINK_COM_POS_2
INERTIA_2 = AcrobotEnv.LINK_MASS_2 * AcrobotEnv.LINK_COM_POS_2**2 + AcrobotEnv.LINK_MOI
INERTIA = (AcrobotEnv.LINK_MASS_1 * AcrobotEnv.LINK_COM_POS_1**2 + AcrobotEnv.LINK_MOI
           + AcrobotEnv.LINK_MASS_2 * AcrobotEnv.LINK_LENGTH_1**2 + INERTIA_2)
WEIGHT_1 = 9.8 * (AcrobotEnv.LINK_MASS_1 * AcrobotEnv.LINK_COM_POS_1
                  + AcrobotEnv.LINK_MASS_2 * AcrobotEnv.LINK_LENGTH_1)
WEIGHT_2 = 9.8 * AcrobotEnv.LINK_MASS_2 * AcrobotEnv.LINK_COM_POS_2
MAX_SPEED = np.array([[AcrobotEnv.MAX_VEL_1], [AcrobotEnv.MAX_VEL_2]])


def rates(state, torque):
    """Change per second of angles and speeds (4, N) under torques (N,): Sutton & Barto 2018, section 11.1."""
    angle1, angle2, speed1, speed2 = state
    sin2, cos2 = COUPLING * np.sin(angle2), COUPLING * np.cos(angle2)
    d1, d2 = INERTIA + 2 * cos2, INERTIA_2 + cos2
    phi2 = WEIGHT_2 * np.sin(angle1 + angle2)
    phi1 = WEIGHT_1 * np.sin(angle1) + phi2 - speed2 * (speed2 + 2 * speed1) * sin2
    change2 = (torque + d2 / d1 * phi1 - speed1 * speed1 * sin2 - phi2) / (INERTIA_2 - d2 * d2 / d1)
    return np.array([speed1, speed2, -(d2 * change2 + phi1) / d1, change2])


class AcrobotVectorEnv(NextStepVectorEnv):
    """Acrobot-v1 in `num_envs` copies; one whose episode is over starts anew at the next step.

    Angles and speeds begin between `options["low"]` and `["high"]` of the last `reset`.
    """

    def __init__(self, num_envs=1, max_episode_steps=500):
        super().__init__(num_envs, AcrobotEnv().observation_space, 3)
        self.max_episode_steps = max_episode_steps

    def start(self, options):
        """Take the bounds of the first states from `options`, and begin."""
        self.low, self.high = maybe_parse_reset_bounds(options, -0.1, 0.1)
        self.state, self.steps = np.zeros((4, self.num_envs)), np.zeros(self.num_envs, int)
        super().start(options)

    def begin(self, new):
        """Draw angles and speeds."""
        self.state[:, new] = self.np_random.uniform(self.low, self.high, (4, len(new)))
        self.steps[new] = 0

    def act(self, actions):
        """One step of fourth-order Runge-Kutta in every copy."""
        state, torque, dt = self.state, actions - 1.0, AcrobotEnv.dt
        k1 = rates(state, torque)
        k2 = rates(state + dt / 2 * k1, torque)
        k3 = rates(state + dt / 2 * k2, torque)
        k4 = rates(state + dt * k3, torque)
        self.state = state = state + dt / 6 * (k1 + 2 * (k2 + k3) + k4)
        state[:2] -= 2 * np.pi * np.round(state[:2] / (2 * np.pi))
        state[2:] = np.clip(state[2:], -MAX_SPEED, MAX_SPEED)
        self.steps += 1
        terminated = -np.cos(state[0]) - np.cos(state[0] + state[1]) > 1.0
        return terminated - np.float32(1), terminated, self.steps >= self.max_episode_steps, {}

    def observe(self):
        """Cosine and sine of both angles, and both speeds."""
        (cos1, cos2), (sin1, sin2) = np.cos(self.state[:2]), np.sin(self.state[:2])
        return np.stack([cos1, sin1, cos2, sin2, *self.state[2:]], axis=1).astype(np.float32)
