"""How well LeNet-300-100 can be pruned on MNIST."""

import time
from dataclasses import replace

import numpy as np
from benchmark import Benchmark, timed, twins
from scipy.special import softmax

from course_lib.common import data
from course_lib.networks.config import TrainingConfig
from course_lib.networks.scores import log_loss
from course_lib.pruning.config import PruningConfig
from course_lib.pruning.information import shrink_and_refit

DENSE = TrainingConfig(batch_size=128, epochs=12, learning_rate=2e-3, l2=3e-4)
TUNED = replace(DENSE, epochs=8, l2=0.0)
SETTINGS = {"hidden": (300, 100), "dense": DENSE, "fine-tuned": TUNED, "sizes": ((75, 25), (30, 10)),
            "from scratch": replace(TUNED, epochs=DENSE.epochs + TUNED.epochs), "images to choose by": 10_000,
            "sparse": tuple((PruningConfig(sparsity=share, end=0.6, prune_every=50),
                             replace(DENSE, epochs=epochs, l2=1e-4)) for share, epochs in ((0.95, 12), (0.98, 16)))}


def networks(nets, pruning, images, seed, settings=SETTINGS):
    """Everything for one seed; yields (what, network, further figures)."""
    x, y, shape, classes = images.x_train, images.y_train, images.x_train.shape[1:], len(images.classes)

    def train(model, config, own, **options):
        return timed(lambda: nets.train(model, x, y, config, seed=own, **options))[1]

    dense = nets.make_mlp(shape, classes, hidden=settings["hidden"], seed=seed)
    yield "dense", dense, {"CPU s": train(dense, settings["dense"], seed)}
    for gradual, config in settings["sparse"]:
        model = pruning.shrink(dense, [None, None])  # a copy
        seconds = train(model, config, seed + 100, callbacks=[pruning.gradual_pruning(gradual)])
        yield f"{100 * gradual.sparsity:.0f} % sparse", model, {"CPU s": seconds}
    few = x[:settings["images to choose by"]]
    for sizes in settings["sizes"]:
        name = "-".join(map(str, sizes))
        small, seconds = timed(lambda s=sizes: shrink_and_refit(nets, pruning, dense, few, s),
                               time.perf_counter)
        yield f"{name}, no fine-tuning", small, {"scoring s": seconds}
        train(small, settings["fine-tuned"], seed + 200)
        latency = nets.measure_latency([dense, small], x[:1000])
        yield f"{name}, fine-tuned", small, {"times faster": latency[0] / latency[1]}
    scratch = nets.make_mlp(shape, classes, hidden=settings["sizes"][-1], seed=seed)
    train(scratch, settings["from scratch"], seed)
    yield f"{name}, from scratch", scratch, {}


def rows(framework, seeds, images):
    """Test accuracy in per cent.

    "75-25" are the neurons left of 300 and 100, chosen by Gaussian information, the next layer refitted by least
    squares. "CPU s" is the processor time of a training run (of the sparse networks: of the pruning run, which
    starts from the dense one), "scoring s" that of choosing and refitting, "times faster" the latency for 1000
    images against the dense network's.
    """
    nets, pruning = twins(framework, "networks", "pruning")
    images = data.load(images)
    for seed in range(seeds):
        for name, model, more in networks(nets, pruning, images, seed):
            yield {"network": name, "seed": seed,
                   "accuracy, %": 100 * nets.accuracy(model, images.x_test, images.y_test), **more}


def canary(framework):
    """Log-losses of small networks on some digits."""
    nets, pruning = twins(framework, "networks", "pruning")
    found = data.load("digits")
    images = replace(found, x_train=found.x_train[:640], y_train=found.y_train[:640])
    (gradual, config), short = SETTINGS["sparse"][0], {"epochs": 8}
    settings = SETTINGS | {"hidden": (30, 20), "dense": replace(DENSE, **short), "fine-tuned": replace(TUNED, epochs=4),
                           "sparse": ((replace(gradual, prune_every=2), replace(config, **short)),),
                           "sizes": ((12, 8),), "from scratch": replace(TUNED, epochs=8)}
    figures = {}
    for name, model, _ in networks(nets, pruning, images, 0, settings):
        figures[name] = log_loss(softmax(nets.predict(model, images.x_test), axis=-1), images.y_test)
        if "sparse" in name:
            figures[f"{name}, share"] = float(np.mean([(kernel == 0).mean() for kernel in nets.get_kernels(model)]))
    return figures


STUDIES = {"pruning_mnist": Benchmark(
    title="Pruning LeNet-300-100 on MNIST",
    settings=SETTINGS, rows=rows, canary=canary, down=("framework", "network"), across=(), options={"images": "mnist"})}
