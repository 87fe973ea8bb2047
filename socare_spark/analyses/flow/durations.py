"""Repeated activities of a flow, and durations from one stage to the next.

Durations are Kaplan-Meier estimates. People who have not reached the next stage by the last day for
which both stages have records are censored on that day. Reference: J. Klein, M. Moeschberger,
Survival Analysis, 2003, sections 4.2 and 4.3.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import pandas as pd
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from socare_spark.analyses.flow.events import EPOCH, MICROSECONDS_A_DAY, transition_name
from socare_spark.analyses.flow.parts import Unit
from socare_spark.analyses.flow.settings import Points
from socare_spark.analyses.flow.stages import FLOW
from socare_spark.analyses.flow.units import MICROSECONDS, UNIT, per_day
from socare_spark.lake.collect import collect_one
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.person_counts import count_people
from socare_spark.measures.survival import at_points, growing_points, kaplan_meier

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
    "Number of people who had reached the next stage, by time since their first record in the one "
    "before; "
    "people are followed to the last day that the records of both stages reach. "
    "In an event log, to the activity that follows directly, for the most common transitions. A "
    "flow has a row for every time that occurs, or for some points of time; then events and "
    "censored are those since the point before.",
    [
        FLOW,
        ColumnSpec(
            "transition", "string", "The two activities, as in `CA > AS`; a `>` in one is `\\>`."
        ),
        ColumnSpec("days", "bigint", "Whole days since the first record in the activity before."),
        UNIT,
        ColumnSpec("time", "bigint", "Whole units since the first record in the activity before."),
    ],
    [
        ColumnSpec(
            "at_risk", "bigint", "People followed so long who had not come before this time."
        ),
        ColumnSpec("events", "bigint", "People who came at this time."),
        ColumnSpec("censored", "bigint", "People whose records end at this time without it."),
        ColumnSpec(
            "cumulative_incidence", "double", "1 - Kaplan-Meier: share who came by this time."
        ),
        ColumnSpec("lower", "double", "Lower 95 % limit, Greenwood on the log-log scale."),
        ColumnSpec(
            "upper", "double", "Upper 95 % limit; both null while nobody or once everybody came."
        ),
    ],
    source="Thesis 4.3.1; Kaplan-Meier",
)


class Transition(NamedTuple):
    """Two different activities, and the last day to which cases are followed from one to the other.

    Later events do not count.
    """

    from_activity: str
    to_activity: str
    last: date


def followed_transitions(
    pairs: Iterable[tuple[str, str]], ends: Mapping[str, date | None]
) -> list[Transition]:
    """Follows pairs of activities to the earlier of their last days.

    Args:
        pairs: Pairs of activities.
        ends: Activity -> last day of its records, if it is known.

    Returns:
        The transitions. A pair without a last day is left out. If one activity has no last day, it
        is that of the other one.
    """
    transitions = []
    for first, second in pairs:
        days = [day for day in (ends[first], ends[second]) if day is not None]
        if days:
            transitions.append(Transition(first, second, min(days)))
    return transitions


def count_durations(
    events: DataFrame, transitions: Sequence[Transition], unit: Unit = "days"
) -> DataFrame:
    """Counts cases by the time from one activity to another, for `flow_durations`.

    Args:
        events: case, activity, at (microseconds since 1970), tie.
        transitions: The transitions.
        unit: Unit of the time.

    Returns:
        One row per `transition` (its name) and `time` (whole units), with the measures of
        `count_people` and `events`, the number of cases that came to the second activity.
    """
    of_transition = Window.partitionBy("case", "transition")
    moment, begins = F.col("moment"), F.col("begins")
    entered = F.min(F.when(begins, moment)).over(of_transition)
    rows = (
        events.select(
            "case",
            F.struct("at", "tie").alias("moment"),
            F.inline(F.try_element_at(_parts_of(transitions), F.col("activity"))),
        )
        .where(F.col("moment.at") <= F.col("until"))
        .withColumn("entered", entered)
    )
    came = F.min(F.when(~begins & (moment > F.col("entered")), moment))
    followed = (
        rows.where(F.col("entered").isNotNull())
        .groupBy("case", "transition", "until", "entered")
        .agg(came.alias("came"))
        .select(
            "case",
            "transition",
            _whole(F.coalesce("came.at", "until") - F.col("entered.at"), unit).alias("time"),
            F.col("came").isNotNull().alias("events"),
        )
    )
    return count_people(followed, ["transition", "time"], person="case", people_with=["events"])


def flow_durations(counted: DataFrame, points: Points, unit: Unit) -> pd.DataFrame:
    """Rows of FLOW_DURATIONS, without `flow`.

    The curves of some points are computed by Spark tasks, one for each transition, because the
    counts of all times can be more than the driver collects.

    Args:
        counted: Result of `count_durations`.
        points: Points of the curves, as in the settings of a flow.
        unit: Unit of the times.
    """
    name = FLOW_DURATIONS.path
    if points == "all":
        curves = kaplan_meier(collect_one(name, counted))
    else:
        counted = counted.persist()
        times = points if isinstance(points, tuple) else _growing_points(counted, points)
        curves = collect_one(name, _at_points(counted, times))
        curves = curves.assign(**dict.fromkeys(("cost", "cost_top1", "cost_top2", "providers")))
        counted.unpersist()
    return curves.assign(unit=unit, days=curves["time"] // per_day(unit))


_CURVE = (
    "transition string, time bigint, people bigint, records bigint, events bigint, "
    "censored bigint, at_risk bigint, cumulative_incidence double, lower double, upper double"
)


def _growing_points(counted: DataFrame, number: int) -> list[int]:
    last = counted.agg(F.max("time")).collect()[0][0]
    return growing_points(number, last or 0)


def _at_points(counted: DataFrame, points: Sequence[int]) -> DataFrame:
    def curve(rows: pd.DataFrame) -> pd.DataFrame:
        return at_points(kaplan_meier(rows), points)

    columns = counted.select("transition", "time", "people", "records", "events")
    return columns.groupBy("transition").applyInPandas(curve, _CURVE)


def _parts_of(transitions: Sequence[Transition]) -> Column:
    """Map of each activity to its transitions: their name, their end, and whether it begins them.

    It is one literal text, because a log has up to thousands of transitions.
    """
    parts: dict[str, list[dict[str, Any]]] = {}
    for each in transitions:
        name = transition_name(each.from_activity, each.to_activity)
        until = ((each.last - EPOCH).days + 1) * MICROSECONDS_A_DAY - 1
        for activity, begins in ((each.from_activity, True), (each.to_activity, False)):
            part = {"transition": name, "until": until, "begins": begins}
            parts.setdefault(activity, []).append(part)
    type_ = "map<string, array<struct<transition: string, until: bigint, begins: boolean>>>"
    return F.from_json(F.lit(json.dumps(parts)), type_)


def _whole(microseconds: Column, unit: Unit) -> Column:
    return F.floor(microseconds / MICROSECONDS[unit]).cast("bigint")
