"""B9: internal and external provision by client group, district and year.

Source: thesis 4.4.2, figure 37; docs/definitions.md, section 7.5. The letter after the client group
in an element's code identifies the provider: the council or others. An agreement counts in every
year in which it is open.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from pyspark.sql import Column
from pyspark.sql import functions as F

from socare_spark.analyses.use.records import is_of, year_of_row
from socare_spark.analyses.use.settings import Provider, Split
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.complete_grid import all_cells, complete_grid, ratio
from socare_spark.measures.periods import Period
from socare_spark.measures.person_counts import Grouping
from socare_spark.measures.residuals import flag_residuals, residuals

PROVISION_SPLIT = cell_table(
    "provision_split",
    "Agreements of a client group in a district that are open in a year, by who provides them; "
    "their cost is that of their days in the year. Every group, district and year has a row.",
    [
        ColumnSpec(
            "client_group",
            "string",
            "Client group of the element, as the vocabulary names it; null means all.",
        ),
        ColumnSpec(
            "district",
            "string",
            "Postcode district of the city; null means everybody, wherever they live.",
        ),
        ColumnSpec(
            "year",
            "int",
            "Calendar year in which agreements are open; null means all years together, with each "
            "agreement once.",
        ),
    ],
    [
        ColumnSpec("internal", "bigint", "Records that the council provides itself."),
        ColumnSpec("external", "bigint", "Records that it buys from others."),
        ColumnSpec(
            "share_internal", "double", "internal / (internal + external); null without either."
        ),
        ColumnSpec(
            "residual",
            "double",
            "Adjusted Pearson residual of the internal records among the districts of the client "
            "group and year; null for everybody, and where too few records are expected.",
        ),
        ColumnSpec(
            "p_adjusted",
            "double",
            "Its two-sided p, adjusted by Benjamini-Hochberg for the districts of the client group "
            "and year.",
        ),
        ColumnSpec(
            "flag",
            "string",
            "'high' or 'low' where the district has unusually much or little internal provision.",
        ),
    ],
    source="Thesis 4.4.2, figure 37 (B9)",
)
SUMS = ("internal", "external")


def provider_columns(providers: Iterable[Provider]) -> dict[str, Column]:
    """Columns `internal` and `external` of a record: 1 if its element is of the kind, else 0."""
    internal = [provider.element for provider in providers if provider.is_internal]
    external = [provider.element for provider in providers if not provider.is_internal]
    element = F.col("element")
    return {
        name: element.isin(*elements).cast("int")
        for name, elements in zip(SUMS, (internal, external), strict=True)
    }


def split_grouping(providers: Sequence[Provider], years: Iterable[Period]) -> Grouping:
    """Cells of PROVISION_SPLIT by client group, district and year.

    Args:
        providers: Elements with their client group.
        years: Calendar years and their total.
    """
    elements: dict[str, list[str]] = {}
    for provider in providers:
        elements.setdefault(provider.client_group, []).append(provider.element)
    group = F.lit(None).cast("string")
    for name, codes in elements.items():
        group = F.when(F.col("element").isin(*codes), F.lit(name)).otherwise(group)
    return Grouping(
        PROVISION_SPLIT,
        {"client_group": group, "district": F.col("district"), "year": year_of_row()},
        where=group.isNotNull() & is_of(years),
        totals=("client_group", "district"),
    )


def provision_split(
    counted: pd.DataFrame,
    providers: Sequence[Provider],
    years: Iterable[Period],
    districts: Sequence[str],
    split: Split,
) -> pd.DataFrame:
    """Completes the cells, computes shares, and flags unusual districts.

    Args:
        counted: Counts of `split_grouping`, with SUMS.
        providers: Elements with their client group.
        years: Consecutive calendar years and their total.
        districts: Codes of the city's districts.
        split: Settings of the test.

    Returns:
        One row per client group, district and year, with totals. Columns as in PROVISION_SPLIT.
    """
    groups = [provider.client_group for provider in providers]
    cells = all_cells(
        {
            "client_group": [*groups, None],
            "district": [*districts, None],
            "year": [period.label for period in years],
        }
    )
    full = complete_grid(cells, counted, SUMS)
    share = ratio(full["internal"], full["internal"] + full["external"])
    return unusual_split(
        full.assign(share_internal=share), split.significance, split.least_expected
    )


def unusual_split(counts: pd.DataFrame, significance: float, least_expected: float) -> pd.DataFrame:
    """Compares the split of each district with that of its client group and year.

    Args:
        counts: `client_group`, `district`, `year`, `internal`, `external`.
        significance: Upper limit of the adjusted p of a flagged district.
        least_expected: Smallest expected number of records of either kind for a test.

    Returns:
        The rows with `residual`, `p_adjusted` and `flag`. They are null for a district that is not
        tested, and for the total of all districts.
    """
    tested = counts.reset_index(drop=True)
    residual, p = np.full(len(tested), np.nan), np.full(len(tested), np.nan)
    flag = np.full(len(tested), None, dtype=object)
    placed = tested[tested["district"].notna()]
    for _, rows in placed.groupby(["client_group", "year"], dropna=False, sort=False):
        expected, z = residuals(rows[[*SUMS]].to_numpy(float))
        p[rows.index], flag[rows.index] = flag_residuals(
            z[:, 0], expected.min(axis=1), significance, least_expected
        )
        residual[rows.index] = np.where(np.isnan(p[rows.index]), np.nan, z[:, 0])
    return tested.assign(residual=residual, p_adjusted=p, flag=flag)
