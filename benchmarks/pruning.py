"""How well LeNet-300-100 can be pruned on MNIST, in both frameworks.

    python benchmarks/pruning.py                       both frameworks, 5 seeds; downloads MNIST (11 MB) once
    python benchmarks/pruning.py --data mnist.npz      a file in the layout of Keras's mnist.npz
    python benchmarks/pruning.py --frameworks keras --seeds 1

Each framework runs in a process of its own. "CPU s" is the processor time of the training, all threads together (of
the sparse networks: of the pruning run, which starts from the dense one). Latency is that of 1000 images at once, as a
ratio to the dense network's in the same run.
"""

import argparse
import importlib
import json
import os
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np

from course_lib.common import data
from course_lib.pruning import experiments
from course_lib.pruning.config import PruningConfig

HIDDEN = (300, 100)
ROWS = ("dense", "95 % sparse", "98 % sparse", "75-25, no fine-tuning", "75-25, fine-tuned", "30-10, fine-tuned",
        "30-10, from scratch")


def run_seed(classifier, pruning, images, seed):
    """Everything for one seed; yields (row, accuracy, CPU seconds, further figures)."""
    x, y, shape, classes = images.x_train, images.y_train, images.x_train.shape[1:], len(images.classes)
    config = classifier.TrainingConfig(batch_size=128, epochs=12, learning_rate=2e-3, l2=3e-4)
    tuning = replace(config, epochs=8, l2=0.0)

    def score(model):
        return classifier.accuracy(model, images.x_test, images.y_test)

    started = time.process_time()
    dense = classifier.make_mlp(shape, classes, hidden=HIDDEN, seed=seed)
    classifier.train(dense, x, y, config, seed=seed)
    seconds = time.process_time() - started
    yield "dense", score(dense), seconds, {}

    for share, epochs in ((0.95, 12), (0.98, 16)):
        started = time.process_time()
        model = pruning.shrink(dense, [None, None])  # a copy
        gradual = PruningConfig(sparsity=share, end=0.6, prune_every=50)
        classifier.train(model, x, y, replace(config, epochs=epochs, l2=1e-4), seed=seed + 100,
                         callbacks=[pruning.gradual_pruning(gradual)])
        seconds = time.process_time() - started
        yield f"{100 * share:.0f} % sparse", score(model), seconds, {"sparsity": pruning.sparsity(model)}

    for sizes in ((75, 25), (30, 10)):
        name, started = "-".join(map(str, sizes)), time.perf_counter()
        small = experiments.shrink_and_refit(pruning, dense, x[:10_000], sizes)
        seconds = time.perf_counter() - started
        if sizes == (75, 25):
            yield f"{name}, no fine-tuning", score(small), None, {"scoring seconds": seconds}
        classifier.train(small, x, y, tuning, seed=seed + 200)
        latency = classifier.measure_latency([dense, small], x[:1000])
        yield f"{name}, fine-tuned", score(small), None, {"times faster": latency[0] / latency[1]}
    scratch = classifier.make_mlp(shape, classes, hidden=(30, 10), seed=seed)
    classifier.train(scratch, x, y, replace(tuning, epochs=config.epochs + tuning.epochs), seed=seed)
    yield "30-10, from scratch", score(scratch), None, {}


def run_framework(framework, path, seeds):
    """Run all seeds in this process, printing a JSON line a figure."""
    classifier, pruning = (importlib.import_module(f"course_lib.{topic}.in_{framework}")
                           for topic in ("classifier", "pruning"))
    images = data.load(path)
    for seed in range(seeds):
        for row, accuracy, seconds, more in run_seed(classifier, pruning, images, seed):
            print(json.dumps({"row": row, "seed": seed, "accuracy": accuracy, "seconds": seconds, **more}), flush=True)


def line(framework, row, found):
    """One line of the table."""
    def mean(name, text):
        values = [f[name] for f in found if f.get(name) is not None]
        return format(np.mean(values), text) if values else ""

    accuracies = 100 * np.array([f["accuracy"] for f in found])
    return (f"| {framework} | {row} | {accuracies.mean():.2f} | {accuracies.min():.2f} | {mean('seconds', '.0f')} | "
            f"{mean('scoring seconds', '.2f')} | {mean('times faster', '.1f')} |")


def main():
    """Run the frameworks one after the other and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--frameworks", nargs="+", choices=("pytorch", "keras"), default=["pytorch", "keras"])
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        run_framework(options.frameworks[0], options.data, options.seeds)
        return
    print(f"LeNet-300-100 on {options.data}, test accuracy in per cent, {options.seeds} seeds\n")
    print("| framework | network | mean | lowest | CPU s | scoring s | times faster |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for framework in options.frameworks:
        command = [sys.executable, __file__, "--inside", "--frameworks", framework, "--data", options.data,
                   "--seeds", str(options.seeds)]
        environment = {"OMP_NUM_THREADS": "2", "TF_CPP_MIN_LOG_LEVEL": "3", **os.environ}
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        results = [json.loads(text) for text in done.stdout.splitlines() if text.startswith("{")]
        for row in ROWS:
            print(line(framework, row, [found for found in results if found["row"] == row]), flush=True)


if __name__ == "__main__":
    main()
