"""Results in nbgrader's grade book, and the notebooks that its form grader and its feedback show.

nbgrader is an extra for teachers (`pip install "learn-prune-fuse[teacher]"`); only this file imports it.
"""

from __future__ import annotations

import html
import re
import warnings
from importlib.util import find_spec

import nbformat

from course_lib.classroom import submissions
from course_lib.classroom.assignments import build, cell_of, topic_of
from course_lib.common.files import atomic_write

_HIDDEN = re.compile(r"\n### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS", re.DOTALL)


def available():
    """Whether nbgrader is installed."""
    return find_spec("nbgrader") is not None


def opened(course):
    """The grade book of a course, nbgrader's `Gradebook`, or None if nbgrader has not made one yet.

    Where it is, nbgrader_config.py may say; by default in gradebook.db.
    """
    if not available():
        return None
    from nbgrader.api import Gradebook
    from traitlets.config import PyFileConfigLoader

    here, settings = course.folder / "gradebook.db", {}
    if (course.folder / "nbgrader_config.py").exists():
        loader = PyFileConfigLoader("nbgrader_config.py", path=str(course.folder))
        settings = loader.load_config().CourseDirectory
    if "db_url" not in settings and not here.exists():
        return None
    return Gradebook(settings.get("db_url", f"sqlite:///{here}"), settings.get("course_id", "default_course"))


def students(course):
    """The names of the students in the grade book, a set; empty without a grade book."""
    book = opened(course)
    if book is None:
        return set()
    with book:
        return {student.id for student in book.students}


def record(course, assignment, results):
    """Write results into the grade book, and the graded notebooks into `autograded/`.

    What a person has graded or remarked stays. What could not be graded is left as it is.

    Returns
    -------
    bool
        Whether there was a grade book to write into; if not, a warning says why.
    """
    if not available():
        warnings.warn("nbgrader is not installed, so nothing goes into its grade book (pip install nbgrader)",
                      stacklevel=3)
        return False
    from nbgrader.api import MissingEntry
    from sqlalchemy.exc import SAWarning

    book = opened(course)
    try:
        if book:
            book.find_notebook(assignment, assignment)
    except MissingEntry:
        book.close()
        book = None
    if not book:
        warnings.warn(f"the grade book does not know {assignment} yet, so nothing goes into it: run nbgrader "
                      f"generate_assignment {assignment} in {course.folder}, then grade again", stacklevel=3)
        return False
    with book, warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)  # nbgrader adds rows to a session late; they arrive
        for result in results:
            if result.graded:
                _record_one(book, course, assignment, result)
    return True


def _record_one(book, course, assignment, result):
    from nbgrader.api import MissingEntry

    stamp = course.handed_in(result.student, assignment).parent / "timestamp.txt"
    when = {"timestamp": stamp.read_text("utf-8").strip()} if stamp.is_file() else {}
    book.update_or_create_student(result.student)
    book.update_or_create_submission(assignment, result.student, **when)
    for mark in result.marks:
        try:
            grade = book.find_grade(cell_of(mark.id), assignment, assignment, result.student)
        except MissingEntry:  # the teacher has taken it out of the assignment since
            continue
        to_be_read = mark.state == "to be read"
        grade.auto_score = None if to_be_read else float(mark.points)
        grade.needs_manual_grade = to_be_read and grade.manual_score is None
        answer = cell_of(mark.id).removesuffix("-tests")
        text = result.problem or mark.comment
        book.find_comment(answer, assignment, assignment, result.student).auto_comment = html.escape(text, quote=False)
    book.db.commit()
    _write_graded(course, assignment, result)


def _write_graded(course, assignment, result):
    path = course.folder / "autograded" / result.student / assignment / f"{assignment}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    handed_in = course.handed_in(result.student, assignment)
    notebook = graded_notebook(course, assignment, submissions.read(handed_in))
    with atomic_write(path) as file:
        file.write(nbformat.writes(notebook, version=4).encode())
    for name in ("timestamp.txt", "submission_secret.txt"):  # without which nbgrader does not release feedback
        there = handed_in.with_name(name)
        if there.is_file() and not there.is_symlink() and there.stat().st_size < 1_000:
            path.with_name(name).write_bytes(there.read_bytes())


def graded_notebook(course, assignment, submission):
    """The assignment's own cells, with a student's answers in their places and the student's other cells after them."""
    source = course.source(assignment)
    whole = nbformat.read(source, 4) if source.is_file() else build(topic_of(assignment))
    theirs, extra, last = {}, {}, None
    for cell in submission.cells:
        if cell["grade_id"]:
            last = cell["grade_id"]
            theirs.setdefault(last, cell["source"])
        else:
            extra.setdefault(last, []).append(cell)
    cells = []
    for number, cell in enumerate(extra.get(None, [])):
        cells.append(_extra(cell, f"first-{number}"))
    for cell in whole.cells:
        settings = cell.metadata.get("nbgrader", {})
        name = settings.get("grade_id")
        if name is None:
            continue
        if settings.get("solution"):
            cell.source = theirs.get(name, "(no answer)" if cell.cell_type == "markdown" else "# no answer")
        cell.source = _HIDDEN.sub("", cell.source)
        cells.append(cell)
        cells += [_extra(more, f"{cell.id}-{number}") for number, more in enumerate(extra.get(name, []))]
    whole.cells = cells
    return whole


def _extra(cell, identity):
    new = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
    return new.get(cell["type"], nbformat.v4.new_raw_cell)(cell["source"], id=identity[:64])
