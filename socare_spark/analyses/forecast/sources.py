"""Where series come from: elements as `use` counted them, descriptions of the newest copy."""

from collections.abc import Sequence
from datetime import date

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.agreements import last_day
from socare_spark.analyses.completeness import complete_until
from socare_spark.analyses.extracts import SNAPSHOT, in_snapshots, restricted
from socare_spark.analyses.forecast.history import MEASURES, History, histories, whole_quarters
from socare_spark.analyses.forecast.settings import SETTINGS, ForecastSettings, RequestSettings
from socare_spark.analyses.use.quarters import USERS_BY_QUARTER
from socare_spark.analyses.vocabulary import warn_unknown_codes
from socare_spark.analysis import Context
from socare_spark.measures.person_counts import count_people

# A text that so many records share names a service; one of fewer may be what somebody wrote.
_COMMON = 10
# Number of these texts, the most used first, compared with a description that no record has.
_QUOTED = 10_000


def element_histories(context: Context, settings: ForecastSettings) -> list[History]:
    """People and cost of elements; warns of those that `users_by_quarter` does not have."""
    counted = element_quarters(context.read(USERS_BY_QUARTER), settings.elements).collect()
    there = {row["counted"] for row in counted}
    missing = [code for code in settings.elements if code not in there]
    if missing:
        context.run.warnings.append(
            f"{SETTINGS} names {', '.join(missing)}, which {USERS_BY_QUARTER.path} does not have: "
            "name them in 'quarters' of analyses/use.yaml too."
        )
    if not there:
        return []
    periods = sorted({row["period"] for row in counted})
    first, last = pd.Period(periods[0]).start_time.date(), pd.Period(periods[-1]).end_time.date()
    whole = whole_quarters(first, min(last_day(context, settings.agreements), last))
    until = complete_until(context, settings.agreements)
    complete = whole_quarters(first, min(until, last))
    if len(complete) < len(whole):
        context.run.warnings.append(
            f"{restricted(settings.agreements)} is complete until {until}: elements are forecast "
            "from the quarters before that day, and the counts of later ones are too low."
        )
    wanted = {code: code for code in settings.elements if code in there}
    rows = [row.asDict() for row in counted]
    return list(histories(rows, wanted, ["people", "cost"], whole, complete))


def element_quarters(users: DataFrame, elements: Sequence[str]) -> DataFrame:
    """What was counted of elements.

    Args:
        users: Rows of `users_by_quarter`.
        elements: Codes.

    Returns:
        `counted` (the element), `period`, the measures of `count_people`, `unnamed` (records
        without a person, which no agreement is).
    """
    return users.where(F.col("element").isin(*elements)).select(
        F.col("element").alias("counted"),
        F.col("quarter").alias("period"),
        *MEASURES,
        F.lit(0).alias("unnamed"),
    )


def request_histories(context: Context, settings: ForecastSettings) -> list[History]:
    """Records of descriptions in the newest copy of the requests, whose day counts as whole."""
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
    """The first day of request of the newest copy, and the day of the copy.

    None where no copy has a day of request, or where the newest begins after the day of an older
    one: it is then no whole copy, which the run reports.
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
    """The most frequent descriptions and those chosen by hand: service_description, records.

    Chosen ones that no record has are reported.
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
    """The descriptions that are followed, and what messages call them.

    One that nobody chose by hand is called by its rank: what residents wrote stays out of messages.

    Args:
        described: service_description, records; the most frequent and those chosen are enough.
        wanted: The descriptions chosen, and how many of the most frequent ones.
    """
    ranked = described.sort_values(["records", "service_description"], ascending=[False, True])
    by_rank = {
        text: f"the description of rank {rank}"
        for rank, text in enumerate(ranked["service_description"].head(wanted.top), start=1)
    }
    there = {*described["service_description"]}
    return by_rank | {text: text for text in wanted.descriptions if text in there}


def request_quarters(requests: DataFrame, descriptions: Sequence[str]) -> DataFrame:
    """What was counted of descriptions.

    Args:
        requests: service_description, request_date, person, of one snapshot.
        descriptions: As written.

    Returns:
        `counted` (the description), `period`, the measures of `count_people`, `unnamed` (records
        without a person).
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
    nobodys = F.when(F.col("person").isNull(), F.col("records")).otherwise(0)
    unnamed = gathered.groupBy(*dims).agg(F.sum(nobodys).alias("unnamed"))
    return count_people(gathered, dims, records="records").join(F.broadcast(unnamed), dims)
