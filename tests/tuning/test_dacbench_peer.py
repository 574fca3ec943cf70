"""Our agent's view of DACBench's ToySGD, and our environment with an instance set; the package is not needed here."""

import dacbench_peer as peer
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from course_lib.tuning.config import TuningConfig
from course_lib.tuning.env import TrainingVectorEnv
from course_lib.tuning.tasks import draw_task

FUNCTIONS = np.array([[2.0, 1.0], [0.1, -3.0], [8.0, 0.0]])


def test_gymnasium_finds_nothing_wrong():
    check_env(peer.ToySGD(peer.StandIn(FUNCTIONS)))


def test_its_steps_by_hand():
    env = peer.ToySGD(peer.StandIn(FUNCTIONS[:1]))
    seen, _ = env.reset(seed=3, options={"rate": -1.0})
    x = env.env.x[0]
    np.testing.assert_allclose(seen, [1, -1, -10, 0], atol=1e-6)  # no gradient yet
    seen, reward, terminated, truncated, _ = env.step(2)  # before the first gradient nothing moves
    g = 2 * (x - 1)
    np.testing.assert_allclose(seen, [0.9, np.log10(0.25), np.log10(abs(g)), 0], rtol=1e-5)
    assert reward == pytest.approx(-np.log10((x - 1) ** 2)) and not terminated and not truncated
    seen, reward, *_ = env.step(1)
    np.testing.assert_allclose(seen, [0.8, np.log10(0.25), np.log10(abs(g) / 2), 0.5], rtol=1e-5)  # 1 - rate * 2
    for _ in range(8):
        *_, truncated, _ = env.step(0)
    assert truncated


def test_a_seed_decides_instance_start_and_rate():
    first, again = (peer.ToySGD(peer.StandIn(FUNCTIONS)) for _ in range(2))
    for seed in (1, 2):
        np.testing.assert_array_equal(first.reset(seed=seed)[0], again.reset(seed=seed)[0])
        assert first.env.own == again.env.own and first.env.x == again.env.x
    asked = []
    for _ in range(200):
        first.reset()
        asked.append(first.env.own)
    assert set(asked) == {0, 1, 2}


def test_what_is_no_number_is_the_worst():
    env = peer.ToySGD(peer.StandIn(np.array([[30.0, 0.0]])))
    env.reset(seed=0, options={"rate": 1.0})
    rewards = [env.step(2)[1] for _ in range(10)]
    assert all(np.isfinite(rewards)) and rewards[-1] == -10


def test_who_plays_on_what(monkeypatch):
    """Agent and constant rate learn from the first instances; all are judged on the others, with their rates."""
    made, episodes, trained, seeds = [], [], [], []

    class Game:
        def __init__(self, functions, seed):
            made.append((functions.tolist(), seed))
            self.functions = functions

        def reset(self, *, seed=None, options=None):
            if seed is not None:
                seeds.append(seed)
            else:
                episodes.append((self.functions[0, 0], None if options is None else round(options["rate"], 2), []))
            return np.array([0, 0, 0, 0.5]), {}

        def step(self, action):
            episodes[-1][2].append(int(action))
            rate = episodes[-1][1]
            reward = 0.001 * (action == 2) - abs((0.25 if rate is None else rate) - 0.25)
            return np.array([0, 0, 0, -0.5]), reward, False, len(episodes[-1][2]) == 2, {}

    class Agent:
        def act(self, obs):
            return np.array([2])

    dqn = type("dqn", (), {"train": staticmethod(lambda env, settings, seed, eval_env: trained.append(
        (env, settings, seed)) or type("History", (), {"agent": Agent()}))})
    monkeypatch.setattr(peer, "twins", lambda framework, *topics: [dqn])
    monkeypatch.setattr(peer, "toy_sgd", Game)
    monkeypatch.setattr(peer.gym.vector, "SyncVectorEnv", lambda makers: [make() for make in makers])
    monkeypatch.setattr(peer, "by_hand", lambda first, size: lambda obs: 2 if (first, size) == (2, 3) else 0)
    rows = list(peer.in_toy_sgd("neither", 2, count=3, runs=2))
    assert [settings[1:] for settings in trained] == [(peer.PLAYER, 0), (peer.PLAYER, 1)]
    for seed in range(2):
        first, others = (peer.quadratics(np.random.default_rng([seed, part]), 3) for part in range(2))
        copies = [(functions, own) for functions, own in made if functions == first.tolist()][:16]
        assert [own for _, own in copies] == [seed + 1_000 * own for own in range(16)]
        tried = [episode[1:] for episode in episodes if episode[0] == first[0, 0]]
        assert tried[:34] == [(rate, [1, 1]) for rate in peer.RATES.round(2) for _ in range(2)]
        assert [rate for rate, _ in tried[34:]] == [0.25] * 20 + [None] * 20
        judged = [episode[1:] for episode in episodes if episode[0] == others[0, 0]]
        assert judged[:2] == [(0.25, [2, 2])] * 2 and judged[4:8] == [(0.25, [1, 1])] * 2 + [(0.25, [2, 2])] * 2
        assert judged[8:10] == [(None, [2, 2])] * 2 and judged[12:] == [(None, [2, 2])] * 2
    assert seeds == [own for seed in range(2) for own in [seed] * (17 + 4 + 10 + 10 + 3)]
    assert [row["who"] for row in rows] == 2 * ["agent", "random decisions", "best constant rate", "rule",
                                                "agent, any first rate", "random decisions, any first rate",
                                                "rule, any first rate"]
    assert all(row["rate"] == pytest.approx(10**0.25) for row in rows)
    assert rows[2]["reward"] == pytest.approx(0, abs=1e-9)


def test_random_decisions_differ(monkeypatch):
    taken = []
    monkeypatch.setattr(peer, "toy_sgd", lambda functions, seed: peer.ToySGD(peer.StandIn(functions)))
    monkeypatch.setattr(peer, "episode", lambda env, decide, rate: taken.append(
        decide(np.array([0.5, 0, 0, 0]))) or 0.0)
    agent = type("Agent", (), {"act": lambda self, obs: np.array([1])})
    dqn = type("dqn", (), {"train": staticmethod(lambda *given, **options: type("History", (), {"agent": agent()}))})
    monkeypatch.setattr(peer, "twins", lambda framework, *topics: [dqn])
    rows = list(peer.in_toy_sgd("neither", 1, count=3, runs=40))
    assert len(rows) == 7
    assert set(taken[(17 + 10 + 1) * 40:][:40]) == {0, 1, 2}  # after constant rates, the rule's settings, the agent


@pytest.mark.parametrize(("seen", "first", "size", "action"), [
    ([1, -1, -10, 0], 2, None, 2), ([1, -1, -10, 0], 1, 3, 1), ([0.5, 0, 0, 0.5], 1, 3, 2),
    ([0.5, 0, 0, 0.35], 1, 3, 1), ([0.5, 0, 0, -0.35], 1, 3, 1), ([0.5, 0, 0, -0.5], 1, 3, 0),
    ([0.9, -1, 1, 0], 1, 10, 2), ([0.9, -1, 1, 0], 1, 1, 1), ([0.9, -1, 1, 0], 1, 0.1, 0),
    ([0.9, -1, 1, 0], 1, None, 1)])
def test_the_rule_by_hand(seen, first, size, action):
    assert peer.by_hand(first, size)(np.array(seen)) == action


def test_first_rates_and_their_bounds():
    env = peer.ToySGD(peer.StandIn(FUNCTIONS))
    env.reset(seed=0)
    rates, starts = zip(*[(env.reset()[0][1], float(env.env.x[0])) for _ in range(200)], strict=True)
    assert -3 <= min(rates) < -2.8 and 0.8 < max(rates) <= 1 and len(set(starts)) > 100
    for start, action, last in ((1.0, 2, 2.0), (-2.0, 0, -2 + 10 * np.log10(0.4))):
        env.reset(seed=0, options={"rate": start})
        for _ in range(10):
            env.step(action)
        assert env.log_rate == pytest.approx(last)


def test_quadratics_have_curvatures_and_minima():
    curvature, minimum = peer.quadratics(np.random.default_rng(0), 2_000).T
    assert 0.03 <= curvature.min() < 0.035 and 25 < curvature.max() <= 30 and (curvature < 1).mean() == pytest.approx(
        0.5, abs=0.04)
    assert -5 <= minimum.min() < -4.9 and 4.9 < minimum.max() <= 5


class Base:
    """As much of DACBench's AbstractEnv as is used."""

    def __init__(self, config):
        self.instance_set, self.test_set = config["instance_set"], config["test_set"]
        self.instance_index = self.c_step = 0
        self.observation_space, self.action_space = config["observation_space"], config["action_space"]
        self.n_steps = config["cutoff"]

    def reset_(self, seed, options=None):
        self.np_random = np.random.default_rng(seed)
        self.c_step, ids = 0, sorted(self.instance_set)
        self.instance_index = (self.instance_index + 1) % len(ids)
        self.inst_id = ids[self.instance_index]

    def step_(self):
        self.c_step += 1


def test_our_environment_runs_on_the_instance_that_is_asked(nets):
    rng = np.random.default_rng(0)
    tasks = [draw_task(rng) for _ in range(5)]
    config = TuningConfig(decisions=3, start=(0.01, 0.01))
    env = peer.as_dacbench(Base, nets, tasks[:3], tasks[3:], config)
    assert sorted(env.instance_set) == [0, 1, 2] and sorted(env.test_set) == [3, 4] and env.n_steps == 3
    wanted = TrainingVectorEnv(nets, tasks, config, num_envs=5)
    firsts, _ = wanted.reset(seed=0, options={"tasks": range(5)})
    for number in (0, 1, 2):
        obs, _ = env.reset(seed=7 if number == 0 else None)
        assert env.inst_id == number
        np.testing.assert_allclose(obs, firsts[number], rtol=1e-4, atol=1e-5)
    env.instance_set = env.test_set
    obs, _ = env.reset(seed=7)
    np.testing.assert_allclose(obs, firsts[3], rtol=1e-4, atol=1e-5)
    results = [env.step(1) for _ in range(3)]
    assert [over for _, _, over, _, _ in results] == [False, False, True] and env.c_step == 3
    assert env.observation_space.contains(results[0][0]) and isinstance(results[0][1], float)
