"""Sources of series: elements from `users_by_quarter`, and descriptions of requests."""

from collections.abc import Sequence
from datetime import date

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.as_of import last_day
from socare_spark.analyses.completeness import complete_until
from socare_spark.analyses.extracts import SNAPSHOT, in_snapshots, restricted
from socare_spark.analyses.forecast.history import MEASURES, History, histories, whole_quarters
from socare_spark.analyses.forecast.settings import SETTINGS, ForecastSettings, RequestSettings
from socare_spark.analyses.use.quarters import USERS_BY_QUARTER
from socare_spark.analyses.vocabulary import warn_unknown_codes
from socare_spark.analysis import Context
from socare_spark.measures.person_counts import count_people

# Fewest records of a description that a message may quote. Rarer ones may be free text.
_COMMON = 10
# Largest number of descriptions that are compared with one that no record has.
_QUOTED = 10_000


def element_histories(context: Context, settings: ForecastSettings) -> list[History]:
    """Series of people and cost of elements. Warns of elements without rows."""
    counted = element_quarters(context.read(USERS_BY_QUARTER), settings.elements).collect()
    present = {row["counted"] for row in counted}
    missing = [code for code in settings.elements if code not in present]
    if missing:
        context.run.warnings.append(
            f"{SETTINGS} names {', '.join(missing)}, which {USERS_BY_QUARTER.path} does not have: "
            "name them in 'quarters' of analyses/use.yaml too."
        )
    if not present:
        return []
    periods = sorted({row["period"] for row in counted})
    first, last = pd.Period(periods[0]).start_time.date(), pd.Period(periods[-1]).end_time.date()
    whole = whole_quarters(first, min(last_day(context, settings.agreements), last))
    until = complete_until(context, settings.agreements)
    complete = whole_quarters(first, min(until, last))
    if len(complete) < len(whole):
        context.run.warnings.append(
            f"{restricted(settings.agreements)} is complete until {until}. Elements are forecast "
            "from the quarters before that day. The counts of later quarters are too low."
        )
    wanted = {code: code for code in settings.elements if code in present}
    rows = [row.asDict() for row in counted]
    return list(histories(rows, wanted, ["people", "cost"], whole, complete))


def element_quarters(users: DataFrame, elements: Sequence[str]) -> DataFrame:
    """Selects the counts of elements.

    Args:
        users: Rows of `users_by_quarter`.
        elements: Codes of the elements.

    Returns:
        One row per element and quarter: `counted` (the element), `period`, the measures of
        `count_people`, `unnamed` (records without a person; 0, as agreements have persons).
    """
    return users.where(F.col("element").isin(*elements)).select(
        F.col("element").alias("counted"),
        F.col("quarter").alias("period"),
        *MEASURES,
        F.lit(0).alias("unnamed"),
    )


def request_histories(context: Context, settings: ForecastSettings) -> list[History]:
    """Series of records by description, from the newest snapshot of the requests."""
    wanted = settings.requests
    copies = in_snapshots(context, wanted.dataset).where(F.col("service_description").isNotNull())
    span = _newest(context, copies, wanted.dataset)
    if span is None:
        return []
    first, snapshot = span
    newest = copies.where(F.col(SNAPSHOT) == snapshot)
    described = _candidates(context, newest, wanted)
    chosen = chosen_descriptions(described, wanted)
    rows = [row.asDict() for row in request_quarters(newest, list(chosen)).collect()]
    return list(histories(rows, chosen, ["records"], whole_quarters(first, snapshot)))


def _newest(context: Context, copies: DataFrame, dataset: str) -> tuple[date, date] | None:
    """First day of a request in the newest snapshot, and the day of the snapshot.

    None if no snapshot has a day of a request. None with a warning if the newest snapshot begins
    after the day of the one before it, because it is then not a whole copy.
    """
    rows = copies.groupBy(SNAPSHOT).agg(F.min("request_date").alias("first")).dropna().collect()
    spans = sorted((row[SNAPSHOT], row["first"]) for row in rows)
    if not spans:
        return None
    newest, first = spans[-1]
    if len(spans) > 1 and first > spans[-2][0]:
        context.run.warnings.append(
            f"No requests are forecast: the extract of {restricted(dataset)} of {newest} begins "
            f"with {first}, after the day of the extract before it, {spans[-2][0]}. It is no whole "
            f"copy: remove snapshots: true from conf/datasets/{dataset}.yaml."
        )
        return None
    return first, newest


def _candidates(context: Context, requests: DataFrame, wanted: RequestSettings) -> pd.DataFrame:
    """One row per frequent or configured description: service_description, records.

    Warns of configured descriptions that no record has.
    """
    described = (
        requests.groupBy("service_description").agg(F.count(F.lit(1)).alias("records")).persist()
    )
    ranked = described.orderBy(F.desc("records"), "service_description")
    named = described.where(F.col("service_description").isin(*wanted.descriptions)).toPandas()
    if {*wanted.descriptions} - {*named["service_description"]}:
        common = ranked.where(F.col("records") >= _COMMON).limit(_QUOTED).toPandas()
        warn_unknown_codes(
            context,
            f"{SETTINGS} names the description",
            wanted.descriptions,
            named["service_description"],
            near=common["service_description"],
        )
    most = ranked.limit(wanted.top).toPandas()
    return pd.concat([most, named]).drop_duplicates("service_description")


def chosen_descriptions(described: pd.DataFrame, wanted: RequestSettings) -> dict[str, str]:
    """Selects the descriptions to forecast, with their names in messages.

    A description that is not in the configuration is named by its rank, because it may be free
    text of a resident.

    Args:
        described: service_description, records; at least the frequent and the configured ones.
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
        requests: service_description, request_date, person.
        descriptions: Descriptions as written.

    Returns:
        One row per description and quarter: `counted` (the description), `period`, the measures of
        `count_people`, `unnamed` (records without a person).
    """
    day = F.col("request_date")
    dims = ["counted", "period"]
    gathered = (
        requests.where(F.col("service_description").isin(*descriptions))
        .groupBy(
            F.col("service_description").alias("counted"),
            F.concat(F.year(day), F.lit("Q"), F.quarter(day)).alias("period"),
            "person",
        )
        .agg(F.count(F.lit(1)).alias("records"))
        .persist()
    )
    without_person = F.when(F.col("person").isNull(), F.col("records")).otherwise(0)
    unnamed = gathered.groupBy(*dims).agg(F.sum(without_person).alias("unnamed"))
    return count_people(gathered, dims, records="records").join(F.broadcast(unnamed), dims)
