"""B10: who has an element of service for more consecutive weeks than a policy allows.

Source: thesis 4.4.3, figures 38 and 39; docs/definitions.md, section 7.6. Agreements of one
person and element that overlap or adjoin are one spell, and its days after the threshold are beyond
it. They count, with what they cost, in the year in which they fall: somebody who crosses the
threshold on New Year's Day is over it in the new year alone. A day that several agreements of a
spell cover is one day, of the agreement that covers it first; its cost is that of all of them.
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
    """The columns of THRESHOLD_USE; every element, year and district has a row.

    Args:
        records: element, person, start, end (the last day, none open), weekly_cost, district (null
            outside the city).
        threshold: Elements, weeks and gap.
        years: Calendar years one after the other, then all of them (`periods.with_all`).
        districts: The city's.
        population: district, population; None where there is none.
        target: Saving in pounds that a year's cost is held against.
    """
    own = records.where(F.col("element").isin(*threshold.elements))
    rows = open_in(_with_beyond(own, threshold), years, "year int").select(
        *_DIMS, "person", "cost", *_over()
    )
    wanted = [[*names, None] for names in (dict.fromkeys(threshold.elements), districts)]
    every = records.sparkSession.createDataFrame(
        list(product(wanted[0], [one.label for one in years], wanted[1])),
        "element string, year int, district string",
    )
    sums, people_with = ["days_over", "cost_over"], ["people_over"]
    counted = count_people(
        rows, _DIMS, cost="cost", totals=["element", "district"], sums=sums, people_with=people_with
    )
    full = complete_grid(every, counted, [*sums, *people_with])
    in_a_year = F.col("cost_over").cast("double") / F.when(
        F.col("year").isNull(), len(years) - 1
    ).otherwise(1)
    return _with_population(full, population).select(
        "*",
        F.try_divide(F.col("people_over"), F.col("people")).alias("share_over"),
        (F.col("days_over") / 7).alias("weeks_over"),
        F.try_divide(F.col("people_over") * 1000.0, F.col("population")).alias("per_1000"),
        (in_a_year / F.lit(target).cast("double")).alias("share_of_target"),
    )


def _with_beyond(records: DataFrame, threshold: Threshold) -> DataFrame:
    """Records with two first days beyond the threshold, null where the spell does not reach it.

    Returns:
        The records, with `beyond` (of the spell) and `own_beyond` (after all days that earlier
        agreements cover). Records without a person have no spell.
    """
    # Records without a person are nobody's: as one person's they would all be sorted by one task.
    nobody = records.where("person IS NULL").select(
        "*", *(F.lit(None).cast("date").alias(name) for name in ("beyond", "own_beyond"))
    )
    return _of_people(records.where("person IS NOT NULL"), threshold).unionByName(nobody)


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
    """Of a record in its period: whether it is open beyond the threshold, its days, their cost."""
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
