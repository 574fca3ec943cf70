import pytest


@pytest.fixture
def pruning(twin):
    return twin("pruning")


@pytest.fixture
def nets(twin):
    return twin("networks")
