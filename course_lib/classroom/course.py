"""A teacher's course: one folder as nbgrader has it, and the grading of all that was handed in.

python -m course_lib.classroom new COURSE
python -m course_lib.classroom grade COURSE 01_dqn
"""

from __future__ import annotations

import csv
import io
import os
import secrets
import warnings
from dataclasses import dataclass
from pathlib import Path

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError

from course_lib.classroom import gradebook, sandbox, submissions
from course_lib.classroom.assignments import points_in, topic_of, write_assignments
from course_lib.classroom.grading import Result, fingerprint, grade_file, nothing_graded
from course_lib.classroom.sandbox import Limits
from course_lib.common.files import atomic_write
from course_lib.common.notebook import progress

CONFIG = '''"""nbgrader's settings for this course; its documentation lists them all. Run nbgrader in this folder."""

c = get_config()  # noqa: F821

c.CourseDirectory.course_id = {name!r}
# Students are made when their work is graded. Names and addresses: nbgrader db student import students.csv

# For files from elsewhere, named like ann_01_dqn.ipynb: put them (or a zip) into downloaded/01_dqn/archive/, and
# run nbgrader zip_collect 01_dqn.
c.FileNameCollectorPlugin.named_regexp = r".*/(?P<student_id>[^/]+?)_(?P<file_id>\\d\\d_[a-z]+)\\.ipynb$"

# On JupyterHub: where assignments are handed out and in.
# c.Exchange.root = "/srv/nbgrader/exchange"
'''

UNSAFE = ("GRADING IS NOT SAFE HERE: bubblewrap does not work on this computer, so students' code runs as a plain "
          "process that can read files and use the network. Install it (Debian, Ubuntu: apt install bubblewrap), or "
          "grade on a computer that has it.")


@dataclass(frozen=True)
class Course:
    """Where things are in a course's folder."""

    folder: Path

    def __post_init__(self):
        object.__setattr__(self, "folder", Path(self.folder).expanduser().resolve())

    def handed_in(self, student, assignment):
        """A student's notebook."""
        return self.folder / "submitted" / student / assignment / f"{assignment}.ipynb"

    def source(self, assignment):
        """The teacher's notebook."""
        return self.folder / "source" / assignment / f"{assignment}.ipynb"

    def result(self, student, assignment):
        """What came of it."""
        return self.folder / "results" / assignment / f"{student}.json"

    def seed(self):
        """The seed of the hidden cases: drawn once, and kept where students' code cannot see it.

        Raises
        ------
        ValueError
            If the folder is not a course.
        """
        try:
            return int((self.folder / ".hidden_seed").read_text("ascii"))
        except (OSError, ValueError):
            raise ValueError(f"{self.folder}: expected a course (a folder with the file .hidden_seed); "
                             f"python -m course_lib.classroom new {self.folder} makes one") from None

    def students(self):
        """Those who have a folder among the submissions, and those in the grade book, sorted."""
        folder = self.folder / "submitted"
        there = {path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")} if (
            folder.is_dir()) else set()
        return sorted(there | gradebook.students(self))

    def results(self, assignment):
        """What was graded so far, a list of `Result` in the order of the students.

        Raises
        ------
        ValueError
            If nothing of this assignment was graded.
        """
        folder = self.folder / "results" / assignment
        if not folder.is_dir():
            raise ValueError(f"{folder}: expected the results of {assignment}, got none: grade it first")
        paths = sorted(folder.glob("*.json"))
        return [Result.from_json(path.read_text("utf-8")) for path in paths]


def new_course(folder):
    """Make a course's folder: nbgrader's settings, the teacher's notebooks, a secret seed; returns the `Course`.

    Raises
    ------
    FileExistsError
        If something is in the folder already.
    """
    course = Course(folder)
    if course.folder.exists() and (not course.folder.is_dir() or any(course.folder.iterdir())):
        raise FileExistsError(f"{course.folder}: expected a new or an empty folder")
    course.folder.mkdir(parents=True, exist_ok=True)
    course.folder.chmod(0o700)  # others on this computer read neither answers nor grades
    write_assignments(course.folder / "source")
    (course.folder / "submitted").mkdir()
    config = CONFIG.replace("{name!r}", repr(course.folder.name))
    (course.folder / "nbgrader_config.py").write_text(config, encoding="utf-8")
    with open(os.open(course.folder / ".hidden_seed", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(str(secrets.randbits(62)))
    return course


def grade(course, assignment, *, students=None, n_jobs=-1, limits=None, record=True):
    """Grade what students have handed in; what was graded before, and has not changed, is not graded again.

    Each result is kept as soon as it is there: a run that is broken off goes on where it was.

    Parameters
    ----------
    course : Course or path-like
    assignment : str
        Such as "01_dqn".
    students : list of str, optional
        All by default.
    n_jobs : int
        Side by side, as in joblib; `joblib.parallel_config("dask")` moves them to a cluster that shares the folder.
    limits : sandbox.Limits, optional
    record : bool
        Whether results go into nbgrader's grade book as well.

    Returns
    -------
    list of Result
        One for each student, whatever was handed in.

    Raises
    ------
    ValueError
        If there is no such course, assignment or student.
    """
    course, topic = course if isinstance(course, Course) else Course(course), topic_of(assignment)
    terms = dict(seed=course.seed(), points=points_in(course.source(assignment), topic), limits=limits or Limits())
    chosen, way = _chosen(course, students), sandbox.best_way()
    if not way.bwrap:
        warnings.warn(UNSAFE, stacklevel=2)
    course.result("", assignment).parent.mkdir(parents=True, exist_ok=True)
    pending = [student for student in chosen if _kept(course, student, assignment, terms) is None]
    with progress(total=len(chosen), desc=f"grading {assignment}") as shown:
        shown.update(len(chosen) - len(pending))
        for result in _side_by_side(course, pending, assignment, terms | {"way": way}, n_jobs):
            _keep(course, result)
            shown.update(1)
    results = [_kept(course, student, assignment, terms, whatever=True) for student in chosen]
    write_csv(course, assignment)
    if record:
        gradebook.record(course, assignment, results)
    return results


def _chosen(course, students):
    known = course.students()
    unknown = set(students or ()) - set(known)
    if unknown:
        raise ValueError(f"students: expected some of those in {course.folder / 'submitted'}, "
                         f"got {', '.join(sorted(unknown))}")
    return known if students is None else sorted(set(students))


def _keep(course, result):
    with atomic_write(course.result(result.student, result.assignment)) as file:
        file.write(result.as_json().encode())


def _kept(course, student, assignment, terms, whatever=False):
    """The result of before if it still holds, else None."""
    try:
        result = Result.from_json(course.result(student, assignment).read_text("utf-8"))
    except (OSError, ValueError, TypeError, KeyError):
        return None
    now = fingerprint(submissions.read(course.handed_in(student, assignment)), assignment, **terms)
    return result if whatever or (result.graded and result.digest == now) else None


def _side_by_side(course, students, assignment, terms, n_jobs, tries=3):
    """Yield a result for each student. What kills the grader's own processes is left to itself in the end."""
    left = set(students)
    for attempt in range(tries):
        jobs = [joblib.delayed(grade_file)(course.handed_in(student, assignment), student, assignment, **terms)
                for student in sorted(left)]
        try:
            # one after the other in the last try, so that none takes others with it
            for result in joblib.Parallel(n_jobs if attempt + 1 < tries else 1, return_as="generator_unordered")(jobs):
                left.remove(result.student)
                yield result
            return
        except TerminatedWorkerError:
            continue
    for student in sorted(left):
        yield nothing_graded(student, assignment, "not graded: it ends the grader's own processes",
                             points=terms["points"])


def write_csv(course, assignment):
    """Write `grades/ASSIGNMENT.csv`: a row for each student, with the points of each exercise and why some are missing.

    Returns
    -------
    Path
    """
    results = course.results(assignment)
    names = list(dict.fromkeys(mark.id for result in results for mark in result.marks))
    rows = io.StringIO()
    table = csv.writer(rows, lineterminator="\n")
    table.writerow(["student", "points", "of", "to be read", *names, "framework", "why"])
    for result in results:
        marks = {mark.id: mark for mark in result.marks}
        why = [result.problem] if result.problem else [
            f"{mark.id}: {mark.comment}" for mark in result.marks if mark.comment and mark.state != "right"]
        table.writerow([_safe(text) for text in (
            result.student, f"{result.points:g}" if result.graded else "", f"{result.most:g}",
            sum(mark.state == "to be read" for mark in result.marks),
            *(f"{marks[name].points:g}" if name in marks and marks[name].state != "to be read" else ""
              for name in names), result.framework, " | ".join([*why, *result.notes]))])
    path = course.folder / "grades" / f"{assignment}.csv"
    path.parent.mkdir(exist_ok=True)
    with atomic_write(path) as file:
        file.write(rows.getvalue().encode())
    return path


def _safe(text):
    """A cell that no spreadsheet takes for a formula."""
    text = str(text)
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
