"""What merging two networks gives in the space of their weights."""

from dataclasses import replace

import numpy as np
from benchmark import Benchmark, drawn, few, twins
from scipy.special import softmax

from course_lib.merging import weights
from course_lib.merging.reference import barrier
from course_lib.networks.config import TrainingConfig
from course_lib.networks.scores import log_loss

# Weight decay leaves out what a network does not need: what is left, another one has as well.
MATCHABLE = TrainingConfig(epochs=20, learning_rate=1e-3, l2=1e-3)
FREE = replace(MATCHABLE, l2=0.0)


def trained(nets, model, x, y, config, *, seed=0):
    """The same network, trained."""
    nets.train(model, x, y, config, seed=seed)
    return model


def hidden(nets, model, x):
    """What the hidden neurons make of x, an array (N, units) for each layer."""
    return [into for into, _ in nets.collect_activations(model, x)[1:]]


def weight_space(merging, nets, data, *, width=512, seed=0, config=MATCHABLE, points=11):
    """Accuracies of two dense networks, trained apart, and of what is made of both; losses on the way between them.

    Parameters
    ----------
    merging, nets : modules
        Twins of the same framework.
    data : Dataset
        Of images (N, height, width).
    seed : int
    width, points : int
        Of two hidden layers; along each path.
    config : TrainingConfig

    Returns
    -------
    dict of float, dict of array (points,)
        Accuracies on the test images; test losses from the first network to the second one, "naive", and to the
        second one with its neurons "matched by weights" or "matched by activations".
    """
    def make(own):
        return nets.make_mlp(data.x_train.shape[1:], len(data.classes), hidden=(width, width), seed=own)

    def said(layers):
        return softmax(nets.predict(nets.set_layers(probe, layers), data.x_test), axis=-1)

    x, y, probe = data.x_train, data.y_train, make(0)
    models = [trained(nets, make(2 * seed + m), x, y, config, seed=2 * seed + m) for m in (0, 1)]
    first, second = map(nets.get_layers, models)
    acts = [hidden(nets, model, x[:2_000]) for model in models]
    ends = {"naive": second,
            "matched by weights": weights.permute(second, weights.match_weights(second, first, seed=seed)),
            "matched by activations": weights.permute(second, weights.match_activations(acts[1], acts[0]))}
    paths = {name: np.array([log_loss(said(weights.average([first, end], [1 - share, share])), data.y_test)
                             for share in np.linspace(0, 1, points)]) for name, end in ends.items()}
    teacher = np.mean([softmax(nets.predict(model, x), axis=-1) for model in models], axis=0)
    student = make(2 * seed + 100)
    merging.distill(student, x, y, np.log(teacher + 1e-12), config, seed=seed)
    forks = [trained(nets, nets.set_layers(make(0), first), x, y, replace(config, epochs=5), seed=seed + own)
             for own in range(1, 5)]
    longer = trained(nets, make(2 * seed), x, y, replace(config, epochs=config.epochs + 5), seed=2 * seed)
    student, longer, *forks = (nets.get_layers(model) for model in (student, longer, *forks))
    found = {"first": first, "second": second, "distilled": student, "one of the forks": forks[0],
             "soup of forks": weights.average(forks), "one network, trained as long": longer}
    found |= {name: weights.average([first, end]) for name, end in ends.items()}
    table = {name: (said(layers).argmax(axis=1) == data.y_test).mean() for name, layers in found.items()}
    both = np.mean([softmax(nets.predict(model, data.x_test), axis=-1) for model in models], axis=0)
    return table | {"both, their outputs averaged": (both.argmax(axis=1) == data.y_test).mean()}, paths


def in_weight_space(framework, seeds, images):
    """8,000 images of MNIST, two hidden layers.

    Accuracy on the test images; the barrier is in nats of the test loss. Forks are the first network, trained on
    for five epochs.
    """
    merging, nets = twins(framework, "merging", "networks")
    for seed in range(seeds):
        found = drawn(images, seed)
        for name, width, config in (("512 wide", 512, MATCHABLE), ("64 wide", 64, MATCHABLE),
                                    ("512 wide, no weight decay", 512, FREE)):
            table, paths = weight_space(merging, nets, found, width=width, seed=seed, config=config)
            barriers = {f"barrier, {what}": barrier(path) for what, path in paths.items()}
            for what, value in (table | barriers).items():
                yield {"networks": name, "what": what, "seed": seed, "value": value}


def weights_canary(framework):
    """Barriers and log-losses between two networks after eight epochs."""
    [nets] = twins(framework, "networks")
    images, config = few(), replace(MATCHABLE, epochs=8)
    models = [trained(nets, nets.make_mlp((8, 8), 10, hidden=(24, 24), seed=seed), images.x_train,
                              images.y_train, config, seed=seed) for seed in (0, 1)]
    first, second = map(nets.get_layers, models)
    acts = [hidden(nets, model, images.x_train) for model in models]
    found = {"mean": second, "by weights": weights.permute(second, weights.match_weights(second, first, seed=0)),
             "by activations": weights.permute(second, weights.match_activations(acts[1], acts[0]))}
    return {name: log_loss(softmax(nets.predict(
        nets.set_layers(models[0], weights.average([first, end])), images.x_test), axis=-1), images.y_test)
        for name, end in found.items()}


STUDIES = {
    "merging_weights": Benchmark(
        title="Averaging two networks in the space of weights",
        settings={"training": MATCHABLE, "without weight decay": FREE}, rows=in_weight_space,
        canary=weights_canary, down=("what",), across=("framework", "networks"), seeds=3, options={"images": "mnist"})}
