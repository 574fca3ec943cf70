"""What lesson 08 computes in the open is what the library computes."""

import ast
from pathlib import Path

import nbformat
import numpy as np
import pytest
from scipy.special import expit as sigmoid

from course_lib.recommendation import baselines, reference, splits
from course_lib.recommendation.env import RecommendationVectorEnv
from course_lib.recommendation.log import DAY, simulate_log
from course_lib.recommendation.policies import contexts
from course_lib.recommendation.shop import simulate_catalog

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "08_recommendation.ipynb"
WANTED = {"popular", "bought_before", "item_knn", "ease", "step", "linucb", "learn", "catalog_of"}


def lesson(framework="neither"):
    """What its cells define."""
    names = {"np": np, "seed": 0, "sigmoid": sigmoid, "known": simulate_catalog(12, seed=3), "contexts": contexts}
    for cell in nbformat.read(NOTEBOOK, 4).cells:
        if cell.cell_type == "code" and cell.source.startswith(f"%%{framework}\n"):
            exec(cell.source.partition("\n")[2], names)
        elif cell.cell_type == "code" and not cell.source.startswith("%%"):
            for part in ast.parse(cell.source).body:
                constant = isinstance(part, ast.Assign) and ast.unparse(part.targets[0]) == "(KAPPA, PHI)"
                if constant or isinstance(part, ast.FunctionDef) and part.name in WANTED:
                    exec(ast.unparse(part), names)
    return names


def test_the_rivals():
    names, log = lesson(), simulate_log(users=60, items=40, seed=1)
    part = splits.temporal_split(log, 300 * DAY)
    np.testing.assert_array_equal(names["popular"](part), baselines.popularity(part))
    np.testing.assert_allclose(names["item_knn"](part, 10), baselines.item_knn(part, neighbours=10))
    np.testing.assert_allclose(names["ease"](part), baselines.ease(part))
    ours, theirs = names["bought_before"](part), baselines.personal_frequency(part)
    np.testing.assert_array_equal(np.argsort(-ours, axis=1, kind="stable"), np.argsort(-theirs, axis=1, kind="stable"))


def test_a_step_of_the_shop():
    names, rng = lesson(), np.random.default_rng(0)
    ours, theirs = (RecommendationVectorEnv(names["known"], num_envs=400) for _ in range(2))
    for shop in (ours, theirs):
        shop.reset(seed=5)
    for _ in range(6):
        items, chance = rng.integers(12, size=400), rng.random((400, 3))
        reward, leaves = names["step"](ours, items, chance)
        theirs.np_random = type("Drawn", (), {"random": staticmethod(lambda size, chance=chance: chance)})
        wanted, over, _, _ = theirs.act(items)
        np.testing.assert_allclose(reward, wanted)
        np.testing.assert_array_equal(leaves, over)
        for name in ("satisfaction", "fatigue", "clicked", "time"):
            np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name))


def test_a_step_of_linucb():
    """One visitor at a time, `linucb` learns what the formula's steps learn."""
    names = lesson()
    shop = RecommendationVectorEnv(names["known"], num_envs=1)
    found = names["linucb"](shop, 0.3, steps=15)
    again = RecommendationVectorEnv(names["known"], num_envs=1)
    obs, _ = again.reset(seed=0)
    fresh, size = False, contexts(obs, names["known"]).shape[2]
    precision, sums = np.eye(size), np.zeros(size)
    for _ in range(15):
        x = contexts(obs, names["known"])[0]
        chosen, more, added = reference.linucb_step(precision, sums, x, np.zeros(len(x)), 0.3)
        after, reward, over, *_ = again.step(np.array([chosen]))
        if not fresh:
            precision, sums = more, added + reward[0] * x[chosen]
        obs, fresh = after, bool(over[0]) and not fresh
    np.testing.assert_allclose(found, np.linalg.solve(precision, sums))


def arrays(model):
    return [values.detach().numpy() if hasattr(values, "detach") else np.asarray(values)
            for values in (model.parameters() if hasattr(model, "parameters") else model.weights)]


def test_the_network_and_an_update(twin):
    framework = twin("networks").__name__.rpartition("in_")[2]
    names, rng = lesson(framework), np.random.default_rng(0)
    catalog = names["known"]
    learner = names["Learner"](catalog, 0.9)
    obs, after = rng.normal(size=(2, 64, 22)).astype(np.float32)
    q, next_q = learner.q_values(obs), learner.q_values(after)
    assert q.shape == (64, 12)
    vectors = obs[:, :18].reshape(-1, 3, 6)
    parts = {values.shape: values for values in arrays(learner.q_net)}
    kernels = {shape[::-1] if framework == "pytorch" else shape: values.T if framework == "pytorch" else values
               for shape, values in parts.items() if len(shape) == 2}
    wanted = reference.item_feature_q(obs, vectors, catalog.features, kernels[22, 64], np.zeros(64), kernels[8, 64],
                                      kernels[3, 64], kernels[64, 1][:, 0])
    assert np.corrcoef(wanted.ravel(), q.ravel())[0, 1] > 0.9  # but for biases that were drawn
    action, reward, over = rng.integers(12, size=64), rng.random(64).astype(np.float32), rng.random(64) < 0.3
    target = reward + 0.9 * ~over * next_q.max(axis=1)
    before = np.square(target - q[np.arange(64), action]).mean()
    for _ in range(60):
        learner.update(obs, action, reward, after, over)
    moved = learner.q_values(obs)
    assert np.square(target - moved[np.arange(64), action]).mean() < 0.3 * before


@pytest.mark.parametrize("gamma", [0.0, 0.9])
def test_the_loop_stores_no_step_between_two_visitors(gamma):
    names, seen = lesson(), []

    class Learner:
        def q_values(self, obs):
            return np.zeros((len(obs), 12))

        def update(self, obs, action, reward, next_obs, terminated):
            seen.append((obs, next_obs, terminated))

    names["learn"](Learner(), RecommendationVectorEnv(names["known"], num_envs=32), steps=7_000)
    assert seen
    for obs, after, terminated in seen:
        time, later = obs[:, 19] * 20, after[:, 19] * 20
        np.testing.assert_allclose(later, time + 1, atol=1e-4)
        assert terminated[np.isclose(later, 20)].all()
