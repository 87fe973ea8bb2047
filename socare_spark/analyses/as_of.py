"""The as-of day: the day to which open agreements run."""

from datetime import date

from socare_spark.analyses.extracts import newest_extract
from socare_spark.analysis import Context


def last_day(context: Context, dataset: str) -> date:
    """Day to which open agreements run: the as-of date, otherwise the day of the newest extract."""
    if context.as_of is not None:
        return context.as_of
    return newest_extract(context, dataset) or date.min
