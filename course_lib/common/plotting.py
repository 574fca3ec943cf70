"""One plain, colour-blind safe style; curves with seeds; live curves; small animations."""

from __future__ import annotations

import contextlib
import io
import time

import numpy as np

from course_lib.common import notebook

# Okabe & Ito (2008), without their yellow, which is too pale for a line on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


@contextlib.contextmanager
def style():
    """The course's look, as a context: `with style(): fig, ax = plt.subplots()`.

    Returns
    -------
    context manager
    """
    import matplotlib
    from cycler import cycler

    look = {
        "axes.prop_cycle": cycler(color=COLOURS), "image.cmap": "viridis", "lines.linewidth": 2,
        "figure.figsize": (7, 4), "figure.dpi": 100, "font.size": 11, "axes.titlesize": 12,
        "axes.grid": True, "grid.alpha": 0.3, "axes.axisbelow": True, "legend.frameon": False,
        "axes.spines.top": False, "axes.spines.right": False}
    try:
        with matplotlib.rc_context(look):
            try:
                yield
            finally:
                interactive = matplotlib.is_interactive()
    finally:  # Jupyter's backend switches this on with the first figure: undone, no later figure would be shown
        matplotlib.interactive(interactive)


@contextlib.contextmanager
def figure(rows=1, columns=1, *, size=(7, 4), alt=None, **options):
    """A figure in the course's look: `with figure(1, 2, size=(11, 3)) as (fig, axes): ...`.

    In a notebook it is shown where the block ends.

    Parameters
    ----------
    rows, columns : int
        Of panels.
    size : (float, float)
        In inches.
    alt : str, optional
        What a screen reader reads; by default titles, labels and legends.
    **options
        What `plt.subplots` takes, for example `sharey=True`.

    Returns
    -------
    context manager of (Figure, Axes or array of Axes)
        At its end the panels are given the room that their labels need, unless `layout` is among the options.
    """
    import matplotlib.pyplot as plt

    with style():
        fig, axes = plt.subplots(rows, columns, figsize=size, **options)
        yield fig, axes
        if "layout" not in options:
            fig.tight_layout()
        if "inline" in plt.get_backend():
            from IPython.display import display

            display(fig, metadata={"image/png": {"alt": alt or described(fig)}})
            plt.close(fig)  # else it would be shown once more


def described(fig):
    """The titles, labels and legends of a figure's panels, as text."""
    panels = []
    for ax in fig.axes:
        legend = ax.get_legend()
        words = [ax.get_title(), " against ".join(filter(None, (ax.get_ylabel(), ax.get_xlabel())))]
        words += [", ".join(text.get_text() for text in legend.get_texts())] if legend else []
        if any(words):
            panels.append("; ".join(filter(None, words)).replace("\n", " "))
    return f"Picture{f' of {len(panels)} panels' if len(panels) > 1 else ''}. {'. '.join(panels)}."


def band(ax, x, runs, *, label=None, color=None):
    """Draw the median over seeds, and a band with the middle half of the seeds (25th to 75th percentile).

    Parameters
    ----------
    ax : matplotlib Axes
    x : array (n_points,)
    runs : array (n_seeds, n_points)
        One row a seed; NaN where a run has no value (it stopped early).
    label : str, optional
        The legend adds the number of seeds.
    color : optional
        Any matplotlib colour; by default the next one of the cycle.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    x, runs = np.asarray(x), np.asarray(runs, float)
    if runs.ndim != 2 or runs.shape[0] < 1 or x.shape != runs.shape[1:]:
        raise ValueError(f"band: expected x of shape (n_points,) and runs of shape (n_seeds, n_points), "
                         f"got {x.shape} and {runs.shape}")
    seen = np.isfinite(runs).any(axis=0)
    low, middle, high = np.nanquantile(runs[:, seen], (0.25, 0.5, 0.75), axis=0)
    seeds = f"{len(runs)} seed" + "s" * (len(runs) > 1)
    (line,) = ax.plot(x[seen], middle, color=color, label=None if label is None else f"{label} ({seeds})")
    ax.fill_between(x[seen], low, high, color=line.get_color(), alpha=0.25, linewidth=0)
    if label is not None:
        ax.legend(title="median; band: middle half of the seeds")
    return ax


def curves(ax, x, table, *, marker="", colours=None):
    """Draw a curve for each entry of a table, with a legend.

    Parameters
    ----------
    ax : matplotlib Axes
    x : array (N,)
    table : dict of str to array (N,)
    marker : str
        For example "o", where there are few points.
    colours : dict of str to colour, optional

    Returns
    -------
    matplotlib Axes
    """
    for name, values in table.items():
        ax.plot(x, values, marker=marker, label=name, color=(colours or {}).get(name))
    ax.legend()
    return ax


def bars(ax, table, *, color=None):
    """Draw a horizontal bar for each entry of a table, from the top down.

    Parameters
    ----------
    ax : matplotlib Axes
    table : dict of str to float
    color : colour or list of colours, optional
        From the top down.

    Returns
    -------
    matplotlib Axes
    """
    ax.barh(list(table), list(table.values()), color=color)
    ax.set_ylim(len(table) - 0.5, -0.5)
    return ax


def intervals(ax, table, *, color=COLOURS[0]):
    """Draw differences as points with their intervals, from the top down, beside a line at 0.

    Parameters
    ----------
    ax : matplotlib Axes
    table : dict of str to Difference
        As `claims.paired_difference` gives them.
    color : colour

    Returns
    -------
    matplotlib Axes
    """
    for name, gap in table.items():
        ax.plot([gap.low, gap.high], [name, name], color=color)
        ax.plot(gap.mean, name, "o", color=color)
    ax.axvline(0, color="0.3", lw=1)
    ax.set_ylim(len(table) - 0.4, -0.6)
    return ax


class LiveCurve:
    """A curve that grows while a cell runs; outside a notebook it only keeps its points.

    Parameters
    ----------
    xlabel, ylabel, title : str
    target : float, optional
        A level to reach, drawn as a dashed line.
    every : float
        Seconds between two drawings at least.
    """

    def __init__(self, *, xlabel, ylabel, title="", target=None, every=0.5):
        self.labels = {"xlabel": xlabel, "ylabel": ylabel, "title": title}
        self.target, self.every = target, every
        self.x, self.y = [], []
        self._display, self._drawn_at = None, -np.inf

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def update(self, x, y):
        """Add a point; draws if the last drawing is `every` seconds old."""
        self.x.append(x)
        self.y.append(y)
        if notebook.in_notebook() and time.monotonic() - self._drawn_at >= self.every:
            self._show()

    def close(self):
        """Draw all points, so that what stays is complete."""
        if notebook.in_notebook():
            self._show()

    def draw(self, ax):
        """Draw the points so far; returns `ax`."""
        ax.plot(self.x, self.y)
        if self.target is not None:
            label = f"target {self.target:g}"
            ax.axhline(self.target, color="black", linestyle="--", linewidth=1, label=label)
            ax.legend()
        ax.set(**self.labels)
        return ax

    def _show(self):
        from IPython.display import display
        from matplotlib.figure import Figure  # not pyplot: that would show the figure a second time

        with style():
            figure = Figure(figsize=(7, 3.5))
            self.draw(figure.add_subplot())
            data = notebook.png(figure)
        alt = "{title}: {ylabel} against {xlabel}".format(**self.labels)
        picture = notebook.image(data, alt=alt)
        if self._display is None:
            self._display = display(picture, display_id=True)
        else:
            self._display.update(picture)
        self._drawn_at = time.monotonic()


def frame(figure):
    """The pixels of a matplotlib Figure, uint8 (height, width, 3): one frame of an `animation`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def animation(frames, *, fps=30, width=400, alt="animation"):
    """A small animated picture from frames; needs no ffmpeg.

    It is an animated PNG: browsers play it three times, the bytes stand in the notebook itself, and a notebook test
    does not compare it (it would compare a GIF or a video, which differ between frameworks).

    Parameters
    ----------
    frames : sequence of arrays (height, width, 3) uint8
    fps : float
        Frames per second.
    width : int
        In pixels; narrower frames are not enlarged.
    alt : str
        One sentence for those who cannot see it.

    Returns
    -------
    IPython.display.Image

    Raises
    ------
    ValueError
        If there is no frame, or one is not as described.
    """
    data = _animated_png([_check_frame(frame, frames[0]) for frame in frames], fps, width)
    return notebook.image(data, alt=alt)


def _check_frame(frame, first):
    frame = np.asarray(frame)
    if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8 or frame.shape != np.shape(first):
        raise ValueError("animation: expected uint8 frames (height, width, 3) of one shape, "
                         f"got {frame.dtype} {frame.shape} (the first: {np.shape(first)})")
    return frame


def _animated_png(frames, fps, width):
    from PIL import Image

    if not frames:
        raise ValueError("animation: expected at least one frame, got none")
    height, full = frames[0].shape[:2]
    size = (min(width, full), max(1, round(height * min(width, full) / full)))
    pictures = [Image.fromarray(frame).resize(size, Image.Resampling.LANCZOS) for frame in frames]
    sheet = np.concatenate([np.asarray(p) for p in pictures[::max(1, len(pictures) // 8)]])
    palette = Image.fromarray(sheet).quantize(64)  # one palette for all frames: only what moves is stored
    first, *rest = [p.quantize(palette=palette, dither=Image.Dither.NONE) for p in pictures]
    buffer = io.BytesIO()
    first.save(buffer, format="PNG", save_all=True, append_images=rest, duration=1000 / fps, loop=3,
               optimize=True)
    return buffer.getvalue()
