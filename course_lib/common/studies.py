"""Studies: results that took many seeds or minutes, measured once and stored, as `load("dqn_cartpole")` reads them.

`python benchmarks/study.py NAME` makes one; each file holds what it takes to make it again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import NamedTuple

import numpy as np

FOLDER = Path(__file__).resolve().parents[2] / "data" / "studies"


class Summary(NamedTuple):
    """A figure over seeds or folds: `n` of them, None where unknown, as the spread may be."""

    mean: float
    spread: float | None
    n: int | None
    spread_is: str | None  # in words: what the spread is


@dataclass(frozen=True)
class Study:
    """A measured result; `load` reads one.

    Parameters
    ----------
    name, title, about, command : str
        `about` says what was measured, and how; the command makes it anew.
    settings : dict
        The configuration that decides the outcome.
    rows : list of flat dict
        One for each seed (or fold) of each case: its case (framework, system, ...), "seed", and what was measured.
        Where only a mean is known: its case, and "measure", "mean", "spread", "n", "spread_is".
    table : dict
        "down" and "across": the columns that name a case, and where they stand in a table.
    seeds : list of int, or None
    versions : dict of str, or None
        Of Python and the packages.
    date, machine, measured_at : str or None
        `measured_at` is the commit. None: unknown.
    note : str
        What the figures say, and what one should know before one believes them.
    canary : dict of {framework: {figure: float}}
        Of a run of a few seconds, which a test repeats: it shows whether the code still does the same.
    """

    name: str
    title: str
    about: str
    command: str
    settings: dict
    rows: list
    table: dict
    seeds: list | None
    versions: dict | None
    date: str | None
    machine: str | None
    measured_at: str | None
    note: str
    canary: dict

    @property
    def cases(self):
        """The columns that name a case."""
        return [*self.table["down"], *self.table["across"]]

    @property
    def measures(self):
        """What was measured, in the order of the rows."""
        found = {}
        for row in self.rows:
            found |= dict.fromkeys([row["measure"]] if "measure" in row else
                                   [name for name in row if name not in (*self.cases, "framework", "seed", "fold")])
        return list(found)

    def values(self, column, **where):
        """A column of the rows where other columns have given values.

        `study.values("steps", framework="keras", system="...")` has one value for each seed.

        Parameters
        ----------
        column : str
        **where
            Values of other columns.

        Returns
        -------
        array (n,)
            NaN where a number is missing.

        Raises
        ------
        ValueError
            If no row matches; the message says what there is.
        """
        found = [row[column] for row in self.rows
                 if column in row and all(row.get(name) == value for name, value in where.items())]
        if not found:
            there = {name: list(dict.fromkeys(row[name] for row in self.rows if name in row)) for name in where}
            raise ValueError(f"study {self.name}: no row has {column!r} where {where}; there are the columns "
                             f"{list(dict.fromkeys(name for row in self.rows for name in row))}, with {there}")
        return np.array([np.nan if value is None else value for value in found])

    def summary(self, measure, **where):
        """Mean and spread of what was measured, whether each seed is known or only these.

        Parameters
        ----------
        measure : str
        **where
            The case: values of other columns.

        Returns
        -------
        Summary
            Of values for each seed the standard deviation (n - 1), NaN left out.

        Raises
        ------
        ValueError
            If nothing matches, or several summaries do.
        """
        known = [row for row in self.rows if row.get("measure") == measure
                 and all(row.get(name) == value for name, value in where.items())]
        if len(known) > 1:
            raise ValueError(f"study {self.name}: expected one case of {measure!r}, got {len(known)} for {where}")
        if known:
            return Summary(*(known[0][name] for name in Summary._fields))
        values = self.values(measure, **where).astype(float)
        values = values[~np.isnan(values)]
        if not len(values):
            return Summary(float("nan"), None, 0, None)
        spread = float(values.std(ddof=1)) if len(values) > 1 else None
        return Summary(float(values.mean()), spread, len(values), "standard deviation" if spread is not None else None)


def names(*, folder=FOLDER):
    """The names of the stored studies, sorted.

    Raises
    ------
    FileNotFoundError
        If there is no folder of studies.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"studies: expected the folder {folder}. Studies live in data/studies of a clone of "
                                "the course, which an installed copy does not bring: work in a clone (make lab)")
    return sorted(path.stem for path in folder.glob("*.json"))


def load(name, *, folder=FOLDER):
    """Read a study.

    Parameters
    ----------
    name : str
        For example "dqn_cartpole"; `names()` lists all.
    folder : path-like, optional
        Where studies live.

    Returns
    -------
    Study

    Raises
    ------
    ValueError
        If there is no such study, or its file is not what it should be; the message says which.
    FileNotFoundError
        If there is no folder of studies, as in an installed course.
    """
    known = names(folder=folder)
    if name not in known:
        raise ValueError(f"study: expected one of {', '.join(known) or '(none yet)'}, got {name!r}")
    try:
        found = json.loads((Path(folder) / f"{name}.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"study {name}: expected JSON, got {error}") from error
    wanted = {field.name for field in fields(Study)}
    if not isinstance(found, dict) or found.keys() != wanted:
        raise ValueError(f"study {name}: expected an object of {', '.join(sorted(wanted))}, got {found!r:.80}")
    return Study(**found)
