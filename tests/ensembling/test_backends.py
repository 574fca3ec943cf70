"""The Keras twin trains the same networks on each backend that is installed."""

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

TRAINING = """
import json
import keras
import numpy as np
from course_lib.ensembling.in_keras import DeepEnsemble, MultiTaskNet, NetClassifier

rng = np.random.default_rng(0)
x = rng.normal(size=(60, 4))
y = x[:, 0] * 10 + rng.normal(size=60)
tasks = np.stack([y > 0, np.where(x[:, 1] > 0, y, np.nan)], axis=1)
settings = dict(n_members=2, epochs=2, random_state=0)
found = [DeepEnsemble(**settings).fit(x, y).predict_members(x),
         NetClassifier(**settings).fit(x, y > 0).predict_proba(x),
         MultiTaskNet((2, None), **settings).fit(x, tasks).predict_members(x)]
print(json.dumps([keras.backend.backend(), [values.tolist() for values in found]]))
"""


def run(backend):
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run([sys.executable, "-c", TRAINING], env=environment, capture_output=True, text=True, check=True)
    name, found = json.loads(done.stdout.splitlines()[-1])
    assert name == backend
    return [np.array(values) for values in found]


@pytest.mark.parametrize("backend", [name for name in KERAS_BACKENDS if name != "tensorflow"])
def test_training_is_the_same_on_every_backend(backend):
    for name in (backend, "tensorflow"):
        if find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    for ours, theirs in zip(run(backend), run("tensorflow"), strict=True):
        assert ours == pytest.approx(theirs, abs=2e-3)
