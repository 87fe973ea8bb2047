"""Records of any service as rows of one shape: which service, who, where, when, and what of."""

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from socare_spark.analyses.cross_service.settings import Service, Source
from socare_spark.analyses.exclusions import NO_POSTCODE, OUTSIDE_CITY, UNLOCATED

POOLED = "(others)"
# First characters of postcodes that are counted together: `B1 1`, or a part of the district.
_STEM = 4


def service_rows(frame: DataFrame, source: Source, scheme: Column) -> DataFrame:
    """The records of a dataset in the shape all services share.

    Args:
        frame: The restricted table.
        source: Which columns are meant.
        scheme: Number of the scheme of its people.

    Returns:
        service (position), scheme, token, postcode, day, category.
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
    )


def newest(frame: DataFrame, snapshots: str | None) -> DataFrame:
    """The newest snapshot of a dataset of snapshots; of another dataset all."""
    if snapshots is None:
        return frame
    return frame.where(F.col(snapshots) == frame.select(F.max(snapshots)).scalar())


def places_of(areas: DataFrame, layers: Sequence[str]) -> DataFrame:
    """Every postcode once, numbered in the order of the text, with its area in each layer.

    Args:
        areas: postcode, layer, code, rule.
        layers: The layers wanted.

    Returns:
        postcode, place (its number), `at_LAYER` for each layer, unplaced (why it has no area, or
        null).
    """
    wanted = areas.where(F.col("layer").isin(*layers))
    codes = [F.max(F.when(F.col("layer") == n, F.col("code"))).alias(f"at_{n}") for n in layers]
    each = wanted.groupBy("postcode").agg(
        *codes, F.bool_and(F.col("rule") == UNLOCATED).alias("_unlocated")
    )
    nowhere = reduce(lambda a, b: a & b, [F.col(f"at_{n}").isNull() for n in layers])
    return _numbered(each).select(
        "postcode",
        "place",
        *[f"at_{n}" for n in layers],
        F.when(F.col("_unlocated"), UNLOCATED).when(nowhere, OUTSIDE_CITY).alias("unplaced"),
    )


def _numbered(postcodes: DataFrame) -> DataFrame:
    """The rows with `place`, the rank of `postcode` in the order of the text, from 1.

    Postcodes are ranked among those that begin alike. One task sees the beginnings alone, of which
    the United Kingdom has about 12,000.
    """
    rows = postcodes.withColumn("_stem", F.substring("postcode", 1, _STEM))
    earlier = Window.orderBy("_stem").rowsBetween(Window.unboundedPreceding, -1)
    before = F.coalesce(F.sum("count").over(earlier), F.lit(0)).alias("_before")
    stems = rows.groupBy("_stem").count().select("_stem", before)
    rank = F.row_number().over(Window.partitionBy("_stem").orderBy("postcode"))
    place = (rank + F.col("_before")).cast("int")
    return rows.join(F.broadcast(stems), "_stem").withColumn("place", place)


def placed(rows: DataFrame, places: DataFrame | None) -> DataFrame:
    """The rows with `place` in place of the postcode, and why there is none.

    Args:
        rows: postcode, and anything else.
        places: Of `places_of`; None where postcodes have not been placed.

    Returns:
        The rows with `place` (null where `unplaced` is not) and `unplaced` (a reason or null).
    """
    no_postcode = F.when(F.col("postcode").isNull(), NO_POSTCODE)
    others = [c for c in rows.columns if c != "postcode"]
    if places is None:
        nowhere = F.lit(None).cast("int")
        return rows.select(*others, nowhere.alias("place"), no_postcode.alias("unplaced"))
    known = places.select("postcode", "place", F.col("unplaced").alias("_why"))
    why = no_postcode.when(F.col("place").isNull(), UNLOCATED).otherwise(F.col("_why"))
    return rows.join(known, "postcode", "left").select(
        *others, F.when(why.isNull(), F.col("place")).alias("place"), why.alias("unplaced")
    )


def pool_rare_categories(rows: DataFrame, services: Sequence[Service]) -> DataFrame:
    """The rows with every category but a service's most used as `POOLED`.

    Args:
        rows: service, category, and anything else.
        services: All services in order; those without `categories` keep all of theirs.
    """
    limits = {i: s.categories for i, s in enumerate(services) if s.categories is not None}
    if not limits:
        return rows
    counted = F.col("service").isin(*limits) & F.col("category").isNotNull()
    limit = F.coalesce(*[F.when(F.col("service") == i, n) for i, n in limits.items()])
    ranks = Window.partitionBy("service").orderBy(F.desc("records"), "category")
    most = (
        rows.where(counted)
        .groupBy("service", "category")
        .agg(F.count(F.lit(1)).alias("records"))
        .select("service", "category", F.row_number().over(ranks).alias("_rank"))
        .where(F.col("_rank") <= limit)
    )
    shown = F.when(counted & F.col("_rank").isNull(), POOLED).otherwise(F.col("category"))
    return rows.join(F.broadcast(most), ["service", "category"], "left").select(
        *[c for c in rows.columns if c != "category"], shown.alias("category")
    )
