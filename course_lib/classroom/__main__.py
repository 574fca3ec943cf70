"""The classroom's commands; `python -m course_lib.classroom --help` lists them."""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
import warnings
from pathlib import Path

from course_lib.classroom import exports
from course_lib.classroom.assignments import TOPICS, assignment_name, write_assignments
from course_lib.classroom.course import Course, grade, new_course, terms_of, write_csv
from course_lib.classroom.grading import Terms, grade_one
from course_lib.classroom.preview import before_handing_in
from course_lib.classroom.sandbox import Limits
from course_lib.classroom.similarity import similar


def main(arguments=None):
    """Carry out a command; returns the exit status."""
    given = _parser().parse_args(arguments)
    warnings.showwarning = lambda message, *rest, **more: print(f"! {message}", file=sys.stderr)
    with contextlib.suppress(AttributeError):  # a student's name may be no text
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        return _COMMANDS[given.command](given) or 0
    except (ValueError, OSError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; what was graded is kept, and the same command goes on", file=sys.stderr)
        return 130


def _parser():
    parser = argparse.ArgumentParser(prog="python -m course_lib.classroom", description="Assignments, and grading "
                                     "where students' code cannot reach the score.")
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name, text, *places):
        made = commands.add_parser(name, help=text)
        for place, help_ in places:
            made.add_argument(place, help=help_)
        return made

    course, assignment = ("course", "the course's folder"), ("assignment", "such as 01_dqn")
    command("new", "make a course's folder, ready for nbgrader", ("course", "a new or empty folder"))
    command("assignments", "write the teacher's notebooks of all topics", ("folder", "where to"))
    made = command("grade", "grade what was handed in; goes on where it was broken off", course, assignment)
    made.add_argument("--students", nargs="+", help="only these")
    made.add_argument("--jobs", type=int, default=-1, help="side by side (default: one for each core)")
    made.add_argument("--seconds", type=float, default=Limits.seconds, help="for a cell, and for a function on all of "
                      "its cases (default: %(default)g)")
    made = command("export", "write grades for a learning platform", course, assignment)
    made.add_argument("platform", choices=("canvas", "moodle"))
    made.add_argument("path", type=Path, help="the CSV file to write")
    made.add_argument("--roster", type=Path, help="the platform's own export, with its names and numbers")
    command("similar", "pairs of submissions to look at, the most alike first", course, assignment)
    made = command("grade-one", "grade a single notebook, as in a student's repository",
                   ("notebook", "such as 02_pruning.ipynb"))
    made.add_argument("--course", help="the course's folder (default: hidden cases that anybody can draw)")
    made.add_argument("--json", type=Path, help="where to write Gradescope's results.json")
    command("preview", "for students: what a grader will find in a notebook", ("notebook", "the file to hand in"))
    return parser


def _new(given):
    course = new_course(given.course)
    print(f"{course.folder} is ready. Next: cd there, and nbgrader generate_assignment 01_dqn")


def _assignments(given):
    for path in write_assignments(given.folder):
        print(path)


def _grade(given):
    began, course = time.monotonic(), Course(given.course)
    results = grade(course, given.assignment, students=given.students, n_jobs=given.jobs,
                    limits=Limits(seconds=given.seconds))
    for result in results:
        _show(result)
    print(f"{len(results)} submissions in {time.monotonic() - began:.0f} s. "
          f"{write_csv(course, given.assignment)} has a row for each.")


def _show(result):
    score = f"{result.points:g} of {result.most:g}" if result.graded else "-"
    read = sum(mark.state == "to be read" for mark in result.marks)
    more = f"; {read} to be read" if read else ""
    print(f"{result.student:24} {score:>10}{more}{'  ' + result.problem if result.problem else ''}")


def _export(given):
    results = Course(given.course).results(given.assignment)
    getattr(exports, given.platform)(results, given.path, roster=given.roster)
    print(given.path)


def _similar(given):
    print(similar(Course(given.course), given.assignment).to_string(index=False))


def _grade_one(given):
    notebook = Path(given.notebook)
    assignment = next((assignment_name(topic) for topic in TOPICS if assignment_name(topic) in notebook.name), None)
    if assignment is None:
        raise ValueError(f"notebook: expected a name with {', '.join(map(assignment_name, TOPICS))}, got {notebook}")
    terms = terms_of(Course(given.course), assignment) if given.course else Terms.of(assignment)
    with tempfile.TemporaryDirectory() as folder:  # without what else lies beside it
        if notebook.is_file() and not notebook.is_symlink():
            Path(folder, f"{assignment}.ipynb").write_bytes(notebook.read_bytes())
        result = grade_one(folder, notebook.resolve().parent.name, assignment, terms)
    _show(result)
    for mark in result.marks:
        print(f"  {mark.id:28} {mark.points:4g} of {mark.most:g}  {mark.comment or mark.state}")
    if given.json:
        exports.gradescope(result, given.json)
    return 0 if result.graded else 1


def _preview(given):
    return 1 if before_handing_in(given.notebook) else 0


_COMMANDS = {"new": _new, "assignments": _assignments, "grade": _grade, "export": _export, "similar": _similar,
             "grade-one": _grade_one, "preview": _preview}


if __name__ == "__main__":
    sys.exit(main())
