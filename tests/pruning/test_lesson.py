"""The loop that lesson 02 builds, and what it does after each update, come to the same weights as the library's."""

from pathlib import Path

import nbformat
import numpy as np
import pytest

from course_lib.common import data
from course_lib.pruning import derivatives, reference, schedules, sparse

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "02_pruning.ipynb"
WANTED = ("def train(", "def make_net(", "def set_zeros(", "def gradually(", "def rigl(",
          "# shown: course_lib.pruning.reference")


@pytest.fixture(scope="module")
def digits():
    found = data.load("digits")
    return found.x_train[:320], found.y_train[:320]


def lesson(nets, x, y):
    """What the cells of this framework define, and those of both."""
    names = {"np": np, "nets": nets, "x": x, "y": y, "derivatives": derivatives.derivatives,
             **{name: getattr(module, name) for module, name in (
                 (reference, "global_mask"), (schedules, "polynomial_sparsity"),
                 (sparse, "random_masks"), (sparse, "share_to_move"))}}
    mark = f"%%{nets.__name__.rpartition('in_')[2]}\n"
    for cell in nbformat.read(NOTEBOOK, 4).cells:
        source = cell.source.removeprefix(mark)
        if cell.cell_type == "code" and not source.startswith("%%"):
            for part in source.split("\n\n\n"):
                if part.startswith(("import torch", "from torch", "import keras", "from keras", *WANTED)):
                    exec(part, names)
    return names


def both(nets, pruning, x, y, own, theirs, names, epochs):
    """The weights before, of the lesson's network and of the library's."""
    ours, library = names["make_net"](3), nets.make_mlp((8, 8), 10, seed=7)
    before = nets.get_layers(ours)
    nets.set_layers(library, before)
    names["train"](ours, x, y, own, epochs=epochs, seed=5)
    config = nets.TrainingConfig(learning_rate=3e-3, l2=3e-4, epochs=epochs)
    nets.train(library, x, y, config, seed=5, callbacks=[theirs])
    return before, nets.get_layers(ours), nets.get_layers(library)


@pytest.mark.parametrize("what", ["nothing", "gradually"])
def test_the_lessons_loop_is_the_librarys(nets, pruning, digits, what):
    names = lesson(nets, *digits)
    own = {"nothing": lambda model, step, updates: None, "gradually": names["gradually"](0.8)}[what]
    theirs = {"nothing": own, "gradually": pruning.gradual_pruning(pruning.PruningConfig(sparsity=0.8, prune_every=10))}
    found = both(nets, pruning, *digits, own, theirs[what], names, epochs=10)  # pruned until update 30 of 50
    for start, mine, other in zip(*found, strict=True):
        for first, a, b in zip(start, mine, other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-2, atol=2e-4)
            assert np.abs(a - first).max() > 0.01
    share = np.mean(np.concatenate([kernel.ravel() == 0 for kernel, _ in found[1]]))
    assert share == pytest.approx({"nothing": 0.0, "gradually": 0.8}[what], abs=1e-3)


def test_the_lessons_rigl_moves_the_same_connections(nets, pruning, digits):
    names = lesson(nets, *digits)
    config = pruning.SparseConfig(sparsity=0.8, move_every=10)
    found = both(nets, pruning, *digits, names["rigl"](0.8, seed=4),
                 pruning.sparse_training(config, *digits, seed=4), names, epochs=3)  # one move, at update 10 of 15
    first = sparse.random_masks([kernel.shape for kernel, _ in found[0]], 0.8, np.random.default_rng(4))
    for mask, (mine, _), (other, _) in zip(first, *found[1:], strict=True):
        assert ((mine != 0) == (other != 0)).mean() > 0.9998  # where gradients nearly tie, rounding decides
        if mask.mean() < 0.5:
            assert ((mine != 0) & ~mask).sum() > 10
