"""Up to which day the records of a dataset are complete: the one rule for forecasts and trends.

A dataset of closed agreements holds an agreement only once it has ended. Its newest quarters lack
the agreements that were still open on the day of the newest extract: their counts are too low.
"""

from collections.abc import Mapping
from datetime import date, timedelta

import pandas as pd
from pyspark.sql import functions as F

from socare_spark.analyses.agreements import last_day
from socare_spark.analyses.extracts import newest_extract, restricted
from socare_spark.analyses.forecast.settings import SETTINGS, ForecastSettings
from socare_spark.contracts.load import read_model
from socare_spark.job import Context, Need

# Months that are not complete in closed agreements for which none are declared.
MONTHS_OF_CLOSED = 12


def complete_until(context: Context, dataset: str) -> date:
    """The last day to which the records of a dataset are complete.

    It lies the declared number of months before the newest extract, and not after the day to which
    the run counts. A dataset of closed agreements without a declaration is reported.
    """
    known, newest = last_day(context, dataset), newest_extract(context, dataset)
    months = _declared(context).get(dataset)
    if newest is None:
        return known
    if months is None and _are_closed(context, dataset, newest):
        months = MONTHS_OF_CLOSED
        context.run.warnings.append(
            f"No agreement of {restricted(dataset)} is open on {newest}, the day of its newest "
            f"extract: the newest {months} months are taken as incomplete. Declare how many are in "
            f"incomplete_months of {SETTINGS}."
        )
    return min(known, months_before(newest, months or 0))


def months_before(day: date, months: int) -> date:
    """The day some months before another one; the last day of a month gives a last day."""
    after: date = (pd.Timestamp(day + timedelta(1)) - pd.DateOffset(months=months)).date()
    return after - timedelta(1)


def _declared(context: Context) -> Mapping[str, int]:
    """Dataset -> months; none for a council without forecasts."""
    path = context.conf / SETTINGS
    return read_model(path, ForecastSettings).incomplete_months if path.is_file() else {}


def _are_closed(context: Context, dataset: str, newest: date) -> bool:
    """Whether every agreement of a dataset has ended by a day."""
    source, end = restricted(dataset), F.col("agreement_end")
    if context.missing([Need(source, "agreement_end", "date")]):
        return False
    return context.read(source).where(end.isNull() | (end > F.lit(newest))).isEmpty()
