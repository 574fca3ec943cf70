"""Choosing how far to trust which expert: where it only ties, where it pays, and where it takes looking ahead."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import softmax
from sklearn.model_selection import train_test_split

from course_lib.common.bandits import LinearBandit, play
from course_lib.dqn.config import DQNConfig
from course_lib.fusion import outputs
from course_lib.fusion.env import ExpertChoiceEnv
from course_lib.networks.config import TrainingConfig

EXPERT = TrainingConfig(epochs=30, learning_rate=3e-3, l2=1e-4)
WEIGHTINGS = np.array([[1, 0], [0.75, 0.25], [0.5, 0.5], [0.25, 0.75], [0, 1]])  # of two experts
# Each choice stands alone: what comes after it is not its doing.
CHOOSER = DQNConfig(hidden=(64,), learning_rate=3e-4, gamma=0.0, n_step=1, double=False, scale_obs=False,
                    warmup_steps=1_000, epsilon_end=0.1, epsilon_steps=5_000, total_steps=20_000,
                    eval_every=1_000_000)
PLANNER = replace(CHOOSER, hidden=(32,), learning_rate=1e-3, batch_size=512, updates_per_block=16, gamma=0.9, n_step=4,
                  double=True, total_steps=40_000)


def expert(nets, model, x, y, config=EXPERT, *, seed=0):
    """The same network, trained."""
    nets.train(model, x, y, config, seed=seed)
    return model


def opinions(nets, experts, inputs):
    """What classifiers say of their inputs, one array (N, ...) for each: probabilities (M, N, C)."""
    return np.stack([softmax(nets.predict(model, x), axis=-1) for model, x in zip(experts, inputs, strict=True)])


def specialists(nets, data, *, seed=0):
    """Two experts, one for upright images and one for turned ones, and images of which half are turned, at random.

    Parameters
    ----------
    nets : module
        A twin of `networks`.
    data : Dataset
        Of square images (N, height, height). Half of its training images are for the experts.
    seed : int

    Returns
    -------
    list of networks, list of two (images, classes, bool array: which are turned)
        The experts; images to learn to choose with, and test images.
    """
    x, x_held, y, y_held = train_test_split(data.x_train, data.y_train, test_size=0.5, random_state=seed,
                                            stratify=data.y_train)
    shape, classes = x.shape[1:], len(data.classes)
    experts = [expert(nets, nets.make_mlp(shape, classes, hidden=(64,), seed=2 * seed + turned),
                      turn(x, np.full(len(x), turned)), y, seed=seed) for turned in (False, True)]
    rng, parts = np.random.default_rng(seed), []
    for images, labels in ((x_held, y_held), (data.x_test, data.y_test)):
        turned = rng.random(len(images)) < 0.5
        parts.append((turn(images, turned), labels, turned))
    return experts, parts


def turn(images, turned):
    """Images (N, height, height), those chosen by a bool array (N,) turned by 90 degrees."""
    return np.where(turned[:, None, None], np.rot90(images, axes=(1, 2)), images)


def learn_to_choose(dqn, env, config=CHOOSER, *, seed=0, copies=16):
    """A DQN agent trained on copies of an `ExpertChoiceEnv`."""
    return dqn.train(env.copies(copies), config, seed=seed, eval_env=False).agent


def choice_table(dqn, env, test, *, seed=0, interactions=1_000):
    """Share of right answers on the examples of `test`, by how the action is chosen for each of them.

    Parameters
    ----------
    dqn : module
    env, test : ExpertChoiceEnv
        Of two experts, with `WEIGHTINGS` as actions; rules are fixed, and agents learn, in `env`.
    seed : int
    interactions : int
        Of the bandits.

    Returns
    -------
    dict of float
    """
    contexts, rewards, seen = env.observations(), env.rewards(), test.observations()
    rows = np.random.default_rng(seed).integers(len(contexts), size=interactions)
    unsure = -(test.predictions * np.log(np.maximum(test.predictions, 1e-12))).sum(axis=2)  # entropies (2, N)
    chosen = {"best fixed action": np.full(len(seen), rewards.mean(axis=0).argmax()),
              "the surer expert": np.where(unsure[0] < unsure[1], 0, len(WEIGHTINGS) - 1)}
    contexts, asked = (np.column_stack([x, np.ones(len(x))])[:, None] for x in (contexts, seen))  # (N, 1, size)
    for name, options in (("epsilon-greedy", {"width": 0.0, "epsilon": 0.1}), ("LinUCB", {"width": 0.3})):
        bandit = LinearBandit(contexts.shape[2], models=rewards.shape[1], seed=seed, **options)
        play(bandit, contexts[rows], rewards[rows])
        chosen[name] = bandit.greedy().choose(asked)
    chosen["DQN"] = learn_to_choose(dqn, env, seed=seed).act(seen)
    earned = test.rewards()
    found = {name: float(earned[np.arange(len(seen)), actions].mean()) for name, actions in chosen.items()}
    product = outputs.product_of_experts(test.predictions).argmax(axis=1) == test.y
    return found | {"product of experts": float(product.mean()), "oracle": float(earned.max(axis=1).mean())}


def specialists_table(fusion, nets, dqn, data, *, made=None, seed=0):
    """`choice_table` of `specialists`, with each one's accuracy at home and abroad, and what labels would give.

    "Same opinions, all rewards" is a network like the DQN's that learns every action's reward, not just the chosen
    one's; the gate sees the images.

    Parameters
    ----------
    fusion, nets, dqn : modules
        Twins of `fusion`, `networks` and `dqn`.
    data, seed
        As in `specialists`.
    made : tuple, optional
        What `specialists` made of them; made anew if it is not given.
    """
    experts, parts = made or specialists(nets, data, seed=seed)
    env, test = (ExpertChoiceEnv(opinions(nets, experts, [x, x]), y, weightings=WEIGHTINGS) for x, y, _ in parts)
    (x, y, _), (x_test, y_test, turned) = parts
    right = test.predictions.argmax(axis=2) == y_test
    gate = expert(nets, fusion.MixtureOfExperts(experts, [x.shape[1:]], frozen=True, seed=seed), x, y, seed=seed)
    judge = nets.make_mlp(env.observation_space.shape, len(WEIGHTINGS), hidden=CHOOSER.hidden, seed=seed)
    nets.train(judge, env.observations(), env.rewards(), EXPERT, seed=seed, loss=nets.squared_error)
    judged = nets.predict(judge, test.observations()).argmax(axis=1)
    return {"at home": float(np.where(turned, right[1], right[0]).mean()),
            "abroad": float(np.where(turned, right[0], right[1]).mean()),
            **choice_table(dqn, env, test, seed=seed),
            "same opinions, all rewards": float(test.rewards()[np.arange(len(judged)), judged].mean()),
            "gate, images and labels": nets.accuracy(gate, x_test, y_test)}


def tiring(nets, data, *, turned=0.3, seed=0):
    """An expert who reads upright and turned images, and tires; and one for upright images, who does not.

    The upright one speaks first, and is sure of what it says of turned images, too.

    Parameters
    ----------
    nets, data, seed
        As in `specialists`.
    turned : float
        Share of the images that are turned by 90 degrees.

    Returns
    -------
    env, test : ExpertChoiceEnv
        Action 0 asks the one who tires. Asked again at once, it answers about some other image; after each further
        rest less often, by a fifth.
    """
    x, x_held, y, y_held = train_test_split(data.x_train, data.y_train, test_size=0.5, random_state=seed,
                                            stratify=data.y_train)
    rng, lessons = np.random.default_rng(seed), (
        (np.concatenate([x, turn(x, np.ones(len(x), bool))]), np.concatenate([y, y])), (x, y))
    experts = [expert(nets, nets.make_mlp(x.shape[1:], len(data.classes), hidden=(64,), seed=2 * seed + m), *lesson,
                      seed=seed) for m, lesson in enumerate(lessons)]
    envs = []
    for images, labels in ((x_held, y_held), (data.x_test, data.y_test)):
        images = turn(images, rng.random(len(images)) < turned)
        envs.append(ExpertChoiceEnv(opinions(nets, experts, [images] * 2), labels, visible=[1], tire=[1, 0],
                                    recover=0.2))
    return envs


def follow(env, rule, *, episodes=200, seed=0):
    """Mean reward of a rule: `rule(obs, step)`, for observations (episodes, size), gives an action for each."""
    together, earned = env.copies(episodes), 0.0
    obs, _ = together.reset(seed=seed)
    for step in range(env.length):
        obs, rewards, *_ = together.step(rule(obs, step))
        earned += rewards.mean()
    return float(earned / env.length)


def tiring_table(dqn, env, test, *, seed=0, config=PLANNER):
    """Mean rewards in `test` of rules, whose numbers are chosen in `env`, and of DQN with and without foresight."""
    def every(period):
        return lambda obs, step: np.full(len(obs), int(step % period != 0))

    def unsure(bound):
        return lambda obs: (obs[:, :-1].max(axis=1) >= bound).astype(int)

    def rested(act, bound):  # as `act` says, but the one who tires is spared until it has rested
        return lambda obs, step: np.where(obs[:, -1] < bound, act(obs), 1)

    near, far = (learn_to_choose(dqn, env, own, seed=seed).act
                 for own in (replace(config, gamma=0.0, n_step=1), config))
    doubts, rests, never = [unsure(bound) for bound in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)], \
        (0.1, 0.3, 0.5, 0.7, 0.9), np.inf
    rules = {"only the one who does not tire": [rested(near, -1)],
             "the one who tires now and then": [every(period) for period in range(1, 11)],
             "... if the other one is unsure": [rested(doubt, never) for doubt in doubts],
             "... if unsure, and rested": [rested(doubt, rest) for doubt in doubts for rest in rests],
             "DQN that looks no further": [rested(near, never)],
             "... and spares who has not rested": [rested(near, rest) for rest in rests],
             "DQN that looks ahead": [rested(far, never)]}
    best = {name: max(some, key=lambda rule: follow(env, rule, seed=1)) if len(some) > 1 else some[0]
            for name, some in rules.items()}
    return {name: follow(test, rule, episodes=400, seed=2) for name, rule in best.items()}
