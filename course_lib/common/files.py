"""Writing files so that nobody ever sees half of one."""

from __future__ import annotations

import contextlib
import os
import uuid
from pathlib import Path


@contextlib.contextmanager
def atomic_write(path):
    """Open a binary file that takes the place of `path` when the block ends well, and vanishes if it fails.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    context manager of a binary file

    Raises
    ------
    FileNotFoundError
        If its folder does not exist.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path}: expected a folder that exists, got {path.parent}")
    temporary = _beside(path)
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # else a power cut may leave a whole name with an empty file behind it
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def check_writable(path, name):
    """Raise a ValueError, which calls the path `name`, unless a file can be written there."""
    path = Path(path)
    try:
        with open(beside := _beside(path), "xb"):
            pass
        beside.unlink()
    except OSError as error:
        raise ValueError(f"{name}: expected a file in a folder that exists and can be written to, got {path}: "
                         f"{error.strerror}") from error
    if path.is_dir():
        raise ValueError(f"{name}: expected a file, got the folder {path}")


def _beside(path):
    """A name for a temporary file in the same folder: os.replace is atomic only inside one file system."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}.tmp")
