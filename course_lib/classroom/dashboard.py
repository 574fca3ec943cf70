"""What a teacher wants to see of a class: scores by exercise, common mistakes, students who may need help."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from course_lib.classroom.exports import safe
from course_lib.common.plotting import COLOURS
from course_lib.exercises.engine.registry import find

STATES = ("right", "partly", "wrong", "stopped", "missing", "to be read", "not written", "not handed in",
          "not graded")
_LOOKS = dict(zip(STATES, ((COLOURS[0], ""), (COLOURS[0], "\\\\"), (COLOURS[1], "//"), (COLOURS[2], "xx"),
                           (COLOURS[3], ".."), (COLOURS[4], "--"), ("#E6E6E6", ""), ("#BDBDBD", "oo"),
                           ("#7F7F7F", "**")), strict=True))


def by_exercise(results):
    """How many students are in which state with each exercise: a DataFrame, exercises in rows, `STATES` in columns."""
    table = pd.DataFrame(0, index=_exercises(results), columns=list(STATES))
    for result in results:
        for mark in result.marks:
            state = mark.state if not result.problem else "not handed in" if result.graded else "not graded"
            if mark.id in table.index:
                table.loc[mark.id, state] += 1
    return table


def misconceptions(results):
    """The known mistakes behind wrong answers, the most common first.

    Returns
    -------
    DataFrame
        "exercise", "students" (how many made it), "hint" (what the course tells them); where no known mistake fits,
        the hint is empty.
    """
    counts = {}
    for result in results:
        for mark in result.marks:
            if mark.state in ("wrong", "partly") and not mark.id.endswith(".project"):
                hint = find(mark.id).wrong[mark.mistake].hint if mark.mistake is not None else ""
                counts[mark.id, hint] = counts.get((mark.id, hint), 0) + 1
    rows = sorted(((name, count, hint) for (name, hint), count in counts.items()), key=lambda row: (-row[1], row))
    return pd.DataFrame(rows, columns=["exercise", "students", "hint"])


def points(results):
    """Points of students (rows) in assignments (columns), as shares of what can be had without answers in words.

    What was not graded, or is not there, is nan.
    """
    shares = {}
    for result in results:
        most = sum(mark.most for mark in result.marks if "." in mark.id)
        tried = result.graded and not result.problem and most
        shares.setdefault(result.assignment, {})[result.student] = result.points / most if tried else np.nan
    return pd.DataFrame(shares).sort_index().sort_index(axis=1)


def at_risk(results, *, below=0.5):
    """Students who may need help, and why: who has fewer than a share of the points, or has not handed in.

    Parameters
    ----------
    results : list of Result
        Of one or more assignments.
    below : float
        The share.

    Returns
    -------
    DataFrame
        "share" and "why", the weakest first, by student.
    """
    absent = {}
    for result in results:
        if result.problem:
            absent.setdefault(result.student, []).append(f"{result.assignment}: {result.problem}")
    rows = {}
    for student, share in points(results).mean(axis=1).items():
        share = float(share)
        why = [f"less than {below:.0%} of the points"] * (share < below) + absent.get(student, [])
        if why:
            rows[student] = {"share": round(share, 2), "why": "; ".join(why)}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["share", "why"]).sort_values("share", kind="stable")


def draw_by_exercise(table, ax=None):
    """Bars of `by_exercise`: how many students are in which state. Returns the Axes."""
    ax = plt.subplots(figsize=(8, 0.6 + 0.42 * len(table)), layout="constrained")[1] if ax is None else ax
    left = np.zeros(len(table))
    for state in STATES:
        if table[state].any():
            color, hatch = _LOOKS[state]
            ax.barh(table.index, table[state], left=left, color=color, hatch=hatch, edgecolor="white", label=state)
            left += table[state].to_numpy()
    ax.set(xlabel="students", title="How each exercise went")
    ax.invert_yaxis()
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    return ax


def draw_class(shares, ax=None):
    """A map of `points`: students, the weakest on top, against assignments. Returns the Axes."""
    ax = plt.subplots(figsize=(2.5 + 1.1 * shares.shape[1], 1 + 0.2 * len(shares)),
                      layout="constrained")[1] if ax is None else ax
    order = shares.loc[shares.mean(axis=1).sort_values(kind="stable").index]
    image = ax.imshow(order, aspect="auto", cmap="cividis", vmin=0, vmax=1)
    for row, column in np.argwhere(order.isna().to_numpy()):
        ax.text(column, row, "\N{EN DASH}", ha="center", va="center", color="0.4")
    ax.set_xticks(range(order.shape[1]), order.columns)
    ax.set_yticks(range(len(order)), [name.replace("$", r"\$") for name in order.index], fontsize=8)
    ax.grid(False)
    ax.set(title="Share of the points; \N{EN DASH}: nothing to grade")
    ax.figure.colorbar(image, ax=ax)
    return ax


def export(results, folder):
    """Write the tables as CSV files into a folder, which is made if need be; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = {"exercises": by_exercise(results), "misconceptions": misconceptions(results).set_index("exercise"),
              "points": points(results), "at_risk": at_risk(results)}
    paths = []
    for name, table in tables.items():
        paths.append(folder / f"{name}.csv")
        text = table.select_dtypes(exclude="number").columns
        table.assign(**{column: table[column].map(safe) for column in text}).rename(index=safe).to_csv(paths[-1])
    return paths


def _exercises(results):
    return list(dict.fromkeys(mark.id for result in results for mark in result.marks if "." in mark.id))
