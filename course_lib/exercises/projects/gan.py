"""The project of notebook 04: new points of a cloud of rings, arcs and blobs."""

from __future__ import annotations

import numpy as np
from scipy.stats import ks_2samp
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import NearestNeighbors

from course_lib.common import checks
from course_lib.exercises.engine.project import Project
from course_lib.gan.metrics import neighbourhoods

_GIVEN, _NEW, _ROUNDS = 600, 500, 4
_KINDS = ("ring", "ring", "arc", "arc", "blob", "blob")


def _draw_cloud(rng):
    n = _GIVEN + (_ROUNDS + 1) * _NEW
    shares = rng.uniform(0.7, 1.3, len(_KINDS))
    which = rng.choice(len(_KINDS), n, p=shares / shares.sum())
    cells = rng.permutation(9)[: len(_KINDS)]  # each shape has a cell of a 3 by 3 grid
    points = np.empty((n, 2))
    for number, (kind, cell) in enumerate(zip(_KINDS, cells, strict=True)):
        here = which == number
        across, along = rng.standard_normal((2, here.sum()))
        if kind == "blob":
            shape = rng.uniform(0.3, 0.7) * np.column_stack([across, 0.4 * along])
        else:
            angle = rng.uniform(-1, 1, here.sum()) * (np.pi if kind == "ring" else np.pi / 2)
            radius = rng.uniform(1.2, 1.8) * (1 + 0.01 * across)
            shape = np.column_stack([radius * np.cos(angle) - (kind == "arc"), radius * np.sin(angle)])
        turn = rng.uniform(0, 2 * np.pi)
        cos, sin = np.cos(turn), np.sin(turn)
        centre = 4 * np.array(divmod(cell, 3)) + rng.uniform(3.5, 4.5, 2)
        points[here] = centre + shape @ [[cos, sin], [-sin, cos]]
    given, fresh, *rounds = np.split(points, _GIVEN + _NEW * np.arange(_ROUNDS + 1))
    return {"points": given}, {"fresh": fresh, "rounds": np.stack(rounds)}


def _quality(given, hidden, answer):
    answer = checks.array("answer", answer, (_NEW, 2), low=-1e6, high=1e6).astype(np.float64)
    everyone = np.concatenate(hidden["rounds"])
    precision = neighbourhoods(everyone, answer, k=3).precision
    met = np.mean([neighbourhoods(points, answer, k=1).coverage for points in hidden["rounds"]])
    ours, theirs = (NearestNeighbors(n_neighbors=1).fit(given["points"]).kneighbors(points)[0][:, 0]
                    for points in (answer, everyone))
    copied = ks_2samp(ours, theirs, alternative="greater", method="asymp").statistic
    return precision * (1 - abs(2 * met - 1)) * (1 - copied)


def _mixture(given, components):
    return GaussianMixture(components, random_state=0).fit(given["points"])


def _chosen_mixture(given):
    found = [_mixture(given, components) for components in range(10, 61, 10)]
    return min(found, key=lambda mixture: mixture.bic(given["points"])).sample(_NEW)[0]


def _uniform(given, rng):
    return rng.uniform(given["points"].min(axis=0), given["points"].max(axis=0), (_NEW, 2))


PROJECT = Project(
    id="04.project",
    title="More of the same cloud",
    statement="Given: `points` (600, 2), a sample of a cloud of two rings, two arcs and two blobs. Hand in 500 "
              "new points (500, 2) of the same cloud, numbers between -1e6 and 1e6. Judged by precision times balance "
              "times novelty, against 2,000 hidden points. Precision (k = 3): the share of yours in a ball around a "
              "hidden point. Balance: 1 - |2c - 1|, where c is the coverage (k = 1) of 500 hidden points, a mean over "
              "four such sets. Good points cover half: a point's nearest neighbour is as often one of yours as a real "
              "one. Novelty: how much nearer yours lie to given points than hidden ones do, as 1 less the largest "
              "excess, over all distances d, of the share within d; copies earn 0. 100 is a fresh sample. Not allowed: "
              "to call what made the cloud.",
    draw=_draw_cloud,
    measure=_quality,
    floor=_uniform,
    baseline=lambda given: _mixture(given, 15).sample(_NEW)[0],
    par=_chosen_mixture,
    best=lambda _given, hidden: hidden["fresh"],
)
