"""A1: agreements by postcode district and year, unusual cells, and trends.

Source: thesis 3.13.1, figures 6-10; docs/definitions.md, sections 5.1 and 5.2. A record is in the
city if the district of its postcode is a reference district (a district with located postcodes in
the city). The district is parsed from the text of the postcode, so terminated postcodes count too.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from pyspark.sql import Column
from pyspark.sql import functions as F

from socare_spark.analyses.exclusions import NO_POSTCODE, OUTSIDE_CITY, OUTSIDE_YEARS
from socare_spark.analyses.provision.settings import ProvisionSettings
from socare_spark.lake.table import ColumnSpec, TableSpec, cell_table
from socare_spark.measures.complete_grid import all_cells, complete_grid
from socare_spark.measures.person_counts import Grouping
from socare_spark.measures.residuals import LEAST_EXPECTED, flag_residuals, residuals
from socare_spark.measures.trends import mann_kendall, theil_sen_slope
from socare_spark.postcode_columns import district_of

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


def left_out_of_matrix(
    districts: Sequence[str], years: range, district: Column | None = None
) -> Column:
    """Reason for which the matrix leaves out a record; null for a record that counts.

    Args:
        districts: Codes of the city's districts.
        years: Years of the matrix.
        district: District of a record; by default that of its postcode.
    """
    own = district_of(F.col("postcode")) if district is None else district
    in_city = F.coalesce(own.isin(*districts), F.lit(False))
    return (
        F.when(F.col("postcode").isNull(), NO_POSTCODE)
        .when(~in_city, OUTSIDE_CITY)
        .when(~F.col("year").between(years[0], years[-1]), OUTSIDE_YEARS)
    )


def matrix_grouping(where: Column, district: Column | None = None) -> Grouping:
    """Cells of PROVISION_MATRIX. The total over all years is for PROVISION_TRENDS.

    Args:
        where: Condition of the records that count.
        district: District of a record; by default that of its postcode.
    """
    own = district_of(F.col("postcode")) if district is None else district
    dims = {"district": own, "year": F.col("year")}
    return Grouping(PROVISION_MATRIX, dims, where, totals=("year",))


def provision_matrix(
    counted: pd.DataFrame, districts: Sequence[str], settings: ProvisionSettings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Completes the matrix, flags unusual cells and computes trends.

    Args:
        counted: Counts of `matrix_grouping`.
        districts: Codes of the city's districts.
        settings: Years, significance and smallest expected number of records.

    Returns:
        The rows of PROVISION_MATRIX and of PROVISION_TRENDS.
    """
    cells = all_cells({"district": districts, "year": [*settings.years, None]})
    full = complete_grid(cells, counted)
    by_year, whole = full[full["year"].notna()], full[full["year"].isna()]
    by_cell = unusual(by_year, settings.significance, settings.least_expected)
    by_row = trends(by_year, settings.significance)
    by_cell = by_cell.astype({"year": by_year["year"].dtype})
    return by_year.merge(by_cell, on=["district", "year"]), whole.merge(by_row, on="district")


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


def removed_grouping(analysis: TableSpec, reason: Column, where: Column) -> Grouping:
    """Cells of REMOVED_ROWS of one analysis.

    Args:
        analysis: The table that leaves out records.
        reason: Reason for which it leaves out a record; null for a record that counts.
        where: Condition of the input records of the analysis.
    """
    dims = {"analysis": F.lit(analysis.name), "reason": reason}
    return Grouping(REMOVED_ROWS, dims, where & reason.isNotNull())
