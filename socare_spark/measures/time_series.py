"""Forecasts of an aggregate series, each tried on the past before it is believed.

Three methods forecast every series: the seasonal naive, exponential smoothing (ETS) and a straight
trend with seasons. Each is run again from earlier origins, as if later values were not yet known;
the one with the smallest scaled error there makes the forecast, and how often its intervals held
what came is reported with it. The same values give the same forecast. Source: thesis 4.4; Hyndman
and Athanasopoulos, Forecasting: principles and practice (3rd edition), chapters 5, 7 and 8;
Hyndman and Koehler (2006) for the scaled error.
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

_Values = NDArray[np.float64]
# Of a series, a horizon and a season: forecast and limits in the order of `Forecast`, a row each.
_Method = Callable[[_Values, int, int], _Values]
_LEVELS = (0.8, 0.95)
_SEASONS_TO_LEARN = 3
_FEWEST_TO_LEARN = 10  # below, statsmodels has no starting values for ETS


@dataclass(frozen=True)
class Backtest:
    """How a method did so many periods ahead.

    Attributes:
        method: `seasonal_naive`, `ets` or `trend`.
        horizon: Periods ahead, from 1.
        origins: From how many origins it was tried.
        mase: Mean over origins of the absolute error / the mean absolute error of the seasonal
            naive within the values known there; origins where that is 0 are left out, and None
            means that no other was there.
        coverage_80: Share of origins at which the value lay in the 80 % interval.
        coverage_95: Share at which it lay in the 95 % interval.
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
    """What is expected of a series after its last period, one value a period ahead.

    Attributes:
        method: The one that was chosen; empty where nothing could be forecast.
        forecast: The values expected.
        lower_80: Lower ends of the 80 % prediction intervals.
        upper_80: Upper ends.
        lower_95: Lower ends of the 95 % prediction intervals.
        upper_95: Upper ends.
        backtests: What each method did from earlier origins.
        reason: Why nothing could be forecast; empty where something was.
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
    """Forecasts a series by the method that did best on it.

    The method with the smallest mean of MASE over the horizons is chosen; among equals, and where
    no MASE is defined (a series that repeats itself exactly), the simplest. Where no value is
    negative, no forecast and no interval is.

    Args:
        values: One for each period, the oldest first, no period missing.
        horizon: How many periods ahead.
        season: Periods after which a season returns; 1 where there are none.
        shortest: Values that a series must at least have; one origin for the trial, with three
            seasons (at least ten values) before it, must fit in any case.
        origins: The newest so many are tried.
        backtest_horizon: Number of periods ahead that are back-tested; None means all of the
            horizon. It lets a series be forecast for longer than it could be tried.

    Raises:
        ValueError: A value is not a finite number, or a number of periods is below 1.
    """
    series = np.asarray(values, dtype=np.float64)
    if not np.isfinite(series).all():
        raise ValueError("A series to be forecast needs a finite value in every period.")
    if min(horizon, season, origins, 1 if backtest_horizon is None else backtest_horizon) < 1:
        raise ValueError("Horizon, season, origins and periods tried are at least 1.")
    ahead = horizon if backtest_horizon is None else min(backtest_horizon, horizon)
    learnt = max(_SEASONS_TO_LEARN * season, _FEWEST_TO_LEARN)
    needed = max(shortest, learnt + ahead)
    if len(series) < needed:
        return Forecast(reason=f"it has {len(series)} periods, and a forecast needs {needed}")
    last = len(series) - ahead
    starts = range(max(learnt, last - origins + 1), last + 1)
    # Matrices of a few numbers: threads of BLAS would only wait for each other, most of all where
    # executors have the processors.
    with threadpool_limits(1, user_api="blas"):
        trials = [t for name in _METHODS for t in _backtests(name, series, starts, season, ahead)]
        return _forecast(series, trials, horizon, season)


def _forecast(series: _Values, trials: Sequence[Backtest], horizon: int, season: int) -> Forecast:
    best = min(_METHODS, key=lambda name: _error(t for t in trials if t.method == name))
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
    """What a method did, for each horizon; none is chosen yet."""
    ahead = np.stack([_METHODS[name](series[:origin], horizon, season) for origin in origins])
    came = np.stack([series[origin : origin + horizon] for origin in origins])
    forecast, lower_80, upper_80, lower_95, upper_95 = np.moveaxis(ahead, 1, 0)
    scale = np.array([np.abs(_season_to_season(series[:o], season)).mean() for o in origins])
    scaled = np.abs(came - forecast)[scale > 0] / scale[scale > 0, np.newaxis]
    # A value at the end of an interval is in it, whatever rounding did.
    slack = 1e-9 * np.abs(series).max()
    inside_80 = (lower_80 - slack <= came) & (came <= upper_80 + slack)
    inside_95 = (lower_95 - slack <= came) & (came <= upper_95 + slack)
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


def _error(trials: Iterable[Backtest]) -> float:
    """Mean of MASE over the horizons; infinite where it is not defined."""
    return float(np.mean([np.inf if t.mase is None else t.mase for t in trials]))


def _season_to_season(series: _Values, season: int) -> _Values:
    """Errors of the seasonal naive within a series."""
    return series[season:] - series[:-season]


def _seasonal_naive(series: _Values, horizon: int, season: int) -> _Values:
    steps = np.arange(horizon)
    spread = np.sqrt((_season_to_season(series, season) ** 2).mean() * (steps // season + 1))
    spreads = [norm.ppf(0.5 + p / 2) * spread for p in _LEVELS]
    return _fan(series, series[steps % season - season], spreads)


def _ets(series: _Values, horizon: int, season: int) -> _Values:
    """ETS with additive error: of those that converge, the trend and season of smallest AICc.

    Where none converges, as on values that never change, the seasonal naive stands in. The
    variance of the errors is per degree of freedom (Hyndman and others, 2008): by their plain mean,
    as statsmodels has it, intervals of short series hold too little.
    """
    # The optimiser's steps are absolute: pounds and people must look alike to it.
    unit = np.abs(series).mean() or 1.0
    seasons = (None, "add") if season > 1 else (None,)
    fits = [_fitted(series / unit, t, s, season) for t, s in product((None, "add"), seasons)]
    best = min((f for f in fits if f is not None), key=lambda fit: fit.aicc, default=None)
    if best is None:
        return _seasonal_naive(series, horizon, season)
    ahead = best.get_prediction(len(series), len(series) + horizon - 1)
    mean = ahead.predicted_mean.to_numpy()
    wider = unit * np.sqrt(len(series) / (len(series) - len(best.params)))
    uppers = [ahead.pred_int(1 - p).iloc[:, 1].to_numpy() for p in _LEVELS]
    return _fan(series, mean * unit, [(upper - mean) * wider for upper in uppers])


def _fitted(
    series: _Values, trend: str | None, seasonal: str | None, season: int
) -> ETSResults | None:
    """The fitted model, or None where the fit did not converge."""
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
    """Least squares on time and the place in the season; limits by Student's t."""
    period = np.arange(len(series) + horizon)
    places = [period % season == place for place in range(1, season)]
    design = np.column_stack([np.ones(len(period)), period, *places]).astype(np.float64)
    fit = OLS(series, design[: len(series)]).fit()
    ahead = fit.get_prediction(design[len(series) :])
    mean = ahead.predicted_mean
    uppers = [ahead.conf_int(obs=True, alpha=1 - p)[:, 1] for p in _LEVELS]
    return _fan(series, mean, [upper - mean for upper in uppers])


def _fan(series: _Values, mean: _Values, spreads: Sequence[_Values]) -> _Values:
    """Forecast and limits, in the order of `Forecast`; not below 0 where the series is not."""
    lines = np.stack([mean, *(mean + side * spread for spread in spreads for side in (-1, 1))])
    return np.maximum(lines, 0.0) if series.min() >= 0 else lines


# The simplest first.
_METHODS: dict[str, _Method] = {"seasonal_naive": _seasonal_naive, "trend": _trend, "ets": _ets}
