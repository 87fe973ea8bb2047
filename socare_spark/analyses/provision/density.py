"""A2 and A4: people with agreements by area of each layer, and hot spots among the areas.

Source: thesis 3.13.2 and 3.13.4, figures 11-13, 19 and 20; docs/definitions.md, sections 5.5 and
5.6.

A record is in the area of its postcode (`reference/postcode_areas`), so the same people are counted
in every layer that covers the city. Every area has a row for every age band or year, because areas
without people are shown on maps and are part of Gi*.

Most functions have an argument `by`, the second column of the counts: `age_band` in `density`,
`year` in `density_series`. Gi* is computed separately for each of its values.
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
    """Adds the areas of the postcode of each record.

    Args:
        records: `postcode` and other columns.
        places: `postcode`, `layer`, `code`, `rule`. A postcode without coordinates is `unlocated`
            in all layers.

    Returns:
        The records with `areas`, an array of (`layer`, `code`), and `located`. Both are null for a
        postcode that `places` does not have.
    """
    by_postcode = places.groupBy("postcode").agg(
        F.expr("collect_list(struct(layer, code)) FILTER (WHERE code IS NOT NULL)").alias("areas"),
        F.expr(f"NOT bool_and(rule = '{UNLOCATED}')").alias("located"),
    )
    return records.join(by_postcode, "postcode", "left")


def within(
    placed: DataFrame, layers: Iterable[str], years: tuple[int | None, int | None]
) -> DataFrame:
    """Keeps the areas of some layers, and adds the reason for leaving out a record.

    Args:
        placed: Result of `with_place`, with `year`.
        layers: Names of the layers.
        years: First and last year of start; None means no limit.

    Returns:
        The records with `areas` and `reason` (null for a record that counts).
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
    """Counts people by area and another column.

    Args:
        inside: Result of `within`, with `person`, `cost` and the other column.
        by: The other column.
        totals: As in `count_people`.

    Returns:
        One row per `layer`, `code` and value of the other column, with the measures of
        `count_people`.
    """
    at = inside.where("reason IS NULL").select(F.explode("areas").alias("at"), by, "person", "cost")
    flat = at.select("at.layer", "at.code", by, "person", "cost")
    return count_people(flat, ["layer", "code", by], cost="cost", totals=totals)


def counted_bands(inside: DataFrame, bands: Sequence[Band]) -> DataFrame:
    """Counts people by area and age band.

    Args:
        inside: Result of `within`, with `age`, `person` and `cost`.
        bands: The age bands.

    Returns:
        One row per `layer`, `code` and `age_band` (null means all ages), with the measures of
        `count_people`.
    """
    return counted_areas(with_band(inside, bands), "age_band", totals=["age_band"])


def every_band(counted: DataFrame, labels: Iterable[str]) -> DataFrame:
    """Age bands for which every area has a row: `age_band`; null means all ages.

    These are the given bands, all ages, and any other band in the counts, such as `unknown`.
    """
    rows = [*((label,) for label in labels), (None,)]
    given_bands = counted.sparkSession.createDataFrame(rows, "age_band string")
    return given_bands.unionByName(counted.select("age_band")).distinct()


def per_area(
    counted: DataFrame, areas: DataFrame, population: DataFrame | None, values: DataFrame
) -> DataFrame:
    """Completes the counts with areas without people, and computes rates.

    Args:
        counted: Result of `counted_areas`.
        areas: `layer`, `code`, `area_km2`.
        population: `layer`, `code`, the second column of the counts, `population`; None if the
            population is not known.
        values: One column: the values of the second column for which every area has a row.

    Returns:
        One row per area and value: `layer`, `code`, the second column, `area_km2`,
        `people_per_km2`, `people_per_1000` and the measures of `count_people`.
    """
    key = ["layer", "code", *values.columns]
    grid = areas.select("layer", "code", "area_km2").crossJoin(F.broadcast(values))
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
    """Left join in which null (all ages) matches null."""
    same = [F.col(f"l.{name}").eqNullSafe(F.col(f"r.{name}")) for name in key]
    other_columns = [f"r.{name}" for name in right.columns if name not in key]
    return left.alias("l").join(right.alias("r"), same, "left").select("l.*", *other_columns)


def with_hotspots(densities: DataFrame, pairs: DataFrame, by: str) -> DataFrame:
    """Adds `gi_z` and `gi_p_adjusted` for all values of a column in one pass.

    Args:
        densities: Result of `per_area`. It is read twice and should be checkpointed.
        pairs: Result of `hotspots.neighbours`.
        by: The second column of the counts.
    """
    series = F.coalesce(F.col(by).cast("string"), F.lit(_ALL))
    values = densities.select(
        "layer", "code", series.alias("series"), F.col("people_per_km2").alias("value")
    )
    schema = "layer string, code string, series string, gi_z double, gi_p_adjusted double"
    scores = densities.sparkSession.createDataFrame(
        with_adjusted_p(gi_star(values, pairs).toPandas()), schema
    )
    return (
        densities.withColumn("series", series)
        .join(F.broadcast(scores), ["layer", "code", "series"], "left")
        .select(*densities.columns, "gi_z", "gi_p_adjusted")
    )


def with_adjusted_p(z: pd.DataFrame) -> pd.DataFrame:
    """Adds `gi_p_adjusted`, adjusted for all areas of a layer within each series."""
    p = pd.Series(two_sided(z["gi_z"].to_numpy(float)), index=z.index)
    grouped = p.groupby([z["layer"], z["series"]])
    adjusted_p = grouped.transform(lambda group: benjamini_hochberg(group.to_numpy()))
    return z.assign(gi_p_adjusted=adjusted_p)[["layer", "code", "series", "gi_z", "gi_p_adjusted"]]


def areas_of(areas: DataFrame, layers: Iterable[str]) -> DataFrame:
    """Areas of some layers."""
    return areas.where(F.col("layer").isin(*layers))
