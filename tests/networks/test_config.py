"""The hyper-parameters of classifiers and of pruning: what is refused, and how that is said."""

import numpy as np
import pytest

from course_lib.networks.config import TrainingConfig, check_data
from course_lib.pruning.config import PruningConfig


@pytest.mark.parametrize(("config", "fields", "message"), [
    (TrainingConfig, {"epochs": 0}, "TrainingConfig.epochs: expected a whole number >= 1, got 0"),
    (TrainingConfig, {"batch_size": 2.5}, "TrainingConfig.batch_size: .*2.5"),
    (TrainingConfig, {"learning_rate": "fast"}, "TrainingConfig.learning_rate: expected a number > 0, got 'fast'"),
    (TrainingConfig, {"l2": -1}, "TrainingConfig.l2: expected a number >= 0"),
    (PruningConfig, {"sparsity": 1.0}, r"PruningConfig.sparsity: expected a number in \[0, 1\), got 1.0"),
    (PruningConfig, {"scope": "all"}, "PruningConfig.scope: expected one of global, layer, lamp, got 'all'"),
    (PruningConfig, {"begin": 0.6, "end": 0.5}, "begin: expected a number from 0 to below end, 0.5, got 0.6"),
    (PruningConfig, {"end": 1.5}, r"PruningConfig.end: expected a number in \(0, 1\], got 1.5"),
    (PruningConfig, {"prune_every": 0}, "PruningConfig.prune_every"),
])
def test_what_makes_no_sense_is_refused(config, fields, message):
    with pytest.raises(ValueError, match=message):
        config(**fields)


def test_numpys_whole_numbers_are_whole_and_true_is_not():
    assert TrainingConfig(epochs=np.int64(3), batch_size=64).updates(130) == 9
    with pytest.raises(ValueError, match="PruningConfig.prune_every: .*True"):
        PruningConfig(prune_every=True)


def test_updates_count_the_last_small_batch():
    assert TrainingConfig(epochs=3, batch_size=64).updates(130) == 9


@pytest.mark.parametrize(("x", "y", "message"), [
    (np.zeros((3, 8)), np.zeros(3), "y: expected whole numbers, got float64"),
    (np.zeros((3, 8)), np.zeros((3, 10), int), r"y: expected shape \(3,\), got \(3, 10\)"),
    (np.zeros((3, 8)), np.zeros(4, int), r"y: expected shape \(3,\), got \(4,\)"),
    (np.zeros(3), np.zeros(3, int), r"x: expected shape \(N, inputs, ...\), got \(3,\)"),
    (np.zeros((0, 8)), np.zeros(0, int), r"x: expected shape \(N, inputs, ...\), got \(0, 8\)"),
])
def test_examples_and_classes_have_to_fit(x, y, message):
    with pytest.raises(ValueError, match=message):
        check_data(x, y)
