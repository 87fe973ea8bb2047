"""Complete grids: each requested cell has a row, with zero counts if it has no records."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F


def complete_grid(
    cells: DataFrame, counted: DataFrame, more_measures: Sequence[str] = ()
) -> DataFrame:
    """Joins requested cells with their counts and fills missing counts with zero.

    Args:
        cells: The requested cells: one row with the dimensions of each. Null (all values) equals
            null.
        counted: The same dimensions, the measures of `count_people` and the further measures.
        more_measures: Names of further counts and sums.

    Returns:
        One row for each requested cell: the dimensions, the measures (`people` and `records` 0 and
        the others null without records) and the further measures (0 without records).
    """
    dims = cells.columns
    same_cell = [F.col(f"l.{name}").eqNullSafe(F.col(f"r.{name}")) for name in dims]
    return (
        cells.alias("l")
        .join(counted.alias("r"), same_cell, "left")
        .select(
            *(f"l.{name}" for name in dims),
            *zero_filled(),
            *(F.coalesce(F.col(name), F.lit(0)).alias(name) for name in more_measures),
        )
    )


def zero_filled() -> list[Column]:
    """The measures of `count_people` with 0 for null `people` and `records`."""
    zero = F.lit(0).cast("bigint")
    return [
        *(F.coalesce(F.col(name), zero).alias(name) for name in ("people", "records")),
        F.col("cost"),
        F.col("cost_top1"),
        F.col("cost_top2"),
        F.col("providers"),
    ]
