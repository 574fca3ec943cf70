"""The forecasts of the study: by hand, and that none looks ahead."""

from functools import partial
from types import SimpleNamespace

import applications as series
import numpy as np
import pytest

from course_lib.networks.config import TrainingConfig

SHORT = TrainingConfig(epochs=2, batch_size=32, learning_rate=1e-2)


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


def test_errors_by_hand():
    assert series.relative_mae(*np.array([[1, 2, 4], [1, 3, 4], [0, 1, 2]])) == pytest.approx(1 / 4)


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


# --- what is simulated


def test_garchs_moments():
    returns, deviation = series.garch(200_000, omega=1.0, alpha=0.2, beta=0.5, seed=0)
    np.testing.assert_allclose(deviation[1:] ** 2, 1 + 0.2 * returns[:-1] ** 2 + 0.5 * deviation[:-1] ** 2)
    assert returns.var() == pytest.approx(1 / 0.3, rel=0.03)
    z = returns / deviation
    assert z.std() == pytest.approx(1, rel=0.01) and abs(np.corrcoef(z[1:] ** 2, z[:-1] ** 2)[0, 1]) < 0.01
    # Bollerslev's kurtosis beyond the normal's: 6 alpha^2 / (1 - beta^2 - 2 alpha beta - 3 alpha^2)
    assert (returns ** 4).mean() / returns.var() ** 2 == pytest.approx(3 + 0.24 / 0.43, rel=0.05)


def test_what_one_could_know_of_a_simulated_return(monkeypatch):
    monkeypatch.setattr(series, "_members", lambda *_: {"AR": partial(series.autoregression, 5)})
    y, found = series.on_volatility(None, seed=3)
    deviation = 100 * series.garch(2_000, seed=3)[1][-len(y):]
    assert len(y) == 2_000 - 1_000 - 250
    np.testing.assert_allclose(found["the true mean"] / deviation, np.abs(np.random.default_rng(0).normal(
        size=10**6)).mean(), rtol=3e-3)
    np.testing.assert_allclose(found["the true median"] / deviation, np.median(np.abs(np.random.default_rng(0).normal(
        size=10**6))), rtol=3e-3)
    y, found = series.on_random_walk(None, seed=3)
    assert len(y) == 1_250 - 500 - 250 and np.abs(y - found["persistence"]).mean() < 0.02


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
