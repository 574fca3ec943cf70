"""The pass, the loss and the loop that lesson 03 shows come to the same networks as the library's."""

import math
from pathlib import Path

import nbformat
import numpy as np
import pytest

from course_lib.common import data
from course_lib.ensembling import members

NOTEBOOK = Path(__file__).resolve().parents[2] / "notebooks" / "03_ensembling.ipynb"
WANTED = ("def forward(", "def train(", "def new_networks(", "def bag(", "# shown: course_lib.networks")


@pytest.fixture(scope="module")
def people():
    found = data.load("diabetes")
    return found.x_train, ((found.y_train - found.y_train.mean()) / found.y_train.std()).astype(np.float32)


def lesson(framework, x, y):
    """What the cells of this framework define, and those of both."""
    names, mark = {"math": math, "np": np, "members": members, "x": x, "y": y}, f"%%{framework}\n"
    for cell in nbformat.read(NOTEBOOK, 4).cells:
        source = cell.source.removeprefix(mark)
        if cell.cell_type == "code" and not source.startswith("%%"):
            for part in source.split("\n\n\n"):
                if part.startswith(("import torch", "import keras", "from course_lib.common.keras", *WANTED)):
                    exec(part, names)
    return names


def test_the_lessons_loop_is_the_librarys(twin, people):
    ensembling, nets, (x, y) = twin("ensembling"), twin("networks"), people
    names = lesson(ensembling.__name__.rpartition("in_")[2], x, y)
    rows, seeds = [np.arange(len(x)), np.arange(0, len(x), 2), np.arange(200)], [3, 4, 5]
    start = names["new_networks"](rows, seeds)
    ours = names["train"](start, x, y, rows, seeds, epochs=3)
    config = nets.TrainingConfig(learning_rate=1e-2, batch_size=32, epochs=3, l2=1e-3)
    theirs = ensembling.train_members(start, x, np.tile(y, (3, 1)), rows, seeds, config, ensembling.squared_error)
    for first, mine, other in zip(start.weights, ours.weights, theirs.weights, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-2, atol=5e-4)
        assert all(np.abs(a - b).max() > 0.01 for a, b in zip(mine, first, strict=True))


def test_bagging_draws_with_replacement_and_takes_the_mean():
    class Remember:
        def fit(self, x, y):
            self.mean = y.mean()
            seen.append(sorted(x))
            return self

        def predict(self, x_new):
            return np.full(len(x_new), self.mean)

    seen, names = [], lesson("neither", None, None)
    x, y = np.arange(6), np.arange(6.0) ** 2
    found = names["bag"](Remember, x, y, np.zeros(2), 4, np.random.default_rng(0))
    assert len(seen) == 4 and all(len(rows) == 6 for rows in seen) and any(len(set(rows)) < 6 for rows in seen)
    assert found == pytest.approx(np.mean([[value**2 for value in rows] for rows in seen]))
