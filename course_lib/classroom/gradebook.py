"""Results in nbgrader's grade book, and the notebooks that its form grader and its feedback show.

nbgrader is an extra for teachers (`pip install "learn-prune-fuse[teacher]"`); only this file imports it.
"""

from __future__ import annotations

import contextlib
import html
import re
import warnings
from importlib.util import find_spec

import nbformat

from course_lib.classroom import submissions
from course_lib.classroom.assignments import build, cell_of, default_points, topic_of
from course_lib.common.files import atomic_write

_HIDDEN = re.compile(r"\n### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS", re.DOTALL)
_NAME = re.compile(r"[\w.@+ -]{1,100}")  # of students whom the grade book and its pages can have


def available():
    """Whether nbgrader is installed."""
    return find_spec("nbgrader") is not None


@contextlib.contextmanager
def opened(course):
    """The grade book of a course, nbgrader's `Gradebook`, or None if nbgrader has not made one yet.

    Where it is, nbgrader_config.py may say; by default in gradebook.db.

    Raises
    ------
    ValueError
        If it is locked or damaged.
    """
    if not available():
        yield None
        return
    from nbgrader.api import Gradebook
    from sqlalchemy.exc import SAWarning, SQLAlchemyError

    here, settings = course.folder / "gradebook.db", course.settings().CourseDirectory
    if "db_url" not in settings and not here.exists():
        yield None
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)  # nbgrader adds rows to a session late; they arrive
            with Gradebook(settings.get("db_url", f"sqlite:///{here}"),
                           settings.get("course_id", "default_course")) as book:
                yield book
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).splitlines()[0]
        raise ValueError(f"{here}: expected nbgrader's grade book, got: {reason}") from None


def students(course):
    """The names of the students in the grade book, a set; empty without a grade book."""
    with opened(course) as book:
        return {student.id for student in book.students} if book else set()


def manual_points(course, assignment):
    """What a person has given, {student: {id: points}}; empty without a grade book."""
    names = {cell_of(name): name for name in default_points(topic_of(assignment))}
    found = {}
    with opened(course) as book:
        if book and _knows(book, assignment):
            for submission in book.assignment_submissions(assignment):
                for notebook in submission.notebooks:
                    for grade in notebook.grades:
                        if grade.manual_score is not None and grade.name in names:
                            found.setdefault(submission.student_id, {})[names[grade.name]] = (
                                grade.manual_score + (grade.extra_credit or 0))
    return found


def _knows(book, assignment):
    from nbgrader.api import MissingEntry

    try:
        return bool(book.find_notebook(assignment, assignment))
    except MissingEntry:
        return False


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
    with opened(course) as book:
        if not book or not _knows(book, assignment):
            warnings.warn(f"the grade book does not know {assignment} yet, so nothing goes into it: run nbgrader "
                          f"generate_assignment {assignment} in {course.folder}, then grade again", stacklevel=4)
            return False
        for result in results:
            if not result.graded:
                continue
            if not _NAME.fullmatch(result.student):
                warnings.warn(f"student {ascii(result.student)[:80]}: the name of a folder that the grade book cannot "
                              "have; the points are in grades/ only", stacklevel=4)
                continue
            _record_one(book, course, assignment, result)
    return True


def _record_one(book, course, assignment, result):
    from nbgrader.api import MissingEntry

    when = {"timestamp": f"{result.handed_in[:19].replace('T', ' ')} UTC"} if result.handed_in else {}
    book.update_or_create_student(result.student)
    book.update_or_create_submission(assignment, result.student, **when)
    total = 0.0
    for mark in result.marks:
        try:
            grade = book.find_grade(cell_of(mark.id), assignment, assignment, result.student)
        except MissingEntry:  # the teacher has taken it out of the assignment since
            continue
        to_be_read = mark.state == "to be read"
        grade.auto_score = None if to_be_read else float(mark.points)
        grade.needs_manual_grade = to_be_read and grade.manual_score is None
        total += mark.points if grade.manual_score is None else grade.manual_score
        answer = cell_of(mark.id).removesuffix("-tests")
        text = result.problem or mark.comment
        book.find_comment(answer, assignment, assignment, result.student).auto_comment = html.escape(text, quote=False)
    notebook = book.find_submission_notebook(assignment, assignment, result.student)
    notebook.late_submission_penalty = result.lost * total
    book.db.commit()
    _write_graded(course, assignment, result)


def _write_graded(course, assignment, result):
    path = course.folder / "autograded" / result.student / assignment / f"{assignment}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    handed_in = course.handed_in(result.student, assignment)
    notebook = graded_notebook(course, assignment, submissions.read(handed_in, assignment))
    with atomic_write(path) as file:
        file.write(nbformat.writes(notebook, version=4).encode())
    for name in ("timestamp.txt", "submission_secret.txt"):  # without which nbgrader does not release feedback
        there = handed_in / name
        if there.is_file() and not there.is_symlink() and there.stat().st_size < 1_000:
            path.with_name(name).write_bytes(there.read_bytes())


def graded_notebook(course, assignment, submission):
    """The assignment's own cells, with a student's answers in their places, and all else that was in the notebook.

    Whatever the student wrote is there, and all that ran; none of it can act in a browser: outputs are left out, and
    what is not code is shown as plain text.
    """
    source = course.source(assignment)
    whole = nbformat.read(source, 4) if source.is_file() else build(topic_of(assignment))
    ours = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell for cell in whole.cells}
    theirs, extra, last, cells = {}, {}, None, []
    for number, cell in enumerate(submission.cells, start=1):
        own = ours.get(cell.grade_id) if cell.grade_id else None
        if own is None or cell.grade_id in theirs or cell.kind != own.cell_type:
            if cell.source.strip() and all(cell.source != known.source for known in whole.cells):
                extra.setdefault(last, []).append((number, cell))
            continue
        last = cell.grade_id
        if own.metadata.nbgrader.get("solution"):
            theirs[last] = cell.source
        elif cell.source.strip() != _HIDDEN.sub("", own.source).strip():  # a cell that was not to be changed
            extra.setdefault(last, []).append((number, cell))
    for number, cell in extra.get(None, []):
        cells.append(_extra(cell, f"student-{number}"))
    for cell in whole.cells:
        settings = cell.metadata.get("nbgrader", {})
        name = settings.get("grade_id")
        if name is None:
            continue
        cell.source = _HIDDEN.sub("", cell.source)
        if settings.get("solution"):
            text = theirs.get(name)
            if cell.cell_type == "markdown":
                cell.source = "(no answer)" if text is None else _as_text(text)
            else:
                cell.source = "# no answer" if text is None else text
        cells.append(cell)
        cells += [_extra(more, f"student-{number}") for number, more in extra.get(name, [])]
    whole.cells = cells
    return whole


def _as_text(text):
    """Markdown that shows a text as it is: no markup of it is looked at."""
    fence = "~" * max(3, 1 + max((len(found) for found in re.findall("~+", text)), default=0))
    return f"{fence}\n{text}\n{fence}"


def _extra(cell, identity):
    if cell.kind == "code":
        return nbformat.v4.new_code_cell(cell.source, id=identity)
    return nbformat.v4.new_markdown_cell(_as_text(cell.source), id=identity)
