"""Our DQN and a bandit in the shop of another package, sardine-rec: Deffayet et al. 2024, "SARDINE"."""

from dataclasses import replace

import gymnasium as gym
import numpy as np
from benchmark import Benchmark, twins

from course_lib.common.bandits import LinearBandit
from course_lib.dqn.config import DQNConfig
from course_lib.dqn.loop import evaluate
from course_lib.networks.config import TrainingConfig

NAME, ITEMS, TOPICS = "sardine/SingleItem-BoredInf-v0", 1_000, 10
PLANNER = DQNConfig(hidden=(64,), learning_rate=2e-3, batch_size=64, gamma=0.9, n_step=1, double=False, tau=0.01,
                    scale_obs=False, warmup_steps=3_000, buffer_size=100_000, train_every=4, updates_per_block=4,
                    epsilon_end=0.05, epsilon_steps=25_000, total_steps=60_000, eval_every=10_000_000)


class Shown(gym.Wrapper):
    """One item a step by its number, and an observation of three vectors (20,): taste, recent clicks, boredom.

    Each has a place for the ten numbers of an item's embedding, and ten for its main topic.
    """

    def __init__(self, env):
        super().__init__(env)
        self.action_space = gym.spaces.Discrete(ITEMS)
        self.observation_space = gym.spaces.Box(0, 1, (6 * TOPICS,), np.float32)

    def reset(self, **options):
        state, info = self.env.reset(**options)
        return self.seen(state), info

    def step(self, action):
        state, reward, terminated, truncated, info = self.env.step(np.array([action]))
        return self.seen(state), float(reward), terminated, truncated, info

    def seen(self, state):
        found = np.zeros((3, 2, TOPICS), np.float32)
        found[0, 0], found[1:, 1] = state[:TOPICS], state[TOPICS:].reshape(2, TOPICS)
        return found.ravel()


def make():
    """One shop, whose state is known."""
    import sardine  # noqa: F401 (registers its environments)
    from sardine.wrappers import IdealState

    return Shown(IdealState(gym.make(NAME)))


def shops(count):
    return gym.vector.SyncVectorEnv([make] * count, autoreset_mode=gym.vector.AutoresetMode.NEXT_STEP)


def features():
    """Of the items, (1000, 20): embedding, and main topic as one of ten."""
    embedding = make().unwrapped.item_embedd
    return np.hstack([embedding, np.eye(TOPICS)[embedding.argmax(axis=1)]]).astype(np.float32)


def pairs(obs, items):
    """How each item meets each observation, (B, N, 4): the three inner products, and 1."""
    products = (np.asarray(obs).reshape(len(obs), 3, -1) @ items.T).swapaxes(1, 2)
    return np.concatenate([products, np.ones((*products.shape[:2], 1))], axis=2)


class Policy:
    """Acts by the largest of the scores (B, N) that `score(obs)` gives."""

    def __init__(self, score):
        self.score = score

    def act(self, obs):
        return self.score(np.asarray(obs)).argmax(axis=1)


def sparing(obs, items):
    """How well each item fits the taste, (B, N), and -1 where four or more of the last five clicks are of its topic."""
    recent = obs.reshape(len(obs), 3, 2, TOPICS)[:, 1, 1]  # clicks lately by topic, in units of the threshold, five
    return np.where(recent[:, items[:, TOPICS:].argmax(axis=1)] < 0.75, pairs(obs, items)[..., 0], -1)


def bandit(items, seed, steps=600, copies=32):
    """LinUCB on the inner products, learned for about 20,000 items shown."""
    learner, env = LinearBandit(4, by="ucb", width=0.3, seed=seed), shops(copies)
    obs, _ = env.reset(seed=seed)
    fresh = np.zeros(copies, bool)
    for _ in range(steps):
        contexts = pairs(obs, items)
        actions = learner.choose(contexts)
        after, rewards, terminated, truncated, _ = env.step(actions)
        if not fresh.all():  # all episodes end at once, and begin at once
            learner.learn(contexts[~fresh], actions[~fresh], rewards[~fresh])
        obs, fresh = after, (terminated | truncated) & ~fresh
    greedy = learner.greedy()
    return Policy(lambda obs: pairs(obs, items) @ greedy.coefficients[0])


def by_seed(twin, dqn, seed, *, settings=PLANNER, episodes=100):
    """{who recommends: mean clicks of an episode of 100 steps}."""
    items, rng = features(), np.random.default_rng(seed)

    def network(obs_shape, n_actions, own):
        return twin.ItemFeatureQNetwork(items, *obs_shape, hidden=64, size=2 * TOPICS, seed=own)

    agents = {name: dqn.train(shops(32), config, seed=seed, network=network, eval_env=False).agent
              for name, config in (("gamma 0", replace(settings, gamma=0.0)), ("DQN", settings))}
    liking = Policy(lambda obs: pairs(obs, items)[..., 0])
    varied = Policy(lambda obs: sparing(obs, items))
    policies = {"random": Policy(lambda obs: rng.random((len(obs), ITEMS))), "LinUCB": bandit(items, seed),
                "the likeliest click": liking, **agents, "the likeliest click of a topic not clicked lately": varied}
    return {name: float(evaluate(policy, shops(20), episodes, seed=seed + 1_000_003).mean())
            for name, policy in policies.items()}


def in_sardine(framework, seeds):
    """Mean clicks in 100 episodes of 100 steps; 1,000 items; five clicks on a topic within five steps bore for five.

    The state is known (taste, recent clicks and boredom by topic). "The likeliest click" knows every probability, and
    looks no further; the last rule also leaves out topics with four recent clicks.
    """
    twin, dqn = twins(framework, "recommendation", "dqn")
    for seed in range(seeds):
        for name, value in by_seed(twin, dqn, seed).items():
            yield {"who recommends": name, "seed": seed, "clicks": value}


def canary(framework):
    """Values of the network after a short regression on noise; it needs no other package."""
    twin, nets = twins(framework, "recommendation", "networks")
    rng = np.random.default_rng(0)
    items, obs, y = (rng.random(shape, np.float32) for shape in ((30, 2 * TOPICS), (300, 6 * TOPICS), (300, 30)))
    model = twin.ItemFeatureQNetwork(items, 6 * TOPICS, hidden=64, size=2 * TOPICS, seed=0)
    losses = nets.train(model, obs, y, TrainingConfig(epochs=3, learning_rate=3e-3), loss=nets.squared_error)
    values = nets.predict(model, obs)
    return {"first loss": losses[0], "last loss": losses[-1], "value": values.mean(),
            "spread": values.std(axis=1).mean()}


STUDY = Benchmark(title="The same agents in SARDINE, another package's shop", settings={"agent": PLANNER, "shop": NAME},
                  rows=in_sardine, canary=canary, down=("who recommends",), seeds=5)
