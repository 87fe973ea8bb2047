"""Pounds and pence: what an agreement costs within a period, exactly."""

from pyspark.sql import Column
from pyspark.sql import functions as F


def days_open(start: Column, end: Column, first: Column, last: Column) -> Column:
    """Days of [start, end] that fall in [first, last], both ends counted; 0 where they do not meet.

    `end` is the last day; null means still open (docs/definitions.md, section 3.2).
    """
    from_day = F.greatest(start, first)
    to_day = F.least(F.coalesce(end, last), last)
    return F.greatest(F.datediff(to_day, from_day) + 1, F.lit(0))


def cost_of_days(weekly_cost: Column, days: Column) -> Column:
    """Weekly cost / 7 x days, rounded half up to the penny for each record, as DECIMAL(20,2)."""
    return F.round(weekly_cost.cast("decimal(14,2)") * days / F.lit(7), 2).cast("decimal(20,2)")
