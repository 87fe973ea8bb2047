"""People by stage: totals, people without the previous stage, and people in all stages.

Source: thesis 4.3, Tables 11 to 13 and figure 35; docs/definitions.md, sections 8.2 to 8.5 and 13
(the shares of Table 13 are of the people in either of two stages).
"""

from collections.abc import Mapping, Sequence

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses import coded_text
from socare_spark.analyses.flow.settings import ASSESSED
from socare_spark.analyses.vocabulary import OTHERS, UNKNOWN, as_team, category_of
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.complete_grid import ratio
from socare_spark.measures.person_counts import count_people

# Steps of a case that has too many for a name of its own; see `graph.variant`.
MOST_STEPS = 10_000

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
    "All assessments by outcome and team. Assessments without a day, and after the last day that "
    "the other tables of the flow follow, count as well.",
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


def stage_counts(visited: DataFrame, stages: Sequence[str]) -> DataFrame:
    """Counts cases by stage, and by whether they were in the stages before it.

    Args:
        visited: Result of `visits`.
        stages: Codes in order; empty for an event log.

    Returns:
        One row per `stage`, `after_previous` (were the cases in the stage before it?) and
        `after_all` (were they in all stages before it?), with the measures of `count_people`,
        `repeats` (records beyond the first of their case), `people_repeating` (cases with several
        records) and `people_long` (cases with too many steps). The two booleans are null for stages
        that are not in `stages`. The row of the null stage counts all cases; its records do not
        include assessments.
    """
    steps = F.sum(F.when(F.col("stage") != ASSESSED, F.col("records")))
    visit = F.struct("stage", "records")
    no_stage = F.lit(None).cast("string").alias("stage")
    of_case = visited.groupBy("case").agg(
        F.collect_list(visit).alias("visits"),
        F.collect_list("stage").alias("seen"),
        F.struct(no_stage, F.coalesce(steps, F.lit(0)).alias("records")).alias("whole"),
    )
    rows = of_case.select("case", "seen", F.inline(F.array_append(F.col("visits"), F.col("whole"))))
    after_previous, after_all = _after(stages)
    is_stage, records = F.col("stage").isNotNull(), F.col("records")
    marked = rows.select(
        "case",
        "stage",
        "records",
        after_previous.alias("after_previous"),
        after_all.alias("after_all"),
        F.when(is_stage, records - 1).alias("repeats"),
        (is_stage & (records > 1)).alias("people_repeating"),
        (~is_stage & (records > MOST_STEPS)).alias("people_long"),
    )
    return count_people(
        marked,
        ["stage", "after_previous", "after_all"],
        person="case",
        records="records",
        sums=["repeats"],
        people_with=["people_repeating", "people_long"],
    )


def _after(stages: Sequence[str]) -> tuple[Column, Column]:
    """Whether a case was in the stage before `stage`, and in all before it, from its `seen`."""
    if not stages:
        unknown = F.lit(None).cast("boolean")
        return unknown, unknown
    codes, seen = F.array(*map(F.lit, stages)), F.col("seen")
    place = F.nullif(F.array_position(codes, F.col("stage")), F.lit(0))
    first_missing = F.coalesce(
        *(F.when(~F.array_contains(seen, F.lit(code)), at) for at, code in enumerate(stages)),
        F.lit(len(stages)),
    )
    previous = F.get(codes, (place - 2).cast("int"))
    return F.array_contains(seen, previous), place <= first_missing


def stage_totals(counted: pd.DataFrame) -> pd.DataFrame:
    """Rows of STAGE_TOTALS, without `flow`.

    Args:
        counted: Result of `stage_counts`.
    """
    return _with_nulls(_totals(counted), "stage")


def flow_rework(counted: pd.DataFrame) -> pd.DataFrame:
    """Rows of FLOW_REWORK, without `flow`.

    Args:
        counted: Result of `stage_counts`.
    """
    totals = _totals(counted).drop(index=ASSESSED, errors="ignore")
    return _with_nulls(totals, "activity")


def stage_continuity(counted: pd.DataFrame, stages: Sequence[str]) -> pd.DataFrame:
    """Counts people in a stage who were not in the stage before it.

    Args:
        counted: Result of `stage_counts`.
        stages: Codes in order, at least two.

    Returns:
        Rows of STAGE_CONTINUITY, without `flow`: one per stage except the first, if anyone was in
        it or in the stage before it.
    """
    people = _of_stages(_totals(counted), stages)["people"]
    missed = _totals(counted[counted["after_previous"].eq(False)])
    rows = _of_stages(missed, stages[1:])
    rows = rows.assign(
        previous=stages[:-1],
        people_without_previous=rows["people"],
        people_either=rows["people"] + people[:-1],
    )
    rows["share"] = ratio(rows["people"], rows["people_either"])
    return rows[rows["people_either"] > 0]


def stage_completion(counted: pd.DataFrame, stages: Sequence[str]) -> pd.DataFrame:
    """Counts people in a stage who were in all stages before it.

    Args:
        counted: Result of `stage_counts`.
        stages: Codes in order.

    Returns:
        Rows of STAGE_COMPLETION, without `flow`: one per stage; none if there are no cases.
    """
    people = _of_stages(_totals(counted), stages)["people"]
    passed = _totals(counted[counted["after_all"].eq(True)])
    rows = _of_stages(passed, stages).assign(people_any=_cases(counted)["people"].sum())
    rows = rows.assign(
        people_all_stages=rows["people"],
        share_any=ratio(rows["people"], rows["people_any"]),
        share_last=ratio(rows["people"], people),
    )
    return rows[rows["people_any"] > 0]


def long_cases(counted: pd.DataFrame) -> int:
    """Number of cases with more than MOST_STEPS steps.

    Args:
        counted: Result of `stage_counts`.
    """
    return int(_cases(counted)["people_long"].sum())


_COUNTS = ["people", "records", "repeats", "people_repeating"]


def _cases(counted: pd.DataFrame) -> pd.DataFrame:
    return counted[counted["stage"].isna()]


def _totals(counted: pd.DataFrame) -> pd.DataFrame:
    """Counts of each stage, with the stage as the index. A case is in one row of a stage."""
    return counted.dropna(subset=["stage"]).groupby("stage")[_COUNTS].sum()


def _of_stages(totals: pd.DataFrame, stages: Sequence[str]) -> pd.DataFrame:
    """One row per stage in order, with counts of 0 for a stage without cases."""
    return _with_nulls(totals.reindex([*stages], fill_value=0), "stage")


def _with_nulls(totals: pd.DataFrame, key: str) -> pd.DataFrame:
    """The index as a column, and the measures that flows do not have as null columns."""
    absent = dict.fromkeys(("cost", "cost_top1", "cost_top2", "providers"))
    return totals.rename_axis(key).reset_index().assign(**absent)


def outcome_by_team(
    records: DataFrame, outcomes: Mapping[str, str], teams: Mapping[str, str]
) -> DataFrame:
    """Counts assessments by categories of outcome and team.

    Args:
        records: case, outcome, team, as written. A record without a case counts no person.
        outcomes: Code of an outcome -> its category.
        teams: Name of a team in upper case -> its category.

    Returns:
        One row per outcome category and team category. Columns as in OUTCOME_BY_TEAM, without
        `flow`.
    """
    outcome = category_of(coded_text.code(F.col("outcome")), outcomes, UNKNOWN)
    team = category_of(as_team(F.col("team")), teams, OTHERS)
    categorised = records.select(
        "case", outcome.alias("outcome_category"), team.alias("team_category")
    )
    return count_people(categorised, ["outcome_category", "team_category"], person="case")
