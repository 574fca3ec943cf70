"""The Keras twin trains the same runs on each backend that is installed."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from course_lib.common.framework import KERAS_BACKENDS

pytest.importorskip("keras")
pytestmark = pytest.mark.keras

RUNS = """
import json
import keras
import numpy as np
from course_lib.tuning.in_keras import TrainingRuns
from course_lib.tuning.runs import dropout_masks

found = []
for optimizer, options in (("sgd", {"l2": [0.01, 0.1], "max_norm": [0.5, 9]}), ("rmsprop", {"max_value": [0.01, 9]}),
                           ("adam", {"l1": [0.01, 0.1], "kept": [0.0, 0.5]})):
    rng = np.random.default_rng(0)
    shapes = (2, 4, 6), (2, 6), (2, 6, 6), (2, 6), (2, 6, 3), (2, 3)
    runs = TrainingRuns([rng.normal(size=shape) for shape in shapes], optimizer=optimizer)
    if "kept" in options:
        options["kept"] = dropout_masks(rng, options["kept"], (5, 2, 8, 6))
    losses, norms = runs.train(rng.normal(size=(5, 2, 8, 4)), rng.integers(3, size=(5, 2, 8)), [0.01, 0.1], **options)
    runs.restart(np.array([1]), [rng.normal(size=shape)[:1] for shape in shapes])
    weights = np.concatenate([part.ravel() for part in runs.weights()])
    found.append([*losses.tolist(), *norms.tolist(), *weights.tolist()])
print(json.dumps([keras.backend.backend(), found]))
"""


def run(backend):
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run([sys.executable, "-c", RUNS], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    name, found = json.loads(done.stdout.splitlines()[-1])
    assert name == backend
    return found


@pytest.fixture(scope="module")
def on_tensorflow():
    return run("tensorflow")


@pytest.mark.parametrize("backend", sorted(set(KERAS_BACKENDS) - {"tensorflow"}))
def test_runs_are_the_same_on_every_backend(on_tensorflow, backend):
    if find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    for found, wanted in zip(run(backend), on_tensorflow, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-4)
