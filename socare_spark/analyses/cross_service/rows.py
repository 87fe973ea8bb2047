"""Records of all services in one schema: service, person, place, day and category."""

from collections.abc import Mapping, Sequence
from functools import reduce

import pandas as pd
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from socare_spark.analyses.cross_service.settings import Service, Source
from socare_spark.analyses.exclusions import NO_POSTCODE, OUTSIDE_CITY, UNLOCATED
from socare_spark.measures.person_counts import count_column, number_of_records

POOLED = "(others)"
# Length of the prefix by which postcodes are grouped for ranking, such as `B1 1`.
_STEM = 4


def service_rows(frame: DataFrame, source: Source, scheme: Column) -> DataFrame:
    """Converts the records of a dataset to the common schema.

    Args:
        frame: The restricted table.
        source: The columns of the records.
        scheme: Number of the scheme of its persons.

    Returns:
        One row per record: service (position), scheme, token, postcode, day, category; COUNT if the
        frame has it.
    """

    def column(name: str | None, type_: str) -> Column:
        return (F.lit(None) if name is None else F.col(name)).cast(type_)

    records = source.records
    return frame.select(
        F.lit(source.service).alias("service"),
        scheme.alias("scheme"),
        column(records.person, "bigint").alias("token"),
        column(records.postcode, "string").alias("postcode"),
        column(records.date, "date").alias("day"),
        column(records.category, "string").alias("category"),
        *count_column(frame),
    )


def places_of(areas: DataFrame, layers: Sequence[str]) -> DataFrame:
    """Numbers the postcodes in alphabetical order, and adds their area in each layer.

    Args:
        areas: postcode, layer, code, rule.
        layers: Names of the layers.

    Returns:
        One row per postcode: postcode, place (its number), `at_LAYER` for each layer, unplaced (the
        reason if it has no area, otherwise null).
    """
    wanted = areas.where(F.col("layer").isin(*layers))
    codes = [F.max(F.when(F.col("layer") == n, F.col("code"))).alias(f"at_{n}") for n in layers]
    by_postcode = wanted.groupBy("postcode").agg(
        *codes, F.bool_and(F.col("rule") == UNLOCATED).alias("_unlocated")
    )
    nowhere = reduce(lambda a, b: a & b, [F.col(f"at_{n}").isNull() for n in layers])
    return _numbered(by_postcode).select(
        "postcode",
        "place",
        *[f"at_{n}" for n in layers],
        F.when(F.col("_unlocated"), UNLOCATED).when(nowhere, OUTSIDE_CITY).alias("unplaced"),
    )


def _numbered(postcodes: DataFrame) -> DataFrame:
    """Adds `place`, the alphabetical rank of `postcode`, from 1.

    Postcodes are ranked within their prefix. Only the prefixes are sorted in one task; the United
    Kingdom has about 12,000 of them.
    """
    rows = postcodes.withColumn("_stem", F.substring("postcode", 1, _STEM))
    earlier = Window.orderBy("_stem").rowsBetween(Window.unboundedPreceding, -1)
    before = F.coalesce(F.sum("count").over(earlier), F.lit(0)).alias("_before")
    stems = rows.groupBy("_stem").count().select("_stem", before)
    rank = F.row_number().over(Window.partitionBy("_stem").orderBy("postcode"))
    place = (rank + F.col("_before")).cast("int")
    return rows.join(F.broadcast(stems), "_stem").withColumn("place", place)


def placed(rows: DataFrame, places: DataFrame | None) -> DataFrame:
    """Replaces the postcode by its place.

    Args:
        rows: postcode and other columns.
        places: Result of `places_of`; None if the lake has no areas of postcodes.

    Returns:
        The rows without `postcode`, with `place` and `unplaced`. One of the two is null: `unplaced`
        is the reason if there is no place. Without `places` both can be null.
    """
    no_postcode = F.when(F.col("postcode").isNull(), NO_POSTCODE)
    others = [c for c in rows.columns if c != "postcode"]
    if places is None:
        nowhere = F.lit(None).cast("int")
        return rows.select(*others, nowhere.alias("place"), no_postcode.alias("unplaced"))
    numbered = places.select("postcode", "place", F.col("unplaced").alias("_unplaced"))
    reason = no_postcode.when(F.col("place").isNull(), UNLOCATED).otherwise(F.col("_unplaced"))
    return rows.join(numbered, "postcode", "left").select(
        *others, F.when(reason.isNull(), F.col("place")).alias("place"), reason.alias("unplaced")
    )


def most_used(rows: DataFrame, services: Sequence[Service]) -> DataFrame:
    """The most used categories of located records, of services that limit their number.

    Args:
        rows: service (position), place, category.
        services: All services in order.

    Returns:
        One row per service and category: service, category.
    """
    limits = {i: s.categories for i, s in enumerate(services) if s.categories is not None}
    limit = F.coalesce(*[F.when(F.col("service") == i, n) for i, n in limits.items()], F.lit(0))
    ranks = Window.partitionBy("service").orderBy(F.desc("count"), "category")
    return (
        rows.where(F.col("service").isin(*limits))
        .dropna(subset=["category", "place"])
        .groupBy("service", "category")
        .agg(F.sum(number_of_records(rows)).alias("count"))
        .withColumn("_rank", F.row_number().over(ranks))
        .where(F.col("_rank") <= limit)
        .select("service", "category")
    )


def kept_categories(most: pd.DataFrame) -> dict[int, list[str]]:
    """Position of a service that limits its categories -> the categories that it keeps.

    A service without a category is left out.

    Args:
        most: Collected result of `most_used`.
    """
    kept: dict[int, list[str]] = {}
    for service, category in zip(most["service"], most["category"], strict=True):
        kept.setdefault(service, []).append(category)
    return kept


def pooled(kept: Mapping[int, Sequence[str]]) -> Column:
    """The category of a record; POOLED for a rare one.

    Args:
        kept: Result of `kept_categories`.
    """
    service, category = F.col("service"), F.col("category")
    rare = [
        F.when((service == position) & ~category.isin(*categories), POOLED)
        for position, categories in kept.items()
    ]
    return F.coalesce(*rare, category)
