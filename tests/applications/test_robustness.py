"""What is attacked, and what gives members away."""

import numpy as np
import pytest
from scipy.special import softmax

from course_lib.applications import robustness
from course_lib.fusion.inputs import halves
from course_lib.networks.config import TrainingConfig

CONFIG = TrainingConfig(epochs=8, learning_rate=3e-3)


@pytest.fixture
def applications(twin):
    return twin("applications")


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
    seen = [fusion.features(twin("networks").make_mlp((8, 4), 10, hidden=(8,), seed=seed)) for seed in (0, 1)]
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


def test_membership_by_hand():
    sure, unsure = np.array([[0.9, 0.1], [0.8, 0.2]]), np.array([[0.6, 0.4], [0.7, 0.3]])
    first = np.array([0, 0])
    assert robustness.membership(sure, first, unsure, first) == 1
    assert robustness.membership(unsure, first, sure, first) == 0
    assert robustness.membership(sure, first, sure, first) == 0.5
    with pytest.raises(ValueError, match=r"y_others: expected shape \(2,\), got \(3,\)"):
        robustness.membership(sure, first, unsure, np.zeros(3, int))
