"""A2: people with agreements for each area of each layer, and hot spots among the areas.

Source: thesis 3.11, figures 11-13; domain reference, section 5, A2. A record is in an area when the
place of its postcode is (`reference/postcode_areas`), so the same people are counted in every layer
that covers the city. Every area has a row for every age band: an area with nobody in it is a
finding of a map, and takes part in Gi*.
"""

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.matrix import (
    NO_POSTCODE,
    OUTSIDE_CITY,
    OUTSIDE_YEARS,
    UNLOCATED,
    or_zero,
)
from socare_spark.analyses.windows import AGE_BAND
from socare_spark.lake.tables import CELL_MEASURES, Column, working
from socare_spark.measures.bands import Band, band_of
from socare_spark.measures.cells import cells
from socare_spark.measures.significance import adjusted, two_sided
from socare_spark.places.hotspots import gi_star
from socare_spark.places.tables import CODE, LAYER

DENSITY = working(
    "density",
    "People with agreements who live in an area; every area has a row for every age band.",
    (LAYER, CODE, AGE_BAND),
    (
        Column("area_km2", "double", "The area in square kilometres."),
        Column("people_per_km2", "double", "People / area_km2."),
        Column(
            "people_per_1000",
            "double",
            "People for each 1,000 who live there in this age band; null without a population.",
        ),
        Column(
            "gi_z",
            "double",
            "Gi* of people_per_km2 among the layer's areas, a standard normal deviate: above 0 "
            "where the area and its neighbours have many; null where the layer has no neighbours.",
        ),
        Column("gi_p_adjusted", "double", "Its two-sided p, adjusted for all areas of the layer."),
    ),
    source="Thesis 3.11, figures 11-13 (A2)",
)
_KEY = ["layer", "code", "age_band"]
_NO_BAND = "all"


def with_place(
    records: DataFrame, places: DataFrame, years: tuple[int | None, int | None]
) -> DataFrame:
    """The records with `areas`, where each lies, and `reason`, why it is left out if it is.

    Args:
        records: `postcode` and `year` besides anything else.
        places: `postcode`, `layer`, `code`, `rule` of the layers wanted.
        years: First and last year of start that count; None means any.

    Returns:
        The records; `areas` is an array of (`layer`, `code`).
    """
    each = places.groupBy("postcode").agg(
        F.expr("collect_list(struct(layer, code)) FILTER (WHERE code IS NOT NULL)").alias("areas"),
        F.expr("bool_and(rule = 'unlocated')").alias("unlocated"),
    )
    first, last = years
    too_early = F.lit(False) if first is None else F.col("year") < first
    too_late = F.lit(False) if last is None else F.col("year") > last
    reason = (
        F.when(F.col("postcode").isNull(), NO_POSTCODE)
        .when(F.coalesce("unlocated", F.lit(True)), UNLOCATED)
        .when(F.size("areas") == 0, OUTSIDE_CITY)
        .when(too_early | too_late, OUTSIDE_YEARS)
    )
    return records.join(each, "postcode", "left").withColumn("reason", reason).drop("unlocated")


def counted_areas(placed: DataFrame, bands: Sequence[Band]) -> DataFrame:
    """Counts by layer, area and age band; null in the band is all ages.

    Args:
        placed: Of `with_place`, with `age`, `person` and `cost`.
        bands: The age bands.
    """
    at = placed.where("reason IS NULL").select(
        F.explode("areas").alias("at"),
        band_of(F.col("age"), bands).alias("age_band"),
        "person",
        "cost",
    )
    flat = at.select("at.layer", "at.code", "age_band", "person", "cost")
    return cells(flat, _KEY, cost="cost", totals=["age_band"])


def per_area(
    counted: DataFrame, areas: DataFrame, population: DataFrame | None, labels: Iterable[str]
) -> DataFrame:
    """Every area and age band with its people, also where there are none, for each km2 and 1,000.

    Args:
        counted: Of `counted_areas`.
        areas: `layer`, `code`, `area_km2`.
        population: `layer`, `code`, `age_band`, `population`, one year; None where there is none.
        labels: The age bands.

    Returns:
        `layer`, `code`, `age_band`, `area_km2`, `people_per_km2`, `people_per_1000` and the
        measures of `cells`.
    """
    given = areas.sparkSession.createDataFrame(
        [(label,) for label in labels] + [(None,)], "age_band string"
    )
    # A record whose age is in no band has one of its own; it too is shown for every area.
    bands = given.unionByName(counted.select("age_band")).distinct()
    every = areas.select("layer", "code", "area_km2").crossJoin(F.broadcast(bands))
    full = _left(every, counted)
    if population is None:
        full = full.withColumn("population", F.lit(None).cast("bigint"))
    else:
        full = _left(full, population)
    people = F.coalesce("people", F.lit(0))
    return full.select(
        *_KEY,
        "area_km2",
        (people / F.col("area_km2")).alias("people_per_km2"),
        F.try_divide(people * F.lit(1000.0), F.col("population")).alias("people_per_1000"),
        *or_zero(),
    )


def _left(left: DataFrame, right: DataFrame) -> DataFrame:
    """Left join by layer, code and age band, in which null (all ages) meets null."""
    same = [F.col(f"l.{name}").eqNullSafe(F.col(f"r.{name}")) for name in _KEY]
    more = [f"r.{name}" for name in right.columns if name not in _KEY]
    return left.alias("l").join(right.alias("r"), same, "left").select("l.*", *more)


def chosen_population(population: DataFrame, year: int | None) -> DataFrame:
    """The population of one year, or of the newest that each area has."""
    if year is not None:
        return population.where(F.col("year") == year).drop("year")
    newest = F.max(F.struct("year", "population"))["population"].alias("population")
    return population.groupBy(*_KEY).agg(newest)


def with_hotspots(density: DataFrame, pairs: DataFrame) -> DataFrame:
    """Adds `gi_z` and `gi_p_adjusted`.

    Args:
        density: Of `per_area`, worked out already: it is read twice.
        pairs: Neighbours, of `hotspots.neighbours`.
    """
    series = F.coalesce("age_band", F.lit(_NO_BAND))
    values = density.select(
        "layer", "code", series.alias("series"), F.col("people_per_km2").alias("value")
    )
    schema = "layer string, code string, series string, gi_z double, gi_p_adjusted double"
    found = density.sparkSession.createDataFrame(with_p(gi_star(values, pairs).toPandas()), schema)
    same = ["layer", "code", "series"]
    return (
        density.withColumn("series", series)
        .join(F.broadcast(found), same, "left")
        .select(*_KEY, *(c.name for c in DENSITY.measures[:5]), *(c.name for c in CELL_MEASURES))
    )


def with_p(z: pd.DataFrame) -> pd.DataFrame:
    """Adds `gi_p_adjusted`: of each series of a layer, adjusted for the layer's areas."""
    p = pd.Series(two_sided(z["gi_z"].to_numpy(float)), index=z.index)
    grouped = p.groupby([z["layer"], z["series"]])
    adjusted_p = grouped.transform(lambda one: adjusted(one.to_numpy()))
    return z.assign(gi_p_adjusted=adjusted_p)[["layer", "code", "series", "gi_z", "gi_p_adjusted"]]


def areas_of(areas: DataFrame, layers: Mapping[str, object]) -> DataFrame:
    """The areas of the layers wanted."""
    return areas.where(F.col("layer").isin(*layers))
