"""People in one stage only: number of assessments, duration, outcome and area.

Source: thesis 4.3.2, figures 33 and 34.
"""

from collections.abc import Mapping

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from socare_spark.analyses import coded_text
from socare_spark.analyses.flow.events import Ends, Read, columns_of, is_later, microseconds
from socare_spark.analyses.flow.parts import SingleStage
from socare_spark.analyses.flow.settings import ASSESSED, Flow
from socare_spark.analyses.flow.stages import FLOW
from socare_spark.analyses.vocabulary import UNKNOWN, category_of
from socare_spark.lake.table import ColumnSpec, cell_table
from socare_spark.measures.person_counts import count_people

SINGLE_STAGE = cell_table(
    "single_stage",
    "People who were in one stage of a flow and in no other, seen four ways.",
    [
        FLOW,
        ColumnSpec("stage", "string", "The only stage they were in."),
        ColumnSpec(
            "measure",
            "string",
            "`assessments`: records a person; of those with one record `length_days`: days from "
            "its first to its last, `outcome_category`, and a layer such as `ward`.",
        ),
        ColumnSpec(
            "value",
            "string",
            "Number, days, category or code of the area; null where the home is not located.",
        ),
        ColumnSpec(
            "outcome_category", "string", "How the record ended; only by area, null elsewhere."
        ),
    ],
    source="Thesis 4.3.2, figures 33 and 34",
)
_ASSESSMENTS = "assessments"


def cases_only_in(visited: DataFrame, stage: str) -> DataFrame:
    """Selects cases that were in one stage only.

    Args:
        visited: case, stage, records. The stage `assessed` is ignored.
        stage: Code of the stage.

    Returns:
        One row per case: case, assessments (number of records in the stage).
    """
    here = F.col("stage") == stage
    per_case = (
        visited.where(F.col("stage") != ASSESSED)
        .groupBy("case")
        .agg(
            F.max(here).alias("here"), F.max(~here).alias("elsewhere"), F.sum("records").alias("n")
        )
    )
    return per_case.where("here and not elsewhere").select("case", F.col("n").alias("assessments"))


def stage_records(flow: Flow, single: SingleStage, read: Read, ends: Ends) -> DataFrame:
    """One row per record of the stage: case, length_days, code (of the outcome), postcode.

    Records without a time, and those after the last day of the dataset in `ends`, are left out.
    """
    meant = flow.records_of(single.stage)
    names = [meant.case, meant.time, single.end, single.outcome]
    named = [*names, *filter(None, [meant.column, single.postcode])]
    frame = columns_of(flow, meant, read, *named).where(meant.where)
    at = microseconds(flow, frame, meant.time)
    frame = frame.where(at.isNotNull() & ~is_later(F.lit(meant.dataset), at, ends))
    first, last = F.col(meant.time).cast("date"), F.col(single.end).cast("date")
    return frame.select(
        F.col(meant.case).alias("case"),
        F.datediff(last, first).alias("length_days"),
        coded_text.code(F.col(single.outcome)).alias("code"),
        (F.col(single.postcode) if single.postcode else F.lit(None))
        .cast("string")
        .alias("postcode"),
    )


def count_single_stage(
    single: SingleStage,
    only: DataFrame,
    records: DataFrame,
    outcomes: Mapping[str, str],
    places: DataFrame | None,
) -> DataFrame:
    """Counts people in one stage only by number of assessments, duration, outcome and area.

    Args:
        single: The stage and its columns.
        only: Result of `cases_only_in`.
        records: Result of `stage_records`.
        outcomes: Code of an outcome -> its category.
        places: postcode, layer, code; None if the lake has no areas of postcodes.

    Returns:
        One row per `measure`, `value` and `outcome_category`, with the measures of `count_people`.
    """
    rows = only.join(records, "case")
    category, none = category_of(F.col("code"), outcomes, UNKNOWN), F.lit(None).cast("string")
    seen = {"length_days": (F.col("length_days"), none), "outcome_category": (category, none)}
    if places is not None and single.postcode:
        within = places.where(F.col("layer") == single.layer)
        areas = within.select("postcode", F.col("code").alias("_area"))
        rows = rows.join(areas, "postcode", "left")
        seen[single.layer] = (F.col("_area"), category)
    once = F.col("assessments") == 1
    ways = [
        _way(_ASSESSMENTS, F.col("assessments"), none),
        *(F.when(once, _way(measure, value, of)) for measure, (value, of) in seen.items()),
    ]
    counted = rows.select("case", F.inline(F.array_compact(F.array(*ways))))
    return count_people(counted, ["measure", "value", "outcome_category"], person="case")


def _way(measure: str, value: Column, category: Column) -> Column:
    return F.struct(
        F.lit(measure).alias("measure"),
        value.cast("string").alias("value"),
        category.alias("outcome_category"),
    )


def single_stage(counted: pd.DataFrame, stage: str) -> pd.DataFrame:
    """Rows of SINGLE_STAGE, without `flow`.

    Args:
        counted: Result of `count_single_stage`.
        stage: Code of the stage.
    """
    often = counted["measure"] == _ASSESSMENTS
    assessments = counted["value"].where(often, "1").astype("Int64")
    records = counted["records"].where(~often, counted["people"] * assessments)
    return counted.assign(stage=stage, records=records)
