"""The `flow` analysis: all flows of `conf/flows` in one set of tables with a column `flow`.

The events of each flow are read once. Events without a case, a time or an activity are left out and
counted in the run record.
"""

from collections.abc import Mapping
from datetime import date

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses.as_of import followed_until
from socare_spark.analyses.flow.available import (
    available_flows,
    optional_tables,
    required_tables,
)
from socare_spark.analyses.flow.bounds import (
    Report,
    check_activities,
    exceeded_limits,
    later_events,
    transitions_with_durations,
    unordered_events,
)
from socare_spark.analyses.flow.contract_check import flow_columns, flow_faults
from socare_spark.analyses.flow.durations import (
    FLOW_DURATIONS,
    FLOW_REWORK,
    count_durations,
    flow_durations,
)
from socare_spark.analyses.flow.events import (
    Ends,
    all_events,
    assessed_cases,
    check_cases,
    complete_events,
    count_events,
    count_later,
    incomplete_events,
    is_later,
    last_days,
    outcome_records,
    reader,
)
from socare_spark.analyses.flow.graph import (
    FLOW_EDGES,
    FLOW_STARTS_ENDS,
    FLOW_VARIANTS,
    count_ties,
    edge_days,
    flow_edges,
    flow_variants,
    graph_groupings,
    traces,
)
from socare_spark.analyses.flow.movements import FLOW_BALANCE, FLOW_EDGES_BY_MONTH, follow_matrix
from socare_spark.analyses.flow.parts import Unit
from socare_spark.analyses.flow.pictures import draw
from socare_spark.analyses.flow.pools import (
    check_pool,
    pool_edges,
    pool_variants,
    pooled_edges,
    report_edges,
    report_variants,
)
from socare_spark.analyses.flow.results import flow_result, of_all_flows
from socare_spark.analyses.flow.selections import report_selections, selection_queries
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
from socare_spark.analyses.flow.units import fitting_unit
from socare_spark.analysis import Analysis, Result
from socare_spark.errors import ConfigurationError, DataError
from socare_spark.inputs import Inputs
from socare_spark.lake.collect import collect, collect_one
from socare_spark.lake.table import TableSpec
from socare_spark.measures.person_counts import count_groupings, split_groupings
from socare_spark.places.recorded_places import areas_by_place
from socare_spark.places.reference_tables import POSTCODE_AREAS

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
    FLOW_BALANCE,
    FLOW_EDGES_BY_MONTH,
)
# Names of collected frames, for messages.
_EVENTS, _DAYS = "events of a flow", "days between events of a flow"
_TIES = "events of a flow at the same time"
_LATER = "events after the last day of their dataset"


def build(inputs: Inputs, settings: Settings) -> Result:
    """Builds the tables of all flows that have their datasets and columns in the lake.

    A flow whose data are refused is in no table, and the others are. If the data of all flows are
    refused, the tables are empty.

    Raises:
        ConfigurationError: no flow can be followed, and one has a fault.
        MissingInputError: no flow has its columns.
    """
    flows, warnings = available_flows(inputs, settings.flows)
    results, refusals = [], []
    for flow in flows:
        try:
            results.append(_follow(inputs, settings, flow))
        except (ConfigurationError, DataError) as error:
            refusals.append(str(error))
    tables = {
        table: of_all_flows(table, [r.tables[table] for r in results if table in r.tables])
        for table in _TABLES
    }
    warnings += [warning for result in results for warning in result.warnings]
    counts = {name: number for result in results for name, number in result.counts.items()}
    return Result(tables, warnings=warnings, counts=counts, refusals=refusals)


def _follow(inputs: Inputs, settings: Settings, flow: Flow) -> Result:
    """Builds the tables of one flow."""
    if flow.matrix is not None:
        return follow_matrix(inputs, flow, flow.matrix)
    read = reader(inputs)
    check_cases(flow, read)
    rows = all_events(flow, read).persist()
    number = collect_one(_EVENTS, count_events(rows))
    if flow.log is not None:
        check_activities(flow.flow, flow.log, int(number["activities"].sum()))
    last_events = last_days(number)
    until = {name: followed_until(inputs, name, last_events.get(name)) for name in flow.followed}
    events, later = _followed(flow, rows, last_events, until)
    traced = pool_edges(traces(events), flow.limits).persist()
    visited = visits(events, assessed_cases(flow, read, until)).persist()
    unit = flow.unit_of_durations
    unit = fitting_unit(traced) if unit == "auto" else unit
    queries = _queries(inputs, settings, flow, traced, visited)
    queries |= _in_one_stage(inputs, settings, flow, visited, until)
    counted = collect(queries | selection_queries(flow, read))
    tables = _computed(flow, counted, unit)
    check_pool(flow, tables[FLOW_REWORK]["activity"])
    edges, ends = tables[FLOW_EDGES], tables[FLOW_STARTS_ENDS]
    cases = int(ends.loc[ends["kind"] == "start", "people"].sum())
    variants, reports = _variants(flow, traced, cases)
    pooled = pooled_edges(flow, edges, traced)
    kept = edges[edges["from_activity"] != flow.limits.pool] if pooled else edges
    transitions = transitions_with_durations(flow, kept, until)
    durations = count_durations(events, transitions, unit)
    tables[FLOW_DURATIONS] = flow_durations(durations, flow.curve_points, unit)
    reports += [
        exceeded_limits(flow, long_cases(counted[STAGE_TOTALS.path]), kept),
        report_edges(flow, edges, pooled),
        later,
        unordered_events(flow, int(counted[_TIES]["ties"].iloc[0]) if _TIES in counted else 0),
        ([], incomplete_events(number)),
        report_selections(flow, counted),
    ]
    return flow_result(flow, tables, {FLOW_VARIANTS: variants}, reports)


def _followed(
    flow: Flow, rows: DataFrame, last_events: Mapping[str, date], ends: Ends
) -> tuple[DataFrame, Report]:
    """Complete events up to the last day of their dataset, and the report of later ones.

    Args:
        flow: The flow.
        rows: Result of `all_events`.
        last_events: Result of `last_days`.
        ends: Last day of each dataset.
    """
    events = complete_events(rows)
    passed = {n: end for n, end in ends.items() if end and last_events.get(n, end) > end}
    if not passed:
        return events, ([], {})
    later = collect_one(_LATER, count_later(rows, passed))
    events = events.where(~is_later(F.col("dataset"), F.col("at"), passed))
    return events, later_events(flow, later, passed)


def _variants(flow: Flow, traced: DataFrame, cases: int) -> tuple[DataFrame, list[Report]]:
    """Rows of FLOW_VARIANTS without `flow`, and the report of their pool."""
    variants = flow_variants(traced, cases)
    if not flow.limits.pool_variants:
        return variants, []
    variants = pool_variants(variants, flow.limits).persist()
    return variants, [report_variants(flow, variants)]


def _queries(
    inputs: Inputs, settings: Settings, flow: Flow, traced: DataFrame, visited: DataFrame
) -> dict[str, DataFrame]:
    """The counts of all tables except FLOW_VARIANTS, FLOW_DURATIONS and SINGLE_STAGE, by path."""
    read = reader(inputs)
    frames = {
        STAGE_TOTALS.path: stage_counts(visited, flow.codes),
        FLOW_EDGES.path: count_groupings(traced, graph_groupings(), person="case"),
        _DAYS: edge_days(traced),
    }
    if flow.log is not None:
        frames[_TIES] = count_ties(traced, flow.log)
    if flow.outcomes is not None:
        records = outcome_records(flow, flow.outcomes, read)
        frames[OUTCOME_BY_TEAM.path] = outcome_by_team(records, settings.outcomes, settings.teams)
    return frames


def _in_one_stage(
    inputs: Inputs, settings: Settings, flow: Flow, visited: DataFrame, ends: Ends
) -> dict[str, DataFrame]:
    """The counts of SINGLE_STAGE by path; empty if the flow does not declare it."""
    single = flow.single_stage
    if single is None:
        return {}
    counts = count_single_stage(
        single,
        cases_only_in(visited, single.stage),
        stage_records(flow, single, reader(inputs), ends),
        settings.outcomes,
        areas_by_place(inputs) if inputs.exists(POSTCODE_AREAS) else None,
    )
    return {SINGLE_STAGE.path: counts}


def _computed(
    flow: Flow, counted: Mapping[str, pd.DataFrame], unit: Unit
) -> dict[TableSpec, pd.DataFrame]:
    """Tables that are computed from the collected results of `_queries`."""
    by_stage = counted[STAGE_TOTALS.path]
    graph = split_groupings(counted[FLOW_EDGES.path], graph_groupings())
    tables = {
        STAGE_TOTALS: stage_totals(by_stage),
        FLOW_REWORK: flow_rework(by_stage),
        FLOW_EDGES: flow_edges(graph[FLOW_EDGES], counted[_DAYS], unit),
        FLOW_STARTS_ENDS: graph[FLOW_STARTS_ENDS],
    }
    if len(flow.codes) > 1:
        tables[STAGE_CONTINUITY] = stage_continuity(by_stage, flow.codes)
    if flow.has_completion:
        tables[STAGE_COMPLETION] = stage_completion(by_stage, flow.codes)
    if flow.single_stage is not None:
        tables[SINGLE_STAGE] = single_stage(counted[SINGLE_STAGE.path], flow.single_stage.stage)
    if flow.outcomes is not None:
        tables[OUTCOME_BY_TEAM] = counted[OUTCOME_BY_TEAM.path]
    return tables


ANALYSIS = Analysis(
    name="flow",
    description="Follows people through the stages of a process: totals, continuity, paths, graph.",
    load_settings=load_settings,
    settings_files=("flows/*.yaml",),
    reads=required_tables,
    optional=optional_tables,
    writes=_TABLES,
    named_columns=flow_columns,
    faults=flow_faults,
    build=build,
    draw=draw,
)
