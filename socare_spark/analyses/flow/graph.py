"""The directly-follows graph of a flow: what follows what, after how long, in which variants.

Percentiles are exact, interpolated between neighbours as in SQL's `percentile_cont`, so that they
do not depend on how the work was cut. Reference: W. van der Aalst, Process Mining, 2016, ch. 6.
"""

from pyspark.sql import Column as Value
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from socare_spark.analyses.flow.events import MICROSECONDS_A_DAY, SEPARATOR, escaped
from socare_spark.analyses.flow.stages import FLOW
from socare_spark.lake.tables import Column, working
from socare_spark.measures.cells import cells

# A variant longer than this many steps is told by its first steps and a digest of all of them.
STEPS_SPELLED = 40

FLOW_EDGES = working(
    "flow_edges",
    "How often one activity directly followed another in one case.",
    [
        FLOW,
        Column("from_activity", "string", "Stage or activity."),
        Column("to_activity", "string", "The one that came next in the same case."),
    ],
    [
        Column("transitions", "bigint", "Times it came next; the same as records."),
        Column("median_days", "double", "Median of the days between the two, exact."),
        Column("p90_days", "double", "90th percentile of the days between the two, exact."),
    ],
    source="Thesis 4.3.1; directly-follows graph",
)
FLOW_VARIANTS = working(
    "flow_variants",
    "Cases that took the same way: the same activities in the same order.",
    [
        FLOW,
        Column(
            "variant",
            "string",
            f"Activities in order, as in `CA > AS > SP`; after {STEPS_SPELLED} steps the number of "
            "further ones and a digest of the whole way. A `>` in an activity is `\\>`.",
        ),
    ],
    [
        Column("rank", "bigint", "1 has the most people; equal ones rank by the variant's text."),
        Column(
            "coverage", "double", "Share of the flow's cases in this variant and all before it."
        ),
    ],
    source="Thesis 4.3.1; process variants",
    partitions=["variant"],
)
FLOW_STARTS_ENDS = working(
    "flow_starts_ends",
    "Cases by the activity they began or ended with.",
    [
        FLOW,
        Column("kind", "string", "`start` or `end`."),
        Column("activity", "string", "First or last activity of the case."),
    ],
    source="Thesis 4.3.1; directly-follows graph",
    partitions=["activity"],
)


def traces(events: DataFrame) -> DataFrame:
    """Each case's events in order: case, steps (array of at, tie, activity)."""
    step = F.struct("at", "tie", "activity")
    return events.groupBy("case").agg(F.array_sort(F.collect_list(step)).alias("steps"))


def flow_edges(traced: DataFrame) -> DataFrame:
    """The columns of FLOW_EDGES without the flow."""
    steps = F.col("steps")
    pairs = F.arrays_zip(
        F.slice(steps, F.lit(1), F.greatest(F.size(steps) - 1, F.lit(0))).alias("first"),
        F.slice(steps, F.lit(2), F.size(steps)).alias("then"),
    )
    follows = traced.select("case", F.inline(pairs)).select(
        "case",
        F.col("first.activity").alias("from_activity"),
        F.col("then.activity").alias("to_activity"),
        ((F.col("then.at") - F.col("first.at")) / MICROSECONDS_A_DAY).alias("days"),
    )
    edge = ["from_activity", "to_activity"]
    counted = cells(follows, edge, person="case")
    waited = follows.groupBy(*edge).agg(F.percentile("days", [0.5, 0.9]).alias("_days"))
    return counted.join(waited, edge).select(
        counted["*"],
        F.col("records").alias("transitions"),
        F.get("_days", F.lit(0)).alias("median_days"),
        F.get("_days", F.lit(1)).alias("p90_days"),
    )


def flow_variants(traced: DataFrame) -> DataFrame:
    """The columns of FLOW_VARIANTS without the flow."""
    ways = traced.select("case", variant(F.col("steps.activity")), F.size("steps").alias("events"))
    counted = cells(ways, ["variant"], person="case", records="events")
    ranked = Window.orderBy(F.desc("people"), F.asc("variant"))
    so_far = ranked.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    return counted.select(
        "*",
        F.row_number().over(ranked).alias("rank"),
        (F.sum("people").over(so_far) / F.sum("people").over(Window.partitionBy())).alias(
            "coverage"
        ),
    )


def variant(activities: Value) -> Value:
    """The way as one text, bounded: a case with ten thousand events has a short name too."""
    named = F.transform(activities, escaped)
    whole = F.array_join(named, SEPARATOR)
    more = F.concat(
        F.array_join(F.slice(named, 1, STEPS_SPELLED), SEPARATOR),
        F.lit(" > … "),
        (F.size(activities) - STEPS_SPELLED).cast("string"),
        F.lit(" more, "),
        F.substring(F.sha2(whole, 256), 1, 16),
    )
    return F.when(F.size(activities) > STEPS_SPELLED, more).otherwise(whole).alias("variant")


def flow_starts_ends(traced: DataFrame) -> DataFrame:
    """The columns of FLOW_STARTS_ENDS without the flow."""
    activity = F.col("steps.activity")
    ends = traced.select(
        "case",
        F.inline(
            F.array(
                F.struct(F.lit("start").alias("kind"), F.get(activity, F.lit(0)).alias("activity")),
                F.struct(F.lit("end").alias("kind"), F.element_at(activity, -1).alias("activity")),
            )
        ),
    )
    return cells(ends, ["kind", "activity"], person="case")
