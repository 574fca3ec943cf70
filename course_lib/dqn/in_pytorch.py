"""Deep Q-learning in PyTorch; `in_keras` is the same file in Keras."""

from __future__ import annotations

import copy
import functools

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from course_lib.common import checks
from course_lib.common.devices import one_thread
from course_lib.dqn import reference
from course_lib.dqn.agent import BaseAgent
from course_lib.dqn.config import SETTINGS, DQNConfig
from course_lib.dqn.envs import GridWorld, check_spaces, make_vec
from course_lib.dqn.loop import History, evaluate, record, stop_when_solved, train_agent
from course_lib.dqn.replay import Batch, ReplayBuffer
from course_lib.networks.layers_in_pytorch import soft_update

__all__ = ["Batch", "DQNAgent", "DQNConfig", "GridWorld", "History", "ReplayBuffer", "SETTINGS",
           "bootstrap_target", "double_td_target", "evaluate", "make_q_network", "make_vec", "record", "soft_update",
           "stop_when_solved", "td_loss", "td_target", "train"]


def make_q_network(obs_shape, n_actions, *, hidden=(128,), seed=0):
    """A ReLU network from observations (B, *obs_shape) to action values (B, n_actions).

    Kernels start uniform in +-1/sqrt(inputs), biases at zero, drawn from `seed` alone.
    """
    sizes = [int(np.prod(obs_shape)), *hidden, n_actions]
    generator = torch.Generator().manual_seed(int(seed))
    layers = [nn.Flatten()]
    for inputs, units in zip(sizes[:-1], sizes[1:], strict=True):
        linear = nn.Linear(inputs, units)
        nn.init.uniform_(linear.weight, -(inputs**-0.5), inputs**-0.5, generator=generator)
        nn.init.zeros_(linear.bias)
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


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
    return reward + discount * (1 - terminated) * next_q.amax(dim=1)


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
    best = next_q_online.argmax(dim=1, keepdim=True)
    next_value = next_q_target.gather(1, best).squeeze(1)
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
    with torch.no_grad():
        next_q = target_net(batch.next_obs)
        if double:
            return double_td_target(batch.reward, batch.discount, batch.terminated, q_net(batch.next_obs), next_q)
        return td_target(batch.reward, batch.discount, batch.terminated, next_q)


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
    chosen = q.gather(1, action[:, None]).squeeze(1)  # each row's own action, (B,)
    if huber_delta is None:
        return F.mse_loss(chosen, target)
    return F.huber_loss(chosen, target, delta=huber_delta)


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
        super().__init__(obs_shape, n_actions, config, torch.device(device), network is not None)
        seed = checks.seed(seed)
        if network is None:
            self.q_net = make_q_network(self.obs_shape, self.n_actions, hidden=self.config.hidden, seed=seed)
        else:
            self.q_net = network(self.obs_shape, self.n_actions, seed)
            if any(map(nn.parameter.is_lazy, self.q_net.parameters())):  # they take their size from the first input
                self.q_net.eval()(torch.zeros(2, *self.obs_shape))
        self.q_net.to(self.device, torch.float32)  # whatever PyTorch's default is
        self.target_net = copy.deepcopy(self.q_net).eval() if self.config.target_network else self.q_net
        prepare = _flatten if self.config.fast else lambda net: list(net.parameters())
        self._weights = prepare(self.q_net)
        self._target_weights = prepare(self.target_net) if self.config.target_network else self._weights
        self._stored = self._weights + _statistics(self.q_net)
        self._target_stored = self._target_weights + _statistics(self.target_net)
        self.optimizer = torch.optim.Adam(self._weights, lr=self.config.learning_rate, eps=1e-8,
                                          fused=self.config.fast)
        self._dense = _dense_layers(self.q_net) if self.config.fast and network is None else None
        self._target_dense = _dense_layers(self.target_net) if self._dense else None
        self._acting_net = self.target_net if self.config.act_with_target else self.q_net
        views = network is None and self.device.type == "cpu"  # they follow every update
        self._acting_weights = [p.detach().numpy().T for p in self._acting_net.parameters()] if views else None
        self._check_network()

    def q_values(self, obs):
        """Action values (B, A) as an array, of raw observations (B, *obs_shape), by the acting network."""
        obs = np.asarray(obs * self.scale, np.float32)
        if self._acting_weights is not None:  # for a batch this small NumPy is faster than a framework
            return reference.mlp_forward(self._acting_weights, obs)
        with torch.no_grad():  # in eval mode: dropout and the like are for updates only
            return self._acting_net.eval()(torch.from_numpy(obs).to(self.device)).cpu().numpy()

    def update_block(self, block):
        """U gradient steps, one on each batch of a `Batch` of arrays (U, B, ...); returns their mean loss."""
        tensors = (torch.as_tensor(field, device=self.device).unbind(0) for field in self._scaled(block))
        with one_thread():
            losses = [self._update(Batch(*fields)) for fields in zip(*tensors, strict=True)]
        loss = float(torch.stack(losses).mean())
        checks.still_finite((weight.numpy(force=True) for weight in self._weights), f"after {self.updates:,} updates",
                            loss=loss)
        return loss

    def _update(self, batch):
        config = self.config
        if config.target_network and self.updates % config.target_update_every == 0:
            soft_update(self._target_stored, self._stored, config.tau)
        loss = self._gradient_by_hand(batch) if self._dense else self._gradient(batch)
        if config.max_grad_norm is not None:
            nn.utils.clip_grad_norm_(self._weights, config.max_grad_norm)
        self.optimizer.step()
        self.updates += 1
        return loss.detach()

    def _gradient(self, batch):
        self.q_net.eval()  # dropout and the like are for the values that are learned, not for their targets
        target = bootstrap_target(self.q_net, self.target_net, batch, double=self.config.double)
        self.q_net.train()
        loss = td_loss(self.q_net(batch.obs), batch.action, target, huber_delta=self.config.huber_delta)
        self.optimizer.zero_grad(set_to_none=not self.config.fast)
        loss.backward()
        return loss

    @torch.inference_mode()
    def _gradient_by_hand(self, batch):
        """What `_gradient` does, for the default network and with less overhead (`reference` has the formulas)."""
        huber, inputs = self.config.huber_delta, []
        nets = (functools.partial(_dense_forward, layers) for layers in (self._dense, self._target_dense))
        target = bootstrap_target(*nets, batch, double=self.config.double)
        q, action = _dense_forward(self._dense, batch.obs, inputs), batch.action[:, None]
        error = q.gather(1, action) - target[:, None]  # (B, 1)
        slope = 2 * error if huber is None else error.clamp(-huber, huber)
        delta = torch.zeros_like(q).scatter_(1, action, slope / len(q))
        for i, (kernel, _, kernel_grad, bias_grad) in reversed(list(enumerate(self._dense))):
            torch.mm(delta.t(), inputs[i], out=kernel_grad)
            torch.sum(delta, 0, out=bias_grad)
            delta = torch.ops.aten.threshold_backward(delta @ kernel, inputs[i], 0) if i else None  # through the ReLU
        return error.square().mean() if huber is None else td_loss(q, batch.action, target, huber_delta=huber)

    def set_learning_rate(self, rate):
        """Learn with another rate from now on; the optimizer keeps what it remembers."""
        for group in self.optimizer.param_groups:
            group["lr"] = float(rate)

    def state(self):
        """Everything that changes in training, as plain data."""
        slots = [self.optimizer.state[weight] for weight in self._weights]
        return {"q": _copies(self._stored), "target": _copies(self._target_stored), "scale": self.scale,
                "updates": self.updates,
                "optimizer": [dict(zip(slot, _copies(slot.values()), strict=True)) for slot in slots]}

    @torch.no_grad()
    def _restore(self, state):
        for weights, saved in ((self._stored, state["q"]), (self._target_stored, state["target"])):
            for weight, values in zip(weights, saved, strict=True):
                weight.copy_(torch.from_numpy(values))
        slots = {i: {k: torch.tensor(v) for k, v in slot.items()} for i, slot in enumerate(state["optimizer"])}
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": slots})
        self.scale, self.updates = state["scale"], state["updates"]


def _flatten(net):
    """Let all parameters of a network be views of one flat vector, so that an optimizer makes one call, not many."""
    parameters = list(net.parameters())
    flat = torch.cat([p.detach().reshape(-1) for p in parameters])
    flat.grad = torch.zeros_like(flat)
    sizes = [p.numel() for p in parameters]
    for p, data, grad in zip(parameters, flat.split(sizes), flat.grad.split(sizes), strict=True):
        p.data, p.grad = data.view_as(p), grad.view_as(p)
    return [flat]


def _dense_layers(net):
    """The layers of a flattened dense network: (kernel (out, in), bias, and their gradients), views all."""
    weights = [(p.detach(), p.grad) for p in net.parameters()]
    return [(k, b, k_grad, b_grad) for (k, k_grad), (b, b_grad) in zip(weights[::2], weights[1::2], strict=True)]


def _dense_forward(layers, obs, inputs=None):
    """Action values (B, A); what goes into each layer is appended to `inputs`."""
    x, inputs = obs.flatten(1), [] if inputs is None else inputs
    for kernel, bias, *_ in layers:
        inputs.append(x.relu_() if inputs else x)
        x = torch.addmm(bias, x, kernel.t())
    return x


def _statistics(net):
    return [buffer for buffer in net.buffers() if buffer.is_floating_point()]  # such as BatchNorm's running means


def _copies(tensors):
    return [t.numpy(force=True).copy() for t in tensors]


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
