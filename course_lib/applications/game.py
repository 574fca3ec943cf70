"""A hand-written rule for CartPole-v1 fused with a DQN agent, at several times during its training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import softmax

from course_lib.common.seeding import spawn
from course_lib.dqn.config import SETTINGS
from course_lib.dqn.envs import make_vec
from course_lib.dqn.loop import evaluate
from course_lib.fusion.outputs import weighted

CONFIG = replace(SETTINGS["CartPole-v1"], total_steps=15_000, eval_every=1_500)
SHARES = (0.0, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)  # of the agent; up to 1/2 the rule would win each time
CATASTROPHE = 100  # an episode that is over before so many steps; none of the rule's is


class Rule:
    """Push the way the pole turns: about 200 steps, always over 100. With ten times its lean added, it would be 500."""

    def act(self, obs):
        """Actions (B,) for observations (B, 4), of which the last number is the pole's angular velocity."""
        return (np.asarray(obs)[:, 3] > 0).astype(np.int64)


class Fused:
    """The action with the largest (1 - share) * [1 for what the rule does] + share * softmax(Q / temperature).

    Parameters
    ----------
    rule, agent : objects
        With `act(obs)`, actions (B,), and with `q_values(obs)`, (B, A).
    share : float or array (B,)
        Of the agent, in [0, 1]; an array has one for each copy of the environment.
    temperature : float
        In units of Q-values, > 0.
    """

    def __init__(self, rule, agent, share, temperature):
        share = np.asarray(share, float)
        if share.ndim > 1 or not ((share >= 0) & (share <= 1)).all() or not temperature > 0:
            raise ValueError("share, temperature: expected numbers in [0, 1], of shape () or (B,), and a number > 0, "
                             f"got {share} and {temperature}")
        self.rule, self.agent, self.share, self.temperature = rule, agent, share, temperature

    def act(self, obs):
        """Actions (B,)."""
        values = self.agent.q_values(obs)
        rule = np.eye(values.shape[1])[self.rule.act(obs)]
        share = np.broadcast_to(self.share, len(obs))
        return weighted([rule, softmax(values / self.temperature, axis=-1)], [1 - share, share]).argmax(axis=1)


def returns_by_share(rule, agent, shares, temperature, *, episodes, seed):
    """Returns (len(shares), episodes) of the fusion with each share, all played side by side."""
    fused, count = Fused(rule, agent, np.repeat(shares, episodes), temperature), len(shares) * episodes
    return evaluate(fused, make_vec("CartPole-v1", count), count, seed).reshape(len(shares), episodes)


def experiment(dqn, *, seed=0, config=CONFIG, shares=SHARES, episodes=100):
    """Train DQN by a twin of `dqn`, and every `config.eval_every` steps play by the rule, the agent, and both fused.

    Each time, 40 other episodes with each of the agent's `shares`, from 0 to 1, choose the fusion's share: the best
    mean of those that never end early. "choice" is whichever of rule and agent is chosen so. The temperature is the
    mean difference of the two Q-values where the rule comes.

    Returns
    -------
    dict of arrays (evaluations,)
        "steps" trained, the "share" chosen; mean returns of "rule", "DQN", "choice" and "fusion" in so many episodes;
        and, as "early ends of rule" and so on, the share of the episodes that ended before step `CATASTROPHE`.
    """
    if len(shares) < 2 or (shares[0], shares[-1]) != (0, 1):
        raise ValueError(f"shares: expected numbers from 0 to 1, got {shares}")
    rule, (validation, test), rows = Rule(), (own % 2**31 for own in spawn(seed, 2)), []
    seen = _observations(rule, validation)

    def compare(history):
        agent, temperature = history.agent, np.abs(np.diff(history.agent.q_values(seen))).mean()
        tried = returns_by_share(rule, agent, shares, temperature, episodes=40, seed=validation)
        tried = tried.mean(axis=1) * (tried >= CATASTROPHE).all(axis=1)
        share = shares[int(tried.argmax())]
        played = returns_by_share(rule, agent, (0, 1, share), temperature, episodes=episodes, seed=test)
        played = played[[0, 1, int(tried[-1] > tried[0]), 2]]  # rule, DQN, choice, fusion
        rows.append([history.steps, share, *played.mean(axis=1), *(played < CATASTROPHE).mean(axis=1)])

    dqn.train(make_vec("CartPole-v1", 32), config, seed=seed, eval_env=False, callbacks=[compare])
    names = ["rule", "DQN", "choice", "fusion"]
    return dict(zip(["steps", "share", *names, *(f"early ends of {name}" for name in names)], np.array(rows).T,
                    strict=True))


def _observations(policy, seed, steps=100):
    env, found = make_vec("CartPole-v1", 20), []
    obs, _ = env.reset(seed=seed)
    for _ in range(steps):
        obs = env.step(policy.act(obs))[0]
        found.append(obs.copy())
    return np.concatenate(found)
