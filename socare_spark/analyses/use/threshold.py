"""B10: use of an element of service for more consecutive weeks than a policy allows.

Source: thesis 4.4.3, figures 38 and 39; docs/definitions.md, section 7.6. Agreements of one person
and element that overlap or adjoin are one spell. Days of a spell after the threshold, and their
cost, count in the year in which they fall: a spell that crosses the threshold on 1 January counts
in the new year only. A day that several agreements of a spell cover counts once, for the first of
them. Its cost is that of all of them.
"""

from collections.abc import Sequence
from decimal import Decimal
from itertools import product

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from socare_spark.analyses.use.settings import Threshold
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.agreement_cost import cost_of_days, days_open
from socare_spark.measures.complete_grid import complete_grid
from socare_spark.measures.periods import Period, open_in
from socare_spark.measures.person_counts import count_people
from socare_spark.measures.spells import spells

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
_DIMS = ["element", "year", "district"]


def threshold_use(
    records: DataFrame,
    threshold: Threshold,
    years: Sequence[Period],
    districts: Sequence[str],
    *,
    population: DataFrame | None = None,
    target: Decimal | None = None,
) -> DataFrame:
    """Counts people, days and cost beyond the threshold.

    Args:
        records: element, person, start, end (the last day, not null), weekly_cost (pounds),
            district (null outside the city).
        threshold: Elements, weeks and gap.
        years: Consecutive calendar years and their total (`periods.with_total`).
        districts: Codes of the city's districts.
        population: district, population; None if it is not known.
        target: Yearly saving in pounds with which the cost of a year is compared.

    Returns:
        One row per element, year and district, with totals. Columns as in THRESHOLD_USE.
    """
    selected = records.where(F.col("element").isin(*threshold.elements))
    rows = open_in(_with_beyond(selected, threshold), years, "year int").select(
        *_DIMS, "person", "cost", *_over()
    )
    elements, areas = [*dict.fromkeys(threshold.elements), None], [*districts, None]
    grid = records.sparkSession.createDataFrame(
        list(product(elements, [year.label for year in years], areas)),
        "element string, year int, district string",
    )
    sums, people_with = ["days_over", "cost_over"], ["people_over"]
    counted = count_people(
        rows, _DIMS, cost="cost", totals=["element", "district"], sums=sums, people_with=people_with
    )
    full = complete_grid(grid, counted, [*sums, *people_with])
    yearly_cost = F.col("cost_over").cast("double") / F.when(
        F.col("year").isNull(), len(years) - 1
    ).otherwise(1)
    return _with_population(full, population).select(
        "*",
        F.try_divide(F.col("people_over"), F.col("people")).alias("share_over"),
        (F.col("days_over") / 7).alias("weeks_over"),
        F.try_divide(F.col("people_over") * 1000.0, F.col("population")).alias("per_1000"),
        (yearly_cost / F.lit(target).cast("double")).alias("share_of_target"),
    )


def _with_beyond(records: DataFrame, threshold: Threshold) -> DataFrame:
    """Adds the first day of each record beyond the threshold.

    Returns:
        The records with `beyond` (first day of the spell beyond the threshold) and `own_beyond`
        (first such day that no earlier agreement covers). Both are null if the spell does not reach
        the threshold, and for records without a person.
    """
    # Records without a person have no spell. They are kept out of the window, where one task would
    # sort all of them.
    without_person = records.where("person IS NULL").select(
        "*", *(F.lit(None).cast("date").alias(name) for name in ("beyond", "own_beyond"))
    )
    return _of_people(records.where("person IS NOT NULL"), threshold).unionByName(without_person)


def _of_people(records: DataFrame, threshold: Threshold) -> DataFrame:
    keys = ["person", "element"]
    earlier = Window.partitionBy(*keys).orderBy("start", "end", "district")
    covered = F.max("end").over(earlier.rowsBetween(Window.unboundedPreceding, -1))
    long = (
        spells(records, keys, gap_days=threshold.gap_days)
        .where(F.col("days") > threshold.days)
        .select(
            *keys,
            F.col("start").alias("spell_start"),
            F.col("end").alias("spell_end"),
            F.date_add("start", threshold.days).alias("beyond"),
        )
    )
    within = F.col("start").between(F.col("spell_start"), F.col("spell_end"))
    same = [F.col(f"r.{name}") == F.col(f"s.{name}") for name in keys]
    return (
        records.withColumn("covered", covered)
        .alias("r")
        .join(long.alias("s"), [*same, within], "left")
        .select(
            *(F.col(f"r.{name}") for name in records.columns),
            F.col("s.beyond"),
            F.greatest("s.beyond", F.date_add("r.covered", 1)).alias("own_beyond"),
        )
    )


def _over() -> list[Column]:
    """Columns `people_over`, `days_over` and `cost_over` of a record in its period."""
    start, end, first, last = (F.col(name) for name in ("start", "end", "first", "last"))

    def days(since: str) -> Column:
        none = F.col("beyond").isNull()
        open_beyond = days_open(F.greatest(start, F.col(since)), end, first, last)
        return F.when(none, 0).otherwise(open_beyond)

    covered = days("beyond")
    return [
        (covered > 0).alias("people_over"),
        days("own_beyond").alias("days_over"),
        cost_of_days(F.col("weekly_cost"), covered).alias("cost_over"),
    ]


def _with_population(full: DataFrame, population: DataFrame | None) -> DataFrame:
    if population is None:
        return full.withColumn("population", F.lit(None).cast("bigint"))
    return full.join(F.broadcast(population), "district", "left")
