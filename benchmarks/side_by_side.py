"""A benchmark run in each framework, in a process of its own, and one table of both."""

import json
import os
import subprocess
import sys

import numpy as np


def report(name, mean, spread):
    """Write one figure, from inside a framework's process."""
    print(json.dumps([name, float(mean), float(spread)]), flush=True)


def table(script, frameworks, arguments):
    """Run `script --inside --frameworks F *arguments` for each framework F; print what it reports side by side."""
    found = {}
    for framework in frameworks:
        command = [sys.executable, script, "--inside", "--frameworks", framework, *arguments]
        environment = {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", **os.environ}
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        for text in filter(lambda text: text.startswith("["), done.stdout.splitlines()):
            name, mean, spread = json.loads(text)
            found.setdefault(name, {})[framework] = (mean, spread)
    print("| what | " + " | ".join(frameworks) + " |\n|---|" + "---|" * len(frameworks))
    for name, row in found.items():
        cells = [f"{mean:.3g} ± {spread:.2g}" if spread else f"{mean:.3g}"
                 for mean, spread in (row.get(framework, (np.nan, 0)) for framework in frameworks)]
        print(f"| {name} | " + " | ".join(cells) + " |")
