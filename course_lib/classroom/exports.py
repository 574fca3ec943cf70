"""Results for other systems: a CSV for Canvas, one for Moodle, and Gradescope's results.json.

Canvas: "How do I import grades in the Gradebook?" in its Instructor Guide (community.canvaslms.com), and what
reads the file, https://github.com/instructure/canvas-lms/blob/master/lib/gradebook_importer.rb
Moodle: https://docs.moodle.org/en/Grade_import; for grading worksheets, importgradeslib.php in
https://github.com/moodle/moodle/tree/main/mod/assign/feedback/offline
Gradescope: https://gradescope-autograders.readthedocs.io/en/latest/specs/

Where a person has still to read an answer, or nothing could be graded, there is no number: never a 0 that
looks final. Both CSV files name students as the roster does, a file that the other system exports itself.
"""

from __future__ import annotations

import csv
import html
import io
import json
import warnings
from pathlib import Path

from course_lib.common.files import atomic_write

CANVAS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
# Who somebody is, in Moodle's own exports; the first five can name a student.
MOODLE = ("Identifier", "Username", "ID number", "Email address", "Full name", "First name", "Last name",
          "Surname")
WORKSHEET = {"Identifier", "Grade", "Feedback comments", "Last modified (grade)"}  # Moodle looks for these
UNREAD = "to be read"
# So begins what a spreadsheet takes for a formula (OWASP, "CSV Injection"), in full-width letters too.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def safe(text):
    """A cell that no spreadsheet takes for a formula: text as it is, behind an apostrophe if need be."""
    text = _text(text)
    return "'" + text if text.startswith(_FORMULA) else text


def canvas(results, path, *, roster=None):
    """Write a CSV that Canvas's gradebook imports: a row for each student, a column for each assignment.

    A row "Points Possible" comes first. Canvas finds students by "ID", "SIS User ID" or "SIS Login ID"; with
    none of them it asks the teacher. A column of the roster like "02_pruning (1234)" gives its name to ours,
    so that no second assignment is made. An empty cell takes away a score that is there.

    Parameters
    ----------
    results : list of Result
        Of one or more assignments.
    path : path-like
    roster : path-like, optional
        A gradebook that Canvas has exported. Who is not in it, or not clearly, gets no ids; a warning has the
        names.

    Raises
    ------
    ValueError
        If the roster is not a gradebook of Canvas.
    """
    columns, known = _roster(roster, CANVAS[:2])
    names, people = _assignments(results), _by_student(results)
    titles = [next((column for column in columns if column.startswith(f"{name} (")), name) for name in names]
    most = [_number(max(result.most for result in results if result.assignment == name)) for name in names]
    rows = [[*CANVAS, *titles], ["    Points Possible", "", "", "", "", *most]]
    for student, person in _placed(people, known, CANVAS[:4]):
        alone = {"Student": student.replace("Points Possible", "Points_Possible")}  # else it is such a row
        rows.append([(person or alone).get(column, "") for column in CANVAS]
                    + [_points(people[student].get(name)) for name in names])
    _write(path, rows)


def moodle(results, path, *, roster=None):
    """Write a CSV for Moodle: for each assignment a column of points, and one of feedback.

    In Grades > Import > CSV file the teacher says which column is what ("Email address" or "Username" names
    the student); the item's maximum grade has to be that of the assignment. Map points and feedback together,
    for feedback alone makes an empty grade. An empty cell takes away a grade that is there.

    Parameters
    ----------
    results : list of Result
    path : path-like
    roster : path-like, optional
        Grades that Moodle has exported, or the grading worksheet of one assignment, which is then filled in,
        to be uploaded there. Who is not in it, or not clearly, is left out and named in a warning: Moodle
        takes no file with a name that it does not know.

    Raises
    ------
    ValueError
        If the roster names nobody, or results of more than one assignment are to go into a worksheet.
    """
    columns, known = _roster(roster, ())
    names, people = _assignments(results), _by_student(results)
    worksheet = set(columns) >= WORKSHEET
    if worksheet and len(names) > 1:
        raise ValueError(f"roster: expected one assignment for a grading worksheet, got {', '.join(names)}")
    if roster is not None and not set(columns) & set(MOODLE[:5]):
        raise ValueError(f"roster: expected a column like {', '.join(MOODLE[:4])}, got {', '.join(columns)}")
    who = [column for column in columns if column in MOODLE or worksheet] or ["Username", "Email address"]
    titles = [] if worksheet else [title for name in names for title in (name, f"{name} (feedback)")]
    rows = [who + titles]
    for student, person in _placed(people, known, MOODLE[:5]):
        if roster is None:
            person = {"Email address" if "@" in student else "Username": student}
        if person is None:
            continue
        pairs = [(_points(people[student].get(name)), _feedback(people[student].get(name))) for name in names]
        if worksheet:
            person |= {"Grade": pairs[0][0], "Feedback comments": pairs[0][1]}
        rows.append([person.get(column, "") for column in who]
                    + [cell for pair in pairs for cell in pair if titles])
    _write(path, rows)


def gradescope(result, path=None):
    """What a Gradescope autograder says of a submission: a dict, as in /autograder/results/results.json.

    A test for each exercise, as text, with what the student may know. What a person has to read has no score,
    and is for manual grading there. The format has no place for what can be had in all; it is in
    "extra_data", as "max_score".

    Parameters
    ----------
    result : Result
    path : path-like, optional
        Where to write it.

    Raises
    ------
    ValueError
        If nothing could be graded, through no fault of the student's: Gradescope then reports a failure.
    """
    if not result.graded:
        raise ValueError(_text(f"{result.student}: expected a result with a grade, got {result.problem}"))
    tests = []
    for mark in result.marks:
        test = {"name": _text(mark.id), "name_format": "text", "output": _text(mark.comment or mark.state),
                "output_format": "text", "visibility": "visible"}
        if mark.state != UNREAD:
            test |= {"score": float(mark.points), "max_score": float(mark.most),
                     "status": "passed" if mark.points >= mark.most else "failed"}
        tests.append(test)
    counted = [mark for mark in result.marks if mark.state != UNREAD]
    more = {"max_score": float(sum(mark.most for mark in counted)), UNREAD: len(tests) - len(counted)}
    score = sum(mark.points for mark in counted) * (1 - result.lost)  # late: less than the tests' sum
    found = {"score": float(score), "output": _text(_summary(result)),
             "output_format": "text", "visibility": "visible", "stdout_visibility": "hidden", "tests": tests,
             "extra_data": more}
    if path is not None:
        with atomic_write(path) as file:
            file.write(json.dumps(found, indent=1, allow_nan=False).encode())
    return found


def _text(value):
    """Text that can be encoded, whatever stood in a file's name."""
    return str(value).encode("utf-8", "replace").decode("utf-8")


def _number(points):
    return f"{round(points, 2):.10g}"


def _unread(result):
    return sum(mark.state == UNREAD for mark in result.marks)


def _points(result):
    return _number(result.points) if result and result.graded and not _unread(result) else ""


def _summary(result):
    text = f"{_number(result.points)} of {_number(result.most)} points" if result.graded else "Not graded yet"
    text += f" so far, {_unread(result)} to be read by a person" if result.graded and _unread(result) else ""
    return f"{text}. {result.problem}" if result.problem else text


def _feedback(result):
    """For a field of HTML: plain text, escaped."""
    if result is None:
        return ""
    each = [f"{mark.id}: {UNREAD}" if mark.state == UNREAD else
            f"{mark.id}: {_number(mark.points)} of {_number(mark.most)}. {mark.comment}".rstrip(" .")
            for mark in result.marks]
    return html.escape(" | ".join([_summary(result), *each]), quote=False)


def _assignments(results):
    return sorted({result.assignment for result in results})


def _by_student(results):
    """The results of each student by assignment, in the order of the names."""
    people = {}
    for result in sorted(results, key=lambda result: result.student):
        people.setdefault(result.student, {})[result.assignment] = result
    return people


def _roster(path, wanted):
    """The columns of an exported CSV, and its rows as dicts; nothing without a path."""
    if path is None:
        return [], []
    text = Path(path).read_bytes().decode("utf-8-sig", "replace")
    first = text.partition("\n")[0]
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count)))
    except csv.Error as error:
        raise ValueError(f"roster: expected a CSV file, got {path}: {error}") from None
    columns = [cell.strip() for cell in rows[0]] if rows else []
    if not columns or not set(wanted) <= set(columns):
        raise ValueError(f"roster: expected the columns {', '.join(wanted) or 'of an export'}, "
                         f"got {first[:200]!r}")
    return columns, [dict(zip(columns, row, strict=False)) for row in rows[1:]]


def _placed(people, known, columns):
    """Each student with the one row of the roster that names them, else None; a warning has those without."""
    def names(row, end):
        return {row[column].strip().casefold().split(end)[0] for column in columns if row.get(column)}

    placed = {}
    for student in people:
        key, rows = student.strip().casefold(), []
        for end in ("\n", "@"):  # "ann" is "ann@example.org" if nobody is "ann"
            rows = rows or [row for row in known if key in names(row, end)]
        placed[student] = rows[0] if len(rows) == 1 else None
    lost = [_text(student) for student, row in placed.items() if row is None]
    if known and lost:
        warnings.warn(f"not in the roster, or there more than once: {', '.join(lost)}", stacklevel=3)
    return placed.items()


def _write(path, rows):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([safe(cell) for cell in row] for row in rows)
    with atomic_write(path) as file:
        file.write(text.getvalue().encode())
