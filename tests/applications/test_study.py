"""The studies of fusion at work: who sees which data, and what is done to them."""

from dataclasses import replace

import applications as study
import numpy as np
import pytest
from watched import Watched, never_taught_with_tests, with_marked_tests

from course_lib.common import data
from course_lib.fusion.inputs import halves
from course_lib.networks.config import TrainingConfig

FAST = TrainingConfig(epochs=2, learning_rate=3e-3)


@pytest.fixture(scope="module")
def digits():
    return data.load("digits")


@pytest.fixture
def marked(digits):
    return with_marked_tests(digits)


def rows(images):
    return {np.ascontiguousarray(image).tobytes() for image in images}


def two(nets):
    return [nets.make_mlp((8, 4), 10, hidden=(8,), seed=seed) for seed in (0, 1)]


TABLES = {
    "partners": lambda twin, nets, few: study.partners_table(nets, few, config=FAST),
    "transfer": lambda twin, nets, few: study.transfer_table(nets, few, config=FAST, own=FAST),
    "poisoned": lambda twin, nets, few: study.poisoned_table(nets, few, config=FAST),
    "missing": lambda twin, nets, few: study.missing_table(twin("fusion"), nets, few, two(nets), config=FAST),
    "attack": lambda twin, nets, few: study.attack_table(twin("applications"), twin("fusion"), nets, few, two(nets),
                                                         config=FAST),
    "privacy": lambda twin, nets, few: study.privacy_table(nets, few, members=100, config=FAST),
}


@pytest.mark.parametrize("table", TABLES)
def test_no_network_is_taught_with_test_images(twin, marked, table):
    nets = Watched(twin("networks"))
    TABLES[table](twin, nets, marked)
    assert never_taught_with_tests(nets)
    nets.train(two(nets)[0], marked.x_test[:9, :, :4], marked.y_test[:9], FAST)  # and this one would be found
    assert not never_taught_with_tests(nets)


# --- partners and domains


def test_flattened_opinions_are_less_sure_and_change_no_verdict(twin, digits):
    said = study.partners_table(twin("networks"), study.cut(digits, 100), config=FAST)
    sure, flat = said["RNN"], said["RNN, its opinions flattened"]
    np.testing.assert_array_equal(sure.argmax(axis=1), flat.argmax(axis=1))
    assert (flat.max(axis=1) < sure.max(axis=1)).all()
    np.testing.assert_allclose(np.log(flat[:, 0] / flat[:, 1]), np.log(sure[:, 0] / sure[:, 1]) / 3, atol=1e-4)


def test_small_shapes_keep_their_ink():
    labels = np.arange(20) % 10
    large, small = (draw(labels, np.random.default_rng(0)) for draw in (study.shapes.draw, study.small_shapes))
    assert small.shape == (20, 8, 8) and 0 <= small.min() and small.max() <= 1
    np.testing.assert_allclose(9 * small.sum(axis=(1, 2)), large.sum(axis=(1, 2)), rtol=0.02)


def test_a_router_learns_from_few_images_and_no_classes(twin, digits):
    nets = Watched(twin("networks"))
    found, y, own = study.domains_table(twin("fusion"), nets, study.cut(digits, 200), config=FAST)
    sizes = [(len(labels), int(labels.max())) for _, labels in nets.lessons]
    assert sizes[:4] == [(200, 9), (200, 9), (40, 1), (400, 1)]
    few, taught = nets.lessons[2][1], [nets.lessons[index][0][0] for index in (0, 1, 2, 3, 5)]
    assert not any(rows(x) & rows(digits.x_test) for x in taught)
    assert (few == np.repeat([0, 1], 20)).all() and set(y) == set(range(20))
    for said in found.values():
        np.testing.assert_allclose(said.sum(axis=1), 1, atol=1e-5)


# --- languages


def test_names_are_of_one_language_each():
    names = study.names_of_places()
    assert list(names) == list(study.LETTERS) and min(map(len, names.values())) > 150
    assert sum(map(len, names.values())) == len(set().union(*names.values()))
    assert "elfenbeinküste" not in names["sv"] and "deutschland" in names["de"]


def test_a_language_without_a_letter_of_the_name_is_out():
    may = dict(zip(("łódź", "københavn", "são tomé", "paris", "ñßł"),
                   study.possible(["łódź", "københavn", "são tomé", "paris", "ñßł"]), strict=True))
    left = {name: [language for language, may_be in zip(study.LETTERS, row, strict=True) if may_be]
            for name, row in may.items()}
    assert left["łódź"] == ["pl"] and left["københavn"] == ["da", "nb"] and left["são tomé"] == ["pt"]
    assert left["paris"] == left["ñßł"] == list(study.LETTERS)


def test_names_to_learn_from_and_to_test_are_others():
    (x, y), (x_test, y_test) = study.divided_names(30, 0)
    assert not set(x) & set(x_test) and np.bincount(y).tolist() == [30] * 15
    assert len(y) + len(y_test) == sum(map(len, study.names_of_places().values()))


# --- what is missing or poisoned


def test_an_input_that_is_missing():
    x = (np.arange(1.0, 5).reshape(2, 2), np.arange(5.0, 7).reshape(2, 1))
    (first, second), y = study.with_missing(x, np.array([3, 4]))
    assert first.tolist() == [[1, 2], [3, 4], [0, 0], [0, 0], [1, 2], [3, 4]]
    assert second.tolist() == [[5], [6], [5], [6], [0], [0]] and y.tolist() == [3, 4] * 3


class Asked(Watched):
    """Remembers what its networks were asked, too."""

    def __init__(self, nets):
        super().__init__(nets)
        self.questions = []

    def predict(self, model, x, **options):
        self.questions.append(x)
        return self.nets.predict(model, x, **options)


def test_what_is_missing_is_the_left_half(twin, digits):
    nets, few = Asked(twin("networks")), study.cut(digits, 64)
    study.missing_table(twin("fusion"), nets, few, two(twin("networks")), config=FAST)
    left, right = halves(few.x_test)
    lone, pairs = ([x for x in nets.questions if isinstance(x, tuple) == both] for both in (False, True))
    for found, wanted in zip(lone, (left, right, 0 * left, right), strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert len(pairs) == 4
    for index, pair in enumerate(pairs):
        np.testing.assert_array_equal(pair[0], 0 * left if index % 2 else left)
        np.testing.assert_array_equal(pair[1], right)
    assert [len(y) for _, y in nets.lessons] == [64, 3 * 64]


def test_the_attacker_moves_left_halves_alone_and_by_no_more_than_a_step(twin, marked):
    nets = Asked(twin("networks"))
    study.attack_table(twin("applications"), twin("fusion"), nets, marked, two(nets), config=FAST, step=0.05)
    moved = 0
    for question in nets.questions[6:]:  # the first six are asked of one half each
        whole = np.concatenate(question if isinstance(question, tuple) else [question], axis=2)
        np.testing.assert_array_equal(whole[:, :, 4:], marked.x_test[:, :, 4:])
        off = np.abs(whole - marked.x_test)[:, :, :4].max()
        assert off < 0.051
        moved += off > 0.04
    assert moved == 6 and len(nets.questions) == 6 + 12


def test_poison_by_hand(digits):
    x, y = digits.x_train[:50], digits.y_train[:50]
    found, labels = study.poisoned(x, y, 0.2, np.random.default_rng(0))
    changed = np.flatnonzero((found != x).any(axis=(1, 2)) | (labels != y))
    assert len(changed) == 10 and (labels[changed] == 0).all()
    assert (found[changed][:, 0, [0, 7]] == 1).all() and (found[changed][:, 1:] == x[changed][:, 1:]).all()
    large = study.with_trigger(np.zeros((1, 28, 28)))
    assert large.sum() == 2 * 4 and large[0, :2, :2].all() and large[0, :2, -2:].all()


def test_a_third_of_the_images_is_poisoned(twin, marked):
    nets = Watched(twin("networks"))
    study.poisoned_table(nets, marked, config=FAST)
    sizes = [len(y) for _, y in nets.lessons]
    assert sizes == [100] * 3 + [100, 300] * 4  # the honest ones, then for each attack the first and all in one
    clean, backdoor, moved = (nets.lessons[index] for index in (3, 5, 9))
    assert (clean[1] != backdoor[1]).sum() <= 10 and (backdoor[0][0][:, 0, [0, 7]] == 1).all(axis=1).sum() >= 10
    np.testing.assert_array_equal(moved[1], (clean[1] + 1) % 10)
    for index in (4, 6, 10):
        np.testing.assert_array_equal(nets.lessons[index][1][:100], nets.lessons[index - 1][1])


# --- privacy


def test_who_learns_from_which_images(twin, digits):
    nets = Watched(twin("networks"))
    study.privacy_table(nets, study.cut(digits, 300), members=90, config=FAST)
    members = rows(nets.lessons[0][0][0])
    assert [len(y) for _, y in nets.lessons] == [90] * 3 + [30] * 3 + [90] * 2 + [210] * 2 + [90]
    assert all(rows(x[0]) <= members for x, _ in nets.lessons[:8])
    for place in (8, 9):
        assert not rows(nets.lessons[place][0][0]) & members
    assert rows(nets.lessons[10][0][0]) == members
    noted, true = nets.lessons[0][1], nets.lessons[6][1]
    assert 0.1 < (noted != true).mean() < 0.45  # three in ten, a tenth of which were noted rightly


def test_private_regression_without_noise_is_gradient_descent(digits):
    x, y = digits.x_train[:40], digits.y_train[:40]
    inputs, weights = np.hstack([x.reshape(40, -1), np.ones((40, 1))]), np.zeros((65, 10))
    for _ in range(3):
        said = np.exp(inputs @ weights)
        said /= said.sum(axis=1, keepdims=True)
        weights -= 0.5 * inputs.T @ (said - np.eye(10)[y]) / 40
    wanted = np.exp(inputs @ weights)
    model = study.private_regression(x, y, clip=1e9, steps=3, rate=0.5)
    np.testing.assert_allclose(model(x), wanted / wanted.sum(axis=1, keepdims=True), rtol=1e-5)


def test_one_example_moves_a_clipped_step_by_no_more_than_the_clip(digits):
    x, y = 50 * digits.x_train[:40], digits.y_train[:40]
    change = []
    for count in (40, 39):
        eyes = np.zeros((65, 8, 8))
        eyes.reshape(65, 64)[np.arange(64), np.arange(64)] = 1
        said = np.log(study.private_regression(x[:count], y[:count], clip=1.0, steps=1, rate=count)(eyes))
        change.append(said - said.mean(axis=1, keepdims=True))  # weights, but for a constant of each row
    weights = [found[:64] - found[64] for found in change]  # without the bias
    assert 0.3 < np.linalg.norm(weights[0] - weights[1]) <= 1 + 1e-5


def test_epsilon_by_hand():
    assert study.epsilon(10.0, 200, np.exp(-4)) == pytest.approx(1 + 2 * 2)
    assert study.epsilon(6.0, 100, 1e-3) == pytest.approx(7.58, abs=0.01)


def test_only_some_labels_decide_what_the_attackers_look_at():
    inside, outside = np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([[0.6, 0.4], [0.6, 0.4]])
    found = study.leaks(inside, np.array([0, 0]), outside, np.array([0, 0]))
    assert found == {"by the noted class": 0.5, "by the largest probability": 1.0}


# --- the game


def test_the_rule_and_the_share():
    obs = np.array([[0, 0, 0, -1.0], [0, 0, 0, 2.0]])
    assert study.rule(obs).tolist() == [0, 1]

    class Agent:
        def q_values(self, obs):
            return np.array([[0.0, 50.0], [50.0, 0.0]])

    for share, wanted in ((0.0, [0, 1]), (1.0, [1, 0]), (0.4, [0, 1]), (0.6, [1, 0])):
        assert study.Fused(Agent(), np.full(2, share), 1.0).act(obs).tolist() == wanted


def test_rows_of_the_game(twin):
    config = replace(study.GAME, total_steps=2_000, eval_every=1_000, warmup_steps=500)
    found = study.game_rows(twin("dqn"), 0, config, episodes=4)
    assert [row["player"] for row in found[:4]] == ["rule", "DQN", "fusion", "the better of the two"]
    assert {row["steps"] for row in found} == {1_000, 2_000}
    assert all(0 < row["return"] <= 500 and 0 <= row["early"] <= 1 for row in found)
    assert found[0]["return"] > 100 and found[3]["return"] in (found[0]["return"], found[1]["return"])
