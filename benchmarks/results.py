"""Write docs/results.md from the stored studies: `python benchmarks/results.py`, or `make results`."""

from pathlib import Path

import numpy as np

from course_lib.common import studies
from course_lib.common.files import atomic_write

PAGE = Path(__file__).resolve().parents[1] / "docs" / "results.md"
HEAD = """# Results

What the course measured with many seeds, or for many minutes. This page is written by `make results` from the files in
[data/studies](../data/studies), which hold every row; `make study NAME=...` measures one anew. After ± stands the
spread that the line under the table names. Lessons draw their own small runs beside these.
"""


def number(value, spread=None):
    """A figure as text, with as many decimals as its spread calls for."""
    if value is None or np.isnan(value):
        return ""
    if spread is not None:
        places = 3 if spread < 0.0995 else 2 if spread < 0.995 else 1 if spread < 9.95 else 0
        return f"{value:,.{places}f} ± {spread:,.{places}f}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def cell(study, measure, where):
    """A cell of the table."""
    try:
        found = study.summary(measure, **where)
        values = study.values(measure, **where) if found.spread_is == "standard deviation" else np.zeros(0)
    except ValueError:
        return ""
    if found.spread_is == "share" or values.dtype == bool:
        return f"{found.mean * found.n:.0f} of {found.n}"
    return number(found.mean, found.spread)


def unique(rows, columns):
    """The different values of these columns, in their order."""
    return list(dict.fromkeys(tuple(row[column] for column in columns) for row in rows))


def table(study):
    """The means and spreads of a study, as a table in Markdown."""
    down, across, measures = study.table["down"], study.table["across"], study.measures
    columns = [(values, measure) for values in unique(study.rows, across) for measure in measures]
    heads = [", ".join([*map(str, values), *([measure] if len(measures) > 1 or not values else [])])
             for values, measure in columns]
    lines = ["| " + " | ".join([*down, *heads]) + " |", "|---" * (len(down) + len(heads)) + "|"]
    for values in unique(study.rows, down):
        where = dict(zip(down, values, strict=True))
        cells = [cell(study, measure, where | dict(zip(across, others, strict=True))) for others, measure in columns]
        lines.append("| " + " | ".join([*map(str, values), *cells]) + " |")
    return "\n".join(lines)


def spreads(study):
    """What stands after ±, and how many values are behind a figure."""
    kinds = {row["spread_is"] for row in study.rows if "measure" in row and row["spread"] is not None}
    if any("measure" not in row for row in study.rows):
        kinds.add("standard deviation over seeds")
    return "; ".join(sorted(kinds)) or "no spread known"


def section(study):
    """The part of the page about one study."""
    seeds = {row["n"] for row in study.rows if row.get("n")} if study.seeds is None else {len(study.seeds)}
    counts = f"{min(seeds)} to {max(seeds)}" if len(seeds) > 1 else f"{min(seeds)}" if seeds else "unknown"
    versions = ", ".join(f"{name} {version}" for name, version in (study.versions or {}).items())
    facts = [f"± {spreads(study)}", f"seeds or folds: {counts}", f"date: {study.date or 'unknown'}",
             f"commit: {study.measured_at or 'unknown'}", f"machine: {study.machine or 'unknown'}",
             f"versions: {versions or 'unknown'}", f"file: [{study.name}.json](../data/studies/{study.name}.json)"]
    return (f"## {study.title}\n\n{study.about}\n\n{table(study)}\n\n{study.note}\n\n`{study.command}` · "
            + " · ".join(facts) + "\n")


def page():
    """The whole page."""
    found = [studies.load(name) for name in studies.names()]
    contents = "\n".join(f"- {study.title}: `{study.name}`" for study in found)
    return "\n".join([HEAD, contents + "\n", *map(section, found)])


if __name__ == "__main__":
    with atomic_write(PAGE) as file:
        file.write(page().encode())
