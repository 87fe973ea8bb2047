"""Timeline of each person by sub-process and month (D3).

It supports requests of persons to see their records. The table is in the restricted zone, which has
pseudonyms only. It is not released and not drawn, because a chart of one person needs a purpose
that permits it.
"""

import pandas as pd
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.combinations.counts import SUBPROCESS
from socare_spark.analyses.combinations.groups import TEXTS
from socare_spark.lake.collect import to_spark
from socare_spark.lake.table import ColumnSpec, TableSpec, Zone

PERSON_TIMELINES = TableSpec(
    Zone.RESTRICTED,
    "person_timelines",
    "What was recorded of a person in a sub-process in a month; never released, never drawn.",
    (
        ColumnSpec(
            "person", "bigint", "Pseudonym of the person; records without one are in no row."
        ),
        SUBPROCESS,
        ColumnSpec(
            "period",
            "date",
            "First day of the month in which the records begin; null where they have no first day.",
        ),
    ),
    (ColumnSpec("instances", "bigint", "Records of the person in the sub-process in the month."),),
    source="Thesis 5.12, figures 47 and 48",
    grows=True,
)
_SUBPROCESSES = pa.schema([(name, pa.string()) for name in (*TEXTS, "subprocess")])


def person_timelines(records: DataFrame, spelled: pd.DataFrame) -> DataFrame:
    """Counts the records of each person by sub-process and month.

    Rows are range-partitioned and sorted by person, so that a query for one person skips files by
    their statistics.

    Args:
        records: `person`, `reason_text`, `outcome_text`, `first_day`.
        spelled: The spellings: `reason_text`, `outcome_text`, `subprocess`.

    Returns:
        One row for each person, sub-process and month. Columns as in PERSON_TIMELINES.
    """
    subprocesses = to_spark(records.sparkSession, spelled, _SUBPROCESSES)
    return (
        records.where(F.col("person").isNotNull())
        .join(F.broadcast(subprocesses), TEXTS)
        .groupBy("person", "subprocess", F.trunc("first_day", "month").alias("period"))
        .agg(F.count(F.lit(1)).alias("instances"))
        .repartitionByRange("person")
        .sortWithinPartitions("person", "period", "subprocess")
    )
