"""Charts of flows from the written tables: graph, outcomes, durations and single stages."""

from collections.abc import Mapping

import pandas as pd

from socare_spark.analyses.flow.durations import FLOW_DURATIONS
from socare_spark.analyses.flow.graph import FLOW_EDGES, FLOW_STARTS_ENDS
from socare_spark.analyses.flow.movements import FLOW_BALANCE
from socare_spark.analyses.flow.parts import SingleStage
from socare_spark.analyses.flow.settings import Flow, Settings
from socare_spark.analyses.flow.single_stage import SINGLE_STAGE
from socare_spark.analyses.flow.stages import OUTCOME_BY_TEAM, STAGE_TOTALS
from socare_spark.analyses.nouns import RECORD, noun_of
from socare_spark.analysis import Context
from socare_spark.charts.cumulative_incidence import Waiting, draw_waiting
from socare_spark.charts.flow_graph import draw_graph
from socare_spark.charts.flow_graph_layout import Drawn
from socare_spark.charts.from_to import FromTo, draw_from_to
from socare_spark.charts.outcome_matrix import draw_outcomes
from socare_spark.charts.single_stage_charts import (
    SingleStagePicture,
    draw_single_stage,
    draw_single_stage_areas,
)
from socare_spark.lake.table import TableSpec
from socare_spark.places.shapes import shapes_of

_DRAWN = (
    FLOW_EDGES,
    FLOW_STARTS_ENDS,
    STAGE_TOTALS,
    OUTCOME_BY_TEAM,
    FLOW_DURATIONS,
    SINGLE_STAGE,
    FLOW_BALANCE,
)
_Rows = Mapping[TableSpec, pd.DataFrame]


def draw(context: Context, settings: Settings) -> None:
    """Draws the charts of all flows with rows."""
    frames = {table: context.lake.to_pandas(table) for table in _DRAWN}
    for flow in settings.flows:
        flow_rows = {table: frame[frame["flow"] == flow.flow] for table, frame in frames.items()}
        if len(flow_rows[FLOW_BALANCE]):
            _draw_matrix(context, flow, flow_rows)
        if flow_rows[STAGE_TOTALS].empty:
            continue
        _draw_flow_graph(context, flow, flow_rows)
        _draw_outcomes(context, flow, flow_rows)
        _draw_durations(context, flow, flow_rows)
        if flow.single_stage is not None:
            _draw_single_stage(context, flow, flow.single_stage, flow_rows[SINGLE_STAGE])


def _draw_flow_graph(context: Context, flow: Flow, flow_rows: _Rows) -> None:
    edges, pooled = _without_pool(flow, flow_rows[FLOW_EDGES])
    drawn = Drawn(
        title=flow.title,
        edges=edges,
        ends=flow_rows[FLOW_STARTS_ENDS],
        people=dict(flow_rows[STAGE_TOTALS][["stage", "people"]].to_numpy()),
        names={stage.code: stage.name for stage in flow.stages},
        order=flow.codes,
        smallest_share=flow.picture.smallest_share,
        activities=flow.picture.activities,
        most_arrows=flow.picture.edges,
        pooled=pooled,
        cases=flow.nouns.many,
        unit=str(edges["unit"].iloc[0]) if len(edges) else "days",
    )
    context.picture(draw_graph(drawn, context.lake.pictures / f"flow_{flow.flow}.png"))


def _without_pool(flow: Flow, edges: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Rows of FLOW_EDGES without the pool, and the number of its transitions."""
    is_pool = edges["from_activity"].eq(flow.limits.pool) & flow.limits.pool_edges
    return edges[~is_pool], int(edges.loc[is_pool, "transitions"].sum())


def _draw_matrix(context: Context, flow: Flow, flow_rows: _Rows) -> None:
    edges, pooled = _without_pool(flow, flow_rows[FLOW_EDGES])
    matrix = FromTo(
        flow.title,
        flow.nouns.many,
        f"{FLOW_EDGES.path}, {FLOW_BALANCE.path}",
        flow.picture.activities,
        pooled,
    )
    path = context.lake.pictures / f"flow_{flow.flow}_matrix.png"
    context.picture(draw_from_to(edges, flow_rows[FLOW_BALANCE], matrix, path))


def _draw_outcomes(context: Context, flow: Flow, flow_rows: _Rows) -> None:
    rows = flow_rows[OUTCOME_BY_TEAM]
    if len(rows):
        path = context.lake.pictures / f"flow_{flow.flow}_outcomes.png"
        noun = noun_of(context.conf, flow.outcomes.dataset) if flow.outcomes else RECORD
        context.picture(draw_outcomes(rows, flow.title, OUTCOME_BY_TEAM.path, path, noun))


def _draw_durations(context: Context, flow: Flow, flow_rows: _Rows) -> None:
    rows = flow_rows[FLOW_DURATIONS]
    if len(rows):
        path = context.lake.pictures / f"flow_{flow.flow}_waiting.png"
        waiting = Waiting(
            flow.title,
            FLOW_DURATIONS.path,
            str(rows["unit"].iloc[0]),
            flow.nouns.many,
            flow.curve_points != "all",
        )
        context.picture(draw_waiting(rows, waiting, path))


def _draw_single_stage(
    context: Context, flow: Flow, single: SingleStage, rows: pd.DataFrame
) -> None:
    name = next(stage.name for stage in flow.stages if stage.code == single.stage)
    noun = noun_of(context.conf, flow.dataset_of(single.stage))
    picture = SingleStagePicture(name, rows, SINGLE_STAGE.path, noun, flow.nouns.many)
    path = context.lake.pictures / f"flow_{flow.flow}_single_stage.png"
    if len(picture.of("assessments")):
        context.picture(draw_single_stage(picture, path))
    if len(picture.of(single.layer)):
        by_area = path.with_stem(f"{path.stem}_areas")
        names = _names(context, single.layer)
        context.picture(draw_single_stage_areas(picture, single.layer, names, by_area))


def _names(context: Context, layer: str) -> dict[str, str]:
    """Code -> name of the areas of a layer; empty if the lake has no areas."""
    areas = shapes_of(context.lake, layer)
    return dict(zip(areas["code"], areas["name"], strict=True))
