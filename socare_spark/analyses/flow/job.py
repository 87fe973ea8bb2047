"""The `flow` analysis: all flows of `conf/flows` in one set of tables with a column `flow`.

The events of each flow are read once. Events without a case, a time or an activity are left out and
counted in the run record.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.extracts import extract_column, newest_extract, restricted
from socare_spark.analyses.flow.bounds import check_activities, most_common, warn_long_cases
from socare_spark.analyses.flow.durations import (
    FLOW_DURATIONS,
    FLOW_REWORK,
    consecutive,
    flow_durations,
    flow_rework,
)
from socare_spark.analyses.flow.events import (
    MICROSECONDS_A_DAY,
    all_events,
    assessed_cases,
    check_cases,
    complete_events,
    count_incomplete,
    outcome_records,
)
from socare_spark.analyses.flow.graph import (
    FLOW_EDGES,
    FLOW_STARTS_ENDS,
    FLOW_VARIANTS,
    flow_edges,
    flow_starts_ends,
    flow_variants,
    traces,
)
from socare_spark.analyses.flow.pictures import draw
from socare_spark.analyses.flow.settings import ASSESSED, Flow, read_flows
from socare_spark.analyses.flow.single_stage import (
    SINGLE_STAGE,
    cases_only_in,
    single_stage,
    stage_records,
)
from socare_spark.analyses.flow.stages import (
    OUTCOME_BY_TEAM,
    STAGE_COMPLETION,
    STAGE_CONTINUITY,
    STAGE_TOTALS,
    outcome_by_team,
    stage_completion,
    stage_continuity,
    stage_totals,
    visits,
)
from socare_spark.analyses.vocabulary import read_outcomes, read_teams
from socare_spark.analysis import Analysis, Context, Need
from socare_spark.errors import MissingInputError
from socare_spark.lake.table import TableSpec
from socare_spark.places.reference_tables import AREAS, POSTCODE_AREAS

_TABLES = (
    STAGE_TOTALS,
    STAGE_CONTINUITY,
    STAGE_COMPLETION,
    OUTCOME_BY_TEAM,
    FLOW_EDGES,
    FLOW_VARIANTS,
    FLOW_STARTS_ENDS,
    FLOW_REWORK,
    FLOW_DURATIONS,
    SINGLE_STAGE,
)


def tables(context: Context) -> dict[TableSpec, DataFrame]:
    """Builds the tables of all flows that have their datasets and columns in the lake.

    Raises:
        MissingInputError: no flow has its columns.
    """
    flow_tables = [_build_flow(context, flow) for flow in _available_flows(context)]
    return {
        table: _union_of_flows(
            context, table, [frames[table] for frames in flow_tables if table in frames]
        )
        for table in _TABLES
    }


def _available_flows(context: Context) -> list[Flow]:
    """Flows with their inputs, without the parts that lack columns. Warns of the others."""
    available = []
    without_columns = []
    for flow in read_flows(context.conf):
        tables = flow.missing_tables(context.lake)
        columns = _texts(context.missing(flow.needs))
        if tables:
            context.run.warnings.append(
                f"Flow {flow.flow} is left out: the lake does not have {' and '.join(tables)}."
            )
        elif columns:
            without_columns.append(f"Flow {flow.flow} is left out: it needs {columns}.")
        else:
            available.append(_with_available_parts(context, flow))
    if without_columns and not available:
        raise MissingInputError(" ".join(without_columns))
    context.run.warnings.extend(without_columns)
    return available


def _with_available_parts(context: Context, flow: Flow) -> Flow:
    """The flow without the parts whose columns are missing. Warns of them."""
    missing_columns = {
        part: columns
        for part, needs in flow.needs_of_parts.items()
        if (columns := _texts(context.missing(needs)))
    }
    for part, columns in missing_columns.items():
        context.run.warnings.append(
            f"Flow {flow.flow} is followed without its {part}: it needs {columns}."
        )
    return flow.model_copy(update=dict.fromkeys(missing_columns))


def _texts(needs: Sequence[Need]) -> str:
    return " and ".join(dict.fromkeys(need.text for need in needs))


def _union_of_flows(context: Context, table: TableSpec, frames: Sequence[DataFrame]) -> DataFrame:
    if not frames:
        return context.spark.createDataFrame([], table.schema)
    return reduce(DataFrame.unionByName, frames)


def _build_flow(context: Context, flow: Flow) -> Mapping[TableSpec, DataFrame]:
    def read(dataset: str) -> DataFrame:
        return context.read(restricted(dataset))

    check_cases(flow, read)
    all_rows = all_events(flow, read).persist()
    for name, number in count_incomplete(all_rows).items():
        context.run.counts[f"{flow.flow}.{name}"] = number
    events = complete_events(all_rows)
    visited = visits(events, assessed_cases(flow, read)).persist()
    if flow.log is not None:
        check_activities(flow, flow.log, visited)
    warn_long_cases(context, flow, visited)
    frames = {**_graph_tables(events), **_stages(flow, visited)}
    pairs = _pairs(context, flow, events, frames[FLOW_EDGES])
    pairs = _followed_until(context, flow, events, pairs)
    frames[FLOW_DURATIONS] = flow_durations(events, pairs)
    if flow.single_stage is not None:
        frames[SINGLE_STAGE] = single_stage(
            flow.single_stage,
            cases_only_in(visited, flow.single_stage.stage),
            stage_records(flow, flow.single_stage, read),
            read_outcomes(context.spark, context.conf),
            context.read(POSTCODE_AREAS) if context.lake.exists(POSTCODE_AREAS) else None,
        )
    if flow.outcomes is not None:
        frames[OUTCOME_BY_TEAM] = outcome_by_team(
            outcome_records(flow, flow.outcomes, read),
            read_outcomes(context.spark, context.conf),
            read_teams(context.spark, context.conf),
        )
    return {t: t.conform(f.withColumn("flow", F.lit(flow.flow))) for t, f in frames.items()}


def _graph_tables(events: DataFrame) -> dict[TableSpec, DataFrame]:
    traced = traces(events).persist()
    return {
        FLOW_EDGES: flow_edges(traced).persist(),  # also read for the pairs of a log
        FLOW_VARIANTS: flow_variants(traced),
        FLOW_STARTS_ENDS: flow_starts_ends(traced),
    }


def _pairs(context: Context, flow: Flow, events: DataFrame, edges: DataFrame) -> DataFrame:
    """Transitions with durations: consecutive stages, or the most common ones of a log."""
    if flow.log is not None:
        return most_common(context, flow, flow.log, edges)
    return consecutive(events, flow.codes)


def _followed_until(context: Context, flow: Flow, events: DataFrame, pairs: DataFrame) -> DataFrame:
    """Adds the last day for which both stages of a transition have records.

    For a stage this is the day of the newest extract of its dataset. Without extracts it is the day
    of the last event of the dataset's stages. It is not after the run's as-of date.

    Returns:
        One row per transition: the columns of `pairs`, and `last` (DATE).
    """
    if flow.log is not None:
        return pairs.withColumn("last", F.lit(_end(context, flow.log.dataset, events)).cast("date"))
    stages: dict[str, list[str]] = defaultdict(list)
    for stage in flow.stages:
        stages[stage.records.dataset].append(stage.code)
    ends = {
        code: _end(context, dataset, events.where(F.col("activity").isin(*codes)))
        for dataset, codes in stages.items()
        for code in codes
    }
    stage_ends = context.spark.createDataFrame([*ends.items()], "stage string, end date")
    for side in ("from_activity", "to_activity"):
        side_ends = stage_ends.select(F.col("stage").alias(side), F.col("end").alias(f"{side}_end"))
        pairs = pairs.join(F.broadcast(side_ends), side)
    # If a stage has neither an extract nor an event, the end of the other one is used.
    last = F.least("from_activity_end", "to_activity_end")
    return pairs.select("from_activity", "to_activity", last.alias("last"))


def _end(context: Context, dataset: str, events: DataFrame) -> date | None:
    """Last day for which a dataset has records; None if it has neither an extract nor an event.

    Args:
        context: The run.
        dataset: Name of the dataset.
        events: Events from the dataset.
    """
    if extract_column(context, dataset) in context.read(restricted(dataset)).columns:
        newest = newest_extract(context, dataset)
    else:
        day = F.date_from_unix_date((F.max("at") / MICROSECONDS_A_DAY).cast("int"))
        newest = events.agg(day).collect()[0][0]
    limits = [day for day in (newest, context.as_of) if day is not None]
    return min(limits, default=None)


def _stages(flow: Flow, visited: DataFrame) -> dict[TableSpec, DataFrame]:
    in_process = visited.where(F.col("stage") != ASSESSED)
    frames = {STAGE_TOTALS: stage_totals(visited), FLOW_REWORK: flow_rework(in_process)}
    if len(flow.codes) > 1:
        frames[STAGE_CONTINUITY] = stage_continuity(visited, flow.codes)
    if flow.codes:
        frames[STAGE_COMPLETION] = stage_completion(visited, flow.codes)
    return frames


def _reads(context: Context) -> Sequence[str]:
    """Tables of the flows that have all their tables; if there is none, tables of all flows."""
    flows = read_flows(context.conf)
    available = [flow for flow in flows if not flow.missing_tables(context.lake)]
    return sorted({name for flow in available or flows for name in flow.tables})


def _optional(context: Context) -> Sequence[str]:
    named = {name for flow in read_flows(context.conf) for name in flow.tables}
    return [*sorted(named.difference(_reads(context))), POSTCODE_AREAS.path, AREAS.path]


ANALYSIS = Analysis(
    name="flow",
    description="Follows people through the stages of a process: totals, continuity, paths, graph.",
    reads=_reads,
    optional=_optional,
    writes=_TABLES,
    tables=tables,
    draw=draw,
)
