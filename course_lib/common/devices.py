"""What hardware is here, whether the framework can use it, and if not, why and what mends it."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import platform
import shutil
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from course_lib.common import backends, notebook

_TORCH_SITE = "https://pytorch.org/get-started/locally/"


@dataclass(frozen=True)
class Device:
    """One device as one framework sees it."""

    framework: str  # "pytorch" or "keras"
    backend: str  # "torch", "tensorflow" or "jax"
    device: str  # what to pass to `.to(...)` or `keras.device(...)`; "" if there is nothing to pass
    kind: str  # "CUDA", "ROCm", "Apple MPS", "Intel XPU", "CPU", or "" for a framework that is missing
    name: str  # the hardware's own name
    memory_gib: float | None  # its memory; None if unknown
    works: bool  # a small matrix product ran there and was right
    note: str = ""  # why it does not work, and the command that mends it


def detect(frameworks=backends.NAMES):
    """List the devices that each framework can use, and the hardware that it cannot use.

    A framework that runs already is asked in this process; another one in a process of its own, so that one kernel
    never holds both.

    Parameters
    ----------
    frameworks : sequence of "pytorch" and "keras"

    Returns
    -------
    tuple of Device
        For each framework the best device first. A framework that is not installed has one row that says so.
    """
    rows = []
    for name in frameworks:
        if name not in backends.NAMES:
            raise ValueError(f'frameworks: expected "pytorch" or "keras", got {name!r}')
        if not _installed(name):
            how = backends.install_command(name)
            rows.append(Device(name, "", "", "", "not installed", None, False, how))
        elif {"pytorch": "torch"}.get(name, name) in sys.modules:
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


def pick_device(name):
    """Name the best device that a framework can use.

    The environment variable COURSE_DEVICE overrides the choice.

    Parameters
    ----------
    name : "pytorch" or "keras"

    Returns
    -------
    str
        "cuda", "mps", "xpu" or "cpu" for PyTorch; "gpu:0" or "cpu:0" and the like for `keras.device`.

    Raises
    ------
    ValueError
        If COURSE_DEVICE names a device that does not work here.
    """
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
        return torch_devices(importlib.import_module("torch"), name)
    if name != "keras":
        raise ValueError(f'framework: expected "pytorch" or "keras", got {name!r}')
    if "keras" not in sys.modules:
        backends.start_keras()
    backend = backends.keras_backend()
    ask = {"torch": torch_devices, "tensorflow": tensorflow_devices,
           "jax": jax_devices}[backend]
    return ask(importlib.import_module(backend), name)


def probe(name):
    """`devices`, and one row for each accelerator that is present but that the framework cannot use."""
    rows = devices(name)
    return rows + unused(rows, importlib.import_module(rows[0].backend))


def _installed(name):
    if name == "pytorch":
        return find_spec("torch") is not None
    return find_spec("keras") is not None and find_spec(backends.keras_backend()) is not None


def _probe_elsewhere(name, *, timeout=120):
    code = ("import dataclasses, json; from course_lib.common import devices\n"
            f"print('\\n' + json.dumps([dataclasses.asdict(row) for row in devices.probe({name!r})]))")
    root = str(Path(__file__).resolve().parents[2])
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))}
    try:
        done = subprocess.run([sys.executable, "-c", code], env=env, timeout=timeout, check=True,
                              capture_output=True, text=True)
        return [Device(**row) for row in json.loads(done.stdout.splitlines()[-1])]
    except (subprocess.SubprocessError, ValueError, IndexError) as error:
        trouble = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        return [Device(name, "", "", "", "could not be asked", None, False, trouble[-1] if trouble else "")]


# The probes: each asks one framework, or the machine itself.


def torch_devices(torch, framework):
    """Rows for PyTorch, or for Keras on its torch backend.

    Parameters
    ----------
    torch : module
    framework : "pytorch" or "keras"

    Returns
    -------
    list of Device
    """
    found = []
    for i in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        card = torch.cuda.get_device_properties(i)
        kind = "ROCm" if getattr(torch.version, "hip", None) else "CUDA"
        found.append(("cuda", i, kind, card.name, card.total_memory / 2**30))
    if torch.backends.mps.is_available():
        found.append(("mps", 0, "Apple MPS", _cpu_name(), torch.mps.recommended_max_memory() / 2**30))
    xpu = getattr(torch, "xpu", None)
    for i in range(xpu.device_count() if xpu is not None and xpu.is_available() else 0):
        card = xpu.get_device_properties(i)
        found.append(("xpu", i, "Intel XPU", card.name, card.total_memory / 2**30))
    found.append(("cpu", 0, "CPU", _cpu_name(), _cpu_memory()))

    def multiply(device):
        return lambda a, b: (torch.from_numpy(a).to(device) @ torch.from_numpy(b).to(device)).cpu().numpy()

    rows = []
    for family, i, kind, name, memory in found:
        device = family if i == 0 else f"{family}:{i}"
        label = device
        if framework == "keras":
            label = f"{'gpu' if family == 'cuda' else family}:{i}"
        rows.append(_row(framework, "torch", label, kind, name, memory, multiply(device)))
    return rows


def tensorflow_devices(tf, framework="keras"):
    """Rows for Keras on TensorFlow."""
    rows = []
    cards = nvidia_cards()
    rocm = bool(tf.sysconfig.get_build_info().get("is_rocm_build"))
    kind = "Apple MPS" if apple_silicon() else "ROCm" if rocm else "CUDA"

    def multiply(device):
        def product(a, b):
            with tf.device(device):
                return tf.matmul(a, b).numpy()

        return product

    for i, gpu in enumerate(tf.config.list_physical_devices("GPU")):
        name = tf.config.experimental.get_device_details(gpu).get("device_name", "GPU")
        memory = dict(cards).get(name)
        rows.append(_row(framework, "tensorflow", f"gpu:{i}", kind, name, memory, multiply(f"/GPU:{i}")))
    rows.append(_row(framework, "tensorflow", "cpu:0", "CPU", _cpu_name(), _cpu_memory(), multiply("/CPU:0")))
    return rows


def jax_devices(jax, framework="keras"):
    """Rows for Keras on JAX."""
    rows = []

    def multiply(device):
        return lambda a, b: np.asarray(jax.device_put(a, device) @ jax.device_put(b, device))

    for i, device in enumerate(jax.devices()):
        if device.platform == "gpu":
            kind = "ROCm" if "rocm" in getattr(device.client, "platform_version", "").lower() else "CUDA"
            memory = (device.memory_stats() or {}).get("bytes_limit")
            rows.append(_row(framework, "jax", f"gpu:{i}", kind, device.device_kind,
                             memory and memory / 2**30, multiply(device)))
    cpu = jax.devices("cpu")[0]
    rows.append(_row(framework, "jax", "cpu:0", "CPU", _cpu_name(), _cpu_memory(), multiply(cpu)))
    return rows


def unused(rows, module):
    """A row for each accelerator of this machine that does not appear in `rows`.

    Parameters
    ----------
    rows : list of Device
        What one framework found.
    module : module
        The torch, tensorflow or jax that was asked.

    Returns
    -------
    list of Device
        None of them works; the note says why and what mends it.
    """
    seen = {row.kind for row in rows}
    present = [("CUDA", name, memory) for name, memory in nvidia_cards()]
    present += [("Apple MPS", _cpu_name(), None)] if apple_silicon() else []
    present += [("ROCm", "AMD graphics card", None)] if amd_card() else []
    mend = {"torch": _mend_torch, "tensorflow": _mend_tensorflow, "jax": _mend_jax}[rows[0].backend]
    return [Device(rows[0].framework, rows[0].backend, "", kind, name, memory, False, mend(kind, module))
            for kind, name, memory in present if kind not in seen]


def _mend_torch(kind, torch):
    if kind == "Apple MPS":
        return ("this PyTorch has no MPS: it needs a recent macOS and a native arm64 Python; "
                f"see {_TORCH_SITE}")
    built_for = getattr(torch.version, "hip" if kind == "ROCm" else "cuda", None)
    if built_for is None:
        return (f"this PyTorch was built without {kind}: `pip uninstall torch`, then run the command that "
                f"{_TORCH_SITE} shows for {kind}")
    return (f"PyTorch is built for {kind} {built_for} but cannot reach the card: update its driver and "
            "restart; `python -c \"import torch; torch.zeros(1, device='cuda')\"` shows the cause")


def _mend_tensorflow(kind, tf):
    if kind == "Apple MPS":
        return ("TensorFlow runs on this Mac's CPU (tensorflow-metal is not kept up); for its GPU install "
                "PyTorch and set KERAS_BACKEND=torch")
    if kind == "ROCm":
        return "this TensorFlow has no ROCm: install PyTorch for ROCm and set KERAS_BACKEND=torch"
    if platform.system() == "Windows":
        return ("TensorFlow uses no GPU on Windows: work in WSL 2, or install PyTorch for CUDA and set "
                "KERAS_BACKEND=torch")
    if not tf.test.is_built_with_cuda():
        return 'this TensorFlow was built without CUDA: pip install "tensorflow[and-cuda]"'
    return 'TensorFlow does not find its CUDA libraries: pip install "tensorflow[and-cuda]", then restart'


def _mend_jax(kind, _):
    if kind == "CUDA":
        return 'this JAX has no CUDA plugin: pip install "jax[cuda12]", then restart'
    return "JAX runs on the CPU here; to use this card install PyTorch for it and set KERAS_BACKEND=torch"


def nvidia_cards():
    """Names and memory (GiB) of the NVIDIA cards that the driver reports."""
    if not shutil.which("nvidia-smi"):
        return [("NVIDIA card", None) for _ in Path("/proc/driver/nvidia/gpus").glob("*")]
    command = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
        lines = [line.rsplit(",", 1) for line in answer.splitlines() if "," in line]
        return [(name.strip(), float(mib) / 1024 if mib.strip().isdigit() else None) for name, mib in lines]
    except (OSError, subprocess.SubprocessError):
        return []


def amd_card():
    """Whether the kernel offers AMD's compute interface."""
    return os.path.exists("/dev/kfd")


def apple_silicon():
    """Whether this is a Mac with Apple's own chip (also under a Python built for Intel)."""
    return platform.system() == "Darwin" and (platform.machine() == "arm64" or "Apple" in _cpu_name())


def _cpu_name():
    if platform.system() == "Darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True).stdout.strip() or "Mac"
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _cpu_memory():
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (AttributeError, ValueError, OSError):  # Windows
        return None


def _row(framework, backend, device, kind, name, memory, multiply):
    """A row whose device is tried with a small matrix product."""
    a = np.arange(12, dtype=np.float32).reshape(3, 4)
    b = np.arange(8, dtype=np.float32).reshape(4, 2)
    try:
        product = multiply(a, b)
        works = np.allclose(product, [[28, 34], [76, 98], [124, 162]], rtol=1e-2)
        note = "" if works else "a small matrix product came out wrong: do not use it, update its driver"
    except Exception as error:  # whatever the driver raises, the table must still come out
        works, note = False, f"{type(error).__name__}: {str(error).strip()}".splitlines()[0]
    return Device(framework, backend, device, kind, name, memory, works, note)
