"""The agents that come with the course."""

from course_lib.tuning import trained


def test_shipped_agents_are_small_and_load(twin):
    actions = {kind: trained.load(twin("dqn"), kind).n_actions for kind in ("rate", "knobs", "game")}
    assert actions == {"rate": 3, "knobs": 10, "game": 3}
    assert sum(path.stat().st_size for path in trained.FOLDER.iterdir()) < 1_000_000
