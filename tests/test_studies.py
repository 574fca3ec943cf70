"""Stored studies: whole, with the settings of today, and the code still does what it did when they were measured."""

import importlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from course_lib.common import studies

ROOT = Path(__file__).resolve().parents[1]
benchmark, dqn, gan, results, study = map(importlib.import_module, ("benchmark", "dqn", "gan", "results", "study"))
DECLARED = {name: found for name, found in benchmark.all_benchmarks().items() if found.stored}
MODULES = {"pytorch": "torch", "keras": "keras", "numpy": "numpy"}
CANARIES = [pytest.param(name, framework, marks=[pytest.mark.keras] if framework == "keras" else [])
            for name, found in DECLARED.items() for framework in study.quick(found)]
RELATIVE, ABSOLUTE = 2e-3, 2e-4  # other processors and threads moved no figure by more than a sixth of that


def differences(name, framework, stored, found):
    """What a canary gives that the study has not, in words."""
    unlike = [f"study {name}, {framework}, {figure}: expected {stored.get(figure)}, got {found.get(figure)}"
              for figure in {**stored, **found} if figure not in stored or figure not in found
              or not np.isclose(found[figure], stored[figure], rtol=RELATIVE, atol=ABSOLUTE)]
    return unlike and [*unlike, "The code no longer does what it did when this was measured. If that is wanted, "
                       f"measure anew: make study NAME={name}. If the rows still hold, and only the canary itself is "
                       f"another: python benchmarks/study.py {name} --canary"]


def canary(name, framework, run=None):
    """The stored canary, and one that runs now."""
    pytest.importorskip(MODULES[framework])
    return studies.load(name).canary[framework], benchmark.plain((run or DECLARED[name].canary)(framework))


def test_every_study_is_declared_and_every_declared_one_is_stored():
    assert studies.names() == sorted(DECLARED)


@pytest.mark.parametrize("name", sorted(DECLARED))
def test_it_is_whole_and_of_the_settings_of_today(name):
    found, declared = studies.load(name), study.declared(name, DECLARED[name])
    assert found.name == name and list(study.problems(found)) == []
    for field in set(declared) - {"settings"}:
        assert getattr(found, field) == declared[field], f"study {name}: {field}. make study NAME={name}"
    now, then = declared["settings"], found.settings
    changed = {key: (then.get(key), now.get(key)) for key in {**then, **now} if then.get(key) != now.get(key)}
    assert changed == {}, f"study {name}: measured with other settings, (then, now): make study NAME={name}"
    assert set(found.canary) == set(study.quick(DECLARED[name]))
    assert set(row["framework"] for row in found.rows) <= {*DECLARED[name].frameworks, "either", "both"}
    assert found.date or "not measured anew" in found.note


@pytest.mark.parametrize(("name", "framework"), CANARIES)
def test_the_code_still_does_the_same(name, framework):
    assert differences(name, framework, *canary(name, framework)) == []


@pytest.mark.parametrize("framework", ["pytorch", pytest.param("keras", marks=pytest.mark.keras)])
@pytest.mark.parametrize("change", [{"learning_rate": 6.2e-3}, {"gamma": 0.99}, {"huber_delta": 5.0}, {"tau": 0.05},
                                    {"double": True}, {"n_step": 4}], ids=lambda change: next(iter(change)))
def test_a_changed_agent_is_noticed(framework, change, monkeypatch):
    monkeypatch.setitem(dqn.SETTINGS, "Acrobot-v1", replace(dqn.SETTINGS["Acrobot-v1"], **change))
    found = differences("dqn_acrobot", framework, *canary("dqn_acrobot", framework))
    assert "study dqn_acrobot" in found[0] and "expected" in found[0] and "make study NAME=dqn_acrobot" in found[-1]


@pytest.mark.parametrize("framework", ["pytorch", pytest.param("keras", marks=pytest.mark.keras)])
def test_a_changed_penalty_is_noticed(framework):
    changed = replace(gan.SHORT, r1=1.2)
    assert differences("gan_few_labels", framework, *canary(
        "gan_few_labels", framework, lambda framework: gan.canary(framework, {"GAN": changed}, count=100)))


def test_a_missing_figure_is_a_difference():
    assert differences("s", "f", {"a": 1.0}, {"a": 1.001}) == []
    assert differences("s", "f", {"a": 1.0}, {"a": 1.01})[0] == "study s, f, a: expected 1.0, got 1.01"
    assert len(differences("s", "f", {"a": 1.0}, {"a": 1.0, "b": 0.0})) == 2
    assert len(differences("s", "f", {"a": 1.0}, {})) == 2


def test_the_page_of_results_is_what_the_studies_give():
    assert results.PAGE.read_text(encoding="utf-8") == results.page(), "docs/results.md: run `make results`"
    assert str(ROOT) not in results.page()


def test_a_study_is_made(tmp_path, monkeypatch, capsys):
    name = "recommendation_off_policy"
    rows = [{"framework": "numpy", "estimator": "IPS", "seed": seed, "error": seed / 10} for seed in (0, 1)]
    monkeypatch.setattr(study, "inside", lambda name, framework, arguments: (
        [{"IPS": 0.5}] if "--canary" in arguments else rows))
    monkeypatch.setattr(study, "write", lambda made, write=study.write: write(made, tmp_path))
    study.main([name, "--seeds", "2"])
    assert list(tmp_path.iterdir()) == []  # it has fewer seeds than declared
    study.main([name, "--seeds", "2", "--store"])
    made = studies.load(name, folder=tmp_path)
    assert made.seeds == [0, 1] and made.date and made.versions["numpy"] and made.canary["numpy"]
    np.testing.assert_array_equal(made.values("error", estimator="IPS"), [0, 0.1])
    assert "| IPS | 0.050 ± 0.071 |" in capsys.readouterr().out


def test_each_framework_has_a_process_of_its_own(capfd):
    rows = study.inside("recommendation_off_policy", "numpy", ["--seeds", "1"])
    [figures] = study.inside("recommendation_off_policy", "numpy", ["--canary"])
    assert differences("", "", studies.load("recommendation_off_policy").canary["numpy"], figures) == []
    assert {(row["framework"], row["seed"]) for row in rows} == {("numpy", 0)} and len(rows) == 5
    with pytest.raises(RuntimeError, match="dqn_acrobot, numpy: failed"):
        study.inside("dqn_acrobot", "numpy", ["--canary"])
    capfd.readouterr()


def test_an_unknown_study_lists_all(capsys):
    with pytest.raises(SystemExit, match="no_study"):
        study.main(["no_study"])
    assert "dqn_cartpole" in capsys.readouterr().out
