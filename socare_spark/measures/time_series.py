"""Forecasts of an aggregate series with back-tests.

Three methods are applied to each series: the seasonal naive method, exponential smoothing (ETS) and
a linear trend with seasons. Each is back-tested from earlier origins without the later values. The
method with the smallest mean scaled error makes the forecast. The coverage of its intervals in the
back-tests is reported. The same values give the same forecast. Source: thesis 4.4; Hyndman and
Athanasopoulos, Forecasting: principles and practice (3rd edition), chapters 5, 7 and 8; Hyndman and
Koehler (2006) for the scaled error.
"""

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm
from statsmodels.regression.linear_model import OLS
from statsmodels.tsa.exponential_smoothing.ets import ETSModel, ETSResults
from threadpoolctl import threadpool_limits

from socare_spark.plurals import counted

_Values = NDArray[np.float64]
# (series, horizon, season) -> rows with forecast and limits, in the order of `Forecast`.
_Method = Callable[[_Values, int, int], _Values]
_LEVELS = (0.8, 0.95)
_MIN_TRAINING_SEASONS = 3
_MIN_TRAINING_VALUES = 10  # With fewer values statsmodels has no initial values for ETS.


@dataclass(frozen=True)
class Backtest:
    """Back-test results of a method at one horizon.

    Attributes:
        method: `seasonal_naive`, `ets` or `trend`.
        horizon: Periods ahead, from 1.
        origins: Number of origins.
        mase: Mean over origins of the absolute error / the mean absolute error of the seasonal
            naive method within the training values. Origins at which the latter is 0 are excluded;
            None if all are.
        coverage_80: Share of origins at which the value was in the 80 % interval.
        coverage_95: Share of origins at which the value was in the 95 % interval.
        chosen: Whether the method makes the forecast.
    """

    method: str
    horizon: int
    origins: int
    mase: float | None
    coverage_80: float
    coverage_95: float
    chosen: bool


@dataclass(frozen=True)
class Forecast:
    """The forecast of a series, one value for each period after its last.

    Attributes:
        method: The chosen method; empty without a forecast.
        forecast: Expected values.
        lower_80: Lower limits of the 80 % prediction intervals.
        upper_80: Upper limits of the 80 % prediction intervals.
        lower_95: Lower limits of the 95 % prediction intervals.
        upper_95: Upper limits of the 95 % prediction intervals.
        backtests: Back-test results of each method and horizon.
        reason: The reason why there is no forecast; empty with a forecast.
    """

    method: str = ""
    forecast: tuple[float, ...] = ()
    lower_80: tuple[float, ...] = ()
    upper_80: tuple[float, ...] = ()
    lower_95: tuple[float, ...] = ()
    upper_95: tuple[float, ...] = ()
    backtests: tuple[Backtest, ...] = ()
    reason: str = ""


def forecast(
    values: Sequence[float],
    *,
    horizon: int,
    season: int = 4,
    shortest: int = 20,
    origins: int = 12,
    backtest_horizon: int | None = None,
) -> Forecast:
    """Forecasts a series with the method that has the best back-test.

    The method with the smallest mean MASE over the horizons is chosen. The simplest method is
    chosen among equals and if no MASE is defined (a series that repeats exactly). If no value is
    negative, forecasts and limits are not below 0.

    Args:
        values: One value for each period, the oldest first, without gaps.
        horizon: Number of periods to forecast.
        season: Length of the season in periods; 1 without seasons.
        shortest: Minimum length of the series. In any case it must have one back-test origin with
            three seasons (at least ten values) before it.
        origins: Maximum number of back-test origins; the newest are used.
        backtest_horizon: Number of periods ahead that are back-tested; None means the horizon. A
            smaller number allows a longer forecast for a short series.

    Raises:
        ValueError: a value is not finite, or a number of periods is below 1.
    """
    series = np.asarray(values, dtype=np.float64)
    if not np.isfinite(series).all():
        raise ValueError("A series to be forecast needs a finite value in each period.")
    if min(horizon, season, origins, 1 if backtest_horizon is None else backtest_horizon) < 1:
        raise ValueError("horizon, season, origins and backtest_horizon must be at least 1.")
    ahead = horizon if backtest_horizon is None else min(backtest_horizon, horizon)
    training = max(_MIN_TRAINING_SEASONS * season, _MIN_TRAINING_VALUES)
    needed = max(shortest, training + ahead)
    if len(series) < needed:
        return Forecast(
            reason=f"it has {counted(len(series), 'period')}, and a forecast needs {needed}"
        )
    last_origin = len(series) - ahead
    starts = range(max(training, last_origin - origins + 1), last_origin + 1)
    # The matrices are small, so BLAS threads would only compete with each other and the executors.
    with threadpool_limits(1, user_api="blas"):
        trials = [t for name in _METHODS for t in _backtests(name, series, starts, season, ahead)]
        return _forecast(series, trials, horizon, season)


def _forecast(series: _Values, trials: Sequence[Backtest], horizon: int, season: int) -> Forecast:
    best = min(_METHODS, key=lambda name: _mean_mase(t for t in trials if t.method == name))
    forecast, lower_80, upper_80, lower_95, upper_95 = (
        tuple(line) for line in _METHODS[best](series, horizon, season).tolist()
    )
    return Forecast(
        method=best,
        forecast=forecast,
        lower_80=lower_80,
        upper_80=upper_80,
        lower_95=lower_95,
        upper_95=upper_95,
        backtests=tuple(replace(trial, chosen=trial.method == best) for trial in trials),
    )


def _backtests(
    name: str, series: _Values, origins: range, season: int, horizon: int
) -> Iterator[Backtest]:
    """Back-tests a method. Yields one result for each horizon, with `chosen` False."""
    forecasts = np.stack([_METHODS[name](series[:origin], horizon, season) for origin in origins])
    actual = np.stack([series[origin : origin + horizon] for origin in origins])
    forecast, lower_80, upper_80, lower_95, upper_95 = np.moveaxis(forecasts, 1, 0)
    scale = np.array([np.abs(_season_to_season(series[:o], season)).mean() for o in origins])
    scaled = np.abs(actual - forecast)[scale > 0] / scale[scale > 0, np.newaxis]
    # A value at a limit is inside the interval despite rounding.
    tolerance = 1e-9 * np.abs(series).max()
    inside_80 = (lower_80 - tolerance <= actual) & (actual <= upper_80 + tolerance)
    inside_95 = (lower_95 - tolerance <= actual) & (actual <= upper_95 + tolerance)
    for step in range(horizon):
        yield Backtest(
            method=name,
            horizon=step + 1,
            origins=len(origins),
            mase=float(scaled[:, step].mean()) if len(scaled) else None,
            coverage_80=float(inside_80[:, step].mean()),
            coverage_95=float(inside_95[:, step].mean()),
            chosen=False,
        )


def _mean_mase(trials: Iterable[Backtest]) -> float:
    """Mean MASE over the horizons; infinite if undefined."""
    return float(np.mean([np.inf if t.mase is None else t.mase for t in trials]))


def _season_to_season(series: _Values, season: int) -> _Values:
    """Errors of the seasonal naive method within a series."""
    return series[season:] - series[:-season]


def _seasonal_naive(series: _Values, horizon: int, season: int) -> _Values:
    steps = np.arange(horizon)
    spread = np.sqrt((_season_to_season(series, season) ** 2).mean() * (steps // season + 1))
    spreads = [norm.ppf(0.5 + p / 2) * spread for p in _LEVELS]
    return _with_limits(series, series[steps % season - season], spreads)


def _ets(series: _Values, horizon: int, season: int) -> _Values:
    """ETS with additive error; trend and season are chosen by the smallest AICc.

    If no model converges, as for constant values, the seasonal naive method is used. The error
    variance is divided by the degrees of freedom (Hyndman and others, 2008). statsmodels divides by
    the number of values, which makes the intervals of short series too narrow.
    """
    # The optimiser uses absolute steps, so the series is scaled to a mean of 1.
    scale = np.abs(series).mean() or 1.0
    seasons = (None, "add") if season > 1 else (None,)
    fits = [_fit_ets(series / scale, t, s, season) for t, s in product((None, "add"), seasons)]
    best = min((f for f in fits if f is not None), key=lambda fit: fit.aicc, default=None)
    if best is None:
        return _seasonal_naive(series, horizon, season)
    ahead = best.get_prediction(len(series), len(series) + horizon - 1)
    mean = ahead.predicted_mean.to_numpy()
    widening = scale * np.sqrt(len(series) / (len(series) - len(best.params)))
    uppers = [ahead.pred_int(1 - p).iloc[:, 1].to_numpy() for p in _LEVELS]
    return _with_limits(series, mean * scale, [(upper - mean) * widening for upper in uppers])


def _fit_ets(
    series: _Values, trend: str | None, seasonal: str | None, season: int
) -> ETSResults | None:
    """Fits an ETS model. Returns None if the fit does not converge."""
    model = ETSModel(
        pd.Series(series),
        error="add",
        trend=trend,
        seasonal=seasonal,
        seasonal_periods=season if seasonal else None,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with np.errstate(all="ignore"):
            fit = model.fit(disp=False)
            return fit if fit.mle_retvals["converged"] and np.isfinite(fit.aicc) else None


def _trend(series: _Values, horizon: int, season: int) -> _Values:
    """Least squares on time and the position in the season, with limits by Student's t."""
    period = np.arange(len(series) + horizon)
    season_dummies = [period % season == position for position in range(1, season)]
    design = np.column_stack([np.ones(len(period)), period, *season_dummies]).astype(np.float64)
    fit = OLS(series, design[: len(series)]).fit()
    ahead = fit.get_prediction(design[len(series) :])
    mean = ahead.predicted_mean
    uppers = [ahead.conf_int(obs=True, alpha=1 - p)[:, 1] for p in _LEVELS]
    return _with_limits(series, mean, [upper - mean for upper in uppers])


def _with_limits(series: _Values, mean: _Values, spreads: Sequence[_Values]) -> _Values:
    """Rows of forecast and limits in the order of `Forecast`, not below 0 unless the series is."""
    lines = np.stack([mean, *(mean + side * spread for spread in spreads for side in (-1, 1))])
    return np.maximum(lines, 0.0) if series.min() >= 0 else lines


# In order of complexity, the simplest first.
_METHODS: dict[str, _Method] = {"seasonal_naive": _seasonal_naive, "trend": _trend, "ets": _ets}
