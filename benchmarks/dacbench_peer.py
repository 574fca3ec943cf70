"""Our agent in an environment of DACBench, and our environment as one of DACBench's: Eimer et al. 2021, "DACBench".

What we met in version 0.5.6 of the package, and what is done here about it:
- with PyTorch but without torchvision it cannot be imported: its benchmark with real networks is left out;
- what ToySGD's `reset` gives is not in its observation space, so Gymnasium's `check_env` fails: `ToySGD` makes one
  array of what is seen, which passes;
- `reset(seed=...)` seeds neither the instance nor where a run begins: `ToySGD` draws both itself;
- its "polynomials", all instances of the default set, are straight lines, whose "minimum" is just a value on them; of
  the mixed set half have no minimum, with an error in the first step, and quadratics that open downwards; and by
  default the test instances are the training instances: here instances are quadratics that open upwards, drawn anew for
  training and for tests, with one starting point in place of sixteen that share a gradient.
"""

from __future__ import annotations

import importlib.util
import warnings
from dataclasses import replace
from functools import partial
from unittest import mock

import gymnasium as gym
import numpy as np
from benchmark import Benchmark, twins

from course_lib.dqn.config import DQNConfig
from course_lib.tuning.env import TrainingVectorEnv

FACTORS, START = (0.4, 1.0, 2.5), (-3.0, 1.0)  # START: the first rate's logarithm to the base 10
CURVATURES, MINIMA = (0.03, 30.0), (-5.0, 5.0)  # the former are drawn on a logarithmic scale
RATES = np.linspace(-3, 1, 17)  # logarithms of the constant rates to choose from
RULES = [(first, size) for first in (1, 2) for size in (None, 1, 2, 3, 5)]  # settings of the rule by hand
PLAYER = DQNConfig(hidden=(64, 64), learning_rate=2e-3, gamma=0.9, n_step=3, huber_delta=1.0, tau=0.01,
                   epsilon_end=0.1, epsilon_steps=20_000, warmup_steps=1_000, total_steps=40_000,
                   eval_every=10_000_000)


def dacbench():
    """The package, without the benchmarks that ask for packages which it does not bring."""
    find = importlib.util.find_spec
    missing = ("torch", "torchvision", "smac", "modcma")
    with mock.patch.object(importlib.util, "find_spec", lambda name, *rest: None if name in missing else find(
            name, *rest)), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import dacbench.benchmarks  # noqa: F401 : by name below
    return importlib.import_module("dacbench")


def toy_sgd(functions, seed):
    """DACBench's ToySGD whose instances are quadratics: curvatures and minima, (n, 2)."""
    dacbench()
    from dacbench.benchmarks import ToySGDBenchmark
    from dacbench.envs import ToySGDInstance
    from dacbench.envs.env_utils.toy_functions import get_toy_function

    made = ToySGDBenchmark()
    made.config.instance_set = {number: ToySGDInstance(get_toy_function("quadratic", *pair))
                                for number, pair in enumerate(functions)}
    made.config.test_set, made.config.batch_size, made.config.seed = made.config.instance_set, 1, seed
    return ToySGD(made.get_environment())


class ToySGD(gym.Env):
    """ToySGD for an agent with few actions, each of which multiplies the learning rate, without momentum.

    What is seen, (4,): the share of the steps left, the logarithms to the base 10 of the learning rate and of the size
    of the gradient, and the gradient over the last one, cut at 10. The reward is theirs, cut at 10.
    """

    metadata = {"render_modes": []}
    observation_space = gym.spaces.Box(-12, 12, (4,), np.float32)
    action_space = gym.spaces.Discrete(len(FACTORS))

    def __init__(self, env):
        self.env = env

    def reset(self, *, seed=None, options=None):
        """An instance drawn at random, and a first rate; `options["rate"]` is its logarithm to the base 10."""
        super().reset(seed=seed)
        own = self.env.instance_id_list[self.np_random.integers(len(self.env.instance_id_list))]
        self.env.instance_updates, self.env.rng = "none", self.np_random
        self.env.set_inst_id(own)
        self.env.set_instance(self.env.instance_set[own])
        seen, _ = self.env.reset(seed=int(self.np_random.integers(2**31)))
        rate = (options or {}).get("rate")
        self.log_rate = self.np_random.uniform(*START) if rate is None else float(rate)
        self.gradient = 0.0
        return self._seen(seen), {}

    def step(self, action):
        """Multiply the rate, and take a step."""
        self.log_rate = float(np.clip(self.log_rate + np.log10(FACTORS[int(action)]), -10, 2))
        seen, reward, terminated, truncated, _ = self.env.step(self.log_rate)
        return self._seen(seen), float(np.clip(np.nan_to_num(reward, nan=-10.0), -10, 10)), terminated, truncated, {}

    def _seen(self, seen):
        before, self.gradient = self.gradient, float(np.nan_to_num(np.ravel(seen["gradient"])[0]))
        left = np.ravel(seen["remaining_budget"])[0] / self.env.n_steps
        ratio = np.clip(self.gradient / before, -10, 10) if before else 0.0
        return np.clip([left, self.log_rate, np.log10(abs(self.gradient) + 1e-10), ratio], -12, 12).astype(np.float32)


def as_dacbench(base, nets, training, test, config):
    """Our environment with an instance set for training and one for tests; `base` is `dacbench.AbstractEnv`."""

    class TuningEnv(base):
        """One training run at a time; instances are tasks."""

        def __init__(self):
            tasks = [*training, *test]
            self.inner = TrainingVectorEnv(nets, tasks, config, num_envs=1)
            super().__init__({
                "instance_set": dict(enumerate(training)), "test_set": dict(enumerate(test, len(training))),
                "benchmark_info": None, "cutoff": self.inner.config.decisions, "reward_range": (-np.inf, np.inf),
                "observation_space": self.inner.single_observation_space,
                "action_space": self.inner.single_action_space, "observation_space_class": "Box"})

        def reset(self, seed=None, options=None):
            """A run on the next instance, or on the first one where there is a seed."""
            if seed is not None:
                self.instance_index = -1
            self.reset_(seed, options=options)
            obs, _ = self.inner.reset(seed=int(self.np_random.integers(2**31)), options={"tasks": [self.inst_id]})
            return obs[0], {}

        def step(self, action):
            """One decision."""
            self.step_()
            obs, reward, over, _, _ = self.inner.step(np.array([action]))
            return obs[0], float(reward[0]), bool(over[0]), False, {}

    return TuningEnv()


def episode(env, decide, rate=None):
    """The sum of rewards of one episode."""
    obs, _ = env.reset(options=None if rate is None else {"rate": rate})
    total, over = 0.0, False
    while not over:
        obs, reward, terminated, truncated, _ = env.step(decide(obs))
        total, over = total + reward, terminated or truncated
    return total


def quadratics(rng, count):
    """Curvatures and minima, (count, 2)."""
    return np.stack([np.exp(rng.uniform(*np.log(CURVATURES), count)), rng.uniform(*MINIMA, count)], axis=1)


def by_hand(first, size):
    """A rule that decides: faster while the gradient stays above .4 of the last one, slower where it turns round.

    The first action is `first`; with a `size` the second one moves rate * gradient towards it.
    """
    def decide(obs):
        left, log_rate, log_gradient, ratio = obs
        if left > 0.95:
            return first
        if left > 0.85 and size:
            gap = np.log10(size) - log_gradient - log_rate
            return 2 if gap > 0.2 else 0 if gap < -0.2 else 1
        return 2 if ratio > 0.4 else 0 if ratio < -0.4 else 1

    return decide


def in_toy_sgd(framework, seeds, count=100, runs=300):
    """Mean reward of an episode of ten steps of DACBench's ToySGD, on 100 instances that nobody has learned from.

    The reward of a step is -log10 of the regret, cut at 10; the first step cannot move, as the package gives no
    gradient before it. By the seed both sets of instances are drawn anew. The agent learns in 4,000 episodes, from
    first rates between .001 and 10; the constant rate is the best of 17, and the settings of a rule by hand are the
    best of 10, each tried in 300 episodes on the training instances. Figures are means of 300 episodes.
    """
    [dqn] = twins(framework, "dqn")
    for seed in range(seeds):
        parts = [quadratics(np.random.default_rng([seed, part]), count) for part in range(2)]
        copies = gym.vector.SyncVectorEnv([partial(toy_sgd, parts[0], seed + 1_000 * own) for own in range(16)])
        agent, rng = dqn.train(copies, PLAYER, seed=seed, eval_env=False).agent, np.random.default_rng(seed)

        def mean(part, decide, rate, seed=seed):
            env = toy_sgd(part, seed)
            env.reset(seed=seed)
            return np.mean([episode(env, decide, rate) for _ in range(runs)])

        best = max(RATES, key=lambda rate: mean(parts[0], lambda obs: 1, rate))
        deciders = {"agent": lambda obs, agent=agent: int(agent.act(obs[None])[0]),
                    "random decisions": lambda obs, rng=rng: int(rng.integers(3)), "best constant rate": lambda obs: 1}
        for name, rate in (("", best), (", any first rate", None)):
            deciders["rule"] = by_hand(*max(RULES, key=lambda rule: mean(parts[0], by_hand(*rule), rate)))
            for who, decide in deciders.items():
                if not (rate is None and who == "best constant rate"):
                    yield {"who": who + name, "seed": seed, "reward": float(mean(parts[1], decide, rate)),
                           "rate": float(10**best)}


class StandIn:
    """As much of DACBench's ToySGD as `ToySGD` uses, without the package: for the canary and tests."""

    n_steps = 10

    def __init__(self, functions):
        self.instance_set = dict(enumerate(functions))
        self.instance_id_list = list(self.instance_set)

    def set_inst_id(self, own):
        self.own = own

    def set_instance(self, instance):
        self.curvature, self.minimum = instance

    def reset(self, seed=None):
        self.x, self.gradient, self.time = self.rng.uniform(-5, 5, size=1), np.zeros(1), 0
        return self._seen(), {}

    def step(self, log_rate):
        self.x, self.time = self.x - 10**log_rate * self.gradient, self.time + 1
        self.gradient = self.curvature * (self.x - self.minimum)
        regret = 0.5 * self.curvature * (self.x[0] - self.minimum) ** 2
        return self._seen(), -np.log10(max(regret, 1e-300)), False, self.time == self.n_steps, {}

    def _seen(self):
        return {"remaining_budget": self.n_steps - self.time, "gradient": self.gradient}


def canary(framework):
    """Values of an agent after a short training, on the stand-in."""
    [dqn] = twins(framework, "dqn")
    functions = quadratics(np.random.default_rng(0), 10)
    copies = gym.vector.SyncVectorEnv([lambda: ToySGD(StandIn(functions)) for _ in range(4)])
    settings = replace(PLAYER, warmup_steps=64, total_steps=400, epsilon_steps=200)
    history = dqn.train(copies, settings, seed=0, eval_env=False)
    values = history.agent.q_values(np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32))
    return {"first loss": history.losses[0], "last loss": history.losses[-1], "value": values.mean(),
            "spread": values.std()}


STUDY = Benchmark(
    title="An agent that tunes, in DACBench's ToySGD", rows=in_toy_sgd, canary=canary, down=("who",), seeds=10,
    settings={"agent": PLAYER, "factors": FACTORS, "first rate": START, "curvatures": CURVATURES, "minima": MINIMA,
                                  "rules": RULES})
