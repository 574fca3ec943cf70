"""Notebooks and guides as pages of the web edition; nothing is executed.

- Adjacent cells of `%%pytorch` and `%%keras` become tabs, synchronised over the whole site.
- `<details>` become dropdowns; the code of folded cells is hidden; pictures become files with their alt text.
- A panel becomes controls over the pictures that `make panels` has drawn beforehand.
"""

from __future__ import annotations

import base64
import hashlib
import html
import importlib
import json
import os
import re
import tomllib
from pathlib import Path

from nbformat.v4 import new_markdown_cell, new_output

from course_lib.exercises.engine import registry

ROOT = Path(__file__).resolve().parents[2]
PANELS = Path(__file__).with_name("panels")
FRAMEWORKS = {"%%pytorch": ("PyTorch", "pytorch"), "%%keras": ("Keras", "keras")}
DETAILS = re.compile(r"<details>\s*<summary>(.*?)</summary>\s*(.*?)\s*</details>", re.DOTALL)
CHECK = re.compile(r'^check\("([\w.]+)"', re.MULTILINE)
PANEL = re.compile(r"^panel\(", re.MULTILINE)
LINK = re.compile(r"(\])\((?!https?:|#|mailto:)([^)#\s]+)(#[^)]*)?\)")


def repository():
    """The public address of the course, from pyproject.toml or from where a workflow runs; "" where there is none."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    here = "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}".format_map(os.environ) if "GITHUB_REPOSITORY" in os.environ else ""
    return project.get("urls", {}).get("Repository", here).rstrip("/")


def binder(name):
    """A link that opens a notebook on Binder, in Markdown; "" where the course has no address on GitHub."""
    place = repository().partition("//github.com/")[2]
    address = f"https://mybinder.org/v2/gh/{place}/HEAD?urlpath=lab/tree/notebooks/{name}"
    return f"[Open on Binder]({address}) · " if place else ""


def framework_of(cell):
    """The magic that a code cell begins with, "%%pytorch" or "%%keras", or None."""
    magic = cell.source.partition("\n")[0].strip() if cell.cell_type == "code" else None
    return magic if magic in FRAMEWORKS else None


def grouped(cells):
    """The cells in lists: those of both frameworks that stand side by side together, each other one alone."""
    groups = []
    for cell in cells:
        mine, last = framework_of(cell), [framework_of(other) for other in groups[-1]] if groups else []
        if mine and last and None not in last and mine not in last:
            groups[-1].append(cell)
        else:
            groups.append([cell])
    return groups


def tabs(cells):
    """A Markdown cell with one tab for each framework's cell."""
    items = []
    for cell in cells:
        label, key = FRAMEWORKS[framework_of(cell)]
        code = cell.source.partition("\n")[2]
        items.append(f":::{{tab-item}} {label}\n:sync: {key}\n\n```python\n{code}\n```\n:::")
    text = "::::{tab-set}\n:sync-group: framework\n\n" + "\n\n".join(items) + "\n::::"
    return new_markdown_cell(text, id=cells[0].id)


def dropdowns(text):
    """The text with each `<details>` as a dropdown, fenced by more colons than any inside it."""
    def one(found):
        colons = ":" * max(3, 1 + max(map(len, re.findall(r":{3,}", found[2])), default=0))
        return f"{colons}{{dropdown}} {found[1].strip()}\n{found[2]}\n{colons}"

    return DETAILS.sub(one, text)


def linked(text, path, place, known):
    """The text with links as the site has them.

    Parameters
    ----------
    text : str
        Markdown of the file `path`, whose page is `place`.
    path, place : str
        Relative to the repository, and to the site.
    known : dict of {path: place}
        Where files, or sections of them ("file#section"), are on the site; a file that is linked for the first time
        is added, below files/.
    """
    def one(found):
        target = os.path.normpath(os.path.join(os.path.dirname(path), found[2]))
        target += found[3] if target + (found[3] or "") in known and found[3] else ""
        if target not in known:
            if not (ROOT / target).is_file():
                raise ValueError(f"{path}: expected a file as the target of a link, got {found[2]!r}")
            known[target] = f"files/{target}"
        return f"{found[1]}({os.path.relpath(known[target], os.path.dirname(place) or '.')}{found[3] or ''})"

    return LINK.sub(one, text)


def as_html(output, folder):
    """An output whose picture is a file in a folder, under its digest."""
    data = output.get("data", {})
    if "image/png" not in data:
        return output
    image, about = base64.b64decode(data["image/png"]), output.get("metadata", {}).get("image/png", {})
    name = hashlib.sha256(image).hexdigest()[:16] + ".png"
    (folder / name).write_bytes(image)
    width = f' width="{about["width"]}"' if "width" in about else ""
    file = f"../_static/figures/{name}"
    return new_output("display_data", {"text/html": f'<a href="{file}"><img src="{file}" loading="lazy" '
                                                    f'alt="{html.escape(about.get("alt", ""))}"{width}></a>'})


def digest(cell):
    """What tells whether a panel's pictures are of the cell as it stands."""
    return hashlib.sha256(cell.source.encode()).hexdigest()[:16]


def panel(cell, name, number):
    """The HTML of a notebook's panel: controls over its pictures."""
    about = json.loads((PANELS / f"{name}-{number}" / "panel.json").read_text(encoding="utf-8"))
    if about.pop("cell") != digest(cell):
        raise ValueError(f"{name}: panel {number} is not as its pictures were drawn: make panels NOTEBOOK={name}")
    return (f'<div class="course-panel" data-folder="../_static/panels/{name}-{number}/" '
            f'data-panel="{html.escape(json.dumps(about))}"></div>')


def helps(source):
    """Hints and solution of the exercise that a cell checks, as a Markdown dropdown; "" where it checks none."""
    found = CHECK.search(source)
    if not found or found[1] not in registry.EXERCISES:
        return ""
    exercise = registry.EXERCISES[found[1]]
    hints = "".join(f"{number}. {hint}\n" for number, hint in enumerate(exercise.hints, 1))
    answers = [("", exercise.reference)]
    if exercise.tensors:
        package = next(topic.package for topic in registry.TOPICS if exercise in topic.exercises)
        answers = [(f"{label}:\n\n", getattr(importlib.import_module(f"course_lib.{package}.in_{key}"),
                                             exercise.reference.__name__)) for label, key in FRAMEWORKS.values()]
    code = "\n".join(f"{label}```python\n{registry.shown_source(answer, exercise.draw()[0])}\n```\n"
                     for label, answer in answers)
    return (f"::::{{dropdown}} Hints, and our solution\n{hints}\n"
            f":::{{dropdown}} Our solution\n{code}:::\n::::")


def page(notebook, path, place, known, figures):
    """The page of a notebook, a notebook itself; pictures are written into the folder `figures`.

    What one is to predict is folded: the first cells that show something after "**Predict", as far as the next text.
    """
    cells, panels, name, predicted, folded = [], 0, Path(path).stem, False, False
    for group in grouped(notebook.cells):
        cell = group[0]
        if framework_of(cell):
            cells.append(tabs(group))
        elif cell.cell_type == "markdown":
            cells.append(new_markdown_cell(linked(dropdowns(cell.source), path, place, known), id=cell.id))
            predicted = "**Predict" in cell.source or predicted and not folded and not cell.source.startswith("#")
            folded = False
        else:
            hidden = cell.metadata.get("jupyter", {}).get("source_hidden", False)
            fold = predicted and cell.outputs and not PANEL.search(cell.source)
            cell.metadata = {"tags": ["hide-input"] * hidden + ["hide-output"] * bool(fold)}
            folded = folded or predicted and bool(cell.outputs)
            cell.outputs = [as_html(output, figures) for output in cell.outputs]
            if PANEL.search(cell.source):
                panels += 1
                cell.outputs = [new_output("display_data", {"text/html": panel(cell, name, panels)})]
            cells.append(cell)
            if help_of := helps(cell.source):
                cells.append(new_markdown_cell(help_of, id=f"{cell.id}-helps"))
    notebook.cells = cells
    return notebook
