"""One person's way through the sub-processes, month by month (D3).

A subject of records may ask to see this of themselves. It is kept in the restricted zone, where
only pseudonyms are; it is never released, and nothing draws it: a picture of one person needs a
purpose that allows it.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.combinations.counts import SUBPROCESS
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


def person_timelines(used: DataFrame) -> DataFrame:
    """The columns of PERSON_TIMELINES, of everybody.

    Files in the order of persons: a reader of one person's rows passes over all others by the
    files' own statistics. A task makes each file.

    Args:
        used: Result of `uses`.
    """
    return (
        used.where(F.col("person").isNotNull())
        .groupBy("person", "subprocess", F.col("month").alias("period"))
        .agg(F.sum("records").alias("instances"))
        .repartitionByRange("person")
        .sortWithinPartitions("person", "period", "subprocess")
    )
