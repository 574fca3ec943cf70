"""pyproject.toml, requirements.txt, environment.yml and the Makefile say the same."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
NAME = "learn-prune-fuse"
# What other platforms add or packages that fix their own companions: not pinned here.
ELSEWHERE = re.compile(r"(nvidia|cuda|rocm|intel|triton|pytorch-triton).*|appnope|colorama|pywin32|pywinpty")


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def asked():
    """All requirements of pyproject.toml, in the core and in every extra, but for the project itself."""
    project = tomllib.loads(read("pyproject.toml"))["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    found = [Requirement(line) for lines in lists for line in lines]
    return [requirement for requirement in found if requirement.name != NAME]


def pins(text):
    """The constraints of a requirements.txt as {name: version}; ValueError where one is no exact pin."""
    found = {}
    for line in filter(None, (line.partition("#")[0].strip() for line in text.splitlines())):
        match = re.fullmatch(r"([A-Za-z0-9][\w.-]*)==(\d[\w.]*)", line)
        if not match or canonicalize_name(match[1]) in found:
            raise ValueError(f"expected name==version, once for each name, got {line!r}")
        found[canonicalize_name(match[1])] = match[2]
    return found


def unmet(requirements, pinned):
    """Which requirements no pin meets, in words."""
    return [f"{requirement}: {pinned.get(canonicalize_name(requirement.name), 'no pin')}"
            for requirement in requirements
            if canonicalize_name(requirement.name) not in pinned
            or Version(pinned[canonicalize_name(requirement.name)]) not in requirement.specifier]


def closure():
    """Names of all installed packages that the installed course needs, directly or not."""
    found, queue = set(), [(canonicalize_name(r.name), frozenset(r.extras)) for r in asked()]
    while queue:
        name, extras = queue.pop()
        try:
            lines = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        if (name, extras) not in found:
            found.add((name, extras))
            for requirement in map(Requirement, lines):
                if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra})
                                                     for extra in extras or {""}):
                    queue.append((canonicalize_name(requirement.name), frozenset(requirement.extras)))
    return {name for name, _ in found}


def test_every_requirement_has_one_pin_inside_its_range():
    assert unmet(asked(), pins(read("requirements.txt"))) == []


def test_every_requirement_has_a_lower_and_an_upper_bound():
    # dask counts years, so it has no upper bound that would mean anything.
    operators = {r.name: {specifier.operator for specifier in r.specifier} for r in asked()}
    assert all(">=" in found for found in operators.values())
    assert [name for name, found in operators.items() if "<" not in found] == ["dask", "packaging"]


def test_what_is_asked_for_stands_first():
    first = read("requirements.txt").split("# What those bring in")[0]
    assert set(pins(first)) == {canonicalize_name(requirement.name) for requirement in asked()}


@pytest.fixture
def pinned_environment():
    """Only what make has set up is held to the pins: other environments may try other versions."""
    if not list(Path(sys.prefix).glob(".complete-*")):
        pytest.skip("needs an environment that make has set up")


@pytest.mark.usefixtures("pinned_environment")
def test_everything_installed_is_the_tested_version():
    pinned = pins(read("requirements.txt"))
    # setuptools puts its own copies of packages on the path when something imports it.
    installed = {canonicalize_name(found.name): found.version for found in metadata.distributions()
                 if "_vendor" not in str(found.locate_file(""))}
    common = pinned.keys() & installed.keys()
    assert {"numpy", "gymnasium", "jupyterlab"} <= common
    # A local part only names the build: torch 2.0+cpu is torch 2.0.
    assert {name: installed[name] for name in common
            if Version(installed[name]).public != str(Version(pinned[name]))} == {}


@pytest.mark.usefixtures("pinned_environment")
def test_everything_needed_has_a_pin():
    needed = closure()
    assert {"contourpy", "pygame-ce", "tornado"} <= needed  # brought in by matplotlib, gymnasium, jupyterlab
    missing = needed - pins(read("requirements.txt")).keys()
    assert sorted(name for name in missing if not ELSEWHERE.fullmatch(name)) == []


@pytest.mark.usefixtures("pinned_environment")
def test_every_pin_is_for_every_python_that_is_offered():
    first = tomllib.loads(read("pyproject.toml"))["project"]["requires-python"].removeprefix(">=") + ".0"
    pinned = pins(read("requirements.txt"))
    needed = {canonicalize_name(found.name): found.metadata["Requires-Python"] for found in metadata.distributions()
              if canonicalize_name(found.name) in pinned}
    assert {"numpy", "jupyterlab"} <= needed.keys()
    assert {name: asked for name, asked in needed.items() if asked and first not in SpecifierSet(asked)} == {}


def test_requirements_name_no_host_no_hash_and_no_build():
    text = read("requirements.txt")
    assert re.findall(r"https?://|--|\+\w+", text) == []


@pytest.mark.parametrize("bad", ["numpy>=2", "numpy", "numpy==2.*", "torch==2.0+cpu", "-e .", "a==1\nA==1",
                                 "--index-url x", "numpy==2.0 --hash=sha256:0"])
def test_bad_requirements_are_noticed(bad):
    with pytest.raises(ValueError, match="expected name==version"):
        pins(bad)


def test_unmet_requirements_are_noticed():
    requirements = [Requirement("numpy>=2,<3"), Requirement("Pillow>=11")]
    assert unmet(requirements, {"numpy": "2.4", "pillow": "11"}) == []
    assert unmet(requirements, {"numpy": "3.0", "pillow": "11"}) == ["numpy<3,>=2: 3.0"]
    assert unmet(requirements, {"numpy": "2.4"}) == ["Pillow>=11: no pin"]


def test_extras():
    extras = tomllib.loads(read("pyproject.toml"))["project"]["optional-dependencies"]
    assert set(extras) == {"pytorch", "keras", "all", "dev", "oracle", "bench", "teacher", "site", "box2d"}
    assert extras["all"] == [f"{NAME}[pytorch,keras]"]


def test_conda_delegates_to_pip():
    conda = yaml.safe_load(read("environment.yml"))
    python, pip, delegated = conda["dependencies"]
    assert conda["name"] == NAME and pip == "pip"
    assert delegated == {"pip": ["-c requirements.txt", "-e .[all,dev]"]}
    assert python.startswith("python")
    needed = SpecifierSet(tomllib.loads(read("pyproject.toml"))["project"]["requires-python"])
    offered = [minor for minor in range(30) if f"3.{minor}" in SpecifierSet(python.removeprefix("python"))]
    assert offered == [11, 12, 13]  # those that the tested TensorFlow is built for
    assert [minor for minor in range(30) if f"3.{minor}" in needed][0] == offered[0]
    assert f"{sys.version_info.major}.{sys.version_info.minor}" in needed


def test_makefile_takes_the_same():
    text = read("Makefile")
    assert "-c requirements.txt -e '.[$(EXTRAS)]'" in text
    assert text.count("sys.version_info < (3, 11)") == text.count("sys.version_info >= (3, 14)") == 1
    assert "cat pyproject.toml requirements.txt" in text  # a change of either installs anew


def test_ci_calls_make_test_and_nothing_else():
    lines = [line for line in read(".ci/run").splitlines() if line.strip()]
    assert lines == ["#!/usr/bin/env bash", 'cd "$(dirname "${BASH_SOURCE[0]}")/.." && exec make test']


def targets():
    """What make can make."""
    rules = re.findall(r"^([a-z]+(?: [a-z]+)*):(?!.*:=)", read("Makefile"), re.M)
    return {name for rule in rules for name in rule.split()}


def check_commands(lines):
    """Commands of make, of tests/ and of pip name what there is."""
    extras = tomllib.loads(read("pyproject.toml"))["project"]["optional-dependencies"]
    for line in lines:
        words = line.split()
        if words[0] == "make":
            assert set(words[1:2]) <= targets(), line
        if "tests/run_all.py" in words:
            assert set(words[words.index("tests/run_all.py") + 1:]) <= {"pytorch", "keras"}, line
        for asked_for in re.findall(r"\.\[([\w,]+)\]", line):
            assert set(asked_for.split(",")) <= extras.keys(), line
        assert all((ROOT / word).exists() for word in words if word.startswith(("tests/", ".ci/"))), line


def test_workflows_run_what_there_is_on_the_versions_that_are_declared():
    known = SpecifierSet(tomllib.loads(read("pyproject.toml"))["project"]["requires-python"])
    ran, versions = [], []
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values():
            for step in job["steps"]:
                ran += [line for line in step.get("run", "").splitlines() if line.strip()]
                versions.append(step.get("with", {}).get("python-version", "3.12"))
    check_commands(ran)
    assert {".ci/run", "make site"} <= set(ran) and len(versions) > 5
    matrix = yaml.safe_load(read(".github/workflows/tests.yml"))["jobs"]["elsewhere"]["strategy"]["matrix"]
    assert matrix == {"os": ["ubuntu-latest", "macos-latest", "windows-latest"], "python": ["3.11", "3.12", "3.13"]}
    versions = [version for version in versions if not version.startswith("${{")] + matrix["python"]
    assert all(known.contains(version) for version in versions) and not known.contains("3.10")
    assert yaml.safe_load(read(".github/workflows/weekly.yml"))["jobs"]["ranges"]["strategy"]["matrix"] == {
        "versions": ["highest", "lowest-direct"]}


def test_other_places_to_work_in():
    container = json.loads(read(".devcontainer/devcontainer.json"))
    hooks = yaml.safe_load(read(".pre-commit-config.yaml"))["repos"]
    check_commands([container["postCreateCommand"], container["postAttachCommand"],
                    *read(".binder/postBuild").splitlines()[3:], hooks[1]["hooks"][0]["entry"]])
    assert hooks[0]["rev"] == f"v{pins(read('requirements.txt'))['ruff']}"
    python = yaml.safe_load(read(".binder/environment.yml"))["dependencies"][0]
    assert python.split("=")[1] in ("3.11", "3.12", "3.13") and container["image"].endswith((":3.12", ":3.13"))


@pytest.mark.parametrize("name", ["fault", "wrong-statement"])
def test_a_form_for_issues_has_only_keys_that_it_may(name):
    form = yaml.safe_load(read(f".github/ISSUE_TEMPLATE/{name}.yml"))
    assert form.keys() == {"name", "description", "labels", "body"}
    for part in form["body"]:
        assert part["attributes"].keys() <= {"label", "description", "options"} and part["type"] in (
            "input", "textarea", "dropdown")


def test_make_test_installs_all_that_the_tests_use_and_runs_them_all():
    if sys.platform == "win32" or not shutil.which("make"):
        pytest.skip("needs make, and a shell")
    theirs = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "FRAMEWORK", "EXTRA", "VENV", "PYTHON", "CI")
    shown = subprocess.run(["make", "-n", "test"], cwd=ROOT, capture_output=True, text=True, timeout=60,
                           env={key: value for key, value in os.environ.items() if key not in theirs}).stdout
    assert "EXTRA='teacher site '" in shown and shown.rstrip().endswith('tests/run_all.py')


def test_style():
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format", "concise", "."]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_version():
    source = read("course_lib/__init__.py")
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    assert f'__version__ = "{version}"' in source and f"version: {version}\n" in read("CITATION.cff")


def make(*arguments):
    if sys.platform == "win32" or not shutil.which("make"):
        pytest.skip("needs make, and a shell")
    # `make test FRAMEWORK=...` hands its own settings down; this make is to start without any.
    theirs = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "FRAMEWORK", "EXTRA", "VENV", "PYTHON")
    done = subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60,
                          env={key: value for key, value in os.environ.items() if key not in theirs})
    assert done.returncode != 0
    return done.stdout + done.stderr


@pytest.mark.parametrize(("arguments", "message"), [
    (["lab", "FRAMEWORK=tensorflow"], 'FRAMEWORK="tensorflow": expected pytorch or keras'),
    (["test", "FRAMEWORK=pytorch keras"], "expected pytorch or keras"),
    (["install", "VENV=absent", "PYTHON=no-such-python"], "Python was not found"),
])
def test_make_refuses_what_it_cannot_do(arguments, message):
    assert message in make(*arguments)
    assert not (ROOT / "absent").exists()


@pytest.mark.parametrize(("version", "failing", "message"), [
    ("3.9.1", "< (3, 11)", "Python 3.11 or newer is needed"),
    ("3.14.0", ">= (3, 14)", "FRAMEWORK=pytorch"),
])
def test_make_refuses_an_unfit_python(tmp_path, version, failing, message):
    python = tmp_path / "python"
    python.write_text(f"""#!/bin/sh
[ "$1" = --version ] && echo Python {version}
case "$2" in *"{failing}"*) exit 1 ;; esac
""", encoding="utf-8")
    python.chmod(0o755)
    shown = make("install", f"VENV={tmp_path}/venv", f"PYTHON={python}")
    assert message in shown and f"Python {version}" in shown
    assert not (tmp_path / "venv").exists()
