"""A2 and A4: people with agreements by area of each layer, and hot spots among the areas.

Source: thesis 3.13.2 and 3.13.4, figures 11-13, 19 and 20; docs/definitions.md, sections 5.5 and
5.6.

A record is in the area of its postcode (`reference/postcode_areas`), so the same people are counted
in every layer that covers the city. Every area has a row for every age band or year, because areas
without people are shown on maps and are part of Gi*.

Most functions have an argument `by`, the second column of the counts: `age_band` in `density`,
`year` in `density_series`. Gi* is computed separately for each of its values.
"""

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.exclusions import NO_POSTCODE, OUTSIDE_CITY, OUTSIDE_YEARS, UNLOCATED
from socare_spark.analyses.provision.dense_window import AGE_BAND
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.bands import Band, band_of
from socare_spark.measures.complete_grid import complete_grid, ratio
from socare_spark.measures.hotspots import Neighbours, gi_star
from socare_spark.measures.multiple_testing import benjamini_hochberg, two_sided
from socare_spark.measures.person_counts import Grouping
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
        F.array_sort(
            F.expr("collect_list(struct(layer, code)) FILTER (WHERE code IS NOT NULL)")
        ).alias("areas"),
        F.expr(f"NOT bool_and(rule = '{UNLOCATED}')").alias("located"),
    )
    return records.join(by_postcode, "postcode", "left")


def left_out_of_areas(
    layers: Iterable[str], first_year: int | None, last_year: int | None
) -> Column:
    """Reason for which an analysis by area leaves out a record; null for a record that counts.

    The record has the columns of `with_place`, `postcode` and `year`.

    Args:
        layers: Names of the layers.
        first_year: First year of start; None means no limit.
        last_year: Last year of start; None means no limit.
    """
    wanted = list(layers)
    in_layers = F.exists("areas", lambda at: at["layer"].isin(*wanted))
    too_early = F.lit(False) if first_year is None else F.col("year") < first_year
    too_late = F.lit(False) if last_year is None else F.col("year") > last_year
    return (
        F.when(F.col("postcode").isNull(), NO_POSTCODE)
        .when(~F.coalesce("located", F.lit(False)), UNLOCATED)
        .when(~F.coalesce(in_layers, F.lit(False)), OUTSIDE_CITY)
        .when(too_early | too_late, OUTSIDE_YEARS)
    )


def by_area(placed: DataFrame, layers: Iterable[str]) -> DataFrame:
    """One row per record and area of some layers.

    Args:
        placed: Result of `with_place`.
        layers: Names of the layers.

    Returns:
        The columns of the records, with `layer` and `code`. `areas` is kept.
    """
    return placed.select("*", F.inline("areas")).where(F.col("layer").isin(*layers))


def density_grouping(bands: Sequence[Band], where: Column) -> Grouping:
    """Cells of DENSITY by area and age band.

    Args:
        bands: The age bands.
        where: Condition of the rows of `by_area` that count.
    """
    dims = {
        "layer": F.col("layer"),
        "code": F.col("code"),
        "age_band": band_of(F.col("age"), bands),
    }
    return Grouping(DENSITY, dims, where, totals=("age_band",))


def series_grouping(where: Column) -> Grouping:
    """Cells of DENSITY_SERIES by area and year.

    Args:
        where: Condition of the rows of `by_area` that count.
    """
    return Grouping(
        DENSITY_SERIES, {name: F.col(name) for name in ("layer", "code", "year")}, where
    )


def bands_of(counted: pd.DataFrame, bands: Iterable[Band]) -> list[str | None]:
    """Age bands for which every area has a row; None means all ages.

    These are the given bands, any other band in the counts, such as `unknown`, and all ages.
    """
    labels = [band.label for band in bands]
    others = sorted({*counted["age_band"].dropna()}.difference(labels))
    return [*dict.fromkeys([*labels, *others]), None]


def per_area(
    counted: pd.DataFrame,
    areas: pd.DataFrame,
    population: pd.DataFrame,
    by: str,
    values: Sequence[str | int | None],
) -> pd.DataFrame:
    """Completes the counts with areas without people, and computes rates.

    Args:
        counted: Counts by `layer`, `code` and the column `by`.
        areas: `layer`, `code`, `area_km2`.
        population: `layer`, `code`, the column `by`, `population`; it can lack areas and values.
        by: The second column of the counts.
        values: Its values for which every area has a row.

    Returns:
        One row per area and value: `layer`, `code`, the column `by`, `area_km2`, `people_per_km2`,
        `people_per_1000` and the measures of `count_people`.
    """
    key = ["layer", "code", by]
    column = pd.DataFrame({by: values}, dtype=object)
    grid = areas[["layer", "code", "area_km2"]].merge(column, how="cross")
    full = complete_grid(grid[key], counted).assign(area_km2=grid["area_km2"])
    full = full.merge(population.astype({by: full[by].dtype}), on=key, how="left")
    return full.assign(
        people_per_km2=full["people"].astype(float) / full["area_km2"],
        people_per_1000=ratio(full["people"].astype(float) * 1000, full["population"]),
    )


def with_hotspots(densities: pd.DataFrame, near: Mapping[str, Neighbours], by: str) -> pd.DataFrame:
    """Adds `gi_z` and `gi_p_adjusted` for all values of a column.

    Args:
        densities: Result of `per_area`.
        near: Result of `hotspots.neighbours`.
        by: The second column of the counts.
    """
    series = densities[by].astype(str).where(densities[by].notna(), _ALL)
    values = densities.assign(series=series, value=densities["people_per_km2"])
    scores = with_adjusted_p(gi_star(values, near))
    keys = ["layer", "code", "series"]
    return values.merge(scores, on=keys, how="left").drop(columns=["series", "value"])


def with_adjusted_p(z: pd.DataFrame) -> pd.DataFrame:
    """Adds `gi_p_adjusted`, adjusted for all areas of a layer within each series."""
    p = pd.Series(two_sided(z["gi_z"].to_numpy(float)), index=z.index)
    grouped = p.groupby([z["layer"], z["series"]])
    adjusted_p = grouped.transform(lambda group: benjamini_hochberg(group.to_numpy()))
    return z.assign(gi_p_adjusted=adjusted_p)[["layer", "code", "series", "gi_z", "gi_p_adjusted"]]
