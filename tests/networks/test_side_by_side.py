"""Training runs side by side: each learns as if it were alone, and the same in both frameworks."""

import numpy as np
import pytest
from scipy.special import log_softmax

from course_lib.networks.side_by_side import OPTIMIZERS
from course_lib.training.reference import dropout_masks
from course_lib.training.tasks import UNITS, batches
from course_lib.tuning.tasks import TaskConfig, draw_task

K, S, B = 3, 6, 16
RATES, DECAY, NORM = np.array([0.02, 0.1, 0.5]), np.array([0, 1e-3, 1e-2]), np.array([0.5, 100, 1.5])


@pytest.fixture(scope="module")
def tasks():
    rng = np.random.default_rng(0)
    sources = (("digits",), ("synthetic",), ("wine",))
    return [draw_task(rng, TaskConfig(sources=source, widths=(8, 20), examples=(100, 1_000), scale=(1, 1)))
            for source in sources]


def stacked(tasks):
    return [np.stack(parts) for parts in zip(*(task.weights for task in tasks), strict=True)]


def by_hand(weights, x, y, rates, optimizer="sgd", l1=None, l2=None, max_norm=None, max_value=None, kept=None):
    """The same steps run by run in NumPy, with gradients by the chain rule, in double precision."""
    weights, none = [part.astype(float) for part in weights], np.zeros(K)
    l1, l2 = none if l1 is None else l1, none if l2 is None else l2
    max_norm, max_value = (np.full(K, np.inf) if most is None else most for most in (max_norm, max_value))
    first, second, losses, sizes = (*([np.zeros_like(part) for part in weights] for _ in range(2)), np.zeros((S, K)),
                                    np.zeros((S, K)))
    for s in range(S):
        for k in range(K):
            own = [part[k] for part in weights]
            losses[s, k], gradients = loss_and_gradients(own, x[s, k], y[s, k], 1 if kept is None else kept[s, k])
            for i in range(0, len(own), 2):
                gradients[i] += l1[k] * np.sign(own[i]) + 2 * l2[k] * own[i]
            sizes[s, k] = np.sqrt(sum((part**2).sum() for part in gradients))
            for part, m, v, gradient in zip(own, first, second, gradients, strict=True):
                gradient = np.clip(gradient * min(1, max_norm[k] / sizes[s, k]), -max_value[k], max_value[k])
                if optimizer == "sgd":
                    m[k] = 0.9 * m[k] + gradient
                    part -= rates[k] * m[k]
                elif optimizer == "rmsprop":
                    v[k] = 0.9 * v[k] + 0.1 * gradient**2
                    part -= rates[k] * gradient / (np.sqrt(v[k]) + 1e-7)
                else:
                    m[k], v[k] = 0.9 * m[k] + 0.1 * gradient, 0.999 * v[k] + 0.001 * gradient**2
                    part -= rates[k] * m[k] / (1 - 0.9 ** (s + 1)) / (np.sqrt(v[k] / (1 - 0.999 ** (s + 1))) + 1e-7)
    return weights, losses.mean(axis=0), sizes.mean(axis=0)


def loss_and_gradients(weights, x, y, kept):
    """Of one network: the mean cross-entropy, and its gradient for each kernel and bias."""
    inputs, last = [x], len(weights) - 2
    for i in range(0, last, 2):
        inputs.append(np.maximum(inputs[-1] @ weights[i] + weights[i + 1], 0) * (kept if i == last - 2 else 1))
    logits = log_softmax(inputs[-1] @ weights[last] + weights[last + 1], axis=1)
    delta = (np.exp(logits) - np.eye(logits.shape[1])[y]) / len(y)
    gradients = [None] * len(weights)
    for i in range(last, -1, -2):
        gradients[i], gradients[i + 1] = inputs[i // 2].T @ delta, delta.sum(axis=0)
        delta = delta @ weights[i].T * (inputs[i // 2] > 0) * (kept if i == last else 1)
    return -logits[np.arange(len(y)), y].mean(), gradients


def deeper(weights, rng):
    """The same with another hidden layer."""
    between = rng.uniform(-0.3, 0.3, (K, UNITS, UNITS)).astype(np.float32)
    return [*weights[:2], between, np.zeros((K, UNITS), np.float32), *weights[2:]]


@pytest.mark.parametrize("options", [
    {}, {"l2": DECAY, "max_norm": NORM, "kept": [0.0, 0.3, 0.5]}, {"l1": DECAY / 5, "max_value": NORM / 40},
    {"optimizer": "rmsprop"}, {"optimizer": "adam", "kept": [0.0, 0.3, 0.5]}, {"layers": 3, "l2": DECAY}],
    ids=["plain", "l2, norm, dropout", "l1, value", "rmsprop", "adam", "deeper"])
def test_every_run_learns_as_if_it_were_alone(twin, tasks, options):
    rng, options = np.random.default_rng(1), dict(options)
    x, y = batches(tasks, rng, S, B)
    optimizer, weights = options.pop("optimizer", "sgd"), stacked(tasks)
    rates = RATES if optimizer == "sgd" else RATES / 20
    if options.pop("layers", 0):
        weights = deeper(weights, rng)
    if "kept" in options:
        options["kept"] = dropout_masks(rng, options["kept"], (S, K, B, UNITS))
    runs = twin("networks").TrainingRuns(weights, optimizer=optimizer)
    losses, norms = runs.train(x, y, rates, **options)
    expected = by_hand(weights, x, y, rates, optimizer, **options)
    for found, wanted, before in zip(runs.weights(), expected[0], weights, strict=True):
        np.testing.assert_allclose(found, wanted, atol=2e-5 if optimizer == "sgd" else 2e-4)
        assert np.abs(found - before).max() > 1e-3
    np.testing.assert_allclose(losses, expected[1], rtol=1e-4)
    np.testing.assert_allclose(norms, expected[2], rtol=1e-3)
    if "max_norm" in options:
        assert norms[0] > 1.5 * NORM[0] and norms[1] < NORM[1]  # one is clipped, one is not


def test_by_hand_is_what_pytorch_has(tasks):
    torch = pytest.importorskip("torch")
    x, y = batches(tasks, np.random.default_rng(4), S, B)
    for name, make in (("sgd", lambda p: torch.optim.SGD(p, lr=0.02, momentum=0.9)),
                       ("rmsprop", lambda p: torch.optim.RMSprop(p, lr=0.02, alpha=0.9, eps=1e-7)),
                       ("adam", lambda p: torch.optim.Adam(p, lr=0.02, eps=1e-7))):
        wanted, *_ = by_hand(stacked(tasks), x, y, np.full(K, 0.02), name)
        w1, b1, w2, b2 = own = [torch.tensor(part[0].astype(float), requires_grad=True) for part in stacked(tasks)]
        optimizer = make(own)
        for s in range(S):
            optimizer.zero_grad()
            hidden = torch.relu(torch.tensor(x[s, 0], dtype=torch.float64) @ w1 + b1)
            torch.nn.functional.cross_entropy(hidden @ w2 + b2, torch.tensor(y[s, 0])).backward()
            optimizer.step()
        for found, part in zip(own, wanted, strict=True):
            np.testing.assert_allclose(found.detach().numpy(), part[0], atol=1e-9)


def test_what_a_task_has_not_never_acts(twin, tasks):
    runs, rng = twin("networks").TrainingRuns(stacked(tasks)), np.random.default_rng(2)
    runs.train(*batches(tasks, rng, 40, B), RATES / 2)
    first, bias, second, last = runs.weights()
    units = (stacked(tasks)[0] != 0).any(axis=1)  # (K, H)
    assert 8 <= units.sum(axis=1).min() and units.sum(axis=1).max() <= 20
    assert not first[2, 13:].any() and not bias[~units].any() and not second[~units].any()  # wine has 13 features
    logits = np.maximum(tasks[2].x @ first[2] + bias[2], 0) @ second[2] + last[2]
    assert logits[:, 3:].max() < logits[:, :3].max(axis=1).min() - 10  # ... and 3 classes


def test_they_learn_and_begin_anew(twin, tasks):
    runs, rng = twin("networks").TrainingRuns(stacked(tasks)), np.random.default_rng(3)
    held = np.stack([task.x_val for task in tasks]), np.stack([task.y_val for task in tasks])
    before, guessed = runs.evaluate(*held)
    runs.train(*batches(tasks, rng, 100, 32), np.full(K, 0.05))
    after, right = runs.evaluate(*held)
    assert (after < before).all() and (right > guessed + 0.1).all()
    logits = np.stack([np.maximum(task.x_val @ w1 + b1, 0) @ w2 + b2 for task, w1, b1, w2, b2 in zip(
        tasks, *runs.weights(), strict=True)])
    np.testing.assert_allclose(runs.predict(held[0]), logits, atol=1e-3)
    np.testing.assert_allclose(right, (logits.argmax(axis=-1) == held[1]).mean(axis=1), atol=0.006)
    fresh = [part[[0, 2]] for part in stacked(tasks)]
    runs.restart(np.array([0, 2]), fresh)
    again, _ = runs.evaluate(*held)
    np.testing.assert_allclose(again, [before[0], after[1], before[2]], rtol=1e-5)


def test_a_rule_of_ones_own_is_a_step(twin, tasks):
    """The gradient, times a rate, off the weights: what plain SGD does."""
    x, y = batches(tasks, np.random.default_rng(6), S, B)
    ours, theirs = (twin("networks").TrainingRuns(stacked(tasks), momentum=0.0) for _ in range(2))
    losses = []
    for step in range(S):
        loss, gradient = ours.gradients(x[step], y[step])
        ours.flat = ours.flat - RATES[:, None] * gradient
        losses.append(loss)
    expected, norms = theirs.train(x, y, RATES)
    np.testing.assert_allclose(np.mean(losses, axis=0), expected, rtol=1e-5)
    np.testing.assert_allclose(ours.flat, theirs.flat, atol=1e-6)
    assert (norms > 0).all()
    with pytest.raises(ValueError, match="flat: expected shape"):
        ours.flat = ours.flat[:1]


def test_dropout_leaves_out_as_many_as_it_should():
    masks = dropout_masks(np.random.default_rng(0), [0.0, 0.25], (2, 2, 500, 64))
    assert (masks[:, 0] == 1).all() and set(np.unique(masks[:, 1])) == {0, np.float32(1 / 0.75)}
    assert abs((masks[:, 1] == 0).mean() - 0.25) < 0.01 and abs(masks[:, 1].mean() - 1) < 0.01
    assert dropout_masks(np.random.default_rng(0), [0.0, 0.0], (1, 2, 3, 4)) is None


def test_no_memory_is_left_of_what_was_before(twin, tasks):
    rng = np.random.default_rng(5)
    for optimizer in OPTIMIZERS:
        runs, alone = (twin("networks").TrainingRuns(stacked(tasks), optimizer=optimizer) for _ in range(2))
        runs.train(*batches(tasks, rng, 3, B), RATES / 20)
        runs.restart(np.array([1]), [part[[1]] for part in stacked(tasks)])
        x, y = batches(tasks, rng, 2, B)
        for one in (runs, alone):
            one.train(x, y, RATES / 20)
        for found, wanted in zip(runs.weights(), alone.weights(), strict=True):
            np.testing.assert_allclose(found[1], wanted[1], atol=1e-6)
        assert np.abs(runs.weights()[0][0] - alone.weights()[0][0]).max() > 1e-3


@pytest.mark.parametrize("change", [
    lambda w: w[:3], lambda w: [w[0], w[1][:, :5], *w[2:]], lambda w: [part[:0] for part in w], lambda w: [],
    lambda w: [w[0], w[1], w[2][:, :5], w[3]], lambda w: [w[0], w[1][:2], *w[2:]]])
def test_what_is_no_set_of_runs(twin, tasks, change):
    with pytest.raises(ValueError, match="weights: expected kernels"):
        twin("networks").TrainingRuns(change(stacked(tasks)))
    with pytest.raises(ValueError, match=r"momentum: expected a number in \[0, 1\), got 1"):
        twin("networks").TrainingRuns(stacked(tasks), momentum=1)
    with pytest.raises(ValueError, match="optimizer: expected one of sgd, rmsprop, adam, got 'adan'"):
        twin("networks").TrainingRuns(stacked(tasks), optimizer="adan")
