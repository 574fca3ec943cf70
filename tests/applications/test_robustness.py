"""What is attacked, and what the study of robustness compares: what is missing or poisoned, and what is taught."""

from dataclasses import replace

import applications as study
import numpy as np
import pytest
from scipy.special import softmax
from watched import Watched, never_taught_with_tests, with_marked_tests

from course_lib.applications import robustness
from course_lib.common import data
from course_lib.fusion.inputs import halves
from course_lib.networks.config import TrainingConfig

FAST = TrainingConfig(epochs=2, learning_rate=3e-3)
CONFIG = TrainingConfig(epochs=8, learning_rate=3e-3)


@pytest.fixture(scope="module")
def digits():
    return data.load("digits")


@pytest.fixture
def applications(twin):
    return twin("applications")


@pytest.fixture
def nets(twin):
    return twin("networks")


@pytest.fixture
def marked(digits):
    return with_marked_tests(digits)


def two(nets):
    return [nets.make_mlp((8, 4), 10, hidden=(8,), seed=seed) for seed in (0, 1)]


def test_the_fast_gradient_sign_method_moves_each_pixel_to_where_the_loss_rises(applications, nets, digits):
    model = nets.make_mlp((8, 8), 10, hidden=(32,))
    nets.train(model, digits.x_train, digits.y_train, CONFIG)
    x, y = digits.x_test[:40] * 0.8 + 0.1, digits.y_test[:40]  # away from 0 and 1, where pixels are clipped

    def losses(images):
        return -np.log(softmax(nets.predict(model, images), axis=1))[np.arange(40), y]

    moved = applications.fgsm(model, x, y, step=0.05)
    np.testing.assert_allclose(np.abs(moved - x)[np.abs(moved - x) > 0], 0.05, atol=1e-6)
    assert (losses(moved) > losses(x)).all()
    for place in np.ndindex(8, 8):  # each pixel's direction, against a finite difference
        bumped = x.copy()
        bumped[(slice(None), *place)] += 1e-2
        rise = losses(bumped) - losses(x)
        clear = np.abs(rise) > 1e-3
        assert (np.sign(rise) == np.sign(moved - x)[(slice(None), *place)])[clear].all()
    assert applications.fgsm(model, digits.x_test, digits.y_test, step=5.0).max() <= 1


def test_the_attacker_reaches_only_some_inputs(twin, applications, digits):
    fusion, parts = twin("fusion"), halves(digits.x_test)
    seen = [fusion.features(expert) for expert in two(twin("networks"))]
    net = fusion.ConcatFusion(seen, [part.shape[1:] for part in parts], 10)
    left, right = applications.fgsm(net, parts, digits.y_test, step=0.1, attacked=[0])
    np.testing.assert_array_equal(right, parts[1])
    assert (left != parts[0]).mean() > 0.4 and left.shape == parts[0].shape


def test_what_cannot_be_attacked_is_refused(applications, nets, digits):
    model = nets.make_mlp((8, 8), 10, hidden=(4,))
    with pytest.raises(ValueError, match="attacked: expected None or numbers of inputs, 0 to 0, got"):
        applications.fgsm(model, digits.x_test, digits.y_test, step=0.1, attacked=[5])
    for y in (digits.y_test[:9], digits.y_test / 2, digits.y_test[:, None]):
        with pytest.raises(ValueError, match="y: expected (shape|whole numbers)"):
            applications.fgsm(model, digits.x_test, y, step=0.1)


def test_an_expert_that_is_missing():
    x = (np.arange(1.0, 5).reshape(2, 2), np.arange(5.0, 7).reshape(2, 1))
    (first, second), y = study.with_missing(x, np.array([3, 4]))
    assert first.tolist() == [[1, 2], [3, 4], [0, 0], [0, 0], [1, 2], [3, 4]]
    assert second.tolist() == [[5], [6], [5], [6], [0], [0]] and y.tolist() == [3, 4] * 3


def test_membership_by_hand():
    sure, unsure = np.array([[0.9, 0.1], [0.8, 0.2]]), np.array([[0.6, 0.4], [0.7, 0.3]])
    first = np.array([0, 0])
    assert robustness.membership(sure, first, unsure, first) == 1
    assert robustness.membership(unsure, first, sure, first) == 0
    assert robustness.membership(sure, first, sure, first) == 0.5
    with pytest.raises(ValueError, match=r"y_others: expected shape \(2,\), got \(3,\)"):
        robustness.membership(sure, first, unsure, np.zeros(3, int))


def test_fewer_images_by_hand(digits):
    few = study.with_fewer(digits, 500)
    np.testing.assert_array_equal(few.x_train, digits.x_train[:500])
    np.testing.assert_array_equal(few.x_test, np.concatenate([digits.x_train[500:], digits.x_test]))
    np.testing.assert_array_equal(few.y_test, np.concatenate([digits.y_train[500:], digits.y_test]))


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

    found = study.missing_table(Fusion(), Nets(), few, ["left", "right"], config=FAST)
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


TABLES = {
    "poisoned": lambda twin, nets, few: study.poisoned_table(nets, few, config=FAST),
    "missing": lambda twin, nets, few: study.missing_table(twin("fusion"), nets, few, two(nets), config=FAST),
    "attack": lambda twin, nets, few: study.attack_table(twin("applications"), twin("fusion"), nets, few,
                                                              two(nets), config=FAST),
}


@pytest.mark.parametrize("table", TABLES)
def test_no_network_is_taught_with_test_images(twin, marked, table):
    nets = Watched(twin("networks"))
    TABLES[table](twin, nets, marked)
    assert never_taught_with_tests(nets)
    nets.train(two(nets)[0], marked.x_test[:9, :, :4], marked.y_test[:9], FAST)  # and this one would be found
    assert not never_taught_with_tests(nets)


def test_one_of_three_lies(twin, marked):
    nets = Watched(twin("networks"))
    study.poisoned_table(nets, marked, config=FAST)
    assert [int((y - marked.y_train).max()) == 0 for _, y in nets.lessons] == [True] * 3 + [False]
    np.testing.assert_array_equal(nets.lessons[-1][1], (marked.y_train + 1) % 10)


def test_the_attacker_moves_left_halves_alone_and_by_no_more_than_a_step(twin, marked):
    applications, fusion, asked = twin("applications"), twin("fusion"), []

    class Nets(Watched):
        def accuracy(self, model, x, y):
            asked.append(np.concatenate(x if isinstance(x, tuple) else [x], axis=2))
            return self.nets.accuracy(model, x, y)

    nets = Nets(twin("networks"))
    table = study.attack_table(applications, fusion, nets, marked, two(nets), config=FAST, step=0.05)
    assert len(asked) == 2 * (len(table) - 2)
    for before, after in zip(asked[::2], asked[1::2], strict=True):
        np.testing.assert_array_equal(before, marked.x_test)
        np.testing.assert_array_equal(after[:, :, 4:], marked.x_test[:, :, 4:])
        assert 0.04 < np.abs(after - before)[:, :, :4].max() < 0.051
