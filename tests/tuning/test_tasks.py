"""Tasks: parts that do not overlap, filled up without effect, noise where it should be."""

import numpy as np
import pytest

from course_lib.training.tasks import CLASSES, FEATURES, HELD_OUT, NEVER, UNITS
from course_lib.tuning.tasks import REAL, TaskConfig, draw_task, trimmed
from course_lib.tuning.texts import LIBRARIES, docstrings


@pytest.mark.parametrize("source", ["digits", "wine", "breast cancer", "docstrings", "synthetic"])
def test_one_shape_and_no_example_twice(source):
    rng = np.random.default_rng(0)
    for _ in range(3):
        task = draw_task(rng, TaskConfig(sources=(source,), examples=(20, 120), widths=(5, 30), noise=(0.0, 0.0),
                                         scale=(1, 1)))
        assert task.source == source and 20 <= len(task.y) <= 120 and task.x.shape == (len(task.y), FEATURES)
        assert task.x_val.shape == task.x_test.shape == (HELD_OUT, FEATURES) and task.x.dtype == np.float32
        val, test = (np.unique(np.column_stack(part), axis=0) for part in (
            (task.x_val, task.y_val), (task.x_test, task.y_test)))
        train = np.column_stack([task.x, task.y])
        both = np.unique(np.vstack([val, test, np.unique(train, axis=0)]), axis=0)
        assert len(both) == len(val) + len(test) + len(np.unique(train, axis=0))
        np.testing.assert_allclose(task.x[:, task.x.any(axis=0)].mean(axis=0), 0, atol=0.1)
        kernel, bias, last, shift = task.weights
        units = np.flatnonzero(kernel.any(axis=0))
        assert units.tolist() == list(range(len(units))) and 5 <= len(units) <= 30
        classes = int(max(task.y.max(), task.y_val.max(), task.y_test.max())) + 1
        assert (shift[:classes] == 0).all() and (shift[classes:] == NEVER).all() and not last[:, classes:].any()
        assert not last[len(units):].any() and not bias.any()
        assert (kernel.shape, last.shape) == ((FEATURES, UNITS), (UNITS, CLASSES))


def test_noise_is_in_training_labels_alone():
    x, y = REAL["digits"](return_X_y=True)
    share = []
    for seed in range(5):
        clean, noisy = (draw_task(np.random.default_rng(seed), TaskConfig(
            sources=("digits",), examples=(800, 800), noise=(level, level))) for level in (0.0, 0.5))
        share.append((clean.y != noisy.y).mean())
        np.testing.assert_array_equal(clean.y_val, noisy.y_val)
        np.testing.assert_array_equal(clean.y_test, noisy.y_test)
        np.testing.assert_array_equal(clean.x, noisy.x)
    assert np.mean(share) == pytest.approx(0.5 * 0.9, abs=0.03)  # at random it is right once in ten
    drawn = []
    for seed in range(20):
        clean, noisy = (draw_task(np.random.default_rng(seed), TaskConfig(
            sources=("digits",), examples=(400, 400), noise=noise)) for noise in ((0, 0), (0, 0.6)))
        drawn.append((clean.y != noisy.y).mean())
    assert min(drawn) < 0.1 and max(drawn) > 0.4


def test_inputs_are_scaled_and_nothing_else_is():
    plain, scaled = (draw_task(np.random.default_rng(3), TaskConfig(scale=scale)) for scale in ((1, 1), (3, 3)))
    for name in ("x", "x_val", "x_test"):
        np.testing.assert_allclose(getattr(scaled, name), 3 * getattr(plain, name), rtol=1e-5)
    np.testing.assert_array_equal(scaled.y, plain.y)
    wide = [np.abs(draw_task(np.random.default_rng(seed)).x).max() for seed in range(30)]
    assert min(wide) < 2 and max(wide) > 10


@pytest.mark.parametrize("layers", [1, 3])
def test_trimmed_tasks_have_the_same_networks(layers):
    rng = np.random.default_rng(4)
    tasks = [draw_task(rng, TaskConfig(sources=("wine",), widths=(5, 12), layers=layers)) for _ in range(3)]
    for task, less in zip(tasks, trimmed(tasks)):
        assert less.x.shape[1] == less.weights[0].shape[0] == 13 and less.weights[0].shape[1] <= 12
        assert len(less.weights) == 2 * layers + 2
        outputs = []
        for one in (task, less):
            x = one.x_val
            for kernel, bias in zip(one.weights[:-2:2], one.weights[1:-2:2]):
                x = np.maximum(x @ kernel + bias, 0)
            outputs.append(x @ one.weights[-2] + one.weights[-1])
        np.testing.assert_allclose(*outputs, rtol=1e-4, atol=1e-4)
        assert np.abs(outputs[0][:, :3]).max() > 0.1
    with pytest.raises(ValueError, match="expected networks of as many layers, got"):
        trimmed([*tasks, draw_task(rng, TaskConfig(layers=layers + 1))])


def test_texts_do_not_name_their_library():
    texts, owners = docstrings()
    assert len(texts) == len(set(texts)) == len(owners) > 1_500 and np.bincount(owners).min() > 200
    assert not any(name in text.lower() for text in texts for name in LIBRARIES)


@pytest.mark.parametrize("field", [{"sources": ("cats",)}, {"sources": ()}, {"examples": (5, 2)}, {"widths": (1, 65)},
                                   {"noise": (0.2, 1.5)}, {"scale": (0, 1)}, {"layers": 0}])
def test_what_is_no_task(field):
    with pytest.raises(ValueError, match=f"TaskConfig.{next(iter(field))}: expected"):
        TaskConfig(**field)
