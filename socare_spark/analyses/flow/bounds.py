"""The bounds of a flow: its activities, the steps of a case, the transitions with durations.

A flow over a bound is refused, or the run record says what is left out.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.flow.durations import FLOW_DURATIONS
from socare_spark.analyses.flow.graph import FLOW_VARIANTS, LONGER, MOST_STEPS
from socare_spark.analyses.flow.settings import ASSESSED, Flow, Log
from socare_spark.analysis import Context
from socare_spark.errors import ConfigurationError

# The picture orders all activities in one matrix, in the driver.
MOST_ACTIVITIES = 2_000


def check_activities(flow: Flow, log: Log, visited: DataFrame) -> None:
    """Refuses a log whose activity is no activity, as a column of typed texts.

    Args:
        flow: The flow.
        log: Its log.
        visited: Result of `visits`.

    Raises:
        ConfigurationError: the log has more activities than a flow may have.
    """
    found = visited.select("stage").distinct().count()
    if found > MOST_ACTIVITIES:
        raise ConfigurationError(
            f"Flow {flow.flow}: column {log.activity} of dataset {log.dataset} holds {found:,} "
            f"different activities; a flow may have {MOST_ACTIVITIES:,}. Name a column of kinds "
            "of activities as 'activity', or remove the flow from conf/flows."
        )


def say_long_cases(context: Context, flow: Flow, visited: DataFrame) -> None:
    """Counts the cases that are too long for a variant of their own, and warns of them.

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
            f"Flow {flow.flow} has {long:,} cases with more than {MOST_STEPS:,} steps: "
            f"{FLOW_VARIANTS.path} has them together as `{LONGER}`. Check that the case is not a "
            "placeholder; if it is, declare it in 'missingValues' of the contract."
        )


def most_common(context: Context, flow: Flow, log: Log, edges: DataFrame) -> DataFrame:
    """The transitions of a log that have durations: the most common ones, as many as declared.

    Args:
        context: The run; it gets a warning where some are left out.
        flow: The flow.
        log: Its log.
        edges: Result of `flow_edges`.

    Returns:
        from_activity, to_activity.
    """
    names = ["from_activity", "to_activity"]
    changes = edges.where("from_activity <> to_activity")
    found = changes.count()
    if found > log.transitions:
        context.run.counts[f"{flow.flow}.transitions_without_durations"] = found - log.transitions
        context.run.warnings.append(
            f"Flow {flow.flow} has {found:,} transitions: {FLOW_DURATIONS.path} has the "
            f"{log.transitions:,} most common. 'transitions' of its log in conf/flows sets how "
            "many it has."
        )
    return changes.orderBy(F.desc("transitions"), *names).limit(log.transitions).select(*names)
