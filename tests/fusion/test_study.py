"""The studies of fusion: what is held out, what is noise, what the tables hold."""

from types import SimpleNamespace

import fusion as study
import numpy as np
import pytest
from watched import Watched, never_taught_with_tests, with_marked_tests

from course_lib.common import data
from course_lib.fusion import outputs
from course_lib.fusion.env import ExpertChoiceEnv
from course_lib.fusion.inputs import halves
from course_lib.networks.config import TrainingConfig

FAST = TrainingConfig(epochs=2, learning_rate=3e-3)


@pytest.fixture(scope="module")
def digits():
    return data.load("digits")


def test_score_by_hand():
    said, y = np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]]), np.array([0, 1])
    assert study.score(said, y) == 0.5


def test_noise_covers_one_half_of_every_other_image(digits):
    images = digits.x_train
    changed = study.with_noise(images, seed=1) != images
    left, right = changed[:, :, :4].any(axis=(1, 2)), changed[:, :, 4:].any(axis=(1, 2))
    assert not (left & right).any() and 0.2 < left.mean() < 0.3 and 0.2 < right.mean() < 0.3
    np.testing.assert_array_equal(images, digits.x_train)


def test_turn_by_hand():
    image = np.array([[1, 2], [3, 4]])
    turned = study.turn(np.stack([image, image]), np.array([False, True]))
    assert turned.tolist() == [[[1, 2], [3, 4]], [[2, 4], [1, 3]]]


def test_experts_never_see_what_is_held_out(twin, digits):
    nets = twin("networks")
    taught, train = [], nets.train

    class Spy:
        def __getattr__(self, name):
            return (lambda model, x, *rest, **options: taught.append(x) or train(model, x, *rest, **options)
                    ) if name == "train" else getattr(nets, name)

    def rows(images):
        return {image.tobytes() for image in np.ascontiguousarray(images)}

    models, (inside, y) = study.experts_on_halves(Spy(), digits, config=FAST)
    assert inside.shape == (2, len(y), 10) and 0.19 < len(y) / len(digits.x_train) < 0.21
    for m, part in enumerate(halves(digits.x_train)):  # half images that only one digit has, to know them again
        held = [i for i, image in enumerate(part) if image.tobytes() not in rows(taught[m])]
        assert len(taught[m]) == len(digits.x_train) - len(y) and len(held) > 0.8 * len(y)
        said = outputs.opinions(nets, [models[m]], [part[held]])[0]
        known = {row.tobytes() for row in np.round(inside[m], 4)}
        assert np.mean([row.tobytes() in known for row in np.round(said, 4)]) > 0.9


def test_fused_outputs_use_held_out_examples_alone():
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=400)
    good = 0.7 * np.eye(3)[y] + 0.1
    bad = rng.dirichlet(np.ones(3), 400)
    outside = np.stack([bad[:50], good[:50]])
    fused = study.fused_outputs(np.stack([bad, good]), y, outside)
    for name in ("best alpha by log-loss", "best alpha by accuracy", "stack"):
        assert study.score(fused[name], y[:50]) == 1, name
    assert study.score(fused["average"], y[:50]) < 1
    for probabilities in fused.values():
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


def test_rules_in_the_tiring_game_by_hand():
    said = np.zeros((2, 100, 2))
    said[0, :, 0], said[1, :, 1] = 1, 1  # the first expert is always right, the second one never
    env = ExpertChoiceEnv(said, np.zeros(100, int), length=10)
    assert study.follow(env, lambda obs, step: np.zeros(len(obs), int), episodes=3) == 1
    assert study.follow(env, lambda obs, step: np.full(len(obs), step % 2), episodes=3) == 0.5


class Fixed:
    """A twin of dqn whose agents always do the same, and remember where they were trained."""

    def __init__(self, action):
        self.action, self.envs, self.configs = action, [], []

    def train(self, env, config, **options):
        self.envs.append(env)
        self.configs.append(config)
        return SimpleNamespace(agent=SimpleNamespace(act=lambda obs: np.full(len(obs), self.action)))


def certain(right, y):
    """Probabilities (2, N, 2) of two experts who are sure, and right where an array (2, N) says so."""
    return 0.02 + 0.96 * np.eye(2)[np.where(right, y, 1 - y)]


def test_choice_table_is_fixed_in_one_environment_and_scored_in_the_other():
    y = np.arange(10) % 2
    first, second = np.arange(10) < 9, np.arange(10) < 4  # inside, the first expert is right more often; outside not
    env, test = (ExpertChoiceEnv(certain(right, y), y, weightings=study.WEIGHTINGS)
                 for right in ((first, second), (second, first)))
    fake = Fixed(4)
    found = study.choice_table(fake, env, test, interactions=50)
    assert found["best fixed action"] == 0.4 and found["DQN"] == 0.9 and found["oracle"] == 0.9
    assert fake.configs[0].gamma == 0 and fake.envs[0].num_envs == 16
    assert fake.envs[0].env is env
    sure = test.predictions.copy()
    sure[0, 4:9] = [0.45, 0.55]  # wrong and unsure now: the surer expert is the right one
    again = ExpertChoiceEnv(sure, y, weightings=study.WEIGHTINGS)
    assert study.choice_table(fake, env, again, interactions=50)["the surer expert"] >= 0.9


def test_rules_of_the_tiring_game_are_chosen_in_one_environment_and_scored_in_the_other():
    def game(weak):
        said = np.stack([np.tile([0.98, 0.02], (200, 1)), np.tile(weak, (200, 1))])
        return ExpertChoiceEnv(said, np.zeros(200, int), visible=[1], tire=[1, 0], recover=0.5, length=30)

    # Where the rules are chosen the weak expert is always wrong, so it pays to ask the strong one often.
    fake = Fixed(1)
    found = study.tiring_table(fake, game([0.4, 0.6]), game([0.6, 0.4]))
    assert found["only the one who does not tire"] == found["DQN that looks ahead"] == 1
    assert found["the one who tires now and then"] <= 1 and len(found) == 7
    assert [config.gamma > 0 for config in fake.configs] == [False, True]
    # The first is right where the other one is unsure, and wrong where it is sure; neither tires.
    doubt = np.arange(200) % 2 == 0
    said = np.where(doubt[:, None], [[[0.98, 0.02]], [[0.45, 0.55]]], [[[0.02, 0.98]], [[0.75, 0.25]]])
    env = ExpertChoiceEnv(said, np.zeros(200, int), visible=[1], tire=[1e-9, 0], length=30)
    assert study.tiring_table(fake, env, env)["... if the other one is unsure"] == 1
    # Both agents always ask the strong one, who is right about any example here; sparing it asks the wrong one instead.
    found = study.tiring_table(Fixed(0), game([0.4, 0.6]), game([0.4, 0.6]))
    assert found["DQN that looks no further"] == found["DQN that looks ahead"] == 1
    assert 0.3 < found["... and spares who has not rested"] < 0.8


def test_the_one_who_tires_reads_turned_images_and_the_other_one_does_not(twin, digits):
    nets = twin("networks")
    env, test = study.tiring(nets, digits, turned=1.0)
    assert env.rewards().mean(axis=0)[1] < 0.3 < 0.85 < env.rewards().mean(axis=0)[0]
    upright, _ = study.tiring(nets, digits, turned=0.0)
    assert upright.rewards().mean(axis=0).min() > 0.85
    assert env.tire.tolist() == [1, 0] and env.visible == [1] and len(test.y) == len(digits.y_test)


def test_planner_looks_ahead_and_chooser_does_not():
    assert study.PLANNER.gamma > 0.5 and study.CHOOSER.gamma == 0 and study.CHOOSER.n_step == 1


@pytest.fixture
def marked(digits):
    return with_marked_tests(digits)


@pytest.mark.parametrize("table", [
    lambda nets, few: study.specialists(nets, few), lambda nets, few: study.tiring(nets, few),
    lambda nets, few: study.experts_on_halves(nets, few, config=FAST)])
def test_no_network_is_taught_with_test_images(twin, marked, table):
    nets = Watched(twin("networks"))
    table(nets, marked)
    assert never_taught_with_tests(nets)
    nets.train(nets.make_mlp((8, 4), 10, hidden=(8,)), marked.x_test[:9, :, :4], marked.y_test[:9], FAST)
    assert not never_taught_with_tests(nets)  # so one would be found
