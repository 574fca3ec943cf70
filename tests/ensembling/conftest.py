import pytest


@pytest.fixture
def ensembling(twin):
    return twin("ensembling")
