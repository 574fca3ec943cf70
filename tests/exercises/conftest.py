import pytest

from course_lib.exercises.engine import registry


@pytest.fixture(autouse=True)
def statements_were_shown(monkeypatch):
    """As after a first `check` of every exercise."""
    monkeypatch.setattr(registry, "_statements_shown", set(registry.EXERCISES))
