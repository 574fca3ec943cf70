"""Run every test that is not slow and every notebook, several at a time, the longest first; `make test` runs it.

    python tests/run_all.py            both frameworks
    python tests/run_all.py pytorch    as if only that one were installed
    python tests/run_all.py --measure  keeps how long each job takes in tests/seconds.json

Each notebook, and each folder of tests for each framework, is a job: pytest in a process of its own. There are as many
at a time as there are cores, each on one thread.
"""

import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from importlib.util import find_spec
from pathlib import Path

from conftest import imports_keras

ROOT = Path(__file__).resolve().parents[1]
SECONDS = ROOT / "tests/seconds.json"  # what each job took when measured: tells only the order, and how long is left
MODULES = {"pytorch": ("torch",), "keras": ("keras", "tensorflow")}
OURS = ("COURSE_FRAMEWORK", "COURSE_SEED", "COURSE_TEST_ONLY", "KERAS_BACKEND", "MPLBACKEND")
NBVAL = ["--nbval", "--nbval-current-env", "--nbval-sanitize-with", "tests/nbval_sanitize.cfg",
         "--nbval-cell-timeout", "300"]
LONGEST = 900  # seconds that one job may take; nbval notices a dead kernel only when its cell's time is up
NO_TESTS = 5  # pytest's exit status


def plan(frameworks, only, root=ROOT):
    """Lay out what to run.

    Parameters
    ----------
    frameworks : list of "pytorch", "keras"
        Those installed.
    only : str
        One of them, to leave the other out of sight; empty for all.
    root : Path

    Returns
    -------
    dict of {name: (pytest's arguments, environment variables)}

    Raises
    ------
    FileNotFoundError
        If there is no notebook or no test.
    """
    hide = {"COURSE_TEST_ONLY": only, "PYTHONPATH": str(root / "tests/only_one")} if only else {}
    chosen = [only] if only else frameworks
    notebooks = sorted((root / "notebooks").glob("*.ipynb"))
    folders = sorted({path.parent for path in (root / "tests").glob("*/test_*.py")})
    top = sorted((root / "tests").glob("test_*.py"))
    if not (notebooks and folders and top):
        raise FileNotFoundError(f"{root}: expected notebooks in notebooks/ and tests in tests/")
    jobs = {}
    for group in ["light", *(["keras"] if "keras" in chosen else [])]:
        for title, paths in [*((folder.name, [folder]) for folder in folders), ("house rules", top)]:
            # pytest would read these files, named one by one, even if none of their tests is chosen.
            found = [str(path.relative_to(root)) for path in paths
                     if path.is_dir() or group == "keras" or not imports_keras(path)]
            title = f"tests: {title}{', Keras' if group == 'keras' else ''}"
            jobs[title] = [*found, "--group", group, "-m", "not slow"], {"MPLBACKEND": "Agg", **hide}
    for framework in chosen:  # kernels choose their own backend of matplotlib only if none is set
        for path in notebooks:
            jobs[f"notebook: {path.stem}, {framework}"] = [str(path.relative_to(root)), *NBVAL], {
                "COURSE_FRAMEWORK": framework, **hide}
    return jobs


class Runner:
    """Runs jobs and ends what still runs when it is stopped."""

    def __init__(self, folder):
        self.folder, self.running, self.lock = Path(folder), set(), threading.Lock()

    def run(self, name, arguments, variables):
        """Run pytest in a process of its own.

        Returns
        -------
        status : int
            pytest's; None if it took too long.
        output : str
        seconds : float
        """
        clean = {key: value for key, value in os.environ.items() if key not in OURS}
        progress = self.folder / f"{abs(hash(name))}.json"  # what the notebooks solve is not the learner's progress
        environment = {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "JUPYTER_PLATFORM_DIRS": "1",
                       "PYDEVD_DISABLE_FILE_VALIDATION": "1", **clean, "COURSE_PROGRESS_FILE": str(progress),
                       **variables}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, env=environment, text=True, encoding="utf-8", errors="replace",
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   start_new_session=True)
        with self.lock:
            self.running.add(process)
        try:
            output, status = process.communicate(timeout=LONGEST)[0], process.returncode
        except subprocess.TimeoutExpired:
            self.end(process)
            output, status = f"{process.communicate()[0]}\nStopped: it took more than {LONGEST} s.", None
        with self.lock:
            self.running.discard(process)
        return status, output, time.perf_counter() - started

    def end(self, process):
        """End a job with its kernels."""
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (AttributeError, ProcessLookupError):  # Windows has no groups of processes
            process.kill()

    def end_all(self):
        with self.lock:
            for process in self.running:
                self.end(process)


def counts(output):
    """How many tests passed, failed and were skipped, from the last line of pytest's output."""
    last = next((line for line in reversed(output.splitlines()) if re.search(r"\d+ \w+.* in [\d.]+ ?s", line)), "")
    found = {kind: int(number) for number, kind in re.findall(r"(\d+) (passed|failed|error|skipped)", last)}
    return found.get("passed", 0), found.get("failed", 0) + found.get("error", 0), found.get("skipped", 0)


def went_well(name, status, passed, failed, skipped=0):
    """Whether a job counts as passed. A folder may have no tests for a group or skip them; every notebook has cells."""
    tests = name.startswith("tests: ")
    return tests and status == NO_TESTS or (status == 0 and passed + tests * skipped > 0 and not failed)


def left(expected, ended, workers):
    """Seconds still to go, from what each job was expected to take and what those that have ended took."""
    pace = sum(ended.values()) / max(sum(expected[name] for name in ended), 1) if ended else 1
    rest = [seconds for name, seconds in expected.items() if name not in ended]
    return pace * max(sum(rest) / workers, max(rest, default=0))


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


def run_jobs(jobs, workers, measured, folder):
    """Run all jobs, print each result as it comes, and return what they counted.

    Returns
    -------
    totals : list of int
        Tests that passed, failed and were skipped; a job that broke off counts as a failed one.
    failed : list of str
    took : dict of {name: seconds}
    """
    expected = {name: measured.get(name, 60.0) for name in jobs}
    order = sorted(jobs, key=expected.get, reverse=True)
    runner, totals, failed, took = Runner(folder), [0, 0, 0], [], {}
    with ThreadPoolExecutor(workers) as pool:
        futures = {pool.submit(runner.run, name, *jobs[name]): name for name in order}
        try:
            for future in as_completed(futures):
                name, (status, output, took[futures[future]]) = futures[future], future.result()
                found = counts(output)
                good = went_well(name, status, *found)
                totals = [a + b for a, b in zip(totals, found, strict=True)]
                if not good:
                    failed.append(name)
                    totals[1] += not found[1]
                    print(f"\n{'=' * 30} {name}\n{output.strip()}\n{'=' * 30}", flush=True)
                minutes = left(expected, took, workers) / 60
                print(f"[{len(took)}/{len(jobs)}] {name}: {'passed' if good else 'FAILED'}, {found[0]} in "
                      f"{took[name]:.0f} s; about {minutes:.0f} min left", flush=True)
        except BaseException:
            for future in futures:
                future.cancel()
            runner.end_all()
            raise
    return totals, failed, took


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("only", nargs="?", default="", help="pytorch or keras: as if only that were installed")
    parser.add_argument("--measure", action="store_true", help="write tests/seconds.json")
    options = parser.parse_args(arguments)
    frameworks = [name for name, modules in MODULES.items() if all(map(find_spec, modules))]
    if options.only and options.only not in frameworks:
        sys.exit(f"expected an installed framework ({', '.join(frameworks) or 'none is'}), got {options.only!r}")
    check_loopback()
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")  # jobs print what not every console can show
    jobs = plan(frameworks, options.only)
    workers = min(os.cpu_count() or 1, 8)
    measured = json.loads(SECONDS.read_text(encoding="utf-8")) if SECONDS.exists() else {}
    minutes = left({name: measured.get(name, 60.0) for name in jobs}, {}, workers) / 60
    print(f"Testing in {options.only or ' and '.join(frameworks) or 'no framework'}: {len(jobs)} jobs, {workers} at a "
          f"time, about {minutes:.0f} min.", flush=True)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        totals, failed, took = run_jobs(jobs, workers, measured, folder)
    if options.measure:
        rounded = {name: round(took[name], 1) for name in sorted(took, key=took.get, reverse=True)}
        SECONDS.write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")
    seconds = time.perf_counter() - started
    print(f"\n{'FAILED: ' + '; '.join(failed) if failed else 'All passed'}, in {seconds / 60:.1f} min.")
    print("{} passed, {} failed, {} skipped".format(*totals), flush=True)
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
