"""A teacher's course: one folder as nbgrader has it, and the grading of all that was handed in.

python -m course_lib.classroom new COURSE
python -m course_lib.classroom grade COURSE 01_dqn
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import secrets
import urllib.parse
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError

from course_lib.classroom import gradebook, sandbox, submissions
from course_lib.classroom.assignments import (
    TOPICS,
    assignment_name,
    points_in,
    topic_of,
    write_assignments,
    write_instances,
)
from course_lib.classroom.exports import safe
from course_lib.classroom.grading import Result, Terms, grade_one, nothing_graded
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

# When assignments are due, and what is taken off for each day begun after that (grade.py's settings, not nbgrader's):
# c.LearnPruneFuse.due = {"01_dqn": "2027-03-01 23:59 +01:00"}
# c.LearnPruneFuse.late = 0.1  # of the points; or 1.0: nothing counts that is late

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
        """The folder of what a student has handed in."""
        return self.folder / "submitted" / student / assignment

    def source(self, assignment):
        """The teacher's notebook."""
        return self.folder / "source" / assignment / f"{assignment}.ipynb"

    def result(self, student, assignment):
        """What came of it."""
        return self.folder / "results" / assignment / f"{file_name(student)}.json"

    def seed(self):
        """The seed of the hidden cases: drawn once, and kept where students' code cannot see it.

        Raises
        ------
        ValueError
            If the folder is not a course.
        """
        try:
            seed = int((self.folder / ".hidden_seed").read_text("ascii"))
        except (OSError, ValueError):
            raise ValueError(f"{self.folder}: expected a course (a folder with the file .hidden_seed); "
                             f"python -m course_lib.classroom new {self.folder} makes one") from None
        if seed < 0:
            raise ValueError(f"{self.folder / '.hidden_seed'}: expected a whole number from 0 on, got {seed}")
        return seed

    def settings(self):
        """What nbgrader_config.py says, traitlets' `Config`.

        Raises
        ------
        ValueError
            If it does not run.
        """
        from traitlets.config import Config, PyFileConfigLoader

        path = self.folder / "nbgrader_config.py"
        try:
            return PyFileConfigLoader(path.name, path=str(self.folder)).load_config() if path.exists() else Config()
        except Exception as error:  # it is the teacher's own code
            raise ValueError(f"{path}: {type(error).__name__}: {error}") from None

    def due(self, assignment):
        """When an assignment is due, or None; and the share of the points that each day begun after that costs.

        Raises
        ------
        ValueError
            If the settings are no time, or no share.
        """
        ours = {"due": {}, "late": 0.0} | self.settings().get("LearnPruneFuse", {})
        due, late = ours.pop("due"), ours.pop("late")
        if ours:
            raise ValueError(f"c.LearnPruneFuse: expected settings due and late, got {', '.join(ours)}")
        if not isinstance(late, (int, float)) or not 0 <= late <= 1:
            raise ValueError(f"c.LearnPruneFuse.late: expected a share from 0 to 1, got {late!r}")
        if not isinstance(due, dict) or due.keys() - set(map(assignment_name, TOPICS)):
            raise ValueError(f'c.LearnPruneFuse.due: expected {{assignment: time}}, such as {{"01_dqn": '
                             f'"2027-03-01 23:59 +01:00"}}, got {due!r}')
        try:
            return submissions.time_of(due[assignment]) if assignment in due else None, float(late)
        except ValueError:
            raise ValueError(f"c.LearnPruneFuse.due: expected a time such as 2027-03-01 23:59 +01:00, "
                             f"got {due[assignment]!r}") from None

    def students(self):
        """Those who have a folder among the submissions, and those in the grade book, sorted."""
        folder = self.folder / "submitted"
        there = {path.name for path in folder.iterdir() if not path.name.startswith((".", "__")) and (
            path.is_dir() or path.is_symlink())} if folder.is_dir() else set()
        return sorted(there | {name for name in gradebook.students(self) if _is_folder_name(name)})

    def results(self, assignment):
        """What was graded so far, and what a person has given since: a list of `Result` in the order of the students.

        Raises
        ------
        ValueError
            If nothing of this assignment was graded.
        """
        folder = self.folder / "results" / assignment
        if not folder.is_dir():
            raise ValueError(f"{folder}: expected the results of {assignment}, got none: grade it first")
        found = [result for path in folder.glob("*.json") if (result := _read_result(path))]
        manual = gradebook.manual_points(self, assignment)
        return sorted((_with_manual(result, manual.get(result.student, {})) for result in found),
                      key=lambda result: result.student)


def _with_manual(result, given):
    """The result with the points that a person has given, {id: points}, in place of ours."""
    marks = [mark if mark.id not in given else replace(
        mark, points=given[mark.id],
        state="right" if given[mark.id] >= mark.most else "partly" if given[mark.id] > 0 else "wrong")
        for mark in result.marks]
    return replace(result, marks=tuple(marks))


def _is_folder_name(name):
    return name not in ("", ".", "..") and "/" not in name and "\0" not in name


def file_name(student):
    """A name for a file about a student, whatever the student's name is: short, of plain letters, and no other's."""
    plain = urllib.parse.quote(os.fsencode(student), safe=" @+")
    if plain == student and len(plain) <= 100 and plain[:1] not in (".", " "):
        return plain
    return f"{plain[:80].strip('. ')}~{hashlib.sha256(os.fsencode(student)).hexdigest()[:12]}"


def _read_result(path):
    """A result, or None if the file is damaged: then it is as if it had not been graded."""
    try:
        return Result.from_json(path.read_text("utf-8"))
    except (OSError, ValueError, TypeError, KeyError):
        warnings.warn(f"{path.name}: expected a result, got a damaged file; it is left out", stacklevel=3)
        return None


def new_course(folder, assignments=None):
    """Make a course's folder: nbgrader's settings, the teacher's notebooks, a secret seed; returns the `Course`.

    Parameters
    ----------
    folder : path-like
    assignments : list of str, optional
        All by default.

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
    topics = TOPICS if assignments is None else tuple(map(topic_of, assignments))
    write_assignments(course.folder / "source", topics)
    (course.folder / "submitted").mkdir()
    config = CONFIG.replace("{name!r}", repr(course.folder.name))
    (course.folder / "nbgrader_config.py").write_text(config, encoding="utf-8")
    with open(os.open(course.folder / ".hidden_seed", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(str(secrets.randbits(62)))
    for topic in topics:
        if topic.project_id:
            write_instances(course.source(assignment_name(topic)).parent, topic, course.seed())
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
    course = course if isinstance(course, Course) else Course(course)
    terms, chosen = terms_of(course, assignment, limits), _chosen(course, students)
    if not terms.way.bwrap:
        warnings.warn(UNSAFE, stacklevel=2)
    course.result("", assignment).parent.mkdir(parents=True, exist_ok=True)
    pending = [student for student in chosen if _kept(course, student, assignment, terms) is None]
    again = []
    with progress(total=len(chosen), desc=f"grading {assignment}") as shown:
        shown.update(len(chosen) - len(pending))
        for result in _side_by_side(course, pending, assignment, terms, n_jobs):
            _keep(course, result)
            if result.starved:
                again.append(result.student)
            shown.update(1)
    for student in again if len(pending) > 1 else ():  # alone, so that nobody takes anything away from anybody
        result = grade_one(course.handed_in(student, assignment), student, assignment, terms)
        _keep(course, replace(result, starved=False))
    results = [_read_result(course.result(student, assignment)) for student in chosen]
    if record:
        gradebook.record(course, assignment, results)
    write_csv(course, assignment)
    return results


def terms_of(course, assignment, limits=None):
    """What the grades of an assignment depend on, as the course's folder says.

    Raises
    ------
    ValueError
        If the course, its settings, or where it lies are no good.
    """
    topic = topic_of(assignment)
    exchange = course.settings().get("Exchange", {}).get("root", "/usr/local/share/nbgrader/exchange")
    way = sandbox.best_way()
    for path in (course.folder, exchange) if way.bwrap else ():
        if part := sandbox.readable_part(path):
            raise ValueError(f"{path}: expected a place outside of {part}, which students' code can read")
    due, late = course.due(assignment)
    return Terms.of(assignment, seed=course.seed(), points=points_in(course.source(assignment), topic), due=due,
                    late=late, limits=limits or Limits(), way=way)


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


def _kept(course, student, assignment, terms):
    """The result of before if it still holds, else None."""
    path = course.result(student, assignment)
    result = _read_result(path) if path.exists() else None
    if result is None or not result.graded or result.starved or result.student != student:
        return None
    now = terms.fingerprint(submissions.read(course.handed_in(student, assignment), assignment), assignment)
    return result if result.digest == now else None


def _side_by_side(course, students, assignment, terms, n_jobs, tries=2):
    """Yield a result for each student; who ends the grader's own processes is told from the others one by one."""
    left = set(students)
    for _ in range(tries):
        jobs = [joblib.delayed(grade_one)(course.handed_in(student, assignment), student, assignment, terms)
                for student in sorted(left)]
        try:
            for result in joblib.Parallel(n_jobs, return_as="generator_unordered")(jobs):
                left.remove(result.student)
                yield result
            return
        except (TerminatedWorkerError, OSError, MemoryError):
            continue
    for student in sorted(left):
        yield _by_itself(course, student, assignment, terms)


def _by_itself(course, student, assignment, terms):
    try:
        with joblib.parallel_config("loky", n_jobs=2):  # a process that may die
            result, = joblib.Parallel(2)([joblib.delayed(grade_one)(
                course.handed_in(student, assignment), student, assignment, terms)])
        return result
    except (TerminatedWorkerError, OSError, MemoryError):
        return nothing_graded(student, assignment, "not graded: it ends the grader's own process", terms)


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
    table.writerow(["student", "points", "of", "to be read", *names, "late", "handed in", "framework", "why"])
    for result in results:
        marks = {mark.id: None if mark.state == "to be read" else mark.points for mark in result.marks}
        why = [result.problem] if result.problem else [
            f"{mark.id}: {mark.comment}" for mark in result.marks if mark.comment and mark.state != "right"]
        row = (result.student, f"{result.points:g}" if result.graded else "", f"{result.most:g}",
               sum(points is None for points in marks.values()),
               *("" if marks.get(name) is None else f"{marks[name]:g}" for name in names),
               f"{result.lost:.0%}" if result.lost else "", result.handed_in, result.framework,
               " | ".join([*why, *result.notes]))
        table.writerow(map(safe, row))
    path = course.folder / "grades" / f"{assignment}.csv"
    path.parent.mkdir(exist_ok=True)
    with atomic_write(path) as file:
        file.write(rows.getvalue().encode("utf-8", "backslashreplace"))
    return path
