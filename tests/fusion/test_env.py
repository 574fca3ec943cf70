"""Choosing experts as an environment: by hand, by Gymnasium's own check, and that it can be learned."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from course_lib.fusion.env import ExpertChoiceEnv

# Expert 0 is right about examples 0 and 1, expert 1 about 1 and 2.
SAID = np.array([[[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], [[0.3, 0.7], [0.1, 0.9], [0.2, 0.8]]])
Y = np.array([0, 1, 1])


def test_gymnasium_approves():
    check_env(ExpertChoiceEnv(SAID, Y, tire=[0.5, 0]), skip_render_check=True)


def test_rewards_and_observations_by_hand():
    env = ExpertChoiceEnv(SAID, Y, length=30)
    assert env.rewards().tolist() == [[1, 0], [1, 1], [0, 1]]
    obs, _ = env.reset(seed=0)
    for at in range(30):
        row = env.vector.rows[0, at]
        np.testing.assert_allclose(obs, [*SAID[0, row], *SAID[1, row]], rtol=1e-6)
        obs, reward, terminated, truncated, _ = env.step(at % 2)
        assert reward == env.rewards()[row, at % 2] and not terminated and truncated == (at == 29)
    assert set(env.vector.rows[0]) == {0, 1, 2}


def test_the_same_seed_gives_the_same_stream():
    env = ExpertChoiceEnv(SAID, Y, tire=[1, 1])
    runs = []
    for seed in (1, 1, 2):
        env.reset(seed=seed)
        runs.append((env.vector.rows.tolist(), [env.step(0)[1] for _ in range(50)]))
    assert runs[0] == runs[1] != runs[2]


def test_an_expert_tires_and_recovers():
    env = ExpertChoiceEnv(SAID, Y, visible=[1], tire=[0.4, 0], recover=0.1)
    obs, _ = env.reset(seed=0)
    assert obs.shape == (3,) and obs[-1] == 0
    tired = [env.step(action)[0][-1] for action in (0, 0, 0, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1)]
    np.testing.assert_allclose(tired[:7], [0.4, 0.8, 1, 0.9, 0.8, 1, 0.9], atol=1e-6)
    assert tired[-1] == pytest.approx(0.1, abs=1e-6)


def test_a_tired_expert_looks_elsewhere():
    env = ExpertChoiceEnv(SAID, Y, tire=[1, 0], recover=0, length=3_000)
    env.reset(seed=0)
    earned = np.array([env.step(0)[1] for _ in range(3_000)])
    # Rested only at first; then its verdicts (0, 1, 0) about random examples meet the classes (0, 1, 1) at random.
    assert earned[1:].mean() == pytest.approx(2 / 3 * 1 / 3 + 1 / 3 * 2 / 3, abs=0.03)
    fresh = ExpertChoiceEnv(SAID, Y, length=3_000)
    fresh.reset(seed=0)
    assert np.mean([fresh.step(0)[1] for _ in range(3_000)]) == pytest.approx(2 / 3, abs=0.03)


@pytest.mark.parametrize(("options", "message"), [
    ({"visible": [2]}, "visible: expected what fits 2 experts"), ({"tire": [1]}, "tire"), ({"recover": -1}, "recover"),
    ({"length": 0}, "length")])
def test_what_does_not_fit(options, message):
    with pytest.raises(ValueError, match=message):
        ExpertChoiceEnv(SAID, Y, **options)
    with pytest.raises(ValueError, match="y: expected what fits"):
        ExpertChoiceEnv(SAID, Y[:2])
    env = ExpertChoiceEnv(SAID, Y)
    env.reset()
    with pytest.raises(ValueError, match="action: expected a whole number from 0 to 1, got 2"):
        env.step(2)
    assert isinstance(env, gym.Env)


def test_observations_of_all_examples_are_those_of_rested_experts():
    env = ExpertChoiceEnv(SAID, Y, visible=[1], tire=[1, 0], length=20)
    assert env.observations().tolist() == np.float32([[*SAID[1, row], 0] for row in range(3)]).tolist()
    obs, _ = env.reset(seed=0)
    for _ in range(20):
        np.testing.assert_array_equal(obs, env.observations()[env.vector.rows[0, env.vector.at]])
        obs, *_ = env.step(1)


def test_copies_go_their_own_ways():
    env = ExpertChoiceEnv(SAID, Y, tire=[1, 0], length=5)
    together = env.copies(3)
    together.reset(seed=0)
    obs, *_ = together.step(np.array([0, 1, 1]))
    assert obs[:, -1].tolist() == [1, 0, 0]
    assert len({tuple(rows) for rows in together.rows}) == 3
    for _ in range(4):
        *_, over, _ = together.step(np.array([0, 1, 1]))
    rows = together.rows
    assert over.all() and obs.shape == (3, 5)
    new, *nothing, _ = together.step(np.array([0, 0, 0]))  # the next streams begin
    assert together.at == 0 and not np.any(nothing) and not new[:, -1].any() and (together.rows != rows).any()
    with pytest.raises(ValueError, match="num_envs: expected a whole number >= 1, got 0"):
        env.copies(0)
    with pytest.raises(ValueError, match="actions: expected 3 whole numbers from 0 to 1"):
        together.step(np.array([0, 1, 2]))


@pytest.mark.parametrize("y", [np.array([0, 1, 2]), np.array([0.5, 1, 1])])
def test_labels_that_make_no_sense_are_refused(y):
    with pytest.raises(ValueError, match="y: expected what fits 2 experts"):
        ExpertChoiceEnv(SAID, y)
