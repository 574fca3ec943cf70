"""Members train on a cluster of Dask workers: the same call, the same networks."""

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.model_selection import KFold

from course_lib.common import data

distributed = pytest.importorskip("dask.distributed")
pytest.importorskip("torch")


def test_members_train_on_a_local_dask_cluster():
    from course_lib.ensembling.evaluation import predict_folds
    from course_lib.ensembling.in_pytorch import NetRegressor

    diabetes = data.load("diabetes")
    model = NetRegressor(n_members=4, epochs=5, random_state=0)
    here = model.fit(diabetes.x_train, diabetes.y_train).predict(diabetes.x_test)
    given = model, diabetes.x_train, diabetes.y_train, list(KFold(5).split(diabetes.x_train))
    before = np.concatenate(predict_folds(*given))
    with distributed.Client(n_workers=2, threads_per_worker=1, dashboard_address=None) as client:
        with parallel_config("dask"):
            there = model.fit(diabetes.x_train, diabetes.y_train).predict(diabetes.x_test)
            after = np.concatenate(predict_folds(*given))
        worked = client.run(lambda: "course_lib.ensembling.in_pytorch" in __import__("sys").modules)
    assert all(worked.values())  # both workers trained
    assert there == pytest.approx(here, rel=1e-4) and after == pytest.approx(before, rel=1e-4)
