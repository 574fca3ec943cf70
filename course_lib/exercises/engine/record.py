"""The learner's progress: a small JSON file on this computer, and its picture."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

STATES = ("tried", "solved")
BEST = ", best score"


def path():
    """Where progress is kept: COURSE_PROGRESS_FILE, else the checkout, else the home directory."""
    if os.environ.get("COURSE_PROGRESS_FILE"):
        return Path(os.environ["COURSE_PROGRESS_FILE"]).expanduser()
    root = Path(__file__).resolve().parents[3]
    checkout = (root / "pyproject.toml").is_file() and os.access(root, os.W_OK)
    return (root if checkout else Path.home()) / ".course_progress.json"


def read():
    """The state, "tried" or "solved", of each exercise on record, and the best score of each project.

    A damaged file is put aside with a warning.

    Returns
    -------
    dict of str to str or float
    """
    file = path()
    try:
        states = json.loads(file.read_text("utf-8"))
        if not isinstance(states, dict):
            raise ValueError("not a JSON object")
    except FileNotFoundError:
        return {}
    except OSError as error:
        warnings.warn(f"progress cannot be read from {file}: {error}", stacklevel=2)
        return {}
    except (ValueError, RecursionError):
        aside = file.with_name(file.name + ".bak")
        with contextlib.suppress(OSError):
            os.replace(file, aside)
        warnings.warn(f"{file} is damaged: kept as {aside.name}, and progress starts anew", stacklevel=2)
        return {}
    return {name: state for name, state in states.items()
            if (type(state) in (int, float) if name.endswith(BEST) else state in STATES)}


def record(exercise_id, state, *, score=None):
    """Keep an exercise's state; what was solved stays solved. If the file cannot be written, warn.

    Returns
    -------
    float or None
        Of a project, which has a `score`, the best one so far.
    """
    file = path()
    best = exercise_id + BEST
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with _locked(file.with_name(file.name + ".lock")):
            states = read()
            kept = {exercise_id: state} if states.get(exercise_id) not in (state, "solved") else {}
            if score is not None:
                score = max(score, states.get(best, score))
                kept |= {best: round(score, 1)} if states.get(best) != round(score, 1) else {}
            if kept:
                _write(file, states | kept)
    except OSError as error:
        warnings.warn(f"progress cannot be kept in {file}: {error}", stacklevel=2)
    return score


def _write(file, states):
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=file.name)
    try:
        with open(handle, "w", encoding="utf-8") as stream:
            json.dump(states, stream, indent=1, sort_keys=True)
        os.replace(temporary, file)
    except BaseException:
        os.unlink(temporary)
        raise


@contextlib.contextmanager
def _locked(lock, patience=2.0):
    """Hold a lock file, so that two notebooks do not lose one another's entry."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:  # afterwards go on: its owner was killed
        with contextlib.suppress(FileExistsError, PermissionError):
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
            break
        time.sleep(0.01)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.unlink(lock)


def draw(rows, ax=None):
    """Draw one bar per topic: the share of its exercises that are solved.

    Parameters
    ----------
    rows : list of (str, int, int, int)
        Label, exercises solved, tried but not solved, in all.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
    """
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(figsize=(7, 1 + 0.4 * len(rows)), layout="constrained")
    labels, solved, tried, total = (np.array(column) for column in zip(*rows, strict=True))
    ax.barh(labels, solved / total, color="#0072B2", label="solved")
    ax.barh(labels, tried / total, left=solved / total, color="#E69F00", hatch="//", label="tried")
    begun = (solved + tried) / total
    ax.barh(labels, 1 - begun, left=begun, color="#E6E6E6", label="to do")
    for y, (done, count) in enumerate(zip(solved, total, strict=True)):
        ax.text(1.01, y, f"{done} of {count}", va="center")
    ax.set(xlim=(0, 1.12), xticks=[], title="Exercises solved")
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0, grid_alpha=0)
    ax.invert_yaxis()
    ax.legend(loc="upper left", bbox_to_anchor=(0, 0), ncols=3, frameon=False)
    return ax
