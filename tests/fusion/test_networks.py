"""Fused networks learn, leave their experts alone, and say clearly what does not fit."""

import importlib

import numpy as np
import pytest

from course_lib.fusion import inputs, outputs, reference
from course_lib.networks.config import TrainingConfig

CONFIG = TrainingConfig(epochs=8, learning_rate=3e-3)


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


def flat(nets, net):
    return np.concatenate([values.ravel() for layer in nets.get_layers(net) for values in layer])


@pytest.mark.parametrize("form", ["ConcatFusion", "GatedFusion", "AttentionFusion", "CrossStitch", "MixtureOfExperts"])
@pytest.mark.parametrize("frozen", [False, True])
def test_fusion_reads_more_than_either_half_and_leaves_the_experts_alone(both, digits, form, frozen):
    fusion, nets = both
    experts, halves = two_experts(both, digits), inputs.halves(digits.x_test)
    alone = [nets.accuracy(expert, half, digits.y_test) for expert, half in zip(experts, halves, strict=True)]
    before = [flat(nets, expert) for expert in experts]
    shapes = [half.shape[1:] for half in halves]
    if form == "MixtureOfExperts":
        net = fusion.MixtureOfExperts(experts, shapes, balance=0.01, frozen=frozen)
    else:
        net = getattr(fusion, form)([fusion.features(expert) for expert in experts], shapes, 10, frozen=frozen)
    losses = nets.train(net, inputs.halves(digits.x_train), digits.y_train, CONFIG)
    found = nets.accuracy(net, halves, digits.y_test)
    assert losses[-1] < losses[0] and found > max(alone) + 0.02
    for values, expert in zip(before, experts, strict=True):
        np.testing.assert_array_equal(flat(nets, expert), values)


def test_frozen_experts_keep_their_weights_and_others_do_not(both, digits):
    fusion, nets = both
    expert, x = nets.make_mlp((8, 8), 10, hidden=(12,)), digits.x_train[:200]
    seen = fusion.features(expert)

    def inside(net):
        copies = getattr(net, "experts", None)
        first = copies.members[0] if copies else next(layer for layer in net.layers if hasattr(layer, "layers"))
        return flat(nets, first)

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


def test_a_gate_that_asks_one_gets_a_gradient_from_the_task_with_switch_alone(both, digits):
    (fusion, nets), moved = both, []
    for k, switch in ((1, False), (2, False), (1, True)):
        experts = [nets.make_mlp((8, 8), 10, hidden=(4,), seed=seed) for seed in range(3)]
        net = fusion.MixtureOfExperts(experts, [(8, 8)], k=k, switch=switch)
        before = net.gates(digits.x_test)
        nets.train(net, digits.x_train[:200], digits.y_train[:200], TrainingConfig(epochs=1))
        moved.append(np.abs(net.gates(digits.x_test) - before).max())
    assert moved[0] == 0 < min(moved[1:])


def test_a_shared_trunk_looks_at_both_halves_with_the_same_weights(both, digits):
    fusion, nets = both
    reader = nets.make_mlp((8, 4), 10, hidden=(32,))
    trunk = fusion.features(reader)
    before, frozen = flat(nets, trunk), fusion.SharedTrunk(trunk, [(8, 4), (8, 4)], 10, hidden=(), frozen=True)
    nets.train(frozen, inputs.halves(digits.x_train), digits.y_train, TrainingConfig(epochs=1))
    seen = np.hstack([nets.collect_activations(reader, half)[1][0] for half in inputs.halves(digits.x_test)])
    said = nets.predict(frozen, inputs.halves(digits.x_test))
    design = np.hstack([seen, np.ones((len(seen), 1))])  # the logits are linear in what the one trunk saw
    np.testing.assert_allclose(design @ np.linalg.lstsq(design, said)[0], said, atol=1e-3)
    net = fusion.SharedTrunk(trunk, [(8, 4), (8, 4)], 10)
    losses = nets.train(net, inputs.halves(digits.x_train), digits.y_train, CONFIG)
    assert losses[-1] < 0.5 * losses[0]
    assert nets.accuracy(net, inputs.halves(digits.x_test), digits.y_test) > 0.9
    np.testing.assert_array_equal(flat(nets, trunk), before)
    with pytest.raises(ValueError, match=r"shapes that are all alike, for one trunk, got \[\(8, 4\), \(8, 3\)\]"):
        fusion.SharedTrunk(trunk, [(8, 4), (8, 3)], 10)


def test_cross_stitch_starts_from_its_experts(both, digits):
    fusion, nets = both
    experts, halves = two_experts(both, digits), inputs.halves(digits.x_test)
    columns = [fusion.features(expert) for expert in experts]
    net = fusion.CrossStitch(columns, [half.shape[1:] for half in halves], 10, keep=0.7)
    own = [nets.collect_activations(expert, half)[1][0] for expert, half in zip(experts, halves, strict=True)]
    mixed = [0.7 * own[0] + 0.3 * own[1], 0.7 * own[1] + 0.3 * own[0]]
    design = np.hstack([*mixed, np.ones((len(mixed[0]), 1))])
    said = nets.predict(net, halves)
    np.testing.assert_allclose(design @ np.linalg.lstsq(design, said)[0], said, atol=1e-3)
    narrow = fusion.features(nets.make_mlp((8, 4), 10, hidden=(5,)))
    for wrong, message in (([columns[0], narrow], r"layers of the same widths, got \[\[48\], \[5\]\]"),
                           ([fusion.features(nets.make_cnn((8, 4), 10))] * 2, "dense layers with ReLU")):
        with pytest.raises(ValueError, match=message):
            fusion.CrossStitch(wrong, [(8, 4), (8, 4)], 10)


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
    net = fusion.ConcatFusion(seen[:2], [(4,), (4,)], 3)
    with pytest.raises(ValueError, match="expected arrays of as many examples"):
        nets.train(net, (np.zeros((6, 4)), np.zeros((5, 4))), np.zeros(6, int))


def test_fused_probabilities_of_the_experts_beat_either(both, digits):
    experts = two_experts(both, digits)
    said = [reference.softmax(both[1].predict(expert, half))
            for expert, half in zip(experts, inputs.halves(digits.x_test), strict=True)]
    alone = [(one.argmax(axis=1) == digits.y_test).mean() for one in said]
    for fuse in (outputs.weighted, outputs.product_of_experts):
        assert (fuse(said).argmax(axis=1) == digits.y_test).mean() > max(alone) + 0.02


def test_as_many_inputs_as_shapes(both, digits):
    fusion, nets = both
    experts, (left, right) = two_experts(both, digits), inputs.halves(digits.x_test)
    net = fusion.ConcatFusion([fusion.features(expert) for expert in experts], [left.shape[1:], right.shape[1:]], 10)
    for given in (left, (left,), (left, right, left)):
        with pytest.raises(ValueError, match="(x|inputs): expected .* got"):
            nets.predict(net, given)
