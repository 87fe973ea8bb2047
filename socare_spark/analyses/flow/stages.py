"""People by stage: totals, people without the previous stage, and people in all stages.

Source: thesis 4.3, Tables 11 to 13 and figure 35; docs/definitions.md, sections 8.2 to 8.5 and 13
(the shares of Table 13 are of the people in either of two stages).
"""

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses import coded_text
from socare_spark.analyses.flow.settings import ASSESSED
from socare_spark.analyses.vocabulary import OTHERS, UNKNOWN, as_team
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.person_counts import count_people

FLOW = ColumnSpec("flow", "string", "Name of the flow, as in conf/flows.")
_STAGE = ColumnSpec("stage", "string", "Code of the stage.")

STAGE_TOTALS = cell_table(
    "stage_totals",
    "People and records in a stage of a flow, or in an activity of an event log.",
    [
        FLOW,
        ColumnSpec("stage", "string", f"Stage or activity; `{ASSESSED}` is any assessment at all."),
    ],
    source="Thesis 4.3, Table 11",
)
STAGE_CONTINUITY = cell_table(
    "stage_continuity",
    "People in a stage who were never in the one before it, for each stage but the first.",
    [FLOW, _STAGE, ColumnSpec("previous", "string", "Code of the stage before it.")],
    [
        ColumnSpec(
            "people_without_previous", "bigint", "People in the stage and not in the previous."
        ),
        ColumnSpec("people_either", "bigint", "People in either of the two stages."),
        ColumnSpec("share", "double", "people_without_previous / people_either."),
    ],
    source="Thesis 4.3.1, Table 13",
)
STAGE_COMPLETION = cell_table(
    "stage_completion",
    "People who were in a stage and in every stage before it; in the last stage, in all stages.",
    [FLOW, _STAGE],
    [
        ColumnSpec("people_all_stages", "bigint", "People in this stage and in all before it."),
        ColumnSpec("people_any", "bigint", "People in any stage, or with any assessment."),
        ColumnSpec("share_any", "double", "people_all_stages / people_any."),
        ColumnSpec("share_last", "double", "people_all_stages / people in this stage."),
    ],
    source="Thesis 4.3.3",
)
OUTCOME_BY_TEAM = cell_table(
    "outcome_by_team",
    "Assessments of people in the process by how they ended and who made them.",
    [
        FLOW,
        ColumnSpec(
            "outcome_category", "string", "Category of the outcome; `Unknown` for an unlisted one."
        ),
        ColumnSpec(
            "team_category", "string", "Category of the team; `Others` for an unlisted one."
        ),
    ],
    source="Thesis 4.3.3, Table 12 and figure 35",
)


def visits(events: DataFrame, assessed: DataFrame | None) -> DataFrame:
    """Counts the records of each case in each stage.

    Args:
        events: case, activity.
        assessed: case; one row per assessment. Assessments count as a separate stage.

    Returns:
        One row per case and stage: case, stage, records.
    """
    rows = events.select("case", F.col("activity").alias("stage"))
    if assessed is not None:
        rows = rows.unionByName(assessed.dropna().select("case", F.lit(ASSESSED).alias("stage")))
    return rows.groupBy("case", "stage").agg(F.count(F.lit(1)).alias("records"))


def stage_totals(visited: DataFrame) -> DataFrame:
    """One row per stage. Columns as in STAGE_TOTALS, without `flow`."""
    return count_people(visited, ["stage"], person="case", records="records")


def stage_continuity(visited: DataFrame, stages: Sequence[str]) -> DataFrame:
    """Counts people in a stage who were not in the stage before it.

    Args:
        visited: Result of `visits`.
        stages: Codes in order, at least two.

    Returns:
        One row per stage except the first. Columns as in STAGE_CONTINUITY, without `flow`.
    """
    here, before = F.col("here"), F.col("before")
    either = _explode_parts(
        _pivot_stages(visited, stages),
        [
            {
                "stage": F.lit(stage),
                "previous": F.lit(stages[at]),
                "here": F.col(f"_{at + 1}"),
                "before": F.col(f"_{at}"),
            }
            for at, stage in enumerate(stages[1:])
        ],
    ).where((here > 0) | (before > 0))
    people = either.groupBy("stage", "previous").agg(F.count("case").alias("people_either"))
    counted = _count_where(either, ["stage", "previous"], (here > 0) & (before == 0))
    return counted.join(people, ["stage", "previous"]).select(
        counted["*"],
        F.col("people").alias("people_without_previous"),
        "people_either",
        (F.col("people") / F.col("people_either")).alias("share"),
    )


def stage_completion(visited: DataFrame, stages: Sequence[str]) -> DataFrame:
    """One row per stage. Columns as in STAGE_COMPLETION, without `flow`."""
    passed = F.lit(True)
    parts = []
    for at, stage in enumerate(stages):
        here = F.col(f"_{at}")
        passed = passed & (here > 0)
        parts.append({"stage": F.lit(stage), "here": here, "passed": passed})
    rows = _explode_parts(_pivot_stages(visited, [*stages, ASSESSED]), parts)
    people = rows.groupBy("stage").agg(
        F.count("case").alias("people_any"), F.count_if(F.col("here") > 0).alias("_in_stage")
    )
    counted = _count_where(rows, ["stage"], F.col("passed"))
    return counted.join(people, "stage").select(
        counted["*"],
        F.col("people").alias("people_all_stages"),
        "people_any",
        (F.col("people") / F.col("people_any")).alias("share_any"),
        F.try_divide("people", "_in_stage").alias("share_last"),
    )


def _pivot_stages(visited: DataFrame, stages: Sequence[str]) -> DataFrame:
    """One row per case: case, `_0` (records in the first stage), `_1` (second stage), ..."""
    records = [
        F.coalesce(F.sum(F.when(F.col("stage") == stage, F.col("records"))), F.lit(0)).alias(
            f"_{at}"
        )
        for at, stage in enumerate(stages)
    ]
    return visited.groupBy("case").agg(*records)


def _explode_parts(frame: DataFrame, parts: Sequence[Mapping[str, Column]]) -> DataFrame:
    """One row per case and part, with the columns of the part."""
    structs = [F.struct(*[value.alias(name) for name, value in part.items()]) for part in parts]
    return frame.select("case", F.inline(F.array(*structs)))


def _count_where(rows: DataFrame, dims: list[str], meant: Column) -> DataFrame:
    """Counts the cases that fulfil a condition. A cell without such cases has counts of 0."""
    marked = rows.select(
        *dims,
        F.when(meant, F.col("case")).alias("case"),
        F.when(meant, F.col("here")).otherwise(0).alias("records"),
    )
    return count_people(marked, dims, person="case", records="records")


def outcome_by_team(records: DataFrame, outcomes: DataFrame, teams: DataFrame) -> DataFrame:
    """Counts assessments by categories of outcome and team.

    Args:
        records: case, outcome, team, as written. A record without a case counts no person.
        outcomes: code, outcome_category.
        teams: team (in upper case), team_category.

    Returns:
        One row per outcome category and team category. Columns as in OUTCOME_BY_TEAM, without
        `flow`.
    """
    categorised = (
        records.select(
            "case",
            coded_text.code(F.col("outcome")).alias("code"),
            as_team(F.col("team")).alias("team"),
        )
        .join(F.broadcast(outcomes), "code", "left")
        .join(F.broadcast(teams), "team", "left")
        .fillna({"outcome_category": UNKNOWN, "team_category": OTHERS})
    )
    return count_people(categorised, ["outcome_category", "team_category"], person="case")
