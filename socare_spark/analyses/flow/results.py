"""Tables, warnings and counts of one flow, and the tables of all flows."""

from collections.abc import Mapping, Sequence
from functools import reduce

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.flow.bounds import Report
from socare_spark.analyses.flow.settings import Flow
from socare_spark.analysis import Frame, Result
from socare_spark.lake.table import TableSpec


def flow_result(
    flow: Flow,
    collected: Mapping[TableSpec, pd.DataFrame],
    in_spark: Mapping[TableSpec, DataFrame],
    reports: Sequence[Report],
) -> Result:
    """The tables of a flow with its name, and its warnings and numbers."""
    frames: dict[TableSpec, Frame] = {t: x.assign(flow=flow.flow) for t, x in collected.items()}
    for table, rows in in_spark.items():
        frames[table] = table.conform(rows.withColumn("flow", F.lit(flow.flow)))
    return Result(
        frames,
        warnings=[warning for warnings, _ in reports for warning in warnings],
        counts={f"{flow.flow}.{k}": n for _, counts in reports for k, n in counts.items()},
    )


def of_all_flows(table: TableSpec, frames: Sequence[Frame]) -> Frame:
    """The rows of a table of all flows."""
    in_spark = [frame for frame in frames if isinstance(frame, DataFrame)]
    if in_spark:
        return reduce(DataFrame.unionByName, in_spark)
    collected = [frame for frame in frames if isinstance(frame, pd.DataFrame) and len(frame)]
    return pd.concat(collected) if collected else pd.DataFrame(columns=table.names)
