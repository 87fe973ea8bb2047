"""The most frequent descriptions of each extract, compared with the extract before."""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise

import pandas as pd
import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from socare_spark.analyses.requests.counts import DESCRIPTION, SNAPSHOT_DAY
from socare_spark.lake.collect import to_spark
from socare_spark.lake.table import ColumnSpec, cell_table

REQUEST_TOP = cell_table(
    "request_top",
    "The service descriptions with most records in an extract.",
    [SNAPSHOT_DAY, DESCRIPTION],
    [
        ColumnSpec("rank", "bigint", "1 has the most records; equal ones rank by description."),
        ColumnSpec(
            "rank_change",
            "bigint",
            "Places risen since the extract before, among all its descriptions; null if new.",
        ),
        ColumnSpec(
            "records_change",
            "bigint",
            "Records more than in the extract before, where a new description had none; null in "
            "the first extract.",
        ),
    ],
    source="Thesis 6.2, Table 25",
)
_WANTED = pa.schema(
    [("snapshot", pa.date32()), ("before", pa.date32()), ("description", pa.string())]
)


def most_requested(counted: DataFrame, number: int) -> DataFrame:
    """The most frequent descriptions of each snapshot, with `rank`.

    Args:
        counted: Result of `by_description`.
        number: Number of descriptions of a snapshot.
    """
    within = Window.partitionBy("snapshot").orderBy(F.desc("records"), F.asc("description"))
    return counted.withColumn("rank", F.row_number().over(within)).where(F.col("rank") <= number)


def wanted_before(top: pd.DataFrame, snapshots: Sequence[date]) -> pd.DataFrame:
    """The snapshot before that of each description in the top lists.

    Args:
        top: `snapshot`, `description`.
        snapshots: All snapshots in order.

    Returns:
        One row for each description and snapshot except the first: `snapshot`, `before`,
        `description`.
    """
    pairs = pd.DataFrame([*pairwise(snapshots)], columns=["before", "snapshot"])
    return top.merge(pairs, on="snapshot")[["snapshot", "before", "description"]]


def ranks_before(counted: DataFrame, wanted: pd.DataFrame) -> DataFrame:
    """Records and ranks of some descriptions in the snapshot before.

    The rank is the number of descriptions with a better rank, plus 1, so that no task sorts a
    snapshot.

    Args:
        counted: Result of `by_description`.
        wanted: Result of `wanted_before`.

    Returns:
        One row for each description of `wanted` that the snapshot before has: `snapshot`,
        `description`, `records_before`, `rank_before`.
    """
    small = F.broadcast(to_spark(counted.sparkSession, wanted, _WANTED))
    earlier = counted.select(F.col("snapshot").alias("before"), "description", "records")
    compared = earlier.join(small, ["before", "description"]).withColumnsRenamed(
        {"description": "_text", "records": "records_before"}
    )
    ranks_higher = (F.col("records") > F.col("records_before")) | (
        (F.col("records") == F.col("records_before")) & (F.col("description") < F.col("_text"))
    )
    return (
        earlier.join(F.broadcast(compared), "before")
        .groupBy("snapshot", F.col("_text").alias("description"), "records_before")
        .agg((F.count_if(ranks_higher) + 1).alias("rank_before"))
    )


def request_top(top: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """The top lists with the changes since the snapshot before.

    Args:
        top: Collected result of `most_requested`.
        before: Collected result of `ranks_before`.

    Returns:
        One row for each snapshot and description. Columns as in REQUEST_TOP.
    """
    rows = top.merge(before, on=["snapshot", "description"], how="left")
    has_before = rows["snapshot"] > rows["snapshot"].min()
    records_before = rows["records_before"].fillna(0).where(has_before)
    return rows.assign(
        rank_change=rows["rank_before"] - rows["rank"],
        records_change=rows["records"] - records_before,
    )
