"""Choosing the framework: `use("pytorch")` or `use("keras")`, and the %%pytorch / %%keras cells."""

from __future__ import annotations

import importlib
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from course_lib.common.backends import NAMES, require_installed, start_keras

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
        """Name of the best device that this framework can use here (see `devices.pick_device`)."""
        from course_lib.common.devices import pick_device

        return pick_device(self.name)


def use(name):
    """Choose the framework of a notebook, and make `%%pytorch` and `%%keras` cells follow the choice.

    The environment variable COURSE_FRAMEWORK overrides `name`. Nothing is printed. The framework is imported, without
    start-up messages. PyTorch then computes on one thread, unless OMP_NUM_THREADS says otherwise: the course's networks
    are small, and beside a busy core several threads would wait for one another most of the time.

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
        require_installed("torch", "PyTorch", extra="pytorch")
        importlib.import_module("torch")
    else:
        start_keras()
    if "torch" in sys.modules and "OMP_NUM_THREADS" not in os.environ:  # PyTorch itself, or Keras's backend
        sys.modules["torch"].set_num_threads(1)
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
    roots = [Path(root) for root in sys.modules["course_lib"].__path__]
    return sorted({file.parent.name for root in roots for file in root.glob(f"*/in_{name}.py")})


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
