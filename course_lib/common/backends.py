"""What is installed, and starting it: PyTorch, or Keras on one of its backends."""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import sys
import tempfile
from importlib.util import find_spec

NAMES = ("pytorch", "keras")
KERAS_BACKENDS = ("tensorflow", "torch", "jax")


def install_command(extra):
    """How to add the framework `extra` ("pytorch" or "keras") to a clone of the course."""
    return f'`make lab FRAMEWORK={extra}`, or without make: pip install -c requirements.txt -e ".[{extra}]"'


def keras_backend():
    """The backend that KERAS_BACKEND asks for, else the one Keras runs on already, else TensorFlow.

    Raises
    ------
    ValueError
        If KERAS_BACKEND names no backend that the course knows.
    RuntimeError
        If Keras was imported with another backend before.
    """
    asked = os.environ.get("KERAS_BACKEND")
    if asked and asked not in KERAS_BACKENDS:
        raise ValueError(f"KERAS_BACKEND: expected one of {', '.join(KERAS_BACKENDS)}, got {asked!r}")
    if "keras" in sys.modules:
        runs = sys.modules["keras"].config.backend()
        if asked and asked != runs:
            raise RuntimeError(f"KERAS_BACKEND asks for {asked!r}, but Keras was already imported with "
                               f"{runs!r} and cannot change: restart the kernel and set KERAS_BACKEND before "
                               "anything imports keras")
        return runs
    return asked or "tensorflow"


def require_installed(module, title, *, extra, otherwise=""):
    """Raise a ModuleNotFoundError that says what to run, unless a module is installed."""
    if find_spec(module) is None:
        raise ModuleNotFoundError(f"{title} is not installed. In the course's folder run "
                                  f"{install_command(extra)}{otherwise}; then restart the kernel",
                                  name=module)


def start_keras():
    """Import Keras on the backend that `keras_backend` names, without that one's start-up messages."""
    require_installed("keras", "Keras", extra="keras")
    backend = keras_backend()
    others = [name for name in KERAS_BACKENDS if name != backend and find_spec(name)]
    require_installed(backend, f"Keras's backend {backend!r}", extra="keras", otherwise="".join(
        f", or set KERAS_BACKEND={name} (installed)" for name in others))
    os.environ["KERAS_BACKEND"] = backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # else the first notebook takes the whole GPU
    with _quiet_start():
        triton_before_tensorflow()
        importlib.import_module("keras")


def triton_before_tensorflow():
    """Import triton, which PyTorch's CUDA builds bring: after TensorFlow its import would end the process."""
    if find_spec("triton"):
        importlib.import_module("triton")


# TensorFlow's C++ writes these while it is imported, before it looks at TF_CPP_MIN_LOG_LEVEL.
_NOISE = re.compile(r"WARNING: All log messages before absl::|[IWE]\d{4} \d\d:\d\d:|[IWE]0000 00:00:|"
                    r"\d{4}-\d\d-\d\d \d\d:.*: [IWE] |To enable the following instructions:")


@contextlib.contextmanager
def _quiet_start():
    """Hold back what is written to file descriptor 2, then pass it on without TensorFlow's start-up noise."""
    sys.stderr.flush()
    try:
        saved = os.dup(2)
    except OSError:  # no standard error at all, as in a windowed process
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)
            held.seek(0)
            lines = held.read().decode(errors="replace").splitlines(keepends=True)
            sys.stderr.write("".join(line for line in lines if not _NOISE.match(line)))
