"""What can go: weights, neurons and inputs of small networks, on digits and on MNIST; and of an agent."""

from dataclasses import replace
from functools import partial

import gymnasium as gym
import numpy as np
from benchmark import Benchmark, few, twins
from scipy.special import softmax

from course_lib.common import data
from course_lib.dqn.config import SETTINGS as DQN_SETTINGS
from course_lib.dqn.config import DQNConfig
from course_lib.dqn.envs import make_vec
from course_lib.dqn.loop import Trainer, evaluate
from course_lib.networks.config import TrainingConfig
from course_lib.networks.scores import log_loss
from course_lib.pruning import scores
from course_lib.pruning.config import PruningConfig, SparseConfig
from course_lib.pruning.derivatives import derivatives
from course_lib.pruning.env import SparsityEnv, sparsity_bounds
from course_lib.pruning.information import gaussian_mi_selection, shrink_and_refit
from course_lib.pruning.schedules import polynomial_sparsity

DIGITS = TrainingConfig(epochs=30, learning_rate=3e-3, l2=3e-4)
TUNED = replace(DIGITS, epochs=20, l2=0.0)
HIDDEN, SPARSITIES, SIZES, PIXELS, BUDGET, EVALUATIONS = (300, 100), (0.95, 0.98, 0.99), (30, 10), 20, 0.9, 60


def trained(nets, images, seed, config=DIGITS):
    """A dense network for the digits."""
    model = nets.make_mlp((8, 8), 10, hidden=HIDDEN, seed=seed)
    nets.train(model, images.x_train, images.y_train, config, seed=seed)
    return model


def only(images, pixels):
    """These pixels of images, (N, pixels), or all, as they are, for None."""
    return images if pixels is None else images.reshape(len(images), -1)[:, pixels]


def loss_of(nets, network, images, pixels=None):
    """The log-loss of a network on the test images, or on these pixels of them."""
    return log_loss(softmax(nets.predict(network, only(images.x_test, pixels)), axis=-1), images.y_test)


def one_shot_scores(nets, model, x, y, seed):
    """{criterion: a score of every weight}."""
    kernels, rng = nets.get_kernels(model), np.random.default_rng(seed)
    first, second = derivatives(nets.collect_activations(model, x), kernels, y)
    return {"random": [rng.uniform(size=kernel.shape) for kernel in kernels],
            "magnitude": kernels,
            "LAMP": [scores.lamp_scores(kernel) for kernel in kernels],
            "Taylor": [kernel * slope for kernel, slope in zip(kernels, first, strict=True)],
            "optimal brain damage": [kernel**2 * bend / 2 for kernel, bend in zip(kernels, second, strict=True)]}


def ways_to_sparse(nets, pruning, model, images, seed, sparsity, config):
    """{method: a network so sparse}; each has had two trainings, but for those of the lottery, which have had one."""
    x, y = images.x_train, images.y_train
    kernels, rng = nets.get_kernels(model), np.random.default_rng(seed)
    masks = {scope: scores.magnitude_mask(kernels, sparsity, scope=scope) for scope in ("global", "lamp")}
    every, twice = max(1, config.updates(len(y)) // 51), replace(config, epochs=2 * config.epochs)
    found = {}
    for scope, name in (("global", ""), ("lamp", ", LAMP")):
        found[f"at once{name}"] = pruning.shrink(model, [None, None])
        pruning.apply_masks(found[f"at once{name}"], masks[scope])
        nets.train(found[f"at once{name}"], x, y, config, seed=seed)
        found[f"gradually{name}"] = pruning.shrink(model, [None, None])
        plan = pruning.gradual_pruning(PruningConfig(sparsity=sparsity, prune_every=every, scope=scope))
        nets.train(found[f"gradually{name}"], x, y, config, seed=seed, callbacks=[plan])
    for name, grow in (("random connections", "nowhere"), ("SET", "random"), ("RigL", "gradient")):
        found[name] = nets.make_mlp((8, 8), 10, hidden=HIDDEN, seed=seed)
        move = pruning.sparse_training(SparseConfig(sparsity=sparsity, grow=grow, move_every=every), x, y, seed=seed)
        nets.train(found[name], x, y, twice, seed=seed, callbacks=[move])
    shuffled = [rng.permutation(layer.ravel()).reshape(layer.shape) for layer in masks["lamp"]]
    for name, start, layers in (("lottery: first weights", seed, masks["lamp"]),
                                ("lottery: new weights", 50 + seed, masks["lamp"]),
                                ("lottery: new weights, shuffled mask", 50 + seed, shuffled)):
        found[name] = nets.make_mlp((8, 8), 10, hidden=HIDDEN, seed=start)
        pruning.apply_masks(found[name], layers)
        nets.train(found[name], x, y, config, seed=seed)
    return found


def rows_of_weights(framework, seeds):
    """Test accuracy of LeNet-300-100 on digits, in per cent, with only some of its weights.

    "one shot": those of lowest score are set to zero, and nothing is trained. "at once", "gradually": from a dense
    network of 30 epochs, with 30 more; by one threshold for all layers, or by LAMP. "random connections" (which stay),
    "SET", "RigL": sparse for all of 60 epochs. "lottery": the dense network's mask by LAMP, with the weights that it
    began with, or with new ones, or these and the mask shuffled within each layer; 30 epochs.
    """
    nets, pruning = twins(framework, "networks", "pruning")
    for seed in range(seeds):
        images = data.load("digits", seed=seed)
        model = trained(nets, images, seed)

        def row(method, sparsity, network, images=images, seed=seed):
            accuracy = 100 * nets.accuracy(network, images.x_test, images.y_test)
            return {"method": method, "sparsity": sparsity, "seed": seed, "accuracy, %": accuracy}

        yield row("dense", 0.0, model)
        for name, ranked in one_shot_scores(nets, model, images.x_train, images.y_train, seed).items():
            for sparsity in (0.5, 0.7, 0.8, 0.9, *SPARSITIES):
                copy, masks = pruning.shrink(model, [None, None]), scores.magnitude_mask(ranked, sparsity)
                pruning.apply_masks(copy, masks)
                yield row(f"one shot, {name}", sparsity, copy)
        for sparsity in SPARSITIES:
            for name, network in ways_to_sparse(nets, pruning, model, images, seed, sparsity, DIGITS).items():
                yield row(name, sparsity, network)


def canary_of_weights(framework):
    """Log-losses of small runs."""
    nets, pruning = twins(framework, "networks", "pruning")
    images, config = few(), replace(DIGITS, epochs=4)
    model = trained(nets, images, 0, config)
    found = {"dense": model} | ways_to_sparse(nets, pruning, model, images, 0, 0.7, config)
    figures = {name: loss_of(nets, network, images) for name, network in found.items()}
    for name, ranked in one_shot_scores(nets, model, images.x_train, images.y_train, 0).items():
        figures[f"scores, {name}"] = float(np.mean([np.abs(score).mean() for score in ranked]))
    return figures


def ways_to_choose(nets, model, images, seed):
    """{score: a function that chooses k neurons of a layer by its activations a and the next layer's z}.

    The scores that look at weights or gradients know the layer by its number of neurons, which no other has.
    """
    rng, kernels = np.random.default_rng(seed), nets.get_kernels(model)
    layers = nets.collect_activations(model, images.x_train)
    first, _ = derivatives(layers, kernels, images.y_train)
    norms, taylor = {}, {}
    for kernel, slope in zip(kernels, first, strict=True):
        norms[kernel.shape[1]] = np.abs(kernel).sum(axis=0), np.linalg.norm(kernel, axis=0)
        taylor[kernel.shape[1]] = np.abs((kernel * slope).sum(axis=0))
    score = {"random": lambda a: rng.uniform(size=a.shape[1]), "norm, L1": lambda a: norms[a.shape[1]][0],
             "norm, L2": lambda a: norms[a.shape[1]][1], "Taylor": lambda a: taylor[a.shape[1]],
             "entropy": scores.binned_entropy,
             "information about the class": lambda a: scores.class_mutual_information(a, images.y_train)}
    highest = {name: lambda a, z, k, by=by: np.argsort(by(a))[-k:] for name, by in score.items()}
    return highest | {"information about the next layer": gaussian_mi_selection}


def smaller(nets, pruning, model, images, seed, tuned):
    """Yields (what goes, score, treatment, network, its inputs or None)."""
    x, y = images.x_train, images.y_train
    flat, layers = x.reshape(len(x), -1), nets.collect_activations(model, x)
    for name in ways_to_choose(nets, model, images, seed):
        choose = ways_to_choose(nets, model, images, seed)[name]
        bare = pruning.shrink(model, [choose(a, z, k) for (a, z), k in zip(layers[1:], SIZES, strict=True)])
        choose = ways_to_choose(nets, model, images, seed)[name]  # anew, so that the random choice is the same
        refitted = shrink_and_refit(nets, pruning, model, x, SIZES, choose)
        for treatment, network in (("", bare), ("refitted", refitted)):
            yield "neurons", name, treatment or "just removed", network, None
            nets.train(network, x, y, tuned, seed=seed)
            yield "neurons", name, ", ".join(filter(None, (treatment, "fine-tuned"))), network, None
    rng = np.random.default_rng(seed)
    kernel = nets.get_kernels(model)[0]
    by = {"random": rng.uniform(size=flat.shape[1]), "norm, L2": np.linalg.norm(kernel, axis=1),
          "entropy": scores.binned_entropy(flat),
          "information about the class": scores.class_mutual_information(flat, y)}
    chosen = {name: np.argsort(score)[-PIXELS:] for name, score in by.items()}
    chosen["information about the next layer"] = gaussian_mi_selection(flat, layers[0][1], PIXELS)
    for name, pixels in chosen.items():
        bare = pruning.shrink(model, [None, None], inputs=pixels)
        refitted = shrink_and_refit(nets, pruning, model, x, HIDDEN, inputs=pixels)
        for treatment, network in (("just removed", bare), ("refitted", refitted)):
            yield "inputs", name, treatment, network, pixels
        nets.train(refitted, flat[:, pixels], y, tuned, seed=seed)
        yield "inputs", name, "refitted, fine-tuned", refitted, pixels


def rows_of_neurons(framework, seeds):
    """Test accuracy of LeNet-300-100 on digits, in per cent, with 30 and 10 of its neurons, or 20 of its 64 inputs.

    "refitted": by least squares, the next layer to what it had made of all. "fine-tuned": 20 epochs. Everything is
    chosen by the training images. "Taylor": how much the loss would change to first order if all incoming weights of a
    neuron went.
    """
    nets, pruning = twins(framework, "networks", "pruning")
    for seed in range(seeds):
        images = data.load("digits", seed=seed)
        model, x = trained(nets, images, seed), images.x_test
        for what, name, treatment, network, pixels in smaller(nets, pruning, model, images, seed, TUNED):
            yield {"of the": what, "score": name, "treatment": treatment, "seed": seed,
                   "accuracy, %": 100 * nets.accuracy(network, only(x, pixels), images.y_test)}


def canary_of_neurons(framework):
    """Log-losses of small runs."""
    nets, pruning = twins(framework, "networks", "pruning")
    images = few()
    model = trained(nets, images, 0, replace(DIGITS, epochs=4))
    return {f"{what}, {name}, {treatment}": loss_of(nets, network, images, pixels)
            for what, name, treatment, network, pixels in smaller(nets, pruning, model, images, 0,
                                                                  replace(TUNED, epochs=1))}


def silence(agent, nets, sparsity):
    """Set the smallest weights of an agent's network to zero, and the same ones in its target network.

    `apply_masks` would not do: the agent learns by fast copies of its weights.
    """
    masks = scores.magnitude_mask(nets.get_kernels(agent.q_net), sparsity)
    for net in (agent.q_net, agent.target_net):
        for index, (kernel, mask) in enumerate(zip(nets.get_kernels(net), masks, strict=True)):
            nets.set_layer(net, index, kernel * mask)


def prune_agent(agent, nets, sparsity, *, seed, steps, rise, judged):
    """Let an agent learn on while its sparsity rises, for a share of the steps; its mean return in the end."""
    trainer = Trainer(agent, make_vec("CartPole-v1", 32), seed=seed, eval_env=False)
    judges, history, seen = make_vec("CartPole-v1", 20), trainer.history, []
    while history.steps < steps:
        last, updates = history.steps, agent.updates
        trainer.collect()
        trainer.learn()
        if agent.updates > updates:
            silence(agent, nets, polynomial_sparsity(history.steps, 0, max(1, rise * steps), sparsity))
        if last // 1_000 < history.steps // 1_000 and history.steps > steps - judged:
            seen.append(evaluate(agent, judges, 20, seed=history.steps).mean())
    return float(np.mean(seen))


AGENT = replace(DQN_SETTINGS["CartPole-v1"], total_steps=15_000)
FURTHER = 24_000


def agents(framework, seed, config=AGENT, further=FURTHER, sparsity=0.9, judged=6_000):
    """Yields (treatment, mean return) of one agent."""
    nets, dqn = twins(framework, "networks", "dqn")
    agent = dqn.train(make_vec("CartPole-v1", 32), config, seed=seed, eval_env=False).agent
    whole = agent.state()
    for name, share in (("not pruned", 0.0), ("one shot", sparsity)):
        silence(agent, nets, share)
        agent.restore(agent.state())  # so that it acts by the new weights
        yield name, float(evaluate(agent, make_vec("CartPole-v1", 50), 50, seed=seed).mean())
        agent.restore(whole)
    for name, share, rise in (("not pruned, learns on", 0.0, 0.0), ("at once, learns on", sparsity, 0.0),
                              ("gradually, learns on", sparsity, 0.5)):
        agent.restore(whole)
        yield name, prune_agent(agent, nets, share, seed=seed, steps=further, rise=rise, judged=judged)


def rows_of_agents(framework, seeds):
    """Mean return on CartPole of an agent of 15,000 steps, with a tenth of its weights, of 500 at most.

    "one shot": judged as it is, by 50 episodes. "learns on": for 24,000 further steps, with the zeros set anew after
    each block of updates; judged every 1,000 of the last 6,000 by 20 episodes.
    """
    for seed in range(seeds):
        for name, mean in agents(framework, seed):
            yield {"treatment": name, "seed": seed, "mean return": mean}


def canary_of_agents(framework):
    """Weights of an agent after a short stretch of random play."""
    [nets, dqn] = twins(framework, "networks", "dqn")
    config = replace(AGENT, warmup_steps=600, total_steps=1_000, epsilon_end=1.0)
    agent = dqn.train(make_vec("CartPole-v1", 32), config, seed=0, eval_env=False).agent
    prune_agent(agent, nets, 0.9, seed=0, steps=1_200, rise=0.5, judged=1_200)
    kernels = nets.get_kernels(agent.q_net)
    return {"share of zeros": float(np.mean([(kernel == 0).mean() for kernel in kernels])),
            "norm": float(np.sqrt(sum((kernel**2).sum() for kernel in kernels)))}


CHOOSER = DQNConfig(hidden=(64,), learning_rate=3e-3, batch_size=32, scale_obs=False, gamma=1.0, n_step=3,
                    warmup_steps=60, train_every=4, updates_per_block=8, epsilon_end=0.1, epsilon_steps=300,
                    tau=0.05, eval_every=10_000)  # the reward comes at the end and is not discounted


def random_search(game, evaluations, seed):
    """Play at random until so many lists of choices are evaluated."""
    rng = np.random.default_rng(seed)
    while game.evaluations < evaluations:
        game.reset()
        for _ in range(game.layers):
            game.step(int(rng.integers(game.levels)))


def dqn_search(game, evaluations, seed, dqn):
    """Let a DQN play and learn until so many lists of choices are evaluated; `dqn` is a twin."""
    agent = dqn.DQNAgent(game.observation_space.shape, game.levels, CHOOSER, seed=seed)
    trainer = Trainer(agent, gym.vector.SyncVectorEnv([lambda: game]), seed=seed, eval_env=False)
    while game.evaluations < evaluations:
        trainer.collect()
        trainer.learn()


def divisions(framework, images, seed, config=DIGITS, evaluations=EVALUATIONS):
    """Yields (way to divide, network of that sparsity); a fifth of the training images is set aside, to choose by."""
    nets, pruning, dqn = twins(framework, "networks", "pruning", "dqn")
    order = np.random.default_rng(seed).permutation(len(images.x_train))
    aside, rest = np.split(order, [len(order) // 5])
    model = trained(nets, replace(images, x_train=images.x_train[rest], y_train=images.y_train[rest]), seed, config)
    kernels, whole = nets.get_kernels(model), [None] * (len(HIDDEN))

    def pruned(masks):
        copy = pruning.shrink(model, whole)
        pruning.apply_masks(copy, masks)
        return copy

    def reward(sparsities):
        copy = pruned(scores.magnitude_mask(kernels, sparsities, scope="layer"))
        return nets.accuracy(copy, images.x_train[aside], images.y_train[aside])

    for name, scope in (("same in each layer", "layer"), ("global threshold", "global"), ("LAMP", "lamp")):
        yield name, pruned(scores.magnitude_mask(kernels, BUDGET, scope=scope)), rest
    bounds = sparsity_bounds([kernel.size for kernel in kernels], BUDGET)
    for name, search in (("random search", random_search), ("DQN", partial(dqn_search, dqn=dqn))):
        game = SparsityEnv(len(kernels), bounds, reward, levels=21)
        search(game, evaluations, seed)
        yield name, pruned(scores.magnitude_mask(kernels, game.best[0], scope="layer")), rest


def rows_of_divisions(framework, seeds):
    """Test accuracy of LeNet-300-100 on digits, in per cent, with a tenth of its weights, divided among its layers.

    Both searches try 60 different divisions, and are rewarded by the accuracy on images set aside. "fine-tuned": five
    epochs.
    """
    [nets] = twins(framework, "networks")
    for seed in range(seeds):
        images = data.load("digits", seed=seed)
        for name, model, rest in divisions(framework, images, seed):
            row = {"divided by": name, "seed": seed}
            row["accuracy, %"] = 100 * nets.accuracy(model, images.x_test, images.y_test)
            nets.train(model, images.x_train[rest], images.y_train[rest], replace(TUNED, epochs=5), seed=seed)
            yield row | {"fine-tuned, %": 100 * nets.accuracy(model, images.x_test, images.y_test)}


def canary_of_divisions(framework):
    """The weights left in each layer."""
    [nets] = twins(framework, "networks")
    return {f"{name}, layer {index}": int((kernel != 0).sum())
            for name, model, _ in divisions(framework, few(), 0, replace(DIGITS, epochs=3), 10)
            for index, kernel in enumerate(nets.get_kernels(model))}


# Evci et al. 2020, table 2: method, inputs and neurons, thousands of operations, lowest test error seen, and at the end
PUBLISHED = (("SBP", "245-160-55", 97.1, 1.6, None), ("L0", "266-88-33", 53.3, 1.6, None),
             ("VIB", "97-71-33", 19.1, 1.6, None), ("RigL", "408-100-69", 12.6, 1.44, 1.48),
             ("RigL+", "375-62-51", 6.2, 1.57, 1.69))
RECIPE = TrainingConfig(batch_size=256, epochs=20, learning_rate=16e-3, weight_decay=0.15)  # of nine shifted copies
START, KEPT, FEW = (100, 100), (6_300, 3_100, 2_200), 3_100
SMALLER, CHOOSE_BY = ((97, 71, 33), (60, 39, 15)), 10_000


def shifted(images):
    """Nine copies of images (N, height, width): as they are, and shifted by a pixel in every direction."""
    padded, (height, width) = np.pad(images, ((0, 0), (1, 1), (1, 1))), images.shape[1:]
    return np.concatenate([padded[:, i: i + height, j: j + width] for i in range(3) for j in range(3)])


def by_norm(nets, model, flat):
    """Scores of the inputs, and a choice of neurons: standard deviation times the norm of the weights that lead on."""
    kernels = nets.get_kernels(model)
    inputs = flat.std(axis=0) * np.linalg.norm(kernels[0], axis=1)
    outgoing = {len(kernel): np.linalg.norm(kernel, axis=1) for kernel in kernels[1:]}
    return inputs, lambda a, z, k: np.argsort(a.std(axis=0) * outgoing[a.shape[1]])[-k:]


def frontier(framework, images, seed, recipe=RECIPE, start=START, kept=KEPT, few=FEW, smaller=SMALLER, every=50):
    """Yields (method, weights, network, pixels it takes or None, lowest test error seen); each has as many updates."""
    nets, pruning, merging = twins(framework, "networks", "pruning", "merging")
    x, y = shifted(images.x_train), np.tile(images.y_train, 9)
    as_they_are = images.x_train, images.y_train, replace(recipe, epochs=9 * recipe.epochs)

    def error(network, pixels):
        return 100 * (1 - nets.accuracy(network, only(images.x_test, pixels), images.y_test))

    def fitted(network, *plans, on=(x, y, recipe), teacher=None, pixels=None):
        seen = []

        def watch(model, step, updates):
            if step > 0.6 * updates and step % max(1, updates // recipe.epochs) == 0:
                seen.append(error(model, pixels))

        known, labels, config = on
        if teacher is None:
            nets.train(network, known, labels, config, seed=seed, callbacks=[*plans, watch])
        else:
            merging.distill(network, known, labels, teacher, config, temperature=3.0, seed=seed,
                            callbacks=[*plans, watch])
        return network, pixels, min([*seen, error(network, pixels)])

    def fresh(weights):
        network = nets.make_mlp(images.x_train.shape[1:], len(images.classes), hidden=start, seed=seed)
        return network, 1 - weights / sum(kernel.size for kernel in nets.get_kernels(network))

    def gradual(weights, **options):
        network, share = fresh(weights)
        plan = pruning.gradual_pruning(PruningConfig(sparsity=share, end=0.5, prune_every=every))
        return fitted(network, plan, **options)

    dense = fitted(fresh(0)[0])
    yield "dense", sum(kernel.size for kernel in nets.get_kernels(dense[0])), *dense
    for weights in kept:
        yield "gradual", weights, *gradual(weights)
    rivals = (("RigL", "gradient", kept[0]), ("RigL", "gradient", few), ("SET", "random", few),
              ("random connections", "nowhere", few))
    for name, grow, weights in rivals:
        network, share = fresh(weights)
        config = SparseConfig(sparsity=share, grow=grow, move_every=2 * every)
        yield name, weights, *fitted(network, pruning.sparse_training(config, x, y, seed=seed))
    short = replace(recipe, epochs=-(-recipe.epochs // 4))
    for change, options in (("images as they are", {"on": as_they_are}),
                            ("without weight decay", {"on": (x, y, replace(recipe, weight_decay=0.0))}),
                            ("a quarter of the updates", {"on": (x, y, short)}),
                            ("taught by the dense one", {"teacher": nets.predict(dense[0], x)})):
        yield f"gradual, {change}", few, *gradual(few, **options)

    half, rest = (replace(recipe, epochs=epochs) for epochs in (recipe.epochs // 2, recipe.epochs - recipe.epochs // 2))
    whole, _, _ = fitted(fresh(0)[0], on=(x, y, half))
    some = images.x_train[:CHOOSE_BY]
    flat = some.reshape(len(some), -1)
    norms = by_norm(nets, whole, flat)
    for inputs, *units in smaller:
        informative = gaussian_mi_selection(flat, nets.collect_activations(whole, some)[0][1], inputs)
        for name, pixels, choose in (("information", informative, gaussian_mi_selection),
                                     ("norms", np.argsort(norms[0])[-inputs:], norms[1])):
            network = shrink_and_refit(nets, pruning, whole, some, units, choose, inputs=pixels)
            weights = sum(kernel.size for kernel in nets.get_kernels(network))
            yield f"inputs and neurons, by {name}", weights, *fitted(
                network, on=(only(x, pixels), y, rest), pixels=pixels)


def rows_of_frontier(framework, seeds, images):
    """Error on MNIST's test digits, in per cent, at the end of training, and the lowest seen in its last two fifths.

    Networks of 784 inputs and 100 and 100 neurons lose weights during one training of 180 passes over the images, each
    shifted by up to a pixel. "weights": what is left; a multiplication and an addition each. "pixels": what is still
    looked at. The pixels and neurons of "inputs and neurons" are chosen, with a refit, after half of the updates.
    """
    [nets] = twins(framework, "networks")
    images = data.load(images)
    for seed in range(seeds):
        for method, weights, network, pixels, seen in frontier(framework, images, seed):
            accuracy = nets.accuracy(network, only(images.x_test, pixels), images.y_test)
            looked_at = (nets.get_kernels(network)[0] != 0).any(axis=1).sum()
            yield {"method": method, "weights": weights, "seed": seed, "error, %": 100 * (1 - accuracy),
                   "lowest seen, %": seen, "pixels": int(looked_at)}


def canary_of_frontier(framework):
    """Log-losses of small networks on some digits."""
    [nets] = twins(framework, "networks")
    images = few()
    found = frontier(framework, images, 0, replace(RECIPE, epochs=2, batch_size=64, learning_rate=5e-3), (30, 20),
                     (700, 500), 500, ((30, 20, 10),), 5)
    return {f"{method}, {weights} weights": loss_of(nets, network, images, pixels)
            for method, weights, network, pixels, _ in found}


STUDIES = {
    "pruning_weights": Benchmark(
        title="LeNet-300-100 on digits with few of its weights",
        settings={"dense": DIGITS, "hidden": HIDDEN, "sparsities": SPARSITIES, "sparse": SparseConfig()},
        rows=rows_of_weights, canary=canary_of_weights, down=("method", "sparsity"), seeds=10),
    "pruning_neurons": Benchmark(
        title="LeNet-300-100 on digits with few of its neurons, or of its inputs",
        settings={"dense": DIGITS, "fine-tuned": TUNED, "hidden": HIDDEN, "neurons": SIZES, "inputs": PIXELS},
        rows=rows_of_neurons, canary=canary_of_neurons, down=("of the", "score", "treatment"), seeds=10),
    "pruning_agents": Benchmark(
        title="An agent with a tenth of its weights", settings={"agent": AGENT, "further steps": FURTHER},
        rows=rows_of_agents, canary=canary_of_agents, down=("treatment",), seeds=10),
    "pruning_divisions": Benchmark(
        title="Dividing a budget of weights among layers",
        settings={"dense": DIGITS, "budget": BUDGET, "evaluations": EVALUATIONS, "agent": CHOOSER},
        rows=rows_of_divisions, canary=canary_of_divisions, down=("divided by",), seeds=10),
    "pruning_mnist": Benchmark(
        title="The fewest weights on MNIST",
        settings={"recipe": RECIPE, "neurons at first": START, "inputs and neurons": SMALLER, "sparse": SparseConfig(),
                  "published: lowest test error seen, at the end": PUBLISHED},
        rows=rows_of_frontier, canary=canary_of_frontier, down=("method", "weights"), options={"images": "mnist"})}
