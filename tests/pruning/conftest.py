import pytest


@pytest.fixture
def pruning(twin):
    return twin("pruning")


