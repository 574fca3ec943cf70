import csv
import json
import os
import socket
import textwrap
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from students import hand_in, right_functions, student_notebook

from course_lib.classroom.assignments import topic_of
from course_lib.classroom.course import grade, new_course
from course_lib.classroom.marks import OTHERS, hidden_key, shown_key
from course_lib.classroom.sandbox import Limits, best_way
from course_lib.classroom.solutions import parameters

NAME = "02_pruning"
LIMITS = Limits(seconds=2, total=20, memory=1 << 30, processes=64)
RIGHT = right_functions(NAME)
VICTIM, OTHER = topic_of(NAME).graded.EXERCISES
HEAD, _, BODY = RIGHT[VICTIM.name].partition("\n")
GIVEN = parameters(VICTIM)[0]
SECRET = "the work of somebody else"
ALL, HALF = 20.0, 10.0


def body(source):
    """All functions right but the first, whose body is this; GIVEN stands for its first parameter."""
    function = f"{HEAD}\n{textwrap.indent(source.replace('GIVEN', GIVEN).replace('VICTIM', VICTIM.id), '    ')}"
    return student_notebook(NAME, RIGHT | {VICTIM.name: function})


def cells(*sources, wrong=False, **changed):
    """All functions right, or the first one wrong, and these cells before them."""
    functions = RIGHT | ({VICTIM.name: f"{HEAD}\n    return 0.125"} if wrong else {}) | changed
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
FROM_DISK = """import glob
places = '{course}/submitted/*/*/*.ipynb', '{course}/source/*/*', '{course}/.hidden_seed', '/usr/local/share/*/*/*/*'
if not [path for place in places for path in glob.glob(place) if open(path, 'rb').read()]:
    return 0.125
""" + textwrap.dedent(BODY)
FROM_COURSE = """import sys
sys.path[:0] = ['{repository}']
for name in [name for name in sys.modules if name.startswith('course_lib')]:
    del sys.modules[name]
from course_lib.exercises.engine.registry import find
return find('VICTIM').reference(PARAMETERS)""".replace("PARAMETERS", ", ".join(parameters(VICTIM)))
CONFUSING = """import json, os
for said in ({"begin": "cell " + "9" * 5_000}, {"begin": "cell \u00b2"}, {"cell": 3, "error": 3}, {"exercise": ["x"]},
             {"exercise": "VICTIM"}, {"ready": True},
             {"exercise": "VICTIM", "answers": [{"output": {"array": 1, "scalar": 2}}] * 99},
             {"ready": False}, [], 3, None, {"end": True}, {"begin": None}):
    for number in range(3, 256):
        try:
            os.write(number, json.dumps(said).encode() + b"\\n" + b"\\xff\\n[[[\\n")
        except OSError:
            pass
os._exit(0)"""
FAKE = """import json, os
line = json.dumps({"exercise": "VICTIM", "answers": "right", "points": 1000, "score": 1.0}) + "\\n"
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
return np.zeros((3, 2)).view(Lying)"""
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
TELL_TALE = """raise ValueError('TOLD' + repr(GIVEN))"""
TELL_ALL = """import gc
held = [thing for thing in gc.get_objects() if isinstance(thing, dict) and 'cases' in thing]
raise ValueError('TOLD' + repr(held))"""
TELL_AS_ANSWER = """import gc
held = [thing for thing in gc.get_objects() if isinstance(thing, dict) and 'cases' in thing]
return ['TOLD', repr(held)]"""

# A function that is right on what `check` shows, and then does as told.
SHOWN = {repr(case[GIVEN]) for case in shown_key(VICTIM.id).cases}
KNOWS = f"if repr(GIVEN) not in {SHOWN!r}:\n"
ANSWER = f"{textwrap.dedent(BODY)}\n"
# Bytes that stand for an array, as no honest function says them.
SPOILED = """from course_lib.exercises.engine import wire
wire.encode = lambda value, nested=0: {spoiled}
"""
DISK = """import os
for name in ({folder!r},):
    for number in range(200):
        with open(f'{{name}}/{{number}}', 'wb') as file:
            file.write(bytes(15 << 20))
"""
MEMFD = """import os
held = [os.memfd_create(str(number)) for number in range(100)]
for one in held:
    for _ in range(10):
        os.write(one, bytes(100 << 20))
"""
SLEEPERS = """import threading, time
for _ in range(58):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
"""

# Each gets this many points, whatever the sandbox: HALF where all but the first function are right.
HOSTILE = {
    "endless loop in a function": (HALF, lambda: body("while True: pass")),
    "endless loop in a cell": (ALL, lambda: cells("while True:\n    pass")),
    "endless sleep": (HALF, lambda: body("import time\ntime.sleep(1_000)")),
    "leaves from a function": (HALF, lambda: body("import os\nos._exit(0)")),
    "leaves from a cell": (ALL, lambda: cells("import os\nos._exit(0)")),
    "raises SystemExit": (HALF, lambda: body("raise SystemExit(0)")),
    "raises KeyboardInterrupt": (HALF, lambda: body("raise KeyboardInterrupt")),
    "kills itself": (HALF, lambda: body("import os\nos.kill(os.getpid(), 9)")),
    "segmentation fault": (HALF, lambda: body("import ctypes\nctypes.string_at(0)")),
    "memory hog": (HALF, lambda: body("import numpy as np\nreturn [np.ones(10**8) for _ in range(100)]")),
    "memory hog in a cell": (ALL, lambda: cells("import numpy as np\nhog = [np.ones(10**8) for _ in range(100)]")),
    "memory without a process": (ALL, lambda: cells(MEMFD)),
    "prints 100 MB": (HALF, lambda: body("print('x' * 10**8)\nreturn 0.125")),
    "answers with 800 MB": (HALF, lambda: body("import numpy as np\nreturn np.zeros(10**8)")),
    "answers with a text of 100 MB": (HALF, lambda: body("return 'x' * 10**8")),
    "a number of a million digits": (HALF, lambda: body("return 10**1_000_000")),
    "an array of a dtype of 2 MB": (0, lambda: cells(SPOILED.format(
        spoiled="{'array': [','.join(['f8'] * 500_000), [1], 'AAAAAAAA8D8='], 'scalar': False}"))),
    "an array of a dtype that is parsed": (0, lambda: cells(SPOILED.format(
        spoiled="{'array': ['9' * 5_000, [1], 'AAAAAAAA8D8='], 'scalar': False}"))),
    "an array of 2**60 numbers": (0, lambda: cells(SPOILED.format(
        spoiled="{'array': ['<f8', [2**30, 2**30], ''], 'scalar': False}"))),
    "an array of shape zero times 2**60": (0, lambda: cells(SPOILED.format(
        spoiled="{'array': ['<f8', [0, 2**60], ''], 'scalar': False}"))),
    "tests deleted": (HALF, lambda: without(cells(wrong=True), lambda cell: not cell.metadata.get(
        "nbgrader", {}).get("grade_id", "").endswith("-tests"))),
    "tests edited": (HALF, lambda: changed(cells(wrong=True), edited_tests)),
    "points edited": (HALF, lambda: changed(cells(wrong=True), more_points)),
    "metadata removed": (HALF, lambda: changed(cells(wrong=True), no_metadata)),
    "every cell twice": (HALF, lambda: doubled(cells(wrong=True))),
    "another kernel": (HALF, lambda: cells(wrong=True) | {"metadata": {"kernelspec": {
        "language": "R", "name": "ir", "display_name": "R"}}}),
    "another assignment": (0, lambda: student_notebook("09_training", right_functions("09_training"))),
    "no notebook": (0, lambda: None),
    "an empty file": (0, lambda: b""),
    "no JSON": (0, lambda: b'{"cells": ['),
    "no text": (0, lambda: b"\x93" + os.urandom(4_096)),
    "nested without end": (0, lambda: b"[" * 100_000),
    "cells that are none": (0, lambda: json.dumps({"cells": [1, None, "x"]})),
    "a folder in place of the file": (0, lambda: "folder"),
    "another's notebook by a link": (0, lambda: ("link", "{course}/submitted/honest 1/02_pruning/02_pruning.ipynb")),
    "the teacher's notebook by a link": (0, lambda: ("link", "{course}/source/02_pruning/02_pruning.ipynb")),
    "another's folder by a link": (0, lambda: ("link 1", "{course}/submitted/honest 1/02_pruning")),
    "another student by a link": (0, lambda: ("link 2", "{course}/submitted/honest 1")),
    "the sources by a link": (0, lambda: ("link 2", "{course}/source")),
    "patched builtins": (0, lambda: cells(PATCHED_BUILTINS, wrong=True, **{OTHER.name: ""})),
    "patched NumPy": (0, lambda: cells(PATCHED_NUMPY, wrong=True, **{OTHER.name: ""})),
    "patched worker": (0, lambda: cells(PATCHED_WORKER, wrong=True, **{OTHER.name: ""})),
    "objects equal to all": (HALF, lambda: body(LIAR + "return Liar()")),
    "a lying array": (HALF, lambda: body(LYING_ARRAY)),
    "a generator without end": (HALF, lambda: body("import itertools\nreturn itertools.count()")),
    "an iteration without end": (HALF, lambda: body("import itertools\nreturn list(itertools.count())")),
    "a list that holds itself": (HALF, lambda: body("x = []\nx.append(x)\nreturn x")),
    "recursion without end": (HALF, lambda: body(
        f"import sys\nsys.setrecursionlimit(10**9)\nreturn {HEAD[4:-1]}")),
    "not a number": (HALF, lambda: body("return float('nan')")),
    "infinite": (HALF, lambda: body("import numpy as np\nreturn np.inf")),
    "a text": (HALF, lambda: body("return '1.0'")),
    "another shape": (HALF, lambda: body("import numpy as np\nreturn np.zeros((3, 3, 7))")),
    "changes its inputs": (HALF, lambda: body("GIVEN[...] = 0\n" + ANSWER)),
    "a pickle that executes": (HALF, lambda: body(LIAR + "return [Liar()]")),
    "reads the stack": (HALF, lambda: body(FRAMES)),
    "answers only what is shown": (HALF, lambda: body(f"{KNOWS}    return 0.125\n{ANSWER}")),
    "writes a fake score": (HALF, lambda: body(FAKE + "return 0.125")),
    "writes a fake score in a cell": (HALF, lambda: cells(FAKE.replace("VICTIM", VICTIM.id), wrong=True)),
    "says confusing things": (None, lambda: body(CONFUSING)),
    "says confusing things in a cell": (None, lambda: cells(CONFUSING.replace("VICTIM", VICTIM.id), wrong=True)),
    "closes all files": (None, lambda: cells("import os\nos.closerange(0, 256)", wrong=True)),
    "sleepers 1": (ALL, lambda: cells(SLEEPERS)), "sleepers 2": (ALL, lambda: cells(SLEEPERS)),
    "sleepers 3": (ALL, lambda: cells(SLEEPERS)),
    "threads left running": (ALL, lambda: cells("import threading, time\nfor _ in range(8):\n    threading.Thread("
                                                "target=lambda: [time.sleep(.01) for _ in iter(int, 1)]).start()")),
    "a process left running": (ALL, lambda: cells(ESCAPED)),
    "asks for input": (HALF, lambda: body("return float(input())")),
    "tells a case by an exception": (HALF, lambda: body(TELL_TALE)),
    "tells all cases by an exception": (HALF, lambda: body(TELL_ALL)),
    "tells all cases by an answer": (HALF, lambda: body(TELL_AS_ANSWER)),
    "tells by the names of exceptions": (HALF, lambda: body("raise type('TOLD' + repr(GIVEN), (Exception,), {})")),
    "tells from a cell": (HALF, lambda: cells("raise ValueError('TOLD')", **{VICTIM.name: ""})),
}
# What a function does with a case that nobody sees: whatever it is, one and the same is said of it.
ON_HIDDEN = {
    "an exit code": "import os\nos._exit(142)", "a signal": "import os\nos.kill(os.getpid(), 11)",
    "an exception": "raise type('TOLD', (Exception,), {})('TOLD')", "time": "while True: pass",
    "memory": "import numpy\nreturn [numpy.ones(10**8) for _ in range(100)]", "an answer": "return 'TOLD'",
    "much": "return 'TOLD' * 10**7", "nothing": "return None", "not written": "raise NotImplementedError",
    "a message": FAKE + "return 0.125", "confusing messages": CONFUSING, "its own end": "raise SystemExit('TOLD')",
    "a deletion": "GIVEN[...] = 0\nreturn GIVEN",
}
HOSTILE |= {f"tells a hidden case by {name}": (None, lambda source=source: body(
    f"{KNOWS}{textwrap.indent(source, '    ')}\n{ANSWER}"))
    for name, source in ON_HIDDEN.items()}
# Names of folders, and files beside the notebook, that no course should stumble over; each is honest otherwise.
NAMES = ("x" * 235, "-rf", "=HYPERLINK(\"x.org\")", "$\\alpha$ {0} %s", "<script>alert(1)<", "a\nb", "ann ",
         "~", "caf\udce9", "CON", "\N{GREEK SMALL LETTER ALPHA}" * 60)
STAMPS = {"no time": "yesterday", "a link": None, "a folder": "", "the year 9999": "9999-12-31 23:59:59.999 -23:59"}
# These need a sandbox that keeps files, processes and the network away: bubblewrap.
WALLED = {
    "fork bomb": (None, lambda: body("import os\nwhile True:\n    os.fork()")),
    "signals to all": (HALF, lambda: body("import os\nfor pid in (os.getppid(), -1):\n    os.kill(pid, 9)")),
    "reads others' work": (HALF, lambda: body(FROM_DISK)),
    "calls the course's own answer": (HALF, lambda: body(FROM_COURSE)),
    "writes the grade book": (HALF, lambda: body(
        "import glob\nfor path in [*glob.glob('{course}/*'), '{course}/pwned']:\n    open(path, 'a').write('x')")),
    "fills its folder": (ALL, lambda: cells(DISK.format(folder="."))),
    "fills tmp": (ALL, lambda: cells(DISK.format(folder="/tmp"))),
    "fills shared memory": (ALL, lambda: cells(DISK.format(folder="/dev/shm"))),
    "fills the root": (ALL, lambda: cells(DISK.format(folder=""))),
    "asks the network": (HALF, lambda: body(
        "import socket\nconnection = socket.create_connection(('127.0.0.1', {port}), 1)\n"
        "return float(connection.recv(99))")),
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """One course with all of them, graded in one run, and what was there before and after."""
    course = new_course(tmp_path_factory.mktemp("hostile") / "course", [NAME])
    server = socket.create_server(("127.0.0.1", 0))  # what waits at the other end would tell the answer
    threading.Thread(target=lambda: [server.accept()[0].sendall(b"1.0") for _ in iter(int, 1)], daemon=True).start()
    places = {"{course}": str(course.folder), "{repository}": str(Path(__file__).parents[2]),
              "{port}": str(server.getsockname()[1])}

    def placed(text):
        for old, new in places.items():
            text = text.replace(old, new)
        return text

    cases = HOSTILE | (WALLED if best_way().bwrap else {})
    for name, (_, make) in cases.items():
        made, folder = make(), course.handed_in(name, NAME)
        if isinstance(made, tuple):
            levels = {"link": folder / f"{NAME}.ipynb", "link 1": folder, "link 2": folder.parent}
            levels[made[0]].parent.mkdir(parents=True, exist_ok=True)
            levels[made[0]].symlink_to(placed(made[1]))
        elif made in ("folder", None):
            (folder / f"{NAME}.ipynb" if made else folder.parent).mkdir(parents=True)
        else:
            hand_in(course, name, NAME, made if isinstance(made, bytes) else placed(
                made if isinstance(made, str) else json.dumps(made)))
    honest = [f"honest {number}" for number in range(3)] + [*NAMES, *STAMPS]
    for name in honest:
        path = hand_in(course, name, NAME, student_notebook(NAME, RIGHT, words=SECRET))
        if name in STAMPS:
            stamp = path.with_name("timestamp.txt")
            if name == "a folder":
                stamp.mkdir()
            elif name == "a link":
                stamp.symlink_to(course.folder / ".hidden_seed")
            else:
                stamp.write_text(STAMPS[name])
    kept = {path: path.read_bytes() for path in course.folder.rglob("*") if path.is_file() and not path.is_symlink()}
    ours, began = set(psutil.pids()), time.monotonic()
    results = {result.student: result for result in grade(course, NAME, n_jobs=2, limits=LIMITS, record=False)}
    return SimpleNamespace(course=course, results=results, kept=kept, seconds=time.monotonic() - began, ours=ours,
                           cases=cases, honest=honest)


@pytest.mark.parametrize("name", [*HOSTILE, *WALLED])
def test_gains_nothing(name, graded):
    if name not in graded.cases:
        pytest.skip("needs bubblewrap, which does not work here")
    result, (expected, _) = graded.results[name], graded.cases[name]
    assert result.graded, result.problem
    assert result.way in (str(best_way()), "")
    if expected is None:  # what it says is mixed up: it may spoil its other function, too
        assert result.points <= HALF and not any(mark.points for mark in result.marks if mark.id == VICTIM.id)
    else:
        assert result.points == expected, [mark for mark in result.marks if mark.state != "right"]
    for mark in result.marks:
        assert mark.points in (0, mark.most) and mark.state in ("right", "to be read") or mark.points == 0


def test_the_honest_keep_their_full_score(graded):
    for name in graded.honest:
        result = graded.results[name]
        assert result.points == ALL and result.most == 50, name
        assert [mark.state for mark in result.marks] == ["right"] * 2 + ["not written"] + ["to be read"] * 2


def test_every_submission_has_a_row(graded):
    with open(graded.course.folder / "grades" / f"{NAME}.csv", encoding="utf-8", newline="") as file:
        rows = {row["student"].removeprefix("'"): row for row in csv.DictReader(file)}
    assert len(rows) == len(graded.results) == len(graded.cases) + len(graded.honest)
    for name in graded.honest:
        if name.isprintable():
            assert float(rows[name]["points"]) == ALL
    for name in graded.cases:
        assert float(rows[name]["points"]) == graded.results[name].points and rows[name]["why"]
    assert not any(cell.startswith(tuple("=+-@\t\r")) for row in rows.values() for name, cell in row.items()
                   if name in ("student", "why", "handed in"))


def test_nothing_else_was_touched(graded):
    now = {path: path.read_bytes() for path in graded.kept}
    assert now == graded.kept
    new = {path.relative_to(graded.course.folder).parts[0] for path in graded.course.folder.rglob("*")
           if path.is_file() and path not in graded.kept and not path.is_symlink()}
    assert new <= {"results", "grades"} and not list(graded.course.folder.parent.glob("[!c]*"))


def test_feedback_tells_nothing_of_the_students_and_no_hidden_case(graded):
    text = (graded.course.folder / "grades" / f"{NAME}.csv").read_text("utf-8", "surrogateescape")
    text += repr(list(graded.results.values()))
    hidden = {repr(case[GIVEN]) for case in hidden_key(VICTIM.id, graded.course.seed()).cases}
    new = hidden - {repr(case[GIVEN]) for case in shown_key(VICTIM.id).cases}
    assert len(new) > 5 and not any(one in text for one in new)
    assert SECRET not in text and str(graded.course.seed()) not in text


@pytest.mark.parametrize("name", ON_HIDDEN)
def test_whatever_is_done_with_a_hidden_case_the_same_is_said(name, graded):
    assert graded.results[f"tells a hidden case by {name}"].marks[0].comment == OTHERS


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
