"""Limits of a flow: number of activities, steps of a case, and transitions with durations.

A flow with too many activities is refused. Over the other limits the run gets a warning.
"""

import itertools

import pandas as pd

from socare_spark.analyses.flow.durations import (
    FLOW_DURATIONS,
    Transition,
    followed_transitions,
)
from socare_spark.analyses.flow.events import Ends
from socare_spark.analyses.flow.graph import FLOW_VARIANTS, LONGER
from socare_spark.analyses.flow.parts import Log
from socare_spark.analyses.flow.settings import Flow
from socare_spark.analyses.flow.stages import MOST_STEPS
from socare_spark.errors import ConfigurationError
from socare_spark.plurals import agreeing, counted

# Warnings of a part of a flow, and numbers for the run record.
Report = tuple[list[str], dict[str, int]]
# The driver orders all activities for the chart in one matrix.
MOST_ACTIVITIES = 2_000


def check_activities(flow: str, log: Log, activities: int) -> None:
    """Refuses a log with too many activities, for example because the column has free text.

    Args:
        flow: Name of the flow.
        log: Its log.
        activities: Number of different activities.

    Raises:
        ConfigurationError: the log has more activities than a flow may have.
    """
    if activities > MOST_ACTIVITIES:
        raise ConfigurationError(
            f"Flow {flow}: column {log.activity} of dataset {log.dataset} has {activities:,} "
            f"different activities; at most {MOST_ACTIVITIES:,} are allowed. Set 'activity' to a "
            "column of kinds of activities, or remove the flow from conf/flows."
        )


def transitions_of(edges: pd.DataFrame) -> pd.DataFrame:
    """Transitions between different activities, the most common first: from_activity, to_activity.

    Args:
        edges: Rows of FLOW_EDGES.
    """
    names = ["from_activity", "to_activity"]
    changes = edges[edges["from_activity"] != edges["to_activity"]]
    return changes.sort_values(["transitions", *names], ascending=[False, True, True])[names]


def transitions_with_durations(flow: Flow, edges: pd.DataFrame, ends: Ends) -> list[Transition]:
    """Transitions with durations: consecutive stages, or the most common ones of a log.

    Args:
        flow: The flow.
        edges: Rows of FLOW_EDGES, without the pool.
        ends: Last day of each dataset.
    """
    pairs = [*itertools.pairwise(flow.codes)]
    if flow.log is not None:
        pairs = [*transitions_of(edges).head(flow.log.transitions).itertuples(index=False)]
    activities = dict.fromkeys(activity for pair in pairs for activity in pair)
    return followed_transitions(pairs, {each: ends[flow.dataset_of(each)] for each in activities})


def exceeded_limits(flow: Flow, long: int, edges: pd.DataFrame) -> Report:
    """Reports long cases, and transitions of a log without durations.

    Args:
        flow: The flow.
        long: Number of cases with more than MOST_STEPS steps.
        edges: Rows of FLOW_EDGES, without the pool.
    """
    warnings, counts = [], {}
    if long:
        counts["cases_too_long"] = long
        warnings.append(
            f"Flow {flow.flow} has {counted(long, 'case')} with more than {MOST_STEPS:,} steps. "
            f"{FLOW_VARIANTS.path} has them in one variant, `{LONGER}`. Check whether the case is "
            "a placeholder; if so, declare it in 'missingValues' of the contract."
        )
    transitions = len(transitions_of(edges))
    if flow.log is not None and transitions > flow.log.transitions:
        counts["transitions_without_durations"] = transitions - flow.log.transitions
        warnings.append(
            f"Flow {flow.flow} has {counted(transitions, 'transition')}. {FLOW_DURATIONS.path} has "
            f"the {flow.log.transitions:,} most common. To change the number, set 'transitions' of "
            "its log in conf/flows."
        )
    return warnings, counts


def later_events(flow: Flow, counted: pd.DataFrame, ends: Ends) -> Report:
    """Reports events after the last day to which their dataset is followed.

    Args:
        flow: The flow.
        counted: Result of `count_later`.
        ends: Last day of each dataset.
    """
    later = dict(zip(counted["dataset"], counted["later"], strict=True))
    if not later:
        return [], {}
    found = [f"{number:,} of {name} after {ends[name]}" for name, number in sorted(later.items())]
    warning = (
        f"Flow {flow.flow}: events after the day of the newest extract, or after the as-of date, "
        f"are left out: {', '.join(found)}. To quarantine such records, declare the column under "
        "not_after_extract in the contract."
    )
    return [warning], {"after_last_day": sum(map(int, later.values()))}


def unordered_events(flow: Flow, ties: int) -> Report:
    """Reports events at the same time of a log that no key orders.

    Args:
        flow: The flow.
        ties: Result of `count_ties`.
    """
    log = flow.log
    if not ties or log is None:
        return [], {}
    order, example = "are in the order of the names of their activities", ""
    if log.is_by_line:
        order = "are in several files, and in the order of the names of these files"
    elif log.key is not None:
        order = f"have the same {log.key}, and {order}"
    else:
        example = ", for example to line, which orders the events of one file"
    warning = (
        f"Flow {flow.flow}: {counted(ties, 'event')} {agreeing(ties, 'has', 'have')} the case and "
        f"time of an event of another activity. Such events {order}, so some transitions may not "
        f"have happened. Set log.key in conf/{flow.file} to a column that orders them{example}."
    )
    return [warning], {"unordered_events": ties}


def incomplete_movements(flow: Flow, movements: pd.DataFrame) -> Report:
    """Reports records of a matrix that are not counted.

    Args:
        flow: The flow.
        movements: Result of `count_movements`.
    """
    counts = {name: int(movements[name].iloc[0]) for name in movements.columns}
    if flow.matrix is None:
        return [], counts
    kinds = {
        "without_from": f"no value in {flow.matrix.origin}",
        "without_to": f"no value in {flow.matrix.to}",
        "without_count": f"no number in {flow.matrix.count}",
        "negative_count": f"a negative number in {flow.matrix.count}",
    }
    found = [f"{counts[kind]:,} with {text}" for kind, text in kinds.items() if counts[kind]]
    if not found:
        return [], counts
    warning = (
        f"Flow {flow.flow}: of {counted(counts['records'], 'record')} of {flow.matrix.dataset}, "
        f"{', '.join(found)} are left out. Correct the extract, or declare constraints in the "
        "contract to quarantine them."
    )
    return [warning], counts
