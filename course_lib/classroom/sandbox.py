"""A process that a student's code runs in: without network, home or other people's files, and with limits.

Bubblewrap (`bwrap`) makes it where it is installed. Elsewhere it is a plain process with limits, and a warning.
docs/teaching.md says what either way promises.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import os
import platform
import selectors
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]  # of the package
# All that a student's code finds of the course: what the worker needs, and empty hands for what notebooks call.
KIT = ("classroom/worker.py", "exercises/engine/wire.py", "exercises/engine/answers.py", "exercises/engine/tensors.py")
STUBS = {
    "__init__.py": "from types import SimpleNamespace\n\n\n"
                   "def use(name):\n    return SimpleNamespace(name=name)\n",
    "classroom/__init__.py": "",
    "exercises/__init__.py": "def check(*given, **more):\n    pass\n\n\nhint = solution = progress = quiz = check\n"
                             "hand_in = project = class_project = check\n"}
NOBODY = 65534
# System calls that get memory which no process has in its own, and so no limit counts: memfd_create, memfd_secret,
# shmget, msgget; by machine, with the kernel's number for it (linux/audit.h).
UNCOUNTED = {"x86_64": (0xC000003E, (319, 447, 29, 68)), "aarch64": (0xC00000B7, (279, 447, 194, 186))}
_number = itertools.count()


@dataclass(frozen=True)
class Limits:
    """What a submission may use."""

    seconds: float = 10.0  # for a cell, and for a function on all of its cases
    start: float = 120.0  # seconds until a framework is imported
    total: float = 120.0  # seconds for all cells and functions of a notebook
    memory: int = 2 << 30  # bytes, of all its processes together
    processes: int = 64
    output: int = 16 << 20  # bytes of answers
    file: int = 16 << 20  # bytes of a file that it writes

    def __post_init__(self):
        for name, value in vars(self).items():
            if not 0 < value < float("inf"):
                raise ValueError(f"limits: expected a positive number of {name}, got {value}")


@dataclass(frozen=True)
class Way:
    """How to run it: in bubblewrap or not, and whether it becomes nobody (that needs root) before a cell runs."""

    bwrap: bool
    nobody: bool

    def __str__(self):
        return ("bubblewrap" if self.bwrap else "plain process") + (", as nobody" if self.nobody else "")


@functools.cache
def best_way():
    """The safest way that works here.

    Raises
    ------
    RuntimeError
        If none does.
    """
    if os.name != "posix":
        raise RuntimeError(f"sandbox: expected Linux or macOS, got {sys.platform}; on Windows, grade in WSL")
    nobody = (True, False) if os.geteuid() == 0 else (False,)
    for way in [Way(bwrap, who) for bwrap in ((True, False) if shutil.which("bwrap") else (False,)) for who in nobody]:
        if {"cell": 0, "error": ""} in converse({"cells": [[0, "import fractions, numpy.linalg"]]}, way=way).shown:
            return way
    raise RuntimeError("sandbox: expected to be able to run Python in a process of its own, but no way works here")


@dataclass
class Said:
    """What came from a sandbox, and why it was ended before its time."""

    shown: list = field(default_factory=list)  # messages of before the hidden cases were handed over
    hidden: list = field(default_factory=list)  # and of after that
    why: str = ""  # empty: it ended by itself
    starved: bool = False  # it may have been ended because others took the machine


def converse(request, *, hidden=lambda shown: [], helpers=None, way=None, limits=None):
    """Run the worker on a request until it ends or passes a limit.

    Parameters
    ----------
    request : dict
        "cells": list of [number, source]; "exercises", "framework" and "imports" as in `worker.main`.
    hidden : callable
        Makes the second request, a list, of the messages so far.
    helpers : dict of str to str, optional
        Files, by their path inside the course's package, that students' code may import.
    way : Way, optional
    limits : Limits, optional

    Returns
    -------
    Said
    """
    way, limits = way or best_way(), limits or Limits()
    # a user of its own, so that no limit is shared with another sandbox; else nobody
    own = 100_000 + (os.getpid() << 4 | next(_number) & 15)
    request = {"exercises": [], "framework": "", "imports": [], "become": [own, NOBODY] if way.nobody else [],
               "limits": _resource_limits(limits, way), **request}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, contextlib.ExitStack() as stack:
        kit, place, rules = (Path(folder, name) for name in ("kit", "place", "rules"))
        _write_kit(kit, helpers or {})
        place.mkdir()
        for path, mode in ((folder, 0o755), (place, 0o777)):
            os.chmod(path, mode)
        rules.write_bytes(_system_call_rules())
        rules = stack.enter_context(open(rules, "rb")).fileno() if way.bwrap and rules.stat().st_size else None
        process = subprocess.Popen(_command(way, kit, place, rules), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, cwd=place, env=_environment(place, way),
                                   pass_fds=() if rules is None else (rules,), start_new_session=True)
        try:
            return _listen(process, request, hidden, limits)
        finally:
            _end(process)


def _write_kit(kit, helpers):
    files = {name: (ROOT / name).read_text(encoding="utf-8") for name in KIT} | STUBS | helpers
    for name, text in files.items():
        path = kit / "course_lib" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (kit / "start.py").write_text(f"import sys\nsys.path.insert(0, {str(kit)!r})\n"
                                  "from course_lib.classroom.worker import main\nmain()\n", encoding="utf-8")


def _resource_limits(limits, way):
    most = {"RLIMIT_CORE": 0, "RLIMIT_NOFILE": 256, "RLIMIT_FSIZE": limits.file,
            "RLIMIT_CPU": int(4 * limits.total + limits.start), "RLIMIT_AS": limits.memory + (6 << 30)}
    if way.nobody or way.bwrap:
        most["RLIMIT_NPROC"] = limits.processes
    return most


def _environment(place, way):
    kept = ("LANG", "LC_ALL", "KERAS_BACKEND", "LD_LIBRARY_PATH", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
    home = "/tmp" if way.bwrap else str(place)
    return {"PATH": os.defpath, "HOME": home, "TMPDIR": home, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
            "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", "MPLBACKEND": "Agg",
            **{name: os.environ[name] for name in kept if name in os.environ}}


def _command(way, kit, place, rules):
    python = [sys.executable, "-I", "-B", str(kit / "start.py")]
    if not way.bwrap:
        return python
    who = ["--uid", str(NOBODY), "--gid", str(NOBODY)]
    apart = (["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"] if way.nobody
             else ["--unshare-all", *who])
    command = ["bwrap", *apart, "--die-with-parent", "--new-session", "--proc", "/proc", "--dev", "/dev"]
    for path, size in (("/tmp", 256 << 20), ("/dev/shm", 64 << 20)):
        command += ["--perms", "1777", "--size", str(size), "--tmpfs", path]
    for path in ("/lib", "/lib32", "/lib64", "/libx32"):
        if os.path.islink(path):
            command += ["--symlink", os.readlink(path), path]
    for path in (*readable(), kit):
        for parent in list(Path(path).parents)[-2::-1]:  # else those inside a home that only its owner may enter
            command += ["--perms", "0755", "--dir", str(parent)]
        command += ["--ro-bind-try", str(path), str(path)]
    for folder in _courses():  # the answers stay out of reach
        command += ["--tmpfs", str(folder)]
    if rules is not None:
        command += ["--seccomp", str(rules)]
    return [*command, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp", *python]


@functools.cache
def readable():
    """All that students' code can read in bubblewrap, but for the kit: what Python needs, a list of paths."""
    prefixes = {Path(prefix) for prefix in (sys.prefix, sys.base_prefix, sys.exec_prefix)}
    python = Path(sys.executable)
    found = {python, python.resolve(), *(prefix / "pyvenv.cfg" for prefix in prefixes)}
    found |= {Path(sys.base_prefix, "bin", name) for name in (python.name, python.resolve().name)}
    found |= {prefix / lib for prefix in prefixes for lib in ("lib", "lib64")}
    found |= {Path("/usr", lib) for lib in ("lib", "lib32", "lib64", "libx32")}
    found |= {Path(path) for path in ("/lib", "/lib32", "/lib64", "/libx32") if not os.path.islink(path)}
    found |= {Path(path) for path in ("/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime", "/usr/share/zoneinfo")}
    found = {path for path in found if path.exists()}
    return sorted(path for path in found if not any(other in path.parents for other in found))


def _courses():
    """Folders with the course's package in what can be read."""
    there = {Path(folder) / "course_lib" for folder in sys.path if folder.endswith("-packages")} | {ROOT}
    return sorted(path for path in there if path.is_dir() and readable_part(path))


def readable_part(path):
    """The folder of `readable` that a path lies in, or None."""
    real = Path(path).resolve()
    return next((part for part in readable() if part.resolve() in (real, *real.parents)), None)


def _system_call_rules():
    """A filter, as the kernel's seccomp takes it, that refuses the calls of `UNCOUNTED`; empty on other machines."""
    if platform.machine() not in UNCOUNTED or sys.platform != "linux":
        return b""
    kernel, calls = UNCOUNTED[platform.machine()]
    load, equal, at_least, give = 0x20, 0x15, 0x35, 0x06  # struct sock_filter: code, jump if true, if false, value
    lines = [(load, 0, 0, 4), (equal, 0, len(calls) + 2, kernel), (load, 0, 0, 0),  # of another machine: refused
             *((equal, len(calls) - place, 0, call) for place, call in enumerate(calls)),
             (at_least, 0, 1, 0x40000000), (give, 0, 0, 0x00050000 | 38), (give, 0, 0, 0x7FFF0000)]
    return b"".join(struct.pack("HBBI", *line) for line in lines)


def _listen(process, request, hidden, limits):
    said, heard, began = Said(), 0, time.monotonic()
    messages, buffer = said.shown, b""
    deadline, ready, looked, busy, worked = began + limits.start, 0.0, 0.0, 0.0, 0.0
    unsent = [_line(request)]
    os.set_blocking(process.stdin.fileno(), False)
    os.set_blocking(process.stdout.fileno(), False)
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        selector.register(process.stdin, selectors.EVENT_WRITE)
        while True:
            now = time.monotonic()
            if now > looked + 0.05:
                looked, (said.why, busy) = now, _used(process, limits)
            if ready and now > ready + limits.total:
                said.why = f"took longer than {limits.total:g} s in all"
            if now > deadline:
                said.why = f"took longer than {limits.seconds if ready else limits.start:g} s"
                said.starved = busy - worked < 0.5 * limits.seconds
            if said.why:
                return said
            for key, _ in selector.select(0.05):
                if key.fileobj is process.stdin:
                    _send(selector, process.stdin, unsent)
                    continue
                piece = os.read(process.stdout.fileno(), 1 << 16)
                heard += len(piece)
                if not piece:
                    if {"end": True} not in said.hidden:
                        said.why, said.starved = "ended its process", _was_killed(process)
                    return said
                if heard > limits.output:
                    said.why = f"answered with more than {limits.output >> 20} MiB"
                    return said
                *lines, buffer = (buffer + piece).split(b"\n") if b"\n" in piece else (buffer + piece,)
                for line in lines:
                    messages += _parsed(line)
                    now = time.monotonic()
                    deadline, ready, worked = now + limits.seconds, ready or now, busy
                    if messages is said.shown and messages and messages[-1] == {"shown": True}:
                        unsent.append(_line(hidden(said.shown)))  # from now on it can know the hidden cases
                        messages = said.hidden
                        selector.register(process.stdin, selectors.EVENT_WRITE)


def _line(request):
    return json.dumps(request).encode() + b"\n"


def _send(selector, stdin, unsent):
    """Write a piece of what is to be sent; forget it when it is out, or when nobody reads."""
    try:
        unsent[0] = unsent[0][os.write(stdin.fileno(), unsent[0][:1 << 16]):]
    except BrokenPipeError:
        unsent[0] = b""
    if not unsent[0]:
        unsent.pop()
        selector.unregister(stdin)


def _parsed(line):
    """The message in a line, in a list; an empty one if there is none."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return []
    return [message] if isinstance(message, dict) else []


def _family(process):
    with contextlib.suppress(psutil.Error):
        parent = psutil.Process(process.pid)
        return [parent, *parent.children(recursive=True)]
    return []


def _used(process, limits):
    """The limit that all processes together have passed, in words; and the seconds of a core that they have had."""
    family, memory, seconds = _family(process), 0, 0.0
    for one in family:
        with contextlib.suppress(psutil.Error):
            memory += one.memory_info().rss
            seconds += sum(one.cpu_times())
    if len(family) > limits.processes:
        return f"started more than {limits.processes} processes", seconds
    return (f"used more than {limits.memory / (1 << 30):g} GiB of memory" if memory > limits.memory else "", seconds)


def _was_killed(process):
    """Whether a signal ended it that we did not send: the machine may have had no memory left."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        return process.wait(timeout=2) in (-9, 137)
    return False


def _end(process):
    """Kill it and all that it started."""
    for one in reversed(_family(process)):
        with contextlib.suppress(psutil.Error):
            one.kill()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, 9)
    for stream in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):
            stream.close()
    process.wait()
