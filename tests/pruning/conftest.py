import importlib

import pytest


@pytest.fixture(params=[pytest.param("pytorch"), pytest.param("keras", marks=pytest.mark.keras)])
def twin(request):
    """`twin("pruning")` imports a topic's twin, for each framework in turn."""
    pytest.importorskip({"pytorch": "torch", "keras": "keras"}[request.param])
    return lambda topic: importlib.import_module(f"course_lib.{topic}.in_{request.param}")


@pytest.fixture
def pruning(twin):
    return twin("pruning")


@pytest.fixture
def classifier(twin):
    return twin("classifier")
