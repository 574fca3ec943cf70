"""The experiments of notebook 02, for any seeds and either framework."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from gymnasium.vector import SyncVectorEnv

from course_lib.common import notebook
from course_lib.dqn.config import DQNConfig
from course_lib.dqn.envs import make_vec
from course_lib.dqn.loop import Trainer, evaluate
from course_lib.pruning.config import PruningConfig
from course_lib.pruning.information import gaussian_mi_selection, least_squares_reconstruction
from course_lib.pruning.schedules import polynomial_sparsity
from course_lib.pruning.scores import binned_entropy, class_mutual_information, magnitude_mask

# For a few hundred episodes of a few steps each; the reward comes at the end and is not discounted.
CHOOSER = DQNConfig(hidden=(64,), learning_rate=3e-3, batch_size=32, scale_obs=False, gamma=1.0, n_step=3,
                    warmup_steps=60, train_every=4, updates_per_block=8, epsilon_end=0.1, epsilon_steps=300,
                    tau=0.05, eval_every=10_000)


CRITERIA = ("random", "norm", "entropy", "information about the class", "information about the next layer")


class Split(NamedTuple):
    """Images (N, height, width) and classes (N,) to train on, to choose by, and to report."""

    x: np.ndarray
    y: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def split(dataset, share=0.2, *, seed=0):
    """Put a share of a data set's training part aside, to choose by; returns a `Split`."""
    count = round(share * len(dataset.x_train))
    if not 0 < count < len(dataset.x_train):
        raise ValueError(f"share: expected some of {len(dataset.x_train)} examples, got {share}")
    order = np.random.default_rng(seed).permutation(len(dataset.x_train))
    x, y = dataset.x_train[order], dataset.y_train[order]
    return Split(x[count:], y[count:], x[:count], y[:count], dataset.x_test, dataset.y_test)


def trained(nets, data, config, seed, *, hidden=(300, 100)):
    """A dense network, trained on a `Split`."""
    model = nets.make_mlp(data.x.shape[1:], int(data.y.max()) + 1, hidden=hidden, seed=seed)
    nets.train(model, data.x, data.y, config, seed=seed)
    return model


def copy_of(nets, pruning, model):
    """A network of its own with the same weights (and no masks)."""
    return pruning.shrink(model, [None] * (len(nets.get_kernels(model)) - 1))


def at_once(nets, pruning, model, data, sparsities, *, rng=None, scope="global"):
    """Test accuracy at each sparsity, (len(sparsities),), without training after pruning.

    With a generator `rng`, random weights go instead of the smallest.
    """
    kernels, copy, found = nets.get_kernels(model), copy_of(nets, pruning, model), []
    ranked = kernels if rng is None else [rng.uniform(size=kernel.shape) for kernel in kernels]
    for share in sparsities:
        for index, mask in enumerate(magnitude_mask(ranked, share, scope=scope)):
            nets.set_layer(copy, index, kernels[index] * mask)
        found.append(nets.accuracy(copy, data.x_test, data.y_test))
    return np.array(found)


def gradually(nets, pruning, models, data, config, sparsities, *, seed=0, begin=0.0, end=0.6, prune_every=10):
    """Test accuracies (len(models), len(sparsities)) of copies that are pruned while they train on.

    `seed`, of the order of the examples, counts up from model to model.
    """
    runs = [(model, seed + i, share) for i, model in enumerate(models) for share in sparsities]
    found = []
    for model, order, share in notebook.progress(runs, desc="pruning"):
        copy = copy_of(nets, pruning, model)
        plan = PruningConfig(sparsity=share, begin=begin, end=end, prune_every=prune_every)
        nets.train(copy, data.x, data.y, config, seed=order, callbacks=[pruning.gradual_pruning(plan)])
        found.append(nets.accuracy(copy, data.x_test, data.y_test))
    return np.array(found).reshape(len(models), len(sparsities))


def shrink_and_refit(nets, pruning, model, x, sizes, choose=gaussian_mi_selection):
    """A smaller dense network: neurons are chosen, and the next layer is refitted, layer by layer.

    Each layer is refitted to the pre-activations of the *whole* network, so that it also makes up for what the
    layers before it lost.

    Parameters
    ----------
    nets, pruning : modules
        Twins, as `fw.load("networks")` and `fw.load("pruning")` return them.
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
    keep, fitted = choose_and_refit(nets.collect_activations(model, x), sizes, choose)
    small = pruning.shrink(model, keep)
    for index, (kernel, bias) in enumerate(fitted):
        nets.set_layer(small, index + 1, kernel, bias)
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


def chooser(criterion, y, kernels, *, seed=0):
    """The function `choose(activations, preactivations, k)` of a criterion: the numbers of the k best neurons.

    Parameters
    ----------
    criterion : str
        One of `CRITERIA`; "norm" is the Euclidean norm of a neuron's incoming weights.
    y : integer array (N,)
        Classes of the examples that activations will come from.
    kernels : list of arrays
        Those of the network, for "norm": the function is to be called once for each hidden layer, in their order.
    seed : int
        Of the criterion "random".
    """
    if criterion not in CRITERIA:
        raise ValueError(f"criterion: expected one of {', '.join(CRITERIA)}, got {criterion!r}")
    rng, norms = np.random.default_rng(seed), iter([np.linalg.norm(kernel, axis=0) for kernel in kernels])
    score = {"random": lambda a: rng.uniform(size=a.shape[1]), "norm": lambda a: next(norms), "entropy": binned_entropy,
             "information about the class": lambda a: class_mutual_information(a, y)}
    if criterion not in score:
        return gaussian_mi_selection
    return lambda activations, preactivations, k: np.argsort(score[criterion](activations))[len(activations[0]) - k:]


def shrink_by(criterion, nets, pruning, model, data, sizes, *, seed=0):
    """The network shrunk to `sizes` neurons a layer that a criterion chooses, with nothing refitted."""
    choose = chooser(criterion, data.y, nets.get_kernels(model), seed=seed)
    layers = nets.collect_activations(model, data.x)
    keep = [choose(into, out, size) for (into, out), size in zip(layers[1:], sizes, strict=True)]
    return pruning.shrink(model, keep)


def compare_criteria(nets, pruning, models, data, sizes, *, refit, tuning=None, seed=0, criteria=CRITERIA):
    """Test accuracies {criterion: (len(models),)} of the shrunk networks; of the fine-tuned ones if `tuning` is given.

    With `refit`, each next layer is fitted by least squares to do without the neurons that are gone. `seed`, of the
    criterion "random" and of fine-tuning, counts up from model to model.
    """
    found = {criterion: [] for criterion in criteria}
    for i, model in enumerate(notebook.progress(models, desc="networks")):
        for criterion in criteria:
            if refit:
                choose = chooser(criterion, data.y, nets.get_kernels(model), seed=seed + i)
                small = shrink_and_refit(nets, pruning, model, data.x, sizes, choose)
            else:
                small = shrink_by(criterion, nets, pruning, model, data, sizes, seed=seed + i)
            if tuning is not None:
                nets.train(small, data.x, data.y, tuning, seed=seed + i)
            found[criterion].append(nets.accuracy(small, data.x_test, data.y_test))
    return {criterion: np.array(accuracies) for criterion, accuracies in found.items()}


def lottery(nets, pruning, models, data, config, sparsity, *, seed=0):
    """Three ways to train a sparse network: test accuracies {name: (len(models),)}.

    The mask is that of the trained network's largest weights. "winning ticket" starts from the weights that the network
    itself started from, "new draw" from others, "shuffled mask" keeps the first but shuffles the mask within each
    layer. The models were `trained` with `seed`, `seed + 1`, ..., at most 50 of them.
    """
    found = {"winning ticket": [], "new draw": [], "shuffled mask": []}
    for own, model in enumerate(notebook.progress(models, desc="networks"), seed):
        masks, rng = magnitude_mask(nets.get_kernels(model), sparsity), np.random.default_rng(own)
        shuffled = [rng.permutation(mask.ravel()).reshape(mask.shape) for mask in masks]
        shape, classes = data.x.shape[1:], int(data.y.max()) + 1
        for name, start, used in (("winning ticket", own, masks), ("new draw", 50 + own, masks),
                                  ("shuffled mask", own, shuffled)):
            ticket = nets.make_mlp(shape, classes, seed=start)
            pruning.apply_masks(ticket, used)
            nets.train(ticket, data.x, data.y, config, seed=own)
            found[name].append(nets.accuracy(ticket, data.x_test, data.y_test))
    return {name: np.array(accuracies) for name, accuracies in found.items()}


def tuned(nets, pruning, model, data, tuning, masks, *, seed=0):
    """Test accuracies (2,) of a masked copy of a network, before and after fine-tuning."""
    copy = copy_of(nets, pruning, model)
    pruning.apply_masks(copy, masks)
    before = nets.accuracy(copy, data.x_test, data.y_test)
    nets.train(copy, data.x, data.y, tuning, seed=seed)
    return np.array([before, nets.accuracy(copy, data.x_test, data.y_test)])


def prune_agent(nets, agent, levels, *, steps=12_000, rise=0.5, seed=0, episodes=20):
    """Prune a DQN agent for CartPole in stages, while it goes on learning; in place.

    Parameters
    ----------
    nets : module
        A twin of `networks`.
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
                silence(nets, agent, polynomial_sparsity(history.steps, begin, end, level, initial=before))
            if last // 1_000 < history.steps // 1_000 and history.steps > begin + steps - 6_000:
                seen.append(evaluate(agent, stage, episodes, seed=history.steps).mean())
        before, returns[level] = level, float(np.mean(seen))
    return returns


def silence(nets, agent, sparsity):
    """Set the smallest weights of an agent's network to zero once, and the same ones in its target network.

    `apply_masks` would not do: an agent acts and learns by copies of its weights, which know of no mask. Nor do
    these zeros last beyond the next update; so `prune_agent` sets them again after each block.
    """
    masks = magnitude_mask(nets.get_kernels(agent.q_net), sparsity)
    for net in (agent.q_net, agent.target_net):
        for index, (kernel, mask) in enumerate(zip(nets.get_kernels(net), masks, strict=True)):
            nets.set_layer(net, index, kernel * mask)


def prune_agent_at_once(nets, agent, levels, *, episodes=50, seed=0):
    """The mean return at each of the sparsities `levels`, without further learning; the agent stays as it is."""
    stage, whole, returns = make_vec("CartPole-v1", episodes), agent.state(), {}
    for level in levels:
        silence(nets, agent, level)
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
    copy, kernels = copy_of(nets, pruning, model), nets.get_kernels(model)

    def accuracy(sparsities):
        for index, mask in enumerate(magnitude_mask(kernels, sparsities, scope="layer")):
            nets.set_layer(copy, index, kernels[index] * mask)
        return nets.accuracy(copy, x, y)

    return accuracy
