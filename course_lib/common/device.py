"""What hardware is here, whether the framework can use it, and if not, why and what mends it."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import subprocess
import sys
import textwrap
from importlib.util import find_spec
from pathlib import Path

from course_lib.common import framework, hardware, notebook
from course_lib.common.hardware import Device


def detect(frameworks=framework.NAMES):
    """List the devices that each framework can use, and the hardware that it cannot use.

    The framework in use is asked in this process; the other one in a process of its own, so that one kernel
    never holds both.

    Parameters
    ----------
    frameworks : sequence of "pytorch" and "keras"

    Returns
    -------
    tuple of Device
        For each framework the best device first. A framework that is not installed has one row that says so.
    """
    in_use = framework._current.name if framework._current else None
    rows = []
    for name in frameworks:
        if name not in framework.NAMES:
            raise ValueError(f'frameworks: expected "pytorch" or "keras", got {name!r}')
        if not _installed(name):
            how = framework.install_command(name)
            rows.append(Device(name, "", "", "", "not installed", None, False, how))
        elif name == in_use:
            rows += probe(name)
        else:
            rows += _probe_elsewhere(name)
    return tuple(rows)


@contextlib.contextmanager
def one_thread():
    """Let PyTorch use one thread for a while: with small networks, more threads mostly wait for one another.

    They wait busily, so that another program on the same cores makes training several times slower.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def pick_device(name=None):
    """Name the best device that a framework can use.

    The environment variable COURSE_DEVICE overrides the choice.

    Parameters
    ----------
    name : "pytorch" or "keras", optional
        By default the framework in use.

    Returns
    -------
    str
        "cuda", "mps", "xpu" or "cpu" for PyTorch; "gpu:0" or "cpu:0" and the like for `keras.device`.

    Raises
    ------
    ValueError
        If COURSE_DEVICE names a device that does not work here.
    """
    name = name or framework.current().name
    usable = [row.device for row in devices(name) if row.works]
    wanted = os.environ.get("COURSE_DEVICE")
    if not wanted:
        return usable[0]
    for device in usable:
        if wanted.removesuffix(":0") == device.removesuffix(":0"):
            return device
    raise ValueError(f"the environment variable COURSE_DEVICE: expected one of {', '.join(usable)} "
                     f"(what {name} can use here), got {wanted!r}")


def table(rows):
    """Show devices as a table in a notebook: an image, because it differs from machine to machine.

    Parameters
    ----------
    rows : sequence of Device

    Returns
    -------
    IPython.display.Image
        Its alternative text holds the whole table.
    """
    from matplotlib.figure import Figure

    lines = [_cells(row) for row in rows]
    head = ("framework", "device", "kind", "name", "memory", "works", "note")
    height = [1 + max(cell.count("\n") for cell in line) for line in [head, *lines]]
    figure = Figure(figsize=(13, 0.28 * sum(height) + 0.2))
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set_axis_off()
    grid = ax.table(lines, colLabels=head, cellLoc="left", loc="upper left",
                    colWidths=(0.13, 0.06, 0.08, 0.25, 0.07, 0.05, 0.36))
    grid.auto_set_font_size(False)
    grid.set_fontsize(10)
    for (i, _), cell in grid.get_celld().items():
        cell.PAD = 0.1 / cell.get_width() / 13  # as a share of the cell's width
        shade = "#EEEEEE" if i == 0 else "white"
        cell.set(height=height[i] / sum(height), edgecolor="#BBBBBB", facecolor=shade)
    alt = "; ".join(", ".join(cell.replace("\n", " ") for cell in line if cell) for line in lines)
    return notebook.image(notebook.png(figure), alt=f"Devices: {alt}")


def _cells(row):
    title = row.framework + (f" ({row.backend})" if row.framework == "keras" and row.backend else "")
    memory = "" if row.memory_gib is None else f"{row.memory_gib:.1f} GiB"
    name = textwrap.fill(row.name, 40, break_on_hyphens=False)
    note = textwrap.fill(row.note, 60, break_on_hyphens=False)
    return title, row.device, row.kind, name, memory, "yes" if row.works else "no", note


def devices(name):
    """Devices that the framework `name` offers, each tried, best first; imports it."""
    if name == "pytorch":
        return hardware.torch_devices(importlib.import_module("torch"), name)
    if name != "keras":
        raise ValueError(f'framework: expected "pytorch" or "keras", got {name!r}')
    if "keras" not in sys.modules:
        framework._start_keras()
    backend = framework.keras_backend()
    ask = {"torch": hardware.torch_devices, "tensorflow": hardware.tensorflow_devices,
           "jax": hardware.jax_devices}[backend]
    return ask(importlib.import_module(backend), name)


def probe(name):
    """`devices`, and one row for each accelerator that is present but that the framework cannot use."""
    rows = devices(name)
    return rows + hardware.unused(rows, importlib.import_module(rows[0].backend))


def _installed(name):
    if name == "pytorch":
        return find_spec("torch") is not None
    return find_spec("keras") is not None and find_spec(framework.keras_backend()) is not None


def _probe_elsewhere(name, *, timeout=120):
    code = ("import dataclasses, json; from course_lib.common import device\n"
            f"print('\\n' + json.dumps([dataclasses.asdict(row) for row in device.probe({name!r})]))")
    root = str(Path(__file__).resolve().parents[2])
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))}
    try:
        done = subprocess.run([sys.executable, "-c", code], env=env, timeout=timeout, check=True,
                              capture_output=True, text=True)
        return [Device(**row) for row in json.loads(done.stdout.splitlines()[-1])]
    except (subprocess.SubprocessError, ValueError, IndexError) as error:
        trouble = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        return [Device(name, "", "", "", "could not be asked", None, False, trouble[-1] if trouble else "")]
