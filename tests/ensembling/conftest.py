import pytest


@pytest.fixture
def nets(twin):
    return twin("ensembling")
