"""Complete grids: every wanted cell has a row, with zero counts where no record falls into it."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F


def complete_grid(every: DataFrame, counted: DataFrame, more: Sequence[str] = ()) -> DataFrame:
    """Every cell that is wanted, with its counts, or those of a cell that nothing fell into.

    Args:
        every: The dimensions; null (all of one) meets null.
        counted: The same dimensions, the measures of `count_people`, and more.
        more: Further counts and sums, 0 where there are none.
    """
    dims = every.columns
    same = [F.col(f"l.{name}").eqNullSafe(F.col(f"r.{name}")) for name in dims]
    return (
        every.alias("l")
        .join(counted.alias("r"), same, "left")
        .select(
            *(f"l.{name}" for name in dims),
            *zero_filled(),
            *(F.coalesce(F.col(name), F.lit(0)).alias(name) for name in more),
        )
    )


def zero_filled() -> list[Column]:
    """The measures of `count_people`, with the counts of a cell that nothing fell into."""
    zero = F.lit(0).cast("bigint")
    return [
        *(F.coalesce(F.col(name), zero).alias(name) for name in ("people", "records")),
        F.col("cost"),
        F.col("cost_top1"),
        F.col("cost_top2"),
        F.col("providers"),
    ]
