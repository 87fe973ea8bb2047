"""B8: what groups of elements cost, year by year and quarter by quarter.

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
    """Records of the groups' elements with `element_group`; one in several groups comes for each.

    Args:
        records: element besides anything else.
        groups: Name of a group -> its elements.
    """
    pairs = [(name, element) for name, elements in groups.items() for element in elements]
    given = records.sparkSession.createDataFrame(pairs, "element_group string, element string")
    return records.join(F.broadcast(given), "element")


def element_cost_by_year(
    grouped: DataFrame, groups: Sequence[str], years: Sequence[Period]
) -> DataFrame:
    """The columns of ELEMENT_COST_BY_YEAR.

    Args:
        grouped: Of `in_groups`, with person, start, end, weekly_cost.
        groups: Names of all groups.
        years: One after the other.
    """
    dims = ["element_group", "year"]
    rows = open_in(grouped, years, "year int")
    counted = count_people(rows, dims, cost="cost", sums=["weekly_cost"])
    every = grouped.sparkSession.createDataFrame(
        list(product(groups, [one.label for one in years])), "element_group string, year int"
    )
    return complete_grid(every, counted, ["weekly_cost"]).select(
        "*",
        _share("people").alias("share_people"),
        _share("records").alias("share_records"),
        _share("weekly_cost").alias("share_cost"),
    )


def _share(name: str) -> Column:
    """A value / its sum over the years of the group; null where that is 0."""
    whole = F.sum(name).over(Window.partitionBy("element_group"))
    return F.try_divide(F.col(name).cast("double"), whole.cast("double"))


def cost_by_quarter(
    grouped: DataFrame, groups: Sequence[str], quarters: Sequence[Period]
) -> dict[str, list[float]]:
    """Group -> its cost in each quarter, in pounds; 0 where nothing was open.

    Args:
        grouped: Of `in_groups`, with start, end, weekly_cost.
        groups: Names of all groups.
        quarters: One after the other.
    """
    rows = open_in(grouped, quarters, "quarter string")
    found = rows.groupBy("element_group", "quarter").agg(F.sum("cost").alias("cost")).collect()
    costs = {(row["element_group"], row["quarter"]): row["cost"] for row in found}
    return {name: [float(costs.get((name, one.label)) or 0) for one in quarters] for name in groups}
