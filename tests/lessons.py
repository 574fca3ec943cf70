"""What the cells of a lesson define."""

import ast
from pathlib import Path

import nbformat


def define(notebook, framework, wanted, names):
    """Run a framework's own cells, and of the others what is wanted by its name; all is put into `names`."""
    path = Path(__file__).resolve().parents[1] / "notebooks" / f"{notebook}.ipynb"
    for cell in nbformat.read(path, 4).cells:
        if cell.cell_type == "code" and cell.source.startswith(f"%%{framework}\n"):
            exec(cell.source.partition("\n")[2], names)
        elif cell.cell_type == "code" and not cell.source.startswith("%%"):
            for part in ast.parse(cell.source).body:
                defined = {part.name} if isinstance(part, ast.FunctionDef) else {
                    target.id for target in getattr(part, "targets", ()) if isinstance(target, ast.Name)}
                if defined & wanted:
                    exec(ast.unparse(part), names)
    return names
