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
    # in the same folder: os.replace is atomic only inside one file system
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}.tmp")
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # else a power cut may leave a whole name with an empty file behind it
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
