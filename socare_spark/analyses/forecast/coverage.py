"""Days that the extracts of requests cover, from which the whole quarters follow.

All functions work on days, so that they are the same for snapshots and for parts of all records.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date, timedelta

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.extracts import restricted
from socare_spark.analyses.forecast.unusual_times import ends_early, isolated_days
from socare_spark.contracts.periods import Days
from socare_spark.measures.periods import quarters
from socare_spark.measures.person_counts import number_of_records
from socare_spark.plurals import agreeing, counted


def requests_by_day(requests: DataFrame) -> DataFrame:
    """Counts requests by day.

    Args:
        requests: `request_date`, COUNT if a row can represent several requests.

    Returns:
        One row for each day, and one for requests without a day: `request_date`, `records`.
    """
    records = F.sum(number_of_records(requests)).alias("records")
    return requests.groupBy("request_date").agg(records)


def covered_span(
    by_day: pd.DataFrame, extracts: Sequence[date], periods: Sequence[Days] | None, dataset: str
) -> tuple[Days | None, list[str]]:
    """First and last day that the requests cover.

    Args:
        by_day: Collected result of `requests_by_day`, of the requests that count.
        extracts: Days of all extracts, in order.
        periods: Result of `extract_periods`; None for snapshots.
        dataset: Dataset of requests, for warnings.

    Returns:
        The days; None if there is no request with a day, or the newest snapshot is no whole copy.
        Warnings about requests and extracts that are left out.
    """
    if not extracts:
        return None, []
    newest = extracts[-1]
    days, warnings = _days_with_requests(by_day, newest, _first_day(periods or []), dataset)
    if not days:
        kind, has = ("extract", "has") if periods is None else ("extracts", "have")
        reason = (
            f"No requests are forecast: the newest {kind} of {restricted(dataset)}, to {newest}, "
            f"{has} no request with a description and a day up to that day."
        )
        return None, [*warnings, reason]
    if fault := _yearly_fault(days, dataset):
        return None, [*warnings, fault]
    known, of_gaps = covered_from(periods or [], dataset)
    # The names of the files say that the time from `known` is complete.
    regular, of_isolated = (None, []) if known else _first_regular(days, by_day, dataset)
    begin = regular or known or days[0]
    warnings += [*of_gaps, *of_isolated]
    if periods is None:
        if fault := _copy_fault(days[0], extracts, dataset):
            return None, [*warnings, fault]
        warnings += _of_isolated_copy(begin, extracts, dataset)
    else:
        warnings += _early_extracts(days, extracts, begin, dataset)
    parts = [] if periods is None else extracts
    end, of_end = covered_until(days, newest, dataset, parts)
    return (begin, end), [*warnings, *of_end]


def _days_with_requests(
    by_day: pd.DataFrame, newest: date, first: date | None, dataset: str
) -> tuple[list[date], list[str]]:
    """Days with a request up to that of the newest extract, and warnings about other requests."""
    dated = by_day.dropna(subset=["request_date"])
    is_after = dated["request_date"] > newest
    numbers = {
        ("has no day", "have no day"): by_day["records"].sum() - dated["records"].sum(),
        _of_a_day(f"after the newest extract, {newest}"): dated.loc[is_after, "records"].sum(),
    }
    if first is not None:
        kind = _of_a_day(f"before the first period, which begins on {first}")
        numbers[kind] = dated.loc[dated["request_date"] < first, "records"].sum()
    warnings = [_in_no_quarter(number, kind, dataset) for kind, number in numbers.items() if number]
    return sorted(dated.loc[~is_after, "request_date"]), warnings


def _of_a_day(where: str) -> tuple[str, str]:
    return f"is of a day {where}", f"are of a day {where}"


def _in_no_quarter(number: int, kind: tuple[str, str], dataset: str) -> str:
    """A warning about requests that are in no quarter.

    Args:
        number: Their number.
        kind: The reason, for one request and for several.
        dataset: Dataset of requests.
    """
    return (
        f"{counted(number, 'request')} of {restricted(dataset)} {agreeing(number, *kind)}: counted "
        "for the order of the descriptions, and in no quarter."
    )


def _first_regular(
    days: Sequence[date], by_day: pd.DataFrame, dataset: str
) -> tuple[date | None, list[str]]:
    """First day after requests that are isolated long before the others.

    Args:
        days: Days with a request, in order.
        by_day: As in `covered_span`.
        dataset: Dataset of requests, for the warning.

    Returns:
        The day, and a warning about the isolated requests; None if no request is isolated.
    """
    number = isolated_days(days)
    if not number:
        return None, []
    regular = days[number]
    requests = by_day.loc[by_day["request_date"].isin(days[:number]), "records"].sum()
    kind = _of_a_day(f"long before the others, which begin on {regular}")
    return regular, [
        f"{_in_no_quarter(requests, kind, dataset)} If the day is wrong, correct it in the source "
        "system and replace the file."
    ]


def _first_day(periods: Sequence[Days]) -> date | None:
    """First day of the first period; None if its file is named by a day, or without periods."""
    if not periods:
        return None
    first, last = periods[0]
    return first if first < last else None


def _yearly_fault(days: Sequence[date], dataset: str) -> str:
    """Reason why the days are only years; empty if they differ within the year or are of one year.

    Args:
        days: Days with a request, each once.
        dataset: Dataset of requests.
    """
    if len(days) == 1 or len({(day.month, day.day) for day in days}) > 1:
        return ""
    return (
        f"No requests are forecast: all requests of {restricted(dataset)} are of the same day of "
        f"the year, {days[0]:%d %B}, in {len(days)} years. The column with the role time probably "
        "has only years, and a column of years has no quarters. Give the role time to a column "
        "with the day of the request."
    )


def _copy_fault(first: date, extracts: Sequence[date], dataset: str) -> str:
    """Reason why the newest snapshot is no whole copy; empty if it can be one.

    Args:
        first: First day of a request in the newest snapshot.
        extracts: Days of all snapshots, in order.
        dataset: Dataset of requests.
    """
    if len(extracts) == 1 or first <= extracts[-2]:
        return ""
    return (
        f"No requests are forecast: the extract of {restricted(dataset)} of {extracts[-1]} begins "
        f"with {first}, after the day of the extract before it, {extracts[-2]}. It is no whole "
        f"copy: remove snapshots: true from conf/datasets/{dataset}.yaml."
    )


def _of_isolated_copy(begin: date, extracts: Sequence[date], dataset: str) -> list[str]:
    """A warning if isolated requests alone make the newest snapshot look like a whole copy.

    Args:
        begin: First day of its requests that are not isolated.
        extracts: Days of all snapshots, in order.
        dataset: Dataset of requests.
    """
    if not _copy_fault(begin, extracts, dataset):
        return []
    return [
        f"Without these requests the extract of {restricted(dataset)} of {extracts[-1]} begins "
        f"after the day of the extract before it, {extracts[-2]}. If it is no whole copy, remove "
        f"snapshots: true from conf/datasets/{dataset}.yaml."
    ]


def are_within_quarters(periods: Sequence[Days]) -> bool:
    """Whether each extract has requests of one quarter only, by the periods in the file names.

    The contents of a file that is named by a day are not known. False without any period.
    """
    return bool(periods) and all(
        first < last and len(quarters(first, last)) == 1 for first, last in periods
    )


def covered_from(periods: Sequence[Days], dataset: str) -> tuple[date | None, list[str]]:
    """First day from which extracts that are parts cover all days to the newest one.

    A file that is named by a day covers the days since the extract before it.

    Args:
        periods: Result of `extract_periods`.
        dataset: Dataset of requests, for the warning.

    Returns:
        The day; None if it is not known, because no period is known or the first file is named by a
        day. A warning if days are in no extract.
    """
    if not periods:
        return None, []
    (_, until), warnings = periods[0], []
    begin = _first_day(periods)
    for first, last in periods[1:]:
        if first > until + timedelta(1) and first < last:
            warnings = [
                f"No extract of {restricted(dataset)} has the days from {until + timedelta(1)} to "
                f"{first - timedelta(1)}. Requests are forecast from the quarters after them."
            ]
            begin = first
        until = max(until, last)
    return begin, warnings


def covered_until(
    days: Sequence[date], newest: date, dataset: str, parts: Sequence[date] = ()
) -> tuple[date, list[str]]:
    """Last day that the newest extract covers.

    Args:
        days: Days with a request, in order, up to that of the newest extract.
        newest: Day of the newest extract.
        dataset: Dataset of requests, for the warning.
        parts: Days of all extracts, in order, if they are parts.

    Returns:
        The day, and a warning if it is before that of the newest extract.
    """
    if not ends_early(days, newest, parts):
        return newest, []
    return days[-1], [
        f"The extracts of {restricted(dataset)} reach to {newest}, but the last request is of "
        f"{days[-1]}, and no time without a request was as long in the year before. The newest "
        "extract was probably made before the end of its period. Requests are forecast from the "
        "quarters before that day."
    ]


def _early_extracts(
    days: Sequence[date], extracts: Sequence[date], begin: date, dataset: str
) -> list[str]:
    """A warning about extracts before the newest one that were probably made too early."""
    ends = [end for end in extracts[:-1] if end >= max(begin, days[0])]
    early = [end for end in ends if ends_early(days, end, extracts)]
    if not early:
        return []
    last = days[bisect_right(days, early[0]) - 1]
    has = agreeing(len(early), "has", "have")
    return [
        f"{len(early)} of {counted(len(extracts), 'extract')} of {restricted(dataset)} {has} no "
        "request for an unusually long time before the end; the first has none from "
        f"{last + timedelta(1)} to {early[0]}. If an extract was made before the end of its "
        "period, the counts of these quarters are too low: replace the file."
    ]
