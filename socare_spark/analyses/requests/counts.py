"""Counts of requests by extract and description.

The column `snapshot` has the day of the extract: a copy of the system, or a part of all records.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.lake.table import CELL_MEASURES, ColumnSpec, cell_table
from socare_spark.measures.person_counts import count_people

SNAPSHOT_DAY = ColumnSpec(
    "snapshot",
    "date",
    "Day of the extract: on which the system was copied, or the last day of its period.",
)
DESCRIPTION = ColumnSpec("description", "string", "Service description, as written.")
REQUEST_SNAPSHOTS = cell_table(
    "request_snapshots",
    "An extract of the request system: a snapshot, or a part of all requests.",
    [SNAPSHOT_DAY],
    [ColumnSpec("descriptions", "bigint", "Distinct service descriptions, as written.")],
    source="Thesis 6.2, Table 24",
)
REQUEST_SINGLE_USE = cell_table(
    "request_single_use",
    "A description that only one record of an extract has.",
    [SNAPSHOT_DAY, DESCRIPTION],
    source="Thesis 6.2, Table 26",
    grows=True,
)


def request_counts(rows: DataFrame) -> DataFrame:
    """Counts requests by snapshot and description, and by snapshot, in one pass.

    Args:
        rows: `snapshot`, `service_description` (not null), `person` (null where a request has
            none), COUNT if a row can represent several requests.

    Returns:
        One row for each snapshot and description, and one with a null description for each
        snapshot: `snapshot`, `description`, the measures of `count_people`.
    """
    described = rows.withColumnRenamed("service_description", "description")
    return count_people(described, ["snapshot", "description"], totals=["description"])


def request_totals(rows: DataFrame) -> DataFrame:
    """Counts requests by description, in all extracts.

    Args:
        rows: As in `request_counts`.

    Returns:
        One row for each description: `description`, the measures of `count_people`.
    """
    described = rows.withColumnRenamed("service_description", "description")
    return count_people(described, ["description"])


def by_description(counts: DataFrame) -> DataFrame:
    """Rows of `request_counts` with a description."""
    return counts.where(F.col("description").isNotNull())


def request_snapshots(counts: DataFrame) -> DataFrame:
    """One row for each snapshot. Columns as in REQUEST_SNAPSHOTS.

    Args:
        counts: Result of `request_counts`.
    """
    whole = F.col("description").isNull()
    measures = [F.max(F.when(whole, F.col(c.name))).alias(c.name) for c in CELL_MEASURES]
    return counts.groupBy("snapshot").agg(F.count("description").alias("descriptions"), *measures)


def request_single_use(counted: DataFrame, contains: str = "") -> DataFrame:
    """Selects the descriptions with one record.

    Args:
        counted: Result of `by_description`.
        contains: Text that a description must contain, in upper or lower case; empty means all.

    Returns:
        One row for each snapshot and description. Columns as in REQUEST_SINGLE_USE.
    """
    once = counted.where("records = 1")
    return once.where(F.contains(F.lower("description"), F.lit(contains.lower())))
