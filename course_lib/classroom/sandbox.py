"""A process that a student's code runs in: without network, home or other people's files, and with limits.

Bubblewrap (`bwrap`) makes it where it is installed. Elsewhere it is a plain process with limits, and a warning.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import selectors
import shutil
import site
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]  # of the package
# All that a student's code finds of the course: what the worker needs, and empty hands for what notebooks call.
KIT = ("classroom/worker.py", "classroom/wire.py", "exercises/engine/answers.py", "exercises/engine/tensors.py")
STUBS = {
    "__init__.py": "from types import SimpleNamespace\n\n\n"
                   "def use(name):\n    return SimpleNamespace(name=name)\n",
    "classroom/__init__.py": "",
    "exercises/__init__.py": "def check(*given):\n    pass\n\n\nhint = solution = progress = quiz = check\n"}
NOBODY = 65534


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
        messages, _ = converse({"cells": [[0, "import fractions, numpy.linalg"]]}, way=way)
        if {"cell": 0, "error": ""} in messages:
            return way
    raise RuntimeError("sandbox: expected to be able to run Python in a process of its own, but no way works here")


def converse(request, *, helpers=None, way=None, limits=None):
    """Run the worker on a request until it ends or passes a limit.

    Parameters
    ----------
    request : dict
        "cells": list of [number, source]; "exercises", "framework" and "imports" as in `worker.main`.
    helpers : dict of str to str, optional
        Files, by their path inside the course's package, that students' code may import.
    way : Way, optional
    limits : Limits, optional

    Returns
    -------
    list of dict, str
        What it said, and why it was ended before its time; an empty text if it was not.
    """
    way, limits = way or best_way(), limits or Limits()
    request = {"exercises": [], "framework": "", "imports": [], "become": NOBODY if way.nobody else None,
               "limits": _resource_limits(limits, way), **request}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        kit, place = Path(folder, "kit"), Path(folder, "place")
        _write_kit(kit, helpers or {})
        place.mkdir()
        for path, mode in ((folder, 0o755), (place, 0o777)):
            os.chmod(path, mode)
        process = subprocess.Popen(_command(way, kit, place), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, cwd=place, env=_environment(place, way),
                                   start_new_session=True)
        try:
            return _listen(process, json.dumps(request).encode(), limits)
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


def _command(way, kit, place):
    python = [sys.executable, "-I", "-B", str(kit / "start.py")]
    if not way.bwrap:
        return python
    who = ["--uid", str(NOBODY), "--gid", str(NOBODY)]
    apart = (["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"] if way.nobody
             else ["--unshare-all", *who])
    command = ["bwrap", *apart, "--die-with-parent", "--new-session", "--proc", "/proc", "--dev", "/dev",
               "--size", str(256 << 20), "--tmpfs", "/tmp"]
    for path in ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"):
        if os.path.islink(path):
            command += ["--symlink", os.readlink(path), path]
        else:
            command += ["--ro-bind-try", path, path]
    for path in ("/usr", "/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime", *_python_folders(), str(kit)):
        for parent in list(Path(path).parents)[-2::-1]:  # else those inside a home that only its owner may enter
            command += ["--perms", "0755", "--dir", str(parent)]
        command += ["--ro-bind-try", path, path]
    for folder in sorted({*sys.path, *site.getsitepackages()}):
        if folder.endswith("-packages") and (Path(folder) / "course_lib").is_dir():  # its answers stay out of reach
            command += ["--tmpfs", str(Path(folder) / "course_lib")]
    return [*command, "--chdir", "/tmp", *python]


def _python_folders():
    """Folders without which this Python does not run, the outermost only."""
    real = Path(os.path.realpath(sys.executable)).parent.parent
    found = {str(Path(path)) for path in (sys.prefix, sys.base_prefix, sys.exec_prefix, real)} - {"/usr"}
    found |= {path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")}
    return sorted(path for path in found if not any(path.startswith(other + os.sep) for other in found))


def _listen(process, request, limits):
    messages, heard, began = [], 0, time.monotonic()
    deadline, buffer = began + limits.start, b""
    os.set_blocking(process.stdin.fileno(), False)
    os.set_blocking(process.stdout.fileno(), False)
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        selector.register(process.stdin, selectors.EVENT_WRITE)
        ready = looked = 0.0
        while True:
            now = time.monotonic()
            if now > deadline:
                return messages, f"took longer than {limits.seconds if ready else limits.start:g} s"
            if ready and now > ready + limits.total:
                return messages, f"took longer than {limits.total:g} s in all"
            if now > looked + 0.05:
                looked, excess = now, _excess(process, limits)
                if excess:
                    return messages, excess
            for key, _ in selector.select(0.05):
                if key.fileobj is process.stdin:
                    request = _send(selector, process.stdin, request)
                    continue
                piece = os.read(process.stdout.fileno(), 1 << 16)
                heard += len(piece)
                if not piece:
                    ended = {"end": True} in messages
                    return messages, "" if ended else _how_it_ended(process)
                if heard > limits.output:
                    return messages, f"answered with more than {limits.output >> 20} MiB"
                *lines, buffer = (buffer + piece).split(b"\n") if b"\n" in piece else (buffer + piece,)
                for line in lines:
                    messages += _parsed(line)
                    deadline = time.monotonic() + limits.seconds
                    ready = ready or deadline - limits.seconds


def _send(selector, stdin, request):
    try:
        request = request[os.write(stdin.fileno(), request[:1 << 16]):]
    except BrokenPipeError:
        request = b""
    if not request:
        selector.unregister(stdin)
        stdin.close()
    return request


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


def _excess(process, limits):
    """The limit that all processes together have passed, in words."""
    family, memory = _family(process), 0
    if len(family) > limits.processes:
        return f"started more than {limits.processes} processes"
    for one in family:
        with contextlib.suppress(psutil.Error):
            memory += one.memory_info().rss
    return f"used more than {limits.memory / (1 << 30):g} GiB of memory" if memory > limits.memory else ""


def _how_it_ended(process):
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=2)
    return f"ended its process ({process.returncode})"


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
