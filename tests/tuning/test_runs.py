"""Training runs side by side: each learns as if it were alone, and the same in both frameworks."""

import numpy as np
import pytest
from scipy.special import log_softmax

from course_lib.tuning.runs import batches, dropout_masks
from course_lib.tuning.tasks import CLASSES, UNITS, TaskConfig, draw_task

K, S, B = 3, 6, 16
RATES, DECAY, NORM = np.array([0.02, 0.1, 0.5]), np.array([0, 1e-3, 1e-2]), np.array([0.5, 100, 1.5])


@pytest.fixture(scope="module")
def tasks():
    rng = np.random.default_rng(0)
    sources = (("digits",), ("synthetic",), ("wine",))
    return [draw_task(rng, TaskConfig(sources=source, widths=(8, 20))) for source in sources]


def stacked(tasks):
    return [np.stack(parts) for parts in zip(*(task.weights for task in tasks), strict=True)]


def by_hand(weights, x, y, rates, decay, norms, kept):
    """The same steps run by run in NumPy, with gradients by the chain rule, in double precision."""
    weights = [part.astype(float) for part in weights]
    velocity, losses, sizes = [np.zeros_like(part) for part in weights], np.zeros((S, K)), np.zeros((S, K))
    for s in range(S):
        for k in range(K):
            w1, b1, w2, b2 = (part[k] for part in weights)
            before = x[s, k] @ w1 + b1
            hidden = np.maximum(before, 0) * kept[s, k]
            logits = log_softmax(hidden @ w2 + b2, axis=1)
            losses[s, k] = -logits[np.arange(B), y[s, k]].mean()
            error = (np.exp(logits) - np.eye(CLASSES)[y[s, k]]) / B
            back = error @ w2.T * kept[s, k] * (before > 0)
            gradients = [x[s, k].T @ back + 2 * decay[k] * w1, back.sum(axis=0),
                         hidden.T @ error + 2 * decay[k] * w2, error.sum(axis=0)]
            sizes[s, k] = np.sqrt(sum((part**2).sum() for part in gradients))
            for part, v, gradient in zip(weights, velocity, gradients, strict=True):
                v[k] = 0.9 * v[k] + gradient * min(1, norms[k] / sizes[s, k])
                part[k] -= rates[k] * v[k]
    return weights, losses.mean(axis=0), sizes.mean(axis=0)


@pytest.mark.parametrize("extra", [False, True])
def test_every_run_learns_as_if_it_were_alone(twin, tasks, extra):
    rng = np.random.default_rng(1)
    x, y = batches(tasks, rng, S, B)
    kept = dropout_masks(rng, [0.0, 0.3, 0.5], (S, K, B, UNITS))
    options = dict(weight_decay=DECAY, max_norm=NORM, kept=kept) if extra else {}
    runs = twin("tuning").TrainingRuns(stacked(tasks))
    losses, norms = runs.train(x, y, RATES, **options)
    expected = by_hand(stacked(tasks), x, y, RATES, *((DECAY, NORM, kept) if extra else (
        np.zeros(K), np.full(K, np.inf), np.ones((S, K, B, UNITS)))))
    for found, wanted in zip(runs.weights(), expected[0], strict=True):
        np.testing.assert_allclose(found, wanted, atol=2e-5)
    np.testing.assert_allclose(losses, expected[1], rtol=1e-5)
    np.testing.assert_allclose(norms, expected[2], rtol=1e-4)
    if extra:
        assert norms[0] > 1.5 * NORM[0] and norms[1] < NORM[1]  # one is clipped, one is not


def test_what_a_task_has_not_never_acts(twin, tasks):
    runs, rng = twin("tuning").TrainingRuns(stacked(tasks)), np.random.default_rng(2)
    runs.train(*batches(tasks, rng, 40, B), RATES / 2)
    first, bias, second, last = runs.weights()
    units = (stacked(tasks)[0] != 0).any(axis=1)  # (K, H)
    assert 8 <= units.sum(axis=1).min() and units.sum(axis=1).max() <= 20
    assert not first[2, 13:].any() and not bias[~units].any() and not second[~units].any()  # wine has 13 features
    logits = np.maximum(tasks[2].x @ first[2] + bias[2], 0) @ second[2] + last[2]
    assert logits[:, 3:].max() < logits[:, :3].max(axis=1).min() - 10  # ... and 3 classes


def test_they_learn_and_begin_anew(twin, tasks):
    runs, rng = twin("tuning").TrainingRuns(stacked(tasks)), np.random.default_rng(3)
    held = np.stack([task.x_val for task in tasks]), np.stack([task.y_val for task in tasks])
    before, guessed = runs.evaluate(*held)
    runs.train(*batches(tasks, rng, 100, 32), np.full(K, 0.05))
    after, right = runs.evaluate(*held)
    assert (after < before).all() and (right > guessed + 0.2).all()
    logits = np.stack([np.maximum(task.x_val @ w1 + b1, 0) @ w2 + b2 for task, w1, b1, w2, b2 in zip(
        tasks, *runs.weights(), strict=True)])
    np.testing.assert_allclose(right, (logits.argmax(axis=-1) == held[1]).mean(axis=1), atol=0.006)
    fresh = [part[[0, 2]] for part in stacked(tasks)]
    runs.restart(np.array([0, 2]), fresh)
    again, _ = runs.evaluate(*held)
    np.testing.assert_allclose(again, [before[0], after[1], before[2]], rtol=1e-5)
    x, y = batches(tasks, rng, 1, B)
    runs.train(x, y, RATES)  # no momentum is left of what was before
    alone = twin("tuning").TrainingRuns([part[:1] for part in stacked(tasks)])
    alone.train(x[:, :1], y[:, :1], RATES[:1])
    for found, wanted in zip(runs.weights(), alone.weights(), strict=True):
        np.testing.assert_allclose(found[0], wanted[0], atol=1e-6)


def test_dropout_leaves_out_as_many_as_it_should():
    masks = dropout_masks(np.random.default_rng(0), [0.0, 0.25], (2, 2, 500, 64))
    assert (masks[:, 0] == 1).all() and set(np.unique(masks[:, 1])) == {0, np.float32(1 / 0.75)}
    assert abs((masks[:, 1] == 0).mean() - 0.25) < 0.01 and abs(masks[:, 1].mean() - 1) < 0.01
    assert dropout_masks(np.random.default_rng(0), [0.0, 0.0], (1, 2, 3, 4)) is None


@pytest.mark.parametrize("change", [
    lambda w: w[:3], lambda w: [w[0], w[1][:, :5], *w[2:]], lambda w: [part[:0] for part in w]])
def test_what_is_no_set_of_runs(twin, tasks, change):
    with pytest.raises(ValueError, match="weights: expected kernels"):
        twin("tuning").TrainingRuns(change(stacked(tasks)))
    with pytest.raises(ValueError, match=r"momentum: expected a number in \[0, 1\), got 1"):
        twin("tuning").TrainingRuns(stacked(tasks), momentum=1)


