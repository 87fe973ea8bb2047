"""Sources of series: elements from `users_by_quarter`, and descriptions of requests."""

from collections.abc import Sequence
from datetime import date, timedelta

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.as_of import last_day
from socare_spark.analyses.completeness import complete_until
from socare_spark.analyses.extracts import (
    SNAPSHOT,
    are_snapshots,
    by_extract,
    extract_periods,
    newest_extract,
    restricted,
)
from socare_spark.analyses.forecast.history import MEASURES, History, histories
from socare_spark.analyses.forecast.settings import SETTINGS, ForecastSettings, RequestSettings
from socare_spark.analyses.row_counts import counted_rows
from socare_spark.analyses.use.quarters import USERS_BY_QUARTER
from socare_spark.analyses.vocabulary import unknown_codes
from socare_spark.contracts.periods import Days
from socare_spark.inputs import Inputs
from socare_spark.lake.collect import collect_one
from socare_spark.measures.periods import quarter, quarters, whole_quarters
from socare_spark.measures.person_counts import count_column, count_people, number_of_records

# Fewest records of a description that a message may quote. Rarer ones may be free text.
_COMMON = 10
# Largest number of descriptions that are compared with one that no record has.
_QUOTED = 10_000
# Name of collected frames, for messages.
_REQUESTS = "requests by quarter"
_Series = tuple[list[History], list[str]]


def element_histories(inputs: Inputs, settings: ForecastSettings) -> _Series:
    """Series of people and cost of elements, and warnings about elements without rows."""
    users = inputs.to_pandas(USERS_BY_QUARTER, "element", "quarter", *MEASURES)
    counted = element_quarters(users, settings.elements)
    present = {*counted["counted"]}
    missing = [code for code in settings.elements if code not in present]
    warnings = []
    if missing:
        warnings.append(
            f"{SETTINGS} names {', '.join(missing)}, which {USERS_BY_QUARTER.path} does not have: "
            "name them in 'quarters' of analyses/use.yaml too."
        )
    if not present:
        return [], warnings
    first, last = quarter(counted["period"].min()).first, quarter(counted["period"].max()).last
    whole = whole_quarters(first, min(last_day(inputs, settings.agreements), last))
    until, of_completeness = complete_until(inputs, settings.agreements)
    warnings += of_completeness
    complete = whole_quarters(first, min(until, last))
    if len(complete) < len(whole):
        warnings.append(
            f"{restricted(settings.agreements)} is complete until {until}. Elements are forecast "
            "from the quarters before that day. The counts of later quarters are too low."
        )
    wanted = {code: code for code in settings.elements if code in present}
    return [*histories(counted, wanted, ["people", "cost"], whole, complete)], warnings


def element_quarters(users: pd.DataFrame, elements: Sequence[str]) -> pd.DataFrame:
    """Selects the counts of elements.

    Args:
        users: Rows of `users_by_quarter`.
        elements: Codes of the elements.

    Returns:
        One row for each element and quarter: `counted` (the element), `period`, the measures of
        `count_people`, `unnamed` (records without a person; 0, as agreements have persons).
    """
    chosen = users[users["element"].isin(elements)].assign(unnamed=0)
    return chosen.rename(columns={"element": "counted", "quarter": "period"})


def request_histories(inputs: Inputs, settings: ForecastSettings) -> _Series:
    """Series of records by description, and warnings.

    Of a dataset of snapshots the newest one counts, otherwise all extracts.
    """
    wanted = settings.requests
    rows, warnings = by_extract(inputs, wanted.dataset)
    described, of_counts = counted_rows(
        rows.where(F.col("service_description").isNotNull()), wanted.dataset, wanted.roles.count
    )
    warnings += of_counts
    if are_snapshots(inputs, wanted.dataset):
        days = collect_one(_REQUESTS, first_days(described))
        span, of_span = newest_span(days, wanted.dataset)
        rows = described if span is None else described.where(F.col(SNAPSHOT) == F.lit(span[1]))
    else:
        rows, span, of_span = _of_all_extracts(inputs, described, wanted)
    warnings += of_span
    if span is None:
        return [], warnings
    found = collect_one(_REQUESTS, candidates(rows, wanted))
    chosen = chosen_descriptions(found, wanted)
    counted = collect_one(_REQUESTS, request_quarters(rows, [*chosen]))
    series = [*histories(counted, chosen, ["records"], whole_quarters(*span))]
    return series, [*warnings, *unknown_descriptions(found, wanted)]


def _of_all_extracts(
    inputs: Inputs, requests: DataFrame, wanted: RequestSettings
) -> tuple[DataFrame, Days | None, list[str]]:
    """The requests with a day, the span that their extracts cover, and warnings."""
    newest, warning = newest_extract(inputs, wanted.dataset), []
    periods = extract_periods(inputs, wanted.dataset)
    if not has_day(inputs, wanted):
        role = f"the role time of {restricted(wanted.dataset)} in {SETTINGS}"
        if not are_within_quarters(periods):
            reason = (
                f"No requests are forecast without {role}, because an extract can have requests of "
                "several quarters. Map it to a column with the day of the request."
            )
            return requests, None, [reason]
        requests = requests.withColumn("request_date", F.col(SNAPSHOT))
        warning = [f"Requests are counted in the quarter of their extract, without {role}."]
    limits = requests.agg(F.min("request_date").alias("first"), F.max("request_date").alias("last"))
    dated = collect_one(_REQUESTS, limits).dropna()
    if newest is None or dated.empty:
        return requests, None, warning
    first, last = dated[["first", "last"]].iloc[0]
    begin, of_gaps = covered_from(periods, wanted.dataset)
    end, of_end = covered_until(newest, last, wanted.dataset)
    return requests, (begin or first, end), [*warning, *of_gaps, *of_end]


def has_day(inputs: Inputs, wanted: RequestSettings) -> bool:
    """Whether the requests have a column with their day."""
    return inputs.has_column(restricted(wanted.dataset), "request_date", "date")


def are_within_quarters(periods: Sequence[Days]) -> bool:
    """Whether each extract has requests of one quarter only, by the periods in the file names.

    The contents of a file that is named by a day are not known. False without any period.
    """
    return bool(periods) and all(
        first < last and len(quarters(first, last)) == 1 for first, last in periods
    )


def covered_from(periods: Sequence[Days], dataset: str) -> tuple[date | None, list[str]]:
    """First day from which extracts that are parts cover all days to the newest one.

    Args:
        periods: Result of `extract_periods`.
        dataset: Dataset of requests, for the warning.

    Returns:
        The day; None if it is not known, because a file is named by a day or no period is known.
        A warning if days are in no extract.
    """
    if not periods or any(first == last for first, last in periods):
        return None, []
    begin, until = periods[0]
    warnings = []
    for first, last in periods[1:]:
        if first > until + timedelta(1):
            warnings = [
                f"No extract of {restricted(dataset)} has the days from {until + timedelta(1)} to "
                f"{first - timedelta(1)}. Requests are forecast from the quarters after them."
            ]
            begin = first
        until = max(until, last)
    return begin, warnings


def covered_until(newest: date, last: date, dataset: str) -> tuple[date, list[str]]:
    """Last day to which extracts that are parts have requests.

    An extract without a request in its last quarter was probably made before the end of its period.

    Args:
        newest: Day of the newest extract.
        last: Day of the last request.
        dataset: Dataset of requests, for the warning.
    """
    if last >= quarters(newest, newest)[0].first:
        return newest, []
    return last, [
        f"The extracts of {restricted(dataset)} reach to {newest}, but the last request is of "
        f"{last}. Requests are forecast from the quarters before that day."
    ]


def first_days(copies: DataFrame) -> DataFrame:
    """The first day of a request in each snapshot that has one: `snapshot`, `first`."""
    return copies.groupBy(SNAPSHOT).agg(F.min("request_date").alias("first")).dropna()


def newest_span(first_days: pd.DataFrame, dataset: str) -> tuple[Days | None, list[str]]:
    """First day of a request in the newest snapshot, and the day of the snapshot.

    Args:
        first_days: Collected result of the function `first_days`.
        dataset: Dataset of requests, for the warning.

    Returns:
        None if no snapshot has a day of a request. None and a warning if the newest snapshot begins
        after the day of the one before it, because it is then not a whole copy.
    """
    spans = sorted(first_days[[SNAPSHOT, "first"]].itertuples(index=False, name=None))
    if not spans:
        return None, []
    newest, first = spans[-1]
    if len(spans) == 1 or first <= spans[-2][0]:
        return (first, newest), []
    return None, [
        f"No requests are forecast: the extract of {restricted(dataset)} of {newest} begins with "
        f"{first}, after the day of the extract before it, {spans[-2][0]}. It is no whole copy: "
        f"remove snapshots: true from conf/datasets/{dataset}.yaml."
    ]


def candidates(requests: DataFrame, wanted: RequestSettings) -> DataFrame:
    """Counts the records of the configured and of the most frequent descriptions.

    Args:
        requests: `service_description`, COUNT if a row can represent several requests.
        wanted: The configured descriptions, and the number of frequent ones.

    Returns:
        One row for each description: `service_description`, `records`. Frequent descriptions are
        also those for the warnings of `unknown_descriptions`.
    """
    description = F.col("service_description")
    names = [*dict.fromkeys(wanted.descriptions)]
    frequent = max(wanted.top, _QUOTED) if names else wanted.top
    described = requests.groupBy(description).agg(
        F.sum(number_of_records(requests)).alias("records")
    )
    named_first = description.isin(*names).desc()
    in_order = described.orderBy(named_first, F.desc("records"), description)
    return in_order.limit(len(names) + frequent)


def unknown_descriptions(described: pd.DataFrame, wanted: RequestSettings) -> list[str]:
    """Warnings about configured descriptions that no record has.

    Args:
        described: Collected result of `candidates`.
        wanted: The configured descriptions.
    """
    common = described.loc[described["records"] >= _COMMON].nlargest(_QUOTED, "records")
    return unknown_codes(
        f"{SETTINGS} names the description",
        wanted.descriptions,
        described["service_description"],
        near=common["service_description"],
    )


def chosen_descriptions(described: pd.DataFrame, wanted: RequestSettings) -> dict[str, str]:
    """Selects the descriptions to forecast, with their names in messages.

    A description that is not in the configuration is named by its rank, because it may be free
    text of a resident.

    Args:
        described: `service_description`, `records`; at least the frequent and the configured ones.
        wanted: The configured descriptions, and the number of frequent ones.

    Returns:
        Description -> its name in messages.
    """
    ranked = described.sort_values(["records", "service_description"], ascending=[False, True])
    by_rank = {
        text: f"the description of rank {rank}"
        for rank, text in enumerate(ranked["service_description"].head(wanted.top), start=1)
    }
    present = {*described["service_description"]}
    return by_rank | {text: text for text in wanted.descriptions if text in present}


def request_quarters(requests: DataFrame, descriptions: Sequence[str]) -> DataFrame:
    """Counts the requests of one snapshot by description and quarter.

    Args:
        requests: `service_description`, `request_date`, `person`, COUNT if a row can represent
            several requests.
        descriptions: Descriptions as written.

    Returns:
        One row for each description and quarter: `counted` (the description), `period`, the
        measures of `count_people`, `unnamed` (records without a person).
    """
    day = F.col("request_date")
    counted = F.col("service_description")
    rows = requests.where(counted.isin(*descriptions)).select(
        counted.alias("counted"),
        F.concat(F.year(day), F.lit("Q"), F.quarter(day)).alias("period"),
        "person",
        F.when(F.col("person").isNull(), number_of_records(requests)).otherwise(0).alias("unnamed"),
        *count_column(requests),
    )
    return count_people(rows, ["counted", "period"], sums=["unnamed"])
