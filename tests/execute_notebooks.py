"""Execute notebooks in place, keep their outputs, and keep nothing that depends on the run.

`make notebooks` runs it; names of notebooks (01_dqn) limit it to those.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
WIDGET = "application/vnd.jupyter.widget-view+json"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def tidy(notebook):
    """Leave out all that differs from run to run or from machine to machine: in place."""
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    for cell in notebook.cells:
        kept = {name: cell.metadata[name] for name in ("because", "jupyter", "tags") if cell.metadata.get(name)}
        cell.metadata = nbformat.from_dict(kept)
        for output in cell.get("outputs", []):
            # A stored widget without its state would be shown as an error; the text beside it stays.
            output.get("data", {}).pop(WIDGET, None)
            if "metadata" in output:
                output["metadata"].pop(WIDGET, None)


def write(notebook, path):
    """Write the whole notebook, or leave the old one as it is."""
    nbformat.validate(notebook)
    text = nbformat.writes(notebook) + "\n"
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def execute(path):
    """Execute one notebook from its own folder, in a fresh kernel."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    # Without store_widget_state nbclient 0.11 raises KeyError at an Output widget; tidy() removes the state.
    client = NotebookClient(notebook, timeout=180, kernel_name="python3", record_timing=False,
                            store_widget_state=True, coalesce_streams=True,
                            extra_arguments=["--IPKernelApp.log_level=ERROR"],
                            resources={"metadata": {"path": str(path.parent)}})
    client.execute()
    tidy(notebook)
    write(notebook, path)


def main(names):
    paths = [(FOLDER / name).with_suffix(".ipynb") for name in names] or sorted(FOLDER.glob("*.ipynb"))
    missing = [path.name for path in paths if not path.exists()]
    if missing or not paths:
        sys.exit(f"No such notebook: {', '.join(missing) or 'there is none yet'}")
    framework = os.environ.setdefault("COURSE_FRAMEWORK", "pytorch")
    with tempfile.TemporaryDirectory() as folder:  # the stored bars are a newcomer's, not the author's
        os.environ["COURSE_PROGRESS_FILE"] = str(Path(folder) / "progress.json")
        for path in paths:
            start = time.perf_counter()
            print(f"Executing {path.name} with {framework} ...", flush=True)
            execute(path)
            print(f"  written, {time.perf_counter() - start:.0f} s", flush=True)
    print(f"Notebooks executed: {len(paths)}.")


if __name__ == "__main__":
    main(sys.argv[1:])
