"""The Keras twin plays the same game on each backend that is installed."""

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

GAME = """
import json
import keras
import numpy as np
from course_lib.gan.in_keras import GAN, GANConfig

rng = np.random.default_rng(0)
x, y = rng.random((40, 8, 8)), np.arange(40) % 3
found = []
for fields in ({}, {"objective": "relativistic", "r2": 1.0}, {"network": "conv", "filters": 4},
               {"objective": "wasserstein", "r1": 0.0, "gradient_penalty": 10.0, "discriminator_steps": 2},
               {"objective": "hinge", "r1": 0.0, "spectral_norm": True}):
    gan = GAN((8, 8), 3, GANConfig(hidden=(16,), latent_size=4, batch_size=8, average=0.5, **fields))
    for network in (gan.generator, gan.discriminator):  # the initial weights differ between backends
        for variable in network.trainable_variables:
            variable.assign(rng.normal(0, 0.3, variable.shape))
    history = gan.fit(x, y, steps=5)
    found.append([history.d_loss[-1], history.g_loss[-1], *gan.sample(y[:3]).ravel().tolist()])
print(json.dumps([keras.backend.backend(), found]))
"""


def run(backend):
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run([sys.executable, "-c", GAME], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    name, found = json.loads(done.stdout.splitlines()[-1])
    assert name == backend
    return np.array(found)


@pytest.mark.parametrize("backend", [name for name in KERAS_BACKENDS if name != "tensorflow"])
def test_the_game_is_the_same_on_every_backend(backend):
    for name in (backend, "tensorflow"):
        if find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    ours, theirs = run(backend), run("tensorflow")
    assert np.isfinite(ours).all() and ours.std() > 0.1
    np.testing.assert_allclose(ours, theirs, atol=2e-3)
