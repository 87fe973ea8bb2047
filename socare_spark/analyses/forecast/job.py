"""The `forecast` analysis: people, cost and requests to be expected in the coming quarters (F).

Aggregates alone are forecast, never a person; a series of few people is left out and one that is
too short is shown without a forecast, and the run says of each why. Elements are counted by
`users_by_quarter`, so that both tables agree. Source: thesis 4.4, 5 and 7.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame

from socare_spark.analyses.extracts import extract_need, restricted
from socare_spark.analyses.forecast.history import MEASURES, History, quarters_after
from socare_spark.analyses.forecast.settings import SETTINGS, ForecastSettings
from socare_spark.analyses.forecast.sources import element_histories, request_histories
from socare_spark.analyses.use.quarters import USERS_BY_QUARTER
from socare_spark.analysis import Analysis, Context, Need
from socare_spark.charts.fan_chart import Fan, draw_fans
from socare_spark.config import read_model
from socare_spark.errors import MissingInputError
from socare_spark.lake.table import ColumnSpec, TableSpec, Zone, cell_table
from socare_spark.measures.time_series import Backtest, Forecast, forecast

_SERIES = ColumnSpec(
    "series",
    "string",
    "What is counted, and the measure: an element with `people` or `cost`, or a service "
    "description with `records`.",
)
_METHODS = "`seasonal_naive` (as a year before), `trend` (straight, with seasons) or `ets`"
_SAID = {"seasonal_naive": "as a year before", "trend": "straight trend", "ets": "ETS"}
_Rows = list[tuple[Any, ...]]
_NOTHING = (None,) * 5

FORECAST = cell_table(
    "forecast",
    "A quarter of a series: what was counted, or, after the last complete quarter, what is "
    "expected; the measures are of the quarters that were counted, null in later ones.",
    [_SERIES, ColumnSpec("period", "string", "Calendar quarter, as '2010Q1'.")],
    [
        ColumnSpec("actual", "double", "What was counted; null after the last whole quarter."),
        ColumnSpec(
            "complete",
            "boolean",
            "Whether the source holds all records of the quarter; where it does not, `actual` is "
            "too low and `forecast` is what to expect. Null after the last whole quarter.",
        ),
        ColumnSpec("forecast", "double", "What is expected; null in a complete quarter."),
        ColumnSpec("lower_80", "double", "Lower end of the 80 % prediction interval."),
        ColumnSpec("upper_80", "double", "Its upper end."),
        ColumnSpec("lower_95", "double", "Lower end of the 95 % prediction interval."),
        ColumnSpec("upper_95", "double", "Its upper end."),
        ColumnSpec(
            "method",
            "string",
            f"What forecasts the series: {_METHODS}; null where it is too short.",
        ),
    ],
    source="Thesis 4.4, 5 and 7 (F)",
)
FORECAST_BACKTEST = TableSpec(
    Zone.WORKING,
    "forecast_backtest",
    "How a method would have forecast a series from earlier quarters, with what was known there.",
    (
        _SERIES,
        ColumnSpec("horizon", "bigint", "Quarters ahead, from 1."),
        ColumnSpec("method", "string", f"One of {_METHODS}."),
    ),
    (
        ColumnSpec("origins", "bigint", "Quarters from which the method was tried."),
        ColumnSpec(
            "mase",
            "double",
            "Mean of the absolute error / the mean absolute error of the seasonal naive within "
            "what was known; null where the series repeated itself exactly.",
        ),
        ColumnSpec("coverage_80", "double", "Share of origins from which the 80 % interval held."),
        ColumnSpec("coverage_95", "double", "Share from which the 95 % interval held."),
        ColumnSpec(
            "chosen", "boolean", "Whether its mean of `mase` over all horizons is smallest."
        ),
    ),
    "Hyndman and Koehler (2006), Another look at measures of forecast accuracy",
)


def forecasts(
    series: Iterable[History], settings: ForecastSettings
) -> tuple[_Rows, _Rows, list[str]]:
    """The rows of FORECAST and of FORECAST_BACKTEST, and what the run must say of the series."""
    counted: _Rows = []
    tried: _Rows = []
    said: dict[str, list[str]] = defaultdict(list)
    for own in series:
        left_out = own.exclusion_reason(settings.least_people)
        if left_out:
            said[f"leaves out {{}}: {left_out}."].append(own.known_as)
            continue
        made = forecast(
            own.values[: own.complete],
            horizon=settings.horizon + len(own.periods) - own.complete,
            shortest=settings.shortest,
            origins=settings.origins,
            backtest_horizon=settings.horizon,
        )
        if made.reason:
            said[f"has only the past of {{}}: {made.reason}."].append(own.known_as)
        counted += [*_history_rows(own, made), *_forecast_rows(own, made)]
        tried += [_trial(own, trial) for trial in made.backtests]
    lines = [f"{FORECAST.path} {line.format('; '.join(names))}" for line, names in said.items()]
    return counted, tried, lines


def _history_rows(own: History, made: Forecast) -> _Rows:
    """The quarters that were counted; those that are not complete with what is expected of them."""
    lines = [*[_NOTHING] * own.complete, *_expected(made)]
    lines += [_NOTHING] * (len(own.periods) - len(lines))
    return [
        (
            *(own.series, period, value, at < own.complete),
            *line,
            made.method or None,
            *(cell[name] for name in MEASURES),
        )
        for at, (period, value, cell, line) in enumerate(
            zip(own.periods, own.values, own.cells, lines, strict=False)
        )
    ]


def _forecast_rows(own: History, made: Forecast) -> _Rows:
    """The quarters after the last whole one."""
    lines = _expected(made)[len(own.periods) - own.complete :]
    counted = [None] * len(MEASURES)
    return [
        (own.series, period, None, None, *line, made.method, *counted)
        for period, line in zip(quarters_after(own.periods[-1], len(lines)), lines, strict=True)
    ]


def _expected(made: Forecast) -> _Rows:
    """For each quarter after the last complete one the forecast and its limits."""
    return [
        *zip(made.forecast, made.lower_80, made.upper_80, made.lower_95, made.upper_95, strict=True)
    ]


def _trial(own: History, trial: Backtest) -> tuple[Any, ...]:
    return (
        own.series,
        trial.horizon,
        trial.method,
        trial.origins,
        trial.mase,
        trial.coverage_80,
        trial.coverage_95,
        trial.chosen,
    )


def tables(context: Context) -> Mapping[TableSpec, DataFrame]:
    """Both tables, of the sources that the lake has with the columns that they need.

    Raises:
        LackingError: It has none of them.
    """
    settings = _settings(context)
    needed = _needed(settings)
    lacking = {source: _missing_tables(context, source, names) for source, names in needed.items()}
    if needed and all(lacking.values()):
        either = " or ".join(" and ".join(names) for names in lacking.values())
        raise MissingInputError(
            f"forecast needs {either}, which the lake does not have: run the job that writes it "
            "first."
        )
    series: list[History] = []
    for source, names in lacking.items():
        if names:
            context.run.warnings.append(
                f"{FORECAST.path} has no {source}: the lake does not have {' and '.join(names)}."
            )
        else:
            series += _READ[source](context, settings)
    counted, tried, lines = forecasts(series, settings)
    context.run.warnings.extend(lines)
    return {
        FORECAST: context.spark.createDataFrame(counted, FORECAST.schema),
        FORECAST_BACKTEST: context.spark.createDataFrame(tried, FORECAST_BACKTEST.schema),
    }


_READ = {"elements": element_histories, "requests": request_histories}


def _missing_tables(context: Context, source: str, tables: list[str]) -> list[str]:
    """The tables or columns of a source that the lake does not have."""
    absent = [name for name in tables if not context.lake.exists(name)]
    return absent or [need.text for need in context.missing(_columns(context, source))]


def _columns(context: Context, source: str) -> list[Need]:
    """The columns without which a source cannot be read."""
    settings = _settings(context)
    if source == "elements":
        until = extract_need(context, settings.agreements)
        return [until] if context.as_of is None else []
    dataset = settings.requests.dataset
    table = restricted(dataset)
    return [
        Need(table, "service_description", "string"),
        Need(table, "request_date", "date"),
        extract_need(context, dataset),
    ]


def _needs(context: Context) -> list[Need]:
    """The columns of all sources; that of a person may be missing."""
    settings = _settings(context)
    columns = [need for source in _needed(settings) for need in _columns(context, source)]
    people = Need(restricted(settings.requests.dataset), "person", "bigint", without=(FORECAST,))
    return [*columns, people] if "requests" in _needed(settings) else columns


def _needed(settings: ForecastSettings) -> dict[str, list[str]]:
    """The tables of each source that is wanted."""
    needed = {}
    if settings.elements:
        needed["elements"] = [USERS_BY_QUARTER.path, restricted(settings.agreements)]
    if settings.requests.descriptions or settings.requests.top:
        needed["requests"] = [restricted(settings.requests.dataset)]
    return needed


def draw(context: Context) -> None:
    """All series with what is expected of them, in one picture."""
    rows = _rows(context, FORECAST)
    trials = _rows(context, FORECAST_BACKTEST)
    fans = [
        Fan(
            series=str(name),
            caption=_accuracy_caption(
                trials[(trials["series"] == name) & trials["chosen"].astype(bool)]
            ),
            rows=own.sort_values("period"),
        )
        for name, own in sorted(rows.groupby("series"), key=lambda one: _elements_first(one[0]))
    ]
    if fans:
        path = context.lake.pictures / "forecast.png"
        context.picture(draw_fans(fans, path, FORECAST.path))


def _elements_first(series: object) -> tuple[bool, str]:
    return str(series).endswith(", records"), str(series)


def _rows(context: Context, table: TableSpec) -> pd.DataFrame:
    return context.lake.to_pandas(table, *_shown(table))


def _shown(table: TableSpec) -> list[str]:
    """The columns that are drawn: not the measures of cells."""
    return [name for name in table.names if name not in MEASURES]


def _accuracy_caption(chosen: pd.DataFrame) -> str:
    """What a panel says of the trials of the method that was chosen."""
    if chosen.empty:
        return "too short to forecast"
    mase = chosen["mase"].mean()
    error = "" if pd.isna(mase) else f", MASE {mase:.2f}"
    held = " and ".join(
        f"{chosen[name].mean() * 100:.0f} %" for name in ("coverage_80", "coverage_95")
    )
    return f"{_SAID[chosen['method'].iloc[0]]}{error}; intervals held {held}"


def _settings(context: Context) -> ForecastSettings:
    return read_model(context.conf / SETTINGS, ForecastSettings)


ANALYSIS = Analysis(
    name="forecast",
    description="Forecasts quarterly people, cost and requests, and reports back-test accuracy.",
    reads=lambda _: [],
    optional=lambda context: [name for t in _needed(_settings(context)).values() for name in t],
    writes=(FORECAST, FORECAST_BACKTEST),
    needs=_needs,
    tables=tables,
    draw=draw,
)
