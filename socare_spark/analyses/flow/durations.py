"""Repeated activities of a flow, and durations from one stage to the next.

Durations are Kaplan-Meier estimates. People who have not reached the next stage by the last day for
which both stages have records are censored on that day. Reference: J. Klein, M. Moeschberger,
Survival Analysis, 2003, sections 4.2 and 4.3.
"""

import itertools
from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.flow.events import MICROSECONDS_A_DAY, SEPARATOR, escaped
from socare_spark.analyses.flow.stages import FLOW
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.person_counts import count_people
from socare_spark.measures.survival import kaplan_meier

FLOW_REWORK = cell_table(
    "flow_rework",
    "How often an activity was done again in the same case.",
    [FLOW, ColumnSpec("activity", "string", "Stage or activity.")],
    [
        ColumnSpec("repeats", "bigint", "Records beyond the first of their case."),
        ColumnSpec("people_repeating", "bigint", "People in it more than once."),
    ],
    source="Thesis 4.3; rework in process mining",
)
FLOW_DURATIONS = cell_table(
    "flow_durations",
    "Number of people who had reached the next stage, by days since their first time in the one "
    "before; "
    "people are followed to the last day that the records of both stages reach. "
    "In an event log, to the activity that follows directly, for the most common transitions.",
    [
        FLOW,
        ColumnSpec(
            "transition", "string", "The two activities, as in `CA > AS`; a `>` in one is `\\>`."
        ),
        ColumnSpec("days", "bigint", "Whole days since the first record in the activity before."),
    ],
    [
        ColumnSpec(
            "at_risk", "bigint", "People followed so long who had not come before this day."
        ),
        ColumnSpec("events", "bigint", "People who came on this day."),
        ColumnSpec("censored", "bigint", "People whose records end on this day without it."),
        ColumnSpec(
            "cumulative_incidence", "double", "1 - Kaplan-Meier: share who came by this day."
        ),
        ColumnSpec("lower", "double", "Lower 95 % limit, Greenwood on the log-log scale."),
        ColumnSpec(
            "upper", "double", "Upper 95 % limit; both null while nobody or once everybody came."
        ),
    ],
    source="Thesis 4.3.1; Kaplan-Meier",
)


def flow_rework(visited: DataFrame) -> DataFrame:
    """Counts repeated activities.

    Args:
        visited: case, stage, records; one row per case and activity.

    Returns:
        One row per activity. Columns as in FLOW_REWORK, without `flow`.
    """
    counted = count_people(visited, ["stage"], person="case", records="records")
    repeats = visited.groupBy("stage").agg(
        F.sum(F.col("records") - 1).alias("repeats"),
        F.count_if(F.col("records") > 1).alias("people_repeating"),
    )
    return counted.join(repeats, "stage").withColumnRenamed("stage", "activity")


def consecutive(events: DataFrame, stages: Sequence[str]) -> DataFrame:
    """One row per stage and the stage declared after it: from_activity, to_activity."""
    pairs = list(itertools.pairwise(stages))
    return events.sparkSession.createDataFrame(pairs, "from_activity string, to_activity string")


def flow_durations(events: DataFrame, pairs: DataFrame) -> DataFrame:
    """Estimates the durations from one activity to another.

    Args:
        events: case, activity, at (microseconds since 1970), tie.
        pairs: from_activity, to_activity, last (DATE; later events are ignored). A small frame.
            Pairs of equal activities are ignored.

    Returns:
        One row per transition and number of days. Columns as in FLOW_DURATIONS, without `flow`.
    """
    midnight = (F.unix_date("last").cast("bigint") + 1) * MICROSECONDS_A_DAY
    wanted = F.broadcast(
        pairs.where("from_activity <> to_activity").select("*", (midnight - 1).alias("until"))
    )
    moments = events.select("case", "activity", F.struct("at", "tie").alias("moment"))
    entered = moments.groupBy("case", "activity").agg(F.min("moment").alias("entered"))
    begun = (
        entered.join(wanted, entered["activity"] == wanted["from_activity"])
        .drop("activity")
        .where(F.col("entered.at") <= F.col("until"))
    )
    later = moments.join(wanted, moments["activity"] == wanted["to_activity"]).select(
        "case", "from_activity", "to_activity", "moment"
    )
    edge = ["case", "from_activity", "to_activity"]
    came = (
        begun.join(later, edge)
        .where((F.col("moment") > F.col("entered")) & (F.col("moment.at") <= F.col("until")))
        .groupBy(*edge)
        .agg(F.min("moment").alias("came"))
    )
    followed = begun.join(came, edge, "left").select(
        "case",
        F.concat_ws(SEPARATOR, *(escaped(F.col(name)) for name in edge[1:])).alias("transition"),
        _days(F.coalesce("came.at", "until") - F.col("entered.at")).alias("days"),
        F.col("came").isNotNull().cast("int").alias("event"),
    )
    leaving = followed.groupBy("transition", "days").agg(F.sum("event").alias("events"))
    counted = count_people(followed, ["transition", "days"], person="case")
    return kaplan_meier(counted.join(leaving, ["transition", "days"]))


def _days(microseconds: Column) -> Column:
    return F.floor(microseconds / MICROSECONDS_A_DAY).cast("bigint")
