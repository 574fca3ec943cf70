"""Build the web edition into docs/_build/html: `make site`. No notebook is executed."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
import shutil
import sys
from pathlib import Path

import nbformat

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "benchmarks")]
import pages  # noqa: E402
import results  # noqa: E402

from course_lib.common import studies  # noqa: E402

BUILD = ROOT / "docs" / "_build"
MATHJAX = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).with_name("static") / "mathjax" / "tex-svg.js"
GUIDES = {f"docs/{name}.md": f"guides/{name}.md" for name in ("installing", "teaching", "scaling", "pruning")}
GUIDES |= {"CONTRIBUTING.md": "guides/contributing.md", "data/README.md": "guides/data.md"}
NAMES = {"dqn": "DQN", "gan": "GANs"}
INDEXES = {  # title, what it holds, what stands first
    "results": ("Results", "What took many seeds or minutes was measured once, and stored with command, seeds, date "
                "and machine: one page a topic.", ()),
    "reference": ("Reference", "What the lessons use of the library `course_lib`; what both frameworks have stands "
                  "in tabs.", ("course_lib", "common", "networks")),
    "guides": ("Guides", "How to install the course, teach with it, use it on problems of your own, and improve it.",
               ("installing", "teaching", "teacher_dashboard", "pruning", "scaling", "data", "contributing"))}
DASHBOARD = "notebooks/teacher_dashboard.ipynb"


def lesson_times():
    """{notebook: "seconds in PyTorch / in Keras"}, from the README."""
    rows = re.findall(r"\]\((notebooks/[\w/]+\.ipynb)\) \|.*\| ([\d/ ]+ s) \|", (ROOT / "README.md").read_text("utf-8"))
    return dict(rows)


def used():
    """What lessons take from the library: {module: names}; "course_lib.topic.in_" stands for both twins of a topic."""
    found = {}
    for path in sorted((ROOT / "notebooks").glob("[01]*.ipynb")):
        cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
        nodes = [node for source in cells for node in ast.walk(ast.parse(
            source.partition("\n")[2] if source.startswith("%%") else source))]
        modules = {}  # what a name in the notebook stands for
        for node in nodes:
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("course_lib"):
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    if (ROOT / inner.replace(".", "/")).with_suffix(".py").is_file():
                        modules[alias.asname or alias.name] = inner
                    else:
                        found.setdefault(node.module, set()).add(alias.name)
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and ast.unparse(
                    node.value.func) == "fw.load":
                targets = node.targets[0].elts if isinstance(node.targets[0], ast.Tuple) else node.targets
                modules |= {target.id: f"course_lib.{topic.value}.in_" for target, topic in zip(
                    targets, node.value.args, strict=True)}
        for node in nodes:
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
                found.setdefault(modules[node.value.id], set()).add(node.attr)
    twins = {re.sub(r"in_(pytorch|keras)$", "in_", module): set() for module in found}
    for module, names in found.items():
        twins[re.sub(r"in_(pytorch|keras)$", "in_", module)] |= names
    return twins


def home(module, name):
    """The module that defines what another one offers, "course_lib.topic.in_" for a twin's own."""
    thing = getattr(importlib.import_module(module + "pytorch" * module.endswith("in_")), name)
    found = thing.__module__ if inspect.isclass(thing) or inspect.isfunction(thing) else ""
    return found if found.startswith("course_lib") and not found.endswith("in_pytorch") else module


def autodoc(module, name):
    """What Sphinx is to write about a name of a module."""
    thing = getattr(importlib.import_module(module), name)
    kind, option = ("class", ":members:") if inspect.isclass(thing) else ("function", "") if callable(thing) else (
        "data", ":no-value:")
    return f"```{{eval-rst}}\n.. auto{kind}:: {module}.{name}\n   {option}\n```\n"


def reference():
    """The pages of the library's reference: {place: Markdown}, one a package; twins in tabs."""
    packages = {}
    for module, names in used().items():
        for name in names:
            own = home(module, name)
            package = own.split(".")[1] if "." in own else "course_lib"
            packages.setdefault(package, {}).setdefault(own, set()).add(name)
    made = {}
    for package, modules in packages.items():
        lines = [f"# {package}\n"]
        for module, names in sorted(modules.items()):
            if module.endswith(".in_"):
                lines.append(f"## course_lib.{package}.in_pytorch, course_lib.{package}.in_keras\n")
                for name in sorted(names):
                    lines += [f"### {name}\n", "::::{tab-set}\n:sync-group: framework\n", *(
                        f":::{{tab-item}} {label}\n:sync: {key}\n\n{autodoc(module + key, name)}:::\n"
                        for label, key in pages.FRAMEWORKS.values()), "::::\n"]
            else:
                lines += [f"## {module}\n", *(autodoc(module, name) for name in sorted(names))]
        made[f"reference/{package}.md"] = "\n".join(lines)
    return made


def plotted(study):
    """The measure of a study that is drawn: the first that is not about its own cost or success."""
    return next((name for name in study.measures if name not in ("cold seconds", "solved")), study.measures[0])


def plot(study, path):
    """Draw one measure of a study, its mean and spread for each case and framework, as an SVG."""
    from matplotlib.figure import Figure

    from course_lib.common import plotting

    measure, down = plotted(study), study.cases
    frameworks = list(dict.fromkeys(row.get("framework") for row in study.rows))
    cases = results.unique(study.rows, [name for name in down if name != "framework"])
    with plotting.style():
        figure = Figure(figsize=(7.6, 0.8 + 0.24 * len(cases)), layout="constrained")
        ax = figure.add_subplot()
        for place, framework in enumerate(frameworks):
            for row, values in enumerate(cases):
                where = dict(zip([name for name in down if name != "framework"], values, strict=True))
                try:
                    found = study.summary(measure, **where, **({"framework": framework} if framework else {}))
                except ValueError:
                    continue
                height = row + 0.2 * (place - (len(frameworks) - 1) / 2)
                ax.errorbar(found.mean, height, xerr=found.spread or 0, fmt="o", color=plotting.COLOURS[place],
                            markersize=4)
        for place, framework in enumerate(frameworks if len(frameworks) > 1 else ()):
            ax.plot([], [], "o", color=plotting.COLOURS[place], label=framework)
        ax.set(xlabel=measure, yticks=range(len(cases)), yticklabels=[", ".join(map(str, values)) for values in cases])
        ax.invert_yaxis()
        if len(frameworks) > 1:
            ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, fontsize=8)
        figure.savefig(path, metadata={"Date": None})


def measured(figures, known):
    """The pages of results: {place: Markdown}, one a topic."""
    topics = {}
    for name in studies.names():
        topics.setdefault(name.partition("_")[0], []).append(studies.load(name))
    made = {}
    for topic, found in topics.items():
        place, parts = f"results/{topic}.md", [f"# {NAMES.get(topic, topic.capitalize())}: what was measured\n"]
        for study in found:
            plot(study, figures / f"{study.name}.svg")
            section = pages.linked(results.section(study), "docs/results.md", place, known)
            head, rest = section.split("\n\n", 1)
            about, rest = rest.split("\n\n", 1)
            alt = f"Mean and spread of {plotted(study)} for each case; the table has the figures."
            parts += [head, about, f"![{alt}](../_static/figures/{study.name}.svg)", rest]
        made[place] = "\n\n".join(parts)
    return made


def slug(title):
    """The anchor of a heading, as GitHub and MyST make it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def main():
    """Write the sources of the site, and build it; any warning is an error."""
    from sphinx.cmd.build import main as sphinx

    source, target = BUILD / "source", BUILD / "html"
    shutil.rmtree(BUILD, ignore_errors=True)
    figures, images = source / "_static" / "figures", ROOT / "notebooks" / "images"
    shutil.copytree(HERE / "static", source / "_static")
    for folder, name in ((images, "images"), (pages.PANELS, "panels")):
        shutil.copytree(folder, source / "_static" / name)
    (source / "_static" / "mathjax").mkdir()
    shutil.copy(MATHJAX, source / "_static" / "mathjax")
    figures.mkdir()
    lessons = sorted((ROOT / "notebooks").glob("[01]*.ipynb"))
    known = {f"notebooks/{path.name}": f"lessons/{path.name}" for path in lessons}
    known |= GUIDES | {DASHBOARD: "guides/teacher_dashboard.ipynb"}
    known |= {f"notebooks/images/{path.name}": f"_static/images/{path.name}" for path in images.iterdir()}
    known |= {f"docs/results.md#{slug(studies.load(name).title)}": f"results/{name.partition('_')[0]}.md"
              for name in studies.names()}
    known |= {"README.md": "index.md", "docs/results.md": "results/index.md", "data/studies": "results/index.md",
              "notebooks/assignments": "guides/teaching.md"}
    written = {"index.md": front(known), **measured(figures, known), **reference()}
    for path, place in GUIDES.items():
        written[place] = pages.linked((ROOT / path).read_text("utf-8"), path, place, known)
    dashboard = pages.page(nbformat.read(ROOT / DASHBOARD, as_version=4), DASHBOARD, known[DASHBOARD], known, figures)
    written[known[DASHBOARD]] = nbformat.writes(dashboard)
    topics = [path.stem.partition("_")[2] for path in lessons]
    for folder, (title, about, first) in INDEXES.items():
        names = sorted((Path(place).stem for place in written if place.startswith(folder)), key=lambda name: (
            [*first, *topics].index(name) if name in [*first, *topics] else len(written), name))
        written[f"{folder}/index.md"] = (f"# {title}\n\n{about}\n\n```{{toctree}}\n:maxdepth: 1\n\n" + "\n".join(names)
                                         + "\n```\n")
    for place, text in written.items():
        (source / place).parent.mkdir(exist_ok=True)
        (source / place).write_text(text, encoding="utf-8")
    (source / "lessons").mkdir()
    (source / "_static" / "notebooks").mkdir()
    for path in lessons:
        shutil.copy(path, source / "_static" / "notebooks")
        nbformat.write(lesson(path, known, figures), source / "lessons" / path.name)
    for target_file, place in known.items():
        if place.startswith("files/"):
            (source / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / target_file, source / place)
    sys.exit(sphinx(["-q", "-W", "--keep-going", "-b", "html", "-c", str(HERE), str(source), str(target)]))


def lesson(path, known, figures):
    """The page of a lesson, with a head that offers the notebook itself."""
    name = path.name
    notebook = pages.page(nbformat.read(path, as_version=4), f"notebooks/{name}", f"lessons/{name}", known, figures)
    title, _, rest = notebook.cells[0].source.partition("\n")
    notebook.cells[0].source = (
        f'{title}\n\n<a href="../_static/notebooks/{name}" download>Download this notebook</a> · '
        f"{pages.binder(name)}*Run All Cells*: {lesson_times()[f'notebooks/{name}']} (PyTorch / Keras)\n\n"
        "You read what a run in PyTorch left behind; code stands here in both frameworks, and the claims hold in both. "
        f"To run, change and solve it, [install the course](../guides/installing.md).\n{rest}")
    return notebook


def front(known):
    """The first page: the README, with the site's contents."""
    text = (ROOT / "README.md").read_text("utf-8")
    text, found = re.subn(r"To read before you install, `make site`[^.]*\.",
                          "To read first, begin with [00 start here](notebooks/00_start_here.ipynb).", text)
    if not found:
        raise ValueError("README.md: expected a sentence that begins with 'To read before you install, `make site`'")
    text = re.sub(r"!\[[^]]*\]", lambda alt: alt[0].replace("\n", " "), text)
    text = pages.linked(text, "README.md", "index.md", known)
    lessons = "\n".join(place.removesuffix(".ipynb") for place in known.values() if place.startswith("lessons/"))
    return (f"{text}\n\n```{{toctree}}\n:hidden:\n:caption: Lessons\n\n{lessons}\n```\n\n```{{toctree}}\n:hidden:\n"
            ":caption: More\n\nguides/index\nresults/index\nreference/index\n```\n")


if __name__ == "__main__":
    main()
