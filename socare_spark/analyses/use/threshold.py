"""B10: use of an element of service for more consecutive weeks than a policy allows.

Source: thesis 4.4.3, figures 38 and 39; docs/definitions.md, section 7.6. Agreements of one person
and element that overlap or adjoin are one spell. Days of a spell after the threshold, and their
cost, count in the year in which they fall: a spell that crosses the threshold on 1 January counts
in the new year only. A day that several agreements of a spell cover counts once, for the first of
them. Its cost is that of all of them.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.use.records import is_of, year_of_row
from socare_spark.analyses.use.settings import Threshold
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.agreement_cost import cost_of_days, days_open
from socare_spark.measures.complete_grid import all_cells, complete_grid, ratio
from socare_spark.measures.periods import Period
from socare_spark.measures.person_counts import Grouping
from socare_spark.measures.spells import with_spells

THRESHOLD_USE = cell_table(
    "threshold_use",
    "An element in a year and district: the agreements that are open in it, the cost of their days "
    "in it, and the use beyond the threshold of consecutive weeks.",
    [
        ColumnSpec(
            "element",
            "string",
            "Code of the service element, corrected; null means all elements of the threshold, "
            "each with spells of its own.",
        ),
        ColumnSpec(
            "year",
            "int",
            "Calendar year in which agreements are open and days fall; null means all years "
            "together, with each person and agreement once.",
        ),
        ColumnSpec(
            "district",
            "string",
            "Postcode district of the city; null means everybody, wherever they live.",
        ),
    ],
    [
        ColumnSpec("people_over", "bigint", "People with a day beyond the threshold."),
        ColumnSpec("share_over", "double", "people_over / people; null where there is nobody."),
        ColumnSpec("weeks_over", "double", "Days beyond the threshold / 7, over all people."),
        ColumnSpec(
            "cost_over", "decimal(20,2)", "Cost of the days beyond the threshold, in pounds."
        ),
        ColumnSpec(
            "per_1000",
            "double",
            "people_over for each 1,000 who live in the district; null where the population is "
            "not known, and for everybody.",
        ),
        ColumnSpec(
            "share_of_target",
            "double",
            "cost_over of a year (of all years: their mean) / the yearly saving that is "
            "configured; null without one.",
        ),
    ],
    source="Thesis 4.4.3, figures 38 and 39 (B10)",
)
SUMS, PEOPLE_WITH = ("days_over", "cost_over"), ("people_over",)


def with_beyond(records: DataFrame, threshold: Threshold) -> DataFrame:
    """Adds the first day of each record beyond the threshold.

    Args:
        records: `element`, `person`, `start`, `end` (the last day, not null), `district`, and other
            columns.
        threshold: Elements, weeks and gap.

    Returns:
        The records with `beyond` (first day of the spell beyond the threshold) and `own_beyond`
        (first such day that no earlier agreement covers). `beyond` is null if the spell does not
        reach the threshold, for other elements, and for records without a person.
    """
    # Records without a person have no spell. They are kept out of the window, where one task would
    # sort all of them.
    has_spell = F.col("element").isin(*threshold.elements) & F.col("person").isNotNull()
    none = F.lit(None).cast("date")
    others = records.where(~F.coalesce(has_spell, F.lit(False))).select(
        "*", none.alias("beyond"), none.alias("own_beyond")
    )
    return _of_people(records.where(has_spell), threshold).unionByName(others)


def _of_people(records: DataFrame, threshold: Threshold) -> DataFrame:
    spelled = with_spells(
        records, ["person", "element"], gap_days=threshold.gap_days, then_by=["district"]
    )
    is_long = F.datediff("spell_end", "spell_start") + 1 > threshold.days
    beyond = F.when(is_long, F.date_add("spell_start", threshold.days))
    return spelled.select(
        *records.columns,
        beyond.alias("beyond"),
        F.greatest(beyond, F.date_add("covered_until", 1)).alias("own_beyond"),
    )


def over_columns() -> dict[str, Column]:
    """Columns `people_over`, `days_over` and `cost_over` of a record in a period.

    The record has the columns of `with_beyond` and of `open_in`.
    """
    start, end, first, last = (F.col(name) for name in ("start", "end", "first", "last"))

    def days(since: str) -> Column:
        none = F.col("beyond").isNull()
        open_beyond = days_open(F.greatest(start, F.col(since)), end, first, last)
        return F.when(none, 0).otherwise(open_beyond)

    covered = days("beyond")
    return {
        "people_over": covered > 0,
        "days_over": days("own_beyond"),
        "cost_over": cost_of_days(F.col("weekly_cost"), covered),
    }


def threshold_grouping(threshold: Threshold, years: Iterable[Period]) -> Grouping:
    """Cells of THRESHOLD_USE by element, year and district.

    Args:
        threshold: The elements.
        years: Calendar years and their total.
    """
    element = F.col("element")
    return Grouping(
        THRESHOLD_USE,
        {"element": element, "year": year_of_row(), "district": F.col("district")},
        where=element.isin(*threshold.elements) & is_of(years),
        totals=("element", "district"),
    )


def threshold_use(
    counted: pd.DataFrame,
    threshold: Threshold,
    years: Sequence[Period],
    districts: Sequence[str],
    *,
    population: pd.DataFrame | None = None,
    target: Decimal | None = None,
) -> pd.DataFrame:
    """Completes the cells, and computes shares and rates.

    Args:
        counted: Counts of `threshold_grouping`, with SUMS and PEOPLE_WITH.
        threshold: Elements, weeks and gap.
        years: Consecutive calendar years and their total (`periods.with_total`).
        districts: Codes of the city's districts.
        population: `district`, `population`; None if it is not known.
        target: Yearly saving in pounds with which the cost of a year is compared.

    Returns:
        One row per element, year and district, with totals. Columns as in THRESHOLD_USE.
    """
    cells = all_cells(
        {
            "element": [*threshold.elements, None],
            "year": [year.label for year in years],
            "district": [*districts, None],
        }
    )
    full = complete_grid(cells, counted, [*SUMS, *PEOPLE_WITH])
    if population is None:
        full["population"] = float("nan")
    else:
        full = full.merge(population, on="district", how="left")
    years_of_row = full["year"].isna().map({True: len(years) - 1, False: 1})
    yearly_cost = full["cost_over"].astype("float64") / years_of_row
    return full.assign(
        share_over=ratio(full["people_over"], full["people"]),
        weeks_over=full["days_over"].astype("float64") / 7,
        per_1000=ratio(full["people_over"].astype("float64") * 1000, full["population"]),
        share_of_target=yearly_cost / (float("nan") if target is None else float(target)),
    )
