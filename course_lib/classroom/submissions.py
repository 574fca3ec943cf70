"""What a student has handed in, read with care: any bytes may stand in the file."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from course_lib.classroom.solutions import FRAMEWORKS

MOST_BYTES = 50 << 20
MOST_CELLS = 2_000
_FRAMEWORK = re.compile(r"""^framework\s*=\s*["'](\w+)["']""", re.MULTILINE)


@dataclass(frozen=True)
class Submission:
    """A student's notebook."""

    cells: tuple[dict, ...] = ()  # {"type": "code" or "markdown", "source": text, "grade_id": text or None}
    framework: str = FRAMEWORKS[0]
    problem: str = ""  # why nothing could be read
    digest: str = ""  # SHA-256 of the file
    notes: tuple[str, ...] = field(default=())

    def code(self):
        """The code cells, as [number, source]."""
        return [[number, cell["source"]] for number, cell in enumerate(self.cells, start=1) if cell["type"] == "code"]

    def written(self, grade_id):
        """The text of an answer in words: that of the first cell of this name; None if there is none."""
        return next((cell["source"] for cell in self.cells if cell["grade_id"] == grade_id), None)


def read(path):
    """Read a notebook; whatever is wrong with it is said in `Submission.problem`, and never raised."""
    path = Path(path)
    try:
        if path.is_symlink() or not path.is_file():
            return Submission(problem=f"no notebook {path.name} was handed in" if not path.exists() else
                              f"{path.name} is not a file")
        if path.stat().st_size > MOST_BYTES:
            return Submission(problem=f"the notebook has more than {MOST_BYTES >> 20} MiB")
        raw = path.read_bytes()
    except OSError as error:
        return Submission(problem=f"the notebook cannot be read: {error.strerror}")
    digest = hashlib.sha256(raw).hexdigest()
    try:
        cells = tuple(map(_cell, json.loads(raw.decode("utf-8"))["cells"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Submission(problem="the file is not a notebook, or a damaged one", digest=digest)
    if len(cells) > MOST_CELLS:
        return Submission(problem=f"the notebook has more than {MOST_CELLS} cells", digest=digest)
    chosen = [name for cell in cells if cell["type"] == "code" for name in _FRAMEWORK.findall(cell["source"])]
    framework = chosen[-1] if chosen and chosen[-1] in FRAMEWORKS else FRAMEWORKS[0]
    notes = () if not chosen or chosen[-1] in FRAMEWORKS else (
        f"framework: expected {' or '.join(FRAMEWORKS)}, got {chosen[-1][:40]}; {framework} was taken",)
    return Submission(cells, framework, digest=digest, notes=notes)


def _cell(cell):
    source = cell["source"]
    source = source if isinstance(source, str) else "".join(source)
    name = cell.get("metadata", {}).get("nbgrader", {}).get("grade_id")
    if cell["cell_type"] not in ("code", "markdown", "raw"):
        raise ValueError("an unknown type of cell")
    # What is no valid text (half of a surrogate pair) could not be passed on.
    return {"type": cell["cell_type"], "source": source.encode("utf-8", "replace").decode("utf-8"),
            "grade_id": name if isinstance(name, str) else None}
