"""A set of 28 x 28 images of our own making: ten kinds of shapes, each drawn with a pen and a hand of its own."""

from __future__ import annotations

import numpy as np

from course_lib.common import checks

CLASSES = ("circle", "square", "triangle", "cross", "plus", "arrow", "zigzag", "wave", "spiral", "house")
SIDE = 28  # pixels
SEGMENTS = 24  # straight pieces that each shape is drawn with


def draw(labels, rng):
    """Draw shapes.

    Parameters
    ----------
    labels : integer array (N,)
        Places in `CLASSES`.
    rng : numpy.random.Generator
        Of the sizes, turns, places, bends and widths of pen.

    Returns
    -------
    float32 array (N, 28, 28)
        In [0, 1]; 1 is ink.

    Raises
    ------
    ValueError
        If the labels are not whole numbers from 0 to 9, at least one.
    """
    labels = checks.array("labels", labels, ("N",), kind="whole", low=0, high=len(CLASSES) - 1)
    count = len(labels)
    turn = rng.normal(0, 0.1, count)
    shear, (width, height) = rng.normal(0, 0.1, count), 9 * rng.uniform(0.7, 1.0, (2, count))
    pens, places = rng.uniform(0.8, 1.5, count), rng.uniform(-1.5, 1.5, (count, 2)) + (SIDE - 1) / 2
    bends, phases = rng.normal(0, 0.08, (count, 2)), rng.uniform(0, 2 * np.pi, (count, 2))
    linear = np.stack([np.stack([width * np.cos(turn), width * (np.sin(turn) + shear)], axis=1),
                       np.stack([-height * np.sin(turn), height * np.cos(turn)], axis=1)], axis=1)  # (N, 2, 2)
    ends = _strokes()[labels].reshape(count, -1, 2)  # (N, 48, 2)
    ends = ends + bends[:, None] * np.sin(3 * ends[:, :, ::-1] + phases[:, None])
    ends = np.float32(ends @ linear + places[:, None]).reshape(count, SEGMENTS, 2, 2)
    return np.concatenate([_ink(*part) for part in zip(np.array_split(ends, -(-count // 64)),
                                                       np.array_split(np.float32(pens), -(-count // 64)), strict=True)])


def _ink(ends, pens):
    """Images (N, 28, 28) of segments (N, 24, 2, 2): how far within half a pen's width (N,) each pixel's centre is."""
    start, along = ends[:, :, 0], ends[:, :, 1] - ends[:, :, 0]
    pixels = np.arange(SIDE, dtype=np.float32)
    x, y = pixels - start[:, :, :1], pixels - start[:, :, 1:]  # (N, 24, 28) each
    length = np.maximum((along ** 2).sum(axis=2), 1e-6)
    dx, dy = along[:, :, 0, None], along[:, :, 1, None]
    share = (x * dx)[:, :, None] + (y * dy)[..., None]  # (N, 24, 28, 28): rows, columns
    share = np.clip(share / length[:, :, None, None], 0, 1)
    off = (x[:, :, None] - share * dx[..., None]) ** 2 + (y[..., None] - share * dy[..., None]) ** 2
    return np.clip(pens[:, None, None] + 0.5 - np.sqrt(off.min(axis=1)), 0, 1)


def _strokes():
    """The segments of each kind: an array (10, 24, 2, 2) of (x, y) in [-1, 1], y downwards."""
    angle = np.linspace(0, 2 * np.pi, SEGMENTS + 1)
    across = np.linspace(-1, 1, SEGMENTS + 1)
    lines = {
        "circle": [np.stack([np.cos(angle), np.sin(angle)], axis=1)],
        "square": [[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9), (-0.9, -0.9)]],
        "triangle": [[(0, -1), (1, 0.8), (-1, 0.8), (0, -1)]],
        "cross": [[(-0.9, -0.9), (0.9, 0.9)], [(0.9, -0.9), (-0.9, 0.9)]],
        "plus": [[(0, -1), (0, 1)], [(-1, 0), (1, 0)]],
        "arrow": [[(-1, 0), (1, 0)], [(0.2, -0.7), (1, 0), (0.2, 0.7)]],
        "zigzag": [[(-1, 0.6), (-0.5, -0.6), (0, 0.6), (0.5, -0.6), (1, 0.6)]],
        "wave": [np.stack([across, 0.6 * np.sin(1.5 * np.pi * across)], axis=1)],
        "spiral": [np.stack([np.cos(1.5 * angle), np.sin(1.5 * angle)], axis=1) * (angle / angle[-1])[:, None]],
        "house": [[(-0.8, 1), (-0.8, -0.2), (0, -1), (0.8, -0.2), (0.8, 1), (-0.8, 1)]],
    }
    found = []
    for name in CLASSES:
        pieces = np.array([pair for line in lines[name] for pair in zip(line[:-1], line[1:], strict=True)], float)
        found.append(np.resize(pieces, (SEGMENTS, 2, 2)))  # a shape of fewer draws them again
    return np.array(found)
