"""Learning to recommend from a log alone: fitted Q-iteration with and without a conservative penalty, and imitation."""

from dataclasses import replace

import numpy as np
from benchmark import twins
from recommendation import catalogs, reward

from course_lib.networks.config import TrainingConfig
from course_lib.recommendation import logged
from course_lib.recommendation.config import PLANNER
from course_lib.recommendation.env import RecommendationVectorEnv
from course_lib.recommendation.policies import OracleMyopic, Random

ROUND = TrainingConfig(epochs=1, learning_rate=2e-3, batch_size=256)  # of each of so many rounds
ROUNDS, STEPS, GAMMA = 40, 100_000, PLANNER.gamma


def conservative_loss(framework, alpha):
    """`loss(y, q)`: y (B, 2) holds actions and targets, q (B, N) values. Kumar et al. 2020, eq. 4, with its entropy.

    The squared error, plus alpha times how far the values of all actions exceed that of the one in the log.
    """
    if framework == "pytorch":
        def loss(y, q):
            chosen = q.gather(1, y[:, :1].long())[:, 0]
            return ((y[:, 1] - chosen).square() + alpha * (q.logsumexp(dim=1) - chosen)).mean()
    else:
        from keras import ops

        def loss(y, q):
            chosen = ops.take_along_axis(q, ops.cast(y[:, :1], "int32"), axis=1)[:, 0]
            return ops.mean(ops.square(y[:, 1] - chosen) + alpha * (ops.logsumexp(q, axis=1) - chosen))
    return loss


def transitions(catalog, policy, count, *, seed=0, copies=100):
    """A log under a `logged.Soft`: obs (n, 22), actions, rewards, next_obs and terminated (n,), of `count` or more."""
    env, rng, found = RecommendationVectorEnv(catalog, num_envs=copies), np.random.default_rng(seed), []
    obs, _ = env.reset(seed=seed)
    fresh = np.zeros(copies, bool)
    while sum(len(part[1]) for part in found) < count:
        actions = policy.sample(obs, rng)
        after, rewards, terminated, *_ = env.step(actions)
        found.append([part[~fresh].copy() for part in (obs, actions, rewards, after, terminated)])
        obs, fresh = after, terminated & ~fresh
    return [np.concatenate(part) for part in zip(*found, strict=True)]


class Greedy:
    def __init__(self, nets, model):
        self.nets, self.model = nets, model

    def act(self, obs):
        return self.nets.predict(self.model, np.asarray(obs, np.float32)).argmax(axis=1)


def fitted_q(framework, twin, nets, catalog, log, *, alpha, seed=0, rounds=ROUNDS, config=ROUND):
    """Q-learning from a log (n transitions): each round fits the network to targets that it gives itself."""
    obs, actions, rewards, after, terminated = log
    model = twin.ItemFeatureQNetwork(catalog.features, obs.shape[1], hidden=64, seed=seed)
    loss = conservative_loss(framework, alpha)
    for number in range(rounds):
        best = nets.predict(model, after).max(axis=1)
        targets = rewards + GAMMA * ~terminated * best if number else rewards
        nets.train(model, obs, np.column_stack([actions, targets]), config, seed=seed + number, loss=loss)
    return Greedy(nets, model)


def imitation(twin, nets, catalog, log, *, seed=0, epochs=10, config=ROUND):
    """A network that is taught which item the log shows."""
    model = twin.ItemFeatureQNetwork(catalog.features, log[0].shape[1], hidden=64, seed=seed)
    nets.train(model, log[0], log[1], replace(config, epochs=epochs), seed=seed)
    return Greedy(nets, model)


class Sampled:
    def __init__(self, policy, seed):
        self.policy, self.rng = policy, np.random.default_rng(seed)

    def act(self, obs):
        return self.policy.sample(np.asarray(obs), self.rng)


def table(framework, *, seed=0, steps=STEPS, rounds=ROUNDS):
    """{who recommends: mean reward of a session}; the log is of a policy that follows the profile, softly."""
    twin, nets = twins(framework, "recommendation", "networks")
    known, _ = catalogs(seed)
    behaviour = logged.Soft(known, personal=1.0, sharpness=2.0)
    log = transitions(known, behaviour, steps, seed=seed)
    online = replace(PLANNER, total_steps=steps)
    policies = {"random": Random(len(known), seed=seed), "the policy that logged": Sampled(behaviour, seed),
                "imitation": imitation(twin, nets, known, log, seed=seed),
                **{f"from the log, alpha {alpha:g}": fitted_q(framework, twin, nets, known, log, alpha=alpha, seed=seed,
                                                             rounds=rounds) for alpha in (0.0, 0.1, 0.5)},
                "DQN that may try things": twin.train_recommender(RecommendationVectorEnv(known, num_envs=128), online,
                                                                  seed=seed).agent,
                "oracle that looks no further": OracleMyopic}
    return {name: reward(policy, known, seed=seed) for name, policy in policies.items()}


def from_a_log(framework, seeds):
    """Mean reward of a session: learned from 100,000 logged steps of a policy that follows the profile, or online."""
    for seed in range(seeds):
        for name, value in table(framework, seed=seed).items():
            yield {"who recommends": name, "seed": seed, "reward": value}
