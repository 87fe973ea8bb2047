"""The directly-follows graph of a flow: transitions, their durations, and variants.

Percentiles are exact and interpolated between neighbours as in SQL's `percentile_cont`, so that
they do not depend on partitioning. Reference: W. van der Aalst, Process Mining, 2016, ch. 6.
"""

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import and_

import pandas as pd
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from socare_spark.analyses.flow.events import MICROSECONDS_A_DAY, SEPARATOR, escaped
from socare_spark.analyses.flow.parts import Log, Unit
from socare_spark.analyses.flow.stages import FLOW, MOST_STEPS
from socare_spark.analyses.flow.units import UNIT, per_day
from socare_spark.contracts.contract import SOURCE_LINE
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.person_counts import Grouping, count_people
from socare_spark.measures.ranks import ranked

# The name of a longer variant has this number of steps and a digest of all of them.
STEPS_SPELLED = 40
# Cases with more steps share one variant. No other variant has its name, because `>` is escaped.
LONGER = f"> {MOST_STEPS} steps"

FLOW_EDGES = cell_table(
    "flow_edges",
    "How often one activity directly followed another in one case, or movements from one to the "
    "other. Rare ones can be pooled in one row.",
    [
        FLOW,
        ColumnSpec("from_activity", "string", "Stage or activity."),
        ColumnSpec("to_activity", "string", "The one that came next in the same case."),
    ],
    [
        ColumnSpec("transitions", "bigint", "Times it came next; the same as records."),
        ColumnSpec(
            "median_days",
            "double",
            "Median of the days between the two, exact; null for movements.",
        ),
        ColumnSpec("p90_days", "double", "90th percentile of the days between the two, exact."),
        UNIT,
        ColumnSpec("median", "double", "Median of the time between the two, in `unit`."),
        ColumnSpec("p90", "double", "90th percentile of the time between the two, in `unit`."),
    ],
    source="Thesis 4.3.1; directly-follows graph",
)
FLOW_VARIANTS = cell_table(
    "flow_variants",
    "Cases that took the same way: the same activities in the same order.",
    [
        FLOW,
        ColumnSpec(
            "variant",
            "string",
            f"Activities in order, as in `CA > AS > SP`; after {STEPS_SPELLED} steps the number of "
            "further ones and a digest of the whole way. A `>` in an activity is `\\>`. "
            f"`{LONGER}` is all cases with more steps. Rare variants can be pooled in one row.",
        ),
    ],
    [
        ColumnSpec(
            "rank",
            "bigint",
            "1 has the most people; equal ones rank by the variant's text; null for the pool.",
        ),
        ColumnSpec(
            "coverage", "double", "Share of the flow's cases in this variant and all before it."
        ),
    ],
    source="Thesis 4.3.1; process variants",
    grows=True,
)
FLOW_STARTS_ENDS = cell_table(
    "flow_starts_ends",
    "Cases by the activity they began or ended with.",
    [
        FLOW,
        ColumnSpec("kind", "string", "`start` or `end`."),
        ColumnSpec("activity", "string", "First or last activity of the case."),
    ],
    source="Thesis 4.3.1; directly-follows graph",
)
EDGE = ["from_activity", "to_activity"]


def traces(events: DataFrame) -> DataFrame:
    """Orders the events of each case and adds the next event.

    One task sorts the events of a case. The sort spills to disk if memory is short.

    Returns:
        One row per event: case, place (from 1), activity, at, tie, next_activity and next_at (null
        for the last event), and from_activity and to_activity, which are `activity` and
        `next_activity` until `pool_edges`.
    """
    in_order = Window.partitionBy("case").orderBy("at", "tie", "activity")
    return events.select(
        "case",
        F.row_number().over(in_order).alias("place"),
        "activity",
        "at",
        "tie",
        F.lead("activity").over(in_order).alias("next_activity"),
        F.lead("at").over(in_order).alias("next_at"),
    ).select("*", F.col("activity").alias(EDGE[0]), F.col("next_activity").alias(EDGE[1]))


def count_ties(traced: DataFrame, log: Log) -> DataFrame:
    """Counts events with the case and time of an event of another activity that no key orders.

    A line orders the events of one file. Another key orders events of different values.

    Args:
        traced: Result of `traces`.
        log: The log of the events.

    Returns:
        One row: ties.
    """
    moment, differing = ["case", "at"], [F.col("activity")]
    if log.is_by_line:
        differing.append(F.col("tie").getField(SOURCE_LINE[0]))
    elif log.key is not None:
        moment.append("tie")
    moments = traced.groupBy(*moment).agg(
        F.count(F.lit(1)).alias("number"),
        reduce(and_, (F.min(value) < F.max(value) for value in differing)).alias("several"),
    )
    return moments.agg(
        F.coalesce(F.sum(F.when(F.col("several"), F.col("number"))), F.lit(0)).alias("ties")
    )


def graph_groupings() -> list[Grouping]:
    """Cells of FLOW_EDGES and FLOW_STARTS_ENDS, counted from the result of `traces`."""
    activity, following = F.col("activity"), F.col("next_at").isNotNull()
    edge = {name: F.col(name) for name in EDGE}
    start, end = ({"kind": F.lit(kind), "activity": activity} for kind in ("start", "end"))
    return [
        Grouping(FLOW_EDGES, edge, where=following),
        Grouping(FLOW_STARTS_ENDS, start, where=F.col("place") == 1),
        Grouping(FLOW_STARTS_ENDS, end, where=~following),
    ]


def edge_days(traced: DataFrame) -> DataFrame:
    """Percentiles of the days between two activities: from_activity, to_activity, `*_days`.

    Args:
        traced: Result of `traces`.
    """
    follows = traced.where(F.col("next_at").isNotNull()).select(
        *EDGE,
        ((F.col("next_at") - F.col("at")) / MICROSECONDS_A_DAY).alias("days"),
    )
    return percentiles(follows, EDGE, "days", {"median_days": 0.5, "p90_days": 0.9})


def flow_edges(counted: pd.DataFrame, days: pd.DataFrame, unit: Unit = "days") -> pd.DataFrame:
    """Rows of FLOW_EDGES, without `flow`.

    Args:
        counted: Counts of `graph_groupings`.
        days: Result of `edge_days`.
        unit: Unit of `median` and `p90`.
    """
    edges = counted.merge(days, on=EDGE)
    in_unit = {name: edges[f"{name}_days"] for name in ("median", "p90")}
    if unit != "days":
        # The days are quotients of microseconds, so the last digits of a product are noise.
        in_unit = {name: (x.astype(float) * per_day(unit)).round(6) for name, x in in_unit.items()}
    return edges.assign(transitions=edges["records"], unit=unit, **in_unit)


def percentiles(
    rows: DataFrame, keys: Sequence[str], value: str, shares: Mapping[str, float]
) -> DataFrame:
    """Exact percentiles by key, equal to those of `F.percentile`, from sorted values.

    `F.percentile` keeps all values of a key in memory. A sort spills to disk if memory is short.

    Args:
        rows: The keys and the value.
        keys: Columns of the key.
        value: Column of numbers.
        shares: Name of a percentile -> its share, from 0 to 1.

    Returns:
        One row per key: the keys and one column per percentile.
    """
    key = Window.partitionBy(*keys)
    up_to_here = key.orderBy(value).rowsBetween(Window.unboundedPreceding, Window.currentRow)
    places = (
        rows.groupBy(*keys, value)
        .agg(F.count(F.lit(1)).alias("_times"))
        .withColumn("_last", F.sum("_times").over(up_to_here) - 1)
        .withColumn("_end", F.sum("_times").over(key) - 1)
    )

    def value_at(place: Column) -> Column:
        first = F.col("_last") - F.col("_times") + 1
        return F.max(F.when(place.between(first, F.col("_last")), F.col(value)))

    ends = [
        end
        for name, share in shares.items()
        for end in (
            value_at(F.floor(F.col("_end") * F.lit(share))).alias(f"{name}_low"),
            value_at(F.ceil(F.col("_end") * F.lit(share))).alias(f"{name}_high"),
        )
    ]
    neighbours = places.groupBy(*keys).agg(F.max("_end").alias("_end"), *ends)
    return neighbours.select(*keys, *(_between(name, share) for name, share in shares.items()))


def _between(name: str, share: float) -> Column:
    """Percentile of a share, interpolated between its two neighbours."""
    low, high, place = F.col(f"{name}_low"), F.col(f"{name}_high"), F.col("_end") * F.lit(share)
    interpolated = (F.ceil(place) - place) * low + (place - F.floor(place)) * high
    return F.when(low == high, low).otherwise(interpolated).alias(name)


def flow_variants(traced: DataFrame, cases: int) -> DataFrame:
    """Counts the cases of each variant, and ranks the variants.

    Args:
        traced: Result of `traces`.
        cases: Number of all cases.

    Returns:
        One row per variant. Columns as in FLOW_VARIANTS, without `flow`.
    """
    first = F.when(F.col("place") <= MOST_STEPS, F.struct("place", "activity"))
    variants = (
        traced.groupBy("case")
        .agg(F.max("place").alias("events"), F.array_sort(F.collect_list(first)).alias("steps"))
        .select("case", "events", variant(F.col("steps.activity"), F.col("events")))
    )
    counted = count_people(variants, ["variant"], person="case", records="events")
    in_order = ranked(counted, [F.desc("people"), F.asc("variant")], sums="people")
    return in_order.withColumn("coverage", F.col("so_far") / F.lit(cases))


def variant(activities: Column, events: Column) -> Column:
    """Name of a variant, of limited length.

    Args:
        activities: First steps of a case, at most MOST_STEPS.
        events: Number of steps of the case.
    """
    named = F.transform(activities, escaped)
    whole = F.array_join(named, SEPARATOR)
    abbreviated = F.concat(
        F.array_join(F.slice(named, 1, STEPS_SPELLED), SEPARATOR),
        F.lit(" > … "),
        (events - STEPS_SPELLED).cast("string"),
        F.lit(" more, "),
        F.substring(F.sha2(whole, 256), 1, 16),
    )
    name = F.when(events > MOST_STEPS, LONGER).when(events > STEPS_SPELLED, abbreviated)
    return name.otherwise(whole).alias("variant")
