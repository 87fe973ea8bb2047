"""A2 and A4: people with agreements for each area of each layer, and hot spots among the areas.

Source: thesis 3.13.2 and 3.13.4, figures 11-13, 19 and 20; docs/definitions.md, sections 5.5 and
5.6.

A record is in an area when the place of its postcode is (`reference/postcode_areas`), so the same
people are counted in every layer that covers the city. Every area has a row for every age band, or
year: an area with nobody in it is a finding of a map, and takes part in Gi*.

Most functions take `by`, the column that areas are counted by beside themselves: `age_band` in
`density`, `year` in `density_series`. Each of its values is one variable of Gi*.
"""

from collections.abc import Iterable, Sequence

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.agreements import with_band
from socare_spark.analyses.exclusions import NO_POSTCODE, OUTSIDE_CITY, OUTSIDE_YEARS, UNLOCATED
from socare_spark.analyses.provision.dense_window import AGE_BAND
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.bands import Band
from socare_spark.measures.complete_grid import zero_filled
from socare_spark.measures.hotspots import gi_star
from socare_spark.measures.multiple_testing import benjamini_hochberg, two_sided
from socare_spark.measures.person_counts import count_people
from socare_spark.places.reference_tables import CODE, LAYER

_AREA = ColumnSpec("area_km2", "double", "The area in square kilometres.")
_PER_KM2 = ColumnSpec("people_per_km2", "double", "People / area_km2.")
_P = ColumnSpec("gi_p_adjusted", "double", "Its two-sided p, adjusted for all areas of the layer.")
_GI_Z = (
    "Gi* of people_per_km2 among the layer's areas{}, a standard normal deviate: above 0 where the "
    "area and its neighbours have many; null where the layer has no neighbours."
)

DENSITY = cell_table(
    "density",
    "People with agreements who live in an area; every area has a row for every age band.",
    (LAYER, CODE, AGE_BAND),
    (
        _AREA,
        _PER_KM2,
        ColumnSpec(
            "people_per_1000",
            "double",
            "People for each 1,000 who live there in this age band; null without a population.",
        ),
        ColumnSpec("gi_z", "double", _GI_Z.format("")),
        _P,
    ),
    source="Thesis 3.13.2, figures 11-13 (A2)",
)
DENSITY_SERIES = cell_table(
    "density_series",
    "People with agreements that start in a year, of the age band of the configuration (0-11 in "
    "the thesis), who live in an area; every area has a row for every year.",
    (
        LAYER,
        CODE,
        ColumnSpec(
            "year", "int", "Calendar year in which the agreements start; earlier ones do not count."
        ),
    ),
    (
        _AREA,
        _PER_KM2,
        ColumnSpec(
            "people_per_1000",
            "double",
            "People for each 1,000 who live there in the age band, by the population nearest to "
            "the year; null without a population.",
        ),
        ColumnSpec("gi_z", "double", _GI_Z.format(" in the year")),
        _P,
    ),
    source="Thesis 3.13.4, figures 19 and 20 (A4)",
)
_ALL = "all"


def with_place(records: DataFrame, places: DataFrame) -> DataFrame:
    """The records with where they lie: `areas`, an array of (`layer`, `code`), and `located`.

    Args:
        records: `postcode` besides anything else.
        places: `postcode`, `layer`, `code`, `rule` of the layers wanted; a postcode without
            coordinates is `unlocated` in all of them.
    """
    each = places.groupBy("postcode").agg(
        F.expr("collect_list(struct(layer, code)) FILTER (WHERE code IS NOT NULL)").alias("areas"),
        F.expr(f"NOT bool_and(rule = '{UNLOCATED}')").alias("located"),
    )
    return records.join(each, "postcode", "left")


def within(
    placed: DataFrame, layers: Iterable[str], years: tuple[int | None, int | None]
) -> DataFrame:
    """The records with `areas` of some layers alone, and `reason`, why one is left out if it is.

    Args:
        placed: Of `with_place`, with `year`.
        layers: The layers that count.
        years: First and last year of start that count; None means any.
    """
    wanted = list(layers)
    inside = F.filter("areas", lambda at: at["layer"].isin(*wanted))
    first, last = years
    too_early = F.lit(False) if first is None else F.col("year") < first
    too_late = F.lit(False) if last is None else F.col("year") > last
    reason = (
        F.when(F.col("postcode").isNull(), NO_POSTCODE)
        .when(~F.coalesce("located", F.lit(False)), UNLOCATED)
        .when(F.size(inside) == 0, OUTSIDE_CITY)
        .when(too_early | too_late, OUTSIDE_YEARS)
    )
    return placed.withColumns({"areas": inside, "reason": reason})


def counted_areas(inside: DataFrame, by: str, totals: Sequence[str] = ()) -> DataFrame:
    """Counts by `layer`, `code` and another column: the measures of `count_people`.

    Args:
        inside: Of `within`, with `person`, `cost` and the other column.
        by: That column.
        totals: As in `count_people`.
    """
    at = inside.where("reason IS NULL").select(F.explode("areas").alias("at"), by, "person", "cost")
    flat = at.select("at.layer", "at.code", by, "person", "cost")
    return count_people(flat, ["layer", "code", by], cost="cost", totals=totals)


def counted_bands(inside: DataFrame, bands: Sequence[Band]) -> DataFrame:
    """Counts by layer, area and age band; null in the band is all ages.

    Args:
        inside: Of `within`, with `age`, `person` and `cost`.
        bands: The age bands.
    """
    return counted_areas(with_band(inside, bands), "age_band", totals=["age_band"])


def every_band(counted: DataFrame, labels: Iterable[str]) -> DataFrame:
    """The age bands that every area has a row for: those given, all ages, and any that occurs.

    A record whose age is in no band has one of its own; it too is shown for every area.
    """
    given = [*((label,) for label in labels), (None,)]
    named = counted.sparkSession.createDataFrame(given, "age_band string")
    return named.unionByName(counted.select("age_band")).distinct()


def per_area(
    counted: DataFrame, areas: DataFrame, population: DataFrame | None, every: DataFrame
) -> DataFrame:
    """Every area with its people, also where there are none, for each km2 and 1,000.

    Args:
        counted: Of `counted_areas`.
        areas: `layer`, `code`, `area_km2`.
        population: `layer`, `code`, the column areas are counted by, `population`; None where
            there is none.
        every: One column, that which areas are counted by: the values each area has a row for.

    Returns:
        `layer`, `code`, that column, `area_km2`, `people_per_km2`, `people_per_1000` and the
        measures of `count_people`.
    """
    key = ["layer", "code", *every.columns]
    grid = areas.select("layer", "code", "area_km2").crossJoin(F.broadcast(every))
    full = _left(grid, counted, key)
    if population is None:
        full = full.withColumn("population", F.lit(None).cast("bigint"))
    else:
        full = _left(full, population, key)
    people = F.coalesce("people", F.lit(0))
    return full.select(
        *key,
        "area_km2",
        (people / F.col("area_km2")).alias("people_per_km2"),
        F.try_divide(people * F.lit(1000.0), F.col("population")).alias("people_per_1000"),
        *zero_filled(),
    )


def _left(left: DataFrame, right: DataFrame, key: Sequence[str]) -> DataFrame:
    """Left join in which null (all ages) meets null."""
    same = [F.col(f"l.{name}").eqNullSafe(F.col(f"r.{name}")) for name in key]
    more = [f"r.{name}" for name in right.columns if name not in key]
    return left.alias("l").join(right.alias("r"), same, "left").select("l.*", *more)


def with_hotspots(each: DataFrame, pairs: DataFrame, by: str) -> DataFrame:
    """Adds `gi_z` and `gi_p_adjusted`, of all values of a column in one pass.

    Args:
        each: Of `per_area`, worked out already: it is read twice.
        pairs: Neighbours, of `hotspots.neighbours`.
        by: The column that areas are counted by.
    """
    series = F.coalesce(F.col(by).cast("string"), F.lit(_ALL))
    values = each.select(
        "layer", "code", series.alias("series"), F.col("people_per_km2").alias("value")
    )
    schema = "layer string, code string, series string, gi_z double, gi_p_adjusted double"
    found = each.sparkSession.createDataFrame(
        with_adjusted_p(gi_star(values, pairs).toPandas()), schema
    )
    return (
        each.withColumn("series", series)
        .join(F.broadcast(found), ["layer", "code", "series"], "left")
        .select(*each.columns, "gi_z", "gi_p_adjusted")
    )


def with_adjusted_p(z: pd.DataFrame) -> pd.DataFrame:
    """Adds `gi_p_adjusted`: of each series of a layer, adjusted for the layer's areas."""
    p = pd.Series(two_sided(z["gi_z"].to_numpy(float)), index=z.index)
    grouped = p.groupby([z["layer"], z["series"]])
    adjusted_p = grouped.transform(lambda one: benjamini_hochberg(one.to_numpy()))
    return z.assign(gi_p_adjusted=adjusted_p)[["layer", "code", "series", "gi_z", "gi_p_adjusted"]]


def areas_of(areas: DataFrame, layers: Iterable[str]) -> DataFrame:
    """The areas of the layers wanted."""
    return areas.where(F.col("layer").isin(*layers))
