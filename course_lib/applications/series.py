"""Forecasting one step ahead, and fusing the forecasts: simulated "stock prices", their volatility, and sunspots.

A forecaster is a function `fit(history (n,))` that returns another, from the values before (B, n or less) to forecasts
(B,). Those with settings become one by `partial`: `partial(autoregression, 10)`.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from course_lib.fusion.outputs import weighted
from course_lib.networks.config import TrainingConfig

TRAINING = TrainingConfig(epochs=60, batch_size=200, learning_rate=1e-2, l2=0.1)
ON_SUNSPOTS = TrainingConfig(epochs=60, batch_size=50, learning_rate=3e-3, l2=3e-3)  # best of 24 on 1850 to 1899


def geometric_random_walk(steps, *, volatility=0.01, seed=0):
    """Prices (steps,) near 100 at first; the changes of their logarithms are independent, normal and of mean 0."""
    return 100 * np.exp(volatility * np.random.default_rng(seed).normal(size=steps).cumsum())


def garch(steps, *, omega=2e-6, alpha=0.08, beta=0.9, seed=0):
    """Returns (steps,) of a GARCH(1,1), and the standard deviation of each (steps,). Bollerslev 1986, eqs. 1-2."""
    if not (omega > 0 and alpha >= 0 and beta >= 0 and alpha + beta < 1):
        raise ValueError(f"expected omega > 0, alpha and beta >= 0 of sum < 1, got {omega}, {alpha} and {beta}")
    returns = np.random.default_rng(seed).normal(size=steps)
    variance = np.full(steps + 1, omega / (1 - alpha - beta))  # at first as in the long run: theorem 1
    for t in range(steps):
        returns[t] *= np.sqrt(variance[t])
        variance[t + 1] = omega + alpha * returns[t] ** 2 + beta * variance[t]
    return returns, np.sqrt(variance[:-1])


def sunspots():
    """The years 1700 to 2008 (309,) and the mean number of sunspots in each (309,), which statsmodels ships."""
    from statsmodels.datasets import sunspots as shipped
    return tuple(shipped.load_pandas().data[name].to_numpy() for name in ("YEAR", "SUNACTIVITY"))


def windows(series, lags):
    """Inputs (T - lags, lags), the latest value last, and the value that follows each (T - lags,)."""
    series = np.array(series, float)
    if series.ndim != 1 or not 0 < lags < len(series) or not np.isfinite(series).all():
        raise ValueError(f"series: expected finite numbers, T > {lags} (lags, > 0), got shape {series.shape}")
    return np.lib.stride_tricks.sliding_window_view(series, lags)[:-1], series[lags:]


def seasonal_naive(period, history):
    """A forecaster, given a period: the value one period before. With period 1 it is persistence."""
    return lambda past: past[:, -period]


def autoregression(lags, history):
    """A forecaster, given how many lags: the last values, linearly, and a constant, by statsmodels' `AutoReg`."""
    from statsmodels.tsa.ar_model import AutoReg
    constant, *factors = AutoReg(history, lags).fit().params  # the first factor is the latest value's
    return lambda past: constant + past[:, -lags:] @ factors[::-1]


def ewma_weights(alpha, lags):
    """Weights (lags,), the latest value's last, of s_t = alpha y_t + (1 - alpha) s_(t-1), s starting at the oldest."""
    if not 0 < alpha <= 1:
        raise ValueError(f"alpha: expected a number above 0 and at most 1, got {alpha}")
    return np.where(np.arange(lags) > 0, alpha, 1) * (1 - alpha) ** np.arange(lags - 1.0, -1, -1)


def ewma(lags, history):
    """A forecaster, given how many lags: the exponentially weighted mean with the alpha best in the history."""
    x, y = windows(history, lags)
    candidates = (ewma_weights(alpha, lags) for alpha in np.arange(0.02, 1.01, 0.02))
    best = min(candidates, key=lambda weights: ((y - x @ weights) ** 2).mean())
    return lambda past: past[:, -lags:] @ best


def network(nets, make, lags, history, *, config=TRAINING, seed=0):
    """A forecaster, given all else: the network `make((lags, 1), 1, seed=seed)`. Only the history sets the scale."""
    mean, spread = history.mean(), history.std()
    x, y = windows((history - mean) / spread, lags)
    model = make((lags, 1), 1, seed=seed)
    nets.train(model, x[..., None], y[:, None], config, seed=seed, loss=nets.squared_error)
    return lambda past: mean + spread * nets.predict(model, (past[:, -lags:, None] - mean) / spread)[:, 0]


def on_changes(fit, history):
    """A forecaster, given another, which is fitted on changes: the value before and the change that this expects."""
    predict = fit(np.diff(history))
    return lambda past: past[:, -1] + predict(np.diff(past, axis=1))


def walk_forward(series, forecasters, origins):
    """{name: forecasts (T - origins[0],)} by a dict of forecasters, each fitted at every origin on all before it."""
    past, ends = windows(series, origins[0])[0], [*origins[1:], len(series)]
    if not all(start < end for start, end in zip(origins, ends, strict=True)):
        raise ValueError(f"origins: expected rising numbers below {len(series)}, got {list(origins)}")
    return {name: np.concatenate([fit(np.array(series[:start], float))(past[start - origins[0]: end - origins[0]])
                                  for start, end in zip(origins, ends, strict=True)])
            for name, fit in forecasters.items()}


def inverse_mse_weights(y, forecasts):
    """Weights (M,) of sum 1, as 1 over each mean squared error of forecasts (M, N) of y (N,); Bates & Granger 1969."""
    y, *forecasts = _alike(y, *forecasts)
    precision = 1 / np.maximum(((np.array(forecasts) - y) ** 2).mean(axis=1), 1e-300)  # a perfect one gets it all
    return precision / precision.sum()


def relative_mae(y, forecast, naive):
    """Mean absolute error of a forecast (N,) over a naive one's; below 1 is better. Hyndman & Koehler 2006, RelMAE."""
    y, forecast, naive = _alike(y, forecast, naive)
    if (y == naive).all():
        raise ValueError("naive: expected a forecast that errs somewhere, got the values themselves")
    return float(np.abs(y - forecast).mean() / np.abs(y - naive).mean())


def compare(series, members, origins, *, validation, period):
    """Values y (N,) after the validation, and {name: forecasts (N,)}: naive ones, the members', and their fusions.

    Of the values from the first origin on, the first `validation` ones only serve to weight the members.
    """
    naive = {"persistence": partial(seasonal_naive, 1), "seasonal naive": partial(seasonal_naive, period)}
    found = walk_forward(series, naive | members, origins)
    y, own = np.asarray(series)[origins[0]:], np.array([found[name] for name in members])
    weights = inverse_mse_weights(y[:validation], own[:, :validation])
    found |= {"average": weighted(own), "inverse MSE": weighted(own, weights)}
    return y[validation:], {name: values[validation:] for name, values in found.items()}


def on_random_walk(nets, *, seed=0, config=TRAINING):
    """`compare` on the logarithms of 1,250 prices: 500 to learn from, 250 to weight the members; a week is 5 days."""
    members = {name: partial(on_changes, fit) for name, fit in _members(nets, 10, seed, config).items()}
    prices = geometric_random_walk(1_250, seed=seed)
    return compare(np.log(prices), members | {"EWMA": partial(ewma, 20)}, [500, 750], validation=250, period=5)


def on_volatility(nets, *, seed=0, config=TRAINING):
    """`compare` on 2,000 absolute GARCH returns in percent; oracles know the mean, or the median, of each."""
    returns, deviation = garch(2_000, seed=seed)
    members = _members(nets, 20, seed, config) | {"EWMA": partial(ewma, 50)}
    y, found = compare(100 * np.abs(returns), members, [1_000, 1_250], validation=250, period=5)
    scale = 100 * deviation[-len(y):]  # times the mean and the median of |z|, z standard normal
    return y, found | {"oracle's mean": scale * np.sqrt(2 / np.pi), "oracle's median": scale * 0.67449}


def on_sunspots(nets, *, seed=0, config=ON_SUNSPOTS):
    """`compare` on yearly sunspots from 1900 on, the 50 years before for weights; on square roots, then squared."""
    y, found = compare(sunspots()[1] ** 0.5, _members(nets, 11, seed, config), [150, 200], validation=50, period=11)
    return y ** 2, {name: np.maximum(forecast, 0) ** 2 for name, forecast in found.items()}


def error_after_smoothing(series, width, lags, origin, *, centred):
    """Relative MAE from the origin on of least squares on a moving mean; a centred one leaks what comes after it."""
    smooth, date = np.convolve(series, np.full(width, 1 / width), "valid"), width // 2 if centred else width - 1
    x, series = windows(smooth, lags)[0], np.asarray(series)
    at, last = np.arange(len(x)) + date + lags, x[:, -1]  # smooth[i] is dated i + date
    x = np.column_stack([x - last[:, None], np.ones(len(x))])
    weights = np.linalg.lstsq(x[at < origin], (series[at] - last)[at < origin])[0]
    y, forecast, before = (values[at >= origin] for values in (series[at], last + x @ weights, series[at - 1]))
    return relative_mae(y, forecast, before)


def _members(nets, lags, seed, config):
    makes = {"MLP": partial(nets.make_mlp, hidden=(32,)), "GRU": partial(nets.make_rnn, units=16)}
    return {"AR": partial(autoregression, lags)} | {
        name: partial(network, nets, make, lags, config=config, seed=seed) for name, make in makes.items()}


def _alike(*arrays):
    if len({np.shape(array) for array in arrays}) > 1 or np.ndim(arrays[0]) != 1 or not len(arrays[0]) \
            or not np.isfinite(arrays).all():
        raise ValueError("expected finite numbers of one shape (N,), N > 0, got shapes "
                         f"{[np.shape(array) for array in arrays]}")
    return np.array(arrays, float)
