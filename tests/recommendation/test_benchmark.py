"""What the studies compare: who is trained where, what is evaluated, and what a first step is worth."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import recommendation as benchmark
from scipy.sparse import csr_array

from course_lib.recommendation import logged, splits
from course_lib.recommendation.config import PLANNER
from course_lib.recommendation.env import RecommendationVectorEnv
from course_lib.recommendation.log import DAY, simulate_log
from course_lib.recommendation.shop import ADS, CART, ShopConfig, simulate_catalog

TINY = replace(PLANNER, total_steps=1_500, warmup_steps=500, epsilon_steps=500)


class Recorded:
    """A twin of recommendation whose agents show item 0, and that remembers where they were trained."""

    def __init__(self):
        self.asked = []

    def train_recommender(self, env, config, *, seed=0, eval_env=False):
        self.asked.append((env, config, seed, eval_env))
        agent = SimpleNamespace(config=config, act=lambda obs: np.zeros(len(obs), int),
                                q_values=lambda obs: np.tile([7.0, 9.0], (len(obs), 1)))
        return SimpleNamespace(agent=agent)


def test_known_items_and_new_ones_are_a_catalog_each():
    known, new = benchmark.catalogs(seed=3)
    together = np.vstack([known.features, new.features])
    np.testing.assert_array_equal(together, simulate_catalog(60, seed=3).features)
    assert len(known) == 48 and len(new) == 12
    assert not np.array_equal(known.features, benchmark.catalogs(seed=4)[0].features)


def test_both_learn_in_the_same_shop_and_only_one_looks_ahead():
    twin, known = Recorded(), benchmark.catalogs()[0]
    config = ShopConfig(kappa=0.1)
    assert set(benchmark.train_both(twin, known, config, seed=5)) == {"gamma 0", "DQN"}
    assert [(config.gamma, seed, watched) for _, config, seed, watched in twin.asked] == [
        (0.0, 5, False), (PLANNER.gamma, 5, False)]
    assert replace(benchmark.MYOPIC, gamma=PLANNER.gamma) == PLANNER
    for env, *_ in twin.asked:
        assert env.config == config and env.catalog is known


def test_less_is_seen_and_the_oracle_sees_all():
    twin = Recorded()
    found = benchmark.by_what_is_seen(twin, sessions=200)
    worlds = [(env.config.profile_noise, env.config.observe_satisfaction) for env, *_ in twin.asked]
    assert worlds == [(None, True)] * 2 + [(None, False)] * 2
    oracles = {row["oracle that looks no further"] for row in found.values()}
    assert list(found) == ["no profile", "neither"] and len(oracles) == 1


def test_replay_is_compared_with_nothing_else_changed():
    twin = Recorded()
    found = benchmark.replays(twin, sessions=300, share=0.4, planner=TINY)
    assert [config for _, config, *_ in twin.asked] == [TINY, replace(TINY, rewarded_share=0.4)]
    assert found["uniform"] == found["rewards more often"] and found["uniform"][1] == 9  # the largest value


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0])
def test_the_worth_of_a_first_step_by_hand(gamma):
    """Everybody clicks, always, and nobody leaves before step 5: 1 + gamma + gamma^2 + gamma^3 + gamma^4."""
    catalog = simulate_catalog(3)
    catalog.appeal[:] = 100.0
    config = ShopConfig(kappa=20.0, phi=0.0, steps=5, click_reward=1.0, purchase_reward=0.0)
    catalog.hook[:] = 0.0
    agent = SimpleNamespace(act=lambda obs: np.zeros(len(obs), int), q_values=lambda obs: obs[:, :3],
                            config=SimpleNamespace(gamma=gamma))
    said, came = benchmark.worth(agent, catalog, config, sessions=50, seed=1)
    assert came == pytest.approx(sum(gamma**step for step in range(5)))
    obs, _ = RecommendationVectorEnv(catalog, config, num_envs=50).reset(seed=2_000_004)
    assert said == pytest.approx(obs[:, :3].max(axis=1).mean())


def test_nothing_comes_after_a_visitor_has_left():
    catalog = simulate_catalog(3)
    catalog.appeal[:], catalog.hook[:] = 100.0, 1.0  # bait that everybody clicks, and that drives everybody away
    config = ShopConfig(kappa=50.0, phi=0.0, click_reward=1.0, purchase_reward=0.0)
    agent = SimpleNamespace(act=lambda obs: np.zeros(len(obs), int), q_values=lambda obs: obs,
                            config=SimpleNamespace(gamma=0.9))
    assert benchmark.worth(agent, catalog, config, sessions=40)[1] == pytest.approx(1.0)


@pytest.fixture
def visits(monkeypatch):
    """What `benchmark.reward` was asked: (policy, catalog, config, seed)."""
    found, real = [], benchmark.reward

    def reward(policy, catalog, config=None, *, sessions=1_000, seed=0):
        found.append((policy, catalog, config, seed))
        return real(policy, catalog, config, sessions=50, seed=seed)

    monkeypatch.setattr(benchmark, "reward", reward)
    return found


class WithItems(Recorded):
    """Its agents have no opinion of items, so that a penalty on hooks decides; for other items they are others."""

    def train_recommender(self, env, config, *, seed=0, eval_env=False):
        history = super().train_recommender(env, config, seed=seed, eval_env=eval_env)
        history.agent.q_values = lambda obs: np.zeros((len(obs), len(env.catalog)))
        return history

    def for_items(self, agent, catalog):
        return SimpleNamespace(config=agent.config, act=agent.act, items=catalog,
                               q_values=lambda obs: np.zeros((len(obs), len(catalog))))


def test_a_penalty_is_tuned_on_other_visitors_and_all_are_compared_on_the_same(visits):
    twin = WithItems()
    found = benchmark.compare(twin, seed=3, sessions=50)
    known, new = benchmark.catalogs(seed=3)
    count = len(benchmark.PENALTIES)
    tuned, of_oracle, compared = visits[:count], visits[count:2 * count], visits[2 * count:]
    assert [policy.penalty for policy, *_ in tuned] == list(benchmark.PENALTIES)
    assert [policy.keywords["penalty"] for policy, *_ in of_oracle] == list(benchmark.PENALTIES)
    assert {seed for *_, seed in tuned + of_oracle} == {503} and {seed for *_, seed in compared} == {3}
    assert all(np.array_equal(catalog.features, known.features) for _, catalog, *_ in tuned + of_oracle)
    for (_, first, *_), (_, second, *_) in zip(compared[::2], compared[1::2], strict=True):
        assert np.array_equal(first.features, known.features) and np.array_equal(second.features, new.features)
    policies = dict(zip(found, ((one[0], two[0]) for one, two in zip(compared[::2], compared[1::2], strict=True)),
                        strict=True))
    for name in ("LinUCB", "Thompson sampling", "gamma 0 with a tuned penalty on hooks"):
        assert [len(policy.catalog) for policy in policies[name]] == [48, 12]
    assert [policy.items is not None and len(policy.items) for policy in policies["DQN"]] == [48, 12]
    assert policies["DQN"][0].config.gamma > 0 == policies["gamma 0"][0].config.gamma
    earned = [benchmark.reward(policy, known, sessions=50, seed=503) for policy, *_ in tuned]
    best = policies["gamma 0 with a tuned penalty on hooks"][0].penalty
    assert best == benchmark.PENALTIES[int(np.argmax(earned))]


def test_every_use_has_its_own_shop(visits):
    twin = WithItems()
    found = benchmark.by_use(twin, seed=1, sessions=50)
    configs = [env.config for env, *_ in twin.asked]
    assert configs == [ShopConfig()] * 2 + [ADS] * 2 + [CART] * 2
    assert [len(env.catalog) for env, *_ in twin.asked] == [48, 48, 49, 49, 48, 48]
    assert [config for *_, config, _ in visits] == [ShopConfig()] * 4 + [ADS] * 4 + [CART] * 4
    assert set(found) == {"shop", "search results", "advertisements", "cart"}
    assert all(set(row) == {"random", "gamma 0", "DQN", "oracle that looks no further"} for row in found.values())


def test_random_pages_are_drawn_anew_at_each_step(monkeypatch):
    drawn = []
    monkeypatch.setattr(benchmark, "session_rewards", lambda pages, rank, seed: drawn.append(
        [rank(pages.reset(seed=seed)) for _ in range(2)]) or np.zeros(1))
    monkeypatch.setattr(benchmark, "reward", lambda *rest, **options: 0.0)
    benchmark.by_use(WithItems(), sessions=30)
    assert (drawn[0][0] != drawn[0][1]).any() and drawn[0][0].shape == (30, 5)
    assert (drawn[-1][0] == drawn[-1][1]).all()


def test_bandits_learn_from_known_items_and_popularity_from_what_it_sells():
    known, new = benchmark.catalogs(seed=2)
    found = benchmark.without_network(known, seed=2)
    assert (found["LinUCB"](new).by, found["Thompson sampling"](new).by) == ("ucb", "ucb")  # no more doubt, no draws
    sold = benchmark.sold_at_random(new, seed=2)
    assert sold[found["the most popular item"](new).act(np.zeros((1, 22)))[0]] == sold.max()
    assert benchmark.reward(found["LinUCB"](new), new, sessions=500) > 1.2 * benchmark.reward(
        found["random"](new), new, sessions=500)


def test_popular_items_in_turn():
    obs = np.zeros((3, 22), np.float32)
    obs[:, 19] = np.array([0, 1, 4]) / 5
    assert benchmark.Popular([3, 9, 5], steps=5).act(obs).tolist() == [1, 2, 2]  # at step 4 the list has begun anew
    assert benchmark.Popular([3, 9, 5], steps=5, repeats=True).act(obs).tolist() == [1, 1, 1]


def test_a_penalty_takes_the_bait_away():
    catalog = simulate_catalog(20)

    class Fond:
        def q_values(self, obs):
            return np.tile(0.5 * catalog.hook, (len(obs), 1))

    for penalty, chosen in ((0.4, catalog.hook.argmax()), (0.6, catalog.hook.argmin())):
        assert (benchmark.Penalised(Fond(), catalog, penalty).act(np.zeros((2, 22))) == chosen).all()


def test_a_catalog_by_hand():
    counts = np.random.default_rng(0).integers(0, 2, size=(50, 8))
    catalog, chosen = benchmark.catalog_of_log(csr_array(counts), items=8)
    share = counts.mean(axis=0)
    together = counts.T @ counts / 50
    information = np.maximum(0, np.log(np.maximum(together, 1e-12) / np.outer(share, share)))
    values, vectors = np.linalg.eigh(information @ information.T)
    leading = vectors[:, ::-1][:, :6] * values[::-1][:6] ** 0.25
    leading /= np.linalg.norm(leading, axis=1, keepdims=True)
    np.testing.assert_allclose(catalog.embedding @ catalog.embedding.T, leading @ leading.T, atol=1e-7)
    assert chosen.tolist() == list(range(8)) and catalog.appeal.std() == pytest.approx(0.3)


def test_a_catalog_of_a_log():
    split = splits.temporal_split(simulate_log(users=150, items=40, seed=3), 330 * DAY)
    catalog, chosen = benchmark.catalog_of_log(split.known, items=20, seed=1)
    bought = split.known.toarray() > 0
    popular = bought.sum(axis=0)
    assert len(catalog) == 20 and popular[chosen].min() >= np.delete(popular, chosen).max()
    assert np.corrcoef(catalog.appeal, np.log(popular[chosen]))[0, 1] == pytest.approx(1)
    alike = catalog.embedding @ catalog.embedding.T
    assert not np.array_equal(catalog.hook, benchmark.catalog_of_log(split.known, items=20, seed=2)[0].hook)
    together = np.corrcoef(bought[:, chosen].T)
    pairs = np.triu_indices(20, 1)
    assert np.corrcoef(alike[pairs], together[pairs])[0, 1] > 0.5  # who is bought by the same is alike


def test_a_log_holds_no_step_between_two_visitors():
    known, _ = benchmark.catalogs()
    obs, actions, rewards, after, over = benchmark.transitions(known, logged.Soft(known, personal=1.0), 3_000)
    time, later = 20 * obs[:, 19], 20 * after[:, 19]
    np.testing.assert_allclose(later, time + 1, atol=1e-4)
    assert over[np.isclose(later, 20)].all() and (over & (later < 19.5)).any() and len(obs) >= 3_000
    np.testing.assert_allclose(after[:, 12:18] - 0.7 * obs[:, 12:18], known.embedding[actions], atol=1e-5)  # fatigue
    clicked, bought = (after - obs)[:, 20:22].T
    np.testing.assert_allclose(rewards, 0.1 * clicked + bought, atol=1e-5)
    chances = logged.Soft(known, personal=1.0).probabilities(obs)
    assert chances[np.arange(len(obs)), actions].mean() == pytest.approx((chances**2).sum(axis=1).mean(), rel=0.05)


def test_q_from_a_log_looks_ahead(twin):
    """A step that earns nothing, before a last one in which item 0 alone earns 1, is worth gamma times the best."""
    framework = twin("networks").__name__.rpartition("in_")[2]
    catalog, rng = simulate_catalog(4), np.random.default_rng(0)
    obs, actions = rng.normal(size=(10_000, 22)).astype(np.float32), rng.integers(4, size=10_000)
    last = np.arange(10_000) % 2 == 1
    obs[:, 19] = last
    after = np.where(last[:, None], obs, np.roll(obs, -1, axis=0))
    log = obs, actions, (last & (actions == 0)).astype(float), after, last
    values = twin("networks").predict(benchmark.fitted_q(framework, catalog, log, alpha=0.0, gamma=0.5, rounds=8), obs)
    assert values[last, 0].mean() > 0.5 + values[last, 1:].mean()
    assert values[~last].mean() == pytest.approx(0.5 * values[last].max(axis=1).mean(), abs=0.08)


def test_who_learns_from_which_log(monkeypatch):
    """All but the DQN from the same log, of the policy that follows the profile; each with its own penalty."""
    asked, twin = [], Recorded()
    nets = SimpleNamespace(predict=lambda model, obs: np.tile(np.eye(48)[model], (len(obs), 1)))
    monkeypatch.setattr(benchmark, "twins", lambda framework, *topics: [twin, nets][:len(topics)])
    monkeypatch.setattr(benchmark, "fitted_q", lambda framework, catalog, log, *, alpha, gamma=0.97, seed, rounds: (
        asked.append((id(log), alpha, gamma, seed, rounds)) or len(asked)))
    monkeypatch.setattr(benchmark, "imitation", lambda framework, catalog, log, *, seed: (
        asked.append((id(log), "imitation", None, seed, None)) or len(asked)))
    shown = {}
    monkeypatch.setattr(benchmark, "in_a_shop", lambda agents, catalog, *, seed: shown.update(agents) or {})
    benchmark.learned_from_a_log("neither", seed=3, steps=500, rounds=7)
    assert len({log for log, *_ in asked}) == 1
    assert [rest for _, *rest in asked] == [["imitation", None, 3, None], [0.0, 0.0, 3, 7],
                                            *([alpha, 0.97, 3, 7] for alpha in benchmark.ALPHAS)]
    acts = {name: agent.act(np.zeros((400, 22))) for name, agent in shown.items()}
    assert [acts[name][0] for name in list(shown)[1:-1]] == [1, 2, 3, 4, 5]
    assert list(shown)[0] == "the policy that logged" and len(np.unique(acts["the policy that logged"])) > 20
    [(env, config, *_)] = twin.asked
    assert config == replace(PLANNER, total_steps=500) and env.num_envs == 128
