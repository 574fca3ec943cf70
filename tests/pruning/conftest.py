import pytest


@pytest.fixture
def pruning(twin):
    return twin("pruning")


@pytest.fixture
def classifier(twin):
    return twin("classifier")
