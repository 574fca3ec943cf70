"""Pictures of generated samples: mosaics of images, and a film of points."""

from __future__ import annotations

import numpy as np

from course_lib.common.plotting import COLOURS, frame


def mosaic(images, columns):
    """One image of many, row by row: an array (rows * (height + 1) - 1, columns * (width + 1) - 1) with white gaps.

    Parameters
    ----------
    images : array (N, height, width)
        In [0, 1]; in the mosaic 0 is white.
    columns : int
    """
    images = np.asarray(images)
    if images.ndim != 3 or not len(images) or columns < 1:
        raise ValueError(f"mosaic: expected images (N, height, width) and columns >= 1, got {images.shape}, {columns}")
    rows = -(-len(images) // columns)
    padded = np.zeros((rows * columns, images.shape[1] + 1, images.shape[2] + 1))
    padded[: len(images), :-1, :-1] = images
    tiles = padded.reshape(rows, columns, *padded.shape[1:]).swapaxes(1, 2)  # (rows, height + 1, columns, width + 1)
    return 1 - tiles.reshape(rows * padded.shape[1], -1)[:-1, :-1]


def show(ax, images, columns, *, title=None):
    """Draw a mosaic of images (N, height, width) without axes; returns `ax`."""
    ax.imshow(mosaic(images, columns), cmap="gray", vmin=0, vmax=1)
    ax.axis("off")
    ax.set_title(title)
    return ax


def points_film(histories, data, *, limit=3.2):
    """A film of points in the plane that generators draw while they train, a panel for each.

    Parameters
    ----------
    histories : dict of History
        By the titles of the panels; of equally many entries.
    data : array (N, 2)
        Drawn in grey below.

    Returns
    -------
    list of arrays (height, width, 3) uint8
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2.6 * len(histories), 2.9), layout="constrained")
    axes = figure.subplots(1, len(histories), squeeze=False)[0]
    clouds = []
    for ax, (title, history) in zip(axes, histories.items(), strict=True):
        ax.plot(*np.transpose(data), ".", color="0.8", ms=3)
        clouds += ax.plot(*np.transpose(history.samples[0]), ".", color=COLOURS[1], ms=4)
        ax.set(xlim=(-limit, limit), ylim=(-limit, limit), xticks=[], yticks=[], aspect="equal", title=title)
    frames, (first, *_) = [], histories.values()
    for entry, step in enumerate(first.step):
        for cloud, history in zip(clouds, histories.values(), strict=True):
            cloud.set_data(*np.transpose(history.samples[entry]))
        axes[0].set_ylabel(f"step {step:,.0f}")
        frames.append(frame(figure))
    return frames
