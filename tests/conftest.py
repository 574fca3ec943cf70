"""Which tests a process runs: those that import Keras run apart from the others."""

import ast
import functools
import importlib
import shutil
import sys
from pathlib import Path

import pytest

from course_lib.common import backends


def pytest_addoption(parser):
    parser.addoption("--group", choices=("all", "light", "keras"), default="all",
                     help="keras: only the tests that import Keras; light: only the others")


def pytest_configure():
    backends.triton_before_tensorflow()


def pytest_ignore_collect(collection_path: Path, config):
    if sys.platform == "win32" and "classroom" in collection_path.parts[-2:]:
        return True  # there one grades in WSL
    # A file that imports Keras is not even read in the light group.
    light = config.getoption("--group") == "light" and collection_path.suffix == ".py"
    return True if light and imports_keras(collection_path) else None


def pytest_collection_modifyitems(config, items):
    group = config.getoption("--group")
    if group != "all":
        chosen = {True: [], False: []}
        for item in items:
            keras = item.get_closest_marker("keras") is not None or imports_keras(item.path)
            chosen[keras == (group == "keras")].append(item)
        items[:] = chosen[True]
        config.hook.pytest_deselected(items=chosen[False])


@functools.cache
def imports_keras(path):
    """Whether a test file imports Keras or TensorFlow when it is read or run."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(part for alias in node.names for part in alias.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            names.update(f"{node.module}".split("."), (alias.name for alias in node.names))
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("pytest.importorskip", "importorskip"):
            names.update(str(getattr(argument, "value", "")).split(".")[0] for argument in node.args)
    return bool(names & {"keras", "tensorflow", "in_keras"})


@pytest.fixture(params=["pytorch", pytest.param("keras", marks=pytest.mark.keras)])
def twin(request):
    """`twin("pruning")` imports a topic's twin, for each framework in turn."""
    pytest.importorskip({"pytorch": "torch", "keras": "keras"}[request.param])
    return lambda topic: importlib.import_module(f"course_lib.{topic}.in_{request.param}")


@pytest.fixture
def nets(twin):
    """The twin of networks."""
    return twin("networks")


@pytest.fixture(scope="session")
def digits():
    """The digits, as they come; a test that changes them changes a copy."""
    from course_lib.common import data

    found = data.load("digits")
    for part in (found.x_train, found.y_train, found.x_test, found.y_test):
        part.flags.writeable = False
    return found


@pytest.fixture(scope="module")
def browser():
    """Chromium, without a window."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api").sync_playwright().start()
    chromium = playwright.chromium.launch(executable_path=found, args=[
        "--no-sandbox", "--disable-background-networking"])
    yield chromium
    chromium.close()
    playwright.stop()


@pytest.fixture
def page(browser):
    """A page in a context of its own, which remembers nothing."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()
