"""A newcomer's first hour: `make lab`, and the first two notebooks in JupyterLab itself."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
IDLE = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
RUN_ALL = """jupyterapp.commands.execute('notebook:run-all-cells')
    .then(() => jupyterapp.shell.currentWidget.content.model.toJSON().cells)"""
FRAMEWORK = """jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute(
    {code: "", user_expressions: {name: "fw.name"}}).done.then(reply => reply.content.user_expressions.name.data)"""
OPEN = ".jp-NotebookPanel:not(.lm-mod-hidden)"


@pytest.fixture(params=["pytorch", "keras"])
def lab(request, tmp_path):
    """The framework, and the address of a JupyterLab that `make lab` opened in a copy of the notebooks."""
    if not find_spec({"pytorch": "torch"}.get(request.param, request.param)):
        pytest.skip(f"{request.param} is not installed")
    key = subprocess.run("cat pyproject.toml requirements.txt | cksum | cut -d ' ' -f 1", shell=True, cwd=ROOT,
                         capture_output=True, text=True).stdout.strip()
    if not list(Path(sys.prefix).glob(f".complete-{key}-*")):  # else `make lab` would install anew
        pytest.skip("needs an environment that make has set up from pyproject.toml and requirements.txt as they are")
    for name in ("Makefile", "pyproject.toml", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = (f"--no-browser --IdentityProvider.token= --ServerApp.port={port} --ServerApp.port_retries=0 "
               "--LabApp.expose_app_in_browser=True")
    own = {name: str(tmp_path / name) for name in (
        "JUPYTER_CONFIG_DIR", "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR", "COURSE_PROGRESS_FILE")}
    with open(tmp_path / "said", "w+", encoding="utf-8") as said:
        server = subprocess.Popen(
            ["make", "lab", f"FRAMEWORK={request.param}", f"VENV={sys.prefix}", f"LAB_ARGS={options}"], cwd=tmp_path,
            env={**os.environ, **own}, stdout=said, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            for _ in range(300):
                said.seek(0)
                if "is running at" in said.read():
                    break
                assert server.poll() is None
                time.sleep(0.2)
            yield request.param, f"http://127.0.0.1:{port}/"
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait()
    said = (tmp_path / "said").read_text(encoding="utf-8")
    assert "nothing to install" in said and "Opening JupyterLab on notebooks/00_start_here.ipynb" in said


def run_all(page):
    """Run the open notebook with JupyterLab's own command; the code cells as they then stand."""
    page.wait_for_function(IDLE, timeout=60_000)
    cells = [cell for cell in page.evaluate(RUN_ALL) if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell["outputs"]]
    assert [output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"] == []
    return "".join("".join(output.get("text", "")) for output in outputs)


def test_a_newcomer_runs_the_first_two_notebooks(page, lab):
    framework, address = lab
    said = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith((address, "data:", "blob:"))
            else said.append(request.url))
    page.goto(address)
    page.wait_for_url("**/notebooks/00_start_here.ipynb", timeout=60_000)
    printed = run_all(page)
    assert "✓ gradient descent finds NumPy's least-squares line" in printed
    assert "✗ 00.mean_squared_error: case 1" in printed  # the mistake that the notebook shows

    page.locator(f"{OPEN} a", has_text="01 deep Q-learning").last.click()
    page.wait_for_url("**/notebooks/01_dqn.ipynb")
    printed = run_all(page)
    assert page.evaluate(FRAMEWORK) == {"text/plain": repr(framework)}
    assert printed.count("✓") > 10 and "✗" not in printed

    panel = page.locator(f"{OPEN} .jp-OutputArea-output", has=page.locator(".noUi-handle")).first
    picture = panel.locator("img")
    before = picture.get_attribute("src")
    panel.locator(".noUi-handle").first.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("([picture, before]) => picture.src !== before && picture.naturalWidth > 100",
                           arg=[picture.element_handle(), before])

    question = page.locator(f"{OPEN} .Quiz").first
    for label, verdict in (("The discount is too close to 1.", "incorrect"), ("The maximum prefers", "correct")):
        question.locator("label.MCButton", has_text=label).click()
        assert verdict in question.locator(".Feedback").get_attribute("class").lower().split()
    assert said == []
