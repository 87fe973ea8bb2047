"""Flows of movements: a matrix from one activity to another, without an order of events.

A record is one movement, or the number of movements in the column `count`.
"""

from collections.abc import Mapping

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import IntegralType

from socare_spark.analyses.flow.bounds import incomplete_movements
from socare_spark.analyses.flow.events import (
    MICROSECONDS_A_DAY,
    Read,
    microseconds,
    reader,
    selected,
)
from socare_spark.analyses.flow.graph import EDGE, FLOW_EDGES
from socare_spark.analyses.flow.parts import Matrix
from socare_spark.analyses.flow.pools import (
    check_pool,
    pool_edges,
    pooled_edges,
    report_edges,
)
from socare_spark.analyses.flow.results import flow_result
from socare_spark.analyses.flow.selections import report_selections, selection_queries
from socare_spark.analyses.flow.settings import Flow
from socare_spark.analyses.flow.stages import FLOW
from socare_spark.analysis import Result
from socare_spark.errors import ConfigurationError
from socare_spark.inputs import Inputs
from socare_spark.lake.collect import collect
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.person_counts import count_people

# Pairs of activities, and activities, of a matrix that the driver collects.
MOST_PAIRS = 500_000
_RECORDS = "records of a matrix"  # name of a collected frame, for messages
FLOW_BALANCE = cell_table(
    "flow_balance",
    "Movements from and to each activity of a flow with a matrix. A movement is a record of both "
    "its activities.",
    [FLOW, ColumnSpec("activity", "string", "Activity or place.")],
    [
        ColumnSpec("departures", "bigint", "Movements from it to another one."),
        ColumnSpec("arrivals", "bigint", "Movements from another one to it."),
        ColumnSpec("within", "bigint", "Movements from it to itself."),
        ColumnSpec("net", "bigint", "Arrivals - departures."),
    ],
    source="Origin-destination matrix",
)
FLOW_EDGES_BY_MONTH = cell_table(
    "flow_edges_by_month",
    "Movements from one activity to another by month, of flows with a matrix that names a time. "
    "Rare pairs are pooled as in `flow_edges`.",
    [
        FLOW,
        ColumnSpec("from_activity", "string", "Activity that the movement leaves."),
        ColumnSpec("to_activity", "string", "Activity that it reaches."),
        ColumnSpec("month", "date", "First day of the month of the movement."),
    ],
    [ColumnSpec("transitions", "bigint", "Movements; the same as records.")],
    source="Origin-destination matrix",
    grows=True,
)


def all_movements(flow: Flow, matrix: Matrix, read: Read) -> DataFrame:
    """Reads the selected records of a matrix, including incomplete ones.

    Returns:
        One row per record: case (null if the matrix names none), activity and next_activity, the
        same as from_activity and to_activity, month (its first day), number (of movements). A
        missing value is null.

    Raises:
        ConfigurationError: a column is missing, the time is not a date or a timestamp, or the count
            is not an integer.
    """
    frame = selected(flow, matrix, read)
    month = F.lit(None).cast("date")
    if matrix.time is not None:
        day = F.floor(microseconds(flow, frame, matrix.time) / MICROSECONDS_A_DAY)
        month = F.trunc(F.date_from_unix_date(day.cast("int")), "month")
    number = F.lit(1).cast("bigint")
    if matrix.count is not None:
        kind = frame.schema[matrix.count].dataType
        if not isinstance(kind, IntegralType):
            raise ConfigurationError(
                f"Flow {flow.flow} takes its count from {matrix.count}, which is "
                f"{kind.simpleString()}: it must be an integer. Declare 'type: integer' in the "
                f"contract of {matrix.dataset}."
            )
        number = F.col(matrix.count).cast("bigint")
    origin, to = (F.col(name).cast("string") for name in (matrix.origin, matrix.to))
    case = F.col(matrix.case) if matrix.case else F.lit(None).cast("bigint")
    return frame.select(
        case.alias("case"),
        origin.alias("activity"),
        to.alias("next_activity"),
        origin.alias(EDGE[0]),
        to.alias(EDGE[1]),
        month.alias("month"),
        number.alias("number"),
    )


def count_movements(movements: DataFrame) -> DataFrame:
    """Counts all records and incomplete ones.

    Args:
        movements: Result of `all_movements`.

    Returns:
        One row: records, without_from, without_to, without_count, negative_count (first fault of
        a record only), without_time (of the complete ones).
    """
    no_from, no_to = F.isnull("activity"), F.isnull("next_activity")
    no_count, negative = F.isnull("number"), F.col("number") < 0
    ended = ~no_from & ~no_to
    return movements.agg(
        F.count(F.lit(1)).alias("records"),
        F.count_if(no_from).alias("without_from"),
        F.count_if(~no_from & no_to).alias("without_to"),
        F.count_if(ended & no_count).alias("without_count"),
        F.count_if(ended & negative).alias("negative_count"),
        F.count_if(ended & ~no_count & ~negative & F.isnull("month")).alias("without_time"),
    )


def complete_movements(movements: DataFrame) -> DataFrame:
    """Movements with both activities and a number above 0."""
    return movements.dropna(subset=EDGE).where(F.col("number") > 0)


def count_edges(movements: DataFrame, *others: str) -> DataFrame:
    """Counts movements by both activities and other columns.

    Args:
        movements: Complete movements; rare pairs can be pooled.
        others: Further columns of a cell.
    """
    return count_people(movements, [*EDGE, *others], person="case", records="number")


def count_balance(movements: DataFrame) -> DataFrame:
    """Counts movements from and to each activity: activity, departures, arrivals, within.

    Args:
        movements: Complete movements.
    """
    origin, to, number = F.col("activity"), F.col("next_activity"), F.col("number")
    same, none = origin == to, F.lit(0).cast("bigint")

    def end(name: str, of: str) -> Column:
        figures = {
            key: number if key == of else none for key in ("departures", "arrivals", "within")
        }
        return F.struct(
            F.col(name).alias("activity"), *(value.alias(key) for key, value in figures.items())
        )

    both = F.array(end("activity", "departures"), end("next_activity", "arrivals"))
    ends = F.when(same, F.array(end("activity", "within"))).otherwise(both)
    rows = movements.select("case", "number", F.inline(ends))
    sums = ["departures", "arrivals", "within"]
    return count_people(rows, ["activity"], person="case", records="number", sums=sums)


def movement_edges(counted: pd.DataFrame) -> pd.DataFrame:
    """Rows of FLOW_EDGES, without `flow`. Movements have no durations.

    Args:
        counted: Result of `count_edges`.
    """
    no_number = dict.fromkeys(("median_days", "p90_days", "median", "p90"), float("nan"))
    return counted.assign(transitions=counted["records"], unit=None, **no_number)


def flow_balance(counted: pd.DataFrame) -> pd.DataFrame:
    """Rows of FLOW_BALANCE, without `flow`.

    Args:
        counted: Result of `count_balance`.
    """
    return counted.assign(net=counted["arrivals"] - counted["departures"])


def _check_size(flow: Flow, matrix: Matrix, counted: Mapping[str, pd.DataFrame]) -> None:
    """Refuses columns with more pairs or activities than are collected, as in identifiers.

    Raises:
        ConfigurationError: there are too many.
    """
    columns = f"columns {matrix.origin} and {matrix.to} of dataset {matrix.dataset}"
    if len(counted[FLOW_BALANCE.path]) > MOST_PAIRS:
        raise ConfigurationError(
            f"Flow {flow.flow}: {columns} have more than {MOST_PAIRS:,} different activities. Set "
            "'from' and 'to' to columns of places or kinds of activities."
        )
    if len(counted[FLOW_EDGES.path]) > MOST_PAIRS:
        raise ConfigurationError(
            f"Flow {flow.flow}: {columns} have more than {MOST_PAIRS:,} different pairs. Set "
            "'limits.edges' or 'limits.least' of the flow in conf/flows, so that rare pairs are "
            "pooled."
        )


def follow_matrix(inputs: Inputs, flow: Flow, matrix: Matrix) -> Result:
    """Builds the tables of one flow of movements."""
    read = reader(inputs)
    rows = all_movements(flow, matrix, read).persist()
    movements = pool_edges(complete_movements(rows), flow.limits, "number").persist()
    edges, balance = count_edges(movements), count_balance(movements)
    queries = {
        _RECORDS: count_movements(rows),
        FLOW_EDGES.path: edges.limit(MOST_PAIRS + 1),
        FLOW_BALANCE.path: balance.limit(MOST_PAIRS + 1),
    }
    counted = collect(queries | selection_queries(flow, read))
    _check_size(flow, matrix, counted)
    tables = {
        FLOW_EDGES: movement_edges(counted[FLOW_EDGES.path]),
        FLOW_BALANCE: flow_balance(counted[FLOW_BALANCE.path]),
    }
    check_pool(flow, tables[FLOW_BALANCE]["activity"])
    by_month = count_edges(movements.where(F.col("month").isNotNull()), "month")
    by_month = by_month.withColumn("transitions", F.col("records"))
    if matrix.case is None:
        tables = {
            t: x.assign(people=pd.array([pd.NA] * len(x), "Int64")) for t, x in tables.items()
        }
        by_month = by_month.withColumn("people", F.lit(None).cast("bigint"))
    pooled = pooled_edges(flow, tables[FLOW_EDGES], movements)
    reports = [
        report_edges(flow, tables[FLOW_EDGES], pooled),
        incomplete_movements(flow, counted[_RECORDS]),
        report_selections(flow, counted),
    ]
    return flow_result(flow, tables, {FLOW_EDGES_BY_MONTH: by_month}, reports)
