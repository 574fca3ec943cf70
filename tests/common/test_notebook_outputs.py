"""What the display helpers leave in a notebook: run in a real kernel, stored as nbval would compare it."""

from pathlib import Path

import nbformat
import pytest

nbclient = pytest.importorskip("nbclient")
ROOT = Path(__file__).resolve().parents[2]

CELLS = [
    "from course_lib.common import notebook, plotting, framework\nimport numpy as np, time",
    "for _ in notebook.progress(range(5), desc='work'):\n    time.sleep(0.02)",
    "with notebook.progress(total=100) as bar:\n    bar.update(7)",
    "with plotting.LiveCurve(xlabel='x', ylabel='y', title='t', every=0) as curve:\n"
    "    for i in range(4):\n        curve.update(i, i)",
    "plotting.animation(np.zeros((3, 20, 20, 3), np.uint8))",
    "framework.find_spec = lambda name: True\nframework.use('pytorch')",
    "%%keras\n1 / 0",
    "%%pytorch\n6 * 7",
    "%%pytorch\nassert False, 'ours'",
]


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
    book.cells[-1].metadata["tags"] = ["raises-exception"]
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COURSE_FRAMEWORK", raising=False)
        patch.setenv("PYTHONPATH", str(ROOT))
        folder = {"metadata": {"path": str(tmp_path_factory.getbasetemp())}}
        nbclient.NotebookClient(book, timeout=60, resources=folder).execute()
    return [[kinds(output) for output in cell.outputs] for cell in book.cells]


def kinds(output):
    """An output as (type, what nbval compares of it): PNG images are not compared."""
    if output.output_type == "error":
        return "error", output.ename
    if output.output_type == "stream":
        return output.name, output.text
    compared = {k: v for k, v in output.data.items() if k != "image/png"}
    return ("image" if "image/png" in output.data else output.output_type), compared


IMAGE = ("image", {"text/plain": "<IPython.core.display.Image object>"})


def test_a_finished_bar_leaves_an_empty_output(cells):
    assert cells[1] == cells[2] == [("display_data", {"text/plain": ""})]


def test_a_live_curve_is_one_image(cells):
    assert cells[3] == [IMAGE]


def test_an_animation_is_one_image(cells):
    assert cells[4] == [IMAGE]


def test_framework_cells(cells):
    assert cells[5] == [("execute_result", {"text/plain": "Framework(name='pytorch')"})]
    assert cells[6] == []
    assert cells[7] == [("execute_result", {"text/plain": "42"})]
    assert cells[8] == [("error", "AssertionError")]
