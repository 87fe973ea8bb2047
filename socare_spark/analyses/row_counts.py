"""Rows that represent several records, as in aggregated open data.

The role `count` names the column with their number. Analyses that count records sum it.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.extracts import restricted
from socare_spark.lake.collect import collect_one
from socare_spark.measures.person_counts import COUNT


def counted_rows(rows: DataFrame, dataset: str, column: str | None) -> tuple[DataFrame, list[str]]:
    """Selects the rows that represent records.

    Args:
        rows: Rows of a dataset, with COUNT if it has a role `count`.
        dataset: Name of the dataset, for the warning.
        column: Column of the role `count`, for the warning; None if each row is one record.

    Returns:
        The rows with a positive number of records. A warning about rows whose number is missing or
        negative.
    """
    if column is None:
        return rows, []
    number = F.col(COUNT)
    invalid = rows.agg(
        F.count_if(number.isNull()).alias("missing"), F.count_if(number < 0).alias("negative")
    )
    missing, negative = collect_one(f"counts of {dataset}", invalid).iloc[0].astype(int)
    warnings = []
    if missing or negative:
        warnings.append(
            f"Rows of {restricted(dataset)} do not count: {missing:,} have no number in the column "
            f"{column}, and {negative:,} have a negative one."
        )
    return rows.where(number > 0), warnings
