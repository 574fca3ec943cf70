"""The same weights give the same numbers in both frameworks; and Torch-Pruning cuts as we do."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")


@pytest.fixture
def images():
    return np.random.default_rng(0).uniform(size=(50, 8, 8)).astype(np.float32)


@pytest.mark.keras
def test_kernels_are_laid_out_alike_and_give_the_same_outputs(images):
    pytest.importorskip("keras")
    from course_lib.networks import in_keras as keras_nets
    from course_lib.networks import in_pytorch as torch_nets
    from course_lib.pruning import in_keras, in_pytorch

    for make in ("make_mlp", "make_cnn"):
        ours, theirs = getattr(torch_nets, make)((8, 8), 10, seed=3), getattr(keras_nets, make)((8, 8), 10)
        rng = np.random.default_rng(1)
        kernels = torch_nets.get_kernels(ours)
        assert [k.shape for k in kernels] == [k.shape for k in keras_nets.get_kernels(theirs)]
        flat = next((i for i, k in enumerate(kernels) if i and kernels[i - 1].ndim > k.ndim), None)
        for i, kernel in enumerate(kernels):
            bias = rng.normal(size=kernel.shape[-1]).astype(np.float32)
            torch_nets.set_layer(ours, i, kernel, bias)
            if i == flat:  # flattened feature maps: channels first in PyTorch, last in Keras
                channels = kernels[i - 1].shape[-1]
                kernel = kernel.reshape(channels, -1, kernel.shape[1]).transpose(1, 0, 2).reshape(kernel.shape)
            keras_nets.set_layer(theirs, i, kernel, bias)
        np.testing.assert_allclose(torch_nets.predict(ours, images), keras_nets.predict(theirs, images),
                                   atol=1e-5)
        keep = [np.arange(0, k.shape[-1], 3) for k in kernels[:-1]]
        cut = torch_nets.predict(in_pytorch.shrink(ours, keep), images)
        np.testing.assert_allclose(cut, keras_nets.predict(in_keras.shrink(theirs, keep), images), atol=1e-5)
        a, b = torch_nets.collect_activations(ours, images), keras_nets.collect_activations(theirs, images)
        for (_, first), (_, second) in zip(a, b):
            np.testing.assert_allclose(first, second, atol=1e-4)


@pytest.mark.keras
def test_initial_weights_are_drawn_from_the_same_distribution():
    pytest.importorskip("keras")
    from course_lib.networks import in_keras as keras_nets
    from course_lib.networks import in_pytorch as torch_nets

    for make in ("make_mlp", "make_cnn"):
        pairs = zip(torch_nets.get_kernels(getattr(torch_nets, make)((28, 28), 10)),
                    keras_nets.get_kernels(getattr(keras_nets, make)((28, 28), 10)))
        for first, second in pairs:
            bound = np.sqrt(6 / np.prod(first.shape[:-1]))
            for kernel in (first, second):
                assert np.abs(kernel).max() <= bound * 1.0001
                assert kernel.std() == pytest.approx(bound / np.sqrt(3), rel=0.15)


@pytest.mark.keras
def test_one_epoch_of_gradient_descent_agrees(images):
    """SGD instead of Adam, which no two frameworks round alike; the masks hold in both, and the rest moves alike."""
    keras = pytest.importorskip("keras")
    from course_lib.networks import in_keras as keras_nets
    from course_lib.networks import in_pytorch as torch_nets
    from course_lib.pruning import in_keras, in_pytorch

    ours, theirs = torch_nets.make_mlp((8, 8), 10, seed=3), keras_nets.make_mlp((8, 8), 10)
    kernels = torch_nets.get_kernels(ours)
    masks = [np.random.default_rng(2).uniform(size=kernel.shape) > 0.5 for kernel in kernels]
    labels = np.arange(50) % 10
    for model, nets, module in ((ours, torch_nets, in_pytorch), (theirs, keras_nets, in_keras)):
        for i, kernel in enumerate(kernels):
            nets.set_layer(model, i, kernel.copy(), np.zeros(kernel.shape[-1], np.float32))
        module.apply_masks(model, masks)
    optimizer = torch.optim.SGD(ours.parameters(), lr=0.1)
    theirs.compile(keras.optimizers.SGD(0.1), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    for _ in range(5):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(ours(torch.tensor(images)), torch.tensor(labels)).backward()
        optimizer.step()
        theirs.train_on_batch(images, labels)
    for new, old, first, mask in zip(torch_nets.get_kernels(ours), keras_nets.get_kernels(theirs), kernels, masks):
        np.testing.assert_allclose(new, old, atol=1e-5)
        assert np.abs(new - first * mask).max() > 1e-4 and not new[~mask].any()


def test_torch_pruning_cuts_alike(images):
    tp = pytest.importorskip("torch_pruning")
    from course_lib.networks import in_pytorch as nets
    from course_lib.pruning import in_pytorch as pruning

    for make, keep in ((nets.make_mlp, [np.arange(0, 300, 7), np.arange(50)]),
                       (nets.make_cnn, [np.arange(5), np.arange(1, 32, 2), np.arange(10, 64)])):
        model = make((8, 8), 10, seed=4)
        expected = nets.predict(pruning.shrink(model, keep), images)
        weighted = [layer for layer in model if hasattr(layer, "weight")]
        for layer, kept in zip(weighted, keep):
            graph = tp.DependencyGraph().build_dependency(model, torch.tensor(images))
            cut = tp.prune_conv_out_channels if layer.weight.dim() == 4 else tp.prune_linear_out_channels
            gone = np.setdiff1d(np.arange(layer.weight.shape[0]), kept).tolist()
            graph.get_pruning_group(layer, cut, idxs=gone).prune()
        np.testing.assert_allclose(nets.predict(model, images), expected, atol=1e-5)
