"""Draw the pictures of the panels for the web edition into docs/site/panels: `make panels NOTEBOOK=10_tuning`.

A notebook is executed, and each of its panels is drawn for some values of its controls. panels.json says of how many
controls, and for which values of each, or how many; the other controls stay where they begin.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import shutil
import sys
from pathlib import Path

import pages

HERE = Path(__file__).resolve().parent
WIDTH = 760  # of a picture, in pixels, at most


def choices(control, count):
    """Values of a control, these or so many, in their order, and the place of the one that it begins with."""
    import ipywidgets as widgets
    import numpy as np

    start = control.value
    if isinstance(count, list):
        values = count
    elif hasattr(control, "options"):
        values = [value for _, value in control._options_full]
        if len(values) > count:
            kept = set(np.linspace(0, len(values) - 1, count).round().astype(int).tolist())
            values = [value for place, value in enumerate(values) if place in kept or value == start]
    elif isinstance(control, (widgets.Checkbox, widgets.ToggleButton)):
        values = [False, True]
    else:
        steps = np.arange(round((control.max - control.min) / control.step) + 1) * control.step + control.min
        values = (control.base**steps if isinstance(control, widgets.FloatLogSlider) else steps).tolist()
        nearest = int(np.abs(np.array(values) - start).argmin())
        kept = sorted({*np.linspace(0, len(values) - 1, count).round().astype(int).tolist(), nearest})
        values = [type(start)(start if place == nearest else values[place]) for place in kept]
    return values, values.index(start)


def shown(value):
    """A value as a label says it."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else f"{value:.3g}" if isinstance(
        value, float) else str(value)


def webp(figure):
    """A figure as a small picture."""
    from PIL import Image

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=min(100, WIDTH / figure.get_figwidth()), bbox_inches="tight")
    image, buffer = Image.open(buffer).convert("RGB"), io.BytesIO()
    image.save(buffer, format="webp", lossless=True, quality=100, method=6)
    return buffer.getvalue()


def recorder(name):
    """What stands for `course_lib.common.notebook.panel` in an executed notebook."""
    counts = json.loads((HERE / "panels.json").read_text(encoding="utf-8")).get(name, [])
    numbers = itertools.count(1)

    def panel(draw, *, alt="", **controls):
        number = next(numbers)
        if number > len(counts):
            raise ValueError(f"panels.json: expected as many entries as {name} has panels, got {len(counts)}")
        folder = HERE / "panels" / f"{name}-{number}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        tried = {control: choices(controls[control], count) for control, count in counts[number - 1].items()}
        for places in itertools.product(*(range(len(values)) for values, _ in tried.values())):
            now = {control: widget.value for control, widget in controls.items()} | {
                control: values[place] for (control, (values, _)), place in zip(tried.items(), places, strict=True)}
            (folder / f"{'-'.join(map(str, places))}.webp").write_bytes(webp(draw(**now)))
        about = {"alt": alt, "controls": [
            {"label": controls[control].description or control, "values": [*map(shown, values)], "start": start}
            for control, (values, start) in tried.items()], "others": [
            widget.description or control for control, widget in controls.items() if control not in tried]}
        (folder / "panel.json").write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")

    return panel


def main(names):
    """Execute these notebooks, and draw the pictures of their panels."""
    import nbformat
    from nbclient import NotebookClient

    root = HERE.parents[1]
    os.environ |= {"COURSE_FRAMEWORK": "pytorch", "COURSE_SEED": "0"}
    for name in names or sorted(json.loads((HERE / "panels.json").read_text(encoding="utf-8"))):
        notebook = nbformat.read(root / "notebooks" / f"{name}.ipynb", as_version=4)
        patch = (f"import sys; sys.path.append({str(HERE)!r}); import panels\n"
                 f"import course_lib.common.notebook; course_lib.common.notebook.panel = panels.recorder({name!r})")
        notebook.cells.insert(0, nbformat.v4.new_code_cell(patch))
        NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(root / "notebooks")}}).execute()
        drawn = [cell for cell in notebook.cells if cell.cell_type == "code" and pages.PANEL.search(cell.source)]
        for number, cell in enumerate(drawn, 1):
            file = HERE / "panels" / f"{name}-{number}" / "panel.json"
            file.write_text(json.dumps({"cell": pages.digest(cell), **json.loads(file.read_text("utf-8"))},
                                       ensure_ascii=False), encoding="utf-8")
            size = sum(part.stat().st_size for part in file.parent.iterdir())
            print(f"{file.parent.name}: {size // 1024} KiB", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
