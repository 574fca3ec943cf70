"""How fast and how steadily the course's DQN learns, beside Stable-Baselines3, all in one run.

    python benchmarks/dqn.py                     CartPole-v1, every system
    python benchmarks/dqn.py --env Acrobot-v1    another environment
    python benchmarks/dqn.py --seeds 3           as many seeds each (default: 40 for the twins, 3 or 5 for others)

Each system runs in a process of its own, on one core, after a warm-up run that is not counted. A run is solved
at the third evaluation in a row (20 greedy episodes every 1,000 steps, in LunarLander every 10,000) that reaches
the environment's mark; it then goes on to its last step, to see whether the policy stays good. Seconds include
the evaluations.
"""

import argparse
import json
import os
import subprocess
import sys
import time

import numpy as np

from course_lib.dqn.config import SETTINGS
from course_lib.dqn.envs import make_vec
from course_lib.dqn.loop import History, evaluate

MARKS = {"CartPole-v1": 475, "Acrobot-v1": -100, "LunarLander-v3": 200}
NUM_ENVS = {"CartPole-v1": 32, "Acrobot-v1": 16, "LunarLander-v3": 16}
SYSTEMS = {  # name: (title, share of the seeds it is given, by default all)
    "sb3-zoo": "Stable-Baselines3, RL Zoo's hyper-parameters",
    "sb3-same": "Stable-Baselines3, ours",
    "pytorch": "PyTorch twin, flat parameters, gradients by hand",
    "pytorch-plain": "PyTorch twin, plain eager",
    "keras": "Keras twin, compiled block",
    "keras-plain": "Keras twin, train_on_batch",
}
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


class Watch:
    """Counts what evaluations say of one run, and confirms over 100 episodes at the moment it is solved."""

    def __init__(self, agent, env_id):
        self.agent, self.env_id, self.mark = agent, env_id, MARKS[env_id]
        self.history, self.confirmed, self.aside = History(), None, 0.0
        self.eval_env, self.started = make_vec(env_id, 20), time.perf_counter()

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
            return {"solved": False}
        later = self.history.eval_returns[i + 1:]
        return {"solved": True, "steps": self.history.eval_steps[i], "seconds": self.history.eval_seconds[i],
                "later": float(np.mean(np.array(later) >= self.mark)) if later else None,
                "confirmed": self.confirmed}


def run_ours(framework, fast, env_id, seed, steps=None):
    """Train one agent of the course; returns what the watch saw."""
    import importlib
    from dataclasses import replace

    twin = importlib.import_module(f"course_lib.dqn.in_{framework}")
    config = replace(SETTINGS[env_id], fast=fast, **({} if steps is None else {"total_steps": steps}))
    watch = Watch(None, env_id)

    def callback(history):
        watch.agent = history.agent
        watch.note(history.eval_steps[-1], history.eval_returns[-1])

    twin.train(make_vec(env_id, NUM_ENVS[env_id]), config, seed=seed, callbacks=[callback])
    return watch.result()


class SB3Agent:
    """Lets the course's `evaluate` play a Stable-Baselines3 model."""

    def __init__(self, model, scale):
        self.model, self.scale = model, scale

    def act(self, obs):
        return self.model.predict(obs * self.scale, deterministic=True)[0]


def run_sb3(same, env_id, seed, steps=None):
    """Train one DQN of Stable-Baselines3, with the Zoo's hyper-parameters or with ours."""
    import gymnasium as gym
    from sb3_vector import VectorisedEnv, squared_loss
    from stable_baselines3 import DQN
    from stable_baselines3.common.callbacks import BaseCallback

    config = SETTINGS[env_id]
    total, settings = ZOO[env_id]
    env, scale = None, np.float32(1)
    if same:
        total = config.total_steps
        env = VectorisedEnv(env_id, NUM_ENVS[env_id], warmup=config.warmup_steps, scale=config.scale_obs, seed=seed)
        scale = env.scale
        explore = config.warmup_steps + config.epsilon_steps
        settings = dict(
            learning_rate=config.learning_rate, batch_size=config.batch_size, buffer_size=config.buffer_size,
            learning_starts=config.warmup_steps, gamma=config.gamma, n_steps=config.n_step,
            train_freq=config.train_every, gradient_steps=config.updates_per_block,
            target_update_interval=1, max_grad_norm=1e9,
            tau=1 - (1 - config.tau) ** (config.updates_per_block / config.train_every),  # it moves once a vector step
            exploration_fraction=explore / total, exploration_final_eps=config.epsilon_end,
            policy_kwargs=dict(net_arch=list(config.hidden)))
    with squared_loss(same and config.huber_delta is None):
        model = DQN("MlpPolicy", env or gym.make(env_id), seed=seed, device="cpu", **settings)
        watch = Watch(SB3Agent(model, scale), env_id)

        class Evaluations(BaseCallback):
            def _on_step(self):
                before = self.num_timesteps - self.training_env.num_envs
                every = config.eval_every
                if before // every < self.num_timesteps // every and self.num_timesteps > config.eval_every:
                    watch.evaluate(self.num_timesteps)
                return True

        model.learn(steps or total, callback=Evaluations())
    return watch.result()


def run_system(name, env_id, seeds):
    """Run one system for several seeds on one core, printing a JSON line a seed."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    if not name.startswith("keras"):
        import torch

        torch.set_num_threads(1)
    family, plain = name.removesuffix("-plain"), name.endswith("-plain")
    for seed in [None, *range(seeds)]:
        steps, number = (4_000, 999) if seed is None else (None, seed)
        if family.startswith("sb3"):
            result = run_sb3(family == "sb3-same", env_id, number, steps)
        else:
            result = run_ours(family, not plain, env_id, number, steps)
        if seed is not None:
            print(json.dumps({"seed": seed, **result}), flush=True)


def row(name, results, base):
    """One line of the table; `base` is the peer's median seconds."""
    solved = [r for r in results if r["solved"]]
    if not solved:
        return f"| {SYSTEMS[name]} | 0 of {len(results)} | | | | | |"
    seconds = np.median([r["seconds"] for r in solved])
    later = [r["later"] for r in solved if r["later"] is not None]
    return (f"| {SYSTEMS[name]} | {len(solved)} of {len(results)} | {np.mean([r['steps'] for r in solved]):,.0f} | "
            f"{seconds:.2f} | {f'{base / seconds:.1f}x' if base else ''} | {np.mean(later) if later else np.nan:.2f} | "
            f"{np.mean([r['confirmed'] for r in solved]):.0f} |")


def main():
    """Run the systems one after the other and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", choices=MARKS, default="CartPole-v1")
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.env == "LunarLander-v3":  # it cannot be stepped in one call, which sb3_vector is made for
        options.systems = [name for name in options.systems if name != "sb3-same"]
    counts = {name: options.seeds or (3 if name in ("sb3-zoo", "keras-plain") else
                                      40 if name in ("pytorch", "keras") else 5) for name in SYSTEMS}
    if options.inside:
        run_system(options.systems[0], options.env, counts[options.systems[0]])
        return
    print(f"{options.env}, solved = three evaluations in a row >= {MARKS[options.env]}; median seconds on one core\n")
    print("| system | solved | steps | seconds | against the Zoo | later evaluations at the mark | 100 episodes |")
    print("|---|---|---|---|---|---|---|", flush=True)
    base = None
    for name in options.systems:
        command = [sys.executable, __file__, "--inside", "--env", options.env, "--systems", name,
                   "--seeds", str(counts[name])]
        environment = {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", **os.environ}
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        results = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        if name == "sb3-zoo":
            base = np.median([r["seconds"] for r in results if r["solved"]] or [np.nan])
        print(row(name, results, base), flush=True)


if __name__ == "__main__":
    main()
