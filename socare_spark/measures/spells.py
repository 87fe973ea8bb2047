"""Spells: overlapping or adjoining intervals merged, so no day is counted twice.

An interval includes its last day `end`. The next interval adjoins if it starts on the day after.
"""

from collections.abc import Sequence

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F


def with_spells(
    intervals: DataFrame, keys: Sequence[str], *, gap_days: int = 0, then_by: Sequence[str] = ()
) -> DataFrame:
    """Adds the spell of each interval: all intervals of its key that overlap, adjoin or are close.

    Args:
        intervals: `start` and `end` (first and last day), the keys, and other columns. Intervals
            without one of the days, or that end before they start, are ignored.
        keys: Columns of the key, such as person and element. Null is a value like any other. One
            task sorts the intervals of a key, so the frame must not have records without a person.
        gap_days: Maximum number of days between two intervals of one spell; 0 by default, 4 in the
            national client-level method.
        then_by: Further columns of the order, for intervals of a key with the same days.

    Returns:
        The intervals with `spell_start` and `spell_end` (first and last day of the spell) and
        `covered_until` (latest end of the earlier intervals of the key; null for the first).
    """
    by_key = Window.partitionBy(*keys).orderBy("start", "end", *then_by)
    earlier = by_key.rowsBetween(Window.unboundedPreceding, -1)
    so_far = by_key.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    spell = Window.partitionBy(*keys, "_spell")
    is_separate = F.datediff("start", "covered_until") > gap_days + 1
    is_first = F.coalesce(is_separate, F.lit(True)).cast("int")
    numbered = (
        intervals.where("end >= start")
        .withColumn("covered_until", F.max("end").over(earlier))
        .withColumn("_spell", F.sum(is_first).over(so_far))
    )
    bounds = {"spell_start": F.min("start").over(spell), "spell_end": F.max("end").over(spell)}
    return numbered.withColumns(bounds).drop("_spell")
