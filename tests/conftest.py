"""What all tests share: which files a process collects, and which frameworks it may see."""

import ast
import os
import sys
from pathlib import Path

import pytest

MODULES = {"pytorch": ("torch",), "keras": ("keras", "tensorflow")}


def pytest_addoption(parser):
    parser.addoption("--group", choices=("all", "light", "keras"), default="all",
                     help="light: test files that do not import Keras; keras: only those that do")


def pytest_configure():
    # As if only one framework were installed: COURSE_TEST_ONLY=pytorch or keras.
    only = os.environ.get("COURSE_TEST_ONLY")
    if only and only not in MODULES:
        raise pytest.UsageError(f"COURSE_TEST_ONLY: expected pytorch or keras, got {only!r}")
    for framework, modules in MODULES.items():
        if only and framework != only:
            sys.modules.update(dict.fromkeys(modules))


def pytest_ignore_collect(collection_path: Path, config):
    group = config.getoption("--group")
    if group == "all" or collection_path.suffix != ".py":
        return None
    return True if (group == "keras") != imports_keras(collection_path.read_text(encoding="utf-8")) else None


def imports_keras(source):
    """Whether the source of a test file imports Keras or TensorFlow, or carries the mark `keras`."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(part for alias in node.names for part in alias.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            names.update(f"{node.module}".split("."), (alias.name for alias in node.names))
        elif isinstance(node, ast.Attribute) and ast.unparse(node) == "pytest.mark.keras":
            names.add("keras")
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("pytest.importorskip", "importorskip"):
            names.update(str(getattr(argument, "value", "")).split(".")[0] for argument in node.args)
    return bool(names & {"keras", "tensorflow", "in_keras"})
