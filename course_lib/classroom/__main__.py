"""The classroom's commands; `python -m course_lib.classroom --help` lists them."""

from __future__ import annotations

import argparse
import sys
import time
import warnings

from course_lib.classroom.assignments import write_assignments
from course_lib.classroom.course import Course, grade, new_course, write_csv
from course_lib.classroom.sandbox import Limits


def main(arguments=None):
    """Carry out a command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m course_lib.classroom", description="For teachers: assignments, "
                                     "and grading where students' code cannot reach the score.")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("new", help="make a course's folder, ready for nbgrader")
    command.add_argument("course", help="a new or empty folder")
    command = commands.add_parser("assignments", help="write the teacher's notebooks of all topics")
    command.add_argument("folder")
    command = commands.add_parser("grade", help="grade what was handed in; goes on where it was broken off")
    command.add_argument("course")
    command.add_argument("assignment", help="such as 01_dqn")
    command.add_argument("--students", nargs="+", help="only these")
    command.add_argument("--jobs", type=int, default=-1, help="side by side (default: one for each core)")
    command.add_argument("--seconds", type=float, default=Limits.seconds, help="for a cell, and for a function on all "
                         "of its cases (default: %(default)g)")
    given = parser.parse_args(arguments)
    warnings.showwarning = lambda message, *rest, **more: print(f"! {message}", file=sys.stderr)
    try:
        if given.command == "assignments":
            for path in write_assignments(given.folder):
                print(path)
        elif given.command == "new":
            course = new_course(given.course)
            print(f"{course.folder} is ready. Next: cd there, and nbgrader generate_assignment 01_dqn")
        else:
            _grade(given)
    except (ValueError, OSError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; what was graded is kept, and the same command goes on", file=sys.stderr)
        return 130
    return 0


def _grade(given):
    began, course = time.monotonic(), Course(given.course)
    results = grade(course, given.assignment, students=given.students, n_jobs=given.jobs,
                    limits=Limits(seconds=given.seconds))
    for result in results:
        score = f"{result.points:g} of {result.most:g}" if result.graded else "-"
        read = sum(mark.state == "to be read" for mark in result.marks)
        more = f"; {read} to be read" if read else ""
        print(f"{result.student:24} {score:>10}{more}{'  ' + result.problem if result.problem else ''}")
    print(f"{len(results)} submissions in {time.monotonic() - began:.0f} s. "
          f"{write_csv(course, given.assignment)} has a row for each.")


if __name__ == "__main__":
    sys.exit(main())
