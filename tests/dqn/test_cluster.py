"""Several seeds on a cluster of Dask workers: the same call, the same curves."""

from dataclasses import replace

import numpy as np
import pytest
from joblib import Parallel, delayed, parallel_config

from course_lib.dqn.config import DQNConfig
from course_lib.dqn.envs import make_vec

distributed = pytest.importorskip("dask.distributed")
pytest.importorskip("torch")


def test_agents_train_on_a_local_dask_cluster():
    from course_lib.dqn import in_pytorch

    def curve(config, seed):
        starts, values = make_vec("CartPole-v1", 50).reset(seed=seed)[0], []
        history = in_pytorch.train(make_vec("CartPole-v1", 4), config, seed=seed, callbacks=[
            lambda history: values.append(history.agent.q_values(starts).max(axis=1).mean())])
        return history.eval_returns, values

    def curves():
        return np.array(Parallel()(delayed(curve)(config, seed) for config in settings for seed in (1, 2)))

    short = DQNConfig(hidden=(16,), warmup_steps=100, batch_size=16, updates_per_block=4, total_steps=600,
                      eval_every=200, eval_episodes=2)
    settings = short, replace(short, replay=False)
    here = curves()
    with distributed.Client(n_workers=2, threads_per_worker=1, dashboard_address=None), parallel_config("dask"):
        there = curves()
    assert here.shape == (4, 2, 3)
    np.testing.assert_allclose(there[:, 0], here[:, 0], rtol=1e-5)
    np.testing.assert_allclose(there[:, 1], here[:, 1], rtol=1e-3)
    assert not np.allclose(here[:2, 1], here[2:, 1])
