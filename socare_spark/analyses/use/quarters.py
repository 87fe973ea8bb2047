"""B2: people with an element of service by quarter, and differences between two quarters.

Source: thesis 4.2.2, figure 28 and Table 10; docs/definitions.md, sections 7.1 and 7.2.
A person has an element in a quarter if an agreement is open on at least one of its days. The cost
is that of the days in the quarter.
"""

from collections.abc import Sequence
from itertools import product

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.agreement_cost import cost_of_days, days_open
from socare_spark.measures.complete_grid import complete_grid
from socare_spark.measures.periods import Period, open_in
from socare_spark.measures.person_counts import count_people

ELEMENT = ColumnSpec("element", "string", "Code of the service element, corrected.")

USERS_BY_QUARTER = cell_table(
    "users_by_quarter",
    "An element in a quarter: agreements that are open in it, and the cost of their days in it; "
    "every quarter that the extracts reach has a row.",
    [ELEMENT, ColumnSpec("quarter", "string", "Calendar quarter, as '2010Q1'.")],
    [
        ColumnSpec(
            "change",
            "double",
            "People / people of the quarter before - 1; null in the first quarter and after one "
            "with nobody.",
        )
    ],
    source="Thesis 4.2.2, figure 28 (B2)",
)
USERS_BETWEEN_QUARTERS = cell_table(
    "users_between_quarters",
    "An element in two quarters; the measures are of the agreements that are open in either, each "
    "counted once, and of the cost of their days in both.",
    [
        ELEMENT,
        ColumnSpec("quarter_a", "string", "First quarter, as '2010Q1'."),
        ColumnSpec("quarter_b", "string", "Second quarter."),
    ],
    [
        ColumnSpec("people_a", "bigint", "People in the first quarter."),
        ColumnSpec("people_b", "bigint", "People in the second."),
        ColumnSpec("people_both", "bigint", "People in both."),
        ColumnSpec("only_a", "bigint", "People in the first and not in the second."),
        ColumnSpec("only_b", "bigint", "People in the second and not in the first."),
    ],
    source="Thesis 4.2.2, Table 10 (B2)",
)
_BETWEEN = ["element", "quarter_a", "quarter_b"]


def users_by_quarter(
    records: DataFrame, elements: Sequence[str], quarters: Sequence[Period]
) -> DataFrame:
    """Counts people by element and quarter.

    Args:
        records: element, person, start, end, weekly_cost (pounds).
        elements: Codes of the elements.
        quarters: Consecutive quarters.

    Returns:
        One row per element and quarter, including quarters without agreements. Columns as in
        USERS_BY_QUARTER.
    """
    selected = records.where(F.col("element").isin(*elements))
    counted = count_people(
        open_in(selected, quarters, "quarter string"), ["element", "quarter"], cost="cost"
    )
    cells = product(dict.fromkeys(elements), [quarter.label for quarter in quarters])
    grid = records.sparkSession.createDataFrame(list(cells), "element string, quarter string")
    before = F.lag("people").over(Window.partitionBy("element").orderBy("quarter"))
    return complete_grid(grid, counted).select(
        "*", (F.try_divide(F.col("people"), before) - 1).alias("change")
    )


def users_between_quarters(
    records: DataFrame, elements: Sequence[str], pairs: Sequence[tuple[Period, Period]]
) -> DataFrame:
    """Compares the people of pairs of quarters, in one pass over the records.

    Args:
        records: element, person, start, end, weekly_cost (pounds).
        elements: Codes of the elements.
        pairs: Pairs of quarters.

    Returns:
        One row per element and pair of quarters. Columns as in USERS_BETWEEN_QUARTERS.
    """
    spark = records.sparkSession
    quarter_pairs = spark.createDataFrame(
        [(a.label, b.label, a.first, a.last, b.first, b.last) for a, b in pairs],
        "quarter_a string, quarter_b string, first_a date, last_a date, first_b date, last_b date",
    )
    days = {
        side: days_open(F.col("start"), F.col("end"), F.col(f"first_{side}"), F.col(f"last_{side}"))
        for side in "ab"
    }
    cost = cost_of_days(F.col("weekly_cost"), days["a"]) + cost_of_days(
        F.col("weekly_cost"), days["b"]
    )
    either = (
        records.where(F.col("element").isin(*elements))
        .join(F.broadcast(quarter_pairs), (days["a"] > 0) | (days["b"] > 0))
        .select(
            *_BETWEEN,
            "person",
            cost.alias("cost"),
            (days["a"] > 0).alias("people_a"),
            (days["b"] > 0).alias("people_b"),
        )
    )
    sides = ["people_a", "people_b"]
    counted = count_people(either, _BETWEEN, cost="cost", people_with=sides)
    cells = [(element, a.label, b.label) for element in dict.fromkeys(elements) for a, b in pairs]
    grid = spark.createDataFrame(cells, "element string, quarter_a string, quarter_b string")
    people, people_a, people_b = F.col("people"), F.col("people_a"), F.col("people_b")
    return complete_grid(grid, counted, sides).select(
        "*",
        (people_a + people_b - people).alias("people_both"),
        (people - people_b).alias("only_a"),
        (people - people_a).alias("only_b"),
    )
