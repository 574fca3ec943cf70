import numpy as np
import pytest

from course_lib.dqn import reference
from course_lib.dqn.config import DQNConfig
from course_lib.dqn.envs import GridWorld
from course_lib.dqn.schedules import linear_epsilon


def test_td_target_by_hand():
    target = reference.td_target(np.array([1.0, 1.0]), np.array([0.9, 0.9]), np.array([0, 1]),
                                 np.array([[2.0, 5.0], [7.0, 3.0]]))
    np.testing.assert_allclose(target, [1 + 0.9 * 5, 1])


def test_double_td_target_by_hand():
    online, target_net = np.array([[9.0, 1.0], [1.0, 9.0]]), np.array([[2.0, 5.0], [2.0, 5.0]])
    target = reference.double_td_target(np.array([1.0, 1.0]), np.array([0.5, 0.5]), np.zeros(2), online, target_net)
    np.testing.assert_allclose(target, [1 + 0.5 * 2, 1 + 0.5 * 5])


def test_n_step_return_by_hand():
    assert reference.n_step_return([1, 2, 4], 0.5, [False] * 3, 8) == 1 + 1 + 1 + 1
    assert reference.n_step_return([1, 2, 4], 0.5, [False, True, False], 8) == 2


def test_soft_update_by_hand():
    moved, = reference.soft_update([np.array([0.0, 10.0])], [np.array([1.0, 20.0])], 0.1)
    np.testing.assert_allclose(moved, [0.1, 11.0])


def test_gradients_agree_with_finite_differences(td_loss_and_gradients):
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=s) for s in ((3, 5), (5,), (5, 4), (4,), (4, 2), (2,))]
    obs, action, target = rng.normal(size=(7, 3)), rng.integers(0, 2, 7), rng.normal(size=7)
    for delta in (None, 0.3):
        loss, gradients = td_loss_and_gradients(weights, obs, action, target, delta)
        for weight, gradient in zip(weights, gradients):
            spot = tuple(rng.integers(0, n) for n in weight.shape)
            weight[spot] += 1e-6
            more = td_loss_and_gradients(weights, obs, action, target, delta)[0]
            weight[spot] -= 1e-6
            assert gradient[spot] == pytest.approx((more - loss) / 1e-6, abs=1e-4)


def test_value_iteration_on_two_states_by_hand():
    # State 0: action 0 stays and pays 1; action 1 goes to state 1 and pays 0. State 1 pays 3 and ends.
    probability = np.zeros((2, 2, 2))
    probability[0, 0, 0] = probability[0, 1, 1] = 1
    reward = np.array([[1.0, 0.0], [3.0, 3.0]])
    np.testing.assert_allclose(reference.value_iteration(probability, reward, 0.5), [[2.0, 1.5], [3.0, 3.0]])


def test_the_model_of_the_grid_world_is_what_its_steps_do():
    env = GridWorld(slip=0.2, explore_starts=True)
    rng = np.random.default_rng(0)
    counts, rewards = np.zeros_like(env.probability), np.zeros_like(env.reward)
    tries = np.zeros_like(env.reward)
    env.reset(seed=0)
    for _ in range(40_000):
        state, action = env.state, int(rng.integers(4))
        _, reward, terminated, _, _ = env.step(action)
        tries[state, action] += 1
        rewards[state, action] += reward
        counts[state, action, env.state] += not terminated
        if terminated:
            env.reset()
    seen = tries > 0
    assert seen.sum() == 9 * 4  # all cells but the wall, the goal and the pit
    np.testing.assert_allclose((counts[seen].T / tries[seen]).T, env.probability[seen], atol=0.06)
    np.testing.assert_allclose(rewards[seen] / tries[seen], env.reward[seen], atol=0.06)
    assert (env.probability[~seen] == 0).all() and (env.reward[~seen] == 0).all()


def test_linear_epsilon_by_hand():
    assert linear_epsilon(0, 1.0, 0.1, 100) == 1.0
    assert linear_epsilon(50, 1.0, 0.1, 100) == pytest.approx(0.55)
    assert linear_epsilon(100, 1.0, 0.1, 100) == pytest.approx(0.1)
    assert linear_epsilon(10_000, 1.0, 0.1, 100) == pytest.approx(0.1)
    assert linear_epsilon(-5, 1.0, 0.1, 100) == 1.0
    assert linear_epsilon(0, 1.0, 0.1, 0) == pytest.approx(0.1)


@pytest.mark.parametrize("field, value", [
    ("gamma", 1.5), ("gamma", "0.9"), ("tau", 0), ("learning_rate", -1), ("batch_size", 0), ("n_step", 2.5),
    ("hidden", [64]), ("huber_delta", 0), ("epsilon_end", -0.1), ("warmup_steps", -1)])
def test_a_bad_setting_is_named(field, value):
    with pytest.raises(ValueError, match=f"DQNConfig.{field}: expected .*got"):
        DQNConfig(**{field: value})


def test_a_config_survives_the_way_through_plain_data():
    config = DQNConfig(hidden=(3, 4), huber_delta=2.0)
    assert DQNConfig.from_dict(config.as_dict()) == config
