import dataclasses
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace as Fake

import numpy as np
import pytest

from course_lib.common import devices
from course_lib.common.devices import Device
from course_lib.common.framework import Framework

ROOT = Path(__file__).resolve().parents[2]
CPU = Device("pytorch", "torch", "cpu", "CPU", "some chip", 16.0, True)
GPU = Device("pytorch", "torch", "cuda", "CUDA", "Fake RTX", 24.0, True)


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch):
    """A Linux machine without any accelerator, and no choice made."""
    monkeypatch.setattr(devices, "nvidia_cards", lambda: [])
    monkeypatch.setattr(devices, "amd_card", lambda: False)
    monkeypatch.setattr(devices, "apple_silicon", lambda: False)
    monkeypatch.setattr(devices, "_cpu_name", lambda: "some chip")
    monkeypatch.setattr(devices, "_cpu_memory", lambda: 16.0)
    monkeypatch.setattr(devices.platform, "system", lambda: "Linux")
    monkeypatch.delenv("COURSE_DEVICE", raising=False)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)


class Array:
    """Half a torch tensor: knows its device, and multiplies right unless the device is broken."""

    def __init__(self, values, where="cpu"):
        self.values, self.where = values, where

    def to(self, where):
        if where == "cuda:1":
            raise RuntimeError("CUDA error: no kernel image\nmore lines")
        return Array(self.values, where)

    def __matmul__(self, other):
        assert self.where == other.where
        return Array(self.values @ other.values + (1 if self.where == "mps" else 0))

    def cpu(self):
        return self

    def numpy(self):
        return self.values


def fake_torch(*, cuda=0, mps=False, xpu=0, hip=None, built="12.8"):
    card = Fake(name="Fake RTX", total_memory=24 * 2**30)

    def cards(count):
        return Fake(is_available=lambda: count > 0, device_count=lambda: count,
                    get_device_properties=lambda i: card)

    return Fake(version=Fake(cuda=built, hip=hip), from_numpy=Array, cuda=cards(cuda), xpu=cards(xpu),
                backends=Fake(mps=Fake(is_available=lambda: mps)),
                mps=Fake(recommended_max_memory=lambda: 8 * 2**30))


def test_torch_on_a_cpu():
    assert devices.torch_devices(fake_torch(), "pytorch") == [CPU]


def test_torch_with_two_cards_of_which_one_is_broken():
    rows = devices.torch_devices(fake_torch(cuda=2), "pytorch")
    broken = dataclasses.replace(GPU, device="cuda:1", works=False,
                                 note="RuntimeError: CUDA error: no kernel image")
    assert rows == [GPU, broken, CPU]


@pytest.mark.parametrize("options, kind, torch_name, keras_name", [
    ({"cuda": 1}, "CUDA", "cuda", "gpu:0"), ({"cuda": 1, "hip": "6.2"}, "ROCm", "cuda", "gpu:0"),
    ({"xpu": 1}, "Intel XPU", "xpu", "xpu:0"),
])
def test_kinds_and_the_names_that_each_framework_takes(options, kind, torch_name, keras_name):
    for name, expected in (("pytorch", torch_name), ("keras", keras_name)):
        row = devices.torch_devices(fake_torch(**options), name)[0]
        assert (row.framework, row.kind, row.device, row.name, row.memory_gib, row.works) == (
            name, kind, expected, "Fake RTX", 24.0, True)


def test_a_device_that_computes_wrong_does_not_work():
    row = devices.torch_devices(fake_torch(mps=True), "pytorch")[0]
    assert (row.kind, row.device, row.works, row.memory_gib) == ("Apple MPS", "mps", False, 8.0)
    assert "came out wrong" in row.note


def fake_tensorflow(gpus=0, *, cuda=False):
    details = {"device_name": "Fake RTX"}
    scope = type("Scope", (), {"__enter__": lambda self: None, "__exit__": lambda self, *e: None})
    return Fake(sysconfig=Fake(get_build_info=lambda: {"is_rocm_build": False}), device=lambda name: scope(),
                matmul=lambda a, b: Fake(numpy=lambda: a @ b), test=Fake(is_built_with_cuda=lambda: cuda),
                config=Fake(list_physical_devices=lambda kind: ["card"] * gpus,
                            experimental=Fake(get_device_details=lambda card: details)))


def test_tensorflow(monkeypatch):
    monkeypatch.setattr(devices, "nvidia_cards", lambda: [("Fake RTX", 24.0)])
    cpu = Device("keras", "tensorflow", "cpu:0", "CPU", "some chip", 16.0, True)
    gpu = Device("keras", "tensorflow", "gpu:0", "CUDA", "Fake RTX", 24.0, True)
    assert devices.tensorflow_devices(fake_tensorflow(1)) == [gpu, cpu]
    assert devices.tensorflow_devices(fake_tensorflow()) == [cpu]


def test_jax():
    def chip(platform, kind):
        return Fake(platform=platform, device_kind=kind, client=Fake(platform_version="cuda 12"),
                    memory_stats=lambda: {"bytes_limit": 2**34})

    cards, cpu = [chip("gpu", "Fake RTX")], [chip("cpu", "cpu")]
    jax = Fake(devices=lambda kind=None: cpu if kind else cards, device_put=lambda x, where: x)
    rows = devices.jax_devices(jax)
    assert rows == [Device("keras", "jax", "gpu:0", "CUDA", "Fake RTX", 16.0, True),
                    Device("keras", "jax", "cpu:0", "CPU", "some chip", 16.0, True)]


@pytest.mark.parametrize("machine, module, backend, note", [
    ("nvidia", fake_torch(built=None), "torch", "without CUDA.*https://pytorch.org/get-started/locally/"),
    ("nvidia", fake_torch(), "torch", "built for CUDA 12.8 but cannot reach.*driver"),
    ("amd", fake_torch(), "torch", "without ROCm.*https://pytorch.org/get-started/locally/"),
    ("mac", fake_torch(), "torch", "no MPS"),
    ("nvidia", fake_tensorflow(), "tensorflow", r'without CUDA: pip install "tensorflow\[and-cuda\]"'),
    ("nvidia", fake_tensorflow(cuda=True), "tensorflow", r"CUDA libraries: pip install .tensorflow\[and"),
    ("windows", fake_tensorflow(), "tensorflow", "WSL 2"),
    ("mac", fake_tensorflow(), "tensorflow", "tensorflow-metal is not kept up.*KERAS_BACKEND=torch"),
    ("amd", fake_tensorflow(), "tensorflow", "KERAS_BACKEND=torch"),
    ("nvidia", None, "jax", r'pip install "jax\[cuda12\]"'),
    ("mac", None, "jax", "KERAS_BACKEND=torch"),
])
def test_hardware_that_the_framework_cannot_use(machine, module, backend, note, monkeypatch):
    if machine in ("nvidia", "windows"):
        monkeypatch.setattr(devices, "nvidia_cards", lambda: [("Fake RTX", 24.0)])
    monkeypatch.setattr(devices.platform, "system", lambda: "Windows" if machine == "windows" else "Linux")
    monkeypatch.setattr(devices, "amd_card", lambda: machine == "amd")
    monkeypatch.setattr(devices, "apple_silicon", lambda: machine == "mac")
    name = "pytorch" if backend == "torch" else "keras"
    (row,) = devices.unused([dataclasses.replace(CPU, framework=name, backend=backend)], module)
    kind = {"mac": "Apple MPS", "amd": "ROCm"}.get(machine, "CUDA")
    assert (row.framework, row.backend, row.device, row.kind, row.works) == (name, backend, "", kind, False)
    assert re.search(note, row.note), row.note


def test_hardware_that_is_used_gets_no_second_row(monkeypatch):
    monkeypatch.setattr(devices, "nvidia_cards", lambda: [("Fake RTX", 24.0)])
    assert devices.unused([GPU, CPU], fake_torch(cuda=1)) == []


@pytest.mark.parametrize("answer, cards", [
    ("NVIDIA H200, 143771\nOdd, name, [N/A]\n", [("NVIDIA H200", 143771 / 1024), ("Odd, name", None)]),
    ("No devices were found\n", []),
])
def test_nvidia_smi_is_understood(answer, cards, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(devices.shutil, "which", lambda name: "/bin/nvidia-smi")
    monkeypatch.setattr(devices.subprocess, "run", lambda *a, **k: Fake(stdout=answer))
    assert devices.nvidia_cards() == cards


def test_a_failing_nvidia_smi_is_no_card(monkeypatch):
    def fail(*args, **kwargs):
        raise subprocess.CalledProcessError(9, "nvidia-smi")

    monkeypatch.undo()
    monkeypatch.setattr(devices.shutil, "which", lambda name: "/bin/nvidia-smi")
    monkeypatch.setattr(devices.subprocess, "run", fail)
    assert devices.nvidia_cards() == []


# --- detect and pick_device


def test_detect_asks_a_framework_that_runs_here_and_another_one_elsewhere(monkeypatch):
    keras = Device("keras", "tensorflow", "cpu:0", "CPU", "some chip", 16.0, True)
    monkeypatch.setattr(devices, "_installed", lambda name: True)
    monkeypatch.setattr(devices, "probe", {"pytorch": [CPU]}.get)
    monkeypatch.setattr(devices, "_probe_elsewhere", {"keras": [keras]}.get)
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    assert devices.detect() == (CPU, keras)


def test_detect_names_what_is_not_installed(monkeypatch):
    monkeypatch.setattr(devices, "find_spec", lambda name: None)
    rows = devices.detect()
    assert [(row.framework, row.name, row.works) for row in rows] == [
        ("pytorch", "not installed", False), ("keras", "not installed", False)]
    assert "make lab FRAMEWORK=keras" in rows[1].note
    with pytest.raises(ValueError, match="got 'tf'"):
        devices.detect(["tf"])


def test_a_framework_that_breaks_elsewhere_is_one_row(monkeypatch):
    def fail(*args, **kwargs):
        raise subprocess.CalledProcessError(1, "python", stderr="Traceback\nImportError: libcuda.so")

    monkeypatch.setattr(devices.subprocess, "run", fail)
    assert devices._probe_elsewhere("keras") == [
        Device("keras", "", "", "", "could not be asked", None, False, "ImportError: libcuda.so")]


@pytest.mark.parametrize("rows, picked", [
    ([GPU, CPU], "cuda"), ([dataclasses.replace(GPU, works=False), CPU], "cpu"), ([CPU], "cpu"),
])
def test_pick_device_takes_the_best_that_works(rows, picked, monkeypatch):
    monkeypatch.setattr(devices, "devices", lambda name: rows)
    assert devices.pick_device("pytorch") == picked
    assert Framework("pytorch").device() == picked


def test_course_device_overrides_and_is_checked(monkeypatch):
    monkeypatch.setattr(devices, "devices", lambda name: [GPU, CPU])
    for wanted, picked in (("cpu", "cpu"), ("cuda:0", "cuda"), ("cuda", "cuda")):
        monkeypatch.setenv("COURSE_DEVICE", wanted)
        assert devices.pick_device("pytorch") == picked
    monkeypatch.setenv("COURSE_DEVICE", "mps")
    with pytest.raises(ValueError, match="COURSE_DEVICE: expected one of cuda, cpu .*, got 'mps'"):
        devices.pick_device("pytorch")


def test_pick_device_needs_a_framework():
    with pytest.raises(ValueError, match="got 'tf'"):
        devices.pick_device("tf")


def test_the_table_is_an_image_with_its_text_beside_it():
    picture = devices.table([GPU, dataclasses.replace(CPU, works=False, note="a long reason " * 9)])
    data, metadata = picture._repr_mimebundle_()
    assert list(data) == ["image/png"] and picture.data.startswith(b"\x89PNG")
    assert "pytorch, cuda, CUDA, Fake RTX, 24.0 GiB, yes; pytorch, cpu" in metadata["image/png"]["alt"]
    assert "a long reason a long reason" in metadata["image/png"]["alt"]


# --- the machine at hand


def test_detect_really_and_import_nothing_here():
    code = ("import sys; from course_lib.common.devices import detect; rows = detect()\n"
            "assert not {'torch', 'keras', 'tensorflow', 'jax'} & set(sys.modules)\n"
            "print([(r.framework, r.works) for r in rows if r.kind == 'CPU'])")
    env = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True)
    expected = [("pytorch", True)] if find_spec("torch") else []
    expected += [("keras", True)] if find_spec("keras") and find_spec("tensorflow") else []
    assert (done.stdout.strip(), done.stderr) == (str(expected), "")


def test_a_real_cuda_card():
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA card")
    row = devices.torch_devices(torch, "pytorch")[0]
    assert (row.device, row.works, row.note) == ("cuda", True, "") and row.memory_gib > 1
    assert np.isfinite(row.memory_gib) and row.kind in ("CUDA", "ROCm")


def test_one_thread_is_given_back():
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        with pytest.raises(KeyError), devices.one_thread():
            assert torch.get_num_threads() == 1
            raise KeyError
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
