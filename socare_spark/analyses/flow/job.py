"""The `flow` analysis: all flows of `conf/flows` in one set of tables with a column `flow`.

The events of each flow are read once. Events without a case, a time or an activity are left out and
counted in the run record.
"""

import itertools
from collections.abc import Mapping, Sequence
from datetime import date
from functools import reduce

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.as_of import followed_until
from socare_spark.analyses.extracts import restricted
from socare_spark.analyses.flow.bounds import (
    check_activities,
    exceeded_limits,
    transitions_of,
)
from socare_spark.analyses.flow.durations import (
    FLOW_DURATIONS,
    FLOW_REWORK,
    Transition,
    count_durations,
    followed_transitions,
)
from socare_spark.analyses.flow.events import (
    Read,
    all_events,
    assessed_cases,
    check_cases,
    complete_events,
    count_events,
    incomplete_events,
    last_days,
    outcome_records,
)
from socare_spark.analyses.flow.graph import (
    FLOW_EDGES,
    FLOW_STARTS_ENDS,
    FLOW_VARIANTS,
    edge_days,
    flow_edges,
    flow_variants,
    graph_groupings,
    traces,
)
from socare_spark.analyses.flow.pictures import draw
from socare_spark.analyses.flow.settings import Flow, Settings, load_settings
from socare_spark.analyses.flow.single_stage import (
    SINGLE_STAGE,
    cases_only_in,
    count_single_stage,
    single_stage,
    stage_records,
)
from socare_spark.analyses.flow.stages import (
    OUTCOME_BY_TEAM,
    STAGE_COMPLETION,
    STAGE_CONTINUITY,
    STAGE_TOTALS,
    flow_rework,
    long_cases,
    outcome_by_team,
    stage_completion,
    stage_continuity,
    stage_counts,
    stage_totals,
    visits,
)
from socare_spark.analysis import Analysis, Frame, Result
from socare_spark.errors import MissingInputError
from socare_spark.inputs import Inputs, Need
from socare_spark.lake.collect import collect, collect_one
from socare_spark.lake.table import TableSpec
from socare_spark.measures.person_counts import count_groupings, split_groupings
from socare_spark.measures.survival import kaplan_meier
from socare_spark.places.recorded_places import PLACE_AREAS, areas_by_place
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
# Names of collected frames, for messages.
_EVENTS, _DAYS = "events of a flow", "days between events of a flow"


def build(inputs: Inputs, settings: Settings) -> Result:
    """Builds the tables of all flows that have their datasets and columns in the lake.

    Raises:
        MissingInputError: no flow has its columns.
    """
    flows, warnings = _available_flows(inputs, settings.flows)
    results = [_follow(inputs, settings, flow) for flow in flows]
    tables = {
        table: _of_all_flows(table, [r.tables[table] for r in results if table in r.tables])
        for table in _TABLES
    }
    warnings += [warning for result in results for warning in result.warnings]
    counts = {name: number for result in results for name, number in result.counts.items()}
    return Result(tables, warnings=warnings, counts=counts)


def _available_flows(inputs: Inputs, flows: Sequence[Flow]) -> tuple[list[Flow], list[str]]:
    """Flows with their inputs, without the parts that lack columns; and warnings of the others."""
    available, warnings, without_columns = [], [], []
    for flow in flows:
        tables = flow.missing_tables(inputs)
        columns = _texts(inputs.missing(flow.needs))
        if tables:
            warnings.append(
                f"Flow {flow.flow} is left out: the lake does not have {' and '.join(tables)}."
            )
        elif columns:
            without_columns.append(f"Flow {flow.flow} is left out: it needs {columns}.")
        else:
            missing = _missing_parts(inputs, flow)
            available.append(flow.model_copy(update=dict.fromkeys(missing)))
            warnings += [
                f"Flow {flow.flow} is followed without its {part}: it needs {columns}."
                for part, columns in missing.items()
            ]
    if without_columns and not available:
        raise MissingInputError(" ".join(without_columns))
    return available, warnings + without_columns


def _missing_parts(inputs: Inputs, flow: Flow) -> dict[str, str]:
    """Optional part of a flow that lacks columns -> the columns."""
    columns = {part: _texts(inputs.missing(needs)) for part, needs in flow.needs_of_parts.items()}
    return {part: text for part, text in columns.items() if text}


def _texts(needs: Sequence[Need]) -> str:
    return " and ".join(dict.fromkeys(need.text for need in needs))


def _of_all_flows(table: TableSpec, frames: Sequence[Frame]) -> Frame:
    """The rows of a table of all flows."""
    in_spark = [frame for frame in frames if isinstance(frame, DataFrame)]
    if in_spark:
        return reduce(DataFrame.unionByName, in_spark)
    collected = [frame for frame in frames if isinstance(frame, pd.DataFrame) and len(frame)]
    return pd.concat(collected) if collected else pd.DataFrame(columns=table.names)


def _follow(inputs: Inputs, settings: Settings, flow: Flow) -> Result:
    """Builds the tables of one flow."""
    read = _reader(inputs)
    check_cases(flow, read)
    rows = all_events(flow, read).persist()
    number = collect_one(_EVENTS, count_events(rows))
    if flow.log is not None:
        check_activities(flow.flow, flow.log, int(number["activities"].sum()))
    events = complete_events(rows)
    traced = traces(events).persist()
    visited = visits(events, assessed_cases(flow, read)).persist()
    counted = collect(_queries(inputs, settings, flow, traced, visited))
    tables = _computed(flow, counted)
    edges, ends = tables[FLOW_EDGES], tables[FLOW_STARTS_ENDS]
    cases = int(ends.loc[ends["kind"] == "start", "people"].sum())
    variants = flow_variants(traced, cases).withColumn("flow", F.lit(flow.flow))
    transitions = _transitions(inputs, flow, edges, last_days(number))
    durations = collect_one(FLOW_DURATIONS.path, count_durations(events, transitions))
    tables[FLOW_DURATIONS] = kaplan_meier(durations)
    warnings, counts = exceeded_limits(flow, long_cases(counted[STAGE_TOTALS.path]), edges)
    frames: dict[TableSpec, Frame] = {t: x.assign(flow=flow.flow) for t, x in tables.items()}
    return Result(
        frames | {FLOW_VARIANTS: FLOW_VARIANTS.conform(variants)},
        warnings=warnings,
        counts={f"{flow.flow}.{k}": n for k, n in (incomplete_events(number) | counts).items()},
    )


def _reader(inputs: Inputs) -> Read:
    def read(dataset: str) -> DataFrame:
        return inputs.read(restricted(dataset))

    return read


def _queries(
    inputs: Inputs, settings: Settings, flow: Flow, traced: DataFrame, visited: DataFrame
) -> dict[str, DataFrame]:
    """The counts of all tables except FLOW_VARIANTS and FLOW_DURATIONS, by path."""
    read = _reader(inputs)
    frames = {
        STAGE_TOTALS.path: stage_counts(visited, flow.codes),
        FLOW_EDGES.path: count_groupings(traced, graph_groupings(), person="case"),
        _DAYS: edge_days(traced),
    }
    if flow.single_stage is not None:
        frames[SINGLE_STAGE.path] = count_single_stage(
            flow.single_stage,
            cases_only_in(visited, flow.single_stage.stage),
            stage_records(flow, flow.single_stage, read),
            settings.outcomes,
            areas_by_place(inputs) if inputs.exists(POSTCODE_AREAS) else None,
        )
    if flow.outcomes is not None:
        records = outcome_records(flow, flow.outcomes, read)
        frames[OUTCOME_BY_TEAM.path] = outcome_by_team(records, settings.outcomes, settings.teams)
    return frames


def _computed(flow: Flow, counted: Mapping[str, pd.DataFrame]) -> dict[TableSpec, pd.DataFrame]:
    """Tables that are computed from the collected results of `_queries`."""
    by_stage = counted[STAGE_TOTALS.path]
    graph = split_groupings(counted[FLOW_EDGES.path], graph_groupings())
    tables = {
        STAGE_TOTALS: stage_totals(by_stage),
        FLOW_REWORK: flow_rework(by_stage),
        FLOW_EDGES: flow_edges(graph[FLOW_EDGES], counted[_DAYS]),
        FLOW_STARTS_ENDS: graph[FLOW_STARTS_ENDS],
    }
    if len(flow.codes) > 1:
        tables[STAGE_CONTINUITY] = stage_continuity(by_stage, flow.codes)
    if flow.codes:
        tables[STAGE_COMPLETION] = stage_completion(by_stage, flow.codes)
    if flow.single_stage is not None:
        tables[SINGLE_STAGE] = single_stage(counted[SINGLE_STAGE.path], flow.single_stage.stage)
    if flow.outcomes is not None:
        tables[OUTCOME_BY_TEAM] = counted[OUTCOME_BY_TEAM.path]
    return tables


def _transitions(
    inputs: Inputs, flow: Flow, edges: pd.DataFrame, last_events: Mapping[str, date]
) -> list[Transition]:
    """Transitions with durations: consecutive stages, or the most common ones of a log.

    Args:
        inputs: The inputs of the run.
        flow: The flow.
        edges: Rows of FLOW_EDGES.
        last_events: Result of `last_days`.
    """
    pairs = [*itertools.pairwise(flow.codes)]
    if flow.log is not None:
        pairs = [*transitions_of(edges).head(flow.log.transitions).itertuples(index=False)]
    datasets = {activity: flow.dataset_of(activity) for pair in pairs for activity in pair}
    ends = {
        dataset: followed_until(inputs, dataset, last_events.get(dataset))
        for dataset in dict.fromkeys(datasets.values())
    }
    return followed_transitions(pairs, {each: ends[name] for each, name in datasets.items()})


def _reads(inputs: Inputs, settings: Settings) -> Sequence[str]:
    """Tables of the flows that have all their tables; if there is none, tables of all flows."""
    available = [flow for flow in settings.flows if not flow.missing_tables(inputs)]
    return sorted({name for flow in available or settings.flows for name in flow.tables})


def _optional(inputs: Inputs, settings: Settings) -> Sequence[str]:
    named = {name for flow in settings.flows for name in flow.tables}
    others = sorted(named.difference(_reads(inputs, settings)))
    return [*others, POSTCODE_AREAS.path, PLACE_AREAS.path, AREAS.path]


ANALYSIS = Analysis(
    name="flow",
    description="Follows people through the stages of a process: totals, continuity, paths, graph.",
    load_settings=load_settings,
    reads=_reads,
    optional=_optional,
    writes=_TABLES,
    build=build,
    draw=draw,
)
