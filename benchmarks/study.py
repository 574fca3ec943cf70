"""Make a study: measure it in each framework, in a process of its own on one core, and store it in data/studies.

    python benchmarks/study.py                            list all studies
    python benchmarks/study.py dqn_acrobot gan_mnist      make these; `all` makes every one
    python benchmarks/study.py --topic dqn --print        measure a topic's studies, and only print them
    python benchmarks/study.py fusion_halves --option images=mnist.npz

What is measured with fewer seeds or frameworks than declared, or with an option, is printed and not stored, unless
--store is given. --canary measures only what a test repeats, and keeps the rows: for code that changed and still gives
the same results.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from benchmark import TOPICS, all_benchmarks, plain
from results import table

from course_lib.common import studies
from course_lib.common.files import atomic_write

PACKAGES = ("numpy", "scipy", "scikit-learn", "gymnasium", "torch", "keras", "tensorflow", "jax", "sbx-rl",
            "stable-baselines3", "rejax", "gymnax", "optuna", "prodigyopt", "dacbench", "babel", "sardine-rec")
SUMMARY = {"measure", "mean", "spread", "n", "spread_is"}
KINDS = {"name": str, "title": str, "about": str, "command": str, "settings": dict, "rows": list, "table": dict,
          "seeds": (list, type(None)), "versions": (dict, type(None)), "date": (str, type(None)),
          "machine": (str, type(None)), "measured_at": (str, type(None)), "note": str, "canary": dict}


def problems(found):
    """What is wrong with a `studies.Study`, in words."""
    wrong = [name for name, kind in KINDS.items() if not isinstance(getattr(found, name), kind)]
    yield from (f"{name} is of the wrong type, {type(getattr(found, name)).__name__}" for name in wrong)
    if wrong:
        return
    if set(found.table) != {"down", "across"}:
        yield f"table: expected down and across, got {sorted(found.table)}"
        return
    if not found.rows:
        yield "rows is empty"
    for number, row in enumerate(found.rows):
        cases = set(found.cases)
        if not isinstance(row, dict) or any(isinstance(value, (list, dict)) for value in row.values()):
            yield f"row {number}: expected a flat object"
        elif cases - set(row):
            yield f"row {number}: {sorted(cases - set(row))} missing"
        elif "measure" in row and SUMMARY - set(row):
            yield f"row {number}: {sorted(SUMMARY - set(row))} missing"
    for framework, figures in found.canary.items():
        if not (isinstance(figures, dict) and figures and all(type(value) in (int, float)
                                                              for value in figures.values())):
            yield f"canary of {framework}: expected figures, each a number"


def inside(name, framework, arguments):
    """The lines of JSON that this file prints in a process of its own, for one framework on one core."""
    command = [sys.executable, __file__, name, "--inside", framework, *arguments]
    environment = {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", **os.environ}
    found = []
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        for line in filter(lambda line: line.startswith("{"), process.stdout):
            print(f"{name}, {framework}: {line[:150].strip()}", file=sys.stderr, flush=True)
            found.append(json.loads(line))
    if process.returncode:
        raise RuntimeError(f"{name}, {framework}: failed, see above")
    return found


def run_inside(benchmark, options):
    """What happens in that process."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    if options.canary:
        print(json.dumps(plain(benchmark.canary(options.inside))), flush=True)
        return
    own = benchmark.options | dict(pair.split("=", 1) for pair in options.option)
    for row in benchmark.rows(options.inside, options.seeds or benchmark.seeds, **own):
        print(json.dumps(plain({"framework": options.inside, **row})), flush=True)


def declared(name, benchmark):
    """The fields of a study that the declaration decides."""
    return {"name": name, "title": benchmark.title, "about": benchmark.about, "command": f"make study NAME={name}",
            "settings": plain(benchmark.settings), "table": {"down": [*benchmark.down], "across": [*benchmark.across]}}


def commit():
    """The commit of this clone, and whether code stands there that is not in it; None outside of a clone."""
    def git(*command):
        done = subprocess.run(["git", *command], cwd=Path(__file__).parents[1], capture_output=True, text=True)
        return done.stdout.strip()

    here = git("log", "-1", "--format=%h")
    return here + " and changes" * bool(here and git("status", "--porcelain", "course_lib", "benchmarks")) or None


def measured(name, benchmark, options):
    """A whole `Study`."""
    chosen = [framework for framework in benchmark.frameworks if framework in (options.frameworks or [framework])]
    arguments = ["--seeds", str(options.seeds or benchmark.seeds), *(f"--option={pair}" for pair in options.option)]
    rows = [row for framework in chosen for row in inside(name, framework, arguments)]
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return studies.Study(
        **declared(name, benchmark), rows=rows, seeds=sorted({row["seed"] for row in rows if "seed" in row}) or None,
        versions=versions, date=datetime.now(UTC).date().isoformat(), measured_at=commit(),
        machine=f"one core of {os.cpu_count()}, {platform.system()} on {platform.machine()}", note="", canary={})


def canaries(name, benchmark):
    """{framework: figures} of the canary, each from a process of its own."""
    return {framework: inside(name, framework, ["--canary"])[0] for framework in quick(benchmark)}


def quick(benchmark):
    """The frameworks in which it has a canary."""
    return benchmark.frameworks if benchmark.quick is None else benchmark.quick


def write(study, folder=studies.FOLDER):
    """Store a study: one row a line, so that a change can be read."""
    fields = {**vars(study)}
    lines = [f" {json.dumps(key)}: " + (
        "[\n  " + ",\n  ".join(json.dumps(row, ensure_ascii=False) for row in value) + "\n ]" if key == "rows" else
        json.dumps(value, ensure_ascii=False)) for key, value in fields.items()]
    Path(folder).mkdir(exist_ok=True)
    with atomic_write(Path(folder) / f"{study.name}.json") as file:
        file.write(("{\n" + ",\n".join(lines) + "\n}\n").encode())


def make(name, benchmark, options):
    """Measure one study, print it, and store it."""
    if options.canary:
        study = studies.load(name)
        write(studies.Study(**{**vars(study), **declared(name, benchmark), "canary": canaries(name, benchmark)}))
        return
    study = measured(name, benchmark, options)
    print(f"\n{study.title}. {study.about}\n\n{table(study)}\n", flush=True)
    part = options.frameworks or options.option or (options.seeds or benchmark.seeds) != benchmark.seeds
    if options.store or not (options.print or part or not benchmark.stored):
        write(studies.Study(**{**vars(study), "canary": canaries(name, benchmark)}))
        print(f"Stored in data/studies/{name}.json. Say in its note what the figures bear out, then: make results")


def main(arguments=None):
    """Make the studies that are named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="of studies, or all")
    parser.add_argument("--topic", choices=TOPICS, action="append", help="all studies of a topic")
    parser.add_argument("--frameworks", nargs="+", help="only these")
    parser.add_argument("--seeds", type=int, help="at most so many")
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE", help="of that study")
    parser.add_argument("--print", action="store_true", help="store nothing")
    parser.add_argument("--store", action="store_true", help="store in any case")
    parser.add_argument("--canary", action="store_true", help="only the canary; keep the rows")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.inside:
        [name] = options.names
        run_inside(all_benchmarks([name.partition("_")[0]])[name], options)
        return
    known = all_benchmarks()
    chosen = [name for name in all_benchmarks(options.topic) if known[name].stored] if options.topic else [
        name for name in known if known[name].stored] if options.names == ["all"] else options.names
    if not chosen or set(chosen) - set(known):
        print(*(f"{name:28} {benchmark.title}" for name, benchmark in known.items()), sep="\n")
        sys.exit(f"expected some of these studies, got {', '.join(sorted(set(chosen) - set(known)))}" if chosen else 0)
    failed = []
    for name in chosen:
        try:
            make(name, known[name], options)
        except RuntimeError as error:
            failed.append(str(error))
    if failed:
        sys.exit("\n".join(failed))


if __name__ == "__main__":
    main()
