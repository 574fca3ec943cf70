"""Networks that are matched, averaged and distilled, in either framework."""

import numpy as np
import pytest

from course_lib.merging import reference, weights
from course_lib.networks.config import TrainingConfig

CONFIG = TrainingConfig(epochs=8, learning_rate=3e-3)


@pytest.fixture
def merging(twin):
    return twin("merging")


def test_a_student_learns_from_its_teacher_alone(merging, nets, digits):
    teacher = nets.make_mlp((8, 8), 10, hidden=(64,))
    nets.train(teacher, digits.x_train, digits.y_train, CONFIG)
    logits, wrong = nets.predict(teacher, digits.x_train), (digits.y_train + 1) % 10
    longer = TrainingConfig(epochs=20, learning_rate=3e-3)
    student = nets.make_mlp((8, 8), 10, hidden=(32,), seed=1)
    merging.distill(student, digits.x_train, wrong, logits, longer, share=1.0)  # what `y` says does not count
    assert nets.accuracy(student, digits.x_test, digits.y_test) > 0.9
    student = nets.make_mlp((8, 8), 10, hidden=(32,), seed=1)
    merging.distill(student, digits.x_train, wrong, logits, longer, share=0.0)  # and now nothing else does
    assert nets.accuracy(student, digits.x_test, digits.y_test) < 0.1


@pytest.mark.parametrize("options", [{}, {"temperature": 1.0, "share": 0.3}])
def test_the_distillation_loss_is_the_references(merging, nets, digits, options):
    rng, student, x, y = np.random.default_rng(0), nets.make_mlp((8, 8), 10, hidden=(16,)), *digits_of(digits, 50)
    teacher = 3 * rng.normal(size=(50, 10))
    expected = reference.distillation_loss(nets.predict(student, x).astype(float), teacher, y, **options)
    [found] = merging.distill(student, x, y, teacher, TrainingConfig(epochs=1, batch_size=50), **options)
    assert found == pytest.approx(expected, rel=1e-4)  # the loss before the only update


def digits_of(digits, count):
    return digits.x_train[:count], digits.y_train[:count]


def test_two_networks_average_once_they_are_matched(merging, nets, digits):
    made = [nets.make_mlp((8, 8), 10, hidden=(64,), seed=seed) for seed in range(2)]
    for seed, net in enumerate(made):
        nets.train(net, digits.x_train, digits.y_train, CONFIG, seed=seed)
    first, second = (nets.get_layers(net) for net in made)
    orders = {"unmatched": [np.arange(64)], "weights": weights.match_weights(second, first)}
    reads = {name: nets.accuracy(nets.set_layers(nets.make_mlp((8, 8), 10, hidden=(64,)), weights.average(
        [first, weights.permute(second, order)])), digits.x_test, digits.y_test) for name, order in orders.items()}
    assert reads["unmatched"] < reads["weights"] - 0.02
    permuted = nets.set_layers(nets.make_mlp((8, 8), 10, hidden=(64,)),
                                 weights.permute(second, orders["weights"]))
    np.testing.assert_allclose(nets.predict(permuted, digits.x_test), nets.predict(made[1], digits.x_test),
                               atol=1e-4)


def test_distilling_refuses_what_does_not_fit(merging, nets, digits):
    model, x, y = nets.make_mlp((8, 8), 10, hidden=(4,)), digits.x_train[:20], digits.y_train[:20]
    for logits, labels, options in ((np.zeros((19, 10)), y, {}), (np.zeros((20, 1)), y, {}),
                                    (np.zeros((20, 10)), y + 0.5, {}), (np.zeros((20, 10)), y, {"temperature": 0}),
                                    (np.zeros((20, 10)), y, {"share": 2})):
        with pytest.raises(ValueError, match="expected"):
            merging.distill(model, x, labels, logits, CONFIG, **options)


def test_an_adapter_learns_while_the_network_beneath_it_holds_still(merging, nets, digits):
    base = nets.make_mlp((8, 8), 10, hidden=(64,), seed=1)
    nets.train(base, digits.x_train[:100], digits.y_train[:100], CONFIG)
    before = nets.get_layers(base)
    adapter = merging.LoRA(before, rank=2, seed=3)
    np.testing.assert_allclose(nets.predict(adapter, digits.x_test), nets.predict(base, digits.x_test), atol=1e-5)
    losses = nets.train(adapter, digits.x_train, digits.y_train, CONFIG)
    merged = adapter.merged()
    dense = nets.set_layers(nets.make_mlp((8, 8), 10, hidden=(64,)), merged)
    np.testing.assert_allclose(nets.predict(dense, digits.x_test), nets.predict(adapter, digits.x_test), atol=1e-4)
    for (kernel, bias), (new, same) in zip(before, merged, strict=True):
        assert np.linalg.matrix_rank(new - kernel, tol=1e-4) == 2 and np.array_equal(bias, same)
    assert losses[-1] < losses[0] and nets.accuracy(dense, digits.x_test, digits.y_test) > nets.accuracy(
        base, digits.x_test, digits.y_test) + 0.02
    with pytest.raises(ValueError, match="rank: expected"):
        merging.LoRA(before, rank=0)
    with pytest.raises(ValueError, match="layers: expected|expected a kernel"):
        merging.LoRA(before[::-1])
