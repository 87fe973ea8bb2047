"""Spells: what several agreements of one person amount to, without counting a day twice.

Overlapping and adjoining intervals of one key are one spell. An interval is [start, end + 1): its
end is the last day, so the next adjoins when it starts on the day after.
"""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F


def spells(
    frame: DataFrame,
    keys: Sequence[str],
    *,
    start: str = "start",
    end: str = "end",
    until: Column | None = None,
    gap_days: int = 0,
) -> DataFrame:
    """Joins intervals of the same keys that overlap, adjoin or lie close together.

    Args:
        frame: One row an interval.
        keys: Columns of which each combination has spells of its own, as person and element; a null
            is a value like any other. One task sorts the intervals of a combination, so records
            without a person must not be in the frame.
        start: DATE of the first day; rows without one make no spell.
        end: DATE of the last day; null while the interval is open.
        until: Last day of open intervals; needed where there are any.
        gap_days: So many days may lie between two intervals of one spell; none by default, 4 in the
            national client-level method.

    Returns:
        `keys`, `start`, `end` (both DATE, the last day), `days` (from start to end, with both, gaps
        included), `intervals` (how many the spell is made of). Intervals that end before they
        start, or are open and start after `until`, are in none.
    """
    last = F.col(end) if until is None else F.coalesce(F.col(end), until)
    lasting = frame.select(
        *keys, F.col(start).cast("date").alias("_start"), last.cast("date").alias("_end")
    ).where("_end >= _start")
    by_key = Window.partitionBy(*keys).orderBy("_start", "_end")
    before = F.max("_end").over(by_key.rowsBetween(Window.unboundedPreceding, -1))
    apart = F.datediff("_start", before) > gap_days + 1
    numbered = lasting.withColumn("_new", F.when(before.isNull() | apart, 1).otherwise(0))
    spelled = numbered.withColumn(
        "_spell", F.sum("_new").over(by_key.rowsBetween(Window.unboundedPreceding, 0))
    )
    whole = spelled.groupBy(*keys, "_spell").agg(
        F.min("_start").alias("start"),
        F.max("_end").alias("end"),
        F.count(F.lit(1)).alias("intervals"),
    )
    days = F.datediff("end", "start") + 1
    return whole.select(*keys, "start", "end", days.alias("days"), "intervals")
