"""Choosing the framework: `use("pytorch")` or `use("keras")`, and the %%pytorch / %%keras cells."""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

NAMES = ("pytorch", "keras")
KERAS_BACKENDS = ("tensorflow", "torch", "jax")
_current = None


@dataclass(frozen=True)
class Framework:
    """The framework in use; `use` makes it.

    Parameters
    ----------
    name : "pytorch" or "keras"
    """

    name: str

    def load(self, topic):
        """Import the twin of a topic for this framework.

        Parameters
        ----------
        topic : str
            For example "dqn".

        Returns
        -------
        module
            `course_lib.<topic>.in_pytorch` or `course_lib.<topic>.in_keras`.

        Raises
        ------
        ValueError
            If there is no such topic; the message lists those that exist.
        """
        known = topics(self.name)
        if topic not in known:
            raise ValueError(f"topic: expected one of {', '.join(known) or '(none yet)'}, got {topic!r}")
        return importlib.import_module(f"course_lib.{topic}.in_{self.name}")

    @property
    def seed(self):
        """The seed of a notebook: 0, or what the environment variable COURSE_SEED says.

        Raises
        ------
        ValueError
            If COURSE_SEED is not a whole number from 0 to 99,999.
        """
        asked = os.environ.get("COURSE_SEED") or "0"
        if not re.fullmatch(r"[0-9]{1,5}", asked):
            raise ValueError(f"the environment variable COURSE_SEED: expected a whole number from 0 to 99999, got "
                             f"{asked!r}")
        return int(asked)

    def device(self):
        """Name of the best device that this framework can use here (see `device.pick_device`)."""
        from course_lib.common.device import pick_device

        return pick_device(self.name)


def use(name):
    """Choose the framework of a notebook, and make `%%pytorch` and `%%keras` cells follow the choice.

    The environment variable COURSE_FRAMEWORK overrides `name`. Nothing is printed. Choosing Keras imports it
    (its backend's start-up messages are left out); choosing PyTorch imports nothing yet.

    The stored outputs of a notebook serve both frameworks: a `%%pytorch` or `%%keras` cell should define
    things and show nothing.

    Parameters
    ----------
    name : "pytorch" or "keras"

    Returns
    -------
    Framework

    Raises
    ------
    ValueError
        For an unknown framework or Keras backend.
    ModuleNotFoundError
        If it is not installed; the message says what to install.
    RuntimeError
        If Keras runs already, on another backend than KERAS_BACKEND asks for.
    """
    global _current
    source, wanted = "use()", name
    if os.environ.get("COURSE_FRAMEWORK"):
        source, wanted = "the environment variable COURSE_FRAMEWORK", os.environ["COURSE_FRAMEWORK"]
    if wanted not in NAMES:
        raise ValueError(f'{source}: expected "pytorch" or "keras", got {wanted!r}')
    if wanted == "pytorch":
        _require_installed("torch", "PyTorch", extra="pytorch")
    else:
        _start_keras()
    _current = Framework(wanted)
    _follow_in_notebook()
    return _current


def current():
    """The framework last chosen with `use`.

    Raises
    ------
    RuntimeError
        If none was chosen yet.
    """
    if _current is None:
        raise RuntimeError("no framework chosen yet: first run `from course_lib import use` and "
                           'use("pytorch") or use("keras")')
    return _current


def topics(name):
    """Names of the topics that have a twin for the framework `name`, sorted."""
    import course_lib

    roots = [Path(root) for root in course_lib.__path__]
    return sorted({file.parent.name for root in roots for file in root.glob(f"*/in_{name}.py")})


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


def _require_installed(module, title, *, extra, otherwise=""):
    if find_spec(module) is None:
        raise ModuleNotFoundError(f"{title} is not installed. In the course's folder run "
                                  f"{install_command(extra)}{otherwise}; then restart the kernel",
                                  name=module)


def _start_keras():
    _require_installed("keras", "Keras", extra="keras")
    backend = keras_backend()
    others = [name for name in KERAS_BACKENDS if name != backend and find_spec(name)]
    _require_installed(backend, f"Keras's backend {backend!r}", extra="keras", otherwise="".join(
        f", or set KERAS_BACKEND={name} (installed)" for name in others))
    os.environ["KERAS_BACKEND"] = backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # else the first notebook takes the whole GPU
    with _quiet_start():
        importlib.import_module("keras")


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


def _follow_in_notebook():
    """Let IPython run the cells of the chosen framework as ordinary cells and pass over the others.

    An input transformation, not a magic that runs the cell anew: so results are displayed, errors shown, and
    lines counted as in any other cell.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is not None:
        steps = shell.input_transformers_cleanup
        steps[:] = [step for step in steps if getattr(step, "__name__", "") != _choose_cell.__name__]
        steps.append(_choose_cell)


def _choose_cell(lines):
    first = lines[0].split() if lines else []
    if not first or first[0] not in [f"%%{name}" for name in NAMES]:
        return lines
    if first[0] == f"%%{_current.name}":
        return ["# " + lines[0], *lines[1:]]
    return ["# " + line for line in lines]
