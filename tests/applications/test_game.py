"""A rule and a DQN agent fused: by hand, with agents that need no training, and the claims."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from course_lib.applications import game
from course_lib.dqn.envs import make_vec
from course_lib.dqn.loop import evaluate

OBS = np.array([[0, 0, 0, 1.0], [0, 0, 0, 1.0], [0, 0, 0, -1.0], [0, 0, 0, -1.0]])  # the rule: 1, 1, 0, 0


class Linear:
    """An agent whose action values are 0 and what the observation makes of `weights`."""

    def __init__(self, weights):
        self.weights = np.asarray(weights, float)

    def q_values(self, obs):
        right = obs @ self.weights
        return np.stack([np.zeros_like(right), right], axis=1)

    def act(self, obs):
        return self.q_values(obs).argmax(axis=1)


SAYS = SimpleNamespace(q_values=lambda obs: np.array([[0, 2.0], [np.log(4), 0], [0, np.log(4)], [0, np.log(1.5)]]))
GOOD, BAD = Linear([0, 0, 1, 0.3]), Linear([0, 0, -1, -1])


# --- the rule, and the fusion of two actions


def test_the_rule_by_hand():
    assert game.Rule().act([[9, 9, 9, 0.1], [9, 9, 9, -0.1], [-9, -9, -9, 0.1]]).tolist() == [1, 0, 1]


def test_the_rule_is_safe_and_mediocre():
    returns = evaluate(game.Rule(), make_vec("CartPole-v1", 1_000), 1_000, 5)
    assert 185 < returns.mean() < 205 and returns.min() > game.CATASTROPHE + 10
    assert evaluate(Linear([0, 0, 1, 0.1]), make_vec("CartPole-v1", 1_000), 1_000, 5).min() == 500


def test_actions_by_hand():
    # Softmax at temperature 1: (.12, .88), (.8, .2), (.2, .8), (.4, .6); the rule is contradicted in the last three.
    # At a share s the agent wins where s * (difference) > 1 - s: 0.6 s > 1 - s from 0.625 on, 0.2 s from 0.83 on.
    for share, actions in ((0, [1, 1, 0, 0]), (0.5, [1, 1, 0, 0]), (0.62, [1, 1, 0, 0]), (0.63, [1, 0, 1, 0]),
                           (0.83, [1, 0, 1, 0]), (0.84, [1, 0, 1, 1]), (1, [1, 0, 1, 1])):
        assert game.Fused(game.Rule(), SAYS, share, 1.0).act(OBS).tolist() == actions
    assert game.Fused(game.Rule(), SAYS, [0, 0, 1, 0.7], 1.0).act(OBS).tolist() == [1, 1, 1, 0]
    assert game.Fused(game.Rule(), SAYS, 0.63, 10.0).act(OBS).tolist() == [1, 1, 0, 0]  # hotter: less sure


@pytest.mark.parametrize("seed", range(3))
def test_up_to_a_half_the_rule_wins_and_a_share_of_one_is_the_agent_alone(seed):
    obs, agent = np.random.default_rng(seed).normal(size=(500, 4)), Linear([0.3, -1, 2, 0.5])
    for temperature in (0.1, 1, 10):
        for share, other in ((0, game.Rule()), (0.49, game.Rule()), (1, agent)):
            assert np.array_equal(game.Fused(game.Rule(), agent, share, temperature).act(obs), other.act(obs))


def test_each_share_plays_its_own_episodes():
    returns = game.returns_by_share(game.Rule(), BAD, [0, 1, 0.5], 0.1, episodes=30, seed=0)
    assert returns.shape == (3, 30)
    assert returns[[0, 2]].min() > game.CATASTROPHE and returns[1].max() < 20
    assert np.array_equal(returns, game.returns_by_share(game.Rule(), BAD, [0, 1, 0.5], 0.1, episodes=30, seed=0))


# --- the experiment, with a training that does nothing


def played_with(agents, **options):
    seeds = []

    def train(env, config, *, seed, eval_env, callbacks):
        for i, agent in enumerate(agents):
            callbacks[0](SimpleNamespace(agent=agent, steps=100 * i))

    def spy(*arguments, seed, **more):
        seeds.append(seed)
        return play(*arguments, seed=seed, **more)

    play = game.returns_by_share
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(game, "returns_by_share", spy)
        return game.experiment(SimpleNamespace(train=train), episodes=50, **options), seeds


def test_a_bad_agent_is_ignored_and_a_good_one_heard():
    found, seeds = played_with([BAD, GOOD])
    assert found["steps"].tolist() == [0, 100]
    assert found["share"][0] == 0 and found["share"][1] > 0.5
    assert found["early ends of DQN"].tolist() == [1, 0] and not found["early ends of fusion"].any()
    assert found["DQN"][0] < 20 and found["DQN"][1] == 500
    assert found["choice"].tolist() == [found["rule"][0], 500] and found["fusion"][1] == 500
    assert found["fusion"][0] == pytest.approx(found["rule"][0], abs=20)
    assert len(seeds) == 4 and len(set(seeds)) == 2 and seeds[0] == seeds[2] != seeds[1] == seeds[3]


def test_what_ends_early_is_not_chosen_however_good_its_mean():
    class Gambler(Linear):  # well above the rule on average
        def q_values(self, obs):
            return GOOD.q_values(obs) * np.where(self.bold, 1, -1)[:len(obs), None]

    agent = Gambler(np.zeros(4))
    agent.bold = np.arange(2_000) % 5 > 0
    found, _ = played_with([agent], shares=(0, 1))
    assert found["DQN"][0] > found["rule"][0] and found["early ends of DQN"][0] == pytest.approx(0.2, abs=0.05)
    assert found["share"].tolist() == [0] and not found["early ends of fusion"].any()


def test_one_short_run(twin):
    config = replace(game.CONFIG, hidden=(8,), total_steps=400, eval_every=200, warmup_steps=128)
    found = game.experiment(twin("dqn"), config=config, shares=(0, 0.8, 1), episodes=10)
    assert len(found) == 10 and all(values.shape == (2,) for values in found.values())
    assert set(found["share"]) <= {0, 0.8, 1} and (np.diff(found["steps"]) > 0).all()


@pytest.mark.parametrize("call, message", [
    (lambda: game.Fused(game.Rule(), GOOD, 1.1, 1.0), r"share, temperature: expected numbers in \[0, 1\].*got 1.1 and"),
    (lambda: game.Fused(game.Rule(), GOOD, [[0.5]], 1.0), r"of shape \(\) or \(B,\)"),
    (lambda: game.Fused(game.Rule(), GOOD, 0.5, 0.0), "got 0.5 and 0.0"),
    (lambda: game.Fused(game.Rule(), GOOD, np.nan, 1.0), "got nan"),
    (lambda: game.experiment(None, shares=(0.5, 1)), r"shares: expected numbers from 0 to 1, got \(0.5, 1\)"),
])
def test_what_does_not_fit(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# --- claims
