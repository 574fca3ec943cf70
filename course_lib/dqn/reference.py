"""The mathematics of Q-learning in NumPy."""

from __future__ import annotations

import numpy as np


def td_target(reward, discount, terminated, next_q):
    """What Q(s, a) should be: the reward plus the discounted value of the best next action.

    Parameters
    ----------
    reward, discount, terminated : array (B,)
        `discount` is gamma ** n; `terminated` is 1 where the episode truly ended (truncation is 0).
    next_q : array (B, A)
        Action values of the next observation.

    Returns
    -------
    array (B,)

    References
    ----------
    Mnih et al. 2015, algorithm 1: y = r + gamma * max_a Q(s', a), and y = r at a terminal state.
    """
    return reward + discount * (1 - terminated) * next_q.max(axis=1)


def double_td_target(reward, discount, terminated, next_q_online, next_q_target):
    """Double Q-learning's target: the online network picks the action, the target network values it.

    Parameters
    ----------
    reward, discount, terminated : array (B,)
        As in `td_target`.
    next_q_online, next_q_target : array (B, A)

    Returns
    -------
    array (B,)

    References
    ----------
    van Hasselt et al. 2016, "Deep reinforcement learning with double Q-learning", eq. 4.
    """
    best = next_q_online.argmax(axis=1)
    return reward + discount * (1 - terminated) * next_q_target[np.arange(len(best)), best]


def n_step_return(rewards, gamma, terminated, bootstrap_value):
    """Discounted sum of rewards up to the first termination, plus the bootstrap value if there is none.

    Parameters
    ----------
    rewards : array (n,)
    gamma : float
    terminated : array (n,) of bool
        True where the episode truly ended at that step.
    bootstrap_value : float
        Value of the observation after the last step.

    Returns
    -------
    float

    References
    ----------
    Sutton & Barto 2018, "Reinforcement Learning", eq. 7.1.
    """
    total, discount = 0.0, 1.0
    for reward, ended in zip(rewards, terminated, strict=True):
        total += discount * float(reward)
        discount *= gamma
        if ended:
            return total
    return total + discount * float(bootstrap_value)


def soft_update(target_weights, weights, tau):
    """Move each target weight a share `tau` of the way to its online weight; returns new arrays.

    References
    ----------
    Lillicrap et al. 2016, "Continuous control with deep reinforcement learning", algorithm 1.
    """
    return [(1 - tau) * old + tau * new for old, new in zip(target_weights, weights, strict=True)]


def mlp_forward(weights, obs):
    """Output of a ReLU network; `weights` is [kernel (in, out), bias (out,), ...], `obs` (B, *obs_shape)."""
    x = obs.reshape(len(obs), -1)
    for kernel, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        x = np.maximum(x @ kernel + bias, 0)
    return x @ weights[-2] + weights[-1]


def value_iteration(probability, reward, gamma, *, tolerance=1e-10):
    """Optimal action values of a known Markov decision process, by repeating Bellman's optimality equation.

    Parameters
    ----------
    probability : array (S, A, S)
        Chance of each next state; a row that sums to less than 1 terminates with the rest.
    reward : array (S, A)
        Expected reward.
    gamma : float
    tolerance : float
        Stop when no value changes by more.

    Returns
    -------
    array (S, A)

    References
    ----------
    Bellman 1957; Sutton & Barto 2018, eq. 4.10.
    """
    q = np.zeros_like(reward, dtype=float)
    while True:
        new = reward + gamma * probability @ q.max(axis=1)
        if np.abs(new - q).max() <= tolerance:
            return new
        q = new
