"""The training loop around an agent: collect, learn, evaluate. It knows no framework."""

from __future__ import annotations

import dataclasses
import os
import time
from dataclasses import dataclass, field

import numpy as np
from gymnasium.vector import AutoresetMode, VectorWrapper

from course_lib.common import checkpoint, checks
from course_lib.common.config import whole
from course_lib.common.files import check_writable
from course_lib.dqn.envs import as_vector, check_obs, check_spaces, check_step, final_observations, identity, make_vec
from course_lib.dqn.replay import NStepWindow, ReplayBuffer
from course_lib.dqn.schedules import linear_epsilon


@dataclass
class History:
    """What happened in a training run.

    Two runs are equal (`==`) if everything but the wall-clock times and the agent is equal.
    """

    episode_steps: list = field(default_factory=list, repr=False)  # environment steps when each episode ended
    episode_returns: list = field(default_factory=list, repr=False)  # its undiscounted return
    losses: list = field(default_factory=list, repr=False)  # mean loss of each block of updates
    eval_steps: list = field(default_factory=list, repr=False)  # environment steps at each evaluation
    eval_returns: list = field(default_factory=list, repr=False)  # mean greedy return at each evaluation
    eval_seconds: list = field(default_factory=list, compare=False, repr=False)  # seconds since the start, likewise
    steps: int = 0  # environment steps taken
    updates: int = 0  # gradient updates made
    agent: object = field(default=None, compare=False, repr=False)  # the trained agent

    def solved_after(self, threshold, *, in_a_row=3):
        """Index of the evaluation that completes `in_a_row` of them at or above `threshold`, or None."""
        run = 0
        for i, mean in enumerate(self.eval_returns):
            run = run + 1 if mean >= threshold else 0
            if run == in_a_row:
                return i
        return None


def stop_when_solved(threshold, *, in_a_row=3):
    """A callback for `train` that stops it once `in_a_row` evaluations reached `threshold`."""

    def callback(history):
        return history.solved_after(threshold, in_a_row=in_a_row) is not None

    return callback


def evaluate(agent, env, episodes=20, seed=0, *, max_steps=100_000):
    """Undiscounted returns of greedy episodes.

    Parameters
    ----------
    agent : DQNAgent
    env : gymnasium.Env or gymnasium.vector.VectorEnv
        In a vector environment each copy plays its share, so that short episodes are not favoured.
    episodes : int
    seed : int
        Seed of the environment's starts.
    max_steps : int
        Steps in each copy after which to give up.

    Returns
    -------
    array (episodes,)

    Raises
    ------
    RuntimeError
        If an episode is still not over then.
    """
    env = as_vector(env)
    if not (whole(episodes, 1) and whole(max_steps, 1)):
        raise ValueError(f"episodes, max_steps: expected whole numbers >= 1, got {episodes!r} and {max_steps!r}")
    quota = -(-episodes // env.num_envs)
    returns = np.full((env.num_envs, quota), np.nan)
    total, count = np.zeros(env.num_envs), np.zeros(env.num_envs, int)
    fresh = np.zeros(env.num_envs, bool)  # copies that this step will only reset
    same_step = _resets_in_same_step(env)
    obs, _ = env.reset(seed=checks.seed(seed))
    for step in range(1, max_steps + 1):
        obs, reward, terminated, truncated, _ = check_step(env, env.step(agent.act(obs)),
                                                           f"in step {step:,} of an evaluation")
        total += reward * ~fresh
        over = (terminated | truncated) & ~fresh
        if over.any():
            scored = np.flatnonzero(over & (count < quota))
            returns[scored, count[scored]] = total[scored]
            count[scored] += 1
            total[over] = 0.0
        fresh = over & (not same_step)
        if (count == quota).all():
            return returns.T.reshape(-1)[:episodes]
    raise RuntimeError(f"evaluate: only {count.sum()} of {quota * env.num_envs} episodes were over after {max_steps:,} "
                       "steps; give the environment a time limit (gymnasium.make's max_episode_steps)")


def record(agent, env, seed=0, *, max_steps=500):
    """Play one greedy episode in a single environment made with `render_mode="rgb_array"`.

    Returns
    -------
    list of arrays (height, width, 3) uint8, float
        The frames and the episode's return.
    """
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")  # else SDL looks for a screen, and may complain on stderr
    obs, _ = env.reset(seed=checks.seed(seed))
    frames, total = [env.render()], 0.0
    if not isinstance(frames[0], np.ndarray):
        raise ValueError('env: expected one made with render_mode="rgb_array", whose render() gives an array, got '
                         f"{type(frames[0]).__name__}")
    for _ in range(max_steps):
        obs, reward, terminated, truncated, _ = env.step(int(agent.act(obs[None])[0]))
        frames.append(env.render())
        total += float(reward)
        if terminated or truncated:
            break
    return frames, total


class Trainer:
    """One training run: its environment, replay buffer, random state and history.

    Parameters
    ----------
    agent : DQNAgent
    env : gymnasium.Env or gymnasium.vector.VectorEnv
    seed : int
        Seeds exploration, replay sampling and the environment's starts.
    eval_env : gymnasium.Env or VectorEnv, or False
        Where to evaluate; by default copies of `env`, which must be a registered one. False: nowhere.
    """

    def __init__(self, agent, env, *, seed=0, eval_env=None):
        self.agent, self.config, self.env = agent, agent.config, as_vector(env)
        self.seed, self.seconds = checks.seed(seed), 0.0
        self.rng = np.random.default_rng(self.seed)
        obs_shape, n_actions = check_spaces(self.env)
        if (obs_shape, n_actions) != (agent.obs_shape, agent.n_actions):
            raise ValueError(f"agent: expected observations {obs_shape} and {n_actions} actions as in env, "
                             f"got an agent for {agent.obs_shape} and {agent.n_actions}")
        config, dtype = self.config, self.env.single_observation_space.dtype
        latest = config.train_every * self.env.num_envs
        self.buffer = ReplayBuffer(config.buffer_size if config.replay else latest, obs_shape, dtype)
        self.window = NStepWindow(config.n_step, config.gamma, self.env.num_envs, obs_shape, dtype)
        if eval_env is env:
            raise ValueError("eval_env: expected another environment than env; evaluating would end its episodes")
        self.eval_env = _copies_for_evaluation(env, config) if eval_env is None else eval_env
        self.history = History(agent=agent)
        self.vector_steps = 0
        self.same_step = _resets_in_same_step(self.env)
        self._start_episodes()

    def _start_episodes(self):
        self.obs = self.env.reset(seed=int(self.rng.integers(2**31)))[0].copy()
        check_obs(self.env, self.obs, "from reset")
        self.fresh = np.zeros(self.env.num_envs, bool)
        self.returns = np.zeros(self.env.num_envs)
        self.window.clear()

    def collect(self):
        """Take one step in every environment and store what became of it."""
        config, history, n = self.config, self.history, self.env.num_envs
        learning_steps = history.steps - config.warmup_steps
        epsilon = 1.0 if learning_steps < 0 else linear_epsilon(
            learning_steps, config.epsilon_start, config.epsilon_end, config.epsilon_steps)
        action = self.agent.act(self.obs, epsilon, self.rng)
        when = f"after {history.steps:,} steps"
        next_obs, reward, terminated, truncated, infos = check_step(self.env, self.env.step(action), when)
        last_obs = final_observations(next_obs, infos)
        if last_obs is not next_obs:
            check_obs(self.env, last_obs, when)
        valid = ~self.fresh  # the step after an ended episode is its reset: nothing was decided
        self.buffer.add(self.window.push(self.obs, action, reward, last_obs, terminated, truncated, valid))
        history.steps += int(valid.sum())
        self.vector_steps += 1
        self.returns += np.where(valid, reward, 0.0)
        over = (terminated | truncated) & valid
        history.episode_steps += [history.steps] * int(over.sum())
        history.episode_returns += self.returns[over].tolist()
        self.returns[over] = 0.0
        self.obs = next_obs.copy()  # an environment may write its next observations into the same array
        self.fresh = np.zeros(n, bool) if self.same_step else over

    def learn(self):
        """Make a block of updates if it is time for one."""
        config, history = self.config, self.history
        if history.steps < config.warmup_steps or self.vector_steps % config.train_every or not len(self.buffer):
            return
        if config.scale_obs and history.updates == self.agent.updates == 0:  # a trained agent keeps its scale
            self.agent.fit_scale(self.buffer.storage.obs[: len(self.buffer)])
        block = self.buffer.sample(self.rng, (config.updates_per_block, config.batch_size),
                                   rewarded=config.rewarded_share)
        history.losses.append(self.agent.update_block(block))
        history.updates += config.updates_per_block

    def run(self, callbacks=(), checkpoint_path=None):
        """Train until `config.total_steps` or until a callback returns True; returns the `History`."""
        config, history = self.config, self.history
        started = time.perf_counter() - self.seconds
        while history.steps < config.total_steps:
            before = history.steps
            self.collect()
            self.learn()
            if _crossed(before, history.steps, config.eval_every):
                if self.eval_env:
                    self._evaluate(started)
                if any([callback(history) for callback in callbacks]):
                    break
            if checkpoint_path is not None and _crossed(before, history.steps, config.checkpoint_every):
                self.seconds = time.perf_counter() - started
                checkpoint.save(checkpoint_path, self.state())
                self._start_episodes()  # as a resumed run does, which cannot know the insides of an environment
        return history

    def _evaluate(self, started):
        config, history = self.config, self.history
        seed = np.random.SeedSequence([self.seed, history.steps]).generate_state(1)[0]
        returns = evaluate(self.agent, self.eval_env, config.eval_episodes, int(seed))
        history.eval_steps.append(history.steps)
        history.eval_returns.append(float(returns.mean()))
        history.eval_seconds.append(time.perf_counter() - started)

    def state(self):
        """All that a resumed run needs, as plain data."""
        history = {f.name: getattr(self.history, f.name) for f in dataclasses.fields(History) if f.name != "agent"}
        return {"agent": self.agent.state(), "history": history,
                "buffer": self.buffer.state(), "rng": self.rng.bit_generator.state,
                "vector_steps": self.vector_steps, "seconds": self.seconds, "run": self._identity()}

    def _identity(self):
        """What must be the same when a run is resumed."""
        settings = {name: value for name, value in self.config.as_dict().items() if name != "total_steps"}
        return {"agent": type(self.agent).__module__, **settings, "seed": self.seed, "num_envs": self.env.num_envs,
                "obs_shape": list(self.agent.obs_shape), "n_actions": self.agent.n_actions, **identity(self.env)}

    def restore(self, state):
        """Go on from what `state` returned; every environment starts a new episode."""
        names = self.state().keys()
        if not isinstance(state, dict) or state.keys() != names:
            raise ValueError(f"checkpoint: expected that of a training run, with {', '.join(names)}, got "
                             f"{list(state) if isinstance(state, dict) else type(state).__name__}")
        for name, now in self._identity().items():
            then = state["run"].get(name)
            if then != now:
                raise ValueError(f"checkpoint: it was written with {name}={then!r}, this run has {name}={now!r}; "
                                 "use the same settings, or another checkpoint file")
        self.agent.restore(state["agent"])
        self.buffer.restore(state["buffer"])
        self.rng.bit_generator.state = state["rng"]
        self.vector_steps, self.seconds = state["vector_steps"], state["seconds"]
        for name, value in state["history"].items():
            setattr(self.history, name, value)
        self._start_episodes()


def train_agent(agent, env, *, seed=0, eval_env=None, callbacks=(), checkpoint_path=None):
    """Train an agent, resuming from `checkpoint_path` if that file exists; see the twins' `train`."""
    checks.callbacks(callbacks)
    if checkpoint_path is not None:
        check_writable(checkpoint_path, "checkpoint_path")
    trainer = Trainer(agent, env, seed=seed, eval_env=eval_env)
    if checkpoint_path is not None and os.path.exists(checkpoint_path):
        trainer.restore(checkpoint.load(checkpoint_path))
    return trainer.run(callbacks, checkpoint_path)


def _crossed(before, after, every):
    return before // every < after // every


def _resets_in_same_step(env):
    return env.metadata.get("autoreset_mode") == AutoresetMode.SAME_STEP


def _copies_for_evaluation(env, config):
    spec, episodes = env.spec, config.eval_episodes
    if spec is None or spec.additional_wrappers or isinstance(env, VectorWrapper):
        raise ValueError("eval_env: this environment is not a plain registered one and cannot be copied; "
                         "pass a second one as eval_env, or eval_env=False to train without evaluations")
    kwargs = {k: v for k, v in spec.kwargs.items() if k not in ("num_envs", "vectorization_mode", "render_mode")}
    if spec.max_episode_steps is not None:
        kwargs.setdefault("max_episode_steps", spec.max_episode_steps)
    return make_vec(spec.id, episodes, **kwargs)
