"""Up to which day the records of a dataset are complete: the one rule for forecasts and trends.

A dataset of closed agreements holds an agreement only once it has ended. Its newest quarters lack
the agreements that were still open on the day of the newest extract: their counts are too low.
"""

from datetime import date, timedelta

import pandas as pd
from pyspark.sql import functions as F

from socare_spark.analyses.agreements import last_day
from socare_spark.analyses.extracts import extract_column, newest_extract, restricted
from socare_spark.analyses.forecast.settings import SETTINGS, ForecastSettings
from socare_spark.analysis import Context, Need
from socare_spark.config import read_model

# Months that are not complete in closed agreements for which none are declared.
MONTHS_OF_CLOSED = 12
# Share of open agreements in the newest extract that an error in closed agreements does not reach.
_OPEN = 0.05


def complete_until(context: Context, dataset: str) -> date:
    """The last day to which the records of a dataset are complete.

    It lies the declared number of months before the newest extract, and not after the day to which
    the run counts. A dataset of closed agreements without a declaration is reported, and so is a
    declaration without effect.
    """
    known, newest = last_day(context, dataset), newest_extract(context, dataset)
    settings = _settings(context)
    if settings is not None:
        context.run.warnings += _without_effect(context, settings)
    months = settings.incomplete_months.get(dataset) if settings is not None else None
    if newest is None:
        return known
    if months is None and _are_closed(context, dataset, newest):
        months = MONTHS_OF_CLOSED
        context.run.warnings.append(
            f"Fewer than {_OPEN:.0%} of the agreements in the newest extract of "
            f"{restricted(dataset)} are open on its day, {newest}, so it is taken as a dataset of "
            f"closed agreements: the newest {months} months are taken as incomplete. Declare how "
            f"many are in incomplete_months of {SETTINGS}."
        )
    return min(known, months_before(newest, months or 0))


def months_before(day: date, months: int) -> date:
    """The day some months before another one; the last day of a month gives a last day."""
    after: date = (pd.Timestamp(day + timedelta(1)) - pd.DateOffset(months=months)).date()
    return after - timedelta(1)


def _settings(context: Context) -> ForecastSettings | None:
    """The settings of forecasts; None for a council without forecasts."""
    path = context.conf / SETTINGS
    return read_model(path, ForecastSettings) if path.is_file() else None


def _without_effect(context: Context, settings: ForecastSettings) -> list[str]:
    """Reports the datasets for which incomplete months are declared in vain."""
    sentences = []
    for dataset in sorted(settings.incomplete_months):
        contract = context.conf / "datasets" / f"{dataset}.yaml"
        if dataset == settings.requests.dataset:
            why = "the rule holds for agreements and not for requests: remove the entry"
        elif contract.is_file() or context.lake.exists(restricted(dataset)):
            continue
        else:
            why = f"no contract in {contract.parent} has this name: correct or remove the entry"
        sentences.append(f"{SETTINGS} names {dataset} in incomplete_months, without effect: {why}.")
    return sentences


def _are_closed(context: Context, dataset: str, newest: date) -> bool:
    """Whether hardly any agreement of the newest extract is open on its day."""
    source, end = restricted(dataset), F.col("agreement_end")
    if context.missing([Need(source, "agreement_end", "date")]):
        return False
    rows = context.read(source).where(F.col(extract_column(context, dataset)) == F.lit(newest))
    is_open = end.isNull() | (end > F.lit(newest))
    share: float = rows.agg(F.avg(is_open.cast("double"))).collect()[0][0]
    return share < _OPEN
