"""What a student has handed in, read with care: any bytes may stand in the files, and none may be lost."""

from __future__ import annotations

import codecs
import hashlib
import io
import json
import re
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from course_lib.classroom.solutions import FRAMEWORKS
from course_lib.exercises.engine.wire import MIME

MOST_BYTES = 50 << 20
MOST_CELLS = 2_000
_FRAMEWORK = re.compile(r"""^framework\s*(?::[^=\n]*)?=\s*(?:(?:use\()?["'](\w+)["']|(\w+))""", re.MULTILINE)
_STUBS = "YOUR ANSWER HERE", "YOUR CODE HERE"


@dataclass(frozen=True)
class Cell:
    """A cell of a notebook, as text."""

    kind: str  # "code", "markdown" or "raw"
    source: str
    grade_id: str | None = None
    outputs: tuple[dict, ...] = ()  # what `hand_in` left


@dataclass(frozen=True)
class Submission:
    """A student's notebook."""

    cells: tuple[Cell, ...] = ()
    framework: str = ""  # the one that it chooses, if it does
    problem: str = ""  # why nothing could be read
    digest: str = ""  # SHA-256 of the file
    notes: tuple[str, ...] = field(default=())

    def code(self):
        """The code cells, as [number, source]."""
        return [[number, cell.source] for number, cell in enumerate(self.cells, start=1) if cell.kind == "code"]

    def handed_in(self, name):
        """What the last `hand_in` of a name left, a dict, or None."""
        found = [output for cell in self.cells for output in cell.outputs if output.get("id") == name]
        return found[-1] if found else None


def find(folder, assignment):
    """The file in a student's folder that is meant as the notebook of an assignment, and what to say of it.

    Parameters
    ----------
    folder : Path
        `submitted/STUDENT/ASSIGNMENT`.
    assignment : str

    Returns
    -------
    Path or None, str
        Links are never followed.
    """
    exact = folder / f"{assignment}.ipynb"
    if folder.is_symlink() or folder.parent.is_symlink() or exact.is_symlink():
        return None, f"{exact.name} is a link, which is not followed"
    if exact.is_file() or not folder.is_dir():
        return (exact, "") if exact.is_file() else (None, f"no notebook {exact.name} was handed in")
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()
                   and not any(part.startswith((".", "__")) for part in path.relative_to(folder).parts))
    notebooks = [path for path in files if path.suffix.lower() in (".ipynb", ".zip")]
    number, _, words = assignment.partition("_")
    named = [path for path in notebooks if number in path.stem and words in path.stem.lower()] or notebooks
    if not named:
        there = f"; there is {', '.join(path.name[:60] for path in files[:5])}" if files else ""
        return None, f"no notebook {exact.name} was handed in{there}"
    best = max(named, key=lambda path: (path.suffix.lower() == ".ipynb", path.stat().st_mtime, path.name))
    return best, f"{best.relative_to(folder)} was taken for {exact.name}"


def read(folder, assignment=None):
    """Read a notebook; whatever is wrong with it is said in `Submission.problem`, and never raised.

    Parameters
    ----------
    folder : path-like
        A student's folder of an assignment, or, without the name of one, a file.
    assignment : str, optional

    Returns
    -------
    Submission
    """
    path, note = find(Path(folder), assignment) if assignment else (Path(folder), "")
    if path is None:
        return Submission(problem=note)
    try:
        if not path.is_file() or path.is_symlink():
            return Submission(problem=f"{path.name} is not a file")
        if path.stat().st_size > MOST_BYTES:
            return Submission(problem=f"the notebook has more than {MOST_BYTES >> 20} MiB")
        raw = path.read_bytes()
        digest = hashlib.sha256(raw).hexdigest()
        if path.suffix.lower() == ".zip":
            raw = _unzipped(raw)
    except OSError as error:
        return Submission(problem=f"the notebook cannot be read: {error.strerror}")
    except (ValueError, RuntimeError, NotImplementedError, zipfile.BadZipFile):
        return Submission(problem="the zip file holds no notebook, or is damaged", digest=digest)
    return _read(raw, digest, (note,) if note else ())


def _unzipped(raw):
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        inside = [entry for entry in archive.infolist() if entry.filename.lower().endswith(".ipynb")
                  and not any(part.startswith((".", "__")) for part in entry.filename.split("/"))]
        if len(inside) != 1 or inside[0].file_size > MOST_BYTES:
            raise ValueError("not one notebook")
        return archive.read(inside[0])


def _read(raw, digest, notes):
    try:
        data = json.loads(_decoded(raw))
        cells = data["cells"] if "cells" in data else [cell for sheet in data["worksheets"] for cell in sheet["cells"]]
        if not isinstance(cells, list):
            raise TypeError("cells are a list")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Submission(problem="the file is not a notebook, or a damaged one", digest=digest)
    if len(cells) > MOST_CELLS:
        return Submission(problem=f"the notebook has more than {MOST_CELLS} cells", digest=digest)
    read = tuple(map(_cell, cells))
    damaged = [str(number) for number, cell in enumerate(read, start=1) if cell is None]
    if damaged:
        notes += (f"cell {', '.join(damaged[:9])} cannot be read, and was left out",)
    read = tuple(cell or Cell("raw", "") for cell in read)
    framework, more = _framework(read)
    return Submission(read, framework, digest=digest, notes=notes + more)


def _decoded(raw):
    """Text in the encoding that its first bytes name, UTF-8 if they name none."""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16")
    return raw.decode("utf-8-sig").rstrip("\0 \n")


def _framework(cells):
    """The framework that a notebook chooses, or "", and what to say of it."""
    text = "\n".join(cell.source for cell in cells if cell.kind == "code")
    chosen = ""
    for literal, name in _FRAMEWORK.findall(text):
        if name and (found := re.findall(rf"""^{name}\s*(?::[^=\n]*)?=\s*["'](\w+)["']""", text, re.MULTILINE)):
            literal = found[-1]
        chosen = literal or chosen
    if not chosen or chosen in FRAMEWORKS:
        return chosen, ()
    return "", (f"framework: expected {' or '.join(FRAMEWORKS)}, got {chosen[:40]}; {FRAMEWORKS[0]} was taken",)


def _cell(cell):
    """A cell of notebook formats 3 and 4, however incomplete; None if it is none at all."""
    if not isinstance(cell, dict):
        return None
    source = cell.get("source", cell.get("input", ""))
    source = "".join(map(str, source)) if isinstance(source, list) else source if isinstance(source, str) else ""
    kind = {"heading": "markdown", "code": "code", "markdown": "markdown", "raw": "raw"}.get(
        str(cell.get("cell_type")), "code" if "outputs" in cell or "execution_count" in cell else "raw")
    metadata = cell.get("metadata")
    settings = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    name = settings.get("grade_id") if isinstance(settings, dict) else None
    outputs = cell["outputs"] if isinstance(cell.get("outputs"), list) else []
    outputs = [output.get("data") for output in outputs if isinstance(output, dict)]
    left = tuple(data[MIME] for data in outputs if isinstance(data, dict) and isinstance(data.get(MIME), dict))
    # What is no valid text (half of a surrogate pair) could not be passed on; "\r" alone ends no line.
    source = source.replace("\r\n", "\n").encode("utf-8", "replace").decode("utf-8")
    return Cell(kind, source, name if isinstance(name, str) else None, left)


def is_stub(text):
    """Whether an answer is empty, or still what was handed out."""
    return text.strip() in ("", *_STUBS)


def written_answers(submission, handed_out):
    """A student's answers in words, by the name of the question, and what nobody can place.

    Parameters
    ----------
    submission : Submission
    handed_out : list of Cell
        The assignment's own cells; those of questions are markdown with a name like "question-1".

    Returns
    -------
    dict of str to str, list of str
        Where an answer is not in its cell, what the student wrote elsewhere may be it: a person has to look.
    """
    questions = [cell.grade_id for cell in handed_out if cell.kind == "markdown" and (cell.grade_id or "").startswith(
        "question-") and not cell.grade_id.endswith("-text")]
    answers = {}
    for name in questions:
        texts = [cell.source for cell in submission.cells if cell.grade_id == name and not is_stub(cell.source)]
        answers[name] = "\n\n".join(texts)
    ours = {cell.source.strip() for cell in handed_out}
    known = {cell.grade_id for cell in handed_out}
    loose = [cell.source for cell in submission.cells if cell.kind != "code" and not is_stub(cell.source)
             and cell.source.strip() not in ours and (cell.grade_id not in known or cell.grade_id not in questions)]
    return answers, loose


def time_of(text):
    """The time in a text such as "2027-03-01 23:59 +01:00", in UTC; a text without a zone is in UTC already.

    Raises
    ------
    ValueError
        If there is none.
    """
    try:
        found = datetime.fromisoformat(re.sub(r"\s+(?=[-+]\d)", "", text.strip().removesuffix("UTC").strip()))
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (OverflowError, AttributeError, TypeError):
        raise ValueError(f"expected a time, got {text!r}") from None


def handed_in_at(path):
    """When a file was handed in, by the `timestamp.txt` beside it, else by the file's own time.

    Returns
    -------
    datetime or None, str
        In UTC, and a note if the text is none of a time.
    """
    if path is None:
        return None, ""
    stamp = Path(path).with_name("timestamp.txt")
    if stamp.is_file() and not stamp.is_symlink() and stamp.stat().st_size < 100:
        text = stamp.read_bytes().decode("ascii", "replace").strip()
        try:
            return time_of(text), ""
        except ValueError:
            return None, "timestamp.txt holds no time"
    if stamp.is_symlink() or stamp.exists():
        return None, "timestamp.txt is not a file of a time"
    return datetime.fromtimestamp(Path(path).stat().st_mtime, UTC), ""
