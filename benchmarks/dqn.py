"""How fast and how steadily the course's DQN learns, beside Stable-Baselines3, SBX and rejax."""

import importlib
import time
from dataclasses import replace
from functools import partial

import numpy as np
from benchmark import Benchmark, twins

from course_lib.dqn.config import SETTINGS, DQNConfig
from course_lib.dqn.envs import make_vec
from course_lib.dqn.loop import History, Trainer, evaluate

MARKS = {"CartPole-v1": 475, "Acrobot-v1": -100, "LunarLander-v3": 200}
NUM_ENVS = {"CartPole-v1": 32, "Acrobot-v1": 16, "LunarLander-v3": 16}
# RL Baselines3 Zoo's hyperparams/dqn.yml.
ZOO = {"CartPole-v1": (50_000, dict(
    learning_rate=2.3e-3, batch_size=64, buffer_size=100_000, learning_starts=1_000, gamma=0.99,
    target_update_interval=10, train_freq=256, gradient_steps=128, exploration_fraction=0.16,
    exploration_final_eps=0.04, policy_kwargs=dict(net_arch=[256, 256])))}
ZOO["Acrobot-v1"] = (100_000, dict(
    learning_rate=6.3e-4, batch_size=128, buffer_size=50_000, learning_starts=0, gamma=0.99,
    target_update_interval=250, train_freq=4, gradient_steps=-1, exploration_fraction=0.12,
    exploration_final_eps=0.1, policy_kwargs=dict(net_arch=[256, 256])))
ZOO["LunarLander-v3"] = ZOO["Acrobot-v1"]  # the Zoo gives both the same
REJAX = dict(  # configs/gymnax/cartpole.yaml and acrobot.yaml of rejax
    agent="DuelingQNetwork", activation="swish", num_envs=10, batch_size=100, max_grad_norm=10, learning_rate=1e-3,
    num_epochs=5, total_timesteps=100_000, eps_start=1, eps_end=0.05, exploration_fraction=0.5, gamma=0.99, ddqn=True)
REJAX = {"CartPole-v1": REJAX | dict(buffer_size=50_000, fill_buffer=5_000, polyak=0.98),
         "Acrobot-v1": REJAX | dict(buffer_size=10_000, fill_buffer=1_000, target_update_freq=200)}


class Watch:
    """Counts what evaluations say of one run, and confirms over 100 episodes at the moment it is solved."""

    def __init__(self, env_id, since):
        self.agent, self.env_id, self.mark, self.started = None, env_id, MARKS[env_id], since
        self.history, self.confirmed, self.aside, self.eval_env = History(), None, 0.0, make_vec(env_id, 20)

    def evaluate(self, steps):
        returns = evaluate(self.agent, self.eval_env, 20, seed=steps)
        self.note(steps, float(returns.mean()))

    def note(self, steps, mean):
        now = time.perf_counter()
        self.history.eval_steps.append(steps)
        self.history.eval_returns.append(mean)
        self.history.eval_seconds.append(now - self.started - self.aside)
        if self.confirmed is None and self.history.solved_after(self.mark) is not None:
            self.confirmed = float(evaluate(self.agent, make_vec(self.env_id, 100), 100, seed=10**6).mean())
            self.aside += time.perf_counter() - now

    def result(self):
        i = self.history.solved_after(self.mark)
        if i is None:
            return dict.fromkeys(("steps", "seconds", "later at the mark", "100 episodes")) | {"solved": False}
        later = self.history.eval_returns[i + 1:]
        return {"solved": True, "steps": self.history.eval_steps[i], "seconds": self.history.eval_seconds[i],
                "later at the mark": float(np.mean(np.array(later) >= self.mark)) if later else None,
                "100 episodes": self.confirmed}


def run_ours(framework, fast, env_id, seed, since):
    """Train one agent of the course; returns what the watch saw."""
    watch = Watch(env_id, since)
    [twin] = twins(framework, "dqn")

    def callback(history):
        watch.agent = history.agent
        watch.note(history.eval_steps[-1], history.eval_returns[-1])

    twin.train(make_vec(env_id, NUM_ENVS[env_id]), replace(SETTINGS[env_id], fast=fast), seed=seed,
               callbacks=[callback])
    return watch.result()


class SB3Agent:
    """Lets the course's `evaluate` play a Stable-Baselines3 model."""

    def __init__(self, model, scale):
        self.model, self.scale = model, scale

    def act(self, obs):
        return self.model.predict(obs * self.scale, deterministic=True)[0]


def run_rejax(framework, kind, env_id, seed, since):
    """Train one DQN of rejax."""
    watch, settings = Watch(env_id, since), REJAX[env_id]
    from rejax_peer import Run

    every, total = SETTINGS[env_id].eval_every, settings["total_timesteps"]
    watch.agent = Run(seed, every, env=env_id, **settings)
    for step in range(every, total + 1, every):
        watch.note(step, watch.agent.advance())
    return watch.result()


def run_sb3(framework, same, env_id, seed, since):
    """Train one DQN of Stable-Baselines3 or SBX, with the Zoo's hyper-parameters or with ours."""
    watch = Watch(env_id, since)
    import gymnasium as gym
    from sb3_vector import VectorisedEnv, squared_loss
    from stable_baselines3.common.callbacks import BaseCallback

    DQN = importlib.import_module({"sb3": "stable_baselines3", "sbx": "sbx"}[framework]).DQN
    config, env, scale = SETTINGS[env_id], None, np.float32(1)
    total, settings = ZOO[env_id]
    if same:
        total = config.total_steps
        env = VectorisedEnv(env_id, NUM_ENVS[env_id], warmup=config.warmup_steps, scale=config.scale_obs, seed=seed)
        scale = env.scale
        explore = config.warmup_steps + config.epsilon_steps
        settings = dict(
            learning_rate=config.learning_rate, batch_size=config.batch_size, buffer_size=config.buffer_size,
            learning_starts=config.warmup_steps, gamma=config.gamma, n_steps=config.n_step,
            train_freq=config.train_every, gradient_steps=config.updates_per_block, target_update_interval=1,
            tau=1 - (1 - config.tau) ** (config.updates_per_block / config.train_every),  # it moves once a vector step
            exploration_fraction=explore / total, exploration_final_eps=config.epsilon_end,
            policy_kwargs=dict(net_arch=list(config.hidden)))
        if framework == "sb3":
            settings["max_grad_norm"] = 1e9  # SBX clips no gradient

    class Evaluations(BaseCallback):
        def _on_step(self):
            before, every = self.num_timesteps - self.training_env.num_envs, config.eval_every
            if before // every < self.num_timesteps // every and self.num_timesteps > every:
                watch.evaluate(self.num_timesteps)
            return True

    with squared_loss(framework, same and config.huber_delta is None):
        model = DQN("MlpPolicy", env or gym.make(env_id), seed=seed, device="cpu", **settings)
        watch.agent = SB3Agent(model, scale)
        model.learn(total, callback=Evaluations())
    return watch.result()


def rows(framework, seeds, env_id, systems):
    """Solved: three evaluations in a row, of 20 greedy episodes each, reach the environment's mark.

    Steps and seconds until then, on one core, evaluations included; then the share of later evaluations at the mark,
    and the mean return of 100 further episodes at the moment of solving. "cold seconds": of the first run of a process,
    which imports the framework and compiles; the others are warm, the same seed once more among them.
    """
    since, run = time.perf_counter(), {"sb3": run_sb3, "sbx": run_sb3, "rejax": run_rejax}.get(framework, run_ours)
    for number, (system, (kind, least)) in enumerate(systems.get(framework, {}).items()):
        first = run(framework, kind, env_id, 0, since if number == 0 else time.perf_counter())
        for seed in range(min(seeds, least)):
            cold = first["seconds"] if number == seed == 0 else None
            yield {"system": system, "seed": seed, "cold seconds": cold,
                   **run(framework, kind, env_id, seed, time.perf_counter())}


def canary(framework, env_id, kinds=(True,)):
    """Some updates on what random actions bring, always CartPole: no rounding can change what is learned from."""
    [twin], found = twins(framework, "dqn"), {}
    for fast in kinds:
        config = replace(SETTINGS[env_id], warmup_steps=600, total_steps=1_100, epsilon_end=1.0, fast=fast)
        agent, name = twin.DQNAgent((4,), 2, config, seed=0), "" if fast else "plain, "
        trainer = Trainer(agent, make_vec("CartPole-v1", NUM_ENVS[env_id]), seed=0, eval_env=False)
        losses = trainer.run().losses
        values = agent.q_values(trainer.buffer.storage.obs[:200])
        found |= {f"{name}first loss": losses[0], f"{name}last loss": losses[-1], f"{name}value": values.mean(),
                  f"{name}difference": np.diff(values).std(), f"{name}updates": trainer.history.updates}
    return found


SYSTEMS = {  # framework: {system: (its kind, most seeds)}
    "sb3": {"Stable-Baselines3, RL Zoo's hyper-parameters": (False, 5), "Stable-Baselines3, ours": (True, 5)},
    "sbx": {"SBX, RL Zoo's hyper-parameters": (False, 5), "SBX, ours": (True, 5)},
    "rejax": {"rejax, its own hyper-parameters": (None, 10)},
    "pytorch": {"PyTorch twin, flat parameters, gradients by hand": (True, 40),
                "PyTorch twin, plain eager": (False, 5)},
    "keras": {"Keras twin, compiled block": (True, 40), "Keras twin, train_on_batch": (False, 5)}}


def declare(env_id, systems=SYSTEMS, **fields):
    """A study of one environment."""
    return Benchmark(
        settings={"environment": env_id, "copies": NUM_ENVS[env_id], "mark": MARKS[env_id], "ours": SETTINGS[env_id],
                  "RL Zoo": ZOO[env_id] if "sb3" in systems else None,
                  "rejax": REJAX[env_id] if "rejax" in systems else None},
        rows=partial(rows, env_id=env_id, systems=systems), down=("system",),
        canary=partial(canary, env_id=env_id, kinds=[fast for fast, _ in systems["pytorch"].values()]), across=(),
        frameworks=tuple(systems), quick=("pytorch", "keras"), seeds=40, **fields)


CLASSIC = DQNConfig(n_step=1, double=False, total_steps=12_000)
PARTS = {  # one change each, from the agent named behind it
    "classic": {}, "no replay": {"replay": False}, "no target network": {"target_network": False},
    "no scaling": {"scale_obs": False}, "acts by the online network": {"act_with_target": False},
    "Double target": {"double": True}, "four-step target": {"n_step": 4},
    **{f"four-step target, Huber loss with delta {delta}": {"n_step": 4, "huber_delta": float(delta)}
       for delta in (1, 10, 30)},
    "four-step target, gradient clipped to norm 1": {"n_step": 4, "max_grad_norm": 1.0}}


def rows_of_parts(framework, seeds):
    """A simple agent on 32 carts, and others that differ from it in one part.

    Each is trained for 12,000 steps and judged every 1,000 by 20 greedy episodes. "mean return": over all these
    judgements; "last return": of the last; "highest value": of what the network took the start to be worth.
    """
    [twin] = twins(framework, "dqn")
    for name, change in PARTS.items():
        for seed in range(seeds):
            returns, believed = learned(twin, replace(CLASSIC, **change), seed)
            yield {"agent": name, "seed": seed, "mean return": float(np.mean(returns)), "last return": returns[-1],
                   "highest value": float(np.max(believed))}


def learned(twin, config, seed):
    """Mean greedy returns, and what the network takes the start to be worth, at each judgement."""
    starts, believed = make_vec("CartPole-v1", 50).reset(seed=seed)[0], []

    def note(history):
        believed.append(history.agent.q_values(starts).max(axis=1).mean())

    history = twin.train(make_vec("CartPole-v1", 32), config, seed=seed, callbacks=[note])
    return history.eval_returns, believed


FAST = {name: dict(list(some.items())[:1]) for name, some in SYSTEMS.items()}
STUDIES = {
    "dqn_cartpole": declare("CartPole-v1", title="DQN on CartPole-v1, beside Stable-Baselines3, SBX and rejax"),
    "dqn_parts": Benchmark(
        title="DQN on CartPole-v1 with one part changed", settings={"classic": CLASSIC, "changes": PARTS},
        rows=rows_of_parts, canary=partial(canary, env_id="CartPole-v1"), down=("agent",), seeds=10),
    "dqn_acrobot": declare("Acrobot-v1", FAST, title="DQN on Acrobot-v1, beside Stable-Baselines3, SBX and rejax"),
    "dqn_lunarlander": declare("LunarLander-v3", {name: FAST[name] for name in ("pytorch", "keras")},
                               title="DQN on LunarLander-v3")}  # EXTRA=box2d
