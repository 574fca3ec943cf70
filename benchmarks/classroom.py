"""How fast a class is graded, and that a run which is broken off goes on where it was."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from benchmark import Benchmark
from students import hand_in, right_functions, student_notebook

from course_lib.classroom.course import grade, new_course

COUNTS = {"02_pruning": 200, "01_dqn": 100}
JOBS = 2


def fill(course, assignment, count, framework, seed):
    """Hand in made-up notebooks, each function right, left out, or wrong; returns how many points each earns."""
    right, rng, earned = right_functions(assignment), np.random.default_rng(seed), {}
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


def rows(framework, seeds, count=None):
    """Made-up submissions, one in ten of which never ends or is damaged, graded in two processes on all cores.

    The run is killed when a third is done, and started again.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(os.cpu_count()))  # a study has one core, and this one is of several
    for assignment, wanted in COUNTS.items():
        for seed in range(seeds):
            with tempfile.TemporaryDirectory() as folder:
                course = new_course(Path(folder) / "course")
                earned = fill(course, assignment, int(count or wanted), framework, seed)
                yield {"assignment": assignment, "seed": seed, **graded(course, assignment, earned)}


def graded(course, assignment, earned):
    """Grade, with a break; how fast it was and what went wrong."""
    script = (f"from course_lib.classroom.course import grade; grade({str(course.folder)!r}, {assignment!r}, "
              f"n_jobs={JOBS}, record=False)")
    began, results = time.monotonic(), Path(course.folder, "results", assignment)
    process = subprocess.Popen([sys.executable, "-c", script], start_new_session=True)
    while len(list(results.glob("*.json"))) < len(earned) / 3 and process.poll() is None:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = {path: path.stat().st_mtime_ns for path in results.glob("*.json")}
    points = {result.student: result.points for result in grade(course, assignment, n_jobs=JOBS, record=False)}
    seconds = time.monotonic() - began
    return {"submissions": len(earned), "submissions a minute": 60 * len(earned) / seconds,
            "graded twice": sum(path.stat().st_mtime_ns != when for path, when in done.items()),
            "with wrong points": sum(points.get(student) != own for student, own in earned.items())}


def canary(framework):
    """What made-up students earn, without grading them, which takes a sandbox."""
    with tempfile.TemporaryDirectory() as folder:
        course = new_course(Path(folder) / "course")
        earned = fill(course, "02_pruning", 20, framework, 0)
        return {"points": sum(earned.values()), "submissions": len(list(Path(course.folder).glob("submitted/*/*/*")))}


STUDIES = {"classroom_grading": Benchmark(
    title="Grading a class",
    settings={"submissions": COUNTS, "processes": JOBS}, rows=rows, canary=canary, down=("assignment",), seeds=1,
    options={"count": None})}
