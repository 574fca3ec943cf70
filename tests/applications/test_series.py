"""Forecasts: by hand, that none looks ahead, and that the claims hold with a margin. `-s` prints the margins."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.metrics import r2_score

from course_lib.applications import series
from course_lib.networks.config import TrainingConfig

SHORT = TrainingConfig(epochs=2, batch_size=32, learning_rate=1e-2)


@pytest.fixture
def nets(twin):
    return twin("networks")


# --- by hand


def test_windows_by_hand():
    x, y = series.windows([1, 2, 3, 5, 8], 2)
    assert x.tolist() == [[1, 2], [2, 3], [3, 5]] and y.tolist() == [3, 5, 8]


def test_ewma_by_hand():
    assert series.ewma_weights(0.5, 3).tolist() == [0.25, 0.25, 0.5]
    assert series.ewma_weights(1.0, 3).tolist() == [0, 0, 1]
    s, y = 7.0, np.array([7, 3, 5, 8, 1.0])
    for value in y[1:]:
        s = 0.3 * value + 0.7 * s
    assert y @ series.ewma_weights(0.3, 5) == pytest.approx(s)
    assert series.ewma(3, np.arange(20.0))(np.array([[4, 5, 6.0]])).tolist() == [6]  # on a line the last value is best


def test_errors_and_weights_by_hand():
    assert series.relative_mae([1, 2, 4], [1, 3, 4], [0, 1, 2]) == pytest.approx(1 / 4)
    # Mean squared errors 1 and 3: precisions 1 and 1/3.
    np.testing.assert_allclose(series.inverse_mse_weights([0, 0], [[1, -1], [np.sqrt(3), np.sqrt(3)]]), [0.75, 0.25])


def test_naive_forecasts_by_hand():
    assert series.seasonal_naive(1, None)(np.array([[1, 2, 3.0]])).tolist() == [3]
    assert series.seasonal_naive(3, None)(np.array([[1, 2, 3.0]])).tolist() == [1]
    doubled = series.on_changes(lambda history: lambda past: 2 * past[:, -1], np.arange(5.0))
    assert doubled(np.array([[1, 2, 5.0]])).tolist() == [5 + 2 * 3]


def test_an_autoregression_without_noise_is_exact():
    y = [1.0, 2.0]
    for _ in range(40):
        y.append(1 + 1.5 * y[-1] - 0.9 * y[-2])
    found = series.walk_forward(y, {"AR": partial(series.autoregression, 2)}, [20, 30])["AR"]
    np.testing.assert_allclose(found, y[20:], rtol=1e-8)


def test_each_origin_is_fitted_on_what_is_before_it():
    seen, y = [], np.arange(10.0)

    def spy(history):
        seen.append(history.tolist())
        return lambda past: past[:, -1]

    assert series.walk_forward(y, {"spy": spy}, [4, 7])["spy"].tolist() == [3, 4, 5, 6, 7, 8]
    assert seen == [[0, 1, 2, 3], [0, 1, 2, 3, 4, 5, 6]]


def test_fusions_by_hand():
    y = np.array([0, 0, 0, 0, 0, 0, 10, 20.0])
    members = {"one": lambda history: lambda past: np.arange(4) + [1, 1, 1, 1],
               "two": lambda history: lambda past: np.array([2, 0, 4, 8.0])}
    after, found = series.compare(y, members, [4], validation=1, period=2)  # errors 1 and 2: weights 4/5 and 1/5
    assert after.tolist() == [0, 10, 20]
    assert found["average"].tolist() == [1, 3.5, 6]
    np.testing.assert_allclose(found["inverse MSE"], [1.6, 3.2, 4.8])
    assert found["persistence"].tolist() == [0, 0, 10] and found["seasonal naive"].tolist() == [0, 0, 0]


# --- what is simulated, and shipped


def test_a_random_walk():
    changes = np.diff(np.log(series.geometric_random_walk(20_000, seed=1)))
    assert changes.std() == pytest.approx(0.01, rel=0.03) and abs(changes.mean()) < 3e-4
    assert abs(np.corrcoef(changes[1:], changes[:-1])[0, 1]) < 0.03


def test_garchs_moments():
    returns, deviation = series.garch(200_000, omega=1.0, alpha=0.2, beta=0.5, seed=0)
    np.testing.assert_allclose(deviation[1:] ** 2, 1 + 0.2 * returns[:-1] ** 2 + 0.5 * deviation[:-1] ** 2)
    assert returns.var() == pytest.approx(1 / 0.3, rel=0.03)
    z = returns / deviation
    assert z.std() == pytest.approx(1, rel=0.01) and abs(np.corrcoef(z[1:] ** 2, z[:-1] ** 2)[0, 1]) < 0.01
    # Bollerslev's kurtosis beyond the normal's: 6 alpha^2 / (1 - beta^2 - 2 alpha beta - 3 alpha^2)
    assert (returns ** 4).mean() / returns.var() ** 2 == pytest.approx(3 + 0.24 / 0.43, rel=0.05)


def test_sunspots():
    years, numbers = series.sunspots()
    assert years.tolist() == list(range(1700, 2009)) and numbers[[0, 257]].tolist() == [5, 190.2]
    assert numbers.argmax() == 257  # 1957


# --- nothing looks ahead


@pytest.mark.parametrize("name", ["persistence", "AR", "EWMA", "on changes"])
def test_the_future_changes_no_forecast(name):
    fit = {"persistence": partial(series.seasonal_naive, 1), "AR": partial(series.autoregression, 3),
           "EWMA": partial(series.ewma, 5),
           "on changes": partial(series.on_changes, partial(series.autoregression, 3))}[name]
    y = np.random.default_rng(0).normal(size=60)
    before = series.walk_forward(y, {"it": fit}, [20, 40])["it"]
    for t in (20, 33, 40, 59):
        other = np.concatenate([y[:t], 100 + y[t:]])
        after = series.walk_forward(other, {"it": fit}, [20, 40])["it"]
        assert np.array_equal(after[:t - 20 + 1], before[:t - 20 + 1])
        assert t == 59 or not np.array_equal(after, before)


def test_the_future_changes_no_forecast_of_networks(nets):
    y = np.random.default_rng(0).normal(size=60)
    fits = {"MLP": partial(series.network, nets, partial(nets.make_mlp, hidden=(4,)), 5, config=SHORT),
            "GRU": partial(series.network, nets, partial(nets.make_rnn, units=4), 5, config=SHORT)}
    before, after = (series.walk_forward(values, fits, [40]) for values in (y, np.append(y[:50], 100 + y[50:])))
    for name in fits:
        np.testing.assert_allclose(after[name][:11], before[name][:11], rtol=1e-5, atol=1e-6)
        assert np.abs(after[name][11:] - before[name][11:]).min() > 1e-3


def test_scaled_on_the_history_alone():
    given = {}

    def train(model, x, y, config, *, seed, loss):
        given.update(x=x, y=y)

    fake = SimpleNamespace(train=train, predict=lambda model, x: np.asarray(x)[:, -1], squared_error=None)
    history = 5 + 3 * np.random.default_rng(0).normal(size=100)
    predict = series.network(fake, lambda shape, n_out, seed: None, 4, history)
    assert given["x"].shape == (96, 4, 1) and given["y"].shape == (96, 1)
    np.testing.assert_allclose(given["y"][:, 0], (history[4:] - history.mean()) / history.std())
    np.testing.assert_allclose(predict(np.array([[0, 1, 2, 3, 400.0]])), [400])  # scaled, and back


def test_the_loss_of_both_frameworks(nets):
    x = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    y = x @ [[1.0], [-2.0], [0.5]]
    model = nets.make_mlp((3,), 1, hidden=(), seed=0)
    first = ((nets.predict(model, x) - y) ** 2).mean()
    config = TrainingConfig(epochs=60, learning_rate=0.1)
    losses = nets.train(model, x, y, config, loss=nets.squared_error)
    assert losses[0] < first and losses[-1] < 1e-3
    assert ((nets.predict(model, x) - y) ** 2).mean() < 1e-3
    with pytest.raises(ValueError, match="targets: expected the outputs' shape"):
        nets.squared_error(np.zeros((5,)), np.zeros((5, 1)))


@pytest.mark.parametrize("call, message", [
    (lambda: series.garch(5, alpha=0.5, beta=0.5), "alpha and beta >= 0 of sum < 1, got 2e-06, 0.5 and 0.5"),
    (lambda: series.windows([1, 2, 3], 3), r"T > 3 \(lags, > 0\), got shape \(3,\)"),
    (lambda: series.windows([1, np.nan, 3], 1), "expected finite numbers"),
    (lambda: series.windows([[1, 2]], 1), r"got shape \(1, 2\)"),
    (lambda: series.ewma_weights(0, 3), "alpha: expected a number above 0 and at most 1, got 0"),
    (lambda: series.walk_forward(np.arange(9), {}, [4, 4]), r"origins: expected rising numbers below 9, got \[4, 4\]"),
    (lambda: series.walk_forward(np.arange(9), {}, [4, 9]), r"got \[4, 9\]"),
    (lambda: series.walk_forward(np.arange(9), {}, [0]), r"T > 0 \(lags"),
    (lambda: series.relative_mae([1, 2], [1], [1, 2]), r"one shape \(N,\), N > 0, got shapes \[\(2,\), \(1,\), \("),
    (lambda: series.relative_mae([1, 2], [1, np.nan], [1, 1]), "finite numbers"),
    (lambda: series.inverse_mse_weights([], [[], []]), "N > 0"),
])
def test_what_does_not_fit(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# --- two mistakes: no framework


def test_two_mistakes():
    levels, changes, leaking, honest = [], [], [], []
    for seed in range(10):
        prices = series.geometric_random_walk(1_250, seed=seed)
        levels.append(r2_score(prices[1:], prices[:-1]))
        changes.append(r2_score(np.diff(np.log(prices)), np.zeros(1_249)))
        for kept, centred in ((leaking, True), (honest, False)):
            kept.append(series.error_after_smoothing(np.log(prices), 5, 10, 750, centred=centred))
    assert np.asarray(levels).min() > 0.94 and np.median(levels) > 0.98
    assert np.abs(changes).max() < 0.006
    assert np.asarray(leaking).max() < 0.45
    assert np.asarray(honest).min() > 1.03


def test_perfect_forecasts():
    y = np.array([1.0, 2, 4])
    np.testing.assert_allclose(series.inverse_mse_weights(y, [y, y + 1]), [1, 0], atol=1e-12)
    with pytest.raises(ValueError, match="expected a forecast that errs somewhere"):
        series.relative_mae(y, y + 1, y)
