"""Sources of series: elements from `users_by_quarter`, and descriptions of requests."""

from collections.abc import Sequence

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.as_of import last_day
from socare_spark.analyses.completeness import complete_until
from socare_spark.analyses.extracts import (
    are_snapshots,
    current_rows,
    extract_column,
    extract_days,
    extract_periods,
    restricted,
    warnings_of_parts,
)
from socare_spark.analyses.forecast.coverage import (
    are_within_quarters,
    covered_span,
    requests_by_day,
)
from socare_spark.analyses.forecast.history import MEASURES, History, histories
from socare_spark.analyses.forecast.settings import SETTINGS, ForecastSettings, RequestSettings
from socare_spark.analyses.row_counts import counted_rows
from socare_spark.analyses.use.quarters import USERS_BY_QUARTER
from socare_spark.analyses.vocabulary import unknown_codes
from socare_spark.contracts.periods import Days
from socare_spark.inputs import Inputs
from socare_spark.lake.collect import collect_one
from socare_spark.measures.periods import quarter, whole_quarters
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
    if wanted is None:
        return [], []
    warnings = warnings_of_parts(inputs, wanted.dataset)
    described, of_counts = counted_rows(
        current_rows(inputs, wanted.dataset).where(F.col("service_description").isNotNull()),
        wanted.dataset,
        wanted.roles.count,
    )
    rows, span, of_span = _covered(inputs, described, wanted)
    warnings += [*of_counts, *of_span]
    if span is None:
        return [], warnings
    found = collect_one(_REQUESTS, candidates(rows, wanted))
    chosen = chosen_descriptions(found, wanted)
    counted = collect_one(_REQUESTS, request_quarters(rows, [*chosen]))
    series = [*histories(counted, chosen, ["records"], whole_quarters(*span))]
    return series, [*warnings, *unknown_descriptions(found, wanted)]


def _covered(
    inputs: Inputs, requests: DataFrame, wanted: RequestSettings
) -> tuple[DataFrame, Days | None, list[str]]:
    """The requests with a day, the days that their extracts cover, and warnings."""
    dataset, warnings = wanted.dataset, []
    parts = not are_snapshots(inputs, dataset)
    periods = extract_periods(inputs, dataset) if parts else None
    if periods is not None and not has_day(inputs, wanted):
        role = f"the role time of {restricted(dataset)} in {SETTINGS}"
        if not are_within_quarters(periods):
            reason = (
                f"No requests are forecast without {role}, because an extract can have requests of "
                "several quarters. Map it to a column with the day of the request."
            )
            return requests, None, [reason]
        day_of_extract = F.col(extract_column(inputs, dataset)).cast("date")
        requests = requests.withColumn("request_date", day_of_extract)
        warnings = [f"Requests are counted in the quarter of their extract, without {role}."]
    by_day = collect_one(_REQUESTS, requests_by_day(requests))
    span, of_span = covered_span(by_day, extract_days(inputs, dataset), periods, dataset)
    return requests, span, [*warnings, *of_span]


def has_day(inputs: Inputs, wanted: RequestSettings) -> bool:
    """Whether the requests have a column with their day."""
    return inputs.has_column(restricted(wanted.dataset), "request_date", "date")


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
    """Counts requests by description and quarter.

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
