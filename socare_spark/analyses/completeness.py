"""Last day to which the records of a dataset are complete, for forecasts and trends.

A dataset of closed agreements has an agreement only after it has ended. The agreements that are
open on the day of the newest extract are missing, so counts of the newest quarters are too low.
"""

from datetime import date, timedelta

import pandas as pd
from pyspark.sql import functions as F

from socare_spark.analyses.as_of import last_day
from socare_spark.analyses.extracts import extract_column, newest_extract, restricted
from socare_spark.analyses.forecast.settings import SETTINGS, ForecastSettings
from socare_spark.config import read_model
from socare_spark.inputs import Inputs

# Incomplete months of a dataset of closed agreements without a declaration.
MONTHS_OF_CLOSED = 12
# A dataset with a smaller share of open agreements in its newest extract has closed agreements.
_OPEN = 0.05


def complete_until(inputs: Inputs, dataset: str) -> tuple[date, list[str]]:
    """Last day to which the records of a dataset are complete.

    It is the declared number of months before the newest extract, and not after the last day of the
    run.

    Returns:
        The day, and warnings about a dataset of closed agreements without a declaration and about
        declarations without effect.
    """
    run_end, newest = last_day(inputs, dataset), newest_extract(inputs, dataset)
    settings = _settings(inputs)
    warnings = [] if settings is None else _without_effect(inputs, settings)
    months = settings.incomplete_months.get(dataset) if settings is not None else None
    if newest is None:
        return run_end, warnings
    if months is None and _are_closed(inputs, dataset, newest):
        months = MONTHS_OF_CLOSED
        warnings.append(
            f"Fewer than {_OPEN:.0%} of the agreements in the newest extract of "
            f"{restricted(dataset)} are open on its day, {newest}. It is treated as a dataset of "
            f"closed agreements, with the newest {months} months incomplete. Declare the number of "
            f"months in incomplete_months of {SETTINGS}."
        )
    return min(run_end, months_before(newest, months or 0)), warnings


def months_before(day: date, months: int) -> date:
    """The day a number of months earlier. The last day of a month gives the last day of a month."""
    next_day: date = (pd.Timestamp(day + timedelta(1)) - pd.DateOffset(months=months)).date()
    return next_day - timedelta(1)


def _settings(inputs: Inputs) -> ForecastSettings | None:
    """Settings of forecasts; None for a council without forecasts."""
    path = inputs.conf / SETTINGS
    return read_model(path, ForecastSettings) if path.is_file() else None


def _without_effect(inputs: Inputs, settings: ForecastSettings) -> list[str]:
    """Warnings about entries of `incomplete_months` without effect."""
    warnings = []
    for dataset in sorted(settings.incomplete_months):
        contract = inputs.conf / "datasets" / f"{dataset}.yaml"
        if settings.requests is not None and dataset == settings.requests.dataset:
            reason = "it applies to agreements and not to requests; remove the entry"
        elif contract.is_file() or inputs.exists(restricted(dataset)):
            continue
        else:
            reason = f"no contract in {contract.parent} has this name; correct or remove the entry"
        warnings.append(
            f"{SETTINGS} names {dataset} in incomplete_months, without effect: {reason}."
        )
    return warnings


def _are_closed(inputs: Inputs, dataset: str, newest: date) -> bool:
    """Whether the share of open agreements in the newest extract is below `_OPEN`."""
    source, end = restricted(dataset), F.col("agreement_end")
    if not inputs.has_column(source, "agreement_end", "date"):
        return False
    day = extract_column(inputs, dataset)
    rows = inputs.read(source, day).where(F.col(day) == F.lit(newest))
    is_open = end.isNull() | (end > F.lit(newest))
    share: float = rows.agg(F.avg(is_open.cast("double"))).collect()[0][0]
    return share < _OPEN
