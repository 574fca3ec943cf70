"""The experiments of notebook 02, for any seeds and either framework."""

from __future__ import annotations

import numpy as np
from gymnasium.vector import SyncVectorEnv

from course_lib.dqn.config import DQNConfig
from course_lib.dqn.envs import make_vec
from course_lib.dqn.loop import Trainer, evaluate
from course_lib.pruning.information import gaussian_mi_selection, least_squares_reconstruction
from course_lib.pruning.schedules import polynomial_sparsity
from course_lib.pruning.scores import magnitude_mask

# For a few hundred episodes of a few steps each; the reward comes at the end and is not discounted.
CHOOSER = DQNConfig(hidden=(64,), learning_rate=3e-3, batch_size=32, scale_obs=False, gamma=1.0, n_step=3,
                    warmup_steps=60, train_every=4, updates_per_block=8, epsilon_end=0.1, epsilon_steps=300,
                    tau=0.05, eval_every=10_000)


def shrink_and_refit(pruning, model, x, sizes, choose=gaussian_mi_selection):
    """A smaller dense network: neurons are chosen, and the next layer is refitted, layer by layer.

    Each layer is refitted to the pre-activations of the *whole* network, so that it also makes up for what the
    layers before it lost.

    Parameters
    ----------
    pruning : module
        A twin, as `fw.load("pruning")` returns it.
    model : network
        Dense.
    x : array (N, *input_shape)
        Examples to choose and refit by; their classes are not needed.
    sizes : sequence of int
        Neurons to keep in each hidden layer.
    choose : callable
        `choose(activations, preactivations, k)` returns the numbers of k neurons, from the activations (N, n) of a
        layer and the pre-activations (N, m) of the next one.

    Returns
    -------
    network
    """
    keep, fitted = choose_and_refit(pruning.collect_activations(model, x), sizes, choose)
    small = pruning.shrink(model, keep)
    for index, (kernel, bias) in enumerate(fitted):
        pruning.set_layer(small, index + 1, kernel, bias)
    return small


def choose_and_refit(layers, sizes, choose=gaussian_mi_selection):
    """The part of `shrink_and_refit` that needs no framework.

    Parameters
    ----------
    layers : list of (array (N, n), array (N, m))
        What `collect_activations` returns for a dense ReLU network.
    sizes, choose
        As in `shrink_and_refit`.

    Returns
    -------
    list of integer arrays, list of (array (k, m), array (m,))
        The neurons to keep in each hidden layer, and the new kernel and bias of each layer but the first.
    """
    if len(sizes) != len(layers) - 1:
        raise ValueError(f"sizes: expected {len(layers) - 1}, one for each hidden layer, got {len(sizes)}")
    if not all(np.allclose(np.maximum(out, 0), into, atol=1e-3) for (_, out), (into, _) in
               zip(layers[:-1], layers[1:], strict=True) if out.shape == into.shape) or layers[0][1].ndim != 2:
        raise ValueError("model: expected a dense network with nothing but a ReLU between its layers")
    keep, fitted, outputs = [], [], layers[0][1]
    for size, (_, wanted) in zip(sizes, layers[1:], strict=True):
        activations = np.maximum(outputs, 0)
        chosen = np.sort(choose(activations, wanted, size))
        if fitted:  # of the layer before, only these neurons stay
            fitted[-1] = tuple(values[..., chosen] for values in fitted[-1])
        fitted.append(tuple(values.astype(np.float32) for values in
                            least_squares_reconstruction(activations[:, chosen], wanted)))
        keep.append(chosen)
        outputs = activations[:, chosen] @ fitted[-1][0] + fitted[-1][1]
    return keep, fitted


def prune_agent(pruning, agent, levels, *, steps=12_000, rise=0.5, seed=0, episodes=20):
    """Prune a DQN agent for CartPole in stages, while it goes on learning; in place.

    Parameters
    ----------
    pruning : module
        A twin.
    agent : DQNAgent
        Trained, of the same framework.
    levels : sequence of float
        Rising sparsities, one a stage.
    steps : int
        Environment steps of a stage.
    rise : float
        Share of a stage in which the sparsity rises to its level, along the cubic schedule; then it stays there.
        0: at once.
    seed : int
    episodes : int
        Greedy episodes per evaluation; there is one every 1,000 steps of the last 6,000 of a stage.

    Returns
    -------
    dict of float to float
        The mean return of each level's evaluations.
    """
    trainer = Trainer(agent, make_vec("CartPole-v1", 32), seed=seed, eval_env=False)
    stage, history, before, returns = make_vec("CartPole-v1", episodes), trainer.history, 0.0, {}
    for number, level in enumerate(levels):
        begin, seen = number * steps, []
        while history.steps < begin + steps:
            last, done = history.steps, agent.updates
            trainer.collect()
            trainer.learn()
            if agent.updates > done:
                end = begin + max(1, rise * steps)
                silence(pruning, agent, polynomial_sparsity(history.steps, begin, end, level, initial=before))
            if last // 1_000 < history.steps // 1_000 and history.steps > begin + steps - 6_000:
                seen.append(evaluate(agent, stage, episodes, seed=history.steps).mean())
        before, returns[level] = level, float(np.mean(seen))
    return returns


def silence(pruning, agent, sparsity):
    """Set the smallest weights of an agent's network to zero once, and the same ones in its target network.

    `apply_masks` would not do: an agent acts and learns by copies of its weights, which know of no mask. Nor do
    these zeros last beyond the next update; so `prune_agent` sets them again after each block.
    """
    masks = magnitude_mask(pruning.get_kernels(agent.q_net), sparsity)
    for net in (agent.q_net, agent.target_net):
        for index, (kernel, mask) in enumerate(zip(pruning.get_kernels(net), masks, strict=True)):
            pruning.set_layer(net, index, kernel * mask)


def prune_agent_at_once(pruning, agent, levels, *, episodes=50, seed=0):
    """The mean return at each of the sparsities `levels`, without further learning; the agent stays as it is."""
    stage, whole, returns = make_vec("CartPole-v1", episodes), agent.state(), {}
    for level in levels:
        silence(pruning, agent, level)
        agent.restore(agent.state())  # so that it acts by the new weights at once
        returns[level] = float(evaluate(agent, stage, episodes, seed=seed).mean())
        agent.restore(whole)
    return returns


def choose_by_dqn(dqn, env, evaluations, *, seed=0, config=CHOOSER):
    """Let a DQN play a `SparsityEnv` until it has tried `evaluations` different choices.

    Returns
    -------
    list, float
        The best choices it tried, and their reward.
    """
    trainer = Trainer(dqn.DQNAgent(env.observation_space.shape, env.levels, config, seed=seed),
                      SyncVectorEnv([lambda: env]), seed=seed, eval_env=False)
    while env.evaluations < evaluations and trainer.history.steps < 20 * evaluations * env.layers:
        trainer.collect()
        trainer.learn()
    return env.best


def choose_at_random(env, evaluations, *, seed=0):
    """The same with random actions."""
    rng = np.random.default_rng(seed)
    for _ in range(20 * evaluations):
        env.reset()
        while len(env.choices) < env.layers:
            env.step(int(rng.integers(env.levels)))
        if env.evaluations >= evaluations:
            break
    return env.best


def masked_accuracy(nets, pruning, model, x, y):
    """A function for `SparsityEnv`: accuracy on x (N, ...), y (N,) at one sparsity for each layer, without training."""
    copy, kernels = pruning.shrink(model, [None] * (len(pruning.get_kernels(model)) - 1)), pruning.get_kernels(model)

    def accuracy(sparsities):
        for index, mask in enumerate(magnitude_mask(kernels, sparsities, scope="layer")):
            pruning.set_layer(copy, index, kernels[index] * mask)
        return nets.accuracy(copy, x, y)

    return accuracy
