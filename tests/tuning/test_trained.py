"""The agents that come with the course."""

from course_lib.tuning import trained
from course_lib.tuning.schedules import SCHEDULES


def test_shipped_agents_are_small_and_load(twin):
    shipped = trained.load(twin("dqn"))
    assert shipped.rate.n_actions == 3 and shipped.knobs.n_actions == 10 and shipped.game.n_actions == 3
    assert set(shipped.peaks) == set(SCHEDULES)
    assert sum(path.stat().st_size for path in trained.FOLDER.iterdir()) < 1_000_000
