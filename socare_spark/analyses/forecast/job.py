"""The `forecast` analysis: people, cost and requests in the coming quarters (F).

Only aggregates are forecast. A series of few people is left out, and a series that is too short has
no forecast; the run gets a warning with the reason. Counts of elements come from
`users_by_quarter`, so that both tables agree. Source: thesis 4.4, 5 and 7.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pandas as pd

from socare_spark.analyses.forecast.history import MEASURES, History
from socare_spark.analyses.forecast.needs import missing_inputs, source_needs, source_tables
from socare_spark.analyses.forecast.settings import SETTINGS, ForecastSettings, load_settings
from socare_spark.analyses.forecast.sources import element_histories, request_histories
from socare_spark.analysis import Analysis, Context, Result
from socare_spark.charts.fan_chart import Fan, draw_fans
from socare_spark.errors import MissingInputError
from socare_spark.inputs import Inputs
from socare_spark.lake.table import ColumnSpec, TableSpec, Zone, cell_table
from socare_spark.measures.periods import quarters_after
from socare_spark.measures.time_series import Backtest, Forecast, forecast

_SERIES = ColumnSpec(
    "series",
    "string",
    "What is counted, and the measure: an element with `people` or `cost`, or a service "
    "description with `records`.",
)
_METHODS = "`seasonal_naive` (as a year before), `trend` (straight, with seasons) or `ets`"
_METHOD_CAPTIONS = {"seasonal_naive": "as a year before", "trend": "straight trend", "ets": "ETS"}
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
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Returns the rows of FORECAST, the rows of FORECAST_BACKTEST, and warnings."""
    forecast_rows: _Rows = []
    backtest_rows: _Rows = []
    names_by_message: dict[str, list[str]] = defaultdict(list)
    for history in series:
        reason = history.exclusion_reason(settings.least_people)
        if reason:
            names_by_message[f"leaves out {{}}: {reason}."].append(history.known_as)
            continue
        result = forecast(
            history.values[: history.complete],
            horizon=settings.horizon + len(history.periods) - history.complete,
            shortest=settings.shortest,
            origins=settings.origins,
            backtest_horizon=settings.horizon,
        )
        if result.reason:
            message = f"has only the past of {{}}: {result.reason}."
            names_by_message[message].append(history.known_as)
        forecast_rows += [*_history_rows(history, result), *_future_rows(history, result)]
        backtest_rows += [_backtest_row(history, backtest) for backtest in result.backtests]
    warnings = [
        f"{FORECAST.path} {message.format('; '.join(names))}"
        for message, names in names_by_message.items()
    ]
    return _frame(FORECAST, forecast_rows), _frame(FORECAST_BACKTEST, backtest_rows), warnings


def _frame(table: TableSpec, rows: _Rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=table.names, dtype=object)


def _history_rows(history: History, result: Forecast) -> _Rows:
    """One row per quarter with counts. Rows of incomplete quarters have a forecast too."""
    lines = [*[_NOTHING] * history.complete, *_intervals(result)]
    lines += [_NOTHING] * (len(history.periods) - len(lines))
    return [
        (
            *(history.series, period, value, at < history.complete),
            *line,
            result.method or None,
            *(cell[name] for name in MEASURES),
        )
        for at, (period, value, cell, line) in enumerate(
            zip(history.periods, history.values, history.cells, lines, strict=False)
        )
    ]


def _future_rows(history: History, result: Forecast) -> _Rows:
    """One row per quarter after the last whole one."""
    lines = _intervals(result)[len(history.periods) - history.complete :]
    periods = quarters_after(history.periods[-1], len(lines))
    measures = [None] * len(MEASURES)
    return [
        (history.series, period, None, None, *line, result.method, *measures)
        for period, line in zip(periods, lines, strict=True)
    ]


def _intervals(result: Forecast) -> _Rows:
    """Forecast and limits of each quarter after the last complete one."""
    limits = (result.lower_80, result.upper_80, result.lower_95, result.upper_95)
    return [*zip(result.forecast, *limits, strict=True)]


def _backtest_row(history: History, backtest: Backtest) -> tuple[Any, ...]:
    return (
        history.series,
        backtest.horizon,
        backtest.method,
        backtest.origins,
        backtest.mase,
        backtest.coverage_80,
        backtest.coverage_95,
        backtest.chosen,
    )


def build(inputs: Inputs, settings: ForecastSettings) -> Result:
    """Builds both tables from the sources that the lake has.

    Raises:
        MissingInputError: the lake has none of the sources.
    """
    needed = source_tables(settings)
    missing = {
        source: missing_inputs(inputs, settings, source, names) for source, names in needed.items()
    }
    if needed and all(missing.values()):
        alternatives = " or ".join(" and ".join(names) for names in missing.values())
        raise MissingInputError(
            f"forecast needs {alternatives}, which the lake does not have. Run the job that writes "
            "it first."
        )
    series: list[History] = []
    warnings = [
        f"{FORECAST.path} has no {source}: conf/{SETTINGS} does not have the key '{source}'."
        for source in settings.undeclared
    ]
    for source, names in missing.items():
        if names:
            warnings.append(
                f"{FORECAST.path} has no {source}: the lake does not have {' and '.join(names)}."
            )
        else:
            of_source, warnings_of_source = _READ[source](inputs, settings)
            series += of_source
            warnings += warnings_of_source
    expected, tried, left_out = forecasts(series, settings)
    return Result({FORECAST: expected, FORECAST_BACKTEST: tried}, warnings=[*warnings, *left_out])


_READ = {"elements": element_histories, "requests": request_histories}


def draw(context: Context, _: ForecastSettings) -> None:
    """Draws all series with their forecasts in one figure."""
    rows = _rows(context, FORECAST)
    trials = _rows(context, FORECAST_BACKTEST)
    fans = [
        Fan(
            series=str(name),
            caption=_accuracy_caption(
                trials[(trials["series"] == name) & trials["chosen"].astype(bool)]
            ),
            rows=series_rows.sort_values("period"),
        )
        for name, series_rows in sorted(
            rows.groupby("series"), key=lambda group: _elements_first(group[0])
        )
    ]
    if fans:
        path = context.lake.pictures / "forecast.png"
        context.picture(draw_fans(fans, path, FORECAST.path))


def _elements_first(series: object) -> tuple[bool, str]:
    return str(series).endswith(", records"), str(series)


def _rows(context: Context, table: TableSpec) -> pd.DataFrame:
    return context.lake.to_pandas(table, *_shown(table))


def _shown(table: TableSpec) -> list[str]:
    """Columns for the chart: all except the measures of cells."""
    return [name for name in table.names if name not in MEASURES]


def _accuracy_caption(chosen: pd.DataFrame) -> str:
    """Caption of a panel: the chosen method and its accuracy in the back-test."""
    if chosen.empty:
        return "too short to forecast"
    mase = chosen["mase"].mean()
    error = "" if pd.isna(mase) else f", MASE {mase:.2f}"
    held = " and ".join(
        f"{chosen[name].mean() * 100:.0f} %" for name in ("coverage_80", "coverage_95")
    )
    return f"{_METHOD_CAPTIONS[chosen['method'].iloc[0]]}{error}; intervals held {held}"


ANALYSIS = Analysis(
    name="forecast",
    description="Forecasts quarterly people, cost and requests, and reports back-test accuracy.",
    load_settings=load_settings,
    settings_files=("analyses/forecast.yaml",),
    reads=lambda _, __: [],
    optional=lambda _, settings: [name for t in source_tables(settings).values() for name in t],
    writes=(FORECAST, FORECAST_BACKTEST),
    needs=lambda inputs, settings: source_needs(inputs, settings, FORECAST),
    build=build,
    draw=draw,
)
