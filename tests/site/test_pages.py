"""Notebooks as pages: tabs, dropdowns, links, pictures and panels; and the values for which a panel is drawn."""

import base64
import io
import json
import sys
from pathlib import Path

import ipywidgets as widgets
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs" / "site"))
import pages  # noqa: E402
import panels  # noqa: E402

from course_lib.exercises.engine import registry  # noqa: E402

PICTURE = base64.b64encode(b"a picture").decode()


def test_cells_of_both_frameworks_are_one_set_of_tabs():
    cells = [new_code_cell(source) for source in ("%%pytorch\na = 1", "%%keras\nb = 2", "c = 3", "%%keras\nd = 4",
                                                  "%%keras\ne = 5")] + [new_markdown_cell("f")]
    assert [len(group) for group in pages.grouped(cells)] == [2, 1, 1, 1, 1]
    text = pages.tabs(cells[:2]).source
    assert text.startswith("::::{tab-set}\n:sync-group: framework") and text.endswith("::::")
    first, second = text.split(":::{tab-item} ")[1:]
    assert first.startswith("PyTorch\n:sync: pytorch") and "a = 1" in first and "%%" not in text
    assert second.startswith("Keras\n:sync: keras") and "b = 2" in second


def test_details_are_dropdowns():
    text = pages.dropdowns("before\n<details><summary>An answer</summary>\n\nBecause.\n\n</details>\nafter")
    assert text == "before\n:::{dropdown} An answer\nBecause.\n:::\nafter"
    nested = pages.dropdowns("<details><summary>A</summary>\n:::{note}\nx\n:::\n</details>")
    assert nested.startswith("::::{dropdown} A") and nested.endswith("\n::::")


def test_links_lead_to_pages_or_to_files_of_the_site():
    known = {"notebooks/01_dqn.ipynb": "lessons/01_dqn.ipynb", "docs/results.md": "results/index.md",
             "docs/results.md#a-study": "results/dqn.md"}
    text = ("[a](01_dqn.ipynb) [b](../docs/results.md#a-study) [c](../docs/results.md#x) [d](../LICENSE) "
            "[e](https://example.org/f(x)) [f](#here)")
    assert pages.linked(text, "notebooks/00_start_here.ipynb", "lessons/00_start_here.ipynb", known) == (
        "[a](01_dqn.ipynb) [b](../results/dqn.md#a-study) [c](../results/index.md#x) [d](../files/LICENSE) "
        "[e](https://example.org/f(x)) [f](#here)")
    assert known["LICENSE"] == "files/LICENSE"
    with pytest.raises(ValueError, match=r"docs/x.md: expected a file as the target of a link, got 'nothing.md'"):
        pages.linked("[g](nothing.md)", "docs/x.md", "guides/x.md", {})


def test_the_public_address_stands_in_one_place(monkeypatch, tmp_path):
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    monkeypatch.setattr(pages, "ROOT", tmp_path)
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    assert pages.repository() == pages.binder("01_dqn.ipynb") == ""
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.com")
    monkeypatch.setenv("GITHUB_REPOSITORY", "someone/fork")
    assert pages.repository() == "https://github.com/someone/fork"
    (tmp_path / "pyproject.toml").write_text('[project.urls]\nRepository = "https://github.com/us/course/"\n')
    assert pages.repository() == "https://github.com/us/course"
    assert pages.binder("01_dqn.ipynb") == (
        "[Open on Binder](https://mybinder.org/v2/gh/us/course/HEAD?urlpath=lab/tree/notebooks/01_dqn.ipynb) · ")
    (tmp_path / "pyproject.toml").write_text('[project.urls]\nRepository = "https://elsewhere.org/us/course"\n')
    assert pages.binder("01_dqn.ipynb") == ""


def test_a_page_shows_what_the_notebook_holds(tmp_path):
    about = {"image/png": {"alt": 'A "hill"', "width": 300}}
    cells = [new_markdown_cell("# Title\n[a](../LICENSE)"),
             new_code_cell("draw()", metadata={"jupyter": {"source_hidden": True}, "because": "x"}, outputs=[
                 new_output("display_data", {"image/png": PICTURE, "text/plain": "<Figure>"}, metadata=about),
                 new_output("display_data", {"image/png": base64.b64encode(b"another").decode()}),
                 new_output("stream", name="stdout", text="said")])]
    page = pages.page(new_notebook(cells=cells), "notebooks/x.ipynb", "lessons/x.ipynb", {}, tmp_path)
    stored, other = sorted(tmp_path.iterdir(), key=Path.read_bytes)
    assert stored.read_bytes() == b"a picture" and "../files/LICENSE" in page.cells[0].source
    image, second, said = page.cells[1].outputs
    assert other.name in second.data["text/html"] and stored.name not in second.data["text/html"]
    file = f"../_static/figures/{stored.name}"
    assert image.data == {"text/html": f'<a href="{file}"><img src="{file}" loading="lazy" '
                                       'alt="A &quot;hill&quot;" width="300"></a>'}
    assert said.text == "said" and page.cells[1].metadata == {"tags": ["hide-input"]}


def test_what_is_to_be_predicted_is_folded(tmp_path):
    def cell(source, shows):
        return new_code_cell(source, outputs=[new_output("stream", text="4")] * shows)

    cells = [cell("1", True), new_markdown_cell("**Predict:** how many?"), cell("def f(): ...", False),
             new_markdown_cell("Then:"), cell("f()", True), cell("g()", True), new_markdown_cell("So it is."),
             cell("2", True), new_markdown_cell("**Predict**"), new_markdown_cell("## Another section"),
             cell("3", True)]
    made = pages.page(new_notebook(cells=cells), "notebooks/x.ipynb", "lessons/x.ipynb", {}, tmp_path)
    folded = [one.source for one in made.cells if "hide-output" in one.metadata.get("tags", [])]
    assert folded == ["f()", "g()"]


def test_an_exercise_has_its_hints_and_its_solution(tmp_path):
    source = 'def my_epsilon_at(step): ...\n\n\ncheck("01.epsilon_at", my_epsilon_at)'
    cells = [new_code_cell(source), new_code_cell('check("no.such", f)'), new_code_cell("check(1)")]
    made = pages.page(new_notebook(cells=cells), "notebooks/x.ipynb", "lessons/x.ipynb", {}, tmp_path)
    assert [one.cell_type for one in made.cells] == ["code", "markdown", "code", "code"]
    exercise = registry.EXERCISES["01.epsilon_at"]
    assert all(hint in made.cells[1].source for hint in exercise.hints)
    assert "def linear_epsilon(" in made.cells[1].source.split("Our solution")[-1]


def test_a_panel_is_its_pictures_and_a_change_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "PANELS", tmp_path)
    cell = new_code_cell("def draw(): ...\n\n\npanel(draw)", outputs=[new_output("stream", text="still")])
    (tmp_path / "x-1").mkdir()
    (tmp_path / "x-1" / "panel.json").write_text(json.dumps({"cell": pages.digest(cell), "alt": "A", "controls": []}))
    page = pages.page(new_notebook(cells=[cell]), "notebooks/x.ipynb", "lessons/x.ipynb", {}, tmp_path)
    [output] = page.cells[0].outputs
    assert 'data-folder="../_static/panels/x-1/"' in output.data["text/html"] and "cell" not in output.data["text/html"]
    with pytest.raises(ValueError, match="x: panel 1 is not as its pictures were drawn: make panels NOTEBOOK=x"):
        pages.panel(new_code_cell("panel(other)"), "x", 1)


@pytest.mark.parametrize(("control", "count", "values", "start"), [
    (widgets.IntSlider(3, min=0, max=40), 3, [0, 3, 20, 40], 1),
    (widgets.FloatSlider(0.5, min=0, max=1, step=0.05), 3, [0.0, 0.5, 1.0], 1),
    (widgets.FloatLogSlider(0.01, min=-3, max=-1, step=1), 9, [0.001, 0.01, 0.1], 1),
    (widgets.IntSlider(3, min=0, max=40), [0, 1, 3, 40], [0, 1, 3, 40], 2),
    (widgets.Checkbox(True), 2, [False, True], 1),
    (widgets.Dropdown(options=["a", "b", "c"], value="c"), 9, ["a", "b", "c"], 2),
    (widgets.SelectionSlider(options=[("one", 1), ("two", 2), ("three", 3), ("four", 4)], value=2), 2, [1, 2, 4], 1)])
def test_values_that_are_drawn(control, count, values, start):
    found, place = panels.choices(control, count)
    assert [round(value, 9) if isinstance(value, float) else value for value in found] == values
    assert place == start and type(found[place]) is type(control.value)


def test_every_combination_is_drawn(tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    monkeypatch.setattr(panels, "HERE", tmp_path)
    (tmp_path / "panels.json").write_text(json.dumps({"x": [{"a": 3, "b": 2}]}))
    drawn, panel = [], panels.recorder("x")
    panel(lambda **now: drawn.append(now) or Figure(figsize=(1, 1)), alt="A", a=widgets.IntSlider(0, min=0, max=2),
          b=widgets.Checkbox(False, description="really"), c=widgets.IntSlider(7))
    assert drawn == [{"a": a, "b": b, "c": 7} for a in (0, 1, 2) for b in (False, True)]
    folder = tmp_path / "panels" / "x-1"
    pictures = {f"{a}-{b}.webp" for a in range(3) for b in (0, 1)}
    assert {file.name for file in folder.iterdir()} == {"panel.json", *pictures}
    assert json.loads((folder / "panel.json").read_text()) == {"alt": "A", "controls": [
        {"label": "a", "values": ["0", "1", "2"], "start": 0},
        {"label": "really", "values": ["no", "yes"], "start": 0}], "others": ["c"]}
    assert Image.open(io.BytesIO((folder / "0-0.webp").read_bytes())).format == "WEBP"
    with pytest.raises(ValueError, match="expected as many entries as x has panels, got 1"):
        panel(lambda: None)
