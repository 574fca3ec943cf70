"""Masks, gradual pruning, shrinking and saving, in both frameworks."""

import numpy as np
import pytest

from course_lib.pruning.config import PruningConfig
from course_lib.pruning.scores import live_neurons


def networks(nets):
    return [nets.make_mlp((8, 8), 10, hidden=(30, 20), seed=1),
            nets.make_cnn((8, 8), 10, filters=(6, 8), hidden=(12,), seed=1)]


def random_masks(kernels, share=0.7, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.uniform(size=kernel.shape) > share for kernel in kernels]


def test_a_mask_holds_at_once_and_through_training(pruning, nets, digits):
    for model in networks(nets):
        masks = random_masks(nets.get_kernels(model))
        pruning.apply_masks(model, masks)
        before = nets.get_kernels(model)
        expected = 1 - sum(m.sum() for m in masks) / sum(m.size for m in masks)
        assert pruning.sparsity(model) == pytest.approx(expected, abs=1e-3)
        nets.train(model, digits.x_train, digits.y_train, nets.TrainingConfig(epochs=2))
        after = nets.get_kernels(model)
        for mask, old, new in zip(masks, before, after):
            assert not new[~mask].any() and np.abs(new - old)[mask].max() > 1e-3


def test_a_mask_holds_in_a_network_that_was_compiled_before(pruning, nets, digits):
    model = networks(nets)[0]
    config = nets.TrainingConfig(epochs=1)
    nets.train(model, digits.x_train, digits.y_train, config)
    masks = random_masks(nets.get_kernels(model))
    pruning.apply_masks(model, masks)
    if hasattr(model, "fit"):  # Keras: train once more without compiling anew
        model.fit(digits.x_train, digits.y_train, verbose=0)
    else:
        nets.train(model, digits.x_train, digits.y_train, config)
    assert not any(kernel[~mask].any() for kernel, mask in zip(nets.get_kernels(model), masks))


def test_new_masks_replace_the_old(pruning, nets):
    model = networks(nets)[0]
    first = random_masks(nets.get_kernels(model), 0.2)
    pruning.apply_masks(model, first)
    second = [mask & other for mask, other in zip(first, random_masks(first, 0.5, seed=1))]
    pruning.apply_masks(model, second)
    assert all(((kernel != 0) == mask).all() for kernel, mask in zip(nets.get_kernels(model), second))
    pruning.apply_masks(model, [np.ones_like(mask) for mask in second])  # what is gone does not come back by itself
    assert all(((kernel != 0) == mask).all() for kernel, mask in zip(nets.get_kernels(model), second))


def test_a_second_run_goes_on_from_the_sparsity_of_the_first(pruning, nets, digits):
    model, seen = networks(nets)[0], []
    config = nets.TrainingConfig(epochs=2)
    for share in (0.8, 0.9):
        nets.train(model, digits.x_train, digits.y_train, config, callbacks=[
            pruning.gradual_pruning(PruningConfig(sparsity=share)), lambda m, *_: seen.append(pruning.sparsity(m))])
    assert min(seen[len(seen) // 2:]) > 0.79 and seen[-1] == pytest.approx(0.9, abs=1e-3)


def test_a_callback_may_evaluate(pruning, nets, digits, with_norms):
    """What is learned does not depend on being watched: evaluation leaves dropout and the averages alone."""
    def watch(model, step, updates):
        nets.accuracy(model, digits.x_test, digits.y_test)

    losses = [nets.train(pruning.shrink(with_norms, [None, None]), digits.x_train, digits.y_train,
                               nets.TrainingConfig(epochs=3), callbacks=callbacks) for callbacks in ([], [watch])]
    assert losses[1][-1] == pytest.approx(losses[0][-1], rel=0.3)  # dropout draws differ
    assert losses[0][-1] < losses[0][0]


def test_activations_are_those_before_a_relu_that_works_in_place(nets, digits):
    if not nets.__name__.endswith("pytorch"):
        pytest.skip("Keras has no such layer")
    from torch import nn

    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 5), nn.ReLU(inplace=True), nn.Linear(5, 2))
    assert nets.collect_activations(model, digits.x_test)[0][1].min() < 0


def test_a_layer_of_another_shape_is_refused(pruning, nets):
    model = networks(nets)[0]
    with pytest.raises(ValueError, match=r"kernel: expected shape \(64, 30\), got \(64, 1\)"):
        nets.set_layer(model, 0, np.ones((64, 1)))
    with pytest.raises(ValueError, match="bias: expected shape"):
        nets.set_layer(model, 0, np.ones((64, 30)), 1.0)


def test_a_masked_layer_can_be_overwritten(pruning, nets):
    model = networks(nets)[0]
    masks = random_masks(nets.get_kernels(model))
    for _ in range(2):  # without a mask, then with one
        kernel, bias = np.ones(masks[1].shape, np.float32), np.arange(20, dtype=np.float32)
        nets.set_layer(model, 1, kernel, bias)
        assert (nets.get_kernels(model)[1] == 1).all()
        pruning.apply_masks(model, masks)
        nets.set_layer(model, 1, 2 * kernel, bias)
        np.testing.assert_array_equal(nets.get_kernels(model)[1], 2 * masks[1])
        masks = [np.ones_like(mask) for mask in masks]
        pruning.apply_masks(model, masks)


@pytest.mark.parametrize("begin", [0.0, 0.3])
@pytest.mark.parametrize("scope", ["global", "layer", "lamp"])
def test_gradual_pruning_follows_its_schedule_to_the_end(pruning, nets, digits, begin, scope):
    model, seen = networks(nets)[0], []
    config = PruningConfig(sparsity=0.8, scope=scope, begin=begin, end=0.8, prune_every=5)
    losses = nets.train(
        model, digits.x_train[:640], digits.y_train[:640], nets.TrainingConfig(epochs=10),
        callbacks=[pruning.gradual_pruning(config), lambda model, step, updates: seen.append(pruning.sparsity(model))])
    assert len(seen) == 101 and losses[-1] < losses[0]
    assert max(seen[: int(100 * begin)], default=0) < 0.01
    assert (np.diff(seen) >= -1e-9).all()
    middle = int(50 * begin + 40)
    assert seen[middle] == pytest.approx(0.8 - 0.8 / 8, abs=0.03)  # cubic: 7/8 done half-way
    np.testing.assert_allclose(seen[80:], 0.8, atol=0.01)


def silence(nets, model, keep):
    """Make all neurons but those to keep silent."""
    for index, (kernel, kept) in enumerate(zip(nets.get_kernels(model), keep)):
        live = np.isin(np.arange(kernel.shape[-1]), kept)
        nets.set_layer(model, index, kernel * live, np.linspace(-1, 1, len(live)) * live)


@pytest.mark.parametrize("masked", [False, True])
def test_a_shrunk_network_says_what_the_silenced_one_says(pruning, nets, digits, masked):
    keeps = [[[3, 0, 7, 29], [19, 4]], [[5, 1], [0, 2, 7], [11, 3, 4]]]
    for model, keep in zip(networks(nets), keeps):
        silence(nets, model, keep)
        if masked:
            pruning.apply_masks(model, random_masks(nets.get_kernels(model), 0.3))
        expected = nets.predict(model, digits.x_test)
        small = pruning.shrink(model, keep)
        np.testing.assert_allclose(nets.predict(small, digits.x_test), expected, atol=1e-5)
        assert [k.shape[-1] for k in nets.get_kernels(small)] == [*map(len, keep), 10]
        assert np.abs(expected).max() > 0.1
        nets.train(small, digits.x_train, digits.y_train, nets.TrainingConfig(epochs=1))
        np.testing.assert_array_equal(nets.predict(model, digits.x_test), expected)  # untouched


def test_keeping_all_changes_nothing(pruning, nets, digits):
    for model in networks(nets):
        same = pruning.shrink(model, [None] * (len(nets.get_kernels(model)) - 1))
        np.testing.assert_allclose(nets.predict(same, digits.x_test), nets.predict(model, digits.x_test),
                                   atol=1e-6)


@pytest.fixture
def with_norms(twin):
    """A network with BatchNorm after a convolution, after flattening and after a dense layer."""
    if twin("pruning").__name__.endswith("pytorch"):
        from torch import nn

        return nn.Sequential(nn.Unflatten(1, (1, 8)), nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten(),
                             nn.BatchNorm1d(216), nn.Linear(216, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Dropout(0.1),
                             nn.Linear(12, 10))
    import keras
    from keras import layers

    return keras.Sequential([
        keras.Input((8, 8)), layers.Reshape((8, 8, 1)), layers.Conv2D(6, 3), layers.BatchNormalization(),
        layers.ReLU(), layers.Flatten(), layers.BatchNormalization(), layers.Dense(12), layers.BatchNormalization(),
        layers.ReLU(), layers.Dropout(0.1), layers.Dense(10)])


def test_batch_norm_is_cut_as_well(pruning, nets, digits, with_norms):
    nets.train(with_norms, digits.x_train, digits.y_train, nets.TrainingConfig(epochs=1))
    keep = [[4, 1], [0, 2, 3, 5, 7]]
    small = pruning.shrink(with_norms, keep)
    a, b = nets.collect_activations(with_norms, digits.x_test), nets.collect_activations(small, digits.x_test)
    np.testing.assert_allclose(b[0][1], a[0][1][..., [1, 4]], atol=1e-4)
    live = np.isin(np.arange(216) % 6, [1, 4]) if a[1][0].shape == (450, 216) and not hasattr(
        with_norms, "parameters") else np.isin(np.arange(216) // 36, [1, 4])
    np.testing.assert_allclose(b[1][0], a[1][0][:, live], atol=1e-4)  # the inputs that stay are what they were
    dense = nets.collect_activations(pruning.shrink(with_norms, [None, keep[1]]), digits.x_test)
    np.testing.assert_allclose(dense[2][0], a[2][0][:, keep[1]], atol=1e-4)  # after the dense layer's BatchNorm
    assert [k.shape[-1] for k in nets.get_kernels(small)] == [2, 5, 10]
    nets.train(small, digits.x_train, digits.y_train, nets.TrainingConfig(epochs=1))


def test_activations_are_those_of_the_layers(pruning, nets, digits):
    model = networks(nets)[0]
    found = nets.collect_activations(model, digits.x_train)  # more than one batch
    inputs = digits.x_train.reshape(len(digits.x_train), 64)
    biases = [np.linspace(-1, 1, 30), np.linspace(-1, 1, 20), np.zeros(10)]
    for index, bias in enumerate(biases):
        nets.set_layer(model, index, nets.get_kernels(model)[index], bias)
    found = nets.collect_activations(model, digits.x_train)
    for (into, out), kernel, bias in zip(found, nets.get_kernels(model), biases):
        np.testing.assert_allclose(into, inputs, atol=1e-5)
        np.testing.assert_allclose(out, inputs @ kernel + bias, atol=1e-4)
        inputs = np.maximum(out, 0)
    maps = nets.collect_activations(networks(nets)[1], digits.x_test)
    assert [out.shape for _, out in maps] == [(450, 8, 8, 6), (450, 4, 4, 8), (450, 12), (450, 10)]


def test_group_lasso_presses_whole_neurons_to_zero(pruning, nets, digits):
    config = nets.TrainingConfig(epochs=30, learning_rate=3e-3)
    live = {}
    for strength in (0.0, 1e-2):
        model = nets.make_mlp((8, 8), 10, hidden=(60, 30), seed=0)
        nets.train(model, digits.x_train, digits.y_train, config, penalty=pruning.group_lasso(strength))
        live[strength] = live_neurons(nets.get_kernels(model))[:-1]
    assert [len(neurons) for neurons in live[0.0]] == [60, 30]
    assert len(live[1e-2][0]) < 50 and len(live[1e-2][1]) < 28
    small = pruning.shrink(model, live[1e-2])
    whole, cut = (nets.accuracy(net, digits.x_test, digits.y_test) for net in (model, small))
    assert cut > 0.9 and abs(cut - whole) < 0.02  # what went was of no use


def test_the_penalty_is_the_sum_of_the_norms(pruning, nets):
    kernel = np.zeros((64, 30), np.float32)
    kernel[:4, 0], kernel[0, 1] = 0.5, -0.05  # norms 1 and 0.05
    model = networks(nets)[0]
    nets.set_layer(model, 0, kernel, np.zeros(30))
    layer = next(layer for layer in getattr(model, "layers", model) if hasattr(layer, "bias"))
    tensor = layer.kernel if hasattr(layer, "kernel") else layer.weight
    assert float(pruning.group_lasso(2.0)(tensor)) == pytest.approx(2.1, rel=1e-3)
    assert [neurons.tolist() for neurons in live_neurons([kernel], tolerance=0.04)] == [[0, 1]]
    assert [neurons.tolist() for neurons in live_neurons([kernel], tolerance=0.06)] == [[0]]


def test_other_networks_and_wrong_lists_are_refused(pruning, nets, with_norms):
    model = networks(nets)[0]
    kernels = nets.get_kernels(model)
    with pytest.raises(ValueError, match=r"masks\[0\]: expected shape"):
        pruning.apply_masks(model, [kernel.T != 0 for kernel in kernels])
    with pytest.raises(ValueError, match=r"masks\[0\]: expected True or False, or 0 and 1, got float32"):
        pruning.apply_masks(model, kernels)
    for keep, message in (([None], "keep: expected a list of 2"),
                          ([None, [20]], r"keep\[1\]: expected numbers from 0 to 19, got 20 to 20"),
                          ([[], None], r"keep\[0\]: expected shape \(neurons,\)"),
                          ([[1, 1], None], "different numbers"), ([[0.5], None], "whole numbers")):
        with pytest.raises(ValueError, match=message):
            pruning.shrink(model, keep)
    with pytest.raises(ValueError, match="model: expected a .*Sequential"):
        pruning.shrink(np.zeros(3), [None])


def test_a_layer_that_pruning_does_not_know_is_named(nets):
    if nets.__name__.endswith("pytorch"):
        from torch import nn

        strange = nn.Sequential(nn.Linear(4, 4), nn.LSTM(4, 4))
    else:
        import keras

        strange = keras.Sequential([keras.Input((4, 4)), keras.layers.LSTM(4), keras.layers.Dense(4)])
    with pytest.raises(ValueError, match="model: expected a .*got LSTM"):
        nets.get_kernels(strange)


@pytest.mark.keras
def test_an_epoch_in_one_graph_is_training_step_by_step(digits):
    nets = pytest.importorskip("course_lib.networks.in_keras")
    config, found = nets.TrainingConfig(epochs=3, batch_size=100, l2=1e-3), []  # 1347 images: a small last batch
    for callbacks in ([], [lambda *_: None]):  # with callbacks, update by update
        model = nets.make_mlp((8, 8), 10, hidden=(20,))
        losses = nets.train(model, digits.x_train, digits.y_train, config, seed=1, callbacks=callbacks)
        found.append([*model.get_weights(), np.array(losses)])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert losses[2] < losses[0]


def test_a_mask_that_comes_in_the_middle_of_a_training_holds(pruning, nets, digits):
    model, masks = networks(nets)[0], []

    def callback(model, step, updates):
        if step == 3:
            masks.extend(random_masks(nets.get_kernels(model)))
            pruning.apply_masks(model, masks)

    nets.train(model, digits.x_train, digits.y_train, nets.TrainingConfig(epochs=1), callbacks=[callback])
    assert all(not kernel[~mask].any() for kernel, mask in zip(nets.get_kernels(model), masks, strict=True))


@pytest.mark.keras
def test_keras_networks_that_cannot_be_cut_are_named():
    keras, in_keras = pytest.importorskip("keras"), pytest.importorskip("course_lib.pruning.in_keras")
    from course_lib.networks.in_keras import get_kernels

    layers = [keras.layers.Dense(3), keras.layers.BatchNormalization(scale=False), keras.layers.Dense(2)]
    with pytest.raises(ValueError, match="model: expected a keras.Sequential that knows its input shape"):
        get_kernels(keras.Sequential(layers))
    with pytest.raises(ValueError, match="got BatchNormalization without scale"):
        in_keras.shrink(keras.Sequential([keras.Input((4,)), *layers]), [[0, 1]])


def test_pytorch_networks_at_the_edge():
    torch = pytest.importorskip("torch")
    in_pytorch, nn = pytest.importorskip("course_lib.pruning.in_pytorch"), torch.nn
    from course_lib.networks.in_pytorch import get_kernels

    with pytest.raises(ValueError, match="got a LazyLinear that has seen no input"):
        get_kernels(nn.Sequential(nn.LazyLinear(3), nn.Linear(3, 2)))
    bare = nn.BatchNorm1d(3, affine=False, track_running_stats=False)
    small = in_pytorch.shrink(nn.Sequential(nn.Linear(4, 3), bare, nn.Linear(3, 2)), [[0, 2]])
    assert small(torch.ones(5, 4)).shape == (5, 2)


def test_latency_is_measured(nets):
    small, large = (nets.make_mlp((28, 28), 10, hidden=hidden) for hidden in ((8,), (1000, 1000)))
    seconds = nets.measure_latency([large, small], np.zeros((500, 28, 28), np.float32), repeats=5)
    assert seconds.shape == (2,) and seconds[0] > 3 * seconds[1] > 0
