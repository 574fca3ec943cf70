"""A training run as an environment: what is seen, what is earned, and that test examples are in neither."""

from dataclasses import replace

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from course_lib.dqn.vector import Single
from course_lib.tuning.config import TuningConfig
from course_lib.tuning.env import WORST, TrainingVectorEnv
from course_lib.tuning.tasks import TaskConfig, draw_task

SHORT = TuningConfig(decisions=4, steps=5, batch_size=16, bonus=2.0)


@pytest.fixture(scope="module")
def tasks():
    rng = np.random.default_rng(0)
    return [draw_task(rng, TaskConfig(sources=("digits", "wine", "synthetic"), scale=(1, 1))) for _ in range(6)]


@pytest.mark.filterwarnings("ignore:.*Not able to test alternative render modes")
def test_gymnasium_finds_nothing_wrong(nets, tasks):
    env = Single(TrainingVectorEnv(nets, tasks, SHORT, num_envs=1))
    check_env(env)
    assert np.isfinite(env.observation_space.high).all() and np.isfinite(env.observation_space.low).all()


def test_an_action_multiplies_the_learning_rate(nets, tasks):
    env = TrainingVectorEnv(nets, tasks, replace(SHORT, bounds=(1e-3, 0.5), start=(0.01, 0.1)), num_envs=3)
    obs, _ = env.reset(seed=0)
    rate = env.rate.copy()
    assert (0.01 <= rate).all() and (rate <= 0.1).all() and len(set(rate)) == 3
    np.testing.assert_allclose(obs[:, 5], np.log(rate) + 4, rtol=1e-5)
    for wanted in (rate * [0.4, 1, 2.5], np.clip(rate * [0.16, 1, 6.25], 1e-3, 0.5)):
        obs, *_ = env.step(np.array([0, 1, 2]))
        np.testing.assert_allclose(env.rate, wanted)
        np.testing.assert_allclose(obs[:, 5], np.log(wanted) + 4, rtol=1e-5)


def test_what_is_seen_and_what_is_earned(nets, tasks):
    env = TrainingVectorEnv(nets, tasks, SHORT, num_envs=4)
    obs, _ = env.reset(seed=1)
    guessing = np.log([len(np.unique(task.y_val)) for task in env.tasks])
    before = np.exp(obs[:, 1]) * guessing
    best = before.copy()
    for step in range(1, 5):
        x, y = (np.stack([getattr(task, name) for task in env.tasks]) for name in ("x_val", "y_val"))
        old, (obs, reward, over, truncated, _) = obs, env.step(np.full(4, 1))
        loss, accuracy = env.runs.evaluate(x, y)
        best = np.minimum(best, loss)
        np.testing.assert_allclose(np.exp(obs[:, 1]) * guessing, loss, rtol=1e-4)
        np.testing.assert_allclose(obs[:, 2:4], obs[:, :2] - old[:, :2], atol=1e-5)
        np.testing.assert_allclose(obs[:, 6], step / 4)
        np.testing.assert_allclose(obs[:, 7], loss - best, atol=1e-5)
        bonus = 2 * accuracy if step == 4 else 0
        np.testing.assert_allclose(reward, np.log(before / loss) + bonus, atol=1e-4)
        before = loss
        assert (over == (step == 4)).all() and not truncated.any()
    fresh, reward, over, *_ = env.step(np.full(4, 1))  # new runs begin
    assert not reward.any() and not over.any() and not fresh[:, [2, 3, 4, 6, 7]].any()


def test_test_examples_are_in_nothing_that_is_seen(nets, tasks):
    rng = np.random.default_rng(0)
    others = [replace(task, x_test=rng.normal(size=task.x_test.shape), y_test=rng.permutation(task.y_test))
              for task in tasks]
    one, other = (TrainingVectorEnv(nets, of, SHORT, num_envs=4) for of in (tasks, others))
    np.testing.assert_array_equal(one.reset(seed=3)[0], other.reset(seed=3)[0])
    for action in (2, 1, 0, 1, 1):
        for found, wanted in zip(one.step(np.full(4, action))[:3], other.step(np.full(4, action))[:3]):
            np.testing.assert_array_equal(found, wanted)
    for env in (one, other):
        env.reset(seed=3)
        for _ in range(4):
            env.step(np.full(4, 1))
    assert np.abs(one.test()[0] - other.test()[0]).min() > 0.05 and one.test()[1].mean() > other.test()[1].mean() + 0.1


def test_a_run_that_explodes_is_over(nets, tasks):
    env = TrainingVectorEnv(nets, tasks, replace(SHORT, bounds=(1e-5, 1e20), decisions=9), num_envs=3)
    env.reset(seed=0)
    before, over = env.loss.copy(), np.zeros(3, bool)
    while not over[1]:
        obs, reward, over, *_ = env.advance([0.005, 1e18, 0.005])
    assert over.tolist() == [False, True, False] and env.time[1] < 9 and env.loss[1] == WORST
    assert np.isfinite(obs).all() and obs[1] in env.single_observation_space
    obs, reward, over, *_ = env.advance([0.005, 0.005, 0.005])
    assert env.time[1] == 0 and env.loss[1] < WORST and reward[1] == 0 and not over.any()
    obs, reward, *_ = env.advance([0.005, 0.005, 0.005])
    assert np.isfinite(env.loss).all() and (env.loss[[0, 2]] < before[[0, 2]]).all()


def test_the_second_setting_decides_on_more(nets, tasks):
    env = TrainingVectorEnv(nets, tasks, replace(SHORT, regularise=True, decisions=9), num_envs=5)
    obs, _ = env.reset(seed=2)
    assert obs.shape == (5, 11) and env.single_action_space.n == 3 + 6 + 1 and not obs[:, 8:].any()
    given = []
    train = env.runs.train
    env.runs.train = lambda x, y, rate, **options: given.append((rate, options)) or train(x, y, rate, **options)
    start, weights = env.rate.copy(), env.runs.weights()[0]
    obs, reward, over, *_ = env.step(np.array([3, 5, 7, 0, 9]))  # l2, dropout, clipping, a smaller rate, stop
    rate, options = given[0]
    np.testing.assert_allclose(rate, start * [1, 1, 1, 0.4, 0])
    np.testing.assert_allclose(options["l2"], [1e-4, 0, 0, 0, 0])
    np.testing.assert_allclose(options["max_norm"], [np.inf, np.inf, 1, np.inf, np.inf])
    left_out = (options["kept"] == 0).mean(axis=(0, 2, 3))
    assert (left_out[[0, 2, 3, 4]] == 0).all() and left_out[1] == pytest.approx(0.2, abs=0.03)
    np.testing.assert_array_equal(obs[:, 8:], [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]])
    assert over.tolist() == [False] * 4 + [True] and env.time.tolist() == [1, 1, 1, 1, 0]
    np.testing.assert_array_equal(env.runs.weights()[0][4], weights[4])
    assert reward[4] == pytest.approx(2 * env.accuracy[4])  # the loss is what it was
    for actions in ([3, 6, 8, 1, 1], [3, 5, 7, 1, 1], [3, 5, 7, 1, 1], [3, 5, 7, 1, 1]):
        obs, *_ = env.step(np.array(actions))
    np.testing.assert_array_equal(obs[:, 8:], [[3, 0, 0], [0, 2, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]])
    assert obs in env.observation_space
    while env.time[0]:
        obs, *_ = env.step(np.array([1, 1, 1, 1, 1]))
    assert not obs[0, 8:].any() and not obs[0, 2:5].any()  # the next run begins
    one = TrainingVectorEnv(nets, tasks, replace(SHORT, regularise=True), num_envs=1)
    check_env(Single(one), skip_render_check=True)


def test_momentum_and_batches(nets, tasks):
    """Dropout draws nothing from the batches' generator; without momentum a step is one of SGD."""
    envs = [TrainingVectorEnv(nets, tasks, replace(SHORT, steps=1, momentum=momentum, regularise=True,
                                                   start=(0.01, 0.01)), num_envs=2) for momentum in (0.0, 0.9, 0.0)]
    given, moved = [], []
    for env, action in zip(envs, (1, 1, 5), strict=True):
        env.reset(seed=4, options={"tasks": [0, 1]})
        train = env.runs.train
        env.runs.train = lambda x, y, rate, _train=train, **options: given.append(x) or _train(x, y, rate, **options)
        weights = [env.runs.weights()[0].copy()]
        for _ in range(2):
            env.step(np.array([action, action]))
            weights.append(env.runs.weights()[0].copy())
        moved.append(np.diff(weights, axis=0))
    np.testing.assert_array_equal(given[1], given[5])
    np.testing.assert_allclose(moved[0][0], moved[1][0], atol=1e-7)
    added, first = moved[1][1] - moved[0][1], moved[1][0]
    np.testing.assert_allclose(added, 0.9 * first, atol=0.02 * np.abs(first).max())


def test_the_same_seed_gives_the_same_runs(nets, tasks):
    env = TrainingVectorEnv(nets, tasks, SHORT, num_envs=2)
    found = []
    for seed in (0, 0, 1):
        env.reset(seed=seed)
        found.append(env.step(np.array([1, 2]))[0])
    np.testing.assert_allclose(found[0], found[1], atol=1e-5)
    assert np.abs(found[0] - found[2]).max() > 0.1


@pytest.mark.parametrize("field", [{"decisions": 0}, {"steps": 1.5}, {"momentum": 1}, {"factors": (1.0,)},
                                   {"bounds": (1, 0.1)}, {"start": (1e-9, 0.1)}, {"bonus": -1}])
def test_what_is_no_training_run(field):
    with pytest.raises(ValueError, match=f"TuningConfig.{next(iter(field))}: expected"):
        TuningConfig(**field)


def test_what_is_no_action(nets, tasks):
    env = TrainingVectorEnv(nets, tasks, SHORT, num_envs=2)
    env.reset(seed=0)
    for actions in ([0], [0, 3], [-1, 0]):
        with pytest.raises(ValueError, match="actions: expected 2 whole numbers from 0 to 2"):
            env.step(np.array(actions))
    for options in ({"tasks": []}, {"num_envs": 0}):
        with pytest.raises(ValueError, match=f"{next(iter(options))}: expected"):
            TrainingVectorEnv(nets, **{"tasks": tasks, "num_envs": 1, **options})
