"""Execute the lessons with other seeds and other numerics, and say how each claim fares; `make claims` runs it.

    python tests/lesson_claims.py --seeds 10                  every lesson, both frameworks, seeds 0, 100, ..., 900
    python tests/lesson_claims.py 01_dqn --seeds 3 --frameworks keras

A claim that fails is noted and stops nothing. Its margin is how far its comparison was from failing: of
`claim("...", a < b)` it is b - a, the smallest of all where several are compared. What has been executed is kept in
.claims/, so that the same command goes on where it was stopped, until a lesson or the library changes.
"""

import argparse
import ast
import contextlib
import hashlib
import json
import operator
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / ".claims"
FRAMEWORKS = {"pytorch": "torch", "keras": "keras"}
# Other ways to compute the same: what a claim says must not depend on them.
CONDITIONS = {
    "plain": {"OMP_NUM_THREADS": "1"},
    "plain kernels": {"OMP_NUM_THREADS": "1", "ATEN_CPU_CAPABILITY": "default", "TF_ENABLE_ONEDNN_OPTS": "0"},
    "two threads": {"OMP_NUM_THREADS": "2"},
    "busy core": {"OMP_NUM_THREADS": "1"},
}
OPERATORS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
SYMBOLS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}


# --- in the lesson's kernel


def record(path):
    """From here on `claim` writes what it was given to `path`, a line each, and never raises for a false claim."""
    from course_lib.common import claims

    genuine = claims.claim

    def claim(text, holds, **figures):
        genuine(text, holds or True, **figures)  # its checks of the arguments
        shown = "; ".join(f"{name.replace('_', ' ')} {claims.shown_figure(value)}" for name, value in figures.items())
        entry = {"text": text, "holds": bool(holds), "figures": shown, "margin": smallest(compared.found)}
        compared.found.clear()
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    claims.claim = claim


def compared(symbols, *sides):
    """`compared(["<"], a, b)` is `a < b`, and keeps how far it is from being otherwise."""
    import numpy as np

    result = True
    for symbol, left, right in zip(symbols, sides, sides[1:]):
        with contextlib.suppress(TypeError, ValueError):  # what has no difference has no margin
            slack = np.asarray(right, float) - np.asarray(left, float)
            slack = np.ravel(slack if symbol.startswith("<") else -slack)
            if slack.size:
                least = int(np.argmin(slack))
                ends = [float(np.broadcast_to(np.asarray(side, float), np.broadcast(left, right).shape).flat[least])
                        for side in (left, right)]
                compared.found.append([float(slack[least]), f"{ends[0]:.4g} {symbol} {ends[1]:.4g}"])
        result = result and OPERATORS[symbol](left, right)
    return result


compared.found = []


def smallest(found):
    return min(found, key=lambda margin: margin[0] if margin[0] == margin[0] else -float("inf"), default=None)


class Compared(ast.NodeTransformer):
    """Puts `compared` in the place of the comparisons inside the second argument of each claim."""

    inside = False

    def visit_Call(self, node):
        if isinstance(node.func, ast.Name) and node.func.id == "claim" and len(node.args) > 1:
            self.inside = True
            node.args[1] = self.visit(node.args[1])
            self.inside = False
            return node
        if isinstance(node.func, ast.Attribute) and node.func.attr == "any":
            return node  # the smallest of several is not what counts
        return self.generic_visit(node)

    def visit_Subscript(self, node):
        return node  # rows are left out after the comparison

    def visit_UnaryOp(self, node):
        return node if isinstance(node.op, ast.Not) else self.generic_visit(node)

    def visit_Compare(self, node):
        self.generic_visit(node)
        if not self.inside or not all(type(op) in SYMBOLS for op in node.ops):
            return node
        symbols = ast.List([ast.Constant(SYMBOLS[type(op)]) for op in node.ops], ast.Load())
        return ast.Call(ast.Name("_compared", ast.Load()), [symbols, node.left, *node.comparators], [])


def with_margins(source):
    """The source of a cell, with the comparisons of its claims watched."""
    first, _, rest = source.partition("\n")
    magic, code = (first + "\n", rest) if first.startswith("%%") else ("", source)
    if "claim(" not in code:
        return source
    return magic + ast.unparse(ast.fix_missing_locations(Compared().visit(ast.parse(code))))


# --- outside


def execute(job):
    """Execute one lesson as `job` says and return it with what was claimed; from .claims/ if that is kept there."""
    import nbformat
    from nbclient import NotebookClient

    name, framework, seed, condition = job
    path = ROOT / "notebooks" / f"{name}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    kept = KEPT / f"{name}-{framework}-{seed}-{condition.replace(' ', '_')}-{state_of(cells)}.json"
    if kept.exists():
        return job, json.loads(kept.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder, beside_a_busy_core(condition == "busy core"):
        file = Path(folder, "claims.jsonl")
        for cell in cells:
            cell.source = with_margins(cell.source)
        notebook.cells = [nbformat.v4.new_code_cell(
            f"from lesson_claims import compared as _compared, record as _record\n_record({str(file)!r})"), *cells]
        environment = {"TF_CPP_MIN_LOG_LEVEL": "3", "JUPYTER_PLATFORM_DIRS": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1",
                       **{key: value for key, value in os.environ.items() if key != "MPLBACKEND"},
                       **CONDITIONS[condition], "COURSE_FRAMEWORK": framework, "COURSE_SEED": str(seed),
                       "PYTHONPATH": str(ROOT / "tests"), "COURSE_PROGRESS_FILE": str(Path(folder, "progress.json"))}
        client = NotebookClient(notebook, timeout=900, kernel_name="python3", store_widget_state=True,
                                resources={"metadata": {"path": str(path.parent)}},
                                extra_arguments=["--IPKernelApp.log_level=ERROR"])
        error = None
        try:
            client.execute(env=environment)
        except Exception as stopped:  # a cell that fails is a finding about that seed, not the end of the others
            error = re.sub(r"\x1b\[[\d;]*m", "", str(stopped)).strip().splitlines()[-1][-500:]
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    found = {"error": error, "claims": [json.loads(line) for line in lines]}
    KEPT.mkdir(exist_ok=True)
    part = kept.with_suffix(f".part{os.getpid()}")
    part.write_text(json.dumps(found), encoding="utf-8")
    os.replace(part, kept)
    return job, found


def state_of(cells):
    """A short name for a lesson's code and all that it may call."""
    digest = hashlib.sha256("\0".join(cell.source for cell in cells).encode())
    for path in [*sorted((ROOT / "course_lib").rglob("*.py")), *sorted((ROOT / "data/studies").glob("*.json"))]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


@contextlib.contextmanager
def beside_a_busy_core(wanted):
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(wanted * os.cpu_count())]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def summary(name, runs):
    """How the claims of one lesson fared, as lines of text, and whether all held.

    Parameters
    ----------
    name : str
    runs : list of (job, found)
        What `execute` returned for the lesson.

    Returns
    -------
    lines : list of str
    held : bool
    """
    def place(job):
        return f"{job[1]}, seed {job[2]}" + f", {job[3]}" * (job[3] != "plain")

    claims, errors = {}, []
    for job, found in runs:
        if found["error"] or not found["claims"]:
            errors.append(f"  STOPPED  {place(job)}: {found['error'] or 'it claims nothing'}")
        for entry in found["claims"]:
            claims.setdefault(entry["text"], []).append((job, entry))
    lines, held = [f"\n{name}"], not errors
    for text, entries in claims.items():
        true = sum(entry["holds"] for _, entry in entries)
        held &= true == len(entries)
        lines.append(f"  {'✓' if true == len(entries) else '✗'} {true} of {len(entries)}  {text}")
        margins = [(*entry["margin"], place(job)) for job, entry in entries if entry["margin"]]
        if margins:
            margin, sides, where = smallest(margins)
            lines.append(f"      smallest margin {margin:.3g}: {sides} in {where}")
        lines += [f"      {place(job)}{'' if entry['holds'] else ' ✗'}: {entry['figures']}"
                  for job, entry in entries if entry["figures"] or not entry["holds"]]
    return lines + errors, held


def main(arguments=None):
    """Execute what is asked for, and print every claim with its figures and its smallest margin."""
    from importlib.util import find_spec

    from joblib import Parallel, delayed
    from tqdm import tqdm

    lessons = sorted(path.stem for path in (ROOT / "notebooks").glob("[0-9]*.ipynb") if not path.stem.startswith("00"))
    installed = [name for name, module in FRAMEWORKS.items() if find_spec(module)]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lessons", nargs="*", default=lessons, help="01_dqn 02_pruning ... (default: all)")
    parser.add_argument("--seeds", type=int, default=3, help="how many, 100 apart (default: 3)")
    parser.add_argument("--frameworks", nargs="+", choices=FRAMEWORKS, default=installed)
    parser.add_argument("--conditions", nargs="*", choices=CONDITIONS, default=list(CONDITIONS),
                        help="other numerics, tried with seed 0 (default: all)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="lessons at a time (default: one a core)")
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.lessons) - set(lessons)):
        parser.error(f"no such lesson: {', '.join(unknown)}; there are {', '.join(lessons)}")
    if options.seeds < 1:
        parser.error(f"--seeds: expected at least 1, got {options.seeds}")
    jobs = [(name, framework, seed, condition) for name in options.lessons for framework in options.frameworks
            for condition in dict.fromkeys(["plain", *options.conditions])
            for seed in (range(0, 100 * options.seeds, 100) if condition == "plain" else [0])]
    print(f"Executing {', '.join(options.lessons)}, {len(jobs)} times in all; {' and '.join(options.frameworks)}.",
          flush=True)
    work = Parallel(options.jobs, return_as="generator_unordered")(delayed(execute)(job) for job in jobs)
    runs = sorted(tqdm(work, total=len(jobs), unit="lesson"), key=lambda run: jobs.index(run[0]))
    failing = []
    for name in dict.fromkeys(options.lessons):
        lines, held = summary(name, [run for run in runs if run[0][0] == name])
        print("\n".join(lines))
        failing += [name] * (not held)
    result = f"Claims failed in {', '.join(failing)}" if failing else "All claims held"
    print(f"\n{result}; {len(jobs)} lessons executed.")
    return bool(failing)


if __name__ == "__main__":
    sys.exit(main())
