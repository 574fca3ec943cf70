"""Fused networks learn, leave their experts alone, and say clearly what does not fit."""

import importlib

import numpy as np
import pytest

from course_lib.common import data
from course_lib.fusion import inputs, outputs, reference, weights
from course_lib.networks.config import TrainingConfig

CONFIG = TrainingConfig(epochs=8, learning_rate=3e-3)


@pytest.fixture(scope="module")
def digits():
    return data.load("digits")


@pytest.fixture
def both(twin):
    """The twin of fusion, with the functions of `networks`."""
    fusion = twin("fusion")
    return fusion, importlib.import_module(fusion.__name__.replace(".fusion.", ".networks."))


def two_experts(both, digits):
    """Each reads one half of a digit."""
    experts = []
    for seed, half in enumerate(inputs.halves(digits.x_train)):
        expert = both[1].make_mlp(half.shape[1:], 10, hidden=(48,), seed=seed)
        both[1].train(expert, half, digits.y_train, CONFIG, seed=seed)
        experts.append(expert)
    return experts


def flat(fusion, net):
    return np.concatenate([values.ravel() for layer in fusion.get_layers(net) for values in layer])


@pytest.mark.parametrize("form", ["ConcatFusion", "GatedFusion", "AttentionFusion", "CrossStitch", "MixtureOfExperts"])
@pytest.mark.parametrize("frozen", [False, True])
def test_fusion_reads_more_than_either_half_and_leaves_the_experts_alone(both, digits, form, frozen):
    fusion, nets = both
    experts, halves = two_experts(both, digits), inputs.halves(digits.x_test)
    alone = [nets.accuracy(expert, half, digits.y_test) for expert, half in zip(experts, halves, strict=True)]
    before = [flat(fusion, expert) for expert in experts]
    shapes = [half.shape[1:] for half in halves]
    if form == "MixtureOfExperts":
        net = fusion.MixtureOfExperts(experts, shapes, balance=0.01, frozen=frozen)
    else:
        net = getattr(fusion, form)([fusion.features(expert) for expert in experts], shapes, 10, frozen=frozen)
    losses = nets.train(net, inputs.halves(digits.x_train), digits.y_train, CONFIG)
    found = nets.accuracy(net, halves, digits.y_test)
    assert losses[-1] < losses[0] and found > max(alone) + 0.02
    for values, expert in zip(before, experts, strict=True):
        np.testing.assert_array_equal(flat(fusion, expert), values)


def test_frozen_experts_keep_their_weights_and_others_do_not(both, digits):
    fusion, nets = both
    expert, x = nets.make_mlp((8, 8), 10, hidden=(12,)), digits.x_train[:200]
    seen = fusion.features(expert)

    def inside(net):
        copies = getattr(net, "experts", None)
        first = copies.members[0] if copies else next(layer for layer in net.layers if hasattr(layer, "layers"))
        return flat(fusion, first)

    for frozen in (True, False):
        net = fusion.ConcatFusion([seen], [(8, 8)], 10, frozen=frozen)
        before = inside(net)
        nets.train(net, x, digits.y_train[:200], TrainingConfig(epochs=1))
        assert np.array_equal(inside(net), before) == frozen


def test_a_network_listed_twice_shares_its_weights(both):
    fusion, nets = both
    seen = fusion.features(nets.make_mlp((4,), 3, hidden=(5,)))

    def size(experts, make=fusion.ConcatFusion):
        net = make(experts, [(4,), (4,)], 3, hidden=())
        return sum(np.prod(tuple(values.shape)) for values in (
            net.parameters() if hasattr(net, "parameters") else net.weights))

    other = fusion.features(nets.make_mlp((4,), 3, hidden=(5,), seed=1))
    assert size([seen, seen]) == size(seen, fusion.SharedTrunk) == (4 * 5 + 5) + (10 * 3 + 3)
    assert size([seen, other]) == 2 * (4 * 5 + 5) + (10 * 3 + 3)


def test_one_input_for_all_experts(both, digits):
    fusion, nets = both
    experts = [nets.make_mlp((8, 8), 10, hidden=(16,), seed=seed) for seed in range(3)]
    net = fusion.MixtureOfExperts(experts, [(8, 8)], k=2, balance=0.1)
    assert net.gates(digits.x_test).shape == (450, 3) and ((net.gates(digits.x_test) > 0).sum(axis=1) == 2).all()
    losses = nets.train(net, digits.x_train, digits.y_train, CONFIG)
    assert losses[-1] < 0.5 * losses[0] and nets.accuracy(net, digits.x_test, digits.y_test) > 0.85


def test_balance_spreads_the_work(both, digits):
    fusion, nets = both
    sent = []
    for balance in (0.0, 1.0):
        experts = [nets.make_mlp((8, 8), 10, hidden=(16,), seed=seed) for seed in range(4)]
        net = fusion.MixtureOfExperts(experts, [(8, 8)], k=1, balance=balance)
        nets.train(net, digits.x_train, digits.y_train, CONFIG)
        sent.append((net.gates(digits.x_test) > 0).mean(axis=0))
    assert sent[1].max() < 0.45 and sent[1].max() < sent[0].max()


def test_a_gate_that_asks_one_gets_no_gradient_from_the_task(both, digits):
    (fusion, both), moved = both, []
    for k in (1, 2):
        experts = [both.make_mlp((8, 8), 10, hidden=(4,), seed=seed) for seed in range(3)]
        net = fusion.MixtureOfExperts(experts, [(8, 8)], k=k)
        before = net.gates(digits.x_test)
        both.train(net, digits.x_train[:200], digits.y_train[:200], TrainingConfig(epochs=1))
        moved.append(np.abs(net.gates(digits.x_test) - before).max())
    assert moved[0] == 0 < moved[1]


def test_a_shared_trunk_looks_at_both_halves_with_the_same_weights(both, digits):
    fusion, nets = both
    reader = nets.make_mlp((8, 4), 10, hidden=(32,))
    trunk = fusion.features(reader)
    before, frozen = flat(fusion, trunk), fusion.SharedTrunk(trunk, [(8, 4), (8, 4)], 10, hidden=(), frozen=True)
    nets.train(frozen, inputs.halves(digits.x_train), digits.y_train, TrainingConfig(epochs=1))
    seen = np.hstack([fusion.hidden_activations(reader, half)[0] for half in inputs.halves(digits.x_test)])
    said = nets.predict(frozen, inputs.halves(digits.x_test))
    design = np.hstack([seen, np.ones((len(seen), 1))])  # the logits are linear in what the one trunk saw
    np.testing.assert_allclose(design @ np.linalg.lstsq(design, said)[0], said, atol=1e-3)
    net = fusion.SharedTrunk(trunk, [(8, 4), (8, 4)], 10)
    losses = nets.train(net, inputs.halves(digits.x_train), digits.y_train, CONFIG)
    assert losses[-1] < 0.5 * losses[0]
    assert nets.accuracy(net, inputs.halves(digits.x_test), digits.y_test) > 0.9
    np.testing.assert_array_equal(flat(fusion, trunk), before)
    with pytest.raises(ValueError, match=r"shapes that are all alike, for one trunk, got \[\(8, 4\), \(8, 3\)\]"):
        fusion.SharedTrunk(trunk, [(8, 4), (8, 3)], 10)


def test_cross_stitch_starts_from_its_experts(both, digits):
    fusion, nets = both
    experts, halves = two_experts(both, digits), inputs.halves(digits.x_test)
    columns = [fusion.features(expert) for expert in experts]
    net = fusion.CrossStitch(columns, [half.shape[1:] for half in halves], 10, keep=0.7)
    own = [fusion.hidden_activations(expert, half)[0] for expert, half in zip(experts, halves, strict=True)]
    mixed = [0.7 * own[0] + 0.3 * own[1], 0.7 * own[1] + 0.3 * own[0]]
    design = np.hstack([*mixed, np.ones((len(mixed[0]), 1))])
    said = nets.predict(net, halves)
    np.testing.assert_allclose(design @ np.linalg.lstsq(design, said)[0], said, atol=1e-3)
    narrow = fusion.features(nets.make_mlp((8, 4), 10, hidden=(5,)))
    for wrong, message in (([columns[0], narrow], r"layers of the same widths, got \[\[48\], \[5\]\]"),
                           ([fusion.features(nets.make_cnn((8, 4), 10))] * 2, "dense layers with ReLU")):
        with pytest.raises(ValueError, match=message):
            fusion.CrossStitch(wrong, [(8, 4), (8, 4)], 10)


def test_a_student_learns_from_its_teacher_alone(both, digits):
    fusion, nets = both
    teacher = nets.make_mlp((8, 8), 10, hidden=(64,))
    nets.train(teacher, digits.x_train, digits.y_train, CONFIG)
    logits, wrong = nets.predict(teacher, digits.x_train), (digits.y_train + 1) % 10
    longer = TrainingConfig(epochs=20, learning_rate=3e-3)
    student = nets.make_mlp((8, 8), 10, hidden=(32,), seed=1)
    fusion.distill(student, digits.x_train, wrong, logits, longer, share=1.0)  # what `y` says does not count
    assert nets.accuracy(student, digits.x_test, digits.y_test) > 0.9
    student = nets.make_mlp((8, 8), 10, hidden=(32,), seed=1)
    fusion.distill(student, digits.x_train, wrong, logits, longer, share=0.0)  # and now nothing else does
    assert nets.accuracy(student, digits.x_test, digits.y_test) < 0.1


def test_two_networks_average_once_they_are_matched(both, digits):
    fusion, nets = both
    made = [nets.make_mlp((8, 8), 10, hidden=(64,), seed=seed) for seed in range(2)]
    for seed, net in enumerate(made):
        nets.train(net, digits.x_train, digits.y_train, CONFIG, seed=seed)
    first, second = (fusion.get_layers(net) for net in made)
    orders = {"unmatched": [np.arange(64)], "weights": weights.match_weights(second, first),
              "activations": weights.match_activations(*(fusion.hidden_activations(net, digits.x_train)
                                                         for net in made[::-1]))}
    reads = {name: nets.accuracy(fusion.set_layers(nets.make_mlp((8, 8), 10, hidden=(64,)), weights.average(
        [first, weights.permute(second, order)])), digits.x_test, digits.y_test) for name, order in orders.items()}
    assert reads["unmatched"] < min(reads["weights"], reads["activations"]) - 0.02
    permuted = fusion.set_layers(nets.make_mlp((8, 8), 10, hidden=(64,)),
                                 weights.permute(second, orders["weights"]))
    np.testing.assert_allclose(nets.predict(permuted, digits.x_test), nets.predict(made[1], digits.x_test),
                               atol=1e-4)


def test_an_expert_that_is_missing():
    x = (np.arange(1.0, 5).reshape(2, 2), np.arange(5.0, 7).reshape(2, 1))
    (first, second), y = inputs.with_missing(x, np.array([3, 4]))
    assert first.tolist() == [[1, 2], [3, 4], [0, 0], [0, 0], [1, 2], [3, 4]]
    assert second.tolist() == [[5], [6], [5], [6], [0], [0]] and y.tolist() == [3, 4] * 3


def test_halves_are_all_of_the_image():
    images = np.random.default_rng(0).random((3, 4, 7))
    np.testing.assert_array_equal(np.concatenate(inputs.halves(images), axis=2), images)
    assert inputs.halves(images)[0].shape == (3, 4, 3)


def test_what_does_not_fit(both):
    fusion, nets = both
    seen = [fusion.features(nets.make_mlp((4,), 3, hidden=(5,))) for _ in range(3)]
    with pytest.raises(ValueError, match="one for each of 3 experts, or a single one"):
        fusion.ConcatFusion(seen, [(4,), (4,)], 3)
    for k in (0, 4, 1.5):
        with pytest.raises(ValueError, match=f"whole number from 1 to 3, the number of experts, got {k}"):
            fusion.MixtureOfExperts(seen, [(4,)], k=k)
    with pytest.raises(ValueError, match="balance: expected a number >= 0, got -1"):
        fusion.MixtureOfExperts(seen, [(4,)], balance=-1)
    with pytest.raises(ValueError, match=r"one fails with shape \(5,\)"):
        fusion.ConcatFusion(seen, [(5,)], 3)
    with pytest.raises(ValueError, match="expected a network of dense layers with ReLU"):
        fusion.get_layers(nets.make_cnn((8, 8), 3))
    net = fusion.ConcatFusion(seen[:2], [(4,), (4,)], 3)
    with pytest.raises(ValueError, match="expected 6 examples"):
        nets.train(net, (np.zeros((6, 4)), np.zeros((5, 4))), np.zeros(6, int))


def test_fused_probabilities_of_the_experts_beat_either(both, digits):
    experts = two_experts(both, digits)
    said = [reference.softmax(both[1].predict(expert, half))
            for expert, half in zip(experts, inputs.halves(digits.x_test), strict=True)]
    alone = [(one.argmax(axis=1) == digits.y_test).mean() for one in said]
    for fuse in (outputs.weighted, outputs.product_of_experts):
        assert (fuse(said).argmax(axis=1) == digits.y_test).mean() > max(alone) + 0.02


def test_the_fast_gradient_sign_method_moves_each_pixel_to_where_the_loss_rises(both, digits):
    fusion, nets = both
    model = nets.make_mlp((8, 8), 10, hidden=(32,))
    nets.train(model, digits.x_train, digits.y_train, CONFIG)
    x, y = digits.x_test[:40] * 0.8 + 0.1, digits.y_test[:40]  # away from 0 and 1, where pixels are clipped

    def losses(images):
        return -np.log(reference.softmax(nets.predict(model, images)))[np.arange(40), y]

    moved = fusion.fgsm(model, x, y, step=0.05)
    np.testing.assert_allclose(np.abs(moved - x)[np.abs(moved - x) > 0], 0.05, atol=1e-6)
    assert (losses(moved) > losses(x)).all()
    for place in np.ndindex(8, 8):  # each pixel's direction, against a finite difference
        bumped = x.copy()
        bumped[(slice(None), *place)] += 1e-2
        rise = losses(bumped) - losses(x)
        clear = np.abs(rise) > 1e-3
        assert (np.sign(rise) == np.sign(moved - x)[(slice(None), *place)])[clear].all()
    assert fusion.fgsm(model, digits.x_test, digits.y_test, step=5.0).max() <= 1


def test_the_attacker_reaches_only_some_inputs(both, digits):
    fusion, _ = both
    experts, halves = two_experts(both, digits), inputs.halves(digits.x_test)
    net = fusion.ConcatFusion([fusion.features(expert) for expert in experts], [half.shape[1:] for half in halves], 10)
    left, right = fusion.fgsm(net, halves, digits.y_test, step=0.1, attacked=[0])
    np.testing.assert_array_equal(right, halves[1])
    assert (left != halves[0]).mean() > 0.4 and left.shape == halves[0].shape


def test_a_recurrent_network_reads_rows(both, digits):
    _, nets = both
    model = nets.make_rnn((8, 8), 10, units=32, seed=1)
    losses = nets.train(model, digits.x_train, digits.y_train, CONFIG)
    assert losses[-1] < losses[0] / 2 and nets.accuracy(model, digits.x_test, digits.y_test) > 0.7
    upside_down = digits.x_test[:, ::-1]
    assert np.abs(nets.predict(model, upside_down) - nets.predict(model, digits.x_test)).max() > 0.1
    again, other = (nets.make_rnn((8, 8), 10, units=32, seed=seed) for seed in (1, 2))
    first = nets.predict(nets.make_rnn((8, 8), 10, units=32, seed=1), digits.x_test)
    np.testing.assert_array_equal(nets.predict(again, digits.x_test), first)
    assert np.abs(nets.predict(other, digits.x_test) - first).max() > 0.01


def test_distilling_refuses_what_does_not_fit(both, digits):
    fusion, nets = both
    model, x, y = nets.make_mlp((8, 8), 10, hidden=(4,)), digits.x_train[:20], digits.y_train[:20]
    for logits, labels, options in ((np.zeros((19, 10)), y, {}), (np.zeros((20, 1)), y, {}),
                                    (np.zeros((20, 10)), y + 0.5, {}), (np.zeros((20, 10)), y, {"temperature": 0}),
                                    (np.zeros((20, 10)), y, {"share": 2})):
        with pytest.raises(ValueError, match="expected"):
            fusion.distill(model, x, labels, logits, CONFIG, **options)


def test_as_many_inputs_as_shapes(both, digits):
    fusion, nets = both
    experts, (left, right) = two_experts(both, digits), inputs.halves(digits.x_test)
    net = fusion.ConcatFusion([fusion.features(expert) for expert in experts], [left.shape[1:], right.shape[1:]], 10)
    for given in (left, (left,), (left, right, left)):
        with pytest.raises(ValueError, match="(?i)input"):
            nets.predict(net, given)


def test_what_cannot_be_attacked_or_written_is_refused(both, digits):
    fusion, nets = both
    model = nets.make_mlp((8, 8), 10, hidden=(4,))
    with pytest.raises(ValueError, match="attacked: expected None or numbers of inputs, 0 to 0, got"):
        fusion.fgsm(model, digits.x_test, digits.y_test, step=0.1, attacked=[5])
    for y in (digits.y_test[:9], digits.y_test / 2, digits.y_test[:, None]):
        with pytest.raises(ValueError, match=r"x, y: expected arrays \(N, ...\) and classes \(N,\)"):
            fusion.fgsm(model, digits.x_test, y, step=0.1)
    layers = fusion.get_layers(model)
    wrong = [(kernel, bias[:1]) for kernel, bias in layers]
    for given in (wrong, layers[:1], fusion.get_layers(nets.make_mlp((8, 8), 10, hidden=(5,)))):
        with pytest.raises(ValueError, match="layers"):
            fusion.set_layers(model, given)
    for (kernel, bias), (same, too) in zip(layers, fusion.get_layers(model), strict=True):
        np.testing.assert_array_equal(kernel, same)
        np.testing.assert_array_equal(bias, too)
