"""Several seeds on a cluster of Dask workers: the same call, the same curves."""

import numpy as np
import pytest
from joblib import parallel_config

from course_lib.dqn import experiments
from course_lib.dqn.config import DQNConfig

distributed = pytest.importorskip("dask.distributed")
pytest.importorskip("torch")


def test_learning_curves_on_a_local_dask_cluster():
    from course_lib.dqn import in_pytorch

    short = DQNConfig(hidden=(16,), warmup_steps=100, batch_size=16, updates_per_block=4, total_steps=600,
                      eval_every=200, eval_episodes=2)
    settings = {"replay": short, "none": DQNConfig.from_dict({**short.as_dict(), "replay": False})}
    here = experiments.learning_curves(in_pytorch, settings, [1, 2], num_envs=4)
    with distributed.Client(n_workers=2, threads_per_worker=1, dashboard_address=None), parallel_config("dask"):
        there = experiments.learning_curves(in_pytorch, settings, [1, 2], num_envs=4)
    for name in settings:
        assert here[name].returns.shape == (2, 3)
        np.testing.assert_allclose(there[name].returns, here[name].returns, rtol=1e-5)
        np.testing.assert_allclose(there[name].values, here[name].values, rtol=1e-3)
    assert not np.allclose(here["replay"].values, here["none"].values)
