"""The probes behind `device`: each asks one framework, or the machine itself."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

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
