"""The replay exercise of notebook 01; draws are random, so their properties are verified."""

from __future__ import annotations

import numpy as np

from course_lib.exercises.exercise import Exercise, WrongAnswer


def _replay_cases(rng):
    def case(seed, capacity, size, batch_size):
        def filled(*shape):
            values = np.zeros((capacity, *shape), np.float32)
            values[:size] = rng.normal(size=(size, *shape))
            return values

        storage = dict(obs=filled(3), action=np.zeros(capacity, np.int64), reward=filled())
        storage["action"][:size] = rng.permutation(size) + 1
        return dict(rng=seed, storage=storage, size=size, batch_size=batch_size)

    first = case(1, 10, 6, 8)
    return [first, first, first | dict(rng=2), case(3, 5, 5, 4), case(4, 12, 8, 3200)]


def _rows_of(values, stored):
    """Which row of `stored` each row of `values` is; -1 for none."""
    equal = (values[:, None] == stored[None]).reshape(len(values), len(stored), -1).all(-1)
    return np.where(equal.any(1), equal.argmax(1), -1)


def _replay_complaint(storage, size, batch_size, batch):
    if not isinstance(batch, dict) or batch.keys() != storage.keys():
        return f"expected a dict with the fields {', '.join(storage)}"
    for name, stored in storage.items():
        shape = (batch_size, *stored.shape[1:])
        if not isinstance(batch[name], np.ndarray) or batch[name].shape != shape:
            return f"expected the field {name} to be an array of shape {shape}"
    rows = {name: _rows_of(batch[name], stored) for name, stored in storage.items()}
    if any((row < 0).any() for row in rows.values()):
        return "the batch holds something that is not in the storage"
    if any((row >= size).any() for row in rows.values()):
        return "the batch holds empty rows, which were never filled"
    if any((row != rows["obs"]).any() for row in rows.values()):
        return "the fields do not belong together: obs, action and reward come from different rows"
    return _uneven(rows["obs"], size) if batch_size >= 100 * size else ""


def _uneven(rows, size):
    counts = np.bincount(rows, minlength=size)
    if counts.min() == 0:
        return f"row {counts.argmin()} of {size} filled rows is never drawn"
    return "" if counts.max() < 2 * counts.min() else "not all filled rows are equally likely"


def _verify_replay(cases, outputs):
    for index, (case, batch) in enumerate(zip(cases, outputs, strict=True)):
        complaint = _replay_complaint(case["storage"], case["size"], case["batch_size"], batch)
        if complaint:
            return index, complaint
    first, again, other = (batch["reward"] for batch in outputs[:3])  # seeds 1, 1 and 2
    if (first != again).any():
        return 1, "the same seed gave other rows: draw with the rng that is given"
    if (first == other).all():
        return 2, "another seed gave the very same rows: draw with the rng that is given"
    return None


def replay_sample(rng, storage, size, batch_size):
    """A batch of transitions: the same random rows of each field."""
    rows = rng.integers(0, size, batch_size)
    return {name: stored[rows] for name, stored in storage.items()}


def _sampler(rows_of):
    """A sampler from a function of (rng, capacity, size, batch_size) that picks the rows."""
    def sample(rng, storage, size, batch_size):
        rows = rows_of(rng, len(storage["reward"]), size, batch_size)
        return {name: stored[rows] for name, stored in storage.items()}

    return sample


REPLAY_SAMPLE = Exercise(
    id="01.replay_sample",
    title="Drawing from the replay memory",
    statement="`storage` is a dict of arrays of equal length, of which only the first `size` rows are "
              "filled. Return a dict with the same fields and `batch_size` rows, drawn uniformly with "
              "replacement by the NumPy generator `rng`.",
    reference=replay_sample,
    cases=_replay_cases,
    seeded=("rng",),
    verify=_verify_replay,
    hints=(
        "Draw row numbers first, all at once; then pick those rows from each field.",
        "rng.integers(low, high, count) draws whole numbers from low to high - 1.",
        "rows = rng.integers(0, size, batch_size); then stored[rows] for each field `stored`.",
    ),
    wrong=(
        WrongAnswer(_sampler(lambda rng, capacity, size, n: rng.integers(0, capacity, n)),
                    "You draw from the whole capacity; only the first `size` rows hold anything."),
        WrongAnswer(lambda rng, storage, size, n: {name: stored[rng.integers(0, size, n)]
                                                   for name, stored in storage.items()},
                    "You draw anew for each field: draw the rows once, and use them for all fields."),
        WrongAnswer(_sampler(lambda rng, capacity, size, n: rng.integers(0, size - 1, n)),
                    "The last filled row is never drawn: integers() leaves out its upper end already."),
        WrongAnswer(_sampler(lambda rng, capacity, size, n: np.random.default_rng().integers(0, size, n)),
                    "You draw with another generator than `rng`: the same seed must give the same batch."),
        WrongAnswer(_sampler(lambda rng, capacity, size, n: np.random.default_rng(0).integers(0, size, n)),
                    "Your rows do not depend on the rng that is given: every batch would be the same."),
    ),
)
