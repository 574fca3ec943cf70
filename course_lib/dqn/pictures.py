"""Pictures of values and policies."""

from __future__ import annotations

import numpy as np

from course_lib.common.plotting import COLOURS

ARROWS = ((0, -0.3), (0.3, 0), (0, 0.3), (-0.3, 0))  # up, right, down, left, with y downwards


def draw_grid(ax, world, q, *, title=None, limit=1.8):
    """Draw a grid world: each cell's best value as colour and number, its best action as an arrow.

    Parameters
    ----------
    ax : matplotlib Axes
    world : GridWorld
    q : array (S, A)
    title : str, optional
    limit : float
        The value at which colours saturate, both ways.

    Returns
    -------
    the Axes
    """
    values = np.where(world.ends, np.nan, q.max(axis=1)).reshape(world.rows, world.cols)
    ax.imshow(values, cmap="PuOr", vmin=-limit, vmax=limit)
    for state, cell in enumerate(world.cells):
        row, col = divmod(state, world.cols)
        if cell in "GP":
            text, colour = {"G": ("goal\n+1", COLOURS[2]), "P": ("pit\n-1", COLOURS[1])}[cell]
            ax.add_patch(_square(row, col, colour))
            ax.text(col, row, text, ha="center", va="center", weight="bold", color="white")
        elif cell == "#":
            ax.add_patch(_square(row, col, "0.35"))
        else:
            dx, dy = ARROWS[int(q[state].argmax())]
            ax.text(col, row + 0.36, f"{q[state].max():.2f}" + ("  start" if cell == "S" else ""), ha="center",
                    va="center", size="small")
            if q[state].any():
                ax.annotate("", (col + dx, row + dy * 0.8 - 0.08), (col - dx, row - dy * 0.8 - 0.08),
                            arrowprops={"arrowstyle": "-|>", "lw": 2, "color": "black"})
    ax.set(xticks=np.arange(world.cols + 1) - 0.5, yticks=np.arange(world.rows + 1) - 0.5, xticklabels=[],
           yticklabels=[], title=title)
    ax.grid(color="0.6", lw=0.5)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def _square(row, col, colour):
    from matplotlib.patches import Rectangle

    return Rectangle((col - 0.5, row - 0.5), 1, 1, color=colour)
