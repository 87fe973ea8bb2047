"""Comparison of the period of use in a reason's text with the dates of its records.

A record is outside the declared period if it begins before its first or after its last month. It
may end after the period.
"""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.combinations.reasons import Reason
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.person_counts import count_people

COMBINATION_PERIODS = cell_table(
    "combination_periods",
    "A reason whose text ends with figures in brackets: the period of use they declare, and the "
    "observed.",
    [ColumnSpec("reason", "string", "Code of the assessment's reason.")],
    [
        ColumnSpec(
            "declared_from",
            "date",
            "First day of the declared period; null where it is open, or the figures declare none.",
        ),
        ColumnSpec("declared_to", "date", "Last day of the last month; null likewise."),
        ColumnSpec("observed_from", "date", "Earliest first day of the reason's records."),
        ColumnSpec("observed_to", "date", "Latest last day of them."),
        ColumnSpec(
            "records_outside",
            "bigint",
            "Records that begin before or after the declared period; null where none is declared.",
        ),
    ],
    source="Thesis 5.8 and 5.9: dates beside the description",
)


def combination_periods(used: DataFrame, reasons: Sequence[Reason]) -> DataFrame:
    """Counts the records outside the declared period of each reason.

    Args:
        used: Result of `uses`.
        reasons: Result of `read_reasons`.

    Returns:
        One row per reason with figures in brackets. Columns as in COMBINATION_PERIODS.
    """
    rows = [
        (
            r.code,
            r.declared and r.declared.first,
            r.declared and r.declared.last,
            r.first_used,
            r.last_used,
        )
        for r in reasons
        if r.figures
    ]
    declared = used.sparkSession.createDataFrame(
        rows,
        "reason string, declared_from date, declared_to date, observed_from date, observed_to date",
    )
    dated = used.join(F.broadcast(declared), "reason")
    # A declared period has whole months, so the comparison of months is sufficient.
    before, after = F.col("month") < F.col("declared_from"), F.col("month") > F.col("declared_to")
    outside = dated.groupBy("reason").agg(
        F.sum(F.when(before | after, F.col("records")).otherwise(0)).alias("_outside")
    )
    is_declared = F.coalesce("declared_from", "declared_to").isNotNull()
    return (
        count_people(dated, declared.columns, records="records")
        .join(F.broadcast(outside), "reason")
        .withColumn("records_outside", F.when(is_declared, F.col("_outside")))
    )
