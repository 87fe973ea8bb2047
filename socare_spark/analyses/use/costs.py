"""B8: cost of groups of elements by year and by quarter.

Source: thesis 4.4.1 and figure 36; docs/definitions.md, section 7.3.
"""

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd
from pyspark.sql import functions as F

from socare_spark.analyses.use.records import is_of, year_of_row
from socare_spark.lake.table import ColumnSpec, TableSpec, cell_table
from socare_spark.measures.complete_grid import all_cells, complete_grid, ratio
from socare_spark.measures.periods import Period
from socare_spark.measures.person_counts import Grouping

ELEMENT_GROUP = ColumnSpec(
    "element_group", "string", "Programme of conf/analyses/use.yaml: a group of elements."
)
ELEMENT_COST_BY_YEAR = cell_table(
    "element_cost_by_year",
    "A group of elements in a calendar year: the agreements that are open in it; their cost is "
    "that of their days in it. Every year that the extracts reach has a row.",
    [ELEMENT_GROUP, ColumnSpec("year", "int", "Calendar year.")],
    [
        ColumnSpec(
            "weekly_cost",
            "decimal(20,2)",
            "Sum of the weekly costs of the agreements, in pounds, as figure 36 has it.",
        ),
        ColumnSpec("share_people", "double", "People / the sum of the years' people."),
        ColumnSpec("share_records", "double", "Records / the sum of the years' records."),
        ColumnSpec("share_cost", "double", "weekly_cost / the sum of the years' weekly costs."),
    ],
    source="Thesis 4.4.1, figure 36 (B8)",
)


SUMS = ("weekly_cost",)


def group_groupings(
    table: TableSpec, groups: Mapping[str, Sequence[str]], periods: Iterable[Period]
) -> list[Grouping]:
    """Cells of groups of elements by period. An element can be in several groups.

    Args:
        table: A table with the dimensions `element_group` and `year`.
        groups: Name of a group -> its elements.
        periods: The periods.
    """
    in_period = is_of(periods)
    return [
        Grouping(
            table,
            {"element_group": F.lit(name), "year": year_of_row()},
            where=F.col("element").isin(*elements) & in_period,
        )
        for name, elements in groups.items()
    ]


def element_cost_by_year(
    counted: pd.DataFrame, groups: Iterable[str], years: Sequence[Period]
) -> pd.DataFrame:
    """Completes the years of each group, and computes shares.

    Args:
        counted: Counts of `group_groupings` by year, with SUMS.
        groups: Names of all groups.
        years: Consecutive years.

    Returns:
        One row per group and year, including years without records. Columns as in
        ELEMENT_COST_BY_YEAR.
    """
    cells = all_cells({"element_group": [*groups], "year": [year.label for year in years]})
    full = complete_grid(cells, counted, SUMS)
    return full.assign(
        share_people=_share(full, "people"),
        share_records=_share(full, "records"),
        share_cost=_share(full, "weekly_cost"),
    )


def _share(full: pd.DataFrame, name: str) -> pd.Series:
    """Share of a value in its sum over the years of the group; NaN if the sum is 0."""
    values = full[name].astype("float64")
    return ratio(values, values.groupby(full["element_group"]).transform("sum"))


def cost_by_quarter(
    counted: pd.DataFrame, groups: Iterable[str], quarters: Sequence[Period]
) -> dict[str, list[float]]:
    """The cost of groups by quarter.

    Args:
        counted: Counts of `group_groupings`, with the label of a quarter in `year`.
        groups: Names of all groups.
        quarters: Consecutive quarters.

    Returns:
        Group -> its cost in each quarter in pounds; 0 for a quarter without open agreements.
    """
    costs = counted.dropna(subset="cost").set_index(["element_group", "year"])["cost"].to_dict()
    return {
        name: [float(costs.get((name, quarter.label), 0)) for quarter in quarters]
        for name in groups
    }
