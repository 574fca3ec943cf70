"""Each project: what it gives, what it takes, and how far apart a thoughtless, a good and the best answer are."""

import numpy as np
import pytest

from course_lib.exercises import check, project
from course_lib.exercises.engine import record, registry
from course_lib.exercises.engine.project import AT_PAR

every_project = pytest.mark.parametrize("task", [topic.project for topic in registry.PROJECTS.values()],
                                        ids=lambda task: task.id)


@pytest.fixture(autouse=True)
def progress_file(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS_FILE", str(tmp_path / "progress.json"))


def plain(value):
    """Whether a value is made of numbers, texts, lists, dicts and arrays alone: a sandbox can be given it."""
    if isinstance(value, dict):
        return all(isinstance(name, str) and plain(entry) for name, entry in value.items())
    if isinstance(value, (list, tuple)):
        return all(map(plain, value))
    return isinstance(value, np.ndarray) and value.dtype.kind in "fiubU" or isinstance(value, (bool, int, float, str))


@every_project
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
def test_from_without_thought_to_the_best(task, seed):
    marks, scores = task.measured(seed), task.scores(seed)
    assert marks["floor"] < marks["baseline"] < marks["par"] < marks["best"]
    assert 10 < scores["baseline"] < scores["par"] - 5 and scores["par"] < 95, scores
    given, hidden = task.instance(seed)
    thoughtless = task.score(task.floor(given, np.random.default_rng(7)), seed)
    assert abs(thoughtless) < 15
    assert task.points(task.baseline, 10, seed) < task.points(task.par, 10, seed) == 10 * AT_PAR
    best = task.best(given, hidden)
    assert task.points(best, 10, seed) == 10 and task.score(best, seed) == pytest.approx(100)
    assert 0 <= task.points(task.floor(given, np.random.default_rng(8)), 10, seed) < 3


@every_project
def test_instances(task):
    given, _ = task.instance(0)
    assert plain(given) and repr(given) == repr(task.instance(0)[0]) != repr(task.instance(1)[0])
    assert 80 < len(task.statement) <= 900 and task.id.endswith(".project")


@every_project
@pytest.mark.parametrize("answer", [np.nan, "abc", [], {}, [np.nan], np.full((3, 3, 3, 3), 1.0), True, object()])
def test_what_is_no_answer(task, answer, capsys):
    with pytest.raises(ValueError, match="expected .* got"):
        task.score(answer)
    check(task.id, answer)
    assert f"✗ {task.id}: " in capsys.readouterr().out


@every_project
def test_check_shows_the_score_and_keeps_the_best(task, capsys):
    given = project(task.id[:2])
    check(task.id, None)
    assert f"… {task.id}: nothing handed in yet" in capsys.readouterr().out
    check(task.id, task.par(given))
    par = task.scores()["par"]
    assert f"✓ {task.id}: score {par:.0f}, your best {par:.0f} (without thought 0" in capsys.readouterr().out
    check(task.id, task.baseline)  # a function of what is given
    assert f"… {task.id}: score {task.scores()['baseline']:.0f}, your best {par:.0f}" in capsys.readouterr().out
    assert record.read() == {task.id: "solved", task.id + record.BEST: pytest.approx(par, abs=0.1)}


def test_an_unknown_project():
    with pytest.raises(ValueError, match="project: expected one of .*, got '99'"):
        project("99")
