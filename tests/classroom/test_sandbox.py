"""The walls of the sandbox, and its limits."""

import sys
import time
from pathlib import Path

import psutil
import pytest

from course_lib.classroom import sandbox
from course_lib.classroom.sandbox import Limits, Way, best_way, converse

PLAIN = Way(bwrap=False, nobody=False)
needs_bwrap = pytest.mark.skipif(not best_way().bwrap, reason="bubblewrap does not work here")
LOOK = "raise ValueError(open({path!r}).read())"


def error_of(source, **options):
    messages, _ = converse({"cells": [[1, source]]}, **options)
    return next(message["error"] for message in messages if message.get("cell") == 1)


@pytest.fixture
def secret(tmp_path):
    (tmp_path / "secret").write_text("SECRET", encoding="utf-8")
    return tmp_path / "secret"


def test_a_plain_process_is_no_wall(secret):
    """So the tests of the wall below would fail without one."""
    assert error_of(LOOK.format(path=str(secret)), way=PLAIN) == "ValueError: SECRET"


@needs_bwrap
def test_files_are_out_of_reach(secret):
    assert error_of(LOOK.format(path=str(secret))).startswith("FileNotFoundError")
    assert error_of(f"open({str(secret)!r}, 'a')").startswith("FileNotFoundError")
    assert "course_lib.dqn" in error_of("import course_lib.dqn")
    assert secret.read_text("utf-8") == "SECRET"


@needs_bwrap
def test_an_installed_course_is_out_of_reach(tmp_path, monkeypatch):
    """As after `pip install`: the package lies beside those that the sandbox needs."""
    there = tmp_path / "site-packages" / "course_lib"
    there.mkdir(parents=True)
    (there / "answers.py").write_text("SECRET", encoding="utf-8")
    (there.parent / "other.py").write_text("free = 1", encoding="utf-8")
    monkeypatch.setattr(sandbox.sys, "path", [*sandbox.sys.path, str(there.parent)])
    assert error_of(LOOK.format(path=str(there.parent / "other.py"))) == "ValueError: free = 1"
    assert error_of(LOOK.format(path=str(there / "answers.py"))).startswith("FileNotFoundError")


@needs_bwrap
def test_others_processes_are_out_of_sight():
    error = error_of("import os\nraise ValueError(sorted(int(name) for name in os.listdir('/proc') if name.isdigit()))")
    assert eval(error.partition(": ")[2])[-1] < 10  # numbered from 1


@needs_bwrap
def test_there_is_no_network():
    assert "OSError" in error_of("import socket\nsocket.create_connection(('192.0.2.1', 80), 1)")
    names = error_of("import socket\nraise ValueError([name for _, name in socket.if_nameindex()])")
    assert names == "ValueError: ['lo']"


@needs_bwrap
def test_nobody_else():
    assert error_of("import os\nraise ValueError((os.getuid(), os.environ.get('USER'), os.environ['HOME']))") == (
        "ValueError: (65534, None, '/tmp')")


def test_what_it_leaves_is_cleared_away():
    error = error_of("import os, pathlib\npathlib.Path('x').write_text('y')\nraise ValueError(os.getcwd())", way=PLAIN)
    assert not Path(error.partition(": ")[2]).exists()


@pytest.mark.parametrize(("source", "limits", "why"), [
    ("while True: pass", Limits(seconds=1), "took longer than 1 s"),
    ("import numpy\nx = [numpy.ones(10**7) for _ in range(100)]\nwhile True: pass", Limits(memory=300 << 20),
     "used more than 0.292969 GiB of memory"),
    ("import subprocess, sys\nx = [subprocess.Popen([sys.executable, '-c', 'while True: pass']) for _ in range(12)]\n"
     "while True: pass", Limits(processes=8), "started more than 8 processes"),
    ("import os\nos._exit(5)", Limits(), "ended its process (5)"),
    ("import time\nfor _ in range(40):\n    time.sleep(.1)", Limits(seconds=9, total=1), "took longer than 1 s in all"),
])
def test_limits(source, limits, why):
    way = PLAIN if "processes" in why else best_way()  # elsewhere the kernel refuses first
    began = time.monotonic()
    messages, ended = converse({"cells": [[1, source]]}, limits=limits, way=way)
    assert ended == why and {"end": True} not in messages
    assert time.monotonic() - began < 15


def test_answers_without_end():
    source = ("import sys, os\nfor fd in range(3, 20):\n    try:\n        while True: os.write(fd, b'x' * 10**6)\n"
              "    except OSError: pass")
    _, ended = converse({"cells": [[1, source]]}, limits=Limits(output=5 << 20))
    assert ended == "answered with more than 5 MiB"


def test_a_request_is_answered():
    task = {"id": "x", "function": "f", "seeded": [], "tensors": False, "cases": [{"dict": [["a", 3]]}]}
    messages, ended = converse({"cells": [[1, "def f(a): return a + 1"]], "exercises": [task]})
    assert ended == "" and messages == [
        {"ready": True}, {"begin": "cell 1"}, {"cell": 1, "error": ""}, {"begin": "x"},
        {"exercise": "x", "answers": [{"output": 4, "complaint": "", "shared": ""}]}, {"end": True}]


def test_cells_run_as_in_a_notebook():
    assert error_of("def f(x: int): pass\nassert f.__annotations__ == {'x': int}\ndisplay(f)\n%time f(1)\n!ls") == ""


@needs_bwrap
def test_a_grader_that_is_killed_leaves_nothing_running():
    script = ("from course_lib.classroom.sandbox import Limits, converse\n"
              "converse({'cells': [[1, 'import time; time.sleep(60)']]}, limits=Limits(seconds=60))")
    grader = psutil.Popen([sys.executable, "-c", script])
    deadline, family = time.monotonic() + 30, []
    while time.monotonic() < deadline and not any("start.py" in " ".join(one.cmdline()[:5]) for one in family):
        time.sleep(0.1)
        family = grader.children(recursive=True)
    time.sleep(1)
    family = grader.children(recursive=True)
    grader.kill()
    grader.wait()
    _, alive = psutil.wait_procs(family, timeout=10)
    assert family and not alive


def test_the_worker_needs_nothing_else_of_the_course():
    assert [name for name in sandbox.KIT if "import course_lib" in (sandbox.ROOT / name).read_text("utf-8")] == []


def test_windows_is_told_where_to_go(monkeypatch):
    monkeypatch.setattr(sandbox.os, "name", "nt")
    with pytest.raises(RuntimeError, match="on Windows, grade in WSL"):
        best_way.__wrapped__()


def test_no_way_at_all(monkeypatch):
    monkeypatch.setattr(sandbox, "_command", lambda *given: ["false"])
    with pytest.raises(RuntimeError, match="no way works here"):
        best_way.__wrapped__()
