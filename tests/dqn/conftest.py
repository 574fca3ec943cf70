import importlib

import pytest


@pytest.fixture(params=[pytest.param("pytorch"), pytest.param("keras", marks=pytest.mark.keras)])
def dqn(request):
    """The twin of each framework in turn."""
    pytest.importorskip({"pytorch": "torch", "keras": "keras"}[request.param])
    return importlib.import_module(f"course_lib.dqn.in_{request.param}")
