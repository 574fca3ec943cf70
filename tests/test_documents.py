"""The Python in README.md and docs/pruning.md runs as it stands, in a process and a folder of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FRAMEWORKS = ["pytorch", pytest.param("keras", marks=pytest.mark.keras)]


def printed(document, framework, folder):
    """What the document's one example in a framework prints."""
    examples = re.findall(r"^```python\n(.*?)^```", (ROOT / document).read_text(encoding="utf-8"), re.M | re.S)
    [source] = [example for example in examples if framework in example]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", source], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_network_of_ones_own_is_pruned(framework, tmp_path):
    pytest.importorskip({"pytorch": "torch", "keras": "tensorflow"}[framework])
    found = printed("docs/pruning.md", f"in_{framework}", tmp_path)
    assert "90.0% of the weights are 0" in found and "6,310 of 50,610 parameters" in found
    assert float(re.search(r"accuracy (\d\.\d+)", found).group(1)) > 0.9


@pytest.mark.keras
def test_the_readme_trains_an_agent_and_saves_it(tmp_path):
    pytest.importorskip("tensorflow")
    printed("README.md", "keras", tmp_path)
    assert (tmp_path / "cartpole.npz").stat().st_size > 1000
