"""The exact cost of an agreement within a period, in pounds."""

from pyspark.sql import Column
from pyspark.sql import functions as F


def days_open(start: Column, end: Column, first: Column, last: Column) -> Column:
    """Number of days of [start, end] within [first, last], both ends included.

    Definition: docs/definitions.md, section 3.2.

    Args:
        start: First day of the agreement.
        end: Last day of the agreement; null while it is open.
        first: First day of the period.
        last: Last day of the period.

    Returns:
        The number of days; 0 if the ranges do not overlap.
    """
    from_day = F.greatest(start, first)
    to_day = F.least(F.coalesce(end, last), last)
    return F.greatest(F.datediff(to_day, from_day) + 1, F.lit(0))


def cost_of_days(weekly_cost: Column, days: Column) -> Column:
    """Cost in pounds: weekly cost / 7 x days, rounded half up to the penny, as DECIMAL(20,2)."""
    return F.round(weekly_cost.cast("decimal(14,2)") * days / F.lit(7), 2).cast("decimal(20,2)")
