"""Spells: overlapping or adjoining intervals merged, so no day is counted twice.

An interval includes its last day `end`. The next interval adjoins if it starts on the day after.
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
    """Merges intervals of the same key that overlap, adjoin or have a short gap between them.

    Args:
        frame: One row for each interval.
        keys: Columns of the key, such as person and element. Null is a value like any other. One
            task sorts the intervals of a key, so the frame must not have records without a person.
        start: Column of the first day (DATE); rows with null are ignored.
        end: Column of the last day (DATE); null while the interval is open.
        until: Last day of open intervals; required if there are any.
        gap_days: Maximum number of days between two intervals of one spell; 0 by default, 4 in the
            national client-level method.

    Returns:
        One row for each spell: `keys`, `start`, `end` (DATE, first and last day), `days` (from
        start to end, both included, with gaps), `intervals` (number of merged intervals). Intervals
        that end before they start, or are open and start after `until`, are ignored.
    """
    last = F.col(end) if until is None else F.coalesce(F.col(end), until)
    valid = frame.select(
        *keys, F.col(start).cast("date").alias("_start"), last.cast("date").alias("_end")
    ).where("_end >= _start")
    by_key = Window.partitionBy(*keys).orderBy("_start", "_end")
    latest_end = F.max("_end").over(by_key.rowsBetween(Window.unboundedPreceding, -1))
    is_separate = F.datediff("_start", latest_end) > gap_days + 1
    numbered = valid.withColumn("_new", F.when(latest_end.isNull() | is_separate, 1).otherwise(0))
    with_spell = numbered.withColumn(
        "_spell", F.sum("_new").over(by_key.rowsBetween(Window.unboundedPreceding, 0))
    )
    merged = with_spell.groupBy(*keys, "_spell").agg(
        F.min("_start").alias("start"),
        F.max("_end").alias("end"),
        F.count(F.lit(1)).alias("intervals"),
    )
    days = F.datediff("end", "start") + 1
    return merged.select(*keys, "start", "end", days.alias("days"), "intervals")
