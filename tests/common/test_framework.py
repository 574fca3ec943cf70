import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest

import course_lib
from course_lib.common import backends, framework

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    """No choice made, no variable set, every package looks installed, Keras is not imported for real."""
    monkeypatch.setattr(framework, "_current", None)
    monkeypatch.setattr(backends, "find_spec", lambda name: object())
    for name in ("COURSE_FRAMEWORK", "COURSE_SEED", "KERAS_BACKEND"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    fake = SimpleNamespace(config=SimpleNamespace(backend=lambda: os.environ["KERAS_BACKEND"]))
    monkeypatch.setattr(backends, "importlib", SimpleNamespace(import_module=lambda name: fake))
    monkeypatch.delitem(sys.modules, "keras", raising=False)


def installed(monkeypatch, *names):
    monkeypatch.setattr(backends, "find_spec", lambda name: object() if name in names else None)


@pytest.mark.parametrize("name", ["pytorch", "keras"])
def test_use_returns_the_choice_and_prints_nothing(name, capfd):
    fw = framework.use(name)
    assert fw == framework.Framework(name) and framework.current() is fw
    assert capfd.readouterr() == ("", "")


def test_the_seed_is_0_or_what_the_environment_says(monkeypatch):
    fw = framework.use("pytorch")
    assert fw.seed == 0
    monkeypatch.setenv("COURSE_SEED", "300")
    assert fw.seed == 300
    for wrong in ("-1", "1.5", "three", "100000"):
        monkeypatch.setenv("COURSE_SEED", wrong)
        with pytest.raises(ValueError, match=f"COURSE_SEED: expected a whole number from 0 to 99999, got '{wrong}'"):
            _ = fw.seed


def test_current_before_use():
    with pytest.raises(RuntimeError, match="use"):
        framework.current()


def test_the_environment_variable_wins(monkeypatch):
    monkeypatch.setenv("COURSE_FRAMEWORK", "keras")
    assert framework.use("pytorch").name == "keras"
    monkeypatch.setenv("COURSE_FRAMEWORK", "")
    assert framework.use("pytorch").name == "pytorch"


def test_an_unknown_name_says_where_it_came_from(monkeypatch):
    with pytest.raises(ValueError, match=r"use\(\): expected .pytorch. or .keras., got 'tf'"):
        framework.use("tf")
    monkeypatch.setenv("COURSE_FRAMEWORK", "Keras")
    with pytest.raises(ValueError, match="variable COURSE_FRAMEWORK: expected .*got 'Keras'"):
        framework.use("pytorch")
    with pytest.raises(RuntimeError):  # a failed choice is no choice
        framework.current()


@pytest.mark.parametrize("name, present, message", [
    ("pytorch", ["keras", "tensorflow"], r"PyTorch is not.*FRAMEWORK=pytorch.*requirements.txt.*\[pytorch\]"),
    ("keras", ["torch"], r"Keras is not installed.*make lab FRAMEWORK=keras.*-e \"\.\[keras\]\""),
    ("keras", ["keras", "torch"], "backend 'tensorflow' is not installed.*or set KERAS_BACKEND=torch"),
])
def test_a_missing_framework_says_what_to_install(name, present, message, monkeypatch):
    installed(monkeypatch, *present)
    with pytest.raises(ModuleNotFoundError, match=message):
        framework.use(name)


def test_keras_backends(monkeypatch):
    framework.use("keras")
    assert os.environ["KERAS_BACKEND"] == "tensorflow"
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    framework.use("keras")
    assert os.environ["KERAS_BACKEND"] == "jax"
    monkeypatch.setenv("KERAS_BACKEND", "theano")
    with pytest.raises(ValueError, match="KERAS_BACKEND: expected one of tensorflow, torch, jax, got 'th"):
        framework.use("keras")
    framework.use("pytorch")  # does not care


def test_a_backend_set_too_late(monkeypatch):
    running = SimpleNamespace(config=SimpleNamespace(backend=lambda: "torch"))
    monkeypatch.setitem(sys.modules, "keras", running)
    framework.use("keras")
    assert os.environ["KERAS_BACKEND"] == "torch"  # nobody asked for another
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    with pytest.raises(RuntimeError, match="'tensorflow'.*already imported with 'torch'.*restart the kernel"):
        framework.use("keras")


@pytest.fixture
def topic(tmp_path, monkeypatch):
    """A topic `faketopic` that exists in PyTorch only."""
    (tmp_path / "faketopic").mkdir()
    (tmp_path / "faketopic" / "in_pytorch.py").write_text("WHERE = 'torch twin'\n")
    monkeypatch.undo()
    monkeypatch.setattr(course_lib, "__path__", [*course_lib.__path__, str(tmp_path)])
    yield "faketopic"
    sys.modules.pop("course_lib.faketopic", None)
    sys.modules.pop("course_lib.faketopic.in_pytorch", None)


def test_load_imports_the_twin(topic):
    assert framework.Framework("pytorch").load(topic).WHERE == "torch twin"


def test_load_lists_the_topics_that_exist(topic):
    with pytest.raises(ValueError, match="expected one of .*faketopic.*, got 'cooking'"):
        framework.Framework("pytorch").load("cooking")
    with pytest.raises(ValueError, match="got 'faketopic'"):
        framework.Framework("keras").load(topic)


@pytest.mark.parametrize("lines, held", [
    ("WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
     "I0000 00:00:1795230329.003148    3662 port.cc:153] oneDNN custom operations are on.\n"
     "2024-05-01 10:00:00.123456: I tensorflow/core/util/port.cc:113] oneDNN\n"
     "To enable the following instructions: AVX2 FMA, in other operations, rebuild\n", ""),
    ("UserWarning: read this\nI0000 00:00:1 x] noise\n", "UserWarning: read this\n"),
])
def test_quiet_start_holds_back_noise_only(lines, held, capfd):
    with backends._quiet_start():
        os.write(2, lines.encode())
    os.write(2, b"after\n")
    assert capfd.readouterr().err == held + "after\n"


def test_quiet_start_passes_errors_on(capfd):
    with pytest.raises(ImportError), backends._quiet_start():
        os.write(2, b"cause\n")
        raise ImportError
    assert capfd.readouterr().err == "cause\n"


def in_fresh_process(code, **env):
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("KERAS", "TF_", "COURSE"))}
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={**clean, **env}, capture_output=True,
                          text=True, check=False)


@pytest.mark.skipif(not (find_spec("keras") and find_spec("tensorflow")), reason="needs Keras and TensorFlow")
def test_real_keras_starts_silently_and_without_torch():
    done = in_fresh_process("from course_lib import use; fw = use('keras')\n"
                            "import sys, keras, numpy as np\n"
                            "keras.ops.matmul(np.ones((2, 2), 'float32'), np.ones((2, 2), 'float32'))\n"
                            "assert keras.config.backend() == 'tensorflow' and 'torch' not in sys.modules")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.skipif(not (find_spec("keras") and find_spec("torch")), reason="needs Keras and PyTorch")
def test_real_keras_on_torch_needs_no_tensorflow():
    done = in_fresh_process("from course_lib import use; fw = use('keras')\n"
                            "import sys, keras; assert keras.config.backend() == 'torch'\n"
                            "print('tensorflow' in sys.modules, fw.device())", KERAS_BACKEND="torch",
                            COURSE_DEVICE="cpu")
    assert (done.stdout, done.stderr, done.returncode) == ("False cpu:0\n", "", 0)


@pytest.mark.skipif(not find_spec("torch"), reason="needs PyTorch")
def test_real_pytorch_brings_no_keras():
    done = in_fresh_process("from course_lib import use; fw = use('pytorch'); fw.device()\n"
                            "import sys; print({'keras', 'tensorflow', 'jax'} & set(sys.modules))")
    assert (done.stdout, done.stderr) == ("set()\n", "")


@pytest.mark.skipif(not find_spec("torch"), reason="needs PyTorch")
@pytest.mark.parametrize(("asked", "threads"), [("", 1), ("2", 2)])
def test_pytorch_computes_on_one_thread_unless_told_otherwise(asked, threads, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    done = in_fresh_process("from course_lib import use; use('pytorch'); import torch; print(torch.get_num_threads())",
                            **({"OMP_NUM_THREADS": asked} if asked else {}))
    assert (done.stdout, done.stderr) == (f"{threads}\n", "")


@pytest.mark.skipif(not (find_spec("keras") and find_spec("torch")), reason="needs Keras and PyTorch")
def test_so_does_keras_on_pytorch(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    done = in_fresh_process("from course_lib import use; use('keras'); import torch; print(torch.get_num_threads())",
                            KERAS_BACKEND="torch")
    assert (done.stdout, done.stderr) == ("1\n", "")


# --- cells


@pytest.fixture
def shell(monkeypatch):
    """An IPython shell of its own, as `use` finds it."""
    import IPython
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell()
    shell.history_manager.enabled = False
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    return shell


def test_only_the_cells_of_the_chosen_framework_run(shell, capsys):
    framework.use("pytorch")
    framework.use("pytorch")  # twice is once
    for _ in range(2):
        shell.run_cell("%%pytorch\nx = 'torch'\nx")
        shell.run_cell("%%keras\nx = 'keras'\nthis is not even Python")
    assert shell.user_ns["x"] == "torch"
    assert capsys.readouterr().out.count("'torch'") == 2  # the last expression is shown
    framework.use("keras")
    assert shell.run_cell("%%keras  # shown\nx = 'keras'").success
    shell.run_cell("%%pytorch\nx = 'torch'")
    assert shell.user_ns["x"] == "keras"
    assert shell.input_transformers_cleanup.count(framework._choose_cell) == 1


def test_an_error_in_a_cell_is_the_cells_error_on_its_own_line(shell, capsys):
    framework.use("pytorch")
    result = shell.run_cell("%%pytorch\n\n1 / 0")
    assert isinstance(result.error_in_exec, ZeroDivisionError)
    assert result.error_in_exec.__traceback__.tb_next.tb_lineno == 3
    assert capsys.readouterr().out.count("ZeroDivisionError") <= 2  # shown once: heading and last line


def test_other_cells_and_magics_are_left_alone(shell):
    framework.use("pytorch")
    shell.run_cell("y = 1  # %%keras")
    shell.run_cell("%%capture captured\nprint('z')")
    assert shell.user_ns["y"] == 1 and shell.user_ns["captured"].stdout == "z\n"


@pytest.mark.skipif(not (find_spec("keras") and find_spec("tensorflow")), reason="needs Keras and TensorFlow")
def test_triton_is_imported_before_tensorflow(tmp_path):
    # PyTorch's CUDA builds bring it; imported after TensorFlow, as by the first optimizer, it ends the process.
    (tmp_path / "triton.py").touch()
    shown = in_fresh_process(f"import sys; sys.path.append({str(tmp_path)!r})\n"
                             "from course_lib import use; use('keras'); print(*sys.modules)").stdout.split()
    assert shown.index("triton") < shown.index("tensorflow")
