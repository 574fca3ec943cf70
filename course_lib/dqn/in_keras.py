"""Deep Q-learning in Keras 3, on any backend; `in_pytorch` is the same file in PyTorch."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers, ops

from course_lib.common import checks
from course_lib.common.keras_steps import make_steps
from course_lib.dqn import reference
from course_lib.dqn.agent import BaseAgent
from course_lib.dqn.config import SETTINGS, DQNConfig
from course_lib.dqn.envs import GridWorld, check_spaces, make_vec
from course_lib.dqn.loop import History, evaluate, record, stop_when_solved, train_agent
from course_lib.dqn.replay import Batch, ReplayBuffer
from course_lib.networks.layers_in_keras import soft_update

__all__ = ["Batch", "DQNAgent", "DQNConfig", "GridWorld", "History", "ReplayBuffer", "SETTINGS",
           "bootstrap_target", "double_td_target", "evaluate", "make_q_network", "make_vec", "record", "soft_update",
           "stop_when_solved", "td_loss", "td_target", "train"]


def make_q_network(obs_shape, n_actions, *, hidden=(128,), seed=0):
    """A ReLU network from observations (B, *obs_shape) to action values (B, n_actions).

    Kernels start uniform in +-1/sqrt(inputs), biases at zero, drawn from `seed` alone.
    """
    stack = [keras.Input(obs_shape), layers.Flatten()]
    for i, units in enumerate([*hidden, n_actions]):
        uniform = keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform", seed=seed + i)
        activation = "relu" if i < len(hidden) else None
        stack.append(layers.Dense(units, activation, kernel_initializer=uniform, bias_initializer="zeros"))
    return keras.Sequential(stack)


def td_target(reward, discount, terminated, next_q):
    """What Q(s, a) should be: the reward plus the discounted value of the best next action.

    Parameters
    ----------
    reward, discount, terminated : tensor (B,)
        `discount` is gamma ** n; `terminated` is 1 where the episode truly ended (truncation is 0).
    next_q : tensor (B, A)
        Action values of the next observation.

    Returns
    -------
    tensor (B,)

    References
    ----------
    Mnih et al. 2015, algorithm 1: y = r + gamma * max_a Q(s', a), and y = r at a terminal state.
    """
    return reward + discount * (1 - terminated) * ops.max(next_q, axis=1)


def double_td_target(reward, discount, terminated, next_q_online, next_q_target):
    """Double Q-learning's target: the online network picks the action, the target network values it.

    Parameters
    ----------
    reward, discount, terminated : tensor (B,)
        As in `td_target`.
    next_q_online, next_q_target : tensor (B, A)

    Returns
    -------
    tensor (B,)

    References
    ----------
    van Hasselt et al. 2016, "Deep reinforcement learning with double Q-learning", eq. 4.
    """
    best = ops.argmax(next_q_online, axis=1)[:, None]
    next_value = ops.take_along_axis(next_q_target, best, axis=1)[:, 0]
    return reward + discount * (1 - terminated) * next_value


def bootstrap_target(q_net, target_net, batch, *, double=False):
    """The target of a batch, without a gradient: plain or Double, by `td_target` or `double_td_target`.

    Parameters
    ----------
    q_net, target_net : network
        From observations (B, *obs_shape) to action values (B, A).
    batch : Batch of tensors
    double : bool

    Returns
    -------
    tensor (B,)
    """
    next_q = target_net(batch.next_obs)
    if double:
        target = double_td_target(batch.reward, batch.discount, batch.terminated, q_net(batch.next_obs), next_q)
    else:
        target = td_target(batch.reward, batch.discount, batch.terminated, next_q)
    return ops.stop_gradient(target)


def td_loss(q, action, target, *, huber_delta=None):
    """Mean loss between the values of the actions taken and their targets.

    Parameters
    ----------
    q : tensor (B, A)
    action : integer tensor (B,)
    target : tensor (B,)
    huber_delta : float, optional
        None for the squared loss, else the Huber loss that is linear beyond it.

    Returns
    -------
    tensor ()

    References
    ----------
    Mnih et al. 2015, Methods; they clip the error, which gives the gradient of the Huber loss with delta 1.
    """
    chosen = ops.take_along_axis(q, action[:, None], axis=1)[:, 0]  # each row's own action, (B,)
    if huber_delta is None:
        return keras.losses.mean_squared_error(target, chosen)
    return keras.losses.huber(target, chosen, delta=huber_delta)


class DQNAgent(BaseAgent):
    """A Q-network, its target network and its optimizer.

    Parameters
    ----------
    obs_shape : tuple of int
    n_actions : int
    config : DQNConfig, optional
    seed : int
        Seed of the initial weights.
    network : callable, optional
        `network(obs_shape, n_actions, seed)` returns a network to use in place of `make_q_network`'s.
    device : str
        A network as small as the default is fastest on the CPU.

    References
    ----------
    Mnih et al. 2015, "Human-level control through deep reinforcement learning".
    """

    def __init__(self, obs_shape, n_actions, config=None, *, seed=0, network=None, device="cpu"):
        super().__init__(obs_shape, n_actions, config, device, network is not None)
        make, seed = network or _default_network(self.config.hidden), checks.seed(seed)
        with keras.device(device):
            self.q_net = make(self.obs_shape, self.n_actions, seed)
            self.target_net = make(self.obs_shape, self.n_actions, seed) if self.config.target_network else self.q_net
            if self.config.target_network and {id(v) for v in self.q_net.weights} & {id(v) for v in
                                                                                     self.target_net.weights}:
                raise ValueError("network: expected a function that makes new weights at each call, for the target "
                                 "network too, got two networks that share some")
            self.target_net.set_weights(self.q_net.get_weights())
            self.learner = _Learner(self.q_net, self.target_net, self.config)
            self._learn = make_steps(self.learner, _batch, compiled=self.config.fast)
        self._acting_net = self.target_net if self.config.act_with_target else self.q_net
        self._acting_weights = None
        self._check_network()

    def q_values(self, obs):
        """Action values (B, A) as an array, of raw observations (B, *obs_shape), by the acting network."""
        obs = np.asarray(obs * self.scale, np.float32)
        if not self.custom:  # for a batch this small NumPy is faster than a framework
            if self._acting_weights is None:
                self._acting_weights = self._acting_net.get_weights()
            return reference.mlp_forward(self._acting_weights, obs)
        with keras.device(self.device):
            return self._acting_net.predict_on_batch(obs)

    def update_block(self, block):
        """U gradient steps, one on each batch of a `Batch` of arrays (U, B, ...); returns their mean loss."""
        with keras.device(self.device):
            loss = self._learn(len(block.action), self._scaled(block)._asdict())
        self.updates += len(block.action)
        self._acting_weights = None
        checks.still_finite(self.q_net.get_weights(), f"after {self.updates:,} updates", loss=loss)
        return loss

    def set_learning_rate(self, rate):
        """Learn with another rate from now on; the optimizer keeps what it remembers."""
        self.learner.optimizer.learning_rate = float(rate)

    def state(self):
        """Everything that changes in training, as plain data."""
        optimizer = [ops.convert_to_numpy(v) for v in self.learner.optimizer.variables]
        return {"q": self.q_net.get_weights(), "target": self.target_net.get_weights(), "scale": self.scale,
                "updates": self.updates, "optimizer": optimizer}

    def _restore(self, state):
        self.q_net.set_weights(state["q"])
        self.target_net.set_weights(state["target"])
        for variable, values in zip(self.learner.optimizer.variables, state["optimizer"], strict=True):
            variable.assign(values)
        self.scale, self.updates, self._acting_weights = state["scale"], state["updates"], None
        self.learner.count.assign(self.updates)


class _Learner(keras.Model):
    """The model that Keras trains: the Q-network, with the target network as a moving average like BatchNorm's."""

    def __init__(self, q_net, target_net, config):
        super().__init__(name="learner")
        self.q_net, self.target_net, self.config = q_net, target_net, config
        if config.target_network:
            target_net.trainable = False
        self.count = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False)
        adam = keras.optimizers.Adam(config.learning_rate, epsilon=1e-8, global_clipnorm=config.max_grad_norm)
        adam.build(q_net.trainable_variables)
        self.compile(optimizer=adam, jit_compile=False)
        self.built = True

    def call(self, batch, training=False):
        if training and self.config.target_network:
            due = ops.equal(self.count % self.config.target_update_every, 0)
            soft_update(self.target_net.weights, self.q_net.weights, ops.where(due, self.config.tau, 0.0))
        self.count.assign_add(1)
        return self.q_net(batch["obs"])

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        batch = Batch(*(ops.convert_to_tensor(x[name]) for name in Batch._fields))  # PyTorch's backend hands on arrays
        target = bootstrap_target(self.q_net, self.target_net, batch, double=self.config.double)
        return td_loss(y_pred, batch.action, target, huber_delta=self.config.huber_delta)


def _default_network(hidden):
    return lambda obs_shape, n_actions, seed: make_q_network(obs_shape, n_actions, hidden=hidden, seed=seed)


def _batch(i, block):
    return ({name: field[i] for name, field in block.items()},)


def train(env, config=None, *, seed=0, network=None, device="cpu", eval_env=None, callbacks=(), checkpoint_path=None):
    """Train a new agent by deep Q-learning.

    Parameters
    ----------
    env : gymnasium.Env or gymnasium.vector.VectorEnv
        With a Box observation and a Discrete action; the default settings are for 32 copies (`make_vec`).
    config : DQNConfig, optional
    seed : int
        The same seed gives the same history on the same machine.
    network, device
        As in `DQNAgent`.
    eval_env : gymnasium.Env or VectorEnv, or False
        Where to evaluate every `config.eval_every` steps; by default copies of `env`. False: nowhere.
    callbacks : sequence of callables
        Each gets the `History` every `config.eval_every` steps; training stops when one returns True.
    checkpoint_path : path, optional
        Where to write the whole state every `config.checkpoint_every` steps, and to resume from. Each
        checkpoint starts new episodes, so a run with checkpoints differs from one without.

    Returns
    -------
    History
        With the trained agent as `history.agent`.

    Raises
    ------
    ValueError
        For spaces that DQN cannot use, or a checkpoint of other settings.
    """
    agent = DQNAgent(*check_spaces(env), config, seed=seed, network=network, device=device)
    return train_agent(agent, env, seed=seed, eval_env=eval_env, callbacks=callbacks, checkpoint_path=checkpoint_path)
