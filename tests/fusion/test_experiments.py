"""The building blocks of notebook 05's experiments: what is held out, what is noise, what the tables hold."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from course_lib.common import data
from course_lib.fusion import choosing, experiments, robustness
from course_lib.fusion.env import ExpertChoiceEnv
from course_lib.fusion.inputs import halves
from course_lib.networks.config import TrainingConfig

FAST = TrainingConfig(epochs=2, learning_rate=3e-3)


@pytest.fixture(scope="module")
def digits():
    return data.load("digits")


def test_score_and_log_loss_by_hand():
    said, y = np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]]), np.array([0, 1])
    assert experiments.score(said, y) == 0.5
    assert experiments.log_loss(said, y) == pytest.approx(-(np.log(0.5) + np.log(0.1)) / 2)
    with pytest.raises(ValueError, match=r"got shapes \(2, 3\) and \(1,\)"):
        experiments.log_loss(said, y[:1])


def test_fewer_images_by_hand(digits):
    few = experiments.with_fewer(digits, 500)
    np.testing.assert_array_equal(few.x_train, digits.x_train[:500])
    np.testing.assert_array_equal(few.x_test, np.concatenate([digits.x_train[500:], digits.x_test]))
    np.testing.assert_array_equal(few.y_test, np.concatenate([digits.y_train[500:], digits.y_test]))
    for count in (-5, 0, 2.5, 10_000):
        with pytest.raises(ValueError, match=f"count: expected a whole number from 1 to 1347, got {count}"):
            experiments.with_fewer(digits, count)


def test_noise_covers_one_half_of_every_other_image(digits):
    images = digits.x_train
    changed = experiments.with_noise(images, seed=1) != images
    left, right = changed[:, :, :4].any(axis=(1, 2)), changed[:, :, 4:].any(axis=(1, 2))
    assert not (left & right).any() and 0.2 < left.mean() < 0.3 and 0.2 < right.mean() < 0.3
    np.testing.assert_array_equal(images, digits.x_train)


def test_turn_by_hand():
    image = np.array([[1, 2], [3, 4]])
    turned = choosing.turn(np.stack([image, image]), np.array([False, True]))
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

    models, (inside, y) = experiments.experts_on_halves(Spy(), digits, config=FAST)
    assert inside.shape == (2, len(y), 10) and 0.19 < len(y) / len(digits.x_train) < 0.21
    for m, part in enumerate(halves(digits.x_train)):  # half images that only one digit has, to know them again
        held = [i for i, image in enumerate(part) if image.tobytes() not in rows(taught[m])]
        assert len(taught[m]) == len(digits.x_train) - len(y) and len(held) > 0.8 * len(y)
        said = choosing.opinions(nets, [models[m]], [part[held]])[0]
        known = {row.tobytes() for row in np.round(inside[m], 4)}
        assert np.mean([row.tobytes() in known for row in np.round(said, 4)]) > 0.9


def test_fused_outputs_use_held_out_examples_alone():
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=400)
    good = 0.7 * np.eye(3)[y] + 0.1
    bad = rng.dirichlet(np.ones(3), 400)
    outside = np.stack([bad[:50], good[:50]])
    fused = experiments.fused_outputs(np.stack([bad, good]), y, outside)
    for name in ("best alpha by log-loss", "best alpha by accuracy", "stack"):
        assert experiments.score(fused[name], y[:50]) == 1, name
    assert experiments.score(fused["average"], y[:50]) < 1
    for probabilities in fused.values():
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


def test_tables_are_whole(twin, digits):
    fusion, nets = twin("fusion"), twin("networks")
    few = replace(digits, x_train=digits.x_train[:200], y_train=digits.y_train[:200])
    table, inside, y, outside = experiments.halves_table(fusion, nets, few, config=FAST)
    assert len(table) == 13 and all(0 < value <= 1 for value in table.values())
    assert inside.shape == (2, len(y), 10) and outside.shape == (2, len(digits.y_test), 10)
    assert table["left half"] == experiments.score(outside[0], digits.y_test)
    table, paths = experiments.weight_space(fusion, nets, few, width=8, config=FAST, points=3)
    assert len(table) == 10 and all(path.shape == (3,) for path in paths.values())
    ends = [path[[0, -1]] for path in paths.values()]
    np.testing.assert_allclose(ends, [ends[0]] * 3, rtol=1e-4)  # its neurons' order changes nothing
    table, alike = experiments.partners_table(fusion, nets, few, config=FAST)
    assert len(table) == 9 and all(-1 <= value <= 1 for value in alike.values())


def test_rules_in_the_tiring_game_by_hand():
    said = np.zeros((2, 100, 2))
    said[0, :, 0], said[1, :, 1] = 1, 1  # the first expert is always right, the second one never
    env = ExpertChoiceEnv(said, np.zeros(100, int), length=10)
    assert choosing.follow(env, lambda obs, step: np.zeros(len(obs), int), episodes=3) == 1
    assert choosing.follow(env, lambda obs, step: np.full(len(obs), step % 2), episodes=3) == 0.5


def test_membership_by_hand():
    sure, unsure = np.array([[0.9, 0.1], [0.8, 0.2]]), np.array([[0.6, 0.4], [0.7, 0.3]])
    first = np.array([0, 0])
    assert robustness.membership(sure, first, unsure, first) == 1
    assert robustness.membership(unsure, first, sure, first) == 0
    assert robustness.membership(sure, first, sure, first) == 0.5
    with pytest.raises(ValueError, match=r"got \(2, 2\) and \(3,\)"):
        robustness.membership(sure, first, unsure, np.zeros(3, int))


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
    env, test = (ExpertChoiceEnv(certain(right, y), y, weightings=choosing.WEIGHTINGS)
                 for right in ((first, second), (second, first)))
    fake = Fixed(4)
    found = choosing.choice_table(fake, env, test, interactions=50)
    assert found["best fixed action"] == 0.4 and found["DQN"] == 0.9 and found["oracle"] == 0.9
    assert fake.configs[0].gamma == 0 and fake.envs[0].num_envs == 16
    assert fake.envs[0].env is env
    sure = test.predictions.copy()
    sure[0, 4:9] = [0.45, 0.55]  # wrong and unsure now: the surer expert is the right one
    again = ExpertChoiceEnv(sure, y, weightings=choosing.WEIGHTINGS)
    assert choosing.choice_table(fake, env, again, interactions=50)["the surer expert"] >= 0.9


def test_rules_of_the_tiring_game_are_chosen_in_one_environment_and_scored_in_the_other():
    def game(weak):
        said = np.stack([np.tile([0.98, 0.02], (200, 1)), np.tile(weak, (200, 1))])
        return ExpertChoiceEnv(said, np.zeros(200, int), visible=[1], tire=[1, 0], recover=0.5, length=30)

    # Where the rules are chosen the weak expert is always wrong, so it pays to ask the strong one often.
    fake = Fixed(1)
    found = choosing.tiring_table(fake, game([0.4, 0.6]), game([0.6, 0.4]))
    assert found["only the one who does not tire"] == found["DQN that looks ahead"] == 1
    assert found["the one who tires now and then"] <= 1 and len(found) == 7
    assert [config.gamma > 0 for config in fake.configs] == [False, True]
    # The first is right where the other one is unsure, and wrong where it is sure; neither tires.
    doubt = np.arange(200) % 2 == 0
    said = np.where(doubt[:, None], [[[0.98, 0.02]], [[0.45, 0.55]]], [[[0.02, 0.98]], [[0.75, 0.25]]])
    env = ExpertChoiceEnv(said, np.zeros(200, int), visible=[1], tire=[1e-9, 0], length=30)
    assert choosing.tiring_table(fake, env, env)["... if the other one is unsure"] == 1
    # Both agents always ask the strong one, who is right about any example here; sparing it asks the wrong one instead.
    found = choosing.tiring_table(Fixed(0), game([0.4, 0.6]), game([0.4, 0.6]))
    assert found["DQN that looks no further"] == found["DQN that looks ahead"] == 1
    assert 0.3 < found["... and spares who has not rested"] < 0.8


def test_the_one_who_tires_reads_turned_images_and_the_other_one_does_not(twin, digits):
    nets = twin("networks")
    env, test = choosing.tiring(nets, digits, turned=1.0)
    assert env.rewards().mean(axis=0)[1] < 0.3 < 0.85 < env.rewards().mean(axis=0)[0]
    upright, _ = choosing.tiring(nets, digits, turned=0.0)
    assert upright.rewards().mean(axis=0).min() > 0.85
    assert env.tire.tolist() == [1, 0] and env.visible == [1] and len(test.y) == len(digits.y_test)


def test_planner_looks_ahead_and_chooser_does_not():
    assert choosing.PLANNER.gamma > 0.5 and choosing.CHOOSER.gamma == 0 and choosing.CHOOSER.n_step == 1


def test_what_is_missing_is_the_left_half(digits):
    seen, few = [], replace(digits, x_train=digits.x_train[:64], y_train=digits.y_train[:64])

    class Nets:
        def make_mlp(self, *args, **options):
            return "network"

        def train(self, model, x, y, config, **options):
            seen.append(("trained", len(y) * config.epochs))

        def predict(self, model, x):
            seen.append((model, x))
            return np.zeros((len(x), 10))

        def accuracy(self, model, inputs, y):
            seen.append(inputs)
            return 0.5

    class Fusion:
        def features(self, model):
            return model

        def ConcatFusion(self, *args, **options):  # noqa: N802
            return "fused"

    found = robustness.missing_table(Fusion(), Nets(), few, ["left", "right"], config=FAST)
    named, pairs = ([one for one in seen if isinstance(one[0], str) == kind] for kind in (True, False))
    asked = [x for name, x in named if name == "left"]
    left, right = halves(few.x_test)
    np.testing.assert_array_equal(asked[0], left)
    assert not asked[1].any()
    assert len(pairs) == 4 and not pairs[1][0].any() and not pairs[3][0].any()
    for one in pairs:
        np.testing.assert_array_equal(one[1], right)
    assert [x for name, x in named if name == "trained"] == [2 * 64, 1 * 3 * 64]  # epochs: 2, and a third of them
    assert found["concatenation"] == (0.5, 0.5)


MARK = 0.987  # in the corners of every test image, where no training image has it


class Watched:
    """A twin of classifier that remembers what its networks were trained with."""

    def __init__(self, nets):
        self.nets, self.lessons = nets, []

    def __getattr__(self, name):
        return getattr(self.nets, name)

    def train(self, model, x, y, config, **options):
        self.lessons.append((x if isinstance(x, tuple) else (x,), np.asarray(y)))
        return self.nets.train(model, x, y, config, **options)


@pytest.fixture
def marked(digits):
    x = digits.x_test.copy()
    x[:, [0, 0, -1, -1], [0, -1, 0, -1]] = MARK
    return replace(digits, x_train=digits.x_train[:300], y_train=digits.y_train[:300], x_test=x)


def never_taught_with_tests(nets):
    return nets.lessons and not any(np.isclose(part, MARK, atol=1e-4).any() for x, _ in nets.lessons for part in x)


TABLES = {
    "halves": lambda fusion, nets, dqn, few: experiments.halves_table(fusion, nets, few, config=FAST),
    "partners": lambda fusion, nets, dqn, few: experiments.partners_table(fusion, nets, few, config=FAST),
    "weights": lambda fusion, nets, dqn, few: experiments.weight_space(fusion, nets, few, width=8, config=FAST,
                                                                       points=3),
    "specialists": lambda fusion, nets, dqn, few: choosing.specialists_table(fusion, nets, dqn, few),
    "tiring": lambda fusion, nets, dqn, few: choosing.tiring(nets, few),
    "poisoned": lambda fusion, nets, dqn, few: robustness.poisoned_table(nets, few, config=FAST),
    "missing": lambda fusion, nets, dqn, few: robustness.missing_table(fusion, nets, few, two(nets), config=FAST),
    "attack": lambda fusion, nets, dqn, few: robustness.attack_table(fusion, nets, few, two(nets), config=FAST),
    "privacy": lambda fusion, nets, dqn, few: robustness.privacy_table(nets, few, members=50, teachers=2, config=FAST),
}


def two(nets):
    return [nets.make_mlp((8, 4), 10, hidden=(8,), seed=seed) for seed in (0, 1)]


@pytest.mark.parametrize("table", TABLES)
def test_no_network_is_taught_with_test_images(twin, marked, table):
    nets = Watched(twin("networks"))
    TABLES[table](twin("fusion"), nets, Fixed(0), marked)
    assert never_taught_with_tests(nets)
    nets.train(two(nets)[0], marked.x_test[:9, :, :4], marked.y_test[:9], FAST)  # and this one would be found
    assert not never_taught_with_tests(nets)


def test_one_of_three_lies(twin, marked):
    nets = Watched(twin("networks"))
    robustness.poisoned_table(nets, marked, config=FAST)
    assert [int((y - marked.y_train).max()) == 0 for _, y in nets.lessons] == [True] * 3 + [False]
    np.testing.assert_array_equal(nets.lessons[-1][1], (marked.y_train + 1) % 10)


def test_the_attacker_moves_left_halves_alone_and_by_no_more_than_a_step(twin, marked):
    fusion, asked = twin("fusion"), []

    class Nets(Watched):
        def accuracy(self, model, x, y):
            asked.append(np.concatenate(x if isinstance(x, tuple) else [x], axis=2))
            return self.nets.accuracy(model, x, y)

    nets = Nets(twin("networks"))
    table = robustness.attack_table(fusion, nets, marked, two(nets), config=FAST, step=0.05)
    assert len(asked) == 2 * (len(table) - 2)
    for before, after in zip(asked[::2], asked[1::2], strict=True):
        np.testing.assert_array_equal(before, marked.x_test)
        np.testing.assert_array_equal(after[:, :, 4:], marked.x_test[:, :, 4:])
        assert 0.04 < np.abs(after - before)[:, :, :4].max() < 0.051


def test_what_is_trained_already_is_not_trained_again(twin, marked):
    fusion, nets = twin("fusion"), Watched(twin("networks"))
    experts = two(nets)
    together = experiments.fused_features(fusion, nets, marked, config=FAST)
    alone = robustness.attack_table(fusion, nets, marked, experts, config=FAST)
    taught = len(nets.lessons)
    assert robustness.attack_table(fusion, nets, marked, experts, together=together) == alone
    assert len(nets.lessons) == taught
    robustness.missing_table(fusion, nets, marked, experts, together=together, config=FAST)
    assert len(nets.lessons) == taught + 1  # what is taught to miss


def test_the_pupil_hears_only_what_teachers_say(twin, marked):
    nets = Watched(twin("networks"))
    robustness.privacy_table(nets, marked, members=50, teachers=2, mistakes=1.0, config=FAST)
    (members, noted), (public, told) = (((x,), y) for (x,), y in (nets.lessons[0], nets.lessons[-1]))
    assert len(noted) == 50 and len(told) == 250
    assert not {image.tobytes() for image in members[0]} & {image.tobytes() for image in public[0]}
    true = {image.tobytes(): label for image, label in zip(marked.x_train, marked.y_train, strict=True)}
    assert np.mean([true[image.tobytes()] == label for image, label in zip(public[0], told, strict=True)]) < 0.5
