"""Limits of a flow: number of activities, steps of a case, and transitions with durations.

A flow with too many activities is refused. Over the other limits the run gets a warning.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.flow.durations import FLOW_DURATIONS
from socare_spark.analyses.flow.graph import FLOW_VARIANTS, LONGER, MOST_STEPS
from socare_spark.analyses.flow.settings import ASSESSED, Flow, Log
from socare_spark.analysis import Context
from socare_spark.errors import ConfigurationError

# The driver orders all activities for the chart in one matrix.
MOST_ACTIVITIES = 2_000


def check_activities(flow: Flow, log: Log, visited: DataFrame) -> None:
    """Refuses a log with too many activities, for example because the column has free text.

    Args:
        flow: The flow.
        log: Its log.
        visited: Result of `visits`.

    Raises:
        ConfigurationError: the log has more activities than a flow may have.
    """
    activities = visited.select("stage").distinct().count()
    if activities > MOST_ACTIVITIES:
        raise ConfigurationError(
            f"Flow {flow.flow}: column {log.activity} of dataset {log.dataset} has {activities:,} "
            f"different activities; at most {MOST_ACTIVITIES:,} are allowed. Set 'activity' to a "
            "column of kinds of activities, or remove the flow from conf/flows."
        )


def warn_long_cases(context: Context, flow: Flow, visited: DataFrame) -> None:
    """Counts the cases with more than `MOST_STEPS` steps, and warns of them.

    Args:
        context: The run.
        flow: The flow.
        visited: Result of `visits`.
    """
    steps = visited.where(F.col("stage") != ASSESSED).groupBy("case").agg(F.sum("records"))
    long = steps.where(F.col("sum(records)") > MOST_STEPS).count()
    if long:
        context.run.counts[f"{flow.flow}.cases_too_long"] = long
        context.run.warnings.append(
            f"Flow {flow.flow} has {long:,} cases with more than {MOST_STEPS:,} steps. "
            f"{FLOW_VARIANTS.path} has them in one variant, `{LONGER}`. Check whether the case is "
            "a placeholder; if so, declare it in 'missingValues' of the contract."
        )


def most_common(context: Context, flow: Flow, log: Log, edges: DataFrame) -> DataFrame:
    """Selects the most common transitions of a log, for which durations are computed.

    Args:
        context: The run. It gets a warning if transitions are left out.
        flow: The flow.
        log: Its log.
        edges: Result of `flow_edges`.

    Returns:
        One row per transition: from_activity, to_activity. At most `log.transitions` rows.
    """
    names = ["from_activity", "to_activity"]
    changes = edges.where("from_activity <> to_activity")
    transitions = changes.count()
    if transitions > log.transitions:
        without_durations = transitions - log.transitions
        context.run.counts[f"{flow.flow}.transitions_without_durations"] = without_durations
        context.run.warnings.append(
            f"Flow {flow.flow} has {transitions:,} transitions. {FLOW_DURATIONS.path} has the "
            f"{log.transitions:,} most common. To change the number, set 'transitions' of its log "
            "in conf/flows."
        )
    return changes.orderBy(F.desc("transitions"), *names).limit(log.transitions).select(*names)
