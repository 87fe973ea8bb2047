"""B2: people with an element of service by quarter, and differences between two quarters.

Source: thesis 4.2.2, figure 28 and Table 10; docs/definitions.md, sections 7.1 and 7.2.
A person has an element in a quarter if an agreement is open on at least one of its days. The cost
is that of the days in the quarter.
"""

from collections.abc import Sequence

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.use.records import is_of
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.agreement_cost import cost_of_days, days_open
from socare_spark.measures.complete_grid import all_cells, complete_grid, ratio
from socare_spark.measures.periods import Period
from socare_spark.measures.person_counts import Grouping

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
PEOPLE_WITH = ("people_a", "people_b")
_DAYS = "first_a:date,last_a:date,first_b:date,last_b:date"
_PAIRS = f"array<struct<quarter_a:string,quarter_b:string,{_DAYS}>>"
Pair = tuple[Period, Period]


def quarter_grouping(elements: Sequence[str], quarters: Sequence[Period]) -> Grouping:
    """Cells of USERS_BY_QUARTER.

    Args:
        elements: Codes of the elements.
        quarters: The quarters.
    """
    element = F.col("element")
    return Grouping(
        USERS_BY_QUARTER,
        {"element": element, "quarter": F.col("period")},
        where=element.isin(*elements) & is_of(quarters),
    )


def pair_grouping() -> Grouping:
    """Cells of USERS_BETWEEN_QUARTERS, of the rows of `in_pairs`."""
    dims = {name: F.col(name) for name in ("element", "quarter_a", "quarter_b")}
    return Grouping(USERS_BETWEEN_QUARTERS, dims, where=F.col("quarter_a").isNotNull())


def in_pairs(records: DataFrame, elements: Sequence[str], pairs: Sequence[Pair]) -> DataFrame:
    """Repeats records for each pair of quarters in which they are open.

    Args:
        records: `element`, `person`, `start`, `end`, `weekly_cost` (pounds).
        elements: Codes of the elements.
        pairs: Pairs of quarters. A pair in the list twice counts once.

    Returns:
        One row per record of the elements and pair: `element`, `person`, `quarter_a`, `quarter_b`,
        `cost` (of the days in both quarters), `people_a` and `people_b` (whether it is open in the
        first and in the second).
    """
    values = [
        F.struct(*map(F.lit, (a.label, b.label, a.first, a.last, b.first, b.last)))
        for a, b in dict.fromkeys(pairs)
    ]
    rows = records.where(F.col("element").isin(*elements)).select(
        "*", F.inline(F.array(*values).cast(_PAIRS))
    )
    days_a, days_b = (
        days_open(F.col("start"), F.col("end"), F.col(f"first_{side}"), F.col(f"last_{side}"))
        for side in "ab"
    )
    weekly = F.col("weekly_cost")
    return rows.where((days_a > 0) | (days_b > 0)).select(
        "element",
        "person",
        "quarter_a",
        "quarter_b",
        (cost_of_days(weekly, days_a) + cost_of_days(weekly, days_b)).alias("cost"),
        (days_a > 0).alias("people_a"),
        (days_b > 0).alias("people_b"),
    )


def users_by_quarter(
    counted: pd.DataFrame, elements: Sequence[str], quarters: Sequence[Period]
) -> pd.DataFrame:
    """Completes the quarters of each element, and computes the change of people.

    Args:
        counted: Counts of `quarter_grouping`.
        elements: Codes of the elements.
        quarters: Consecutive quarters.

    Returns:
        One row per element and quarter, including quarters without agreements. Columns as in
        USERS_BY_QUARTER.
    """
    cells = all_cells({"element": elements, "quarter": [quarter.label for quarter in quarters]})
    full = complete_grid(cells, counted)
    before = full.groupby("element")["people"].shift()
    return full.assign(change=ratio(full["people"], before) - 1)


def users_between_quarters(
    counted: pd.DataFrame, elements: Sequence[str], pairs: Sequence[Pair]
) -> pd.DataFrame:
    """Completes the pairs of quarters of each element, and compares their people.

    Args:
        counted: Counts of `pair_grouping`, with PEOPLE_WITH.
        elements: Codes of the elements.
        pairs: Pairs of quarters.

    Returns:
        One row per element and pair of quarters. Columns as in USERS_BETWEEN_QUARTERS.
    """
    rows = [
        (element, a.label, b.label)
        for element in dict.fromkeys(elements)
        for a, b in dict.fromkeys(pairs)
    ]
    cells = pd.DataFrame(rows, columns=["element", "quarter_a", "quarter_b"], dtype=object)
    full = complete_grid(cells, counted, PEOPLE_WITH)
    people, people_a, people_b = (full[name] for name in ("people", *PEOPLE_WITH))
    return full.assign(
        people_both=people_a + people_b - people,
        only_a=people - people_b,
        only_b=people - people_a,
    )
