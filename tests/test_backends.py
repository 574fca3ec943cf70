"""The Keras twins compute the same on each backend that is installed, in one process a backend."""

import functools
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import on_a_backend
import pytest

from course_lib.common.backends import KERAS_BACKENDS

pytest.importorskip("keras")
TOLERANCES = {"updates_of_an_agent": 1e-5, "games_of_a_gan": 2e-3, "training_of_an_ensemble": 2e-3,
              "runs_side_by_side": 1e-4}


@functools.cache
def computed_on(backend):
    """What every part of `on_a_backend` computes: {name: list of arrays}."""
    if find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    script = Path(__file__).with_name("on_a_backend.py")
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    name, found = json.loads(done.stdout.splitlines()[-1])
    assert name == backend
    return {part: [np.array(values) for values in arrays] for part, arrays in found.items()}


def test_every_part_has_its_tolerance():
    assert set(TOLERANCES) == set(on_a_backend.PARTS)


@pytest.mark.parametrize("part", TOLERANCES)
@pytest.mark.parametrize("backend", sorted(set(KERAS_BACKENDS) - {"tensorflow"}))
def test_every_backend_computes_the_same(backend, part):
    ours, theirs = computed_on(backend)[part], computed_on("tensorflow")[part]
    assert len(ours) == len(theirs) and all(map(np.size, ours))
    assert all(np.isfinite(values).all() for values in ours) and np.ptp(np.concatenate([*map(np.ravel, ours)])) > 0.1
    for found, wanted in zip(ours, theirs):
        np.testing.assert_allclose(found, wanted, rtol=1e-3 if part == "runs_side_by_side" else 1e-5,
                                   atol=TOLERANCES[part])
