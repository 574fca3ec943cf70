"""How fast a class is graded, and that a run which is broken off goes on where it was.

    python benchmarks/classroom.py                     200 submissions of assignment 02, in two processes
    python benchmarks/classroom.py --assignment 01_dqn --framework keras

The submissions are made up: each function right, left out, or wrong, by lot; one in twenty never ends or is damaged.
The run is killed when a third is done, and started again.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from course_lib.classroom.course import grade, new_course
from course_lib.classroom.simulated import hand_in, right_functions, student_notebook


def fill(course, assignment, count, framework):
    """Hand in so many notebooks; returns how many points each earns."""
    right, rng, earned = right_functions(assignment), np.random.default_rng(0), {}
    for number in range(count):
        functions = {name: source for name, source in right.items() if rng.random() < 0.8}
        points = 10.0 * len(functions)
        for name in set(right) - functions.keys():
            if rng.random() < 0.7:
                functions[name] = right[name].partition("\n")[0] + "\n    return 12345.0"
        student = f"student{number:03}"
        notebook = student_notebook(assignment, functions, framework=framework)
        if number % 20 == 7:
            notebook, points = "damaged", 0.0
        elif number % 20 == 17:
            name = next(iter(right))
            points -= 10.0 * (functions.get(name) == right[name])
            functions[name] = right[name].partition("\n")[0] + "\n    while True: pass"
            notebook = student_notebook(assignment, functions, framework=framework)
        hand_in(course, student, assignment, notebook)
        earned[student] = points
    return earned


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--assignment", default="02_pruning")
    parser.add_argument("--framework", choices=("pytorch", "keras"), default="pytorch")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        course = new_course(Path(folder) / "course")
        earned = fill(course, options.assignment, options.count, options.framework)
        script = (f"from course_lib.classroom.course import grade; grade({str(course.folder)!r}, "
                  f"{options.assignment!r}, n_jobs={options.jobs}, record=False)")
        began = time.monotonic()
        process = subprocess.Popen([sys.executable, "-c", script], start_new_session=True)
        results = Path(course.folder, "results", options.assignment)
        while len(list(results.glob("*.json"))) < options.count / 3 and process.poll() is None:
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        done = {path: path.stat().st_mtime_ns for path in results.glob("*.json")}
        graded = {result.student: result.points for result in grade(course, options.assignment, n_jobs=options.jobs,
                                                                    record=False)}
        seconds = time.monotonic() - began
        again = sum(path.stat().st_mtime_ns != when for path, when in done.items())
    wrong = {student: (graded.get(student), points) for student, points in earned.items()
             if graded.get(student) != points}
    print(f"\n{options.count} submissions of {options.assignment} ({options.framework}), {options.jobs} processes: "
          f"{seconds:.0f} s, {60 * options.count / seconds:.0f} a minute. Killed after {len(done)}; of these {again} "
          f"graded again; {len(wrong)} with other points than they earn.")
    sys.exit(bool(again or wrong))


if __name__ == "__main__":
    main()
