"""B8: cost of groups of elements by year and by quarter.

Source: thesis 4.4.1 and figure 36; docs/definitions.md, section 7.3.
"""

from collections.abc import Mapping, Sequence
from itertools import product

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.complete_grid import complete_grid
from socare_spark.measures.periods import Period, open_in
from socare_spark.measures.person_counts import count_people

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


def in_groups(records: DataFrame, groups: Mapping[str, Sequence[str]]) -> DataFrame:
    """Adds `element_group` to the records of the groups' elements.

    Args:
        records: element and other columns.
        groups: Name of a group -> its elements.

    Returns:
        One row per record and group of its element.
    """
    pairs = [(name, element) for name, elements in groups.items() for element in elements]
    group_elements = records.sparkSession.createDataFrame(
        pairs, "element_group string, element string"
    )
    return records.join(F.broadcast(group_elements), "element")


def element_cost_by_year(
    grouped: DataFrame, groups: Sequence[str], years: Sequence[Period]
) -> DataFrame:
    """Counts people, records and cost of groups by year.

    Args:
        grouped: Result of `in_groups`, with person, start, end, weekly_cost (pounds).
        groups: Names of all groups.
        years: Consecutive years.

    Returns:
        One row per group and year, including years without records. Columns as in
        ELEMENT_COST_BY_YEAR.
    """
    dims = ["element_group", "year"]
    rows = open_in(grouped, years, "year int")
    counted = count_people(rows, dims, cost="cost", sums=["weekly_cost"])
    grid = grouped.sparkSession.createDataFrame(
        list(product(groups, [year.label for year in years])), "element_group string, year int"
    )
    return complete_grid(grid, counted, ["weekly_cost"]).select(
        "*",
        _share("people").alias("share_people"),
        _share("records").alias("share_records"),
        _share("weekly_cost").alias("share_cost"),
    )


def _share(name: str) -> Column:
    """Share of a value in its sum over the years of the group; null if the sum is 0."""
    total = F.sum(name).over(Window.partitionBy("element_group"))
    return F.try_divide(F.col(name).cast("double"), total.cast("double"))


def cost_by_quarter(
    grouped: DataFrame, groups: Sequence[str], quarters: Sequence[Period]
) -> dict[str, list[float]]:
    """Computes the cost of groups by quarter.

    Args:
        grouped: Result of `in_groups`, with start, end, weekly_cost (pounds).
        groups: Names of all groups.
        quarters: Consecutive quarters.

    Returns:
        Group -> its cost in each quarter in pounds; 0 for a quarter without open agreements.
    """
    rows = open_in(grouped, quarters, "quarter string")
    sums = rows.groupBy("element_group", "quarter").agg(F.sum("cost").alias("cost")).collect()
    costs = {(row["element_group"], row["quarter"]): row["cost"] for row in sums}
    return {
        name: [float(costs.get((name, quarter.label)) or 0) for quarter in quarters]
        for name in groups
    }
