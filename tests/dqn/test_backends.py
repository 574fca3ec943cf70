"""The Keras twin gives the same numbers on each backend that is installed, in a process of its own each."""

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

UPDATES = """
import json
import keras
import numpy as np
from course_lib.dqn.in_keras import Batch, DQNAgent, DQNConfig

rng = np.random.default_rng(0)
agent = DQNAgent((4,), 3, DQNConfig(hidden=(16,), tau=0.5, target_update_every=2, max_grad_norm=1.0))
agent.learner.compile(keras.optimizers.SGD(0.05, global_clipnorm=1.0), jit_compile=False)
weights = [rng.normal(size=w.shape).astype(np.float32) for w in agent.q_net.get_weights()]
for net in (agent.q_net, agent.target_net):
    net.set_weights(weights)
shape = (5, 32)
block = Batch(rng.normal(size=(*shape, 4)).astype(np.float32), rng.integers(0, 3, shape),
              rng.normal(size=shape).astype(np.float32), rng.normal(size=(*shape, 4)).astype(np.float32),
              rng.integers(0, 2, shape).astype(np.float32), np.full(shape, 0.9, np.float32))
loss = agent.update_block(block)
print(json.dumps([keras.backend.backend(), loss, agent.q_values(block.obs[0]).tolist(),
                  agent.q_net(block.obs[0] * 1.0).shape[1]]))
"""


def run(backend):
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run([sys.executable, "-c", UPDATES], env=environment, capture_output=True, text=True, check=True)
    name, loss, q, actions = json.loads(done.stdout.splitlines()[-1])
    assert (name, actions) == (backend, 3)
    return loss, np.array(q)


@pytest.mark.parametrize("backend", [name for name in KERAS_BACKENDS if name != "tensorflow"])
def test_a_block_of_updates_is_the_same_on_every_backend(backend):
    for name in (backend, "tensorflow"):
        if find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    loss, q = run(backend)
    expected_loss, expected = run("tensorflow")
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    np.testing.assert_allclose(q, expected, atol=1e-5)
