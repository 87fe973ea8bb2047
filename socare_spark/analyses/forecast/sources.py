"""Where series come from: elements as `use` counted them, descriptions of the newest snapshot."""

from collections.abc import Sequence
from datetime import date, timedelta

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.agreements import last_day
from socare_spark.analyses.extracts import in_snapshots
from socare_spark.analyses.forecast.history import MEASURES, History, histories, whole_quarters
from socare_spark.analyses.forecast.settings import SETTINGS, ForecastSettings, RequestSettings
from socare_spark.analyses.use.quarters import USERS_BY_QUARTER
from socare_spark.analyses.vocabulary import warn_of_unknown
from socare_spark.job import Context
from socare_spark.measures.cells import cells

# A text that so many records share names a service; one of fewer may be what somebody wrote.
_COMMON = 10


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
    whole = whole_quarters(
        pd.Period(periods[0]).start_time.date(),
        min(last_day(context, settings.agreements), pd.Period(periods[-1]).end_time.date()),
    )
    wanted = {code: code for code in settings.elements if code in there}
    rows = [row.asDict() for row in counted]
    return list(histories(rows, wanted, ["people", "cost"], whole))


def element_quarters(users: DataFrame, elements: Sequence[str]) -> DataFrame:
    """What was counted of elements.

    Args:
        users: Rows of `users_by_quarter`.
        elements: Codes.

    Returns:
        `counted` (the element), `period`, the measures of `cells`, `unnamed` (records without a
        person, which no agreement is).
    """
    return users.where(F.col("element").isin(*elements)).select(
        F.col("element").alias("counted"),
        F.col("quarter").alias("period"),
        *MEASURES,
        F.lit(0).alias("unnamed"),
    )


def request_histories(context: Context, settings: ForecastSettings) -> list[History]:
    """Records of descriptions in the newest snapshot; its own day may not be whole."""
    wanted = settings.requests
    records = in_snapshots(context, wanted.dataset)
    snapshot: date | None = records.agg(F.max("snapshot")).collect()[0][0]
    if snapshot is None:
        return []
    newest = records.where(
        (F.col("snapshot") == snapshot) & F.col("service_description").isNotNull()
    )
    described = (
        newest.groupBy("service_description")
        .agg(F.count(F.lit(1)).alias("records"), F.min("request_date").alias("first"))
        .toPandas()
    )
    dated = described["first"].dropna()
    if dated.empty:
        return []
    if wanted.descriptions:
        texts = described["service_description"]
        common = texts[described["records"] >= _COMMON]
        warn_of_unknown(
            context,
            f"{SETTINGS} names the description",
            wanted.descriptions,
            texts,
            near=common,
        )
    chosen = chosen_descriptions(described, wanted)
    rows = [row.asDict() for row in request_quarters(newest, list(chosen)).collect()]
    whole = whole_quarters(dated.min(), snapshot - timedelta(days=1))
    return list(histories(rows, chosen, ["records"], whole))


def chosen_descriptions(described: pd.DataFrame, wanted: RequestSettings) -> dict[str, str]:
    """The descriptions that are followed, and what messages call them.

    One that nobody chose by hand is called by its rank: what residents wrote stays out of messages.

    Args:
        described: service_description, records.
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
        `counted` (the description), `period`, the measures of `cells`, `unnamed` (records without a
        person).
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
    return cells(gathered, dims, records="records").join(F.broadcast(unnamed), dims)
