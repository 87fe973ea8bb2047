"""Ranks and running sums over all rows of a frame, made by several tasks.

A window without a partition sorts all rows in one task. Here each task sorts one range of the
order, and adds the totals of the earlier ranges.
"""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F


def ranked(frame: DataFrame, order: Sequence[Column], sums: str) -> DataFrame:
    """The rows with their place in an order, and a running sum.

    The rows are cached, since a second reading could cut the ranges elsewhere.

    Args:
        frame: The rows.
        order: What they are sorted by. No two rows may be equal in it.
        sums: Column of numbers to add up.

    Returns:
        The columns of the frame, `rank` (from 1), `so_far` (the sum of the row and all before it).
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
