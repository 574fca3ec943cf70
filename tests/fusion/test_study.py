"""The studies of fusion: what is held out, what is noise, what the tables hold."""

from types import SimpleNamespace

import fusion as study
import numpy as np
import pytest
from watched import Watched, never_taught_with_tests, with_marked_tests

from course_lib.fusion import outputs
from course_lib.fusion.env import ExpertChoiceEnv
from course_lib.fusion.inputs import halves
from course_lib.networks.config import TrainingConfig

FAST = TrainingConfig(epochs=2, learning_rate=3e-3)


def test_score_by_hand():
    said, y = np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]]), np.array([0, 1])
    assert study.score(said, y) == 0.5


def test_noise_covers_one_half_of_every_other_image(digits):
    images = digits.x_train
    changed = study.with_noise(images, seed=1) != images
    left, right = changed[:, :, :4].any(axis=(1, 2)), changed[:, :, 4:].any(axis=(1, 2))
    assert not (left & right).any() and 0.2 < left.mean() < 0.3 and 0.2 < right.mean() < 0.3
    np.testing.assert_array_equal(images, digits.x_train)
    noise = study.with_noise(images, seed=1)[left][:, :, :4]
    assert 0.27 < noise.std() < 0.31 and noise.std(axis=0).min() > 0.2  # uniform in [0, 1], and of each image its own


def test_ten_parts_of_which_no_two_share_an_image():
    parts = [study.tenth("digits", seed, train=100, test=60) for seed in range(10)]
    images = [image.tobytes() for part in parts for x in (part.x_train, part.x_test) for image in x]
    assert [len(part.x_train) for part in parts] == [100] * 10 and [len(part.y_test) for part in parts] == [60] * 10
    assert len(set(images)) >= len(images) - 2  # of all the digits two pairs are alike


def test_the_other_camera_sees_two_pixels_further_to_the_right():
    images = np.arange(1, 9, dtype=float).reshape(2, 1, 4)
    seen = study.other_camera(images, np.array([False, True]))
    assert seen.tolist() == [[[1, 2, 3, 4]], [[0, 0, 5, 6]]]


def test_each_five_seeds_test_on_every_digit_once(digits):
    folds = [study.divided(seed) for seed in range(5, 10)]
    tested = np.concatenate([fold.x_test for fold in folds])
    everything = np.concatenate([digits.x_train, digits.x_test])
    assert len(tested) == len(everything) == 1_797
    assert sorted(image.tobytes() for image in tested) == sorted(image.tobytes() for image in everything)
    assert {len(fold.x_train) + len(fold.x_test) for fold in folds} == {1_797}
    assert not np.array_equal(folds[0].y_test, study.divided(0).y_test)


def test_gates_that_do_not_look_are_learned_but_alike_for_all_images(twin, digits):
    fusion, nets = twin("fusion"), twin("networks")
    net, parts = study.blind(fusion, nets, digits), halves(digits.x_train)
    before = net.gates(*parts)
    nets.train(net, parts, digits.y_train, FAST)
    gates = net.gates(*parts)
    np.testing.assert_allclose(before, 0.5)
    assert np.ptp(gates, axis=0).max() < 1e-5 and np.abs(gates - 0.5).max() > 0.01
    np.testing.assert_allclose(gates.sum(axis=1), 1, atol=1e-5)


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
    for name in ("best alpha by log-loss", "best alpha by accuracy", "stack", "stack on probabilities"):
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


def test_tables_and_bandits_learn_in_one_environment_and_are_scored_in_the_other(monkeypatch, twin, digits):
    """The first expert is right where choices are learned, the second one where they are scored."""
    y = np.arange(60) % 2
    right, wrong = np.eye(2)[y], np.eye(2)[1 - y]
    parts = [(np.full((60, 8, 8), part, np.float32), y, np.full(60, part == 1)) for part in (0, 1)]
    monkeypatch.setattr(study, "two_cameras", lambda *_, **__: ([None, None], parts, 0.5))
    monkeypatch.setattr(study.outputs, "opinions", lambda nets, experts, inputs: np.array(
        [wrong, right] if inputs[0].max() else [right, wrong]))
    found = study.cameras_table(Fixed(1), twin("networks"), digits, tries=300)
    learned = ("one expert", "stack", "table of 10", "table of 100", "LinUCB", "a network with all rewards")
    assert {name: found[name] for name in learned} == dict.fromkeys(learned, 0.0)
    assert found["DQN"] == found["best choice there is"] == found["at home"] == 1 and found["abroad"] == 0


def test_rules_of_the_tiring_game_are_chosen_in_one_environment_and_scored_in_the_other():
    def game(weak):
        said = np.stack([np.tile([0.98, 0.02], (200, 1)), np.tile(weak, (200, 1))])
        return ExpertChoiceEnv(said, np.zeros(200, int), visible=[1], tire=[1, 0], recover=0.5, length=30)

    # Where the rules are chosen the weak expert is always wrong, so it pays to ask the strong one often.
    fake = Fixed(1)
    found = study.tiring_table(fake, game([0.4, 0.6]), game([0.6, 0.4]))
    assert found["the first camera's expert alone"] == found["DQN that looks ahead"] == 1
    assert found["the tiring expert, every n-th image"] <= 1 and len(found) == 7
    assert [config.gamma > 0 for config in fake.configs] == [False, True]
    # The first is right where the other one is unsure, and wrong where it is sure; neither tires.
    doubt = np.arange(200) % 2 == 0
    said = np.where(doubt[:, None], [[[0.98, 0.02]], [[0.45, 0.55]]], [[[0.02, 0.98]], [[0.75, 0.25]]])
    env = ExpertChoiceEnv(said, np.zeros(200, int), visible=[1], tire=[1e-9, 0], length=30)
    assert study.tiring_table(fake, env, env)["... if the first is unsure"] == 1
    # Both agents always ask the strong one, who is right about any example here; sparing it asks the wrong one instead.
    found = study.tiring_table(Fixed(0), game([0.4, 0.6]), game([0.4, 0.6]))
    assert found["DQN that looks no further"] == found["DQN that looks ahead"] == 1
    assert 0.3 < found["... and spares it until it has rested"] < 0.8


def test_the_agent_that_looks_ahead_is_the_one_with_a_gamma():
    class ByGamma(Fixed):
        def train(self, env, config, **options):
            self.action = int(config.gamma > 0)
            found = super().train(env, config, **options)
            action = self.action
            found.agent.act = lambda obs: np.full(len(obs), action)
            return found

    said = np.stack([np.tile([0.98, 0.02], (50, 1)), np.tile([0.02, 0.98], (50, 1))])  # the second is always wrong
    env, test = (ExpertChoiceEnv(said, np.zeros(50, int), visible=[1], tire=[0, 0]) for _ in range(2))
    fake = ByGamma(0)
    found = study.tiring_table(fake, env, test)
    assert found["DQN that looks no further"] == 1 and found["DQN that looks ahead"] == 0
    assert all(copies.env is env for copies in fake.envs)


def test_the_tiring_expert_reads_both_cameras_and_the_other_one_its_own(twin, digits):
    nets = twin("networks")
    env, test = study.tiring(nets, digits, second=1.0)
    assert env.rewards().mean(axis=0)[1] < 0.3 < 0.85 < env.rewards().mean(axis=0)[0]
    at_home, _ = study.tiring(nets, digits, second=0.0)
    assert at_home.rewards().mean(axis=0).min() > 0.85
    assert env.tire.tolist() == [1, 0] and env.visible == [1] and len(test.y) == len(digits.y_test)


def test_each_of_two_cameras_has_an_expert_and_one_network_knows_both(twin, digits):
    nets = twin("networks")
    experts, (choose, (images, labels, second)), whole = study.two_cameras(nets, digits)
    np.testing.assert_array_equal(images, study.other_camera(digits.x_test, second))
    assert 0.4 < second.mean() < 0.6 and abs(len(choose[0]) - len(digits.x_train) / 2) < 1
    right = [[nets.accuracy(model, images[second == camera], labels[second == camera]) for camera in (False, True)]
             for model in experts]
    assert min(right[0][0], right[1][1]) > 0.9 and max(right[0][1], right[1][0]) < 0.35 and whole > 0.93


def test_a_table_by_hand():
    q = study.tabular(3, np.array([0, 2]), np.array([[1.0, 0.0], [0.0, 1.0]]), tries=2_000)
    assert q.argmax(axis=1).tolist() == [0, 0, 1] and q[0, 0] > 0.99 > 0.5 > q[0, 1] and q[1].tolist() == [0.5, 0.5]
    q = study.tabular(1, np.array([0]), np.array([[1.0, 0.0]]), tries=100, epsilon=0.0)
    assert q[0, 1] == 0.5  # never tried


@pytest.fixture
def marked(digits):
    return with_marked_tests(digits)


@pytest.mark.parametrize("table", [
    lambda nets, few, _: study.two_cameras(nets, few), lambda nets, few, _: study.tiring(nets, few),
    lambda nets, few, fusion: study.said_of_halves(fusion, nets, few, clean=few.x_train, config=FAST),
    lambda nets, few, fusion: study.mixture_table(fusion, nets, few, epochs=2)])
def test_no_network_is_taught_with_test_images(twin, marked, table):
    nets = Watched(twin("networks"))
    found = table(nets, marked, twin("fusion"))
    if isinstance(found, dict) and "gated" in found:
        assert {np.shape(said) for said in found.values()} == {(len(marked.y_test), 10)}
    assert never_taught_with_tests(nets)
    nets.train(nets.make_mlp((8, 4), 10, hidden=(8,)), marked.x_test[:9, :, :4], marked.y_test[:9], FAST)
    assert not never_taught_with_tests(nets)  # so one would be found
