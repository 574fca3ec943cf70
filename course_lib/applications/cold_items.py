"""Rating items that few or none have rated: what others say of them fused with what they are like, simulated."""

from __future__ import annotations

import numpy as np

from course_lib.common.config import whole
from course_lib.fusion.outputs import weighted
from course_lib.networks.config import TrainingConfig

COUNTS = (0, 2, 4, 8, 16, 32, 64)  # ratings to learn from that an item has; as many items have each
GROUPS = {"cold": (0, 0), "thin": (2, 8), "warm": (16, 64), "all": (0, 64)}  # the least and the most of them
TRAINING = TrainingConfig(epochs=60, learning_rate=3e-3, l2=3e-3, batch_size=16)


def simulate(*, seed=0, users=300, items=240):
    """Ratings (users, items) in stars, features (items, 12), and masks of the training's and validation's ratings.

    A rating is four tastes of the user times four traits of the item, which the features show in part, bent and noisy;
    and how much both differ from the mean, and noise of 0.5 stars. Ratings in neither mask are for tests.
    """
    if not (whole(users, 81) and whole(items, len(COUNTS))):
        raise ValueError(f"users, items: expected whole numbers >= 81 and >= {len(COUNTS)}, got {users} and {items}")
    rng = np.random.default_rng(seed)
    tastes, shown = rng.normal(size=(users, 4)) / 2, rng.normal(size=(items, 4))
    traits = shown + 0.5 * rng.normal(size=shown.shape)
    features = np.tanh(shown @ rng.normal(size=(4, 12)) / 2) + 0.3 * rng.normal(size=(items, 12))
    values = (3.5 + 0.3 * rng.normal(size=(users, 1)) + 0.5 * rng.normal(size=items) + tastes @ traits.T
              + 0.5 * rng.normal(size=(users, items)))
    counts, place = np.resize(COUNTS, items), rng.random((users, items)).argsort(axis=0).argsort(axis=0)
    return values, features, place < counts, (counts <= place) & (place < np.ceil(1.25 * counts))


def baselines(values, known, *, damping=5.0):
    """Two predictions (users, items): how a user differs from the mean, and how an item does too; few say little."""
    def differences(rest, axis):
        return np.where(known, rest, 0).sum(axis, keepdims=True) / (known.sum(axis, keepdims=True) + damping)

    by_user = values[known].mean() + differences(values - values[known].mean(), 1) + np.zeros(values.shape)
    return by_user, by_user + differences(values - by_user, 0)


def factorise(values, known, *, size=4, penalty=1.0, sweeps=50, seed=0):
    """Factors (users, size) and (items, size) whose products come near known values; zeros for what is never known.

    Least squares for users and items in turn: Zhou et al. 2008, "Large-scale parallel collaborative filtering for the
    Netflix prize", section 3.1, with the same penalty on every row's squared factors.
    """
    def solve(other, values, known):
        squares = np.einsum("ui,ik,il->ukl", known.astype(float), other, other, optimize=True) + penalty * np.eye(size)
        return np.linalg.solve(squares, (np.where(known, values, 0) @ other)[:, :, None])[:, :, 0]

    right = np.random.default_rng(seed).normal(size=(values.shape[1], size))
    for _ in range(sweeps):
        left = solve(right, values, known)
        right = solve(left, values.T, known.T)
    return left, right


def trust(counts, c):
    """Weights n / (n + c) of what others say about items with n ratings (items,): 0 without any, 1/2 with c of them."""
    if not c > 0:
        raise ValueError(f"c: expected a number > 0, got {c}")
    return np.asarray(counts) / (np.asarray(counts) + c)


def content(nets, features, wanted, enough, *, seed=0):
    """Vectors (items, D) from features (items, F), by a network that learns those `wanted` of the items in a mask.

    Factors from content: van den Oord et al. 2013, "Deep content-based music recommendation", section 4.
    """
    x, y = ((it - it[enough].mean(axis=0)) / it[enough].std(axis=0) for it in (features, wanted))
    model = nets.make_mlp(x.shape[1:], y.shape[1], hidden=(32,), seed=seed)
    nets.train(model, x[enough], y[enough], TRAINING, seed=seed, loss=nets.squared_error)
    return wanted[enough].mean(axis=0) + wanted[enough].std(axis=0) * nets.predict(model, x)


def predictions(nets, ratings, *, seed=0):
    """What each model makes of what `simulate` gives, {model: (users, items)}; `nets` is a twin of `networks`."""
    values, features, train, held = ratings
    counts, (by_user, by_item) = train.sum(axis=0), baselines(values, train)
    tastes, traits = factorise(values - by_item, train, seed=seed)
    vectors = content(nets, features, np.hstack([(by_item - by_user)[:1].T, traits]), counts >= 4, seed=seed)
    experts = by_item + tastes @ traits.T, by_user + vectors[:, 0] + tastes @ vectors[:, 1:].T

    def fused(share):  # of what others say, (items,)
        return weighted([expert.T for expert in experts], [share, 1 - share]).T

    def best(weightings):  # on the validation ratings
        return min(map(fused, weightings), key=lambda predicted: rmse(predicted, values, held))

    fixed = [np.full(counts.shape, share) for share in np.linspace(0, 1, 21)]
    return {"user's mean": by_user, "item's mean": by_item, "others": experts[0], "content": experts[1],
            "average": fused(fixed[10]), "best fixed": best(fixed),
            "n / (n + c)": best(trust(counts, c) for c in np.geomspace(0.5, 128, 17))}


def rmse(predicted, values, where):
    """Root mean squared error in stars over the ratings in a mask; all have shape (users, items)."""
    return float(np.sqrt(np.mean((predicted - values)[where] ** 2)))


def experiment(nets, *, seed=0):
    """The root mean squared errors on test ratings, {model: {group of items: stars}}, for each of `GROUPS`."""
    values, _, train, held = ratings = simulate(seed=seed)
    counts, test = train.sum(axis=0), ~(train | held)
    groups = {name: test & (least <= counts) & (counts <= most) for name, (least, most) in GROUPS.items()}
    return {name: {group: rmse(predicted, values, where) for group, where in groups.items()}
            for name, predicted in predictions(nets, ratings, seed=seed).items()}
