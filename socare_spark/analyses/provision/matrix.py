"""A1: agreements by postcode district and year, unusual cells, and trends.

Source: thesis 3.13.1, figures 6-10; docs/definitions.md, sections 5.1 and 5.2. A record is in the
city if the district of its postcode is a reference district (a district with located postcodes in
the city). The district is parsed from the text of the postcode, so terminated postcodes count too.
"""

from collections.abc import Mapping
from functools import reduce

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.exclusions import NO_POSTCODE, OUTSIDE_CITY, OUTSIDE_YEARS
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.complete_grid import complete_grid
from socare_spark.measures.person_counts import count_people
from socare_spark.measures.residuals import LEAST_EXPECTED, flag_residuals, residuals
from socare_spark.measures.trends import mann_kendall, theil_sen_slope
from socare_spark.postcodes import district_of

_SOURCE = "Thesis 3.13.1, figures 6-10 (A1)"
DISTRICT = ColumnSpec("district", "string", "Postcode district of the city, as 'B21'.")
YEAR = ColumnSpec("year", "int", "Calendar year of the agreement's start.")

PROVISION_MATRIX = cell_table(
    "provision_matrix",
    "Agreements of a district that start in a year; every district and year has a row.",
    (DISTRICT, YEAR),
    (
        ColumnSpec("expected", "double", "District's records x year's records / all records."),
        ColumnSpec(
            "residual",
            "double",
            "Adjusted Pearson residual: how far records are from expected, in standard deviations; "
            "null where the district or the year has no record.",
        ),
        ColumnSpec(
            "p_adjusted",
            "double",
            "Its two-sided p, adjusted by Benjamini-Hochberg; null where too few records are "
            "expected for a test (`least_expected` of conf/analyses/provision.yaml).",
        ),
        ColumnSpec("flag", "string", "'high' or 'low' where the cell is unusual; null elsewhere."),
    ),
    source=_SOURCE,
)
PROVISION_TRENDS = cell_table(
    "provision_trends",
    "How the agreements of a district move over the years of the matrix.",
    (DISTRICT,),
    (
        ColumnSpec("slope", "double", "Theil-Sen slope: agreements more each year."),
        ColumnSpec("p", "double", "Two-sided p of the Mann-Kendall test, corrected for ties."),
        ColumnSpec(
            "trend",
            "string",
            "'challenging' where agreements rise significantly, 'improving' where they fall, "
            "'steady' elsewhere.",
        ),
    ),
    source=_SOURCE,
)
REMOVED_ROWS = cell_table(
    "removed_rows",
    "Records that an analysis leaves out, each under the first reason that holds.",
    (
        ColumnSpec("analysis", "string", "The table whose analysis left them out."),
        ColumnSpec(
            "reason",
            "string",
            "no_postcode; outside_city; unlocated (the reference has no place for the postcode); "
            "outside_years; no_element; no_person.",
        ),
    ),
    source=_SOURCE,
)


UNUSUAL_SCHEMA = (
    "district string, year int, expected double, residual double, p_adjusted double, flag string"
)
TRENDS_SCHEMA = "district string, slope double, p double, trend string"


def with_district(records: DataFrame, districts: DataFrame, years: range) -> DataFrame:
    """Adds `district`, and `reason` if the matrix leaves out the record.

    Args:
        records: `postcode`, `year` and other columns.
        districts: `code` of the city's districts.
        years: Years of the matrix.

    Returns:
        The records with `district` and `reason` (null for a record that counts).
    """
    district = district_of(F.col("postcode"))
    city = districts.select(F.col("code").alias("_city"))
    reason = (
        F.when(F.col("postcode").isNull(), NO_POSTCODE)
        .when(F.col("_city").isNull(), OUTSIDE_CITY)
        .when(~F.col("year").between(years[0], years[-1]), OUTSIDE_YEARS)
    )
    return (
        records.withColumn("district", district)
        .join(F.broadcast(city), F.col("district") == F.col("_city"), "left")
        .withColumn("reason", reason)
        .drop("_city")
    )


def counted_matrix(placed: DataFrame, districts: DataFrame, years: range) -> DataFrame:
    """Counts agreements by district and year of start.

    Args:
        placed: Result of `with_district`, with `person` and `cost`.
        districts: `code` of the city's districts.
        years: Years of the matrix.

    Returns:
        One row per district and year, including cells without records: `district`, `year` (null
        means all years) and the measures of `count_people`.
    """
    kept = placed.where("reason IS NULL")
    counted = count_people(kept, ["district", "year"], cost="cost", totals=["year"])
    columns = F.array(*(F.lit(year) for year in (*years, None)))
    grid = districts.select(F.col("code").alias("district"), F.explode(columns).alias("year"))
    return complete_grid(grid, counted)


def unusual(
    counts: pd.DataFrame, significance: float, least_expected: float = LEAST_EXPECTED
) -> pd.DataFrame:
    """Flags the unusual cells of a complete matrix.

    Args:
        counts: `district`, `year`, `records`; one row per district and year.
        significance: Upper limit of the adjusted p of a flagged cell.
        least_expected: Smallest number of expected records for a test.

    Returns:
        One row per district and year: `district`, `year`, `expected`, `residual`, `p_adjusted`,
        `flag`.
    """
    table = counts.pivot(index="district", columns="year", values="records").sort_index()
    expected, residual = residuals(table.to_numpy(dtype=float))
    p, flag = flag_residuals(residual.ravel(), expected.ravel(), significance, least_expected)
    return pd.DataFrame(
        {
            "district": np.repeat(table.index.to_numpy(), len(table.columns)),
            "year": np.tile(table.columns.to_numpy(), len(table)),
            "expected": np.nan_to_num(expected).ravel(),
            "residual": residual.ravel(),
            "p_adjusted": p,
            "flag": flag,
        }
    )


def trends(counts: pd.DataFrame, significance: float) -> pd.DataFrame:
    """Computes the trend of each district.

    Args:
        counts: `district`, `year`, `records`; one row per district and year.
        significance: Upper limit of the p of a trend.

    Returns:
        One row per district: `district`, `slope`, `p`, `trend`.
    """
    rows = []
    for district, years in counts.sort_values("year").groupby("district"):
        slope = theil_sen_slope(years["year"].to_numpy(float), years["records"].to_numpy(float))
        p = mann_kendall(years["records"].to_numpy(float))
        rows.append((district, slope, p, _trend(slope, p, significance)))
    return pd.DataFrame(rows, columns=["district", "slope", "p", "trend"])


def _trend(slope: float, p: float, significance: float) -> str:
    if p >= significance or slope == 0:
        return "steady"
    return "challenging" if slope > 0 else "improving"


def count_removed(placed: Mapping[str, DataFrame]) -> DataFrame:
    """Counts the records that analyses leave out.

    Args:
        placed: Name of a table -> its input records: `reason`, `person`, `cost`.

    Returns:
        One row per analysis and reason: `analysis`, `reason` and the measures of `count_people`.
    """
    left_out = [
        frame.where("reason IS NOT NULL").select(
            F.lit(analysis).alias("analysis"), "reason", "person", "cost"
        )
        for analysis, frame in placed.items()
    ]
    return count_people(
        reduce(DataFrame.unionByName, left_out), ["analysis", "reason"], cost="cost"
    )
