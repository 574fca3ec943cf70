"""Hostile and broken submissions: none gains a point that its functions do not earn, none disturbs another.

All are handed in to one course and graded in one run, side by side with three honest ones.
"""

import csv
import json
import os
import socket
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from students import hand_in, right_functions, student_notebook

from course_lib.classroom.course import grade, new_course
from course_lib.classroom.marks import keys
from course_lib.classroom.sandbox import Limits, best_way

NAME = "02_pruning"
LIMITS = Limits(seconds=3, total=20, memory=1 << 30, processes=40)
RIGHT = right_functions(NAME)
ENTROPY = "def my_entropy(counts):\n    "
SECRET = "the work of somebody else"
ALL = 60.0


def entropy(body):
    """All functions right but one, `my_entropy`, whose body is this."""
    return student_notebook(NAME, RIGHT | {"entropy": ENTROPY + body.replace("\n", "\n    ")})


def cells(*sources, functions=RIGHT):
    """All functions right, and these cells before them."""
    return student_notebook(NAME, functions, before=sources)


def without(notebook, keep):
    """A notebook with only the cells that a function keeps."""
    notebook.cells = [cell for cell in notebook.cells if keep(cell)]
    return notebook


def doubled(notebook):
    notebook.cells = notebook.cells * 2
    return notebook


def changed(notebook, change):
    for cell in notebook.cells:
        change(cell)
    return notebook


def edited_tests(cell):
    if cell.metadata.get("nbgrader", {}).get("grade_id", "").endswith("-tests"):
        cell.source = "print('✓ all right')\n10.0"


def more_points(cell):
    if "points" in cell.metadata.get("nbgrader", {}):
        cell.metadata.nbgrader.points = 1_000


def no_metadata(cell):
    cell.metadata = {}


# What reads or calls something outside: the sandbox decides whether it succeeds.
FROM_DISK = """import glob, re
for path in glob.glob('{course}/submitted/*/*/*.ipynb') + glob.glob('{course}/source/*/*.ipynb'):
    if 'p / counts' in open(path).read() or 'counts.sum' in open(path).read():
        stolen = True
if stolen:
    import numpy as np
    p = np.asarray(counts, float) / np.sum(counts, axis=-1, keepdims=True)
    return -(p * np.log2(np.where(p > 0, p, 1.0))).sum(axis=-1)"""
FROM_COURSE = """import sys
sys.path[:0] = ['{repository}']
for name in [name for name in sys.modules if name.startswith('course_lib')]:
    del sys.modules[name]
from course_lib.exercises.engine.registry import find
return find('02.entropy').reference(counts)"""
CONFUSING = """import json, os
for said in ({"begin": "cell " + "9" * 5_000}, {"begin": "cell \u00b2"}, {"cell": 3, "error": 3}, {"exercise": ["x"]},
             {"exercise": "02.entropy"}, {"ready": True},
             {"exercise": "02.entropy", "answers": [{"output": {"array": 1, "scalar": 2}}] * 99},
             {"ready": False}, [], 3, None, {"end": True}, {"begin": None}):
    for number in range(3, 256):
        try:
            os.write(number, json.dumps(said).encode() + b"\\n" + b"\\xff\\n[[[\\n")
        except OSError:
            pass
os._exit(0)"""
FAKE = """import json, os
line = json.dumps({"exercise": "02.entropy", "answers": "right", "points": 1000, "score": 1.0}) + "\\n"
for number in range(256):
    try:
        os.write(number, line.encode() * 3)
    except OSError:
        pass
"""
LIAR = """class Liar:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    def __gt__(self, other): return True
    def __float__(self): return 1.0
    def __array__(self, *given, **more):
        import numpy as np
        return np.array(1.0)
    def __reduce__(self):
        import os
        return os.system, ('touch {course}/pwned',)
"""
LYING_ARRAY = """import numpy as np
class Lying(np.ndarray):
    def __eq__(self, other): return np.ones(self.shape, bool)
    def __array_ufunc__(self, *given, **more): return True
    def __array_function__(self, *given, **more): return True
    def tobytes(self, *given): return b''
return np.zeros(counts.shape[:-1] + (2,)).view(Lying)"""
PATCHED_BUILTINS = """import builtins
builtins.isinstance = lambda *given: True
builtins.all = builtins.any = lambda *given: True
builtins.abs = lambda value: 0
builtins.len = lambda value: 7
builtins.print = lambda *given: None
"""
PATCHED_NUMPY = """import numpy as np
np.allclose = np.isclose = np.array_equal = lambda *given, **more: True
np.testing.assert_allclose = lambda *given, **more: None
np.ndarray.__eq__ if True else None
"""
PATCHED_WORKER = """import sys
for module in list(sys.modules.values()):
    if getattr(module, '__name__', '').startswith('course_lib'):
        for name in ('run', 'encode', 'decode', 'compare', 'judge', 'run_exercise'):
            if hasattr(module, name):
                setattr(module, name, lambda *given, **more: [{'output': 1.0, 'complaint': '', 'shared': ''}] * 32)
"""
FRAMES = """import sys
frame = sys._getframe()
while frame:
    for value in list(frame.f_locals.values()):
        if isinstance(value, dict) and ('right' in value or 'expected' in value):
            return value.get('right', value.get('expected'))
    frame = frame.f_back
return 0.0"""
ESCAPED = """import os, subprocess, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        import time
        time.sleep(120)
    os._exit(0)
"""
TELL_TALE = """raise ValueError('TOLD' + repr(counts.tolist()))"""
TELL_ALL = """import gc
held = [thing for thing in gc.get_objects() if isinstance(thing, dict) and 'cases' in thing]
raise ValueError('TOLD' + repr(held))"""
TELL_AS_ANSWER = """import gc
held = [thing for thing in gc.get_objects() if isinstance(thing, dict) and 'cases' in thing]
return ['TOLD', repr(held)]"""

# Each gets this many points, whatever the sandbox: 50 where all but `my_entropy` are right.
HOSTILE = {
    "endless loop in a function": (50, lambda: entropy("while True: pass")),
    "endless loop in a cell": (ALL, lambda: cells("while True:\n    pass")),
    "endless sleep": (50, lambda: entropy("import time\ntime.sleep(1_000)")),
    "leaves from a function": (50, lambda: entropy("import os\nos._exit(0)")),
    "leaves from a cell": (ALL, lambda: cells("import os\nos._exit(0)")),
    "raises SystemExit": (50, lambda: entropy("raise SystemExit(0)")),
    "raises KeyboardInterrupt": (50, lambda: entropy("raise KeyboardInterrupt")),
    "kills itself": (50, lambda: entropy("import os\nos.kill(os.getpid(), 9)")),
    "segmentation fault": (50, lambda: entropy("import ctypes\nctypes.string_at(0)")),
    "memory hog": (50, lambda: entropy("import numpy as np\nreturn [np.ones(10**8) for _ in range(100)]")),
    "memory hog in a cell": (ALL, lambda: cells("import numpy as np\nhog = [np.ones(10**8) for _ in range(100)]")),
    "prints 100 MB": (50, lambda: entropy("print('x' * 10**8)\nreturn 0.0")),
    "answers with 800 MB": (50, lambda: entropy("import numpy as np\nreturn np.zeros(10**8)")),
    "answers with a text of 100 MB": (50, lambda: entropy("return 'x' * 10**8")),
    "a number of a million digits": (50, lambda: entropy("return 10**1_000_000")),
    "tests deleted": (50, lambda: without(entropy("return 0.0"), lambda cell: not cell.metadata.get(
        "nbgrader", {}).get("grade_id", "").endswith("-tests"))),
    "tests edited": (50, lambda: changed(entropy("return 0.0"), edited_tests)),
    "points edited": (50, lambda: changed(entropy("return 0.0"), more_points)),
    "metadata removed": (50, lambda: changed(entropy("return 0.0"), no_metadata)),
    "every cell twice": (50, lambda: doubled(entropy("return 0.0"))),
    "another kernel": (50, lambda: entropy("return 0.0") | {"metadata": {"kernelspec": {
        "language": "R", "name": "ir", "display_name": "R"}}}),
    "another assignment": (0, lambda: student_notebook("03_ensembling", right_functions("03_ensembling"))),
    "no notebook": (0, lambda: None),
    "an empty file": (0, lambda: b""),
    "no JSON": (0, lambda: b'{"cells": ['),
    "no text": (0, lambda: os.urandom(4_096)),
    "nested without end": (0, lambda: b"[" * 100_000),
    "cells that are none": (0, lambda: json.dumps({"cells": [1, None, "x"]})),
    "a folder in place of the file": (0, lambda: "folder"),
    "another's notebook by a link": (0, lambda: "link"),
    "half of a surrogate pair": (ALL, lambda: json.dumps(cells("x = '\ud800'"))),
    "patched builtins": (0, lambda: cells(PATCHED_BUILTINS, functions={"entropy": ENTROPY + "return 0.0"})),
    "patched NumPy": (0, lambda: cells(PATCHED_NUMPY, functions={"entropy": ENTROPY + "return 0.0"})),
    "patched worker": (0, lambda: cells(PATCHED_WORKER, functions={"entropy": ENTROPY + "return 0.0"})),
    "objects equal to all": (50, lambda: cells(LIAR, functions=RIGHT | {"entropy": ENTROPY + "return Liar()"})),
    "a lying array": (50, lambda: entropy(LYING_ARRAY)),
    "a generator without end": (50, lambda: entropy("import itertools\nreturn itertools.count()")),
    "an iteration without end": (50, lambda: entropy("import itertools\nreturn list(itertools.count())")),
    "a list that holds itself": (50, lambda: entropy("x = []\nx.append(x)\nreturn x")),
    "recursion without end": (50, lambda: entropy(
        "import sys\nsys.setrecursionlimit(10**9)\nreturn my_entropy(counts)")),
    "not a number": (50, lambda: entropy("return float('nan')")),
    "infinite": (50, lambda: entropy("import numpy as np\nreturn np.inf")),
    "a text": (50, lambda: entropy("return '1.0'")),
    "another shape": (50, lambda: entropy("import numpy as np\nreturn np.zeros((3, 3))")),
    "changes its inputs": (50, lambda: student_notebook(NAME, RIGHT | {"cut_dense": RIGHT["cut_dense"].replace(
        "):\n", "):\n    kernel *= 1\n    bias += 1\n", 1)})),
    "a pickle that executes": (50, lambda: cells(LIAR, functions=RIGHT | {
        "entropy": ENTROPY + "counts = Liar()\nreturn [Liar()]".replace("\n", "\n    ")})),
    "reads the stack": (50, lambda: entropy(FRAMES)),
    "answers only what is shown": (50, lambda: entropy("return {(2,): 1.0, (4,): 2.0}.get(counts.shape, 0.0)")),
    "writes a fake score": (50, lambda: entropy(FAKE + "return 0.0")),
    "writes a fake score in a cell": (50, lambda: cells(FAKE, functions=RIGHT | {"entropy": ENTROPY + "return 0.0"})),
    "says confusing things": (50, lambda: entropy(CONFUSING)),
    "says confusing things in a cell": (0, lambda: cells(CONFUSING)),
    "closes all files": (ALL, lambda: cells("import os\nos.closerange(0, 256)")),
    "threads left running": (ALL, lambda: cells("import threading, time\nfor _ in range(8):\n    threading.Thread("
                                                "target=lambda: [time.sleep(.01) for _ in iter(int, 1)]).start()")),
    "a process left running": (ALL, lambda: cells(ESCAPED)),
    "asks for input": (50, lambda: entropy("return float(input())")),
    "tells a case by an exception": (50, lambda: entropy(TELL_TALE)),
    "tells all cases by an exception": (50, lambda: entropy(TELL_ALL)),
    "tells all cases by an answer": (50, lambda: entropy(TELL_AS_ANSWER)),
    "tells by the names of exceptions": (50, lambda: entropy("raise type('TOLD' + repr(counts), (Exception,), {})")),
    "tells from a cell": (50, lambda: cells("raise ValueError('TOLD')  # my_entropy", functions={
        name: source for name, source in RIGHT.items() if name != "entropy"})),
}
# These need a sandbox that keeps files, processes and the network away: bubblewrap.
WALLED = {
    "fork bomb": (None, lambda: entropy("import os\nwhile True:\n    os.fork()")),
    "signals to all": (50, lambda: entropy("import os\nfor pid in (os.getppid(), -1):\n    os.kill(pid, 9)")),
    "reads others' work": (50, lambda: entropy("stolen = False\n" + FROM_DISK)),
    "calls the course's own answer": (50, lambda: entropy(FROM_COURSE)),
    "writes the grade book": (50, lambda: entropy(
        "import glob\nfor path in [*glob.glob('{course}/*'), '{course}/pwned']:\n    open(path, 'a').write('x')")),
    "fills its folder": (ALL, lambda: cells("for i in range(10_000):\n    open(f'{i}', 'w').write('x' * 10**7)")),
    "asks the network": (50, lambda: entropy(
        "import socket\nconnection = socket.create_connection(('127.0.0.1', {port}), 1)\n"
        "return float(connection.recv(99))")),
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """One course with all of them, graded in one run, and what was there before and after."""
    course = new_course(tmp_path_factory.mktemp("hostile") / "course")
    server = socket.create_server(("127.0.0.1", 0))  # what waits at the other end would tell the answer
    threading.Thread(target=lambda: [server.accept()[0].sendall(b"1.0") for _ in iter(int, 1)], daemon=True).start()
    places = {"{course}": str(course.folder), "{repository}": str(Path(__file__).parents[2]),
              "{port}": str(server.getsockname()[1])}
    cases = HOSTILE | (WALLED if best_way().bwrap else {})
    for name, (_, make) in cases.items():
        made, path = make(), course.handed_in(name, NAME)
        if made in ("folder", "link"):
            path.parent.mkdir(parents=True)
            path.mkdir() if made == "folder" else path.symlink_to(course.handed_in("honest 1", NAME))
        elif made is None:
            path.parent.mkdir(parents=True)
        else:
            text = made if isinstance(made, (str, bytes)) else json.dumps(made)
            for old, new in places.items():
                text = text.replace(old, new) if isinstance(text, str) else text
            hand_in(course, name, NAME, text)
    for number in range(3):
        hand_in(course, f"honest {number}", NAME, student_notebook(NAME, RIGHT, words=SECRET))
    kept = {path: path.read_bytes() for path in course.folder.rglob("*") if path.is_file() and not path.is_symlink()}
    ours, began = set(psutil.pids()), time.monotonic()
    results = {result.student: result for result in grade(course, NAME, n_jobs=2, limits=LIMITS, record=False)}
    return SimpleNamespace(course=course, results=results, kept=kept, seconds=time.monotonic() - began, ours=ours,
                           cases=cases)


def test_there_are_enough():
    assert len(HOSTILE) + len(WALLED) >= 50


@pytest.mark.parametrize("name", [*HOSTILE, *WALLED])
def test_gains_nothing(name, graded):
    if name not in graded.cases:
        pytest.skip("needs bubblewrap, which does not work here")
    result, (expected, _) = graded.results[name], graded.cases[name]
    assert result.graded, result.problem
    assert result.way in (str(best_way()), "")
    if expected is None:  # the answers of its many processes are mixed up: it may spoil its other functions, too
        assert result.points <= 50 and not any(mark.points for mark in result.marks if mark.id == "02.entropy")
    else:
        assert result.points == expected, [mark for mark in result.marks if mark.state != "right"]
    for mark in result.marks:
        assert mark.points in (0, mark.most) and mark.most in (10, 5)
        assert mark.state == "right" or mark.points == 0


@pytest.mark.parametrize("number", range(3))
def test_the_honest_keep_their_full_score(number, graded):
    result = graded.results[f"honest {number}"]
    assert result.points == ALL and result.most == 70
    assert [mark.state for mark in result.marks] == ["right"] * 6 + ["to be read"] * 2


def test_every_submission_has_a_row(graded):
    with open(graded.course.folder / "grades" / f"{NAME}.csv", encoding="utf-8") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert rows.keys() == graded.cases.keys() | {f"honest {number}" for number in range(3)}
    for name, row in rows.items():
        assert float(row["points"]) == graded.results[name].points
        assert row["why"] or float(row["points"]) == ALL


def test_nothing_else_was_touched(graded):
    now = {path: path.read_bytes() for path in graded.kept}
    assert now == graded.kept
    new = {path.relative_to(graded.course.folder).parts[0] for path in graded.course.folder.rglob("*")
           if path.is_file() and path not in graded.kept and not path.is_symlink()}
    assert new == {"results", "grades"}


def test_feedback_tells_nothing_of_the_students_and_no_hidden_case(graded):
    comments = " ".join(mark.comment for result in graded.results.values() for mark in result.marks)
    with open(graded.course.folder / "grades" / f"{NAME}.csv", encoding="utf-8") as file:
        comments += file.read()
    assert "TOLD" not in comments and SECRET not in comments
    shown, *hidden = keys("02.entropy", graded.course.seed())
    known = {repr(case["counts"].tolist()) for case in shown.cases}
    new = {repr(case["counts"].tolist()) for key in hidden for case in key.cases} - known
    assert len(new) > 5 and not any(text in comments for text in new)


def test_all_finish_within_the_limits(graded):
    # 3 * total for each, two side by side, would be far more than is needed
    assert graded.seconds < len(graded.cases) * 8
    assert max(result.seconds for result in graded.results.values()) < 3 * LIMITS.total


def test_no_process_is_left(graded):
    if not best_way().bwrap:
        pytest.skip("a plain process may leave some that have left its family")
    time.sleep(0.5)
    left = [process for process in psutil.process_iter(["pid", "cmdline"]) if process.info["pid"] not in graded.ours
            and "start.py" in " ".join(process.info["cmdline"] or [])]
    assert left == []
