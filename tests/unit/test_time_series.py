"""Forecasts against plain arithmetic, direct calls of statsmodels and series of known nature."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.tsa.exponential_smoothing.ets import ETSModel

from socare_spark.measures.time_series import forecast

METHODS = ("seasonal_naive", "trend", "ets")
LINES = ("forecast", "lower_80", "upper_80", "lower_95", "upper_95")
SEASONS = np.array([12.0, -5.0, 1.0, -8.0])


def seasonal(periods, seed, slope=0.0, noise=4.0, level=100.0):
    rng = np.random.default_rng(seed)
    time = np.arange(periods)
    return level + slope * time + SEASONS[time % 4] + rng.normal(0, noise, periods)


def wandering(periods, seed):
    rng = np.random.default_rng(seed)
    return seasonal(periods, seed, noise=1.0) + rng.normal(0, 6, periods).cumsum()


def repeating(periods, seed):
    """Each quarter as the same quarter of the year before, and a little else."""
    rng = np.random.default_rng(seed)
    return (100 + rng.normal(0, 8, (periods // 4, 4)).cumsum(axis=0)).ravel() + np.tile(
        SEASONS, periods // 4
    )


def trials(made, method):
    return [t for t in made.backtests if t.method == method]


def naive_mase(values, horizon, season, first, last):
    """By horizon, from the definition: absolute error / mean seasonal difference known then."""
    by_horizon = []
    for ahead in range(1, horizon + 1):
        scaled = []
        for origin in range(first, last + 1):
            known = values[:origin]
            steps = [abs(known[i] - known[i - season]) for i in range(season, origin)]
            back = ahead
            while back > 0:
                back -= season
            error = abs(values[origin + ahead - 1] - known[origin - 1 + back])
            scaled.append(error / (sum(steps) / len(steps)))
        by_horizon.append(sum(scaled) / len(scaled))
    return by_horizon


@pytest.mark.parametrize(
    ("periods", "horizon", "season", "origins", "first"),
    [
        (24, 4, 4, 12, 12),  # the first origin leaves three seasons to learn from
        (40, 6, 4, 5, 30),  # the newest five; six quarters ahead go round the season
        (24, 3, 1, 12, 10),  # without seasons ten values are learnt from
    ],
)
def test_mase_of_the_naive_is_as_defined(periods, horizon, season, origins, first):
    values = seasonal(periods, 1, slope=1.5)
    made = trials(forecast(values, horizon=horizon, season=season, origins=origins), METHODS[0])
    expected = naive_mase(values.tolist(), horizon, season, first, periods - horizon)
    assert [t.mase for t in made] == pytest.approx(expected, rel=1e-12)
    assert [t.horizon for t in made] == list(range(1, horizon + 1))
    assert {t.origins for t in made} == {periods - horizon - first + 1}


@pytest.mark.parametrize(
    ("values", "method"),
    [
        (repeating(40, 0), "seasonal_naive"),
        (seasonal(32, 5, slope=3.0), "trend"),
        (wandering(48, 8), "ets"),
    ],
)
def test_the_method_of_smallest_mase_makes_the_forecast(values, method):
    made = forecast(values, horizon=4)
    errors = {m: np.mean([t.mase for t in trials(made, m)]) for m in METHODS}
    assert made.method == min(errors, key=errors.get) == method
    assert {t.method for t in made.backtests if t.chosen} == {method}
    assert made.reason == ""


def test_ets_is_that_of_statsmodels():
    values = wandering(48, 8)
    values /= values.mean()  # so that both optimise the very same numbers
    made = forecast(values, horizon=4)
    assert made.method == "ets"
    fits = [
        ETSModel(pd.Series(values), "add", trend, False, season, 4 if season else None).fit(disp=0)
        for trend in (None, "add")
        for season in (None, "add")
    ]
    best = min(fits, key=lambda fit: fit.aicc)
    ahead = best.get_prediction(48, 51)
    mean = ahead.predicted_mean.to_numpy()
    assert made.forecast == pytest.approx(mean, rel=1e-9)
    per_degree_of_freedom = (48 / (48 - len(best.params))) ** 0.5
    for level in (80, 95):
        spread = (ahead.pred_int(1 - level / 100).to_numpy().T - mean) * per_degree_of_freedom
        assert getattr(made, f"lower_{level}") == pytest.approx(mean + spread[0], rel=1e-9)
        assert getattr(made, f"upper_{level}") == pytest.approx(mean + spread[1], rel=1e-9)


def test_the_trend_is_least_squares_with_limits_by_student():
    values = seasonal(32, 5, slope=3.0)
    made = forecast(values, horizon=4)
    assert made.method == "trend"
    time = np.arange(36.0)
    design = np.column_stack([time, *(time % 4 == quarter for quarter in range(4))])
    known, ahead = design[:32], design[32:]
    inverse = np.linalg.inv(known.T @ known)
    slope = inverse @ known.T @ values
    variance = ((values - known @ slope) ** 2).sum() / (32 - 5)
    spread = np.sqrt(variance * (1 + np.einsum("ij,jk,ik->i", ahead, inverse, ahead)))
    assert made.forecast == pytest.approx(ahead @ slope)
    assert made.upper_80 == pytest.approx(ahead @ slope + stats.t.ppf(0.9, 27) * spread)
    assert made.lower_95 == pytest.approx(ahead @ slope - stats.t.ppf(0.975, 27) * spread)


def test_seasonal_naive_repeats_the_last_season_with_widening_intervals():
    values = repeating(40, 0)
    made = forecast(values, horizon=6)
    assert made.method == "seasonal_naive"
    assert made.forecast == (*values[-4:], *values[-4:-2])
    width = 1.959963985 * np.sqrt(np.mean((values[4:] - values[:-4]) ** 2))
    expected = [width] * 4 + [width * 2**0.5] * 2
    assert np.subtract(made.upper_95, made.forecast) == pytest.approx(expected)


def test_interval_coverage_is_nominal_on_seasonal_series():
    # 12 series x 6 origins x 4 horizons: 288 values, of which 108 are independent.
    made = [forecast(seasonal(48, seed), horizon=4, origins=6) for seed in range(12)]
    for method in METHODS:
        tried = [t for one in made for t in trials(one, method)]
        assert np.mean([t.coverage_80 for t in tried]) == pytest.approx(0.80, abs=0.07)
        assert np.mean([t.coverage_95 for t in tried]) == pytest.approx(0.95, abs=0.04)


def test_coverage_is_the_share_of_values_inside_the_interval():
    values = np.append(seasonal(28, 2, noise=1.0), [900.0, 900.0, 900.0, 900.0])
    made = forecast(values, horizon=4, origins=2)  # origins 27 and 28; the last four are far out
    for method in METHODS:
        coverage = [t.coverage_95 for t in trials(made, method)]
        assert coverage[1:] == [0.0, 0.0, 0.0]
        assert coverage[0] == 0.5


@pytest.mark.parametrize("value", [0.0, 7.0])
def test_constant_series_is_forecast_as_constant(value):
    made = forecast([value] * 24, horizon=4)
    assert made.method == "seasonal_naive"
    for line in LINES:
        assert getattr(made, line) == (value,) * 4
    assert {t.mase for t in made.backtests} == {None}
    assert {(t.coverage_80, t.coverage_95) for t in made.backtests} == {(1.0, 1.0)}


def test_origins_with_a_constant_past_are_not_scaled():
    values = np.append(np.full(14, 20.0), seasonal(10, 4))
    made = forecast(values, horizon=4)
    expected = naive_mase(values.tolist(), 4, 4, 15, 20)  # at 12, 13 and 14 all were equal
    assert [t.mase for t in trials(made, "seasonal_naive")] == pytest.approx(expected)
    assert {t.origins for t in made.backtests} == {9}


def test_a_straight_line_goes_on():
    made = forecast(np.arange(24) * 3.0 + 5, horizon=4)
    assert made.method == "trend"
    assert made.forecast == pytest.approx([77, 80, 83, 86])
    assert made.upper_95 == pytest.approx(made.lower_95)


def test_intervals_are_nested_and_not_below_zero():
    falling = np.maximum(seasonal(24, 3, slope=-4.2), 0)
    made = forecast(falling, horizon=4, origins=4)
    lines = np.array([made.lower_95, made.lower_80, made.forecast, made.upper_80, made.upper_95])
    assert (np.diff(lines, axis=0) >= 0).all()
    assert lines.min() == 0
    below = forecast(falling - 50, horizon=4, origins=4)
    assert min(below.lower_95) < -50


def test_forecast_does_not_depend_on_the_unit():
    values = wandering(48, 8)
    pounds, pence = (forecast(values * unit, horizon=4, origins=4) for unit in (1, 1024))
    assert pence.method == pounds.method == "ets"
    assert np.array(pence.upper_80) / 1024 == pytest.approx(pounds.upper_80, rel=1e-12)


def test_the_same_values_give_the_same_forecast():
    values = wandering(32, 9)
    assert forecast(values, horizon=4, origins=2) == forecast(list(values), horizon=4, origins=2)


@pytest.mark.parametrize(
    ("periods", "horizon", "shortest", "needed"),
    [
        (0, 4, 20, 20),
        (19, 4, 20, 20),
        (15, 4, 1, 16),  # three seasons and the horizon are needed in any case
        (29, 4, 30, 30),
    ],
)
def test_short_series_gives_a_reason_instead_of_a_forecast(periods, horizon, shortest, needed):
    made = forecast(np.arange(periods, dtype=float), horizon=horizon, shortest=shortest)
    assert made.reason == f"it has {periods} periods, and a forecast needs {needed}"
    assert (made.method, made.forecast, made.upper_95, made.backtests) == ("", (), (), ())
    line = np.arange(needed, dtype=float)
    enough = forecast(line, horizon=horizon, shortest=shortest, origins=1)
    assert len(enough.forecast) == horizon


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_unknown_value_is_refused(value):
    with pytest.raises(ValueError, match="finite"):
        forecast([*seasonal(30, 1), value], horizon=4)


def test_forecasts_raise_no_python_warnings(recwarn):
    for values in (np.tile([1.0, 2.0, 3.0, 4.0], 6), np.append(np.zeros(23), 5.0)):
        forecast(values, horizon=4, origins=2)
    assert list(recwarn) == []


def test_forecast_horizon_can_exceed_the_backtest_horizon():
    values = seasonal(24, 3, slope=2.0)
    made = forecast(values, horizon=17, backtest_horizon=4)
    near = forecast(values, horizon=4)
    assert (made.method, made.backtests) == (near.method, near.backtests)
    assert made.forecast[:4] == pytest.approx(near.forecast)
    assert {len(getattr(made, line)) for line in LINES} == {17}
    assert forecast(values, horizon=3, backtest_horizon=8) == forecast(values, horizon=3)
    assert forecast(values, horizon=17).reason == "it has 24 periods, and a forecast needs 29"
