"""The studies of fusion at work: who sees which data, and what is done to them."""

from dataclasses import replace

import applications as study
import numpy as np
import pytest
from watched import Watched, never_taught_with_tests, with_marked_tests

from course_lib.fusion.inputs import halves
from course_lib.networks.config import TrainingConfig

FAST = TrainingConfig(epochs=2, learning_rate=3e-3)


@pytest.fixture
def marked(digits):
    return with_marked_tests(digits)


def rows(images):
    return {np.ascontiguousarray(image).tobytes() for image in images}


def two(nets):
    return [nets.make_mlp((8, 4), 10, hidden=(8,), seed=seed) for seed in (0, 1)]


class Asked(Watched):
    """Remembers what its networks were asked, too, and for how long they were trained."""

    def __init__(self, nets):
        super().__init__(nets)
        self.questions, self.epochs = [], []

    def train(self, model, x, y, config, **options):
        self.epochs.append(config.epochs)
        return super().train(model, x, y, config, **options)

    def predict(self, model, x, **options):
        self.questions.append(x)
        return self.nets.predict(model, x, **options)


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
    found, y, own = study.domains_table(nets, study.cut(digits, 200), config=FAST)
    sizes = [(len(labels), int(labels.max())) for _, labels in nets.lessons]
    assert sizes == [(200, 9), (200, 9), (40, 1), (400, 1), (400, 19), (400, 19)]
    few, taught = nets.lessons[2][1], [nets.lessons[index][0][0] for index in (0, 1, 2, 3, 5)]
    assert not any(rows(x) & rows(digits.x_test) for x in taught)
    assert (few == np.repeat([0, 1], 20)).all() and set(y) == set(range(20))
    for said in found.values():
        np.testing.assert_allclose(said.sum(axis=1), 1, atol=1e-5)


def test_what_a_network_was_trained_on_before(twin, digits):
    nets, few = Watched(twin("networks")), study.cut(digits, 80)
    study.transfer_table(nets, few, config=FAST, own=FAST)
    assert [len(y) for _, y in nets.lessons] == [50, 80, 50, 50, 30, 50, 50]
    mine, mirrored = rows(nets.lessons[0][0][0]), rows(nets.lessons[4][0][0][:, :, ::-1])
    assert mine | mirrored == rows(few.x_train) and not mine & mirrored and len(mine) == 50
    assert all(rows(nets.lessons[index][0][0]) == mine for index in (2, 3, 5, 6))


def test_the_routers_word_is_about_domains(digits):
    class Nets:
        def make_mlp(self, shape, classes, *, hidden, seed):
            return classes, hidden

        def train(self, *_, **__):
            pass

        def get_layers(self, model):
            return [(np.zeros((64, 64)), np.zeros(64))] * 2

        def predict(self, model, x):
            found = np.zeros((len(x), model[0]))
            found[:, 0] = 30 if model == (2, (16,)) else 5  # the router: all are digits; experts: all are class 0
            return found

    (x, y, x_test, _), (drawn, _, drawn_test, _) = study.two_domains(digits, 0)
    assert not rows(drawn) & rows(drawn_test) and len(drawn) == len(x) and len(drawn_test) == len(x_test)
    found, y, _ = study.domains_table(Nets(), study.cut(digits, 60))
    said = found["router, 20 images of each"]
    assert said.shape == (2 * len(digits.y_test), 20)
    assert (said.argmax(axis=1) == 0).all() and (said[:, 10:] < 1e-9).all()
    np.testing.assert_allclose(said.sum(axis=1), 1, atol=1e-6)


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


def test_the_rules_error_is_counted_on_the_names_to_learn_from(twin, monkeypatch):
    known, new = (["paris", "københavn", "são tomé"], np.array([5, 1, 2])), (["łódź", "ålandinseln"], np.array([11, 2]))
    monkeypatch.setattr(study, "divided_names", lambda count, seed: [known, new])
    nets = Asked(twin("networks"))
    table, may, y = study.languages_table(nets, 1, 0, FAST)
    assert len(nets.lessons) == 1 and nets.lessons[0][1].tolist() == [5, 1, 2] and y.tolist() == [11, 2]
    assert may[0].sum() == 1 and not may[1, 2]
    ratio = table["rule that may be wrong"][1] / table["network"][1]
    np.testing.assert_allclose(ratio[2] / ratio[13], (1 + 1) / (2 + 2), rtol=1e-4)  # of two rules one was wrong


# --- what is missing or poisoned


def test_an_input_that_is_missing():
    x = (np.arange(1.0, 5).reshape(2, 2), np.arange(5.0, 7).reshape(2, 1))
    (first, second), y = study.with_missing(x, np.array([3, 4]))
    assert first.tolist() == [[1, 2], [3, 4], [0, 0], [0, 0], [1, 2], [3, 4]]
    assert second.tolist() == [[5], [6], [5], [6], [0], [0]] and y.tolist() == [3, 4] * 3


def test_what_is_missing_is_the_left_half(twin, digits):
    nets, few = Asked(twin("networks")), study.cut(digits, 64)
    study.missing_table(twin("fusion"), nets, few, two(twin("networks")), config=FAST)
    left, right = halves(few.x_test)
    lone, pairs = ([x for x in nets.questions if isinstance(x, tuple) == both] for both in (False, True))
    assert nets.epochs == [2, 1]
    for found, wanted in zip(lone, (left, right, 0 * left, right), strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert len(pairs) == 4
    for index, pair in enumerate(pairs):
        np.testing.assert_array_equal(pair[0], 0 * left if index % 2 else left)
        np.testing.assert_array_equal(pair[1], right)
    np.testing.assert_array_equal(nets.lessons[0][0][0], halves(few.x_train)[0])
    assert [len(y) for _, y in nets.lessons] == [64, 3 * 64]


def test_the_attacker_moves_left_halves_alone_and_by_no_more_than_a_step(twin, marked):
    nets = Asked(twin("networks"))
    study.attack_table(twin("applications"), twin("fusion"), nets, marked, two(nets), config=FAST, step=0.05)
    moved, left, right = 0, *halves(marked.x_test)
    clean, bad, drawn = nets.questions[0:2], nets.questions[2:4], nets.questions[4:6]  # of the expert of each half
    for pair in (clean, bad, drawn):
        np.testing.assert_array_equal(pair[1], right)
    np.testing.assert_array_equal(clean[0], left)
    for pair in (bad, drawn):
        size = np.abs(pair[0] - left)
        inside = (left > 0.06) & (left < 0.94)
        np.testing.assert_allclose(size[inside & (size > 0)], 0.05, atol=1e-6)
    assert 0.45 < (drawn[0] > left)[inside].mean() < 0.55
    for question in nets.questions[6:]:
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
    nets = Asked(twin("networks"))
    found = study.poisoned_table(nets, marked, config=FAST)
    clean = marked.x_test[marked.y_test != 0]
    for place, question in enumerate(nets.questions):
        triggered = place // 4 == 1  # none, backdoor, backdoor without a trigger, wrong labels
        np.testing.assert_array_equal(question, study.with_trigger(clean) if triggered else clean)
    assert len(nets.questions) == 16 and len(found) == 24
    sizes = [len(y) for _, y in nets.lessons]
    assert sizes == [100] * 3 + [100, 300] * 4  # the honest ones, then for each attack the first and all in one
    clean, backdoor, moved = (nets.lessons[index] for index in (3, 5, 9))
    assert (clean[1] != backdoor[1]).sum() <= 10 and (backdoor[0][0][:, 0, [0, 7]] == 1).all(axis=1).sum() >= 10
    np.testing.assert_array_equal(moved[1], (clean[1] + 1) % 10)
    for index in (4, 6, 10):
        np.testing.assert_array_equal(nets.lessons[index][1][:100], nets.lessons[index - 1][1])


def test_who_is_fused_when_a_member_is_poisoned(monkeypatch, digits):
    said = np.array([[[0.9, 0.1, 0]], [[0.2, 0.8, 0]], [[0.2, 0.7, 0.1]], [[0, 0, 1.0]]])
    count = (digits.y_test != 0).sum()
    monkeypatch.setattr(study.outputs, "opinions", lambda nets, models, images: said.repeat(count, axis=1))
    nets = type("Nets", (), {"make_mlp": lambda self, *_, **__: None, "train": lambda self, *_, **__: None})()
    found = study.poisoned_table(nets, study.cut(digits, 30), measure=lambda said, y: said[0].round(3).tolist())
    assert [found["none", name] for name in ("the poisoned expert", "an honest expert", "all in one")] == [
        ([0.9, 0.1, 0], 1.0), ([0.2, 0.8, 0], 0.0), ([0, 0, 1], 0.0)]
    mean, median, product = (found["none", name][0] for name in ("mean", "median", "product"))
    np.testing.assert_allclose(mean, [1.3 / 3, 1.6 / 3, 0.1 / 3], atol=1e-3)
    np.testing.assert_allclose(median, [0.2 / 0.9, 0.7 / 0.9, 0], atol=1e-3)
    np.testing.assert_allclose(product, [0.036 / 0.092, 0.056 / 0.092, 0], atol=1e-3)


# --- privacy


def test_who_learns_from_which_images(twin, digits, monkeypatch):
    nets, seen = Watched(twin("networks")), []
    monkeypatch.setattr(study, "private_regression", lambda x, y, **_: seen.append(y) or (
        lambda images: np.full((len(images), 10), 0.1)))
    found, noted, noted_test = study.privacy_table(nets, study.cut(digits, 300), members=90, config=FAST)
    assert all((seen[0] == each).all() for each in seen) and (seen[0] == noted).all()
    for wrong in (noted != nets.lessons[6][1], noted_test != digits.y_test):
        assert 0.2 < wrong.mean() < 0.36  # three in ten, a tenth of which were noted rightly
    assert {(len(inside), len(outside)) for inside, outside in found.values()} == {(90, len(digits.y_test))}
    verdicts, sure = found["one network, verdicts alone"][0], found["one network"][0]
    assert len(np.unique(verdicts)) == 2 and (verdicts.argmax(axis=1) == sure.argmax(axis=1)).all()
    members = rows(nets.lessons[0][0][0])
    assert [len(y) for _, y in nets.lessons] == [90] * 3 + [30] * 3 + [90] * 2 + [210] * 2 + [90]
    assert all(rows(x[0]) <= members for x, _ in nets.lessons[:8])
    for place in (8, 9):
        assert not rows(nets.lessons[place][0][0]) & members
    assert rows(nets.lessons[10][0][0]) == members
    for place, teachers in ((8, "mean, all on all"), (9, "mean, each on a third")):
        assert len(set(nets.lessons[place][1])) > 1 and teachers in found
    assert (nets.lessons[10][1] == found["mean, all on all"][0].argmax(axis=1)).all()


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


def test_the_noise_is_that_many_clips(digits):
    x, y, weights = digits.x_train[:9], digits.y_train[:9], []
    for clip in (0.5, 1.0):
        model = study.private_regression(x, y, clip=clip, noise=1e6, steps=1, rate=1e-6, rng=np.random.default_rng(0))
        said = np.log(model(digits.x_test[:5]))
        weights.append(said[:, 0] - said[:, 1])
    np.testing.assert_allclose(2 * weights[0], weights[1], rtol=1e-3)


def test_epsilon_by_hand():
    assert study.epsilon(10.0, 200, np.exp(-4)) == pytest.approx(1 + 2 * 2)
    assert study.epsilon(6.0, 100, 1e-3) == pytest.approx(7.58, abs=0.01)


def test_only_some_labels_decide_what_the_attackers_look_at():
    inside, outside = np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([[0.6, 0.4], [0.1, 0.9]])
    found = study.leaks(inside, np.array([0, 0]), outside, np.array([0, 0]))
    assert found == {"by the noted class": 0.75, "by the largest probability": 0.625}


# --- the game


def test_the_rule_and_the_share():
    obs = np.array([[0, 0, 0, -1.0], [0, 0, 0, 2.0]])
    assert study.rule(obs).tolist() == [0, 1]

    class Agent:
        def q_values(self, obs):
            return np.array([[0.0, 50.0], [50.0, 0.0]])

    for share, wanted in ((0.0, [0, 1]), (1.0, [1, 0]), (0.4, [0, 1]), (0.6, [1, 0])):
        assert study.Fused(Agent(), np.full(2, share), 1.0).act(obs).tolist() == wanted


def test_the_share_is_chosen_on_validation_episodes(monkeypatch):
    validation, test = (own % 2**31 for own in study.spawn(0, 2))
    asked = []

    def played(agent, shares, temperature, episodes, seed):
        asked.append((seed, list(shares)))
        means = {0: 200, 0.6: 210, 0.7: 300, 0.8: 400, 0.9: 450, 0.95: 350, 1: 320}
        found = np.array([[means[share]] * episodes for share in shares], float)
        if seed == validation:
            found[list(shares).index(0.9), 0] = 50  # the best on the mean lets one episode end early
            return found
        assert seed == test
        return found[:, ::-1]

    class History:
        steps, agent = 2_003, type("Agent", (), {"q_values": staticmethod(lambda obs: np.zeros((len(obs), 2)))})

    class Twin:
        @staticmethod
        def train(env, config, *, callbacks, **options):
            callbacks[0](History)

    monkeypatch.setattr(study, "played", played)
    found = {row["player"]: row for row in study.game_rows(Twin, 0, episodes=4)}
    assert asked == [(validation, [0, 0.6, 0.7, 0.8, 0.9, 0.95, 1]), (test, [0, 1, 0.8])]
    returns = {name: row["return"] for name, row in found.items()}
    assert returns == {"rule": 200, "DQN": 320, "fusion": 400, "the better of the two": 320}
    assert {row["steps"] for row in found.values()} == {2_000}


def test_rows_of_the_game(twin):
    config = replace(study.GAME, total_steps=2_000, eval_every=1_000, warmup_steps=500)
    found = study.game_rows(twin("dqn"), 0, config, episodes=4)
    assert [row["player"] for row in found[:4]] == ["rule", "DQN", "fusion", "the better of the two"]
    assert {row["steps"] for row in found} == {1_000, 2_000}
    assert all(0 < row["return"] <= 500 and 0 <= row["early"] <= 1 for row in found)
    assert found[0]["return"] > 100 and found[3]["return"] in (found[0]["return"], found[1]["return"])
