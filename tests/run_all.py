"""Run every test and every notebook, group by group, each in processes of its own; `make test` runs it.

    python tests/run_all.py            both frameworks
    python tests/run_all.py pytorch    as if only that one were installed
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "notebooks").glob("*.ipynb"))
MODULES = {"pytorch": ("torch",), "keras": ("keras", "tensorflow")}
PARALLEL = ["-n", "2", "--dist", "loadfile"]  # nbval breaks when the cells of a notebook are spread
OURS = ("COURSE_FRAMEWORK", "COURSE_TEST_ONLY", "KERAS_BACKEND", "MPLBACKEND")
NBVAL = ["--nbval", "--nbval-current-env", "--nbval-sanitize-with", "tests/nbval_sanitize.cfg",
         "--nbval-cell-timeout", "180"]


def groups(frameworks, only):
    """Lay out what to run.

    Parameters
    ----------
    frameworks : list of "pytorch", "keras"
        Those installed.
    only : str
        One of them, to leave the other out of sight; empty for all.

    Returns
    -------
    list of (title, pytest's arguments, environment variables)
    """
    hide = {"COURSE_TEST_ONLY": only, "PYTHONPATH": str(ROOT / "tests/only_one")} if only else {}
    seen = {"MPLBACKEND": "Agg", **hide}
    chosen = [only] if only else frameworks
    plan = [("tests", ["tests", "--group", "light", *PARALLEL], seen)]
    if "keras" in chosen:
        plan.append(("tests of Keras", ["tests", "--group", "keras", *PARALLEL], seen))
    for name in chosen:
        variables = {"COURSE_FRAMEWORK": name, **hide}
        plan.append((f"notebooks in {name}", [*NOTEBOOKS, *NBVAL, *PARALLEL], variables))
    return plan


def run(title, arguments, variables):
    """Run pytest in a process of its own, with its output shown as it comes; returns whether all passed."""
    print(f"\n=== {title} ===", flush=True)
    if title.startswith("notebooks") and not NOTEBOOKS:
        print("there is no notebook in notebooks/")
        return False
    # Kernels choose their own matplotlib backend only if none is set.
    clean = {key: value for key, value in os.environ.items() if key not in OURS}
    threads = "1" if PARALLEL[0] in arguments else "2"  # two workers with two threads each would wait for one another
    environment = {"OMP_NUM_THREADS": threads, "TF_CPP_MIN_LOG_LEVEL": "3", "JUPYTER_PLATFORM_DIRS": "1",
                   "PYDEVD_DISABLE_FILE_VALIDATION": "1", **clean, **variables}
    command = [sys.executable, "-m", "pytest", "-q", *arguments]
    with tempfile.TemporaryDirectory() as folder:  # what the notebooks solve is not the learner's progress
        environment["COURSE_PROGRESS_FILE"] = str(Path(folder) / "progress.json")
        return subprocess.run(command, cwd=ROOT, env=environment).returncode == 0


def reaches_itself():
    """Whether processes here can reach each other over 127.0.0.1, as Jupyter and its kernels do."""
    with socket.socket() as server, socket.socket() as client:
        client.settimeout(5)
        try:
            server.bind(("127.0.0.1", 0))
            server.listen(1)
            client.connect(server.getsockname())
        except OSError:
            return False
    return True


def check_loopback():
    """Make sure of 127.0.0.1: a new network namespace (`unshare -n`) starts with it switched off."""
    if reaches_itself():
        return
    if shutil.which("ip"):
        subprocess.run(["ip", "link", "set", "lo", "up"], capture_output=True)
    if not reaches_itself():
        sys.exit("127.0.0.1 cannot be reached; Jupyter's kernels need it. Run as root: ip link set lo up")
    print("127.0.0.1 was switched off, as in a new network namespace: switched on.")


def main(only=""):
    frameworks = [name for name, modules in MODULES.items() if all(map(find_spec, modules))]
    if only and only not in frameworks:
        sys.exit(f"expected an installed framework ({', '.join(frameworks) or 'none is'}), got {only!r}")
    check_loopback()
    print(f"Testing in {only or ' and '.join(frameworks) or 'no framework'}.")
    start, outcomes = time.perf_counter(), {}
    for title, arguments, variables in groups(frameworks, only):
        outcomes[title] = run(title, arguments, variables)
    failed = [title for title, passed in outcomes.items() if not passed]
    shown = "; ".join(f"{title}: {'passed' if passed else 'FAILED'}" for title, passed in outcomes.items())
    took = f"{time.perf_counter() - start:.0f} s"
    print(f"\n{'FAILED' if failed else 'All passed'} in {took}. {shown}", flush=True)
    sys.exit(bool(failed))


if __name__ == "__main__":
    main(*sys.argv[1:])
