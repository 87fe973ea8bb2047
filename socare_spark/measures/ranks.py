"""Ranks and running sums over all rows of a frame, computed by several tasks.

A window without a partition sorts all rows in one task. Here each task sorts one range of the order
and adds the totals of the earlier ranges.
"""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F


def ranked(frame: DataFrame, order: Sequence[Column], sums: str) -> DataFrame:
    """Adds the rank and a running sum to rows.

    The rows are cached because a second evaluation could give other ranges.

    Args:
        frame: The rows.
        order: Sort columns. No two rows can be equal in all of them.
        sums: Numeric column to sum.

    Returns:
        The columns of the frame, `rank` (from 1), `so_far` (the sum up to and including the row).
    """
    ranges = frame.repartitionByRange(*order).withColumn("_range", F.spark_partition_id()).persist()
    earlier = Window.orderBy("_range").rowsBetween(Window.unboundedPreceding, -1)
    sizes = ranges.groupBy("_range").agg(
        F.count(F.lit(1)).alias("_rows"), F.sum(sums).alias("_sum")
    )
    before = sizes.select(
        "_range",
        *(F.coalesce(F.sum(n).over(earlier), F.lit(0)).alias(n) for n in ("_rows", "_sum")),
    )
    within = Window.partitionBy("_range").orderBy(*order)
    up_to_here = within.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    return ranges.join(F.broadcast(before), "_range").select(
        *frame.columns,
        (F.col("_rows") + F.row_number().over(within)).alias("rank"),
        (F.col("_sum") + F.sum(sums).over(up_to_here)).alias("so_far"),
    )
