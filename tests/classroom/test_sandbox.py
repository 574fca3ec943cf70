"""The walls of the sandbox, and its limits."""

import pwd
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
    said = converse({"cells": [[1, source]]}, **options)
    return next(message["error"] for message in said.shown if message.get("cell") == 1)


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
    parts = [*sandbox.readable(), there.parent]
    monkeypatch.setattr(sandbox, "readable", lambda: parts)
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
    told = error_of("import os\nraise ValueError((os.getuid(), os.environ.get('USER'), os.environ['HOME']))")
    user, name, home = eval(told.partition(": ")[2])
    assert user >= sandbox.NOBODY and (name, home) == (None, "/tmp")
    with pytest.raises(KeyError):
        pwd.getpwuid(user if user > sandbox.NOBODY else -1)


@needs_bwrap
def test_only_what_python_needs_can_be_read():
    """Of `/usr`, the libraries: nbgrader's exchange of before lies in `/usr/local/share`."""
    told = error_of("import os\nraise ValueError([sorted(os.listdir(name)) for name in ('/', '/usr', '/usr/share')])")
    root, usr, share = eval(told.partition(": ")[2])
    mine = {part.parts[1] for part in sandbox.readable()} | {"lib", "lib32", "lib64", "libx32", "dev", "proc", "tmp"}
    assert set(root) <= mine and set(usr) <= {"bin", "lib", "lib32", "lib64", "libx32", "local", "share"}
    assert share == ["zoneinfo"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has such folders")
def test_a_course_in_reach_is_told(tmp_path):
    assert sandbox.readable_part(tmp_path) is None
    assert sandbox.readable_part(Path(sys.prefix, "lib", "course")) is not None
    (tmp_path / "link").symlink_to(Path(sys.prefix, "lib"))
    assert sandbox.readable_part(tmp_path / "link" / "course") is not None


@needs_bwrap
@pytest.mark.parametrize("source", ["open('/x', 'w')", "open('/dev/x', 'w')", "import os\nos.mkdir('/usr/x')"])
def test_no_file_but_in_its_folders(source):
    assert error_of(source).startswith(("OSError: [Errno 30]", "PermissionError"))


@needs_bwrap
def test_memory_that_no_process_has():
    """It is refused, or bounded."""
    assert error_of("import os\nos.memfd_create('x')").startswith("OSError: [Errno 38]")
    assert error_of("import sysv_ipc") != ""
    told = error_of("import os\nraise ValueError(sum(one.f_blocks * one.f_frsize for one in map(os.statvfs, "
                    "('/tmp', '/dev/shm'))))")
    assert int(told.partition(": ")[2]) <= 512 << 20


def test_what_it_leaves_is_cleared_away():
    error = error_of("import os, pathlib\npathlib.Path('x').write_text('y')\nraise ValueError(os.getcwd())", way=PLAIN)
    assert not Path(error.partition(": ")[2]).exists()


@pytest.mark.parametrize(("source", "limits", "why"), [
    ("while True: pass", Limits(seconds=1), "took longer than 1 s"),
    ("import numpy\nx = [numpy.ones(10**7) for _ in range(100)]\nwhile True: pass", Limits(memory=300 << 20),
     "used more than 0.292969 GiB of memory"),
    ("import subprocess, sys\nx = [subprocess.Popen([sys.executable, '-c', 'while True: pass']) for _ in range(12)]\n"
     "while True: pass", Limits(processes=8), "started more than 8 processes"),
    ("import os\nos._exit(5)", Limits(), "ended its process"),
    ("import time\nfor _ in range(40):\n    time.sleep(.1)", Limits(seconds=9, total=1), "took longer than 1 s in all"),
])
def test_limits(source, limits, why):
    way = PLAIN if "processes" in why else best_way()  # elsewhere the kernel refuses first
    began = time.monotonic()
    said = converse({"cells": [[1, source]]}, limits=limits, way=way)
    assert said.why == why and {"end": True} not in said.hidden
    assert time.monotonic() - began < 15


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_limits_that_are_none(value):
    with pytest.raises(ValueError, match=f"limits: expected a positive number of seconds, got {value}"):
        Limits(seconds=value)


def test_answers_without_end():
    source = ("import sys, os\nfor fd in range(3, 20):\n    try:\n        while True: os.write(fd, b'x' * 10**6)\n"
              "    except OSError: pass")
    assert converse({"cells": [[1, source]]}, limits=Limits(output=5 << 20)).why == "answered with more than 5 MiB"


def test_a_request_is_answered_and_then_the_hidden_one():
    task = {"id": "x", "function": "f", "seeded": [], "tensors": False, "cases": [{"dict": [["a", 3]]}]}
    asked = []

    def hidden(shown):
        asked.append(list(shown))
        return [task | {"version": 0, "cases": [{"dict": [["a", 8]]}]}]

    said = converse({"cells": [[1, "def f(a): return a + 1"]], "exercises": [task]}, hidden=hidden)
    assert said.why == "" and not said.starved and asked == [said.shown]
    assert said.shown == [
        {"ready": True}, {"begin": "cell 1"}, {"cell": 1, "error": ""}, {"begin": "x"},
        {"exercise": "x", "answers": [[{"output": 4, "complaint": "", "shared": ""}]]}, {"shown": True}]
    assert said.hidden == [{"begin": "x"}, {"exercise": "x", "answers": [
        [{"output": 9, "complaint": "", "shared": ""}]]}, {"end": True}]


@pytest.mark.parametrize("source", [
    "def f(x: int): pass\nassert f.__annotations__ == {'x': int}\ndisplay(f)\n%time f(1)\n!ls",
    "x = !ls\nassert x == []", "here = %pwd\nassert here", "import math\nmath.log2?", "%time x = 1\nassert x == 1",
    "%%time\nx = 1", "%%capture out\nx = 1", "%%bash\nexit 1", "%%script false\nraise ValueError",
    "%%markdown\n# x =", "if True:\n    !pip install nothing\n    x = 1\nassert x == 1",
    "x = (7\n% 4)\nassert x == 3", "import asyncio\nawait asyncio.sleep(0)", "get_ipython().run_line_magic('pwd', '')",
    "import pickle\ndef f(): pass\nassert pickle.loads(pickle.dumps(f)) is f",
    "import tempfile\ntempfile.mkstemp()",
    "import inspect\ndef f(): return 3\nassert 'return 3' in inspect.getsource(f)",
])
def test_cells_run_as_in_a_notebook(source):
    assert error_of(source) == ""


@pytest.mark.parametrize(("framework", "x"), [("pytorch", 1), ("keras", 2)])
def test_of_a_pair_of_cells_only_the_chosen_one_runs(framework, x):
    cells = [[1, "%%pytorch\nx = 1"], [2, "%%keras\nx = 2"], [3, f"assert x == {x}"]]
    assert {"cell": 3, "error": ""} in converse({"cells": cells, "framework": framework}).shown


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
